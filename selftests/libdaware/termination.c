// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Termination callbacks where there is no module; termination-module.c has
 * what it adds, termination-fork.c what happens in child processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "callbacks.h"

static void signals_that_cannot_be_registered(void **state)
{
	const int signals[] = { 0, -1, INT_MIN, INT_MAX, SIGKILL, SIGSTOP, 32, 33, SIGRTMAX + 1,
				64 + 1, 128 };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		errno = 0;
		assert_null(daware_termination_register_callback(signals[i], note, NULL));
		assert_int_equal(errno, EINVAL);
	}
	errno = 0;
	assert_null(daware_termination_register_callback(SIGTERM, NULL, NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(count_threads(), idle_threads);
}

static void no_memory_no_thread_no_handler(void **state)
{
	(void)state;
	malloc_fails = true;
	assert_null(daware_termination_register_callback(SIGTERM, note, NULL));
	assert_int_equal(errno, ENOMEM);
	assert_false(malloc_fails);
	assert_int_equal(count_threads(), idle_threads);

	pthread_create_fails = true;
	assert_null(daware_termination_register_callback(SIGTERM, note, NULL));
	assert_int_equal(errno, EAGAIN);
	assert_false(pthread_create_fails);
	assert_int_equal(count_threads(), idle_threads);

	sigaction_fails = true;
	assert_null(daware_termination_register_callback(SIGTERM, note, NULL));
	assert_int_equal(errno, EPERM);
	assert_false(sigaction_fails);
	wait_until(count_threads() == idle_threads);
	expect_idle_dispositions();
}

static void every_signal_that_can_be_caught(void **state)
{
	int nr_signals = 0;

	(void)state;
	for (int signo = 1; signo <= SIGRTMAX; signo++) {
		DTermination *handle;

		if (signo == SIGKILL || signo == SIGSTOP || signo == 32 || signo == 33)
			continue;
		forget_calls();
		handle = add(signo, note, "called");
		send_signal(signo);
		expect_calls(1, "called");
		assert_int_equal(calls[0].signo, signo);
		daware_termination_unregister_callback(handle);
		expect_idle_dispositions();
		nr_signals++;
	}
	assert_int_equal(nr_signals, 60);
}

static int inspect_thread(int signo, void *arg)
{
	sigset_t blocked;
	char name[16];
	bool all = true;

	(void)signo;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	for (int i = 1; i <= SIGRTMAX; i++)
		if (i != SIGKILL && i != SIGSTOP && i != 32 && i != 33)
			all &= sigismember(&blocked, i);
	pthread_getname_np(pthread_self(), name, sizeof(name));
	return note(signo, pthread_equal(pthread_self(), *(pthread_t *)arg) ? "caller's thread" :
		    strcmp(name, "daware") ? "no name" : all ? "good" : "signals not blocked");
}

static void callbacks_have_a_thread_of_their_own(void **state)
{
	pthread_t self = pthread_self();
	DTermination *handle;
	sigset_t before, after;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	handle = add(SIGTERM, inspect_thread, &self);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int i = 1; i <= SIGRTMAX; i++)
		assert_int_equal(sigismember(&before, i), sigismember(&after, i));
	send_signal(SIGTERM);
	expect_calls(1, "good");
	daware_termination_unregister_callback(handle);
}

static void last_registered_is_called_first(void **state)
{
	DTermination *a = add(SIGTERM, note, "a"), *other = add(SIGUSR1, note, "other");
	DTermination *b = add(SIGTERM, note, "b"), *c = add(SIGTERM, note, "c");

	(void)state;
	send_signal(SIGTERM);
	expect_calls(3, "c b a");
	daware_termination_unregister_callback(b);
	send_signal(SIGTERM);
	expect_calls(5, "c b a c a");
	send_signal(SIGUSR1);
	expect_calls(6, "c b a c a other");
	daware_termination_unregister_callback(c);
	daware_termination_unregister_callback(a);
	daware_termination_unregister_callback(other);
}

/* Previous dispositions */

static atomic_int nr_handled;

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (info->si_pid == getpid())
		nr_handled++;
}

