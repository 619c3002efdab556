// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect: what only application containers have.
 */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"

static struct json_object *new_object(void)
{
	return command_memory(json_object_new_object());
}

static struct json_object *string(const char *text)
{
	return command_memory(json_object_new_string(text));
}

static struct json_object *number(unsigned long long n)
{
	return command_memory(json_object_new_int64((int64_t)n));
}

static struct json_object *names(dre_list_t list)
{
	struct json_object *array = command_memory(json_object_new_array());

	for (size_t i = 0; list[i]; i++)
		json_object_array_add(array, string(list[i]));
	return array;
}

struct json_object *app_info_value(const char *key, char *value)
{
	if (!strcmp(key, "privileged"))
		return command_memory(json_object_new_boolean(!strcmp(value, "yes")));
	if (!strcmp(key, "first_id") || !strcmp(key, "ids"))
		return number(strtoull(value, NULL, 10));
	return NULL;
}

static void add_names(struct json_object *to, const char *key, const dre_app_handle *h,
		      dre_return_t (*get)(const dre_app_handle *, dre_list_t *))
{
	dre_list_t list;

	if (get(h, &list)) {
		json_object_object_add(to, key, NULL);
		return;
	}
	json_object_object_add(to, key, names(list));
	dre_app_release_snapshot_list(list);
}

/* Takes the list. */
static struct json_object *processes(dre_app_pid_list_t list)
{
	struct json_object *array = command_memory(json_object_new_array()), *process;

	for (size_t i = 0; list[i]; i++) {
		process = new_object();
		json_object_object_add(process, "pid", number(list[i]->pid));
		json_object_object_add(process, "vpid", number(list[i]->vpid));
		json_object_array_add(array, process);
	}
	dre_app_release_registered_pid_list(list);
	return array;
}

/* What is limited, or used: null where there is none. @cgroup: NULL for the use of the whole. */
static struct json_object *resources(const dre_app_handle *h, const char *cgroup)
{
	static const struct {
		const char *name;
		dre_app_resource_t type;
	} types[] = {
		{ "cpu", DRE_APP_CONTAINER_RESOURCE_CPU },
		{ "cores", DRE_APP_CONTAINER_RESOURCE_CPU_CORE },
		{ "memory", DRE_APP_CONTAINER_RESOURCE_MEMORY_64 },
		{ "memsw", DRE_APP_CONTAINER_RESOURCE_MEMSW_64 },
	};
	struct json_object *all = new_object(), *value;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		dre_app_resource_value_t r = { .type = types[i].type };
		int err = cgroup ? dre_app_get_limit(h, cgroup, &r) : dre_app_get_resource(h, 0, &r);

		value = NULL;
		if (!err && r.type == DRE_APP_CONTAINER_RESOURCE_CPU)
			value = r.udata.cpu.percent || !cgroup ? number(r.udata.cpu.percent) : NULL;
		else if (!err && r.type == DRE_APP_CONTAINER_RESOURCE_CPU_CORE)
			value = r.udata.cpu.cores ? string(r.udata.cpu.cores) : NULL;
		else if (!err)
			value = r.udata.mem.bytes || !cgroup ? number(r.udata.mem.bytes) : NULL;
		json_object_object_add(all, types[i].name, value);
		if (!err)
			dre_app_release_resource(&r);
	}
	return all;
}

static struct json_object *cgroups(const dre_app_handle *h)
{
	struct json_object *array = command_memory(json_object_new_array()), *group;
	dre_app_pid_list_t bound;
	dre_list_t list;

	if (dre_app_get_cgroup_list(h, &list))
		return array;
	for (size_t i = 0; list[i]; i++) {
		group = new_object();
		json_object_object_add(group, "name", string(list[i]));
		json_object_object_add(group, "limits", resources(h, list[i]));
		json_object_object_add(group, "bound",
				       dre_app_get_bound_pid_list(h, list[i], &bound) ? NULL :
				       processes(bound));
		json_object_array_add(array, group);
	}
	dre_app_release_cgroup_list(list);
	return array;
}

/* What only a container has that is not stopped. */
static void add_life(struct json_object *to, const dre_app_handle *h, int status)
{
	bool lives = status == DRE_APP_CONTAINER_STATUS_RUNNING ||
		     status == DRE_APP_CONTAINER_STATUS_SUSPENDED;
	dre_app_pid_list_t list;
	int pid;

	json_object_object_add(to, "pid", dre_app_get_pid(h, &pid) ? NULL : number(pid));
	json_object_object_add(to, "limits", lives ? resources(h, ".") : NULL);
	json_object_object_add(to, "usage", status == DRE_APP_CONTAINER_STATUS_RUNNING ?
			       resources(h, NULL) : NULL);
	json_object_object_add(to, "cgroups", cgroups(h));
	json_object_object_add(to, "processes", dre_app_get_registered_pid_list(h, &list) ? NULL :
			       processes(list));
}

void inspect_app(struct json_object *to, const char *name, dre_return_t status)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };

	add_names(to, "checkpoints", &h, dre_app_get_checkpoint_list);
	add_life(to, &h, status);
}
