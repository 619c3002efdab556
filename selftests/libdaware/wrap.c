// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Calls that the linker sends here (--wrap), so that a test can let one fail.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include "sandbox.h"

bool malloc_fails, pthread_create_fails, sigaction_fails;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg);
int __real_sigaction(int signo, const struct sigaction *action, struct sigaction *old);
int __wrap_sigaction(int signo, const struct sigaction *action, struct sigaction *old);

void *__wrap_malloc(size_t size)
{
	if (!malloc_fails)
		return __real_malloc(size);
	malloc_fails = false;
	errno = ENOMEM;
	return NULL;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			  void *arg)
{
	if (!pthread_create_fails)
		return __real_pthread_create(thread, attr, fn, arg);
	pthread_create_fails = false;
	return EAGAIN;
}

int __wrap_sigaction(int signo, const struct sigaction *action, struct sigaction *old)
{
	if (!sigaction_fails || !action)
		return __real_sigaction(signo, action, old);
	sigaction_fails = false;
	errno = EPERM;
	return -1;
}