static void previous_handler_comes_back(void **state)
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK }, now, old;
	DTermination *a, *b;

	(void)state;
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGUSR1);
	assert_return_code(sigaction(SIGTERM, &action, &old), errno);

	nr_handled = 0;
	a = add(SIGTERM, note, "a");
	b = add(SIGTERM, note, "b");
	send_signal(SIGTERM);
	expect_calls(2, "b a");
	daware_termination_unregister_callback(a);
	send_signal(SIGTERM);
	expect_calls(3, "b a b");
	assert_int_equal(nr_handled, 0);
	daware_termination_unregister_callback(b);
	assert_return_code(sigaction(SIGTERM, NULL, &now), errno);
	assert_true(same_disposition(&now, &action));
	send_signal(SIGTERM);
	assert_int_equal(nr_handled, 1);
	assert_return_code(sigaction(SIGTERM, &old, NULL), errno);
}

static void ignored_signal_is_ignored_again(void **state)
{
	DTermination *handle;

	(void)state;
	set_disposition(SIGTERM, SIG_IGN);
	handle = add(SIGTERM, note, "a");
	send_signal(SIGTERM);
	expect_calls(1, "a");
	daware_termination_unregister_callback(handle);
	send_signal(SIGTERM);
	expect_calls(1, "a");
	assert_ptr_equal(disposition(SIGTERM), SIG_IGN);
	set_disposition(SIGTERM, SIG_DFL);
}

static void later_handler_stays(void **state)
{
	const struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	DTermination *handle = add(SIGTERM, note, "a"), *second;
	struct sigaction ours;

	(void)state;
	nr_handled = 0;
	assert_return_code(sigaction(SIGTERM, &action, &ours), errno);
	second = add(SIGTERM, note, "b");
	send_signal(SIGTERM);
	assert_int_equal(nr_handled, 1);
	daware_termination_unregister_callback(handle);
	daware_termination_unregister_callback(second);
	assert_ptr_equal(disposition(SIGTERM), handler);

	/* The program puts back what it found, when nobody is left behind it. */
	assert_return_code(sigaction(SIGTERM, &ours, NULL), errno);
	handle = add(SIGTERM, note, "c");
	send_signal(SIGTERM);
	expect_calls(1, "c");
	daware_termination_unregister_callback(handle);
}

/* What the rest of the program sees */

static void errno_survives_the_handler(void **state)
{
	DTermination *handle = add(SIGTERM, note, "a");

	(void)state;
	errno = EXDEV;
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(errno, EXDEV);
	expect_calls(1, "a");
	errno = EXDEV;
	daware_termination_unregister_callback(handle);
	assert_int_equal(errno, EXDEV);
}

static sem_t never_interrupted;
static atomic_int waiter;

static void *wait_for_semaphore(void *result)
{
	waiter = gettid();
	*(int *)result = sem_wait(&never_interrupted);
	return NULL;
}

static void system_calls_are_restarted(void **state)
{
	DTermination *handle = add(SIGTERM, note, "a");
	pthread_t thread;
	int result = -1;

	(void)state;
	sem_init(&never_interrupted, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_semaphore, &result), 0);
	wait_until(thread_sleeps(waiter));
	assert_int_equal(pthread_kill(thread, SIGTERM), 0);
	expect_calls(1, "a");
	sem_post(&never_interrupted);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(result, 0);
	daware_termination_unregister_callback(handle);
}

/* Programs whose threads have small stacks give signals one of their own. */
static void handler_uses_the_alternate_stack(void **state)
{
	static char stack[64 * 1024], untouched[sizeof(stack)];
	const stack_t ours = { .ss_sp = stack, .ss_size = sizeof(stack) };
	DTermination *handle = add(SIGTERM, note, "a");
	stack_t old;

	(void)state;
	assert_return_code(sigaltstack(&ours, &old), errno);
	assert_int_equal(raise(SIGTERM), 0);
	expect_calls(1, "a");
	assert_return_code(sigaltstack(&old, NULL), errno);
	assert_memory_not_equal(stack, untouched, sizeof(stack));
	daware_termination_unregister_callback(handle);
}

static void descriptors_are_not_used(void **state)
{
	int lowest = dup(STDOUT_FILENO), with;
	DTermination *handle;

	(void)state;
	close(lowest);
	handle = add(SIGTERM, note, "a");
	with = dup(STDOUT_FILENO);
	assert_int_equal(with, lowest);
	close(with);
	daware_termination_unregister_callback(handle);
}

