// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The signal handler notes the signal and wakes the dispatcher, a thread that
 * calls the callbacks. A semaphore wakes it: unlike a pipe or an eventfd it
 * cannot be closed by a program that closes all its descriptors.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>
#include "daware.h"
#include "module.h"

#define STACK_SIZE	(256 * 1024)

struct callback {
	TAILQ_ENTRY(callback) link;
	uintptr_t id;
	int signo;
	int (*func)(int signo, void *arg);
	void *arg;
};

/* Guards everything that follows, up to what the signal handler uses. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* By rising id: the one registered first is the first. */
static TAILQ_HEAD(callbacks, callback) callbacks = TAILQ_HEAD_INITIALIZER(callbacks);

/* Ids are never used again, so that a stale handle is known to be stale. */
static uintptr_t last_id;

/* The dispatcher exists while there are callbacks, and until the last has returned. */
static bool dispatching;
static pthread_t dispatcher;

/* The id of the callback that it is in, or 0, and the news that there it is no longer. */
static uintptr_t running;
static pthread_cond_t returned = PTHREAD_COND_INITIALIZER;

/*
 * What the signal handler uses, without a lock. The disposition from before is
 * stored before the handler is installed.
 */
static struct sigaction previous[DRE_SIGNALS_MAX + 1];
static _Atomic uint64_t pending;	/* bit signo - 1 */
static _Atomic pid_t owner;		/* the process that has the dispatcher */
static sem_t wake;

static void put_back_and_resend(int signo)
{
	sigaction(signo, &previous[signo], NULL);
	kill(getpid(), signo);
}

/* What an instruction of ours raised would be raised again, for ever, if the handler returned. */
static bool is_fault(int signo, const siginfo_t *info)
{
	return info->si_code > 0 && (signo == SIGSEGV || signo == SIGBUS ||
				     signo == SIGILL || signo == SIGFPE);
}

static void on_signal(int signo, siginfo_t *info, void *context)
{
	uint64_t bit = 1ULL << (signo - 1);
	int saved_errno = errno;

	(void)context;
	if (is_fault(signo, info))
		sigaction(signo, &previous[signo], NULL);
	else if (getpid() != owner)
		/* A child that no handler of pthread_atfork(3) has seen: of vfork(2), say. */
		put_back_and_resend(signo);
	else if (!(atomic_fetch_or(&pending, bit) & bit))
		sem_post(&wake);
	errno = saved_errno;
}

static bool is_handler(const struct sigaction *action)
{
	return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_signal;
}

static int catch_signal(int signo)
{
	struct sigaction action = {
		.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK,
	};
	struct sigaction now;

	sigfillset(&action.sa_mask);
	if (sigaction(signo, NULL, &now))
		return errno;
	/* A program that saves dispositions and puts them back may have put back ours. */
	if (!is_handler(&now))
		previous[signo] = now;
	return sigaction(signo, &action, NULL) ? errno : 0;
}

static void release_signal(int signo)
{
	struct sigaction now;

	/* A handler that the program has installed since stays. */
	if (!sigaction(signo, NULL, &now) && is_handler(&now))
		sigaction(signo, &previous[signo], NULL);
}

static bool can_be_caught(int signo)
{
	bool standard = signo >= 1 && signo < __SIGRTMIN && signo != SIGKILL && signo != SIGSTOP;
	bool realtime = signo >= SIGRTMIN && signo <= SIGRTMAX;

	return standard || realtime;
}

/* The newest callback for @signo among those with a lower id than @before. */
static struct callback *next_callback(int signo, uintptr_t before)
{
	struct callback *callback;

	TAILQ_FOREACH_REVERSE(callback, &callbacks, callbacks, link)
		if (callback->signo == signo && callback->id < before)
			return callback;
	return NULL;
}

static struct callback *find_callback(uintptr_t id)
{
	struct callback *callback;

	TAILQ_FOREACH(callback, &callbacks, link)
		if (callback->id == id)
			return callback;
	return NULL;
}

static bool is_registered(int signo)
{
	return next_callback(signo, UINTPTR_MAX);
}

/* Tells the module all that is registered, also what it may know: it may have been loaded anew. */
static int update_module(void)
{
	uint8_t signals[DRE_SIGNALS_MAX];
	unsigned int nr_signals = 0;
	struct callback *callback;
	uint64_t seen = 0;

	TAILQ_FOREACH(callback, &callbacks, link) {
		uint64_t bit = 1ULL << (callback->signo - 1);

		if (!(seen & bit))
			signals[nr_signals++] = callback->signo;
		seen |= bit;
	}
	return nr_signals ? dre_module_self_register(signals, nr_signals)
			  : dre_module_self_unregister();
}

/* False after fork(2) in a callback, when that has returned in the child. */
static bool is_dispatcher(void)
{
	return dispatching && pthread_equal(pthread_self(), dispatcher);
}

/* Called without the lock. */
static void report_refusal(int signo, int result)
{
	pthread_mutex_lock(&lock);
	if (dre_module_self_refuse(signo) == -ENOENT && !update_module())
		dre_module_self_refuse(signo);
	pthread_mutex_unlock(&lock);

	DLOG_NOTICE("signal %d: the process refuses to terminate (%d)", signo, result);
}

