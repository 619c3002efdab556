// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include "daware.h"
#include "sandbox.h"

#define DEFAULT_PRIORITY	(LOG_USER | LOG_INFO)
#define MARK			"[...]"

static int logd;

static int start_daemon(void **state)
{
	(void)state;
	logd = logd_start();
	return 0;
}

/* Everything as it was before the first call. */
static int reset(void **state)
{
	(void)state;
	daware_log_close();
	daware_log_set_format(NULL);
	daware_log_set_level(LOG_DEBUG);
	assert_int_equal(find_log_fd(), -1);
	return 0;
}

static int stop_daemon(void **state)
{
	bool idle = logd_is_idle(logd);

	/* First of all: who sends to a daemon that does not read waits for ever. */
	logd_stop(logd);
	reset(state);
	assert_true(idle);
	return 0;
}

/* A test with a daemon, and one without. */
#define with_daemon(test)	cmocka_unit_test_setup_teardown(test, start_daemon, stop_daemon)
#define without_daemon(test)	cmocka_unit_test_teardown(test, reset)

static void expect(int priority, const char *body)
{
	assert_string_equal(logd_receive_body(logd, priority), body);
}

/* What depends on the time of day is looked up once a second. */
static void wait_for_next_second(void)
{
	time_t now = time(NULL);

	while (time(NULL) == now)
		sleep_ms(10);
}

static void defaults(void **state)
{
	char body[64];

	(void)state;
	snprintf(body, sizeof(body), "%s: hello, 42", program_invocation_short_name);
	DLOG_INFO("hello, %d", 42);
	expect(LOG_USER | LOG_INFO, body);
}

static void macros_set_the_level(void **state)
{
	(void)state;
	daware_log_open("p", 0, LOG_DAEMON);
	DLOG_EMERG("m");
	expect(LOG_DAEMON | LOG_EMERG, "p: m");
	DLOG_ALERT("m");
	expect(LOG_DAEMON | LOG_ALERT, "p: m");
	DLOG_CRIT("m");
	expect(LOG_DAEMON | LOG_CRIT, "p: m");
	DLOG_ERR("m");
	expect(LOG_DAEMON | LOG_ERR, "p: m");
	DLOG_WARNING("m");
	expect(LOG_DAEMON | LOG_WARNING, "p: m");
	DLOG_NOTICE("m");
	expect(LOG_DAEMON | LOG_NOTICE, "p: m");
	DLOG_INFO("m");
	expect(LOG_DAEMON | LOG_INFO, "p: m");
	DLOG_DEBUG("m");
	expect(LOG_DAEMON | LOG_DEBUG, "p: m");
	DLOG(LOG_LOCAL7 | LOG_ERR, "%s", "m");
	expect(LOG_LOCAL7 | LOG_ERR, "p: m");
}

static void priorities_that_are_none(void **state)
{
	(void)state;
	daware_log_open("p", 0, LOG_MAIL);
	DLOG(-1, "all bits");
	expect(LOG_MAIL | LOG_DEBUG, "p: all bits");
	DLOG(LOG_NFACILITIES << 3 | LOG_ERR, "first unknown facility");
	expect(LOG_MAIL | LOG_ERR, "p: first unknown facility");
	DLOG((LOG_NFACILITIES - 1) << 3 | LOG_ERR, "last facility");
	expect(LOG_LOCAL7 | LOG_ERR, "p: last facility");
	DLOG(LOG_USER | LOG_ERR | 0x10000, "unknown bit");
	expect(LOG_USER | LOG_ERR, "p: unknown bit");

	daware_log_open("p", 0, LOG_NFACILITIES << 3);
	DLOG_ERR("unknown default");
	expect(LOG_USER | LOG_ERR, "p: unknown default");
	daware_log_open("p", 0, -1);
	DLOG_ERR("unknown default");
	expect(LOG_USER | LOG_ERR, "p: unknown default");
	daware_log_open("p", 0, LOG_MAIL | LOG_ERR);
	DLOG_ERR("not a facility");
	expect(LOG_USER | LOG_ERR, "p: not a facility");
}

