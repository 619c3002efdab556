// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Layers that are qcow2 images, each of which names the one below it.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "fail.h"
#include "qcow2.h"
#include "qemu_img.h"
#include "store_private.h"

/*
 * QEMU opens each of them, and looks through all of them for what was never written. libvirt takes 200, with
 * the writable one, and the one that a machine goes over to.
 */
#define MAX_LAYERS 190

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
		.format = "qcow2",
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

struct report {
	void (*fn)(void *arg, const char *what);
	void *arg;
};

static void report(const struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void report(const struct report *r, const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	r->fn(r->arg, what);
}

/* What no layer is: QEMU would find its data elsewhere, or not at all. */
static const char *foreign(const struct qcow2 *image)
{
	return image->external ? "has its data in another file" : image->encrypted ? "is encrypted" :
	       !image->size ? "is an empty disk" : NULL;
}

/* @below: what the manifest has below it, NULL: nothing. @size: of that, 0: not known. */
static void check_layer(int fd, const char *name, const char *below, uint64_t *size, const struct report *r)
{
	char named[QCOW2_MAX_NAME + 1];
	struct printable p;
	struct qcow2 image = {};
	int ret = qcow2_read(fd, &image);

	if (!ret)
		ret = qcow2_read_below(fd, named);
	if (ret)
		report(r, "layers/%s is %s", name, ret == -EINVAL ? "no qcow2 image" :
		       ret == -EBADMSG ? "a damaged qcow2 image" : "not to be read");
	else if (foreign(&image))
		report(r, "layers/%s %s", name, foreign(&image));
	else if (strcmp(named, below ? below : "") != 0)
		report(r, "layers/%s is on top of %s, and not of %s%s", name,
		       *named ? dre_printable(&p, named) : "nothing",
		       below && *below != '/' ? "layers/" : "", below ? below : "nothing");
	else if (image.size < *size)	/* disks grow */
		report(r, "layers/%s is a smaller disk than the one below", name);
	*size = ret ? 0 : image.size;
}

/* Below all layers: a partition of the host. Snapshots have no settings; their containers have. */
static const char *find_bottom(struct store *s, const struct manifest *m, char named[QCOW2_MAX_NAME + 1])
{
	int fd, ret;

	if (m->nr_settings)
		return manifest_get(m, SETTING_ROOTFS);
	fd = m->nr_layers ? layer_open(s, m->layers[0]) : -1;
	if (fd < 0)
		return NULL;
	ret = qcow2_read_below(fd, named);
	close(fd);
	return !ret && *named == '/' ? named : NULL;
}

static void check(struct store *s, const struct manifest *m, void (*fn)(void *arg, const char *what), void *arg)
{
	const struct report r = { fn, arg };
	char named[QCOW2_MAX_NAME + 1];
	const char *below = find_bottom(s, m, named), *name;
	uint64_t size = 0;
	int fd;

	for (size_t i = 0; i <= m->nr_layers; i++) {
		name = i < m->nr_layers ? m->layers[i] : m->writable;
		fd = *name ? layer_open(s, name) : -1;
		if (fd < 0)
			size = 0;
		else
			check_layer(fd, name, below, &size, &r);
		if (fd >= 0)
			close(fd);
		below = name;
	}
}

const struct layer_kind layer_disk = {
	.max_layers = MAX_LAYERS,
	.make = make,
	.describe = describe,
	.flatten = flatten,
	.check = check,
};
