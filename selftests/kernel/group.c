// SPDX-License-Identifier: GPL-2.0-only
/* GROUP_CREATE, GROUP_DESTROY and GROUP_LIST. Walking over the list is in list.c. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "group.h"

/* 63 and 64 bytes. */
#define LONGEST	"a23456789.123456789.123456789.123456789.123456789.123456789.123"
#define TOO_LONG LONGEST "4"

static const char *const bad_names[] = {
	"", ".", "..", "-", "_", "-a", ".a", "_a", "a b", "a/b", "a\n", " a", "a:b", "a\x7f",
	"\xc3\xa4", "a%s", TOO_LONG,
};

static const char *const good_names[] = { "a", "Z", "0", "9-_.", "a..", LONGEST };

/* Makes @name a control group with the cgroup of that name. */
static int create(int fd, const char *cgroup, const char *name, __u32 *id)
{
	int dir = cgroup_open(cgroup);
	int ret = group_create(fd, dir, name, id);

	close(dir);
	return ret;
}

TEST_F(group, makes_it_known)
{
	struct dre_group_info info;
	__u32 id = 0;

	EXPECT_EQ(0, create(self->fd, "payload", "g3", &id));
	EXPECT_EQ(3, group_count(self->fd));
	EXPECT_EQ(0, group_find(self->fd, "g3", &info));
	EXPECT_EQ(id, info.id);
	EXPECT_NE(self->g1, id);
	EXPECT_NE(self->g2, id);
	EXPECT_LT(0, id);
	EXPECT_EQ(0, info.bindings);
	EXPECT_EQ(cgroup_number("payload"), info.cgroup);
	/* Who is in the cgroup is not bound by that. */
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_NO_EVENT(self->fd);
	EXPECT_EQ(0, group_destroy(self->fd, "g3"));
	EXPECT_NO_GROUP(self->fd, "g3");
	EXPECT_EQ(2, group_count(self->fd));
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
	EXPECT_NO_EVENT(self->fd);
}

/* A number is never that of another one. */
TEST_F(group, numbers)
{
	__u32 id, last = self->g2;
	int i;

	EXPECT_LT(self->g1, self->g2);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, create(self->fd, "payload", "g3", &id));
		EXPECT_LT(last, id);
		last = id;
		ASSERT_EQ(0, group_destroy(self->fd, "g3"));
	}
}

TEST_F(group, names)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good_names); i++) {
		EXPECT_EQ(0, create(self->fd, "payload", good_names[i], NULL));
		EXPECT_GROUP(self->fd, good_names[i], 0);
		EXPECT_EQ(0, group_destroy(self->fd, good_names[i]));
	}
	for (i = 0; i < ARRAY_SIZE(bad_names); i++) {
		EXPECT_REFUSED(self->dre, self->fd, EINVAL,
			       create(self->fd, "payload", bad_names[i], NULL));
		EXPECT_REFUSED(self->dre, self->fd, EINVAL, group_destroy(self->fd, bad_names[i]));
		if (!_metadata->passed) {
			TH_LOG("the name is '%s'", bad_names[i]);
			return;
		}
	}
}

/* What stands behind a name's end is neither looked at nor kept. */
TEST_F(group, name_with_a_tail)
{
	struct dre_group g = {
		.size = sizeof(g),
		.fd = cgroup_open("payload"),
		.name = "g3\0tail",
	};
	struct dre_group_info info[3];
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)info,
		.entry_size = sizeof(info[0]),
		.count = 3,
	};
	char name[DRE_NAME_SIZE] = "g3";

	memset(info, 0xee, sizeof(info));
	EXPECT_EQ(0, dre_request(self->fd, DRE_IOC_GROUP_CREATE, &g));
	EXPECT_EQ(0, dre_request(self->fd, DRE_IOC_GROUP_LIST, &list));
	ASSERT_EQ(3, list.count);
	EXPECT_EQ(0, memcmp(name, info[2].name, sizeof(name)));
}

TEST_F(group, fields_of_destroy)
{
	struct dre_group g = { .size = sizeof(g), .name = "g1" };

	g.fd = 1;
	EXPECT_REFUSED(self->dre, self->fd, EINVAL,
		       dre_request(self->fd, DRE_IOC_GROUP_DESTROY, &g));
	g.fd = -1;
	EXPECT_REFUSED(self->dre, self->fd, EINVAL,
		       dre_request(self->fd, DRE_IOC_GROUP_DESTROY, &g));
	g.fd = 0;
	g.id = self->g1;
	EXPECT_REFUSED(self->dre, self->fd, EINVAL,
		       dre_request(self->fd, DRE_IOC_GROUP_DESTROY, &g));
}

