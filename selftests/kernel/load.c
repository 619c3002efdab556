// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load: thousands of processes, and storms of each kind of request from all
 * CPUs, while /proc/daware is read and while the module is removed. stress.c has
 * the races of a few, unload.c what holds the module.
 *
 * DRE_LOAD in the environment is how many processes are "thousands".
 */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "module.h"
#include "test.h"

/* A storm of each kind lasts that long. */
#define STORM_MS	1500

static int thousands(void)
{
	const char *text = getenv("DRE_LOAD");
	int n = atoi(text ?: "20000");

	if (n < 100) {
		errno = EINVAL;
		die("DRE_LOAD=%s", text);
	}
	return n;
}

/* Crowds: processes that share all that processes can share, which makes them cheap */

/* They only make system calls, which do not need more of a stack. */
#define MEMBER_STACK	2048

enum { COMING, REGISTERED, LEAVING };

/**
 * struct crowd - many processes that have registered themselves
 * @size: how many
 * @dre: /dev/dre, which they share
 * @failed: how many could not
 * @registered: how many could
 * @leave: how many of them, the first ones, are to exit
 * @stacks: of all of them
 * @member: each
 */
struct crowd {
	int size;
	int dre;
	int failed;
	int registered;
	int leave;
	char *stacks;
	struct member {
		struct crowd *crowd;
		pid_t pid;
		int state;
	} *member;
};

/* It has no thread-local data of its own: what it calls must not fail, to leave errno alone. */
static int member_main(void *arg)
{
	struct dre_self self = { .size = sizeof(self), .nr_signals = 1, .signals = { SIGTERM } };
	struct member *m = arg;
	struct crowd *c = m->crowd;
	int leave;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ioctl(c->dre, DRE_IOC_SELF_REGISTER, &self)) {
		__atomic_add_fetch(&c->failed, 1, __ATOMIC_SEQ_CST);
	} else {
		__atomic_store_n(&m->state, REGISTERED, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&c->registered, 1, __ATOMIC_SEQ_CST);
	}
	while ((leave = __atomic_load_n(&c->leave, __ATOMIC_SEQ_CST)) <= m - c->member)
		syscall(SYS_futex, &c->leave, FUTEX_WAIT_PRIVATE, leave, NULL);
	return 0;
}

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

/* The kernel's default for a machine of a few GB may not do. */
static void allow_processes(int n)
{
	FILE *file = fopen("/proc/sys/kernel/threads-max", "r+");
	int max;

	if (!file || fscanf(file, "%d", &max) != 1)
		die("threads-max");
	rewind(file);
	if (max < n + 2000 && fprintf(file, "%d", n + 2000) < 0)
		die("threads-max");
	fclose(file);
}

static void crowd_start(struct crowd *c, int size)
{
	const int shared = CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND;
	char *stack;
	int i;

	allow_processes(size);
	*c = (struct crowd) {
		.size = size,
		.dre = dre_open(),
		.stacks = map((size_t)size * MEMBER_STACK),
		.member = map(size * sizeof(c->member[0])),
	};
	for (i = 0; i < size; i++) {
		stack = c->stacks + (size_t)i * MEMBER_STACK;
		c->member[i].crowd = c;
		c->member[i].pid = clone(member_main, stack + MEMBER_STACK, shared | SIGCHLD,
					 &c->member[i]);
		if (c->member[i].pid < 0)
			die("clone the %dth", i);
	}
	if (!eventually(__atomic_load_n(&c->registered, __ATOMIC_SEQ_CST) +
			__atomic_load_n(&c->failed, __ATOMIC_SEQ_CST) == size))
		die("%d of %d registered", c->registered, size);
	if (c->failed)
		die("%d could not register", c->failed);
	close(c->dre);
}

static void crowd_expect_to_leave(struct crowd *c, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		__atomic_store_n(&c->member[i].state, LEAVING, __ATOMIC_SEQ_CST);
}

/* All up to @to exit, from wherever they are, at once. */
static void crowd_leave(struct crowd *c, int to)
{
	__atomic_store_n(&c->leave, to, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &c->leave, FUTEX_WAKE_PRIVATE, INT_MAX);
}

