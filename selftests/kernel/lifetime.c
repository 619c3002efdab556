// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is registered for how long: numbers that come back, threads, execve(2),
 * fork(2) and its relatives, namespaces, tracers, managers that are killed.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test.h"
#include "worker.h"

/* Numbers that come back */

static void expect_unknown(struct __test_metadata *_metadata, FIXTURE_DATA(container) *self,
			   struct agent *a)
{
	EXPECT_NOT_LISTED(self->c.fd, a->pid);
	EXPECT_NOT_DAWARE(a->pid);
	EXPECT_EQ(-ENOENT, process_unregister(self->c.fd, a->pid, 0));
	EXPECT_EQ(-ENOENT, self_unregister(a));
	EXPECT_EQ(-ENOENT, self_refuse(a, SIGTERM));
}

/*
 * The process dies and another one has its number at once, most likely before
 * the module's worker has looked. Half of the new ones are left alone, half
 * register themselves in the place of the old one.
 */
TEST_F(container, number_comes_back)
{
	__u32 signalled, silent;
	struct agent a, b;
	char *text;
	int i;

	for (i = 0; i < 40; i++) {
		agent_start(&a, NULL, 0);
		if (i & 1)
			ASSERT_EQ(0, self_register(&a, SIGNALS(SIGTERM)));
		if (!(i & 1) || (i & 2))
			ASSERT_EQ(0, process_register(self->c.fd, a.pid, 0, SIGNALS(SIGTERM)));
		agent_kill(&a, SIGKILL);
		agent_start_as(&b, 0, &a.pid, 1);
		ASSERT_EQ(a.pid, b.pid);
		if (i & 4) {
			ASSERT_EQ(0, self_register(&b, SIGNALS(SIGHUP)));
			text = read_daware();
			EXPECT_EQ(1, daware_lines(text));
			EXPECT_STRNE("(nothing)", OR_NOTHING(daware_line(text, b.pid)));
			free(text);
			EXPECT_NOT_LISTED(self->c.fd, b.pid);
			EXPECT_EQ(0, self_unregister(&b));
		}
		expect_unknown(_metadata, self, &b);
		EXPECT_EQ(0, container_terminate(self->c.fd, &signalled, &silent));
		EXPECT_EQ(0, signalled);
		EXPECT_EQ(-EAGAIN, agent_signal(&b, NULL));
		agent_kill(&b, SIGKILL);
		ASSERT_TRUE(_metadata->passed);
	}
}

/* The new process registers while the module has not looked after the old one yet. */
TEST_F(container, number_comes_back_before_the_worker)
{
	struct agent a, b;
	int i;

	worker_prepare();
	for (i = 0; i < 10; i++) {
		agent_start(&a, NULL, 0);
		ASSERT_EQ(0, process_register(self->c.fd, a.pid, 0, SIGNALS(SIGTERM)));
		EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, a.pid, 0, MANAGED);
		worker_hold();
		agent_kill(&a, SIGKILL);
		agent_start_as(&b, 0, &a.pid, 1);
		expect_unknown(_metadata, self, &b);
		if (i & 1)
			EXPECT_EQ(0, self_register(&b, SIGNALS(SIGHUP)));
		worker_release();
		/* Now it has looked: the old one has ended, and the new one is as it was. */
		EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, a.pid, 0, SIGKILL);
		if (i & 1) {
			EXPECT_EQ(1, daware_lines(read_daware()));
			EXPECT_EQ(0, self_unregister(&b));
		}
		expect_unknown(_metadata, self, &b);
		EXPECT_NO_EVENT(self->c.fd);
		agent_kill(&b, SIGKILL);
		ASSERT_TRUE(_metadata->passed);
	}
}

