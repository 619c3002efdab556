/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A manager in a process of its own, which is killed at one of its system calls, in place of it, or whose call fails; it,
 * or one of the programs that it runs. Its steps are the calls that change something outside of the process (files, mounts,
 * control groups, sockets, ioctls, processes), and one in fifty of the others; where a call is to fail, those that a disk
 * may refuse. What its threads do is not counted, nor what the programs that it runs start in turn.
 */
#ifndef SELFTESTS_INTEGRATION_TRACEE_H
#define SELFTESTS_INTEGRATION_TRACEE_H

#include <stdbool.h>

/* What happens at a step: an error, or 0: who makes it is killed. */
struct fault {
	int error;
	bool in_helper;		/* the steps are those of what the manager runs, and it lives on */
	const char *name;
};

/* What a manager came to. */
struct tracee_end {
	bool returned;
	int ret;
	char text[1024];	/* of the error */
	const char *call;	/* the one that was struck */
};

/* Strikes at step @n, from 1. Returns how many steps there were: @n, or fewer if it came to its end before. */
int tracee_run(int (*call)(void), const struct fault *fault, int n, struct tracee_end *end);

#endif /* SELFTESTS_INTEGRATION_TRACEE_H */
