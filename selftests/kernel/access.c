// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what: everybody registers itself; a manager is privileged on the
 * host and lives on the host; a container fd is authority by itself.
 */
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "test.h"

static void set_caps(__u64 caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = caps, .permitted = caps },
		{ .effective = caps >> 32, .permitted = caps >> 32 },
	};

	if (syscall(SYS_capset, &head, data))
		_exit(1);
}

static int drop_admin(int fd, void *arg)
{
	set_caps(((1ULL << (CAP_LAST_CAP + 1)) - 1) & ~(1ULL << CAP_SYS_ADMIN));
	return 0;
}

/* Nobody, with the one capability that counts. */
static int become_admin(int fd, void *arg)
{
	if (prctl(PR_SET_KEEPCAPS, 1) || become_nobody(-1, NULL))
		return -EPERM;
	set_caps(1ULL << CAP_SYS_ADMIN);
	return 0;
}

/* A caller that must not manage. */
FIXTURE(caller) {
	int dre;
	struct container c;
	struct container fresh;
	struct container callers;
	struct agent inside;
	struct agent who;
};

FIXTURE_VARIANT(caller) {
	int clone_flags;
	const char *uid_map;
	agent_fn change;
	bool in_container;
};

FIXTURE_VARIANT_ADD(caller, user) {
	.change = become_nobody,
};

FIXTURE_VARIANT_ADD(caller, root_without_the_capability) {
	.change = drop_admin,
};

FIXTURE_VARIANT_ADD(caller, root_of_a_user_namespace) {
	.clone_flags = CLONE_NEWUSER,
	.uid_map = "0 100000 65536",
};

FIXTURE_VARIANT_ADD(caller, root_of_a_user_namespace_as_root) {
	.clone_flags = CLONE_NEWUSER,
	.uid_map = "0 0 1",
};

FIXTURE_VARIANT_ADD(caller, root_of_a_pid_namespace) {
	.clone_flags = CLONE_NEWPID,
};

FIXTURE_VARIANT_ADD(caller, root_of_a_container) {
	.in_container = true,
};

FIXTURE_SETUP(caller)
{
	self->dre = dre_open();
	container_start(&self->c, WITH_USERS);
	container_start(&self->fresh, 0);
	agent_start(&self->inside, &self->c.init, 0);
	self->c.fd = container_create(self->dre, APP, self->c.init.pid, "c1");
	ASSERT_LE(0, self->c.fd);
	agent_start(&self->who, variant->in_container ? &self->c.init : NULL,
		    variant->clone_flags);
	if (variant->uid_map)
		agent_map_users(&self->who, variant->uid_map);
	if (variant->change)
		ASSERT_EQ(0, agent_call(&self->who, variant->change, NULL, 0));
}

FIXTURE_TEARDOWN(caller)
{
	agent_kill(&self->who, SIGKILL);
	container_kill(&self->c);
	container_kill(&self->fresh);
	EXPECT_EQ(0, container_count(self->dre));
}

static struct dre_container_info containers[4];

/* Each of the managing requests, as @self->who makes it; all would work for a manager. */
static void expect_no_manager(struct __test_metadata *_metadata, FIXTURE_DATA(caller) *self, int fd)
{
	struct dre_info info = { .size = sizeof(info) };
	struct dre_container_create create = {
		.size = sizeof(create),
		.type = APP,
		.pid = self->fresh.init.pid,
		.name = "fresh",
	};
	struct dre_container_open opens = {
		.size = sizeof(opens),
		.type = APP,
		.name = "c1",
	};
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)containers,
		.entry_size = sizeof(containers[0]),
		.count = ARRAY_SIZE(containers),
	};

#define EXPECT_EPERM(_CMD, _arg)						\
	EXPECT_REFUSED(self->dre, self->c.fd, EPERM,				\
		       agent_request(&self->who, fd, _CMD, &(_arg), sizeof(_arg)))

	EXPECT_EPERM(DRE_IOC_INFO, info);
	EXPECT_EPERM(DRE_IOC_CONTAINER_CREATE, create);
	EXPECT_EPERM(DRE_IOC_CONTAINER_OPEN, opens);
	EXPECT_EPERM(DRE_IOC_CONTAINER_LIST, list);
	EXPECT_EQ(0, info.containers);
	EXPECT_EQ(ARRAY_SIZE(containers), list.count);
}

TEST_F(caller, manages_nothing)
{
	expect_no_manager(_metadata, self, -1);
}

/* What counts is who asks, not who opened the file. */
TEST_F(caller, manages_nothing_with_a_file_of_root)
{
	expect_no_manager(_metadata, self, self->dre);
}

static int bad_address(int fd, void *arg)
{
	int dre = dre_open();
	int ret = dre_request(dre, DRE_IOC_INFO, NULL);

	close(dre);
	return ret;
}

TEST_F(caller, is_refused_before_anything_is_read)
{
	EXPECT_EQ(-EPERM, agent_call(&self->who, bad_address, NULL, 0));
}

