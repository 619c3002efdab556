// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checkpoint.
 */
#include <stdlib.h>

#include <dre_sys.h>

#include "common/progress.h"
#include "sys.h"

int cmd_checkpoint(int argc, char **argv)
{
	dre_sys_handle h = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	struct progress progress;
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a checkpoint are wanted");
	h.name = argv[i];
	progress_begin(&progress, "checkpoint");
	err = dre_sys_checkpoint_with(&h, argv[i + 1], progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}
