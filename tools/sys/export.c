// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * export, base export.
 */
#include <stdlib.h>
#include <string.h>

#include <dre_sys.h>

#include "common/output.h"
#include "common/progress.h"
#include "sys.h"

static const char *compress_option(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "compress", required_argument, NULL, 'c' },
		{ }
	};
	const char *compression = "none";

	while (command_getopt(argc, argv, "c:", options) >= 0)
		compression = optarg;
	if (argc - optind != 2)
		command_usage("a name and a file are wanted");
	return strcmp(compression, "none") ? compression : NULL;
}

static dre_return_t export_container(const char *name, int fd, const char *compression,
				     dre_sys_progress progress, void *arg)
{
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, (char *)name };

	return dre_sys_export(&h, fd, compression, progress, arg);
}

static int export(int argc, char **argv,
		  dre_return_t (*fn)(const char *, int, const char *, dre_sys_progress, void *))
{
	const char *compression = compress_option(argc, argv), *name = argv[optind];
	struct progress progress;
	struct output o;
	int err, status;

	status = open_output(&o, argv[optind + 1], "a disk image");
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
	return export(argc, argv, dre_sys_export_base);
}
