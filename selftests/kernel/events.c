// SPDX-License-Identifier: GPL-2.0-only
/* What read(2) and poll(2) on a container fd tell. */
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "test.h"

#define SIZE	sizeof(struct dre_event)

/* Room that LOST and ENDED need. */
#define PLAIN_MAX	(DRE_EVENTS_MAX - 2)

static void make_events(struct __test_metadata *_metadata, FIXTURE_DATA(container) *self, int nr)
{
	while (nr--)
		ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
}

static void set_nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static __u64 boottime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

TEST_F(container, time)
{
	struct dre_event event;
	__u64 before = boottime();

	make_events(_metadata, self, 1);
	ASSERT_EQ(1, next_event(self->c.fd, &event));
	EXPECT_LE(before, event.time);
	EXPECT_GE(boottime(), event.time);
}

TEST_F(container, buffers_below_one_event)
{
	char buf[SIZE];
	size_t size;

	make_events(_metadata, self, 1);
	for (size = 0; size < SIZE; size++) {
		EXPECT_EQ(-1, read(self->c.fd, buf, size));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	set_nonblock(self->c.fd);
	EXPECT_EQ(-1, read(self->c.fd, buf, SIZE - 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(container, whole_events_as_many_as_fit)
{
	struct dre_event events[8];

	make_events(_metadata, self, 6);
	EXPECT_EQ(SIZE, read(self->c.fd, events, SIZE));
	EXPECT_EQ(SIZE, read(self->c.fd, events, 2 * SIZE - 1));
	EXPECT_EQ(3 * SIZE, read(self->c.fd, events, 3 * SIZE));
	EXPECT_EQ(SIZE, read(self->c.fd, events, sizeof(events)));
	EXPECT_EQ(DRE_EVENT_REGISTERED, events[0].type);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, not_to_wait)
{
	struct dre_event event;

	set_nonblock(self->c.fd);
	EXPECT_EQ(-1, read(self->c.fd, &event, SIZE));
	EXPECT_EQ(EAGAIN, errno);
	make_events(_metadata, self, 1);
	EXPECT_EQ(SIZE, read(self->c.fd, &event, SIZE));
	EXPECT_EQ(-1, read(self->c.fd, &event, SIZE));
	EXPECT_EQ(EAGAIN, errno);
	container_kill(&self->c);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_ENDED, self->c.init.pid, 1, SIGKILL);
	EXPECT_EQ(0, read(self->c.fd, &event, SIZE));
	EXPECT_EQ(0, read(self->c.fd, &event, SIZE));
	EXPECT_EQ(-1, read(self->c.fd, &event, SIZE - 1));
	EXPECT_EQ(EINVAL, errno);
	container_start(&self->c, 0);
}

/* What did not arrive is still there. */
TEST_F(container, memory_that_is_not_there)
{
	char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dre_event *last = (void *)(area + 4096 - SIZE);

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, munmap(area + 4096, 4096));
	make_events(_metadata, self, 2);
	ASSERT_EQ(0, self_unregister(&self->inside));
	EXPECT_EQ(-1, read(self->c.fd, area + 4096, SIZE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(self->c.fd, (char *)last + 1, SIZE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(SIZE, read(self->c.fd, last, 2 * SIZE));
	EXPECT_EQ(DRE_EVENT_REGISTERED, last->type);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, no_writing)
{
	struct dre_event event = {};

	EXPECT_EQ(-1, write(self->c.fd, &event, SIZE));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_NO_EVENT(self->c.fd);
}

/* Each fd has all events from when it was opened, whoever else reads. */
TEST_F(container, several_files)
{
	int second, third, same;

	second = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, second);
	make_events(_metadata, self, 1);
	third = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, third);
	same = dup(self->c.fd);
	ASSERT_EQ(0, self_unregister(&self->inside));

	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(same, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
	close(self->c.fd);
	EXPECT_EVENT(second, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(second, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(second);
	EXPECT_EVENT(third, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(third);
}

TEST_F(container, of_its_own_container_only)
{
	struct container second;

	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	ASSERT_LE(0, second.fd);
	make_events(_metadata, self, 1);
	EXPECT_NO_EVENT(second.fd);
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_EVENT(second.fd, DRE_EVENT_REGISTERED, second.init.pid, 1, SELF);
	container_kill(&second);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, polls)
{
	EXPECT_EQ(0, readable(self->c.fd));
	make_events(_metadata, self, 1);
	EXPECT_EQ(POLLIN, readable(self->c.fd));
	EXPECT_EQ(POLLIN, readable(self->c.fd));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EQ(0, readable(self->c.fd));
	container_kill(&self->c);
	EXPECT_TRUE(eventually(readable(self->c.fd) == (POLLIN | POLLHUP)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, SIGKILL);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_ENDED, self->c.init.pid, 1, SIGKILL);
	EXPECT_EOF(self->c.fd);
	EXPECT_EQ(POLLHUP, readable(self->c.fd) & POLLHUP);
	container_start(&self->c, 0);
}

TEST_F(container, polls_edges)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->c.fd, &ev));
	EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
	make_events(_metadata, self, 1);
	EXPECT_EQ(1, epoll_wait(epoll, &ev, 1, DEADLINE * 1000));
	EXPECT_EQ(EPOLLIN, ev.events);
	EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
	make_events(_metadata, self, 1);
	EXPECT_EQ(1, epoll_wait(epoll, &ev, 1, DEADLINE * 1000));
}

struct reader {
	int fd;
	int ret;
	struct dre_event event;
	pid_t tid;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;

	__atomic_store_n(&r->tid, gettid(), __ATOMIC_SEQ_CST);
	r->ret = read(r->fd, &r->event, SIZE);
	return NULL;
}

/* Starts a thread that waits for an event, and returns once it sleeps. */
static pthread_t start_reader(struct reader *r)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, read_one, r))
		die("pthread_create");
	if (!eventually(process_state(__atomic_load_n(&r->tid, __ATOMIC_SEQ_CST)) == 'S'))
		die("the reader does not sleep");
	return thread;
}

TEST_F(container, waits)
{
	struct reader r = { .fd = self->c.fd };
	pthread_t thread = start_reader(&r);

	make_events(_metadata, self, 1);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(SIZE, r.ret);
	EXPECT_EQ(DRE_EVENT_REGISTERED, r.event.type);
}

/* Two wait on one fd: each event goes to one of them. */
TEST_F(container, waits_twice)
{
	struct reader r1 = { .fd = self->c.fd }, r2 = { .fd = self->c.fd };
	pthread_t t1 = start_reader(&r1), t2 = start_reader(&r2);

	make_events(_metadata, self, 1);
	ASSERT_EQ(0, self_unregister(&self->inside));
	ASSERT_EQ(0, pthread_join(t1, NULL));
	ASSERT_EQ(0, pthread_join(t2, NULL));
	EXPECT_EQ(SIZE, r1.ret);
	EXPECT_EQ(SIZE, r2.ret);
	EXPECT_EQ(DRE_EVENT_REGISTERED + DRE_EVENT_UNREGISTERED, r1.event.type + r2.event.type);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, waits_for_the_end)
{
	struct reader r = { .fd = self->c.fd };
	pthread_t thread = start_reader(&r);
	pid_t init = self->c.init.pid;

	container_kill(&self->c);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(SIZE, r.ret);
	EXPECT_EQ(DRE_EVENT_ENDED, r.event.type);
	EXPECT_EQ(init, r.event.pid);
	EXPECT_EOF(self->c.fd);
	container_start(&self->c, 0);
}

static void nothing(int sig)
{
}

TEST_F(container, is_interrupted)
{
	struct sigaction action = { .sa_handler = nothing };
	struct reader r = { .fd = self->c.fd };
	pthread_t thread = start_reader(&r);

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, pthread_kill(thread, SIGUSR1));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-1, r.ret);
}

