/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What top shows. All of it is looked at twice, with a moment in between: it is the same one for all, however many they
 * are.
 */
#ifndef DRE_TOOL_TOP_H
#define DRE_TOOL_TOP_H

#include <stdbool.h>

#include <dre.h>

/* What a control group, or as "." a container, has used by a @time, in nanoseconds. 0: it could not be looked at. */
struct look {
	dre_usage usage;
	unsigned long long time;
};

bool top_look(const char *name, const char *cgroup, struct look *look);
void top_wait(void);

/* Of one CPU, between the two. */
unsigned long long top_percent(const struct look *before, const struct look *now);

/* They print all of it once, and return 0 or an error. */
int top_containers(bool json);
int top_groups(bool json);

#endif /* DRE_TOOL_TOP_H */
