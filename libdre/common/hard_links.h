/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files with more than one link, and the path under which each was met first. Whose files they are can make any number of
 * them: what is remembered ends with a file's last name, and has a limit.
 */
#ifndef DRE_COMMON_HARD_LINKS_H
#define DRE_COMMON_HARD_LINKS_H

#include <sys/stat.h>

/* All zero is the empty one. */
struct hard_links {
	void *tree;		/* for tsearch(3) */
	void *last;		/* a file that was met the last time, under its last name */
	size_t remembered;	/* bytes */
};

/*
 * Returns the path under which the file of @st was met before in *@first, until the next call, or NULL and remembers
 * @path. 0, -ENOMEM, or -E2BIG: it would be too much.
 */
int hard_links_meet(struct hard_links *links, const struct stat *st, const char *path,
		    const char **first);
void hard_links_free(struct hard_links *links);

#endif /* DRE_COMMON_HARD_LINKS_H */
