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

dre_return_t dre_app_copy(const dre_app_handle *h, const char *snapshot, const char *name)
{
	struct container *made;
	struct idmap pool;
	struct app app;
	int err;

	if (!h || !name)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "copy's name is" : "container's handle is");
	err = app_check_handle(h);
	if (!err && snapshot)
		err = dre_check_name("snapshot", snapshot);
	if (!err)
		err = dre_check_name("container", name);
	if (!err)
		err = app_begin(&app, h->name, APP_CHANGE);
	if (err)
		return err;
	pool = (struct idmap){ app.config.idmap_base, app.config.idmap_size };
	if (!snapshot)
		err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err)
		err = snapshot_copy(app.container, snapshot, name, NULL, &pool, &made);
	if (!err)
		err = complete(&app, made);
	app_end(&app);
	return err;
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
