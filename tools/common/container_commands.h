/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands that dre-app and dre-sys have in common: status, list, snapshots, control groups, limits,
 * events, top, and the list and removal of base images. What they call is the program's.
 */
#ifndef DRE_CONTAINER_COMMANDS_H
#define DRE_CONTAINER_COMMANDS_H

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "command.h"

/* Resources, by the numbers that both kinds have; sizes of the types that have room for them. */
enum { RESOURCE_CPU = 1, RESOURCE_CORES = 2, RESOURCE_MEMORY = 101, RESOURCE_MEMSW = 102 };

struct container_resource {
	int type;
	union {
		int percent;
		char *cores;	/* in memory of its own, where it was got */
		unsigned long long bytes;
	};
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
	dre_return_t (*events_open)(char *const names[], void **events);
	int (*events_fd)(const void *events);
	dre_return_t (*events_close)(void *events);

	/* Those that differ more than in their names. */
	dre_return_t (*events_next)(void *events, struct container_event *event);
	dre_return_t (*get_bound_pids)(const char *name, const char *cgroup, int **pids);	/* 0 ends them; free() */

	/* NULL where there is no such thing. */
	dre_return_t (*bind_vpid)(const char *name, const char *cgroup, int vpid);
	dre_return_t (*unbind_vpid)(const char *name, const char *cgroup, int vpid);
	dre_return_t (*count_registered)(const char *name, size_t *nr);
};

/* Each program has one. */
extern const struct container_api container_api;

/*
 * Defines it from the functions that begin with @prefix, as dre_app. They take a handle, which is no more
 * than a name. The other arguments are initializers of what is the program's own.
 */
#define CONTAINER_API(prefix, container_type, ...)						\
	static prefix##_handle api_handle(const char *name)					\
	{											\
		return (prefix##_handle){ container_type, (char *)name };			\
	}											\
	static dre_return_t api_status(const char *name)					\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_status(&h);							\
	}											\
	static dre_return_t api_get_pid(const char *name, int *pid)				\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_get_pid(&h, pid);						\
	}											\
	static dre_return_t api_get_snapshot_list(const char *name, dre_list_t *list)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_get_snapshot_list(&h, list);					\
	}											\
	static dre_return_t api_save_snapshot(const char *name, const char *tag)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_save_snapshot(&h, tag);						\
	}											\
	static dre_return_t api_load_snapshot(const char *name, const char *tag)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_load_snapshot(&h, tag);						\
	}											\
	static dre_return_t api_remove_snapshot(const char *name, const char *tag)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_remove_snapshot(&h, tag);					\
	}											\
	static dre_return_t api_commit_snapshot(const char *name, const char *tag, const char *base) \
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_commit_snapshot(&h, tag, base);					\
	}											\
	static dre_return_t api_create_cgroup(const char *name, const char *cgroup)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_create_cgroup(&h, cgroup);					\
	}											\
	static dre_return_t api_destroy_cgroup(const char *name, const char *cgroup)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_destroy_cgroup(&h, cgroup);					\
	}											\
	static dre_return_t api_get_cgroup_list(const char *name, dre_list_t *list)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_get_cgroup_list(&h, list);					\
	}											\
	static dre_return_t api_bind_pid(const char *name, const char *cgroup, int pid)		\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_bind_pid(&h, cgroup, pid);					\
	}											\
	static dre_return_t api_unbind_pid(const char *name, const char *cgroup, int pid)	\
	{											\
		prefix##_handle h = api_handle(name);						\
		return prefix##_unbind_pid(&h, cgroup, pid);					\
	}											\
	static dre_return_t api_set_resource(const char *name, const char *cgroup, const struct container_resource *from) \
	{											\
		prefix##_resource_value_t r = { .type = from->type };				\
		prefix##_handle h = api_handle(name);						\
		memcpy(&r.udata, &from->bytes, sizeof(from->bytes));				\
		return prefix##_set_resource(&h, cgroup, &r);					\
	}											\
	static dre_return_t api_unset_resource(const char *name, const char *cgroup, const struct container_resource *from) \
	{											\
		prefix##_resource_value_t r = { .type = from->type };				\
		prefix##_handle h = api_handle(name);						\
		return prefix##_unset_resource(&h, cgroup, &r);					\
	}											\
	static dre_return_t api_get_limit(const char *name, const char *cgroup, struct container_resource *to) \
	{											\
		prefix##_resource_value_t r = { .type = to->type };				\
		prefix##_handle h = api_handle(name);						\
		dre_return_t err = prefix##_get_limit(&h, cgroup, &r);				\
		memcpy(&to->bytes, &r.udata, sizeof(to->bytes));				\
		return err;									\
	}											\
	static dre_return_t api_get_resource(const char *name, int pid, struct container_resource *to) \
	{											\
		prefix##_resource_value_t r = { .type = to->type };				\
		prefix##_handle h = api_handle(name);						\
		dre_return_t err = prefix##_get_resource(&h, pid, &r);				\
		memcpy(&to->bytes, &r.udata, sizeof(to->bytes));				\
		return err;									\
	}											\
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
		.create_cgroup = api_create_cgroup,						\
		.destroy_cgroup = api_destroy_cgroup,						\
		.get_cgroup_list = api_get_cgroup_list,						\
		.bind_pid = api_bind_pid,							\
		.unbind_pid = api_unbind_pid,							\
		.set_resource = api_set_resource,						\
		.unset_resource = api_unset_resource,						\
		.get_limit = api_get_limit,							\
		.get_resource = api_get_resource,						\
		.events_open = api_events_open,							\
		.events_fd = api_events_fd,							\
		.events_close = api_events_close,						\
		__VA_ARGS__									\
	}

int cmd_status(int argc, char **argv);
int cmd_list(int argc, char **argv);
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
int cmd_base_list(int argc, char **argv);
int cmd_base_remove(int argc, char **argv);

/* What status returns, in a word. */
const char *status_name(dre_return_t status);

/* For commands without options of their own; returns where the arguments begin. */
int no_options(int argc, char **argv);

/* For commands that have --json only; the arguments begin at optind. */
bool json_option(int argc, char **argv);

#endif /* DRE_CONTAINER_COMMANDS_H */
