// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "hard_links.h"

struct hard_link {
	dev_t dev;
	ino_t ino;
	char path[];
};

static int compare(const void *a, const void *b)
{
	const struct hard_link *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

int hard_links_meet(struct hard_links *links, const struct stat *st, const char *path,
		    const char **first)
{
	struct hard_link *link, **found;

	*first = NULL;
	if (st->st_nlink < 2)
		return 0;
	link = malloc(sizeof(*link) + strlen(path) + 1);
	if (!link)
		return -ENOMEM;
	link->dev = st->st_dev;
	link->ino = st->st_ino;
	strcpy(link->path, path);
	found = tsearch(link, &links->tree, compare);
	if (found && *found == link)
		return 0;
	free(link);
	if (!found)
		return -ENOMEM;
	*first = (*found)->path;
	return 0;
}

void hard_links_free(struct hard_links *links)
{
	tdestroy(links->tree, free);
	links->tree = NULL;
}
