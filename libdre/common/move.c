// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"
#include "fail.h"
#include "file.h"
#include "live.h"
#include "lock.h"
#include "move.h"
#include "store_private.h"

/* A file is written, and read again, in pieces of this size. */
#define PIECE	(1024 * 1024)

struct move {
	struct container *from;
	struct store *to;
	struct manifest base;	/* of its base image; empty: it has none */
	bool base_made;		/* it is in @to because of this */
	struct live live;	/* all its layers */
	char *buffers;		/* two pieces */
	uint64_t done, total;	/* bytes; each is written and compared */
	bool unread;		/* what failed was to read, from where it is */
	import_progress_fn progress;
	void *arg;
};

static void advance(struct move *mv, uint64_t bytes)
{
	mv->done += bytes;
	if (mv->progress)
		mv->progress(mv->arg, mv->done < mv->total ? mv->done : mv->total, mv->total);
}

static int fail(const struct move *mv, const char *what, int err)
{
	if (mv->unread)
		return dre_fail_errno(-err, "container '%s': cannot read %s in %s", mv->from->name, what,
				      store_root(mv->from->store));
	/* What is collected first, if nothing else is changed there meanwhile. */
	if (err == -EILSEQ)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': %s in %s is not as it is in %s; gc removes it "
				"if it was left there", mv->from->name, what, store_root(mv->to),
				store_root(mv->from->store));
	return dre_fail_errno(-err, "container '%s': cannot copy %s to %s", mv->from->name, what,
			      store_root(mv->to));
}

static int unread(struct move *mv, int err)
{
	mv->unread = true;
	return err;
}

/* What is not there reads as zeros. */
static ssize_t read_piece(int fd, char *buffer, off_t at)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = TEMP_FAILURE_RETRY(pread(fd, buffer + len, PIECE - len, at + len));
		if (n < 0)
			return -errno;
		len += n;
	} while (n && len < PIECE);
	return len;
}

static int write_piece(int fd, const char *buffer, size_t len, off_t at)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += n) {
		n = TEMP_FAILURE_RETRY(pwrite(fd, buffer + done, len - done, at + done));
		if (n < 0)
			return -errno;
	}
	return 0;
}

/* Holes stay holes. */
static int copy_data(struct move *mv, int from, int to, off_t size)
{
	off_t at = 0, data;
	ssize_t n;
	int ret = 0;

	while (at < size && !ret) {
		data = lseek(from, at, SEEK_DATA);
		if (data < 0)
			data = errno == ENXIO ? size : at;
		advance(mv, data - at);
		at = data;
		n = at < size ? read_piece(from, mv->buffers, at) : 0;
		if (n <= 0) {
			ret = n ? unread(mv, n) : 0;
			break;
		}
		ret = write_piece(to, mv->buffers, n, at);
		advance(mv, n);
		at += n;
	}
	if (!ret && (ftruncate(to, size) < 0 || fsync(to) < 0))
		ret = -errno;
	return ret;
}

/* As it is where it was written to, and not as it is remembered here. -EILSEQ: it is not the same. */
static int compare(struct move *mv, int from, int to, off_t size)
{
	char *theirs = mv->buffers + PIECE;
	ssize_t n, m;

	posix_fadvise(to, 0, 0, POSIX_FADV_DONTNEED);
	for (off_t at = 0; at <= size; at += n) {
		n = read_piece(from, mv->buffers, at);
		if (n < 0)
			return unread(mv, n);
		m = read_piece(to, theirs, at);
		if (m < 0)
			return m;
		if (n != m || memcmp(mv->buffers, theirs, n) != 0)
			return -EILSEQ;
		advance(mv, n);
		if (!n)
			break;
	}
	return 0;
}

/* Files tell when what they belong to was made, see info.c. Not vital. */
static void keep_time(const struct stat *st, int dir, const char *name)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, st->st_mtim };

	utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_open(struct move *mv, int from, int dir, const char *name)
{
	struct stat st;
	int to, ret;

	if (fstat(from, &st) < 0)
		return unread(mv, -errno);
	to = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	ret = copy_data(mv, from, to, st.st_size);
	if (!ret)
		ret = compare(mv, from, to, st.st_size);
	if (close(to) < 0 && !ret)
		ret = -errno;
	if (!ret)
		keep_time(&st, dir, name);
	return ret;
}

static int copy_file(struct move *mv, int from_dir, const char *name, int to_dir, const char *to_name)
{
	int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), ret;

	if (from < 0)
		return unread(mv, -errno);
	ret = copy_open(mv, from, to_dir, to_name);
	close(from);
	return ret;
}