/* The same for the init of a container: the new one is nobody's. */
TEST_F(container, number_of_init_comes_back)
{
	pid_t numbers[2] = { 1 };
	struct container next;
	int i, fd;

	for (i = 0; i < 20; i++) {
		numbers[1] = self->c.init.pid;
		container_kill(&self->c);
		agent_start_as(&next.init, CLONE_NEWPID, numbers, 2);
		ASSERT_EQ(numbers[1], next.init.pid);
		ASSERT_EQ(0, container_count(self->dre));
		EXPECT_EQ(-ENODEV, process_count(self->c.fd));
		ASSERT_EQ(0, self_register(&next.init, SIGNALS(SIGTERM)));
		EXPECT_EQ(-ENOENT, container_open(self->dre, APP, "c1"));
		fd = container_create(self->dre, APP, next.init.pid, "c1");
		ASSERT_LE(0, fd);
		EXPECT_EQ(-ENODEV, process_count(self->c.fd));
		EXPECT_LISTED(fd, next.init.pid, 1, SELF, SIGNALS(SIGTERM));
		close(self->c.fd);
		self->c = next;
		self->c.fd = fd;
	}
}

static pid_t wanted;
static pid_t thread_got;

static void *thread_with_number(void *arg)
{
	__atomic_store_n(&thread_got, gettid(), __ATOMIC_SEQ_CST);
	while (gettid() == wanted)
		pause();
	return NULL;
}

/* Makes a thread with this number; others may be faster to take it for a while. */
static int start_thread_as(int fd, void *arg)
{
	pthread_t thread;
	int last;

	wanted = *(pid_t *)arg;
	do {
		last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
		if (last < 0 || dprintf(last, "%d", wanted - 1) < 0)
			return -errno;
		close(last);
		thread_got = 0;
		if (pthread_create(&thread, NULL, thread_with_number, NULL))
			return -EAGAIN;
		while (!__atomic_load_n(&thread_got, __ATOMIC_SEQ_CST))
			sched_yield();
		if (thread_got != wanted)
			pthread_join(thread, NULL);
	} while (thread_got != wanted);
	return 0;
}

/* A thread has the number now. */
TEST_F(container, number_comes_back_as_a_thread)
{
	struct agent a, b;

	agent_start(&a, NULL, 0);
	ASSERT_EQ(0, process_register(self->c.fd, a.pid, 0, SIGNALS(SIGTERM)));
	agent_start(&b, NULL, 0);
	agent_kill(&a, SIGKILL);
	ASSERT_EQ(0, agent_call(&b, start_thread_as, &a.pid, sizeof(a.pid)));
	EXPECT_EQ(-EINVAL, process_register(self->c.fd, a.pid, 0, NO_SIGNALS));
	EXPECT_EQ(-EINVAL, process_unregister(self->c.fd, a.pid, 0));
	EXPECT_NOT_LISTED(self->c.fd, a.pid);
	EXPECT_NOT_DAWARE(a.pid);
	ASSERT_EQ(0, self_register(&b, SIGNALS(SIGTERM)));
	EXPECT_NOT_DAWARE(a.pid);
	EXPECT_EQ(1, daware_lines(read_daware()));
	agent_kill(&b, SIGKILL);
}

/* Threads */

/* It is there as long as one of its threads is. */
TEST_F(container, leader_exits_first)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;
	int status;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	agent_thread(&self->inside, true);
	EXPECT_EQ('Z', process_state(pid));
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGTERM));
	EXPECT_STRNE("(nothing)", OR_NOTHING(daware_line(read_daware(), pid)));
	EXPECT_NO_EVENT(self->c.fd);

	/* Its other threads may do all that it may. */
	EXPECT_EQ(0, self_refuse(&self->inside, SIGTERM));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REFUSED, pid, vpid, SIGTERM);
	EXPECT_EQ(0, self_unregister(&self->inside));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF);
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGHUP)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGHUP));
	/* So may a manager. */
	EXPECT_EQ(0, process_register(self->c.fd, pid, 0, NO_SIGNALS));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);
	EXPECT_EQ(0, process_unregister(self->c.fd, pid, 0));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF | MANAGED);
	EXPECT_EQ(0, process_register(self->c.fd, vpid, DRE_REGISTER_BY_VPID, NO_SIGNALS));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);

	status = agent_kill(&self->inside, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, pid, vpid, status);
	EXPECT_NOT_LISTED(self->c.fd, pid);
}