/* Nothing is lost as long as there is room. */
TEST_F(container, as_many_as_there_is_room_for)
{
	int i;

	make_events(_metadata, self, PLAIN_MAX);
	for (i = 0; i < PLAIN_MAX; i++)
		EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid,
			     self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, more_than_there_is_room_for)
{
	int second, i;

	make_events(_metadata, self, PLAIN_MAX + 5);
	second = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, second);
	make_events(_metadata, self, 2);
	for (i = 0; i < PLAIN_MAX; i++)
		EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid,
			     self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_LOST, 0, 0, 7);
	EXPECT_NO_EVENT(self->c.fd);
	/* From here on it is as if nothing had been. */
	ASSERT_EQ(0, self_unregister(&self->inside));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
	/* The other fd has its own queue. */
	EXPECT_EVENT(second, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(second, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(second, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(second);
}

/* LOST stands where the lost ones would: all is in order and all is counted. */
TEST_F(container, lost_in_the_middle)
{
	struct dre_event event;
	__u32 read_or_lost = 0, lost = 0;
	int i;

	make_events(_metadata, self, PLAIN_MAX + 3);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, next_event(self->c.fd, &event));
		EXPECT_EQ(DRE_EVENT_REGISTERED, event.type);
	}
	make_events(_metadata, self, 2);
	ASSERT_EQ(0, self_unregister(&self->inside));
	for (read_or_lost = 10; read_or_lost < PLAIN_MAX + 6; ) {
		ASSERT_EQ(1, next_event(self->c.fd, &event));
		if (event.type == DRE_EVENT_LOST) {
			lost++;
			EXPECT_EQ(3, event.value);
			EXPECT_EQ(PLAIN_MAX, read_or_lost);
			read_or_lost += event.value;
		} else {
			read_or_lost++;
		}
	}
	EXPECT_EQ(1, lost);
	EXPECT_EQ(DRE_EVENT_UNREGISTERED, event.type);
	EXPECT_EQ(PLAIN_MAX + 6, read_or_lost);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, the_end_is_never_lost)
{
	int i;

	make_events(_metadata, self, PLAIN_MAX + 40);
	container_kill(&self->c);
	for (i = 0; i < PLAIN_MAX; i++)
		EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid,
			     self->inside.vpid, SELF);
	/* Those that were made, and the exit of the process. */
	EXPECT_EVENT(self->c.fd, DRE_EVENT_LOST, 0, 0, 40 + 1);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_ENDED, self->c.init.pid, 1, SIGKILL);
	EXPECT_EOF(self->c.fd);
	container_start(&self->c, 0);
}

