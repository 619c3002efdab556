// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

/* In an agent: its only file beside 0 to 2. */
#define AGENT_SOCK	3

/* In the environment: this is an agent after execve(2). */
#define AGENT_ENV	"DRE_TEST_AGENT"

#define STACK_SIZE	(256 * 1024)

/* Of a container's user namespace. */
#define USERS_MAP	"0 100000 65536"

struct message {
	agent_fn fn;
	int result;
	char arg[AGENT_ARG_MAX];
};

#define MESSAGE_HEAD	offsetof(struct message, arg)

void die(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	fprintf(stderr, "# cannot go on: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(err));
	abort();
}

static int send_message(int sock, int fd, const struct message *m, const void *arg, size_t len)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov[] = {
		{ (void *)m, MESSAGE_HEAD },
		{ (void *)arg, len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Returns the length of the argument; @fd and @pid are what came with it. */
static ssize_t receive_message(int sock, struct message *m, int *fd, pid_t *pid)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct ucred cred;
	struct cmsghdr *c;
	ssize_t n;

	n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	if (n < (ssize_t)MESSAGE_HEAD)
		return -EPIPE;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type == SCM_RIGHTS && fd)
			memcpy(fd, CMSG_DATA(c), sizeof(*fd));
		if (c->cmsg_type == SCM_CREDENTIALS && pid) {
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			*pid = cred.pid;
		}
	}
	return n - MESSAGE_HEAD;
}

/* On the agent's side */

static void __noreturn agent_loop(void)
{
	struct message m;
	ssize_t len;
	int fd;

	for (;;) {
		fd = -1;
		len = receive_message(AGENT_SOCK, &m, &fd, NULL);
		if (len < 0)
			_exit(0);
		m.result = m.fn(fd, m.arg);
		if (fd >= 0)
			close(fd);
		send_message(AGENT_SOCK, -1, &m, m.arg, len);
	}
}

/* The answer to a call that does not return to agent_loop(). */
static void answer(int result)
{
	struct message m = { .result = result };

	send_message(AGENT_SOCK, -1, &m, NULL, 0);
}

static void __noreturn agent_main(int sock)
{
	sigset_t all;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* A shell ignores these two in what it runs in the background. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (sock != AGENT_SOCK)
		dup2(sock, AGENT_SOCK);
	close_range(AGENT_SOCK + 1, ~0U, 0);
	answer(getpid());
	agent_loop();
}

static void __attribute__((constructor)) agent_after_exec(void)
{
	if (!getenv(AGENT_ENV))
		return;
	answer(0);
	agent_loop();
}

static int do_exec(int fd, void *arg)
{
	static char *const env[] = { (char *)AGENT_ENV "=1", NULL };

	fcntl(AGENT_SOCK, F_SETFD, 0);
	/* Not /proc/self: the leader may be a zombie. */
	execle("/proc/thread-self/exe", "agent", NULL, env);
	return -errno;
}

struct spawn {
	int flags;
	size_t levels;
	pid_t numbers[2];
};

static int vm_child(void *arg)
{
	agent_main(*(int *)arg);
}

/* With CLONE_VM the child's stack is a mapping of its own, which it leaves. */
static pid_t spawn_vm(int sock, int flags)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		return -1;
	*(int *)stack = sock;
	return clone(vm_child, stack + STACK_SIZE, flags | SIGCHLD, stack);
}

static int do_spawn(int fd, void *arg)
{
	const struct spawn *s = arg;
	struct clone_args args = {
		.flags = s->flags,
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)s->numbers,
		.set_tid_size = s->levels,
	};
	pid_t pid;

	if (!s->levels)
		args.set_tid = 0;
	if (s->flags & CLONE_VM)
		pid = spawn_vm(fd, s->flags);
	else if (s->flags || s->levels)
		pid = syscall(SYS_clone3, &args, sizeof(args));
	else
		pid = fork();
	if (!pid)
		agent_main(fd);
	return pid < 0 ? -errno : pid;
}