/* Is the layer that is there the same? 0, -EILSEQ, -ENOENT: there is none, ... */
static int compare_layer(struct move *mv, const char *name)
{
	int from, to, ret;
	struct stat st;

	to = layer_open(mv->to, name);
	if (to < 0)
		return -errno;
	from = layer_open(mv->from->store, name);
	if (from < 0 || fstat(from, &st) < 0)
		ret = unread(mv, -errno);
	else
		ret = compare(mv, from, to, st.st_size);
	if (!ret)
		advance(mv, st.st_size);
	if (from >= 0)
		close(from);
	close(to);
	return ret;
}

/* One that is not complete has no name that a manifest could have. */
static int copy_layer(struct move *mv, const char *name)
{
	store_tmp_t tmp = STORE_TMP;
	int dir = mv->to->layers_fd, ret = compare_layer(mv, name);

	if (ret != -ENOENT)
		return ret;
	file_random_name(tmp + strlen(STORE_TMP));
	ret = copy_file(mv, mv->from->store->layers_fd, name, dir, tmp);
	/* Another container that has it, too, may have been copied meanwhile. */
	if (!ret && linkat(dir, tmp, dir, name, 0) < 0)
		ret = errno == EEXIST ? compare_layer(mv, name) : -errno;
	unlinkat(dir, tmp, 0);
	return ret;
}

static int copy_layers(struct move *mv)
{
	const struct names *names = &mv->live.layers;
	char what[sizeof("layer ") + LAYER_NAME_LEN];
	int ret = 0;

	for (size_t i = 0; i < names->nr && !ret; i++) {
		if (i && !strcmp(names->layers[i], names->layers[i - 1]))
			continue;
		ret = copy_layer(mv, names->layers[i]);
		snprintf(what, sizeof(what), "layer %s", names->layers[i]);
		if (ret)
			ret = fail(mv, what, ret);
	}
	if (!ret && fsync(mv->to->layers_fd) < 0)
		ret = fail(mv, "its layers", -errno);
	return ret;
}

/* What the new container has of its own. */
static bool is_own(const char *name)
{
	static const char *const own[] = { "lock", "manifest", "ids" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strcmp(name, own[i]))
			return true;
	return !strncmp(name, STORE_TMP, strlen(STORE_TMP)) || !strcmp(name, "manifest.new");
}

static int walk(struct move *mv, int from, int to, unsigned int depth);

static int walk_directory(struct move *mv, int from_dir, const char *name, int to_dir, unsigned int depth)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int from = openat(from_dir, name, flags), to = -1, ret;

	if (from >= 0 && to_dir >= 0) {
		if (!mkdirat(to_dir, name, 0700) || errno == EEXIST)
			to = openat(to_dir, name, flags);
	}
	if (from < 0)
		ret = unread(mv, -errno);
	else
		ret = to_dir >= 0 && to < 0 ? -errno : walk(mv, from, to, depth + 1);
	if (to >= 0)
		close(to);
	if (from >= 0)
		close(from);
	return ret;
}

static int walk_entry(struct move *mv, int from, const char *name, int to, unsigned int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return unread(mv, -errno);
	if (S_ISDIR(st.st_mode))
		return depth < 3 ? walk_directory(mv, from, name, to, depth) : -ELOOP;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (to < 0)
		mv->total += 2 * st.st_size;
	return to < 0 ? 0 : copy_file(mv, from, name, to, name);
}

/* Of the container's directory: without @to (-1) only how much it is. */
static int walk(struct move *mv, int from, int to, unsigned int depth)
{
	DIR *dir = file_opendir(from, ".");
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return unread(mv, -errno);
	while (!ret && (entry = file_readdir(dir)))
		if (depth || !is_own(entry->d_name))
			ret = walk_entry(mv, from, entry->d_name, to, depth);
	if (!ret && errno)
		ret = unread(mv, -errno);
	closedir(dir);
	if (!ret && to >= 0 && fsync(to) < 0)
		ret = -errno;
	return ret;
}

static int fill(void *arg, int dir_fd)
{
	struct move *mv = arg;
	int ret = walk(mv, mv->from->dir_fd, dir_fd, 0);
	struct stat st;

	if (!fstatat(mv->from->dir_fd, "lock", &st, AT_SYMLINK_NOFOLLOW))
		keep_time(&st, dir_fd, "lock");
	return ret ? fail(mv, "its directory", ret) : 0;
}

