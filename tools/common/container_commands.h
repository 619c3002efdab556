/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands that dre-app and dre-sys have in common. What they call is the program's.
 */
#ifndef DRE_CONTAINER_COMMANDS_H
#define DRE_CONTAINER_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

struct json_object;

/* The functions of one kind of container. @name is the container's. */
struct container_api {
	const char *program;
	dre_return_t (*status)(const char *name);	/* the numbers are the same for both kinds */
	dre_return_t (*get_pid)(const char *name, int *pid);
	dre_return_t (*start)(const char *name);
	dre_return_t (*stop)(const char *name, int kill, int timeout);
	dre_return_t (*reboot)(const char *name, int kill, int timeout);
	dre_return_t (*suspend)(const char *name);
	dre_return_t (*resume)(const char *name);
	dre_return_t (*destroy)(const char *name);
	dre_return_t (*set_properties)(const char *name, const dre_property *list);
	dre_return_t (*get_property)(const char *name, const char *key, char **value);
	dre_return_t (*get_property_list)(const char *name, dre_property **list);
	dre_return_t (*release_property_list)(dre_property *list);
	dre_return_t (*get_info)(const char *name, dre_list_t *list);
	dre_return_t (*open_console)(const char *name, int *fd);
	dre_return_t (*log_open)(const char *name, int previous, void **log);
	int (*log_fd)(void *log);
	dre_return_t (*log_read)(void *log, void *buf, size_t size, size_t *len);
	dre_return_t (*log_close)(void *log);
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

/* What only one of them can do. All of it may be NULL. */
struct container_extras {
	/* Tells how large the terminal is that shows the console. */
	dre_return_t (*resize_console)(const char *name, int rows, int columns);
	/* inspect: what there is to know of a container, beside its name, state, info and snapshots. */
	void (*inspect)(struct json_object *to, const char *name, dre_return_t status);
	/* inspect: the JSON of one value of info, whose text may be changed; NULL: it is a text. */
	struct json_object *(*info_value)(const char *key, char *value);
	/*
	 * wait: events of a container, which wake it up when it is started or ends; NULL if there are
	 * none now. Then their fd, and what happened is forgotten.
	 */
	void *(*watch)(const char *name);
	int (*watch_fd)(void *watch);
	void (*watch_forget)(void *watch);
	void (*watch_end)(void *watch);
};

extern const struct container_extras container_extras;

/*
 * Defines container_api from the functions that begin with @prefix, as dre_app. They take a handle, which is
 * no more than a name.
 */
#define CONTAINER_HANDLE(prefix, type) (&(prefix##_handle){ type, (char *)name })

#define CONTAINER_API_NAME(prefix, type, function)						\
	static dre_return_t api_##function(const char *name)					\
	{											\
		return prefix##_##function(CONTAINER_HANDLE(prefix, type));			\
	}
#define CONTAINER_API_ONE(prefix, type, function, kind)						\
	static dre_return_t api_##function(const char *name, kind value)			\
	{											\
		return prefix##_##function(CONTAINER_HANDLE(prefix, type), value);		\
	}
#define CONTAINER_API_TWO(prefix, type, function, kind1, kind2)					\
	static dre_return_t api_##function(const char *name, kind1 value1, kind2 value2)	\
	{											\
		return prefix##_##function(CONTAINER_HANDLE(prefix, type), value1, value2);	\
	}
#define CONTAINER_API_STOP(prefix, type, function, called)					\
	static dre_return_t api_##function(const char *name, int kill, int timeout)		\
	{											\
		const prefix##_stop_options options = {						\
			.size = sizeof(options), .kill = kill, .timeout = timeout,		\
		};										\
												\
		return prefix##_##called(CONTAINER_HANDLE(prefix, type), &options);		\
	}
