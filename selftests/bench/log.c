// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libdaware's log against syslog(3), and against log4c.
 *
 * The daemon is a socket at /dev/log that nobody reads while the time is taken,
 * and that is emptied between: what is measured is what a message costs its
 * caller, with the same work of the kernel on both sides. In a last comparison
 * there is a daemon that reads all the time.
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <log4c.h>

#include "bench.h"
#include "daware.h"

#define IDENT		"bench-log"

#define SIX_TAGS	"%lvl% %prog%[%pid%] %file%:%line%: %msg%"

/* Fewer than fit in a socket's buffer. */
#define BATCH		100
#define BATCHES		21

static int logd, raw_socket;
static pid_t pid;
static log4c_category_t *category;

/* A /dev/log of our own, with a longer queue than the usual one of 10. */
static void start_daemon(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/dev", "tmpfs", 0, "mode=755"))
		err(1, "cannot have a /dev of its own");
	fd = open("/proc/sys/net/unix/max_dgram_qlen", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1000", 4) != 4)
		err(1, "max_dgram_qlen");
	close(fd);
	logd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	raw_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (logd < 0 || bind(logd, (const struct sockaddr *)&address, sizeof(address)) ||
	    raw_socket < 0 || connect(raw_socket, (const struct sockaddr *)&address, sizeof(address)))
		err(1, "/dev/log");
}

/* Empties the socket, in which there have to be @expected messages with this text in them. */
static void drain(unsigned int expected, const char *text)
{
	char message[2048];
	unsigned int nr = 0;
	ssize_t len;

	while ((len = recv(logd, message, sizeof(message) - 1, MSG_DONTWAIT)) >= 0) {
		message[len] = '\0';
		if (!strstr(message, text))
			errx(1, "'%s' is not in '%s'", text, message);
		nr++;
	}
	if (nr != expected)
		errx(1, "%u messages instead of %u", nr, expected);
}

/* What logs one message */
typedef void (*log_fn)(int number);

static int compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of some batches: one in which another process had the processor does not count. */
static double sample(log_fn log)
{
	double ns[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		double start = bench_now();

		for (int j = 0; j < BATCH; j++)
			log(j);
		ns[i] = (bench_now() - start) / BATCH;
		drain(BATCH, "connection from 192.0.2.1 port ");
	}
	qsort(ns, BATCHES, sizeof(ns[0]), compare_times);
	return ns[BATCHES / 2];
}

static void with_daware(int number)
{
	DLOG_INFO("connection from %s port %d", "192.0.2.1", number);
}

static void with_syslog(int number)
{
	syslog(LOG_INFO, "connection from %s port %d", "192.0.2.1", number);
}

/* What the six tags stand for, by the caller, who knows its PID. */
static void with_syslog_same_text(int number)
{
	syslog(LOG_INFO, "%s %s[%d] %s:%d: connection from %s port %d", "info", IDENT, pid,
	       __FILE__, __LINE__, "192.0.2.1", number);
}

static void with_log4c(int number)
{
	log4c_category_info(category, "connection from %s port %d", "192.0.2.1", number);
}

/* No more than the system call, with a datagram such as six tags make. */
static void with_send(int number)
{
	static const char datagram[] =
		"<14>Jan  2 03:04:05 " IDENT ": info " IDENT "[12345] " __FILE__
		":42: connection from 192.0.2.1 port 12";

	(void)number;
	if (send(raw_socket, datagram, sizeof(datagram) - 1, MSG_NOSIGNAL) < 0)
		err(1, "send");
}

/* The samplers: @format is ours, NULL: the default. */

static double sample_daware(void *format)
{
	daware_log_set_format(format);
	return sample(with_daware);
}

static double sample_daware_alone(void *format)
{
	(void)format;
	return sample_daware(NULL);
}

static double sample_syslog(void *format)
{
	(void)format;
	return sample(with_syslog);
}

static double sample_syslog_same_text(void *format)
{
	(void)format;
	return sample(with_syslog_same_text);
}

static double sample_send(void *format)
{
	(void)format;
	return sample(with_send);
}

static double sample_log4c(void *format)
{
	(void)format;
	return sample(with_log4c);
}

/*
 * The goal is for the same text in the datagram. The kernel's part of each
 * message, which all have in common, is what send(2) by itself takes.
 */
static void compare_with_syslog(void)
{
	static struct bench same = {
		.what = "log: six tags",
		.ours = "daware_log, format of six tags",
		.other = "syslog(3), called with the same text",
		.unit = "ns",
		.goal = 0.8,
		.reason = "four fifths of our time is send(2), which both call",
	}, alone = {
		.what = "log: no tags",
		.ours = "daware_log, no format",
		.other = "syslog(3)",
		.unit = "ns",
	}, unlike = {
		.what = "log: six tags against none",
		.ours = "daware_log, format of six tags",
		.other = "syslog(3), the message alone",
		.unit = "ns",
	}, send = {
		.what = "log: six tags, and send(2) by itself",
		.ours = "daware_log, format of six tags",
		.other = "send(2) of such a datagram",
		.unit = "ns",
	};

	bench_compare_samples(&same, BENCH_PAIRS, sample_daware, sample_syslog_same_text, SIX_TAGS);
	bench_compare_samples(&alone, BENCH_PAIRS, sample_daware, sample_syslog, NULL);
	bench_compare_samples(&unlike, BENCH_PAIRS, sample_daware, sample_syslog, SIX_TAGS);
	bench_compare_samples(&send, BENCH_PAIRS, sample_daware, sample_send, SIX_TAGS);
}

static void compare_with_log4c(void)
{
	static struct bench b = {
		.what = "log: time, level, category",
		.ours = "daware_log",
		.other = "log4c, syslog appender, dated layout",
		.unit = "ns",
		.goal = 0.8,
	};

	bench_compare_samples(&b, BENCH_PAIRS, sample_daware, sample_log4c,
			      "%time% %lvl% %prog% - %msg%");
}

static void compare_source(void)
{
	static struct bench b = {
		.what = "log: source file, line, function",
		.ours = "%file% %line% %func% %msg%",
		.other = "%msg%",
		.unit = "ns",
	};

	bench_compare_samples(&b, BENCH_PAIRS, sample_daware, sample_daware_alone,
			      "%file% %line% %func% %msg%");
}

/* Messages that are not logged */

static double sample_below_level(void *unused)
{
	unsigned long n = 100000;
	double start = bench_now();

	(void)unused;
	for (unsigned long i = 0; i < n; i++)
		DLOG_DEBUG("connection from %s port %lu", "192.0.2.1", i);
	return (bench_now() - start) / n;
}

static double sample_below_mask(void *unused)
{
	unsigned long n = 100000;
	double start = bench_now();

	(void)unused;
	for (unsigned long i = 0; i < n; i++)
		syslog(LOG_DEBUG, "connection from %s port %lu", "192.0.2.1", i);
	return (bench_now() - start) / n;
}

static double sample_nothing(void *unused)
{
	(void)unused;
	return 0;
}

static void compare_below_level(void)
{
	static struct bench value = {
		.what = "log: below the level",
		.ours = "daware_log, after daware_log_set_level",
		.unit = "ns",
		.goal = 20,
	}, masked = {
		.what = "log: below the level",
		.ours = "daware_log, after daware_log_set_level",
		.other = "syslog(3), after setlogmask(3)",
		.unit = "ns",
	};

	daware_log_set_level(LOG_INFO);
	setlogmask(LOG_UPTO(LOG_INFO));
	bench_compare_samples(&value, BENCH_PAIRS, sample_below_level, sample_nothing, NULL);
	bench_compare_samples(&masked, BENCH_PAIRS, sample_below_level, sample_below_mask, NULL);
	daware_log_set_level(LOG_DEBUG);
	setlogmask(LOG_UPTO(LOG_DEBUG));
	drain(0, "");
}

/* A daemon that reads all the time, on the other processor. */

static double stream(log_fn log)
{
	double start = bench_now();

	for (int i = 0; i < BATCH * BATCHES; i++)
		log(i);
	return (bench_now() - start) / (BATCH * BATCHES);
}

static double stream_daware(void *format)
{
	daware_log_set_format(format);
	return stream(with_daware);
}

static double stream_syslog(void *format)
{
	(void)format;
	return stream(with_syslog);
}

static void __attribute__((noreturn)) read_for_ever(void)
{
	char message[2048];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (recv(logd, message, sizeof(message), 0) >= 0)
		;
	_exit(1);
}

static void compare_streams(void)
{
	static struct bench b = {
		.what = "log: six tags, a daemon reads meanwhile",
		.ours = "daware_log, format of six tags",
		.other = "syslog(3), the message alone",
		.unit = "ns",
	};
	pid_t daemon = fork();

	if (daemon < 0)
		err(1, "fork");
	if (!daemon)
		read_for_ever();
	bench_compare_samples(&b, BENCH_PAIRS, stream_daware, stream_syslog, SIX_TAGS);
	kill(daemon, SIGKILL);
	waitpid(daemon, NULL, 0);
}

static void start_logs(void)
{
	log4c_appender_t *appender;

	pid = getpid();
	daware_log_open(IDENT, 0, LOG_USER);
	if (log4c_init())
		errx(1, "log4c_init");
	appender = log4c_appender_get(IDENT);
	log4c_appender_set_type(appender, log4c_appender_type_get("syslog"));
	log4c_appender_set_layout(appender, log4c_layout_get("dated"));
	category = log4c_category_get("bench");
	log4c_category_set_appender(category, appender);
	log4c_category_set_priority(category, LOG4C_PRIORITY_INFO);
	log4c_category_set_additivity(category, 0);
	log4c_appender_open(appender);
	/* After log4c, which has opened it as it wants it. */
	openlog(IDENT, 0, LOG_USER);
}

int main(void)
{
	start_daemon();
	start_logs();
	compare_with_syslog();
	compare_with_log4c();
	compare_source();
	compare_below_level();
	compare_streams();
	return 0;
}
