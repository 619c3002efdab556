// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starting a container.
 */
#include <unistd.h>

#include "app.h"
#include "common/rootfs.h"

static int start(const struct app *app)
{
	const struct manifest *m = &app->container->manifest;
	char rootfs[PATH_MAX];
	int dre, err;

	err = app_module_open(&dre);
	if (err)
		return err;
	close(dre);
	err = app_write_lxc(app, m);
	if (!err)
		err = app_path(app->store, app->name, "rootfs", rootfs);
	if (!err)
		err = rootfs_mount(app->store, app->name, m, rootfs);
	if (!err)
		err = app_helper_start(app);
	return err;
}

/* liblxc may have made a daemon of it, and its helper been killed, before it could say so. */
void app_undo_start(const struct app *app)
{
	struct saved_error saved;

	if (app_state(app) == APP_STOPPED)
		return;
	save_error(&saved);
	app->lxc->stop(app->lxc);
	app->lxc->wait(app->lxc, "STOPPED", KILL_TIMEOUT);
	restore_error(&saved);
}

dre_return_t dre_app_start(const dre_app_handle *h)
{
	struct app app;
	int err = app_begin_handle(&app, h, APP_CHANGE);

	if (err)
		return err;
	err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err) {
		err = start(&app);
		if (err)
			app_undo_start(&app);
	}
	app_end(&app);	/* what is stopped is cleaned up there */
	return err;
}
