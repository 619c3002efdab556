// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: a type and a name in one piece of memory. libvirt is not asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"

static int check_exists(const char *name)
{
	struct store *store = NULL;
	struct dre_config config;
	bool shared;
	int err = dre_check_name("container", name);

	if (!err)
		err = sys_open_store_of(&config, name, &store, &shared);
	if (!err)
		err = container_check_exists(store, name);
	store_close(store);
	return err;
}

dre_sys_handle *dre_sys_open(const char *name)
{
	dre_sys_handle *h;

	if (check_exists(name))
		return NULL;
	h = malloc(sizeof(*h) + strlen(name) + 1);
	if (!h) {
		dre_fail_errno(ENOMEM, "container '%s'", name);
		return NULL;
	}
	h->type = DRE_SYS_CONTAINER_TYPE_KVM;
	h->name = strcpy((char *)(h + 1), name);
	return h;
}

dre_return_t dre_sys_close(const dre_sys_handle *h)
{
	if (!h)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's handle is NULL");
	free((void *)h);
	return 0;
}
