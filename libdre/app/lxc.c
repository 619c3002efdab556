// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The container as liblxc has it.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "app.h"

static int open_lxc(struct app *app)
{
	char lxcpath[PATH_MAX];
	int err = app_lxcpath(app->store, lxcpath);

	if (!err)
		err = lxc_lib_load();
	if (err)
		return err;
	app->lxc = lxc_lib.lxc_container_new(app->name, lxcpath);
	if (!app->lxc)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': liblxc cannot open it below %s", app->name,
				lxcpath);
	return 0;
}

/* It is the operation's to open it when it is needed first: what the operation is about stays as it is. */
int app_lxc(const struct app *app, struct lxc_container **lxc)
{
	struct app *self = (struct app *)app;
	int err = app->lxc ? 0 : open_lxc(self);

	/* A configuration that liblxc cannot read says nothing: ours is in the manifest. */
	if (err == DRE_ERR_CONTAINER_UNKNOWN_STATUS && app->container) {
		err = app_write_lxc(app, &app->container->manifest);
		if (!err)
			err = open_lxc(self);
	}
	*lxc = app->lxc;
	return err;
}

/* liblxc waits for its monitor's answer without an end; the module knows at once, unless it was loaded since. */
int app_init_pid(const struct app *app, pid_t *init)
{
	struct lxc_container *lxc;
	int err;

	*init = app_module_init(app);
	if (*init > 0)
		return 0;
	err = app_lxc(app, &lxc);
	if (err)
		return err;
	*init = lxc->init_pid(lxc);
	return *init > 0 ? 0 : dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped",
					app->name);
}

/* liblxc has no pidfd of a container that it has restored. */
int app_init_pidfd(struct lxc_container *lxc, pid_t *init)
{
	int fd = lxc->init_pidfd(lxc);

	*init = lxc->init_pid(lxc);
	if (fd >= 0 || *init <= 0)
		return fd;
	fd = syscall(SYS_pidfd_open, *init, 0);
	/* Unless it still is init, the number may be another's. */
	if (fd >= 0 && lxc->init_pid(lxc) != *init) {
		close(fd);
		fd = -1;
	}
	return fd;
}
