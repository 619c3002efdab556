// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "fail.h"
#include "file.h"
#include "store_private.h"
#include "tree.h"

#define CHECKPOINTS	"checkpoints"

static int fail_absent(const struct container *c, const char *tag)
{
	return dre_fail(DRE_ERR_SNAPSHOT_NONEXISTENCE, "container '%s' has no checkpoint '%s'",
			c->name, tag);
}

static int fail_present(const struct container *c, const char *tag)
{
	return dre_fail(DRE_ERR_SNAPSHOT_EXISTENCE, "container '%s' has a checkpoint '%s' already",
			c->name, tag);
}

static int fail_all(const struct container *c)
{
	return dre_fail_errno(errno, "the checkpoints of container '%s'", c->name);
}

/* A container that an older D-RE made has no directory for them. */
static int make_all(const struct container *c)
{
	if ((mkdirat(c->dir_fd, CHECKPOINTS, 0700) < 0 && errno != EEXIST) || fsync(c->dir_fd) < 0)
		return fail_all(c);
	return 0;
}

static int init(struct checkpoint *cp, struct container *c, const char *tag, bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int ret = dre_check_name("checkpoint", tag);

	*cp = (struct checkpoint){ .container = c, .all_fd = -1, .dir_fd = -1 };
	if (ret)
		return ret;
	strcpy(cp->tag, tag);
	cp->all_fd = openat(c->dir_fd, CHECKPOINTS, flags);
	if (cp->all_fd < 0 && errno == ENOENT) {
		ret = make ? make_all(c) : fail_absent(c, tag);
		if (ret)
			return ret;
		cp->all_fd = openat(c->dir_fd, CHECKPOINTS, flags);
	}
	return cp->all_fd < 0 ? fail_all(c) : 0;
}

void checkpoint_close(struct checkpoint *cp)
{
	if (cp->dir_fd >= 0)
		close(cp->dir_fd);
	if (cp->all_fd >= 0)
		close(cp->all_fd);
	manifest_free(&cp->manifest);
	cp->dir_fd = cp->all_fd = -1;
}