static int exit_thread(int fd, void *arg)
{
	syscall(SYS_exit, 3);
	return -EINVAL;
}

/* Which thread's status it is, the kernel decides: it is what wait(2) gives. */
TEST_F(container, threads_exit_one_by_one)
{
	int status;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_thread(&self->inside, true);
	agent_send(&self->inside, -1, exit_thread, NULL, 0);
	status = agent_wait(&self->inside);
	EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, status);
}

TEST_F(container, a_thread_exits_for_all)
{
	int status;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_thread(&self->inside, true);
	status = agent_exit(&self->inside, 9);
	EXPECT_EQ(9 << 8, status);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, status);
	EXPECT_NO_EVENT(self->c.fd);
}

static int thread_count(pid_t pid)
{
	char path[32];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die("%s", path);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

/* A thread that comes and goes is no process that does. */
TEST_F(container, a_thread_exits)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	agent_thread(&self->inside, false);
	agent_send(&self->inside, -1, exit_thread, NULL, 0);
	EXPECT_TRUE(eventually(thread_count(self->inside.pid) == 1));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGTERM));
	EXPECT_NO_EVENT(self->c.fd);
}

/* execve(2) */

/* Whatever thread calls it. */
FIXTURE(exec) {
	FIXTURE_DATA(container) base;
	int dre;
	struct container c;
	struct agent inside;
};

FIXTURE_VARIANT(exec) {
	bool thread;
	bool leader_exits;
};

FIXTURE_VARIANT_ADD(exec, leader) {
};

FIXTURE_VARIANT_ADD(exec, thread) {
	.thread = true,
};

FIXTURE_VARIANT_ADD(exec, thread_without_leader) {
	.thread = true,
	.leader_exits = true,
};

FIXTURE_SETUP(exec)
{
	setup_container(_metadata, &self->base);
	self->dre = self->base.dre;
	self->c = self->base.c;
	self->inside = self->base.inside;
}

FIXTURE_TEARDOWN(exec)
{
	teardown_container(_metadata, &self->base);
}

static void exec_as(const FIXTURE_VARIANT(exec) *variant, struct agent *a)
{
	if (variant->thread)
		agent_thread(a, variant->leader_exits);
	agent_exec(a);
}

/* That is told when the process exits, or says something else of itself. */
TEST_F(exec, ends_its_own_registration)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	exec_as(variant, &self->inside);
	EXPECT_NOT_LISTED(self->c.fd, self->inside.pid);
	EXPECT_NOT_DAWARE(self->inside.pid);
	EXPECT_EQ(-ENOENT, self_refuse(&self->inside, SIGTERM));
	EXPECT_EQ(-ENOENT, process_unregister(self->c.fd, self->inside.pid, 0));
	EXPECT_NO_EVENT(self->c.fd);
	agent_exit(&self->inside, 5);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, 5 << 8);
	EXPECT_NO_EVENT(self->c.fd);
}

/* The new program knows of nothing that it could take back, and the managers get to know. */
TEST_F(exec, the_new_program_unregisters)
{
	struct agent barrier;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	agent_start(&barrier, &self->c.init, 0);
	exec_as(variant, &self->inside);
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid,
		     SELF);
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));
	EXPECT_NO_EVENT(self->c.fd);

	/* With that it is over: the next event is another process'. */
	agent_kill(&self->inside, SIGKILL);
	ASSERT_EQ(0, process_register(self->c.fd, barrier.pid, 0, NO_SIGNALS));
	agent_kill(&barrier, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, barrier.pid, barrier.vpid, MANAGED);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, barrier.pid, barrier.vpid, SIGKILL);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(exec, leaves_the_managers)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;

	ASSERT_EQ(0, process_register(self->c.fd, pid, 0, SIGNALS(SIGUSR1)));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	exec_as(variant, &self->inside);
	EXPECT_LISTED(self->c.fd, pid, vpid, MANAGED, SIGNALS(SIGUSR1));
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF);
	EXPECT_LISTED(self->c.fd, pid, vpid, MANAGED, SIGNALS(SIGUSR1));
	EXPECT_EQ(4 << 8, agent_exit(&self->inside, 4));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, pid, vpid, 4 << 8);
	EXPECT_NO_EVENT(self->c.fd);
}

