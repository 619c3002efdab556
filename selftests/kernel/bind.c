// SPDX-License-Identifier: GPL-2.0-only
/* BIND, UNBIND and BINDING_LIST, and what comes of bindings. */
#include <limits.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "group.h"
#include "worker.h"

#define BY_VPID	DRE_BIND_BY_VPID

/* Moving there and back */

TEST_F(group, host_process)
{
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EQ(1, binding_count(self->fd));
	EXPECT_GROUP(self->fd, "g1", 1);
	EXPECT_GROUP(self->fd, "g2", 0);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->host.pid, 0, self->g1);
	EXPECT_NO_EVENT(self->fd);
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_GROUP(self->fd, "g1", 0);
	/* It is not registered by that. */
	EXPECT_EQ(0, process_count(self->fd));
}

TEST_F(group, container_process)
{
	pid_t pid = self->inside->pid, vpid = self->inside->vpid;

	EXPECT_EQ(0, process_bind(self->fd, pid, 0, "g1"));
	EXPECT_BOUND(self->fd, pid, vpid, self->g1, "g1");
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, pid, vpid, self->g1);
	EXPECT_EQ(0, process_unbind(self->fd, vpid, BY_VPID, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, pid, vpid, self->g1);
	EXPECT_TRUE(in_cgroup(pid, "payload"));

	EXPECT_EQ(0, process_bind(self->fd, vpid, BY_VPID, "g2"));
	EXPECT_BOUND(self->fd, pid, vpid, self->g2, "g2");
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, pid, vpid, self->g2);
	EXPECT_EQ(0, process_unbind(self->fd, pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(pid, "payload"));
}

/* Init is a process like the others. */
TEST_F(group, init_of_the_container)
{
	EXPECT_EQ(0, process_bind(self->fd, 1, BY_VPID, "g1"));
	EXPECT_BOUND(self->fd, self->init->pid, 1, self->g1, "g1");
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
	EXPECT_EQ(0, process_unbind(self->fd, self->init->pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->init->pid, "payload"));
}

TEST_F(group, registered_process)
{
	ASSERT_EQ(0, self_register(self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside->pid, self->inside->vpid, SELF);
	EXPECT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_LISTED(self->fd, self->inside->pid, self->inside->vpid, SELF, SIGNALS(SIGTERM));
	ASSERT_EQ(0, self_unregister(self->inside));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, self->g1, "g1");
}

TEST_F(group, again)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NO_EVENT(self->fd);
	EXPECT_GROUP(self->fd, "g1", 1);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid,
			 process_unbind(self->fd, self->host.pid, 0, "g1"));
}

/* It keeps where it came from. */
TEST_F(group, from_one_to_another)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->host.pid, 0, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g2);
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g2, "g2");
	EXPECT_GROUP(self->fd, "g1", 0);
	EXPECT_GROUP(self->fd, "g2", 1);
	EXPECT_NOT_MOVED(ENOENT, self->host.pid,
			 process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
}

TEST_F(group, several_in_one)
{
	struct agent more[4];
	int i;

	for (i = 0; i < 4; i++) {
		agent_start(&more[i], i % 2 ? self->init : NULL, 0);
		ASSERT_EQ(0, process_bind(self->fd, more[i].pid, 0, "g1"));
		EXPECT_GROUP(self->fd, "g1", i + 1);
	}
	EXPECT_EQ(0, process_unbind(self->fd, more[1].pid, 0, "g1"));
	EXPECT_GROUP(self->fd, "g1", 3);
	EXPECT_NOT_BOUND(self->fd, more[1].pid);
	EXPECT_BOUND(self->fd, more[2].pid, 0, self->g1, "g1");
	agent_kill(&more[2], SIGKILL);
	EXPECT_GROUP(self->fd, "g1", 2);
	agent_kill(&more[0], SIGKILL);
	EXPECT_GROUP(self->fd, "g1", 1);
}

/* Where a process goes whose origin is not there any more, or never was */

TEST_F(group, origin_of_a_host_process_is_removed)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_remove("origin"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "/"));
	EXPECT_EQ(0, binding_count(self->fd));
}

/* One of the same path is another one. */
TEST_F(group, origin_is_removed_and_made_again)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_remove("origin"));
	cgroup_make("origin");
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "/"));
}

TEST_F(group, origin_of_a_container_process_is_removed)
{
	ASSERT_EQ(0, cgroup_enter("origin", self->inside->pid));
	ASSERT_EQ(0, cgroup_enter("payload", self->host.pid));
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_remove("origin"));
	EXPECT_EQ(0, process_unbind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
}

/* Init waits for the others, who live until then. Nothing limits who is in the root. */
TEST_F(group, unbound_while_init_ends)
{
	pid_t pid = self->inside->pid;
	int status;

	ASSERT_EQ(0, cgroup_enter("origin", pid));
	ASSERT_EQ(0, process_bind(self->fd, pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_enter("g2", self->host.pid));
	ASSERT_EQ(0, cgroup_remove("origin"));
	/* It stops where it begins to end, killed by init's end. */
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT));
	ASSERT_EQ(0, kill(self->init->pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, __WALL));
	ASSERT_EQ(SIGTRAP | PTRACE_EVENT_EXIT << 8, status >> 8);
	EXPECT_EQ(0, process_unbind(self->fd, pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(pid, "payload"));
	EXPECT_EQ(0, ptrace(PTRACE_DETACH, pid, NULL, NULL));
}

