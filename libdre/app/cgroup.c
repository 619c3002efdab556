// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control groups of a container: cgroups beside that of its payload, so that
 * processes of the host can be in them too, and what limits the container
 * limits all of them. They end with the container.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/file.h"
#include "module.h"

/* Names of the kernel's files there, and of liblxc's groups. */
static bool is_reserved(const char *cgroup)
{
	static const char *const prefixes[] = {
		"payload", "cgroup.", "cpu.", "cpuset.", "memory.", "io.", "pids.", "hugetlb.",
		"rdma.", "misc.", "irq.", "perf_event.", "debug.", "dmem.",
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(cgroup, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

int app_check_cgroup(const char *cgroup, bool whole)
{
	int err;

	if (whole && cgroup && !strcmp(cgroup, "."))
		return 0;
	err = dre_check_name("control group", cgroup);
	if (!err && is_reserved(cgroup))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "'%s' cannot be the name of a control group: it is the kernel's, or "
			       "liblxc's", cgroup);
	return err;
}

/* Unlike liblxc the kernel has nothing against ".." in the middle of a name. */
void app_cgroup_path(const struct app *app, const char *cgroup, char path[APP_CGROUP_SIZE])
{
	char group[APP_GROUP_SIZE];

	app_group("app", app->name, group);
	if (strcmp(cgroup, "."))
		snprintf(path, APP_CGROUP_SIZE, "%s/%s", group, cgroup);
	else
		strcpy(path, group);
}

static int begin(struct app *app, const dre_app_handle *h, const char *cgroup)
{
	int err;

	if (!h || !cgroup)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "control group's name" : "container's handle");
	err = app_check_handle(h);
	if (!err)
		err = app_check_cgroup(cgroup, false);
	if (!err)
		err = app_begin(app, h->name, APP_CHANGE);
	if (err)
		return err;
	err = app_require(app, APP_RUNNING, APP_RUNNING);
	if (err)
		app_end(app);
	return err;
}

int app_cgroup_announce(const struct app *app, int cfd, const char *cgroup)
{
	char path[APP_CGROUP_SIZE];
	int dir, err;

	app_cgroup_path(app, cgroup, path);
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
				"container '%s' has a control group '%s' already", app->name, cgroup);
	case -ENODEV:
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", app->name);
	}
	return dre_fail_errno(-err, "container '%s', control group '%s'", app->name, cgroup);
}

static int create(const struct app *app, const char *cgroup)
{
	char path[APP_CGROUP_SIZE];
	struct saved_error saved;
	int cfd, err;

	err = app_module_container(app, &cfd);
	if (err)
		return err;
	app_cgroup_path(app, cgroup, path);
	err = cgroupfs_create(path);
	if (!err) {
		err = app_cgroup_announce(app, cfd, cgroup);
		if (err) {
			save_error(&saved);
			cgroupfs_remove(path);
			restore_error(&saved);
		}
	}
	close(cfd);
	return err;
}

dre_return_t dre_app_create_cgroup(const dre_app_handle *h, const char *cgroup)
{
	struct app app;
	int err = begin(&app, h, cgroup);

	if (err)
		return err;
	err = create(&app, cgroup);
	app_end(&app);
	return err;
}

/* The kernel refuses while a process is in it; the module forgets it then by itself. */
static int destroy(const struct app *app, const char *cgroup)
{
	char path[APP_CGROUP_SIZE], cause[256];
	int cfd, fd, err;

	err = app_module_container(app, &cfd);
	if (err)
		return err;
	app_cgroup_path(app, cgroup, path);
	err = cgroupfs_open_group(path, &fd);
	if (!err) {
		close(fd);
		err = cgroupfs_remove(path);
		if (err) {
			snprintf(cause, sizeof(cause), "%s", dre_last_error());
			err = dre_fail(DRE_ERR_DESTROY_CGROUP_FAILED, "%s", cause);
		} else {
			dre_module_group_destroy(cfd, cgroup);
		}
	}
	close(cfd);
	return err;
}

dre_return_t dre_app_destroy_cgroup(const dre_app_handle *h, const char *cgroup)
{
	struct app app;
	int err = begin(&app, h, cgroup);

	if (err)
		return err;
	err = destroy(&app, cgroup);
	app_end(&app);
	return err;
}

void app_each_cgroup(const struct app *app,
		     void (*fn)(const struct app *app, int outer, const char *cgroup, void *arg),
		     void *arg)
{
	char path[APP_CGROUP_SIZE];
	struct dirent *entry;
	int outer;
	DIR *all;

	app_cgroup_path(app, ".", path);
	if (cgroupfs_open_group(path, &outer))
		return;
	all = file_opendir(outer, ".");
	while (all && (entry = file_readdir(all)))
		/* The others are the kernel's files and liblxc's groups. */
		if (entry->d_type == DT_DIR && !app_check_cgroup(entry->d_name, false))
			fn(app, outer, entry->d_name, arg);
	if (all)
		closedir(all);
	close(outer);
}

/* Who is in a control group was bound to it, or is a child of one who was. */
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

static void announce_again(const struct app *app, int outer, const char *cgroup, void *arg)
{
	int dir = openat(outer, cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), *cfd = arg;

	(void)app;
	if (dir < 0)
		return;
	if (!dre_module_group_create(*cfd, cgroup, dir))
		announce_bindings(*cfd, dir, cgroup);
	close(dir);
}

void app_cgroups_announce(const struct app *app, int cfd)
{
	app_each_cgroup(app, announce_again, &cfd);
}

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

static int list_groups(const struct app *app, dre_list_t *list)
{
	struct dre_group_info *info = NULL;
	size_t nr = 0;
	int cfd, err;

	if (app_state(app) != APP_STOPPED) {
		err = app_module_container(app, &cfd);
		if (!err) {
			err = dre_module_group_list(cfd, &info, &nr);
			close(cfd);
			if (err && err != -ENODEV)
				return dre_fail_errno(-err, "container '%s'", app->name);
		} else if (err != DRE_ERR_CONTAINER_STOPPED) {
			return err;
		}
	}
	err = copy_names(info, nr, list);
	free(info);
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
