// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Disk images of base images and of stopped containers.
 */
#include "common/export_disk.h"
#include "sys.h"

dre_return_t dre_sys_export_base(const char *base, int fd, const char *compression, dre_sys_progress progress,
				 void *arg)
{
	struct sys_progress p = { progress, arg };
	const struct export_disk to = { fd, compression, progress ? sys_report : NULL, &p };
	struct dre_config config;
	struct store *store = NULL;
	int err = dre_check_name("base image", base);

	if (!err)
		err = export_disk_check(&to);
	if (!err)
		err = sys_open_store(&config, &store);
	if (!err)
		err = export_disk_base(store, base, &to);
	store_close(store);
	return err;
}

dre_return_t dre_sys_export(const dre_sys_handle *h, int fd, const char *compression, dre_sys_progress progress,
			    void *arg)
{
	struct sys_progress p = { progress, arg };
	const struct export_disk to = { fd, compression, progress ? sys_report : NULL, &p };
	struct sys sys;
	int err = sys_check_handle(h);

	if (!err)
		err = export_disk_check(&to);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err)
		err = export_disk_container(sys.container, &to);
	sys_end(&sys);
	return err;
}
