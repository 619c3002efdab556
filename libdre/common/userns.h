/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_COMMON_USERNS_H
#define DRE_COMMON_USERNS_H

#include "container.h"

/*
 * Makes a user namespace with nobody in it, whose ids 0 ... are the host's from map->first on: for
 * the mount that gives files those ids. A fd of it, or a negative errno.
 */
int userns_open(const struct idmap *map);

#endif /* DRE_COMMON_USERNS_H */
