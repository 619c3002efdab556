// SPDX-License-Identifier: GPL-2.0-only
/* CONTAINER_CREATE, CONTAINER_OPEN, and the end of a container. */
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "test.h"
#include "worker.h"

/* 63 and 64 bytes. */
#define LONGEST	"a23456789.123456789.123456789.123456789.123456789.123456789.123"
#define TOO_LONG LONGEST "4"

static const char *const good_names[] = {
	"a", "Z", "0", "9-_.", "a..", "c1.example_2-3", LONGEST,
};

static const char *const bad_names[] = {
	"", ".", "..", "-", "_", "-a", ".a", "_a", "a b", "a/b", "a\n", "a\t", " a", "a ", "a:b",
	"a\x7f", "a\x01", "\xc3\xa4", "a\xc3\xa4", "a\xff", "a%s", "a\\", TOO_LONG,
};

/* A second container, which the module does not know yet. */
FIXTURE(create) {
	FIXTURE_DATA(container) known;
	struct container c;
	int dre;
	int watch;
};

FIXTURE_SETUP(create)
{
	setup_container(_metadata, &self->known);
	self->dre = self->known.dre;
	self->watch = self->known.c.fd;
	container_start(&self->c, 0);
}

FIXTURE_TEARDOWN(create)
{
	container_kill(&self->c);
	teardown_container(_metadata, &self->known);
}

#define EXPECT_NOT_CREATED(_error, _type, _pid, _name)			\
	EXPECT_REFUSED(self->dre, self->watch, _error,			\
		       container_create(self->dre, _type, _pid, _name))

TEST_F(create, makes_it_known)
{
	struct dre_container_info info[3] = {};
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)info,
		.entry_size = sizeof(info[0]),
		.count = 3,
	};
	int other;

	self->c.fd = container_create(self->dre, APP, self->c.init.pid, "web");
	ASSERT_LE(0, self->c.fd);
	EXPECT_EQ(2, container_count(self->dre));
	EXPECT_EQ(0, dre_request(self->dre, DRE_IOC_CONTAINER_LIST, &list));
	ASSERT_EQ(2, list.count);
	other = !strcmp(info[0].name, "web") ? 0 : 1;
	EXPECT_STREQ("web", info[other].name);
	EXPECT_EQ(APP, info[other].type);
	EXPECT_EQ(self->c.init.pid, info[other].pid);
	EXPECT_STREQ("c1", info[!other].name);
	EXPECT_EQ(0, process_count(self->c.fd));
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_NO_EVENT(self->watch);
}

TEST_F(create, good_names)
{
	struct container c;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(good_names); i++) {
		container_start(&c, 0);
		c.fd = container_create(self->dre, APP, c.init.pid, good_names[i]);
		EXPECT_LE(0, c.fd) {
			TH_LOG("the name is '%s'", good_names[i]);
		}
		fd = container_open(self->dre, APP, good_names[i]);
		EXPECT_LE(0, fd);
		close(fd);
		container_kill(&c);
	}
}

TEST_F(create, bad_names)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_names); i++) {
		EXPECT_NOT_CREATED(EINVAL, APP, self->c.init.pid, bad_names[i]);
		EXPECT_REFUSED(self->dre, self->watch, EINVAL,
			       container_open(self->dre, APP, bad_names[i]));
		if (!_metadata->passed) {
			TH_LOG("the name is '%s'", bad_names[i]);
			return;
		}
	}
}

