// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Limits of control groups, and what is used.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/limit.h"
#include "common/usage.h"

static int saturate(unsigned long long bytes)
{
	return bytes > INT_MAX ? INT_MAX : (int)bytes;
}

/* As the common part has it; @with_value: else only the type counts. */
static int to_limit(const dre_app_resource_value_t *r, bool with_value, struct limit *limit)
{
	int number = 1;

	*limit = (struct limit){ .number = 1 };
	switch (r->type) {
	case DRE_APP_CONTAINER_RESOURCE_CPU:
		limit->type = LIMIT_CPU;
		number = r->udata.cpu.percent;
		break;
	case DRE_APP_CONTAINER_RESOURCE_CPU_CORE:
		limit->type = LIMIT_CORES;
		limit->cores = r->udata.cpu.cores;
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMORY:
		limit->type = LIMIT_MEMORY;
		number = r->udata.mem.usage_in_bytes;
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMSW:
		limit->type = LIMIT_MEMSW;
		number = r->udata.mem.memsw_usage_in_bytes;
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMORY_64:
	case DRE_APP_CONTAINER_RESOURCE_MEMSW_64:
		limit->type = r->type == DRE_APP_CONTAINER_RESOURCE_MEMORY_64 ? LIMIT_MEMORY :
										LIMIT_MEMSW;
		limit->number = r->udata.mem.bytes;
		return with_value ? limit_check(limit) : 0;
	default:
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "resource type %d is not known", r->type);
	}
	if (!with_value)
		return 0;
	limit->number = number > 0 ? number : 0;
	return limit_check(limit);
}

/* Opens the group's directory. @path gets its name. */
static int open_group(const struct app *app, const char *cgroup, char path[APP_CGROUP_SIZE],
		      int *group)
{
	app_cgroup_path(app, cgroup, path);
	return cgroupfs_open_group(path, group);
}

/* @value: whether the resource has one, or is only a type. */
static int begin(struct app *app, const dre_app_handle *h, const char *cgroup,
		 const dre_app_resource_value_t *resource, bool value, enum app_access access,
		 struct limit *limit)
{
	int err;

	if (!h || !cgroup || !resource)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !cgroup ? "control group's name" :
				"resource");
	err = app_check_handle(h);
	if (!err)
		err = app_check_cgroup(cgroup, true);
	if (!err)
		err = to_limit(resource, value, limit);
	return err ? err : app_begin(app, h->name, access);
}

static int change(const dre_app_handle *h, const char *cgroup,
		  const dre_app_resource_value_t *resource, bool set)
{
	char path[APP_CGROUP_SIZE];
	struct limit limit;
	struct app app;
	int group, err = begin(&app, h, cgroup, resource, set, APP_CHANGE, &limit);

	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = open_group(&app, cgroup, path, &group);
	if (!err) {
		err = set ? limit_set(group, path, &limit) :
			    limit_unset(group, path, limit.type);
		close(group);
	}
	app_end(&app);
	return err;
}

dre_return_t dre_app_set_resource(const dre_app_handle *h, const char *cgroup,
				  dre_app_resource_value_t *resource)
{
	return change(h, cgroup, resource, true);
}

dre_return_t dre_app_unset_resource(const dre_app_handle *h, const char *cgroup,
				    dre_app_resource_value_t *resource)
{
	return change(h, cgroup, resource, false);
}

static void from_limit(const struct limit *limit, dre_app_resource_value_t *r)
{
	switch (r->type) {
	case DRE_APP_CONTAINER_RESOURCE_CPU:
		r->udata.cpu.percent = saturate(limit->number);
		break;
	case DRE_APP_CONTAINER_RESOURCE_CPU_CORE:
		r->udata.cpu.cores = (char *)limit->cores;
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMORY:
	case DRE_APP_CONTAINER_RESOURCE_MEMSW:
		r->udata.mem.usage_in_bytes = saturate(limit->number);
		break;
	default:
		r->udata.mem.bytes = limit->number;
		break;
	}
}

/* A kernel that has no such controller there has no limit either. */
static int read_limit(const struct app *app, const char *cgroup, struct limit *limit)
{
	char path[APP_CGROUP_SIZE];
	int group, err = open_group(app, cgroup, path, &group);

	if (err)
		return err;
	err = limit_get(group, limit);
	close(group);
	return err && err != -ENOENT ? dre_fail_errno(-err, "control group %s", path) : 0;
}

