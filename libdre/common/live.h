/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which layers manifests name: what collection must leave. Functions return 0
 * or a DRE_ERR_* code with the error text set.
 */
#ifndef DRE_COMMON_LIVE_H
#define DRE_COMMON_LIVE_H

#include <stdbool.h>

#include "manifest.h"

struct names {
	layer_name_t *layers;
	size_t nr, room;
};

/* All zero is the empty one. Names are sorted once all are known. */
struct live {
	struct names layers;	/* all */
	struct names writable;	/* those that need their work directory */
};

int names_add(struct names *names, const char *layer);
void names_sort(struct names *names);
bool names_has(const struct names *names, const char *layer);

/* Its own, and those that it may be made of again, see former.h. */
int live_add(struct live *live, const struct manifest *m);
void live_sort(struct live *live);
void live_free(struct live *live);

/*
 * Is an entry of a directory one that should not be there? What was not completed; and with @names a
 * layer, or what belongs to one, that is not in them.
 */
bool live_is_garbage(const char *entry, const struct names *names);

#endif /* DRE_COMMON_LIVE_H */
