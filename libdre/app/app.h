/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the functions of dre_app.h are made of. Functions return 0 or a
 * DRE_ERR_* code with the error text set.
 *
 * liblxc's directory of a container, STORE/lxc/NAME, holds nothing of its own:
 * its configuration is written anew from the manifest and dre.conf, so that a
 * container is whole as long as its manifest is.
 */
#ifndef DRE_APP_INTERNAL_H
#define DRE_APP_INTERNAL_H

#include <limits.h>
#include <stdbool.h>

#include <dre_app.h>

#include "common/config.h"
#include "common/container.h"
#include "common/fail.h"
#include "common/groups.h"
#include "common/names.h"
#include "common/store.h"
#include "dre_paths.h"
#include "error.h"
#include "lxc_lib.h"

/* How long a killed container may take to be gone, in seconds. */
#define KILL_TIMEOUT	30

enum app_state {
	APP_STOPPED,
	APP_RUNNING,
	APP_SUSPENDED,
	APP_CHANGING,	/* on the way between them, and not by us: liblxc's tools, a reboot */
	APP_UNKNOWN,
};

/* An operation on one container, from app_begin() to app_end(). */
struct app {
	struct dre_config config;
	struct store *store;
	struct container *container;	/* if it is locked */
	struct lxc_container *lxc;	/* app_lxc() */
	bool begun;			/* app_begin() has succeeded */
	bool let_go;			/* and found it frozen by a checkpoint that was killed: it runs on */
	char name[DRE_NAME_MAX + 1];
};

/* How much an operation has to do with those of others. */
enum app_access {
	APP_LOOK,	/* whatever they do */
	APP_USE,	/* not while it is busy */
	APP_CHANGE,	/* makes it busy; cleans up what others left who were killed */
	APP_REMOVE,	/* the same, also if its manifest is damaged: then that is empty */
};

/*
 * Checks, in the order of dre_app.h, up to "busy". app_end() is needed only if
 * it succeeds.
 */
int app_begin(struct app *app, const char *name, enum app_access access);
int app_check_handle(const dre_app_handle *h);
int app_begin_handle(struct app *app, const dre_app_handle *h, enum app_access access);
/* To do something with a snapshot or a checkpoint, its @kind, which makes the container busy. */
int app_begin_tag(struct app *app, const dre_app_handle *h, const char *kind, const char *tag);
/* To fill in @list, whatever others do. */
int app_begin_list(struct app *app, const dre_app_handle *h, const void *list);
/* To ask the module about processes of a running container; the caller closes @cfd, too. */
int app_begin_running(struct app *app, const dre_app_handle *h, int *cfd);
void app_end(struct app *app);

/* See helper.c. */
#define APP_HELPER	DRE_LIBEXECDIR "/dre/dre-app-helper"

/* For what is about no container: privilege, configuration, store. store_close() it. */
int app_open_store(struct dre_config *config, struct store **store);

/*
 * lxc.c: the container as liblxc has it, opened at the first call, until app_end().
 * DRE_ERR_CONTAINER_UNKNOWN_STATUS if liblxc cannot open it.
 */
int app_lxc(const struct app *app, struct lxc_container **lxc);

/* Its init. DRE_ERR_CONTAINER_STOPPED if there is none; what app_lxc() fails with. */
int app_init_pid(const struct app *app, pid_t *init);
/* A pidfd of it, which the caller closes, and its number; -1 if there is none. */
int app_init_pidfd(struct lxc_container *lxc, pid_t *init);

enum app_state app_state(const struct app *app);

/*
 * monitor.c: whether liblxc's monitor listens. It has no control group of its own for a moment at the start and the end,
 * and between them while it reboots.
 */
bool app_monitor_listens(const struct app *app);

/* DRE_ERR_DEVICE_BUSY: somebody else has its address, and liblxc could not start the container. */
int app_check_address(const struct app *app);

/* Freeze what runs, thaw what is frozen; a freeze that fails is taken back. */
int app_freeze(const struct app *app);
int app_thaw(const struct app *app);

/* Fails with the state's code unless the container is in state @wanted, or @other. */
int app_require(const struct app *app, enum app_state wanted, enum app_state other);

