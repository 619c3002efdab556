/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks at all of a store: what a crash, a disk or somebody's hands have left.
 */
#ifndef DRE_COMMON_FSCK_H
#define DRE_COMMON_FSCK_H

#include <stdbool.h>

#include "store.h"

struct fsck {
	/* Mend what can be mended without losing anything that a manifest may name. */
	bool repair;
	/*
	 * Move manifests that cannot be understood to lost/XXXXXXXX, with the whole container where it
	 * is the container's own, and all layers that no other manifest names.
	 */
	bool set_aside;
	/* Something is wrong with what is at @path below the root. */
	void (*problem)(void *arg, const char *path, const char *what, bool repaired);
	/* Is the container stopped? It is locked. */
	bool (*stopped)(void *arg, const char *container);
	void *arg;
};

/*
 * Nobody can change the store meanwhile. 0, whatever was found; or a DRE_ERR_* code with the error
 * text set if it could not be looked at: DRE_ERR_DEVICE_BUSY while somebody changes the
 * store.
 */
int store_fsck(struct store *s, const struct fsck *fsck);

#endif /* DRE_COMMON_FSCK_H */
