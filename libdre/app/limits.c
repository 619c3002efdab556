// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/limit.h"
#include "limits.h"

int limits_check(const char *name, const struct dre_limits *limits)
{
	if (!limits->memsw)
		return 0;
	if (!limits->memory)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"container '%s': memsw needs a limit of memory as well", name);
	if (limits->memsw < limits->memory)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"container '%s': memsw, %llu bytes, is less than memory, %llu", name,
				limits->memsw, limits->memory);
	return 0;
}

/* The container's control group, as limit.h wants it. */
struct group {
	char path[APP_CGROUP_SIZE];
	int fd;
};

static int open_group(const struct app *app, struct group *group)
{
	app_cgroup_path(app, ".", group->path);
	return cgroupfs_open_group(group->path, &group->fd);
}

static int set_number(const struct group *group, enum limit_type type, unsigned long long number)
{
	const struct limit limit = { .type = type, .number = number };

	return number ? limit_set(group->fd, group->path, &limit) :
			limit_unset(group->fd, group->path, type);
}

static int set_cores(const struct group *group, const char *cores)
{
	const struct limit limit = { .type = LIMIT_CORES, .cores = cores };

	return *cores ? limit_set(group->fd, group->path, &limit) :
			limit_unset(group->fd, group->path, LIMIT_CORES);
}

/* In this order there is none in between that does not fit to the other one. */
static int set_memory(const struct group *group, const struct dre_limits *from,
		      const struct dre_limits *to)
{
	int err = from->memsw ? limit_unset(group->fd, group->path, LIMIT_MEMSW) : 0;

	if (!err)
		err = set_number(group, LIMIT_MEMORY, to->memory);
	if (!err && to->memsw)
		err = set_number(group, LIMIT_MEMSW, to->memsw);
	return err;
}

/* Only what differs: all else may be somebody's who called dre_app_set_resource(). */
static int set_limits(const struct group *group, const struct dre_limits *from,
		      const struct dre_limits *to)
{
	int err = 0;

	if (to->cpu != from->cpu)
		err = set_number(group, LIMIT_CPU, to->cpu);
	if (!err && strcmp(to->cores, from->cores))
		err = set_cores(group, to->cores);
	if (!err && (to->memory != from->memory || to->memsw != from->memsw))
		err = set_memory(group, from, to);
	return err;
}

/* liblxc's part of it, which is there already, takes memory as well. */
static int check_alive(const struct app *app, const struct group *group)
{
	char events[256];
	const char *kills;

	if (cgroupfs_get(group->fd, "memory.events", events, sizeof(events)))
		return 0;
	kills = strstr(events, "\noom_kill ");
	if (!kills || !strncmp(kills, "\noom_kill 0", strlen("\noom_kill 0")))
		return 0;
	return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
			"container '%s': %llu bytes of memory are not enough to start it", app->name,
			app->config.limits.memory);
}

int limits_apply(const struct app *app)
{
	static const struct dre_limits none;
	struct group group;
	int err = limits_check(app->name, &app->config.limits);

	if (!err)
		err = open_group(app, &group);
	if (err)
		return err;
	err = set_limits(&group, &none, &app->config.limits);
	if (!err)
		err = check_alive(app, &group);
	close(group.fd);
	return err;
}

/* As the kernel has them, whoever set them. */
enum { CPU_MAX, CPUS, MEMORY_MAX, SWAP_MAX, NR_FILES };

static const char *const files[NR_FILES] = {
	[CPU_MAX] = "cpu.max", [CPUS] = "cpuset.cpus", [MEMORY_MAX] = "memory.max",
	[SWAP_MAX] = "memory.swap.max",
};

typedef char kernel_limits[NR_FILES][16 * 1024];

static void remember(const struct group *group, kernel_limits values)
{
	for (size_t i = 0; i < NR_FILES; i++)
		if (cgroupfs_get(group->fd, files[i], values[i], sizeof(values[i])))
			*values[i] = '\0';
}

static void put_back(const struct group *group, kernel_limits values)
{
	struct saved_error saved;

	save_error(&saved);
	for (size_t i = 0; i < NR_FILES; i++)
		if (*values[i] || i == CPUS)	/* a list of none is a value; all else was not there */
			cgroupfs_set(group->fd, files[i], values[i]);
	restore_error(&saved);
}

int limits_change(const struct app *app, const struct dre_limits *before)
{
	struct group group;
	kernel_limits values;
	int err = open_group(app, &group);

	if (err)
		return err;
	remember(&group, values);
	err = set_limits(&group, before, &app->config.limits);
	if (!err)
		err = container_commit(app->container);
	if (err)
		put_back(&group, values);
	close(group.fd);
	return err;
}
