// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "attr.h"
#include "fail.h"
#include "file.h"
#include "store_private.h"
#include "tree.h"

int layer_open(struct store *s, const char *name)
{
	return openat(s->layers_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int copy_top(struct store *s, const char *from, const char *to)
{
	struct attr attr;
	struct stat st;
	int ret;

	if (fstatat(s->layers_fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	ret = attr_read(&attr, s->layers_fd, from, &st);
	if (ret)
		return ret;
	/* overlayfs' own notes speak of the place that a directory had in its chain. */
	attr_remove(&attr, "trusted.overlay.");
	ret = attr_apply(&attr, s->layers_fd, to);
	attr_free(&attr);
	return ret;
}

int layer_create(struct store *s, const char *below, layer_name_t name)
{
	int ret;

	do {
		file_random_name(name);
		ret = mkdirat(s->layers_fd, name, 0700) < 0 ? -errno : 0;
	} while (ret == -EEXIST);
	if (ret)
		return dre_fail_errno(-ret, "cannot make a layer in %s", s->root);
	if (!below)
		return 0;

	ret = mkdirat(s->work_fd, name, 0700) < 0 ? -errno : copy_top(s, below, name);
	if (!ret)
		return 0;
	layer_discard(s, name);
	return dre_fail_errno(-ret, "cannot make a layer on %s/layers/%s", s->root, below);
}

int layer_sync(struct store *s, const char *name, bool files)
{
	int fd = layer_open(s, name);
	int ret = 0;

	/* One pass over the whole file system costs less than a flush for each file. */
	if (fd < 0 || (files ? syncfs(fd) : fsync(fd)) < 0 || fsync(s->layers_fd) < 0 ||
	    fsync(s->work_fd) < 0)
		ret = dre_fail_errno(errno, "cannot write layer %s/layers/%s to the disk", s->root,
				     name);
	if (fd >= 0)
		close(fd);
	return ret;
}

bool layer_discard(struct store *s, const char *name)
{
	int layer = tree_remove(s->layers_fd, name);
	int work = tree_remove(s->work_fd, name);

	return !layer && !work;
}
