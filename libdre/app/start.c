// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starting a container, and rebooting it.
 */
#include "app.h"
#include "apparmor.h"
#include "common/kmod.h"
#include "common/limit.h"
#include "limits.h"
#include "network.h"
#include "seccomp.h"
#include "volume.h"

int app_check_start(const struct app *app)
{
	const struct manifest *m = &app->container->manifest;
	int err = kmod_check();

	if (!err)
		err = seccomp_check(app);
	if (!err)
		err = limits_check(app->name, &app->config.limits);
	if (!err)
		err = network_check(app, m);
	if (!err && app_state(app) == APP_STOPPED)
		err = app_check_address(app);
	if (!err)
		err = volumes_find(app->name, m);
	return err;
}

/* A restart is in the profiles of its checkpoint. */
static int check_new_start(const struct app *app)
{
	int err = app_check_start(app);

	return err ? err : apparmor_ensure(app);
}

static int start(const struct app *app)
{
	struct app_helper helper;
	int err = app_write_lxc(app, &app->container->manifest);

	if (!err)
		err = app_helper_prepare(app, &helper);
	return err ? err : app_helper_start(app, &helper, app_mount_root(app));
}

/* liblxc may have made a daemon of it, and its helper been killed, before it could say so. */
void app_undo_start(const struct app *app)
{
	struct saved_error saved;
	struct lxc_container *lxc;

	if (app_state(app) == APP_STOPPED)
		return;
	save_error(&saved);
	if (!app_lxc(app, &lxc))
		app_kill(app, lxc);
	restore_error(&saved);
}

int app_start(const struct app *app)
{
	int err = check_new_start(app);

	if (!err)
		err = network_ensure_mac(app);
	if (!err)
		err = network_claim_port(app);
	if (err)
		return err;
	err = start(app);
	if (err)
		app_undo_start(app);
	network_release_port(app);
	return err;
}

dre_return_t dre_app_start(const dre_app_handle *h)
{
	struct app app;
	int err = app_begin_handle(&app, h, APP_CHANGE);

	if (err)
		return err;
	err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err)
		err = app_start(&app);
	app_end(&app);	/* what is stopped is cleaned up there */
	return err;
}

/* What cannot be started again is not stopped. */
static int reboot(const struct app *app, const dre_app_stop_options *options)
{
	int err = check_new_start(app);

	if (!err)
		err = app_stop(app, options);
	return err ? err : app_start(app);
}

dre_return_t dre_app_reboot(const dre_app_handle *h, const dre_app_stop_options *options)
{
	struct app app;
	int err = app_begin_stop(&app, h, options);

	if (err)
		return err;
	err = reboot(&app, options);
	app_end(&app);
	return err;
}
