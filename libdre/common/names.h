/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of containers, base images, snapshots and control groups: one to 63
 * bytes of the form [A-Za-z0-9][A-Za-z0-9_.-]*. Such a name is a file name
 * that no directory reserves, and needs no quoting anywhere.
 */
#ifndef DRE_COMMON_NAMES_H
#define DRE_COMMON_NAMES_H

#include <stdbool.h>

#define DRE_NAME_MAX 63

bool dre_name_valid(const char *name);

/*
 * Returns 0 if @name is well formed, else DRE_ERR_NULL_POINTER,
 * DRE_ERR_REQUEST_TOO_LONG or DRE_ERR_INVALID_ARGUMENT, checked in this order,
 * with the error text set. @what says in the text what is named: "container".
 */
int dre_check_name(const char *what, const char *name);

#endif /* DRE_COMMON_NAMES_H */
