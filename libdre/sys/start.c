// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starting a container.
 */
#include "console.h"
#include "sys.h"

int sys_check_start(const struct sys *sys)
{
	int err = sys_check_vt(sys);

	if (!err)
		err = sys_check_partition(sys);
	return err ? err : sys_check_network(sys);
}

/* An older snapshot that was loaded may have a smaller disk. */
int sys_start(struct sys *sys)
{
	int err = sys_fit_disk(sys, false);

	if (!err)
		err = sys_define(sys);
	if (!err)
		sys_begin_log(sys);
	if (!err && virDomainCreate(sys->domain) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	return err;
}

dre_return_t dre_sys_start(const dre_sys_handle *h)
{
	struct sys sys;
	int err = sys_begin_handle(&sys, h, SYS_CHANGE);

	if (err)
		return err;
	err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err)
		err = sys_check_start(&sys);
	if (!err)
		err = sys_start(&sys);
	sys_end(&sys);
	return err;
}
