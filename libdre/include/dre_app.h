/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Application containers: Linux containers, through liblxc. D-RE API
 * specification, section 1.2.
 *
 * Link with -ldreapp -ldaware, or with pkg-config libdreapp.
 *
 * A container is stopped, running or suspended; while somebody changes it, it
 * is busy. What cannot be done in a state fails with the code that names the
 * state, and changes nothing. Every function checks in this order, and returns
 * the first that applies:
 *
 *	DRE_ERR_NULL_POINTER		a pointer that must not be NULL is
 *	DRE_ERR_REQUEST_TOO_LONG	a name is longer than 63 bytes
 *	DRE_ERR_INVALID_ARGUMENT	a name is not of the form
 *					[A-Za-z0-9][A-Za-z0-9_.-]*, or a number
 *					or type is out of range
 *	DRE_ERR_PERMISSION_DENIED	the caller is not root, or the kernel
 *					forbids it
 *	DRE_ERR_INVALID_ARGUMENT	dre.conf has an error
 *	DRE_ERR_CONTAINER_NONEXISTENCE	there is no such container
 *	DRE_ERR_CONTAINER_BUSY		somebody else changes it
 *	DRE_ERR_CONTAINER_UNKNOWN_STATUS its state cannot be found out
 *	DRE_ERR_CONTAINER_RUNNING, _STOPPED, _SUSPENDED
 *					it is not in a state for this
 *	DRE_ERR_DAWARE_MOD_NONEXISTENCE	the module is needed and not loaded
 *
 * Texts below name the codes beyond these, and the states. DRE_ERR_DEVICE_BUSY
 * stands for what the machine could not do: a full disk, an I/O error, no
 * memory, a start that liblxc gave up. dre_last_error() says which.
 *
 * A container's configuration is what /etc/dre/dre.conf says when it is
 * created or started.
 */
#ifndef DRE_APP_H
#define DRE_APP_H

#include <dre.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Types of resource (section 1.2.2.1). */
typedef enum {
	DRE_APP_CONTAINER_RESOURCE_CPU = 1,	/* CPU time */
	DRE_APP_CONTAINER_RESOURCE_CPU_CORE,	/* CPU cores */
	DRE_APP_CONTAINER_RESOURCE_MEMORY,	/* memory */
	DRE_APP_CONTAINER_RESOURCE_MEMSW	/* memory and swap */
} dre_app_resource_t;

/** What dre_app_status() returns (section 1.2.2.2). */
typedef enum {
	DRE_APP_CONTAINER_STATUS_STOP = 11,	/* stopped */
	DRE_APP_CONTAINER_STATUS_RUNNING,	/* running */
	DRE_APP_CONTAINER_STATUS_SUSPENDED,	/* suspended */
	DRE_APP_CONTAINER_STATUS_BUSY		/* somebody changes it at this moment */
} dre_app_status_t;

/** Types of application container (section 1.2.2.3). */
typedef enum {
	DRE_APP_CONTAINER_TYPE_LXC = 1
} dre_app_type_t;

/** The configuration of a new container (section 1.2.3.1). */
typedef struct {
	dre_app_type_t type;
	union {
		struct {
			int port;	/* for SSH, 1 to 65535; 0: none */
			char *base;	/* base image; NULL: the default of dre.conf */
		} lxc;
	} udata;
} dre_app_data;

/** A handle (section 1.2.3.2). It names a container; it does not keep it. */
typedef struct {
	dre_app_type_t type;
	char *name;
} dre_app_handle;

/** A process of a container (section 1.2.3.3). */
typedef struct {
	int pid;	/* its number on the host */
	int vpid;	/* its number in the container; 0: not visible there */
} dre_app_pid_t;

/** A resource and its value (section 1.2.3.4). */
typedef struct {
	dre_app_resource_t type;
	union {
		union {
			int percent;	/* of one CPU */
			int parcent;	/* the same: the English text's spelling */
			char *cores;	/* a list: "0-3,5" */
		} cpu;
		union {
			int usage_in_bytes;
			int memsw_usage_in_bytes;
		} mem;
	} udata;
} dre_app_resource_value_t;

