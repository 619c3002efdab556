// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control groups of a container, and what is bound to them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "group.h"
#include "module.h"
#include "sys.h"

static int check(const dre_sys_handle *h, const char *cgroup)
{
	int err;

	if (!h || !cgroup)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "control group's name" : "container's handle");
	err = sys_check_handle(h);
	return err ? err : groups_check_name(DRE_CONTAINER_SYS, cgroup, false);
}

static int begin(struct sys *sys, const dre_sys_handle *h, const char *cgroup, enum sys_access access)
{
	int err = check(h, cgroup);

	if (!err)
		err = sys_begin(sys, h->name, access);
	if (err)
		return err;
	err = sys_groups_check(sys->name, sys_manifest(sys));
	if (err)
		sys_end(sys);
	return err;
}

static int fail_absent(const struct sys *sys, const char *cgroup)
{
	return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE, "container '%s' has no control group '%s'", sys->name,
			cgroup);
}

/*
 * Where the machine runs: its cgroups, and a fd of the module. Where it is stopped @cfd is -1, and there is
 * nothing but the manifest.
 */
static int open_groups(const struct sys *sys, struct groups *groups, int *cfd)
{
	enum sys_state state = sys_state(sys);

	*cfd = -1;
	if (state == SYS_STOPPED)
		return 0;
	if (state != SYS_RUNNING && state != SYS_SUSPENDED)
		return sys_require(sys, SYS_RUNNING, SYS_SUSPENDED);
	return sys_module_container(sys, groups, cfd);
}

/*
 * The manifest first: a group that is in it is made at the next look, one that is only there would be
 * nobody's.
 */
static int make(struct sys *sys, const struct groups *groups, int cfd, const struct sys_group *group)
{
	struct manifest *m = &sys->container->manifest;
	struct saved_error saved;
	int err = sys_group_put(m, group);

	if (!err)
		err = container_commit(sys->container);
	if (!err && cfd >= 0)
		err = groups_create(groups, cfd, group->name);
	if (err) {
		save_error(&saved);
		if (!sys_group_drop(m, group->name))
			container_commit(sys->container);
		restore_error(&saved);
	}
	return err;
}

static int create(struct sys *sys, const char *cgroup)
{
	struct sys_group group;
	struct groups groups;
	int cfd, err = open_groups(sys, &groups, &cfd);

	if (err)
		return err;
	if (sys_group_get(&sys->container->manifest, cgroup, &group))
		err = dre_fail(DRE_ERR_CGROUP_EXISTENCE, "container '%s' has a control group '%s' already",
			       sys->name, cgroup);
	else
		err = make(sys, &groups, cfd, &group);
	if (cfd >= 0)
		close(cfd);
	return err;
}

dre_return_t dre_sys_create_cgroup(const dre_sys_handle *h, const char *cgroup)
{
	struct sys sys;
	int err = begin(&sys, h, cgroup, SYS_CHANGE);

	if (err)
		return err;
	err = create(&sys, cgroup);
	sys_end(&sys);
	return err;
}

static int destroy(struct sys *sys, const char *cgroup)
{
	struct manifest *m = &sys->container->manifest;
	struct sys_group group;
	struct groups groups;
	int cfd, err = open_groups(sys, &groups, &cfd);

	if (err)
		return err;
	if (!sys_group_get(m, cgroup, &group)) {
		err = fail_absent(sys, cgroup);
	} else if (cfd >= 0) {
		err = groups_destroy(&groups, cfd, cgroup);
		if (err == DRE_ERR_CGROUP_NONEXISTENCE)	/* somebody else has removed it */
			err = 0;
	}
	if (cfd >= 0)
		close(cfd);
	if (!err)
		err = sys_group_drop(m, cgroup);
	return err ? err : container_commit(sys->container);
}

dre_return_t dre_sys_destroy_cgroup(const dre_sys_handle *h, const char *cgroup)
{
	struct sys sys;
	int err = begin(&sys, h, cgroup, SYS_CHANGE);

	if (err)
		return err;
	err = destroy(&sys, cgroup);
	sys_end(&sys);
	return err;
}

