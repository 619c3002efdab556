/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of libdaware share. They run with a /dev of their own, in a
 * mount namespace of their own, so that /dev/log is theirs, and /dev/dre and
 * /dev/console are missing until they make them.
 */
#ifndef SELFTESTS_LIBDAWARE_SANDBOX_H
#define SELFTESTS_LIBDAWARE_SANDBOX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Ends the program if it may not. */
void sandbox_enter(void);

/* The log daemon: a socket at /dev/log. */
int logd_start(void);
void logd_stop(int fd);
/* The next message, which must come within seconds; NUL-terminated, valid until the next call. */
const char *logd_receive(int fd);
/* The same, without "<@priority>" and the time, which are checked. */
const char *logd_receive_body(int fd, int priority);
bool logd_is_idle(int fd);
/* The library's end of it, or -1. */
int find_log_fd(void);

unsigned int count_threads(void);
/* Whether a thread of this process waits for something. @tid may be 0: not known yet. */
bool thread_sleeps(pid_t tid);
void sleep_ms(unsigned int ms);

/* Waits for something to become true; never as long as it takes, on the slowest machine. */
#define wait_until(condition) \
	do { \
		for (int tries_ = 0; !(condition) && tries_ < 60000; tries_++) \
			sleep_ms(1); \
		assert_true(condition); \
	} while (0)

/* Runs @fn in a child, which must not use cmocka's assertions; returns its status, see wait(2). */
int run_in_child(void (*fn)(void *arg), void *arg);

/* An assertion for children. */
#define child_assert(condition) \
	do { \
		if (!(condition)) { \
			dprintf(STDERR_FILENO, "%s:%d: not true in a child: %s\n", \
				__FILE__, __LINE__, #condition); \
			_exit(1); \
		} \
	} while (0)

/* Only for programs that are linked with --wrap for these: the next call fails. */
extern bool malloc_fails, pthread_create_fails, sigaction_fails;

#endif /* SELFTESTS_LIBDAWARE_SANDBOX_H */
