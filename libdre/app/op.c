// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What every operation on a container begins and ends with.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/rootfs.h"
#include "module.h"
#include "volume.h"

int app_open_store(struct dre_config *config, struct store **store)
{
	int err = dre_check_privilege();

	if (!err)
		err = dre_config_load(config);
	if (!err)
		err = store_open(store, config->store, &layer_tree);
	if (!err)
		store_remove_with(*store, APP_HELPER);
	return err;
}

/*
 * Of one that is not stopped it is what the end of a checkpoint would have done. A process that cannot be put back
 * stays in the payload's group, and is not in the way of what the caller wants. A restart that did not come to its end is
 * undone.
 */
static int clean_up(struct app *app)
{
	int err = app_settle_restart(app);
	enum app_state state = app_state(app);

	if (err || state == APP_STOPPED)
		return err ? err : app_settle(app);
	app->let_go = (state == APP_RUNNING || state == APP_SUSPENDED) && app_record_held(app);
	if (app->let_go)
		app_let_go(app, 0);
	return 0;
}

int app_begin(struct app *app, const char *name, enum app_access access)
{
	int err = dre_check_name("container", name);

	*app = (struct app){};
	if (err)
		return err;
	strcpy(app->name, name);
	err = app_open_store(&app->config, &app->store);
	if (err)
		return err;
	if (access >= APP_CHANGE)
		err = container_lock(&app->container, app->store, name);
	else
		err = container_check_exists(app->store, name);
	if (err == DRE_ERR_CONTAINER_UNKNOWN_STATUS && access == APP_REMOVE)
		err = container_lock_damaged(&app->container, app->store, name);
	if (!err && access == APP_USE)
		err = container_check_free(app->store, name);
	if (!err && access == APP_CHANGE)
		err = app_configure(&app->config, name, &app->container->manifest);
	if (!err && access >= APP_CHANGE)
		err = clean_up(app);
	app->begun = !err;
	if (err)
		app_end(app);
	return err;
}

int app_check_handle(const dre_app_handle *h)
{
	int err;

	if (!h)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's handle is NULL");
	err = dre_check_name("container", h->name);
	if (!err && h->type != DRE_APP_CONTAINER_TYPE_LXC)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "container type %d is not known", h->type);
	return err;
}

int app_begin_handle(struct app *app, const dre_app_handle *h, enum app_access access)
{
	int err = app_check_handle(h);

	return err ? err : app_begin(app, h->name, access);
}

/*
 * The post-stop hook does nothing while somebody has the container locked: who
 * has, and sees it stopped, cleans up. It does not change what came of it.
 */
static void settle_stopped(const struct app *app)
{
	struct saved_error saved;

	if (!app->container || !app->begun || app_state(app) != APP_STOPPED)
		return;
	save_error(&saved);
	app_settle(app);
	restore_error(&saved);
}

int app_begin_tag(struct app *app, const dre_app_handle *h, const char *kind, const char *tag)
{
	int err;

	if (!h)
		return app_check_handle(h);
	if (!tag)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s's name is NULL", kind);
	err = app_check_handle(h);
	if (!err)
		err = dre_check_name(kind, tag);
	return err ? err : app_begin(app, h->name, APP_CHANGE);
}

int app_begin_list(struct app *app, const dre_app_handle *h, const void *list)
{
	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	return app_begin_handle(app, h, APP_LOOK);
}

int app_begin_running(struct app *app, const dre_app_handle *h, int *cfd)
{
	int err = app_begin_handle(app, h, APP_USE);

	if (err)
		return err;
	err = app_require(app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = app_module_container(app, cfd);
	if (err)
		app_end(app);
	return err;
}

void app_end(struct app *app)
{
	settle_stopped(app);
	if (app->lxc)
		lxc_lib.lxc_container_put(app->lxc);
	container_unlock(app->container);
	store_close(app->store);
	*app = (struct app){};
}

/*
 * The control groups know, and answer at once. liblxc tells what it was told
 * last, so whoever is killed while it freezes leaves FREEZING for ever; and a
 * monitor that reboots its container drops the questions of that moment, and who
 * asked waits for ever.
 */
enum app_state app_state(const struct app *app)
{
	char group[APP_GROUP_SIZE], payload[APP_GROUP_SIZE + sizeof("/payload")];
	bool watched, populated, frozen;

	app_group("monitor", app->name, group);
	if (cgroupfs_populated(group, &watched))
		return APP_UNKNOWN;
	if (!watched)
		return app_monitor_listens(app) ? APP_CHANGING : APP_STOPPED;
	app_group("app", app->name, group);
	snprintf(payload, sizeof(payload), "%s/payload", group);
	if (cgroupfs_populated(payload, &populated) || cgroupfs_frozen(group, &frozen))
		return APP_UNKNOWN;
	/* Where all processes of a container are bound they are not in its own group. */
	if (!populated && !app_bound_init(app, NULL))
		return APP_CHANGING;
	return frozen ? APP_SUSPENDED : APP_RUNNING;
}

/*
 * liblxc waits for ever for a process that cannot be frozen. So the group is
 * frozen before, with a deadline; then liblxc has only to take note.
 */
int app_freeze(const struct app *app)
{
	char group[APP_GROUP_SIZE];
	struct lxc_container *lxc;
	int err = app_lxc(app, &lxc);

	if (err)
		return err;
	app_group("app", app->name, group);
	err = cgroupfs_freeze(group, true);
	if (!err && !lxc->freeze(lxc))
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': liblxc cannot freeze it",
			       app->name);
	if (err) {
		struct saved_error saved;

		save_error(&saved);
		app_thaw(app);
		restore_error(&saved);
	}
	return err;
}