/* state.c: DRE_ERR_INVALID_ARGUMENT if the caller would be frozen with it: nobody would be left to thaw it. */
int app_check_outside(const struct app *app);

/*
 * property.c: the container's properties instead of what dre.conf says; app_begin(APP_CHANGE) has done
 * it. DRE_ERR_CONTAINER_UNKNOWN_STATUS: somebody has written others into its manifest.
 */
int app_configure(struct dre_config *config, const char *name, const struct manifest *m);

/* Are these, ended by a key that is NULL, properties? And then, into a manifest. */
int app_check_properties(const dre_app_property *list);
int app_put_properties(struct manifest *m, const dre_app_property *list);

/* limits_check(), for who changes @before into app->config: what did not fit together before is not his fault. */
int app_check_limits(const struct app *app, const struct dre_config *before);

/* Mounts the root file system of a container that is stopped and locked. app_settle() undoes it. */
int app_mount_root(const struct app *app);

/*
 * A stopped container keeps no mount, no control group and no process. Done
 * at the end of stop, and by app_begin(APP_CHANGE) for those who were killed
 * before they came to it.
 */
int app_settle(const struct app *app);
int app_settle_groups(const struct app *app);	/* the part of it that is not the mount */

/*
 * start.c: of a container that is stopped. What start checks can be checked before it is stopped.
 */
int app_check_start(const struct app *app);
int app_start(const struct app *app);

/* start.c: ends what a start that failed has left running. The error text stays. */
void app_undo_start(const struct app *app);

/*
 * checkpoint.c: where the manager or the helper of a restart was killed before the container ran, it is as it was before
 * that, and stopped.
 */
int app_settle_restart(const struct app *app);

/* stop.c: app_begin_handle() of a container that is to be running or suspended, and options of a caller. */
int app_begin_stop(struct app *app, const dre_app_handle *h, const dre_app_stop_options *options);
/* Of one that is. @options: NULL is dre_app_stop(). */
int app_stop(const struct app *app, const dre_app_stop_options *options);
/* Kills all that is in it, and waits until liblxc has it stopped. False: it does not end. */
bool app_kill(const struct app *app, struct lxc_container *lxc);

/* paths.c: STORE/lxc, STORE/lxc/NAME/@file. False and an error if it is too long. */
int app_lxcpath(const struct store *store, char path[PATH_MAX]);
int app_path(const struct store *store, const char *name, const char *file, char path[PATH_MAX]);

/* Its control groups below the root: the outer one, of kind "app", and that of liblxc's "monitor". */
#define APP_GROUP_SIZE	GROUPS_OUTER_SIZE

void app_group(const char *kind, const char *name, char path[APP_GROUP_SIZE]);

/* For processes of ours that are not to end with whoever has started them: makes it, and opens it. @path is as it was. */
int app_group_make(char path[APP_GROUP_SIZE], int *group);

/* cgroup.c: the named control groups, below the outer one; see common/groups.h. */
#define APP_CGROUP_SIZE	GROUPS_PATH_SIZE

void app_groups(const struct app *app, struct groups *groups);
int app_check_cgroup(const char *cgroup, bool whole);
void app_cgroup_path(const struct app *app, const char *cgroup, char path[APP_CGROUP_SIZE]);

/* Tells the module, a fd of which is @cfd, of one that was made. */
int app_cgroup_announce(const struct app *app, int cfd, const char *cgroup);

/*
 * The init of a container that is in one of them, or 0. Processes of the host that are bound may be inits, too; with
 * @rootfs as its root only the container's is; NULL: any.
 */
pid_t app_bound_init(const struct app *app, const char *rootfs);

/* Tells a module that was loaded after the container was started of those that there are. */
void app_cgroups_announce(const struct app *app, int cfd);

/*
 * process.c: a list of @nr processes, to be filled in. The list and what it points to are one piece
 * of memory.
 */
int app_make_pid_list(dre_app_pid_list_t *list, size_t nr);

/* bind.c: puts processes back that are in control groups of a container that has ended. */
int app_unbind_all(const struct app *app);

