// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log with real daemons at the other end: rsyslogd, and systemd-journald by
 * its socket. Each test runs with each of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "daware.h"
#include "sandbox.h"

#define DIRECTORY	"/run/log-daemon"
#define END		"that is all"

/* A message as the daemon has it. */
struct received {
	int facility;
	int level;
	char ident[300];
	int pid;		/* 0: none */
	char text[16384];
};

struct daemon {
	char *const *argv;
	const char *socket;	/* /dev/log leads there, unless that is it */
	FILE *(*open_messages)(void);
	bool (*read_message)(FILE *file, struct received *message);
};

static const struct daemon *logd;
static pid_t logd_pid;

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void read_line(FILE *file, char *line, size_t size)
{
	if (!fgets(line, size, file))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* rsyslogd */

#define RSYSLOG_FILE	DIRECTORY "/messages"

static FILE *rsyslog_open_messages(void)
{
	FILE *file = fopen(RSYSLOG_FILE, "re");

	return file ? file : fopen("/dev/null", "re");
}

/* As its configuration says: facility, level, program, process ID, message. */
static bool rsyslog_read_message(FILE *file, struct received *message)
{
	char line[16384], pid[16];
	int at;

	read_line(file, line, sizeof(line));
	if (!line[0])
		return false;
	assert_int_equal(sscanf(line, "%d %d %299s %15s %n", &message->facility, &message->level,
				message->ident, pid, &at), 4);
	message->pid = atoi(pid);	/* "-" */
	snprintf(message->text, sizeof(message->text), "%s", line + at);
	return true;
}

static const struct daemon rsyslog = {
	.argv = (char *[]){ "rsyslogd", "-n", "-f", DIRECTORY "/rsyslog.conf",
			    "-i", DIRECTORY "/rsyslog.pid", NULL },
	.open_messages = rsyslog_open_messages,
	.read_message = rsyslog_read_message,
};

static const char rsyslog_conf[] =
	"global(workDirectory=\"" DIRECTORY "\" maxMessageSize=\"16k\" "
	"parser.escapeControlCharactersOnReceive=\"on\")\n"
	"module(load=\"imuxsock\")\n"
	"template(name=\"test\" type=\"string\" string=\"%syslogfacility% %syslogseverity% "
	"%programname% %procid%%msg%\\n\")\n"
	"*.* action(type=\"omfile\" file=\"" RSYSLOG_FILE "\" template=\"test\")\n";

/* systemd-journald */

#define JOURNALD_SOCKET	"/run/systemd/journal/dev-log"

static FILE *journald_open_messages(void)
{
	return popen("journalctl --quiet --directory=/run/log/journal --output=export "
		     "--output-fields=SYSLOG_FACILITY,PRIORITY,SYSLOG_PID,SYSLOG_IDENTIFIER,MESSAGE "
		     "_TRANSPORT=syslog", "re");
}

/* "NAME=VALUE" lines up to an empty one; one of our fields with newlines would look otherwise. */
static bool journald_read_message(FILE *file, struct received *message)
{
	char line[16384];
	bool found = false;

	*message = (struct received){ 0 };
	for (;;) {
		read_line(file, line, sizeof(line));
		if (!line[0])
			return found;
		sscanf(line, "SYSLOG_FACILITY=%d", &message->facility);
		sscanf(line, "PRIORITY=%d", &message->level);
		sscanf(line, "SYSLOG_PID=%d", &message->pid);
		sscanf(line, "SYSLOG_IDENTIFIER=%299s", message->ident);
		if (!strncmp(line, "MESSAGE=", strlen("MESSAGE=")))
			snprintf(message->text, sizeof(message->text), "%s",
				 line + strlen("MESSAGE="));
		found = true;
	}
}

static const struct daemon journald = {
	.argv = (char *[]){ "/lib/systemd/systemd-journald", NULL },
	.socket = JOURNALD_SOCKET,
	.open_messages = journald_open_messages,
	.read_message = journald_read_message,
};

static const char journald_conf[] =
	"[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nForwardToConsole=no\n"
	"ForwardToSyslog=no\nForwardToWall=no\nReadKMsg=no\nAudit=no\n";

/* Both */

static void start_daemon(void)
{
	int fd;

	fflush(stdout);
	logd_pid = fork();
	assert_true(logd_pid >= 0);
	if (!logd_pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open(DIRECTORY "/errors", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(logd->argv[0], logd->argv);
		_exit(127);
	}
	/* "/dev/log" may be a dangling link until then. */
	for (int tries = 0; access("/dev/log", F_OK); tries++) {
		assert_int_equal(waitpid(logd_pid, NULL, WNOHANG), 0);
		assert_true(tries < 6000);
		sleep_ms(10);
	}
}

static void stop_daemon(void)
{
	int status;

	assert_return_code(kill(logd_pid, SIGTERM), errno);
	assert_int_equal(waitpid(logd_pid, &status, 0), logd_pid);
	assert_int_equal(status, 0);
	unlink(logd->socket ? logd->socket : "/dev/log");
}

static int begin(void **state)
{
	logd = *state;
	assert_int_equal(system("rm -rf " DIRECTORY " /run/log /run/systemd"), 0);
	assert_int_equal(system("mkdir -p " DIRECTORY " /run/log/journal /run/systemd/journald.conf.d"),
			 0);
	write_file(DIRECTORY "/rsyslog.conf", rsyslog_conf);
	write_file("/run/systemd/journald.conf.d/test.conf", journald_conf);
	if (logd->socket)
		assert_return_code(symlink(logd->socket, "/dev/log"), errno);
	start_daemon();
	return 0;
}

static int end(void **state)
{
	(void)state;
	daware_log_close();
	daware_log_set_format(NULL);
	stop_daemon();
	unlink("/dev/log");
	return 0;
}

static bool is_received(const char *text)
{
	static struct received message;
	FILE *file = logd->open_messages();
	bool found = false;

	assert_non_null(file);
	while (!found && logd->read_message(file, &message))
		found = !strcmp(message.text, text);
	if (logd == &journald)
		pclose(file);
	else
		fclose(file);
	return found;
}

/*
 * Reads on, by ours alone: the daemon logs, too. Messages stay in order, so that
 * all are there when the last one is.
 */
static FILE *messages;

static void wait_for_message(const char *text)
{
	for (int tries = 0; !is_received(text); tries++) {
		assert_true(tries < 600);
		sleep_ms(200);
	}
}

static void open_messages(void)
{
	daware_log_set_format(NULL);
	DLOG_INFO(END);
	wait_for_message(END);
	messages = logd->open_messages();
	assert_non_null(messages);
}

static const struct received *next_message(const char *ident)
{
	static struct received message;

	do
		assert_true(logd->read_message(messages, &message));
	while (strcmp(message.ident, ident) != 0);
	return &message;
}

static void close_messages(const char *ident)
{
	assert_string_equal(next_message(ident)->text, END);
	/* journalctl may still write. */
	while (fgetc(messages) != EOF)
		;
	if (logd == &journald)
		assert_int_equal(pclose(messages), 0);
	else
		fclose(messages);
}

static void expect(int facility, int level, int pid, const char *text)
{
	const struct received *message = next_message("p");

	assert_int_equal(message->facility, LOG_FAC(facility));
	assert_int_equal(message->level, level);
	assert_int_equal(message->pid, pid);
	assert_string_equal(message->text, text);
}

static void every_facility_and_level(void **state)
{
	(void)state;
	daware_log_open("p", 0, LOG_USER);
	daware_log_set_format("%faci%.%lvl%");
	/* Facility 0 is the kernel's: a program's messages become those of the default. */
	for (int facility = 1; facility < LOG_NFACILITIES; facility++)
		for (int level = LOG_EMERG; level <= LOG_DEBUG; level++)
			DLOG(facility << 3 | level, "m");
	open_messages();
	for (int facility = 1; facility < LOG_NFACILITIES; facility++) {
		for (int level = LOG_EMERG; level <= LOG_DEBUG; level++) {
			const struct received *message = next_message("p");

			assert_int_equal(message->facility, facility);
			assert_int_equal(message->level, level);
			if (facility == LOG_FAC(LOG_MAIL) && level == LOG_ERR)
				assert_string_equal(message->text, "mail.err");
		}
	}
	close_messages("p");
}

static void every_tag(void **state)
{
	char expected[256], host[65];
	const char *text;
	struct tm tm;
	int line;

	(void)state;
	daware_log_open("p", LOG_PID, LOG_DAEMON);
	daware_log_set_format("%faci% %lvl% %host% %prog% %pid% %file% %line% %func% %msg% %% %time%");
	DLOG_WARNING("m\xc3\xa4%%msg%%"); line = __LINE__;
	open_messages();
	gethostname(host, sizeof(host));
	snprintf(expected, sizeof(expected), "daemon warning %s p %d %s %d %s m\xc3\xa4%%msg%% %%%% ",
		 host, getpid(), __FILE__, line, __func__);
	text = next_message("p")->text;
	assert_memory_equal(text, expected, strlen(expected));
	assert_non_null(strptime(text + strlen(expected), "%Y-%m-%dT%H:%M:%S", &tm));
	close_messages("p");
}

static void process_id(void **state)
{
	(void)state;
	daware_log_open("p", LOG_PID, LOG_USER);
	DLOG_ERR("with");
	daware_log_open("p", 0, LOG_USER);
	DLOG_ERR("without");
	open_messages();
	expect(LOG_USER, LOG_ERR, getpid(), "with");
	expect(LOG_USER, LOG_ERR, 0, "without");
	close_messages("p");
}

static void long_messages(void **state)
{
	static char text[20000];
	const struct received *message;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	daware_log_open("p", 0, LOG_USER);
	DLOG_INFO("%.8000s", text);
	DLOG_INFO("%s", text);
	open_messages();
	message = next_message("p");
	assert_int_equal(strlen(message->text), 8000);
	assert_int_equal(strspn(message->text, "x"), 8000);
	message = next_message("p");
	assert_in_range(strlen(message->text), 8150, DAWARE_LOG_MAX - 1);
	assert_string_equal(message->text + strspn(message->text, "x"), "[...]");
	close_messages("p");
}

static void daemon_is_restarted(void **state)
{
	(void)state;
	daware_log_open("p", 0, LOG_USER);
	for (int i = 0; i < 3; i++) {
		char text[32];

		snprintf(text, sizeof(text), "before %d", i);
		DLOG_INFO("%s", text);
		/* rsyslogd throws away what it has not yet read when it is stopped. */
		wait_for_message(text);
		stop_daemon();
		start_daemon();
		DLOG_INFO("after %d", i);
		snprintf(text, sizeof(text), "after %d", i);
		wait_for_message(text);
	}
	open_messages();
	for (int i = 0; i < 3; i++) {
		char text[32];

		snprintf(text, sizeof(text), "before %d", i);
		expect(LOG_USER, LOG_INFO, 0, text);
		snprintf(text, sizeof(text), "after %d", i);
		expect(LOG_USER, LOG_INFO, 0, text);
	}
	close_messages("p");
}

static void expect_file(const char *path, const char *text)
{
	char content[512] = "";
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
	assert_string_equal(content, text);
	fclose(file);
}

/* LOG_CONS where the daemon is absent, LOG_PERROR always. */
static void daemon_is_absent(void **state)
{
	int saved = dup(STDERR_FILENO);
	int file = open(DIRECTORY "/stderr", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	write_file("/dev/console", "");
	dup2(file, STDERR_FILENO);
	daware_log_open("p", LOG_CONS | LOG_PERROR, LOG_USER);
	DLOG_INFO("before");
	wait_for_message("before");
	stop_daemon();
	DLOG_INFO("lost");
	start_daemon();
	DLOG_INFO("after");
	daware_log_open("p", 0, LOG_USER);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(file);
	expect_file(DIRECTORY "/stderr", "p: before\np: lost\np: after\n");
	expect_file("/dev/console", "p: lost\r\n");
	open_messages();
	expect(LOG_USER, LOG_INFO, 0, "before");
	expect(LOG_USER, LOG_INFO, 0, "after");
	close_messages("p");
	unlink("/dev/console");
}

#define NR_THREADS	8
#define NR_MESSAGES	500

/* Each its own, and of its own length, so that a part of another one would show. */
static void compose(char *text, size_t size, int thread, int number)
{
	int len = snprintf(text, size, "thread %d message %d ", thread, number);
	int padding = number * 37 % 800;

	memset(text + len, 'a' + (thread + number) % 26, padding);
	text[len + padding] = '.';
	text[len + padding + 1] = '\0';
}

static void *log_many(void *thread)
{
	char text[1024];

	for (int i = 0; i < NR_MESSAGES; i++) {
		compose(text, sizeof(text), (intptr_t)thread, i);
		DLOG_INFO("%s", text);
	}
	return NULL;
}

static void threads(void **state)
{
	pthread_t threads[NR_THREADS];
	int next[NR_THREADS] = { 0 };

	(void)state;
	daware_log_open("p", LOG_PID, LOG_LOCAL0);
	for (intptr_t i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);
	for (int i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	open_messages();
	for (int i = 0; i < NR_THREADS * NR_MESSAGES; i++) {
		const struct received *message = next_message("p");
		char expected[1024];
		int thread;

		assert_int_equal(message->facility, LOG_FAC(LOG_LOCAL0));
		assert_int_equal(message->pid, getpid());
		assert_int_equal(sscanf(message->text, "thread %d ", &thread), 1);
		assert_in_range(thread, 0, NR_THREADS - 1);
		compose(expected, sizeof(expected), thread, next[thread]++);
		assert_string_equal(message->text, expected);
	}
	close_messages("p");
}

/* Its own /run, and an id of the machine that journald finds. */
static void prepare(void)
{
	if (mount("tmpfs", "/run", "tmpfs", 0, "mode=755") || mkdir(DIRECTORY, 0755)) {
		printf("Bail out! /run: %s\n", strerror(errno));
		exit(1);
	}
	write_file("/run/machine-id", "0123456789abcdef0123456789abcdef\n");
	if (mount("/run/machine-id", "/etc/machine-id", NULL, MS_BIND, NULL)) {
		printf("Bail out! /etc/machine-id: %s\n", strerror(errno));
		exit(1);
	}
}

int main(void)
{
#define with(test, daemon) \
	{ #test " (" #daemon ")", test, begin, end, (void *)&daemon }
#define with_both(test)	with(test, rsyslog), with(test, journald)
	const struct CMUnitTest tests[] = {
		with_both(every_facility_and_level),
		with_both(every_tag),
		with_both(process_id),
		with_both(long_messages),
		with_both(daemon_is_restarted),
		with_both(daemon_is_absent),
		with_both(threads),
	};

	sandbox_enter();
	prepare();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
