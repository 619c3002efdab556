// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "container.h"
#include "fail.h"
#include "file.h"
#include "store_private.h"
#include "tree.h"

int layer_open(struct store *s, const char *name)
{
	int kind = s->kind->trees ? O_DIRECTORY : 0;

	return openat(s->layers_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | kind);
}

int layer_create(struct store *s, const char *below, layer_name_t name)
{
	int ret;

	do {
		file_random_name(name);
		ret = s->kind->make(s, below, name);
	} while (ret == -EEXIST);
	if (!ret)
		return 0;
	layer_discard(s, name);
	if (below)
		return dre_fail_errno(-ret, "cannot make a layer on %s/layers/%s", s->root, below);
	return dre_fail_errno(-ret, "cannot make a layer in %s", s->root);
}

int layer_sync(struct store *s, const char *name, bool files)
{
	int fd = layer_open(s, name);
	int ret = 0;

	/* One pass over the whole file system costs less than a flush for each file. */
	if (fd < 0 || (files ? syncfs(fd) : fsync(fd)) < 0 || fsync(s->layers_fd) < 0 ||
	    (s->kind->trees && fsync(s->work_fd) < 0))
		ret = dre_fail_errno(errno, "cannot write layer %s/layers/%s to the disk", s->root,
				     name);
	if (fd >= 0)
		close(fd);
	return ret;
}

void layer_freeze(struct store *s, const char *name)
{
	if (s->kind->trees)
		tree_remove(s->work_fd, name);
}

const char *layers_bottom(const struct manifest *m)
{
	return m->nr_layers && manifest_get(m, SETTING_ROOTFS) ? m->layers[0] : NULL;
}

int layers_verify(struct store *s, const char *what, const struct manifest *m, const char *bottom)
{
	return s->kind->verify ? s->kind->verify(s, what, m, bottom) : 0;
}

int layers_verify_container(const struct container *c)
{
	char what[sizeof("container ''") + DRE_NAME_MAX];

	snprintf(what, sizeof(what), "container '%s'", c->name);
	return layers_verify(c->store, what, &c->manifest, manifest_get(&c->manifest, SETTING_ROOTFS));
}

/* A tree may be large: how long its removal takes is no matter of who discards it. */
static int discard(struct store *s, int dir_fd, const char *name)
{
	int ret = s->kind->trees ? store_move_to_trash(s, dir_fd, name) : -EXDEV;

	return ret && ret != -ENOENT ? tree_remove(dir_fd, name) : 0;
}

bool layer_discard(struct store *s, const char *name)
{
	int layer = discard(s, s->layers_fd, name);
	int work = s->kind->trees ? discard(s, s->work_fd, name) : 0;

	return !layer && !work;
}
