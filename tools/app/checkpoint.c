// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checkpoint, restart, checkpoint list, checkpoint remove.
 */
#include <stdio.h>

#include <dre_app.h>

#include "app.h"
#include "common/progress.h"

#define HANDLE(name)	(&(dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, (char *)(name) })

/* The memory of the container is written, or read: how much that is nobody knows before. */
static int show_time(const char *verb, dre_return_t (*fn)(const dre_app_handle *, const char *),
		     const char *name, const char *tag)
{
	struct progress progress;
	char what[128];
	int err;

	snprintf(what, sizeof(what), "%s %s", verb, name);
	progress_begin_time(&progress, what);
	err = fn(HANDLE(name), tag);
	progress_end(&progress);
	return err;
}

static dre_return_t checkpoint(const char *name, const char *tag)
{
	return show_time("checkpoint", dre_app_checkpoint, name, tag);
}

int cmd_checkpoint(int argc, char **argv)
{
	return tag_command(argc, argv, "checkpoint", checkpoint);
}

static dre_return_t restart(const char *name, const char *tag)
{
	return show_time("restart", dre_app_restart, name, tag);
}

int cmd_restart(int argc, char **argv)
{
	return tag_command(argc, argv, "checkpoint", restart);
}

static dre_return_t remove_checkpoint(const char *name, const char *tag)
{
	return dre_app_remove_checkpoint(HANDLE(name), tag);
}

int cmd_checkpoint_remove(int argc, char **argv)
{
	return tag_command(argc, argv, "checkpoint", remove_checkpoint);
}

static dre_return_t get_list(const char *name, dre_list_t *list)
{
	return dre_app_get_checkpoint_list(HANDLE(name), list);
}

int cmd_checkpoint_list(int argc, char **argv)
{
	return tag_list(argc, argv, "checkpoint", get_list);
}
