// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copying a directory tree with everything that its files have: our own,
 * because it must clone data where the file system can, keep holes, hard links
 * and every attribute, and must not change the caller's working directory.
 * The source may belong to somebody hostile, who changes it meanwhile.
 */
#include <dre.h>
#include <errno.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "attr.h"
#include "fail.h"
#include "file.h"
#include "hard_links.h"
#include "tree.h"

/* Two fds are open for each level. */
#define MAX_DEPTH	200
#define CHUNK		(1 << 20)

struct copy {
	int top;		/* the copy's top directory */
	const struct stat *skip;
	const char *what;
	struct tree_progress *progress;
	struct hard_links links;	/* of the source, with their paths in the copy */
	char *buffer;		/* CHUNK bytes, for what the kernel cannot copy by itself */
	char path[PATH_MAX];	/* of the current file, below the top */
	size_t path_len;
};

static int fail(const struct copy *c, int errnum)
{
	struct printable p;

	dre_printable(&p, c->path);
	if (errnum == E2BIG)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "cannot copy %s/%s: it has too many attributes, or there are too many files with several names before it",
				c->what, p.text);
	return dre_fail_errno(errnum, "cannot copy %s/%s", c->what, p.text);
}

static int copy_range(const struct copy *c, int src, int dst, off_t pos, off_t end)
{
	loff_t in = pos, out = pos;
	ssize_t n;

	while (in < end) {
		n = copy_file_range(src, &in, dst, &out, end - in < CHUNK ? end - in : CHUNK, 0);
		/* Not between these two, or the file got shorter: read(2) will tell. */
		if (n <= 0)
			break;
		c->progress->copied(c->progress, n);
	}
	for (pos = in; pos < end; pos += n) {
		n = TEMP_FAILURE_RETRY(pread(src, c->buffer, end - pos < CHUNK ? end - pos : CHUNK,
					     pos));
		if (n < 0)
			return -errno;
		if (!n)
			break;
		for (ssize_t done = 0, w; done < n; done += w) {
			w = TEMP_FAILURE_RETRY(pwrite(dst, c->buffer + done, n - done,
						      pos + done));
			if (w < 0)
				return -errno;
		}
		c->progress->copied(c->progress, n);
	}
	return 0;
}

