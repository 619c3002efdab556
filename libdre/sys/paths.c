// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where things of a container are in the store.
 */
#include <stdio.h>

#include "sys.h"

static int make_path(const struct sys *sys, const char *dir, const char *name, const char *file,
		     char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s/%s%s%s", store_root(sys->store), dir, name,
		     *file ? "/" : "", file) < PATH_MAX)
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the image store is too long");
}

int sys_path(const struct sys *sys, const char *file, char path[PATH_MAX])
{
	return make_path(sys, "containers", sys->name, file, path);
}

int sys_layer_path(const struct sys *sys, const char *layer, char path[PATH_MAX])
{
	return make_path(sys, "layers", layer, "", path);
}
