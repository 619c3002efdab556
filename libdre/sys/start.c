// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starting a container.
 */
#include <unistd.h>

#include "common/kmod.h"
#include "common/pull.h"
#include "common/store_private.h"
#include "console.h"
#include "group.h"
#include "sys.h"

/* How long it is waited for a machine that was killed to be gone. Microseconds. */
#define KILL_INTERVAL	100000
#define KILL_TRIES	20

int sys_check_start(const struct sys *sys)
{
	int err = kmod_check();

	if (!err)
		err = sys_check_vt(sys);
	if (!err)
		err = sys_check_rootfs(sys);
	return err ? err : sys_check_network(sys);
}

/* It is paused. Who was killed is not gone at once. */
static bool was_killed(const struct sys *sys)
{
	struct sys_group whole;
	int pid, tries = 0;

	if (!sys_group_get(sys_manifest(sys), ".", &whole) || !whole.limits.memory)
		return false;
	while (!sys_find_pid(sys, &pid) && ++tries < KILL_TRIES)
		usleep(KILL_INTERVAL);
	return tries < KILL_TRIES;
}

/* A limit of memory that leaves no room for the machine ends it: then that is why all else has failed. */
static int explain(const struct sys *sys, int err)
{
	struct saved_error saved;

	save_error(&saved);
	if (was_killed(sys))
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"container '%s': its limit of memory leaves no room for its machine",
				sys->name);
	restore_error(&saved);
	return err;
}

int sys_prepare(struct sys *sys)
{
	int err = sys_define(sys);

	if (!err)
		err = sys_partition_make(sys->name);
	if (!err)
		err = sys_groups_check(sys->name, sys_manifest(sys));
	return err ? err : sys_mark(sys->name, SYS_MARK_START);
}

/* The guest waits until its cgroups are there. If it does not come to run sys_end() takes the mark away. */
int sys_let_run(struct sys *sys)
{
	struct saved_error saved;
	int err = sys_introduce(sys);

	if (!err && virDomainResume(sys->domain) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	if (!err) {
		sys_unmark(sys->name, SYS_MARK_START);
		return 0;
	}
	err = explain(sys, err);
	save_error(&saved);
	virDomainDestroy(sys->domain);
	restore_error(&saved);
	return err;
}

/*
 * A machine that is started again may have come to its end in the middle of a pull. An older snapshot that was loaded may
 * have a smaller disk.
 */
int sys_start(struct sys *sys)
{
	int err = pull_undo(sys->container);

	if (!err)
		err = layers_verify_container(sys->container);
	if (!err)
		err = sys_fit_disk(sys, false);
	if (!err)
		err = sys_prepare(sys);
	if (!err)
		sys_begin_log(sys);
	if (!err && virDomainCreateWithFlags(sys->domain, VIR_DOMAIN_START_PAUSED) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	return err ? err : sys_let_run(sys);
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
	sys_end(&sys);	/* what is stopped is cleaned up there */
	return err;
}
