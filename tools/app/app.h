/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of dre-app that dre-sys has not, see struct command.
 */
#ifndef DRE_TOOL_APP_H
#define DRE_TOOL_APP_H

#include <dre_app.h>

#include "common/command.h"
#include "common/container_commands.h"

int cmd_app_list(int argc, char **argv);
int cmd_copy(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_reboot(int argc, char **argv);
int cmd_autostart(int argc, char **argv);
int cmd_suspend(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_destroy(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_register(int argc, char **argv);
int cmd_unregister(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_unset(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_cgroup_create(int argc, char **argv);
int cmd_cgroup_destroy(int argc, char **argv);
int cmd_cgroup_list(int argc, char **argv);
int cmd_bind(int argc, char **argv);
int cmd_unbind(int argc, char **argv);
int cmd_resource_set(int argc, char **argv);
int cmd_resource_unset(int argc, char **argv);
int cmd_resource_get(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_checkpoint_list(int argc, char **argv);
int cmd_checkpoint_remove(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_base_build(int argc, char **argv);
int cmd_base_import(int argc, char **argv);
int cmd_base_export(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_fsck(int argc, char **argv);
int cmd_gc(int argc, char **argv);
int cmd_rename(int argc, char **argv);

/* What "wait" exits with when the time is up, as timeout(1) does. */
#define EXIT_TIMEOUT	124

/* See struct program. */
void complete_kind(const char *kind, const char *name);

/* KEY=VALUE, which is cut in two; wrong usage if it is not of that form. */
dre_app_property property_argument(char *text);

#endif /* DRE_TOOL_APP_H */
