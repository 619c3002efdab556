/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes a tree member by member, by path, as archives do. Paths come from
 * whoever made the archive. They are taken as the tree's own root would see
 * them ("/etc/x", "./etc/x" and "etc/x" are the same); one that has ".." in
 * it, or leads through a symbolic link, is refused, so nothing can be written
 * outside the tree's top directory, and nothing is ever read from it.
 *
 * Functions return 0 or a negative errno. What a bad path causes: -EXDEV
 * (".."), -ELOOP (symbolic link), -ENOTDIR, -ENAMETOOLONG, -EINVAL (empty). -E2BIG:
 * there are more directories, or they have more attributes, than can be remembered.
 */
#ifndef DRE_COMMON_TREE_WRITER_H
#define DRE_COMMON_TREE_WRITER_H

#include "attr.h"

struct tree_writer;

/* @top_fd, the top directory, stays the caller's and must live longer. NULL: no memory. */
struct tree_writer *tree_writer_new(int top_fd);
void tree_writer_free(struct tree_writer *w);

/*
 * Each makes the directories that lead to @path, where they are missing (0755, root's), and
 * takes the place of a file that is there; but a directory only of an empty one.
 *
 * What a directory has beside its name is applied by tree_writer_finish(): its entries
 * change its times, and would inherit its access list. Of two for one directory the later
 * one counts.
 */
int tree_writer_directory(struct tree_writer *w, const char *path, const struct attr *attr);
int tree_writer_symlink(struct tree_writer *w, const char *path, const char *target,
			const struct attr *attr);
int tree_writer_special(struct tree_writer *w, const char *path, dev_t dev,
			const struct attr *attr);
int tree_writer_link(struct tree_writer *w, const char *path, const char *existing);

/*
 * A regular file: stores a fd to write its data to. tree_writer_close() closes it, sets
 * its size (what was not written is a hole) and attributes.
 */
int tree_writer_open(struct tree_writer *w, const char *path, int *fd);
int tree_writer_close(struct tree_writer *w, int fd, off_t size, const struct attr *attr);

/* Completes the directories. */
int tree_writer_finish(struct tree_writer *w);

#endif /* DRE_COMMON_TREE_WRITER_H */
