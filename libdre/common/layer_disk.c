// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Layers that are qcow2 images, each of which names the one below it.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "fail.h"
#include "qcow2.h"
#include "qemu_img.h"
#include "store_private.h"

/* QEMU opens each of them, and looks through all of them for what was never written. */
#define MAX_LAYERS 200

static int make(struct store *s, const char *below, const char *name)
{
	int fd;

	if (below)
		return qcow2_make_overlay(s->layers_fd, name, below);
	fd = openat(s->layers_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* What an operating system on it needs is for the guest to find out. */
static int describe(int layer_fd, const char *base, struct manifest *m)
{
	struct qcow2 image;
	int ret = qcow2_read(layer_fd, &image);

	(void)m;
	if (!ret && !image.size)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "base image '%s' would be an empty disk",
				base);
	return ret ? dre_fail_errno(-ret, "cannot make base image '%s'", base) : 0;
}

static int flatten(struct container *c, layer_name_t layer)
{
	struct qemu_img_convert convert = {
		.dir_fd = c->store->layers_fd,
		.source = c->manifest.writable,
		.source_fd = -1,
		.what = c->name,
	};
	int ret = layer_create(c->store, NULL, layer);

	if (ret)
		return ret;
	convert.fd = layer_open(c->store, layer);
	if (convert.fd < 0) {
		ret = dre_fail_errno(errno, "layer %s", layer);
	} else {
		ret = qemu_img_convert(&convert);
		close(convert.fd);
	}
	if (!ret)
		ret = layer_sync(c->store, layer, true);
	if (ret)
		layer_discard(c->store, layer);
	return ret;
}

const struct layer_kind layer_disk = {
	.max_layers = MAX_LAYERS,
	.make = make,
	.describe = describe,
	.flatten = flatten,
};
