// SPDX-License-Identifier: GPL-2.0-only
/*
 * What depends on how many processes are registered, and may not: each request,
 * but for the lists, with 20,000 against with 1. And what memory they take.
 *
 * Registering the crowd takes long, so everything is measured in turn while it
 * is registered, and then while it is not.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

#define REGISTERED	20000
#define PAIRS		31
#define CGROUP		"/sys/fs/cgroup/bench-scale"

/* @crowd: many; @few: a container with the one process that always is registered. */
struct scale {
	int dre;
	struct crowd crowd, few;
	pid_t pid, vpid;
	int cgroup;
};

static void infos(void *arg, unsigned long n)
{
	struct scale *s = arg;

	while (n--)
		must(container_count(s->dre));
}

static const struct dre_self unregister = { .size = sizeof(unregister) };
static const struct dre_self one_signal = {
	.size = sizeof(one_signal),
	.nr_signals = 1,
	.signals = { SIGTERM },
};

static void self_registrations(void *arg, unsigned long n)
{
	struct scale *s = arg;

	while (n--) {
		must(dre_request(s->dre, DRE_IOC_SELF_REGISTER, (void *)&one_signal));
		must(dre_request(s->dre, DRE_IOC_SELF_UNREGISTER, (void *)&unregister));
	}
}

static void refusals(void *arg, unsigned long n)
{
	struct scale *s = arg;

	must(dre_request(s->dre, DRE_IOC_SELF_REGISTER, (void *)&one_signal));
	while (n--)
		must(dre_request(s->dre, DRE_IOC_SELF_REFUSE, (void *)&one_signal));
	must(dre_request(s->dre, DRE_IOC_SELF_UNREGISTER, (void *)&unregister));
}

static void opens(void *arg, unsigned long n)
{
	struct scale *s = arg;

	while (n--)
		close(must(container_open(s->dre, DRE_CONTAINER_APP, "few")));
}

static void registrations(void *arg, unsigned long n)
{
	struct scale *s = arg;

	while (n--) {
		must(process_register(s->few.c.fd, s->vpid, DRE_REGISTER_BY_VPID, NO_SIGNALS));
		must(process_unregister(s->few.c.fd, s->vpid, DRE_REGISTER_BY_VPID));
	}
}

static void translations(void *arg, unsigned long n)
{
	struct scale *s = arg;

	while (n--) {
		must(translate_one(s->few.c.fd, 0, s->pid));
		must(translate_one(s->few.c.fd, DRE_TRANSLATE_TO_PID, s->vpid));
	}
}

/* Of the container with one process, which has no signal: nothing is sent. */
static void terminations(void *arg, unsigned long n)
{
	__u32 signalled, silent;
	struct scale *s = arg;

	while (n--) {
		must(container_terminate(s->few.c.fd, &signalled, &silent));
		if (signalled || silent != 1)
			die("%u signalled, %u silent", signalled, silent);
	}
}

static void groups(void *arg, unsigned long n)
{
	struct scale *s = arg;
	struct dre_group make, forget = { .size = sizeof(forget), .name = "new" };

	while (n--) {
		make = (struct dre_group){ .size = sizeof(make), .fd = s->cgroup, .name = "new" };
		must(dre_request(s->crowd.c.fd, DRE_IOC_GROUP_CREATE, &make));
		must(dre_request(s->crowd.c.fd, DRE_IOC_GROUP_DESTROY, &forget));
	}
}

static void bindings(void *arg, unsigned long n)
{
	struct scale *s = arg;
	struct dre_bind bind = { .size = sizeof(bind), .pid = s->pid, .name = "group" };

	while (n--) {
		must(dre_request(s->few.c.fd, DRE_IOC_BIND, &bind));
		must(dre_request(s->few.c.fd, DRE_IOC_UNBIND, &bind));
	}
}

/* Each needs a process that is no container's init yet. */
static double sample_creation(struct scale *s)
{
	const int creations = 16;
	double start, took = 0;
	int i, fd, status;
	pid_t pid;

	for (i = 0; i < creations; i++) {
		pid = fork();
		if (!pid) {
			pause();
			_exit(0);
		}
		start = bench_now();
		fd = must(container_create(s->dre, DRE_CONTAINER_SYS, pid, "new"));
		took += bench_now() - start;
		close(fd);
		kill(pid, SIGKILL);
		if (waitpid(pid, &status, 0) != pid)
			die("waitpid");
		while (container_open(s->dre, DRE_CONTAINER_SYS, "new") != -ENOENT)
			;
	}
	return took / creations;
}

