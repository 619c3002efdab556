// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starting a container, and stopping it in good order.
 */
#include <time.h>
#include <unistd.h>

#include "sys.h"

/* How often it is looked whether a machine is off, and how often its button is pressed. */
#define LOOK_INTERVAL	100000	/* microseconds */
#define PRESS_INTERVAL	5	/* seconds */

dre_return_t dre_sys_start(const dre_sys_handle *h)
{
	struct sys sys;
	int err = sys_begin_handle(&sys, h, SYS_CHANGE);

	if (err)
		return err;
	err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err)
		err = sys_check_vt(&sys);
	if (!err)
		err = sys_define(&sys);
	if (!err && virDomainCreate(sys.domain) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys.name);
	sys_end(&sys);
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

int sys_switch_off(const struct sys *sys)
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
			err = sys_switch_off(&sys);
	}
	sys_end(&sys);
	return err;
}