/** A list of processes, which a NULL ends (section 1.2.4.1). */
typedef dre_app_pid_t **dre_app_pid_list_t;
typedef dre_app_pid_list_t dre_pid_list_t;

/**
 * dre_app_create_container() - create a container (section 1.2.5.7)
 * @name: its name
 * @data: how; the caller keeps it
 *
 * It is stopped. The default base image "busybox" is made from the host's
 * busybox the first time that it is needed.
 *
 * DRE_ERR_INVALID_ARGUMENT: @data->type or the port;
 * DRE_ERR_CONTAINER_EXISTENCE: the name is taken; DRE_ERR_BASE_NONEXISTENCE;
 * DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_create_container(const char *name, const dre_app_data *data);

/**
 * dre_app_destroy_container() - remove a container and its snapshots
 * (section 1.2.5.9)
 * @name: its name
 *
 * Stopped only. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_destroy_container(const char *name);

/**
 * dre_app_open() - get a handle (section 1.2.5.18)
 * @name: the container
 *
 * Returns NULL if it fails; dre_last_error() says why. dre_app_close() frees
 * the handle.
 */
dre_app_handle *dre_app_open(const char *name);

/**
 * dre_app_close() - release a handle (section 1.2.5.4)
 * @h: from dre_app_open(); must not be used any more
 *
 * DRE_ERR_NULL_POINTER. The container stays as it is.
 */
dre_return_t dre_app_close(const dre_app_handle *h);

/**
 * dre_app_start() - start a container (section 1.2.5.33)
 * @h: the container
 *
 * Stopped only. Needs the module. Returns when init runs. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_start(const dre_app_handle *h);

/**
 * dre_app_stop() - stop a container in good order (section 1.2.5.35)
 * @h: the container
 *
 * Running or suspended; a suspended one is resumed first. Each registered
 * process gets the first of its signals, and has stop_timeout seconds (of
 * dre.conf) to terminate; one that refuses is not waited for. Then init is
 * asked to halt, and has halt_timeout seconds; then all is killed. Without the
 * module it begins with init. DRE_ERR_DEVICE_BUSY: even that failed.
 */
dre_return_t dre_app_stop(const dre_app_handle *h);

/**
 * dre_app_suspend() - freeze all processes of a container (section 1.2.5.36)
 * @h: the container
 *
 * Running only. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_suspend(const dre_app_handle *h);

/**
 * dre_app_resume() - thaw a suspended container (section 1.2.5.30)
 * @h: the container
 *
 * Suspended only. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_resume(const dre_app_handle *h);

/**
 * dre_app_status() - the state of a container (section 1.2.5.34)
 * @h: the container
 *
 * Returns a dre_app_status_t, which is positive, or an error.
 */
dre_return_t dre_app_status(const dre_app_handle *h);

/**
 * dre_app_get_pid() - the process that is init of a container (section 1.2.5.13)
 * @h: the container
 * @pid: its PID on the host; unchanged if it fails
 *
 * Running only.
 */
dre_return_t dre_app_get_pid(const dre_app_handle *h, int *pid);

/**
 * dre_app_get_container_list() - all application containers (section 1.2.5.12)
 * @list: their names, sorted, ended by a NULL; unchanged if it fails
 *
 * dre_app_release_container_list() frees it.
 */
dre_return_t dre_app_get_container_list(dre_list_t *list);

/**
 * dre_app_get_base_list() - all base images (section 1.2.5.10)
 * @list: as above; dre_app_release_base_list() frees it
 */
dre_return_t dre_app_get_base_list(dre_list_t *list);

/**
 * dre_app_register_pid() - put a process of the host under D-RE's control
 * (section 1.2.5.19)
 * @h: the container that it is to belong to
 * @pid: its number on the host: a process that lives in the container or in
 *	none, not a thread
 *
 * Running only. Needs the module. Success if it was registered already.
 *
 * DRE_ERR_INVALID_ARGUMENT: not positive, a thread, a kernel thread, or a
 * process of another container; DRE_ERR_PID_NONEXISTENCE.
 */
dre_return_t dre_app_register_pid(const dre_app_handle *h, const int pid);