TEST_F(caller, registers_itself)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGHUP } };
	char *text;

	EXPECT_EQ(0, self_register(&self->who, SIGNALS(SIGTERM)));
	text = read_daware();
	EXPECT_EQ(1, daware_lines(text));
	EXPECT_STRNE("(nothing)", OR_NOTHING(daware_line(text, self->who.pid)));
	EXPECT_EQ(0, self_refuse(&self->who, SIGTERM));
	EXPECT_EQ(0, self_unregister(&self->who));
	EXPECT_EQ(-ENOENT, self_unregister(&self->who));
	/* Also on a file that came from elsewhere: it is about the caller. */
	EXPECT_EQ(0, agent_request(&self->who, self->dre, DRE_IOC_SELF_REGISTER,
				   &reg, sizeof(reg)));
	free(text);
	text = read_daware();
	EXPECT_STRNE("(nothing)", OR_NOTHING(daware_line(text, self->who.pid)));
	EXPECT_STREQ("(nothing)", OR_NOTHING(daware_line(text, getpid())));
	EXPECT_EQ(0, self_unregister(&self->who));
}

static int open_read_only(int fd, void *arg)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };
	int dre = open(DRE_DEVICE, O_RDONLY);
	int ret;

	if (dre < 0)
		return -errno;
	ret = dre_request(dre, DRE_IOC_SELF_REGISTER, &reg);
	close(dre);
	return ret;
}

TEST_F(caller, opens_the_device_read_only)
{
	EXPECT_EQ(0, agent_call(&self->who, open_read_only, NULL, 0));
	EXPECT_EQ(0, self_unregister(&self->who));
}

static struct dre_process_info processes[4];
static __s32 number_from, number_to;

/* All requests to a container fd, by who got it passed. VPIDs mean the same to everybody. */
TEST_F(caller, uses_a_container_fd)
{
	struct dre_process reg = {
		.size = sizeof(reg),
		.flags = DRE_REGISTER_BY_VPID,
		.pid = self->inside.vpid,
		.nr_signals = 1,
		.signals = { SIGUSR1 },
	};
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)processes,
		.entry_size = sizeof(processes[0]),
		.count = ARRAY_SIZE(processes),
	};
	struct dre_translate tr = {
		.size = sizeof(tr),
		.from = (uintptr_t)&number_from,
		.to = (uintptr_t)&number_to,
		.count = 1,
	};
	struct dre_terminate term = { .size = sizeof(term) };
	struct dre_process unreg = {
		.size = sizeof(unreg),
		.flags = DRE_REGISTER_BY_VPID,
		.pid = self->inside.vpid,
	};

#define EXPECT_OK(_CMD, _arg)							\
	EXPECT_EQ(0, agent_request(&self->who, self->c.fd, _CMD, &(_arg), sizeof(_arg)))

	EXPECT_OK(DRE_IOC_PROCESS_REGISTER, reg);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, MANAGED, SIGNALS(SIGUSR1));
	EXPECT_OK(DRE_IOC_PROCESS_LIST, list);
	/* The other pid namespaces do not see it. */
	EXPECT_EQ(self->who.pid == self->who.vpid || variant->in_container, list.count);
	EXPECT_OK(DRE_IOC_TRANSLATE, tr);
	EXPECT_OK(DRE_IOC_CONTAINER_TERMINATE, term);
	EXPECT_EQ(1, term.signalled);
	EXPECT_EQ(0, term.silent);
	EXPECT_EQ(SIGUSR1, agent_signal(&self->inside, NULL));
	EXPECT_OK(DRE_IOC_PROCESS_UNREGISTER, unreg);
	EXPECT_NOT_LISTED(self->c.fd, self->inside.pid);
}

/* It is no authority over who lives in no container, not even over the caller itself. */
TEST_F(caller, reaches_nobody_outside)
{
	struct dre_process reg = {
		.size = sizeof(reg),
		.pid = self->who.vpid,
		.nr_signals = 1,
		.signals = { SIGUSR1 },
	};
	struct agent host;

	if (variant->in_container) {
		EXPECT_OK(DRE_IOC_PROCESS_REGISTER, reg);
		return;
	}
	EXPECT_REFUSED(self->dre, self->c.fd, EPERM,
		       agent_request(&self->who, self->c.fd, DRE_IOC_PROCESS_REGISTER,
				     &reg, sizeof(reg)));
	agent_start(&host, NULL, 0);
	reg.pid = host.pid;
	EXPECT_REFUSED(self->dre, self->c.fd, self->who.pid == self->who.vpid ? EPERM : ESRCH,
		       agent_request(&self->who, self->c.fd, DRE_IOC_PROCESS_REGISTER,
				     &reg, sizeof(reg)));
	/* Nor may it change what a manager made. */
	ASSERT_EQ(0, process_register(self->c.fd, host.pid, 0, SIGNALS(SIGHUP)));
	EXPECT_REFUSED(self->dre, self->c.fd, self->who.pid == self->who.vpid ? EPERM : ESRCH,
		       agent_request(&self->who, self->c.fd, DRE_IOC_PROCESS_REGISTER,
				     &reg, sizeof(reg)));
	agent_kill(&host, SIGKILL);
}

/* A container fd is not authority to manage others. */
TEST_F(caller, cannot_manage_with_a_container_fd)
{
	struct dre_info info = { .size = sizeof(info) };

	EXPECT_EQ(-ENOTTY, agent_request(&self->who, self->c.fd, DRE_IOC_INFO,
					 &info, sizeof(info)));
}

TEST_F(container, the_capability_is_enough)
{
	struct dre_info info = { .size = sizeof(info) };
	struct agent admin;

	agent_start(&admin, NULL, 0);
	ASSERT_EQ(0, agent_call(&admin, become_admin, NULL, 0));
	EXPECT_EQ(0, agent_request(&admin, -1, DRE_IOC_INFO, &info, sizeof(info)));
	EXPECT_EQ(1, info.containers);
	agent_kill(&admin, SIGKILL);
}

TEST_HARNESS_MAIN
