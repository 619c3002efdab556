// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Binding processes to control groups, and putting them back.
 */
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "common/groups.h"
#include "module.h"

static int change(const dre_app_handle *h, const struct groups_request *r)
{
	struct groups groups;
	struct app app;
	int cfd, err;

	if (!h || !r->cgroup)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "control group's name" : "container's handle");
	err = app_check_handle(h);
	if (!err)
		err = app_check_cgroup(r->cgroup, false);
	if (err)
		return err;
	if (r->pid <= 0)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s %d is not positive",
				r->flags & DRE_BIND_BY_VPID ? "VPID" : "PID", r->pid);
	err = app_begin_running(&app, h, &cfd);
	if (err)
		return err;
	app_groups(&app, &groups);
	err = groups_bind(&groups, cfd, r);
	close(cfd);
	app_end(&app);
	return err;
}

dre_return_t dre_app_bind_pid(const dre_app_handle *h, const char *cgroup, const int pid)
{
	return change(h, &(struct groups_request){ cgroup, pid, 0, true });
}

dre_return_t dre_app_bind_vpid(const dre_app_handle *h, const char *cgroup, const int vpid)
{
	return change(h, &(struct groups_request){ cgroup, vpid, DRE_BIND_BY_VPID, true });
}

dre_return_t dre_app_unbind_pid(const dre_app_handle *h, const char *cgroup, const int pid)
{
	return change(h, &(struct groups_request){ cgroup, pid, 0, false });
}

dre_return_t dre_app_unbind_vpid(const dre_app_handle *h, const char *cgroup, const int vpid)
{
	return change(h, &(struct groups_request){ cgroup, vpid, DRE_BIND_BY_VPID, false });
}

/* The module is asked only about a group that there is: of a stopped container there is none. */
static int get_bound(const struct app *app, const char *cgroup, struct dre_binding_info **info,
		     size_t *nr)
{
	struct groups groups;
	int cfd, err;

	app_groups(app, &groups);
	if (!groups_exists(&groups, cgroup))
		return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE,
				"container '%s' has no control group '%s'", app->name, cgroup);
	err = app_module_container(app, &cfd);
	if (err)
		return err;
	err = groups_bound(&groups, cfd, cgroup, info, nr);
	close(cfd);
	return err;
}

static int get_list(const struct app *app, const char *cgroup, dre_app_pid_list_t *list)
{
	struct dre_binding_info *info = NULL;
	size_t nr = 0;
	int err = get_bound(app, cgroup, &info, &nr);

	if (!err)
		err = app_make_pid_list(list, nr);
	for (size_t i = 0; !err && i < nr; i++)
		*(*list)[i] = (dre_app_pid_t){ .pid = info[i].pid, .vpid = info[i].vpid };
	free(info);
	return err;
}

dre_return_t dre_app_get_bound_pid_list(const dre_app_handle *h, const char *cgroup,
					dre_app_pid_list_t *list)
{
	struct app app;
	int err;

	if (!h || !cgroup || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !cgroup ? "control group's name" :
				"pointer to the list");
	err = app_check_handle(h);
	if (!err)
		err = app_check_cgroup(cgroup, false);
	if (!err)
		err = app_begin(&app, h->name, APP_LOOK);
	if (err)
		return err;
	err = get_list(&app, cgroup, list);
	app_end(&app);
	return err;
}

int app_unbind_all(const struct app *app)
{
	struct groups groups;

	app_groups(app, &groups);
	return groups_release(&groups);
}
