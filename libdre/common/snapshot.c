// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "file.h"
#include "live.h"
#include "snapshot.h"
#include "store_private.h"

#define SNAPSHOTS	"snapshots"

size_t snapshot_max_layers = SIZE_MAX;

static int open_snapshots(const struct container *c, int *fd)
{
	*fd = openat(c->dir_fd, SNAPSHOTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *fd < 0 ? dre_fail_errno(errno, "the snapshots of container '%s'", c->name) : 0;
}

static int fail_absent(const struct container *c, const char *tag)
{
	return dre_fail(DRE_ERR_SNAPSHOT_NONEXISTENCE, "container '%s' has no snapshot '%s'",
			c->name, tag);
}

static int check_absent(int dir, const struct container *c, const char *tag)
{
	if (!faccessat(dir, tag, F_OK, AT_SYMLINK_NOFOLLOW))
		return dre_fail(DRE_ERR_SNAPSHOT_EXISTENCE,
				"container '%s' has a snapshot '%s' already", c->name, tag);
	return errno == ENOENT ? 0 : dre_fail_errno(errno, "snapshot '%s'", tag);
}

static int read_snapshot(const struct container *c, const char *tag, struct manifest *m)
{
	char path[sizeof("containers//" SNAPSHOTS "/") + 2 * DRE_NAME_MAX];
	int ret = dre_check_name("snapshot", tag);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "containers/%s/" SNAPSHOTS "/%s", c->name, tag);
	ret = store_read_manifest(c->store, path, DRE_ERR_LOAD_SNAPSHOT_FAILED, m);
	if (ret && faccessat(c->store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		return fail_absent(c, tag);
	return ret;
}

int snapshot_give(struct container *c, struct manifest *m, bool *garbage)
{
	layer_name_t layer;
	int ret;

	ret = layer_create(c->store, m->layers[m->nr_layers - 1], layer);
	if (ret)
		return ret;
	ret = layer_sync(c->store, layer, false);
	strcpy(m->writable, layer);
	if (!ret)
		ret = container_exchange(c, m);
	if (ret) {
		*m->writable = '\0';
		*garbage = true;
	}
	return ret;
}

/*
 * A disk image is written to by whoever runs on it. A tree has been unmounted before, and overlayfs syncs the file system
 * below it then, but only if nobody else's mount namespace still has the mount; and nobody is told if that fails. So it
 * is done here, where what has failed since and was not told to anybody is found, too. As a rule the unmount has left
 * little: only what others have written since. The names of its layer and work directory are there since the
 * container's manifest, which names them, is.
 */
static int sync_saved(const struct container *c)
{
	return layer_sync(c->store, c->manifest.writable, c->store->kind->trees);
}

/*
 * The snapshot's manifest is written before the container's changes, so that only
 * its name is left to be given then. Between the two the container has one more
 * layer, and is otherwise what it was.
 */
static int save(struct container *c, int dir, const char *tag, bool *garbage)
{
	struct manifest saved = {}, next = {};
	bool published, given = false;
	int err, ret;

	err = manifest_copy_chain(&saved, &c->manifest);
	if (!err)
		err = manifest_add_layer(&saved, c->manifest.writable);
	if (!err)
		err = manifest_copy_chain(&next, &saved);
	ret = err ? dre_fail_errno(-err, "snapshot '%s'", tag) : sync_saved(c);
	if (!ret)
		ret = store_write_manifest(c->store, dir, SNAPSHOT_NEW, &saved);
	if (!ret) {
		ret = snapshot_give(c, &next, garbage);
		given = !ret;
	}
	if (given)
		layer_freeze(c->store, saved.layers[saved.nr_layers - 1]);
	if (given)
		ret = store_link_manifest(dir, SNAPSHOT_NEW, tag, DRE_ERR_SNAPSHOT_EXISTENCE,
					  "snapshot", &published);
	unlinkat(dir, SNAPSHOT_NEW, 0);
	manifest_free(&saved);
	manifest_free(&next);
	return ret;
}

/*
 * A chain has an end, where it cannot be mounted or opened any more. Before that it becomes
 * one layer, or one above that on a partition. The snapshots keep theirs.
 */
static int shorten(struct container *c, bool *garbage)
{
	const char *bottom = layers_bottom(&c->manifest);
	struct manifest m = {};
	layer_name_t layer;
	int ret;

	if (c->manifest.nr_layers < c->store->kind->max_layers &&
	    c->manifest.nr_layers < snapshot_max_layers)
		return 0;
	ret = c->store->kind->flatten(c, layer);
	if (ret)
		return ret;
	*garbage = true;
	ret = c->manifest.base ? manifest_set_base(&m, c->manifest.base) : 0;
	if (!ret && bottom)
		ret = manifest_add_layer(&m, bottom);
	if (!ret)
		ret = manifest_add_layer(&m, layer);
	if (!ret)
		ret = manifest_copy_settings(&m, &c->manifest);
	ret = ret ? dre_fail_errno(-ret, "container '%s'", c->name) : snapshot_give(c, &m, garbage);
	manifest_free(&m);
	return ret;
}

int snapshot_save(struct container *c, const char *tag)
{
	bool garbage = false;
	int dir, ret;

	ret = dre_check_name("snapshot", tag);
	if (!ret)
		ret = open_snapshots(c, &dir);
	if (ret)
		return ret;
	ret = check_absent(dir, c, tag);
	if (!ret)
		ret = layers_verify_container(c);
	if (!ret) {
		ret = store_change_begin(c->store);
		if (!ret) {
			ret = shorten(c, &garbage);
			if (!ret)
				ret = save(c, dir, tag, &garbage);
			ret = store_change_end(c->store, garbage, ret);
		}
	}
	close(dir);
	return ret;
}

static int add_layers(void *live, const char *path, const struct manifest *m, int err)
{
	(void)path;
	return m ? live_add(live, m) : err;
}

/* Does something of the container name each of the layers below that of @old which was written to? */
static bool are_named(const struct container *c, const struct manifest *old)
{
	struct live live = {};
	bool named = !store_each_of(c->store, MANIFESTS_ALL, c->name, add_layers, &live);

	live_sort(&live);
	for (size_t i = 0; named && i < old->nr_layers; i++)
		named = names_has(&live.layers, old->layers[i]);
	live_free(&live);
	return named;
}

/*
 * What the container was made of before. Nothing else has named the layer that it wrote to; as a rule that is all that goes, and
 * no other manifest has to be read for it, of which there may be thousands.
 */
static bool discard(const struct container *c, const struct manifest *old)
{
	return are_named(c, old) && layer_discard(c->store, old->writable);
}

int snapshot_load(struct container *c, const char *tag)
{
	struct manifest saved = {}, next = {};
	bool garbage = false;
	int err, ret;

	ret = read_snapshot(c, tag, &saved);
	if (ret)
		return ret;
	if (!saved.nr_layers) {
		manifest_free(&saved);
		return dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED,
				"container '%s': snapshot '%s' has no layers", c->name, tag);
	}
	err = manifest_copy_chain(&next, &saved);
	/* Its settings are of the container, not of what is in it: its ids, its limits. */
	if (!err)
		err = manifest_copy_settings(&next, &c->manifest);
	ret = err ? dre_fail_errno(-err, "snapshot '%s'", tag) : store_change_begin(c->store);
	if (!ret) {
		ret = snapshot_give(c, &next, &garbage);
		if (!ret)
			garbage |= !discard(c, &next);
		ret = store_change_end(c->store, garbage, ret);
	}
	manifest_free(&saved);
	manifest_free(&next);
	return ret;
}

int snapshot_remove(struct container *c, const char *tag)
{
	int dir, ret = dre_check_name("snapshot", tag);

	if (!ret)
		ret = open_snapshots(c, &dir);
	if (ret)
		return ret;
	ret = store_change_begin(c->store);
	if (!ret) {
		if (unlinkat(dir, tag, 0))
			ret = errno == ENOENT ? fail_absent(c, tag) :
			      dre_fail_errno(errno, "cannot remove snapshot '%s'", tag);
		else if (fsync(dir))
			ret = dre_fail_errno(errno, "cannot remove snapshot '%s'", tag);
		ret = store_change_end(c->store, !ret, ret);
	}
	close(dir);
	return ret;
}

/* What is the container's own, and not of what is in it, does not go into a base. */
static void drop_own(struct manifest *m)
{
	static const char *const of_base[] = { SETTING_HALT_SIGNAL, SETTING_REBOOT_SIGNAL,
					       SETTING_ROOTFS };
	static const size_t nr = sizeof(of_base) / sizeof(*of_base);
	size_t i = 0, j;

	while (i < m->nr_settings) {
		for (j = 0; j < nr && strcmp(m->settings[i].key, of_base[j]); j++)
			;
		if (j < nr)
			i++;
		else
			manifest_set(m, m->settings[i].key, NULL);
	}
}

/* Settings of the container hold for what it has saved, too. */
static int verify_snapshot(const struct container *c, const char *tag, const struct manifest *m)
{
	char what[sizeof("snapshot ''") + DRE_NAME_MAX];

	snprintf(what, sizeof(what), "snapshot '%s'", tag);
	return layers_verify(c->store, what, m, manifest_get(&c->manifest, SETTING_ROOTFS));
}

int snapshot_commit(struct container *c, const char *tag, const char *base)
{
	struct manifest m = {};
	bool published;
	int ret;

	ret = dre_check_name("base image", base);
	if (!ret)
		ret = read_snapshot(c, tag, &m);
	if (ret)
		return ret;
	drop_own(&m);
	manifest_set_base(&m, NULL);
	ret = m.nr_layers ? verify_snapshot(c, tag, &m) :
	      dre_fail(DRE_ERR_COMMIT_SNAPSHOT_FAILED, "snapshot '%s' has no layers", tag);
	if (!ret)
		ret = store_change_begin(c->store);
	if (!ret) {
		ret = store_publish_manifest(c->store, c->store->bases_fd, base, &m,
					     DRE_ERR_BASE_EXISTENCE, "base image", &published);
		ret = store_change_end(c->store, false, ret);
	}
	manifest_free(&m);
	return ret;
}

/* The chain that a copy has: of the snapshot, or all that the container is made of. */
static int chain_of(struct container *c, const char *tag, struct manifest *m, bool *garbage)
{
	struct manifest next = {};
	int err, ret;

	if (tag) {
		ret = read_snapshot(c, tag, m);
		if (!ret && !m->nr_layers)
			ret = dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED, "snapshot '%s' has no layers", tag);
		return ret ? ret : verify_snapshot(c, tag, m);
	}
	ret = layers_verify_container(c);
	if (!ret)
		ret = shorten(c, garbage);
	if (ret)
		return ret;
	err = manifest_copy_chain(m, &c->manifest);
	if (!err)
		err = manifest_add_layer(m, c->manifest.writable);
	if (!err)
		err = manifest_copy_chain(&next, m);
	ret = err ? dre_fail_errno(-err, "container '%s'", c->name) : sync_saved(c);
	if (!ret)
		ret = snapshot_give(c, &next, garbage);
	if (!ret)
		layer_freeze(c->store, m->layers[m->nr_layers - 1]);
	manifest_free(&next);
	return ret;
}

