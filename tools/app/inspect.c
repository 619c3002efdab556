// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect: what only application containers have.
 */
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "common/value.h"

struct json_object *app_info_value(const char *key, char *value)
{
	if (!strcmp(key, "privileged"))
		return value_bool(!strcmp(value, "yes"));
	if (!strcmp(key, "first_id") || !strcmp(key, "ids"))
		return value_number(strtoull(value, NULL, 10));
	return NULL;
}

static struct json_object *addresses(const char *name)
{
	char text[512];
	int pid;

	if (container_api.get_pid(name, &pid) || !get_addresses(pid, text, sizeof(text)))
		return NULL;
	return value_texts(text);
}

/* As ps has them. */
static struct json_object *processes(const char *name)
{
	FILE *f = registered_open();
	struct json_object *array, *process;
	struct registered r;

	if (!f)
		return NULL;
	array = value_array();
	while (registered_next(f, name, &r)) {
		process = value_object();
		json_object_object_add(process, "pid", value_number(atoi(r.fields[PS_PID])));
		json_object_object_add(process, "vpid", value_number(atoi(r.fields[PS_VPID])));
		json_object_object_add(process, "signals", value_numbers(r.fields[PS_SIGNALS]));
		json_object_object_add(process, "comm", value_text(r.fields[PS_COMM]));
		json_object_array_add(array, process);
	}
	fclose(f);
	return array;
}

void inspect_app(struct json_object *to, const char *name)
{
	json_object_object_add(to, "addresses", addresses(name));
	json_object_object_add(to, "processes", processes(name));
}
