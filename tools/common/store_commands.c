// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * fsck, gc, copy, rename.
 */
#include <stdlib.h>

#include <dre_app.h>
#include <dre_sys.h>

#include "container_commands.h"
#include "progress.h"
#include "table.h"

_Static_assert((int)DRE_APP_FSCK_REPAIR == (int)DRE_SYS_FSCK_REPAIR &&
	       (int)DRE_APP_FSCK_SET_ASIDE == (int)DRE_SYS_FSCK_SET_ASIDE, "flags have the same numbers");

struct findings {
	struct table *table;
	bool wrong;		/* something still is */
};

void fsck_problem(void *arg, const char *path, const char *what, bool repaired)
{
	struct findings *f = arg;

	table_row(f->table);
	table_cell(f->table, 0, path);
	table_cell(f->table, 1, repaired ? "yes" : "no");
	table_cell(f->table, 2, what);
	f->wrong |= !repaired;
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
		{ "REPAIRED", COLUMN_BOOL },
		{ "PROBLEM", COLUMN_STRING },
		{ }
	};
	struct findings findings = {};
	struct progress progress;
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
	progress_begin_time(&progress, "fsck");
	err = container_api.fsck(flags, &findings);
	progress_end(&progress);
	table_print(findings.table);
	if (err)
		return command_fail(err, NULL);
	return findings.wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}

int cmd_gc(int argc, char **argv)
{
	struct progress progress;
	int err;

	if (no_options(argc, argv) != argc)
		command_usage("no argument is wanted");
	progress_begin_time(&progress, "gc");
	err = container_api.gc();
	progress_end(&progress);
	return err ? command_fail(err, NULL) : EXIT_SUCCESS;
}

int cmd_copy(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "snapshot", required_argument, NULL, 's' },
		{ "set", required_argument, NULL, 'S' },
		{ }
	};
	dre_property *properties = command_memory(calloc(argc, sizeof(*properties)));
	const char *snapshot = NULL;
	struct progress progress;
	int c, err, nr = 0;

	while ((c = command_getopt(argc, argv, "s:", options)) >= 0) {
		if (c == 's')
			snapshot = optarg;
		else
			properties[nr++] = property_argument(optarg);
	}
	if (argc - optind != 2)
		command_usage("a name and that of the copy are wanted");
	progress_begin_time(&progress, "copy");
	err = container_api.copy(argv[optind], snapshot, argv[optind + 1], properties);
	progress_end(&progress);
	free(properties);
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}

int cmd_rename(int argc, char **argv)
{
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a new one are wanted");
	err = container_api.rename(argv[i], argv[i + 1]);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}
