// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "fail.h"
#include "file.h"
#include "groups.h"
#include "module.h"
#include "store.h"

/*
 * Names
 */

static bool begins_with_one_of(const char *cgroup, const char *const prefixes[])
{
	for (; *prefixes; prefixes++)
		if (!strncmp(cgroup, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

/* Of the kernel's files there; what else is reserved is of whoever makes the container's own group. */
static const char *const of_kernel[] = {
	"cgroup.", "cpu.", "cpuset.", "memory.", "io.", "pids.", "hugetlb.", "rdma.", "misc.", "irq.",
	"perf_event.", "debug.", "dmem.", NULL
};
static const char *const of_liblxc[] = { "payload", NULL };
static const char *const of_libvirt[] = { "machine-qemu", "qemu-", NULL };

int groups_check_name(uint32_t type, const char *cgroup, bool whole)
{
	bool app = type == DRE_CONTAINER_APP;
	int err;

	if (whole && cgroup && !strcmp(cgroup, "."))
		return 0;
	err = dre_check_name("control group", cgroup);
	if (!err && (begins_with_one_of(cgroup, of_kernel) ||
		     begins_with_one_of(cgroup, app ? of_liblxc : of_libvirt)))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "'%s' cannot be the name of a control group: it is the kernel's, or %s",
			       cgroup, app ? "liblxc's" : "libvirt's");
	return err;
}

/* The kernel has nothing against ".." in the middle of a name. */
void groups_path(const struct groups *g, const char *cgroup, char path[GROUPS_PATH_SIZE])
{
	if (strcmp(cgroup, "."))
		snprintf(path, GROUPS_PATH_SIZE, "%s/%s", g->outer, cgroup);
	else
		strcpy(path, g->outer);
}

bool groups_exists(const struct groups *g, const char *cgroup)
{
	char path[GROUPS_PATH_SIZE];
	int fd;

	groups_path(g, cgroup, path);
	if (cgroupfs_open_group(path, &fd))
		return false;
	close(fd);
	return true;
}

void groups_each(const struct groups *g,
		 void (*fn)(const struct groups *g, int outer, const char *cgroup, void *arg), void *arg)
{
	struct saved_error saved;
	struct dirent *entry;
	int outer;
	DIR *all;

	/* What is left out is no error; whoever looks may have one to report. */
	save_error(&saved);
	if (cgroupfs_open_group(g->outer, &outer)) {
		restore_error(&saved);
		return;
	}
	all = file_opendir(outer, ".");
	while (all && (entry = file_readdir(all)))
		/* The others are the kernel's files, and the container's own groups. */
		if (entry->d_type == DT_DIR && !groups_check_name(g->type, entry->d_name, false))
			fn(g, outer, entry->d_name, arg);
	if (all)
		closedir(all);
	close(outer);
	restore_error(&saved);
}

/*
 * Making and removing
 */

static int fail_stopped(const struct groups *g)
{
	return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", g->name);
}

static int fail_absent(const struct groups *g, const char *cgroup)
{
	return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE, "container '%s' has no control group '%s'", g->name,
			cgroup);
}

int groups_announce(const struct groups *g, int cfd, const char *cgroup)
{
	char path[GROUPS_PATH_SIZE];
	int dir, err;

	groups_path(g, cgroup, path);
	err = cgroupfs_open_group(path, &dir);
	if (err)
		return err;
	err = dre_module_group_create(cfd, cgroup, dir);
	close(dir);
	switch (err) {
	case 0:
		return 0;
	case -EEXIST:
		return dre_fail(DRE_ERR_CGROUP_EXISTENCE,
				"container '%s' has a control group '%s' already", g->name, cgroup);
	case -ENODEV:
		return fail_stopped(g);
	}
	return dre_fail_errno(-err, "container '%s', control group '%s'", g->name, cgroup);
}

int groups_create(const struct groups *g, int cfd, const char *cgroup)
{
	char path[GROUPS_PATH_SIZE];
	struct saved_error saved;
	int err;

	groups_path(g, cgroup, path);
	err = cgroupfs_create(path);
	if (err)
		return err;
	err = groups_announce(g, cfd, cgroup);
	if (err) {
		save_error(&saved);
		cgroupfs_remove(path);
		restore_error(&saved);
	}
	return err;
}

/* The kernel refuses while a process is in it; the module forgets it then by itself. */
int groups_destroy(const struct groups *g, int cfd, const char *cgroup)
{
	char path[GROUPS_PATH_SIZE], cause[256];
	int fd, err;

	groups_path(g, cgroup, path);
	err = cgroupfs_open_group(path, &fd);
	if (err)
		return err;
	close(fd);
	if (cgroupfs_remove(path)) {
		snprintf(cause, sizeof(cause), "%s", dre_last_error());
		return dre_fail(DRE_ERR_DESTROY_CGROUP_FAILED, "%s", cause);
	}
	dre_module_group_destroy(cfd, cgroup);
	return 0;
}

static void announce_bindings(int cfd, int dir, const char *cgroup)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	while (f && fscanf(f, "%d", &pid) == 1)
		dre_module_bind(cfd, cgroup, pid, 0);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
}

static void announce_again(const struct groups *g, int outer, const char *cgroup, void *arg)
{
	int dir = openat(outer, cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), *cfd = arg;

	(void)g;
	if (dir < 0)
		return;
	if (!dre_module_group_create(*cfd, cgroup, dir))
		announce_bindings(*cfd, dir, cgroup);
	close(dir);
}

