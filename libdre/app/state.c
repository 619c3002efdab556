// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What state a container is in; suspend and resume.
 */
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"

dre_return_t dre_app_status(const dre_app_handle *h)
{
	struct app app;
	bool busy;
	int ret = app_begin_handle(&app, h, APP_LOOK);

	if (ret)
		return ret;
	ret = container_busy(app.store, app.name, &busy);
	if (!ret && busy)
		ret = DRE_APP_CONTAINER_STATUS_BUSY;
	if (!ret) {
		switch (app_state(&app)) {
		case APP_STOPPED:
			ret = DRE_APP_CONTAINER_STATUS_STOP;
			break;
		case APP_RUNNING:
			ret = DRE_APP_CONTAINER_STATUS_RUNNING;
			break;
		case APP_SUSPENDED:
			ret = DRE_APP_CONTAINER_STATUS_SUSPENDED;
			break;
		case APP_CHANGING:
			ret = DRE_APP_CONTAINER_STATUS_BUSY;
			break;
		case APP_UNKNOWN:
			ret = dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				       "container '%s': liblxc does not know its state", app.name);
			break;
		}
	}
	app_end(&app);
	return ret;
}

dre_return_t dre_app_get_pid(const dre_app_handle *h, int *pid)
{
	struct app app;
	pid_t init;
	int err;

	if (!h || !pid)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the PID" : "container's handle");
	err = app_begin_handle(&app, h, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = app_init_pid(&app, &init);
	if (!err)
		*pid = init;
	app_end(&app);
	return err;
}

int app_check_outside(const struct app *app)
{
	char group[APP_GROUP_SIZE];
	bool inside;

	app_group("app", app->name, group);
	if (cgroupfs_contains(group, getpid(), &inside) || !inside)
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT,
			"the caller is bound to container '%s' and would be suspended with it",
			app->name);
}

dre_return_t dre_app_suspend(const dre_app_handle *h)
{
	struct app app;
	int err = app_begin_handle(&app, h, APP_CHANGE);

	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = app_check_outside(&app);
	if (!err)
		err = app_freeze(&app);
	app_end(&app);
	return err;
}

dre_return_t dre_app_resume(const dre_app_handle *h)
{
	struct app app;
	int err = app_begin_handle(&app, h, APP_CHANGE);

	if (err)
		return err;
	err = app_require(&app, APP_SUSPENDED, app.let_go ? APP_RUNNING : APP_SUSPENDED);
	if (!err)
		err = app_thaw(&app);
	app_end(&app);
	return err;
}