/* Init is a process of its container, too: it has exited before the container ends. */
TEST_F(container, exit_of_init)
{
	struct container second;
	int before;

	for (before = 0; before < 2; before++) {
		container_start(&second, 0);
		if (before)
			ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
		second.fd = container_create(self->dre, APP, second.init.pid, "c2");
		ASSERT_LE(0, second.fd);
		if (!before) {
			ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
			EXPECT_EVENT(second.fd, DRE_EVENT_REGISTERED, second.init.pid, 1, SELF);
		}
		agent_exit(&second.init, 7);
		EXPECT_EVENT(second.fd, DRE_EVENT_EXITED, second.init.pid, 1, 7 << 8);
		EXPECT_EVENT(second.fd, DRE_EVENT_ENDED, second.init.pid, 1, 7 << 8);
		EXPECT_EOF(second.fd);
		close(second.fd);
	}
}

/* First its processes, each with its own status, then the container itself. */
TEST_F(container, order_of_the_end)
{
	struct agent inside[3], host;
	struct dre_event event;
	int i, exited = 0, unregistered = 0;

	agent_start(&host, NULL, 0);
	for (i = 0; i < 3; i++) {
		agent_start(&inside[i], &self->c.init, 0);
		ASSERT_EQ(0, self_register(&inside[i], SIGNALS(SIGTERM)));
	}
	ASSERT_EQ(0, self_register(&self->c.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, host.pid, 0, NO_SIGNALS));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, next_event(self->c.fd, &event));
		EXPECT_EQ(DRE_EVENT_REGISTERED, event.type);
	}
	container_kill(&self->c);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, next_event(self->c.fd, &event));
		if (event.type == DRE_EVENT_UNREGISTERED) {
			unregistered++;
			EXPECT_EQ(host.pid, event.pid);
			EXPECT_EQ(0, event.vpid);
			EXPECT_EQ(MANAGED, event.value);
		} else {
			exited++;
			EXPECT_EQ(DRE_EVENT_EXITED, event.type);
			EXPECT_EQ(SIGKILL, event.value);
		}
	}
	EXPECT_EQ(4, exited);
	EXPECT_EQ(1, unregistered);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_ENDED, self->c.init.pid, 1, SIGKILL);
	EXPECT_EOF(self->c.fd);
	agent_kill(&host, SIGKILL);
	container_start(&self->c, 0);
}

