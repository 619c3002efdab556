// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checkpoint.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"

int cmd_checkpoint(int argc, char **argv)
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a checkpoint are wanted");
	h.name = argv[i];
	err = dre_app_checkpoint(&h, argv[i + 1]);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}
