// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "callbacks.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int nr_calls;
struct call calls[64];

int note(int signo, void *arg)
{
	pthread_mutex_lock(&lock);
	if (nr_calls < 64)
		calls[nr_calls] = (struct call){ signo, arg };
	nr_calls++;
	pthread_mutex_unlock(&lock);
	return 0;
}

void forget_calls(void)
{
	pthread_mutex_lock(&lock);
	nr_calls = 0;
	pthread_mutex_unlock(&lock);
}

int calls_until_now(void)
{
	int nr;

	pthread_mutex_lock(&lock);
	nr = nr_calls;
	pthread_mutex_unlock(&lock);
	return nr;
}

void expect_calls(int nr, const char *args)
{
	char text[256] = "";

	wait_until(calls_until_now() >= nr);
	sleep_ms(20);	/* one that should not come may still come */
	assert_int_equal(calls_until_now(), nr);
	for (int i = 0; i < nr; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, calls[i].arg);
	}
	assert_string_equal(text, args);
}

void send_signal(int signo)
{
	assert_return_code(kill(getpid(), signo), errno);
}

DTermination *add(int signo, int (*func)(int, void *), void *arg)
{
	DTermination *handle = daware_termination_register_callback(signo, func, arg);

	assert_non_null(handle);
	assert_int_equal(errno, ENODEV);
	return handle;
}

void set_disposition(int signo, void (*handler)(int))
{
	const struct sigaction action = { .sa_handler = handler };

	assert_return_code(sigaction(signo, &action, NULL), errno);
}

void (*disposition(int signo))(int)
{
	struct sigaction now;

	return sigaction(signo, NULL, &now) ? SIG_ERR : now.sa_handler;
}

unsigned int idle_threads;
static struct sigaction idle_dispositions[NSIG];

bool same_disposition(const struct sigaction *a, const struct sigaction *b)
{
	/* The C library adds a flag of its own, SA_RESTORER, to what it is given. */
	if (a->sa_handler != b->sa_handler || (a->sa_flags ^ b->sa_flags) & ~0x04000000)
		return false;
	if (a->sa_handler == SIG_DFL || a->sa_handler == SIG_IGN)
		return true;
	for (int signo = 1; signo < NSIG; signo++)
		if (sigismember(&a->sa_mask, signo) != sigismember(&b->sa_mask, signo))
			return false;
	return true;
}

void expect_idle_dispositions(void)
{
	for (int signo = 1; signo < NSIG; signo++) {
		struct sigaction now;

		if (sigaction(signo, NULL, &now))
			continue;
		if (!same_disposition(&now, &idle_dispositions[signo]))
			fail_msg("signal %d: now %p, flags %x; before %p, flags %x", signo,
				 (void *)now.sa_handler, now.sa_flags,
				 (void *)idle_dispositions[signo].sa_handler,
				 idle_dispositions[signo].sa_flags);
	}
}

int begin(void **state)
{
	(void)state;
	forget_calls();
	idle_threads = count_threads();
	for (int signo = 1; signo < NSIG; signo++)
		sigaction(signo, NULL, &idle_dispositions[signo]);
	return 0;
}

int end(void **state)
{
	(void)state;
	wait_until(count_threads() == idle_threads);
	expect_idle_dispositions();
	return 0;
}


static void *store_tid(void *tid)
{
	*(pid_t *)tid = gettid();
	return NULL;
}

void start_first_thread(void)
{
	pthread_t thread;
	char path[64];
	pid_t tid;

	if (pthread_create(&thread, NULL, store_tid, &tid) || pthread_join(thread, NULL))
		exit(1);
	/* It may be seen a little longer. */
	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	while (!access(path, F_OK))
		sleep_ms(1);
}