/* @fn: NULL for CONTAINER_CREATE */
static struct request_bench {
	const char *name;
	bench_fn fn;
	unsigned long n;
	double before;
	struct bench bench;
} requests[] = {
	{ .name = "INFO", .fn = infos },
	{ .name = "SELF_REGISTER + SELF_UNREGISTER", .fn = self_registrations },
	{ .name = "SELF_REFUSE", .fn = refusals },
	{ .name = "CONTAINER_CREATE" },
	{ .name = "CONTAINER_OPEN, close", .fn = opens },
	{ .name = "PROCESS_REGISTER + _UNREGISTER", .fn = registrations },
	{ .name = "TRANSLATE, both ways", .fn = translations },
	{ .name = "CONTAINER_TERMINATE of one process", .fn = terminations },
	{ .name = "GROUP_CREATE + GROUP_DESTROY", .fn = groups },
	{ .name = "BIND + UNBIND", .fn = bindings },
};

#define REQUESTS	(sizeof(requests) / sizeof(requests[0]))

static double sample_request(struct scale *s, struct request_bench *r)
{
	unsigned long once = 1;

	if (!r->fn)
		return sample_creation(s);
	/* The first move from cgroup to cgroup after a while waits for a grace period. */
	bench_time(r->fn, s, &once);
	return bench_time(r->fn, s, &r->n);
}

/* What the kernel's small objects take, in bytes. The module has nothing else. */
static double slab(void)
{
	FILE *meminfo;
	char line[128];
	long kib = -1;
	int fd;

	/* Brings together what each CPU has counted. */
	fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die("stat_refresh");
	close(fd);
	meminfo = fopen("/proc/meminfo", "re");
	if (!meminfo)
		die("/proc/meminfo");
	while (kib < 0 && fgets(line, sizeof(line), meminfo))
		sscanf(line, "Slab: %ld", &kib);
	fclose(meminfo);
	return kib * 1024.;
}

static void setup(struct scale *s)
{
	struct dre_group group = { .size = sizeof(group), .name = "group" };

	s->dre = dre_open();
	crowd_start(&s->crowd, REGISTERED - 1);
	crowd_open(&s->crowd, s->dre, "crowd");
	crowd_start(&s->few, 2);
	crowd_open(&s->few, s->dre, "few");
	must(process_register(s->few.c.fd, s->few.vpids[0], DRE_REGISTER_BY_VPID, NO_SIGNALS));
	s->vpid = s->few.vpids[1];
	s->pid = must(translate_one(s->few.c.fd, DRE_TRANSLATE_TO_PID, s->vpid));
	if (mkdir(CGROUP, 0755))
		die(CGROUP);
	s->cgroup = open(CGROUP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	group.fd = s->cgroup;
	must(dre_request(s->few.c.fd, DRE_IOC_GROUP_CREATE, &group));
}

static void teardown(struct scale *s)
{
	crowd_end(&s->few);
	crowd_end(&s->crowd);
	close(s->cgroup);
	close(s->dre);
	if (rmdir(CGROUP))
		die(CGROUP);
}

/* All requests in the state that the registry is in. */
static void measure(struct scale *s, bool registered, bool second)
{
	struct request_bench *r;
	double now;

	for (r = requests; r < requests + REQUESTS; r++) {
		now = sample_request(s, r);
		if (second)
			bench_add(&r->bench, registered ? now : r->before,
				  registered ? r->before : now);
		r->before = now;
	}
}

/*
 * @empty: what the kernel took when the crowd never was registered. What is
 * given back may be kept for the next time, so that is measured only once.
 */
static void crowd_switch(struct scale *s, bool registered, struct bench *memory, double empty)
{
	if (registered) {
		crowd_register(&s->crowd);
		bench_add(memory, (slab() - empty) / s->crowd.count, 0);
	} else {
		crowd_unregister(&s->crowd);
	}
}

static void pairs(struct scale *s, struct bench *memory)
{
	double empty = slab();
	bool registered = true;
	int i;

	crowd_switch(s, true, memory, empty);
	measure(s, true, false);	/* sets how often, where it takes longest, and warms up */
	for (i = 0; i < PAIRS; i++) {
		measure(s, registered, false);
		registered = !registered;
		crowd_switch(s, registered, memory, empty);
		measure(s, registered, true);
	}
	if (registered)
		crowd_unregister(&s->crowd);
}

void bench_scale(void)
{
	static struct bench memory = {
		.what = "memory for a registered process",
		.ours = "the kernel's slabs, 19,999 registered",
		.unit = "B",
		.goal = 256,
	};
	static char names[REQUESTS][80];
	struct scale s;
	size_t i;

	for (i = 0; i < REQUESTS; i++) {
		snprintf(names[i], sizeof(names[i]), "%s, 20,000 against 1", requests[i].name);
		requests[i].bench = (struct bench){
			.what = names[i],
			.ours = "20,000 processes are registered",
			.other = "1 process is registered",
			.unit = "ns",
			.goal = FLAT,
		};
	}
	setup(&s);
	pairs(&s, &memory);
	bench_print(&memory);
	for (i = 0; i < REQUESTS; i++)
		bench_print(&requests[i].bench);
	teardown(&s);
}