/* Called with the lock, which is not held while a callback runs. */
static void call_callbacks(int signo)
{
	uintptr_t id = UINTPTR_MAX;
	struct callback *callback;
	int refusal = 0;

	while ((callback = next_callback(signo, id))) {
		int (*func)(int, void *) = callback->func;
		void *arg = callback->arg;
		int result;

		running = id = callback->id;
		pthread_mutex_unlock(&lock);
		result = func(signo, arg);
		pthread_mutex_lock(&lock);
		if (!is_dispatcher())
			return;
		running = 0;
		pthread_cond_broadcast(&returned);
		if (!refusal)
			refusal = result;
	}
	if (refusal) {
		pthread_mutex_unlock(&lock);
		report_refusal(signo, refusal);
		pthread_mutex_lock(&lock);
	}
}

static int take_signal(void)
{
	int signo = ffsll(atomic_load(&pending));

	if (signo)
		atomic_fetch_and(&pending, ~(1ULL << (signo - 1)));
	return signo;
}

static void *dispatch(void *unused)
{
	int signo;

	pthread_setname_np(pthread_self(), "daware");
	pthread_mutex_lock(&lock);
	while (is_dispatcher() && !TAILQ_EMPTY(&callbacks)) {
		pthread_mutex_unlock(&lock);
		sem_wait(&wake);
		pthread_mutex_lock(&lock);
		while (is_dispatcher() && (signo = take_signal()))
			call_callbacks(signo);
	}
	if (is_dispatcher())
		dispatching = false;
	pthread_mutex_unlock(&lock);
	return unused;
}

static int create_dispatcher(size_t stack_size)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (stack_size)
		pthread_attr_setstacksize(&attr, stack_size);
	err = pthread_create(&dispatcher, &attr, dispatch, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

static int start_dispatcher(void)
{
	sigset_t all, old;
	int err;

	if (dispatching)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = create_dispatcher(STACK_SIZE);
	/* glibc puts thread-local storage there, too, and the program may have a lot of it. */
	if (err == EINVAL)
		err = create_dispatcher(0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	dispatching = !err;
	return err;
}

static int prepare_for(int signo)
{
	int err = start_dispatcher();

	if (err)
		return err;
	owner = getpid();
	/* The dispatcher ends if it has nothing to do. */
	return is_registered(signo) ? 0 : catch_signal(signo);
}

/* Memory is had and given back with the lock held, so that none is lost in a child that is forked meanwhile. */
static int add_callback(int signo, int (*func)(int, void *), void *arg)
{
	struct callback *callback = malloc(sizeof(*callback));
	int err;

	if (!callback)
		return ENOMEM;
	err = prepare_for(signo);
	if (err) {
		free(callback);
		return err;
	}
	*callback = (struct callback){ .signo = signo, .func = func, .arg = arg };
	callback->id = last_id += sizeof(DTermination);
	TAILQ_INSERT_TAIL(&callbacks, callback, link);
	return 0;
}

DTermination *daware_termination_register_callback(int signo, int (*func)(int, void *), void *arg)
{
	int err, unknown = 0, cancel_state;
	uintptr_t id = 0;

	if (!func || !can_be_caught(signo)) {
		errno = EINVAL;
		return NULL;
	}
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	pthread_mutex_lock(&lock);
	err = add_callback(signo, func, arg);
	if (!err) {
		id = last_id;
		unknown = -update_module();
	}
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(cancel_state, NULL);

	errno = err ?: unknown;
	return (DTermination *)id;
}

static void remove_callback(struct callback *callback)
{
	TAILQ_REMOVE(&callbacks, callback, link);
	/* The module first, so that D-RE sends no signal to the former disposition. */
	update_module();
	if (!is_registered(callback->signo))
		release_signal(callback->signo);
	if (TAILQ_EMPTY(&callbacks))
		sem_post(&wake);
	free(callback);
}

void daware_termination_unregister_callback(DTermination *dterm)
{
	uintptr_t id = (uintptr_t)dterm;
	int saved_errno = errno, cancel_state;
	struct callback *callback;

	if (!id)
		return;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	pthread_mutex_lock(&lock);
	callback = find_callback(id);
	if (callback)
		remove_callback(callback);
	while (running == id && !is_dispatcher())
		pthread_cond_wait(&returned, &lock);
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(cancel_state, NULL);
	errno = saved_errno;
}

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork_in_parent(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_in_child(void)
{
	struct callback *callback;

	while ((callback = TAILQ_FIRST(&callbacks))) {
		TAILQ_REMOVE(&callbacks, callback, link);
		release_signal(callback->signo);
		free(callback);
	}
	dispatching = false;
	running = 0;
	pthread_cond_init(&returned, NULL);
	owner = 0;
	pending = 0;
	sem_init(&wake, 0, 0);
	pthread_mutex_unlock(&lock);
}

static void __attribute__((constructor)) init(void)
{
	sem_init(&wake, 0, 0);
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}