/* Each registration ends with one event: here both with one. */
TEST_F(exec, a_manager_unregisters)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, pid, 0, SIGNALS(SIGUSR1)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);
	exec_as(variant, &self->inside);
	EXPECT_EQ(0, process_unregister(self->c.fd, pid, 0));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF | MANAGED);
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(exec, the_new_program_registers)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	exec_as(variant, &self->inside);
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGHUP)));
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGHUP));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	agent_exec(&self->inside);
	EXPECT_NOT_LISTED(self->c.fd, pid);
	/* A manager may do it for the program. */
	EXPECT_EQ(0, process_register(self->c.fd, pid, DRE_REGISTER_SELF, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGTERM));
	agent_exec(&self->inside);
	EXPECT_NOT_LISTED(self->c.fd, pid);
}

/* Init execs all the time: it is still the container. */
TEST_F(exec, of_init)
{
	struct agent later;

	ASSERT_EQ(0, self_register(&self->c.init, SIGNALS(SIGTERM)));
	exec_as(variant, &self->c.init);
	EXPECT_EQ(1, container_count(self->dre));
	EXPECT_EQ(0, process_count(self->c.fd));
	agent_start(&later, &self->c.init, 0);
	EXPECT_EQ(0, self_register(&later, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->c.fd, later.pid, later.vpid, SELF, SIGNALS(SIGTERM));
}

static int fail_to_exec(int fd, void *arg)
{
	execl("/nowhere", "nowhere", NULL);
	return -errno;
}

TEST_F(container, exec_that_fails)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EQ(-ENOENT, agent_call(&self->inside, fail_to_exec, NULL, 0));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGTERM));
}

/* fork(2) and its relatives */

static void expect_not_inherited(struct __test_metadata *_metadata, FIXTURE_DATA(container) *self,
				 struct agent *child)
{
	EXPECT_NOT_LISTED(self->c.fd, child->pid);
	EXPECT_NOT_DAWARE(child->pid);
	EXPECT_EQ(-ENOENT, self_unregister(child));
	/* It has a registration of its own, and its parent keeps its. */
	EXPECT_EQ(0, self_register(child, SIGNALS(SIGHUP)));
	EXPECT_LISTED(self->c.fd, child->pid, child->vpid, SELF, SIGNALS(SIGHUP));
	EXPECT_EQ(2, process_count(self->c.fd));
	agent_kill(child, SIGKILL);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF | MANAGED,
		      SIGNALS(SIGTERM));
}

TEST_F(container, children)
{
	static const int flags[] = { 0, CLONE_VM };
	struct agent child;
	size_t i;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, NO_SIGNALS));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		agent_start(&child, &self->inside, flags[i]);
		expect_not_inherited(_metadata, self, &child);
	}
}

/* While the parent waits, the child is a process all the same; execve(2) sets the parent free. */
TEST_F(container, child_of_vfork)
{
	struct agent child;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_start(&child, &self->inside, CLONE_VM | CLONE_VFORK);
	EXPECT_NOT_LISTED(self->c.fd, child.pid);
	EXPECT_EQ(0, self_register(&child, SIGNALS(SIGHUP)));
	EXPECT_LISTED(self->c.fd, child.pid, child.vpid, SELF, SIGNALS(SIGHUP));
	agent_exec(&child);
	child.child = agent_receive(&self->inside, NULL, 0);
	EXPECT_EQ(child.vpid, child.child);
	EXPECT_NOT_LISTED(self->c.fd, child.pid);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGTERM));
	agent_kill(&child, SIGKILL);
}

