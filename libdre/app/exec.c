// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Running a command in a container.
 */
#include <string.h>

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

static int check_user(const char *user)
{
	const char *colon = strchr(user, ':');
	struct printable p;

	if (*user && colon != user && (!colon || (colon[1] && !strchr(colon + 1, ':'))))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "'%s' is no user, as USER or USER:GROUP",
			dre_printable(&p, user));
}

static int check_options(const dre_app_exec_options *options)
{
	int err = 0;

	if (options->size != sizeof(*options) || options->tty < -1 || options->tty > 1)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"options for a command that this library does not know");
	if (options->cwd && !*options->cwd)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the command's directory is empty");
	if (options->user)
		err = check_user(options->user);
	for (char *const *env = options->env; !err && env && *env; env++) {
		struct printable p;

		if (!strchr(*env, '=') || **env == '=')
			err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "'%s' is no variable, as KEY=VALUE",
				       dre_printable(&p, *env));
	}
	return err;
}

static int check_arguments(const dre_app_handle *h, char *const argv[],
			   const dre_app_exec_options *options, const int *status)
{
	int err;

	if (!h || !argv || !options || !status)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				!h ? "container's handle is" : !argv ? "command is" :
				!options ? "options are" : "pointer to the status is");
	err = app_check_handle(h);
	if (!err && !argv[0])
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "the command is empty");
	return err ? err : check_options(options);
}

dre_return_t dre_app_exec_with(const dre_app_handle *h, char *const argv[],
			       const dre_app_exec_options *options, int *status)
{
	struct app app;
	int err = check_arguments(h, argv, options, status);

	if (!err)
		err = app_begin(&app, h->name, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = explain(&app, app_helper_exec(&app, argv, options, status));
	app_end(&app);
	return err;
}

dre_return_t dre_app_exec(const dre_app_handle *h, char *const argv[], int *status)
{
	static const dre_app_exec_options defaults = { .size = sizeof(defaults) };

	return dre_app_exec_with(h, argv, &defaults, status);
}
