// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

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
