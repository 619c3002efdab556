// SPDX-License-Identifier: GPL-2.0-only
/* Unloading dre.ko and loading it again. */
#include <pthread.h>
#include <sys/epoll.h>

#include "cgroup.h"
#include "module.h"
#include "test.h"

FIXTURE(module) {
	struct container c;
	struct agent inside;
	struct agent host;
};

FIXTURE_SETUP(module)
{
	container_start(&self->c, WITH_USERS);
	agent_start(&self->inside, &self->c.init, 0);
	agent_start(&self->host, NULL, 0);
}

FIXTURE_TEARDOWN(module)
{
	container_kill(&self->c);
	agent_kill(&self->host, SIGKILL);
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load());
	EXPECT_STREQ(DAWARE_HEADER, read_daware());
}

/* One of each kind of registration, and no file. */
static void fill(struct __test_metadata *_metadata, FIXTURE_DATA(module) *self)
{
	int dre = dre_open();

	self->c.fd = container_create(dre, APP, self->c.init.pid, "c1");
	ASSERT_LE(0, self->c.fd);
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, SIGNALS(SIGHUP)));
	ASSERT_EQ(0, process_register(self->c.fd, self->host.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, self_register(NULL, SIGNALS(SIGTERM)));
	EXPECT_EQ(3, daware_lines(read_daware()));
	close(self->c.fd);
	close(dre);
}

TEST_F(module, with_registrations)
{
	int dre;

	fill(_metadata, self);
	ASSERT_EQ(0, module_unload());
	EXPECT_FALSE(module_is_loaded());
	EXPECT_EQ(-1, access(DRE_DEVICE, F_OK));
	EXPECT_EQ(-1, access(DAWARE, F_OK));

	/* It knows nothing any more, and can be told again. */
	ASSERT_EQ(0, module_load());
	dre = dre_open();
	EXPECT_STREQ("0 containers\n" DAWARE_HEADER, snapshot(dre));
	close(dre);
	EXPECT_EQ(-ENOENT, self_unregister(NULL));
	fill(_metadata, self);
	EXPECT_EQ(0, self_unregister(NULL));
}

static void make_group(struct __test_metadata *_metadata, int fd)
{
	int dir = cgroup_open("g1");

	ASSERT_EQ(0, group_create(fd, dir, "g1", NULL));
	close(dir);
}

/* Who is bound stays where it is; where it came from is forgotten. */
TEST_F(module, with_bindings)
{
	struct container ended;
	struct agent left;
	int dre;

	cgroup_prepare();
	cgroup_make("g1");
	cgroup_make("origin");
	agent_start(&left, NULL, 0);
	fill(_metadata, self);
	dre = dre_open();
	/* Also of a container that has ended, whose init has no say any more. */
	container_start(&ended, 0);
	ended.fd = container_create(dre, APP, ended.init.pid, "c2");
	ASSERT_LE(0, ended.fd);
	make_group(_metadata, ended.fd);
	ASSERT_EQ(0, process_bind(ended.fd, left.pid, 0, "g1"));
	container_kill(&ended);
	ASSERT_TRUE(eventually(readable(ended.fd) & POLLHUP));
	close(ended.fd);
	self->c.fd = container_open(dre, APP, "c1");
	ASSERT_LE(0, self->c.fd);
	make_group(_metadata, self->c.fd);
	ASSERT_EQ(0, cgroup_enter("origin", self->host.pid));
	ASSERT_EQ(0, process_bind(self->c.fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->c.fd, self->inside.pid, 0, "g1"));
	close(self->c.fd);
	close(dre);
	ASSERT_EQ(0, module_unload());
	EXPECT_TRUE(in_cgroup(self->host.pid, "g1"));
	EXPECT_TRUE(in_cgroup(self->inside.pid, "g1"));
	EXPECT_TRUE(in_cgroup(left.pid, "g1"));
	agent_kill(&left, SIGKILL);

	ASSERT_EQ(0, module_load());
	fill(_metadata, self);
	dre = dre_open();
	EXPECT_EQ(-ENOENT, container_open_ended(dre, APP, "c2"));
	self->c.fd = container_open(dre, APP, "c1");
	EXPECT_EQ(0, group_count(self->c.fd));
	EXPECT_EQ(0, binding_count(self->c.fd));
	make_group(_metadata, self->c.fd);
	EXPECT_EQ(0, process_bind(self->c.fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, process_unbind(self->c.fd, self->host.pid, 0, "g1"));
	EXPECT_TRUE(in_cgroup(self->host.pid, "/"));
	close(self->c.fd);
	close(dre);
	ASSERT_EQ(0, module_unload());
	/* The module kept no directory. */
	EXPECT_EQ(0, cgroup_enter("origin", self->inside.pid));
	EXPECT_EQ(0, cgroup_remove("g1"));
	agent_kill(&self->inside, SIGKILL);
	EXPECT_EQ(0, cgroup_clear());
	ASSERT_EQ(0, module_load());
}

/* Their exit finds nothing of the module. */
TEST_F(module, processes_end_without_it)
{
	fill(_metadata, self);
	ASSERT_EQ(0, module_unload());
	agent_exit(&self->inside, 1);
	agent_kill(&self->host, SIGKILL);
	container_kill(&self->c);
	ASSERT_EQ(0, module_load());
	container_start(&self->c, 0);
	agent_start(&self->host, NULL, 0);
}

/* While many processes are about to end. */
TEST_F(module, processes_end_meanwhile)
{
	struct agent a[20];
	int round, i;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 20; i++) {
			agent_start(&a[i], NULL, 0);
			ASSERT_EQ(0, self_register(&a[i], SIGNALS(SIGTERM)));
		}
		for (i = 0; i < 20; i++)
			kill(a[i].pid, SIGKILL);
		ASSERT_EQ(0, module_unload());
		for (i = 0; i < 20; i++)
			agent_wait(&a[i]);
		ASSERT_EQ(0, module_load());
		EXPECT_STREQ(DAWARE_HEADER, read_daware());
	}
}