/* Those of the snapshot are as old as it is. */
static int take_settings(struct manifest *m, const struct manifest *from)
{
	int err = manifest_copy_settings(m, from);

	if (!err)
		err = manifest_set(m, SETTING_IDMAP, NULL);
	return err ? dre_fail_errno(-err, "cannot copy its settings") : 0;
}

static int copy(struct container *c, const char *tag, const char *name, const struct manifest *settings,
		const struct idmap *pool, struct container **made, bool *garbage)
{
	bool mapped = manifest_get(&c->manifest, SETTING_IDMAP);
	struct manifest m = {};
	int ret = chain_of(c, tag, &m, garbage);

	if (!ret)
		ret = take_settings(&m, settings ? settings : &c->manifest);
	if (!ret)
		ret = container_create_from(made, c->store, name, &m, mapped ? pool : NULL);
	manifest_free(&m);
	return ret;
}

int snapshot_copy(struct container *c, const char *tag, const char *name, const struct manifest *settings,
		  const struct idmap *pool, struct container **made)
{
	bool garbage = false;
	int ret = dre_check_name("container", name);

	/* Before it is changed. It is looked again when the other one is made. */
	if (!ret && !faccessat(c->store->containers_fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		ret = dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "there is a container '%s' already",
			       name);
	if (!ret)
		ret = store_change_begin(c->store);
	if (ret)
		return ret;
	ret = copy(c, tag, name, settings, pool, made, &garbage);
	return store_change_end(c->store, garbage, ret);
}

int snapshot_list(struct store *store, const char *container, char ***tags)
{
	char path[sizeof("containers//" SNAPSHOTS) + DRE_NAME_MAX];

	snprintf(path, sizeof(path), "containers/%s/" SNAPSHOTS, container);
	return store_list_names(store, path, tags);
}
