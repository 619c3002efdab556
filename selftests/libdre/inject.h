/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kills a process at its Nth system call, or lets that call fail: a child runs
 * under a seccomp filter that asks us about each of its calls.
 */
#ifndef SELFTESTS_LIBDRE_INJECT_H
#define SELFTESTS_LIBDRE_INJECT_H

#include <stdbool.h>

enum injection {
	INJECT_KILL,		/* killed in place of the Nth call */
	INJECT_KILL_CALLER,	/* the same, but if a child of it calls, only that */
	INJECT_EIO,		/* the Nth call fails */
	INJECT_ENOSPC,
	INJECT_FULL,		/* from the Nth on, all calls fail that take space */
};

struct outcome {
	bool injected;		/* false: there were fewer than N calls */
	bool finished;		/* the function returned, the rest is valid */
	int ret;
	char text[1024];	/* dre_last_error() */
	int leaked_fds;
	char call[48];		/* what was injected into */
};

/* Runs fn(arg) in a child. Calls that only concern memory, locks or fds do not count. */
struct outcome inject(enum injection what, unsigned int n, int (*fn)(void *arg), void *arg);

#endif /* SELFTESTS_LIBDRE_INJECT_H */
