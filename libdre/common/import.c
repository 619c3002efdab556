// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base_private.h"
#include "fail.h"
#include "import.h"
#include "names.h"
#include "tar.h"
#include "tree.h"

struct import {
	struct store *store;
	const char *source;
	int fd;
	import_progress_fn progress;
	void *arg;
};

struct copy_progress {
	struct tree_progress tree;	/* first, so that one points to the other */
	const struct import *import;
	uint64_t done;
};

static void report_copied(struct tree_progress *tree, uint64_t bytes)
{
	struct copy_progress *p = (struct copy_progress *)tree;

	p->done += bytes;
	if (p->import->progress)
		p->import->progress(p->import->arg, p->done, 0);
}

static int fill_from_directory(void *arg, int layer_fd)
{
	const struct import *import = arg;
	struct copy_progress progress = { { report_copied }, import, 0 };
	struct stat store;

	/* The host's own root may be a source: the store in it is not. */
	if (fstat(store_root_fd(import->store), &store) < 0)
		return dre_fail_errno(errno, "cannot read %s", store_root(import->store));
	return tree_copy(import->fd, layer_fd, &store, import->source, &progress.tree);
}

static int fill_from_tar(void *arg, int layer_fd)
{
	const struct import *import = arg;
	const struct tar_target target = {
		.dir = layer_fd,
		.what = import->source,
		.progress = import->progress,
		.arg = import->arg,
	};

	return tar_unpack(import->fd, &target);
}

static int fail_kind(const char *source)
{
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s is neither a directory nor a tar archive", source);
}

static int open_source(const char *source, int *fd, base_fill_fn *fill)
{
	struct stat st;

	*fd = open(source, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
			errno == ENAMETOOLONG))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "there is no %s", source);
	if (*fd < 0 && errno == ENXIO)	/* a socket */
		return fail_kind(source);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return dre_fail_errno(errno, "cannot open %s", source);
	if (S_ISDIR(st.st_mode))
		*fill = fill_from_directory;
	else if (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode))	/* also what a program writes */
		*fill = fill_from_tar;
	else
		return fail_kind(source);
	return 0;
}

int import_base(struct store *store, const char *name, const char *source,
		import_progress_fn progress, void *arg)
{
	struct import import = {
		.store = store,
		.source = source,
		.fd = -1,
		.progress = progress,
		.arg = arg,
	};
	base_fill_fn fill = NULL;
	int ret;

	ret = dre_check_name("base image", name);
	if (ret)
		return ret;
	if (!source)
		return dre_fail(DRE_ERR_NULL_POINTER, "no source of a base image is given");
	ret = open_source(source, &import.fd, &fill);
	if (!ret)
		ret = base_make(store, name, fill, &import);
	if (import.fd >= 0)
		close(import.fd);
	return ret;
}
