// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Layers that are directories, which overlayfs stacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "attr.h"
#include "base_private.h"
#include "flatten.h"
#include "rootfs.h"
#include "store_private.h"

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

/*
 * A writable one has a work directory, and its top directory looks like that of @below, because it is
 * what the container sees as "/".
 */
static int make(struct store *s, const char *below, const char *name)
{
	if (mkdirat(s->layers_fd, name, 0700) < 0)
		return -errno;
	if (!below)
		return 0;
	/* One that is left of a layer that is gone is empty, or overlayfs empties it. */
	if (mkdirat(s->work_fd, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return copy_top(s, below, name);
}

const struct layer_kind layer_tree = {
	.trees = true,
	.max_layers = ROOTFS_MAX_LAYERS,
	.make = make,
	.describe = base_detect_init,
	.flatten = flatten,
};