static void module_cannot_be_asked(void **state)
{
	DTermination *handle;

	(void)state;
	close(open("/dev/dre", O_CREAT | O_EXCL | O_WRONLY, 0600));
	handle = daware_termination_register_callback(SIGTERM, note, "a");
	assert_int_equal(errno, ENOTTY);
	assert_non_null(handle);
	send_signal(SIGTERM);
	expect_calls(1, "a");
	daware_termination_unregister_callback(handle);
	unlink("/dev/dre");
}

/* Handles */

static void handles_that_name_nothing_are_ignored(void **state)
{
	DTermination *first = add(SIGTERM, note, "first"), *second;
	DTermination *handle = first;

	(void)state;
	daware_termination_unregister_callback(NULL);
	daware_termination_unregister_callback((DTermination *)&first);
	daware_termination_unregister_callback((DTermination *)UINTPTR_MAX);
	daware_termination_unregister_callback((DTermination *)1);
	send_signal(SIGTERM);
	expect_calls(1, "first");

	daware_termination_unregister_callback(first);
	for (int i = 0; i < 1000; i++) {
		second = add(SIGTERM, note, "second");
		assert_ptr_not_equal(second, first);
		assert_ptr_not_equal(second, handle);
		daware_termination_unregister_callback(first);
		daware_termination_unregister_callback(handle);
		handle = second;
		if (i < 999)
			daware_termination_unregister_callback(second);
	}
	send_signal(SIGTERM);
	expect_calls(2, "first second");
	daware_termination_unregister_callback(second);
}

/* Callbacks that register and unregister */

static DTermination *handles[4];

static int unregister_and_note(int signo, void *arg)
{
	daware_termination_unregister_callback(*(DTermination **)arg);
	return note(signo, "u");
}

static void callback_unregisters_itself(void **state)
{
	(void)state;
	handles[0] = add(SIGTERM, note, "a");
	handles[1] = add(SIGTERM, unregister_and_note, &handles[1]);
	send_signal(SIGTERM);
	expect_calls(2, "u a");
	send_signal(SIGTERM);
	expect_calls(3, "u a a");
	daware_termination_unregister_callback(handles[0]);
}

static void last_callback_unregisters_itself(void **state)
{
	(void)state;
	handles[0] = add(SIGTERM, unregister_and_note, &handles[0]);
	send_signal(SIGTERM);
	expect_calls(1, "u");
	wait_until(count_threads() == idle_threads);
	expect_idle_dispositions();
	handles[0] = add(SIGTERM, note, "anew");
	send_signal(SIGTERM);
	expect_calls(2, "u anew");
	daware_termination_unregister_callback(handles[0]);
}

static void callback_unregisters_others(void **state)
{
	(void)state;
	handles[0] = add(SIGTERM, note, "a");
	handles[1] = add(SIGTERM, note, "b");
	handles[2] = add(SIGTERM, unregister_and_note, &handles[1]);
	handles[3] = add(SIGTERM, note, "d");
	send_signal(SIGTERM);
	expect_calls(3, "d u a");
	/* The one before it, too. */
	daware_termination_unregister_callback(handles[2]);
	handles[2] = add(SIGTERM, unregister_and_note, &handles[3]);
	send_signal(SIGTERM);
	expect_calls(5, "d u a u a");
	daware_termination_unregister_callback(handles[2]);
	daware_termination_unregister_callback(handles[0]);
}

static int register_and_note(int signo, void *arg)
{
	handles[1] = add(signo, note, "new");
	daware_termination_unregister_callback(handles[0]);
	return note(signo, arg);
}

static void callback_registers_another(void **state)
{
	(void)state;
	handles[0] = add(SIGTERM, register_and_note, "r");
	send_signal(SIGTERM);
	expect_calls(1, "r");
	send_signal(SIGTERM);
	expect_calls(2, "r new");
	daware_termination_unregister_callback(handles[1]);
}

/* Callbacks that take their time */

static sem_t entered, release;

static int block(int signo, void *arg)
{
	sem_post(&entered);
	while (sem_wait(&release))
		;
	return note(signo, arg);
}

