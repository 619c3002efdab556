/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of termination callbacks share: a callback that notes its
 * calls, and a check that no test leaves anything behind.
 */
#ifndef SELFTESTS_LIBDAWARE_CALLBACKS_H
#define SELFTESTS_LIBDAWARE_CALLBACKS_H

#include <signal.h>
#include "daware.h"
#include "sandbox.h"

/* What the callbacks were called with, the first of them. */
extern struct call {
	int signo;
	const char *arg;
} calls[64];

/* A callback: @arg is a string. */
int note(int signo, void *arg);
int calls_until_now(void);
void forget_calls(void);

/* The strings of all calls, which must be @nr. */
void expect_calls(int nr, const char *args);

/* Registers where there is no module. */
DTermination *add(int signo, int (*func)(int, void *), void *arg);

void send_signal(int signo);
void set_disposition(int signo, void (*handler)(int));
void (*disposition(int signo))(int);
bool same_disposition(const struct sigaction *a, const struct sigaction *b);
void expect_idle_dispositions(void);

extern unsigned int idle_threads;

/* To be called once, before the tests: a sanitizer may start a thread of its own with it. */
void start_first_thread(void);

/* Setup and teardown: nothing is left behind. */
int begin(void **state);
int end(void **state);

#define test(name)	cmocka_unit_test_setup_teardown(name, begin, end)

#endif /* SELFTESTS_LIBDAWARE_CALLBACKS_H */