/* An open file holds it, of each kind. */
TEST_F(module, with_the_device_open)
{
	int dre = dre_open();

	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	EXPECT_EQ(0, container_count(dre));
	close(dre);
	EXPECT_EQ(0, module_unload());
}

TEST_F(module, with_a_container_open)
{
	int dre = dre_open();
	int fd = container_create(dre, APP, self->c.init.pid, "c1");

	ASSERT_LE(0, fd);
	close(dre);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	EXPECT_EQ(0, process_count(fd));
	/* Also after the end of the container. */
	container_kill(&self->c);
	EXPECT_EVENT(fd, DRE_EVENT_ENDED, self->c.init.pid, 1, SIGKILL);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	close(fd);
	EXPECT_EQ(0, module_unload());
	container_start(&self->c, 0);
}

TEST_F(module, with_proc_open)
{
	int fd = open(DAWARE, O_RDONLY);
	char c;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	EXPECT_EQ(1, read(fd, &c, 1));
	EXPECT_EQ('P', c);
	close(fd);
	EXPECT_EQ(0, module_unload());
}

static void *poll_it(void *arg)
{
	struct pollfd p = { .fd = open(DAWARE, O_RDONLY), .events = POLLPRI };

	__atomic_store_n((pid_t *)arg, gettid(), __ATOMIC_SEQ_CST);
	poll(&p, 1, -1);
	close(p.fd);
	return NULL;
}

/* A sleeper on a queue of the module. */
TEST_F(module, with_proc_polled)
{
	pthread_t thread;
	pid_t tid = 0;

	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_it, &tid));
	ASSERT_TRUE(eventually(process_state(__atomic_load_n(&tid, __ATOMIC_SEQ_CST)) == 'S'));
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, module_unload());
}

TEST_F(module, with_proc_epolled)
{
	struct epoll_event ev = { .events = EPOLLPRI };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = open(DAWARE, O_RDONLY);

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev));
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	/* The file is closed with its last descriptor, and leaves the epoll then. */
	close(fd);
	EXPECT_EQ(0, module_unload());
	close(epoll);
}

static int hold(int fd, void *arg)
{
	return dup(fd) < 0 ? -errno : 0;
}

/* Whoever held it, it does not any more when it has ended. */
TEST_F(module, holder_is_killed)
{
	int dre = dre_open();

	ASSERT_EQ(0, agent_call_fd(&self->host, dre, hold, NULL, 0));
	close(dre);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	agent_kill(&self->host, SIGKILL);
	EXPECT_EQ(0, module_unload());
	agent_start(&self->host, NULL, 0);
}

TEST_F(module, many_times)
{
	int i;

	for (i = 0; i < 10; i++) {
		fill(_metadata, self);
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load());
	}
	EXPECT_EQ(-EEXIST, module_load());
}

TEST_HARNESS_MAIN