#define LONG_NAME	"123456789.123456789.123456789.123456789.123456789.123456789.123456789.123456789." \
			"123456789.123456789.123456789.123456789.123456789.123456789.123456789.123456789." \
			"123456789.123456789.123456789.123456789.123456789.123456789.123456789.123456789."
#define LEVELS		(PATH_MAX / (sizeof(LONG_NAME) - 1) + 1)

/* Whoever makes directories can make their path longer than a path may be. */
TEST_F(group, origin_with_a_long_path)
{
	int dir[LEVELS + 1], procs;
	size_t i;

	dir[0] = open(CGROUPS "/dre-test/origin", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < LEVELS; i++) {
		ASSERT_EQ(0, mkdirat(dir[i], LONG_NAME, 0755));
		dir[i + 1] = openat(dir[i], LONG_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_LE(0, dir[i + 1]);
	}
	procs = openat(dir[LEVELS], "cgroup.procs", O_RDWR | O_CLOEXEC);
	ASSERT_LT(0, dprintf(procs, "%d", self->host.pid));
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, lseek(procs, 0, SEEK_SET));
	EXPECT_EQ(self->host.pid, atoi(read_all(procs, 64)));
	close(procs);

	/* Nobody could clean up by a path. */
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	for (i = LEVELS; i > 0; i--) {
		close(dir[i]);
		EXPECT_EQ(0, unlinkat(dir[i - 1], LONG_NAME, AT_REMOVEDIR));
	}
	close(dir[0]);
}

/* Who was in the cgroup before it was bound came from nowhere else. */
TEST_F(group, was_there_already)
{
	ASSERT_EQ(0, cgroup_enter("g1", self->host.pid));
	ASSERT_EQ(0, cgroup_enter("g1", self->inside->pid));
	EXPECT_NOT_BOUND(self->fd, self->host.pid);
	EXPECT_NOT_MOVED(ENOENT, self->host.pid,
			 process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "/"));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
}

TEST_F(group, child_of_a_bound_one)
{
	struct agent child;

	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	agent_start(&child, self->inside, 0);
	EXPECT_TRUE(in_cgroup(child.pid, "g1"));
	EXPECT_NOT_BOUND(self->fd, child.pid);
	EXPECT_GROUP(self->fd, "g1", 1);
	EXPECT_NOT_MOVED(ENOENT, child.pid, process_unbind(self->fd, child.pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(child.pid, "g1"));
	/* It is not in the way. */
	EXPECT_EQ(0, process_bind(self->fd, child.pid, 0, "g2"));
	EXPECT_EQ(0, process_unbind(self->fd, child.pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(child.pid, "g1"));
	EXPECT_EQ(0, group_destroy(self->fd, "g1"));
}

/* Moved by somebody else */

TEST_F(group, moved_out_by_hand)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_enter("payload", self->host.pid));
	EXPECT_NOT_BOUND(self->fd, self->host.pid);
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_GROUP(self->fd, "g1", 0);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EQ(-ENOENT, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "payload"));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->host.pid, 0, self->g1);
	EXPECT_NO_EVENT(self->fd);
	/* Its origin is where it is bound from now. */
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "payload"));
}

TEST_F(group, moved_out_by_hand_and_bound_again)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_enter("payload", self->host.pid));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->host.pid, 0, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "payload"));
}

/* From one control group to the other: it is bound to none of them. */
TEST_F(group, moved_over_by_hand)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_enter("g2", self->host.pid));
	EXPECT_NOT_BOUND(self->fd, self->host.pid);
	EXPECT_GROUP(self->fd, "g1", 0);
	EXPECT_GROUP(self->fd, "g2", 0);
	EXPECT_NOT_MOVED(ENOENT, self->host.pid,
			 process_unbind(self->fd, self->host.pid, 0, "g2"));
}

/* Which process */

TEST_F(group, numbers_of_no_process)
{
	static const pid_t none[] = { 4194303, INT_MAX };
	static const pid_t bad[] = { 0, -1, INT_MIN };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_REFUSED(self->dre, self->fd, EINVAL,
			       process_bind(self->fd, bad[i], 0, "g1"));
		EXPECT_REFUSED(self->dre, self->fd, EINVAL,
			       process_bind(self->fd, bad[i], BY_VPID, "g1"));
		EXPECT_REFUSED(self->dre, self->fd, EINVAL,
			       process_unbind(self->fd, bad[i], 0, "g1"));
		EXPECT_REFUSED(self->dre, self->fd, EINVAL,
			       process_unbind(self->fd, bad[i], BY_VPID, "g1"));
	}
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_REFUSED(self->dre, self->fd, ESRCH,
			       process_bind(self->fd, none[i], 0, "g1"));
		EXPECT_REFUSED(self->dre, self->fd, ESRCH,
			       process_bind(self->fd, none[i], BY_VPID, "g1"));
		EXPECT_REFUSED(self->dre, self->fd, ESRCH,
			       process_unbind(self->fd, none[i], 0, "g1"));
	}
	EXPECT_TRUE(in_cgroup(getpid(), "/"));
}

