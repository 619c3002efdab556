// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * ps, and what it reads.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

FILE *registered_open(void)
{
	FILE *f = fopen("/proc/daware", "re");
	char heading[128];

	if (f && !fgets(heading, sizeof(heading), f)) {
		fclose(f);
		f = NULL;
	}
	return f;
}

static bool parse(struct registered *r)
{
	char *rest = r->line;

	r->line[strcspn(r->line, "\n")] = '\0';
	for (int i = 0; i < PS_COLUMNS; i++) {
		/* The last one is all that is left: a process may have a tab in its name. */
		r->fields[i] = i == PS_COMM ? rest : strsep(&rest, "\t");
		if (!r->fields[i])
			return false;
	}
	return true;
}

bool registered_next(FILE *f, const char *name, struct registered *process)
{
	while (fgets(process->line, sizeof(process->line), f))
		if (parse(process) && (!name || !strcmp(process->fields[PS_CONTAINER], name)))
			return true;
	return false;
}

static void ps_row(struct table *table, char *const fields[PS_COLUMNS], bool json)
{
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
	struct registered process;
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
	f = registered_open();
	if (!f)
		return command_error("the D-RE module is not loaded: /proc/daware: %s; 'modprobe dre' loads it",
				     strerror(errno));
	table = table_new("processes", columns, json);
	while (registered_next(f, name, &process))
		ps_row(table, process.fields, json);
	fclose(f);
	table_print(table);
	return EXIT_SUCCESS;
}
