// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <dre_sys.h>

#include "sys.h"

enum { LIST_MEMORY = LIST_COLUMNS, LIST_OWNER };

/* The host that a shared container belongs to. False: it is not shared. */
static bool get_owner(const char *name, char *owner, size_t size)
{
	const char *value;
	dre_list_t info;

	*owner = '\0';
	if (container_api.get_info(name, &info))
		return false;
	value = info_get(info, "owner");
	snprintf(owner, size, "%s", value ? value : "");
	dre_sys_release_info(info);
	return *owner;
}

bool sys_is_remote(const char *name)
{
	struct utsname uts;
	char owner[256];

	return !uname(&uts) && get_owner(name, owner, sizeof(owner)) && strcmp(owner, uts.nodename) != 0;
}

static void long_cells(struct table *table, const char *name)
{
	dre_sys_resource_value_t r = { .type = DRE_SYS_CONTAINER_RESOURCE_MEMORY_64 };
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, (char *)name };
	char number[24], owner[256];

	if (!dre_sys_get_resource(&h, 0, &r)) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)r.udata.mem.bytes);
		table_cell(table, LIST_MEMORY, number);
	}
	if (get_owner(name, owner, sizeof(owner)))
		table_cell(table, LIST_OWNER, owner);
}

/* What is here is listed also where the server of the others does not answer; but then it is not all. */
dre_return_t sys_check_list(void)
{
	dre_list_t list;
	int err = dre_sys_get_shared_list(&list);

	if (!err)
		dre_sys_release_container_list(list);
	return err;
}

int cmd_sys_list(int argc, char **argv)
{
	static const struct column columns[] = {
		LIST_COLUMNS_COMMON,
		[LIST_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[LIST_OWNER] = { "OWNER", COLUMN_STRING },
		{ }
	};
	int err, status = list_containers(argc, argv, columns, long_cells);

	if (status != EXIT_SUCCESS)
		return status;
	err = sys_check_list();
	return err ? command_fail(err, NULL) : EXIT_SUCCESS;
}
