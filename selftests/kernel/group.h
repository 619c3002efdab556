/* SPDX-License-Identifier: GPL-2.0-only */
/* A container with two control groups, and who may be bound to them. */
#ifndef GROUP_H
#define GROUP_H

#include "cgroup.h"
#include "test.h"

/* The call fails as EXPECT_REFUSED() has it, and the process is where it was. */
#define EXPECT_NOT_MOVED(_error, _pid, _call) do {			\
	char *_from = cgroup_of(_pid), *_to;				\
									\
	EXPECT_REFUSED(self->dre, self->fd, _error, _call);		\
	_to = cgroup_of(_pid);						\
	EXPECT_STREQ(_from, _to);					\
	free(_from);							\
	free(_to);							\
} while (0)

/* It is bound to the control group with number @_id, whose cgroup is @_name, and in it. */
#define EXPECT_BOUND(_fd, _pid, _vpid, _id, _name) do {			\
	struct dre_binding_info _info;					\
									\
	EXPECT_EQ(0, binding_find(_fd, _pid, &_info));			\
	EXPECT_EQ(_vpid, _info.vpid);					\
	EXPECT_EQ(_id, _info.group);					\
	EXPECT_EQ(0, _info.reserved);					\
	EXPECT_TRUE(in_cgroup(_pid, _name));				\
} while (0)

#define EXPECT_NOT_BOUND(_fd, _pid) do {				\
	struct dre_binding_info _info;					\
									\
	EXPECT_EQ(-ENOENT, binding_find(_fd, _pid, &_info));		\
} while (0)

/* How many are bound to the control group. */
#define EXPECT_GROUP(_fd, _name, _bindings) do {			\
	struct dre_group_info _info;					\
									\
	EXPECT_EQ(0, group_find(_fd, _name, &_info));			\
	EXPECT_EQ((__u32)(_bindings), _info.bindings);			\
} while (0)

#define EXPECT_NO_GROUP(_fd, _name) do {				\
	struct dre_group_info _info;					\
									\
	EXPECT_EQ(-ENOENT, group_find(_fd, _name, &_info));		\
} while (0)

/*
 * "c1", whose processes are in "payload", and its control groups "g1" and "g2"
 * in cgroups of these names; a process of the host that is in "origin".
 */
FIXTURE(group) {
	FIXTURE_DATA(container) base;
	int dre;
	int fd;
	struct agent *init;
	struct agent *inside;
	struct agent host;
	__u32 g1;
	__u32 g2;
};

static __u32 make_group(struct __test_metadata *_metadata, int fd, const char *name)
{
	int dir = cgroup_open(name);
	__u32 id = 0;

	ASSERT_EQ(0, group_create(fd, dir, name, &id));
	close(dir);
	return id;
}

static void setup_group(struct __test_metadata *_metadata, FIXTURE_DATA(group) *self)
{
	cgroup_prepare();
	setup_container(_metadata, &self->base);
	self->dre = self->base.dre;
	self->fd = self->base.c.fd;
	self->init = &self->base.c.init;
	self->inside = &self->base.inside;
	agent_start(&self->host, NULL, 0);
	cgroup_make("payload");
	cgroup_make("origin");
	cgroup_make("g1");
	cgroup_make("g2");
	ASSERT_EQ(0, cgroup_enter("payload", self->init->pid));
	ASSERT_EQ(0, cgroup_enter("payload", self->inside->pid));
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	self->g1 = make_group(_metadata, self->fd, "g1");
	self->g2 = make_group(_metadata, self->fd, "g2");
}

static void teardown_group(struct __test_metadata *_metadata, FIXTURE_DATA(group) *self)
{
	agent_kill(&self->host, SIGKILL);
	teardown_container(_metadata, &self->base);
	EXPECT_TRUE(eventually(container_open_ended(self->dre, APP, "c1") == -ENOENT));
	EXPECT_EQ(0, cgroup_clear());
}

FIXTURE_SETUP(group)
{
	setup_group(_metadata, self);
}

FIXTURE_TEARDOWN(group)
{
	teardown_group(_metadata, self);
}

#endif /* GROUP_H */