static void crowd_kill(struct crowd *c, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (kill(c->member[i].pid, SIGKILL))
			die("kill");
}

static void crowd_reap(struct crowd *c, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (waitpid(c->member[i].pid, NULL, 0) != c->member[i].pid)
			die("waitpid");
}

static void crowd_end(struct crowd *c)
{
	munmap(c->stacks, (size_t)c->size * MEMBER_STACK);
	munmap(c->member, c->size * sizeof(c->member[0]));
}

/* Reads /proc/daware throughout */

/* Numbers of processes are below that, with which the kernel starts. */
#define PID_LIMIT	(4 << 20)

struct reader {
	pthread_t thread;
	struct crowd *crowd;
	bool enough;
	int reads;
	int without_module;
	const char *wrong;
};

/* Who was registered before and still was afterwards is in there once, and the order is right. */
static const char *check_members(const struct crowd *c, const char *text, const char *before)
{
	static char seen[PID_LIMIT / 8];
	const char *line = text;
	int i, pid;

	memset(seen, 0, sizeof(seen));
	while ((line = strchr(line, '\n')) && *++line) {
		pid = atoi(line);
		seen[pid / 8] |= 1 << pid % 8;	/* in order, so not twice */
	}
	for (i = 0; i < c->size; i++) {
		if (!before[i] ||
		    __atomic_load_n(&c->member[i].state, __ATOMIC_SEQ_CST) != REGISTERED)
			continue;
		pid = c->member[i].pid;
		if (!(seen[pid / 8] & 1 << pid % 8))
			return "a member is missing";
	}
	return NULL;
}

static void read_once(struct reader *r, char *before)
{
	struct crowd *c = r->crowd;
	char *text;
	int fd, i;

	for (i = 0; c && i < c->size; i++)
		before[i] = __atomic_load_n(&c->member[i].state, __ATOMIC_SEQ_CST) == REGISTERED;
	fd = open(DAWARE, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT)
			r->wrong = "open";
		r->without_module++;
		return;
	}
	text = read_all(fd, 64 * 1024);
	if (!text)
		r->wrong = "read";
	else
		r->wrong = daware_malformed(text) ?: (c ? check_members(c, text, before) : NULL);
	r->reads++;
	free(text);
	close(fd);
}

static void *read_throughout(void *arg)
{
	struct reader *r = arg;
	char *before = r->crowd ? malloc(r->crowd->size) : NULL;

	while (!__atomic_load_n(&r->enough, __ATOMIC_SEQ_CST) && !r->wrong) {
		read_once(r, before);
		/* The module must get a moment in which nobody holds it. */
		usleep(1000);
	}
	free(before);
	return NULL;
}

static void reader_start(struct reader *r, struct crowd *crowd)
{
	*r = (struct reader){ .crowd = crowd };
	errno = pthread_create(&r->thread, NULL, read_throughout, r);
	if (errno)
		die("pthread_create");
}

static void reader_stop(struct __test_metadata *_metadata, struct reader *r)
{
	/* Else it was no test. */
	EXPECT_TRUE(eventually(__atomic_load_n(&r->reads, __ATOMIC_SEQ_CST) > 2 || r->wrong));
	__atomic_store_n(&r->enough, true, __ATOMIC_SEQ_CST);
	pthread_join(r->thread, NULL);
	EXPECT_STREQ("nothing", r->wrong ?: "nothing");
	TH_LOG("/proc/daware was read %d times", r->reads);
}

static bool registry_is_empty(void)
{
	char *text = read_daware();
	bool empty = !strcmp(text, DAWARE_HEADER);

	free(text);
	return empty;
}

