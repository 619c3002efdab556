// SPDX-License-Identifier: GPL-2.0-only
/* BIND and UNBIND while processes end, numbers come back, and everything else is taken away. */
#include <linux/sched.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "group.h"

/* Numbers that come back */

#define ROUNDS		1500
#define LOOK_EACH	25

/* Shared by the test and an agent. @hold: the agent is to keep the process that is there. */
struct recycler {
	pid_t number;
	bool hold;
	bool held;
	bool enough;
};

#define GET(_field)		__atomic_load_n(&(_field), __ATOMIC_SEQ_CST)
#define SET(_field, _value)	__atomic_store_n(&(_field), _value, __ATOMIC_SEQ_CST)

static void *shared(size_t size)
{
	void *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		die("mmap");
	return area;
}

/* One process after the other, all with the same number. Returns how many there were. */
static int recycle(int fd, void *arg)
{
	struct recycler *r = *(struct recycler **)arg;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&r->number,
		.set_tid_size = 1,
	};
	int count = 0, spin;
	pid_t pid;

	while (!GET(r->enough)) {
		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (!pid) {
			for (;;)
				pause();
		}
		if (pid < 0 && errno == EEXIST)	/* somebody else has it for a moment */
			continue;
		if (pid < 0)
			return -errno;
		count++;
		for (spin = 0; spin < count * 7919 % 20000; spin++)
			asm volatile("");
		/* Some live longer than a BIND and an UNBIND take on most machines. */
		if (count % 8 == 0)
			usleep(count % 7 * 20000);
		while (GET(r->hold) && !GET(r->enough)) {
			SET(r->held, true);
			usleep(100);
		}
		SET(r->held, false);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return count;
}

/* A number that nobody has. */
static pid_t free_number(void)
{
	struct agent a;

	agent_start(&a, NULL, 0);
	agent_kill(&a, SIGKILL);
	return a.pid;
}

/* Who is bound is in the cgroup, and nobody else is: nobody goes there but by a BIND. */
static void expect_consistent(struct __test_metadata *_metadata, int fd, pid_t pid)
{
	struct dre_binding_info info;
	int bound = binding_find(fd, pid, &info);

	ASSERT_EQ(bound ? 0 : 1, cgroup_members("g1"));
	ASSERT_EQ(!bound, in_cgroup(pid, "g1"));
	EXPECT_GROUP(fd, "g1", !bound);
}

/* Each request is for one process: the one that had the number when it was made. */
TEST_F_TIMEOUT(group, number_comes_back, 120)
{
	struct recycler *r = shared(sizeof(*r));
	int i, ret, bound = 0, unbound = 0, missed = 0;
	struct dre_binding_info info;
	struct agent agent;

	r->number = free_number();
	agent_start(&agent, NULL, 0);
	ASSERT_EQ(0, cgroup_enter("origin", agent.pid));
	agent_send(&agent, -1, recycle, &r, sizeof(r));
	/* Where fork is slow most requests find nobody. */
	for (i = 0; i < ROUNDS; i++) {
		ret = process_bind(self->fd, r->number, 0, "g1");
		ASSERT_TRUE(!ret || ret == -ESRCH || ret == -ESTALE || ret == -EAGAIN) {
			TH_LOG("BIND: %d", ret);
		}
		bound += !ret;
		missed += ret == -ESTALE;
		/* Whoever was moved in its place, and put back, may still be there. */
		if (i % LOOK_EACH == 0 || ret == -ESTALE) {
			SET(r->hold, true);
			ASSERT_TRUE(eventually(GET(r->held)));
			expect_consistent(_metadata, self->fd, r->number);
			/* Whoever stays can be bound, and is it when it ends: that is not left to chance. */
			if (binding_find(self->fd, r->number, &info))
				EXPECT_EQ(0, process_bind(self->fd, r->number, 0, "g1"));
			expect_consistent(_metadata, self->fd, r->number);
			if (i % 2) {
				EXPECT_EQ(0, process_unbind(self->fd, r->number, 0, "g1"));
				expect_consistent(_metadata, self->fd, r->number);
			}
			SET(r->hold, false);
			/* Else the next look could take this answer for its own. */
			ASSERT_TRUE(eventually(!GET(r->held)));
		}
		if (i % 3 == 0)
			continue;
		ret = process_unbind(self->fd, r->number, 0, "g1");
		ASSERT_TRUE(!ret || ret == -ESRCH || ret == -ESTALE || ret == -EAGAIN ||
			    ret == -ENOENT) {
			TH_LOG("UNBIND: %d", ret);
		}
		unbound += !ret;
		missed += ret == -ESTALE;
	}
	SET(r->enough, true);
	EXPECT_LT(10, agent_receive(&agent, NULL, 0));
	/* How often somebody was met who did not wait for it, or was moved and put back, is chance. */
	TH_LOG("%d bound, %d unbound, %d times somebody else", bound, unbound, missed);
	EXPECT_EQ(0, cgroup_members("g1"));
	EXPECT_EQ(0, binding_count(self->fd));
	agent_kill(&agent, SIGKILL);
}

