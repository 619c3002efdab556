// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "inject.h"

/* In memory that both share: the child cannot say it by a system call. */
struct shared {
	atomic_int listener;	/* the child's fd of the filter */
	atomic_bool taken;	/* we have it, too */
	atomic_bool done;	/* the function has returned */
	struct outcome outcome;
};

static void child(struct shared *shared, int (*fn)(void *arg), void *arg)
{
	struct sock_filter filter[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF) };
	struct sock_fprog prog = { 1, filter };
	int fds = count_fds(), listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			   &prog);
	atomic_store(&shared->listener, listener);
	while (!atomic_load(&shared->taken))
		;
	/* Its own children must not hold it open. */
	close(listener);
	shared->outcome.ret = fn(arg);
	atomic_store(&shared->done, true);
	shared->outcome.finished = true;
	strncpy(shared->outcome.text, dre_last_error(), sizeof(shared->outcome.text) - 1);
	shared->outcome.leaked_fds = (int)count_fds() - fds;
	_exit(0);
}

static bool counts(int nr)
{
	switch (nr) {
	case SYS_mmap:
	case SYS_munmap:
	case SYS_mremap:
	case SYS_mprotect:
	case SYS_madvise:
	case SYS_brk:
	case SYS_futex:
	case SYS_close:		/* does close it, whatever it returns */
	case SYS_getrandom:	/* cannot fail, once the system has booted */
	case SYS_geteuid:	/* nor can these */
	case SYS_pidfd_send_signal:
	case SYS_rt_sigprocmask:
	case SYS_exit:
	case SYS_exit_group:
		return false;
	}
	return true;
}

/* Those that fail on a full disk. */
static bool takes_space(const struct seccomp_data *data)
{
	switch (data->nr) {
	case SYS_openat:
		return data->args[2] & O_CREAT;
	case SYS_mkdirat:
	case SYS_mknodat:
	case SYS_symlinkat:
	case SYS_linkat:
	case SYS_renameat:
	case SYS_renameat2:
	case SYS_write:
	case SYS_pwrite64:
	case SYS_copy_file_range:
	case SYS_sendfile:
	case SYS_ftruncate:
	case SYS_fsync:
	case SYS_syncfs:
#ifdef SYS_fsetxattr
	case SYS_lsetxattr:
#endif
		return true;
	}
	return false;
}

struct supervisor {
	enum injection what;
	unsigned int n, seen;
	pid_t pid;
	struct shared *shared;
};

static void answer(struct supervisor *s, int listener, const struct seccomp_notif *request)
{
	struct seccomp_notif_resp response = {
		.id = request->id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};
	struct outcome *outcome = &s->shared->outcome;
	bool inject = false;

	if (!atomic_load(&s->shared->done) && counts(request->data.nr)) {
		s->seen++;
		inject = s->seen == s->n;
		if (s->what == INJECT_FULL)
			inject = s->seen >= s->n && takes_space(&request->data);
	}
	if (inject) {
		outcome->injected = true;
		snprintf(outcome->call, sizeof(outcome->call), "call %u, nr %d", s->seen,
			 request->data.nr);
		if (s->what == INJECT_KILL || s->what == INJECT_KILL_CALLER) {
			kill(s->what == INJECT_KILL ? s->pid : (pid_t)request->pid, SIGKILL);
		} else {
			response.flags = 0;
			response.error = s->what == INJECT_EIO ? -EIO : -ENOSPC;
		}
	}
	/* ENOENT: it was killed or interrupted. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) && errno != ENOENT)
		fail_msg("cannot answer: %s", strerror(errno));
}

/* All of them, also orphans. Kernels differ in whether the filter goes before that or by that. */
static void reap(int flags)
{
	while (waitpid(-1, NULL, flags | __WALL) > 0)
		;
}

static void supervise(struct supervisor *s, int listener)
{
	struct pollfd poll_fd = { .fd = listener, .events = POLLIN };
	struct seccomp_notif request;
	unsigned int idle = 0;

	for (;;) {
		reap(WNOHANG);
		if (!poll(&poll_fd, 1, 1)) {
			if (++idle == 30000)
				fail_msg("it hangs at call %u", s->seen);
			continue;
		}
		idle = 0;
		/* Nobody is left under the filter. */
		if (poll_fd.revents & POLLHUP)
			return;
		memset(&request, 0, sizeof(request));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request)) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			fail_msg("cannot receive: %s", strerror(errno));
		}
		answer(s, listener, &request);
	}
}

struct outcome inject(enum injection what, unsigned int n, int (*fn)(void *arg), void *arg)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct supervisor s = { .what = what, .n = n, .shared = shared };
	struct outcome outcome;
	int pidfd, listener;

	assert_true(shared != MAP_FAILED);
	atomic_store(&shared->listener, -1);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	s.pid = fork();
	if (!s.pid)
		child(shared, fn, arg);
	pidfd = syscall(SYS_pidfd_open, s.pid, 0);
	while (atomic_load(&shared->listener) < 0)
		usleep(100);
	listener = syscall(SYS_pidfd_getfd, pidfd, atomic_load(&shared->listener), 0);
	if (listener < 0)
		fail_msg("cannot get the filter's fd: %s", strerror(errno));
	atomic_store(&shared->taken, true);
	supervise(&s, listener);
	reap(0);
	close(listener);
	close(pidfd);
	outcome = shared->outcome;
	munmap(shared, sizeof(*shared));
	return outcome;
}