/* What agent_wait() and agent_kill_only() want of the parent. */
struct wait {
	pid_t child;
	bool leave;
	int status;
};

static int do_wait(int fd, void *arg)
{
	struct wait *w = arg;
	siginfo_t info;
	int ret;

	if (w->leave)
		ret = waitid(P_PID, w->child, &info, WEXITED | WNOWAIT);
	else
		ret = waitpid(w->child, &w->status, 0);
	return ret < 0 ? -errno : 0;
}

static int do_exit(int fd, void *arg)
{
	_exit(*(int *)arg);
}

static void *thread_main(void *arg)
{
	answer(gettid());
	agent_loop();
}

static int do_thread(int fd, void *arg)
{
	bool leader_exits = *(bool *)arg;
	pthread_t thread;
	int ret;

	ret = pthread_create(&thread, NULL, thread_main, NULL);
	if (ret)
		return -ret;
	if (leader_exits)
		syscall(SYS_exit, LEADER_CODE);
	for (;;)
		pause();
}

static int do_signal(int fd, void *arg)
{
	const struct timespec now = {};
	sigset_t all;
	int sig;

	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	sig = sigtimedwait(&all, arg, &now);
	return sig < 0 ? -errno : sig;
}

static int do_become_root(int fd, void *arg)
{
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return -errno;
	/* The change of ids took it away. */
	return prctl(PR_SET_PDEATHSIG, SIGKILL) ? -errno : 0;
}

int become_nobody(int fd, void *arg)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return 0;
}

static int do_mount_proc(int fd, void *arg)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("proc", "/proc", "proc", 0, NULL) ? -errno : 0;
}

/* On the test's side */

void agent_send(struct agent *a, int fd, agent_fn fn, const void *arg, size_t len)
{
	struct message m = { .fn = fn };
	int ret = send_message(a->sock, fd, &m, arg, len);

	if (ret < 0) {
		errno = -ret;
		die("no way to agent %d", a->pid);
	}
}

int agent_receive(struct agent *a, void *arg, size_t len)
{
	struct message m;
	ssize_t n = receive_message(a->sock, &m, NULL, NULL);

	if (n < 0) {
		errno = -n;
		die("no answer from agent %d", a->pid);
	}
	/* Some answers bring nothing back, see answer(). */
	if (arg && n)
		memcpy(arg, m.arg, len);
	return m.result;
}

int agent_call_fd(struct agent *a, int fd, agent_fn fn, void *arg, size_t len)
{
	agent_send(a, fd, fn, arg, len);
	return agent_receive(a, arg, len);
}

int agent_call(struct agent *a, agent_fn fn, void *arg, size_t len)
{
	return agent_call_fd(a, -1, fn, arg, len);
}

/* A call that must work. */
static int call(struct agent *a, agent_fn fn, void *arg, size_t len)
{
	int ret = agent_call(a, fn, arg, len);

	if (ret < 0) {
		errno = -ret;
		die("agent %d could not do it", a->pid);
	}
	return ret;
}

static void spawn(struct agent *a, struct agent *parent, struct spawn *s)
{
	const struct timeval deadline = { .tv_sec = DEADLINE };
	const int on = 1;
	struct message hello;
	int sock[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) ||
	    setsockopt(sock[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    setsockopt(sock[0], SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)))
		die("socketpair");
	*a = (struct agent){ .parent = parent, .sock = sock[0] };
	if (parent)
		agent_send(parent, sock[1], do_spawn, s, sizeof(*s));
	else
		a->child = do_spawn(sock[1], s);
	close(sock[1]);
	/* With CLONE_VFORK the parent answers when the child execs or ends. */
	if (parent && !(s->flags & CLONE_VFORK))
		a->child = agent_receive(parent, NULL, 0);
	if (a->child < 0) {
		errno = -a->child;
		die("clone");
	}
	if (receive_message(a->sock, &hello, NULL, &a->pid) < 0)
		die("the new agent says nothing");
	a->vpid = hello.result;
}

