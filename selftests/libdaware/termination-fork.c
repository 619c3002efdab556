// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Termination callbacks and child processes, with the shared library. Not for
 * the sanitizers: in the child of a process with threads the one for threads
 * delivers no signals, and the one for addresses may wait for ever for a lock
 * of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include "callbacks.h"

static void die_by_signal(void *handle)
{
	/* The copy of the handle is stale. */
	daware_termination_unregister_callback(handle);
	child_assert(disposition(SIGTERM) == SIG_DFL);
	kill(getpid(), SIGTERM);
	sleep(10);
}

static void child_inherits_nothing(void **state)
{
	DTermination *handle = add(SIGTERM, note, "parent");
	int status = run_in_child(die_by_signal, handle);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	expect_calls(0, "");
	send_signal(SIGTERM);
	expect_calls(1, "parent");
	daware_termination_unregister_callback(handle);
}

static void ignore_in_child(void *unused)
{
	(void)unused;
	child_assert(disposition(SIGTERM) == SIG_IGN);
	kill(getpid(), SIGTERM);
}

static void child_gets_the_previous_disposition(void **state)
{
	DTermination *handle;

	(void)state;
	set_disposition(SIGTERM, SIG_IGN);
	handle = add(SIGTERM, note, "parent");
	assert_int_equal(run_in_child(ignore_in_child, NULL), 0);
	daware_termination_unregister_callback(handle);
	set_disposition(SIGTERM, SIG_DFL);
	expect_calls(0, "");
}

static void register_in_child(void *stale)
{
	DTermination *handle = daware_termination_register_callback(SIGTERM, note, "child");

	forget_calls();
	child_assert(handle && handle != stale && errno == ENODEV);
	daware_termination_unregister_callback(stale);
	kill(getpid(), SIGTERM);
	while (!calls_until_now())
		sleep_ms(1);
	child_assert(calls_until_now() == 1);
	child_assert(!strcmp(calls[0].arg, "child"));
	daware_termination_unregister_callback(handle);
	child_assert(disposition(SIGTERM) == SIG_DFL);
}

static void child_registers_anew(void **state)
{
	DTermination *handle = add(SIGTERM, note, "parent");

	(void)state;
	assert_int_equal(run_in_child(register_in_child, handle), 0);
	expect_calls(0, "");
	daware_termination_unregister_callback(handle);
}

static int fork_in_callback(int signo, void *arg)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		pthread_sigmask(SIG_SETMASK, &none, NULL);
		alarm(60);
		register_in_child(arg);
		_exit(42);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42 ?
	       note(signo, "forked") : note(signo, "failed");
}

static void callback_forks(void **state)
{
	DTermination *handle = add(SIGTERM, fork_in_callback, (void *)&state);

	(void)state;
	send_signal(SIGTERM);
	expect_calls(1, "forked");
	send_signal(SIGTERM);
	expect_calls(2, "forked forked");
	daware_termination_unregister_callback(handle);
}

static pid_t child_of_callback;

static int fork_and_return(int signo, void *arg)
{
	pid_t pid = fork();

	if (!pid) {
		alarm(60);
		return 1;
	}
	child_of_callback = pid;
	return note(signo, arg);
}

/* It must not, but it is not taken for the parent's refusal. */
static void child_returns_from_callback(void **state)
{
	DTermination *first = add(SIGTERM, note, "first");
	DTermination *handle = add(SIGTERM, fork_and_return, "forked");
	int logd = logd_start(), status;

	(void)state;
	send_signal(SIGTERM);
	expect_calls(2, "forked first");
	assert_int_equal(waitpid(child_of_callback, &status, 0), child_of_callback);
	assert_int_equal(status, 0);
	assert_true(logd_is_idle(logd));
	logd_stop(logd);
	daware_termination_unregister_callback(handle);
	daware_termination_unregister_callback(first);
}

