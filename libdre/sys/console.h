/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The console of a machine is its first serial port, a pty of QEMU's. What the guest writes there goes
 * to a log also while nobody looks, in STORE/containers/NAME: QEMU, or virtlogd, which keeps it
 * bounded, writes it.
 *
 * A file of the log has one writer, ever: who appends over NFS to what another host has just appended to overwrites it. So
 * each host that a machine comes to while it runs begins another part: "console.log", "console.log-2", "console.log-3".
 */
#ifndef DRE_SYS_CONSOLE_H
#define DRE_SYS_CONSOLE_H

#include "common/log_reader.h"
#include "sys.h"

#define CONSOLE_LOG		"console.log"		/* since the last start */
#define CONSOLE_PREVIOUS	"console.previous"	/* of the run before */

#define CONSOLE_NAME_SIZE	32

struct console_log {
	char text[LOG_READER_FILES][CONSOLE_NAME_SIZE];
	const char *names[LOG_READER_FILES];
};

/* The files of @log, CONSOLE_LOG or CONSOLE_PREVIOUS, in the container's directory @dir: for struct log_reader_how. */
int console_log_files(const char *dir, const char *log, struct console_log *files);

/* That which is written to now: for struct log_reader_how. */
void console_newest(int dir, char *name, size_t size);

/* What was written becomes that of the run before. Before a start. */
void sys_begin_log(const struct sys *sys);

/*
 * What the log is called on the host that the machine, which writes to @path here, goes to. Parts that are not read any more
 * are removed.
 */
int sys_next_log(const struct sys *sys, const char *path, char next[PATH_MAX]);

#endif /* DRE_SYS_CONSOLE_H */