static int outlive_parent(int fd, void *arg)
{
	return prctl(PR_SET_PDEATHSIG, 0) ? -errno : 0;
}

/* The parent goes: that says nothing about the child. */
TEST_F(container, orphans)
{
	struct agent parent, child;

	agent_start(&parent, &self->c.init, 0);
	agent_start(&child, &parent, 0);
	ASSERT_EQ(0, agent_call(&child, outlive_parent, NULL, 0));
	ASSERT_EQ(0, self_register(&parent, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&child, SIGNALS(SIGHUP)));
	agent_kill(&parent, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, parent.pid, parent.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, child.pid, child.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, parent.pid, parent.vpid, SIGKILL);
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_LISTED(self->c.fd, child.pid, child.vpid, SELF, SIGNALS(SIGHUP));
}

static int ignore_children(int fd, void *arg)
{
	return signal(SIGCHLD, SIG_IGN) == SIG_ERR ? -errno : 0;
}

static int exit_with(int fd, void *arg)
{
	_exit(*(int *)arg);
}

/* Nobody waits for it, no zombie is left: its status is known all the same. */
TEST_F(container, child_that_nobody_reaps)
{
	struct agent child;
	int code = 6;

	ASSERT_EQ(0, agent_call(&self->inside, ignore_children, NULL, 0));
	agent_start(&child, &self->inside, 0);
	ASSERT_EQ(0, self_register(&child, SIGNALS(SIGTERM)));
	agent_send(&child, -1, exit_with, &code, sizeof(code));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, child.pid, child.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, child.pid, child.vpid, code << 8);
}

TEST_F(container, zombie)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_kill_only(&self->inside, SIGKILL);
	EXPECT_NOT_LISTED(self->c.fd, self->inside.pid);
	EXPECT_NOT_DAWARE(self->inside.pid);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, SIGKILL);
	agent_wait(&self->inside);
	EXPECT_NO_EVENT(self->c.fd);
}

/* Namespaces */

TEST_F(container, child_in_a_nested_pid_namespace)
{
	struct container nested;
	struct agent deep;
	pid_t vpid;

	container_start_below(&nested, &self->inside, 0);
	agent_start(&deep, &nested.init, 0);
	ASSERT_EQ(0, self_register(&deep, SIGNALS(SIGTERM)));
	/* VPIDs are those of the container, not those of where the process is. */
	vpid = translate_one(self->c.fd, 0, deep.pid);
	EXPECT_LT(0, vpid);
	EXPECT_NE(deep.vpid, vpid);
	EXPECT_LISTED(self->c.fd, deep.pid, vpid, SELF, SIGNALS(SIGTERM));
	EXPECT_EQ(0, process_register(self->c.fd, nested.init.child, DRE_REGISTER_BY_VPID,
				      NO_SIGNALS));
	EXPECT_LISTED(self->c.fd, nested.init.pid, nested.init.child, MANAGED, NO_SIGNALS);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, deep.pid, vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, nested.init.pid, nested.init.child,
		     MANAGED);
	agent_kill(&nested.init, SIGKILL);
	EXPECT_EQ(0, process_count(self->c.fd));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, deep.pid, vpid, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, nested.init.pid, nested.init.child, SIGKILL);
}

