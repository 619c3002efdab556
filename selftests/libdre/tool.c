// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Programs of others get what they are given, and nothing else of the caller's.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tool.h"
#include "fixture.h"

static int run(const char *script, int first, int second)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct tool tool = { .argv = argv, .dir_fd = AT_FDCWD, .fds = { first, second }, .what = "a test" };
	char last[256];

	return tool_run(&tool, last, sizeof(last));
}

/* The caller's own 3 and 4 are none of the tool's. */
static void given_fds(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_true(null >= 0);
	for (int fd = 3; fd <= 5; fd++)
		assert_int_equal(dup2(null, fd), fd);
	assert_int_equal(run("[ ! -e /proc/self/fd/3 ] && [ ! -e /proc/self/fd/4 ] && [ ! -e /proc/self/fd/5 ]", -1, -1), 0);
	assert_int_equal(run("[ -e /proc/self/fd/3 ] && [ ! -e /proc/self/fd/4 ]", STDERR_FILENO, -1), 0);
	assert_int_equal(run("[ ! -e /proc/self/fd/3 ] && [ -e /proc/self/fd/4 ]", -1, STDERR_FILENO), 0);
	closefrom(3);
}

/* It would have the caller's output for its own. */
static void no_fds_left(void **state)
{
	struct rlimit old, few;

	(void)state;
	closefrom(3);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 7;	/* those of the caller, and one of the child's three */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(run("exit 0", -1, -1), TOOL_NOT_RUN);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(run("exit 0", -1, -1), 0);
}

/* Those of the caller, if they are lower, and none where none are given. */
static void limits(void **state)
{
	const char *const argv[] = { "sh", "-c", "[ $(ulimit -d) = 65536 ] && [ $(ulimit -t) = 7 ] && [ $(ulimit -Ht) = 7 ]", NULL };
	struct tool tool = { .argv = argv, .dir_fd = AT_FDCWD, .fds = { -1, -1 }, .what = "a test",
			     .memory = 64 * 1024 * 1024, .time = 7 };
	struct rlimit old, low = { 7, 7 };
	char last[256];
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(tool_run(&tool, last, sizeof(last)), 0);
	assert_int_equal(getrlimit(RLIMIT_CPU, &old), 0);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CPU, &low);
		tool.time = 8;
		_exit(tool_run(&tool, last, sizeof(last)));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(run("[ $(ulimit -d) = unlimited ] || [ $(ulimit -d) -gt 65536 ]", -1, -1), 0);
	low = old;
	assert_int_equal(getrlimit(RLIMIT_CPU, &old), 0);
	assert_true(old.rlim_cur == low.rlim_cur && old.rlim_max == low.rlim_max);
}

/* A set-user-ID program's caller says nothing of what is run. */
static void path_of_the_caller(void **state)
{
	char *path = strdup(getenv("PATH"));

	(void)state;
	assert_int_equal(setenv("PATH", "/nowhere", 1), 0);
	assert_int_equal(run("[ \"${PATH#/usr/local}\" != \"$PATH\" ]", -1, -1), 0);
	assert_string_equal(getenv("PATH"), "/nowhere");
	setenv("PATH", path, 1);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_fds),
		cmocka_unit_test(no_fds_left),
		cmocka_unit_test(limits),
		cmocka_unit_test(path_of_the_caller),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
