// SPDX-License-Identifier: LGPL-2.1-or-later
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <dre.h>

#include "growth.h"

/* How often it does everything, and how often before that: libraries keep what they have read. */
#define ROUNDS	(getenv("DRE_MIXED") ? 12 : 2)
#define WARM	2

/* What a thread keeps for itself of what it has freed would count as used. */
#define TUNABLES	"glibc.malloc.tcache_count=0"

void growth_begin(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", TUNABLES, 1);
	execv("/proc/self/exe", argv);
}

/* Returns by how much the heap has grown. What one step has left behind, the next one may clear away. */
static long run_round(const struct growth_step *life, const char *container, bool tell)
{
	long begin = (long)mallinfo2().uordblks, before, cost;
	int ret;

	for (; life->name; life++) {
		before = (long)mallinfo2().uordblks;
		ret = life->call(container);
		if (ret < 0)
			fail_msg("%s: %d (%s)", life->name, ret, dre_last_error());
		cost = (long)mallinfo2().uordblks - before;
		if (tell && cost)
			printf("# %s: %+ld bytes\n", life->name, cost);
	}
	return (long)mallinfo2().uordblks - begin;
}

void growth_run(const struct growth_step *life, const char *container, void (*before)(void))
{
	long cost, grown = 0;

	for (int round = 0; round < WARM + ROUNDS; round++) {
		before();
		cost = run_round(life, container, round >= WARM);
		if (round < WARM)
			continue;
		printf("# round %d: %+ld bytes\n", round, cost);
		grown += cost;
	}
	assert_true(grown <= 0);
}
