// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * top: what each container uses that is not stopped.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "container_commands.h"
#include "table.h"
#include "top.h"

enum { TOP_NAME, TOP_STATE, TOP_CPU, TOP_MEMORY, TOP_MEMSW, TOP_LIMIT, TOP_REGISTERED };

static void usage_cells(struct table *table, const char *name, const struct look *before)
{
	struct container_resource limit = { .type = RESOURCE_MEMORY };
	struct look now;

	if (!top_look(name, ".", &now))
		return;
	if (before->time)
		table_number(table, TOP_CPU, top_percent(before, &now));
	table_number(table, TOP_MEMORY, now.usage.memory);
	table_number(table, TOP_MEMSW, now.usage.memsw);
	if (!container_api.get_limit(name, ".", &limit) && limit.bytes)
		table_number(table, TOP_LIMIT, limit.bytes);
}

static void registered_cell(struct table *table, const char *name)
{
	size_t nr;

	if (container_api.count_registered && !container_api.count_registered(name, &nr))
		table_number(table, TOP_REGISTERED, nr);
}

/* What is stopped uses nothing. What is suspended is shown without what it uses. */
static void container_row(struct table *table, const char *name, const struct look *before)
{
	int status = container_api.status(name);

	if (status < 0 || is_stopped(status))
		return;
	table_row(table);
	table_cell(table, TOP_NAME, name);
	table_cell(table, TOP_STATE, status_name(status));
	if (status == DRE_APP_CONTAINER_STATUS_RUNNING)
		usage_cells(table, name, before);
	registered_cell(table, name);
}

static void look_twice(struct table *table, const dre_list_t list)
{
	struct look *before;
	bool any = false;
	size_t nr = 0;

	while (list[nr])
		nr++;
	before = command_memory(calloc(nr + 1, sizeof(*before)));
	for (size_t i = 0; i < nr; i++)
		any |= container_api.status(list[i]) == DRE_APP_CONTAINER_STATUS_RUNNING &&
		       top_look(list[i], ".", &before[i]);
	if (any)
		top_wait();
	for (size_t i = 0; i < nr; i++)
		container_row(table, list[i], &before[i]);
	free(before);
}

int top_containers(bool json)
{
	static const struct column all[] = {
		[TOP_NAME] = { "NAME", COLUMN_STRING },
		[TOP_STATE] = { "STATE", COLUMN_STRING },
		[TOP_CPU] = { "CPU%", COLUMN_NUMBER },
		[TOP_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[TOP_MEMSW] = { "MEMSW", COLUMN_NUMBER },
		[TOP_LIMIT] = { "LIMIT", COLUMN_NUMBER },
		[TOP_REGISTERED] = { "REGISTERED", COLUMN_NUMBER },
		{ }
	};
	struct column columns[sizeof(all) / sizeof(*all)];
	struct table *table;
	dre_list_t list;
	int err = container_api.get_container_list(&list);

	if (err)
		return err;
	memcpy(columns, all, sizeof(all));
	if (!container_api.count_registered)
		columns[TOP_REGISTERED] = (struct column){};	/* and so the last one is before it */
	table = table_new("containers", columns, json);
	look_twice(table, list);
	container_api.release_list(list);
	table_print(table);
	return 0;
}