/* Every fourth is registered by a manager, too, and exits with an event. */
TEST_F_TIMEOUT(container, thousands_are_registered_and_exit, 300)
{
	int size = thousands(), managed = 0, i;
	struct tally tally = {};
	struct reader reader;
	struct crowd crowd;

	crowd_start(&crowd, size);
	EXPECT_EQ(size, daware_lines(read_daware()));
	reader_start(&reader, &crowd);
	for (i = 0; i < size; i += 4, managed++)
		ASSERT_EQ(0, process_register(self->c.fd, crowd.member[i].pid, 0, NO_SIGNALS));
	EXPECT_EQ(managed, process_count(self->c.fd));

	/* Half of them exits by itself, the rest is killed. */
	crowd_expect_to_leave(&crowd, 0, size / 2);
	crowd_leave(&crowd, size / 2);
	crowd_reap(&crowd, 0, size / 2);
	EXPECT_TRUE(eventually(daware_lines(read_daware()) == size - size / 2));
	crowd_expect_to_leave(&crowd, size / 2, size);
	crowd_kill(&crowd, size / 2, size);
	crowd_reap(&crowd, size / 2, size);
	reader_stop(_metadata, &reader);
	EXPECT_TRUE(eventually(registry_is_empty()));
	EXPECT_EQ(0, process_count(self->c.fd));

	/* What had no room was counted: each registration came and went. */
	EXPECT_TRUE(eventually((tally_events(self->c.fd, &tally),
				tally.events[DRE_EVENT_REGISTERED] + tally.events[DRE_EVENT_EXITED] +
				tally.lost == 2 * managed)));
	EXPECT_EQ(0, tally.events[DRE_EVENT_UNREGISTERED]);
	EXPECT_NO_EVENT(self->c.fd);
	crowd_end(&crowd);
}

/* Removal */

/* Tries until the module goes; returns how often it did not, or -errno. */
static int remove_module(void)
{
	long long end = now_ms() + DEADLINE * 1000LL;
	int tries, ret;

	for (tries = 0; now_ms() < end; tries++) {
		ret = module_unload();
		if (!ret)
			return tries;
		if (ret != -EWOULDBLOCK && ret != -EBUSY)
			return ret;
		usleep(100);
	}
	return -ETIME;
}

FIXTURE(removal) {
};

FIXTURE_SETUP(removal)
{
	ASSERT_TRUE(eventually(registry_is_empty()));
}

FIXTURE_TEARDOWN(removal)
{
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load());
	EXPECT_TRUE(eventually(registry_is_empty()));
}

TEST_F_TIMEOUT(removal, while_thousands_exit, 300)
{
	int size = thousands() / 8, round;
	struct reader reader;
	struct crowd crowd;

	for (round = 0; round < 4; round++) {
		crowd_start(&crowd, size);
		reader_start(&reader, NULL);
		if (round % 2)
			crowd_leave(&crowd, size);
		else
			crowd_kill(&crowd, 0, size);
		EXPECT_LE(0, remove_module());
		crowd_reap(&crowd, 0, size);
		ASSERT_EQ(0, module_load());
		EXPECT_TRUE(eventually(reader.reads > 2));
		reader_stop(_metadata, &reader);
		EXPECT_TRUE(registry_is_empty());
		crowd_end(&crowd);
	}
}

TEST_F_TIMEOUT(removal, while_thousands_are_registered, 300)
{
	int size = thousands() / 8;
	struct crowd crowd;

	crowd_start(&crowd, size);
	EXPECT_EQ(size, daware_lines(read_daware()));
	EXPECT_EQ(0, remove_module());
	ASSERT_EQ(0, module_load());
	EXPECT_TRUE(registry_is_empty());
	crowd_kill(&crowd, 0, size);
	crowd_reap(&crowd, 0, size);
	crowd_end(&crowd);
}

/* Storms */

#define STORMERS_A_CPU	2
#define TARGETS		8

/**
 * struct storm - what many do at once
 * @once: a few requests; returns 0 or -errno
 * @over: it is
 * @gaps: leave the module alone now and then
 * @init: of the container "storm", which whoever finds it missing makes
 * @target: processes that requests are about
 */
struct storm {
	int (*once)(struct storm *s, int dre, int round);
	bool over;
	bool gaps;
	pid_t init;
	pid_t target[TARGETS];
};

