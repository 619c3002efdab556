// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * export, base export.
 */
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/output.h"
#include "common/progress.h"

/* As tar(1) has it. NULL: none. */
static const char *compression_of(const char *path)
{
	static const struct {
		const char *suffix, *compression;
	} suffixes[] = {
		{ ".gz", "gzip" }, { ".tgz", "gzip" }, { ".xz", "xz" }, { ".txz", "xz" },
		{ ".zst", "zstd" }, { ".tzst", "zstd" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (!strcmp(dot, suffixes[i].suffix))
			return suffixes[i].compression;
	return NULL;
}

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
		return compression_of(argv[optind + 1]);
	return strcmp(compression, "none") ? compression : NULL;
}

static dre_return_t export_container(const char *name, int fd, const char *compression,
				     dre_app_progress progress, void *arg)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };

	return dre_app_export(&h, fd, compression, progress, arg);
}

static int export(int argc, char **argv,
		  dre_return_t (*fn)(const char *, int, const char *, dre_app_progress, void *))
{
	const char *compression = compress_option(argc, argv), *name = argv[optind];
	struct progress progress;
	struct output o;
	int err, status;

	status = open_output(&o, argv[optind + 1], "an archive");
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
	return export(argc, argv, export_container);
}

int cmd_base_export(int argc, char **argv)
{
	return export(argc, argv, dre_app_export_base);
}