static int stage(struct checkpoint *cp)
{
	strcpy(cp->dir, STORE_TMP);
	file_random_name(cp->dir + strlen(STORE_TMP));
	if (mkdirat(cp->all_fd, cp->dir, 0700) < 0)
		return dre_fail_errno(errno, "checkpoint '%s'", cp->tag);
	cp->dir_fd = openat(cp->all_fd, cp->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cp->dir_fd < 0 ? dre_fail_errno(errno, "checkpoint '%s'", cp->tag) : 0;
}

static int begin(struct checkpoint *cp)
{
	int ret = manifest_copy_chain(&cp->manifest, &cp->container->manifest);

	return ret ? dre_fail_errno(-ret, "checkpoint '%s'", cp->tag) : stage(cp);
}

int checkpoint_begin(struct checkpoint *cp, struct container *c, const char *tag)
{
	int ret = init(cp, c, tag, true);

	if (!ret && !faccessat(cp->all_fd, tag, F_OK, AT_SYMLINK_NOFOLLOW))
		ret = fail_present(c, tag);
	if (!ret)
		ret = store_change_begin(c->store);
	if (!ret) {
		ret = begin(cp);
		if (ret)
			checkpoint_abandon(cp);
		return ret;
	}
	checkpoint_close(cp);
	return ret;
}

void checkpoint_abandon(struct checkpoint *cp)
{
	struct saved_error saved;

	save_error(&saved);
	if (*cp->dir)
		tree_remove(cp->all_fd, cp->dir);
	store_change_end(cp->container->store, true, 0);
	checkpoint_close(cp);
	restore_error(&saved);
}

/* The layer that nothing else has yet. */
static const char *top_layer(const struct manifest *m)
{
	return *m->writable ? m->writable : m->layers[m->nr_layers - 1];
}

/* The images are files of the same file system as the layer: its flush is theirs. */
static int complete(struct checkpoint *cp)
{
	struct store *s = cp->container->store;
	int ret = store_write_manifest(s, cp->dir_fd, "manifest", &cp->manifest);

	if (!ret)
		ret = layer_sync(s, top_layer(&cp->manifest), true);
	if (ret)
		return ret;
	/* A checkpoint's directory is never empty, and one that is not empty is never replaced. */
	if (renameat(cp->all_fd, cp->dir, cp->all_fd, cp->tag) < 0)
		return errno == ENOTEMPTY || errno == EEXIST ? fail_present(cp->container, cp->tag) :
		       dre_fail_errno(errno, "checkpoint '%s'", cp->tag);
	strcpy(cp->dir, cp->tag);
	return fsync(cp->all_fd) < 0 ? dre_fail_errno(errno, "checkpoint '%s'", cp->tag) : 0;
}

int checkpoint_publish(struct checkpoint *cp)
{
	int ret = complete(cp);

	if (ret) {
		checkpoint_abandon(cp);
		return ret;
	}
	store_change_end(cp->container->store, false, 0);
	checkpoint_close(cp);
	return 0;
}

int checkpoint_open(struct checkpoint *cp, struct container *c, const char *tag)
{
	char path[sizeof("containers//" CHECKPOINTS "//manifest") + 2 * DRE_NAME_MAX];
	int ret = init(cp, c, tag, false);

	if (ret) {
		checkpoint_close(cp);
		return ret;
	}
	strcpy(cp->dir, tag);
	cp->dir_fd = openat(cp->all_fd, tag, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cp->dir_fd < 0) {
		ret = errno == ENOENT ? fail_absent(c, tag) :
		      dre_fail_errno(errno, "checkpoint '%s'", tag);
	} else {
		snprintf(path, sizeof(path), "containers/%s/" CHECKPOINTS "/%s/manifest", c->name,
			 tag);
		ret = store_read_manifest(c->store, path, DRE_ERR_LOAD_SNAPSHOT_FAILED,
					  &cp->manifest);
	}
	if (!ret && (!cp->manifest.nr_layers || c->store->kind->trees != !!*cp->manifest.writable))
		ret = dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED,
			       "container '%s': checkpoint '%s' names no layers", c->name, tag);
	if (ret)
		checkpoint_close(cp);
	return ret;
}

int checkpoint_remove(struct container *c, const char *tag)
{
	struct checkpoint cp;
	int ret = init(&cp, c, tag, false);

	if (!ret)
		ret = store_change_begin(c->store);
	if (ret) {
		checkpoint_close(&cp);
		return ret;
	}
	ret = store_move_to_trash(c->store, cp.all_fd, tag);
	if (ret == -ENOENT)
		ret = fail_absent(c, tag);
	else if (ret)
		ret = dre_fail_errno(-ret, "cannot remove checkpoint '%s'", tag);
	else if (fsync(cp.all_fd) < 0)
		ret = dre_fail_errno(errno, "cannot remove checkpoint '%s'", tag);
	ret = store_change_end(c->store, true, ret);
	checkpoint_close(&cp);
	return ret;
}

int checkpoint_list(struct store *store, const char *container, char ***tags)
{
	char path[sizeof("containers//" CHECKPOINTS) + DRE_NAME_MAX];

	snprintf(path, sizeof(path), "containers/%s/" CHECKPOINTS, container);
	return store_list_names(store, path, tags);
}

int checkpoint_check_none(struct store *store, const char *name)
{
	char **tags;
	bool some;
	int err = checkpoint_list(store, name, &tags);

	if (err)
		return err;
	some = *tags;
	store_free_list(tags);
	return some ? dre_fail(DRE_ERR_SNAPSHOT_EXISTENCE,
			       "container '%s' has checkpoints, which have its name in them: remove them first",
			       name) : 0;
}
