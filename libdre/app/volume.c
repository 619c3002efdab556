// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dre.h>

#include "common/container.h"
#include "common/fail.h"
#include "common/file.h"
#include "common/userns.h"
#include "volume.h"

/* Names in a container may lead elsewhere, but not out of it, nor over what /proc has of the host. */
#define INSIDE		(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)

struct volume {
	char source[PATH_MAX];
	char target[PATH_MAX];
	bool read_only;
	bool noidmap;
};

/*
 * The list.
 */

/* Absolute, and the same place whoever reads it. */
static bool is_plain_path(const char *path)
{
	if (*path != '/')
		return false;
	while (*path) {
		size_t len = strcspn(++path, "/");

		if (!len || (len == 1 && *path == '.') || (len == 2 && !strncmp(path, "..", 2)))
			return false;
		path += len;
	}
	return true;
}

/* What liblxc mounts there would lie over it. */
static bool is_hidden(const char *target)
{
	static const char *const places[] = { "/dev", "/proc", "/sys" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t len = strlen(places[i]);

		if (!strncmp(target, places[i], len) && (!target[len] || target[len] == '/'))
			return true;
	}
	return false;
}

/* Takes what is before the next one of @ends from *@text. False if it has no room. */
static bool take(const char **text, const char *ends, char *part, size_t size)
{
	size_t len = strcspn(*text, ends);

	if (len >= size)
		return false;
	memcpy(part, *text, len);
	part[len] = '\0';
	*text += len;
	return true;
}

/* Takes the first volume from *@list. Returns NULL or what is wrong with it. */
static const char *take_volume(const char **list, struct volume *v)
{
	char option[16];

	if (!take(list, ":,", v->source, sizeof(v->source)) || *(*list)++ != ':' ||
	    !take(list, ":,", v->target, sizeof(v->target)))
		return "is not a list of SOURCE:TARGET";
	if (!is_plain_path(v->source) || !is_plain_path(v->target))
		return "has a path in it that is not absolute, or not plain";
	if (is_hidden(v->target))
		return "has a target in /dev, /proc or /sys";
	v->read_only = v->noidmap = false;
	while (**list == ':') {
		++*list;
		if (!take(list, ":,", option, sizeof(option)))
			*option = '\0';
		if (!strcmp(option, "ro"))
			v->read_only = true;
		else if (!strcmp(option, "noidmap"))
			v->noidmap = true;
		else if (strcmp(option, "rw") != 0)
			return "has an option in it that is none of ro, rw and noidmap";
	}
	return NULL;
}

/* The next volume of the list. False at its end; the list is good. */
static bool next_volume(const char **list, struct volume *v)
{
	if (!*list || !**list)
		return false;
	take_volume(list, v);
	*list += **list == ',';
	return true;
}

static bool has_target(const char *list, const char *end, const char *target)
{
	struct volume v;

	while (list < end && next_volume(&list, &v))
		if (!strcmp(v.target, target))
			return true;
	return false;
}

const char *volume_check(const char *list)
{
	const char *begin = list, *here, *error;
	struct volume v;

	do {
		here = list;
		error = take_volume(&list, &v);
		if (!error && has_target(begin, here, v.target))
			error = "has a target twice";
	} while (!error && *list++);
	return error;
}

/* One that somebody has written into the manifest may be anything. */
static int get_list(const char *name, const struct manifest *m, const char **list)
{
	const char *error;

	*list = manifest_get(m, SETTING_VOLUMES);
	error = *list ? volume_check(*list) : NULL;
	if (error)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its manifest has volumes '%s', which %s", name,
				*list, error);
	return 0;
}

/*
 * A fd of it, or a negative errno: ELOOP if a part of its path is a link. Whoever may write to one of the directories that
 * lead there, as another container whose volume that is, could make one that leads anywhere. What is below a directory is
 * asked for, so that one that is mounted when it is needed is; an NFS server may not let us look into it.
 */
static int open_source(const struct volume *v)
{
	char inside[sizeof(v->source) + sizeof("/.")];
	int fd;

	snprintf(inside, sizeof(inside), "%s/.", v->source);
	fd = file_openat2(AT_FDCWD, inside, O_PATH, RESOLVE_NO_SYMLINKS);
	if (fd < 0 && (errno == ENOTDIR || errno == EACCES))
		fd = file_openat2(AT_FDCWD, v->source, O_PATH, RESOLVE_NO_SYMLINKS);
	return fd < 0 ? -errno : fd;
}

static int fail_source(const char *name, const struct volume *v, int err)
{
	if (err == -ELOOP)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': volume %s: a part of the path is a symbolic link; "
				"name the place that it leads to", name, v->source);
	return dre_fail_errno(-err, "container '%s': volume %s", name, v->source);
}

int volumes_find(const char *name, const struct manifest *m)
{
	const char *list;
	struct volume v;
	int fd, err = get_list(name, m, &list);

	while (!err && next_volume(&list, &v)) {
		fd = open_source(&v);
		if (fd >= 0)
			close(fd);
		else
			err = fail_source(name, &v, fd);
	}
	return err;
}