/* What stands behind a name's end is neither looked at nor kept. */
TEST_F(create, name_with_a_tail)
{
	struct dre_container_create create = {
		.size = sizeof(create),
		.type = APP,
		.pid = self->c.init.pid,
		.name = "web\0tail",
	};
	struct dre_container_info info[2];
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)info,
		.entry_size = sizeof(info[0]),
		.count = 2,
	};
	char name[DRE_NAME_SIZE] = "web";
	int i;

	memset(info, 0xee, sizeof(info));
	EXPECT_EQ(0, dre_request(self->dre, DRE_IOC_CONTAINER_CREATE, &create));
	EXPECT_EQ(0, dre_request(self->dre, DRE_IOC_CONTAINER_LIST, &list));
	ASSERT_EQ(2, list.count);
	i = info[0].name[0] == 'w' ? 0 : 1;
	EXPECT_EQ(0, memcmp(name, info[i].name, sizeof(name)));
	EXPECT_LE(0, container_open(self->dre, APP, "web"));
}

TEST_F(create, bad_types)
{
	EXPECT_NOT_CREATED(EINVAL, 0, self->c.init.pid, "web");
	EXPECT_NOT_CREATED(EINVAL, 3, self->c.init.pid, "web");
	EXPECT_NOT_CREATED(EINVAL, ~0U, self->c.init.pid, "web");
	EXPECT_REFUSED(self->dre, self->watch, EINVAL, container_open(self->dre, 0, "c1"));
	EXPECT_REFUSED(self->dre, self->watch, EINVAL, container_open(self->dre, 3, "c1"));
}

TEST_F(create, pid_that_is_not_positive)
{
	EXPECT_NOT_CREATED(EINVAL, APP, 0, "web");
	EXPECT_NOT_CREATED(EINVAL, APP, -1, "web");
	EXPECT_NOT_CREATED(EINVAL, SYS, 0, "web");
	EXPECT_NOT_CREATED(EINVAL, SYS, -self->c.init.pid, "web");
}

TEST_F(create, pid_of_nobody)
{
	struct agent gone;

	agent_start(&gone, NULL, 0);
	agent_kill(&gone, SIGKILL);
	EXPECT_NOT_CREATED(ESRCH, APP, gone.pid, "web");
	EXPECT_NOT_CREATED(ESRCH, SYS, gone.pid, "web");
	EXPECT_NOT_CREATED(ESRCH, SYS, INT32_MAX, "web");
}

TEST_F(create, pid_of_a_zombie)
{
	struct container c;

	container_start(&c, 0);
	agent_kill_only(&c.init, SIGKILL);
	EXPECT_NOT_CREATED(ESRCH, APP, c.init.pid, "web");
	EXPECT_NOT_CREATED(ESRCH, SYS, c.init.pid, "web");
	agent_wait(&c.init);
}

TEST_F(create, pid_of_a_thread)
{
	struct agent host;
	pid_t tid;

	agent_start(&host, NULL, 0);
	tid = agent_thread(&host, false);
	EXPECT_NE(host.pid, tid);
	EXPECT_NOT_CREATED(EINVAL, SYS, tid, "web");
	agent_kill(&host, SIGKILL);
}

TEST_F(create, pid_of_a_kernel_thread)
{
	EXPECT_NOT_CREATED(EINVAL, SYS, KTHREADD, "web");
	EXPECT_NOT_CREATED(EINVAL, APP, KTHREADD, "web");
}

TEST_F(create, pid_that_is_not_an_init)
{
	struct agent second;

	agent_start(&second, &self->c.init, 0);
	EXPECT_NOT_CREATED(EINVAL, APP, second.pid, "web");
	EXPECT_NOT_CREATED(EINVAL, APP, getpid(), "web");
	/* The host's own init is not below the initial pid namespace. */
	EXPECT_NOT_CREATED(EINVAL, APP, 1, "web");
}

TEST_F(create, name_that_is_taken)
{
	struct dre_container_create create = {
		.size = sizeof(create),
		.type = APP,
		.pid = self->c.init.pid,
		.fd = self->watch,
		.name = "c1",
	};

	EXPECT_NOT_CREATED(EEXIST, APP, self->c.init.pid, "c1");
	/* Nothing that the caller could close by mistake is left behind. */
	EXPECT_EQ(-EEXIST, dre_request(self->dre, DRE_IOC_CONTAINER_CREATE, &create));
	EXPECT_EQ(-1, create.fd);
}

