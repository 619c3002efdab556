/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer: workers make requests, the population is what they are about, and
 * a supervisor has both come and go. fuzz.c is the supervisor. All processes
 * share one struct world.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>

#include "request.h"

#define CONTAINERS	4
#define PEOPLE		20
#define WORKERS_MAX	64
#define BOUND		16
#define ERRNO_MAX	134

/* What is counted: each request, and a few more calls. */
enum {
	ROW_INFO,
	ROW_SELF_REGISTER,
	ROW_SELF_UNREGISTER,
	ROW_SELF_REFUSE,
	ROW_CONTAINER_CREATE,
	ROW_CONTAINER_OPEN,
	ROW_CONTAINER_LIST,
	ROW_PROCESS_REGISTER,
	ROW_PROCESS_UNREGISTER,
	ROW_PROCESS_LIST,
	ROW_TRANSLATE,
	ROW_CONTAINER_TERMINATE,
	ROW_GROUP_CREATE,
	ROW_GROUP_DESTROY,
	ROW_GROUP_LIST,
	ROW_BIND,
	ROW_UNBIND,
	ROW_BINDING_LIST,
	ROW_UNKNOWN,		/* no request */
	ROW_READ,		/* of a container fd */
	ROW_POLL,
	ROW_DAWARE,		/* a read of /proc/daware */
	ROW_SEND,		/* a container fd to another worker */
	ROW_RECEIVE,
	ROWS
};

/* Where a process is that is in no container. */
#define HOST		(-1)

/* A process that others may name: its number on the host, its own, and where it is. */
struct target {
	pid_t pid;
	pid_t vpid;
	int container;
};

/**
 * struct world - what all processes share
 * @seed: of all that is random
 * @share: requests that each worker makes
 * @init: of the containers
 * @person: see population.c
 * @thread: a thread of a person that has two
 * @worker: see fuzz.c
 * @next: what each worker does next; those that follow in its place go on there
 * @seen: how often each call gave each errno, 0 for success
 * @bound: requests that bound somebody
 * @commons: structures that several workers use at once
 */
struct world {
	uint64_t seed;
	unsigned long share;
	struct target init[CONTAINERS];
	struct target person[PEOPLE];
	pid_t thread;
	struct target worker[WORKERS_MAX];
	unsigned long next[WORKERS_MAX];
	unsigned long seen[ROWS][ERRNO_MAX];
	struct dre_bind bound[BOUND];
	char commons[8192];
};

extern struct world *world;

/* Files that all have from the supervisor. */
extern int market[2];		/* where container fds change hands: to write, to read */
extern int cgroups;		/* the directory of the population's cgroups */
extern int odd_files[7];	/* that are no control group, or no more, and -1 at the end */

/* Chance: splitmix64, so that any number will do for a state. */
struct chance {
	uint64_t state;
};

static inline uint64_t draw(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline unsigned int below(struct chance *c, unsigned int n)
{
	return (draw(c) >> 32) * n >> 32;
}

static inline bool one_in(struct chance *c, unsigned int n)
{
	return !below(c, n);
}

#define PICK(_chance, _array)	((_array)[below(_chance, sizeof(_array) / sizeof((_array)[0]))])

/* population.c */

void population_start(void);
void population_churn(unsigned long requests);
bool population_ended(pid_t pid);
void population_end(void);
pid_t population_fork(int container);
bool population_lives(int container);
void person_after_exec(const char *us) __noreturn;

/* fuzz-request.c */

void request_prepare(int container);
void request_make(int worker, unsigned long number);

/* fuzz-table.c */

void count(int row, int ret);
bool report(unsigned long requests);

#endif /* FUZZ_H */
