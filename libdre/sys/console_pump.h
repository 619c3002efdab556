/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is between a user of a console, its pty and its log.
 */
#ifndef DRE_SYS_CONSOLE_PUMP_H
#define DRE_SYS_CONSOLE_PUMP_H

struct log_reader;

/*
 * Starts a thread that passes on what is typed at @fd to @pty, which does not block, and what comes to
 * @log to @fd, a stream socket that is the caller's to close. Both of the others are the thread's then. It ends
 * when the user or the other side of the pty closes. 0 or a negative errno.
 */
int pump_start(int pty, struct log_reader *log, int *fd);

#endif /* DRE_SYS_CONSOLE_PUMP_H */
