// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Consoles, with a pty and a log that the test writes in place of QEMU.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log_reader.h"
#include "sys/console_pump.h"

#define TIMEOUT	10000	/* milliseconds */

static char dir[] = "/tmp/dre-console-XXXXXX";
static int qemu = -1, file = -1;

static const char *path_of(const char *name)
{
	static char path[sizeof(dir) + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int begin(void **state)
{
	struct termios raw;

	(void)state;
	qemu = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	file = open(path_of("log"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (qemu < 0 || file < 0 || grantpt(qemu) || unlockpt(qemu) || tcgetattr(qemu, &raw))
		return -1;
	cfmakeraw(&raw);
	return tcsetattr(qemu, TCSANOW, &raw);
}

static int end(void **state)
{
	(void)state;
	if (qemu >= 0)
		close(qemu);
	close(file);
	unlink(path_of("log"));
	return 0;
}

static int open_console(void)
{
	static const char *const names[] = { "log", NULL };
	struct log_reader_how how = { .dir = dir, .names = names, .at_end = true };
	struct log_reader *log;
	int pty = open(ptsname(qemu), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), fd;

	assert_true(pty >= 0);
	assert_int_equal(log_reader_open(&log, &how), 0);
	assert_int_equal(pump_start(pty, log, &fd), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* That comes next, and not later than in time. */
static void assert_comes(int fd, const char *text)
{
	char got[256];
	size_t len = 0, wanted = strlen(text);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while (len < wanted) {
		assert_int_equal(poll(&pollfd, 1, TIMEOUT), 1);
		n = read(fd, got + len, wanted - len);
		assert_true(n > 0);
		len += n;
	}
	assert_memory_equal(got, text, wanted);
}

static void assert_ends(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char c;

	assert_int_equal(poll(&pollfd, 1, TIMEOUT), 1);
	assert_int_equal(read(fd, &c, 1), 0);
	close(fd);
}

static void several_see_all(void **state)
{
	int first, second;

	(void)state;
	put(file, "before\r\n");
	first = open_console();
	second = open_console();
	put(file, "one\r\n");
	assert_comes(first, "one\r\n");
	assert_comes(second, "one\r\n");
	put(first, "a\r");
	assert_comes(qemu, "a\r");
	put(second, "b\003");
	assert_comes(qemu, "b\003");
	close(first);
	put(file, "two\r\n");
	assert_comes(second, "two\r\n");
	/* Its last lines come, also if they come after its end. */
	close(qemu);
	qemu = -1;
	put(file, "off\r\n");
	assert_comes(second, "off\r\n");
	assert_ends(second);
}

/* QEMU is not kept waiting: far more than a pty can hold is taken from it, and shown to nobody. */
static void pty_is_drained(void **state)
{
	char block[1024];
	struct pollfd pollfd = { .fd = qemu, .events = POLLOUT };
	int fd = open_console();

	(void)state;
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 256; i++) {
		assert_int_equal(poll(&pollfd, 1, TIMEOUT), 1);
		assert_true(write(qemu, block, sizeof(block)) > 0);
	}
	put(file, "shown");
	assert_comes(fd, "shown");
	close(fd);
}

/* Who does not read misses nothing, and what he types arrives. */
static void slow_reader(void **state)
{
	char block[4096], got[4096];
	size_t all = 0, wanted = 0;
	int fd = open_console();

	(void)state;
	memset(block, 'y', sizeof(block));
	for (int i = 0; i < 512; i++) {
		assert_int_equal(write(file, block, sizeof(block)), sizeof(block));
		wanted += sizeof(block);
	}
	put(fd, "typed\r");
	assert_comes(qemu, "typed\r");
	while (all < wanted) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&pollfd, 1, TIMEOUT), 1);
		n = read(fd, got, sizeof(got));
		assert_true(n > 0);
		all += n;
	}
	assert_int_equal(all, wanted);
	close(qemu);
	qemu = -1;
	assert_ends(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(several_see_all, begin, end),
		cmocka_unit_test_setup_teardown(pty_is_drained, begin, end),
		cmocka_unit_test_setup_teardown(slow_reader, begin, end),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
