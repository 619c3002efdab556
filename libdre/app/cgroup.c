// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control groups of a container. They end with the container.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "common/groups.h"
#include "module.h"

int app_check_cgroup(const char *cgroup, bool whole)
{
	return groups_check_name(DRE_CONTAINER_APP, cgroup, whole);
}

void app_groups(const struct app *app, struct groups *groups)
{
	groups->type = DRE_CONTAINER_APP;
	groups->name = app->name;
	app_group("app", app->name, groups->outer);
}

void app_cgroup_path(const struct app *app, const char *cgroup, char path[APP_CGROUP_SIZE])
{
	struct groups groups;

	app_groups(app, &groups);
	groups_path(&groups, cgroup, path);
}

int app_cgroup_announce(const struct app *app, int cfd, const char *cgroup)
{
	struct groups groups;

	app_groups(app, &groups);
	return groups_announce(&groups, cfd, cgroup);
}

void app_cgroups_announce(const struct app *app, int cfd)
{
	struct groups groups;

	app_groups(app, &groups);
	groups_announce_all(&groups, cfd);
}

/* Has it number 1, in a namespace just below ours? The line has its number in ours first. */
static bool is_init(long pid)
{
	char name[40], line[256], end;
	bool is = false;
	FILE *f;
	int nr;

	snprintf(name, sizeof(name), "/proc/%ld/status", pid);
	f = fopen(name, "re");
	while (f && !is && fgets(line, sizeof(line), f))
		is = sscanf(line, "NSpid: %*d %d%c", &nr, &end) == 2 && nr == 1 && end == '\n';
	if (f)
		fclose(f);
	return is;
}

static bool has_root(long pid, const char *rootfs)
{
	struct stat its, wanted;
	char name[32];

	snprintf(name, sizeof(name), "/proc/%ld/root", pid);
	return !stat(name, &its) && !stat(rootfs, &wanted) && its.st_dev == wanted.st_dev && its.st_ino == wanted.st_ino;
}

struct search {
	const char *rootfs;
	pid_t found;
};

static void look_for_init(const struct groups *g, int outer, const char *cgroup, void *arg)
{
	char name[GROUPS_PATH_SIZE];
	struct search *search = arg;
	long pid;
	FILE *f;
	int fd;

	(void)g;
	snprintf(name, sizeof(name), "%s/cgroup.procs", cgroup);
	fd = openat(outer, name, O_RDONLY | O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	while (f && fscanf(f, "%ld", &pid) == 1)
		if (is_init(pid) && (!search->rootfs || has_root(pid, search->rootfs)))
			search->found = pid;
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
}

pid_t app_bound_init(const struct app *app, const char *rootfs)
{
	struct search search = { .rootfs = rootfs };
	struct groups groups;

	app_groups(app, &groups);
	groups_each(&groups, look_for_init, &search);
	return search.found;
}

/* @fn gets the container's groups, and a fd of the module. */
static int change(const dre_app_handle *h, const char *cgroup,
		  int (*fn)(const struct groups *groups, int cfd, const char *cgroup))
{
	struct groups groups;
	struct app app;
	int cfd, err;

	if (!h || !cgroup)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "control group's name" : "container's handle");
	err = app_check_handle(h);
	if (!err)
		err = app_check_cgroup(cgroup, false);
	if (!err)
		err = app_begin(&app, h->name, APP_CHANGE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = app_module_container(&app, &cfd);
	if (!err) {
		app_groups(&app, &groups);
		err = fn(&groups, cfd, cgroup);
		close(cfd);
	}
	app_end(&app);
	return err;
}

dre_return_t dre_app_create_cgroup(const dre_app_handle *h, const char *cgroup)
{
	return change(h, cgroup, groups_create);
}

dre_return_t dre_app_destroy_cgroup(const dre_app_handle *h, const char *cgroup)
{
	return change(h, cgroup, groups_destroy);
}

/* Of a stopped container there are none. */
static int list_groups(const struct app *app, dre_list_t *list)
{
	struct groups groups;
	int cfd = -1, err = 0;

	if (app_state(app) != APP_STOPPED)
		err = app_module_container(app, &cfd);
	if (err && err != DRE_ERR_CONTAINER_STOPPED)
		return err;
	if (err)
		cfd = -1;
	app_groups(app, &groups);
	err = groups_list(&groups, cfd, list);
	if (cfd >= 0)
		close(cfd);
	return err;
}

dre_return_t dre_app_get_cgroup_list(const dre_app_handle *h, dre_list_t *list)
{
	struct app app;
	int err = app_begin_list(&app, h, list);

	if (err)
		return err;
	err = list_groups(&app, list);
	app_end(&app);
	return err;
}