/*
 * record.c: the processes' registrations, control groups, limits and bindings, in the directory @dir of
 * a checkpoint. begin() is before the container is frozen, by whomever. hold() writes them down, of one that is, and
 * moves all its processes to the payload's group. release() puts them back, also where hold() has failed, and
 * forget() is when the container is thawed. apply() makes them anew for a container that was restored.
 */
int app_record_begin(const struct app *app);
int app_record_hold(const struct app *app, int dir);
int app_record_release(const struct app *app);
int app_record_apply(const struct app *app, int dir);

/* Is it between begin() and forget()? Of a container that is stopped there is nothing to be put back: forget() it. */
bool app_record_held(const struct app *app);
void app_record_forget(const struct app *app);

/* What says so, in liblxc's directory. */
#define APP_AWAY	"away"

/*
 * checkpoint.c: after a checkpoint, or an attempt of one that failed with @err, the container runs on as it did.
 * Returns @err, else an error of its own.
 */
int app_let_go(const struct app *app, int err);

/* lxc_config.c: liblxc's directory of the container, with its configuration. */
int app_write_lxc(const struct app *app, const struct manifest *m);
int app_remove_lxc(const struct store *store, const char *name);

/*
 * files.c: of processes that copy files of a container which is running: ends them, when it is stopped and before its root
 * directory becomes something else; DRE_ERR_CONTAINER_BUSY if there are some.
 */
int app_files_stop(const struct app *app);
int app_files_check_none(const struct app *app);

/*
 * console.c: runs the process that is behind the container's console, unless it runs. It is a child
 * of the caller, who has one thread; app_console_stop() ends it and takes the console away. The log
 * stays.
 */
int app_console_start(const struct app *app);
int app_console_begin(const struct app *app, int *pending);	/* it may take a while to come up: */
int app_console_end(const struct app *app, int pending);	/* how it went */
int app_console_stop(const struct app *app);

/*
 * The container's side of the console, open without close-on-exec, and what CRIU calls it:
 * "tty[8800:16]".
 */
#define APP_CONSOLE_ID_SIZE	48
int app_console_open(const struct app *app, int *fd, char id[APP_CONSOLE_ID_SIZE]);

/* module.c: a container fd of the module, which the caller closes. */
int app_module_container(const struct app *app, int *cfd);
/* The container's init, or 0: the module does not know it, or is not loaded. */
pid_t app_module_init(const struct app *app);

/* create.c: an import_progress_fn that calls the user's. */
struct app_progress {
	dre_app_progress fn;
	void *arg;
};

void app_report(void *progress, uint64_t done, uint64_t total);

/* files.c: a filter that leaves all as it is but the attributes that filters never pass on. */
struct tar_filter;
const char *app_leave_ids(const struct tar_filter *filter, mode_t *mode, uid_t *uid, gid_t *gid);

/*
 * helper.c: runs the helper program, see app-helper.c. It gets @fds as its fds from 4 on, at most
 * four; app_helper_end() waits for its end and says how it went. @quiet: nothing is at its
 * standard input, output and error.
 *
 * A start has two parts: app_helper_prepare() lets the helper do what needs no root file system, while
 * the caller mounts that. app_helper_start() then starts the container; or not, if the caller comes
 * with an error, which it returns: then nothing is left.
 */
struct app_helper {
	pid_t pid;
	int report;
	int go;
};

int app_helper_begin(struct app_helper *helper, char *const argv[], const int *fds, int nr,
		     bool quiet);
int app_helper_end(struct app_helper *helper, const char *name, int *status);
int app_helper_prepare(const struct app *app, struct app_helper *helper);
int app_helper_start(const struct app *app, struct app_helper *helper, int err);
int app_helper_device(const struct app *app);
/* @dir: of the checkpoint, in the container's; @copy: the layer that becomes a copy of the writable one. */
int app_helper_checkpoint(const struct app *app, const char *dir, const char *copy);
int app_helper_restore(const struct app *app, const char *dir);
int app_helper_exec(const struct app *app, char *const argv[],
		    const dre_app_exec_options *options, int *status);

#endif /* DRE_APP_INTERNAL_H */
