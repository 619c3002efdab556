// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stddef.h>

#include "build.h"
#include "command.h"

struct build_arguments build_arguments(int argc, char **argv, bool sized)
{
	/* The first one is left out where there is no size. */
	static const struct option options[] = {
		{ "size", required_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ "mirror", required_argument, NULL, 'm' },
		{ "packages", required_argument, NULL, 'p' },
		{ "suite", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ }
	};
	struct build_arguments build = { .suite = "stable" };
	int c;

	while ((c = command_getopt(argc, argv, sized ? "S:m:p:s:v" : "m:p:s:v", options + !sized)) >= 0) {
		switch (c) {
		case 'S':
			build.disk = command_size(optarg);
			break;
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
	build.name = argv[optind];
	return build;
}
