// SPDX-License-Identifier: LGPL-2.1-or-later

#include <time.h>

#include "container_commands.h"
#include "top.h"

#define MOMENT	100	/* milliseconds */

bool top_look(const char *name, const char *cgroup, struct look *l)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	*l = (struct look){ .usage.size = sizeof(l->usage) };
	if (container_api.get_usage(name, cgroup, &l->usage))
		return false;
	l->time = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	return true;
}

void top_wait(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = MOMENT * 1000000L }, NULL);
}

unsigned long long top_percent(const struct look *before, const struct look *now)
{
	unsigned long long used = now->usage.cpu_time - before->usage.cpu_time, passed = now->time - before->time;

	if (now->usage.cpu_time < before->usage.cpu_time)	/* it has been started again meanwhile */
		return 0;
	return (used * 100 + passed / 2) / passed;
}
