// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a container is made of.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "app.h"
#include "console.h"

/* A list that grows. After a failure it stays as it is. */
struct info {
	char **list;
	size_t nr;
	int err;
};

static void add(struct info *info, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct info *info, const char *fmt, ...)
{
	char **list = info->err ? NULL : realloc(info->list, (info->nr + 2) * sizeof(*list));
	va_list args;

	if (!list) {
		info->err = ENOMEM;
		return;
	}
	info->list = list;
	va_start(args, fmt);
	if (vasprintf(&list[info->nr], fmt, args) < 0)
		info->err = ENOMEM;
	else
		info->nr++;
	va_end(args);
	list[info->nr] = NULL;
}

static void add_path(struct info *info, const struct app *app, const char *key, const char *file)
{
	char path[PATH_MAX];

	if (app_path(app->store, app->name, file, path))
		info->err = ENAMETOOLONG;
	else
		add(info, "%s=%s", key, path);
}

static void add_layers(struct info *info, const struct manifest *m)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; f && i < m->nr_layers; i++)
		fprintf(f, "%s%s", i ? "," : "", m->layers[i]);
	if (!f || fclose(f))
		info->err = ENOMEM;
	else
		add(info, "layers=%s", text);
	free(text);
}

static void collect(struct info *info, const struct app *app, const struct manifest *m)
{
	struct idmap map = {};

	container_idmap(app->name, m, &map);
	add(info, "base=%s", m->base ? m->base : "");
	add(info, "privileged=%s", map.count ? "no" : "yes");
	add(info, "first_id=%u", map.first);
	add(info, "ids=%u", map.count);
	add_layers(info, m);
	add(info, "writable=%s/layers/%s", store_root(app->store), m->writable);
	add_path(info, app, "rootfs", "rootfs");
	add_path(info, app, "config", "config");
	add_path(info, app, "log", CONSOLE_LOG);
	for (size_t i = 0; i < m->nr_settings; i++)
		add(info, "setting.%s=%s", m->settings[i].key, m->settings[i].value);
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
		if (info.err)
			err = dre_fail_errno(info.err, "container '%s'", app.name);
	}
	manifest_free(&m);
	app_end(&app);
	if (!err)
		*list = info.list;
	else if (info.list)
		store_free_list(info.list);
	return err;
}

dre_return_t dre_app_release_info(dre_list_t list)
{
	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	store_free_list(list);
	return 0;
}
