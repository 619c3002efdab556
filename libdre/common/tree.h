/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole directory trees with any content, names and links that a hostile
 * owner may have made: nothing here follows a symbolic link, opens a device
 * or leaves the tree it was given.
 */
#ifndef DRE_COMMON_TREE_H
#define DRE_COMMON_TREE_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Removes @name in @dir_fd with all that is in it: trees of any depth, with
 * immutable and append-only files. What is already gone is no error: two may
 * remove the same tree. -EXDEV: something is mounted in it. 0 or a negative errno.
 */
int tree_remove(int dir_fd, const char *name);

/* Called with the number of bytes of file data that were copied since the last call. */
struct tree_progress {
	void (*copied)(struct tree_progress *p, uint64_t bytes);
};

/*
 * Copies all that is in directory @src into directory @dst, which is empty,
 * with @src's own attributes. A directory that something is mounted on, and
 * the directory with device and inode number of @skip, are copied empty.
 * 0 or a DRE_ERR_* code with the error text set, which names files below @what.
 */
struct stat;
int tree_copy(int src, int dst, const struct stat *skip, const char *what,
	      struct tree_progress *progress);

#endif /* DRE_COMMON_TREE_H */
