// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "container.h"
#include "fail.h"
#include "file.h"
#include "lock.h"
#include "store_private.h"
#include "tree.h"

/* Beside the manifest while it is written; whoever has the container's lock owns it. */
#define MANIFEST_NEW "manifest.new"

/* How long who cleans up is waited for: an unmount may have to write much. Microseconds. */
#define SETTLE_INTERVAL	2000
#define SETTLE_TRIES	15000

/* Containers of one name may come and go while one of them is looked at; a damaged one stays so. */
#define READS	10

static struct container *new_container(struct store *store, const char *name)
{
	struct container *c = calloc(1, sizeof(*c));

	if (c) {
		c->store = store;
		strcpy(c->name, name);
		c->dir_fd = -1;
		c->lock_fd = -1;
	}
	return c;
}

void container_unlock(struct container *c)
{
	if (!c)
		return;
	if (c->lock_fd >= 0) {
		lock_release(c->lock_fd, LOCK_CHANGE);
		lock_release(c->lock_fd, LOCK_SETTLE);
		close(c->lock_fd);
	}
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	manifest_free(&c->manifest);
	free(c);
}

static int fail_absent(const char *name)
{
	return dre_fail(DRE_ERR_CONTAINER_NONEXISTENCE, "there is no container '%s'", name);
}

static int fail_open(const char *name, int errnum)
{
	if (errnum == ENOENT || errnum == ENOTDIR)
		return fail_absent(name);
	return dre_fail_errno(errnum, "cannot open container '%s'", name);
}

