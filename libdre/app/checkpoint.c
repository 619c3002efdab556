// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints of running containers, and restarts from them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app.h"
#include "apparmor.h"
#include "common/cgroupfs.h"
#include "common/checkpoint.h"
#include "common/file.h"
#include "common/former.h"
#include "common/kmod.h"
#include "common/store_private.h"
#include "network.h"

int app_let_go(const struct app *app, int err)
{
	char group[APP_GROUP_SIZE];
	struct saved_error saved;
	int ret, locked;

	save_error(&saved);
	/* As long as there is a record somebody comes to it. */
	locked = network_unlock(app);
	ret = app_record_release(app);
	if (!ret)
		ret = locked;
	app_group("app", app->name, group);
	if (!cgroupfs_freeze(group, false))
		app_record_forget(app);
	else if (!ret)
		ret = DRE_ERR_DEVICE_BUSY;
	if (err)
		restore_error(&saved);
	return err ? err : ret;
}

static int checkpoint(const struct app *app, const char *tag)
{
	struct checkpoint cp;
	int err = checkpoint_begin_files(&cp, app->container, tag);

	if (err)
		return err;
	err = apparmor_note(app, &cp.manifest);
	if (!err) {
		err = app_helper_checkpoint(app, cp.dir, cp.manifest.writable);
		if (err)	/* the helper has done that, unless it was killed */
			app_let_go(app, err);
	}
	if (err) {
		checkpoint_abandon(&cp);
		return err;
	}
	return checkpoint_publish(&cp);
}

dre_return_t dre_app_checkpoint(const dre_app_handle *h, const char *tag)
{
	struct app app;
	int err = app_begin_tag(&app, h, "checkpoint", tag);

	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = app_check_outside(&app);
	/* It would write to what is copied for the checkpoint, and does not stand still. */
	if (!err)
		err = app_files_check_none(&app);
	/* Without the module nobody knows which processes are bound, and they could not be again. */
	if (!err)
		err = kmod_check();
	if (!err)
		err = dre_fail_as(checkpoint(&app, tag), DRE_ERR_SAVE_SNAPSHOT_FAILED);
	app_end(&app);
	return err;
}

/* The container is stopped and has the checkpoint's files. */
static int restore(const struct app *app, const struct checkpoint *cp)
{
	int err = app_mount_root(app);

	if (!err)
		err = network_claim_port(app);
	if (err)
		return err;
	err = app_helper_restore(app, cp->dir);
	network_release_port(app);
	return err;
}

/* Each of its processes has the AppArmor profile that it had. What is configured is for those who start it next. */
static int restore_as_it_was(const struct app *app, const struct checkpoint *cp)
{
	const struct manifest *m = &app->container->manifest;
	struct saved_error saved;
	struct app unnamed = *app;
	int err;

	*unnamed.config.apparmor = '\0';
	err = app_write_lxc(&unnamed, m);
	if (!err)
		err = restore(app, cp);
	save_error(&saved);
	app_write_lxc(app, m);
	restore_error(&saved);
	return err;
}

/* By its program, of a package that may have been replaced since: its name becomes that of whom it restores. */
static bool is_criu(int proc, const char *pid)
{
	char link[32], path[PATH_MAX], *name;
	ssize_t len;

	snprintf(link, sizeof(link), "%.20s/exe", pid);
	len = readlinkat(proc, link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	name = strrchr(path, '/');
	return name && (!strcmp(name, "/criu") || !strcmp(name, "/criu (deleted)"));
}

/* Has it an argument that names the images of a checkpoint of this container? Forks of CRIU have CRIU's. */
static bool restores(const struct app *app, int proc, const char *pid)
{
	char name[32], wanted[PATH_MAX], arguments[16384];
	ssize_t len;
	int size, fd;

	if (!is_criu(proc, pid))
		return false;
	/* With the 0 that ends the one before. */
	size = snprintf(wanted, sizeof(wanted), "%c%s/containers/%s/checkpoints/", '\0', store_root(app->store), app->name);
	snprintf(name, sizeof(name), "%.20s/cmdline", pid);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, arguments, sizeof(arguments));
	if (fd >= 0)
		close(fd);
	return len > 0 && size < (int)sizeof(wanted) && memmem(arguments, len, wanted, size);
}

