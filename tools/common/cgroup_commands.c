// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * cgroup, bind, unbind, resource.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_commands.h"
#include "table.h"

static int cgroup_change(int argc, char **argv,
			 dre_return_t (*fn)(const char *, const char *))
{
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a control group are wanted");
	err = fn(argv[i], argv[i + 1]);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}

int cmd_cgroup_create(int argc, char **argv)
{
	return cgroup_change(argc, argv, container_api.create_cgroup);
}

int cmd_cgroup_destroy(int argc, char **argv)
{
	return cgroup_change(argc, argv, container_api.destroy_cgroup);
}

enum { CG_CGROUP, CG_BOUND };

/* The processes that are bound to it, as a cell: "1,2,3". */
static char *bound_cell(const char *name, const char *cgroup)
{
	struct container_pid *pids;
	char *text = NULL;
	size_t size;
	FILE *f;

	if (container_api.get_bound_pids(name, cgroup, &pids))
		return NULL;
	f = open_memstream(&text, &size);
	for (size_t i = 0; f && pids[i].pid; i++)
		fprintf(f, "%s%d", i ? "," : "", pids[i].pid);
	if (f)
		fclose(f);
	free(pids);
	return text;
}

int cmd_cgroup_list(int argc, char **argv)
{
	static const struct column columns[] = {
		[CG_CGROUP] = { "CGROUP", COLUMN_STRING },
		[CG_BOUND] = { "BOUND", COLUMN_NUMBERS },
		{ }
	};
	bool json = json_option(argc, argv);
	struct table *table;
	const char *name;
	dre_list_t list;
	int err;

	if (argc - optind != 1)
		command_usage("one name is wanted");
	name = argv[optind];
	err = container_api.get_cgroup_list(name, &list);
	if (err)
		return command_fail(err, name);
	table = table_new("cgroups", columns, json);
	for (size_t i = 0; list[i]; i++) {
		char *bound = bound_cell(name, list[i]);

		table_row(table);
		table_cell(table, CG_CGROUP, list[i]);
		if (bound && (*bound || json))
			table_cell(table, CG_BOUND, bound);
		else if (!json)
			table_cell(table, CG_BOUND, "-");
		free(bound);
	}
	table_print(table);
	container_api.release_list(list);
	return EXIT_SUCCESS;
}

typedef dre_return_t (*bind_fn)(const char *name, const char *cgroup, int pid);

/* @by_vpid: NULL where processes have no other number. */
static int bind_change(int argc, char **argv, bind_fn by_pid, bind_fn by_vpid)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "vpid", no_argument, NULL, 'v' },
		{ }
	};
	bind_fn fn = by_pid;
	const char *name;
	int pid, err;

	if (!by_vpid)
		no_options(argc, argv);
	else
		while (command_getopt(argc, argv, "v", options) >= 0)
			fn = by_vpid;
	if (argc - optind != 3)
		command_usage("a name, a control group and a number are wanted");
	name = argv[optind];
	pid = command_number(fn == by_pid ? "PID" : "VPID", argv[optind + 2], 1, INT_MAX);
	err = fn(name, argv[optind + 1], pid);
	return err ? command_fail(err, name) : EXIT_SUCCESS;
}

int cmd_bind(int argc, char **argv)
{
	return bind_change(argc, argv, container_api.bind_pid, container_api.bind_vpid);
}

int cmd_unbind(int argc, char **argv)
{
	return bind_change(argc, argv, container_api.unbind_pid, container_api.unbind_vpid);
}

const struct resource_name resource_names[NR_RESOURCES] = {
	{ "cpu", RESOURCE_CPU },
	{ "cores", RESOURCE_CORES },
	{ "memory", RESOURCE_MEMORY },
	{ "memsw", RESOURCE_MEMSW },
	{ "pids", RESOURCE_PIDS },
};

size_t nr_resources(void)
{
	return container_extras.pids ? NR_RESOURCES : NR_RESOURCES - 1;
}

static int resource_type(const char *name)
{
	for (size_t i = 0; i < nr_resources(); i++)
		if (!strcmp(resource_names[i].name, name))
			return resource_names[i].type;
	command_usage("'%s' is none of cpu, cores, memory%s", name,
		      container_extras.pids ? ", memsw and pids" : " and memsw");
}

static void parse_value(struct container_resource *resource, char *text)
{
	switch (resource->type) {
	case RESOURCE_CPU:
		text[strcspn(text, "%")] = '\0';
		resource->percent = command_number("percent", text, 1, INT_MAX);
		break;
	case RESOURCE_CORES:
		resource->cores = text;
		break;
	case RESOURCE_PIDS:
		resource->pids = command_number("pids", text, 1, INT_MAX);
		break;
	default:
		resource->bytes = command_size(text);
		break;
	}
}

int cmd_resource_set(int argc, char **argv)
{
	struct container_resource resource;
	int err, i = no_options(argc, argv);

	if (argc - i != 4)
		command_usage("a name, a control group, a resource and a limit are wanted");
	resource.type = resource_type(argv[i + 2]);
	parse_value(&resource, argv[i + 3]);
	err = container_api.set_resource(argv[i], argv[i + 1], &resource);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}

int cmd_resource_unset(int argc, char **argv)
{
	struct container_resource resource;
	int err, i = no_options(argc, argv);

	if (argc - i != 3)
		command_usage("a name, a control group and a resource are wanted");
	resource.type = resource_type(argv[i + 2]);
	err = container_api.unset_resource(argv[i], argv[i + 1], &resource);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}

enum { RES_CPU, RES_CORES, RES_MEMORY, RES_MEMSW, RES_PIDS };

int cmd_resource_get(int argc, char **argv)
{
	const struct column columns[] = {
		[RES_CPU] = { "CPU%", COLUMN_NUMBER },
		[RES_CORES] = { "CORES", COLUMN_STRING },
		[RES_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[RES_MEMSW] = { "MEMSW", COLUMN_NUMBER },
		[RES_PIDS] = { container_extras.pids ? "PIDS" : NULL, COLUMN_NUMBER },
		{ }
	};
	struct container_resource values[NR_RESOURCES];
	bool json = json_option(argc, argv);
	struct table *table;
	char number[32];
	int pid = 0, err;

	if (argc - optind < 1 || argc - optind > 2)
		command_usage("a name and perhaps a PID are wanted");
	if (argc - optind == 2)
		pid = command_number("PID", argv[optind + 1], 1, INT_MAX);
	for (size_t i = 0; i < nr_resources(); i++) {
		values[i].type = resource_names[i].type;
		err = container_api.get_resource(argv[optind], pid, &values[i]);
		if (err)
			return command_fail(err, argv[optind]);
	}
	table = table_new("resources", columns, json);
	table_row(table);
	snprintf(number, sizeof(number), "%d", values[RES_CPU].percent);
	table_cell(table, RES_CPU, number);
	table_cell(table, RES_CORES, values[RES_CORES].cores);
	for (int i = RES_MEMORY; i <= RES_MEMSW; i++) {
		snprintf(number, sizeof(number), "%llu", values[i].bytes);
		table_cell(table, i, number);
	}
	if (container_extras.pids) {
		snprintf(number, sizeof(number), "%d", values[RES_PIDS].pids);
		table_cell(table, RES_PIDS, number);
	}
	table_print(table);
	free(values[RES_CORES].cores);
	return EXIT_SUCCESS;
}
