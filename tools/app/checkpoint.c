// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checkpoint, restart, checkpoint list, checkpoint remove.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

static int change(int argc, char **argv, dre_return_t (*fn)(const dre_app_handle *, const char *))
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a checkpoint are wanted");
	h.name = argv[i];
	err = fn(&h, argv[i + 1]);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_checkpoint(int argc, char **argv)
{
	return change(argc, argv, dre_app_checkpoint);
}

int cmd_restart(int argc, char **argv)
{
	return change(argc, argv, dre_app_restart);
}

int cmd_checkpoint_remove(int argc, char **argv)
{
	return change(argc, argv, dre_app_remove_checkpoint);
}

int cmd_checkpoint_list(int argc, char **argv)
{
	static const struct column columns[] = { { "CHECKPOINT", COLUMN_STRING }, { } };
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	bool json = json_option(argc, argv);
	struct table *table;
	dre_list_t list;
	int err;

	if (argc - optind != 1)
		command_usage("one name is wanted");
	h.name = argv[optind];
	err = dre_app_get_checkpoint_list(&h, &list);
	if (err)
		return command_fail(err, h.name);
	table = table_new("checkpoints", columns, json);
	for (size_t i = 0; list[i]; i++) {
		table_row(table);
		table_cell(table, 0, list[i]);
	}
	table_print(table);
	dre_app_release_checkpoint_list(list);
	return EXIT_SUCCESS;
}