#define EXPECT_NOT_CREATED(_error, _dir, _name)				\
	EXPECT_REFUSED(self->dre, self->fd, _error,			\
		       group_create(self->fd, _dir, _name, NULL))

TEST_F(group, names_that_are_taken)
{
	int dir;

	cgroup_make("g3");
	dir = cgroup_open("g3");
	EXPECT_NOT_CREATED(EEXIST, dir, "g1");
	close(dir);
	dir = cgroup_open("g1");
	EXPECT_NOT_CREATED(EEXIST, dir, "g1");
	EXPECT_NOT_CREATED(EBUSY, dir, "g3");
	close(dir);
	EXPECT_REFUSED(self->dre, self->fd, ENOENT, group_destroy(self->fd, "g3"));
	/* It is free as soon as it is destroyed. */
	EXPECT_EQ(0, group_destroy(self->fd, "g1"));
	EXPECT_REFUSED(self->dre, self->fd, ENOENT, group_destroy(self->fd, "g1"));
	EXPECT_EQ(0, create(self->fd, "g1", "g3", NULL));
	EXPECT_EQ(0, create(self->fd, "g3", "g1", NULL));
}

/* Each container has names of its own; they may share a cgroup. */
TEST_F(group, of_another_container)
{
	struct container second;

	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	ASSERT_LE(0, second.fd);
	EXPECT_EQ(0, group_count(second.fd));
	EXPECT_EQ(-ENOENT, group_destroy(second.fd, "g1"));
	EXPECT_EQ(0, create(second.fd, "g2", "g1", NULL));
	EXPECT_EQ(1, group_count(second.fd));
	EXPECT_EQ(0, group_destroy(second.fd, "g1"));
	EXPECT_GROUP(self->fd, "g1", 0);
	container_kill(&second);
}

