// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect: what only system containers have.
 */
#include <stdlib.h>
#include <string.h>

#include "common/value.h"
#include "sys.h"

struct json_object *sys_info_value(const char *key, char *value)
{
	if (!strcmp(key, "disk_size") || !strcmp(key, "disk_used"))
		return value_number(strtoull(value, NULL, 10));
	return NULL;
}
