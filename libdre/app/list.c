// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lists of names, and their release.
 */
#include <stdlib.h>

#include "app.h"

static int list_names(dre_list_t *list, int (*get)(struct store *, char ***))
{
	struct dre_config config;
	struct store *store = NULL;
	char **names;
	int err;

	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the list is NULL");
	err = app_open_store(&config, &store);
	if (!err)
		err = get(store, &names);
	if (!err)
		*list = names;
	store_close(store);
	return err;
}

dre_return_t dre_app_get_container_list(dre_list_t *list)
{
	return list_names(list, store_list_containers);
}

dre_return_t dre_app_get_base_list(dre_list_t *list)
{
	return list_names(list, store_list_bases);
}

dre_return_t dre_app_release_base_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_app_release_cgroup_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_app_release_checkpoint_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_app_release_container_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_app_release_snapshot_list(dre_list_t list)
{
	return store_release_list(list);
}
