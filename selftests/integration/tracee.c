// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <dre.h>
#include <linux/ptrace.h>

#include "tracee.h"

#define OTHERS		50	/* calls that only look: one in so many is a step */
#define HELPERS_MAX	16	/* that a manager starts, one after the other or at once */

/* Which argument of a call that writes is the file that it writes to; none. */
#define NO_FILE		(-1)
#define NO_WRITE	(-2)

#define CALL(_name)		{ SYS_##_name, #_name, NO_WRITE }
#define CHANGE(_name)		{ SYS_##_name, #_name, NO_FILE }
#define WRITE(_name, _arg)	{ SYS_##_name, #_name, _arg }

/* Calls that change something outside of the process; those that a disk may refuse are CHANGE and WRITE. */
static const struct call {
	int nr;
	const char *name;
	int file;
} changing[] = {
	CALL(bind), CALL(clone), CALL(clone3), CALL(connect), CALL(execve), CALL(flock), CALL(fork), CALL(fsconfig),
	CALL(fsmount), CALL(ioctl), CALL(kill), CALL(listen), CALL(mount), CALL(mount_setattr), CALL(move_mount),
	CALL(open_tree), CALL(openat2), CALL(pidfd_send_signal), CALL(sendmsg), CALL(sendto), CALL(setns), CALL(socket),
	CALL(tgkill), CALL(umount2), CALL(unshare), CALL(vfork),
	CHANGE(chmod), CHANGE(chown), CHANGE(fchmod), CHANGE(fchmodat), CHANGE(fchown), CHANGE(fchownat),
	CHANGE(fremovexattr), CHANGE(fsetxattr), CHANGE(lchown), CHANGE(link), CHANGE(linkat), CHANGE(lremovexattr),
	CHANGE(lsetxattr), CHANGE(mkdir), CHANGE(mkdirat), CHANGE(mknod), CHANGE(mknodat), CHANGE(rename),
	CHANGE(renameat), CHANGE(renameat2), CHANGE(rmdir), CHANGE(setxattr), CHANGE(symlink), CHANGE(symlinkat),
	CHANGE(truncate), CHANGE(unlink), CHANGE(unlinkat), CHANGE(utimensat),
	WRITE(copy_file_range, 2), WRITE(fallocate, 0), WRITE(fdatasync, 0), WRITE(fsync, 0), WRITE(ftruncate, 0),
	WRITE(pwrite64, 0), WRITE(pwritev, 0), WRITE(sendfile, 0), WRITE(syncfs, 0), WRITE(write, 0), WRITE(writev, 0),
};

#define O_CHANGE	(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

#define OPTIONS		(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC)
#define FOLLOW		(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

#define SYSCALL_STOP	(SIGTRAP | 0x80)

/* A manager, and where it is stopped. What it says of itself is in memory that both share. */
struct manager {
	struct tracee_end *end;
	pid_t pid;
	pid_t helpers[HELPERS_MAX];	/* 0: it has ended, and its number may be another's */
	int nr_helpers;
	pid_t stopped;		/* one of these, at the beginning of a step */
	int others;		/* calls that only look */
};

/* NULL: it only looks. */
static const struct call *find_call(const struct ptrace_syscall_info *info)
{
	static const struct call creating = CHANGE(openat);
	size_t i;

	if ((info->entry.nr == SYS_openat && info->entry.args[2] & O_CHANGE) ||
	    (info->entry.nr == SYS_open && info->entry.args[1] & O_CHANGE))
		return &creating;
	for (i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		if ((int)info->entry.nr == changing[i].nr)
			return &changing[i];
	return NULL;
}

/* Is the child's file one on a disk? */
static bool is_on_disk(pid_t pid, int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0 || *path != '/')
		return false;
	path[n] = '\0';
	return strncmp(path, "/proc/", 6) && strncmp(path, "/sys/", 5) && strncmp(path, "/dev/", 5);
}

static bool may_fail(pid_t pid, const struct ptrace_syscall_info *info, const struct call *call)
{
	if (!call || call->file == NO_WRITE)
		return false;
	return call->file == NO_FILE || is_on_disk(pid, (int)info->entry.args[call->file]);
}

static void run(struct tracee_end *end, int (*call)(void))
{
	fflush(stdout);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(127);
	end->ret = call();
	if (end->ret)
		snprintf(end->text, sizeof(end->text), "%s", dre_last_error());
	end->returned = true;
	_exit(0);
}

static void go_on(pid_t pid, int signo)
{
	/* Somebody may have killed it. */
	if (ptrace(PTRACE_SYSCALL, pid, NULL, (long)signo))
		assert_int_equal(errno, ESRCH);
}

