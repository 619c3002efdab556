// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * list, with what a container uses and where it is reached.
 */
#include <stdio.h>

#include "app.h"
#include "common/table.h"

enum { LIST_MEMORY = LIST_COLUMNS, LIST_ADDRESS };

static void long_cells(struct table *table, const char *name)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_MEMORY_64 };
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
	char number[24], addresses[512];
	int pid;

	if (!dre_app_get_resource(&h, 0, &r)) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)r.udata.mem.bytes);
		table_cell(table, LIST_MEMORY, number);
	}
	if (!dre_app_get_pid(&h, &pid) && get_addresses(pid, addresses, sizeof(addresses)) && *addresses)
		table_cell(table, LIST_ADDRESS, addresses);
}

int cmd_app_list(int argc, char **argv)
{
	static const struct column columns[] = {
		LIST_COLUMNS_COMMON,
		[LIST_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[LIST_ADDRESS] = { "ADDRESS", COLUMN_STRINGS },
		{ }
	};

	return list_containers(argc, argv, columns, long_cells);
}
