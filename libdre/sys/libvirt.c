// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The connection to libvirt, and its errors.
 */
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "sys.h"

int sys_fail(int code, const char *fmt, ...)
{
	const virError *cause = virGetLastError();
	struct printable printable;
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	switch (cause ? cause->code : VIR_ERR_OK) {
	case VIR_ERR_ACCESS_DENIED:
	case VIR_ERR_AUTH_CANCELLED:
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_OPERATION_DENIED:
		code = DRE_ERR_PERMISSION_DENIED;
	}
	return dre_fail(code, "%s: libvirt: %s", text,
			dre_printable(&printable, cause && cause->message ? cause->message :
						  "an error without a text"));
}

static void ignore(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static void be_quiet(void)
{
	virSetErrorFunc(NULL, ignore);
}

int sys_connect(struct sys *sys)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, be_quiet);
	sigpipe_hold(&sys->sigpipe);
	sys->libvirt = virConnectOpen(sys->config.sys.libvirt);
	if (sys->libvirt)
		return 0;
	if (!*sys->name)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "cannot connect to %s", sys->config.sys.libvirt);
	return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s': cannot connect to %s", sys->name,
			sys->config.sys.libvirt);
}
