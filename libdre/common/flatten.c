// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * overlayfs itself says what is in a chain: it is mounted, out of sight, and
 * copied.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "flatten.h"
#include "rootfs.h"
#include "store_private.h"
#include "tree.h"

static void copied(struct tree_progress *p, uint64_t bytes)
{
	(void)p;
	(void)bytes;
}

static int fill(struct container *c, int mount, const char *layer)
{
	struct tree_progress progress = { copied };
	int fd, ret;

	fd = layer_open(c->store, layer);
	if (fd < 0)
		return dre_fail_errno(errno, "layer %s", layer);
	ret = tree_copy(mount, fd, NULL, c->name, &progress);
	close(fd);
	return ret ? ret : layer_sync(c->store, layer, true);
}

int flatten(struct container *c, layer_name_t layer)
{
	int mount, ret;

	ret = rootfs_mount_detached(c->store, c->name, &c->manifest, &mount);
	if (ret)
		return ret;
	ret = layer_create(c->store, NULL, layer);
	if (!ret) {
		ret = fill(c, mount, layer);
		if (ret)
			layer_discard(c->store, layer);
	}
	close(mount);
	return ret;
}
