/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of dre-sys that it does not share with dre-app, see struct command.
 */
#ifndef DRE_TOOL_SYS_H
#define DRE_TOOL_SYS_H

#include "common/command.h"
#include "common/container_commands.h"

struct json_object;

int cmd_create(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_share(int argc, char **argv);
int cmd_unshare(int argc, char **argv);
int cmd_takeover(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_immigrate(int argc, char **argv);
int cmd_sys_list(int argc, char **argv);
int cmd_base_build(int argc, char **argv);

/* See struct container_api. */
dre_return_t sys_get_bound_pids(const char *name, const char *cgroup, struct container_pid **pids);
dre_return_t sys_events_next(void *events, struct container_event *event);

/* See struct program. */
void complete_kind(const char *kind, const char *name);

/* See struct container_extras. */
bool sys_is_remote(const char *name);
dre_return_t sys_check_list(void);
struct json_object *sys_info_value(const char *key, char *value);

#endif /* DRE_TOOL_SYS_H */
