/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands that dre-app and dre-sys have in common: status, list, snapshots and
 * the list and removal of base images. What they call is the program's.
 */
#ifndef DRE_CONTAINER_COMMANDS_H
#define DRE_CONTAINER_COMMANDS_H

#include "command.h"
#include "table.h"

/* The functions of one kind of container. @name is the container's. */
struct container_api {
	dre_return_t (*status)(const char *name);	/* the numbers are the same for both kinds */
	dre_return_t (*get_pid)(const char *name, int *pid);
	dre_return_t (*get_container_list)(dre_list_t *list);
	dre_return_t (*get_base_list)(dre_list_t *list);
	dre_return_t (*get_snapshot_list)(const char *name, dre_list_t *list);
	dre_return_t (*release_list)(dre_list_t list);
	dre_return_t (*save_snapshot)(const char *name, const char *tag);
	dre_return_t (*load_snapshot)(const char *name, const char *tag);
	dre_return_t (*remove_snapshot)(const char *name, const char *tag);
	dre_return_t (*commit_snapshot)(const char *name, const char *tag, const char *base);
	dre_return_t (*remove_base)(const char *base);
};

/* Each program has one. */
extern const struct container_api container_api;

/*
 * Defines it from the functions that begin with @prefix, as dre_app. They take a handle, which is no more
 * than a name.
 */
#define CONTAINER_API(prefix, container_type)							\
	static dre_return_t api_status(const char *name)					\
	{											\
		return prefix##_status(&(prefix##_handle){ container_type, (char *)name });	\
	}											\
	static dre_return_t api_get_pid(const char *name, int *pid)				\
	{											\
		return prefix##_get_pid(&(prefix##_handle){ container_type, (char *)name }, pid); \
	}											\
	static dre_return_t api_get_snapshot_list(const char *name, dre_list_t *list)		\
	{											\
		return prefix##_get_snapshot_list(&(prefix##_handle){ container_type, (char *)name }, \
						  list);					\
	}											\
	static dre_return_t api_save_snapshot(const char *name, const char *tag)		\
	{											\
		return prefix##_save_snapshot(&(prefix##_handle){ container_type, (char *)name }, tag); \
	}											\
	static dre_return_t api_load_snapshot(const char *name, const char *tag)		\
	{											\
		return prefix##_load_snapshot(&(prefix##_handle){ container_type, (char *)name }, tag); \
	}											\
	static dre_return_t api_remove_snapshot(const char *name, const char *tag)		\
	{											\
		return prefix##_remove_snapshot(&(prefix##_handle){ container_type, (char *)name }, \
						tag);						\
	}											\
	static dre_return_t api_commit_snapshot(const char *name, const char *tag, const char *base) \
	{											\
		return prefix##_commit_snapshot(&(prefix##_handle){ container_type, (char *)name }, \
						tag, base);					\
	}											\
	const struct container_api container_api = {						\
		.status = api_status,								\
		.get_pid = api_get_pid,								\
		.get_container_list = prefix##_get_container_list,				\
		.get_base_list = prefix##_get_base_list,					\
		.get_snapshot_list = api_get_snapshot_list,					\
		.release_list = prefix##_release_base_list,					\
		.save_snapshot = api_save_snapshot,						\
		.load_snapshot = api_load_snapshot,						\
		.remove_snapshot = api_remove_snapshot,						\
		.commit_snapshot = api_commit_snapshot,						\
		.remove_base = prefix##_remove_base,						\
	}

int cmd_status(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_save(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_commit(int argc, char **argv);
int cmd_snapshot_list(int argc, char **argv);
int cmd_snapshot_remove(int argc, char **argv);
int cmd_base_list(int argc, char **argv);
int cmd_base_remove(int argc, char **argv);

/* The columns of a list; a program may have more, which it fills in with @more. @columns NULL: these. */
enum { LIST_NAME, LIST_STATE, LIST_PID, LIST_COLUMNS };

#define LIST_COLUMNS_COMMON				\
	[LIST_NAME] = { "NAME", COLUMN_STRING },	\
	[LIST_STATE] = { "STATE", COLUMN_STRING },	\
	[LIST_PID] = { "PID", COLUMN_NUMBER }

int list_containers(const struct column *columns, bool json,
		    void (*more)(struct table *table, const char *name));

/* What snapshots and checkpoints have in common; @what is one of them, "snapshot". */
int tag_command(int argc, char **argv, const char *what,
		dre_return_t (*fn)(const char *name, const char *tag));
int tag_list(int argc, char **argv, const char *what,
	     dre_return_t (*get_list)(const char *name, dre_list_t *list));

/* What status returns, in a word. */
const char *status_name(dre_return_t status);

/* For commands without options of their own; returns where the arguments begin. */
int no_options(int argc, char **argv);

/* For commands that have --json only; the arguments begin at optind. */
bool json_option(int argc, char **argv);

#endif /* DRE_CONTAINER_COMMANDS_H */
