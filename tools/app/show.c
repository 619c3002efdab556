// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * status, list, ps, base list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

const char *status_name(dre_return_t status)
{
	switch (status) {
	case DRE_APP_CONTAINER_STATUS_STOP:
		return "stopped";
	case DRE_APP_CONTAINER_STATUS_RUNNING:
		return "running";
	case DRE_APP_CONTAINER_STATUS_SUSPENDED:
		return "suspended";
	case DRE_APP_CONTAINER_STATUS_BUSY:
		return "busy";
	}
	return "unknown";
}

int cmd_status(int argc, char **argv)
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	bool json = json_option(argc, argv);
	int status;

	if (argc - optind != 1)
		command_usage("one name is wanted");
	h.name = argv[optind];
	status = dre_app_status(&h);
	if (status < 0)
		return command_fail(status, h.name);
	/* Both are words that need no escapes. */
	if (json)
		printf("{ \"name\": \"%s\", \"state\": \"%s\" }\n", h.name, status_name(status));
	else
		puts(status_name(status));
	return EXIT_SUCCESS;
}

/* The options of commands that print a table. */
bool json_option(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	bool json = false;

	while (command_getopt(argc, argv, "j", options) >= 0)
		json = true;
	return json;
}

int cmd_list(int argc, char **argv)
{
	static const struct column columns[] = {
		{ "NAME", COLUMN_STRING },
		{ "STATE", COLUMN_STRING },
		{ "PID", COLUMN_NUMBER },
		{ }
	};
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	bool json = json_option(argc, argv);
	struct table *table;
	char number[12];
	dre_list_t list;
	int status, pid, err;

	if (optind != argc)
		command_usage("no argument is wanted");
	err = dre_app_get_container_list(&list);
	if (err)
		return command_fail(err, NULL);
	table = table_new("containers", columns, json);
	for (dre_list_t name = list; *name; name++) {
		h.name = *name;
		status = dre_app_status(&h);
		if (status == DRE_ERR_CONTAINER_NONEXISTENCE)	/* since the list was made */
			continue;
		table_row(table);
		table_cell(table, 0, *name);
		table_cell(table, 1, status_name(status));
		if (dre_app_get_pid(&h, &pid) == 0) {
			snprintf(number, sizeof(number), "%d", pid);
			table_cell(table, 2, number);
		}
	}
	dre_app_release_container_list(list);
	table_print(table);
	return EXIT_SUCCESS;
}

int cmd_base_list(int argc, char **argv)
{
	static const struct column columns[] = {
		{ "NAME", COLUMN_STRING },
		{ }
	};
	bool json = json_option(argc, argv);
	struct table *table;
	dre_list_t list;
	int err;

	if (optind != argc)
		command_usage("no argument is wanted");
	err = dre_app_get_base_list(&list);
	if (err)
		return command_fail(err, NULL);
	table = table_new("bases", columns, json);
	for (dre_list_t name = list; *name; name++) {
		table_row(table);
		table_cell(table, 0, *name);
	}
	dre_app_release_base_list(list);
	table_print(table);
	return EXIT_SUCCESS;
}

enum { PS_PID, PS_VPID, PS_SIGNALS, PS_CONTAINER, PS_COMM, PS_COLUMNS };

/* A line of /proc/daware, if it is about @name (NULL: about any container). */
static void ps_row(struct table *table, char *line, const char *name, bool json)
{
	char *fields[PS_COLUMNS];

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < PS_COLUMNS; i++) {
		/* The last one is all that is left: a process may have a tab in its name. */
		fields[i] = i == PS_COMM ? line : strsep(&line, "\t");
		if (!fields[i])
			return;
	}
	if (name && strcmp(fields[PS_CONTAINER], name))
		return;
	table_row(table);
	for (int i = 0; i < PS_COLUMNS; i++)
		/* "-" is for people: no container is null, no signals are an empty array. */
		if (!json || i != PS_CONTAINER || strcmp(fields[i], "-"))
			table_cell(table, i, fields[i]);
}

int cmd_ps(int argc, char **argv)
{
	static const struct column columns[] = {
		[PS_PID] = { "PID", COLUMN_NUMBER },
		[PS_VPID] = { "VPID", COLUMN_NUMBER },
		[PS_SIGNALS] = { "SIGNALS", COLUMN_NUMBERS },
		[PS_CONTAINER] = { "CONTAINER", COLUMN_STRING },
		[PS_COMM] = { "COMM", COLUMN_STRING },
		{ }
	};
	bool json = json_option(argc, argv);
	struct table *table;
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	const char *name = NULL;
	char line[1024];
	FILE *f;
	int err;

	if (argc - optind > 1)
		command_usage("at most one name is wanted");
	if (optind < argc) {
		name = argv[optind];
		h.name = argv[optind];
		err = dre_app_status(&h);
		if (err < 0)
			return command_fail(err, name);
	}
	f = fopen("/proc/daware", "re");
	if (!f)
		return command_error("the D-RE module is not loaded: /proc/daware: %s; 'modprobe dre' loads it",
				     strerror(errno));
	table = table_new("processes", columns, json);
	if (fgets(line, sizeof(line), f))	/* the heading */
		while (fgets(line, sizeof(line), f))
			ps_row(table, line, name, json);
	fclose(f);
	table_print(table);
	return EXIT_SUCCESS;
}
