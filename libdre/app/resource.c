// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Limits of control groups, and what is used.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/resource.h"

_Static_assert(RESOURCE_CPU == (int)DRE_APP_CONTAINER_RESOURCE_CPU &&
	       RESOURCE_CPU_CORE == (int)DRE_APP_CONTAINER_RESOURCE_CPU_CORE &&
	       RESOURCE_MEMORY == (int)DRE_APP_CONTAINER_RESOURCE_MEMORY &&
	       RESOURCE_MEMSW == (int)DRE_APP_CONTAINER_RESOURCE_MEMSW &&
	       RESOURCE_MEMORY_64 == (int)DRE_APP_CONTAINER_RESOURCE_MEMORY_64 &&
	       RESOURCE_MEMSW_64 == (int)DRE_APP_CONTAINER_RESOURCE_MEMSW_64 &&
	       RESOURCE_PIDS == (int)DRE_APP_CONTAINER_RESOURCE_PIDS,
	       "types have the same numbers");
_Static_assert(sizeof(union resource_value) == sizeof(((dre_app_resource_value_t *)NULL)->udata),
	       "values are laid out the same");

static int to_limit(const dre_app_resource_value_t *r, bool with_value, struct limit *limit)
{
	union resource_value value;

	memcpy(&value, &r->udata, sizeof(value));
	return resource_to_limit(r->type, &value, with_value, limit);
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
	app_cgroup_path(&app, cgroup, path);
	if (!err)
		err = cgroupfs_open_group(path, &group);
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

/* A kernel that has no such controller there has no limit either. */
static int read_limit(const struct app *app, const char *cgroup, struct limit *limit)
{
	char path[APP_CGROUP_SIZE];
	int group, err;

	app_cgroup_path(app, cgroup, path);
	err = cgroupfs_open_group(path, &group);
	if (err)
		return err;
	err = limit_get(group, limit);
	close(group);
	return err && err != -ENOENT ? dre_fail_errno(-err, "control group %s", path) : 0;
}

/* Of a value only what the type has is written, as a pointer must be. */
static void put_value(dre_app_resource_value_t *r, const union resource_value *value)
{
	switch (r->type) {
	case DRE_APP_CONTAINER_RESOURCE_CPU_CORE:
		r->udata.cpu.cores = value->cores;
		break;
	case DRE_APP_CONTAINER_RESOURCE_MEMORY_64:
	case DRE_APP_CONTAINER_RESOURCE_MEMSW_64:
		r->udata.mem.bytes = value->bytes;
		break;
	default:
		r->udata.cpu.percent = value->number;
		break;
	}
}

dre_return_t dre_app_get_limit(const dre_app_handle *h, const char *cgroup,
			       dre_app_resource_value_t *resource)
{
	union resource_value value;
	struct limit limit;
	struct app app;
	int err = begin(&app, h, cgroup, resource, false, APP_USE, &limit);

	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_SUSPENDED);
	if (!err)
		err = read_limit(&app, cgroup, &limit);
	if (!err) {
		resource_from_limit(&limit, resource->type, &value);
		put_value(resource, &value);
	}
	app_end(&app);
	return err;
}

dre_return_t dre_app_get_resource(const dre_app_handle *h, const int pid,
				  dre_app_resource_value_t *resource)
{
	char path[APP_CGROUP_SIZE];
	union resource_value value;
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
	app_cgroup_path(&app, ".", path);
	if (!err)
		err = resource_get(app.name, path, pid, resource->type, &value);
	if (!err)
		put_value(resource, &value);
	app_end(&app);
	return err;
}

dre_return_t dre_app_get_usage(const dre_app_handle *h, const char *cgroup, dre_usage *usage)
{
	char path[APP_CGROUP_SIZE];
	struct app app;
	int err;

	if (!h || !cgroup || !usage)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !cgroup ? "control group's name" : "usage");
	err = app_check_handle(h);
	if (!err)
		err = app_check_cgroup(cgroup, true);
	if (!err)
		err = resource_check_usage(usage);
	if (!err)
		err = app_begin(&app, h->name, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_SUSPENDED);
	app_cgroup_path(&app, cgroup, path);
	if (!err)
		err = resource_get_usage(app.name, path, usage);
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
