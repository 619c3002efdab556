/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the makers of base images share.
 */
#ifndef DRE_COMMON_BASE_PRIVATE_H
#define DRE_COMMON_BASE_PRIVATE_H

#include "base.h"

/*
 * Makes a base image of one layer, which @fill fills. Without a trace if it fails:
 * DRE_ERR_BASE_EXISTENCE, what @fill returned, what the kind of layer finds wrong with it then.
 */
typedef int (*base_fill_fn)(void *arg, int layer_fd);

int base_make(struct store *store, const char *name, base_fill_fn fill, void *arg);

/*
 * Makes the base called "busybox" from @program, a busybox of the host. DRE_ERR_BASE_NONEXISTENCE
 * if that is missing or not statically linked, DRE_ERR_BASE_EXISTENCE if the base is there.
 */
int base_build_busybox(struct store *store, const char *program);

/*
 * Finds the init of a tree, and the settings that follow from its kind. DRE_ERR_INVALID_ARGUMENT:
 * there is none that can be executed. @base is for the error text.
 */
int base_detect_init(int tree_fd, const char *base, struct manifest *m);

#endif /* DRE_COMMON_BASE_PRIVATE_H */