/*
 * Mounting.
 */

/* A container whose volumes are mounted. */
struct mounting {
	const char *name;
	int rootfs;
	int userns;	/* -1: privileged */
};

/* A mount of @source that is attached nowhere, with the ids of the container; or a negative errno. */
static int clone_source(const struct mounting *to, const struct volume *v, int source, const char **what)
{
	bool mapped = to->userns >= 0 && !v->noidmap;
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_NODEV | (v->read_only ? MOUNT_ATTR_RDONLY : 0) |
			    (mapped ? MOUNT_ATTR_IDMAP : 0),
		.propagation = MS_PRIVATE,
		.userns_fd = mapped ? to->userns : 0,
	};
	int tree, err;

	*what = "cannot be mounted";
	tree = open_tree(source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return -errno;
	if (!mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)))
		return tree;
	err = -errno;
	close(tree);
	if (mapped && err == -EINVAL)
		*what = "is on a file system without idmapped mounts (see noidmap)";
	return err;
}

/* The directories that lead to @path. What is there already stays as it is. */
static int make_directories(int rootfs, char *path)
{
	int err = 0, parent;

	for (char *slash = path; !err && (slash = strchr(slash + 1, '/')); *slash = '/') {
		char *name;

		*slash = '\0';
		name = strrchr(path, '/');
		*name = '\0';
		parent = file_openat2(rootfs, *path ? path : "/", O_PATH | O_DIRECTORY, INSIDE);
		*name = '/';
		if (parent < 0 || (mkdirat(parent, name + 1, 0755) && errno != EEXIST))
			err = -errno;
		if (parent >= 0)
			close(parent);
	}
	return err;
}

/* Makes the last part of @path, if there is nothing of that name. */
static int make_last(int rootfs, char *path, bool directory)
{
	char *name = strrchr(path, '/');
	int parent, fd, err = 0;

	*name = '\0';
	parent = file_openat2(rootfs, *path ? path : "/", O_PATH | O_DIRECTORY, INSIDE);
	*name++ = '/';
	if (parent < 0)
		return -errno;
	if (directory) {
		err = mkdirat(parent, name, 0755) && errno != EEXIST ? -errno : 0;
	} else {
		fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0644);
		if (fd >= 0)
			close(fd);
		else if (errno != EEXIST)
			err = -errno;
	}
	close(parent);
	return err;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A fd of where it is to be mounted, which is made if it is missing; or a negative errno. */
static int open_target(int rootfs, char *path, bool directory)
{
	struct stat root, st;
	int fd, err = make_directories(rootfs, path);

	if (!err)
		err = make_last(rootfs, path, directory);
	if (err)
		return err;
	fd = file_openat2(rootfs, path, O_PATH, INSIDE);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || fstat(rootfs, &root))
		err = -errno;
	else if (S_ISDIR(st.st_mode) != directory)
		err = directory ? -ENOTDIR : -EISDIR;
	else if (is_same(&st, &root))	/* a link to it */
		err = -EBUSY;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static int attach(const struct mounting *to, struct volume *v, int tree)
{
	struct stat st;
	int target, err = 0;

	if (fstat(tree, &st))
		err = -errno;
	target = err ? err : open_target(to->rootfs, v->target, S_ISDIR(st.st_mode));
	if (target < 0)
		return target;
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		err = -errno;
	close(target);
	return err;
}

static int mount_volume(const struct mounting *to, struct volume *v)
{
	int source = open_source(v), tree, err;
	const char *what;

	if (source < 0)
		return fail_source(to->name, v, source);
	tree = clone_source(to, v, source, &what);
	close(source);
	if (tree < 0)
		return dre_fail_errno(-tree, "container '%s': volume %s %s", to->name, v->source, what);
	err = attach(to, v, tree);
	close(tree);
	return err ? dre_fail_errno(-err, "container '%s': volume %s: its target %s", to->name,
				    v->source, v->target) : 0;
}

/* What is made in the root file system belongs to root of the container, who is allowed to make it. */
static int become_root_of(const struct idmap *map)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP))
		return -errno;
	setfsgid(map->first);
	setfsuid(map->first);
	/* They return the old one; an impossible one changes nothing. */
	return setfsuid(-1) == (int)map->first && setfsgid(-1) == (int)map->first ? 0 : -EPERM;
}

static int mount_port_file(const struct mounting *to, const char *port_file)
{
	struct volume v = { .target = VOLUMES_PORT_FILE, .read_only = true };
	int fd;

	if (!port_file)
		return 0;
	*strrchr(v.target, '/') = '\0';
	fd = file_openat2(to->rootfs, v.target, O_PATH | O_DIRECTORY, INSIDE);
	if (fd < 0)
		return 0;
	close(fd);
	strcpy(v.target, VOLUMES_PORT_FILE);
	snprintf(v.source, sizeof(v.source), "%s", port_file);
	return mount_volume(to, &v);
}

