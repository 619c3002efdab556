// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a container is made of.
 */
#include <errno.h>

#include "app.h"
#include "common/info.h"
#include "console.h"

static void add_path(struct info *info, const struct app *app, const char *key, const char *file)
{
	char path[PATH_MAX];

	if (app_path(app->store, app->name, file, path))
		info->err = ENAMETOOLONG;
	else
		info_add(info, "%s=%s", key, path);
}

static void collect(struct info *info, const struct app *app, const struct manifest *m)
{
	struct idmap map = {};

	container_idmap(app->name, m, &map);
	info_add(info, "base=%s", m->base ? m->base : "");
	info_add(info, "privileged=%s", map.count ? "no" : "yes");
	info_add(info, "first_id=%u", map.first);
	info_add(info, "ids=%u", map.count);
	info_add_layers(info, m);
	info_add(info, "writable=%s/layers/%s", store_root(app->store), m->writable);
	add_path(info, app, "rootfs", "rootfs");
	add_path(info, app, "config", "config");
	add_path(info, app, "log", CONSOLE_LOG);
	info_add_times(info, app->store, app->name);
	info_add_settings(info, m);
}

dre_return_t dre_app_get_info(const dre_app_handle *h, dre_list_t *list)
{
	struct info info = {};
	struct manifest m = {};
	struct app app;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = app_begin_handle(&app, h, APP_LOOK);
	if (err)
		return err;
	err = container_read(app.store, app.name, &m);
	if (!err) {
		collect(&info, &app, &m);
		err = info_end(&info, "container", app.name, list);
	}
	manifest_free(&m);
	app_end(&app);
	return err;
}

dre_return_t dre_app_get_base_info(const char *base, dre_list_t *list)
{
	struct store *store = NULL;
	struct dre_config config;
	int err;

	if (!base || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				base ? "pointer to the list" : "base image's name");
	err = dre_check_name("base image", base);
	if (!err)
		err = app_open_store(&config, &store);
	if (!err)
		err = info_of_base(store, base, list);
	store_close(store);
	return err;
}

dre_return_t dre_app_release_info(dre_list_t list)
{
	return store_release_list(list);
}
