/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands that dre-app and dre-sys have in common. What they call is the program's.
 */
#ifndef DRE_CONTAINER_COMMANDS_H
#define DRE_CONTAINER_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "table.h"

struct json_object;

/* Resources, by the numbers that both kinds have; sizes of the types that have room for them. */
enum {
	RESOURCE_CPU = 1, RESOURCE_CORES = 2, RESOURCE_MEMORY = 101, RESOURCE_MEMSW = 102, RESOURCE_PIDS = 103
};

struct container_resource {
	int type;
	union {
		int percent;
		int pids;
		char *cores;	/* in memory of its own, where it was got */
		unsigned long long bytes;
	};
};

/* What commands and JSON call them. */
#define NR_RESOURCES	5

extern const struct resource_name {
	const char *name;
	int type;
} resource_names[NR_RESOURCES];

/* How many of them, from the first one, the program's containers have. */
size_t nr_resources(void);

/* A process, by its number here and, if it is not -1, in the container: 0 is one of the host. */
struct container_pid {
	int pid;
	int vpid;
};

/* An event; type: as dre_app.h has it, 0 is none. */
struct container_event {
	int type;
	const char *container;
	struct timespec time;
	int pid;
	int vpid;		/* -1: there is none */
	const char *comm;
	int by;
	int status;
	int signal;
	const char *group;
	unsigned int lost;
};

/* How far something is that takes long, see progress.h. */
typedef void (*command_progress)(void *arg, unsigned long long done, unsigned long long total);

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
	dre_return_t (*get_base_info)(const char *base, dre_list_t *list);
	dre_return_t (*open_console)(const char *name, int *fd);
	dre_return_t (*log_open)(const char *name, int previous, void **log);
	int (*log_fd)(void *log);
	dre_return_t (*log_read)(void *log, void *buf, size_t size, size_t *len);
	dre_return_t (*log_close)(void *log);
	dre_return_t (*get_container_list)(dre_list_t *list);
	dre_return_t (*get_base_list)(dre_list_t *list);
	dre_return_t (*get_snapshot_list)(const char *name, dre_list_t *list);
	dre_return_t (*get_checkpoint_list)(const char *name, dre_list_t *list);
	dre_return_t (*release_list)(dre_list_t list);
	dre_return_t (*save_snapshot)(const char *name, const char *tag);
	dre_return_t (*load_snapshot)(const char *name, const char *tag);
	dre_return_t (*remove_snapshot)(const char *name, const char *tag);
	dre_return_t (*commit_snapshot)(const char *name, const char *tag, const char *base);
	dre_return_t (*restart)(const char *name, const char *tag);
	dre_return_t (*remove_checkpoint)(const char *name, const char *tag);
	dre_return_t (*remove_base)(const char *base);
	dre_return_t (*copy)(const char *name, const char *snapshot, const char *copy, const dre_property *properties);
	dre_return_t (*rename)(const char *name, const char *to);
	dre_return_t (*export)(const char *name, int fd, const char *compression, command_progress fn, void *arg);
	dre_return_t (*export_base)(const char *base, int fd, const char *compression, command_progress fn, void *arg);
	dre_return_t (*import_base)(const char *name, const char *source, command_progress fn, void *arg);
	/* Calls fsck_problem() with @arg and each problem. */
	dre_return_t (*fsck)(unsigned int flags, void *arg);
	dre_return_t (*gc)(void);
	dre_return_t (*create_cgroup)(const char *name, const char *cgroup);
	dre_return_t (*destroy_cgroup)(const char *name, const char *cgroup);
	dre_return_t (*get_cgroup_list)(const char *name, dre_list_t *list);
	dre_return_t (*bind_pid)(const char *name, const char *cgroup, int pid);
	dre_return_t (*unbind_pid)(const char *name, const char *cgroup, int pid);
	dre_return_t (*set_resource)(const char *name, const char *cgroup,
				     const struct container_resource *resource);
	dre_return_t (*unset_resource)(const char *name, const char *cgroup,
				       const struct container_resource *resource);
	dre_return_t (*get_limit)(const char *name, const char *cgroup,
				  struct container_resource *resource);
	dre_return_t (*get_resource)(const char *name, int pid, struct container_resource *resource);
	dre_return_t (*get_usage)(const char *name, const char *cgroup, dre_usage *usage);
	dre_return_t (*events_open)(char *const names[], void **events);
	int (*events_fd)(const void *events);
	dre_return_t (*events_close)(void *events);

	/* Those that differ more than in their names. */
	dre_return_t (*events_next)(void *events, struct container_event *event);
	dre_return_t (*get_bound_pids)(const char *name, const char *cgroup, struct container_pid **pids);	/* PID 0 ends them; free() */

	/* NULL where there is no such thing. */
	dre_return_t (*bind_vpid)(const char *name, const char *cgroup, int vpid);
	dre_return_t (*unbind_vpid)(const char *name, const char *cgroup, int vpid);
	dre_return_t (*count_registered)(const char *name, size_t *nr);
};