static void kill_restorer(const struct app *app, int proc, const char *pid)
{
	struct pollfd end = { .fd = syscall(SYS_pidfd_open, atoi(pid), 0), .events = POLLIN };

	/* Unless it still is the same, the number may be another's. */
	if (end.fd >= 0 && restores(app, proc, pid) && !syscall(SYS_pidfd_send_signal, end.fd, SIGKILL, NULL, 0))
		poll(&end, 1, KILL_TIMEOUT * 1000);
	if (end.fd >= 0)
		close(end.fd);
}

/*
 * A CRIU that was killed leaves forks, in the root of all control groups, where liblxc puts it: the first process of the
 * container waits for it for ever, and one that acts for that in our user namespace as long. The container is locked
 * and has no monitor: what restores it is dead.
 */
static void end_criu(const struct app *app)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = file_readdir(proc)))
		if (atoi(entry->d_name) > 0 && restores(app, dirfd(proc), entry->d_name))
			kill_restorer(app, dirfd(proc), entry->d_name);
	if (proc)
		closedir(proc);
}

/* The container as it was, but stopped. If even that fails whoever changes it next does it. */
static int take_back(const struct app *app)
{
	int err;

	app_undo_start(app);
	if (!app_monitor_listens(app))
		end_criu(app);
	err = app_settle(app);
	return err ? err : former_take_back(app->container);
}

int app_settle_restart(const struct app *app)
{
	int err;

	if (!manifest_get(&app->container->manifest, SETTING_FORMER))
		return 0;
	err = store_change_begin(app->store);
	return err ? err : store_change_end(app->store, true, take_back(app));
}

static void undo(const struct app *app)
{
	struct saved_error saved;

	save_error(&saved);
	take_back(app);
	restore_error(&saved);
}

/* The checkpoint's files, and what they take the place of until the container runs. */
static int give(const struct app *app, struct manifest *m)
{
	int err = former_set(m, &app->container->manifest);

	return err ? dre_fail_errno(-err, "container '%s'", app->name) : container_exchange(app->container, m);
}

/*
 * Within a change of the store: what the container has had is not collected before
 * it is known that it is not needed any more. The helper knows, before it lets it run.
 */
static int replace(const struct app *app, const struct checkpoint *cp)
{
	struct manifest m = {};
	int err = checkpoint_copy_files(cp, &m);

	if (!err && app_state(app) != APP_STOPPED)
		err = app_stop(app, NULL);
	if (!err)
		err = give(app, &m);
	if (!err) {
		err = restore_as_it_was(app, cp);
		if (err)
			undo(app);
		else
			former_forget(app->container);	/* its mode says so already */
	}
	manifest_free(&m);
	return err;
}

static int restart(const struct app *app, const char *tag)
{
	struct checkpoint cp;
	int err = checkpoint_open(&cp, app->container, tag);

	if (err)
		return err;
	err = apparmor_check(app, &cp.manifest);
	if (!err)
		err = store_change_begin(app->store);
	if (!err)
		err = store_change_end(app->store, true, replace(app, &cp));
	checkpoint_close(&cp);
	return err;
}

dre_return_t dre_app_restart(const dre_app_handle *h, const char *tag)
{
	struct app app;
	int err = app_begin_tag(&app, h, "checkpoint", tag);

	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_STOPPED);
	if (!err)
		err = app_check_start(&app);
	if (!err)
		err = dre_fail_as(restart(&app, tag), DRE_ERR_LOAD_SNAPSHOT_FAILED);
	app_end(&app);	/* what is stopped is cleaned up there */
	return err;
}

dre_return_t dre_app_remove_checkpoint(const dre_app_handle *h, const char *tag)
{
	struct app app;
	int err = app_begin_tag(&app, h, "checkpoint", tag);

	if (err)
		return err;
	err = dre_fail_as(checkpoint_remove(app.container, tag), DRE_ERR_REMOVE_SNAPSHOT_FAILED);
	app_end(&app);
	return err;
}

dre_return_t dre_app_get_checkpoint_list(const dre_app_handle *h, dre_list_t *list)
{
	struct app app;
	int err = app_begin_list(&app, h, list);

	if (err)
		return err;
	err = checkpoint_list(app.store, app.name, list);
	app_end(&app);
	return err;
}