/* The nested one becomes a container: what registered itself goes over, a manager's stays. */
TEST_F(container, nested_container)
{
	struct container nested;

	container_start_below(&nested, &self->inside, 0);
	ASSERT_EQ(0, self_register(&nested.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, NO_SIGNALS));
	nested.fd = container_create(self->dre, APP, nested.init.pid, "nested");
	ASSERT_LE(0, nested.fd);
	EXPECT_LISTED(nested.fd, nested.init.pid, 1, SELF, SIGNALS(SIGTERM));
	EXPECT_NOT_LISTED(self->c.fd, nested.init.pid);
	EXPECT_EQ(-EXDEV, process_register(self->c.fd, nested.init.pid, 0, NO_SIGNALS));
	EXPECT_EQ(-EXDEV, process_register(nested.fd, self->inside.pid, 0, NO_SIGNALS));
	agent_kill(&nested.init, SIGKILL);
	EXPECT_EQ(1, container_count(self->dre));
	EXPECT_EQ(1, process_count(self->c.fd));
}

static int enter(int fd, void *arg)
{
	return setns(fd, CLONE_NEWPID) ? -errno : 0;
}

/* As lxc-attach does it: from the host, and yet it lives in the container. */
TEST_F(container, who_enters)
{
	struct agent attach, child;
	char path[32];
	int ns;

	agent_start(&attach, NULL, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", self->c.init.pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ns);
	ASSERT_EQ(0, agent_call_fd(&attach, ns, enter, NULL, 0));
	agent_start(&child, &attach, 0);
	EXPECT_NE(child.pid, child.vpid);
	EXPECT_EQ(0, self_register(&child, SIGNALS(SIGTERM)));
	EXPECT_EQ(0, self_register(&attach, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->c.fd, child.pid, child.vpid, SELF, SIGNALS(SIGTERM));
	EXPECT_NOT_LISTED(self->c.fd, attach.pid);
	agent_kill(&child, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, child.pid, child.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, child.pid, child.vpid, SIGKILL);
	agent_kill(&attach, SIGKILL);
}

/* Managers */

static int keep_open(int fd, void *arg)
{
	return dup(fd) < 0 ? -errno : 0;
}

/* Nothing is the manager's own: the next one goes on. */
TEST_F(container, manager_is_killed)
{
	struct agent manager;

	agent_start(&manager, NULL, 0);
	ASSERT_EQ(0, agent_call_fd(&manager, self->c.fd, keep_open, NULL, 0));
	ASSERT_EQ(0, agent_call_fd(&manager, self->dre, keep_open, NULL, 0));
	close(self->c.fd);
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_kill(&manager, SIGKILL);
	EXPECT_EQ(1, container_count(self->dre));
	self->c.fd = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, self->c.fd);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGTERM));
}

/* A manager that is registered itself, for the container that it manages. */
TEST_F(container, registered_manager_is_killed)
{
	struct agent manager;

	agent_start(&manager, NULL, 0);
	ASSERT_EQ(0, agent_call_fd(&manager, self->c.fd, keep_open, NULL, 0));
	ASSERT_EQ(0, process_register(self->c.fd, manager.pid, 0, NO_SIGNALS));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, manager.pid, 0, MANAGED);
	agent_kill(&manager, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, manager.pid, 0, SIGKILL);
	EXPECT_EQ(0, process_count(self->c.fd));
}

/* Tracers */

/* A tracer is told first, of leaders before their threads too: none of it is the end. */
TEST_F(container, traced)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;
	int status;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGTERM));
	agent_thread(&self->inside, true);
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGTERM));
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_EQ(0, process_register(self->c.fd, pid, 0, NO_SIGNALS));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, pid, vpid, status);
	EXPECT_EQ(SIGKILL, status);
	EXPECT_EQ(SIGKILL, agent_wait(&self->inside));
	EXPECT_NO_EVENT(self->c.fd);
}

/* A tracer that is not the parent has taken its zombie: the real parent has it still. */
TEST_F(container, traced_registers)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;
	int status;

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF, SIGNALS(SIGTERM));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, pid, vpid, SIGKILL);
	EXPECT_NOT_LISTED(self->c.fd, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	EXPECT_NOT_LISTED(self->c.fd, pid);
	agent_wait(&self->inside);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_HARNESS_MAIN
