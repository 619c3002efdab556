// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * cgroup, bind, unbind, resource.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

static dre_app_handle handle(char *name)
{
	return (dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, name };
}

static int cgroup_change(int argc, char **argv,
			 dre_return_t (*fn)(const dre_app_handle *, const char *))
{
	int err, i = no_options(argc, argv);
	dre_app_handle h;

	if (argc - i != 2)
		command_usage("a name and a control group are wanted");
	h = handle(argv[i]);
	err = fn(&h, argv[i + 1]);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_cgroup_create(int argc, char **argv)
{
	return cgroup_change(argc, argv, dre_app_create_cgroup);
}

int cmd_cgroup_destroy(int argc, char **argv)
{
	return cgroup_change(argc, argv, dre_app_destroy_cgroup);
}

enum { CG_CGROUP, CG_BOUND };

/* The processes that are bound to it, as a cell: "1,2,3". */
static char *bound_cell(const dre_app_handle *h, const char *cgroup)
{
	dre_app_pid_list_t list;
	size_t size;
	char *text = NULL;
	FILE *f;

	if (dre_app_get_bound_pid_list(h, cgroup, &list))
		return NULL;
	f = open_memstream(&text, &size);
	for (size_t i = 0; f && list[i]; i++)
		fprintf(f, "%s%d", i ? "," : "", list[i]->pid);
	if (f)
		fclose(f);
	dre_app_release_registered_pid_list(list);
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
	dre_app_handle h;
	dre_list_t list;
	int err;

	if (argc - optind != 1)
		command_usage("one name is wanted");
	h = handle(argv[optind]);
	err = dre_app_get_cgroup_list(&h, &list);
	if (err)
		return command_fail(err, h.name);
	table = table_new("cgroups", columns, json);
	for (size_t i = 0; list[i]; i++) {
		char *bound = bound_cell(&h, list[i]);

		table_row(table);
		table_cell(table, CG_CGROUP, list[i]);
		if (bound && (*bound || json))
			table_cell(table, CG_BOUND, bound);
		else if (!json)
			table_cell(table, CG_BOUND, "-");
		free(bound);
	}
	table_print(table);
	dre_app_release_cgroup_list(list);
	return EXIT_SUCCESS;
}

static int bind_change(int argc, char **argv,
		       dre_return_t (*by_pid)(const dre_app_handle *, const char *, int),
		       dre_return_t (*by_vpid)(const dre_app_handle *, const char *, int))
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "vpid", no_argument, NULL, 'v' },
		{ }
	};
	dre_return_t (*fn)(const dre_app_handle *, const char *, int) = by_pid;
	dre_app_handle h;
	int pid, err;

	while (command_getopt(argc, argv, "v", options) >= 0)
		fn = by_vpid;
	if (argc - optind != 3)
		command_usage("a name, a control group and a number are wanted");
	h = handle(argv[optind]);
	pid = command_number(fn == by_pid ? "PID" : "VPID", argv[optind + 2], 1, INT_MAX);
	err = fn(&h, argv[optind + 1], pid);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_bind(int argc, char **argv)
{
	return bind_change(argc, argv, dre_app_bind_pid, dre_app_bind_vpid);
}

int cmd_unbind(int argc, char **argv)
{
	return bind_change(argc, argv, dre_app_unbind_pid, dre_app_unbind_vpid);
}

/* The resources by name. Sizes take the types that have room for them. */
static const struct {
	const char *name;
	dre_app_resource_t type;
} resources[] = {
	{ "cpu", DRE_APP_CONTAINER_RESOURCE_CPU },
	{ "cores", DRE_APP_CONTAINER_RESOURCE_CPU_CORE },
	{ "memory", DRE_APP_CONTAINER_RESOURCE_MEMORY_64 },
	{ "memsw", DRE_APP_CONTAINER_RESOURCE_MEMSW_64 },
};

#define NR_RESOURCES	(sizeof(resources) / sizeof(*resources))

