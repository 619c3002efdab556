// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handles: a type and a name in one piece of memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"

dre_app_handle *dre_app_open(const char *name)
{
	dre_app_handle *h;
	struct app app;

	if (app_begin(&app, name, APP_LOOK))
		return NULL;
	app_end(&app);
	h = malloc(sizeof(*h) + strlen(name) + 1);
	if (!h) {
		dre_fail_errno(ENOMEM, "container '%s'", name);
		return NULL;
	}
	h->type = DRE_APP_CONTAINER_TYPE_LXC;
	h->name = strcpy((char *)(h + 1), name);
	return h;
}

dre_return_t dre_app_close(const dre_app_handle *h)
{
	if (!h)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's handle is NULL");
	free((void *)h);
	return 0;
}