/* The number comes back as a thread, whose process is as old as any */

#define SWAPS	200

/* What an agent does: @number is of a process that it has made, and then of a thread of its own. */
struct swap {
	pid_t number;
	int spin;
};

static sem_t thread_may_end;
static pthread_t swapped;

static void *thread_that_waits(void *tid)
{
	SET(*(pid_t *)tid, gettid());
	sem_wait(&thread_may_end);
	return NULL;
}

static int make_child(int fd, void *arg)
{
	struct swap *s = arg;
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&s->number,
		.set_tid_size = 1,
	};
	pid_t pid;

	do
		pid = syscall(SYS_clone3, &args, sizeof(args));
	while (pid < 0 && errno == EEXIST);
	if (!pid) {
		for (;;)
			pause();
	}
	return pid < 0 ? -errno : 0;
}

/* Others may be faster to take the number for a while. */
static int swap_child_for_thread(int fd, void *arg)
{
	struct swap *s = arg;
	int last, len, spin;
	char number[16];
	pid_t tid;

	len = snprintf(number, sizeof(number), "%d", s->number - 1);
	last = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	if (last < 0)
		return -errno;
	for (spin = 0; spin < s->spin; spin++)
		asm volatile("");
	kill(s->number, SIGKILL);
	waitpid(s->number, NULL, 0);
	for (;;) {
		tid = 0;
		if (pwrite(last, number, len, 0) != len ||
		    pthread_create(&swapped, NULL, thread_that_waits, &tid))
			return -EAGAIN;
		while (!GET(tid))
			sched_yield();
		if (tid == s->number)
			break;
		sem_post(&thread_may_end);
		pthread_join(swapped, NULL);
	}
	close(last);
	return 0;
}

static int end_thread(int fd, void *arg)
{
	sem_post(&thread_may_end);
	return -pthread_join(swapped, NULL);
}

static int bind_to_g1(int fd, void *arg)
{
	return process_bind(fd, *(pid_t *)arg, 0, "g1");
}

/* It is told of: nobody knows where the process was that went there. */
TEST_F_TIMEOUT(group, number_comes_back_as_a_thread, 300)
{
	struct swap s = { .number = free_number() };
	struct agent old, binder;
	int i, ret, missed = 0;

	agent_start(&old, NULL, 0);
	agent_start(&binder, NULL, 0);
	ASSERT_EQ(0, cgroup_enter("origin", old.pid));
	for (i = 0; i < SWAPS; i++) {
		s.spin = i * 7919 % 20000;
		ASSERT_EQ(0, agent_call(&old, make_child, &s, sizeof(s)));
		agent_send(&binder, self->fd, bind_to_g1, &s.number, sizeof(s.number));
		agent_send(&old, -1, swap_child_for_thread, &s, sizeof(s));
		ret = agent_receive(&binder, NULL, 0);
		ASSERT_EQ(0, agent_receive(&old, NULL, 0));
		ASSERT_TRUE(!ret || ret == -ESRCH || ret == -EINVAL || ret == -ESTALE) {
			TH_LOG("BIND: %d", ret);
		}
		missed += ret == -ESTALE;
		ASSERT_EQ(ret == -ESTALE, in_cgroup(old.pid, "g1")) {
			TH_LOG("BIND: %d", ret);
		}
		EXPECT_EQ(0, binding_count(self->fd));
		ASSERT_EQ(0, cgroup_enter("origin", old.pid));
		ASSERT_EQ(0, agent_call(&old, end_thread, NULL, 0));
	}
	TH_LOG("%d times the process of the thread", missed);
	agent_kill(&binder, SIGKILL);
	agent_kill(&old, SIGKILL);
}

/* A process that ends at about the time when it is bound */

#define DYING	200

TEST_F_TIMEOUT(group, dies_while_it_is_bound, 120)
{
	int i, spin, ret, status;
	struct dre_event event;
	int bound, unbound;
	pid_t pid;

	for (i = 0; i < DYING; i++) {
		pid = fork();
		if (!pid) {
			for (spin = 0; spin < i * 97 % 30000; spin++)
				asm volatile("");
			_exit(0);
		}
		ret = process_bind(self->fd, pid, 0, "g1");
		ASSERT_TRUE(!ret || ret == -ESRCH) {
			TH_LOG("BIND: %d", ret);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, binding_count(self->fd));
		EXPECT_EQ(0, cgroup_members("g1"));
		bound = unbound = 0;
		while (unbound < !ret || readable(self->fd)) {
			ASSERT_EQ(1, next_event(self->fd, &event));
			bound += event.type == DRE_EVENT_BOUND;
			unbound += event.type == DRE_EVENT_UNBOUND;
		}
		/* Nothing is told of one that failed, and each binding ends once. */
		ASSERT_EQ(!ret, bound);
		ASSERT_EQ(!ret, unbound);
	}
}

