// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Changes of the store, and the collection of what they leave.
 *
 * A manifest that appears names layers that were made under LOCK_CHANGE, so a
 * layer that no manifest names while LOCK_CHANGE is held exclusively is never
 * going to be named. Such layers are moved to trash/ under the lock, which takes
 * no time, and are removed after it is given up, see trash.c.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "file.h"
#include "live.h"
#include "lock.h"
#include "names.h"
#include "store_private.h"
#include "tree.h"

int store_change_begin(struct store *s)
{
	int ret, fd;

	if (s->changes) {
		s->changes++;
		return 0;
	}
	ret = lock_wait(s->lock_fd, LOCK_CHANGE, F_RDLCK);
	if (ret)
		return dre_fail_errno(-ret, "cannot lock the store %s", s->root);
	s->changes = 1;
	s->garbage = false;
	/* Without it, what a crash leaves waits for store_gc(). On a full disk, removal must work. */
	file_random_name(s->marker);
	fd = openat(s->pending_fd, s->marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return 0;
}

bool store_dir_is_empty(int dir_fd)
{
	DIR *dir = file_opendir(dir_fd, ".");
	bool empty;

	if (!dir)
		return true;	/* nothing that could be worked on */
	empty = !file_readdir(dir);
	closedir(dir);
	return empty;
}

static int add_manifest(void *arg, const struct manifest *m)
{
	return live_add(arg, m);
}

/* Moves what is not in @live away; without @live, what is not complete. */
static int sweep(struct store *s, int dir_fd, const struct names *live)
{
	DIR *dir = file_opendir(dir_fd, ".");
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return dre_fail_errno(errno, "cannot read the store %s", s->root);
	while (!ret && (entry = file_readdir(dir))) {
		/* What cannot be moved, like an immutable directory, has to go where it is. */
		if (live_is_garbage(entry->d_name, live) &&
		    store_move_to_trash(s, dir_fd, entry->d_name))
			ret = tree_remove(dir_fd, entry->d_name);
	}
	if (!ret)
		ret = -errno;
	closedir(dir);
	return ret ? dre_fail_errno(-ret, "cannot collect in the store %s", s->root) : 0;
}

/* Checkpoints that are not complete, of all containers. */
static int sweep_checkpoints(struct store *s)
{
	char path[NAME_MAX + sizeof("/checkpoints")];
	DIR *dir = file_opendir(s->containers_fd, ".");
	struct dirent *entry;
	int fd, ret = 0;

	if (!dir)
		return dre_fail_errno(errno, "cannot read the store %s", s->root);
	while (!ret && (entry = file_readdir(dir))) {
		if (!dre_name_valid(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/checkpoints", entry->d_name);
		fd = file_openat2(s->containers_fd, path, O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH);
		if (fd < 0)
			continue;	/* most have none */
		ret = sweep(s, fd, NULL);
		close(fd);
	}
	closedir(dir);
	return ret;
}

/* Nobody is changing anything: all entries are of changes that have ended. */
static void clear_pending(struct store *s)
{
	DIR *dir = file_opendir(s->pending_fd, ".");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = file_readdir(dir)))
		unlinkat(s->pending_fd, entry->d_name, 0);
	closedir(dir);
}

static int sweep_all(struct store *s, struct live *live)
{
	int ret;

	ret = store_each_manifest(s, MANIFESTS_ALL, add_manifest, live);
	if (ret)
		return ret;
	live_sort(live);
	ret = sweep(s, s->layers_fd, &live->layers);
	if (!ret && s->kind->trees)
		ret = sweep(s, s->work_fd, &live->writable);
	if (!ret)
		ret = sweep(s, s->containers_fd, NULL);
	if (!ret)
		ret = sweep(s, s->bases_fd, NULL);
	if (!ret)
		ret = sweep_checkpoints(s);
	if (!ret)
		clear_pending(s);
	return ret;
}

static int move_garbage(struct store *s, bool *busy)
{
	struct live live = { 0 };
	int ret;

	/* Inside a change of our own, the lock is ours, shared. */
	ret = s->changes ? -EAGAIN : lock_try(s->lock_fd, LOCK_CHANGE, F_WRLCK);
	*busy = ret == -EAGAIN;
	if (ret)
		return *busy ? 0 : dre_fail_errno(-ret, "cannot lock the store %s", s->root);
	ret = sweep_all(s, &live);
	lock_release(s->lock_fd, LOCK_CHANGE);
	live_free(&live);
	return ret;
}

/* It says from now on that there is something to collect, and no more that somebody was killed. */
static void mark_ended(const struct store *s)
{
	char ended[sizeof(s->marker) + sizeof(STORE_ENDED)];

	snprintf(ended, sizeof(ended), "%s" STORE_ENDED, s->marker);
	renameat(s->pending_fd, s->marker, s->pending_fd, ended);
}

int store_change_end(struct store *s, bool garbage, int ret)
{
	struct saved_error saved;
	bool left, busy;

	/* What an inner one left, the outermost one collects: it holds the lock until then. */
	s->garbage |= garbage;
	if (--s->changes)
		return ret;
	left = s->garbage;
	if (left)
		mark_ended(s);
	else
		unlinkat(s->pending_fd, s->marker, 0);
	lock_release(s->lock_fd, LOCK_CHANGE);

	save_error(&saved);
	if (left || !store_dir_is_empty(s->pending_fd))
		move_garbage(s, &busy);
	store_tidy_trash(s);
	restore_error(&saved);
	return ret;
}

int store_gc(struct store *s, bool *busy)
{
	bool is_busy;
	struct saved_error saved;
	int ret, err;

	ret = move_garbage(s, &is_busy);
	save_error(&saved);
	if (busy)
		*busy = is_busy;
	/* What is in there is garbage in any case. */
	err = store_empty_trash(s);
	if (!ret)
		return err;
	restore_error(&saved);
	return ret;
}
