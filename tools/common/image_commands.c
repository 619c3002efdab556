// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * export, base export, base import.
 */
#include <stdlib.h>

#include "container_commands.h"
#include "output.h"
#include "progress.h"

static const char *compress_option(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "compress", required_argument, NULL, 'c' },
		{ }
	};
	const char *compression = NULL;

	while (command_getopt(argc, argv, "c:", options) >= 0)
		compression = optarg;
	if (argc - optind != 2)
		command_usage("a name and a file are wanted");
	if (!compression)
		return container_extras.compression_of ? container_extras.compression_of(argv[optind + 1]) : NULL;
	return strcmp(compression, "none") ? compression : NULL;
}

static int export(int argc, char **argv,
		  dre_return_t (*fn)(const char *name, int fd, const char *compression, command_progress fn, void *arg))
{
	const char *compression = compress_option(argc, argv), *name = argv[optind];
	struct progress progress;
	struct output o;
	int err, status;

	status = open_output(&o, argv[optind + 1], container_extras.exported);
	if (status)
		return status;
	progress_begin(&progress, "export");
	err = fn(name, o.fd, compression, progress_show, &progress);
	progress_end(&progress);
	if (err)
		status = command_fail(err, name);
	return finish_output(&o, err) ? EXIT_FAILURE : status;
}

int cmd_export(int argc, char **argv)
{
	return export(argc, argv, container_api.export);
}

int cmd_base_export(int argc, char **argv)
{
	return export(argc, argv, container_api.export_base);
}

int cmd_base_import(int argc, char **argv)
{
	struct progress progress;
	const char *source;
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a source are wanted");
	source = strcmp(argv[i + 1], "-") ? argv[i + 1] : "/dev/stdin";
	progress_begin(&progress, "import");
	err = container_api.import_base(argv[i], source, progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}
