// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * base build.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"
#include "common/build.h"
#include "common/progress.h"

int cmd_base_build(int argc, char **argv)
{
	const struct build_arguments wanted = build_arguments(argc, argv, false);
	const dre_app_build_options build = {
		.size = sizeof(build),
		.suite = wanted.suite,
		.packages = wanted.packages,
		.mirror = wanted.mirror,
		.verbose = wanted.verbose,
	};
	struct progress progress;
	int err;

	/* The archive comes when all is there that goes into it. With --verbose the lines of mmdebstrap are enough. */
	(wanted.verbose ? progress_begin : progress_begin_time)(&progress, "build");
	err = dre_app_build_base(wanted.name, &build, progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, wanted.name) : EXIT_SUCCESS;
}
