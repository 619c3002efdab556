/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of dre-sys that it does not share with dre-app, see struct command.
 */
#ifndef DRE_TOOL_SYS_H
#define DRE_TOOL_SYS_H

#include "common/command.h"
#include "common/container_commands.h"

int cmd_create(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_suspend(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_destroy(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_base_export(int argc, char **argv);
int cmd_base_import(int argc, char **argv);

/* See struct program. */
void complete_kind(const char *kind, const char *name);

#endif /* DRE_TOOL_SYS_H */
