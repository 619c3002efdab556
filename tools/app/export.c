// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * export, base export: a file appears as a whole, or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dre_app.h>

#include "app.h"
#include "common/progress.h"

/* What is written, and under which name until it is complete. */
struct output {
	const char *path;
	int fd;
	char temporary[PATH_MAX];	/* "": it is written to directly */
};

/* It may have secrets in it that only root could read in the container. */
static int open_temporary(struct output *o)
{
	const char *slash = strrchr(o->path, '/');
	int dir = slash ? slash - o->path + 1 : 0;

	if (snprintf(o->temporary, sizeof(o->temporary), "%.*s.%s.XXXXXX", dir, o->path,
		     o->path + dir) >= (int)sizeof(o->temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return mkostemp(o->temporary, O_CLOEXEC);
}

/* What is there and no file, like a device or a FIFO, is written to as it is. */
static int open_output(struct output *o, const char *path)
{
	struct stat st;

	*o = (struct output){ .path = path, .fd = STDOUT_FILENO };
	if (!strcmp(path, "-")) {
		if (isatty(STDOUT_FILENO))
			return command_error("an archive is not for a terminal; redirect it, or name a file");
		return EXIT_SUCCESS;
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
	else
		o->fd = open_temporary(o);
	return o->fd < 0 ? command_error("%s: %s", path, strerror(errno)) : EXIT_SUCCESS;
}

/* Brings the file to the disk, and its name. */
static int sync_name(const struct output *o)
{
	char *slash = strrchr(o->temporary, '/');
	int fd, err;

	if (slash)
		slash[1] = '\0';
	fd = open(slash ? o->temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	err = fsync(fd);
	close(fd);
	return err;
}

static int finish_output(struct output *o, int err)
{
	if (!*o->temporary)
		return EXIT_SUCCESS;
	if (!err && !fsync(o->fd) && !rename(o->temporary, o->path) && !sync_name(o))
		return EXIT_SUCCESS;
	if (!err)
		command_error("%s: %s", o->path, strerror(errno));
	unlink(o->temporary);
	return EXIT_FAILURE;
}

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

	status = open_output(&o, argv[optind + 1]);
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
