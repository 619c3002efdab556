// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fsck, gc.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

struct findings {
	struct table *table;
	bool wrong;		/* something still is */
};

static void add(void *arg, const dre_app_problem *problem)
{
	struct findings *f = arg;

	table_row(f->table);
	table_cell(f->table, 0, problem->path);
	table_cell(f->table, 1, problem->repaired ? "yes" : "no");
	table_cell(f->table, 2, problem->what);
	f->wrong |= !problem->repaired;
}

int cmd_fsck(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "repair", no_argument, NULL, 'r' },
		{ "set-aside", no_argument, NULL, 's' },
		{ }
	};
	static const struct column columns[] = {
		{ "PATH", COLUMN_STRING },
		{ "REPAIRED", COLUMN_STRING },
		{ "PROBLEM", COLUMN_STRING },
		{ }
	};
	struct findings findings = {};
	unsigned int flags = 0;
	bool json = false;
	int c, err;

	while ((c = command_getopt(argc, argv, "jr", options)) >= 0) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'r':
			flags |= DRE_APP_FSCK_REPAIR;
			break;
		case 's':
			flags |= DRE_APP_FSCK_SET_ASIDE;
			break;
		}
	}
	if (optind != argc)
		command_usage("no argument is wanted");
	findings.table = table_new("problems", columns, json);
	err = dre_app_fsck(flags, add, &findings);
	table_print(findings.table);
	if (err)
		return command_fail(err, NULL);
	return findings.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_gc(int argc, char **argv)
{
	int err;

	if (no_options(argc, argv) != argc)
		command_usage("no argument is wanted");
	err = dre_app_gc();
	return err ? command_fail(err, NULL) : EXIT_SUCCESS;
}