static bool is_thread(const struct manager *m, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", m->pid, pid);
	return pid != m->pid && !access(path, F_OK);
}

/* Who is not known yet stops for the first time: what it starts in turn is not followed. */
static bool is_new(struct manager *m, pid_t pid)
{
	if (pid == m->pid)
		return false;
	for (int i = 0; i < m->nr_helpers; i++)
		if (m->helpers[i] == pid)
			return false;
	assert_true(m->nr_helpers < HELPERS_MAX);
	m->helpers[m->nr_helpers++] = pid;
	assert_return_code(ptrace(PTRACE_SETOPTIONS, pid, NULL, OPTIONS), errno);
	return true;
}

static void forget(struct manager *m, pid_t pid)
{
	for (int i = 0; i < m->nr_helpers; i++)
		if (m->helpers[i] == pid)
			m->helpers[i] = 0;
}

/* Is the call that it stops at the beginning of a step? */
static bool is_step(struct manager *m, pid_t pid, const struct fault *fault)
{
	struct ptrace_syscall_info info;
	const struct call *call;

	if (m->end->returned || (pid != m->pid) != fault->in_helper)
		return false;
	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	call = find_call(&info);
	m->end->call = call ? call->name : "another";
	if (fault->error)
		return may_fail(pid, &info, call);
	return call || ++m->others % OTHERS == 0;
}

/* Goes on until the manager's end, or step @n. Returns how many steps there were. */
static int trace(struct manager *m, const struct fault *fault, int n)
{
	int steps = 0, status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		assert_return_code(pid, errno);
		if (!WIFSTOPPED(status)) {
			if (pid == m->pid)
				return steps;
			forget(m, pid);
		} else if (WSTOPSIG(status) == SYSCALL_STOP) {
			if (is_step(m, pid, fault) && ++steps == n) {
				m->stopped = pid;
				return steps;
			}
			go_on(pid, 0);
		} else if (is_thread(m, pid)) {
			ptrace(PTRACE_DETACH, pid, NULL, NULL);
		} else {
			go_on(pid, is_new(m, pid) || status >> 16 ? 0 : WSTOPSIG(status));
		}
	}
}

/* The call at whose beginning it stops is not made. */
static void fail_call(pid_t pid, int error)
{
	struct user_regs_struct regs;
	int status;

	assert_return_code(ptrace(PTRACE_GETREGS, pid, NULL, &regs), errno);
	regs.orig_rax = -1ULL;
	assert_return_code(ptrace(PTRACE_SETREGS, pid, NULL, &regs), errno);
	go_on(pid, 0);
	assert_int_equal(waitpid(pid, &status, __WALL), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SYSCALL_STOP);
	regs.rax = -(unsigned long long)error;
	assert_return_code(ptrace(PTRACE_SETREGS, pid, NULL, &regs), errno);
}

/* Whoever is struck, the manager comes to its end. */
static void strike(struct manager *m, const struct fault *fault)
{
	const char *call = m->end->call;

	if (fault->error) {
		fail_call(m->stopped, fault->error);
		go_on(m->stopped, 0);
	} else {
		kill(m->stopped, SIGKILL);
	}
	trace(m, &(struct fault){}, INT_MAX);
	m->end->call = call;
}

/* Those that live on do so without us. */
static void leave_helpers(const struct manager *m)
{
	int status;

	for (int i = 0; i < m->nr_helpers; i++) {
		pid_t pid = m->helpers[i];

		if (!pid || kill(pid, SIGSTOP) || waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
			continue;
		ptrace(PTRACE_DETACH, pid, NULL, NULL);
		kill(pid, SIGCONT);
	}
}

int tracee_run(int (*call)(void), const struct fault *fault, int n, struct tracee_end *end)
{
	struct manager m = {};
	int status, steps;

	m.end = mmap(NULL, sizeof(*end), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(m.end != MAP_FAILED);
	m.end->call = "none";
	fflush(stdout);
	m.pid = fork();
	if (!m.pid)
		run(m.end, call);
	assert_int_equal(waitpid(m.pid, &status, WUNTRACED), m.pid);
	assert_true(WIFSTOPPED(status));
	assert_return_code(ptrace(PTRACE_SETOPTIONS, m.pid, NULL, OPTIONS | (fault->in_helper ? FOLLOW : 0)), errno);
	go_on(m.pid, 0);
	steps = trace(&m, fault, n);
	if (steps == n)
		strike(&m, fault);
	leave_helpers(&m);
	*end = *m.end;
	munmap(m.end, sizeof(*end));
	return steps;
}
