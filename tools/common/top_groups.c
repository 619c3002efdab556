// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * top --groups: what each control group uses.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "container_commands.h"
#include "table.h"
#include "top.h"

enum { GROUP_NAME, GROUP_GROUP, GROUP_CPU, GROUP_MEMORY, GROUP_MEMSW, GROUP_LIMIT, GROUP_TASKS };

struct group {
	char *container;	/* of the list of containers */
	char *name;		/* "." is the container as a whole */
	struct look before;
};

struct groups {
	struct group *all;
	size_t nr;
};

/* One that has gone meanwhile is left out. */
static void add_group(struct groups *groups, char *container, const char *name)
{
	struct group g = { .container = container, .name = (char *)name };

	if (!top_look(container, name, &g.before))
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

static void group_row(struct table *table, const struct group *g)
{
	struct container_resource limit = { .type = RESOURCE_MEMORY };
	struct look now;

	if (!top_look(g->container, g->name, &now))
		return;
	table_row(table);
	table_cell(table, GROUP_NAME, g->container);
	table_cell(table, GROUP_GROUP, g->name);
	table_number(table, GROUP_CPU, top_percent(&g->before, &now));
	table_number(table, GROUP_MEMORY, now.usage.memory);
	table_number(table, GROUP_MEMSW, now.usage.memsw);
	if (!container_api.get_limit(g->container, g->name, &limit) && limit.bytes)
		table_number(table, GROUP_LIMIT, limit.bytes);
	table_number(table, GROUP_TASKS, now.usage.tasks);
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
	struct table *table = table_new("groups", columns, json);
	struct groups groups = { };
	dre_list_t list;
	int err = container_api.get_container_list(&list);

	if (err)
		return err;
	for (size_t i = 0; list[i]; i++)
		add_container(&groups, list[i]);
	if (groups.nr)
		top_wait();
	for (size_t i = 0; i < groups.nr; i++) {
		group_row(table, &groups.all[i]);
		free(groups.all[i].name);
	}
	free(groups.all);
	container_api.release_list(list);
	table_print(table);
	return 0;
}