/* A process that makes threads, which are in the root for a moment before they are where it is */

#define MAKERS		4
#define THREADED_S	5

static void *thread_that_ends(void *arg)
{
	return NULL;
}

/* Until the process is killed. */
static void *make_threads(void *arg)
{
	pthread_t thread;

	for (;;)
		if (!pthread_create(&thread, NULL, thread_that_ends, NULL))
			pthread_join(thread, NULL);
	return NULL;
}

static int start_makers(int fd, void *arg)
{
	pthread_t maker;
	int i, err = 0;

	for (i = 0; i < MAKERS && !err; i++)
		err = pthread_create(&maker, NULL, make_threads, NULL);
	return -err;
}

/* Nobody leaves his limits by that: each UNBIND brings it to where it came from. */
TEST_F(group, makes_threads_while_it_is_bound)
{
	struct timespec now, end;
	int rounds = 0;

	cgroup_make("origin/threaded");
	ASSERT_EQ(0, cgroup_write("origin/threaded", "cgroup.type", "threaded"));
	ASSERT_EQ(0, cgroup_enter("origin/threaded", self->host.pid));
	ASSERT_EQ(0, agent_call(&self->host, start_makers, NULL, 0));
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += THREADED_S;
	do {
		ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
		ASSERT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
		ASSERT_TRUE(in_cgroup(self->host.pid, "origin/threaded")) {
			TH_LOG("%s after %d rounds", cgroup_of(self->host.pid), rounds);
		}
		rounds++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	TH_LOG("%d rounds", rounds);
}

/* The container has ended; another one of its name, with the same control groups. */
static void start_again(struct __test_metadata *_metadata, FIXTURE_DATA(group) *self)
{
	container_start(&self->base.c, 0);
	agent_start(self->inside, self->init, 0);
	close(self->fd);
	self->fd = container_create(self->dre, APP, self->init->pid, "c1");
	ASSERT_LE(0, self->fd);
	make_group(_metadata, self->fd, "g1");
	make_group(_metadata, self->fd, "g2");
	ASSERT_EQ(0, cgroup_enter("payload", self->init->pid));
	ASSERT_EQ(0, cgroup_enter("payload", self->inside->pid));
}

/* A container that ends at about the time when a process is moved in it */

#define ENDS	8

static const char *const own_groups[] = { "threaded", "g2" };

/* Shared by the test and an agent. */
struct mover {
	pid_t pid;
	int count;
};

/* From one control group to the other, and into the one that it is in, until there are none. */
static int move_about(int fd, void *arg)
{
	struct mover *m = *(struct mover **)arg;
	int ret;

	do
		ret = process_bind(fd, m->pid, 0, own_groups[GET(m->count) / 2 % 2]);
	while (!ret && __atomic_add_fetch(&m->count, 1, __ATOMIC_SEQ_CST));
	return ret;
}

/*
 * It is moved back to where it was bound, which may be a threaded cgroup: so whoever
 * cleans up finds it there, and it gets home.
 */
TEST_F_TIMEOUT(group, container_ends_while_a_process_is_moved, 300)
{
	struct mover *m = shared(sizeof(*m));
	struct agent agent;
	int i, fd, ret;

	cgroup_make("g1/threaded");
	ASSERT_EQ(0, cgroup_write("g1/threaded", "cgroup.type", "threaded"));
	m->pid = self->host.pid;
	agent_start(&agent, NULL, 0);
	for (i = 0; i < ENDS; i++) {
		fd = cgroup_open("g1/threaded");
		ASSERT_EQ(0, group_create(self->fd, fd, "threaded", NULL));
		close(fd);
		SET(m->count, 0);
		agent_send(&agent, self->fd, move_about, &m, sizeof(m));
		ASSERT_TRUE(eventually(GET(m->count) > i));
		container_kill(&self->base.c);
		ASSERT_EQ(-ENODEV, agent_receive(&agent, NULL, 0));

		fd = container_open_ended(self->dre, APP, "c1");
		ASSERT_LE(0, fd);
		ret = process_unbind(fd, m->pid, 0, "threaded");
		if (ret == -ENOENT)
			ret = process_unbind(fd, m->pid, 0, "g2");
		EXPECT_EQ(0, ret);
		EXPECT_TRUE(in_cgroup(m->pid, "origin"));
		close(fd);
		start_again(_metadata, self);
	}
	agent_kill(&agent, SIGKILL);
}

/* Everything at once */

#define STORMS		4
#define STORM_MS	400
#define STORMERS	3
#define VICTIMS		4

/* No storm without as many requests of each. */
#define LEAST		10

/**
 * struct storm - what each of several does
 * @me: which of them
 * @enough: shared: it is over
 * @count: shared: how many requests each of them has made
 * @seed: of what comes to its mind
 * @pid: processes that may be bound
 */
struct storm {
	int me;
	bool *enough;
	int *count;
	unsigned int seed;
	pid_t pid[VICTIMS];
};

static bool may_happen(int ret)
{
	switch (-ret) {
	case 0:
	case ENODEV:	/* the container ends */
	case ENOENT:	/* no such control group, or not bound to it */
	case EEXIST:
	case EBUSY:	/* somebody is bound; or it is for the container before */
	case ESRCH:
	case EAGAIN:
		return true;
	}
	return false;
}

/* Whatever comes to its mind. Returns 0, or the error that must not be. */
static int storm(int fd, void *arg)
{
	static const char *const names[] = { "g1", "g2" };
	struct storm *s = arg;
	const char *name;
	int dir, ret;
	pid_t pid;

	while (!GET(*s->enough)) {
		name = names[rand_r(&s->seed) / 16 % 2];
		pid = s->pid[rand_r(&s->seed) / 16 % VICTIMS];
		switch (rand_r(&s->seed) / 16 % 8) {
		case 0:
			ret = group_destroy(fd, name);
			break;
		case 1:
			dir = cgroup_open(name);
			ret = group_create(fd, dir, name, NULL);
			close(dir);
			break;
		case 2:
			ret = binding_count(fd);
			break;
		case 3:
			ret = cgroup_enter("origin", pid);
			break;
		case 4:
			ret = process_unbind(fd, pid, 0, name);
			break;
		default:
			ret = process_bind(fd, pid, 0, name);
			break;
		}
		if (ret < 0 && !may_happen(ret))
			return ret;
		__atomic_add_fetch(&s->count[s->me], 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* Has made enough requests; or has stopped, because of an error that must not be. */
static bool has_stormed(struct agent *stormer, const int *count)
{
	return GET(*count) >= LEAST || readable(stormer->sock);
}

/* As whoever cleans up does it: until there is no such container. */
static void release_all(struct __test_metadata *_metadata, int dre, const pid_t *pid)
{
	int fd, i, tries = 0;

	while ((fd = container_open_ended(dre, APP, "c1")) >= 0) {
		for (i = 0; i < VICTIMS; i++) {
			process_unbind(fd, pid[i], 0, "g1");
			process_unbind(fd, pid[i], 0, "g2");
		}
		close(fd);
		ASSERT_GT(10, tries++);
	}
	ASSERT_EQ(-ENOENT, fd);
}

TEST_F_TIMEOUT(group, all_at_once, 120)
{
	struct agent stormer[STORMERS], host[VICTIMS - 1];
	struct storm s = {
		.enough = shared(sizeof(bool)),
		.count = shared(STORMERS * sizeof(int)),
	};
	int round, i;

	for (i = 0; i < VICTIMS - 1; i++) {
		agent_start(&host[i], NULL, 0);
		ASSERT_EQ(0, cgroup_enter("origin", host[i].pid));
		s.pid[i] = host[i].pid;
	}
	for (round = 0; round < STORMS; round++) {
		s.pid[VICTIMS - 1] = self->inside->pid;
		SET(*s.enough, false);
		for (i = 0; i < STORMERS; i++) {
			s.me = i;
			s.seed = round * STORMERS + i + 1;
			SET(s.count[i], 0);
			agent_start(&stormer[i], NULL, 0);
			agent_send(&stormer[i], self->fd, storm, &s, sizeof(s));
		}
		usleep(STORM_MS * 1000);
		for (i = 0; i < STORMERS; i++)
			EXPECT_TRUE(eventually(has_stormed(&stormer[i], &s.count[i])));
		container_kill(&self->base.c);
		usleep(STORM_MS * 100);
		SET(*s.enough, true);
		for (i = 0; i < STORMERS; i++) {
			EXPECT_EQ(0, agent_receive(&stormer[i], NULL, 0));
			agent_kill(&stormer[i], SIGKILL);
		}
		release_all(_metadata, self->dre, s.pid);
		/* Nobody is left behind, and nothing is in the way. */
		EXPECT_EQ(0, binding_count(self->fd));
		EXPECT_EQ(0, group_count(self->fd));
		for (i = 0; i < VICTIMS - 1; i++)
			EXPECT_TRUE(in_cgroup(host[i].pid, "origin"));
		EXPECT_EQ(0, cgroup_members("g1"));
		EXPECT_EQ(0, cgroup_members("g2"));

		start_again(_metadata, self);
	}
	for (i = 0; i < VICTIMS - 1; i++)
		agent_kill(&host[i], SIGKILL);
}

TEST_HARNESS_MAIN
