// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
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

long growth_heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return (long)(info.uordblks + info.hblkhd);
}

int growth_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int nr = 0;

	assert_non_null(dir);
	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

/* Returns by how much the heap has grown. What one step has left behind, the next one may clear away. */
static long run_round(const struct growth_step *life, const char *container, bool tell)
{
	long begin = growth_heap(), before, cost;
	int ret;

	for (; life->name; life++) {
		before = growth_heap();
		ret = life->call(container);
		if (ret < 0)
			fail_msg("%s: %d (%s)", life->name, ret, dre_last_error());
		cost = growth_heap() - before;
		if (tell && cost)
			printf("# %s: %+ld bytes\n", life->name, cost);
	}
	return growth_heap() - begin;
}

void growth_run(const struct growth_step *life, const char *container, void (*before)(void))
{
	long cost, grown = 0;
	int files = 0;

	for (int round = 0; round < WARM + ROUNDS; round++) {
		if (round == WARM)
			files = growth_files();
		before();
		cost = run_round(life, container, round >= WARM);
		if (round < WARM)
			continue;
		printf("# round %d: %+ld bytes\n", round, cost);
		grown += cost > 0 ? cost : 0;
	}
	assert_int_equal(grown, 0);
	assert_int_equal(growth_files(), files);
}