static int mount_all(struct mounting *to, const struct idmap *map, const char *list,
		     const char *port_file)
{
	struct volume v;
	int err = 0;

	if (map->count) {
		to->userns = userns_open(map);
		if (to->userns < 0)
			return dre_fail_errno(-to->userns,
					      "container '%s': cannot make a user namespace",
					      to->name);
		err = become_root_of(map);
		if (err)
			err = dre_fail_errno(-err, "container '%s': cannot become its root",
					     to->name);
	}
	while (!err && next_volume(&list, &v))
		err = mount_volume(to, &v);
	if (!err)
		err = mount_port_file(to, port_file);
	if (to->userns >= 0)
		close(to->userns);
	return err;
}

static void mark_path(const char *rootfs, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/" VOLUMES_MARK, (int)(strrchr(rootfs, '/') - rootfs), rootfs);
}

static bool may_be_mounted(const char *rootfs)
{
	char mark[PATH_MAX];

	mark_path(rootfs, mark);
	return !access(mark, F_OK);
}

static int mark_mounted(const char *rootfs)
{
	char mark[PATH_MAX];
	int fd;

	mark_path(rootfs, mark);
	fd = open(mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return dre_fail_errno(errno, "%s", mark);
	close(fd);
	return 0;
}

int volumes_mount(const char *name, const struct manifest *m, const char *rootfs,
		  const char *port_file)
{
	struct mounting to = { .name = name, .userns = -1 };
	struct idmap map;
	const char *list;
	int err = get_list(name, m, &list);

	if (!err && may_be_mounted(rootfs))
		err = volumes_unmount(name, rootfs);
	if (!err)
		err = container_idmap(name, m, &map);
	if (err || (!list && !port_file))
		return err;
	err = mark_mounted(rootfs);
	if (err)
		return err;
	to.rootfs = open(rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to.rootfs < 0)
		return dre_fail_errno(errno, "%s", rootfs);
	err = mount_all(&to, &map, list, port_file);
	close(to.rootfs);
	if (err) {
		struct saved_error saved;

		save_error(&saved);
		volumes_unmount(name, rootfs);
		restore_error(&saved);
	}
	return err;
}

/*
 * Unmounting.
 */

/* A mount below a root file system. */
struct below {
	unsigned int id;
	char path[PATH_MAX];	/* begins with a slash, from that root on; "": there is none */
};

/* Each blank and the like is "\\040" there. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* The last one below @rootfs, which nothing is mounted over. */
static int last_mount(const char *rootfs, struct below *last)
{
	char *line = NULL, where[PATH_MAX];
	size_t size = 0, len = strlen(rootfs);
	unsigned int id;
	/* Threads may have mount namespaces of their own. */
	FILE *f = fopen("/proc/thread-self/mountinfo", "re");

	*last->path = '\0';
	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%u %*s %*s %*s %4095s", &id, where) != 2)
			continue;
		unescape(where);
		if (!strncmp(where, rootfs, len) && where[len] == '/') {
			last->id = id;
			strcpy(last->path, where + len);
		}
	}
	free(line);
	fclose(f);
	return 0;
}

/*
 * A container that shares a directory in which another one has a mount may put a link in the place of what leads
 * there, at any time: so what is there is looked at, and that is unmounted, not what is there by then.
 */
static int unmount(int rootfs, const struct below *mount)
{
	char name[sizeof("/proc/thread-self/fd/") + 12];
	int err = 0, fd = file_openat2(rootfs, mount->path + 1, O_PATH, FILE_NO_LINKS);
	struct statx st = {};

	if (fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", fd);
	if (!statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) &&
	    (!(st.stx_mask & STATX_MNT_ID) || st.stx_mnt_id != mount->id))
		err = -ESTALE;
	else if (!st.stx_mask || umount2(name, MNT_DETACH))
		err = -errno;
	close(fd);
	return err;
}

/* How often it is looked again where a mount is whose path has changed meanwhile. */
#define TRIES	1000

static bool is_elsewhere(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -EXDEV || err == -EAGAIN ||
	       err == -ESTALE || err == -EINVAL;
}

static int unmount_all(int fd, const char *rootfs, struct below *mount)
{
	int err = last_mount(rootfs, mount), tries = 0;

	while (!err && *mount->path) {
		err = unmount(fd, mount);
		if (is_elsewhere(err) && ++tries < TRIES)
			err = 0;
		if (!err)
			err = last_mount(rootfs, mount);
	}
	return err;
}

/* Whoever of the host is in one of them keeps it for himself: it is the host's directory anyway. */
int volumes_unmount(const char *name, const char *rootfs)
{
	struct below mount = {};
	int fd = open(rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err = fd < 0 ? -errno : unmount_all(fd, rootfs, &mount);
	char mark[PATH_MAX];

	if (fd >= 0)
		close(fd);
	if (!err || (fd < 0 && err == -ENOENT)) {
		mark_path(rootfs, mark);
		unlink(mark);
		return 0;
	}
	return dre_fail_errno(-err, "container '%s': cannot unmount %s%s", name, rootfs, mount.path);
}
