/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of dre-app-helper share.
 */
#ifndef DRE_APP_HELPER_H
#define DRE_APP_HELPER_H

#include "app.h"

#define REPORT_FD	3
#define LOCK_FD		4	/* of the container: it stays busy until the helper is done */
#define GO_FD		5	/* of a start: see app_helper_start() */

/* Where a hook of ours puts its error into liblxc's log, with the code in place of a line's number. */
#define HOOK_ERROR	"dre - app-helper-hook.c:hook:"

/* Answer on REPORT_FD, and return the exit status. */
int report_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int report_ok(int status);

/* @log: a file for liblxc's, or NULL. Returns 0 or a DRE_ERR_* code with the error text set. */
int open_container(const char *root, const char *name, const char *log, struct lxc_container **c);

/*
 * The first error in liblxc's log, which is the cause of the others. @code: of an error of one of our
 * hooks, whose message is complete; else 0.
 */
bool first_error(const char *log, char *message, size_t size, int *code);

/* app-helper-hook.c */
int do_hook(void);
/* The limits that the container is configured to have. */
int set_limits(const char *root, const char *name);

/* app-helper-criu.c */
int do_checkpoint(char **argv);		/* STORE NAME DIR COPY */
int do_restore(char **argv);		/* STORE NAME DIR */
int do_action(void);			/* CRIU calls it, from one of those two */

/* app-helper-files.c */
int do_pack(char **argv);		/* FIRST COUNT ENTRY MEMBER */
int do_unpack(char **argv);		/* FIRST COUNT */

#endif /* DRE_APP_HELPER_H */