void groups_announce_all(const struct groups *g, int cfd)
{
	groups_each(g, announce_again, &cfd);
}

/*
 * Lists
 */

/* Names of the module's list, as all lists of names are: one piece of memory each, and a NULL. */
static int copy_names(const struct dre_group_info *info, size_t nr, dre_list_t *list)
{
	char **names = calloc(nr + 1, sizeof(*names));

	for (size_t i = 0; names && i < nr; i++) {
		names[i] = strdup(info[i].name);
		if (!names[i]) {
			store_free_list(names);
			names = NULL;
		}
	}
	if (!names)
		return dre_fail_errno(ENOMEM, "the list of control groups");
	*list = names;
	return 0;
}

int groups_list(const struct groups *g, int cfd, dre_list_t *list)
{
	struct dre_group_info *info = NULL;
	size_t nr = 0;
	int err = cfd < 0 ? 0 : dre_module_group_list(cfd, &info, &nr);

	if (err && err != -ENODEV)
		return dre_fail_errno(-err, "container '%s'", g->name);
	err = copy_names(info, nr, list);
	free(info);
	return err;
}

int groups_bound(const struct groups *g, int cfd, const char *cgroup, struct dre_binding_info **info,
		 size_t *nr)
{
	struct dre_group_info *groups = NULL;
	size_t nr_groups, i, all;
	int err;

	if (!groups_exists(g, cgroup))
		return fail_absent(g, cgroup);
	err = dre_module_group_list(cfd, &groups, &nr_groups);
	if (!err)
		err = dre_module_binding_list(cfd, info, &all);
	for (i = 0; !err && i < nr_groups && strcmp(groups[i].name, cgroup); i++)
		;
	*nr = 0;
	for (size_t j = 0; !err && i < nr_groups && j < all; j++)
		if ((*info)[j].group == groups[i].id)
			(*info)[(*nr)++] = (*info)[j];
	free(groups);
	return err ? dre_fail_errno(-err, "container '%s'", g->name) : 0;
}

/*
 * Binding
 */

/* EBUSY is the kernel's word, and the module's. */
static const char *why_busy(const struct groups *g, const struct groups_request *r)
{
	char path[GROUPS_PATH_SIZE];

	if (!r->bind)
		return "the one that it came from gives controllers to those in it";
	groups_path(g, r->cgroup, path);
	return cgroupfs_passes_on(path) ? "that gives controllers to those in it" : "it is bound for another container";
}

/* What the module's answer means. */
static int module_error(const struct groups *g, const struct groups_request *r, int err)
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
		/* Nobody else is kept away: who makes it may be about to tell the module. */
		if (r->bind || !groups_exists(g, r->cgroup))
			return fail_absent(g, r->cgroup);
		return dre_fail(DRE_ERR_PID_NONEXISTENCE,
				"the process with %s %d is not bound to control group '%s'", kind,
				r->pid, r->cgroup);
	case -EXDEV:
		return dre_fail(DRE_ERR_BIND_FAILED,
				"the process with %s %d belongs to another container", kind, r->pid);
	case -ENODEV:
		return fail_stopped(g);
	case -EPERM:
	case -EACCES:
	case -ENOMEM:
		return dre_fail_errno(-err, "cannot %s %s %d", verb, kind, r->pid);
	}
	return dre_fail(DRE_ERR_BIND_FAILED, "cannot %s %s %d, control group '%s': %s", verb, kind,
			r->pid, r->cgroup, err == -EBUSY ? why_busy(g, r) : strerror(-err));
}

int groups_bind(const struct groups *g, int cfd, const struct groups_request *r)
{
	return module_error(g, r, r->bind ? dre_module_bind(cfd, r->cgroup, r->pid, r->flags) :
					    dre_module_unbind(cfd, r->cgroup, r->pid, r->flags));
}

static const char *group_name(const struct dre_group_info *groups, size_t nr, uint32_t id)
{
	for (size_t i = 0; i < nr; i++)
		if (groups[i].id == id)
			return groups[i].name;
	return NULL;
}

/* One that has ended since needs it no more. */
static int unbind_each(const struct groups *g, int cfd)
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
		err = dre_fail_errno(-err, "container '%s'", g->name);
	for (size_t i = 0; !err && i < nr; i++) {
		name = group_name(groups, nr_groups, bindings[i].group);
		ret = name ? dre_module_unbind(cfd, name, bindings[i].pid, 0) : 0;
		if (ret && ret != -ENOENT && ret != -ESRCH && ret != -ESTALE)
			err = dre_fail(DRE_ERR_BIND_FAILED,
				       "container '%s': process %d cannot leave control group '%s': "
				       "%s", g->name, bindings[i].pid, name, strerror(-ret));
	}
	free(groups);
	free(bindings);
	return err;
}

/* The processes that are left in a control group. */
static void move_forked_out(const struct groups *g, int outer, const char *cgroup, void *arg)
{
	char path[GROUPS_PATH_SIZE];

	(void)outer;
	(void)arg;
	groups_path(g, cgroup, path);
	cgroupfs_move_out(path);
}

int groups_release(const struct groups *g)
{
	int dre = dre_module_open(), cfd, err = 0;

	while (dre >= 0 && !err &&
	       (cfd = dre_module_container_open(dre, g->type, g->name, DRE_OPEN_ENDED)) >= 0) {
		err = unbind_each(g, cfd);
		close(cfd);
	}
	if (dre >= 0)
		close(dre);
	if (!err)
		groups_each(g, move_forked_out, NULL);
	return err;
}
