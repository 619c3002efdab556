// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The time that a command shows while it works: on a terminal, and only there.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/progress.h"
#include "fixture.h"

#define DEADLINE	30000	/* ms */

/* Works with @fd as stderr, until somebody writes to @go, and has a deadline then until that is done again. */
static pid_t work(int fd, int go)
{
	struct progress progress;
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	dup2(fd, STDERR_FILENO);
	progress_begin_time(&progress, "checkpoint web");
	if (read(go, &byte, 1) != 1)
		_exit(1);
	progress_lock(&progress);
	progress_hide(&progress);
	fputs("now\n", stderr);
	progress.what = "stop web";
	progress.deadline = 100000;
	progress_unlock(&progress);
	if (read(go, &byte, 1) != 1)
		_exit(1);
	progress_end(&progress);
	fputs("done\n", stderr);
	_exit(0);
}

/* Works, and does not know how far it is before somebody writes to @go; then 5 MB come, again and again. */
static pid_t work_and_count(int fd, int go)
{
	struct pollfd pollfd = { .fd = go, .events = POLLIN };
	struct progress progress;
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	dup2(fd, STDERR_FILENO);
	progress_begin_time(&progress, "build");
	if (read(go, &byte, 1) != 1)
		_exit(1);
	while (!poll(&pollfd, 1, 10))
		progress_show(&progress, 5000000, 0);
	progress_end(&progress);
	fputs("done\n", stderr);
	_exit(0);
}

/* Appends what is printed to @text, until it ends in @end. */
static void read_until(int fd, const char *end, char *text, size_t size)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	size_t len = strlen(text);
	ssize_t n;

	while (len < strlen(end) || strcmp(text + len - strlen(end), end)) {
		assert_int_equal(poll(&pollfd, 1, DEADLINE), 1);
		n = read(fd, text + len, size - 1 - len);
		assert_true(n > 0);
		len += n;
		text[len] = '\0';
	}
}

static void go_on(int go)
{
	assert_int_equal(write(go, "", 1), 1);
}

static void finish(pid_t pid, int go)
{
	int status;

	go_on(go);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int open_terminal(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	assert_true(master >= 0 && !unlockpt(master));
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(*slave >= 0);
	return master;
}

/* It shows after a second, and is gone before anything else is printed. */
static void on_a_terminal(void **state)
{
	int go[2], slave, master = open_terminal(&slave);
	char text[4096] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid = work(slave, go[0]);
	read_until(master, "\033[K", text, sizeof(text));
	/* A second, or more where the machine is slow. */
	assert_int_equal(strncmp(text, "\rcheckpoint web, ", strlen("\rcheckpoint web, ")), 0);
	assert_null(strstr(text, "0:00"));
	assert_null(strstr(text, "left"));
	*text = '\0';
	go_on(go[1]);
	read_until(master, "\r\033[Know\r\n", text, sizeof(text));
	*text = '\0';
	/* 27 hours, less what has passed. */
	read_until(master, " left\033[K", text, sizeof(text));
	assert_int_equal(strncmp(text, "\rstop web, ", strlen("\rstop web, ")), 0);
	assert_non_null(strstr(text, ", 1666:"));
	*text = '\0';
	finish(pid, go[1]);
	read_until(master, "\r\033[Kdone\r\n", text, sizeof(text));
	close(go[0]);
	close(go[1]);
	close(slave);
	close(master);
}

/* The time, until it is known how far it is; that it is counted from then on. */
static void first_the_time(void **state)
{
	int go[2], slave, master = open_terminal(&slave);
	char text[4096] = "";
	double speed = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid = work_and_count(slave, go[0]);
	read_until(master, "build, 0:03\033[K", text, sizeof(text));
	*text = '\0';
	go_on(go[1]);
	/* What was drawn before it went on may come first. */
	read_until(master, "B/s\033[K", text, sizeof(text));
	assert_int_equal(sscanf(strrchr(text, '\r') + 1, "5.0 MB  %lf MB/s", &speed), 1);
	assert_true(speed > 1.7);	/* with the 3 seconds before it would be less */
	*text = '\0';
	for (int i = 0; i < 5; i++)
		read_until(master, "B/s\033[K", text, sizeof(text));
	assert_null(strstr(text, "build"));
	*text = '\0';
	finish(pid, go[1]);
	read_until(master, "\r\033[Kdone\r\n", text, sizeof(text));
	close(go[0]);
	close(go[1]);
	close(slave);
	close(master);
}

static void not_in_a_file(void **state)
{
	char text[64] = "";
	int go[2], out[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(out), 0);
	pid = work(out[1], go[0]);
	usleep(1500000);	/* longer than it takes on a terminal; the test passes if this is too short */
	go_on(go[1]);
	finish(pid, go[1]);
	read_until(out[0], "done\n", text, sizeof(text));
	assert_string_equal(text, "now\ndone\n");
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(out[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_terminal),
		cmocka_unit_test(first_the_time),
		cmocka_unit_test(not_in_a_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
