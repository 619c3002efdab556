// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Limits of control groups, and what is used.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cgroupfs.h"
#include "common/cpulist.h"
#include "common/resource.h"
#include "group.h"
#include "module.h"
#include "sys.h"

_Static_assert(RESOURCE_CPU == (int)DRE_SYS_CONTAINER_RESOURCE_CPU &&
	       RESOURCE_CPU_CORE == (int)DRE_SYS_CONTAINER_RESOURCE_CPU_CORE &&
	       RESOURCE_MEMORY == (int)DRE_SYS_CONTAINER_RESOURCE_MEMORY &&
	       RESOURCE_MEMSW == (int)DRE_SYS_CONTAINER_RESOURCE_MEMSW &&
	       RESOURCE_MEMORY_64 == (int)DRE_SYS_CONTAINER_RESOURCE_MEMORY_64 &&
	       RESOURCE_MEMSW_64 == (int)DRE_SYS_CONTAINER_RESOURCE_MEMSW_64,
	       "types have the same numbers");
_Static_assert(sizeof(union resource_value) == sizeof(((dre_sys_resource_value_t *)NULL)->udata),
	       "values are laid out the same");

/* How many threads QEMU has for a machine is nothing that its user could know. */
static int to_limit(const dre_sys_resource_value_t *r, bool with_value, struct limit *limit)
{
	union resource_value value;

	if ((int)r->type == RESOURCE_PIDS)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "resource type %d is not of system containers", r->type);
	memcpy(&value, &r->udata, sizeof(value));
	return resource_to_limit(r->type, &value, with_value, limit);
}

/* Of a value only what the type has is written. */
static void put_value(dre_sys_resource_value_t *r, const union resource_value *value)
{
	switch (r->type) {
	case DRE_SYS_CONTAINER_RESOURCE_CPU_CORE:
		r->udata.cpu.cores = value->cores;
		break;
	case DRE_SYS_CONTAINER_RESOURCE_MEMORY_64:
	case DRE_SYS_CONTAINER_RESOURCE_MEMSW_64:
		r->udata.mem.bytes = value->bytes;
		break;
	default:
		r->udata.cpu.percent = value->number;
		break;
	}
}

static int begin(struct sys *sys, const dre_sys_handle *h, const char *cgroup,
		 const dre_sys_resource_value_t *resource, bool with_value, struct limit *limit,
		 enum sys_access access)
{
	int err;

	if (!h || !cgroup || !resource)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !cgroup ? "control group's name" :
				"resource");
	err = sys_check_handle(h);
	if (!err)
		err = groups_check_name(DRE_CONTAINER_SYS, cgroup, true);
	if (!err)
		err = to_limit(resource, with_value, limit);
	if (!err && with_value && limit->type == LIMIT_CORES && strlen(limit->cores) >= DRE_CORES_SIZE)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "the list of cores is too long");
	if (!err)
		err = sys_begin(sys, h->name, access);
	if (err)
		return err;
	err = sys_groups_check(sys->name, sys_manifest(sys));
	if (err)
		sys_end(sys);
	return err;
}

static int find_group(const struct sys *sys, const char *cgroup, struct sys_group *group)
{
	if (sys_group_get(sys_manifest(sys), cgroup, group) || !strcmp(cgroup, "."))
		return 0;
	return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE, "container '%s' has no control group '%s'", sys->name,
			cgroup);
}

/*
 * What the kernel would say, for a machine that is stopped.
 */

static int check_cores(const struct sys *sys, const char *cores)
{
	struct cpulist wanted, there;
	char host[16 * 1024];
	int root, missing, err = cgroupfs_open(&root);

	if (err)
		return err;
	err = cgroupfs_get(root, "cpuset.cpus.effective", host, sizeof(host));
	close(root);
	if (err || !cpulist_parse(&wanted, cores) || !cpulist_parse(&there, host))
		return 0;	/* the start will tell */
	missing = cpulist_missing(&wanted, &there);
	return missing < 0 ? 0 : dre_fail(DRE_ERR_SET_LIMIT_FAILED,
					  "container '%s': core %d is not one of %s", sys->name, missing,
					  host);
}

