// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * copy, rename.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"

int cmd_copy(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "snapshot", required_argument, NULL, 's' },
		{ }
	};
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	const char *snapshot = NULL;
	int err;

	while (command_getopt(argc, argv, "s:", options) >= 0)
		snapshot = optarg;
	if (argc - optind != 2)
		command_usage("a name and that of the copy are wanted");
	h.name = argv[optind];
	err = dre_app_copy(&h, snapshot, argv[optind + 1]);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_rename(int argc, char **argv)
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a new one are wanted");
	h.name = argv[i];
	err = dre_app_rename(&h, argv[i + 1]);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}
