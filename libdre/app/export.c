// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tar archives of base images and of stopped containers.
 */
#include <fcntl.h>

#include "app.h"
#include "common/export.h"
#include "common/tar.h"

static int check(const char *compression, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || flags & O_PATH)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "fd %d is not open for writing", fd);
	return tar_check_compression(compression);
}

dre_return_t dre_app_export_base(const char *base, int fd, const char *compression,
				 dre_app_progress progress, void *arg)
{
	struct app_progress p = { progress, arg };
	struct export to = { fd, compression, progress ? app_report : NULL, &p };
	struct dre_config config;
	struct store *store = NULL;
	int err = dre_check_name("base image", base);

	if (!err)
		err = check(compression, fd);
	if (!err)
		err = app_open_store(&config, &store);
	if (!err)
		err = export_base(store, base, &to);
	store_close(store);
	return err;
}

dre_return_t dre_app_export(const dre_app_handle *h, int fd, const char *compression,
			    dre_app_progress progress, void *arg)
{
	struct app_progress p = { progress, arg };
	struct export to = { fd, compression, progress ? app_report : NULL, &p };
	struct app app;
	int err = app_check_handle(h);

	if (!err)
		err = check(compression, fd);
	if (!err)
		err = app_begin(&app, h->name, APP_CHANGE);
	if (err)
		return err;
	err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err)
		err = export_container(app.container, &to);
	app_end(&app);
	return err;
}
