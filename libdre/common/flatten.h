/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_COMMON_FLATTEN_H
#define DRE_COMMON_FLATTEN_H

#include "container.h"

/*
 * Makes one layer of all that the container is made of, the writable one included, within a change.
 * The container is locked, its root unmounted.
 */
int flatten(struct container *c, layer_name_t layer);

#endif /* DRE_COMMON_FLATTEN_H */
