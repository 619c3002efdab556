// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect: what only system containers have.
 */
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include <dre_sys.h>

#include "sys.h"

static struct json_object *number(unsigned long long n)
{
	return command_memory(json_object_new_int64((int64_t)n));
}

struct json_object *sys_info_value(const char *key, char *value)
{
	if (!strcmp(key, "disk_size") || !strcmp(key, "disk_used"))
		return number(strtoull(value, NULL, 10));
	return NULL;
}

void inspect_sys(struct json_object *to, const char *name, dre_return_t status)
{
	int pid;

	(void)status;
	json_object_object_add(to, "pid", container_api.get_pid(name, &pid) ? NULL : number(pid));
}
