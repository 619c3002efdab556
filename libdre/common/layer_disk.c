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
#include "pull.h"
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

static int convert(struct container *c, const char *layer)
{
	struct qemu_img_convert convert = {
		.dir_fd = c->store->layers_fd,
		.source = c->manifest.writable,
		.format = "qcow2",
		.source_fd = -1,
		.fd = layer_open(c->store, layer),
		.what = c->name,
	};
	int ret;

	if (convert.fd < 0)
		return dre_fail_errno(errno, "layer %s", layer);
	ret = qemu_img_convert(&convert);
	close(convert.fd);
	return ret;
}

static int flatten(struct container *c, layer_name_t layer)
{
	const char *bottom = layers_bottom(&c->manifest);
	int ret = layer_create(c->store, bottom ? c->manifest.writable : NULL, layer);

	if (ret)
		return ret;
	ret = bottom ? qemu_img_rebase(c->store->layers_fd, layer, bottom, c->name) : convert(c, layer);
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

/* @below: what the manifest has below it, NULL: nothing. False if it is not so, or if it is none of ours. */
static bool check_layer(int fd, const char *name, const char *below, struct qcow2 *image, const struct report *r)
{
	struct qcow2_below named;
	struct printable p;
	int ret = qcow2_read_below(fd, image, &named);

	if (ret)
		report(r, "layers/%s is %s", name, ret == -EINVAL ? "no qcow2 image" :
		       ret == -EBADMSG ? "a damaged qcow2 image" : "not to be read");
	else if (foreign(image))
		report(r, "layers/%s %s", name, foreign(image));
	else if (strcmp(named.name, below ? below : "") != 0)
		report(r, "layers/%s is on top of %s, and not of %s%s", name,
		       *named.name ? dre_printable(&p, named.name) : "nothing",
		       below && *below != '/' ? "layers/" : "", below ? below : "nothing");
	else if (below && strcmp(named.format, *below == '/' ? "raw" : "qcow2") != 0)
		report(r, "layers/%s takes what it is on top of for another kind of disk", name);
	else
		return true;
	return false;
}

/* What the writable layer is to be on top of: @below, or where QEMU pulls all from that is between. */
static const char *below_writable(int fd, const struct manifest *m, const char *below)
{
	const char *pulled = pull_layer(m);
	struct qcow2_below named;
	struct qcow2 image;

	return pulled && !qcow2_read_below(fd, &image, &named) && !strcmp(named.name, pulled) ? pulled : below;
}

/* Those that are there, from the one on top of @bottom up. @sizes: none is smaller than the one below. */
static void check_layers(struct store *s, const struct manifest *m, const char *bottom, bool sizes,
			 const struct report *r)
{
	const char *below = bottom, *name;
	struct qcow2 image;
	uint64_t size = 0;
	int fd;

	for (size_t i = 0; i <= m->nr_layers; i++) {
		name = i < m->nr_layers ? m->layers[i] : m->writable;
		fd = *name ? layer_open(s, name) : -1;
		image = (struct qcow2){};
		if (fd >= 0 && i == m->nr_layers)
			below = below_writable(fd, m, below);
		if (fd >= 0 && check_layer(fd, name, below, &image, r) && sizes && image.size < size)
			report(r, "layers/%s is a smaller disk than the one below", name);	/* disks grow */
		if (fd >= 0)
			close(fd);
		size = image.size;
		below = name;
	}
}

/* Below all layers: a partition of the host. Snapshots of another time have no settings; their containers have. */
static const char *find_bottom(struct store *s, const struct manifest *m, struct qcow2_below *named)
{
	struct qcow2 image;
	int fd, ret;

	if (m->nr_settings)
		return manifest_get(m, SETTING_ROOTFS);
	fd = m->nr_layers ? layer_open(s, m->layers[0]) : -1;
	if (fd < 0)
		return NULL;
	ret = qcow2_read_below(fd, &image, named);
	close(fd);
	return !ret && *named->name == '/' ? named->name : NULL;
}

static void check(struct store *s, const struct manifest *m, void (*fn)(void *arg, const char *what), void *arg)
{
	const struct report r = { fn, arg };
	struct qcow2_below named;

	check_layers(s, m, find_bottom(s, m, &named), true, &r);
}

struct first {
	char what[512];
};

static void keep_first(void *arg, const char *what)
{
	struct first *first = arg;

	if (!*first->what)
		snprintf(first->what, sizeof(first->what), "%s", what);
}

static int verify(struct store *s, const char *what, const struct manifest *m, const char *bottom)
{
	struct first first = {};
	const struct report r = { keep_first, &first };

	check_layers(s, m, bottom, false, &r);
	return *first.what ? dre_fail(DRE_ERR_DEVICE_BUSY, "%s: %s", what, first.what) : 0;
}

const struct layer_kind layer_disk = {
	.max_layers = MAX_LAYERS,
	.make = make,
	.describe = describe,
	.flatten = flatten,
	.check = check,
	.verify = verify,
};