/* O_PATH is what the others use. */
TEST_F(group, files_for_the_directory)
{
	int dir;

	dir = open(CGROUPS "/dre-test/payload", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT_EQ(0, group_create(self->fd, dir, "g3", NULL));
	close(dir);
	EXPECT_GROUP(self->fd, "g3", 0);
	dir = cgroup_open("/");
	EXPECT_EQ(0, group_create(self->fd, dir, "root", NULL));
	close(dir);
}

static int open_removed(void)
{
	int dir;

	cgroup_make("gone");
	dir = cgroup_open("gone");
	cgroup_remove("gone");
	return dir;
}

TEST_F(group, files_that_are_no_cgroup)
{
	static const char *const paths[] = {
		"/", "/tmp", "/proc", "/proc/self", "/sys", "/sys/kernel", "/dev/null", DAWARE,
		CGROUPS "/cgroup.procs", CGROUPS "/dre-test/g1/cgroup.events",
	};
	int fd, p[2];
	size_t i;

	EXPECT_NOT_CREATED(EBADF, -1, "g3");
	EXPECT_NOT_CREATED(EBADF, 1000, "g3");
	EXPECT_NOT_CREATED(EBADF, INT32_MIN, "g3");
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		fd = open(paths[i], O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_NOT_CREATED(EBADF, fd, "g3");
		close(fd);
		fd = open(paths[i], O_PATH | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_NOT_CREATED(EBADF, fd, "g3");
		close(fd);
	}
	ASSERT_EQ(0, pipe2(p, O_CLOEXEC));
	EXPECT_NOT_CREATED(EBADF, p[0], "g3");
	EXPECT_NOT_CREATED(EBADF, self->dre, "g3");
	EXPECT_NOT_CREATED(EBADF, self->fd, "g3");
	fd = open_removed();
	EXPECT_NOT_CREATED(ENOENT, fd, "g3");
}

static int create_there(int fd, void *arg)
{
	return create(fd, arg, arg, NULL);
}

/* Where the caller may not move processes to others are not to move them by a name of his. */
TEST_F(group, caller_without_permission)
{
	char name[] = "payload";
	struct agent user;

	agent_start(&user, NULL, 0);
	ASSERT_EQ(0, agent_call(&user, become_nobody, NULL, 0));
	EXPECT_REFUSED(self->dre, self->fd, EACCES,
		       agent_call_fd(&user, self->fd, create_there, name, sizeof(name)));
	ASSERT_EQ(0, cgroup_chown("payload", NOBODY));
	EXPECT_EQ(0, agent_call_fd(&user, self->fd, create_there, name, sizeof(name)));
	EXPECT_GROUP(self->fd, "payload", 0);
	agent_kill(&user, SIGKILL);
}

/* A symbolic link is not what it leads to. */
TEST_F(group, link_to_the_directory)
{
	int fd;

	unlink("/tmp/dre-link");
	ASSERT_EQ(0, symlink(CGROUPS "/dre-test/payload", "/tmp/dre-link"));
	fd = open("/tmp/dre-link", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_NOT_CREATED(EBADF, fd, "g3");
	ASSERT_EQ(0, unlink("/tmp/dre-link"));
}

/* Of version 1, a hierarchy without a controller. Others do not see that it is mounted. */
TEST_F(group, version_1)
{
	static const char dir[] = "/tmp/dre-v1";
	int fd, root;

	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_TRUE(!mkdir(dir, 0755) || errno == EEXIST);
	if (mount("cgroup", dir, "cgroup", 0, "none,name=dre-test")) {
		ASSERT_EQ(ENODEV, errno);
		rmdir(dir);
		SKIP(return, "the kernel has no cgroups of version 1");
	}
	ASSERT_TRUE(!mkdir("/tmp/dre-v1/g3", 0755) || errno == EEXIST);
	fd = open("/tmp/dre-v1/g3", O_PATH | O_CLOEXEC);
	root = open(dir, O_RDONLY | O_CLOEXEC);
	EXPECT_NOT_CREATED(EOPNOTSUPP, fd, "g3");
	EXPECT_NOT_CREATED(EOPNOTSUPP, root, "g3");
	close(fd);
	close(root);
	/* With it the hierarchy goes. */
	EXPECT_EQ(0, rmdir("/tmp/dre-v1/g3"));
	EXPECT_EQ(0, umount(dir));
	EXPECT_EQ(0, rmdir(dir));
}

/* The directory is user space's; what the module keeps is no obstacle. */
TEST_F(group, directory_is_removed)
{
	__u32 id;

	ASSERT_EQ(0, cgroup_remove("g1"));
	EXPECT_NO_GROUP(self->fd, "g1");
	EXPECT_EQ(1, group_count(self->fd));
	EXPECT_REFUSED(self->dre, self->fd, ENOENT, group_destroy(self->fd, "g1"));
	EXPECT_NOT_MOVED(ENOENT, self->inside->pid,
			 process_bind(self->fd, self->inside->pid, 0, "g1"));
	/* One of the same path is another one. */
	cgroup_make("g1");
	EXPECT_NO_GROUP(self->fd, "g1");
	EXPECT_NOT_MOVED(ENOENT, self->inside->pid,
			 process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_EQ(0, create(self->fd, "g1", "g1", &id));
	EXPECT_LT(self->g2, id);
	EXPECT_GROUP(self->fd, "g1", 0);
	EXPECT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	EXPECT_BOUND(self->fd, self->inside->pid, self->inside->vpid, id, "g1");
}

/* The kernel lets a cgroup go in which there are only zombies. */
TEST_F(group, directory_is_removed_below_a_zombie)
{
	struct agent zombie;

	agent_start(&zombie, NULL, 0);
	ASSERT_EQ(0, process_bind(self->fd, zombie.pid, 0, "g1"));
	agent_kill_only(&zombie, SIGKILL);
	EXPECT_GROUP(self->fd, "g1", 0);
	ASSERT_EQ(0, cgroup_remove("g1"));
	EXPECT_NO_GROUP(self->fd, "g1");
	EXPECT_EQ(-ENOENT, process_unbind(self->fd, self->host.pid, 0, "g1"));
	agent_wait(&zombie);
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, zombie.pid, 0, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, zombie.pid, 0, self->g1);
	EXPECT_NO_EVENT(self->fd);
}

TEST_F(group, destroy_while_bound)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOT_MOVED(EBUSY, self->host.pid, group_destroy(self->fd, "g1"));
	EXPECT_EQ(0, group_destroy(self->fd, "g2"));
	ASSERT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, group_destroy(self->fd, "g1"));
}

TEST_F(group, destroy_after_the_exit)
{
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g1"));
	agent_kill(self->inside, SIGKILL);
	EXPECT_EQ(0, group_destroy(self->fd, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->inside->pid, self->inside->vpid, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->inside->pid, self->inside->vpid, self->g1);
	EXPECT_NO_EVENT(self->fd);
}

/* Who was moved out by somebody else is not bound, and not in the way; who was moved in neither. */
TEST_F(group, destroy_after_a_move_by_hand)
{
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	ASSERT_EQ(0, cgroup_enter("g1", self->inside->pid));
	EXPECT_GROUP(self->fd, "g1", 0);
	EXPECT_EQ(0, group_destroy(self->fd, "g1"));
	EXPECT_EVENT(self->fd, DRE_EVENT_BOUND, self->host.pid, 0, self->g1);
	EXPECT_EVENT(self->fd, DRE_EVENT_UNBOUND, self->host.pid, 0, self->g1);
	EXPECT_NO_EVENT(self->fd);
	EXPECT_TRUE(in_cgroup(self->inside->pid, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
}

static void make_many(struct __test_metadata *_metadata, int fd, int from, int to)
{
	char name[16];
	int i;

	for (i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		cgroup_make(name);
		ASSERT_EQ(0, create(fd, name, name, NULL));
	}
}

TEST_F_TIMEOUT(group, as_many_as_there_may_be, 120)
{
	int dir;

	make_many(_metadata, self->fd, 2, DRE_GROUPS_MAX);
	cgroup_make("more");
	dir = cgroup_open("more");
	EXPECT_NOT_CREATED(ENOSPC, dir, "more");
	/* What was removed does not count. */
	ASSERT_EQ(0, cgroup_remove("n2"));
	EXPECT_EQ(DRE_GROUPS_MAX - 1, group_count(self->fd));
	EXPECT_EQ(0, group_create(self->fd, dir, "more", NULL));
	EXPECT_EQ(-ENOSPC, create(self->fd, "payload", "even-more", NULL));
	ASSERT_EQ(0, group_destroy(self->fd, "n3"));
	EXPECT_EQ(0, create(self->fd, "payload", "even-more", NULL));
	EXPECT_EQ(-ENOSPC, create(self->fd, "n3", "n3", NULL));
	EXPECT_EQ(DRE_GROUPS_MAX, group_count(self->fd));
}

/* All requests about control groups, when the container has ended. */
TEST_F(group, of_a_container_that_ended)
{
	struct container other;
	int dir = cgroup_open("g1");

	container_start(&other, 0);
	container_kill(&self->base.c);
	EXPECT_EQ(-ENODEV, group_create(self->fd, dir, "g3", NULL));
	EXPECT_EQ(-ENODEV, group_destroy(self->fd, "g1"));
	EXPECT_TRUE(eventually(group_count(self->fd) == 0));
	EXPECT_EQ(-ENODEV, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(-ENOENT, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, binding_count(self->fd));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c1"));
	/* A new one begins with none. */
	self->base.c = other;
	close(self->fd);
	self->fd = container_create(self->dre, APP, other.init.pid, "c1");
	ASSERT_LE(0, self->fd);
	self->base.c.fd = self->fd;
	EXPECT_EQ(0, group_count(self->fd));
	EXPECT_EQ(0, group_create(self->fd, dir, "g1", NULL));
}

/* A container of a machine has control groups like every other one. */
TEST_F(group, of_a_machine)
{
	struct agent machine;
	__u32 id = 0;
	int fd;

	agent_start(&machine, NULL, 0);
	fd = container_create(self->dre, SYS, machine.pid, "m1");
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, create(fd, "g2", "g1", &id));
	EXPECT_EQ(0, process_bind(fd, self->host.pid, 0, "g1"));
	EXPECT_BOUND(fd, self->host.pid, 0, id, "g2");
	EXPECT_EVENT(fd, DRE_EVENT_BOUND, self->host.pid, 0, id);
	EXPECT_EQ(-ESRCH, process_unbind(fd, 1, DRE_BIND_BY_VPID, "g1"));
	EXPECT_EQ(0, process_unbind(fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
	agent_kill(&machine, SIGKILL);
}

TEST_HARNESS_MAIN
