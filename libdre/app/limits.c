// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/limit.h"
#include "limits.h"

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

/* What takes them away, liblxc and who cleans up after it, is not to go down as far as the container likes. */
static int bound_depth(const struct group *group)
{
	int err = cgroupfs_set(group->fd, "cgroup.max.depth", LIMITS_DEPTH);

	return err ? dre_fail_errno(-err, "control group %s: cgroup.max.depth", group->path) : 0;
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
	err = bound_depth(&group);
	if (!err)
		err = limits_set(group.fd, group.path, &none, &app->config.limits);
	if (!err)
		err = check_alive(app, &group);
	close(group.fd);
	return err;
}

/* As the kernel has them, whoever set them. */
enum { CPU_MAX, CPUS, MEMORY_MAX, SWAP_MAX, PIDS_MAX, NR_FILES };

static const char *const files[NR_FILES] = {
	[CPU_MAX] = "cpu.max", [CPUS] = "cpuset.cpus", [MEMORY_MAX] = "memory.max",
	[SWAP_MAX] = "memory.swap.max", [PIDS_MAX] = "pids.max",
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
	err = limits_set(group.fd, group.path, before, &app->config.limits);
	if (!err)
		err = container_commit(app->container);
	if (err)
		put_back(&group, values);
	close(group.fd);
	return err;
}