static void ident_is_copied(void **state)
{
	char ident[] = "before", body[64];

	(void)state;
	daware_log_open(ident, 0, 0);
	strcpy(ident, "after");
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "before: m");

	snprintf(body, sizeof(body), "%s: m", program_invocation_short_name);
	daware_log_open(NULL, 0, 0);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, body);
	daware_log_open("", 0, 0);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, body);
}

static void long_ident_is_cut(void **state)
{
	char ident[1000], body[1000];

	(void)state;
	memset(ident, 'i', sizeof(ident) - 1);
	ident[sizeof(ident) - 1] = '\0';
	daware_log_open(ident, 0, 0);
	DLOG_INFO("m");
	snprintf(body, sizeof(body), "%.255s: m", ident);
	expect(DEFAULT_PRIORITY, body);
}

static void pid_is_added_to_the_header(void **state)
{
	char body[64];

	(void)state;
	snprintf(body, sizeof(body), "p[%d]: m", getpid());
	daware_log_open("p", LOG_PID, 0);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, body);
}

static void close_forgets_what_open_has_set(void **state)
{
	char body[64];

	(void)state;
	daware_log_set_format("<%msg%>");
	daware_log_open("p", LOG_PID, LOG_MAIL);
	daware_log_close();
	snprintf(body, sizeof(body), "%s: <m>", program_invocation_short_name);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, body);
	daware_log_close();
	daware_log_close();
}

static void tags(void **state)
{
	char body[512];
	int line;

	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%faci% %lvl% %prog% %pid% %file% %line% %func% %msg% %other% 100%");
	DLOG(LOG_CRON | LOG_WARNING, "m"); line = __LINE__;
	snprintf(body, sizeof(body), "p: cron warning p %d %s %d %s m %%other%% 100%%",
		 getpid(), __FILE__, line, __func__);
	expect(LOG_CRON | LOG_WARNING, body);

	daware_log_set_format("%msg%%msg%");
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: mm");
	daware_log_set_format("");
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: ");
	daware_log_set_format(NULL);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: m");
}

static void null_arguments(void **state)
{
	/* Without the attribute that makes the compiler object. */
	void (*log)(int, const char *, int, const char *, const char *, ...) = daware_log;

	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%file%:%line% %func% %msg%");
	daware_log(LOG_ERR, NULL, INT_MIN, NULL, "m");
	expect(LOG_USER | LOG_ERR, "p: ?:-2147483648 ? m");
	log(LOG_ERR, "f", 1, "g", NULL);
	expect(LOG_USER | LOG_ERR, "p: f:1 g (null)");
}

static void user_data_is_no_format(void **state)
{
	(void)state;
	daware_log_open("%s%n", 0, 0);
	daware_log_set_format("%file% %func% %s %n %msg%");
	daware_log(LOG_ERR, "%s%n", 1, "%msg%", "%s", "%d %n %msg% %pid%");
	expect(LOG_USER | LOG_ERR, "%s%n: %s%n %msg% %s %n %d %n %msg% %pid%");
}

static void percent_m_is_the_error(void **state)
{
	char body[128];

	(void)state;
	daware_log_open("p", 0, 0);
	snprintf(body, sizeof(body), "p: %s", strerror(EXDEV));
	errno = EXDEV;
	DLOG_INFO("%m");
	expect(DEFAULT_PRIORITY, body);
}

static void newlines_at_the_end_are_left_out(void **state)
{
	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%msg%.");
	DLOG_INFO("m\n\n");
	expect(DEFAULT_PRIORITY, "p: m.");
	DLOG_INFO("\n");
	expect(DEFAULT_PRIORITY, "p: .");
	DLOG_INFO("a\nb");
	expect(DEFAULT_PRIORITY, "p: a\nb.");
}

