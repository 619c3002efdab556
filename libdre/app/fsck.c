// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Collecting what nothing names, and looking at the store as a whole.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/fsck.h"
#include "common/rootfs.h"

struct fsck_call {
	dre_app_fsck_fn fn;
	void *arg;
	struct store *store;
	bool repair;
};

static void report(void *arg, const char *path, const char *what, bool repaired)
{
	const dre_app_problem problem = { .path = path, .what = what, .repaired = repaired };
	const struct fsck_call *call = arg;

	call->fn(call->arg, &problem);
}

/* It cannot be opened, because its manifest is damaged; its control groups tell. */
static bool stopped(void *arg, const char *container)
{
	char groups[2][APP_GROUP_SIZE];
	bool populated;

	(void)arg;
	app_group("app", container, groups[0]);
	app_group("monitor", container, groups[1]);
	for (int i = 0; i < 2; i++)
		if (cgroupfs_populated(groups[i], &populated) || populated)
			return false;
	return true;
}

/* With the container locked: it may have been started since the first look. One that is damaged nobody starts. */
static bool is_left(const struct fsck_call *call, const char *name, const char *path)
{
	struct container *c;
	bool mounted;
	int err = container_lock_to_settle(&c, call->store, name);

	if (err)
		return err == DRE_ERR_CONTAINER_UNKNOWN_STATUS;
	mounted = stopped(NULL, name) && !rootfs_mounted(name, path, &mounted) && mounted;
	container_unlock(c);
	return mounted;
}

/*
 * What is mounted for a container that is stopped: its next start, stop or destroy would clean it
 * up, and so does app_begin().
 */
static void check_container(const struct fsck_call *call, const char *name)
{
	char path[PATH_MAX];
	bool mounted, busy;
	struct app app;

	if (container_busy(call->store, name, &busy) || busy || !stopped(NULL, name) ||
	    app_path(call->store, name, "rootfs", path) ||
	    rootfs_mounted(name, path, &mounted) || !mounted || !is_left(call, name, path))
		return;
	if (call->repair && !app_begin(&app, name, APP_REMOVE)) {
		app_end(&app);
		rootfs_mounted(name, path, &mounted);
	}
	snprintf(path, sizeof(path), "lxc/%s/rootfs", name);
	report((void *)call, path, "is mounted, though the container is stopped",
	       call->repair && !mounted);
}

static bool exists(const struct fsck_call *call, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/containers/%s", store_root(call->store), name) <
	       (int)sizeof(path) && !access(path, F_OK);
}

/* Files that are not ours, or a mount, keep it from being removed. */
static void check_lxc(const struct fsck_call *call, const char *name)
{
	char path[PATH_MAX];
	bool removed;

	if (exists(call, name))
		return;
	removed = call->repair && stopped(NULL, name) && !app_remove_lxc(call->store, name);
	snprintf(path, sizeof(path), "lxc/%s", name);
	report((void *)call, path, "there is no such container", removed);
}

static int check_names(const struct fsck_call *call, int (*list)(struct store *, char ***),
		       void (*check)(const struct fsck_call *, const char *))
{
	char **names;
	int err = list(call->store, &names);

	if (err)
		return err;
	for (char **name = names; *name; name++)
		check(call, *name);
	store_free_list(names);
	return 0;
}

dre_return_t dre_app_fsck(unsigned int flags, dre_app_fsck_fn fn, void *arg)
{
	struct fsck_call call = { fn, arg, NULL, flags & DRE_APP_FSCK_REPAIR };
	const struct fsck fsck = {
		.repair = flags & DRE_APP_FSCK_REPAIR,
		.set_aside = flags & DRE_APP_FSCK_SET_ASIDE,
		.problem = report,
		.stopped = stopped,
		.arg = &call,
	};
	struct dre_config config;
	int err;

	if (!fn)
		return dre_fail(DRE_ERR_NULL_POINTER, "the function that problems are reported to is NULL");
	if (flags & ~(DRE_APP_FSCK_REPAIR | DRE_APP_FSCK_SET_ASIDE))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "flags %#x are not known", flags);
	err = app_open_store(&config, &call.store);
	if (!err)
		err = store_fsck(call.store, &fsck);
	if (!err)
		err = check_names(&call, store_list_containers, check_container);
	if (!err)
		err = check_names(&call, store_list_lxc, check_lxc);
	store_close(call.store);
	return err;
}

dre_return_t dre_app_gc(void)
{
	struct dre_config config;
	struct store *store = NULL;
	bool busy = false;
	int err = app_open_store(&config, &store);

	if (!err)
		err = store_gc(store, &busy);
	if (!err && busy)
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "somebody changes the store %s",
			       store_root(store));
	store_close(store);
	return err;
}