#define CONTAINER_API_LOG(prefix, type)								\
	static dre_return_t api_log_open(const char *name, int previous, void **log)		\
	{											\
		return prefix##_log_open(CONTAINER_HANDLE(prefix, type), previous,		\
					 (prefix##_log **)log);					\
	}											\
	static int api_log_fd(void *log)							\
	{											\
		return prefix##_log_fd(log);							\
	}											\
	static dre_return_t api_log_read(void *log, void *buf, size_t size, size_t *len)	\
	{											\
		return prefix##_log_read(log, buf, size, len);					\
	}											\
	static dre_return_t api_log_close(void *log)						\
	{											\
		return prefix##_log_close(log);							\
	}

#define CONTAINER_API(prefix, type, name_of_program)						\
	CONTAINER_API_NAME(prefix, type, status)						\
	CONTAINER_API_ONE(prefix, type, get_pid, int *)						\
	CONTAINER_API_NAME(prefix, type, start)							\
	CONTAINER_API_STOP(prefix, type, stop, stop_with)					\
	CONTAINER_API_STOP(prefix, type, reboot, reboot)					\
	CONTAINER_API_NAME(prefix, type, suspend)						\
	CONTAINER_API_NAME(prefix, type, resume)						\
	CONTAINER_API_ONE(prefix, type, set_properties, const dre_property *)			\
	CONTAINER_API_TWO(prefix, type, get_property, const char *, char **)			\
	CONTAINER_API_ONE(prefix, type, get_property_list, dre_property **)			\
	CONTAINER_API_ONE(prefix, type, get_info, dre_list_t *)					\
	CONTAINER_API_ONE(prefix, type, open_console, int *)					\
	CONTAINER_API_LOG(prefix, type)								\
	CONTAINER_API_ONE(prefix, type, get_snapshot_list, dre_list_t *)			\
	CONTAINER_API_ONE(prefix, type, save_snapshot, const char *)				\
	CONTAINER_API_ONE(prefix, type, load_snapshot, const char *)				\
	CONTAINER_API_ONE(prefix, type, remove_snapshot, const char *)				\
	CONTAINER_API_TWO(prefix, type, commit_snapshot, const char *, const char *)		\
	const struct container_api container_api = {						\
		.program = name_of_program,							\
		.status = api_status,								\
		.get_pid = api_get_pid,								\
		.start = api_start,								\
		.stop = api_stop,								\
		.reboot = api_reboot,								\
		.suspend = api_suspend,								\
		.resume = api_resume,								\
		.destroy = prefix##_destroy_container,						\
		.set_properties = api_set_properties,						\
		.get_property = api_get_property,						\
		.get_property_list = api_get_property_list,					\
		.release_property_list = prefix##_release_property_list,			\
		.get_info = api_get_info,							\
		.open_console = api_open_console,						\
		.log_open = api_log_open,							\
		.log_fd = api_log_fd,								\
		.log_read = api_log_read,							\
		.log_close = api_log_close,							\
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

int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_reboot(int argc, char **argv);
int cmd_autostart(int argc, char **argv);
int cmd_suspend(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_destroy(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_unset(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_wait(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_save(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_commit(int argc, char **argv);
int cmd_snapshot_list(int argc, char **argv);
int cmd_snapshot_remove(int argc, char **argv);
int cmd_base_list(int argc, char **argv);
int cmd_base_remove(int argc, char **argv);

/* What "wait" exits with when the time is up, as timeout(1) does. */
#define EXIT_TIMEOUT	124

/*
 * For struct program's complete(): the kinds of argument that the common commands have. False for
 * others. complete_list() takes the list; @words begin with the kind, and NULL ends them.
 */
#define COMPLETE_WORDS	8

bool complete_common(const char *kind, const char *name);
bool complete_words(const char *kind, const char *const words[][COMPLETE_WORDS], size_t nr);
void complete_list(dre_list_t list);

/* What status returns, in a word. */
const char *status_name(dre_return_t status);

/* Is it that state? */
bool is_stopped(dre_return_t status);
bool is_alive(dre_return_t status);	/* running or suspended */

/* For commands without options of their own; returns where the arguments begin. */
int no_options(int argc, char **argv);

/* KEY=VALUE, which is cut in two; wrong usage if it is not of that form. */
dre_property property_argument(char *text);

/* For commands that have --json only; the arguments begin at optind. */
bool json_option(int argc, char **argv);

#endif /* DRE_CONTAINER_COMMANDS_H */