dre_return_t dre_app_get_limit(const dre_app_handle *h, const char *cgroup,
			       dre_app_resource_value_t *resource)
{
	struct limit limit;
	struct app app;
	int err = begin(&app, h, cgroup, resource, false, APP_USE, &limit);

	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_SUSPENDED);
	if (!err)
		err = read_limit(&app, cgroup, &limit);
	if (!err)
		from_limit(&limit, resource);
	app_end(&app);
	return err;
}

/* What is asked about: a process, or the container as a whole. */
struct subject {
	int pid;	/* 0: the container */
	int group;
};

static int get_memory(const struct subject *s, dre_app_resource_value_t *r)
{
	struct usage_memory usage;
	int err = s->pid ? usage_process_memory(s->pid, &usage) :
			   usage_group_memory(s->group, &usage);

	if (err)
		return err;
	switch (r->type) {
	case DRE_APP_CONTAINER_RESOURCE_MEMORY:
		r->udata.mem.usage_in_bytes = saturate(usage.memory);
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMSW:
		r->udata.mem.memsw_usage_in_bytes = saturate(usage.memory + usage.swap);
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMORY_64:
		r->udata.mem.bytes = usage.memory;
		break;
	default:
		r->udata.mem.bytes = usage.memory + usage.swap;
		break;
	}
	return 0;
}

static int get_cores(const struct subject *s, dre_app_resource_value_t *r)
{
	char cores[16 * 1024], *copy;
	int err = s->pid ? usage_process_cores(s->pid, cores, sizeof(cores)) :
			   usage_group_cores(s->group, cores, sizeof(cores));

	if (err)
		return err;
	copy = strdup(cores);
	if (!copy)
		return -ENOMEM;
	r->udata.cpu.cores = copy;
	return 0;
}

static int get_cpu(const struct subject *s, dre_app_resource_value_t *r)
{
	int percent;
	int err = s->pid ? usage_process_cpu(s->pid, &percent) :
			   usage_group_cpu(s->group, &percent);

	if (!err)
		r->udata.cpu.percent = percent;
	return err;
}

static int get_value(const struct subject *s, dre_app_resource_value_t *r)
{
	switch (r->type) {
	case DRE_APP_CONTAINER_RESOURCE_CPU:
		return get_cpu(s, r);
	case DRE_APP_CONTAINER_RESOURCE_CPU_CORE:
		return get_cores(s, r);
	default:
		return get_memory(s, r);
	}
}

static int no_process(const struct app *app, int pid)
{
	return dre_fail(DRE_ERR_PID_NONEXISTENCE,
			"container '%s' and its control groups have no process with PID %d",
			app->name, pid);
}

static int get(const struct app *app, int pid, dre_app_resource_value_t *r)
{
	struct subject s = { .pid = pid };
	char path[APP_CGROUP_SIZE];
	bool inside = true;
	int err = open_group(app, ".", path, &s.group);

	if (err)
		return err;
	if (pid)
		err = cgroupfs_contains(path, pid, &inside);
	if (!err && !inside)
		err = -ESRCH;
	if (!err)
		err = get_value(&s, r);
	close(s.group);
	if (err == -ESRCH)
		return no_process(app, pid);
	return err ? dre_fail_errno(-err, "container '%s'", app->name) : 0;
}

dre_return_t dre_app_get_resource(const dre_app_handle *h, const int pid,
				  dre_app_resource_value_t *resource)
{
	struct limit limit;
	struct app app;
	int err;

	if (!h || !resource)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "resource" : "container's handle");
	err = app_check_handle(h);
	if (!err && pid < 0)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "PID %d is negative", pid);
	if (!err)
		err = to_limit(resource, false, &limit);
	if (!err)
		err = app_begin(&app, h->name, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = get(&app, pid, resource);
	app_end(&app);
	return err;
}

dre_return_t dre_app_release_resource(dre_app_resource_value_t *resource)
{
	if (!resource)
		return dre_fail(DRE_ERR_NULL_POINTER, "the resource is NULL");
	if (resource->type == DRE_APP_CONTAINER_RESOURCE_CPU_CORE) {
		free(resource->udata.cpu.cores);
		resource->udata.cpu.cores = NULL;
	}
	return 0;
}
