// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <dre.h>
#include <linux/ptrace.h>

#include "steps.h"

#define OTHERS		50	/* calls that only look: one in so many is a step */
#define BUSY_TIME	60	/* seconds: what a dead manager has started may still be under way */

#define CALL(_name)	{ SYS_##_name, #_name }

static const struct {
	int nr;
	const char *name;
} changing[] = {
	CALL(bind), CALL(chmod), CALL(chown), CALL(clone), CALL(clone3), CALL(connect), CALL(copy_file_range),
	CALL(execve), CALL(fallocate), CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(fchownat), CALL(fdatasync),
	CALL(flock), CALL(fork), CALL(fremovexattr), CALL(fsconfig), CALL(fsetxattr), CALL(fsmount), CALL(fsync),
	CALL(ftruncate), CALL(ioctl), CALL(kill), CALL(lchown), CALL(link), CALL(linkat), CALL(listen),
	CALL(lremovexattr), CALL(lsetxattr), CALL(mkdir), CALL(mkdirat), CALL(mknod), CALL(mknodat), CALL(mount),
	CALL(mount_setattr), CALL(move_mount), CALL(open_tree), CALL(openat2), CALL(pidfd_send_signal),
	CALL(pwrite64), CALL(pwritev), CALL(rename), CALL(renameat), CALL(renameat2), CALL(rmdir), CALL(sendfile),
	CALL(sendmsg), CALL(sendto), CALL(setns), CALL(setxattr), CALL(socket), CALL(symlink), CALL(symlinkat),
	CALL(syncfs), CALL(tgkill), CALL(truncate), CALL(umount2), CALL(unlink), CALL(unlinkat), CALL(unshare),
	CALL(utimensat), CALL(vfork), CALL(write), CALL(writev),
};

/* In memory that both share: the child's own calls are not to be ours. */
struct child {
	bool returned;
	int ret;
};

/* The call that the last child was killed at. */
static const char *last = "";

/* NULL: it only looks. */
static const char *name_of(const struct ptrace_syscall_info *info)
{
	size_t i;

	if (info->entry.nr == SYS_openat && info->entry.args[2] & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))
		return "openat";
	if (info->entry.nr == SYS_open && info->entry.args[1] & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))
		return "open";
	for (i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		if ((int)info->entry.nr == changing[i].nr)
			return changing[i].name;
	return NULL;
}

static void run(struct child *child, int (*call)(void))
{
	fflush(stdout);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(127);
	child->ret = call();
	child->returned = true;
	_exit(0);
}

/* Goes on to the next stop. Returns the signal that it is for, SIGTRAP | 0x80 for a call; 0: there is none. */
static int next_stop(pid_t pid, int signo)
{
	int status;

	assert_return_code(ptrace(PTRACE_SYSCALL, pid, NULL, (long)signo), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

/* Is the call that it stops at the beginning of a step? */
static bool is_step(pid_t pid, int *others)
{
	struct ptrace_syscall_info info;
	const char *name;

	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	name = name_of(&info);
	last = name ?: "another";
	return name || ++*others % OTHERS == 0;
}

static int trace(pid_t pid, const struct child *child, int n)
{
	int signo = 0, others = 0, steps = 0;

	for (;;) {
		signo = next_stop(pid, signo);
		if (!signo)
			return steps;
		if (signo != (SIGTRAP | 0x80))
			continue;	/* is delivered */
		signo = 0;
		if (child->returned || !is_step(pid, &others) || ++steps < n)
			continue;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		return steps;
	}
}

/*
 * Runs call() in a child process, which is killed at its step @n; from 1. Returns how many steps it has made: @n, or
 * fewer if it came to its end before, and then *@ret is what call() returned.
 */
static int run_until(int (*call)(void), int n, int *ret)
{
	struct child *child = mmap(NULL, sizeof(*child), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, steps;
	pid_t pid;

	assert_true(child != MAP_FAILED);
	fflush(stdout);
	pid = fork();
	if (!pid)
		run(child, call);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_return_code(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), errno);
	steps = trace(pid, child, n);
	if (steps < n)
		assert_true(child->returned);
	*ret = child->returned ? child->ret : 0;
	munmap(child, sizeof(*child));
	return steps;
}

/* The step that is tried as number @i, from 0 on. 0: no more. */
static int choose(int nr, int wanted, int i)
{
	const char *kills = getenv("DRE_KILLS"), *text = getenv("DRE_SEED");
	static unsigned int seed;

	if (!seed) {
		seed = text ? (unsigned int)atoi(text) : (unsigned int)time(NULL);
		printf("# DRE_SEED=%u\n", seed);
	}
	if (kills)
		wanted = strcmp(kills, "all") ? atoi(kills) : INT_MAX;
	if (wanted >= nr)
		return i < nr ? i + 1 : 0;
	/* One in each of equal parts. */
	return i < wanted ? 1 + (int)(((long)nr * i + rand_r(&seed) % nr) / wanted) : 0;
}

static int run_to_its_end(const struct steps_operation *op)
{
	int steps, ret;

	op->prepare();
	steps = run_until(op->call, INT_MAX, &ret);
	assert_int_equal(ret, 0);
	op->go_on();
	return steps;
}

static void call_again(const struct steps_operation *op)
{
	time_t end = time(NULL) + BUSY_TIME;
	int ret;

	while ((ret = op->call()) == DRE_ERR_CONTAINER_BUSY && time(NULL) < end)
		usleep(100000);
	if (ret && ret != op->is_done)
		fail_msg("%s: %d (%s)", op->name, ret, dre_last_error());
}

static void kill_at(const struct steps_operation *op, const struct steps_world *world, int n, int nr)
{
	int ret;

	op->prepare();
	run_until(op->call, n, &ret);
	assert_int_equal(ret, 0);
	printf("# %s: killed at step %d of %d: %s\n", op->name, n, nr, last);
	if (op->check)
		op->check();
	call_again(op);
	world->assert_nothing_wrong();
	op->go_on();
	world->assert_as_marked();
}

void steps_kill(const struct steps_operation *op, const struct steps_world *world, int wanted)
{
	int nr = run_to_its_end(op), tried = 0, n;

	world->mark();
	while ((n = choose(nr, wanted, tried))) {
		tried++;
		kill_at(op, world, n, nr);
	}
	printf("# %s: %d of %d steps tried\n", op->name, tried, nr);
}