static void signals_while_callbacks_run(void **state)
{
	DTermination *term = add(SIGTERM, block, "term"), *usr1 = add(SIGUSR1, note, "usr1");
	DTermination *usr2 = add(SIGUSR2, note, "usr2");

	(void)state;
	send_signal(SIGTERM);
	while (sem_wait(&entered))
		;
	send_signal(SIGTERM);
	send_signal(SIGUSR2);
	send_signal(SIGTERM);
	send_signal(SIGUSR1);
	send_signal(SIGTERM);
	sem_post(&release);
	sem_post(&release);
	expect_calls(4, "term usr1 usr2 term");
	while (sem_wait(&entered))
		;
	daware_termination_unregister_callback(term);
	daware_termination_unregister_callback(usr1);
	daware_termination_unregister_callback(usr2);
}

struct unregistering {
	DTermination *handle;
	atomic_int tid;
	atomic_bool done;
};

static void *unregister(void *arg)
{
	struct unregistering *u = arg;

	u->tid = gettid();
	daware_termination_unregister_callback(u->handle);
	u->done = true;
	return NULL;
}

static void unregister_waits_for_the_running_callback(void **state)
{
	DTermination *other = add(SIGTERM, note, "other"), *handle = add(SIGTERM, block, "a");
	/* One of them finds that the handle is stale. */
	struct unregistering threads[2] = { { .handle = handle }, { .handle = handle } };
	pthread_t ids[2];

	(void)state;
	send_signal(SIGTERM);
	while (sem_wait(&entered))
		;
	/* Not for the callback of another handle. */
	daware_termination_unregister_callback(other);

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, unregister, &threads[i]), 0);
	for (int i = 0; i < 2; i++)
		wait_until(thread_sleeps(threads[i].tid));
	sleep_ms(100);
	assert_false(threads[0].done);
	assert_false(threads[1].done);
	assert_int_equal(calls_until_now(), 0);
	sem_post(&release);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(ids[i], NULL), 0);
	assert_int_equal(calls_until_now(), 1);
	expect_calls(1, "a");
}

static void signal_is_lost_with_its_last_callback(void **state)
{
	DTermination *usr1 = add(SIGUSR1, block, "usr1"), *term = add(SIGTERM, note, "term");

	(void)state;
	send_signal(SIGUSR1);
	while (sem_wait(&entered))
		;
	send_signal(SIGTERM);
	daware_termination_unregister_callback(term);
	sem_post(&release);
	expect_calls(1, "usr1");
	daware_termination_unregister_callback(usr1);
}

/* Refusals */

static int refuse(int signo, void *arg)
{
	note(signo, "refuse");
	return *(int *)arg;
}

static void refusal_is_logged(void **state)
{
	int three = 3, minus_one = -1, logd = logd_start();
	DTermination *first = add(SIGTERM, note, "a"), *second = add(SIGTERM, refuse, &minus_one);
	DTermination *third = add(SIGTERM, refuse, &three), *fourth = add(SIGTERM, note, "d");

	(void)state;
	daware_log_open("p", 0, LOG_DAEMON);
	send_signal(SIGTERM);
	/* All are called, and one line says it. */
	assert_string_equal(logd_receive_body(logd, LOG_DAEMON | LOG_NOTICE),
			    "p: signal 15: the process refuses to terminate (3)");
	expect_calls(4, "d refuse refuse a");
	assert_true(logd_is_idle(logd));

	daware_termination_unregister_callback(second);
	daware_termination_unregister_callback(third);
	send_signal(SIGTERM);
	expect_calls(6, "d refuse refuse a d a");
	assert_true(logd_is_idle(logd));
	daware_termination_unregister_callback(first);
	daware_termination_unregister_callback(fourth);
	daware_log_close();
	logd_stop(logd);
}

static int log_and_close(int signo, void *arg)
{
	DLOG(LOG_DAEMON | LOG_INFO, "signal %d, %s", signo, (const char *)arg);
	daware_log_close();
	return 0;
}

static void callbacks_may_log(void **state)
{
	int logd = logd_start();
	DTermination *handle = add(SIGTERM, log_and_close, "and its argument");

	(void)state;
	daware_log_open("p", 0, 0);
	send_signal(SIGTERM);
	assert_string_equal(logd_receive_body(logd, LOG_DAEMON | LOG_INFO),
			    "p: signal 15, and its argument");
	daware_termination_unregister_callback(handle);
	assert_int_equal(find_log_fd(), -1);
	logd_stop(logd);
}

/* Faults */

