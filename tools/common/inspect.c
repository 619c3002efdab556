// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect, base inspect: all that there is to know of containers, or of base images, as JSON. What cannot be known, as
 * most of another host's container, is null.
 */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_commands.h"
#include "value.h"

/* Numbers and lists are such in JSON, too. */
static struct json_object *info_value(const char *key, char *value)
{
	struct json_object *special = container_extras.info_value ?
				      container_extras.info_value(key, value) : NULL;

	if (special)
		return special;
	return !strcmp(key, "layers") ? value_texts(value) : value_text(value);
}

/* What there may be any number of: keys that begin so are in an object of their own. Bases have only the first. */
static const struct {
	const char *prefix, *object;
} families[] = {
	{ "setting.", "settings" },
	{ "snapshot.", "snapshots_created" },
	{ "checkpoint.", "checkpoints_created" },
};

#define NR_FAMILIES		(sizeof(families) / sizeof(*families))
#define NR_BASE_FAMILIES	1

static void add_info_value(struct json_object *to, struct json_object *const objects[], const char *key, char *value)
{
	for (size_t i = 0; i < NR_FAMILIES; i++) {
		size_t len = strlen(families[i].prefix);

		if (objects[i] && !strncmp(key, families[i].prefix, len)) {
			json_object_object_add(objects[i], key + len, value_text(value));
			return;
		}
	}
	json_object_object_add(to, key, info_value(key, value));
}

static int add_info(struct json_object *to, const char *name, dre_return_t (*get)(const char *name, dre_list_t *list),
		    size_t nr_families)
{
	struct json_object *objects[NR_FAMILIES] = { };
	dre_list_t list;
	char *value;
	int err = get(name, &list);

	for (size_t i = 0; i < nr_families; i++)
		objects[i] = value_object();
	for (size_t i = 0; !err && list[i]; i++) {
		value = strchr(list[i], '=');
		*value++ = '\0';
		add_info_value(to, objects, list[i], value);
	}
	for (size_t i = 0; i < nr_families; i++)
		json_object_object_add(to, families[i].object, objects[i]);
	if (!err)
		container_api.release_list(list);
	return err;
}

static struct json_object *properties(const char *name)
{
	struct json_object *all, *property;
	dre_property *list;
	const char *value;

	if (container_api.get_property_list(name, &list))
		return NULL;
	all = value_object();
	for (size_t i = 0; list[i].key; i++) {
		value = list[i].value ? list[i].value : list[i].fallback;
		property = value_object();
		json_object_object_add(property, "value", value ? value_text(value) : NULL);
		json_object_object_add(property, "set", value_bool(list[i].value));
		json_object_object_add(property, "at_start", value_bool(list[i].at_start));
		json_object_object_add(all, list[i].key, property);
	}
	container_api.release_property_list(list);
	return all;
}

static struct json_object *tags(const char *name, dre_return_t (*get)(const char *, dre_list_t *))
{
	struct json_object *array;
	dre_list_t list;

	if (get(name, &list))
		return NULL;
	array = value_list(list);
	container_api.release_list(list);
	return array;
}

static struct json_object *main_pid(const char *name)
{
	int pid;

	return container_api.get_pid(name, &pid) ? NULL : value_number(pid);
}

/*
 * Resources
 */

/* Frees what is in it. */
static struct json_object *cores(struct container_resource *r)
{
	struct json_object *text = r->cores ? value_text(r->cores) : NULL;

	free(r->cores);
	return text;
}

static struct json_object *limit(struct container_resource *r)
{
	switch (r->type) {
	case RESOURCE_CPU:
		return r->percent ? value_number(r->percent) : NULL;
	case RESOURCE_CORES:
		return cores(r);
	case RESOURCE_PIDS:
		return r->pids ? value_number(r->pids) : NULL;
	default:
		return r->bytes ? value_number(r->bytes) : NULL;
	}
}

/* An application container that is stopped has none but those of its properties. */
static struct json_object *limits(const char *name, const char *cgroup)
{
	struct json_object *all = value_object();

	for (size_t i = 0; i < nr_resources(); i++) {
		struct container_resource r = { .type = resource_names[i].type };

		if (container_api.get_limit(name, cgroup, &r)) {
			json_object_put(all);
			return NULL;
		}
		json_object_object_add(all, resource_names[i].name, limit(&r));
	}
	return all;
}

static struct json_object *usage(const char *name, const char *cgroup)
{
	dre_usage used = { .size = sizeof(used) };
	struct json_object *all;

