// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * base build.
 */
#include <stdlib.h>

#include <dre_sys.h>

#include "common/build.h"
#include "common/progress.h"
#include "sys.h"

int cmd_base_build(int argc, char **argv)
{
	const struct build_arguments wanted = build_arguments(argc, argv, true);
	const dre_sys_build_options build = {
		.size = sizeof(build),
		.suite = wanted.suite,
		.packages = wanted.packages,
		.mirror = wanted.mirror,
		.disk = wanted.disk,
		.verbose = wanted.verbose,
	};
	struct progress progress;
	int err;

	/* Most of it is one step. With --verbose the lines of mmdebstrap are enough. */
	(wanted.verbose ? progress_begin : progress_begin_time)(&progress, "build");
	err = dre_sys_build_base(wanted.name, &build, NULL, NULL);
	progress_end(&progress);
	return err ? command_fail(err, wanted.name) : EXIT_SUCCESS;
}
