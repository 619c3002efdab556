// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * base import, base build.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"
#include "common/progress.h"

int cmd_base_import(int argc, char **argv)
{
	struct progress progress;
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a source are wanted");
	progress_begin(&progress, "import");
	err = dre_app_import_base(argv[i], argv[i + 1], progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}

int cmd_base_build(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "mirror", required_argument, NULL, 'm' },
		{ "packages", required_argument, NULL, 'p' },
		{ "suite", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ }
	};
	dre_app_build_options build = { .size = sizeof(build), .suite = "stable" };
	struct progress progress;
	int c, err;

	while ((c = command_getopt(argc, argv, "m:p:s:v", options)) >= 0) {
		switch (c) {
		case 'm':
			build.mirror = optarg;
			break;
		case 'p':
			build.packages = optarg;
			break;
		case 's':
			build.suite = optarg;
			break;
		case 'v':
			build.verbose = 1;
			break;
		}
	}
	if (argc - optind != 1)
		command_usage("a name is wanted");
	progress_begin(&progress, "build");
	err = dre_app_build_base(argv[optind], &build, progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}