/* Its status is that of init, however that ended. */
TEST_F(container, status_of_the_end)
{
	container_kill(&self->c);
	container_start(&self->c, 0);
	close(self->c.fd);
	self->c.fd = container_create(self->dre, APP, self->c.init.pid, "c1");
	ASSERT_LE(0, self->c.fd);
	EXPECT_EQ(42 << 8, agent_exit(&self->c.init, 42));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_ENDED, self->c.init.pid, 1, 42 << 8);
	EXPECT_EOF(self->c.fd);
	container_start(&self->c, 0);
}

static int allow_core(int fd, void *arg)
{
	struct rlimit limit;
	sigset_t none;

	if (getrlimit(RLIMIT_CORE, &limit))
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_CORE, &limit) || chdir("/tmp"))
		return -errno;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

/* As wait(2) gives it, for every kind of end. */
TEST_F(container, status)
{
	static const int codes[] = { 0, 1, 127, 255 };
	static const int signals[] = { SIGTERM, SIGKILL, SIGHUP, SIGUSR1, SIGSEGV, 64 };
	struct agent a;
	int status;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		agent_start(&a, &self->c.init, 0);
		ASSERT_EQ(0, self_register(&a, SIGNALS(SIGTERM)));
		status = agent_exit(&a, codes[i]);
		EXPECT_EQ(codes[i] << 8, status);
		EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, a.pid, a.vpid, SELF);
		EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, a.pid, a.vpid, status);
	}
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		agent_start(&a, &self->c.init, 0);
		ASSERT_EQ(0, process_register(self->c.fd, a.pid, 0, NO_SIGNALS));
		ASSERT_EQ(0, agent_call(&a, allow_core, NULL, 0));
		status = agent_kill(&a, signals[i]);
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(signals[i], WTERMSIG(status));
		EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, a.pid, a.vpid, MANAGED);
		EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, a.pid, a.vpid, status);
	}
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, status_with_a_core)
{
	struct agent a;
	int status;

	agent_start(&a, NULL, 0);
	ASSERT_EQ(0, process_register(self->c.fd, a.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, agent_call(&a, allow_core, NULL, 0));
	status = agent_kill(&a, SIGQUIT);
	EXPECT_TRUE(WCOREDUMP(status));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, a.pid, 0, MANAGED);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, a.pid, 0, status);
	unlink("/tmp/core");
}

static int read_there(int fd, void *arg)
{
	return next_event(fd, arg);
}

/* Numbers are the reader's, as late as it may read. */
TEST_F(container, read_from_another_pid_namespace)
{
	struct container second;
	struct dre_event event;
	struct agent a;

	container_start(&second, 0);
	agent_start(&a, &self->c.init, 0);
	ASSERT_EQ(0, self_register(&a, SIGNALS(SIGTERM)));
	agent_exit(&a, 5);
	EXPECT_EQ(1, agent_call_fd(&self->c.init, self->c.fd, read_there, &event, sizeof(event)));
	EXPECT_EQ(DRE_EVENT_REGISTERED, event.type);
	EXPECT_EQ(a.vpid, event.pid);
	EXPECT_EQ(a.vpid, event.vpid);
	EXPECT_EQ(1, agent_call_fd(&second.init, self->c.fd, read_there, &event, sizeof(event)));
	EXPECT_EQ(DRE_EVENT_EXITED, event.type);
	EXPECT_EQ(0, event.pid);
	EXPECT_EQ(a.vpid, event.vpid);
	EXPECT_EQ(5 << 8, event.value);
	container_kill(&second);
}

/* A file that is closed with events in it, and one whose container is long gone. */
TEST_F(container, closed_with_events)
{
	int fd = container_open(self->dre, APP, "c1");
	struct agent a;

	ASSERT_LE(0, fd);
	agent_start(&a, &self->c.init, 0);
	ASSERT_EQ(0, self_register(&a, SIGNALS(SIGTERM)));
	make_events(_metadata, self, PLAIN_MAX + 10);
	agent_kill(&a, SIGKILL);
	close(fd);
	container_kill(&self->c);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, a.pid, a.vpid, SELF);
	close(self->c.fd);
	container_start(&self->c, 0);
}

TEST_HARNESS_MAIN
