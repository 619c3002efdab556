// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where liblxc finds its directories.
 */
#include <stdio.h>

#include "app.h"

int app_lxcpath(const struct store *store, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/lxc", store_root(store)) >= PATH_MAX)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the image store is too long");
	return 0;
}

int app_path(const struct store *store, const char *name, const char *file, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/lxc/%s/%s", store_root(store), name, file) >= PATH_MAX)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the image store is too long");
	return 0;
}
