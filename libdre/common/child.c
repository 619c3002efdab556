// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

int child_die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	/* If it was killed before that, there is nobody to do anything for. */
	return getppid() == parent ? 0 : -ESRCH;
}

void child_keep_fds(const int *fds, unsigned int nr)
{
	unsigned int first = 0, i;
	int next;

	do {
		next = -1;
		for (i = 0; i < nr; i++)
			if (fds[i] >= (int)first && (next < 0 || fds[i] < next))
				next = fds[i];
		if (next != (int)first)
			close_range(first, next < 0 ? ~0U : (unsigned int)next - 1, 0);
		first = next + 1;
	} while (next >= 0);
}

static void __attribute__((noreturn)) run(pid_t parent, int (*fn)(void *arg), void *arg)
{
	_exit(child_die_with_parent(parent) ? 1 : fn(arg));
}

int child_start(struct child *child, uint64_t flags, int (*fn)(void *arg), void *arg)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,	/* the caller's handlers are not the child's */
		.pidfd = (uintptr_t)&child->pidfd,
		.exit_signal = 0,
	};
	pid_t parent = getpid();
	sigset_t all, old;
	long pid;
	int ret;

	/* For the child, which keeps them blocked. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		run(parent, fn, arg);
	ret = pid < 0 ? -errno : 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	child->pid = pid;
	return ret;
}

int child_wait(struct child *child)
{
	siginfo_t info = { 0 };
	int ret;

	/* __WALL: it is one of those children that wait(2) leaves out otherwise. */
	ret = TEMP_FAILURE_RETRY(waitid(P_PIDFD, child->pidfd, &info, WEXITED | __WALL));
	ret = ret < 0 ? -errno : info.si_code == CLD_EXITED ? info.si_status : -EINTR;
	close(child->pidfd);
	return ret;
}

void child_kill(struct child *child)
{
	syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
	child_wait(child);
}
