// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "fail.h"
#include "file.h"
#include "fsck.h"
#include "live.h"
#include "lock.h"
#include "store_private.h"
#include "tree.h"

#define PATH_SIZE	(sizeof("containers//checkpoints//manifest") + 2 * DRE_NAME_MAX)
/* 40 ms apart */
#define LOCK_TRIES	50
#define QUIET_TRIES	10
#define REMOVER_TRIES	100

/* How long what has ended may wait for somebody who collects it: who tries and cannot says so to nobody. Seconds. */
#define COLLECT_TIME	3600

/* A manifest that cannot be understood. */
struct damaged {
	char path[PATH_SIZE];
	int lock_fd;		/* of its container, while it is moved */
};

struct range {
	char name[DRE_NAME_MAX + 1];
	struct idmap map;
};

struct check {
	struct store *s;
	const struct fsck *fsck;
	struct live live;
	struct names immutable;
	struct damaged *damaged;
	size_t nr_damaged;
	struct range *ranges;
	size_t nr_ranges;
	int lost_fd;		/* lost/XXXXXXXX, or -1: what is in the way goes to trash/ */
	bool trash_is_held;	/* somebody is emptying it */
};

static void problem(const struct check *c, const char *path, bool repaired, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void problem(const struct check *c, const char *path, bool repaired, const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	c->fsck->problem(c->fsck->arg, path, what, repaired);
}

/* Makes room for one more. */
static void *grow(void *array, size_t nr, size_t size)
{
	void *grown = reallocarray(array, nr + 1, size);

	if (!grown)
		dre_fail_errno(ENOMEM, "cannot check the store");
	return grown;
}

/* Is it a manifest in this directory, or of a container's own? */
static bool is_base(const char *path)
{
	return !strncmp(path, "bases/", strlen("bases/"));
}

/* The name of the container that a manifest belongs to. */
static void container_of(const char *path, char name[DRE_NAME_MAX + 1])
{
	path += strlen("containers/");
	snprintf(name, DRE_NAME_MAX + 1, "%.*s", (int)strcspn(path, "/"), path);
}

static bool is_container(const char *path)
{
	char name[DRE_NAME_MAX + 1], own[PATH_SIZE];

	if (is_base(path))
		return false;
	container_of(path, name);
	snprintf(own, sizeof(own), "containers/%s/manifest", name);
	return !strcmp(path, own);
}

/* A checkpoint has a directory, and a layer that it only keeps. */
static bool is_checkpoint(const char *path)
{
	return strstr(path, "/checkpoints/");
}

/*
 * Manifests.
 */

static int note_damaged(struct check *c, const char *path)
{
	const char *text = dre_last_error(), *place = strstr(text, path);
	struct damaged *grown;

	/* The text is of the form "ROOT/PATH:LINE: WHAT". */
	place = place && place[strlen(path)] == ':' ? place + strlen(path) + 1 : NULL;
	if (!c->fsck->set_aside)
		problem(c, path, false, place ? "damaged, line %s" : "%s", place ? place : text);
	grown = grow(c->damaged, c->nr_damaged, sizeof(*grown));
	if (!grown)
		return DRE_ERR_DEVICE_BUSY;
	c->damaged = grown;
	grown += c->nr_damaged++;
	snprintf(grown->path, sizeof(grown->path), "%s", path);
	grown->lock_fd = -1;
	return 0;
}

/* Was it read, and not understood? What cannot be read at this moment may be whole. */
static bool is_damaged(const struct check *c, const char *path)
{
	struct manifest m;
	int ret = store_read_manifest(c->s, path, DRE_ERR_CONTAINER_UNKNOWN_STATUS, &m);

	if (!ret)
		manifest_free(&m);
	return ret == DRE_ERR_CONTAINER_UNKNOWN_STATUS;
}

static bool is_there(int dir_fd, const char *name)
{
	return !faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static void check_layers(const struct check *c, const char *path, const struct manifest *m)
{
	bool made;

	for (size_t i = 0; i < m->nr_layers; i++)
		if (!is_there(c->s->layers_fd, m->layers[i]))
			problem(c, path, false, "layers/%s is missing", m->layers[i]);
	if (*m->writable && !is_there(c->s->layers_fd, m->writable))
		problem(c, path, false, "layers/%s is missing", m->writable);
	/* It has nothing in it that lasts. */
	if (c->s->kind->trees && *m->writable && !is_checkpoint(path) && !is_there(c->s->work_fd, m->writable)) {
		made = c->fsck->repair && !mkdirat(c->s->work_fd, m->writable, 0700) &&
		       !fsync(c->s->work_fd);
		problem(c, path, made, "work/%s is missing", m->writable);
	}
}

static void check_memory(const struct check *c, const char *path)
{
	char memory[PATH_SIZE];

	if (c->s->kind->trees || !is_checkpoint(path))
		return;
	strcpy(memory, path);
	strcpy(strrchr(memory, '/'), "/memory");
	if (!is_there(c->s->root_fd, memory))
		problem(c, memory, false, "is missing");
}

/* Checkpoints have a copy of it where layers are directories. */
static bool wants_writable(const struct check *c, const char *path)
{
	return is_container(path) || (c->s->kind->trees && is_checkpoint(path));
}

static void check_form(const struct check *c, const char *path, const struct manifest *m)
{
	if (!m->nr_layers)
		problem(c, path, false, "names no layers");
	if (wants_writable(c, path) && !*m->writable)
		problem(c, path, false, "names no writable layer");
	if (!wants_writable(c, path) && *m->writable)
		problem(c, path, false, "names a writable layer");
	if (m->base && !is_there(c->s->bases_fd, m->base))
		problem(c, path, false, "its base image '%s' is missing", m->base);
}

/* Written again where it is missing; where it says something else, who knows which is right. */
static void check_ids(const struct check *c, const char *name, const struct manifest *m,
		      const struct idmap *map)
{
	char path[PATH_SIZE];
	struct idmap ids;
	bool written = false;
	int dir;

	snprintf(path, sizeof(path), "containers/%s/ids", name);
	if (container_read_ids(c->s, name, &ids)) {
		if (ids.first != map->first || ids.count != map->count)
			problem(c, path, false, "is not the id range that the manifest has");
		return;
	}
	dir = openat(c->s->containers_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && c->fsck->repair) {
		unlinkat(dir, "ids", 0);
		written = !container_write_ids(dir, name, m) && !fsync(dir);
	}
	if (dir >= 0)
		close(dir);
	problem(c, path, written, "is missing or damaged");
}

static int check_container(struct check *c, const char *path, const struct manifest *m)
{
	char name[DRE_NAME_MAX + 1], snapshots[PATH_SIZE];
	struct range *grown;
	struct idmap map;

	container_of(path, name);
	snprintf(snapshots, sizeof(snapshots), "containers/%s/snapshots", name);
	if (!is_there(c->s->root_fd, snapshots))
		problem(c, snapshots, c->fsck->repair && !mkdirat(c->s->root_fd, snapshots, 0700),
			"is missing");
	if (container_idmap(name, m, &map)) {
		problem(c, path, false, "has a bad id range: %s", manifest_get(m, SETTING_IDMAP));
		return 0;
	}
	check_ids(c, name, m, &map);
	if (!map.count)
		return 0;
	grown = grow(c->ranges, c->nr_ranges, sizeof(*grown));
	if (!grown)
		return DRE_ERR_DEVICE_BUSY;
	c->ranges = grown;
	strcpy(grown[c->nr_ranges].name, name);
	grown[c->nr_ranges++].map = map;
	return 0;
}

/* The manifest that names the layers which the kind of layer looks into. */
struct named {
	const struct check *check;
	const char *path;
};

static void report_content(void *arg, const char *what)
{
	const struct named *named = arg;

	problem(named->check, named->path, false, "%s", what);
}

static int check_manifest(void *arg, const char *path, const struct manifest *m, int err)
{
	struct check *c = arg;
	struct named named = { c, path };
	int ret = 0;

	/* The text says why. */
	if (!m && c->fsck->set_aside && !is_damaged(c, path))
		return err;
	if (!m)
		return note_damaged(c, path);
	check_form(c, path, m);
	check_layers(c, path, m);
	check_memory(c, path);
	if (c->s->kind->check)
		c->s->kind->check(c->s, m, report_content, &named);
	if (is_container(path))
		ret = check_container(c, path, m);
	for (size_t i = 0; !ret && i < m->nr_layers; i++)
		ret = names_add(&c->immutable, m->layers[i]);
	return ret ? ret : live_add(&c->live, m);
}

/* A directory without a manifest: no crash leaves one. */
static int check_manifests_there(struct check *c)
{
	char **names, path[PATH_SIZE];
	int ret = store_list_names(c->s, "containers", &names);

	if (ret)
		return ret;
	for (char **name = names; *name && !ret; name++) {
		snprintf(path, sizeof(path), "containers/%s/manifest", *name);
		if (is_there(c->s->root_fd, path))
			continue;
		if (errno != ENOENT) {
			ret = dre_fail_errno(errno, "cannot read %s/%s", c->s->root, path);
		} else {
			dre_fail(0, "is missing");
			ret = note_damaged(c, path);
		}
	}
	store_free_list(names);
	return ret;
}

/*
 * What belongs to several.
 */

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->map.first < y->map.first ? -1 : x->map.first > y->map.first;
}

static void check_ranges(const struct check *c)
{
	char path[PATH_SIZE];

	if (c->nr_ranges)
		qsort(c->ranges, c->nr_ranges, sizeof(*c->ranges), compare_ranges);
	for (size_t i = 1; i < c->nr_ranges; i++) {
		const struct range *r = c->ranges + i;

		if (r[-1].map.first + r[-1].map.count <= r->map.first)
			continue;
		snprintf(path, sizeof(path), "containers/%s/manifest", r->name);
		problem(c, path, false, "container '%s' has some of its ids, too", r[-1].name);
	}
}

static void check_writable(const struct check *c)
{
	const struct names *w = &c->live.writable;
	char path[sizeof("layers/") + LAYER_NAME_LEN];

	for (size_t i = 0; i < w->nr; i++) {
		snprintf(path, sizeof(path), "layers/%s", w->layers[i]);
		if (i && !strcmp(w->layers[i - 1], w->layers[i]))
			problem(c, path, false, "is the writable layer of two containers");
		else if (names_has(&c->immutable, w->layers[i]))
			problem(c, path, false,
				"is the writable layer of one container, and part of others");
	}
}

/*
 * What nothing belongs to.
 */

static bool put_away(const struct check *c, int dir_fd, int lost_dir, const char *name)
{
	if (lost_dir >= 0)
		return !renameat(dir_fd, name, lost_dir, name);
	if (!c->fsck->repair)
		return false;
	return !store_move_to_trash(c->s, dir_fd, name) || !tree_remove(dir_fd, name);
}

/* @lost_dir: where it goes, all of it, or -1: to trash/. */
static int sweep(const struct check *c, int dir_fd, const char *dir, const struct names *live,
		 int lost_dir, const char *what)
{
	DIR *stream = file_opendir(dir_fd, ".");
	struct dirent *entry;
	char path[PATH_SIZE + NAME_MAX];
	int ret = 0;
	bool away;

	if (!stream)
		return dre_fail_errno(errno, "cannot read %s/%s", c->s->root, dir);
	while (!ret && (entry = file_readdir(stream))) {
		if (!live_is_garbage(entry->d_name, live))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		away = put_away(c, dir_fd, lost_dir, entry->d_name);
		if (!away && lost_dir >= 0)
			ret = dre_fail_errno(errno, "cannot move %s/%s to lost/", c->s->root, path);
		problem(c, path, away, "%s", what);
	}
	if (!ret && errno)
		ret = dre_fail_errno(errno, "cannot read %s/%s", c->s->root, dir);
	closedir(stream);
	return ret;
}

static int sweep_layers(const struct check *c, int lost_layers, int lost_work)
{
	int ret = sweep(c, c->s->layers_fd, "layers", &c->live.layers, lost_layers,
			"no manifest names it");

	return ret || !c->s->kind->trees ? ret :
	       sweep(c, c->s->work_fd, "work", &c->live.writable, lost_work,
		     "belongs to no writable layer");
}

static bool has_ended(const char *marker)
{
	size_t len = strlen(marker), end = strlen(STORE_ENDED);

	return len > end && !strcmp(marker + len - end, STORE_ENDED);
}

/* What is in trash/ is removed at the end, when others may work again. */
static int empty(const struct check *c, int dir_fd, const char *dir, const char *what)
{
	DIR *stream = file_opendir(dir_fd, ".");
	char path[sizeof("pending/") + NAME_MAX];
	struct dirent *entry;
	bool gone;

	if (!stream)
		return dre_fail_errno(errno, "cannot read %s/%s", c->s->root, dir);
	while ((entry = file_readdir(stream))) {
		gone = c->fsck->repair && (dir_fd == c->s->trash_fd ||
					   !unlinkat(dir_fd, entry->d_name, 0));
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		problem(c, path, gone, "%s", has_ended(entry->d_name) ? "what it has left was not collected" : what);
	}
	closedir(stream);
	return 0;
}

static int sweep_checkpoints(const struct check *c)
{
	char **names, path[PATH_SIZE];
	int fd, ret = store_list_names(c->s, "containers", &names);

	if (ret)
		return ret;
	for (char **name = names; *name && !ret; name++) {
		snprintf(path, sizeof(path), "containers/%s/checkpoints", *name);
		fd = file_openat2(c->s->root_fd, path, O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH);
		if (fd < 0)
			continue;	/* containers of an older D-RE have none */
		ret = sweep(c, fd, path, NULL, -1, "was not completed");
		close(fd);
	}
	store_free_list(names);
	return ret;
}

/* Not long ago. */
static bool ended_just_now(const struct store *s, const char *marker)
{
	struct stat st;

	return has_ended(marker) && !fstatat(s->pending_fd, marker, &st, AT_SYMLINK_NOFOLLOW) &&
	       st.st_ctime > time(NULL) - COLLECT_TIME;
}

/* Where others never are at rest, what changes have left may lie there for a while: they have ended, and nothing is wrong. */
static bool is_to_be_collected(const struct check *c)
{
	DIR *stream = file_opendir(c->s->pending_fd, ".");
	size_t nr_ended = 0, nr = 0;
	struct dirent *entry;

	if (!stream)
		return false;
	for (; (entry = file_readdir(stream)); nr++)
		nr_ended += ended_just_now(c->s, entry->d_name);
	closedir(stream);
	return nr && nr == nr_ended;
}

/* A layer that is not named may be a damaged manifest's. */
static int check_garbage(const struct check *c)
{
	int ret = 0;

	if (!c->fsck->repair && is_to_be_collected(c))
		return 0;
	/* Before more of it comes into trash/. */
	if (!c->trash_is_held)
		ret = empty(c, c->s->trash_fd, "trash", "was not removed to its end");
	if (!ret)
		ret = empty(c, c->s->pending_fd, "pending", "a change that did not come to its end");
	if (!ret && !c->nr_damaged)
		ret = sweep_layers(c, -1, -1);
	if (!ret)
		ret = sweep(c, c->s->containers_fd, "containers", NULL, -1, "was not completed");
	if (!ret)
		ret = sweep(c, c->s->bases_fd, "bases", NULL, -1, "was not completed");
	return ret ? ret : sweep_checkpoints(c);
}

/*
 * Setting damaged manifests aside.
 */

/* The container's own manifest is damaged: all of it goes. */
static bool goes(const struct check *c, const char *path)
{
	char name[DRE_NAME_MAX + 1], other[DRE_NAME_MAX + 1];

	if (is_base(path))
		return false;
	container_of(path, name);
	for (size_t i = 0; i < c->nr_damaged; i++) {
		if (!is_container(c->damaged[i].path))
			continue;
		container_of(c->damaged[i].path, other);
		if (!strcmp(name, other))
			return true;
	}
	return false;
}

static bool is_noted(const struct check *c, const char *path)
{
	for (size_t i = 0; i < c->nr_damaged; i++)
		if (!strcmp(c->damaged[i].path, path))
			return true;
	return false;
}

/* One that could be read before, and cannot now, has layers that are not to go. */
static int add_staying(void *arg, const char *path, const struct manifest *m, int err)
{
	struct check *c = arg;

	if (goes(c, path) || is_noted(c, path))
		return 0;
	return m ? live_add(&c->live, m) : err;
}

/* Locks its container, which must be stopped. Two of one container are locked once. */
static bool hold(const struct check *c, struct damaged *d)
{
	char name[DRE_NAME_MAX + 1], path[PATH_SIZE];

	if (is_base(d->path))
		return true;
	container_of(d->path, name);
	for (const struct damaged *other = c->damaged; other < d; other++) {
		container_of(other->path, path);
		if (!is_base(other->path) && !strcmp(name, path))
			return true;
	}
	snprintf(path, sizeof(path), "containers/%s/lock", name);
	d->lock_fd = openat(c->s->root_fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return d->lock_fd >= 0 && !lock_try(d->lock_fd, LOCK_CHANGE, F_WRLCK) &&
	       c->fsck->stopped(c->fsck->arg, name);
}

static int make_lost(struct check *c, int *layers, int *work)
{
	char path[sizeof("lost/") + LAYER_NAME_LEN] = "lost/";
	int root = c->s->root_fd;

	file_random_name(path + strlen(path));
	if ((!mkdirat(root, "lost", 0700) || errno == EEXIST) && !mkdirat(root, path, 0700) &&
	    (c->lost_fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0 &&
	    !mkdirat(c->lost_fd, "layers", 0700) && !mkdirat(c->lost_fd, "work", 0700) &&
	    (*layers = openat(c->lost_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0 &&
	    (*work = openat(c->lost_fd, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
		return 0;
	return dre_fail_errno(errno, "cannot make %s/%s", c->s->root, path);
}

/* Slashes do not go into one name. */
static void move_manifest(const struct check *c, const struct damaged *d)
{
	char name[DRE_NAME_MAX + 1], from[PATH_SIZE], to[PATH_SIZE];
	bool moved;

	if (is_container(d->path)) {
		container_of(d->path, name);
		snprintf(from, sizeof(from), "containers/%s", name);
	} else {
		strcpy(from, d->path);
		if (is_checkpoint(from))
			*strrchr(from, '/') = '\0';
	}
	strcpy(to, from);
	for (char *slash = to; (slash = strchr(slash, '/')); )
		*slash = ':';
	moved = !renameat(c->s->root_fd, from, c->lost_fd, to);
	if (!moved && errno == ENOENT && goes(c, d->path))
		moved = true;	/* with its container */
	problem(c, d->path, moved, "damaged");
}

/*
 * The layers go first: if it is interrupted, the manifests that may name them are still there, and
 * nothing is collected. A container that is running keeps all from being moved.
 */
static int set_aside(struct check *c)
{
	int layers = -1, work = -1, ret;
	bool held = true;

	for (size_t i = 0; i < c->nr_damaged && held; i++)
		held = hold(c, c->damaged + i);
	for (size_t i = 0; i < c->nr_damaged && !held; i++)
		problem(c, c->damaged[i].path, false,
			"damaged; it stays as long as a container of these is not stopped");
	if (!held)
		return 0;
	live_free(&c->live);
	ret = store_each_path(c->s, MANIFESTS_ALL, add_staying, c);
	live_sort(&c->live);
	if (!ret)
		ret = make_lost(c, &layers, &work);
	if (!ret)
		ret = sweep_layers(c, layers, work);
	if (!ret && syncfs(c->lost_fd) < 0)
		ret = dre_fail_errno(errno, "cannot write %s/lost to the disk", c->s->root);
	for (size_t i = 0; i < c->nr_damaged && !ret; i++)
		move_manifest(c, c->damaged + i);
	if (!ret && syncfs(c->lost_fd) < 0)
		ret = dre_fail_errno(errno, "cannot write %s/lost to the disk", c->s->root);
	if (layers >= 0)
		close(layers);
	if (work >= 0)
		close(work);
	return ret;
}

/*
 * All of it.
 */

static int check_all(struct check *c)
{
	int ret = store_each_path(c->s, MANIFESTS_ALL, check_manifest, c);

	if (!ret)
		ret = check_manifests_there(c);
	if (ret)
		return ret;
	live_sort(&c->live);
	names_sort(&c->immutable);
	check_ranges(c);
	check_writable(c);
	if (c->nr_damaged && c->fsck->set_aside)
		ret = set_aside(c);
	return ret ? ret : check_garbage(c);
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = 40 * 1000 * 1000 };

	nanosleep(&moment, NULL);
}

static int lock_store(struct store *s)
{
	int ret, tries = 0;

	while ((ret = lock_try(s->lock_fd, LOCK_CHANGE, F_WRLCK)) == -EAGAIN && tries++ < LOCK_TRIES)
		wait_a_moment();
	if (ret == -EAGAIN)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "somebody changes the store %s", s->root);
	return ret ? dre_fail_errno(-ret, "cannot lock the store %s", s->root) : 0;
}

/* Is something to be collected, and nobody at it? For so many tries more that is no wonder: a remover starts at its leisure. */
static bool has_garbage(struct check *c, int tries)
{
	bool trash = !store_dir_is_empty(c->s->trash_fd);

	c->trash_is_held = false;
	if (trash && lock_test(c->s->lock_fd, LOCK_TRASH, &c->trash_is_held))
		c->trash_is_held = false;
	if (!store_dir_is_empty(c->s->pending_fd))
		return tries < QUIET_TRIES;
	return trash && !c->trash_is_held && tries < REMOVER_TRIES;
}

/*
 * Whoever has changed the store collects what that has left when the lock is free again, and is given the time for
 * it: what is still there then is nobody's.
 */
static int lock_quiet_store(struct check *c)
{
	int ret = lock_store(c->s);

	for (int tries = 0; !ret && has_garbage(c, tries); tries++) {
		lock_release(c->s->lock_fd, LOCK_CHANGE);
		wait_a_moment();
		ret = lock_store(c->s);
	}
	return ret;
}

static void free_check(struct check *c)
{
	for (size_t i = 0; i < c->nr_damaged; i++)
		if (c->damaged[i].lock_fd >= 0)
			close(c->damaged[i].lock_fd);
	if (c->lost_fd >= 0)
		close(c->lost_fd);
	free(c->damaged);
	free(c->ranges);
	free(c->immutable.layers);
	live_free(&c->live);
}

int store_fsck(struct store *s, const struct fsck *fsck)
{
	struct check c = { .s = s, .fsck = fsck, .lost_fd = -1 };
	int ret = lock_quiet_store(&c);

	if (ret)
		return ret;
	ret = check_all(&c);
	lock_release(s->lock_fd, LOCK_CHANGE);
	free_check(&c);
	if (!ret && fsck->repair)
		ret = store_empty_trash(s);
	return ret;
}
