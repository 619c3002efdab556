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
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <dre.h>
#include <linux/ptrace.h>

#include "steps.h"

#define OTHERS		50	/* calls that only look: one in so many is a step */
#define BUSY_TIME	60	/* seconds: what a dead manager has started may still be under way */

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

/* In memory that both share: the child's own calls are not to be ours. */
struct child {
	pid_t pid;
	bool returned;
	int ret;
	char text[1024];	/* of the error */
};

/* What happens at a step: an error, or 0: the child is killed. */
struct fault {
	int error;
	const char *name;
};

/* The call that the last child was stopped at. */
static const char *last = "";

/* The last child has said that it is done. */
static bool done;

/* Of all operations: managers that were struck, and those after which all was as it is to be. */
static unsigned long struck, survived;

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

static bool may_fail(const struct child *child, const struct ptrace_syscall_info *info, const struct call *call)
{
	if (!call || call->file == NO_WRITE)
		return false;
	return call->file == NO_FILE || is_on_disk(child->pid, (int)info->entry.args[call->file]);
}

static void run(struct child *child, int (*call)(void))
{
	fflush(stdout);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(127);
	child->ret = call();
	if (child->ret)
		snprintf(child->text, sizeof(child->text), "%s", dre_last_error());
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
static bool is_step(const struct child *child, const struct fault *fault, int *others)
{
	struct ptrace_syscall_info info;
	const struct call *call;

	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, child->pid, sizeof(info), &info) > 0);
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	call = find_call(&info);
	last = call ? call->name : "another";
	if (fault->error)
		return may_fail(child, &info, call);
	return call || ++*others % OTHERS == 0;
}

/* The call at whose beginning it stops is not made. */
static void fail_call(pid_t pid, int error)
{
	struct user_regs_struct regs;

	assert_return_code(ptrace(PTRACE_GETREGS, pid, NULL, &regs), errno);
	regs.orig_rax = -1ULL;
	assert_return_code(ptrace(PTRACE_SETREGS, pid, NULL, &regs), errno);
	assert_int_equal(next_stop(pid, 0), SIGTRAP | 0x80);
	regs.rax = -(unsigned long long)error;
	assert_return_code(ptrace(PTRACE_SETREGS, pid, NULL, &regs), errno);
}

/* To its end, or to step @n. */
static int trace(const struct child *child, const struct fault *fault, int n)
{
	int signo = 0, others = 0, steps = 0;

	for (;;) {
		signo = next_stop(child->pid, signo);
		if (!signo)
			return steps;
		if (signo != (SIGTRAP | 0x80))
			continue;	/* is delivered */
		signo = 0;
		if (!child->returned && is_step(child, fault, &others) && ++steps == n)
			return steps;
	}
}

static void strike(const struct child *child, const struct fault *fault)
{
	static const struct fault none;
	const char *call = last;

	if (fault->error) {
		fail_call(child->pid, fault->error);
		trace(child, &none, INT_MAX);
		last = call;
	} else {
		kill(child->pid, SIGKILL);
		assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
	}
}

/* An error says what the disk has said, whatever else it says. */
static void check_error(const struct child *child, const struct fault *fault)
{
	if (child->ret < 0 && fault->error && strstr(child->text, strerror(fault->error)))
		return;
	if (child->ret)
		fail_msg("%d (%s) of %s, %s", child->ret, child->text, last, fault->name);
}

/*
 * Runs call() in a child process, which is killed at its step @n, or the call fails there; from 1. Returns how many
 * steps it has made: @n, or fewer if it came to its end before, and then it must have succeeded.
 */
static int run_until(int (*call)(void), const struct fault *fault, int n)
{
	struct child *child = mmap(NULL, sizeof(*child), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, steps;
	pid_t pid;

	assert_true(child != MAP_FAILED);
	fflush(stdout);
	pid = fork();
	if (!pid)
		run(child, call);
	child->pid = pid;
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_return_code(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), errno);
	steps = trace(child, fault, n);
	if (steps == n)
		strike(child, fault);
	assert_true(child->returned || (steps == n && !fault->error));
	if (child->returned)
		check_error(child, steps == n ? fault : &(struct fault){});
	done = child->returned && !child->ret;
	munmap(child, sizeof(*child));
	return steps;
}

static unsigned int seed;

static void seed_chance(void)
{
	const char *text = getenv("DRE_SEED");

	if (seed)
		return;
	seed = text ? (unsigned int)atoi(text) : (unsigned int)time(NULL);
	printf("# DRE_SEED=%u\n", seed);
}

/* The step that is tried as number @i, from 0 on: one in each of @wanted equal parts. 0: no more. */
static int choose(int nr, int wanted, int i)
{
	if (wanted >= nr)
		return i < nr ? i + 1 : 0;
	return i < wanted ? 1 + (int)(((long)nr * i + rand_r(&seed) % nr) / wanted) : 0;
}

static int run_to_its_end(const struct steps_operation *op, const struct fault *fault)
{
	int steps;

	op->prepare();
	steps = run_until(op->call, fault, INT_MAX);
	op->go_on();
	return steps;
}

bool steps_said_done(void)
{
	return done;
}

/* What was said to be done is not done once more. */
static void call_again(const struct steps_operation *op)
{
	time_t end = time(NULL) + BUSY_TIME;
	int ret;

	while ((ret = op->call()) == DRE_ERR_CONTAINER_BUSY && time(NULL) < end)
		usleep(100000);
	if (ret != op->is_done && (ret || done))
		fail_msg("%s: %d (%s)", op->name, ret, dre_last_error());
}

/* Returns whether it was struck: now and then there are fewer steps than the time before. */
static bool try_step(const struct steps_operation *op, const struct steps_world *world, const struct fault *fault,
		     int n, int nr)
{
	bool hit;

	op->prepare();
	hit = run_until(op->call, fault, n) == n;
	struck += hit;
	printf("# %s: %s at step %d of %d: %s\n", op->name, hit ? fault->name : "came to its end before it was to be",
	       n, nr, last);
	if (op->check)
		op->check();
	call_again(op);
	world->assert_nothing_wrong();
	op->go_on();
	world->assert_as_marked();
	survived += hit;
	return hit;
}

static void try_steps(const struct steps_operation *op, const struct steps_world *world, const struct fault *fault,
		      int wanted)
{
	int nr = run_to_its_end(op, fault), tried = 0, hits = 0, n;

	world->mark();
	while ((n = choose(nr, wanted, tried))) {
		tried++;
		hits += try_step(op, world, fault, n, nr);
	}
	printf("# %s: %s at %d of %d steps\n", op->name, fault->name, hits, nr);
}

/* Also where a test has failed. Managers leave by _exit(). */
static void __attribute__((destructor)) sum_up(void)
{
	if (struck)
		printf("# points tried: %lu, failed: %lu\n", struck, struck - survived);
}

void steps_try(const struct steps_operation *op, const struct steps_world *world, int wanted)
{
	static const struct fault faults[] = { { 0, "killed" }, { EIO, "EIO" }, { ENOSPC, "ENOSPC" } };
	const size_t nr = sizeof(faults) / sizeof(faults[0]);
	const char *kills = getenv("DRE_KILLS");

	seed_chance();
	for (size_t i = 0; kills && i < nr; i++)
		try_steps(op, world, &faults[i], strcmp(kills, "all") ? atoi(kills) : INT_MAX);
	for (int i = 0; !kills && i < wanted; i++)
		try_steps(op, world, &faults[i || wanted == 1 ? rand_r(&seed) % nr : 0], 1);
}