static int check_set(const struct sys *sys, const struct limit *limit, const struct dre_limits *after)
{
	if (limit->type == LIMIT_CORES)
		return check_cores(sys, after->cores);
	if (limit->type == LIMIT_MEMORY && after->memory < (unsigned long long)sysconf(_SC_PAGESIZE))
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"container '%s': %llu bytes are less than a page", sys->name,
				after->memory);
	return limits_check(sys->name, after);
}

static int check_unset(const struct sys *sys, const struct limit *limit, const struct dre_limits *after)
{
	if (limit->type == LIMIT_MEMORY && after->memsw)
		return dre_fail(DRE_ERR_UNSET_LIMIT_FAILED,
				"container '%s': unset the limit of memory and swap first", sys->name);
	return 0;
}

/*
 * Changing one: in the kernel, where the machine runs, and in the manifest; both, or none.
 */

static void change_limits(struct dre_limits *limits, const struct limit *limit, bool set)
{
	unsigned long long number = set ? limit->number : 0;

	switch (limit->type) {
	case LIMIT_CPU:
		limits->cpu = number;
		break;
	case LIMIT_CORES:
		snprintf(limits->cores, sizeof(limits->cores), "%s", set ? limit->cores : "");
		break;
	case LIMIT_MEMORY:
		limits->memory = number;
		break;
	case LIMIT_MEMSW:
		limits->memsw = number;
		break;
	case LIMIT_PIDS:	/* see to_limit() */
		break;
	}
}

static int commit(const struct sys *sys, const struct sys_group *group)
{
	int err = sys_group_put(&sys->container->manifest, group);

	return err ? err : container_commit(sys->container);
}

/* What systemd has to know of it, if the group is its. */
static int tell_systemd(const struct groups *groups, const struct sys_group *group)
{
	return strcmp(group->name, ".") ? 0 : sys_slice_limit(groups, &group->limits);
}

static int change_running(const struct sys *sys, const struct sys_group *before,
			  const struct sys_group *after, const struct limit *limit, bool set)
{
	char path[GROUPS_PATH_SIZE];
	struct saved_error saved;
	struct groups groups;
	int pid, fd, err = sys_find_pid(sys, &pid);

	if (!err)
		err = sys_groups_of(sys, pid, &groups);
	if (!err && !groups_exists(&groups, after->name))
		err = sys_introduce(sys);	/* nobody has done it, for want of the module */
	if (err)
		return err;
	groups_path(&groups, after->name, path);
	err = cgroupfs_open_group(path, &fd);
	if (err)
		return err;
	err = set ? limit_set(fd, path, limit) : limit_unset(fd, path, limit->type);
	if (err) {
		close(fd);
		return err;
	}
	err = tell_systemd(&groups, after);
	if (!err)
		err = commit(sys, after);
	if (err) {
		save_error(&saved);
		tell_systemd(&groups, before);
		limits_set(fd, path, &after->limits, &before->limits);
		restore_error(&saved);
	}
	close(fd);
	return err;
}

static int change_stopped(const struct sys *sys, const struct sys_group *after,
			  const struct limit *limit, bool set)
{
	int err = set ? check_set(sys, limit, &after->limits) : check_unset(sys, limit, &after->limits);

	return err ? err : commit(sys, after);
}

