// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attr.h"

/*
 * There is no lsetxattrat(). The path through /proc names the entry of exactly the directory
 * that the fd is of, and works for symbolic links and devices, which cannot be opened.
 */
struct proc_path {
	char path[sizeof("/proc/thread-self/fd/2147483647/") + NAME_MAX];
};

static const char *proc_path(struct proc_path *p, int dir_fd, const char *name)
{
	snprintf(p->path, sizeof(p->path), "/proc/thread-self/fd/%d/%s", dir_fd, name);
	return p->path;
}

int attr_portable(const char *xattr)
{
	static const char *const prefixes[] = {
		"user.", "trusted.", "security.",
		"system.posix_acl_access", "system.posix_acl_default",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(xattr, prefixes[i], strlen(prefixes[i])))
			return 1;
	return 0;
}

int attr_add(struct attr *a, const char *xattr, const void *value, size_t size)
{
	struct attr_x *x;

	x = reallocarray(a->xattrs, a->nr_xattrs + 1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	a->xattrs = x;
	x += a->nr_xattrs;
	x->name = strdup(xattr);
	x->value = malloc(size ? size : 1);
	x->size = size;
	if (!x->name || !x->value) {
		free(x->name);
		free(x->value);
		return -ENOMEM;
	}
	if (size)
		memcpy(x->value, value, size);
	a->nr_xattrs++;
	return 0;
}

void attr_remove(struct attr *a, const char *prefix)
{
	size_t i, kept = 0;

	for (i = 0; i < a->nr_xattrs; i++) {
		if (strncmp(a->xattrs[i].name, prefix, strlen(prefix))) {
			a->xattrs[kept++] = a->xattrs[i];
		} else {
			free(a->xattrs[i].name);
			free(a->xattrs[i].value);
		}
	}
	a->nr_xattrs = kept;
}

static int read_xattrs(struct attr *a, const char *path, char *names, char *value)
{
	ssize_t len, size;
	const char *name;
	int ret = 0;

	len = llistxattr(path, names, ATTR_XATTR_MAX);
	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (name = names; !ret && name < names + len; name += strlen(name) + 1) {
		if (!attr_portable(name))
			continue;
		size = lgetxattr(path, name, value, ATTR_XATTR_MAX);
		if (size >= 0)
			ret = attr_add(a, name, value, size);
		else if (errno != ENODATA)	/* removed meanwhile */
			ret = -errno;
	}
	return ret;
}

int attr_read(struct attr *a, int dir_fd, const char *name, const struct stat *st)
{
	struct proc_path p;
	char *buf;
	int ret;

	*a = (struct attr){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.times = { st->st_atim, st->st_mtim },
	};
	/* Most files have none: ask before making room for the largest. */
	if (llistxattr(proc_path(&p, dir_fd, name), NULL, 0) == 0)
		return 0;
	buf = malloc(2 * ATTR_XATTR_MAX);
	if (!buf)
		return -ENOMEM;
	ret = read_xattrs(a, p.path, buf, buf + ATTR_XATTR_MAX);
	free(buf);
	if (ret)
		attr_free(a);
	return ret;
}

/* fchmodat(2) follows a symbolic link, which somebody may have put there since. */
static int change_mode(int dir_fd, const char *name, mode_t mode)
{
	int fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), ret = 0;
	struct proc_path p;

	if (fd < 0)
		return -errno;
	snprintf(p.path, sizeof(p.path), "/proc/thread-self/fd/%d", fd);
	if (chmod(p.path, mode) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * The order counts: a change of the owner clears set-user-ID bits and file capabilities, and
 * everything but the times changes the times.
 */
int attr_apply(const struct attr *a, int dir_fd, const char *name)
{
	struct proc_path p;
	size_t i;
	int ret;

	if (fchownat(dir_fd, name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(a->mode)) {
		ret = change_mode(dir_fd, name, a->mode & 07777);
		if (ret)
			return ret;
	}
	if (a->nr_xattrs)
		proc_path(&p, dir_fd, name);
	for (i = 0; i < a->nr_xattrs; i++)
		if (lsetxattr(p.path, a->xattrs[i].name, a->xattrs[i].value, a->xattrs[i].size,
			      0) < 0 && !(a->optional && errno == EOPNOTSUPP))
			return -errno;
	if (utimensat(dir_fd, name, a->times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

void attr_free(struct attr *a)
{
	size_t i;

	for (i = 0; i < a->nr_xattrs; i++) {
		free(a->xattrs[i].name);
		free(a->xattrs[i].value);
	}
	free(a->xattrs);
	a->xattrs = NULL;
	a->nr_xattrs = 0;
}
