// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where liblxc finds its directories and control groups.
 */
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "common/cgroupfs.h"

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

/*
 * liblxc takes ".." in a control group's path for the directory above, also
 * where it is a part of a name. There a colon, which no name has, stands for
 * the second dot.
 */
void app_group(const char *kind, const char *name, char path[APP_GROUP_SIZE])
{
	char *dots;

	snprintf(path, APP_GROUP_SIZE, "dre/%s/%s", kind, name);
	while ((dots = strstr(path, "..")))
		dots[1] = ':';
}

/* A container's root passes the groups above. */
int app_group_make(char path[APP_GROUP_SIZE], int *group)
{
	int err;

	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		err = cgroupfs_create(path);
		*slash = '/';
		if (err && err != DRE_ERR_CGROUP_EXISTENCE)
			return err;
	}
	err = cgroupfs_create(path);
	return !err || err == DRE_ERR_CGROUP_EXISTENCE ? cgroupfs_open_group(path, group) : err;
}
