// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Snapshots of stopped containers, and base images made of them.
 */
#include "app.h"
#include "common/base.h"
#include "common/snapshot.h"

/* Its root may still be mounted, by an earlier start that failed: app_begin() has unmounted it. */
static int begin(struct app *app, const dre_app_handle *h, const char *tag)
{
	int err = app_begin_tag(app, h, "snapshot", tag);

	if (err)
		return err;
	err = app_require(app, APP_STOPPED, APP_STOPPED);
	if (err)
		app_end(app);
	return err;
}

static int change(const dre_app_handle *h, const char *tag,
		  int (*fn)(struct container *c, const char *tag), int failed)
{
	struct app app;
	int err = begin(&app, h, tag);

	if (err)
		return err;
	err = dre_fail_as(fn(app.container, tag), failed);
	app_end(&app);
	return err;
}

dre_return_t dre_app_save_snapshot(const dre_app_handle *h, const char *tag)
{
	return change(h, tag, snapshot_save, DRE_ERR_SAVE_SNAPSHOT_FAILED);
}

dre_return_t dre_app_load_snapshot(const dre_app_handle *h, const char *tag)
{
	return change(h, tag, snapshot_load, DRE_ERR_LOAD_SNAPSHOT_FAILED);
}

dre_return_t dre_app_remove_snapshot(const dre_app_handle *h, const char *tag)
{
	return change(h, tag, snapshot_remove, DRE_ERR_REMOVE_SNAPSHOT_FAILED);
}

dre_return_t dre_app_commit_snapshot(const dre_app_handle *h, const char *tag, const char *base)
{
	struct app app;
	int err;

	if (!base)
		return dre_fail(DRE_ERR_NULL_POINTER, "the base image's name is NULL");
	err = h && tag ? dre_check_name("base image", base) : 0;
	if (!err)
		err = begin(&app, h, tag);
	if (err)
		return err;
	err = dre_fail_as(snapshot_commit(app.container, tag, base), DRE_ERR_COMMIT_SNAPSHOT_FAILED);
	app_end(&app);
	return err;
}

dre_return_t dre_app_get_snapshot_list(const dre_app_handle *h, dre_list_t *list)
{
	struct app app;
	int err = app_begin_list(&app, h, list);

	if (err)
		return err;
	err = snapshot_list(app.store, app.name, list);
	app_end(&app);
	return err;
}

dre_return_t dre_app_remove_base(const char *base)
{
	struct dre_config config;
	struct store *store = NULL;
	int err = dre_check_name("base image", base);

	if (!err)
		err = app_open_store(&config, &store);
	if (!err)
		err = dre_fail_as(base_remove(store, base), DRE_ERR_REMOVE_BASE_FAILED);
	store_close(store);
	return err;
}
