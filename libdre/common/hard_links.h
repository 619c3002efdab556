/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with more than one link, and the path under which each was met first.
 */
#ifndef DRE_COMMON_HARD_LINKS_H
#define DRE_COMMON_HARD_LINKS_H

#include <sys/stat.h>

/* All zero is the empty one. */
struct hard_links {
	void *tree;		/* for tsearch(3) */
};

/*
 * Returns the path under which the file of @st was met before in *@first, or NULL and remembers
 * @path. 0 or -ENOMEM.
 */
int hard_links_meet(struct hard_links *links, const struct stat *st, const char *path,
		    const char **first);
void hard_links_free(struct hard_links *links);

#endif /* DRE_COMMON_HARD_LINKS_H */