static void fault(void *page)
{
	set_disposition(SIGSEGV, SIG_DFL);
	child_assert(daware_termination_register_callback(SIGSEGV, note, NULL));
	*(volatile char *)page = 0;
}

static atomic_int nr_faults;
static char *fault_page;

static void on_fault(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	if (info->si_addr == fault_page)
		nr_faults++;
	mprotect(fault_page, 1, PROT_READ | PROT_WRITE);
}

static void faults_go_to_the_previous_disposition(void **state)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct sigaction old;
	DTermination *handle;
	int status;

	(void)state;
	fault_page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(fault_page, MAP_FAILED);
	status = run_in_child(fault, fault_page);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);

	assert_return_code(sigaction(SIGSEGV, &action, &old), errno);
	handle = add(SIGSEGV, note, NULL);
	*(volatile char *)fault_page = 1;
	assert_int_equal(nr_faults, 1);
	assert_ptr_equal(disposition(SIGSEGV), on_fault);
	daware_termination_unregister_callback(handle);
	assert_return_code(sigaction(SIGSEGV, &old, NULL), errno);
	munmap(fault_page, 1);
	expect_calls(0, "");
}

/* All at once */

static atomic_bool stop;

static void *register_and_unregister(void *signo)
{
	while (!stop) {
		DTermination *a = add((int)(intptr_t)signo, note, "a");
		DTermination *b = add(SIGTERM, note, "b");

		daware_termination_unregister_callback(a);
		daware_termination_unregister_callback(b);
	}
	return NULL;
}

static void *send_signals(void *unused)
{
	while (!stop) {
		kill(getpid(), SIGUSR1);
		kill(getpid(), SIGTERM);
		sleep_ms(1);
	}
	return unused;
}

static void ignore_in_child(void *unused)
{
	(void)unused;
	child_assert(disposition(SIGTERM) == SIG_IGN);
	kill(getpid(), SIGTERM);
}

static void everything_at_once(void **state)
{
	const int signals[] = { SIGUSR1, SIGUSR2, SIGHUP };
	pthread_t threads[4];

	(void)state;
	set_disposition(SIGUSR1, SIG_IGN);
	set_disposition(SIGTERM, SIG_IGN);
	stop = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, register_and_unregister,
						(void *)(intptr_t)signals[i]), 0);
	assert_int_equal(pthread_create(&threads[3], NULL, send_signals, NULL), 0);
	/* Until a callback was called at least, else it was no test. */
	for (int i = 0; i < 50 || (!calls_until_now() && i < 5000); i++) {
		sleep_ms(10);
		assert_int_equal(run_in_child(ignore_in_child, NULL), 0);
	}
	stop = true;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(calls_until_now() > 0);
	set_disposition(SIGUSR1, SIG_DFL);
	set_disposition(SIGTERM, SIG_DFL);
}

static void *register_while_cancelled(void *finished)
{
	DTermination *handle;

	pthread_cancel(pthread_self());
	handle = add(SIGTERM, note, "a");
	daware_termination_unregister_callback(handle);
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
	assert_int_equal(pthread_create(&thread, NULL, register_while_cancelled, &finished), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_true(finished);
	assert_ptr_equal(result, PTHREAD_CANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(signals_that_cannot_be_registered),
		test(no_memory_no_thread_no_handler),
		test(every_signal_that_can_be_caught),
		test(callbacks_have_a_thread_of_their_own),
		test(last_registered_is_called_first),
		test(previous_handler_comes_back),
		test(ignored_signal_is_ignored_again),
		test(later_handler_stays),
		test(errno_survives_the_handler),
		test(system_calls_are_restarted),
		test(handler_uses_the_alternate_stack),
		test(descriptors_are_not_used),
		test(module_cannot_be_asked),
		test(handles_that_name_nothing_are_ignored),
		test(callback_unregisters_itself),
		test(last_callback_unregisters_itself),
		test(callback_unregisters_others),
		test(callback_registers_another),
		test(signals_while_callbacks_run),
		test(unregister_waits_for_the_running_callback),
		test(signal_is_lost_with_its_last_callback),
		test(refusal_is_logged),
		test(callbacks_may_log),
		test(faults_go_to_the_previous_disposition),
		test(everything_at_once),
		test(no_call_is_a_cancellation_point),
	};

	sandbox_enter();
	start_first_thread();
	sem_init(&entered, 0, 0);
	sem_init(&release, 0, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