/* Each program has one. */
extern const struct container_api container_api;

/* hint.c: struct program's hint, of what both kinds have in common. */
const char *container_hint(const char *command, dre_return_t err);

/* What only one of them can do. All of it may be NULL. */
struct container_extras {
	/* Tells how large the terminal is that shows the console. */
	dre_return_t (*resize_console)(const char *name, int rows, int columns);
	/* inspect: what there is to know of its containers only. */
	void (*inspect)(struct json_object *to, const char *name);
	/* inspect: the JSON of one value of info, whose text may be changed; NULL: it is a text. */
	struct json_object *(*info_value)(const char *key, char *value);
	/* Is one whose state is unknown another host's? */
	bool (*is_remote)(const char *name);
	/* Fails where the list of containers has those only that are here, and there may be more. */
	dre_return_t (*check_list)(void);
	/* What export writes: "an archive"; and how it compresses what goes to @path, NULL: not at all. */
	const char *exported;
	const char *(*compression_of)(const char *path);
	/* Is the number of its processes a resource? */
	bool pids;
};

extern const struct container_extras container_extras;

/*
 * Defines container_api from the functions that begin with @prefix, as dre_app. They take a handle, which is
 * no more than a name. The other arguments are initializers of what is the program's own.
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

#define CONTAINER_API_RESOURCES(prefix, kind)							\
	static dre_return_t api_set_resource(const char *name, const char *cgroup, const struct container_resource *from) \
	{											\
		prefix##_resource_value_t r = { .type = from->type };				\
		memcpy(&r.udata, &from->bytes, sizeof(from->bytes));				\
		return prefix##_set_resource(CONTAINER_HANDLE(prefix, kind), cgroup, &r);	\
	}											\
	static dre_return_t api_unset_resource(const char *name, const char *cgroup, const struct container_resource *from) \
	{											\
		prefix##_resource_value_t r = { .type = from->type };				\
		return prefix##_unset_resource(CONTAINER_HANDLE(prefix, kind), cgroup, &r);	\
	}											\
	static dre_return_t api_get_limit(const char *name, const char *cgroup, struct container_resource *to) \
	{											\
		prefix##_resource_value_t r = { .type = to->type };				\
		dre_return_t err = prefix##_get_limit(CONTAINER_HANDLE(prefix, kind), cgroup, &r); \
		memcpy(&to->bytes, &r.udata, sizeof(to->bytes));				\
		return err;									\
	}											\
	static dre_return_t api_get_resource(const char *name, int pid, struct container_resource *to) \
	{											\
		prefix##_resource_value_t r = { .type = to->type };				\
		dre_return_t err = prefix##_get_resource(CONTAINER_HANDLE(prefix, kind), pid, &r); \
		memcpy(&to->bytes, &r.udata, sizeof(to->bytes));				\
		return err;									\
	}
#define CONTAINER_API_EVENTS(prefix)								\
	static dre_return_t api_events_open(char *const names[], void **to)			\
	{											\
		prefix##_events *events;							\
		dre_return_t err = prefix##_events_open(names, &events);			\
		*to = err ? NULL : events;							\
		return err;									\
	}											\
	static int api_events_fd(const void *events)						\
	{											\
		return prefix##_events_fd(events);						\
	}											\
	static dre_return_t api_events_close(void *events)					\
	{											\
		return prefix##_events_close(events);						\
	}

#define CONTAINER_API_COPY(prefix, type)							\
	static dre_return_t api_copy(const char *name, const char *snapshot, const char *copy,	\
				     const dre_property *properties)				\
	{											\
		const prefix##_copy_options options = {						\
			.size = sizeof(options), .properties = properties,			\
		};										\
												\
		return prefix##_copy_with(CONTAINER_HANDLE(prefix, type), snapshot, copy, &options); \
	}

#define CONTAINER_API_EXPORT(prefix, type)							\
	static dre_return_t api_export(const char *name, int fd, const char *compression,	\
				       command_progress fn, void *arg)				\
	{											\
		return prefix##_export(CONTAINER_HANDLE(prefix, type), fd, compression, fn, arg); \
	}

#define CONTAINER_API_FSCK(prefix)								\
	static void api_problem(void *arg, const prefix##_problem *p)				\
	{											\
		fsck_problem(arg, p->path, p->what, p->repaired);				\
	}											\
	static dre_return_t api_fsck(unsigned int flags, void *arg)				\
	{											\
		return prefix##_fsck(flags, api_problem, arg);					\
	}

#define CONTAINER_API(prefix, type, name_of_program, ...)					\
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
	CONTAINER_API_ONE(prefix, type, get_checkpoint_list, dre_list_t *)			\
	CONTAINER_API_ONE(prefix, type, restart, const char *)					\
	CONTAINER_API_ONE(prefix, type, remove_checkpoint, const char *)			\
	CONTAINER_API_COPY(prefix, type)							\
	CONTAINER_API_ONE(prefix, type, rename, const char *)					\
	CONTAINER_API_EXPORT(prefix, type)							\
	CONTAINER_API_FSCK(prefix)								\
	CONTAINER_API_ONE(prefix, type, create_cgroup, const char *)				\
	CONTAINER_API_ONE(prefix, type, destroy_cgroup, const char *)				\
	CONTAINER_API_ONE(prefix, type, get_cgroup_list, dre_list_t *)				\
	CONTAINER_API_TWO(prefix, type, bind_pid, const char *, int)				\
	CONTAINER_API_TWO(prefix, type, unbind_pid, const char *, int)				\
	CONTAINER_API_RESOURCES(prefix, type)							\
	CONTAINER_API_TWO(prefix, type, get_usage, const char *, dre_usage *)			\
	CONTAINER_API_EVENTS(prefix)								\
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
		.get_base_info = prefix##_get_base_info,					\
		.open_console = api_open_console,						\
		.log_open = api_log_open,							\
		.log_fd = api_log_fd,								\
		.log_read = api_log_read,							\
		.log_close = api_log_close,							\
		.get_container_list = prefix##_get_container_list,				\
		.get_base_list = prefix##_get_base_list,					\
		.get_snapshot_list = api_get_snapshot_list,					\
		.get_checkpoint_list = api_get_checkpoint_list,					\
		.release_list = prefix##_release_base_list,					\
		.save_snapshot = api_save_snapshot,						\
		.load_snapshot = api_load_snapshot,						\
		.remove_snapshot = api_remove_snapshot,						\
		.commit_snapshot = api_commit_snapshot,						\
		.restart = api_restart,								\
		.remove_checkpoint = api_remove_checkpoint,					\
		.remove_base = prefix##_remove_base,						\
		.copy = api_copy,								\
		.rename = api_rename,								\
		.export = api_export,								\
		.export_base = prefix##_export_base,						\
		.import_base = prefix##_import_base,						\
		.fsck = api_fsck,								\
		.gc = prefix##_gc,								\
		.create_cgroup = api_create_cgroup,						\
		.destroy_cgroup = api_destroy_cgroup,						\
		.get_cgroup_list = api_get_cgroup_list,						\
		.bind_pid = api_bind_pid,							\
		.unbind_pid = api_unbind_pid,							\
		.set_resource = api_set_resource,						\
		.unset_resource = api_unset_resource,						\
		.get_limit = api_get_limit,							\
		.get_resource = api_get_resource,						\
		.get_usage = api_get_usage,							\
		.events_open = api_events_open,							\
		.events_fd = api_events_fd,							\
		.events_close = api_events_close,						\
		__VA_ARGS__									\
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
int cmd_save(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_commit(int argc, char **argv);
int cmd_snapshot_list(int argc, char **argv);
int cmd_snapshot_remove(int argc, char **argv);
int cmd_cgroup_create(int argc, char **argv);
int cmd_cgroup_destroy(int argc, char **argv);
int cmd_cgroup_list(int argc, char **argv);
int cmd_bind(int argc, char **argv);
int cmd_unbind(int argc, char **argv);
int cmd_resource_set(int argc, char **argv);
int cmd_resource_unset(int argc, char **argv);
int cmd_resource_get(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_checkpoint_list(int argc, char **argv);
int cmd_checkpoint_remove(int argc, char **argv);
int cmd_base_list(int argc, char **argv);
int cmd_base_inspect(int argc, char **argv);
int cmd_base_remove(int argc, char **argv);

/* image_commands.c */
int cmd_export(int argc, char **argv);
int cmd_base_export(int argc, char **argv);
int cmd_base_import(int argc, char **argv);

