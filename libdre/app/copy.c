// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copying and renaming containers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "common/checkpoint.h"
#include "common/snapshot.h"
#include "network.h"

/* liblxc's part of the copy; without it, there is none. Takes @made over. */
static int complete(const struct app *app, struct container *made)
{
	struct app copy = { .config = app->config, .store = app->store, .container = made };
	struct saved_error saved;
	int err;

	strcpy(copy.name, made->name);
	err = app_write_lxc(&copy, &made->manifest);
	if (err) {
		save_error(&saved);
		app_remove_lxc(app->store, copy.name);
		if (container_remove(made) == 0)
			made = NULL;
		restore_error(&saved);
	}
	container_unlock(made);
	return err;
}

/* The settings of the copy, and what comes of them: app->config is the copy's then. */
static int choose_settings(struct app *app, const dre_app_property *properties, struct manifest *settings)
{
	struct dre_config before = app->config;
	int err = manifest_copy_settings(settings, &app->container->manifest);

	if (!err)
		err = manifest_set(settings, SETTING_MAC, NULL);
	if (err)
		return dre_fail_errno(-err, "cannot copy container '%s'", app->name);
	err = network_choose_mac(settings);
	if (err || !properties)
		return err;
	err = app_put_properties(settings, properties);
	if (!err)
		err = dre_config_load(&app->config);
	if (!err)
		err = app_configure(&app->config, app->name, settings);
	return err ? err : app_check_limits(app, &before);
}

static int copy(struct app *app, const char *snapshot, const char *name, const dre_app_property *properties)
{
	struct idmap pool = { app->config.idmap_base, app->config.idmap_size };
	struct manifest settings = {};
	struct container *made;
	int err = choose_settings(app, properties, &settings);

	if (!err)
		err = snapshot_copy(app->container, snapshot, name, &settings, &pool, &made);
	manifest_free(&settings);
	return err ? err : complete(app, made);
}

dre_return_t dre_app_copy_with(const dre_app_handle *h, const char *snapshot, const char *name,
			       const dre_app_copy_options *options)
{
	struct app app;
	int err;

	if (!h || !name || !options)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				!h ? "container's handle is" : !name ? "copy's name is" : "options are");
	err = app_check_handle(h);
	if (!err && snapshot)
		err = dre_check_name("snapshot", snapshot);
	if (!err)
		err = dre_check_name("container", name);
	if (!err && options->size != sizeof(*options))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "options for a copy that this library does not know");
	if (!err && options->properties)
		err = app_check_properties(options->properties);
	if (!err)
		err = app_begin(&app, h->name, APP_CHANGE);
	if (err)
		return err;
	if (!snapshot)
		err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err)
		err = copy(&app, snapshot, name, options->properties);
	app_end(&app);
	return err;
}

dre_return_t dre_app_copy(const dre_app_handle *h, const char *snapshot, const char *name)
{
	static const dre_app_copy_options same = { .size = sizeof(same) };

	return dre_app_copy_with(h, snapshot, name, &same);
}

/* liblxc's directory has nothing of its own but logs; what is missing of it is made again. */
static int move_lxc(const struct app *app, const char *from, const char *to)
{
	char old[PATH_MAX], new[PATH_MAX];
	int err = app_remove_lxc(app->store, to);

	if (!err)
		err = app_path(app->store, from, "", old);
	if (!err)
		err = app_path(app->store, to, "", new);
	if (!err && rename(old, new) && errno != ENOENT)
		err = dre_fail_errno(errno, "cannot rename %s", old);
	return err;
}

static int rename_to(struct app *app, const char *name)
{
	char old[DRE_NAME_MAX + 1];
	struct saved_error saved;
	int err;

	strcpy(old, app->name);
	err = container_rename(app->container, name);
	if (err)
		return err;
	err = move_lxc(app, old, name);
	if (!err) {
		strcpy(app->name, name);
		err = app_write_lxc(app, &app->container->manifest);
	}
	if (err) {
		save_error(&saved);
		strcpy(app->name, old);
		container_rename(app->container, old);
		move_lxc(app, name, old);
		restore_error(&saved);
	}
	return err;
}

dre_return_t dre_app_rename(const dre_app_handle *h, const char *name)
{
	struct app app;
	int err;

	if (!h || !name)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "new name is" : "container's handle is");
	err = app_check_handle(h);
	if (!err)
		err = dre_check_name("container", name);
	if (!err)
		err = app_begin(&app, h->name, APP_CHANGE);
	if (err)
		return err;
	err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err)
		err = checkpoint_check_none(app.store, app.name);
	if (!err)
		err = rename_to(&app, name);
	app_end(&app);
	return err;
}