static int list_groups(const struct manifest *m, dre_list_t *list)
{
	char **names = calloc(m->nr_settings + 1, sizeof(*names));
	struct sys_group group;
	size_t at = 0, nr = 0;

	while (names && sys_group_next(m, &at, &group)) {
		if (!strcmp(group.name, "."))
			continue;
		names[nr] = strdup(group.name);
		if (!names[nr++]) {
			store_free_list(names);
			names = NULL;
		}
	}
	if (!names)
		return dre_fail_errno(ENOMEM, "the list of control groups");
	*list = names;
	return 0;
}

dre_return_t dre_sys_get_cgroup_list(const dre_sys_handle *h, dre_list_t *list)
{
	struct sys sys;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = sys_begin_handle(&sys, h, SYS_LOOK);
	if (err)
		return err;
	err = sys_groups_check(sys.name, &sys.manifest);
	if (!err)
		err = list_groups(&sys.manifest, list);
	sys_end(&sys);
	return err;
}

/*
 * Binding
 */

/* libvirt finds the threads of a machine where it has put them. */
static int check_machine(const struct sys *sys, const struct groups *groups, int pid)
{
	bool own;

	if (!sys_in_machine(pid, groups, &own))
		return 0;
	if (own)
		return dre_fail(DRE_ERR_BIND_FAILED,
				"PID %d is the machine of container '%s' itself, which libvirt keeps: use "
				"control group '.', which is the machine as a whole", pid, sys->name);
	return dre_fail(DRE_ERR_BIND_FAILED, "PID %d is another machine, which libvirt keeps", pid);
}

static int change(const dre_sys_handle *h, const struct groups_request *r)
{
	struct sys_group group;
	struct groups groups;
	struct sys sys;
	int cfd = -1, err = check(h, r->cgroup);

	if (!err && r->pid <= 0)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "PID %d is not positive", r->pid);
	if (!err)
		err = begin(&sys, h, r->cgroup, SYS_USE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_RUNNING);
	if (!err)
		err = sys_module_container(&sys, &groups, &cfd);
	if (!err && !sys_group_get(&sys.manifest, r->cgroup, &group))
		err = fail_absent(&sys, r->cgroup);
	if (!err && r->bind)
		err = check_machine(&sys, &groups, r->pid);
	if (!err)
		err = groups_bind(&groups, cfd, r);
	if (cfd >= 0)
		close(cfd);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_bind_pid(const dre_sys_handle *h, const char *cgroup, const int pid)
{
	return change(h, &(struct groups_request){ cgroup, pid, 0, true });
}

dre_return_t dre_sys_unbind_pid(const dre_sys_handle *h, const char *cgroup, const int pid)
{
	return change(h, &(struct groups_request){ cgroup, pid, 0, false });
}

/* Of a container that is stopped nothing is bound. */
static int get_bound(const struct sys *sys, const char *cgroup, struct dre_binding_info **info, size_t *nr)
{
	struct sys_group group;
	struct groups groups;
	int cfd, err = open_groups(sys, &groups, &cfd);

	if (err)
		return err;
	if (!sys_group_get(&sys->manifest, cgroup, &group))
		err = fail_absent(sys, cgroup);
	else if (cfd >= 0)
		err = groups_bound(&groups, cfd, cgroup, info, nr);
	if (cfd >= 0)
		close(cfd);
	return err;
}

static int copy_pids(const struct dre_binding_info *info, size_t nr, int **list)
{
	int *pids = calloc(nr + 1, sizeof(*pids));

	if (!pids)
		return dre_fail_errno(ENOMEM, "the list of processes");
	for (size_t i = 0; i < nr; i++)
		pids[i] = info[i].pid;
	*list = pids;
	return 0;
}

dre_return_t dre_sys_get_bound_pid_list(const dre_sys_handle *h, const char *cgroup, int **list)
{
	struct dre_binding_info *info = NULL;
	struct sys sys;
	size_t nr = 0;
	int err;

	if (!h || !cgroup || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !cgroup ? "control group's name" :
				"pointer to the list");
	err = begin(&sys, h, cgroup, SYS_LOOK);
	if (err)
		return err;
	err = get_bound(&sys, cgroup, &info, &nr);
	if (!err)
		err = copy_pids(info, nr, list);
	free(info);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_release_bound_pid_list(int *list)
{
	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	free(list);
	return 0;
}
