/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Base images: manifests without a writable layer, which containers are made from.
 * Functions return 0 or a DRE_ERR_* code with the error text set. @name is
 * checked with dre_check_name() by each of them.
 */
#ifndef DRE_COMMON_BASE_H
#define DRE_COMMON_BASE_H

#include <stdbool.h>

#include "manifest.h"
#include "store.h"

/* The name of the base image that base_ensure() can make by itself. */
#define BASE_BUSYBOX "busybox"

/* DRE_ERR_BASE_NONEXISTENCE; a damaged manifest is DRE_ERR_INVALID_ARGUMENT. manifest_free() @m. */
int base_read(struct store *store, const char *name, struct manifest *m);

/*
 * Makes sure that a container can be made from @name: succeeds at once if the
 * base exists, and builds the one called "busybox" from the host's
 * statically linked busybox if it does not. Several may do so at once.
 */
int base_ensure(struct store *store, const char *name);

/* Was a container or a snapshot made from it? */
int base_in_use(struct store *store, const char *name, bool *in_use);

/* DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_REMOVE_BASE_FAILED if it is in use. */
int base_remove(struct store *store, const char *name);

#endif /* DRE_COMMON_BASE_H */