static void what_cannot_be_formatted_is_logged(void **state)
{
	static const wchar_t no_character[] = { 0x7fffffff, 0 };

	(void)state;
	daware_log_open("p", 0, 0);
	DLOG_INFO("wide %ls", no_character);
	assert_non_null(strstr(logd_receive_body(logd, DEFAULT_PRIORITY), "wide %ls"));
}

static void level(void **state)
{
	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_level(LOG_WARNING);
	DLOG_NOTICE("no");
	DLOG(LOG_LOCAL0 | LOG_NOTICE, "no");
	DLOG_WARNING("yes");
	expect(LOG_USER | LOG_WARNING, "p: yes");
	daware_log_set_level(LOG_DEBUG + 1);
	daware_log_set_level(LOG_EMERG - 1);
	DLOG_NOTICE("no");
	daware_log_set_level(LOG_EMERG);
	DLOG_ALERT("no");
	DLOG_EMERG("yes");
	expect(LOG_USER | LOG_EMERG, "p: yes");
	daware_log_set_level(LOG_DEBUG);
	DLOG_DEBUG("yes");
	expect(LOG_USER | LOG_DEBUG, "p: yes");
}

static void errno_is_unchanged(void **state)
{
	(void)state;
	for (int daemons = 1; daemons >= 0; daemons--) {
		errno = EXDEV;
		daware_log_open("p", LOG_NDELAY | LOG_CONS, 0);
		assert_int_equal(errno, EXDEV);
		daware_log_set_format("%msg%");
		assert_int_equal(errno, EXDEV);
		DLOG_INFO("m");
		assert_int_equal(errno, EXDEV);
		DLOG_INFO("%ls", L"\x7fffffff");
		assert_int_equal(errno, EXDEV);
		malloc_fails = true;
		daware_log_set_format("never");
		assert_false(malloc_fails);
		assert_int_equal(errno, EXDEV);
		daware_log_close();
		assert_int_equal(errno, EXDEV);

		if (daemons) {
			expect(DEFAULT_PRIORITY, "p: m");
			logd_receive(logd);
			logd_stop(logd);
		}
	}
	logd = logd_start();
}

static void format_stays_if_there_is_no_memory(void **state)
{
	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("old %msg%");
	malloc_fails = true;
	daware_log_set_format("new %msg%");
	assert_false(malloc_fails);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: old m");
}

/* Time, host and zone */

static void time_is_local_and_has_its_zone(void **state)
{
	static const struct {
		const char *tz;
		const char *offset;
	} zones[] = {
		{ "UTC0", "+00:00" }, { "JST-9", "+09:00" }, { "XST3:30", "-03:30" },
		{ "IST-5:30", "+05:30" },
	};

	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%time%");
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *message, *text;
		time_t before, logged;

		setenv("TZ", zones[i].tz, 1);
		wait_for_next_second();
		before = time(NULL);
		DLOG_INFO("m");
		message = logd_receive(logd);
		text = strstr(message, "p: ") + 3;

		tzset();
		assert_string_equal(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm), zones[i].offset);
		logged = mktime(&tm);
		assert_in_range(logged, before, time(NULL));
		/* The header has the same time: "<14>Jan  2 03:04:05 ". */
		assert_memory_equal(message + strlen("<14>Jan  2 "), text + strlen("2000-01-02T"), 8);
		assert_int_equal(atoi(message + strlen("<14>Jan")), atoi(text + strlen("2000-01-")));
	}
	unsetenv("TZ");
	wait_for_next_second();
}