static int open_directory(struct store *s, const char *name)
{
	return openat(s->containers_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Is the directory still the one of that name? It goes by a rename, its lock file with it. */
static bool is_named(const struct store *s, int dir_fd, const char *name)
{
	struct stat there, ours;

	return !fstatat(s->containers_fd, name, &there, AT_SYMLINK_NOFOLLOW) && !fstat(dir_fd, &ours) &&
	       there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}

/*
 * Why its manifest could not be read: the container is gone, or it is damaged, or was gone, and there is another one of
 * that name now, so that it is worth another try.
 */
static int explain(struct store *store, const char *name, int damaged, bool *again)
{
	int fd = open_directory(store, name);

	*again = false;
	if (fd < 0)
		return errno == ENOENT ? fail_absent(name) : damaged;
	*again = !faccessat(fd, "manifest", F_OK, AT_SYMLINK_NOFOLLOW) || !is_named(store, fd, name);
	close(fd);
	return damaged;
}

int container_read(struct store *store, const char *name, struct manifest *m)
{
	char path[sizeof("containers//manifest") + DRE_NAME_MAX];
	int ret = dre_check_name("container", name);
	bool again = !ret;

	snprintf(path, sizeof(path), "containers/%s/manifest", name);
	for (int tries = 0; again && tries < READS; tries++) {
		ret = store_read_manifest(store, path, DRE_ERR_CONTAINER_UNKNOWN_STATUS, m);
		if (!ret)
			break;
		ret = explain(store, name, ret, &again);
	}
	return ret;
}

static int open_lock(struct container *c)
{
	c->dir_fd = open_directory(c->store, c->name);
	if (c->dir_fd < 0)
		return fail_open(c->name, errno);
	/* It is there from the beginning; made again so that a damaged container can be removed. */
	c->lock_fd = openat(c->dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return c->lock_fd < 0 ? fail_open(c->name, errno) : 0;
}

/* Is the lock held, and by somebody who does not only clean up? */
static int test_busy(int lock_fd, bool *busy)
{
	bool settling = false;
	int ret = lock_test(lock_fd, LOCK_CHANGE, busy);

	if (!ret && *busy)
		ret = lock_test(lock_fd, LOCK_SETTLE, &settling);
	if (!ret && settling)
		*busy = false;
	else if (!ret && *busy)		/* it may have been that, and be done since */
		ret = lock_test(lock_fd, LOCK_CHANGE, busy);
	return ret;
}

/* At once, unless somebody cleans up after the container has stopped: that takes a moment only. */
static int try_lock(struct container *c)
{
	bool busy = false;
	int ret, tries = 0;

	do {
		if (tries)
			usleep(SETTLE_INTERVAL);
		ret = lock_try(c->lock_fd, LOCK_CHANGE, F_WRLCK);
		if (ret == -EAGAIN && test_busy(c->lock_fd, &busy))
			busy = true;
	} while (ret == -EAGAIN && !busy && ++tries < SETTLE_TRIES);
	return ret;
}

/* @settle: who takes it cleans up. */
static int take_lock(struct container *c, bool settle)
{
	int ret = open_lock(c);

	if (ret)
		return ret;
	if (settle)
		ret = lock_try(c->lock_fd, LOCK_SETTLE, F_WRLCK);
	if (!ret)
		ret = settle ? lock_try(c->lock_fd, LOCK_CHANGE, F_WRLCK) : try_lock(c);
	if (ret == -EAGAIN)
		return dre_fail(DRE_ERR_CONTAINER_BUSY,
				"container '%s': another operation is under way", c->name);
	if (ret)
		return dre_fail_errno(-ret, "cannot lock container '%s'", c->name);
	/* Removed between opening and locking, and perhaps created again: that one is not ours. */
	if (!is_named(c->store, c->dir_fd, c->name))
		return fail_absent(c->name);
	/* What a killed holder of the lock was about to write. */
	unlinkat(c->dir_fd, MANIFEST_NEW, 0);
	unlinkat(c->dir_fd, "snapshots/" SNAPSHOT_NEW, 0);
	return 0;
}

static int lock_container(struct container **c, struct store *store, const char *name, bool settle)
{
	int ret;

	ret = dre_check_name("container", name);
	if (ret)
		return ret;
	*c = new_container(store, name);
	if (!*c)
		return dre_fail_errno(ENOMEM, "cannot open container '%s'", name);
	ret = take_lock(*c, settle);
	if (ret) {
		container_unlock(*c);
		*c = NULL;
	}
	return ret;
}

static int lock_and_read(struct container **c, struct store *store, const char *name, bool settle)
{
	int ret = lock_container(c, store, name, settle);

	if (ret)
		return ret;
	ret = container_read(store, name, &(*c)->manifest);
	if (ret) {
		container_unlock(*c);
		*c = NULL;
	}
	return ret;
}

int container_lock_damaged(struct container **c, struct store *store, const char *name)
{
	return lock_container(c, store, name, false);
}

int container_lock(struct container **c, struct store *store, const char *name)
{
	return lock_and_read(c, store, name, false);
}

int container_lock_to_settle(struct container **c, struct store *store, const char *name)
{
	return lock_and_read(c, store, name, true);
}

int container_busy(struct store *store, const char *name, bool *busy)
{
	int dir_fd, lock_fd, ret;

	ret = dre_check_name("container", name);
	if (ret)
		return ret;
	dir_fd = open_directory(store, name);
	if (dir_fd < 0)
		return fail_open(name, errno);
	lock_fd = openat(dir_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (lock_fd >= 0) {
		ret = test_busy(lock_fd, busy);
		close(lock_fd);
	} else if (errno == ENOENT) {	/* nothing to hold: a damaged container */
		*busy = false;
	} else {
		ret = -errno;
	}
	close(dir_fd);
	return ret ? fail_open(name, -ret) : 0;
}

bool container_is_there(struct store *store, const char *name)
{
	return !faccessat(store->containers_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

int container_check_free(struct store *store, const char *name)
{
	bool busy;
	int ret = container_busy(store, name, &busy);

	if (!ret && busy)
		ret = dre_fail(DRE_ERR_CONTAINER_BUSY,
			       "container '%s' is busy: another operation is under way", name);
	return ret;
}

int container_check_exists(struct store *store, const char *name)
{
	struct manifest m = {};
	int ret = container_read(store, name, &m);

	manifest_free(&m);
	return ret;
}

/*
 * The two change places, so that the old one is there again if the directory cannot be written: who is told of an error
 * has what he had. NFS cannot exchange names.
 */
static int replace_manifest(int dir_fd)
{
	bool exchanged = !renameat2(dir_fd, MANIFEST_NEW, dir_fd, "manifest", RENAME_EXCHANGE);
	int err;

	if (!exchanged && renameat(dir_fd, MANIFEST_NEW, dir_fd, "manifest") < 0)
		return -errno;
	if (!fsync(dir_fd))
		return 0;
	err = -errno;
	if (exchanged)
		renameat2(dir_fd, MANIFEST_NEW, dir_fd, "manifest", RENAME_EXCHANGE);
	return err;
}

int container_commit(struct container *c)
{
	int err, ret;

	ret = store_change_begin(c->store);
	if (ret)
		return ret;
	ret = store_write_manifest(c->store, c->dir_fd, MANIFEST_NEW, &c->manifest);
	err = ret ? 0 : replace_manifest(c->dir_fd);
	if (err)
		ret = dre_fail_errno(-err, "cannot change container '%s'", c->name);
	unlinkat(c->dir_fd, MANIFEST_NEW, 0);
	return store_change_end(c->store, false, ret);
}

int container_exchange(struct container *c, struct manifest *m)
{
	struct manifest old = c->manifest;
	int ret;

	c->manifest = *m;
	ret = container_commit(c);
	if (ret)
		c->manifest = old;
	else
		*m = old;
	return ret;
}

/*
 * Id ranges.
 */

static bool parse_id(const char **text, uint32_t *id)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	n = strtoull(*text, &end, 10);
	*id = n;
	*text = end;
	return !errno && n <= UINT32_MAX;
}

/* Parses "FIRST COUNT". */
static bool parse_idmap(const char *text, struct idmap *map)
{
	return parse_id(&text, &map->first) && *text++ == ' ' && parse_id(&text, &map->count) &&
	       !*text && map->count && map->first <= UINT32_MAX - map->count;
}

int container_idmap(const char *name, const struct manifest *m, struct idmap *map)
{
	const char *text = manifest_get(m, SETTING_IDMAP);

	*map = (struct idmap){ 0 };
	if (text && !parse_idmap(text, map))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its manifest has a bad id range: %s", name, text);
	return 0;
}

/*
 * The range is also in a file of its own, which is never written again: nobody
 * may get it a second time, also while the manifest cannot be read.
 */

int container_write_ids(int dir_fd, const char *name, const struct manifest *m)
{
	struct idmap map;
	char text[32];
	int ret = container_idmap(name, m, &map);

	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32 "\n", map.first, map.count);
	ret = file_write_new(dir_fd, "ids", text, strlen(text));
	return ret ? dre_fail_errno(-ret, "the ids of container '%s'", name) : 0;
}

bool container_read_ids(struct store *store, const char *name, struct idmap *map)
{
	char path[sizeof("containers//ids") + DRE_NAME_MAX], *text, *end;
	bool valid = false;
	size_t len;

	snprintf(path, sizeof(path), "containers/%s/ids", name);
	if (file_read(store->root_fd, path, 64, &text, &len))
		return false;
	end = len ? text + len - 1 : text;
	if (*end == '\n' && strlen(text) == len) {
		*end = '\0';
		*map = (struct idmap){};
		valid = !strcmp(text, "0 0") || parse_idmap(text, map);
	}
	free(text);
	return valid;
}

struct idmaps {
	struct store *store;
	struct idmap *maps;
	size_t nr;
};

/* Its name, out of "containers/NAME/manifest". */
static void name_of(const char *path, char name[DRE_NAME_MAX + 1])
{
	path += strlen("containers/");
	snprintf(name, DRE_NAME_MAX + 1, "%.*s", (int)strcspn(path, "/"), path);
}

static int add_idmap(void *arg, const char *path, const struct manifest *m, int err)
{
	struct idmaps *used = arg;
	char name[DRE_NAME_MAX + 1];
	struct idmap map = {}, *grown;

	name_of(path, name);
	if (m)
		err = container_idmap(name, m, &map);
	if (err && !container_read_ids(used->store, name, &map))
		return DRE_ERR_DEVICE_BUSY;	/* with the text that says why */
	if (!map.count)
		return 0;
	grown = reallocarray(used->maps, used->nr + 1, sizeof(*grown));
	if (!grown)
		return dre_fail_errno(ENOMEM, "cannot choose an id range");
	used->maps = grown;
	grown[used->nr++] = map;
	return 0;
}

static int compare_idmaps(const void *a, const void *b)
{
	const struct idmap *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* The first gap in the sorted ranges, in steps of the pool's size from its beginning. */
static int choose_idmap(const struct idmaps *used, const struct idmap *pool, struct idmap *map)
{
	uint64_t first = pool->first, end;
	size_t i;

	for (i = 0; i < used->nr; i++) {
		end = (uint64_t)used->maps[i].first + used->maps[i].count;
		if (end <= first)
			continue;
		if (used->maps[i].first >= first + pool->count)
			break;
		first = pool->first + (end - pool->first + pool->count - 1) / pool->count *
				      pool->count;
	}
	if (first + pool->count > UINT32_MAX)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "no range of %" PRIu32
				" ids is left for another container", pool->count);
	*map = (struct idmap){ first, pool->count };
	return 0;
}

/* Under LOCK_NAMES, until the container is there. */
static int set_idmap(struct store *s, struct manifest *m, const struct idmap *pool)
{
	struct idmaps used = { .store = s };
	struct idmap map = { 0 };
	char text[32];
	int ret;

	ret = store_each_path(s, MANIFESTS_CONTAINERS, add_idmap, &used);
	if (!ret) {
		if (used.nr)
			qsort(used.maps, used.nr, sizeof(*used.maps), compare_idmaps);
		ret = choose_idmap(&used, pool, &map);
	}
	free(used.maps);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu32, map.first, map.count);
	ret = manifest_set(m, SETTING_IDMAP, text);
	return ret ? dre_fail_errno(-ret, "cannot choose an id range") : 0;
}

/*
 * Creation.
 */

/* The base's chain and settings, and @settings over them. */
static int compose(struct container *c, const char *base, const struct manifest *settings)
{
	struct manifest *m = &c->manifest;
	size_t i;
	int ret;

	ret = base_read(c->store, base, m);
	if (ret)
		return ret;
	ret = manifest_set_base(m, base);
	for (i = 0; !ret && settings && i < settings->nr_settings; i++)
		ret = manifest_set(m, settings->settings[i].key, settings->settings[i].value);
	if (!ret)
		ret = manifest_set(m, SETTING_IDMAP, NULL);
	return ret ? dre_fail_errno(-ret, "cannot create container '%s'", c->name) : 0;
}

static int fail_exists(const char *name)
{
	return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "there is a container '%s' already", name);
}

/* Fills the container's directory while it still has a temporary name. */
static int stage(struct container *c)
{
	int ret;

	c->lock_fd = openat(c->dir_fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c->lock_fd < 0 || mkdirat(c->dir_fd, "snapshots", 0700) < 0 ||
	    mkdirat(c->dir_fd, "checkpoints", 0700) < 0)
		return dre_fail_errno(errno, "cannot create container '%s'", c->name);
	ret = lock_try(c->lock_fd, LOCK_CHANGE, F_WRLCK);
	if (ret)
		return dre_fail_errno(-ret, "cannot lock container '%s'", c->name);
	ret = store_write_manifest(c->store, c->dir_fd, "manifest", &c->manifest);
	if (!ret)
		ret = container_write_ids(c->dir_fd, c->name, &c->manifest);
	if (!ret && fsync(c->dir_fd) < 0)
		ret = dre_fail_errno(errno, "cannot create container '%s'", c->name);
	return ret;
}

/* @published: it is there, also if it was to be taken back and that has failed. */
static int rename_in(struct container *c, const char *tmp, bool *published)
{
	int dir = c->store->containers_fd;
	int ret;

	/* A container's directory is never empty, and one that is not empty is never replaced. */
	if (renameat(dir, tmp, dir, c->name) < 0)
		return errno == ENOTEMPTY || errno == EEXIST ? fail_exists(c->name) :
		       dre_fail_errno(errno, "cannot create container '%s'", c->name);
	*published = true;
	if (!fsync(dir))
		return 0;
	ret = dre_fail_errno(errno, "cannot create container '%s'", c->name);
	if (!renameat(dir, c->name, dir, tmp))
		*published = false;
	return ret;
}

/* @fill, if there is one, puts more into its directory before it has its name. */
static int publish(struct container *c, int (*fill)(void *arg, int dir_fd), void *arg, bool *published)
{
	struct store *s = c->store;
	store_tmp_t tmp = STORE_TMP;
	int ret;

	file_random_name(tmp + strlen(STORE_TMP));
	if (mkdirat(s->containers_fd, tmp, 0700) < 0)
		return dre_fail_errno(errno, "cannot create container '%s'", c->name);
	c->dir_fd = openat(s->containers_fd, tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = c->dir_fd < 0 ? dre_fail_errno(errno, "cannot create container '%s'", c->name) :
	      stage(c);
	if (!ret && fill)
		ret = fill(arg, c->dir_fd);
	if (!ret)
		ret = rename_in(c, tmp, published);
	if (ret)
		tree_remove(s->containers_fd, tmp);
	return ret;
}

/* What depends on other manifests, which must stay as they are until this one is there. */
static int publish_exclusively(struct container *c, const struct idmap *pool, bool *published)
{
	struct store *s = c->store;
	int ret;

	ret = lock_wait(s->lock_fd, LOCK_NAMES, F_WRLCK);
	if (ret)
		return dre_fail_errno(-ret, "cannot lock the store %s", s->root);
	if (c->manifest.base && faccessat(s->bases_fd, c->manifest.base, F_OK, 0) < 0)
		ret = dre_fail(DRE_ERR_BASE_NONEXISTENCE, "base image '%s' was just removed",
			       c->manifest.base);
	if (!ret && pool)
		ret = set_idmap(s, &c->manifest, pool);
	if (!ret)
		ret = publish(c, NULL, NULL, published);
	lock_release(s->lock_fd, LOCK_NAMES);
	return ret;
}

/* Of c->manifest, which has no writable layer yet. @garbage: what was made for it is still there. */
static int create(struct container *c, const struct idmap *pool, bool *garbage)
{
	struct manifest *m = &c->manifest;
	bool published = false;
	layer_name_t layer;
	int ret;

	ret = layer_create(c->store, m->layers[m->nr_layers - 1], layer);
	if (ret)
		return ret;
	strcpy(m->writable, layer);
	ret = layer_sync(c->store, layer, false);
	if (!ret)
		ret = publish_exclusively(c, pool, &published);
	if (ret)
		*garbage = published || !layer_discard(c->store, layer);
	return ret;
}

int container_place(struct container **made, struct store *store, const char *name, const struct manifest *m,
		    int (*fill)(void *arg, int dir_fd), void *arg)
{
	struct container *c = new_container(store, name);
	bool published = false;
	int ret;

	if (!c)
		return dre_fail_errno(ENOMEM, "cannot create container '%s'", name);
	ret = manifest_copy(&c->manifest, m);
	ret = ret ? dre_fail_errno(-ret, "cannot create container '%s'", name) :
	      publish(c, fill, arg, &published);
	if (ret && published)
		store_move_to_trash(store, store->containers_fd, name);
	if (ret)
		container_unlock(c);
	else
		*made = c;
	return ret;
}

/* Within a change. */
static int check_free(const struct container *c)
{
	struct stat st;

	return fstatat(c->store->containers_fd, c->name, &st, AT_SYMLINK_NOFOLLOW) ? 0 :
	       fail_exists(c->name);
}

int container_create(struct container **c, struct store *store, const char *name,
		     const char *base, const struct manifest *settings, const struct idmap *pool)
{
	bool garbage = false;
	int ret;

	ret = dre_check_name("container", name);
	if (!ret)
		ret = dre_check_name("base image", base);
	if (ret)
		return ret;
	*c = new_container(store, name);
	if (!*c)
		return dre_fail_errno(ENOMEM, "cannot create container '%s'", name);
	ret = store_change_begin(store);
	if (!ret) {
		ret = check_free(*c);
		if (!ret)
			ret = compose(*c, base, settings);
		if (!ret)
			ret = create(*c, pool, &garbage);
		ret = store_change_end(store, garbage, ret);
	}
	if (ret) {
		container_unlock(*c);
		*c = NULL;
	}
	return ret;
}

int container_create_from(struct container **c, struct store *store, const char *name,
			  struct manifest *m, const struct idmap *pool)
{
	bool garbage = false;
	int ret;

	*c = new_container(store, name);
	if (!*c)
		return dre_fail_errno(ENOMEM, "cannot create container '%s'", name);
	(*c)->manifest = *m;
	*m = (struct manifest){};
	ret = store_change_begin(store);
	if (!ret) {
		ret = check_free(*c);
		if (!ret)
			ret = create(*c, pool, &garbage);
		ret = store_change_end(store, garbage, ret);
	}
	if (ret) {
		container_unlock(*c);
		*c = NULL;
	}
	return ret;
}

/*
 * A directory is not replaced by another one unless it is empty, which none of these is. The lock
 * goes along with it. Under LOCK_NAMES: whoever reads all manifests finds it under one name or the other.
 */
static int move_directory(struct container *c, const char *name)
{
	int dir = c->store->containers_fd;

	if (renameat(dir, c->name, dir, name) < 0)
		return errno == ENOTEMPTY || errno == EEXIST ? fail_exists(name) :
		       dre_fail_errno(errno, "cannot rename container '%s'", c->name);
	if (!fsync(dir))
		return 0;
	dre_fail_errno(errno, "cannot rename container '%s'", c->name);
	return renameat(dir, name, dir, c->name) ? 0 : DRE_ERR_DEVICE_BUSY;
}

int container_rename(struct container *c, const char *name)
{
	int ret = dre_check_name("container", name);

	if (!ret && !strcmp(c->name, name))
		ret = fail_exists(name);
	if (!ret)
		ret = store_change_begin(c->store);
	if (ret)
		return ret;
	ret = lock_wait(c->store->lock_fd, LOCK_NAMES, F_WRLCK);
	if (ret) {
		ret = dre_fail_errno(-ret, "cannot lock the store %s", c->store->root);
	} else {
		ret = move_directory(c, name);
		lock_release(c->store->lock_fd, LOCK_NAMES);
	}
	if (!ret)
		strcpy(c->name, name);
	return store_change_end(c->store, false, ret);
}

int container_remove(struct container *c)
{
	struct store *s = c->store;
	int ret;

	ret = store_change_begin(s);
	if (ret)
		return ret;
	ret = store_move_to_trash(s, s->containers_fd, c->name);
	if (!ret && fsync(s->containers_fd) < 0)
		ret = -errno;
	if (ret)
		ret = dre_fail_errno(-ret, "cannot remove container '%s'", c->name);
	else
		container_unlock(c);
	return store_change_end(s, true, ret);
}