	if (container_api.get_usage(name, cgroup, &used))
		return NULL;
	all = value_object();
	json_object_object_add(all, "cpu_time", value_number(used.cpu_time));
	json_object_object_add(all, "memory", value_number(used.memory));
	json_object_object_add(all, "memsw", value_number(used.memsw));
	json_object_object_add(all, "tasks", value_number(used.tasks));
	return all;
}

/* Of one that runs: a look takes a moment. */
static struct json_object *used_now(const char *name, int type)
{
	struct container_resource r = { .type = type };

	if (container_api.get_resource(name, 0, &r))
		return NULL;
	return type == RESOURCE_CPU ? value_number(r.percent) : cores(&r);
}

static struct json_object *usage_of_whole(const char *name)
{
	struct json_object *all = usage(name, ".");

	if (all) {
		json_object_object_add(all, "cpu", used_now(name, RESOURCE_CPU));
		json_object_object_add(all, "cores", used_now(name, RESOURCE_CORES));
	}
	return all;
}

/*
 * Control groups
 */

static struct json_object *bound(const char *name, const char *cgroup)
{
	struct json_object *array, *process;
	struct container_pid *pids;

	if (container_api.get_bound_pids(name, cgroup, &pids))
		return NULL;
	array = value_array();
	for (size_t i = 0; pids[i].pid; i++) {
		process = value_object();
		json_object_object_add(process, "pid", value_number(pids[i].pid));
		if (pids[i].vpid >= 0)
			json_object_object_add(process, "vpid", value_number(pids[i].vpid));
		json_object_array_add(array, process);
	}
	free(pids);
	return array;
}

static struct json_object *cgroups(const char *name)
{
	struct json_object *array, *group;
	dre_list_t list;

	if (container_api.get_cgroup_list(name, &list))
		return NULL;
	array = value_array();
	for (size_t i = 0; list[i]; i++) {
		group = value_object();
		json_object_object_add(group, "name", value_text(list[i]));
		json_object_object_add(group, "limits", limits(name, list[i]));
		json_object_object_add(group, "usage", usage(name, list[i]));
		json_object_object_add(group, "bound", bound(name, list[i]));
		json_object_array_add(array, group);
	}
	container_api.release_list(list);
	return array;
}

static int add_container(struct json_object *array, const char *name)
{
	struct json_object *o = value_object();
	int err;

	json_object_object_add(o, "name", value_text(name));
	json_object_object_add(o, "state", value_text(container_state(name, container_api.status(name))));
	json_object_object_add(o, "pid", main_pid(name));
	err = add_info(o, name, container_api.get_info, NR_FAMILIES);
	if (err) {
		json_object_put(o);
		return err;
	}
	json_object_object_add(o, "properties", properties(name));
	json_object_object_add(o, "snapshots", tags(name, container_api.get_snapshot_list));
	json_object_object_add(o, "checkpoints", tags(name, container_api.get_checkpoint_list));
	json_object_object_add(o, "limits", limits(name, "."));
	json_object_object_add(o, "usage", usage_of_whole(name));
	json_object_object_add(o, "cgroups", cgroups(name));
	if (container_extras.inspect)
		container_extras.inspect(o, name);
	json_object_array_add(array, o);
	return 0;
}

static int add_base(struct json_object *array, const char *name)
{
	struct json_object *o = value_object();
	int err;

	json_object_object_add(o, "name", value_text(name));
	err = add_info(o, name, container_api.get_base_info, NR_BASE_FAMILIES);
	if (err)
		json_object_put(o);
	else
		json_object_array_add(array, o);
	return err;
}

static int inspect(int argc, char **argv, const char *what, int (*add)(struct json_object *array, const char *name))
{
	struct json_object *top = value_object(), *array = value_array();
	int err, status = EXIT_SUCCESS;

	json_option(argc, argv);	/* which it is anyway */
	if (optind == argc)
		command_usage("a name is missing");
	json_object_object_add(top, what, array);
	for (int i = optind; i < argc; i++) {
		err = add(array, argv[i]);
		if (err)
			status = command_fail(err, argv[i]);
	}
	if (json_object_array_length(array))
		puts(command_memory((void *)json_object_to_json_string_ext(top,
				JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(top);
	return status;
}

int cmd_inspect(int argc, char **argv)
{
	return inspect(argc, argv, "containers", add_container);
}

int cmd_base_inspect(int argc, char **argv)
{
	return inspect(argc, argv, "bases", add_base);
}
