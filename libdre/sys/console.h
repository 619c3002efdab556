/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The console of a machine is its first serial port, a pty of QEMU's. What the guest writes there goes
 * to a log also while nobody looks, in STORE/containers/NAME: QEMU, or virtlogd, which keeps it
 * bounded, writes it.
 */
#ifndef DRE_SYS_CONSOLE_H
#define DRE_SYS_CONSOLE_H

#include "sys.h"

#define CONSOLE_LOG		"console.log"		/* since the last start */
#define CONSOLE_PREVIOUS	"console.previous"	/* of the run before */

/* What virtlogd, which bounds it, makes of the older parts: these names and a number, 0 is the newest. */
#define CONSOLE_LOG_FILES(name) \
	{ name, name ".0", name ".1", name ".2", name ".3", name ".4", name ".5", name ".6", NULL }

/* What was written becomes that of the run before. Before a start. */
void sys_begin_log(const struct sys *sys);

#endif /* DRE_SYS_CONSOLE_H */