static int add_layers(void *arg, const char *path, const struct manifest *m, int err)
{
	struct move *mv = arg;

	(void)path;
	return m ? live_add(&mv->live, m) : err;
}

static int measure_layer(struct move *mv, const char *name)
{
	struct stat st;

	if (fstatat(mv->from->store->layers_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return dre_fail_errno(errno, "container '%s': layer %s", mv->from->name, name);
	mv->total += 2 * st.st_size;
	return 0;
}

/* All that there is to be copied, and how much it is. */
static int collect(struct move *mv)
{
	const struct names *names = &mv->live.layers;
	struct container *c = mv->from;
	int ret = store_each_of(c->store, MANIFESTS_ALL, c->name, add_layers, mv);

	if (!ret && c->manifest.base)
		ret = base_read(c->store, c->manifest.base, &mv->base);
	if (!ret)
		ret = live_add(&mv->live, &mv->base);
	live_sort(&mv->live);
	for (size_t i = 0; i < names->nr && !ret; i++)
		if (!i || strcmp(names->layers[i], names->layers[i - 1]) != 0)
			ret = measure_layer(mv, names->layers[i]);
	if (!ret) {
		ret = walk(mv, c->dir_fd, -1, 0);
		if (ret)
			ret = dre_fail_errno(-ret, "container '%s'", c->name);
	}
	return ret;
}

/* Another one of the same name is as good: all that the container needs is among its own layers. */
static int publish_base(struct move *mv)
{
	const char *name = mv->from->manifest.base;
	bool published = false;
	int ret;

	if (!name || !faccessat(mv->to->bases_fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return 0;
	ret = store_publish_manifest(mv->to, mv->to->bases_fd, name, &mv->base, DRE_ERR_BASE_EXISTENCE,
				     "base image", &published);
	mv->base_made |= published;
	return ret == DRE_ERR_BASE_EXISTENCE ? 0 : ret;
}

/* Whoever is about to remove it has not seen the container, and has done it then, or sees it. */
static int publish_base_again(struct move *mv)
{
	int ret = lock_wait(mv->to->lock_fd, LOCK_NAMES, F_WRLCK);

	if (ret)
		return dre_fail_errno(-ret, "cannot lock the store %s", store_root(mv->to));
	ret = publish_base(mv);
	lock_release(mv->to->lock_fd, LOCK_NAMES);
	return ret;
}

/* As long as nothing is made from it, the base image may be removed: what is there when the container is stays. */
static int place(struct move *mv, const struct manifest *m, struct container **made)
{
	struct saved_error saved;
	int ret = publish_base(mv);

	if (!ret)
		ret = container_place(made, mv->to, mv->from->name, m, fill, mv);
	if (ret)
		return ret;
	ret = publish_base_again(mv);
	if (!ret)
		return 0;
	save_error(&saved);
	if (container_remove(*made))
		container_unlock(*made);
	restore_error(&saved);
	return ret;
}

/* The base image that came with it goes again if it does not come to be there; one that was there is somebody's. */
static int copy(struct move *mv, const struct manifest *m, struct container **made)
{
	struct saved_error saved;
	int ret = collect(mv);

	if (ret)
		return unread(mv, ret);
	ret = copy_layers(mv);
	if (!ret)
		ret = place(mv, m, made);
	if (ret && mv->base_made) {
		save_error(&saved);
		base_remove(mv->to, mv->from->manifest.base);
		restore_error(&saved);
	}
	return ret;
}

int container_copy_to(struct container *c, struct store *to, const struct manifest *m,
		      import_progress_fn progress, void *arg, bool *unread, struct container **made)
{
	struct move mv = { .from = c, .to = to, .progress = progress, .arg = arg };
	int ret;

	*unread = false;
	if (!faccessat(to->containers_fd, c->name, F_OK, AT_SYMLINK_NOFOLLOW))
		return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "there is a container '%s' in %s already",
				c->name, store_root(to));
	mv.buffers = malloc(2 * PIECE);
	if (!mv.buffers)
		return dre_fail_errno(ENOMEM, "container '%s'", c->name);
	/* What an earlier try has left there is not to be taken for what it was made of. */
	store_gc(to, NULL);
	ret = store_change_begin(to);
	if (!ret) {
		ret = copy(&mv, m, made);
		ret = store_change_end(to, ret != 0, ret);
	}
	*unread = mv.unread;
	manifest_free(&mv.base);
	live_free(&mv.live);
	free(mv.buffers);
	return ret;
}
