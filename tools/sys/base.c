// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * base import.
 */
#include <stdlib.h>

#include <dre_sys.h>

#include "common/progress.h"
#include "sys.h"

int cmd_base_import(int argc, char **argv)
{
	struct progress progress;
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a source are wanted");
	progress_begin(&progress, "import");
	err = dre_sys_import_base(argv[i], argv[i + 1], progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}