/**
 * agent_start - make an agent
 * @a: filled
 * @parent: its parent; NULL: the test
 * @clone_flags: for clone(2). CLONE_VFORK needs a parent, which answers no call
 *	until the child has execed or ended; its answer to this one is then to
 *	be taken with agent_receive().
 */
void agent_start(struct agent *a, struct agent *parent, int clone_flags)
{
	struct spawn s = { .flags = clone_flags };

	spawn(a, parent, &s);
}

/* With these numbers, the innermost pid namespace's first: as clone3(2) takes them. */
void agent_start_as(struct agent *a, int clone_flags, const pid_t *numbers, size_t levels)
{
	struct spawn s = { .flags = clone_flags, .levels = levels };

	memcpy(s.numbers, numbers, levels * sizeof(*numbers));
	spawn(a, NULL, &s);
}

static int wait_for(struct agent *a, bool leave)
{
	struct wait w = { .child = a->child, .leave = leave };
	int ret;

	ret = a->parent ? agent_call(a->parent, do_wait, &w, sizeof(w)) : do_wait(-1, &w);
	if (ret < 0) {
		errno = -ret;
		die("wait for agent %d", a->pid);
	}
	return w.status;
}

int agent_wait(struct agent *a)
{
	int status = wait_for(a, false);

	close(a->sock);
	return status;
}

void agent_kill_only(struct agent *a, int sig)
{
	if (kill(a->pid, sig))
		die("kill %d", a->pid);
	wait_for(a, true);
}

int agent_kill(struct agent *a, int sig)
{
	if (kill(a->pid, sig))
		die("kill %d", a->pid);
	return agent_wait(a);
}

int agent_exit(struct agent *a, int code)
{
	agent_send(a, -1, do_exit, &code, sizeof(code));
	return agent_wait(a);
}

/* execve(2) in whatever thread of the agent obeys. */
void agent_exec(struct agent *a)
{
	call(a, do_exec, NULL, 0);
}

char process_state(pid_t pid)
{
	char path[32], line[256], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	line[n] = '\0';
	end = strrchr(line, ')');
	return end ? end[2] : 0;
}

/**
 * agent_thread - from now on a second thread of the agent obeys
 * @leader_exits: the first one ends, with LEADER_CODE; else it just stays
 *
 * Returns the thread's number, in the agent's pid namespace.
 */
pid_t agent_thread(struct agent *a, bool leader_exits)
{
	pid_t tid = call(a, do_thread, &leader_exits, sizeof(leader_exits));

	while (leader_exits && process_state(a->pid) != 'Z')
		usleep(1000);
	return tid;
}

/* Takes a signal other than SIGCHLD that the agent got: its number, or -EAGAIN. */
int agent_signal(struct agent *a, siginfo_t *info)
{
	siginfo_t unused;

	return agent_call(a, do_signal, info ?: &unused, sizeof(*info));
}

static void write_map(pid_t pid, const char *name, const char *map)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dprintf(fd, "%s\n", map) < 0)
		die("%s", path);
	close(fd);
}

/* For an agent in a new user namespace: its ids, as uid_map takes them; it becomes root. */
void agent_map_users(struct agent *a, const char *map)
{
	write_map(a->pid, "uid_map", map);
	write_map(a->pid, "gid_map", map);
	call(a, do_become_root, NULL, 0);
}

void container_start_below(struct container *c, struct agent *parent, int with)
{
	agent_start(&c->init, parent, CLONE_NEWPID | with);
	c->fd = -1;
	if (with & WITH_USERS)
		agent_map_users(&c->init, USERS_MAP);
	if (with & WITH_PROC)
		call(&c->init, do_mount_proc, NULL, 0);
}

void container_start(struct container *c, int with)
{
	container_start_below(c, NULL, with);
}

/* Leaves the fd, which the test may still want. */
void container_kill(struct container *c)
{
	agent_kill(&c->init, SIGKILL);
}