/* The smallest file of tzfile(5): one offset from UTC, in seconds, for all times. */
static void set_system_zone(int offset)
{
	static const unsigned char header[44] = { 'T', 'Z', 'i', 'f', [39] = 1, [43] = 4 };
	const unsigned char zone[] = { offset >> 24, offset >> 16, offset >> 8, offset, 0, 0 };
	int fd = open("/etc/localtime.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	child_assert(fd >= 0);
	child_assert(write(fd, header, sizeof(header)) == sizeof(header));
	child_assert(write(fd, zone, sizeof(zone)) == sizeof(zone));
	child_assert(write(fd, "XST", 4) == 4);
	close(fd);
	child_assert(!rename("/etc/localtime.new", "/etc/localtime"));
}

/* Where TZ is not set; as the operator changes it, in an /etc of its own. */
static void change_system_zone(void *unused)
{
	(void)unused;
	child_assert(!unshare(CLONE_NEWNS));
	child_assert(!mount("tmpfs", "/etc", "tmpfs", 0, "mode=755"));
	unsetenv("TZ");
	set_system_zone(9 * 3600);
	wait_for_next_second();
	DLOG_INFO("before");
	set_system_zone(-(3 * 3600 + 30 * 60));
	wait_for_next_second();
	DLOG_INFO("after");
}

static void time_follows_the_zone_of_the_system(void **state)
{
	const char *body;

	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%time% %msg%");
	assert_int_equal(run_in_child(change_system_zone, NULL), 0);
	body = logd_receive_body(logd, DEFAULT_PRIORITY);
	assert_string_equal(body + strlen("p: 2000-01-02T03:04:05"), "+09:00 before");
	body = logd_receive_body(logd, DEFAULT_PRIORITY);
	assert_string_equal(body + strlen("p: 2000-01-02T03:04:05"), "-03:30 after");
}

static void host_is_the_present_name(void **state)
{
	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%host%");
	assert_return_code(sethostname("first", 5), errno);
	wait_for_next_second();
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: first");
	assert_return_code(sethostname("second.example", 14), errno);
	wait_for_next_second();
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: second.example");
}

/* Length */

static void log_x(size_t len, const char *end)
{
	char *text = malloc(len + strlen(end) + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	strcpy(text + len, end);
	DLOG_INFO("%s", text);
	free(text);
}

static void too_long_is_cut_and_marked(void **state)
{
	const size_t room = DAWARE_LOG_MAX - strlen("<14>Jan  2 03:04:05 p: ");
	const char *message;

	(void)state;
	daware_log_open("p", 0, 0);
	log_x(room, "");
	message = logd_receive(logd);
	assert_int_equal(strlen(message), DAWARE_LOG_MAX);
	assert_null(strstr(message, MARK));

	log_x(room, "y");
	message = logd_receive(logd);
	assert_int_equal(strlen(message), DAWARE_LOG_MAX);
	assert_string_equal(message + DAWARE_LOG_MAX - strlen("x" MARK), "x" MARK);

	log_x(1000000, "");
	message = logd_receive(logd);
	assert_int_equal(strlen(message), DAWARE_LOG_MAX);
	assert_string_equal(message + DAWARE_LOG_MAX - strlen("x" MARK), "x" MARK);

	daware_log_set_format("%msg%%msg%");
	log_x(room / 2 + 1, "");
	message = logd_receive(logd);
	assert_int_equal(strlen(message), DAWARE_LOG_MAX);
	assert_string_equal(message + DAWARE_LOG_MAX - strlen("x" MARK), "x" MARK);
}

static void no_character_is_cut_in_two(void **state)
{
	const size_t room = DAWARE_LOG_MAX - strlen("<14>Jan  2 03:04:05 p: " MARK);
	static const char *const characters[] = { "\xc3\xa4", "\xe3\x81\x82", "\xf0\x9f\x98\x80" };

	(void)state;
	daware_log_open("p", 0, 0);
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		const char *character = characters[i], *message;
		size_t len = strlen(character);

		for (size_t inside = 0; inside <= len; inside++) {
			char end[64], expected[16];
			bool whole = inside == len;

			snprintf(end, sizeof(end), "%sand more than the mark", character);
			log_x(room - inside, end);
			message = logd_receive(logd);
			assert_int_equal(strlen(message),
					 DAWARE_LOG_MAX - (whole ? 0 : inside));
			snprintf(expected, sizeof(expected), "x%s" MARK, whole ? character : "");
			assert_string_equal(message + strlen(message) - strlen(expected), expected);
		}
	}
}

static void what_the_socket_does_not_take_is_cut_further(void **state)
{
	int size = 1;	/* the least that the system allows, which it then returns */
	socklen_t len = sizeof(size);
	const char *message;

	(void)state;
	daware_log_open("p", LOG_NDELAY, 0);
	assert_return_code(setsockopt(find_log_fd(), SOL_SOCKET, SO_SNDBUF, &size, len), errno);
	assert_return_code(getsockopt(find_log_fd(), SOL_SOCKET, SO_SNDBUF, &size, &len), errno);
	log_x(8000, "");
	message = logd_receive(logd);
	assert_in_range(size, 2048, 8000);
	assert_in_range(strlen(message), 2000, size);
	assert_string_equal(message + strlen(message) - strlen("x" MARK), "x" MARK);
}

/* The connection */

static void connection_is_opened_as_asked(void **state)
{
	(void)state;
	daware_log_open("p", LOG_ODELAY, 0);
	assert_int_equal(find_log_fd(), -1);
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: m");
	assert_true(find_log_fd() >= 0);
	daware_log_close();
	assert_int_equal(find_log_fd(), -1);

	daware_log_open("p", LOG_NDELAY, 0);
	assert_true(find_log_fd() >= 0);
	assert_int_equal(fcntl(find_log_fd(), F_GETFD), FD_CLOEXEC);
	daware_log_open("q", LOG_NDELAY, 0);
	assert_true(find_log_fd() >= 0);
}

static void daemon_was_restarted(void **state)
{
	int fd;

	(void)state;
	daware_log_open("p", LOG_NDELAY, 0);
	fd = find_log_fd();
	for (int i = 0; i < 3; i++) {
		logd_stop(logd);
		logd = logd_start();
		DLOG_INFO("m");
		expect(DEFAULT_PRIORITY, "p: m");
		assert_int_equal(find_log_fd(), fd);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
}

static void daemon_comes_and_goes(void **state)
{
	(void)state;
	daware_log_open("p", LOG_NDELAY, 0);
	DLOG_INFO("lost");
	logd = logd_start();
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: m");
	logd_stop(logd);
	DLOG_INFO("lost");
	DLOG_INFO("lost");
	logd = logd_start();
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: m");
	assert_true(logd_is_idle(logd));
	logd_stop(logd);
}

static void program_closes_the_socket(void **state)
{
	(void)state;
	daware_log_open("p", LOG_NDELAY, 0);
	close(find_log_fd());
	DLOG_INFO("m");
	expect(DEFAULT_PRIORITY, "p: m");
}

static void program_reuses_the_sockets_number(void **state)
{
	struct stat before, after;
	int pipe_fds[2], fd;
	char byte;

	(void)state;
	assert_return_code(pipe2(pipe_fds, O_NONBLOCK), errno);
	for (int then_close = 0; then_close <= 1; then_close++) {
		daware_log_open("p", LOG_NDELAY, 0);
		fd = find_log_fd();
		assert_int_equal(dup2(pipe_fds[1], fd), fd);
		assert_return_code(fstat(fd, &before), errno);

		if (then_close) {
			daware_log_close();
		} else {
			DLOG_INFO("m");
			expect(DEFAULT_PRIORITY, "p: m");
			assert_int_not_equal(find_log_fd(), fd);
		}

		assert_return_code(fstat(fd, &after), errno);
		assert_int_equal(after.st_ino, before.st_ino);
		assert_int_equal(read(pipe_fds[0], &byte, 1), -1);
		assert_int_equal(errno, EAGAIN);
		close(fd);
	}
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void use_no_standard_streams_number(void *unused)
{
	int errors = fcntl(STDERR_FILENO, F_DUPFD, 100);

	(void)unused;
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	daware_log_open("p", LOG_NDELAY, 0);
	dup2(errors, STDERR_FILENO);
	child_assert(find_log_fd() > STDERR_FILENO);
	child_assert(fcntl(STDIN_FILENO, F_GETFD) < 0);
	child_assert(fcntl(STDOUT_FILENO, F_GETFD) < 0);
	child_assert(fcntl(find_log_fd(), F_GETFD) == FD_CLOEXEC);
	DLOG_INFO("m");
}

static void standard_streams_are_left_alone(void **state)
{
	(void)state;
	assert_int_equal(run_in_child(use_no_standard_streams_number, NULL), 0);
	expect(DEFAULT_PRIORITY, "p: m");
}

/* LOG_PERROR and LOG_CONS */

static void expect_file(int fd, const char *text)
{
	char content[512];
	ssize_t len = pread(fd, content, sizeof(content) - 1, 0);

	assert_return_code(len, errno);
	content[len] = '\0';
	assert_string_equal(content, text);
}

static void standard_error(void **state)
{
	int saved = dup(STDERR_FILENO), file = open("/dev", O_TMPFILE | O_RDWR, 0600);
	char text[64];

	(void)state;
	assert_true(file >= 0);
	dup2(file, STDERR_FILENO);
	daware_log_open("p", LOG_PERROR | LOG_PID, 0);
	daware_log_set_format("<%msg%>");
	DLOG_INFO("%s", "%s");
	daware_log_open("p", 0, 0);
	DLOG_INFO("no");
	dup2(saved, STDERR_FILENO);
	close(saved);

	snprintf(text, sizeof(text), "p[%d]: <%%s>\n", getpid());
	expect_file(file, text);
	close(file);
}

static void standard_error_with_daemon(void **state)
{
	char body[64];

	standard_error(state);
	snprintf(body, sizeof(body), "p[%d]: <%%s>", getpid());
	expect(DEFAULT_PRIORITY, body);
	expect(DEFAULT_PRIORITY, "p: <no>");
}

static void console(void **state)
{
	int file = open("/dev/console", O_CREAT | O_EXCL | O_RDWR, 0600);

	(void)state;
	assert_true(file >= 0);
	DLOG_INFO("no");
	daware_log_open("p", LOG_CONS, 0);
	DLOG_INFO("%s", "%s");
	expect_file(file, "p: %s\r\n");

	assert_int_equal(ftruncate(file, 0), 0);
	logd = logd_start();
	DLOG_INFO("delivered");
	expect(DEFAULT_PRIORITY, "p: delivered");
	expect_file(file, "");

	logd_stop(logd);
	DLOG_INFO("daemon gone");
	expect_file(file, "p: daemon gone\r\n");
	close(file);
	unlink("/dev/console");

	DLOG_INFO("no console either");
}

static void daemon_takes_nothing(void **state)
{
	int file = open("/dev/console", O_CREAT | O_EXCL | O_RDWR, 0600);

	(void)state;
	assert_true(file >= 0);
	logd = logd_start();
	assert_return_code(shutdown(logd, SHUT_RD), errno);
	daware_log_open("p", LOG_CONS, 0);
	DLOG_INFO("m");
	expect_file(file, "p: m\r\n");
	logd_stop(logd);
	close(file);
	unlink("/dev/console");
}

/* Threads */

#define NR_THREADS	8
#define NR_MESSAGES	2000

/* A message of which each thread and number has its own, of very different lengths. */
static void compose(char *text, size_t size, int thread, int number)
{
	int len = snprintf(text, size, "thread %d message %d ", thread, number);
	int padding = number % 97 * (number % 13);

	memset(text + len, 'a' + number % 26, padding);
	text[len + padding] = '\0';
}

static void *log_many(void *thread)
{
	char text[2048];

	for (int i = 0; i < NR_MESSAGES; i++) {
		compose(text, sizeof(text), (int)(intptr_t)thread, i);
		DLOG_INFO("%s", text);
	}
	return NULL;
}

static atomic_bool stop;

static void *change_settings(void *unused)
{
	while (!stop) {
		daware_log_set_format("A %msg% A");
		daware_log_set_format("B %pid% %msg% B");
		daware_log_set_level(LOG_INFO);
		daware_log_open("q", 0, LOG_MAIL);
		daware_log_close();
		daware_log_set_format(NULL);
		daware_log_open("p", LOG_PID, LOG_USER);
	}
	return unused;
}

static void expect_one_of_the_settings(const char *message, const char *text)
{
	static const char *const headers[] = { "<14>", "<22>" };
	const char *idents[] = { "q: ", program_invocation_short_name, "p" };
	char pid[16], expected[2200];
	const char *body;

	assert_true(!strncmp(message, headers[0], 4) || !strncmp(message, headers[1], 4));
	body = strstr(message, ": ") + 2;
	assert_true(strstr(message, idents[0]) || strstr(message, idents[1]) ||
		    strstr(message, idents[2]));
	if (!strcmp(body, text))
		return;
	snprintf(expected, sizeof(expected), "A %s A", text);
	if (!strcmp(body, expected))
		return;
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(expected, sizeof(expected), "B %s %s B", pid, text);
	assert_string_equal(body, expected);
}

static void threads_never_mix_lines(void **state)
{
	pthread_t threads[NR_THREADS], changer;
	int next[NR_THREADS] = { 0 };

	(void)state;
	stop = false;
	daware_log_open("p", LOG_PID, LOG_USER);
	assert_int_equal(pthread_create(&changer, NULL, change_settings, NULL), 0);
	for (intptr_t i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);

	for (int i = 0; i < NR_THREADS * NR_MESSAGES; i++) {
		const char *message = logd_receive(logd);
		const char *start = strstr(message, "thread ");
		char text[2048];
		int thread;

		assert_non_null(start);
		thread = atoi(start + strlen("thread "));
		assert_in_range(thread, 0, NR_THREADS - 1);
		compose(text, sizeof(text), thread, next[thread]++);
		expect_one_of_the_settings(message, text);
	}

	for (int i = 0; i < NR_THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(next[i], NR_MESSAGES);
	}
	stop = true;
	assert_int_equal(pthread_join(changer, NULL), 0);
}

/* A thread that logs until the daemon does not keep up, and is told to stop. */
static atomic_int nr_sent, sender;
static atomic_bool stop_sending;

static void *log_until_stopped(void *unused)
{
	sender = gettid();
	while (!stop_sending) {
		DLOG_INFO("%d", nr_sent);
		nr_sent++;
	}
	return unused;
}

static pthread_t start_blocked_thread(void)
{
	pthread_t thread;
	int before;

	nr_sent = 0;
	stop_sending = false;
	assert_int_equal(pthread_create(&thread, NULL, log_until_stopped, NULL), 0);
	do {
		before = nr_sent;
		sleep_ms(100);
	} while (!before || nr_sent != before || !thread_sleeps(sender));
	return thread;
}

static void receive_all(pthread_t thread)
{
	char body[32];

	/* The last one is about to be sent. */
	stop_sending = true;
	for (int i = 0, last = nr_sent; i <= last; i++) {
		snprintf(body, sizeof(body), "p: %d", i);
		expect(DEFAULT_PRIORITY, body);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void close_in_child(void *unused)
{
	(void)unused;
	daware_log_close();
	child_assert(find_log_fd() < 0);
}

static void a_slow_daemon_holds_up_no_other_call(void **state)
{
	pthread_t thread;

	(void)state;
	daware_log_open("p", 0, 0);
	thread = start_blocked_thread();
	daware_log_set_format("%msg%");
	daware_log_set_level(LOG_INFO);
	daware_log_open("p", LOG_NDELAY, 0);
	assert_true(logd_receive(logd));
	assert_int_equal(run_in_child(close_in_child, NULL), 0);
	stop_sending = true;
	for (int last = nr_sent, i = 1; i <= last; i++)
		logd_receive(logd);
	assert_int_equal(pthread_join(thread, NULL), 0);
	while (!logd_is_idle(logd))
		logd_receive(logd);
}

static void close_waits_for_nobody(void **state)
{
	pthread_t thread;

	(void)state;
	daware_log_open("p", 0, 0);
	thread = start_blocked_thread();
	daware_log_close();
	/* Its number is in use: it may not be given to another file yet. */
	assert_true(find_log_fd() >= 0);
	receive_all(thread);
	assert_int_equal(find_log_fd(), -1);
}

static void on_signal(int signo)
{
	(void)signo;
}

static void signals_lose_no_message(void **state)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;
	pthread_t thread;

	(void)state;
	daware_log_open("p", 0, 0);
	assert_return_code(sigaction(SIGUSR1, &action, &old), errno);
	thread = start_blocked_thread();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
		sleep_ms(10);
	}
	receive_all(thread);
	assert_return_code(sigaction(SIGUSR1, &old, NULL), errno);
}

static void *log_while_cancelled(void *finished)
{
	pthread_cancel(pthread_self());
	daware_log_open("p", LOG_NDELAY | LOG_PERROR, 0);
	daware_log_open("p", 0, 0);
	daware_log_set_format("%msg%");
	DLOG_INFO("m");
	daware_log_close();
	*(bool *)finished = true;
	pthread_testcancel();
	return NULL;
}

static void no_call_is_a_cancellation_point(void **state)
{
	bool finished = false;
	pthread_t thread;
	void *result;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, log_while_cancelled, &finished), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_true(finished);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	expect(DEFAULT_PRIORITY, "p: m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_daemon(defaults),
		with_daemon(macros_set_the_level),
		with_daemon(priorities_that_are_none),
		with_daemon(ident_is_copied),
		with_daemon(long_ident_is_cut),
		with_daemon(pid_is_added_to_the_header),
		with_daemon(close_forgets_what_open_has_set),
		with_daemon(tags),
		with_daemon(null_arguments),
		with_daemon(user_data_is_no_format),
		with_daemon(percent_m_is_the_error),
		with_daemon(newlines_at_the_end_are_left_out),
		with_daemon(what_cannot_be_formatted_is_logged),
		with_daemon(level),
		with_daemon(errno_is_unchanged),
		with_daemon(format_stays_if_there_is_no_memory),
		with_daemon(time_is_local_and_has_its_zone),
		with_daemon(time_follows_the_zone_of_the_system),
		with_daemon(host_is_the_present_name),
		with_daemon(too_long_is_cut_and_marked),
		with_daemon(no_character_is_cut_in_two),
		with_daemon(what_the_socket_does_not_take_is_cut_further),
		with_daemon(connection_is_opened_as_asked),
		with_daemon(daemon_was_restarted),
		without_daemon(daemon_comes_and_goes),
		with_daemon(program_closes_the_socket),
		with_daemon(program_reuses_the_sockets_number),
		with_daemon(standard_streams_are_left_alone),
		without_daemon(standard_error),
		with_daemon(standard_error_with_daemon),
		without_daemon(console),
		without_daemon(daemon_takes_nothing),
		with_daemon(threads_never_mix_lines),
		with_daemon(a_slow_daemon_holds_up_no_other_call),
		with_daemon(close_waits_for_nobody),
		with_daemon(signals_lose_no_message),
		with_daemon(no_call_is_a_cancellation_point),
	};

	sandbox_enter();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