/**
 * dre_app_register_vpid() - as dre_app_register_pid() (section 1.2.5.20)
 * @h: the container
 * @vpid: the process' number in the container
 */
dre_return_t dre_app_register_vpid(const dre_app_handle *h, const int vpid);

/**
 * dre_app_unregister_pid() - take a process out of D-RE's control, also one
 * that registered itself (section 1.2.5.39)
 * @h: the container that it belongs to
 * @pid: its number on the host
 *
 * Running only. Needs the module. DRE_ERR_INVALID_ARGUMENT as above;
 * DRE_ERR_PID_NONEXISTENCE: there is no such process, or it is not registered.
 */
dre_return_t dre_app_unregister_pid(const dre_app_handle *h, const int pid);

/**
 * dre_app_unregister_vpid() - as dre_app_unregister_pid() (section 1.2.5.40)
 * @h: the container
 * @vpid: the process' number in the container
 */
dre_return_t dre_app_unregister_vpid(const dre_app_handle *h, const int vpid);

/**
 * dre_app_get_registered_pid_list() - the registered processes of a container
 * (section 1.2.5.14)
 * @h: the container
 * @list: by rising PID, ended by a NULL; unchanged if it fails
 *
 * A container that is stopped has none. Needs the module if it is not.
 * dre_app_release_registered_pid_list() frees the list.
 */
dre_return_t dre_app_get_registered_pid_list(const dre_app_handle *h, dre_app_pid_list_t *list);

/**
 * dre_app_release_*_list() - free a list (sections 1.2.5.21 to 1.2.5.25)
 * @list: from the function of that name; must not be used any more
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_app_release_base_list(dre_list_t list);
dre_return_t dre_app_release_checkpoint_list(dre_list_t list);
dre_return_t dre_app_release_container_list(dre_list_t list);
dre_return_t dre_app_release_registered_pid_list(dre_app_pid_list_t list);
dre_return_t dre_app_release_snapshot_list(dre_list_t list);

/*
 * What follows is not in the specification.
 */

/** Options of dre_app_create_container_with(); all zero is dre.conf's choice. */
typedef struct {
	size_t size;	/* sizeof(dre_app_create_options) */
	int privileged;	/* 1: without a user namespace, -1: with one, 0: as dre.conf says */
} dre_app_create_options;

/**
 * dre_app_create_container_with() - as dre_app_create_container()
 * @name: its name
 * @data: how
 * @options: what @data has no word for
 *
 * DRE_ERR_INVALID_ARGUMENT also for options that this library does not know.
 */
dre_return_t dre_app_create_container_with(const char *name, const dre_app_data *data,
					   const dre_app_create_options *options);

/**
 * dre_app_exec() - run a command in a container
 * @h: the container
 * @argv: the command and its arguments, ended by a NULL
 * @status: how it ended, as waitpid(2) gives it
 *
 * Running only. It runs as the container's root with the caller's standard
 * input, output and error, and a new environment; where one of them is a
 * terminal, with a terminal of its own, which is passed on to the caller's.
 * Returns when it has ended. A command that is not there ends with exit status
 * 127.
 *
 * DRE_ERR_DEVICE_BUSY: it was not run.
 */
dre_return_t dre_app_exec(const dre_app_handle *h, char *const argv[], int *status);

/**
 * typedef dre_app_progress - called while an import goes on
 * @arg: what was given to dre_app_import_base()
 * @done: bytes of the source that are read
 * @total: bytes that it has; 0: not known
 */
typedef void (*dre_app_progress)(void *arg, unsigned long long done, unsigned long long total);

/**
 * dre_app_import_base() - make a base image from a directory or tar archive
 * @name: its name
 * @source: a directory, or a tar archive, also compressed by gzip, xz or zstd
 * @progress: called now and then, in the calling thread; may be NULL
 * @arg: for @progress
 *
 * DRE_ERR_BASE_EXISTENCE; DRE_ERR_INVALID_ARGUMENT: @source is not there, is
 * damaged, reaches out of itself or has no /sbin/init; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_import_base(const char *name, const char *source,
				 dre_app_progress progress, void *arg);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* DRE_APP_H */