static int change(const dre_sys_handle *h, const char *cgroup, const dre_sys_resource_value_t *resource,
		  bool set)
{
	struct sys_group before, after;
	struct limit limit;
	struct sys sys;
	int err = begin(&sys, h, cgroup, resource, set, &limit, SYS_CHANGE);

	if (err)
		return err;
	err = find_group(&sys, cgroup, &before);
	if (!err) {
		after = before;
		change_limits(&after.limits, &limit, set);
		if (sys_state(&sys) == SYS_STOPPED) {
			err = change_stopped(&sys, &after, &limit, set);
		} else {
			err = sys_require(&sys, SYS_RUNNING, SYS_SUSPENDED);
			if (!err)
				err = change_running(&sys, &before, &after, &limit, set);
		}
	}
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_set_resource(const dre_sys_handle *h, const char *cgroup,
				  dre_sys_resource_value_t *resource)
{
	return change(h, cgroup, resource, true);
}

dre_return_t dre_sys_unset_resource(const dre_sys_handle *h, const char *cgroup,
				    dre_sys_resource_value_t *resource)
{
	return change(h, cgroup, resource, false);
}

static int read_limit(const struct dre_limits *limits, struct limit *limit)
{
	limit->number = limit->type == LIMIT_CPU ? limits->cpu :
			limit->type == LIMIT_MEMORY ? limits->memory : limits->memsw;
	limit->cores = NULL;
	if (limit->type != LIMIT_CORES || !*limits->cores)
		return 0;
	limit->cores = strdup(limits->cores);
	return limit->cores ? 0 : dre_fail_errno(ENOMEM, "the list of cores");
}

dre_return_t dre_sys_get_limit(const dre_sys_handle *h, const char *cgroup,
			       dre_sys_resource_value_t *resource)
{
	union resource_value value;
	struct sys_group group;
	struct limit limit;
	struct sys sys;
	int err = begin(&sys, h, cgroup, resource, false, &limit, SYS_LOOK);

	if (err)
		return err;
	err = find_group(&sys, cgroup, &group);
	if (!err)
		err = read_limit(&group.limits, &limit);
	if (!err) {
		resource_from_limit(&limit, resource->type, &value);
		put_value(resource, &value);
	}
	sys_end(&sys);
	return err;
}

/*
 * What is used
 */

static int get(const struct sys *sys, int pid, dre_sys_resource_value_t *resource)
{
	union resource_value value;
	struct groups groups;
	int machine, err = sys_find_pid(sys, &machine);

	if (!err)
		err = sys_groups_of(sys, machine, &groups);
	if (!err)
		err = resource_get(sys->name, groups.outer, pid, resource->type, &value);
	if (!err)
		put_value(resource, &value);
	return err;
}

dre_return_t dre_sys_get_resource(const dre_sys_handle *h, const int pid,
				  dre_sys_resource_value_t *resource)
{
	struct limit limit;
	struct sys sys;
	int err;

	if (!h || !resource)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "resource" : "container's handle");
	err = sys_check_handle(h);
	if (!err && pid < 0)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "PID %d is negative", pid);
	if (!err)
		err = to_limit(resource, false, &limit);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_USE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_RUNNING);
	if (!err)
		err = get(&sys, pid, resource);
	sys_end(&sys);
	return err;
}

static int get_usage(const struct sys *sys, const char *cgroup, dre_usage *usage)
{
	char path[GROUPS_PATH_SIZE];
	struct sys_group group;
	struct groups groups;
	int machine, err = find_group(sys, cgroup, &group);

	if (!err)
		err = sys_find_pid(sys, &machine);
	if (!err)
		err = sys_groups_of(sys, machine, &groups);
	if (err)
		return err;
	groups_path(&groups, cgroup, path);
	return resource_get_usage(sys->name, path, usage);
}

dre_return_t dre_sys_get_usage(const dre_sys_handle *h, const char *cgroup, dre_usage *usage)
{
	struct sys sys;
	int err;

	if (!h || !cgroup || !usage)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !cgroup ? "control group's name" : "usage");
	err = sys_check_handle(h);
	if (!err)
		err = groups_check_name(DRE_CONTAINER_SYS, cgroup, true);
	if (!err)
		err = resource_check_usage(usage);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_USE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_SUSPENDED);
	if (!err)
		err = get_usage(&sys, cgroup, usage);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_release_resource(dre_sys_resource_value_t *resource)
{
	if (!resource)
		return dre_fail(DRE_ERR_NULL_POINTER, "the resource is NULL");
	if (resource->type == DRE_SYS_CONTAINER_RESOURCE_CPU_CORE) {
		free(resource->udata.cpu.cores);
		resource->udata.cpu.cores = NULL;
	}
	return 0;
}
