// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "hard_links.h"

/* What is remembered, at most: some hundred thousand files of which not all names were met yet. */
#define MAX_REMEMBERED	(64 * 1024 * 1024)

struct hard_link {
	dev_t dev;
	ino_t ino;
	nlink_t left;	/* names that were not met yet */
	size_t size;	/* what it takes of MAX_REMEMBERED */
	char path[];
};

static int compare(const void *a, const void *b)
{
	const struct hard_link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static struct hard_link *new_link(const struct stat *st, const char *path)
{
	size_t size = sizeof(struct hard_link) + strlen(path) + 1;
	struct hard_link *link = malloc(size);

	if (!link)
		return NULL;
	link->dev = st->st_dev;
	link->ino = st->st_ino;
	link->left = st->st_nlink;
	link->size = size;
	strcpy(link->path, path);
	return link;
}

/* With its last name it goes, when the caller has read the path. */
static void count(struct hard_links *links, struct hard_link *link)
{
	if (--link->left)
		return;
	tdelete(link, &links->tree, compare);
	links->remembered -= link->size;
	links->last = link;
}

int hard_links_meet(struct hard_links *links, const struct stat *st, const char *path,
		    const char **first)
{
	struct hard_link *link, **found;

	*first = NULL;
	free(links->last);
	links->last = NULL;
	if (st->st_nlink < 2)
		return 0;
	link = new_link(st, path);
	found = link ? tsearch(link, &links->tree, compare) : NULL;
	if (!found) {
		free(link);
		return -ENOMEM;
	}
	if (*found == link) {
		link->left--;
		links->remembered += link->size;
		return links->remembered > MAX_REMEMBERED ? -E2BIG : 0;
	}
	free(link);
	link = *found;
	*first = link->path;
	count(links, link);
	return 0;
}

void hard_links_free(struct hard_links *links)
{
	tdestroy(links->tree, free);
	free(links->last);
	*links = (struct hard_links){};
}
