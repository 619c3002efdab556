// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starting a container, and stopping it in good order.
 */
#include <time.h>
#include <unistd.h>

#include "common/kmod.h"
#include "group.h"
#include "sys.h"

/* How often it is looked whether a machine is off, and how often its button is pressed. */
#define LOOK_INTERVAL	100000	/* microseconds */
#define PRESS_INTERVAL	5	/* seconds */

/* It is paused. Who was killed is not gone at once. */
static bool was_killed(const struct sys *sys)
{
	struct sys_group whole;
	int pid, tries = 0;

	if (!sys_group_get(sys_manifest(sys), ".", &whole) || !whole.limits.memory)
		return false;
	while (!sys_find_pid(sys, &pid) && ++tries < 20)
		usleep(LOOK_INTERVAL);
	return tries < 20;
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

/* The guest waits until its cgroups are there. */
static int run(struct sys *sys)
{
	int err;

	if (virDomainCreateWithFlags(sys->domain, VIR_DOMAIN_START_PAUSED) < 0)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	err = sys_introduce(sys);
	if (!err && virDomainResume(sys->domain) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	return err ? explain(sys, err) : 0;
}

int sys_start(struct sys *sys)
{
	struct saved_error saved;
	int err = kmod_check();

	if (!err)
		err = sys_check_vt(sys);
	if (!err)
		err = sys_define(sys);
	if (!err)
		err = sys_partition_make(sys->name);
	if (!err)
		err = sys_groups_check(sys->name, sys_manifest(sys));
	if (err)
		return err;
	err = run(sys);
	if (err) {
		save_error(&saved);
		virDomainDestroy(sys->domain);
		restore_error(&saved);
	}
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
		err = sys_start(&sys);
	sys_end(&sys);	/* what is stopped is cleaned up there */
	return err;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/*
 * Presses the button until it is off, or the time is up: nobody hears it while the guest boots, and
 * who has heard it once does not mind.
 */
static bool power_off(const struct sys *sys)
{
	time_t end = now() + sys->config.sys.halt_timeout, press = 0;
	enum sys_state state;

	while ((state = sys_state(sys)) != SYS_STOPPED && now() < end) {
		if (state == SYS_RUNNING && now() >= press) {
			virDomainShutdownFlags(sys->domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN);
			press = now() + PRESS_INTERVAL;
		}
		usleep(LOOK_INTERVAL);
	}
	return state == SYS_STOPPED;
}

static int switch_off(const struct sys *sys)
{
	if (virDomainDestroy(sys->domain) == 0 || sys_state(sys) == SYS_STOPPED)
		return 0;
	return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
}

dre_return_t dre_sys_stop(const dre_sys_handle *h)
{
	struct sys sys;
	bool hears;
	int err = sys_begin_handle(&sys, h, SYS_CHANGE);

	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_SUSPENDED);
	if (!err) {
		hears = sys_state(&sys) != SYS_SUSPENDED || virDomainResume(sys.domain) == 0;
		if (!(hears && power_off(&sys)))
			err = switch_off(&sys);
	}
	if (!err)
		err = sys_settle(&sys);
	sys_end(&sys);
	return err;
}
