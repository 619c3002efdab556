/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file has beside its name and content: owner, mode, times, extended
 * attributes, access lists.
 */
#ifndef DRE_COMMON_ATTR_H
#define DRE_COMMON_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct attr_x {
	char *name;
	void *value;
	size_t size;
};

struct attr {
	mode_t mode;		/* with the file's type */
	uid_t uid;
	gid_t gid;
	struct timespec times[2];	/* of access and modification; UTIME_OMIT: as it comes */
	struct attr_x *xattrs;
	size_t nr_xattrs;
	bool optional;		/* extended attributes: only where the file system has such */
};

#define ATTR_XATTR_MAX 65536	/* the kernel's limits for a value, and for a list of names */

/*
 * Only attributes that belong to the file are carried from one file system to
 * another: those in user., trusted. and security. and POSIX access lists.
 * Others ("system.nfs4_acl", "btrfs.compression") are properties of the file
 * system it happens to be on.
 */
int attr_portable(const char *xattr);

/*
 * These return 0 or a negative errno. attr_apply() is for a file that was just
 * made; extended attributes that it has in addition stay. It follows no symbolic link.
 */
int attr_read(struct attr *a, int dir_fd, const char *name, const struct stat *st);
int attr_add(struct attr *a, const char *xattr, const void *value, size_t size);
/* Drops the extended attributes that begin so. */
void attr_remove(struct attr *a, const char *prefix);
int attr_apply(const struct attr *a, int dir_fd, const char *name);
void attr_free(struct attr *a);

#endif /* DRE_COMMON_ATTR_H */
