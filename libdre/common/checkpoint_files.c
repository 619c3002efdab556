// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What checkpoints have where layers are directories: CRIU's images, and a copy of the writable layer.
 */
#include <dre.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "fail.h"
#include "store_private.h"
#include "tree.h"

/* The container's root reads the images when they are restored: to those it gets through. */
static int make_directories(const struct checkpoint *cp)
{
	static const char *const dirs[] = { ".", "images", "early" };
	struct container *c = cp->container;
	struct idmap map;
	int ret = container_idmap(c->name, &c->manifest, &map);

	if (ret)
		return ret;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		if ((i && mkdirat(cp->dir_fd, dirs[i], 0700) < 0) ||
		    fchownat(cp->dir_fd, dirs[i], -1, map.count ? map.first : 0, 0) < 0 ||
		    fchmodat(cp->dir_fd, dirs[i], 0750, 0) < 0)
			return dre_fail_errno(errno, "checkpoint '%s'", cp->tag);
	return 0;
}

int checkpoint_begin_files(struct checkpoint *cp, struct container *c, const char *tag)
{
	layer_name_t layer;
	int ret = checkpoint_begin(cp, c, tag);

	if (ret)
		return ret;
	ret = make_directories(cp);
	if (!ret)
		ret = layer_create(c->store, NULL, layer);
	if (ret)
		checkpoint_abandon(cp);
	else
		strcpy(cp->manifest.writable, layer);
	return ret;
}

static void copied(struct tree_progress *p, uint64_t bytes)
{
	(void)p;
	(void)bytes;
}

int checkpoint_copy_layer(struct store *s, const char *from, const char *to)
{
	struct tree_progress progress = { copied };
	int src = layer_open(s, from), dst = layer_open(s, to);
	int ret;

	if (src < 0 || dst < 0)
		ret = dre_fail_errno(errno, "%s/layers/%s", s->root, src < 0 ? from : to);
	else
		ret = tree_copy(src, dst, NULL, "the container's files", &progress);
	if (src >= 0)
		close(src);
	if (dst >= 0)
		close(dst);
	return ret;
}

int checkpoint_copy_files(const struct checkpoint *cp, struct manifest *next)
{
	struct container *c = cp->container;
	layer_name_t layer;
	int ret = layer_create(c->store, cp->manifest.layers[cp->manifest.nr_layers - 1], layer);

	if (!ret)
		ret = checkpoint_copy_layer(c->store, cp->manifest.writable, layer);
	if (!ret)
		ret = layer_sync(c->store, layer, true);
	if (ret)
		return ret;
	ret = manifest_copy_chain(next, &cp->manifest);
	/* Settings are of the container, not of what is in it. */
	if (!ret)
		ret = manifest_copy_settings(next, &c->manifest);
	if (ret) {
		manifest_free(next);
		return dre_fail_errno(-ret, "checkpoint '%s'", cp->tag);
	}
	strcpy(next->writable, layer);
	return 0;
}
