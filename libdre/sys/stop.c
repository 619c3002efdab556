// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stopping a container: its power button is pressed; what is not off in time is switched off.
 */
#include <time.h>
#include <unistd.h>

#include "group.h"
#include "sys.h"

/* How often it is looked whether a machine is off, and how often its button is pressed. */
#define LOOK_INTERVAL	100000	/* microseconds */
#define PRESS_INTERVAL	5	/* seconds */

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
static bool power_off(const struct sys *sys, time_t patience)
{
	time_t end = now() + patience, press = 0;
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

int sys_stop(const struct sys *sys, const dre_sys_stop_options *options)
{
	time_t patience = options->timeout ? options->timeout : (time_t)sys->config.sys.halt_timeout;
	bool hears = !options->kill;
	int err = 0;

	if (hears && sys_state(sys) == SYS_SUSPENDED)
		hears = virDomainResume(sys->domain) == 0;
	if (!hears || !power_off(sys, patience))
		err = sys_switch_off(sys);
	return err ? err : sys_settle(sys);
}

static int begin(struct sys *sys, const dre_sys_handle *h, const dre_sys_stop_options *options)
{
	int err;

	if (!h || !options)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "options are" : "container's handle is");
	err = sys_check_handle(h);
	if (!err)
		err = dre_config_check_stop(options->size == sizeof(*options), options->kill, options->timeout);
	if (!err)
		err = sys_begin(sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	err = sys_require(sys, SYS_RUNNING, SYS_SUSPENDED);
	if (err)
		sys_end(sys);
	return err;
}

dre_return_t dre_sys_stop_with(const dre_sys_handle *h, const dre_sys_stop_options *options)
{
	struct sys sys;
	int err = begin(&sys, h, options);

	if (err)
		return err;
	err = sys_stop(&sys, options);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_stop(const dre_sys_handle *h)
{
	static const dre_sys_stop_options defaults = { .size = sizeof(defaults) };

	return dre_sys_stop_with(h, &defaults);
}

/* Not stopped where it is known that it cannot be started again. */
dre_return_t dre_sys_reboot(const dre_sys_handle *h, const dre_sys_stop_options *options)
{
	struct sys sys;
	int err = begin(&sys, h, options);

	if (err)
		return err;
	err = sys_check_start(&sys);
	if (!err)
		err = sys_stop(&sys, options);
	if (!err)
		err = sys_start(&sys);
	sys_end(&sys);
	return err;
}
