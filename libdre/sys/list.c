// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lists of names, and their release.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"

typedef int (*list_fn)(const struct dre_config *config, struct store *store, char ***names);

static int list_names(dre_list_t *list, list_fn get)
{
	struct store *store = NULL;
	struct dre_config config;
	char **names;
	int err;

	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the list is NULL");
	err = sys_open_store(&config, &store);
	if (!err)
		err = get(&config, store, &names);
	if (!err)
		*list = names;
	store_close(store);
	return err;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t count(char *const *names)
{
	size_t nr = 0;

	while (names[nr])
		nr++;
	return nr;
}

/* The names of both. What is in both stores is local. @more is freed if it succeeds. */
static int add_names(char ***names, char **more)
{
	size_t nr = count(*names), local = nr;
	char **grown = reallocarray(*names, nr + count(more) + 1, sizeof(*grown));

	if (!grown)
		return dre_fail_errno(ENOMEM, "the containers");
	for (char **name = more; *name; name++) {
		if (bsearch(name, grown, local, sizeof(*grown), compare))
			free(*name);
		else
			grown[nr++] = *name;
	}
	free(more);
	grown[nr] = NULL;
	qsort(grown, nr, sizeof(*grown), compare);
	*names = grown;
	return 0;
}

static int list_shared(const struct dre_config *config, char ***names)
{
	struct store *store = NULL;
	int err = sys_open_shared(config, &store);

	if (!err)
		err = store_list_containers(store, names);
	store_close(err ? NULL : store);
	return err;
}

static int list_none(char ***names)
{
	*names = calloc(1, sizeof(**names));
	return *names ? 0 : dre_fail_errno(ENOMEM, "the containers");
}

/* A server that does not answer keeps nobody from those that are here. */
static int list_all(const struct dre_config *config, struct store *store, char ***names)
{
	char **shared;
	int err = store_list_containers(store, names);

	if (err || !*config->sys.nfs.server || list_shared(config, &shared))
		return err;
	err = add_names(names, shared);
	if (err) {
		store_free_list(shared);
		store_free_list(*names);
	}
	return err;
}

dre_return_t dre_sys_get_container_list(dre_list_t *list)
{
	return list_names(list, list_all);
}

dre_return_t dre_sys_get_shared_list(dre_list_t *list)
{
	struct dre_config config;
	char **names;
	int err;

	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the list is NULL");
	err = dre_check_privilege();
	if (!err)
		err = dre_config_load(&config);
	if (!err)
		err = *config.sys.nfs.server ? list_shared(&config, &names) : list_none(&names);
	if (!err)
		*list = names;
	return err;
}

static int list_bases(const struct dre_config *config, struct store *store, char ***names)
{
	(void)config;
	return store_list_bases(store, names);
}

dre_return_t dre_sys_get_base_list(dre_list_t *list)
{
	return list_names(list, list_bases);
}

dre_return_t dre_sys_release_base_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_sys_release_cgroup_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_sys_release_checkpoint_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_sys_release_container_list(dre_list_t list)
{
	return store_release_list(list);
}

dre_return_t dre_sys_release_snapshot_list(dre_list_t list)
{
	return store_release_list(list);
}

/* libvirt is not asked: whatever it says, they are there. */
int sys_list_of(const dre_sys_handle *h, int (*get)(struct store *store, const char *container, char ***names),
		dre_list_t *list)
{
	struct store *store = NULL;
	struct dre_config config;
	bool shared;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = sys_check_handle(h);
	if (!err)
		err = sys_open_store_of(&config, h->name, &store, &shared);
	if (!err)
		err = container_check_exists(store, h->name);
	if (!err)
		err = get(store, h->name, list);
	store_close(store);
	return err;
}
