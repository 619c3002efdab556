// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Running a command in a container.
 */
#include "app.h"

/* Who stops it meanwhile is why nothing else worked. */
static int explain(const struct app *app, int err)
{
	struct saved_error saved;
	int why;

	if (err != DRE_ERR_DEVICE_BUSY)
		return err;
	save_error(&saved);
	why = app_require(app, APP_RUNNING, APP_RUNNING);
	if (!why)
		why = container_check_free(app->store, app->name);
	if (!why)
		restore_error(&saved);
	return why ? why : err;
}

dre_return_t dre_app_exec(const dre_app_handle *h, char *const argv[], int *status)
{
	struct app app;
	int err;

	if (!h || !argv || !status)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				!h ? "container's handle is" : !argv ? "command is" :
				"pointer to the status is");
	err = app_check_handle(h);
	if (err)
		return err;
	if (!argv[0])
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the command is empty");
	err = app_begin(&app, h->name, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = explain(&app, app_helper_exec(&app, argv, status));
	app_end(&app);
	return err;
}
