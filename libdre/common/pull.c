// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "pull.h"
#include "qcow2.h"
#include "store_private.h"

/* How many layers the chain has up to that one; 0: it is none of them. */
static size_t count_to(const struct manifest *m, const char *layer)
{
	size_t nr = m->nr_layers;

	while (nr && strcmp(m->layers[nr - 1], layer) != 0)
		nr--;
	return nr;
}

const char *pull_layer(const struct manifest *m)
{
	const char *layer = manifest_get(m, SETTING_PULL);
	size_t nr = layer ? count_to(m, layer) : 0;

	return nr && nr < m->nr_layers ? layer : NULL;
}

static int set(struct container *c, const char *layer)
{
	int err = manifest_set(&c->manifest, SETTING_PULL, layer);

	return err ? dre_fail_errno(-err, "container '%s'", c->name) : container_commit(c);
}

int pull_begin(struct container *c, const char *layer)
{
	return set(c, layer);
}

/* The writable layer, and what it is on top of. -1: of one that cannot be read whoever opens it tells why. */
static int open_writable(const struct container *c, struct qcow2_below *below)
{
	int fd = openat(c->store->layers_fd, c->manifest.writable, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct qcow2 image;

	if (fd >= 0 && qcow2_read_below(fd, &image, below)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int pull_end(struct container *c)
{
	const char *layer = pull_layer(&c->manifest);
	struct qcow2_below below;
	int fd;

	if (!manifest_get(&c->manifest, SETTING_PULL))
		return 0;
	if (layer) {
		fd = open_writable(c, &below);
		if (fd < 0)
			return 0;
		close(fd);
		if (!strcmp(below.name, layer))
			return 0;
	}
	return set(c, NULL);
}

static int cut(struct container *c, const char *layer)
{
	struct manifest m = {};
	int err = manifest_copy(&m, &c->manifest);

	if (!err) {
		m.nr_layers = count_to(&m, layer);
		err = manifest_set(&m, SETTING_PULL, NULL);
	}
	err = err ? dre_fail_errno(-err, "container '%s'", c->name) : container_exchange(c, &m);
	manifest_free(&m);
	return err;
}

static int fail_disk(const struct container *c, int errnum)
{
	return dre_fail_errno(errnum, "the disk of container '%s'", c->name);
}

/* @fd is open since before the flush: it gets to know what could not be written since, whoever else was told. */
static int settle(struct container *c, int fd, const char *layer, int (*flush)(void *arg), void *arg)
{
	int err = flush(arg);

	if (!err && fsync(fd) < 0)
		err = fail_disk(c, errno);
	if (!err)
		err = store_change_begin(c->store);
	return err ? err : store_change_end(c->store, true, cut(c, layer));
}

int pull_settle(struct container *c, int (*flush)(void *arg), void *arg)
{
	const char *layer = pull_layer(&c->manifest);
	struct qcow2_below below;
	int fd = layer ? open_writable(c, &below) : -1, err = 0;

	if (fd < 0)
		return 0;
	if (!strcmp(below.name, layer))
		err = settle(c, fd, layer, flush, arg);
	close(fd);
	return err;
}

int pull_undo(struct container *c)
{
	const char *layer = pull_layer(&c->manifest);
	struct qcow2_below below;
	int fd = layer ? open_writable(c, &below) : -1, err = 0;

	if (fd >= 0 && !strcmp(below.name, layer))
		err = qcow2_rename_below(fd, c->manifest.layers[c->manifest.nr_layers - 1]);
	if (fd >= 0)
		close(fd);
	return err ? fail_disk(c, -err) : pull_end(c);
}
