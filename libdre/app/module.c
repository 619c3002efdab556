// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The container as the kernel module knows it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/kmod.h"
#include "module.h"

/*
 * A module that was loaded after the container was started is told of it now, and
 * of its control groups, and the container gets the module's new device. Without it the processes in
 * there cannot register, but all the rest works.
 */
static int container_fd(const struct app *app, int dre)
{
	int cfd = dre_module_container_open(dre, DRE_CONTAINER_APP, app->name, 0);
	pid_t init;

	if (cfd != -ENOENT)
		return cfd;
	if (app_init_pid(app, &init))
		return -ENODEV;
	cfd = dre_module_container_create(dre, DRE_CONTAINER_APP, app->name, init);
	if (cfd >= 0) {
		app_helper_device(app);
		app_cgroups_announce(app, cfd);
	}
	/* Or somebody else was faster. */
	return cfd == -EEXIST ? dre_module_container_open(dre, DRE_CONTAINER_APP, app->name, 0) : cfd;
}

int app_module_container(const struct app *app, int *cfd)
{
	int dre, err = kmod_open(&dre);

	if (err)
		return err;
	*cfd = container_fd(app, dre);
	close(dre);
	if (*cfd >= 0)
		return 0;
	if (*cfd == -ENODEV || *cfd == -ESRCH)
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", app->name);
	return dre_fail_errno(-*cfd, "container '%s': the D-RE module refuses it", app->name);
}

pid_t app_module_init(const struct app *app)
{
	int dre = dre_module_open(), cfd = -1, init = 0;

	if (dre >= 0)
		cfd = dre_module_container_open(dre, DRE_CONTAINER_APP, app->name, 0);
	if (cfd >= 0)
		init = dre_module_vpid_to_pid(cfd, 1);
	if (cfd >= 0)
		close(cfd);
	if (dre >= 0)
		close(dre);
	return init > 0 ? init : 0;
}