int app_thaw(const struct app *app)
{
	char group[APP_GROUP_SIZE];
	struct lxc_container *lxc;
	const char *state;
	int err = app_lxc(app, &lxc);

	if (err)
		return err;
	state = lxc->state(lxc);
	app_group("app", app->name, group);
	err = cgroupfs_freeze(group, false);
	if (!err && state && !strcmp(state, "FROZEN") && !lxc->unfreeze(lxc))
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': liblxc cannot thaw it",
			       app->name);
	return err;
}

int app_require(const struct app *app, enum app_state wanted, enum app_state other)
{
	enum app_state state = app_state(app);

	if (state == wanted || state == other)
		return 0;
	switch (state) {
	case APP_STOPPED:
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", app->name);
	case APP_RUNNING:
		return dre_fail(DRE_ERR_CONTAINER_RUNNING, "container '%s' is running", app->name);
	case APP_SUSPENDED:
		return dre_fail(DRE_ERR_CONTAINER_SUSPENDED, "container '%s' is suspended",
				app->name);
	case APP_CHANGING:
		return dre_fail(DRE_ERR_CONTAINER_BUSY,
				"container '%s' is busy: it is starting or stopping", app->name);
	case APP_UNKNOWN:
		break;
	}
	return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
			"container '%s': liblxc does not know its state", app->name);
}

/* Waits until it is dead, which the kernel lets it be after all others of its pid namespace. */
static int kill_process(const struct app *app, int pidfd, int pid)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int ready;

	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) && errno != ESRCH)
		return dre_fail_errno(errno, "container '%s': cannot kill its init, process %d", app->name, pid);
	do
		ready = poll(&end, 1, KILL_TIMEOUT * 1000);
	while (ready < 0 && errno == EINTR);
	return ready > 0 ? 0 : dre_fail(DRE_ERR_CONTAINER_BUSY,
					"container '%s': its init, process %d, was killed, but does not end",
					app->name, pid);
}

/* The module knows it, unless it was loaded since: then it is who has the container's root, which is still mounted. */
static pid_t find_bound_init(const struct app *app)
{
	pid_t init = app_module_init(app);
	char rootfs[PATH_MAX];

	if (init > 0 || app_path(app->store, app->name, "rootfs", rootfs))
		return init;
	return app_bound_init(app, rootfs);
}

/*
 * Where init is bound it is among processes of the host, which live on. With it all others of the container end,
 * wherever they are bound.
 */
static int kill_bound_init(const struct app *app)
{
	pid_t pid = find_bound_init(app);
	int pidfd = pid > 0 ? syscall(SYS_pidfd_open, pid, 0) : -1, err = 0;

	/* Unless it still was init, the number may be another's. */
	if (pidfd >= 0 && find_bound_init(app) == pid)
		err = kill_process(app, pidfd, pid);
	if (pidfd >= 0)
		close(pidfd);
	return err;
}

/*
 * Processes of the host that are bound go back to where they came from. The
 * module learns of init's end a moment after us.
 */
static int release_groups(const struct app *app, const char *group)
{
	int err, tries = 0;

	do {
		if (tries)
			usleep(50000);
		err = app_unbind_all(app);
		if (!err)
			err = cgroupfs_remove(group);
	} while (err == DRE_ERR_CONTAINER_BUSY && ++tries < 20);
	return err;
}

/*
 * Processes are left only where liblxc's monitor was killed: nobody watches them
 * any more. A monitor that lives but does not answer us, because it is in
 * another network namespace or serves another store, keeps its own group, and so
 * its container, from us.
 */
int app_settle_groups(const struct app *app)
{
	char group[APP_GROUP_SIZE], payload[APP_GROUP_SIZE + sizeof("/payload")];
	int err;

	app_group("monitor", app->name, group);
	err = cgroupfs_remove(group);
	for (int tries = 0; err == DRE_ERR_CONTAINER_BUSY && tries < 20; tries++) {
		usleep(50000);	/* one that was killed just now is going */
		err = cgroupfs_remove(group);
	}
	if (err)
		return err;
	app_group("app", app->name, group);
	snprintf(payload, sizeof(payload), "%s/payload", group);
	err = cgroupfs_kill(payload);
	if (!err)
		err = kill_bound_init(app);
	if (!err)
		err = app_files_stop(app);
	if (!err)
		err = release_groups(app, group);
	if (err)
		return err;
	app_record_forget(app);
	return app_console_stop(app);
}

int app_mount_root(const struct app *app)
{
	char rootfs[PATH_MAX];
	int err = app_path(app->store, app->name, "rootfs", rootfs);

	return err ? err : rootfs_mount(app->container, rootfs);
}

int app_settle(const struct app *app)
{
	char rootfs[PATH_MAX];
	int err = app_settle_groups(app);

	if (!err)
		err = app_path(app->store, app->name, "rootfs", rootfs);
	if (err)
		return err;
	err = rootfs_unmount(app->name, rootfs, false);
	if (err != DRE_ERR_CONTAINER_BUSY)
		return err;
	/* To find volumes is to read what is mounted on the whole host, each container's root among it. */
	err = volumes_unmount(app->name, rootfs);
	return err ? err : rootfs_unmount(app->name, rootfs, true);
}