static int copy_data(const struct copy *c, int src, int dst, off_t size)
{
	off_t data, hole;
	int ret;

	if (!ioctl(dst, FICLONE, src)) {
		c->progress->copied(c->progress, size);
		return 0;
	}
	for (hole = 0; hole < size; ) {
		data = lseek(src, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;		/* nothing but a hole is left */
		hole = data < 0 ? -1 : lseek(src, data, SEEK_HOLE);
		if (hole < 0) {		/* a file system that does not know */
			data = 0;
			hole = size;
		}
		if (hole > size)
			hole = size;
		ret = copy_range(c, src, dst, data, hole);
		if (ret)
			return ret;
	}
	return ftruncate(dst, size) < 0 ? -errno : 0;
}

static int copy_file(const struct copy *c, int src_dir, int dst_dir, const char *name,
		     struct stat *st)
{
	int src, dst, ret;

	src = openat(src_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (src < 0)
		return -errno;
	dst = openat(dst_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dst < 0 || fstat(src, st) < 0)
		ret = -errno;
	else if (!S_ISREG(st->st_mode))
		ret = -ESTALE;		/* it was a moment ago */
	else
		ret = copy_data(c, src, dst, st->st_size);
	if (dst >= 0 && close(dst) < 0 && !ret)
		ret = -errno;
	close(src);
	return ret;
}

static int copy_symlink(int src_dir, int dst_dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t len;

	len = readlinkat(src_dir, name, target, sizeof(target));
	if (len < 0)
		return -errno;
	if (len == sizeof(target))
		return -ENAMETOOLONG;
	target[len] = '\0';
	return symlinkat(target, dst_dir, name) < 0 ? -errno : 0;
}

/* Links @name to the copy that was made of the same file. 0: this is the first; 1: done. */
static int copy_link(struct copy *c, int dst_dir, const char *name, const struct stat *st)
{
	const char *first;
	int ret = hard_links_meet(&c->links, st, c->path, &first);

	if (ret || !first)
		return ret;
	return linkat(c->top, first, dst_dir, name, 0) < 0 ? -errno : 1;
}

static int copy_other(struct copy *c, int src_dir, int dst_dir, const char *name, struct stat *st)
{
	struct attr attr;
	int ret;

	ret = copy_link(c, dst_dir, name, st);
	if (ret)
		return ret < 0 ? ret : 0;
	if (S_ISREG(st->st_mode))
		ret = copy_file(c, src_dir, dst_dir, name, st);
	else if (S_ISLNK(st->st_mode))
		ret = copy_symlink(src_dir, dst_dir, name);
	else	/* devices, also whiteouts (character device 0, 0), FIFOs, sockets */
		ret = mknodat(dst_dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ?
		      -errno : 0;
	if (ret)
		return ret;
	ret = attr_read(&attr, src_dir, name, st);
	if (ret)
		return ret;
	ret = attr_apply(&attr, dst_dir, name);
	attr_free(&attr);
	return ret;
}

static int copy_directory(struct copy *c, int src_fd, int dst, int depth);

static int copy_mount_point(const struct copy *c, int dst_dir, const char *name,
			    const struct stat *st)
{
	struct attr attr = {
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.times = { st->st_atim, st->st_mtim },
	};
	int ret = attr_apply(&attr, dst_dir, name);

	return ret ? fail(c, -ret) : 0;
}

static int copy_subdirectory(struct copy *c, int src_dir, int dst_dir, const char *name,
			     const struct stat *st, int depth)
{
	int src, dst, ret;

	if (depth == MAX_DEPTH) {
		struct printable p;

		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s/%s: directories are nested deeper than %d", c->what,
				dre_printable(&p, c->path), MAX_DEPTH);
	}
	if (mkdirat(dst_dir, name, 0700) < 0)
		return fail(c, errno);
	src = file_openat2(src_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
			   RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (src < 0 && errno == EXDEV)
		return copy_mount_point(c, dst_dir, name, st);
	if (src < 0)
		return fail(c, errno);
	dst = openat(dst_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dst < 0) {
		ret = fail(c, errno);
		close(src);
		return ret;
	}
	ret = copy_directory(c, src, dst, depth + 1);
	close(dst);
	return ret;
}

static int copy_entry(struct copy *c, int src_dir, int dst_dir, const char *name, int depth)
{
	size_t len = c->path_len;
	struct stat st;
	int ret;

	ret = snprintf(c->path + len, sizeof(c->path) - len, len ? "/%s" : "%s", name);
	if ((size_t)ret >= sizeof(c->path) - len)
		return fail(c, ENAMETOOLONG);
	c->path_len = len + ret;

	if (fstatat(src_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		/* A file that is removed while its directory is copied was not there. */
		ret = errno == ENOENT ? 0 : fail(c, errno);
	} else if (S_ISDIR(st.st_mode)) {
		ret = copy_subdirectory(c, src_dir, dst_dir, name, &st, depth);
	} else {
		ret = copy_other(c, src_dir, dst_dir, name, &st);
		if (ret)
			ret = fail(c, -ret);
	}

	c->path_len = len;
	c->path[len] = '\0';
	return ret;
}

static int copy_entries(struct copy *c, DIR *dir, int dst, int depth)
{
	struct dirent *entry;
	int ret;

	while ((entry = file_readdir(dir))) {
		ret = copy_entry(c, dirfd(dir), dst, entry->d_name, depth);
		if (ret)
			return ret;
	}
	return errno ? fail(c, errno) : 0;
}

/* Closes @src_fd. The attributes come last: entries change the times, and would inherit. */
static int copy_directory(struct copy *c, int src_fd, int dst, int depth)
{
	struct attr attr;
	struct stat st;
	DIR *dir;
	int ret;

	dir = fdopendir(src_fd);
	if (!dir) {
		ret = fail(c, errno);
		close(src_fd);
		return ret;
	}
	if (fstat(src_fd, &st) < 0)
		ret = fail(c, errno);
	else if (c->skip && st.st_dev == c->skip->st_dev && st.st_ino == c->skip->st_ino)
		ret = 0;
	else
		ret = copy_entries(c, dir, dst, depth);
	if (!ret) {
		ret = attr_read(&attr, src_fd, ".", &st);
		if (!ret) {
			ret = attr_apply(&attr, dst, ".");
			attr_free(&attr);
		}
		if (ret)
			ret = fail(c, -ret);
	}
	closedir(dir);
	return ret;
}

int tree_copy(int src, int dst, const struct stat *skip, const char *what,
	      struct tree_progress *progress)
{
	struct copy c = {
		.top = dst,
		.skip = skip,
		.what = what,
		.progress = progress,
	};
	int fd, ret;

	c.buffer = malloc(CHUNK);
	if (!c.buffer)
		return fail(&c, ENOMEM);
	fd = openat(src, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = fd < 0 ? fail(&c, errno) : copy_directory(&c, fd, dst, 0);
	hard_links_free(&c.links);
	free(c.buffer);
	return ret;
}