static dre_app_resource_t resource_type(const char *name)
{
	for (size_t i = 0; i < NR_RESOURCES; i++)
		if (!strcmp(resources[i].name, name))
			return resources[i].type;
	command_usage("'%s' is none of cpu, cores, memory and memsw", name);
}

/* A number of bytes, with K, M, G or T for its powers of 1024. */
static unsigned long long size_argument(const char *text)
{
	static const char units[] = "KMGT";
	unsigned long long size;
	const char *unit;
	char *end;

	errno = 0;
	size = strtoull(text, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		int shift = 10 * (unit - units + 1);

		end++;
		if (size > ~0ULL >> shift)
			errno = ERANGE;
		size <<= shift;
	}
	if (!isdigit((unsigned char)*text) || *end || errno || !size)
		command_usage("'%s' is no size, as 1048576 or 512M", text);
	return size;
}

static void parse_value(dre_app_resource_value_t *resource, char *text)
{
	switch (resource->type) {
	case DRE_APP_CONTAINER_RESOURCE_CPU:
		text[strcspn(text, "%")] = '\0';
		resource->udata.cpu.percent = command_number("percent", text, 1, INT_MAX);
		break;
	case DRE_APP_CONTAINER_RESOURCE_CPU_CORE:
		resource->udata.cpu.cores = text;
		break;
	default:
		resource->udata.mem.bytes = size_argument(text);
		break;
	}
}

int cmd_resource_set(int argc, char **argv)
{
	dre_app_resource_value_t resource;
	int err, i = no_options(argc, argv);
	dre_app_handle h;

	if (argc - i != 4)
		command_usage("a name, a control group, a resource and a limit are wanted");
	h = handle(argv[i]);
	resource.type = resource_type(argv[i + 2]);
	parse_value(&resource, argv[i + 3]);
	err = dre_app_set_resource(&h, argv[i + 1], &resource);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_resource_unset(int argc, char **argv)
{
	dre_app_resource_value_t resource;
	int err, i = no_options(argc, argv);
	dre_app_handle h;

	if (argc - i != 3)
		command_usage("a name, a control group and a resource are wanted");
	h = handle(argv[i]);
	resource.type = resource_type(argv[i + 2]);
	err = dre_app_unset_resource(&h, argv[i + 1], &resource);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

enum { RES_CPU, RES_CORES, RES_MEMORY, RES_MEMSW };

int cmd_resource_get(int argc, char **argv)
{
	static const struct column columns[] = {
		[RES_CPU] = { "CPU%", COLUMN_NUMBER },
		[RES_CORES] = { "CORES", COLUMN_STRING },
		[RES_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[RES_MEMSW] = { "MEMSW", COLUMN_NUMBER },
		{ }
	};
	dre_app_resource_value_t values[NR_RESOURCES];
	bool json = json_option(argc, argv);
	struct table *table;
	dre_app_handle h;
	char number[32];
	int pid = 0, err;

	if (argc - optind < 1 || argc - optind > 2)
		command_usage("a name and perhaps a PID are wanted");
	h = handle(argv[optind]);
	if (argc - optind == 2)
		pid = command_number("PID", argv[optind + 1], 1, INT_MAX);
	for (size_t i = 0; i < NR_RESOURCES; i++) {
		values[i].type = resources[i].type;
		err = dre_app_get_resource(&h, pid, &values[i]);
		if (err)
			return command_fail(err, h.name);
	}
	table = table_new("resources", columns, json);
	table_row(table);
	snprintf(number, sizeof(number), "%d", values[RES_CPU].udata.cpu.percent);
	table_cell(table, RES_CPU, number);
	table_cell(table, RES_CORES, values[RES_CORES].udata.cpu.cores);
	for (int i = RES_MEMORY; i <= RES_MEMSW; i++) {
		snprintf(number, sizeof(number), "%llu", values[i].udata.mem.bytes);
		table_cell(table, i, number);
	}
	table_print(table);
	dre_app_release_resource(&values[RES_CORES]);
	return EXIT_SUCCESS;
}
