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
#define STORE_FD	5	/* of a checkpoint: the store's lock, in a change */

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
/* Fills app->config with what container app->name of app->store is configured to have now. */
int load_config(struct app *app);

/* app-helper-criu.c */
int do_checkpoint(char **argv);		/* STORE NAME DIR COPY */
int do_restore(char **argv);		/* STORE NAME DIR */
int do_action(void);			/* CRIU calls it, from one of those two */

/*
 * app-helper-exec.c. TERMINAL is the number that dre_app_exec_options has; USER and DIR may be empty.
 * On ENVIRONMENT_FD are the command's variables, each ended by a NUL: others see what arguments there are.
 */
#define ENVIRONMENT_FD	4
int do_exec(char **argv);		/* STORE NAME TERMINAL USER DIR COMMAND... */

/*
 * app-helper-user.c: what has entered container @name becomes user @text there, "USER[:GROUP]", and gets
 * its home directory as HOME, unless there is one. Returns 0 or a DRE_ERR_* code with the error text set.
 */
int become_user(const char *name, const char *text);
/* It stays the root that it is there, and gets HOME likewise. */
int stay_root(const char *name);

/*
 * app-helper-relay.c: we become the child of a process that passes on our standard files. @terminal: all of
 * them are one; else those that are terminals are pipes. A byte written to @ready says that the command is
 * about to read them; -1: nobody wants to know. Returns 0 or an errno.
 */
int relay_enter(bool terminal, int *ready);

/* app-helper-files.c */
int do_pack(char **argv);		/* FIRST COUNT ENTRY MEMBER */
int do_unpack(char **argv);		/* FIRST COUNT */

#endif /* DRE_APP_HELPER_H */
