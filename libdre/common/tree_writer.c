// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "tree_writer.h"

/* What is remembered of directories, at most: some hundred thousand of them. */
#define MAX_REMEMBERED	(64 * 1024 * 1024)

/* A directory whose attributes wait for tree_writer_finish(). */
struct directory {
	struct attr attr;
	size_t size;	/* what it takes of MAX_REMEMBERED */
	char path[];
};

struct tree_writer {
	int top;
	void *directories;	/* of tsearch(3), by path */
	size_t remembered;
	/* Where the current member is: set by locate(). */
	int parent;
	char parent_path[PATH_MAX];
	char name[NAME_MAX + 1];	/* "." for the top directory itself */
};

struct tree_writer *tree_writer_new(int top_fd)
{
	struct tree_writer *w = calloc(1, sizeof(*w));

	if (w) {
		w->top = top_fd;
		w->parent = -1;
	}
	return w;
}

static void free_directory(void *directory)
{
	struct directory *d = directory;

	attr_free(&d->attr);
	free(d);
}

void tree_writer_free(struct tree_writer *w)
{
	tdestroy(w->directories, free_directory);
	if (w->parent >= 0)
		close(w->parent);
	free(w);
}

/* Resolves @path to a directory below @dir, or not at all. Never through a symbolic link. */
static int open_beneath(int dir, const char *path)
{
	int fd = file_openat2(dir, *path ? path : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW,
			      FILE_NO_LINKS | RESOLVE_NO_XDEV);

	return fd < 0 ? -errno : fd;
}

/*
 * Brings @path into its simplest form, "etc/x", in place of "/etc//./x". "" is the
 * top directory.
 */
static int normalize(const char *path, char out[PATH_MAX])
{
	size_t len, used = 0;

	if (!*path)
		return -EINVAL;
	for (; *path; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (!len || (len == 1 && *path == '.'))
			continue;
		if (len == 2 && !strncmp(path, "..", 2))
			return -EXDEV;
		if (len > NAME_MAX || used + len + 2 > PATH_MAX)
			return -ENAMETOOLONG;
		if (used)
			out[used++] = '/';
		memcpy(out + used, path, len);
		used += len;
	}
	out[used] = '\0';
	return 0;
}

/*
 * Opens the directory @path, which is in its simplest form, and makes what is missing of it: an
 * archive need not have members for them.
 */
static int make_directories(const struct tree_writer *w, char *path)
{
	static const struct attr attr = {
		.mode = S_IFDIR | 0755,
		.times = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } },
	};
	int dir = open_beneath(w->top, "");
	char *name, *save;
	int next, ret;

	for (name = strtok_r(path, "/", &save); name && dir >= 0;
	     name = strtok_r(NULL, "/", &save)) {
		ret = 0;
		if (!mkdirat(dir, name, 0700))
			ret = attr_apply(&attr, dir, name);
		else if (errno != EEXIST)
			ret = -errno;
		next = ret ? ret : open_beneath(dir, name);
		close(dir);
		dir = next;
	}
	return dir;
}

/* Splits a path in its simplest form; returns the part before the last name, in place. */
static const char *split(char path[PATH_MAX], char name[NAME_MAX + 1])
{
	char *slash = strrchr(path, '/');

	strcpy(name, slash ? slash + 1 : *path ? path : ".");
	*(slash ? slash : path) = '\0';
	return path;
}

/* Opens the directory that @path is in as w->parent, and cuts the last name into w->name. */
static int locate(struct tree_writer *w, const char *path)
{
	char buf[PATH_MAX];
	const char *parent;
	int ret;

	ret = normalize(path, buf);
	if (ret)
		return ret;
	parent = split(buf, w->name);
	/* Members of one directory mostly follow each other. */
	if (w->parent >= 0 && !strcmp(parent, w->parent_path))
		return 0;
	if (w->parent >= 0)
		close(w->parent);
	strcpy(w->parent_path, parent);
	w->parent = open_beneath(w->top, buf);
	if (w->parent == -ENOENT)
		w->parent = make_directories(w, buf);
	return w->parent < 0 ? w->parent : 0;
}