/* One of them. Returns how many rounds it made. */
static int storm_main(int fd, void *arg)
{
	struct storm *s = *(struct storm **)arg;
	int dre, ret, round = getpid();
	long long began, gap;

	/* One at least, also of who comes to it late. */
	while (!__atomic_load_n(&s->over, __ATOMIC_SEQ_CST) || round == getpid()) {
		began = now_ms();
		dre = open(DRE_DEVICE, O_RDWR | O_CLOEXEC);
		if (dre < 0) {
			/* Without the module there is no device, or one that leads nowhere. */
			if (errno != ENOENT && errno != ENODEV && errno != ENXIO)
				return -errno;
			usleep(1000);
			continue;
		}
		ret = s->once(s, dre, round);
		close(dre);
		if (ret)
			return ret;
		/* Long beside the round, wherever that is slow: all of them have one at times. */
		gap = s->gaps ? 8 + round % 8 * 4 + (now_ms() - began) * 10 : 0;
		for (began = now_ms(); now_ms() < began + gap && !__atomic_load_n(&s->over, __ATOMIC_SEQ_CST);)
			usleep(4000);
		round++;
	}
	return round - getpid();
}

static int storm_container(struct storm *s, int dre)
{
	int fd;

	for (;;) {
		fd = container_open(dre, APP, "storm");
		if (fd != -ENOENT)
			return fd;
		fd = container_create(dre, APP, s->init, "storm");
		if (fd != -EEXIST)
			return fd;
	}
}

static int storm_self(struct storm *s, int dre, int round)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 2, .signals = { SIGTERM, SIGHUP } };
	struct dre_self unreg = { .size = sizeof(unreg) };
	int i, ret = 0;

	for (i = 0; i < 10 && !ret; i++)
		ret = dre_request(dre, DRE_IOC_SELF_REGISTER, &reg) ?:
		      dre_request(dre, DRE_IOC_SELF_UNREGISTER, &unreg);
	return ret;
}

static int storm_manage(struct storm *s, int dre, int round)
{
	int fd = storm_container(s, dre), i, ret = fd < 0 ? fd : 0;

	for (i = 0; i < TARGETS && !ret; i++)
		ret = process_register(fd, s->target[(round + i) % TARGETS], 0, SIGNALS(SIGTERM));
	for (i = 0; i < TARGETS && !ret; i++) {
		ret = process_unregister(fd, s->target[(3 * round + i) % TARGETS], 0);
		if (ret == -ENOENT)	/* another one did it */
			ret = 0;
	}
	if (fd >= 0)
		close(fd);
	return ret;
}

/* 0 also if it is there. */
static int storm_group(int fd, const char *name)
{
	int cgroup = cgroup_open(name);
	int ret = group_create(fd, cgroup, name, NULL);

	close(cgroup);
	return ret == -EEXIST ? 0 : ret;
}

static int storm_bind(struct storm *s, int dre, int round)
{
	const char *name = round % 2 ? "g0" : "g1", *other = round % 2 ? "g1" : "g0";
	int fd = storm_container(s, dre), ret = fd < 0 ? fd : 0;
	pid_t pid = s->target[round / 2 % TARGETS];

	if (!ret)
		ret = storm_group(fd, name) ?: storm_group(fd, other) ?:
		      process_bind(fd, pid, 0, name) ?: process_bind(fd, pid, 0, other) ?:
		      process_unbind(fd, pid, 0, other);
	if (fd >= 0)
		close(fd);
	/* Another one took it away. */
	return ret == -ENOENT ? 0 : ret;
}

static int storm_open(struct storm *s, int dre, int round)
{
	int fd = storm_container(s, dre), i;

	if (fd < 0)
		return fd;
	close(fd);
	for (i = 0; i < 20; i++) {
		fd = i % 2 ? container_open(dre, APP, "storm") : open(DRE_DEVICE, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return i % 2 ? fd : -errno;
		close(fd);
	}
	return 0;
}

FIXTURE(storm) {
	struct storm *s;
	struct container c;
	struct agent target[TARGETS];
	struct reader reader;
	struct agent stormer[64];
	int stormers;
};

FIXTURE_SETUP(storm)
{
	int i;

	ASSERT_TRUE(eventually(registry_is_empty()));
	cgroup_prepare();
	cgroup_make("g0");
	cgroup_make("g1");
	self->s = map(sizeof(*self->s));
	container_start(&self->c, WITH_USERS);
	self->s->init = self->c.init.pid;
	/* Half of them live in the container. */
	for (i = 0; i < TARGETS; i++) {
		agent_start(&self->target[i], i % 2 ? &self->c.init : NULL, 0);
		self->s->target[i] = self->target[i].pid;
	}
}

FIXTURE_TEARDOWN(storm)
{
	int i;

	for (i = 0; i < TARGETS; i += 2)
		agent_kill(&self->target[i], SIGKILL);
	container_kill(&self->c);
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load());
	EXPECT_TRUE(eventually(registry_is_empty()));
	EXPECT_EQ(0, cgroup_clear());
}

