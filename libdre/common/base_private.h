/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the makers of base images share.
 */
#ifndef DRE_COMMON_BASE_PRIVATE_H
#define DRE_COMMON_BASE_PRIVATE_H

#include "base.h"

/*
 * Makes a base image of one layer, which @fill fills. Without a trace if it fails:
 * DRE_ERR_BASE_EXISTENCE, what @fill returned, DRE_ERR_INVALID_ARGUMENT if there is no init in
 * it then. The kind of init decides about the settings.
 */
typedef int (*base_fill_fn)(void *arg, int layer_fd);

int base_make(struct store *store, const char *name, base_fill_fn fill, void *arg);

/*
 * Makes the base called "busybox" from @program, a busybox of the host. DRE_ERR_BASE_NONEXISTENCE
 * if that is missing or not statically linked, DRE_ERR_BASE_EXISTENCE if the base is there.
 */
int base_build_busybox(struct store *store, const char *program);

#endif /* DRE_COMMON_BASE_PRIVATE_H */
