// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * top --groups: what each control group uses. All of them are looked at twice, with a moment in between: it is the same
 * one for all, however many they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <dre_app.h>

#include "container_commands.h"
#include "table.h"

#define MOMENT	100	/* milliseconds */

enum { GROUP_NAME, GROUP_GROUP, GROUP_CPU, GROUP_MEMORY, GROUP_MEMSW, GROUP_LIMIT, GROUP_TASKS };

struct look {
	dre_usage usage;
	unsigned long long time;	/* nanoseconds */
};

struct group {
	char *container;	/* of the list of containers */
	char *name;		/* "." is the container as a whole */
	struct look before;
};

struct groups {
	struct group *all;
	size_t nr;
};

static int look(const struct group *g, struct look *l)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	*l = (struct look){ .usage.size = sizeof(l->usage), .time = ts.tv_sec * 1000000000ULL + ts.tv_nsec };
	return container_api.get_usage(g->container, g->name, &l->usage);
}

/* One that has gone meanwhile is left out. */
static void add_group(struct groups *groups, char *container, const char *name)
{
	struct group g = { .container = container, .name = (char *)name };

	if (look(&g, &g.before))
		return;
	groups->all = command_memory(reallocarray(groups->all, groups->nr + 1, sizeof(g)));
	g.name = command_memory(strdup(name));
	groups->all[groups->nr++] = g;
}

static void add_container(struct groups *groups, char *name)
{
	int status = container_api.status(name);
	dre_list_t list;

	if (status != DRE_APP_CONTAINER_STATUS_RUNNING && status != DRE_APP_CONTAINER_STATUS_SUSPENDED)
		return;
	add_group(groups, name, ".");
	if (container_api.get_cgroup_list(name, &list))
		return;
	for (size_t i = 0; list[i]; i++)
		add_group(groups, name, list[i]);
	container_api.release_list(list);
}

static void number_cell(struct table *table, int column, unsigned long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", number);
	table_cell(table, column, text);
}

static void group_row(struct table *table, const struct group *g)
{
	struct container_resource limit = { .type = RESOURCE_MEMORY };
	unsigned long long used, passed;
	struct look now;

	if (look(g, &now))
		return;
	used = now.usage.cpu_time - g->before.usage.cpu_time;
	passed = now.time - g->before.time;
	table_row(table);
	table_cell(table, GROUP_NAME, g->container);
	table_cell(table, GROUP_GROUP, g->name);
	number_cell(table, GROUP_CPU, (used * 100 + passed / 2) / passed);
	number_cell(table, GROUP_MEMORY, now.usage.memory);
	number_cell(table, GROUP_MEMSW, now.usage.memsw);
	if (!container_api.get_limit(g->container, g->name, &limit) && limit.bytes)
		number_cell(table, GROUP_LIMIT, limit.bytes);
	number_cell(table, GROUP_TASKS, now.usage.tasks);
}

int top_groups(bool json)
{
	static const struct column columns[] = {
		[GROUP_NAME] = { "NAME", COLUMN_STRING },
		[GROUP_GROUP] = { "GROUP", COLUMN_STRING },
		[GROUP_CPU] = { "CPU%", COLUMN_NUMBER },
		[GROUP_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[GROUP_MEMSW] = { "MEMSW", COLUMN_NUMBER },
		[GROUP_LIMIT] = { "LIMIT", COLUMN_NUMBER },
		[GROUP_TASKS] = { "TASKS", COLUMN_NUMBER },
		{ }
	};
	const struct timespec moment = { .tv_nsec = MOMENT * 1000000L };
	struct table *table = table_new("groups", columns, json);
	struct groups groups = { };
	dre_list_t list;
	int err = container_api.get_container_list(&list);

	if (err)
		return err;
	for (size_t i = 0; list[i]; i++)
		add_container(&groups, list[i]);
	if (groups.nr)
		nanosleep(&moment, NULL);
	for (size_t i = 0; i < groups.nr; i++) {
		group_row(table, &groups.all[i]);
		free(groups.all[i].name);
	}
	free(groups.all);
	container_api.release_list(list);
	table_print(table);
	return 0;
}
