// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Binding processes to control groups, and putting them back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "module.h"

struct request {
	const char *cgroup;
	int pid;
	uint32_t flags;
	bool bind;
};

static bool group_exists(const struct app *app, const char *cgroup)
{
	char path[APP_CGROUP_SIZE];
	int fd;

	app_cgroup_path(app, cgroup, path);
	if (cgroupfs_open_group(path, &fd))
		return false;
	close(fd);
	return true;
}

/* What the module's answer means. */
static int module_error(const struct app *app, const struct request *r, int err)
{
	const char *kind = r->flags & DRE_BIND_BY_VPID ? "VPID" : "PID";
	const char *verb = r->bind ? "bind" : "unbind";

	switch (err) {
	case 0:
		return 0;
	case -ESRCH:
	case -ESTALE:
		return dre_fail(DRE_ERR_PID_NONEXISTENCE, "there is no process with %s %d", kind,
				r->pid);
	case -EINVAL:
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s %d is not a process but a thread, or belongs to the kernel",
				kind, r->pid);
	case -ENOENT:
		if (!group_exists(app, r->cgroup))
			return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE,
					"container '%s' has no control group '%s'", app->name,
					r->cgroup);
		return dre_fail(DRE_ERR_PID_NONEXISTENCE,
				"the process with %s %d is not bound to control group '%s'", kind,
				r->pid, r->cgroup);
	case -EXDEV:
		return dre_fail(DRE_ERR_BIND_FAILED,
				"the process with %s %d belongs to another container", kind, r->pid);
	case -ENODEV:
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", app->name);
	case -EPERM:
	case -EACCES:
	case -ENOMEM:
		return dre_fail_errno(-err, "cannot %s %s %d", verb, kind, r->pid);
	}
	return dre_fail(DRE_ERR_BIND_FAILED, "cannot %s %s %d, control group '%s': %s", verb, kind,
			r->pid, r->cgroup, err == -EBUSY ?
			"it is bound for another container, or the group has control groups inside" :
			strerror(-err));
}

static int change(const dre_app_handle *h, const struct request *r)
{
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
	err = r->bind ? dre_module_bind(cfd, r->cgroup, r->pid, r->flags) :
			dre_module_unbind(cfd, r->cgroup, r->pid, r->flags);
	err = module_error(&app, r, err);
	close(cfd);
	app_end(&app);
	return err;
}

dre_return_t dre_app_bind_pid(const dre_app_handle *h, const char *cgroup, const int pid)
{
	return change(h, &(struct request){ cgroup, pid, 0, true });
}

dre_return_t dre_app_bind_vpid(const dre_app_handle *h, const char *cgroup, const int vpid)
{
	return change(h, &(struct request){ cgroup, vpid, DRE_BIND_BY_VPID, true });
}

dre_return_t dre_app_unbind_pid(const dre_app_handle *h, const char *cgroup, const int pid)
{
	return change(h, &(struct request){ cgroup, pid, 0, false });
}

dre_return_t dre_app_unbind_vpid(const dre_app_handle *h, const char *cgroup, const int vpid)
{
	return change(h, &(struct request){ cgroup, vpid, DRE_BIND_BY_VPID, false });
}

/* The processes that are bound to that group; none if it, or the container, has just gone. */
static int get_bindings(const struct app *app, const char *cgroup, struct dre_binding_info **info,
			size_t *nr)
{
	struct dre_group_info *groups = NULL;
	size_t nr_groups, i, all;
	int cfd, err;

	err = app_module_container(app, &cfd);
	if (err)
		return err;
	err = dre_module_group_list(cfd, &groups, &nr_groups);
	if (!err)
		err = dre_module_binding_list(cfd, info, &all);
	close(cfd);
	for (i = 0; !err && i < nr_groups && strcmp(groups[i].name, cgroup); i++)
		;
	*nr = 0;
	for (size_t j = 0; !err && i < nr_groups && j < all; j++)
		if ((*info)[j].group == groups[i].id)
			(*info)[(*nr)++] = (*info)[j];
	free(groups);
	return err ? dre_fail_errno(-err, "container '%s'", app->name) : 0;
}

static int get_list(const struct app *app, const char *cgroup, dre_app_pid_list_t *list)
{
	struct dre_binding_info *info = NULL;
	size_t nr = 0;
	int err;

	if (!group_exists(app, cgroup))
		return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE,
				"container '%s' has no control group '%s'", app->name, cgroup);
	err = get_bindings(app, cgroup, &info, &nr);
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

static const char *group_name(const struct dre_group_info *groups, size_t nr, uint32_t id)
{
	for (size_t i = 0; i < nr; i++)
		if (groups[i].id == id)
			return groups[i].name;
	return NULL;
}

/* One that has ended since needs it no more. */
static int unbind_each(const struct app *app, int cfd)
{
	struct dre_binding_info *bindings = NULL;
	struct dre_group_info *groups = NULL;
	size_t nr, nr_groups;
	const char *name;
	int err, ret = 0;

	err = dre_module_group_list(cfd, &groups, &nr_groups);
	if (!err)
		err = dre_module_binding_list(cfd, &bindings, &nr);
	if (err)
		err = dre_fail_errno(-err, "container '%s'", app->name);
	for (size_t i = 0; !err && i < nr; i++) {
		name = group_name(groups, nr_groups, bindings[i].group);
		ret = name ? dre_module_unbind(cfd, name, bindings[i].pid, 0) : 0;
		if (ret && ret != -ENOENT && ret != -ESRCH && ret != -ESTALE)
			err = dre_fail(DRE_ERR_BIND_FAILED,
				       "container '%s': process %d cannot leave control group '%s': "
				       "%s", app->name, bindings[i].pid, name, strerror(-ret));
	}
	free(groups);
	free(bindings);
	return err;
}

/* The processes that are left in a control group. */
static void move_forked_out(const struct app *app, int outer, const char *cgroup, void *arg)
{
	char path[APP_CGROUP_SIZE];

	(void)outer;
	(void)arg;
	app_cgroup_path(app, cgroup, path);
	cgroupfs_move_out(path);
}

/*
 * Whoever was bound goes back; what they forked meanwhile goes where they are. The
 * same becomes of all if the module was unloaded, which knows of nobody then.
 */
int app_unbind_all(const struct app *app)
{
	int dre = dre_module_open(), cfd, err = 0;

	while (dre >= 0 && !err && (cfd = dre_module_container_open(dre, DRE_CONTAINER_APP, app->name,
							DRE_OPEN_ENDED)) >= 0) {
		err = unbind_each(app, cfd);
		close(cfd);
	}
	if (dre >= 0)
		close(dre);
	if (!err)
		app_each_cgroup(app, move_forked_out, NULL);
	return err;
}
