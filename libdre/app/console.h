/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The console of a running container: a pty, with a process of ours behind it,
 * the keeper. It writes what the container prints to a log and passes it on to
 * those who look on. liblxc has a console, too, but a client that does not read
 * stops its monitor, and after a restore it has none.
 *
 * In STORE/lxc/NAME, where only root gets:
 */
#ifndef DRE_APP_CONSOLE_H
#define DRE_APP_CONSOLE_H

#include <stddef.h>
#include <sys/types.h>

#include "app.h"

#define CONSOLE_TTY		"console"		/* the container's side, bound there */
#define CONSOLE_SOCKET		"console.socket"	/* whoever connects is at the console */
#define CONSOLE_LOG		"console.log"		/* since the last start */
#define CONSOLE_LOG_OLD		"console.log.1"		/* what had no room in it any more */
#define CONSOLE_PREVIOUS	"console.previous"	/* the same two of the run before */
#define CONSOLE_PREVIOUS_OLD	"console.previous.1"

/* A log that would be larger makes place for a new one. */
#define CONSOLE_LOG_MAX		(1024 * 1024)

/* The log, as its only writer has it. What cannot be written is lost. */
struct console_log {
	int dir;	/* not owned */
	int fd;
	size_t size;
	size_t cr;	/* carriage returns that may belong to the end of a line */
};

/* A new log; that of the run before becomes the previous one. */
void console_log_begin(struct console_log *log, int dir);

/* Appends it. Ends of lines are newlines there, not CR LF as on a terminal. */
void console_log_write(struct console_log *log, const char *data, size_t len);

/*
 * What the keeper does, in a process that is forked for it and has no other file open
 * than @report: there it says "ok" when the console is there, or what failed.
 * @owner: root in the container.
 */
void console_keep(const struct app *app, uid_t owner, int report) __attribute__((noreturn));

#endif /* DRE_APP_CONSOLE_H */