static void child_without_fork_handlers_dies_by_signal(void **state)
{
	DTermination *handle = add(SIGTERM, note, "parent");
	pid_t pid = _Fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		for (;;)
			pause();
	}
	assert_return_code(kill(pid, SIGTERM), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	expect_calls(0, "");
	send_signal(SIGTERM);
	expect_calls(1, "parent");
	daware_termination_unregister_callback(handle);
}

static void child_of_vfork_dies_by_signal(void **state)
{
	DTermination *handle = add(SIGTERM, note, "parent");
	pid_t pid = vfork();
	int status;

	(void)state;
	if (!pid) {
		kill(getpid(), SIGTERM);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	expect_calls(0, "");
	send_signal(SIGTERM);
	expect_calls(1, "parent");
	daware_termination_unregister_callback(handle);
}

static void execute(void *unused)
{
	(void)unused;
	child_assert(daware_termination_register_callback(SIGTERM, note, NULL));
	execl("/bin/sh", "sh", "-c", "kill -TERM $$; sleep 10; exit 1", NULL);
}

static void program_executed_inherits_nothing(void **state)
{
	int status;

	(void)state;
	/* The signal was ignored, and is at its default after execve(2), as each one that was caught. */
	set_disposition(SIGTERM, SIG_IGN);
	status = run_in_child(execute, NULL);
	set_disposition(SIGTERM, SIG_DFL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static int execute_in_callback(int signo, void *arg)
{
	sigset_t none;

	(void)arg;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/bin/sh", "sh", "-c", "kill -$1 $$; sleep 10; exit 1", "sh",
	      signo == SIGTERM ? "USR1" : "USR2", NULL);
	return 0;
}

static void die_by_callback(void *unused)
{
	(void)unused;
	child_assert(daware_termination_register_callback(SIGTERM, execute_in_callback, NULL));
	child_assert(daware_termination_register_callback(SIGUSR1, note, NULL));
	kill(getpid(), SIGTERM);
	for (;;)
		pause();
}

static void callback_executes_a_program(void **state)
{
	int status = run_in_child(die_by_callback, NULL);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
}

static void register_without_permission(void *unused)
{
	DTermination *handle;

	(void)unused;
	child_assert(!setgid(65534) && !setuid(65534));
	handle = daware_termination_register_callback(SIGTERM, note, "a");
	child_assert(handle && errno == EACCES);
	kill(getpid(), SIGTERM);
	while (!calls_until_now())
		sleep_ms(1);
	child_assert(calls_until_now() == 1);
	daware_termination_unregister_callback(handle);
	child_assert(disposition(SIGTERM) == SIG_DFL);
}

static void module_may_not_be_asked(void **state)
{
	(void)state;
	close(open("/dev/dre", O_CREAT | O_EXCL | O_WRONLY, 0600));
	assert_int_equal(run_in_child(register_without_permission, NULL), 0);
	unlink("/dev/dre");
}

static atomic_bool stop;

static void *hold_registration(void *unused)
{
	DTermination *handle = add(SIGTERM, note, "thread");

	while (!stop)
		sleep_ms(1);
	daware_termination_unregister_callback(handle);
	return unused;
}

static void child_of_many_threads_registers_anew(void **state)
{
	pthread_t threads[4];

	(void)state;
	stop = false;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_registration, NULL), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(run_in_child(register_in_child, NULL), 0);
	stop = true;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	expect_calls(0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(child_inherits_nothing),
		test(child_gets_the_previous_disposition),
		test(child_registers_anew),
		test(callback_forks),
		test(child_returns_from_callback),
		test(child_without_fork_handlers_dies_by_signal),
		test(child_of_vfork_dies_by_signal),
		test(program_executed_inherits_nothing),
		test(callback_executes_a_program),
		test(module_may_not_be_asked),
		test(child_of_many_threads_registers_anew),
	};

	sandbox_enter();
	start_first_thread();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