TEST_F(group, kernel_thread)
{
	EXPECT_NOT_MOVED(EINVAL, KTHREADD, process_bind(self->fd, KTHREADD, 0, "g1"));
	EXPECT_NOT_MOVED(EINVAL, KTHREADD, process_unbind(self->fd, KTHREADD, 0, "g1"));
}

TEST_F(group, zombie)
{
	struct agent zombie;

	agent_start(&zombie, NULL, 0);
	agent_kill_only(&zombie, SIGKILL);
	EXPECT_REFUSED(self->dre, self->fd, ESRCH, process_bind(self->fd, zombie.pid, 0, "g1"));
	EXPECT_REFUSED(self->dre, self->fd, ESRCH, process_unbind(self->fd, zombie.pid, 0, "g1"));
	agent_wait(&zombie);
	EXPECT_REFUSED(self->dre, self->fd, ESRCH, process_bind(self->fd, zombie.pid, 0, "g1"));
}

TEST_F(group, names)
{
	static const char *const bad[] = { "", "-a", "a/b", "..", "a b" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_NOT_MOVED(EINVAL, self->host.pid,
				 process_bind(self->fd, self->host.pid, 0, bad[i]));
		EXPECT_NOT_MOVED(EINVAL, self->host.pid,
				 process_unbind(self->fd, self->host.pid, 0, bad[i]));
	}
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g11"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, process_bind(self->fd, self->host.pid, 0, "G1"));
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g3"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, process_unbind(self->fd, self->host.pid, 0, "g3"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
}

/* A second container, with a control group of its own. */
static void start_second(struct __test_metadata *_metadata, int dre, struct container *c)
{
	container_start(c, 0);
	c->fd = container_create(dre, APP, c->init.pid, "c2");
	ASSERT_LE(0, c->fd);
	cgroup_make("second");
	make_group(_metadata, c->fd, "second");
}

TEST_F(group, process_of_another_container)
{
	struct container second;
	struct agent nested;

	start_second(_metadata, self->dre, &second);
	EXPECT_NOT_MOVED(EXDEV, second.init.pid,
			 process_bind(self->fd, second.init.pid, 0, "g1"));
	agent_start(&nested, &second.init, CLONE_NEWPID);
	EXPECT_NOT_MOVED(EXDEV, nested.pid, process_bind(self->fd, nested.pid, 0, "g1"));
	/* Its VPID is that of somebody else in here. */
	EXPECT_EQ(0, process_bind(self->fd, second.init.vpid, BY_VPID, "g1"));
	EXPECT_TRUE(in_cgroup(second.init.pid, "/"));
	EXPECT_TRUE(in_cgroup(self->init->pid, "g1"));
	EXPECT_NOT_MOVED(ENOENT, second.init.pid,
			 process_unbind(self->fd, second.init.pid, 0, "g1"));
	container_kill(&second);
}

/* The innermost container that is known is where a process lives. */
TEST_F(group, process_of_a_nested_namespace)
{
	struct agent nested;

	agent_start(&nested, self->init, CLONE_NEWPID);
	EXPECT_EQ(0, process_bind(self->fd, nested.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(nested.pid, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, nested.pid, 0, "g1"));
	EXPECT_EQ(1, nested.vpid);
	EXPECT_TRUE(in_cgroup(nested.pid, "payload"));
}

TEST_F(group, bound_for_another_container)
{
	struct container second;

	start_second(_metadata, self->dre, &second);
	ASSERT_EQ(0, process_bind(second.fd, self->host.pid, 0, "second"));
	EXPECT_NOT_MOVED(EBUSY, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid,
			 process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_EQ(1, binding_count(second.fd));
	EXPECT_EVENT(second.fd, DRE_EVENT_BOUND, self->host.pid, 0, 1);
	EXPECT_NO_EVENT(second.fd);
	/* It does not stand in the way any more when it was moved out. */
	ASSERT_EQ(0, cgroup_enter("payload", self->host.pid));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EVENT(second.fd, DRE_EVENT_UNBOUND, self->host.pid, 0, 1);
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "payload"));
	container_kill(&second);
}

/* Registered for one container, bound for another: the two have nothing to do with each other. */
TEST_F(group, registered_for_another_container)
{
	struct container second;

	start_second(_metadata, self->dre, &second);
	ASSERT_EQ(0, process_register(second.fd, self->host.pid, 0, NO_SIGNALS));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	container_kill(&second);
}

/* Threads */

