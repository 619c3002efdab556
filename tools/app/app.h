/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of dre-app that dre-sys has not, see struct command.
 */
#ifndef DRE_TOOL_APP_H
#define DRE_TOOL_APP_H

#include <stdio.h>

#include <dre_app.h>

#include "common/command.h"
#include "common/container_commands.h"

struct json_object;

int cmd_app_list(int argc, char **argv);
int cmd_cp(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_register(int argc, char **argv);
int cmd_unregister(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_base_build(int argc, char **argv);

/* cgroup.c: what of them dre-sys has in another way, see struct container_api. */
dre_return_t app_bind_vpid(const char *name, const char *cgroup, int vpid);
dre_return_t app_unbind_vpid(const char *name, const char *cgroup, int vpid);
dre_return_t app_get_bound_pids(const char *name, const char *cgroup, struct container_pid **pids);
dre_return_t app_count_registered(const char *name, size_t *nr);
dre_return_t app_events_next(void *events, struct container_event *event);

/* show.c: the registered processes. A line of /proc/daware, and where its fields are. */
enum { PS_PID, PS_VPID, PS_SIGNALS, PS_CONTAINER, PS_COMM, PS_COLUMNS };

struct registered {
	char line[1024];
	char *fields[PS_COLUMNS];
};

FILE *registered_open(void);	/* NULL: the module is not loaded */
bool registered_next(FILE *f, const char *name, struct registered *process);	/* of that container; NULL: of any */

/*
 * address.c: "192.0.2.7,2001:db8::7", where the container is reached whose init is @pid; what has no room is left
 * out. False if it has no network of its own.
 */
bool get_addresses(int pid, char *text, size_t size);

/* See struct program. */
void complete_kind(const char *kind, const char *name);

/* See struct container_extras. */
void inspect_app(struct json_object *to, const char *name);
struct json_object *app_info_value(const char *key, char *value);
const char *app_compression_of(const char *path);	/* as tar(1) has it, by the end of its name */

#endif /* DRE_TOOL_APP_H */
