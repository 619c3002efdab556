// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
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

	return layer && count_to(m, layer) ? layer : NULL;
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

int pull_end(struct container *c)
{
	return manifest_get(&c->manifest, SETTING_PULL) ? set(c, NULL) : 0;
}

/* Of an image that cannot be read whoever opens it tells why. */
static bool is_on(const struct container *c, const char *layer)
{
	int fd = layer_open(c->store, c->manifest.writable);
	struct qcow2_below below;
	struct qcow2 image;
	bool is;

	if (fd < 0)
		return false;
	is = !qcow2_read_below(fd, &image, &below) && !strcmp(below.name, layer);
	close(fd);
	return is;
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

int pull_settle(struct container *c)
{
	const char *layer = pull_layer(&c->manifest);
	int err;

	if (!layer || !is_on(c, layer))
		return 0;
	err = store_change_begin(c->store);
	return err ? err : store_change_end(c->store, true, cut(c, layer));
}