static bool task_in(const struct agent *a, pid_t tid, const char *name)
{
	char path[64], text[PATH_MAX] = "", wanted[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/cgroup", a->pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	snprintf(wanted, sizeof(wanted), "0::/dre-test/%s\n", name);
	return n > 0 && strstr(text, wanted);
}

TEST_F(group, threads)
{
	pid_t tid = agent_thread(&self->host, false);

	EXPECT_NOT_MOVED(EINVAL, tid, process_bind(self->fd, tid, 0, "g1"));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(task_in(&self->host, self->host.pid, "g1"));
	EXPECT_TRUE(task_in(&self->host, tid, "g1"));
	EXPECT_NOT_MOVED(EINVAL, tid, process_unbind(self->fd, tid, 0, "g1"));
	EXPECT_NOT_BOUND(self->fd, tid);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(task_in(&self->host, self->host.pid, "origin"));
	EXPECT_TRUE(task_in(&self->host, tid, "origin"));
}

/* The leader is a zombie, and the process is not. */
TEST_F(group, threads_without_their_leader)
{
	pid_t tid = agent_thread(&self->host, true);
	struct dre_binding_info info;

	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(task_in(&self->host, tid, "g1"));
	EXPECT_EQ(0, binding_find(self->fd, self->host.pid, &info));
	EXPECT_EQ(self->g1, info.group);
	EXPECT_GROUP(self->fd, "g1", 1);
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_TRUE(task_in(&self->host, tid, "g2"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_TRUE(task_in(&self->host, tid, "origin"));
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	agent_kill(&self->host, SIGKILL);
	EXPECT_EQ(0, binding_count(self->fd));
	agent_start(&self->host, NULL, 0);
}

/* A program that another thread than the leader executes. */
TEST_F(group, exec)
{
	agent_thread(&self->host, false);
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	agent_exec(&self->host);
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
}

/* What the kernel says to the move */

/* A domain controller, which a cgroup has for its children or its processes, not for both. */
static const char *domain_controller(void)
{
	static const char *const wanted[] = { "memory", "io", "hugetlb" };
	int fd = open(CGROUPS "/cgroup.controllers", O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_all(fd, 4096);
	size_t i;

	close(fd);
	for (i = 0; text && i < ARRAY_SIZE(wanted); i++)
		if (strstr(text, wanted[i]))
			return wanted[i];
	return NULL;
}

TEST_F(group, controllers_for_its_children)
{
	const char *controller = domain_controller();
	char enable[16];

	if (!controller)
		SKIP(return, "the kernel has no domain controller");
	snprintf(enable, sizeof(enable), "+%s", controller);
	cgroup_write("/", "cgroup.subtree_control", enable);
	ASSERT_EQ(0, cgroup_write("", "cgroup.subtree_control", enable));
	ASSERT_EQ(0, cgroup_write("g1", "cgroup.subtree_control", enable));
	ASSERT_EQ(-EBUSY, cgroup_enter("g1", self->host.pid));
	EXPECT_NOT_MOVED(EBUSY, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(EBUSY, self->inside->pid,
			 process_bind(self->fd, self->inside->pid, 0, "g1"));
	/* One that is bound elsewhere stays so. */
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_NOT_MOVED(EBUSY, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g2, "g2");
	/* Nor can it go back to where it came from. */
	ASSERT_EQ(0, cgroup_write("origin", "cgroup.subtree_control", enable));
	EXPECT_NOT_MOVED(EBUSY, self->host.pid,
			 process_unbind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g2, "g2");
	ASSERT_EQ(0, cgroup_remove("origin"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "/"));
}

/* A domain that became invalid because its neighbour is threaded. */
TEST_F(group, threaded_domain)
{
	int dir;

	cgroup_make("g1/threaded");
	cgroup_make("g1/domain");
	ASSERT_EQ(0, cgroup_write("g1/threaded", "cgroup.type", "threaded"));
	dir = cgroup_open("g1/domain");
	ASSERT_EQ(0, group_create(self->fd, dir, "domain", NULL));
	close(dir);
	ASSERT_EQ(-EOPNOTSUPP, cgroup_enter("g1/domain", self->host.pid));
	EXPECT_NOT_MOVED(EOPNOTSUPP, self->host.pid,
			 process_bind(self->fd, self->host.pid, 0, "domain"));
	EXPECT_NOT_MOVED(EOPNOTSUPP, self->inside->pid,
			 process_bind(self->fd, self->inside->pid, 0, "domain"));
}

/* A process goes into a threaded cgroup, and back, as a whole. */
TEST_F(group, threaded_cgroup)
{
	pid_t tid = agent_thread(&self->host, false);
	__u32 id;
	int dir;

	cgroup_make("g1/threaded");
	ASSERT_EQ(0, cgroup_write("g1/threaded", "cgroup.type", "threaded"));
	dir = cgroup_open("g1/threaded");
	ASSERT_EQ(0, group_create(self->fd, dir, "threaded", &id));
	close(dir);
	ASSERT_EQ(0, cgroup_enter("g1/threaded", self->host.pid));
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "threaded"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, id, "g1/threaded");
	EXPECT_TRUE(task_in(&self->host, tid, "g1/threaded"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "threaded"));
	EXPECT_TRUE(task_in(&self->host, tid, "origin"));
}

static void make_threaded(struct __test_metadata *_metadata, const char *name)
{
	cgroup_make(name);
	ASSERT_EQ(0, cgroup_write(name, "cgroup.type", "threaded"));
}

/* One thread alone, to a cgroup of the same domain. */
static int thread_enter(const char *name, pid_t tid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", tid);
	return cgroup_write(name, "cgroup.threads", number);
}

/* Also then it goes back to where it came from; with its threads in several, to their domain. */
TEST_F(group, origin_is_threaded)
{
	pid_t pid = self->host.pid, tid = agent_thread(&self->host, false);

	make_threaded(_metadata, "origin/one");
	make_threaded(_metadata, "origin/two");
	ASSERT_EQ(0, cgroup_enter("origin/one", pid));
	ASSERT_EQ(0, process_bind(self->fd, pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, pid, 0, "g2"));
	EXPECT_EQ(0, process_unbind(self->fd, pid, 0, "g2"));
	EXPECT_TRUE(task_in(&self->host, pid, "origin/one"));
	EXPECT_TRUE(task_in(&self->host, tid, "origin/one"));

	ASSERT_EQ(0, thread_enter("origin/two", tid));
	ASSERT_EQ(0, process_bind(self->fd, pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, pid, 0, "g1"));
	EXPECT_TRUE(task_in(&self->host, pid, "origin"));
	EXPECT_TRUE(task_in(&self->host, tid, "origin"));

	ASSERT_EQ(0, thread_enter("origin/two", tid));
	ASSERT_EQ(0, process_bind(self->fd, pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, pid, 0, "g1"));
	EXPECT_TRUE(task_in(&self->host, pid, "origin"));
	EXPECT_TRUE(task_in(&self->host, tid, "origin"));
}

/* It was in the domain, and not in the control group itself. */
TEST_F(group, origin_is_threaded_below_the_group)
{
	make_threaded(_metadata, "g1/threaded");
	ASSERT_EQ(0, cgroup_enter("g1/threaded", self->host.pid));
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "g1/threaded"));
	EXPECT_NOT_BOUND(self->fd, self->host.pid);
}

/* Its threads may be put apart, in threaded cgroups of that domain: it is bound as before. */
TEST_F(group, threads_in_a_threaded_cgroup)
{
	pid_t tids[] = { self->host.pid, agent_thread(&self->host, false) };
	struct dre_binding_info info = {};
	size_t i;

	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	make_threaded(_metadata, "g1/threaded");
	for (i = 0; i < ARRAY_SIZE(tids); i++) {
		ASSERT_EQ(0, thread_enter("g1/threaded", tids[i]));
		ASSERT_TRUE(task_in(&self->host, tids[i], "g1/threaded"));
	}
	EXPECT_EQ(0, binding_find(self->fd, self->host.pid, &info));
	EXPECT_EQ(self->g1, info.group);
	EXPECT_GROUP(self->fd, "g1", 1);
	EXPECT_NOT_MOVED(EBUSY, self->host.pid, group_destroy(self->fd, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_BOUND(self->fd, self->host.pid);
	for (i = 0; i < ARRAY_SIZE(tids); i++)
		EXPECT_TRUE(task_in(&self->host, tids[i], "origin"));
}

static int enter_cgroup_namespace(int fd, void *arg)
{
	return unshare(CLONE_NEWCGROUP) ? -errno : 0;
}

#define BIND_AS(_who, _pid, _flags, _name)	\
	agent_bind(_who, self->fd, DRE_IOC_BIND, _pid, _flags, _name)
#define UNBIND_AS(_who, _pid, _flags, _name)	\
	agent_bind(_who, self->fd, DRE_IOC_UNBIND, _pid, _flags, _name)

/* The rights that count are those of who asks, and the same as for a move by hand. */
TEST_F(group, caller_without_permission)
{
	struct agent user;

	agent_start(&user, NULL, 0);
	ASSERT_EQ(0, agent_call(&user, become_nobody, NULL, 0));
	EXPECT_NOT_MOVED(EACCES, self->inside->pid, BIND_AS(&user, self->inside->pid, 0, "g1"));
	EXPECT_NOT_MOVED(EACCES, self->host.pid, BIND_AS(&user, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(EACCES, user.pid, BIND_AS(&user, user.pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_NOT_MOVED(EACCES, self->inside->pid, BIND_AS(&user, self->inside->pid, 0, "g2"));
	EXPECT_NOT_MOVED(EACCES, self->inside->pid, UNBIND_AS(&user, self->inside->pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, self->g1, "g1");

	/* The target alone is not enough: the kernel also looks at what both have in common. */
	ASSERT_EQ(0, cgroup_chown("g2", NOBODY));
	EXPECT_NOT_MOVED(EACCES, self->inside->pid, BIND_AS(&user, self->inside->pid, 0, "g2"));
	ASSERT_EQ(0, cgroup_chown("", NOBODY));
	EXPECT_EQ(0, BIND_AS(&user, self->inside->pid, 0, "g2"));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, self->g2, "g2");
	EXPECT_NOT_MOVED(EACCES, self->inside->pid, UNBIND_AS(&user, self->inside->pid, 0, "g2"));
	ASSERT_EQ(0, cgroup_chown("payload", NOBODY));
	EXPECT_EQ(0, UNBIND_AS(&user, self->inside->pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
	agent_kill(&user, SIGKILL);
}

/* A holder of the fd in the container: numbers are its own, and it needs the rights, too. */
TEST_F(group, caller_in_the_container)
{
	EXPECT_NOT_MOVED(EACCES, self->inside->pid,
			 BIND_AS(self->init, self->inside->vpid, 0, "g1"));
	/* It does not see others; a number that it does not know is nobody's. */
	EXPECT_NOT_MOVED(ESRCH, self->host.pid, BIND_AS(self->init, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(EINVAL, self->host.pid, BIND_AS(self->init, 0, 0, "g1"));
	ASSERT_EQ(0, cgroup_chown("", 100000));
	ASSERT_EQ(0, cgroup_chown("g1", 100000));
	ASSERT_EQ(0, cgroup_chown("payload", 100000));
	EXPECT_EQ(0, BIND_AS(self->init, self->inside->vpid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, self->g1, "g1");
	EXPECT_EQ(0, UNBIND_AS(self->init, self->inside->vpid, BY_VPID, "g1"));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
	EXPECT_EQ(0, BIND_AS(self->init, 1, 0, "g1"));
	EXPECT_BOUND(self->fd, self->init->pid, 1, self->g1, "g1");
	/* A process of the host that is bound here is out of its reach. */
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(ESRCH, self->host.pid, UNBIND_AS(self->init, self->host.pid, 0, "g1"));
}

/* What is not below the root of the caller's cgroup namespace is not there for it. */
TEST_F(group, caller_in_a_cgroup_namespace)
{
	struct agent caller;

	agent_start(&caller, NULL, 0);
	ASSERT_EQ(0, cgroup_enter("payload", caller.pid));
	ASSERT_EQ(0, agent_call(&caller, enter_cgroup_namespace, NULL, 0));
	EXPECT_NOT_MOVED(ENOENT, self->inside->pid, BIND_AS(&caller, self->inside->pid, 0, "g1"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, BIND_AS(&caller, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_NOT_MOVED(ENOENT, self->inside->pid, UNBIND_AS(&caller, self->inside->pid, 0, "g1"));
	agent_kill(&caller, SIGKILL);

	/* With all of it below that root it is as without. */
	agent_start(&caller, NULL, 0);
	ASSERT_EQ(0, cgroup_enter("", caller.pid));
	ASSERT_EQ(0, agent_call(&caller, enter_cgroup_namespace, NULL, 0));
	EXPECT_EQ(0, BIND_AS(&caller, self->inside->pid, 0, "g2"));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, self->g2, "g2");
	EXPECT_EQ(0, UNBIND_AS(&caller, self->inside->pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
	EXPECT_EQ(0, BIND_AS(&caller, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, UNBIND_AS(&caller, self->host.pid, 0, "g1"));
	/* The root of all, where a process without an origin goes, is not below it. */
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_remove("origin"));
	EXPECT_NOT_MOVED(ENOENT, self->host.pid, UNBIND_AS(&caller, self->host.pid, 0, "g1"));
	agent_kill(&caller, SIGKILL);
}

/*
 * Whoever makes a control group may have mounted something over its files, where
 * he may: a pipe that nobody reads, a file of somebody else's. It is not touched.
 */
TEST_F(group, something_is_mounted_over_the_files)
{
	static const char over[] = "/tmp/dre-over";
	char procs[PATH_MAX];
	struct stat st;
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	fd = cgroup_open("g1");
	snprintf(procs, sizeof(procs), "/proc/self/fd/%d/cgroup.procs", fd);
	unlink(over);
	ASSERT_EQ(0, mkfifo(over, 0600));
	ASSERT_EQ(0, group_destroy(self->fd, "g1"));
	self->g1 = make_group(_metadata, self->fd, "g1");
	ASSERT_EQ(0, mount(over, procs, NULL, MS_BIND, NULL));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
	ASSERT_EQ(0, umount2(procs, MNT_DETACH));
	ASSERT_EQ(0, unlink(over));

	close(open(over, O_CREAT | O_WRONLY, 0600));
	ASSERT_EQ(0, mount(over, procs, NULL, MS_BIND, NULL));
	EXPECT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "g1"));
	ASSERT_EQ(0, stat(over, &st));
	EXPECT_EQ(0, st.st_size);
	ASSERT_EQ(0, umount2(procs, MNT_DETACH));
	unlink(over);
	close(fd);
}

/* Whoever owns a cgroup can let wait who opens its files. Only those who move something there wait. */
TEST_F(group, lease_on_the_files)
{
	int fd = open(CGROUPS "/dre-test/origin/cgroup.procs", O_RDONLY | O_CLOEXEC), status;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	signal(SIGIO, SIG_IGN);
	ASSERT_EQ(0, fcntl(fd, F_SETLEASE, F_RDLCK));
	child = fork();
	if (!child)
		_exit(-process_unbind(self->fd, self->host.pid, 0, "g1"));
	/* It is to be given back as soon as somebody wants to write. */
	EXPECT_TRUE(eventually(fcntl(fd, F_GETLEASE) == F_UNLCK));
	EXPECT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG));

	EXPECT_EQ(0, fcntl(fd, F_SETLEASE, F_UNLCK));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));

	/* Who waits can be ended. */
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, fcntl(fd, F_SETLEASE, F_RDLCK));
	child = fork();
	if (!child)
		_exit(-process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(eventually(fcntl(fd, F_GETLEASE) == F_UNLCK));
	EXPECT_EQ(0, kill(child, SIGTERM));
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGTERM, status);
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
	close(fd);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
}

/*
 * The mount that the directory was given by counts. Nobody is moved by one that is
 * read-only, and one that becomes so later keeps nobody there for good.
 */
TEST_F(group, directory_on_a_read_only_mount)
{
	static const char at[] = "/tmp/dre-read-only";
	int fd, dir;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	mkdir(at, 0700);
	ASSERT_EQ(0, mount(CGROUPS, at, NULL, MS_BIND, NULL));
	fd = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	dir = openat(fd, "dre-test/g1", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, group_destroy(self->fd, "g1"));
	ASSERT_EQ(0, group_create(self->fd, dir, "g1", &self->g1));
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));

	ASSERT_EQ(0, mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_NOT_MOVED(EROFS, self->host.pid, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(EROFS, self->inside->pid,
			 process_unbind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, self->g1, "g1");
	EXPECT_GROUP(self->fd, "g1", 1);
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g2"));
	EXPECT_EQ(0, process_unbind(self->fd, self->inside->pid, 0, "g2"));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));

	close(dir);
	close(fd);
	ASSERT_EQ(0, umount2(at, MNT_DETACH));
	rmdir(at);
}

/* Ends */

TEST_F(group, bound_process_exits)
{
	pid_t pid = self->inside->pid, vpid = self->inside->vpid;

	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, pid, 0, "g2"));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, pid, vpid, self->g2);
	agent_kill_only(&self->host, SIGKILL);
	EXPECT_NOT_BOUND(self->fd, self->host.pid);
	EXPECT_GROUP(self->fd, "g1", 0);
	EXPECT_EQ(-ESRCH, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->host.pid, 0, self->g1);
	agent_wait(&self->host);
	agent_exit(self->inside, 3);
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, pid, vpid, self->g2);
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_NO_EVENT(self->fd);
	agent_start(&self->host, NULL, 0);
}

/* Those of the container end with it, and say so before it does. */
TEST_F(group, container_ends)
{
	struct dre_event event;
	int bound = 0;

	ASSERT_EQ(0, process_bind(self->fd, self->init->pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g2"));
	ASSERT_EQ(0, self_register(self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->init->pid, 1, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->inside->pid, self->inside->vpid, self->g2);
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside->pid, self->inside->vpid, SELF);
	container_kill(&self->base.c);
	EXPECT_EQ(0, binding_count(self->fd));
	do {
		ASSERT_EQ(1, next_event(self->fd, &event));
		bound += event.type == DRE_EVENT_UNBOUND;
	} while (event.type != DRE_EVENT_ENDED);
	EXPECT_EQ(2, bound);
	EXPECT_EOF(self->fd);
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	container_start(&self->base.c, 0);
}

/* All requests to the fd of a container that has ended, but those that release. */
static void expect_ended(struct __test_metadata *_metadata, int fd, struct agent *host)
{
	struct dre_process_info info;
	__u32 n;

	EXPECT_EQ(POLLHUP, readable(fd) & POLLHUP);
	EXPECT_EOF(fd);
	EXPECT_EQ(-ENODEV, process_register(fd, host->pid, 0, NO_SIGNALS));
	EXPECT_EQ(-ENODEV, process_unregister(fd, host->pid, 0));
	EXPECT_EQ(-ENODEV, process_find(fd, host->pid, &info));
	EXPECT_EQ(-ENODEV, translate_one(fd, 0, host->pid));
	EXPECT_EQ(-ENODEV, container_terminate(fd, &n, &n));
	EXPECT_EQ(-ENODEV, group_create(fd, -1, "g3", NULL));
	EXPECT_EQ(-ENODEV, group_destroy(fd, "g1"));
	EXPECT_EQ(-ENODEV, process_bind(fd, host->pid, 0, "g2"));
}

TEST_F(group, container_ends_with_a_host_process)
{
	struct dre_event event;
	int fd;

	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	container_kill(&self->base.c);
	do {
		ASSERT_EQ(1, next_event(self->fd, &event));
	} while (event.type != DRE_EVENT_ENDED);
	EXPECT_TRUE(in_cgroup(self->host.pid, "g1"));
	EXPECT_EQ(-ENOENT, container_open(self->dre, APP, "c1"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c2"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, SYS, "c1"));
	EXPECT_EQ(0, container_count(self->dre));

	fd = container_open_ended(self->dre, APP, "c1");
	ASSERT_LE(0, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	expect_ended(_metadata, fd, &self->host);
	expect_ended(_metadata, self->fd, &self->host);
	EXPECT_BOUND(fd, self->host.pid, 0, self->g1, "g1");
	EXPECT_EQ(1, binding_count(self->fd));
	/* Only the one that somebody is bound to is left. */
	EXPECT_EQ(1, group_count(fd));
	EXPECT_GROUP(fd, "g1", 1);
	EXPECT_EQ(-ENOENT, process_unbind(fd, self->host.pid, 0, "g2"));
	EXPECT_EQ(0, process_unbind(fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));

	EXPECT_EQ(0, binding_count(fd));
	EXPECT_EQ(0, group_count(fd));
	EXPECT_EQ(-ENOENT, process_unbind(fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	expect_ended(_metadata, fd, &self->host);
	close(fd);
	container_start(&self->base.c, 0);
}

/* Also by the fd that was there before. */
TEST_F(group, container_ends_and_its_old_fd_releases)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	container_kill(&self->base.c);
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	container_start(&self->base.c, 0);
}

/* Who cleans up goes on until there is none: one that nobody is bound for is not one. */
TEST_F(group, container_ended_and_nobody_is_bound_any_more)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	container_kill(&self->base.c);
	ASSERT_TRUE(eventually(readable(self->fd) & POLLHUP));
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));

	/* The same with one that was moved out before. */
	container_start(&self->base.c, 0);
	close(self->fd);
	self->fd = container_create(self->dre, APP, self->init->pid, "c1");
	ASSERT_LE(0, self->fd);
	make_group(_metadata, self->fd, "g1");
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	container_kill(&self->base.c);
	ASSERT_TRUE(eventually(readable(self->fd) & POLLHUP));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	container_start(&self->base.c, 0);
}

TEST_F(group, container_ended_and_the_bound_process_exits)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	container_kill(&self->base.c);
	agent_kill(&self->host, SIGKILL);
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_EQ(0, cgroup_remove("g1"));
	agent_start(&self->host, NULL, 0);
	container_start(&self->base.c, 0);
}

/* Its control groups' directories are user space's also after the end. */
TEST_F(group, container_ended_and_the_origin_is_removed)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	container_kill(&self->base.c);
	ASSERT_EQ(0, cgroup_remove("origin"));
	EXPECT_EQ(-EBUSY, cgroup_remove("g1"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "/"));
	EXPECT_EQ(0, cgroup_remove("g1"));
	container_start(&self->base.c, 0);
}

#define GENERATIONS	3

/* Several of one name have ended: the first one first. One that lives is none of them. */
TEST_F(group, generations)
{
	struct agent host[GENERATIONS];
	int i, fd;

	for (i = 0; i < GENERATIONS; i++) {
		if (i) {
			close(self->fd);
			container_start(&self->base.c, 0);
			self->fd = container_create(self->dre, APP, self->init->pid, "c1");
			ASSERT_LE(0, self->fd);
			make_group(_metadata, self->fd, "g1");
		}
		agent_start(&host[i], NULL, 0);
		ASSERT_EQ(0, cgroup_enter("origin", host[i].pid));
		ASSERT_EQ(0, process_bind(self->fd, host[i].pid, 0, "g1"));
		container_kill(&self->base.c);
		ASSERT_TRUE(eventually(readable(self->fd) & POLLHUP));
	}
	close(self->fd);
	container_start(&self->base.c, 0);
	self->fd = container_create(self->dre, APP, self->init->pid, "c1");
	ASSERT_LE(0, self->fd);
	self->g1 = make_group(_metadata, self->fd, "g1");
	/* The old ones are not this one's, though they are in the same cgroup. */
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_NOT_MOVED(EBUSY, host[0].pid, process_bind(self->fd, host[0].pid, 0, "g1"));
	EXPECT_NOT_MOVED(ENOENT, host[0].pid, process_unbind(self->fd, host[0].pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	for (i = 0; i < GENERATIONS; i++) {
		fd = container_open_ended(self->dre, APP, "c1");
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, binding_count(fd));
		EXPECT_EQ(-ENOENT, process_unbind(fd, self->host.pid, 0, "g1"));
		EXPECT_EQ(0, process_unbind(fd, host[i].pid, 0, "g1"));
		EXPECT_TRUE(in_cgroup(host[i].pid, "origin"));
		close(fd);
		agent_kill(&host[i], SIGKILL);
	}
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	EXPECT_BOUND(self->fd, self->host.pid, 0, self->g1, "g1");
}

/* Init has ended, and the worker has not come yet: what is left over is left over at once. */
TEST_F(group, container_has_just_ended)
{
	int fd;

	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	worker_prepare();
	worker_hold();
	agent_kill_only(self->init, SIGKILL);
	fd = container_open_ended(self->dre, APP, "c1");
	worker_release();
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, process_unbind(fd, self->host.pid, 0, "g1"));
	agent_wait(self->init);
	container_start(&self->base.c, 0);
}

/* The flag is for managers, and alone. */
TEST_F(group, open_ended_errors)
{
	struct dre_container_open o = { .size = sizeof(o), .type = APP, .name = "c1" };
	struct agent user;

	o.flags = DRE_OPEN_ENDED | 2;
	EXPECT_REFUSED(self->dre, self->fd, EINVAL,
		       dre_request(self->dre, DRE_IOC_CONTAINER_OPEN, &o));
	EXPECT_REFUSED(self->dre, self->fd, EINVAL, container_open_ended(self->dre, 3, "c1"));
	EXPECT_REFUSED(self->dre, self->fd, EINVAL, container_open_ended(self->dre, APP, "-"));
	EXPECT_REFUSED(self->dre, self->fd, ENOENT, container_open_ended(self->dre, APP, "none"));
	agent_start(&user, NULL, 0);
	ASSERT_EQ(0, agent_call(&user, become_nobody, NULL, 0));
	o.flags = DRE_OPEN_ENDED;
	EXPECT_REFUSED(self->dre, self->fd, EPERM,
		       agent_request(&user, -1, DRE_IOC_CONTAINER_OPEN, &o, sizeof(o)));
	agent_kill(&user, SIGKILL);
}

TEST_HARNESS_MAIN
