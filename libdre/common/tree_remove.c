// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "tree.h"

/*
 * Directories are open at the same time down to this depth. What is deeper is first
 * moved up into the top directory, so that no depth needs more fds or stack.
 */
#define MAX_DEPTH 32

struct removal {
	int top;		/* the tree's top directory */
	unsigned int moved;	/* names directories that were moved up */
};

/* Clears what chattr(1) may have set, and says whether there was something. */
static bool clear_flags(int fd)
{
	int flags;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || !(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return false;
	flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* After EPERM: the flags of the entry itself or those of its directory are in the way. */
static bool clear_entry_flags(int dir_fd, const char *name)
{
	bool cleared = clear_flags(dir_fd);
	struct stat st;
	int fd;

	/* Opening anything else, like a device, may have effects; and only these have flags. */
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return cleared;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		cleared |= clear_flags(fd);
		close(fd);
	}
	return cleared;
}

static int unlink_entry(int dir_fd, const char *name, int flags)
{
	while (unlinkat(dir_fd, name, flags) < 0) {
		if (errno == ENOENT)
			break;
		if (errno != EPERM)
			return -errno;
		if (!clear_entry_flags(dir_fd, name))
			return -EPERM;
	}
	return 0;
}

static int move_up(struct removal *r, int dir_fd, const char *name)
{
	char up[16];

	for (;;) {
		snprintf(up, sizeof(up), "%u", r->moved++);
		if (!renameat(dir_fd, name, r->top, up) || errno == ENOENT)
			return 0;
		if (errno == EPERM) {
			if (!clear_entry_flags(dir_fd, name) && !clear_flags(r->top))
				return -EPERM;
		} else if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) {
			return -errno;
		}
	}
}

static int remove_directory(struct removal *r, int dir_fd, const char *name, int depth);

static int remove_entry(struct removal *r, int dir_fd, const struct dirent *entry, int depth)
{
	bool is_dir = entry->d_type == DT_DIR;
	struct stat st;

	if (entry->d_type == DT_UNKNOWN) {
		if (fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : -errno;
		is_dir = S_ISDIR(st.st_mode);
	}
	if (!is_dir)
		return unlink_entry(dir_fd, entry->d_name, 0);
	if (depth == MAX_DEPTH)
		return move_up(r, dir_fd, entry->d_name);
	return remove_directory(r, dir_fd, entry->d_name, depth + 1);
}

/*
 * Goes on after an error, to remove what can be removed, and returns the first one. A pass may
 * miss what was moved up meanwhile, so the last one is one that finds nothing to do.
 */
static int empty_directory(struct removal *r, DIR *dir, int depth)
{
	struct dirent *entry;
	bool removed;
	int ret, err;

	do {
		removed = false;
		ret = 0;
		rewinddir(dir);
		while ((entry = file_readdir(dir))) {
			err = remove_entry(r, dirfd(dir), entry, depth);
			if (!err)
				removed = true;
			else if (!ret)
				ret = err;
		}
		if (errno)
			return ret ? ret : -errno;
	} while (removed);
	return ret;
}

static int remove_directory(struct removal *r, int dir_fd, const char *name, int depth)
{
	int fd, ret;
	DIR *dir;

	fd = file_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
			  RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		ret = -errno;
		close(fd);
		return ret;
	}
	if (!depth)
		r->top = fd;
	ret = empty_directory(r, dir, depth);
	closedir(dir);
	return ret ? ret : unlink_entry(dir_fd, name, AT_REMOVEDIR);
}

int tree_remove(int dir_fd, const char *name)
{
	struct removal r = { 0 };
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlink_entry(dir_fd, name, 0);
	return remove_directory(&r, dir_fd, name, 0);
}