/* Each type is a name space of its own. */
TEST_F(create, name_of_the_other_type)
{
	int fd;

	self->c.fd = container_create(self->dre, SYS, self->c.init.pid, "c1");
	ASSERT_LE(0, self->c.fd);
	EXPECT_EQ(2, container_count(self->dre));
	EXPECT_EQ(0, self_register(&self->known.inside, SIGNALS(SIGTERM)));
	fd = container_open(self->dre, APP, "c1");
	EXPECT_EQ(1, process_count(fd));
	fd = container_open(self->dre, SYS, "c1");
	EXPECT_EQ(0, process_count(fd));
	EXPECT_EQ(-ENOENT, container_open(self->dre, SYS, "c"));
	EXPECT_NOT_CREATED(EEXIST, SYS, getpid(), "c1");
}

TEST_F(create, init_of_another_one)
{
	EXPECT_NOT_CREATED(EBUSY, APP, self->known.c.init.pid, "web");
	EXPECT_NOT_CREATED(EBUSY, SYS, self->known.c.init.pid, "web");
	self->c.fd = container_create(self->dre, SYS, self->c.init.pid, "machine");
	ASSERT_LE(0, self->c.fd);
	EXPECT_NOT_CREATED(EBUSY, APP, self->c.init.pid, "web");
	EXPECT_NOT_CREATED(EBUSY, SYS, self->c.init.pid, "web");
}

/* A system container's init is any process of the host. */
TEST_F(create, machine)
{
	struct agent qemu;
	int fd;

	agent_start(&qemu, NULL, 0);
	fd = container_create(self->dre, SYS, qemu.pid, "machine");
	ASSERT_LE(0, fd);
	EXPECT_EQ(2, container_count(self->dre));
	agent_exit(&qemu, 3);
	EXPECT_EQ(1, container_count(self->dre));
	EXPECT_EVENT(fd, DRE_EVENT_ENDED, qemu.pid, 0, 3 << 8);
	EXPECT_EOF(fd);
}

/* The next free descriptor is out of bounds. */
TEST_F(create, no_more_files)
{
	struct rlimit old, limit;
	char *before, *after;
	int created, opened, next;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	next = dup(0);
	ASSERT_LE(0, next);
	close(next);
	limit = old;
	limit.rlim_cur = next;
	before = snapshot(self->dre);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	created = container_create(self->dre, APP, self->c.init.pid, "web");
	opened = container_open(self->dre, APP, "c1");
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(-EMFILE, created);
	EXPECT_EQ(-EMFILE, opened);
	after = snapshot(self->dre);
	EXPECT_STREQ(before, after);
}

TEST_F(container, opens)
{
	int fd = container_open(self->dre, APP, "c1");

	ASSERT_LE(0, fd);
	EXPECT_NE(self->c.fd, fd);
	EXPECT_EQ(0, process_register(fd, self->inside.pid, 0, NO_SIGNALS));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, MANAGED, NO_SIGNALS);
}

TEST_F(container, opens_what_is_not_there)
{
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, container_open(self->dre, APP, "c2"));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, container_open(self->dre, APP, "c"));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, container_open(self->dre, APP, "C1"));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, container_open(self->dre, SYS, "c1"));
}

TEST_F(container, closing_does_not_end_it)
{
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, SIGNALS(SIGTERM)));
	close(self->c.fd);
	EXPECT_EQ(1, container_count(self->dre));
	self->c.fd = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, self->c.fd);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, MANAGED, SIGNALS(SIGTERM));
}

static void expect_ended(struct __test_metadata *_metadata, int dre, const struct container *c,
			 struct agent *host)
{
	struct dre_process_info info;
	__u32 signalled, silent;
	int number = 1;

