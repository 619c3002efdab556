// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lists of names, and their release.
 */
#include "sys.h"

static int list_names(dre_list_t *list, int (*get)(struct store *, char ***))
{
	struct store *store = NULL;
	struct dre_config config;
	char **names;
	int err;

	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the list is NULL");
	err = sys_open_store(&config, &store);
	if (!err)
		err = get(store, &names);
	if (!err)
		*list = names;
	store_close(store);
	return err;
}

dre_return_t dre_sys_get_container_list(dre_list_t *list)
{
	return list_names(list, store_list_containers);
}

dre_return_t dre_sys_get_base_list(dre_list_t *list)
{
	return list_names(list, store_list_bases);
}

static int release(dre_list_t list)
{
	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	store_free_list(list);
	return 0;
}

dre_return_t dre_sys_release_base_list(dre_list_t list)
{
	return release(list);
}

dre_return_t dre_sys_release_cgroup_list(dre_list_t list)
{
	return release(list);
}

dre_return_t dre_sys_release_checkpoint_list(dre_list_t list)
{
	return release(list);
}

dre_return_t dre_sys_release_container_list(dre_list_t list)
{
	return release(list);
}

dre_return_t dre_sys_release_snapshot_list(dre_list_t list)
{
	return release(list);
}
