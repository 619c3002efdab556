// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes under D-RE's control.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "module.h"

/* What the module's answer about process @pid means. */
static int module_error(const struct app *app, int err, const char *kind, int pid)
{
	switch (err) {
	case 0:
		return 0;
	case -ESRCH:
		return dre_fail(DRE_ERR_PID_NONEXISTENCE, "there is no process with %s %d", kind, pid);
	case -ENOENT:
		return dre_fail(DRE_ERR_PID_NONEXISTENCE,
				"the process with %s %d is not registered for container '%s'", kind,
				pid, app->name);
	case -EINVAL:
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s %d is not a process but a thread, or belongs to the kernel",
				kind, pid);
	case -EXDEV:
	case -EBUSY:
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"the process with %s %d belongs to another container", kind, pid);
	case -ENODEV:
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", app->name);
	}
	return dre_fail_errno(-err, "container '%s', %s %d", app->name, kind, pid);
}

static int change(const dre_app_handle *h, int pid, uint32_t flags, bool add)
{
	const char *kind = flags & DRE_REGISTER_BY_VPID ? "VPID" : "PID";
	struct app app;
	int cfd, err;

	err = app_check_handle(h);
	if (err)
		return err;
	if (pid <= 0)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s %d is not positive", kind, pid);
	err = app_begin_running(&app, h, &cfd);
	if (err)
		return err;
	err = add ? dre_module_process_register(cfd, pid, flags, NULL, 0) :
		    dre_module_process_unregister(cfd, pid, flags);
	err = module_error(&app, err, kind, pid);
	close(cfd);
	app_end(&app);
	return err;
}

dre_return_t dre_app_register_pid(const dre_app_handle *h, const int pid)
{
	return change(h, pid, 0, true);
}

dre_return_t dre_app_register_vpid(const dre_app_handle *h, const int vpid)
{
	return change(h, vpid, DRE_REGISTER_BY_VPID, true);
}

dre_return_t dre_app_unregister_pid(const dre_app_handle *h, const int pid)
{
	return change(h, pid, 0, false);
}

dre_return_t dre_app_unregister_vpid(const dre_app_handle *h, const int vpid)
{
	return change(h, vpid, DRE_REGISTER_BY_VPID, false);
}

int app_make_pid_list(dre_app_pid_list_t *list, size_t nr)
{
	dre_app_pid_list_t made = malloc((nr + 1) * sizeof(*made) + nr * sizeof(**made));
	dre_app_pid_t *pids;

	if (!made)
		return dre_fail_errno(ENOMEM, "the list of processes");
	pids = (dre_app_pid_t *)(made + nr + 1);
	for (size_t i = 0; i < nr; i++)
		made[i] = &pids[i];
	made[nr] = NULL;
	*list = made;
	return 0;
}

/* The module's list; empty when the container is stopped, or stops meanwhile. */
static int get_list(const struct app *app, struct dre_process_info **info, size_t *nr)
{
	pid_t init = 0;
	int cfd, err;

	*info = NULL;
	*nr = 0;
	if (app_state(app) == APP_STOPPED)
		return 0;
	err = app_module_container(app, &cfd);
	if (err)
		return err == DRE_ERR_CONTAINER_STOPPED ? 0 : err;
	err = dre_module_process_list(cfd, info, nr);
	close(cfd);
	if (!err || err == -ENODEV)
		return 0;
	app_init_pid(app, &init);
	return module_error(app, err, "init with PID", init);
}

dre_return_t dre_app_get_registered_pid_list(const dre_app_handle *h, dre_app_pid_list_t *list)
{
	struct dre_process_info *info;
	struct app app;
	size_t nr;
	int err = app_begin_list(&app, h, list);

	if (err)
		return err;
	err = get_list(&app, &info, &nr);
	if (!err) {
		err = app_make_pid_list(list, nr);
		for (size_t i = 0; !err && i < nr; i++)
			*(*list)[i] = (dre_app_pid_t){ .pid = info[i].pid, .vpid = info[i].vpid };
		free(info);
	}
	app_end(&app);
	return err;
}

dre_return_t dre_app_release_registered_pid_list(dre_app_pid_list_t list)
{
	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	free(list);
	return 0;
}