/* Locates @path and removes what is there. */
static int prepare(struct tree_writer *w, const char *path)
{
	int ret = locate(w, path);

	if (ret)
		return ret;
	if (!strcmp(w->name, "."))
		return -EISDIR;
	if (!unlinkat(w->parent, w->name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -errno;
	if (unlinkat(w->parent, w->name, AT_REMOVEDIR) < 0)
		return -errno;
	return 0;
}

static int attr_copy(struct attr *to, const struct attr *from)
{
	size_t i;
	int ret;

	*to = *from;
	to->xattrs = NULL;
	to->nr_xattrs = 0;
	for (i = 0; i < from->nr_xattrs; i++) {
		ret = attr_add(to, from->xattrs[i].name, from->xattrs[i].value,
			       from->xattrs[i].size);
		if (ret) {
			attr_free(to);
			return ret;
		}
	}
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	const struct directory *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static struct directory *new_directory(const struct tree_writer *w, const struct attr *attr)
{
	size_t parent_len = strlen(w->parent_path), len = parent_len + strlen(w->name) + 2;
	struct directory *d = malloc(sizeof(*d) + len);

	if (!d)
		return NULL;
	stpcpy(stpcpy(stpcpy(d->path, w->parent_path), parent_len ? "/" : ""), w->name);
	d->size = sizeof(*d) + len;
	for (size_t i = 0; i < attr->nr_xattrs; i++)
		d->size += sizeof(*attr->xattrs) + strlen(attr->xattrs[i].name) + attr->xattrs[i].size;
	if (attr_copy(&d->attr, attr)) {
		free(d);
		return NULL;
	}
	return d;
}

/*
 * In place of what an earlier member for it has said. An archive that is small because it is compressed
 * may have any number of members.
 */
static int remember_directory(struct tree_writer *w, const struct attr *attr)
{
	struct directory *d = new_directory(w, attr), *old;
	void **node = d ? tsearch(d, &w->directories, compare_paths) : NULL;

	if (!node) {
		if (d)
			free_directory(d);
		return -ENOMEM;
	}
	old = *node;
	if (old != d) {
		*node = d;
		w->remembered -= old->size;
		free_directory(old);
	}
	w->remembered += d->size;
	return w->remembered > MAX_REMEMBERED ? -E2BIG : 0;
}

int tree_writer_directory(struct tree_writer *w, const char *path, const struct attr *attr)
{
	struct stat st;
	int ret;

	ret = locate(w, path);
	if (ret)
		return ret;
	if (strcmp(w->name, ".")) {
		if (fstatat(w->parent, w->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT)
				return -errno;
		} else if (!S_ISDIR(st.st_mode) && unlinkat(w->parent, w->name, 0) < 0) {
			return -errno;
		}
		if (mkdirat(w->parent, w->name, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return remember_directory(w, attr);
}

int tree_writer_symlink(struct tree_writer *w, const char *path, const char *target,
			const struct attr *attr)
{
	int ret = prepare(w, path);

	if (ret)
		return ret;
	if (symlinkat(target, w->parent, w->name) < 0)
		return -errno;
	return attr_apply(attr, w->parent, w->name);
}

int tree_writer_special(struct tree_writer *w, const char *path, dev_t dev,
			const struct attr *attr)
{
	int ret = prepare(w, path);

	if (ret)
		return ret;
	if (mknodat(w->parent, w->name, (attr->mode & S_IFMT) | 0600, dev) < 0)
		return -errno;
	return attr_apply(attr, w->parent, w->name);
}

int tree_writer_link(struct tree_writer *w, const char *path, const char *existing)
{
	char dir_path[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;
	int dir, ret;

	ret = normalize(existing, dir_path);
	if (!ret)
		ret = locate(w, path);
	if (ret)
		return ret;
	split(dir_path, name);
	/* To itself: some archives have a file twice. Removing it first would lose it. */
	if (!strcmp(dir_path, w->parent_path) && !strcmp(name, w->name))
		return 0;
	dir = open_beneath(w->top, dir_path);
	if (dir < 0)
		return dir;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		ret = -errno;
	else if (S_ISDIR(st.st_mode))
		ret = -EISDIR;
	else
		ret = prepare(w, path);
	if (!ret && linkat(dir, name, w->parent, w->name, 0) < 0)
		ret = -errno;
	close(dir);
	return ret;
}

int tree_writer_open(struct tree_writer *w, const char *path, int *fd)
{
	int ret = prepare(w, path);

	if (ret)
		return ret;
	*fd = openat(w->parent, w->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return *fd < 0 ? -errno : 0;
}

int tree_writer_close(struct tree_writer *w, int fd, off_t size, const struct attr *attr)
{
	int ret = ftruncate(fd, size) < 0 ? -errno : 0;

	if (close(fd) < 0 && !ret)
		ret = -errno;
	return ret ? ret : attr_apply(attr, w->parent, w->name);
}

struct finish {
	int top;
	int ret;
};

static void finish_directory(const void *node, VISIT which, void *arg)
{
	const struct directory *d = *(const struct directory *const *)node;
	struct finish *finish = arg;
	int dir;

	if (finish->ret || which == preorder || which == endorder)
		return;
	dir = open_beneath(finish->top, d->path);
	if (dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP)
		return;		/* a later member took its place */
	finish->ret = dir < 0 ? dir : attr_apply(&d->attr, dir, ".");
	if (dir >= 0)
		close(dir);
}

int tree_writer_finish(struct tree_writer *w)
{
	struct finish finish = { .top = w->top };

	twalk_r(w->directories, finish_directory, &finish);
	return finish.ret;
}