/* store_commands.c */
int cmd_copy(int argc, char **argv);
int cmd_rename(int argc, char **argv);
int cmd_fsck(int argc, char **argv);
int cmd_gc(int argc, char **argv);
void fsck_problem(void *arg, const char *path, const char *what, bool repaired);

/* What "wait" exits with when the time is up, as timeout(1) does. */
#define EXIT_TIMEOUT	124

/*
 * For struct program's complete(): the kinds of argument that the common commands have. False for
 * others. @words begin with the kind, and NULL ends them.
 */
#define COMPLETE_WORDS	8

bool complete_common(const char *kind, const char *name);
bool complete_words(const char *kind, const char *const words[][COMPLETE_WORDS], size_t nr);

/* list. These are its columns; a program has @columns for --long, and fills what it has more of them with @more. */
enum { LIST_NAME, LIST_STATE, LIST_PID, LIST_CREATED, LIST_COLUMNS };

#define LIST_COLUMNS_COMMON				\
	[LIST_NAME] = { "NAME", COLUMN_STRING },	\
	[LIST_STATE] = { "STATE", COLUMN_STRING },	\
	[LIST_PID] = { "PID", COLUMN_NUMBER },		\
	[LIST_CREATED] = { "CREATED", COLUMN_TIME }

int list_containers(int argc, char **argv, const struct column *columns,
		    void (*more)(struct table *table, const char *name));

