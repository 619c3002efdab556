/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A manager that is killed at one of its system calls, in place of it. Its steps are the calls that change something
 * outside of it (files, mounts, control groups, sockets, ioctls, processes), and one in fifty of the others.
 */
#ifndef SELFTESTS_INTEGRATION_STEPS_H
#define SELFTESTS_INTEGRATION_STEPS_H

#include <stdbool.h>

/*
 * Runs call() in a child process, which is killed at its step @n; from 1. Returns how many steps it has made: @n, or
 * fewer if it came to its end before, and then *@ret is what call() returned. Of what a child's threads do nothing is
 * counted, nor what its own children do.
 */
int steps_run(int (*call)(void), int n, int *ret);

/* The name of the call that the last child was killed at, for a person to read; valid until the next run. */
const char *steps_last(void);

/*
 * Which of @nr steps a test tries: DRE_KILLS in the environment says how many, "all" or a number, else @wanted. They
 * are spread over all of them, and others each time: DRE_SEED repeats them. Called for i = 0, 1, 2... until it is 0.
 */
int steps_choose(int nr, int wanted, int i);

#endif /* SELFTESTS_INTEGRATION_STEPS_H */