static void stay_on_cpu(struct agent *a, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(a->pid, sizeof(one), &one))
		die("sched_setaffinity");
}

static void storm_begin(FIXTURE_DATA(storm) *self,
			int (*once)(struct storm *s, int dre, int round), bool gaps)
{
	struct agent *a;
	cpu_set_t all;
	int cpu, i;

	self->s->once = once;
	self->s->gaps = gaps;
	self->s->over = false;
	reader_start(&self->reader, NULL);
	if (sched_getaffinity(0, sizeof(all), &all))
		die("sched_getaffinity");
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		for (i = 0; CPU_ISSET(cpu, &all) && i < STORMERS_A_CPU; i++) {
			if (self->stormers == ARRAY_SIZE(self->stormer))
				return;
			a = &self->stormer[self->stormers++];
			agent_start(a, NULL, 0);
			stay_on_cpu(a, cpu);
			agent_send(a, -1, storm_main, &self->s, sizeof(self->s));
		}
	}
}

static void storm_end(struct __test_metadata *_metadata, FIXTURE_DATA(storm) *self)
{
	int rounds = 0, ret, i;

	__atomic_store_n(&self->s->over, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < self->stormers; i++) {
		ret = agent_receive(&self->stormer[i], NULL, 0);
		EXPECT_LT(0, ret);
		rounds += ret;
		agent_kill(&self->stormer[i], SIGKILL);
	}
	self->stormers = 0;
	reader_stop(_metadata, &self->reader);
	TH_LOG("%d rounds", rounds);
}

static void run_storm(struct __test_metadata *_metadata, FIXTURE_DATA(storm) *self,
		      int (*once)(struct storm *s, int dre, int round))
{
	long long end;
	int removed, tries = 0, ret;

	storm_begin(self, once, false);
	usleep(STORM_MS * 1000);
	storm_end(_metadata, self);

	storm_begin(self, once, true);
	end = now_ms() + STORM_MS;
	/* Until both have been: it could be removed, and somebody held it. */
	for (removed = 0; now_ms() < end || removed < 2 || !tries; removed++) {
		usleep(10000);
		ret = remove_module();
		ASSERT_LE(0, ret);
		tries += ret;
		ASSERT_EQ(0, module_load());
	}
	storm_end(_metadata, self);
	TH_LOG("the module was removed %d times, and held by somebody %d times", removed, tries);
}

TEST_F_TIMEOUT(storm, of_registrations, 120)
{
	run_storm(_metadata, self, storm_self);
}

TEST_F_TIMEOUT(storm, of_managers, 120)
{
	run_storm(_metadata, self, storm_manage);
}

TEST_F_TIMEOUT(storm, of_files, 120)
{
	run_storm(_metadata, self, storm_open);
}

TEST_F_TIMEOUT(storm, of_bindings, 120)
{
	run_storm(_metadata, self, storm_bind);
}

/* After a storm nobody is where nobody noted it. */
TEST_F_TIMEOUT(storm, of_bindings_leaves_nothing, 120)
{
	int dre, fd, i;

	storm_begin(self, storm_bind, false);
	usleep(STORM_MS * 1000);
	storm_end(_metadata, self);
	dre = dre_open();
	fd = storm_container(self->s, dre);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2 * TARGETS; i++)
		process_unbind(fd, self->s->target[i / 2], 0, i % 2 ? "g0" : "g1");
	EXPECT_EQ(0, group_destroy(fd, "g0"));
	EXPECT_EQ(0, group_destroy(fd, "g1"));
	/* All are back where they came from. */
	EXPECT_EQ(0, cgroup_members("g0"));
	EXPECT_EQ(0, cgroup_members("g1"));
	close(fd);
	close(dre);
}

TEST_HARNESS_MAIN
