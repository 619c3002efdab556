// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A machine that runs: its cgroups, and the kernel module that is told of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cgroupfs.h"
#include "common/kmod.h"
#include "common/limit.h"
#include "group.h"
#include "module.h"
#include "sys.h"

static int apply(const char *path, const struct sys_group *group)
{
	static const struct dre_limits none;
	int fd, err = cgroupfs_open_group(path, &fd);

	if (err)
		return err;
	err = limits_set(fd, path, &none, &group->limits);
	close(fd);
	return err;
}

static int make_group(const struct groups *groups, const struct sys_group *group)
{
	char path[GROUPS_PATH_SIZE];
	int err;

	groups_path(groups, group->name, path);
	err = cgroupfs_create(path);
	if (err == DRE_ERR_CGROUP_EXISTENCE)
		err = 0;
	return err ? err : apply(path, group);
}

/* The outer cgroup is older than this run of the machine, and so may its limits be. */
static int limit_whole(const struct groups *groups, const struct sys_group *whole)
{
	static const struct dre_limits none;
	int err;

	sys_unlimit(groups);
	err = memcmp(&whole->limits, &none, sizeof(none)) ? sys_slice_limit(groups, &whole->limits) : 0;
	return err ? err : apply(groups->outer, whole);
}

static int make_groups(const struct sys *sys, const struct groups *groups)
{
	const struct manifest *m = sys_manifest(sys);
	struct sys_group group;
	size_t at = 0;
	int err = sys_groups_check(sys->name, m);

	if (!err) {
		sys_group_get(m, ".", &group);
		err = limit_whole(groups, &group);
	}
	while (!err && sys_group_next(m, &at, &group))
		if (strcmp(group.name, "."))
			err = make_group(groups, &group);
	return err;
}

static int module_failed(const struct sys *sys, int err)
{
	if (err == -ENODEV || err == -ESRCH)
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", sys->name);
	return dre_fail_errno(-err, "container '%s': the D-RE module refuses it", sys->name);
}

static int announce(const struct sys *sys, const struct groups *groups, int pid)
{
	int dre, cfd, err = kmod_open(&dre);

	if (err)
		return err;
	cfd = dre_module_container_create(dre, DRE_CONTAINER_SYS, sys->name, pid);
	if (cfd == -EEXIST)
		cfd = dre_module_container_open(dre, DRE_CONTAINER_SYS, sys->name, 0);
	close(dre);
	if (cfd < 0)
		return module_failed(sys, cfd);
	groups_announce_all(groups, cfd);
	close(cfd);
	return 0;
}

/* Its groups are made when its process is there. */
int sys_limit_ahead(const struct sys *sys)
{
	struct groups groups;
	struct sys_group whole;

	sys_partition_of(sys->name, &groups);
	sys_group_get(sys_manifest(sys), ".", &whole);
	return limit_whole(&groups, &whole);
}

int sys_introduce(const struct sys *sys)
{
	struct groups groups;
	int pid, err = sys_find_pid(sys, &pid);

	if (!err)
		err = sys_groups_of(sys, pid, &groups);
	if (!err)
		err = sys_groups_enable(&groups);
	if (!err)
		err = make_groups(sys, &groups);
	return err ? err : announce(sys, &groups, pid);
}

/* How many the module ought to know. */
static size_t count_groups(const struct manifest *m)
{
	struct sys_group group;
	size_t at = 0, nr = 0;

	while (sys_group_next(m, &at, &group))
		nr += strcmp(group.name, ".") != 0;
	return nr;
}

static bool is_unknown(const struct sys *sys, int dre)
{
	int cfd = dre_module_container_open(dre, DRE_CONTAINER_SYS, sys->name, 0);
	struct dre_group_info *groups = NULL;
	size_t nr = 0;
	int err;

	if (cfd < 0)
		return cfd == -ENOENT;
	err = dre_module_group_list(cfd, &groups, &nr);
	free(groups);
	close(cfd);
	return !err && nr < count_groups(sys_manifest(sys));
}

bool sys_is_unknown(const struct sys *sys)
{
	int dre = dre_module_open();
	bool unknown;

	if (dre < 0)
		return false;
	unknown = is_unknown(sys, dre);
	close(dre);
	return unknown;
}

/* What sys_begin() could not do is tried again, for its error. */
int sys_module_container(const struct sys *sys, struct groups *groups, int *cfd)
{
	int dre, pid, err = kmod_open(&dre);

	if (err)
		return err;
	err = sys_find_pid(sys, &pid);
	if (!err)
		err = sys_groups_of(sys, pid, groups);
	if (!err && is_unknown(sys, dre))
		err = sys_introduce(sys);
	if (!err) {
		*cfd = dre_module_container_open(dre, DRE_CONTAINER_SYS, sys->name, 0);
		if (*cfd < 0)
			err = module_failed(sys, *cfd == -ENOENT ? -ENODEV : *cfd);
	}
	close(dre);
	return err;
}