/* The value of @key in a list of "KEY=VALUE", or NULL. */
const char *info_get(const dre_list_t info, const char *key);

/*
 * What snapshots and checkpoints have in common; @what is one of them, "snapshot". How much is written or read nobody
 * knows before: its time is shown.
 */
int tag_command(int argc, char **argv, const char *what,
		dre_return_t (*fn)(const char *name, const char *tag));
int tag_list(int argc, char **argv, const char *what,
	     dre_return_t (*get_list)(const char *name, dre_list_t *list));

/* What status returns, in a word. */
const char *status_name(dre_return_t status);

/* The same of a container that may be another host's: "remote". */
const char *container_state(const char *name, dre_return_t status);

/* Is it that state? */
bool is_stopped(dre_return_t status);
bool is_alive(dre_return_t status);	/* running or suspended */

/* For commands without options of their own; returns where the arguments begin. */
int no_options(int argc, char **argv);

/* KEY=VALUE, which is cut in two; wrong usage if it is not of that form. */
dre_property property_argument(char *text);

/* Calls @fn, and shows meanwhile how long that takes, see progress.h: "start web". */
dre_return_t with_time(const char *verb, const char *name, dre_return_t (*fn)(const char *name));

/* Does the same to the containers that are named, from optind on, also when one of them fails. The exit status. */
int for_named(int argc, char **argv, dre_return_t (*fn)(const char *name));

/* For commands that have --json only; the arguments begin at optind. */
bool json_option(int argc, char **argv);

#endif /* DRE_CONTAINER_COMMANDS_H */
