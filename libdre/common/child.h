/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Short-lived child processes that do what must not be done to the caller:
 * changing namespaces, the working directory or credentials.
 *
 * The caller may have threads, signal handlers and a way of its own to reap
 * children. So the child is one that nobody else notices: it sends no SIGCHLD
 * and is no business of wait(-1), no signal is delivered in it, no fork handler
 * runs, and it dies with the calling thread. It must do with system calls: no
 * memory from malloc(), no stdio, no locks.
 */
#ifndef DRE_COMMON_CHILD_H
#define DRE_COMMON_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int pidfd;
};

/*
 * Starts a child that runs fn(arg) and exits with what it returns; @flags for
 * clone3(2): CLONE_NEWUSER, ... 0 or a negative errno.
 */
int child_start(struct child *child, uint64_t flags, int (*fn)(void *arg), void *arg);

/*
 * In the child: closes all fds but these @nr (-1: none). What other threads
 * have open at this moment, such as the fd of a mount, would be in use for as
 * long as the child lives.
 */
void child_keep_fds(const int *fds, unsigned int nr);

/*
 * In the child, after a change of its credentials, which undoes it: it dies
 * with the calling thread of process @parent. 0 or a negative errno.
 */
int child_die_with_parent(pid_t parent);

/* Waits for its end. The exit status, or a negative errno: -EINTR if it was killed. */
int child_wait(struct child *child);

/* Ends it at once. */
void child_kill(struct child *child);

#endif /* DRE_COMMON_CHILD_H */