	EXPECT_EQ(-ENODEV, process_register(c->fd, host->pid, 0, NO_SIGNALS));
	EXPECT_EQ(-ENODEV, process_unregister(c->fd, host->pid, 0));
	EXPECT_EQ(-ENODEV, process_find(c->fd, host->pid, &info));
	EXPECT_EQ(-ENODEV, translate(c->fd, 0, &number, &number, 1));
	EXPECT_EQ(-ENODEV, container_terminate(c->fd, &signalled, &silent));
	EXPECT_EQ(-EAGAIN, agent_signal(host, NULL));

	EXPECT_EQ(-ENOENT, container_open(dre, APP, "c2"));
	EXPECT_EQ(1, container_count(dre));
	EXPECT_NOT_DAWARE(host->pid);
}

/*
 * Every request, as soon as who waits for init can know that it has ended,
 * before and after the module's worker has come.
 */
TEST_F(container, ended)
{
	struct container second;
	struct agent host;
	int i;

	worker_prepare();
	for (i = 0; i < 10; i++) {
		agent_start(&host, NULL, 0);
		container_start(&second, 0);
		second.fd = container_create(self->dre, APP, second.init.pid, "c2");
		ASSERT_LE(0, second.fd);
		ASSERT_EQ(0, process_register(second.fd, host.pid, 0, SIGNALS(SIGUSR1)));
		worker_hold();
		agent_kill_only(&second.init, SIGKILL);
		expect_ended(_metadata, self->dre, &second, &host);
		worker_release();
		EXPECT_EVENT(second.fd, DRE_EVENT_REGISTERED, host.pid, 0, MANAGED);
		EXPECT_EVENT(second.fd, DRE_EVENT_UNREGISTERED, host.pid, 0, MANAGED);
		EXPECT_EVENT(second.fd, DRE_EVENT_ENDED, second.init.pid, 1, SIGKILL);
		expect_ended(_metadata, self->dre, &second, &host);
		agent_wait(&second.init);
		expect_ended(_metadata, self->dre, &second, &host);
		close(second.fd);
		agent_kill(&host, SIGKILL);
		ASSERT_TRUE(_metadata->passed);
	}
}

TEST_F(container, name_is_free_at_once)
{
	struct container old, next;
	int i;

	worker_prepare();
	container_start(&old, 0);
	old.fd = container_create(self->dre, APP, old.init.pid, "c2");
	for (i = 0; i < 15; i++) {
		container_start(&next, 0);
		worker_hold();
		agent_kill_only(&old.init, SIGKILL);
		next.fd = container_create(self->dre, APP, next.init.pid, "c2");
		worker_release();
		ASSERT_LE(0, next.fd);
		EXPECT_EQ(2, container_count(self->dre));
		EXPECT_EQ(-ENODEV, process_count(old.fd));
		EXPECT_EQ(0, process_count(next.fd));
		agent_wait(&old.init);
		close(old.fd);
		old = next;
	}
	container_kill(&old);
}

/* Who lives on the host goes back to what it was. */
TEST_F(container, end_takes_the_registrations)
{
	struct agent watchdog, both;

	agent_start(&watchdog, NULL, 0);
	agent_start(&both, NULL, 0);
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&both, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, self->c.init.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, process_register(self->c.fd, watchdog.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, process_register(self->c.fd, both.pid, 0, SIGNALS(SIGHUP)));
	EXPECT_EQ(4, process_count(self->c.fd));
	container_kill(&self->c);
	EXPECT_EQ(0, container_count(self->dre));
	EXPECT_NOT_DAWARE(self->inside.pid);
	EXPECT_NOT_DAWARE(self->c.init.pid);
	EXPECT_NOT_DAWARE(watchdog.pid);
	EXPECT_EQ(0, self_unregister(&both));
	EXPECT_EQ(-ENOENT, self_unregister(&both));
	EXPECT_EQ(-EAGAIN, agent_signal(&both, NULL));
	agent_kill(&both, SIGKILL);
	agent_kill(&watchdog, SIGKILL);
	container_start(&self->c, 0);
}

TEST_HARNESS_MAIN
