// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log and child processes, with the shared library. Not for the
 * sanitizers, see termination-fork.c.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include "daware.h"
#include "sandbox.h"

#define DEFAULT_PRIORITY	(LOG_USER | LOG_INFO)

static int logd;

static int start_daemon(void **state)
{
	(void)state;
	logd = logd_start();
	return 0;
}

static int stop_daemon(void **state)
{
	bool idle = logd_is_idle(logd);

	(void)state;
	/* First of all: who sends to a daemon that does not read waits for ever. */
	logd_stop(logd);
	daware_log_close();
	daware_log_set_format(NULL);
	assert_int_equal(find_log_fd(), -1);
	assert_true(idle);
	return 0;
}

static void log_pid(void *format)
{
	daware_log_set_format(format);
	DLOG_INFO("m");
	daware_log_close();
	child_assert(find_log_fd() < 0);
}

static void child_has_its_own_pid(void **state)
{
	const char *body;
	pid_t pid;

	(void)state;
	daware_log_open("p", LOG_PID, 0);
	DLOG_INFO("m");
	logd_receive(logd);
	assert_int_equal(run_in_child(log_pid, "%pid%"), 0);
	body = logd_receive_body(logd, DEFAULT_PRIORITY);
	assert_int_equal(sscanf(body, "p[%d]: ", &pid), 1);
	assert_int_not_equal(pid, getpid());
	assert_int_equal(atoi(strstr(body, ": ") + 2), pid);

	/* The parent's connection is still there, and its PID. */
	assert_true(find_log_fd() >= 0);
	daware_log_set_format("%pid%");
	DLOG_INFO("m");
	assert_int_equal(atoi(strstr(logd_receive_body(logd, DEFAULT_PRIORITY), ": ") + 2),
			 getpid());
}

static void child_without_fork_handlers_has_its_own_pid(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	daware_log_open("p", 0, 0);
	daware_log_set_format("%pid%");
	DLOG_INFO("m");
	logd_receive(logd);
	pid = _Fork();
	assert_true(pid >= 0);
	if (!pid) {
		DLOG_INFO("m");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(atoi(logd_receive_body(logd, DEFAULT_PRIORITY) + strlen("p: ")), pid);
}

/* What a container is to a process: namespaces with a PID and a host name of its own. */
static void log_in_container(void *unused)
{
	int status;
	pid_t pid;

	(void)unused;
	child_assert(!unshare(CLONE_NEWPID | CLONE_NEWUTS) && !sethostname("box", 3));
	pid = fork();
	if (!pid) {
		DLOG_INFO("m");
		_exit(0);
	}
	child_assert(waitpid(pid, &status, 0) == pid && !status);
}

static void container_has_its_own_pid_and_host(void **state)
{
	time_t now;

	(void)state;
	daware_log_open("p", LOG_PID, 0);
	daware_log_set_format("%pid% %host%");
	/* The parent's PID and host are known, and the host is looked up once a second. */
	DLOG_INFO("m");
	logd_receive(logd);
	now = time(NULL);
	while (time(NULL) == now)
		sleep_ms(10);
	assert_int_equal(run_in_child(log_in_container, NULL), 0);
	assert_string_equal(logd_receive_body(logd, DEFAULT_PRIORITY), "p[1]: 1 box");
}

static atomic_bool stop;

static void *log_until_stopped(void *unused)
{
	while (!stop)
		DLOG_INFO("parent");
	return unused;
}

static void log_in_child(void *unused)
{
	(void)unused;
	DLOG_INFO("child");
	daware_log_set_format("%msg%");
	daware_log_close();
}

/* Without a daemon, as the library is then trying to connect most of the time. */
static void fork_while_threads_log(void **state)
{
	pthread_t threads[4];

	(void)state;
	stop = false;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_until_stopped, NULL), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(run_in_child(log_in_child, NULL), 0);
	stop = true;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
#define with_daemon(test)	cmocka_unit_test_setup_teardown(test, start_daemon, stop_daemon)
	const struct CMUnitTest tests[] = {
		with_daemon(child_has_its_own_pid),
		with_daemon(child_without_fork_handlers_has_its_own_pid),
		with_daemon(container_has_its_own_pid_and_host),
		cmocka_unit_test(fork_while_threads_log),
	};

	sandbox_enter();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
