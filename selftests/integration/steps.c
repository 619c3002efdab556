// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <dre.h>

#include "steps.h"
#include "tracee.h"

#define BUSY_TIME	60	/* seconds: what a dead manager has started may still be under way */

/* The last manager. */
static struct tracee_end end;

/* Of all operations: managers that were struck, and those after which all was as it is to be. */
static unsigned long struck, survived;

/* An error says what the disk has said, whatever else it says. */
static void check_error(const struct fault *fault)
{
	if (end.ret < 0 && fault->in_helper && *end.text)
		return;
	if (end.ret < 0 && fault->error && strstr(end.text, strerror(fault->error)))
		return;
	if (end.ret)
		fail_msg("%d (%s) of %s, %s", end.ret, end.text, end.call, fault->name);
}

/* It must have succeeded if it was not struck. */
static int run_until(int (*call)(void), const struct fault *fault, int n)
{
	int steps = tracee_run(call, fault, n, &end);

	assert_true(end.returned || (steps == n && !fault->error && !fault->in_helper));
	if (end.returned)
		check_error(steps == n ? fault : &(struct fault){});
	return steps;
}

static unsigned int seed;

static void seed_chance(void)
{
	const char *text = getenv("DRE_SEED");

	if (seed)
		return;
	seed = text ? (unsigned int)atoi(text) : (unsigned int)time(NULL);
	printf("# DRE_SEED=%u\n", seed);
}

/* The step that is tried as number @i, from 0 on: one in each of @wanted equal parts. 0: no more. */
static int choose(int nr, int wanted, int i)
{
	if (wanted >= nr)
		return i < nr ? i + 1 : 0;
	return i < wanted ? 1 + (int)(((long)nr * i + rand_r(&seed) % nr) / wanted) : 0;
}

static int run_to_its_end(const struct steps_operation *op, const struct fault *fault)
{
	int steps;

	op->prepare();
	steps = run_until(op->call, fault, INT_MAX);
	op->go_on();
	return steps;
}

bool steps_said_done(void)
{
	return end.returned && !end.ret;
}

/* What was said to be done is not done once more. */
static void call_again(const struct steps_operation *op)
{
	time_t deadline = time(NULL) + BUSY_TIME;
	int ret;

	while ((ret = op->call()) == DRE_ERR_CONTAINER_BUSY && time(NULL) < deadline)
		usleep(100000);
	if (ret != op->is_done && (ret || steps_said_done()))
		fail_msg("%s: %d (%s)", op->name, ret, dre_last_error());
}

/* Returns whether it was struck: now and then there are fewer steps than the time before. */
static bool try_step(const struct steps_operation *op, const struct steps_world *world, const struct fault *fault,
		     int n, int nr)
{
	bool hit;

	op->prepare();
	hit = run_until(op->call, fault, n) == n;
	struck += hit;
	printf("# %s: %s at step %d of %d: %s\n", op->name, hit ? fault->name : "came to its end before it was to be",
	       n, nr, end.call);
	if (op->check)
		op->check();
	call_again(op);
	world->assert_nothing_wrong();
	op->go_on();
	world->assert_as_marked();
	survived += hit;
	return hit;
}

/* Returns how many it has tried: not each operation has helpers. */
static int try_steps(const struct steps_operation *op, const struct steps_world *world, const struct fault *fault,
		     int wanted)
{
	int nr = run_to_its_end(op, fault), tried = 0, hits = 0, n;

	world->mark();
	while ((n = choose(nr, wanted, tried))) {
		tried++;
		hits += try_step(op, world, fault, n, nr);
	}
	printf("# %s: %s at %d of %d steps\n", op->name, fault->name, hits, nr);
	return tried;
}

/* Also where a test has failed. Managers leave by _exit(). */
static void __attribute__((destructor)) sum_up(void)
{
	if (struck)
		printf("# points tried: %lu, failed: %lu\n", struck, struck - survived);
}

static const struct fault faults[] = {
	{ 0, false, "killed" }, { EIO, false, "EIO" }, { ENOSPC, false, "ENOSPC" },
	{ 0, true, "helper killed" }, { EIO, true, "EIO in a helper" }, { ENOSPC, true, "ENOSPC in a helper" },
};

#define NR_FAULTS	(sizeof(faults) / sizeof(faults[0]))

/* One step of any fault, or in half of all cases, and if there is no such step, of a manager that is killed. */
static void try_any(const struct steps_operation *op, const struct steps_world *world)
{
	const struct fault *any = &faults[rand_r(&seed) % NR_FAULTS];

	if (rand_r(&seed) % 2 || !try_steps(op, world, any, 1))
		try_steps(op, world, &faults[0], 1);
}

void steps_try(const struct steps_operation *op, const struct steps_world *world, int wanted)
{
	const char *kills = getenv("DRE_KILLS");

	seed_chance();
	for (size_t i = 0; kills && i < NR_FAULTS; i++)
		try_steps(op, world, &faults[i], strcmp(kills, "all") ? atoi(kills) : INT_MAX);
	for (int i = 0; !kills && i < wanted; i++)
		try_any(op, world);
}
