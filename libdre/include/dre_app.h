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
 * A container's configuration is what its properties say, and where they say
 * nothing /etc/dre/dre.conf at the moment when it counts.
 */
#ifndef DRE_APP_H
#define DRE_APP_H

#include <dre.h>
#include <stddef.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Types of resource (section 1.2.2.1). */
typedef enum {
	DRE_APP_CONTAINER_RESOURCE_CPU = 1,	/* CPU time */
	DRE_APP_CONTAINER_RESOURCE_CPU_CORE,	/* CPU cores */
	DRE_APP_CONTAINER_RESOURCE_MEMORY,	/* memory */
	DRE_APP_CONTAINER_RESOURCE_MEMSW,	/* memory and swap */
	/* Additions to the specification: the same with 64 bits, in udata.mem.bytes. */
	DRE_APP_CONTAINER_RESOURCE_MEMORY_64 = 101,
	DRE_APP_CONTAINER_RESOURCE_MEMSW_64,
	DRE_APP_CONTAINER_RESOURCE_PIDS	/* processes and threads, in udata.pids */
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
			unsigned long long bytes;	/* of the types with 64 bits */
		} mem;
		int pids;	/* an addition, too */
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
 * DRE_ERR_SET_LIMIT_FAILED: limits of dre.conf do not fit together; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_create_container(const char *name, const dre_app_data *data);

/**
 * dre_app_destroy_container() - remove a container, its snapshots and its checkpoints
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
 * Stopped only. Needs the module. Returns when init runs. With the network of the
 * host, a container's port is its own.
 *
 * DRE_ERR_INVALID_ARGUMENT: it has an address, and no bridge; or the AppArmor profile or the seccomp
 * filter that it is to have is not there;
 * DRE_ERR_SET_LIMIT_FAILED: limits of its own or of dre.conf do not fit together,
 * or the kernel refuses them; DRE_ERR_DEVICE_BUSY, also for the source of a
 * volume that is missing or has a symbolic link in its path, and for a port that somebody else has.
 */
dre_return_t dre_app_start(const dre_app_handle *h);

/**
 * dre_app_stop() - stop a container in good order (section 1.2.5.35)
 * @h: the container
 *
 * Running or suspended; a suspended one is resumed first. Each registered
 * process gets the first of its signals, and has stop_timeout seconds to
 * terminate; one that refuses is not waited for. Then init is
 * asked to halt, and has halt_timeout seconds; then all is killed. Without the
 * module it begins with init. DRE_ERR_DEVICE_BUSY: even that failed.
 */
dre_return_t dre_app_stop(const dre_app_handle *h);

/**
 * dre_app_suspend() - freeze all processes of a container (section 1.2.5.36)
 * @h: the container
 *
 * Running only. DRE_ERR_INVALID_ARGUMENT: the caller is bound to one of its control groups, or a
 * child of one that is; DRE_ERR_DEVICE_BUSY.
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
 * In whatever states they are. dre_app_release_container_list() frees it.
 */
dre_return_t dre_app_get_container_list(dre_list_t *list);

/**
 * dre_app_get_base_list() - all base images (section 1.2.5.10)
 * @list: as above; dre_app_release_base_list() frees it
 *
 * In whatever states the containers are that were made from them.
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
 * In any state; a container that is stopped has none. Needs the module if it is not.
 * dre_app_release_registered_pid_list() frees the list.
 */
dre_return_t dre_app_get_registered_pid_list(const dre_app_handle *h, dre_app_pid_list_t *list);

/**
 * dre_app_save_snapshot() - save what is in a container (section 1.2.5.31)
 * @h: the container
 * @tag: a name for it
 *
 * Stopped only. It costs the same however much there is: nothing is copied.
 *
 * DRE_ERR_SNAPSHOT_EXISTENCE; DRE_ERR_SAVE_SNAPSHOT_FAILED: what the machine
 * could not do. The container is then as it was.
 */
dre_return_t dre_app_save_snapshot(const dre_app_handle *h, const char *tag);

/**
 * dre_app_load_snapshot() - put back what was saved (section 1.2.5.17)
 * @h: the container
 * @tag: the snapshot, which stays
 *
 * Stopped only. What was written since is lost, unless it was saved. If that is much, its
 * space is free only some time after: dre_app_gc() waits for it.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_LOAD_SNAPSHOT_FAILED: what the machine
 * could not do. The container is then as it was.
 */
dre_return_t dre_app_load_snapshot(const dre_app_handle *h, const char *tag);

/**
 * dre_app_remove_snapshot() - remove a snapshot (section 1.2.5.28)
 * @h: the container, which stays as it is
 * @tag: the snapshot
 *
 * Stopped only. DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_REMOVE_SNAPSHOT_FAILED.
 */
dre_return_t dre_app_remove_snapshot(const dre_app_handle *h, const char *tag);

/**
 * dre_app_commit_snapshot() - make a base image of a snapshot (section 1.2.5.5)
 * @h: the container, which stays as it is
 * @tag: the snapshot, which stays
 * @base: the name of the new base image
 *
 * Stopped only. Nothing is copied; the base image stays when the container goes.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_BASE_EXISTENCE;
 * DRE_ERR_COMMIT_SNAPSHOT_FAILED.
 */
dre_return_t dre_app_commit_snapshot(const dre_app_handle *h, const char *tag, const char *base);

/**
 * dre_app_get_snapshot_list() - the snapshots of a container (section 1.2.5.16)
 * @h: the container
 * @list: of names, sorted, ended by a NULL; unchanged if it fails
 *
 * In any state. dre_app_release_snapshot_list() frees the list.
 */
dre_return_t dre_app_get_snapshot_list(const dre_app_handle *h, dre_list_t *list);

/**
 * dre_app_checkpoint() - save what runs in a container (section 1.2.5.3)
 * @h: the container
 * @tag: a name for it, of another name space than that of snapshots
 *
 * Running only; it goes on running. Needs the module, and CRIU. Saved are its processes with all
 * that is theirs, and what was written to its files, as of one moment for which the
 * container stands still; and its registrations, control groups, limits and bindings.
 * Processes of the host that are bound are not, and stay bound. It is busy for it as long as files are copied into it, or
 * out of it.
 *
 * DRE_ERR_INVALID_ARGUMENT as for dre_app_suspend(); DRE_ERR_SNAPSHOT_EXISTENCE;
 * DRE_ERR_SAVE_SNAPSHOT_FAILED: what CRIU or the machine could not do. The container runs on as it did, and nothing is left.
 */
dre_return_t dre_app_checkpoint(const dre_app_handle *h, const char *tag);

/**
 * dre_app_restart() - go back to a checkpoint (section 1.2.5.29)
 * @h: the container
 * @tag: the checkpoint, which stays
 *
 * Running or stopped. Needs the module, and CRIU. A container that runs is stopped first, as by
 * dre_app_stop(). What was written since the checkpoint is lost, unless it was saved.
 * Limits of the container as a whole that its properties or dre.conf give are those of now, as at
 * each start. Returns when the processes run.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_INVALID_ARGUMENT, DRE_ERR_SET_LIMIT_FAILED and, before anything
 * is changed, DRE_ERR_DEVICE_BUSY as for dre_app_start(); DRE_ERR_LOAD_SNAPSHOT_FAILED: what CRIU or the
 * machine could not do. The container is then as it was; but it is stopped if it had to be stopped for that.
 */
dre_return_t dre_app_restart(const dre_app_handle *h, const char *tag);

/**
 * dre_app_remove_checkpoint() - remove a checkpoint (section 1.2.5.27)
 * @h: the container, which stays as it is
 * @tag: the checkpoint
 *
 * In every state. DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_REMOVE_SNAPSHOT_FAILED.
 */
dre_return_t dre_app_remove_checkpoint(const dre_app_handle *h, const char *tag);

/**
 * dre_app_get_checkpoint_list() - the checkpoints of a container (section 1.2.5.11)
 * @h: the container
 * @list: of names, sorted, ended by a NULL; unchanged if it fails
 *
 * In any state. dre_app_release_checkpoint_list() frees the list.
 */
dre_return_t dre_app_get_checkpoint_list(const dre_app_handle *h, dre_list_t *list);

/**
 * dre_app_remove_base() - remove a base image (section 1.2.5.26)
 * @base: its name
 *
 * DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_REMOVE_BASE_FAILED: a container, a snapshot or a checkpoint
 * was made from it.
 */
dre_return_t dre_app_remove_base(const char *base);

/**
 * dre_app_create_cgroup() - make a control group (section 1.2.5.6)
 * @h: the container
 * @cgroup: its name. Names that begin as the kernel's own files there ("cpu.",
 *	"cgroup.", ...) or as "payload" are DRE_ERR_INVALID_ARGUMENT.
 *
 * Running only. Needs the module. Control groups are beside the container's
 * processes: what limits the container limits them too. They end with the container.
 *
 * DRE_ERR_CGROUP_EXISTENCE; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_create_cgroup(const dre_app_handle *h, const char *cgroup);

/**
 * dre_app_destroy_cgroup() - remove a control group (section 1.2.5.8)
 * @h: the container
 * @cgroup: its name
 *
 * Running only. Needs the module.
 *
 * DRE_ERR_CGROUP_NONEXISTENCE; DRE_ERR_DESTROY_CGROUP_FAILED: a process is in
 * it, bound or a child of one that was; the text names it.
 */
dre_return_t dre_app_destroy_cgroup(const dre_app_handle *h, const char *cgroup);

/**
 * dre_app_bind_pid() - bind a process to a control group (section 1.2.5.1)
 * @h: the container
 * @cgroup: the control group
 * @pid: its number on the host: a process that lives in the container or in
 *	none, not a thread
 *
 * Running only. Needs the module. The process moves with all its threads; one that
 * is bound to another control group of the container moves on. A process of the
 * host is under the container's limits then, may not use devices that the
 * container may not, is suspended with it, and goes back when the container stops.
 *
 * DRE_ERR_INVALID_ARGUMENT: not positive, a thread, a kernel thread;
 * DRE_ERR_CGROUP_NONEXISTENCE; DRE_ERR_PID_NONEXISTENCE; DRE_ERR_BIND_FAILED: a
 * process of another container, or bound for another one, or the kernel refuses.
 */
dre_return_t dre_app_bind_pid(const dre_app_handle *h, const char *cgroup, const int pid);

/**
 * dre_app_bind_vpid() - as dre_app_bind_pid() (section 1.2.5.2)
 * @h: the container
 * @cgroup: the control group
 * @vpid: the process' number in the container
 */
dre_return_t dre_app_bind_vpid(const dre_app_handle *h, const char *cgroup, const int vpid);

/**
 * dre_app_unbind_pid() - put a process back where it was before it was bound
 * (section 1.2.5.37)
 * @h: the container
 * @cgroup: the control group that it is bound to
 * @pid: its number on the host
 *
 * Running only. Needs the module. If that place is gone, a process of the
 * container goes to the others of it, one of the host to the root control group.
 *
 * DRE_ERR_INVALID_ARGUMENT, DRE_ERR_CGROUP_NONEXISTENCE as above;
 * DRE_ERR_PID_NONEXISTENCE: there is no such process, or it is not bound to that
 * control group; DRE_ERR_BIND_FAILED: the kernel refuses.
 */
dre_return_t dre_app_unbind_pid(const dre_app_handle *h, const char *cgroup, const int pid);

/**
 * dre_app_unbind_vpid() - as dre_app_unbind_pid() (section 1.2.5.38)
 * @h: the container
 * @cgroup: the control group that it is bound to
 * @vpid: the process' number in the container
 */
dre_return_t dre_app_unbind_vpid(const dre_app_handle *h, const char *cgroup, const int vpid);

/**
 * dre_app_set_resource() - limit a control group (section 1.2.5.32)
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @resource: what, and the limit; the caller keeps it
 *
 *	CPU		percent of one CPU, from 1: 200 are two CPUs
 *	CPU_CORE	the CPUs, "0-3,5"
 *	MEMORY		bytes, from 1. What is used above it is written out or
 *			swapped out, or a process in the control group is killed.
 *	MEMSW		bytes of memory and swap together, from 1. There must be a
 *			limit of memory, not above it.
 *	PIDS		processes and threads, from 1. Above it none can be forked;
 *			those that are there stay.
 *
 * Running only. A limit that cannot be set is an error, and the old one stays. Limits
 * end with the container.
 *
 * DRE_ERR_INVALID_ARGUMENT: type or value; DRE_ERR_CGROUP_NONEXISTENCE;
 * DRE_ERR_SET_LIMIT_FAILED.
 */
dre_return_t dre_app_set_resource(const dre_app_handle *h, const char *cgroup,
				  dre_app_resource_value_t *resource);

/**
 * dre_app_unset_resource() - take a limit away (section 1.2.5.41)
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @resource: only its type counts
 *
 * Running only. Success if there was none. MEMORY only after MEMSW.
 *
 * DRE_ERR_INVALID_ARGUMENT; DRE_ERR_CGROUP_NONEXISTENCE;
 * DRE_ERR_UNSET_LIMIT_FAILED.
 */
dre_return_t dre_app_unset_resource(const dre_app_handle *h, const char *cgroup,
				    dre_app_resource_value_t *resource);

/**
 * dre_app_get_resource() - what a process uses (section 1.2.5.15)
 * @h: the container
 * @pid: number on the host of a process of the container or of its control
 *	groups; 0 is the container as a whole
 * @resource: its type says what is asked; gets the value, unchanged if it fails
 *
 *	CPU		percent of one CPU, during 100 ms for which it sleeps
 *	CPU_CORE	the CPUs that it may run on; dre_app_release_resource() frees it
 *	MEMORY		bytes that are resident
 *	MEMSW		and those that are swapped out
 *	PIDS		processes and threads
 *
 * Running only. Sizes that do not fit into an int are INT_MAX; the types with 64
 * bits have them all.
 *
 * DRE_ERR_INVALID_ARGUMENT; DRE_ERR_PID_NONEXISTENCE.
 */
dre_return_t dre_app_get_resource(const dre_app_handle *h, const int pid,
				  dre_app_resource_value_t *resource);

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

/**
 * Additions to the specification
 *
 * What follows is not in the specification.
 */

/**
 * dre_app_release_resource() - free what dre_app_get_resource() allocated
 * @resource: from there; stays the caller's
 *
 * Success also where nothing was allocated. DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_app_release_resource(dre_app_resource_value_t *resource);

/**
 * dre_app_get_limit() - the limit of a control group
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @resource: its type says what is asked; gets the limit, unchanged if it fails
 *
 * As dre_app_set_resource() has it; 0, or NULL for the cores, is no limit.
 * dre_app_release_resource() frees the cores. Running or suspended.
 *
 * DRE_ERR_INVALID_ARGUMENT; DRE_ERR_CGROUP_NONEXISTENCE.
 */
dre_return_t dre_app_get_limit(const dre_app_handle *h, const char *cgroup,
			       dre_app_resource_value_t *resource);

/**
 * dre_app_get_usage() - what a control group has used
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @usage: its size says which it is; gets the rest, unchanged if it fails
 *
 * Running or suspended. It does not sleep: two calls tell what was used between them.
 *
 * DRE_ERR_INVALID_ARGUMENT: also the size; DRE_ERR_CGROUP_NONEXISTENCE.
 */
dre_return_t dre_app_get_usage(const dre_app_handle *h, const char *cgroup, dre_usage *usage);

/**
 * dre_app_get_info() - what a container is made of
 * @h: the container
 * @list: "KEY=VALUE", ended by a NULL; unchanged if it fails. dre_app_release_info()
 *	frees it.
 *
 *	base		the base image that it was made from
 *	privileged	"yes" or "no"
 *	first_id, ids	the host's ids in its user namespace, and how many
 *	layers		names of its immutable layers, from the bottom, with commas between
 *	writable	the directory that has what was written since
 *	rootfs		where its root file system is mounted while it runs
 *	config		liblxc's configuration file
 *	log		the console's log
 *	created		when it was made, in UTC: "2026-11-26T20:05:33Z". A copy is made when it is copied.
 *	snapshot.TAG, checkpoint.TAG
 *			when they were saved
 *	setting.NAME	what else was set
 *
 * Later versions have more keys. In any state.
 */
dre_return_t dre_app_get_info(const dre_app_handle *h, dre_list_t *list);
dre_return_t dre_app_release_info(dre_list_t list);

/**
 * dre_app_get_base_info() - what a base image is made of
 * @base: its name
 * @list: as dre_app_get_info() has it; dre_app_release_info() frees it
 *
 *	created		when it was made here, in UTC: "2026-11-26T20:05:33Z"
 *	layers		names of its layers, from the bottom, with commas between
 *	setting.NAME	what containers made from it have
 *
 * Later versions have more keys. DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_INVALID_ARGUMENT: it is damaged.
 */
dre_return_t dre_app_get_base_info(const char *base, dre_list_t *list);

/**
 * dre_app_get_cgroup_list() - the control groups of a container
 * @h: the container
 * @list: of names, in the order of their making, ended by a NULL; unchanged if it
 *	fails
 *
 * In any state; a container that is stopped has none. Needs the module if it is not.
 * dre_app_release_cgroup_list() frees the list.
 */
dre_return_t dre_app_get_cgroup_list(const dre_app_handle *h, dre_list_t *list);
dre_return_t dre_app_release_cgroup_list(dre_list_t list);

/**
 * dre_app_get_bound_pid_list() - the processes that are bound to a control group
 * @h: the container
 * @cgroup: its name
 * @list: by rising PID, ended by a NULL; unchanged if it fails
 *
 * In any state. Needs the module unless it is stopped.
 * dre_app_release_registered_pid_list() frees the list.
 *
 * DRE_ERR_CGROUP_NONEXISTENCE, also where the container is stopped.
 */
dre_return_t dre_app_get_bound_pid_list(const dre_app_handle *h, const char *cgroup,
					dre_app_pid_list_t *list);

/**
 * Properties
 *
 * What is configured for one container. They are texts, kept with the
 * container; a snapshot does not have them, and load leaves them as they are.
 *
 *	port		of its SSH server, 1 to 65535
 *	network		empty (a loopback device), none (not even that), host (that of
 *			the host) or bridge:NAME
 *	apparmor	the AppArmor profile that it runs in, where the host has AppArmor; or
 *			unconfined
 *	address		of its interface in the bridge, with the prefix: "192.0.2.7/24",
 *			"2001:db8::7/64"; several with commas
 *	gateway		an address "192.0.2.1", or one of each kind with a comma
 *	mac		the address of its network device in the bridge, "02:00:5e:10:20:3f". Where it
 *			is not set it is one that was chosen when the container was made, and stays.
 *			A copy has another one, unless it is given one.
 *	cpu		limits of the container as a whole: percent of one CPU, ...
 *	cores		... the CPUs, "0-3,5", ...
 *	memory		... bytes, or with K, M, G, T for powers of 1024, ...
 *	memsw		... the same of memory and swap together; not below memory, and not
 *			without it, ...
 *	pids		... processes and threads, 1 to 4194304. For all five, "max" is no limit.
 *	volumes		"SOURCE:TARGET[:ro][:noidmap]", several with commas: a directory
 *			or file of the host, by a path without symbolic links, and where the
 *			container has it
 *	autostart	yes or no: does "dre-app autostart" start it?
 *	autostart_order	0 to 1000000: those with a lower one are started first
 *	autostart_delay	seconds, 0 to 3600, before the next one is started
 *	stop_timeout	seconds, 0 to 86400, see dre_app_stop()
 *	halt_timeout	likewise
 *
 * network, apparmor, the limits and the timeouts are also keys of dre.conf; the property
 * wins. A change of the limits holds at once, also while the container runs: the
 * kernel may kill processes to make memory fit; of more than pids, those that are
 * there stay, and none can be forked. port, network, apparmor, address, gateway, mac and
 * volumes hold from the container's next start on, or dre_app_reboot(); all else is looked at when
 * it is needed. What goes on from a checkpoint has the mac and the
 * profiles that it had then.
 */

/**
 * A property
 *
 * const char *key and *value, which is NULL where it is not set. In lists also const char
 * *fallback, what holds then (NULL: nothing), and int at_start: 1 if a change holds from the
 * container's next start on.
 */
typedef dre_property dre_app_property;

/**
 * dre_app_set_properties() - set or unset properties of a container
 * @h: the container
 * @properties: those to be set, or unset where the value is NULL, ended by one
 *	whose key is NULL; the caller keeps them. Where a key is given twice, the last
 *	one counts.
 *
 * Stopped, running or suspended. All of them are set, or none.
 *
 * DRE_ERR_INVALID_ARGUMENT: no such property, or no such value;
 * DRE_ERR_SET_LIMIT_FAILED: the limits do not fit together, or the kernel
 * refuses them; the old ones hold on. DRE_ERR_UNSET_LIMIT_FAILED;
 * DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_set_properties(const dre_app_handle *h, const dre_app_property *properties);

/**
 * dre_app_set_property() - as dre_app_set_properties(), for one
 * @h: the container
 * @key: the property
 * @value: what it is to be; NULL: not set
 */
dre_return_t dre_app_set_property(const dre_app_handle *h, const char *key, const char *value);

/**
 * dre_app_get_property() - what a property is set to
 * @h: the container, in whatever state
 * @key: the property
 * @value: gets it, in memory that dre_app_release_property() frees; NULL: it is
 *	not set, and there is nothing to release. Unchanged if it fails.
 *
 * DRE_ERR_INVALID_ARGUMENT: no such property; DRE_ERR_NULL_POINTER also of dre_app_release_property().
 */
dre_return_t dre_app_get_property(const dre_app_handle *h, const char *key, char **value);
dre_return_t dre_app_release_property(char *value);

/**
 * dre_app_get_property_list() - all properties of a container
 * @h: the container, in whatever state
 * @list: all that there are, also those that are not set, by name, ended by one
 *	whose key is NULL; unchanged if it fails
 *
 * dre_app_release_property_list() frees the list.
 */
dre_return_t dre_app_get_property_list(const dre_app_handle *h, dre_app_property **list);
dre_return_t dre_app_release_property_list(dre_app_property *list);

/** Options of dre_app_create_container_with(); all zero but size is dre.conf's choice. */
typedef struct {
	size_t size;	/* sizeof(dre_app_create_options) */
	int privileged;	/* 1: without a user namespace, -1: with one, 0: as dre.conf says */
	/* Ended by one whose key is NULL, or NULL: none. "port" wins over dre_app_data's. */
	const dre_app_property *properties;
} dre_app_create_options;

/**
 * dre_app_create_container_with() - as dre_app_create_container()
 * @name: its name
 * @data: how
 * @options: what @data has no word for
 *
 * DRE_ERR_INVALID_ARGUMENT also for options that this library does not know, no such property, and no such value.
 */
dre_return_t dre_app_create_container_with(const char *name, const dre_app_data *data,
					   const dre_app_create_options *options);

/** Options of dre_app_stop_with(); all zero but size is dre_app_stop(). */
typedef struct {
	size_t size;	/* sizeof(dre_app_stop_options) */
	int kill;	/* 1: kill at once, ask nobody */
	int timeout;	/* seconds, up to 86400, until it is killed: half of it for its registered
			 * processes, what is left for init; 0: as the properties and dre.conf say */
} dre_app_stop_options;

/**
 * dre_app_stop_with() - as dre_app_stop()
 * @h: the container
 * @options: how long to wait
 *
 * DRE_ERR_INVALID_ARGUMENT: an option.
 */
dre_return_t dre_app_stop_with(const dre_app_handle *h, const dre_app_stop_options *options);

/**
 * dre_app_reboot() - stop a container and start it again
 * @h: the container
 * @options: as for dre_app_stop_with()
 *
 * Running or suspended. Needs the module. It is not stopped where it is known
 * that it cannot be started again. If it fails after that, it is stopped.
 *
 * Errors of dre_app_stop_with() and dre_app_start().
 */
dre_return_t dre_app_reboot(const dre_app_handle *h, const dre_app_stop_options *options);

/**
 * dre_app_exec() - run a command in a container
 * @h: the container
 * @argv: the command and its arguments, ended by a NULL
 * @status: how it ended, as waitpid(2) gives it
 *
 * Running only. It runs as the container's root with the caller's standard
 * input, output and error, and a new environment, in which HOME is root's home
 * directory; where one of them is a terminal, with a terminal of its own, which
 * is passed on to the caller's, and the caller's TERM. Returns when it has
 * ended, which root of the container can keep it from. A command that is not there
 * ends with exit status 127.
 *
 * DRE_ERR_DEVICE_BUSY: it was not run.
 */
dre_return_t dre_app_exec(const dre_app_handle *h, char *const argv[], int *status);

/** Options of dre_app_exec_with(); all zero but size is dre_app_exec(). */
typedef struct {
	size_t size;		/* sizeof(dre_app_exec_options) */
	/*
	 * "USER" or "USER:GROUP": names in the container's /etc/passwd and /etc/group, or numbers, which
	 * need not be there. NULL: its root.
	 */
	const char *user;
	const char *cwd;	/* where it begins, from the container's root directory; NULL: there */
	char *const *env;	/* variables, each as "KEY=VALUE", ended by a NULL; NULL: none */
	int tty;		/* 1: on a terminal; -1: on none; 0: where the caller's are terminals */
} dre_app_exec_options;

/**
 * dre_app_exec_with() - as dre_app_exec()
 * @h: the container
 * @argv: the command and its arguments, ended by a NULL
 * @options: what @argv has no word for; the caller keeps it
 * @status: how it ended, as waitpid(2) gives it; unchanged if it was not run
 *
 * Running only. A user without a group has that of /etc/passwd, or 0 if it is not there, and those
 * of which /etc/group says that it is a member; one with a group has no other. HOME is its home
 * directory, or "/", unless @options->env has another one. It must be let into @options->cwd.
 *
 * On a terminal, all three of the command's standard files are one: what it prints there goes to
 * the caller's standard output, and what is at the caller's standard input is typed to it; TERM is
 * the caller's, unless @options->env has another one. On none, the caller's terminals are passed on
 * as pipes.
 *
 * DRE_ERR_INVALID_ARGUMENT: an option; no such user, group or directory in the container, or
 * one that it may not have. DRE_ERR_DEVICE_BUSY: it was not run.
 */
dre_return_t dre_app_exec_with(const dre_app_handle *h, char *const argv[],
			       const dre_app_exec_options *options, int *status);

/**
 * dre_app_open_console() - come to the console of a container
 * @h: the container
 * @fd: a stream socket, close-on-exec, which the caller closes; unchanged if it fails
 *
 * Running only. What is read from it is what the container prints on its console
 * from now on, init's standard output included; what is written to it is typed
 * there. It is at its end when the container has ended. Several may be there at a
 * time, 8 at most, and one more reads a line that says so, and the end; who is slow
 * to read misses something, and keeps nobody waiting.
 *
 * DRE_ERR_DEVICE_BUSY: the process behind the console was killed.
 */
dre_return_t dre_app_open_console(const dre_app_handle *h, int *fd);

/**
 * dre_app_resize_console() - say how large the terminal is that shows the console
 * @h: the container
 * @rows: lines, from 1
 * @columns: characters in a line, from 1
 *
 * Running only. DRE_ERR_INVALID_ARGUMENT: not from 1 to 65535; DRE_ERR_DEVICE_BUSY
 * as above.
 */
dre_return_t dre_app_resize_console(const dre_app_handle *h, int rows, int columns);

/** Reads what containers print on their consoles. For one thread at a time. */
typedef struct dre_app_log dre_app_log;

/**
 * dre_app_log_open() - begin to read what a container has printed on its console
 * @h: the container
 * @previous: 0: since its last start; else: in the run before that
 * @log: what reads it; unchanged if it fails. dre_app_log_close() frees it.
 *
 * In any state. Of each run the last 1 to 2 MiB are kept.
 */
dre_return_t dre_app_log_open(const dre_app_handle *h, int previous, dre_app_log **log);

/**
 * dre_app_log_fd() - what poll(2) waits on
 * @log: from dre_app_log_open()
 *
 * Returns a file descriptor, which stays @log's own. It is readable (POLLIN) when there
 * may be more to read, or the container has ended; for poll(2), select(2) and
 * epoll(7), and for nothing else. DRE_ERR_NULL_POINTER, which is negative.
 */
int dre_app_log_fd(const dre_app_log *log);

/**
 * dre_app_log_read() - the next piece of it
 * @log: from dre_app_log_open()
 * @buf: where to; not ended by a NUL
 * @size: how much there is room for
 * @len: how much it is; 0: all that there is has been read. Unchanged if it fails.
 *
 * Never waits. Goes on with the next run when the container is started again. Who reads so
 * late that the log has been replaced twice misses what was in between.
 *
 * DRE_ERR_INVALID_ARGUMENT: @size is 0; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_log_read(dre_app_log *log, void *buf, size_t size, size_t *len);

/**
 * dre_app_log_close() - end it
 * @log: from dre_app_log_open(); must not be used any more
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_app_log_close(dre_app_log *log);

/**
 * typedef dre_app_progress - called while something that takes long goes on
 * @arg: what was given with it
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

/** How dre_app_build_base() does it; all zero but size and suite is fine. */
typedef struct {
	size_t size;		/* sizeof(dre_app_build_options) */
	const char *suite;	/* of Debian: "bookworm" */
	const char *packages;	/* beside the essential ones and an init: "a,b"; may be NULL */
	const char *mirror;	/* a URL, or a line as in sources.list; NULL: as this host's apt
				 * has it for the suite, or else mmdebstrap's own */
	int verbose;		/* 1: what mmdebstrap says goes to standard error */
} dre_app_build_options;

/**
 * dre_app_build_base() - make a base image of a small Debian
 * @name: its name
 * @options: how; the caller keeps it
 * @progress: called now and then, in the calling thread; may be NULL
 * @arg: for @progress
 *
 * It is built by mmdebstrap, which must be installed, and takes a minute or more.
 *
 * DRE_ERR_INVALID_ARGUMENT: a malformed suite, list of packages or mirror, or options that
 * this library does not know; DRE_ERR_BASE_EXISTENCE; DRE_ERR_DEVICE_BUSY: mmdebstrap has
 * failed, and dre_last_error() has its first error.
 */
dre_return_t dre_app_build_base(const char *name, const dre_app_build_options *options,
				dre_app_progress progress, void *arg);

/**
 * dre_app_export_base() - write a base image to a tar archive
 * @base: its name
 * @fd: open for writing: a file, a pipe, a socket; stays the caller's
 * @compression: "gzip", "xz" or "zstd"; NULL: none
 * @progress: called now and then, in the calling thread; may be NULL
 * @arg: for @progress
 *
 * All that a container of that base sees, in one tree. The format is "pax", with
 * owners by number, modes, times, extended attributes, access lists, hard links,
 * holes and device nodes: dre_app_import_base() makes the same base of it. Sockets
 * are left out. What is written if it fails is incomplete, and no reader takes it
 * for complete.
 *
 * DRE_ERR_INVALID_ARGUMENT: @fd or @compression; DRE_ERR_BASE_NONEXISTENCE;
 * DRE_ERR_DEVICE_BUSY, also where nobody reads from a pipe or a socket any more,
 * of which no signal comes.
 */
dre_return_t dre_app_export_base(const char *base, int fd, const char *compression,
				 dre_app_progress progress, void *arg);

/**
 * dre_app_export() - write a container's files to a tar archive
 * @h: the container
 * @fd, @compression, @progress, @arg: as dre_app_export_base() has them
 *
 * Stopped only. The container is busy meanwhile. Owners are those that it sees: its
 * root is 0. DRE_ERR_INVALID_ARGUMENT; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_export(const dre_app_handle *h, int fd, const char *compression,
			    dre_app_progress progress, void *arg);

/**
 * dre_app_copy() - make another container of what is in one
 * @h: the container
 * @snapshot: what is copied; NULL: what is in it now
 * @name: that of the copy, which is stopped
 *
 * Stopped only; with @snapshot in any state. It costs the same however much there
 * is: what was written becomes immutable, and both have it. The copy has the
 * container's settings, but ids and a mac of its own, and no snapshots or checkpoints.
 *
 * DRE_ERR_CONTAINER_EXISTENCE: @name is taken; DRE_ERR_SNAPSHOT_NONEXISTENCE;
 * DRE_ERR_LOAD_SNAPSHOT_FAILED: the snapshot is damaged; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_copy(const dre_app_handle *h, const char *snapshot, const char *name);

/** Options of dre_app_copy_with(); all zero but size is dre_app_copy(). */
typedef struct {
	size_t size;	/* sizeof(dre_app_copy_options) */
	/*
	 * Properties in which the copy differs, as dre_app_set_properties() takes them; one whose value is NULL is
	 * not set in the copy. NULL: it has those of the container.
	 */
	const dre_app_property *properties;
} dre_app_copy_options;

/**
 * dre_app_copy_with() - as dre_app_copy()
 * @h: the container, which keeps its properties
 * @snapshot: what is copied; NULL: what is in it now
 * @name: that of the copy, which is stopped
 * @options: what of it is other; the caller keeps it
 *
 * Either the copy is made with all of them, or there is no copy.
 *
 * DRE_ERR_INVALID_ARGUMENT: an option, no such property, or no such value; DRE_ERR_SET_LIMIT_FAILED: limits that do
 * not fit together. Nothing is changed then.
 */
dre_return_t dre_app_copy_with(const dre_app_handle *h, const char *snapshot, const char *name,
			       const dre_app_copy_options *options);

/**
 * dre_app_copy_in() - copy files of the host into a container
 * @h: the container
 * @source: a file or directory of the host
 * @path: where to, in the container. An existing directory: into it, by the same name;
 *	else the new name, in a directory that exists.
 * @progress: called now and then, in the calling thread; may be NULL
 * @arg: for @progress
 *
 * In any state but "busy"; one that is stopped is busy meanwhile. A directory is copied
 * with all that is in it, without itself if @source ends with "." or is "/". Files take
 * the place of those that are there, directories are merged. Modes, times, extended
 * attributes in "user." (where the file system has such), links, holes and FIFOs are kept; access lists are not. Files whose
 * owner is one of the container's ids stay its, all others are its root's.
 *
 * @path is found as the container's own root directory has it, and written to with the
 * rights of its root: whatever the container does meanwhile, nothing else of the host is
 * reached. In /proc, /sys and the like nothing is written. What is copied when it fails stays.
 *
 * A container that is running may be stopped meanwhile, which ends this, but a checkpoint of it fails.
 *
 * DRE_ERR_INVALID_ARGUMENT: @source, or the directory of @path, is not there;
 * DRE_ERR_CONTAINER_STOPPED: it was running, and has ended meanwhile; DRE_ERR_DEVICE_BUSY: what could not be read or
 * written.
 */
dre_return_t dre_app_copy_in(const dre_app_handle *h, const char *source, const char *path,
			     dre_app_progress progress, void *arg);

/**
 * dre_app_copy_out() - copy files of a container to the host
 * @h: the container
 * @path: a file or directory in it
 * @target: where to, on the host; as @path of dre_app_copy_in()
 * @progress, @arg: as there
 *
 * As dre_app_copy_in(), the other way. Files belong to the ids of the host that the
 * container's have there. Set-user-ID and set-group-ID bits are dropped; a device is
 * DRE_ERR_INVALID_ARGUMENT.
 */
dre_return_t dre_app_copy_out(const dre_app_handle *h, const char *path, const char *target,
			      dre_app_progress progress, void *arg);

/**
 * dre_app_rename() - give a container another name
 * @h: the container. The handle stays, and names nothing any more.
 * @name: its new name
 *
 * Stopped only. Snapshots, settings and logs go along.
 *
 * DRE_ERR_CONTAINER_EXISTENCE: @name is taken, also by itself; DRE_ERR_SNAPSHOT_EXISTENCE: it has
 * checkpoints, which CRIU restores under the name only that they were saved with; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_app_rename(const dre_app_handle *h, const char *name);

/** Flags of dre_app_fsck(). */
enum {
	/* mend what can be mended without losing anything that a manifest may name */
	DRE_APP_FSCK_REPAIR = 1,
	/*
	 * move manifests that cannot be understood to lost/ in the store, with all that may be
	 * theirs: a container as a whole, and the layers that no other manifest names. Not as long
	 * as one of these containers is not stopped.
	 */
	DRE_APP_FSCK_SET_ASIDE = 2
};

/** Something that is wrong. */
typedef struct {
	const char *path;	/* of what, below the store */
	const char *what;	/* one line */
	int repaired;		/* 1: it was; 0: it is still so */
} dre_app_problem;

typedef void (*dre_app_fsck_fn)(void *arg, const dre_app_problem *problem);

/**
 * dre_app_fsck() - look at the whole store, and repair it
 * @flags: DRE_APP_FSCK_*, or 0: only look
 * @fn: called with each problem, in the calling thread; it must not call functions
 *	that change containers or base images
 * @arg: for @fn
 *
 * Manifests of containers, snapshots and base images, the layers, base images and id
 * ranges that they name; what a crash has left, and what is still mounted for
 * containers that are stopped. Nobody can change the store meanwhile; containers run on.
 * What a change has left that has ended is no problem for an hour: the next one collects it.
 *
 * Returns 0 also where problems were found. DRE_ERR_INVALID_ARGUMENT: @flags;
 * DRE_ERR_DEVICE_BUSY: somebody changes the store, for longer than two seconds.
 */
dre_return_t dre_app_fsck(unsigned int flags, dre_app_fsck_fn fn, void *arg);

/**
 * dre_app_gc() - remove what nothing names
 *
 * All functions that change the store do it for what they and killed ones have left.
 * This also finds what left no trace, and waits until all is removed, also what others have
 * thrown away: how long that takes depends on how much it is. If a manifest is damaged, no
 * layer is removed.
 *
 * DRE_ERR_DEVICE_BUSY: somebody changes the store; a manifest is damaged.
 */
dre_return_t dre_app_gc(void);

/**
 * Events
 *
 * What happens to the processes of containers, and to containers, told
 * by the module as it happens.
 *
 *	dre_app_events *events;
 *	const dre_app_event *event;
 *	int err = dre_app_events_open(NULL, &events);
 *
 *	while (!err) {
 *		struct pollfd p = { dre_app_events_fd(events), POLLIN };
 *
 *		poll(&p, 1, -1);
 *		while (!(err = dre_app_events_next(events, &event)) && event)
 *			printf("%s: event %d\n", event->container, event->type);
 *	}
 */

/** What has happened. */
typedef enum {
	DRE_APP_EVENT_STARTED = 1,	/* the container was started; pid: its init, without comm */
	DRE_APP_EVENT_REGISTERED,	/* a process, also again; by: who did it */
	DRE_APP_EVENT_UNREGISTERED,	/* by: whose registrations went */
	DRE_APP_EVENT_EXITED,		/* a registered process ended; status */
	DRE_APP_EVENT_REFUSED,		/* to terminate; signal: which one it refused */
	DRE_APP_EVENT_ENDED,		/* the container; pid: its init; status: init's */
	DRE_APP_EVENT_BOUND,		/* a process to a control group; group */
	DRE_APP_EVENT_UNBOUND,		/* group; also because it ended, or was bound elsewhere */
	DRE_APP_EVENT_LOST		/* lost: how many events had no room */
} dre_app_event_type_t;

/** Who registers a process; bits of dre_app_event's by. */
enum {
	DRE_APP_BY_ITSELF = 1,		/* through libdaware */
	DRE_APP_BY_MANAGER = 2		/* dre_app_register_pid() */
};

/** An event. What does not belong to its type is 0 or NULL. */
typedef struct {
	dre_app_event_type_t type;
	const char *container;		/* its name */
	struct timespec time;		/* when it happened, by CLOCK_REALTIME */
	int pid;			/* of the process, on the host; 0: of none */
	int vpid;			/* in the container; 0: not visible there */
	const char *comm;		/* its program's name as /proc/daware has it, or NULL: gone */
	int by;				/* DRE_APP_BY_* */
	int status;			/* as waitpid(2) gives it */
	int signal;
	const char *group;		/* its name, or NULL: it was removed since */
	unsigned int lost;
} dre_app_event;

/** Follows events. For one thread at a time. */
typedef struct dre_app_events dre_app_events;

/**
 * dre_app_events_open() - begin to follow events
 * @names: the containers, ended by a NULL, which the caller keeps; NULL: all
 * @events: what follows them; unchanged if it fails. dre_app_events_close()
 *	frees it.
 *
 * In whatever state the containers are: one that is stopped is followed when it
 * is started, and one that ends is followed when it is started again. That a
 * process has ended is told a moment after it: also of one that was gone when
 * this was called. Needs the module. It cannot be unloaded until
 * dre_app_events_close().
 */
dre_return_t dre_app_events_open(char *const names[], dre_app_events **events);

/**
 * dre_app_events_fd() - what poll(2) waits on
 * @events: from dre_app_events_open()
 *
 * Returns a file descriptor, which stays @events' own. It is readable (POLLIN)
 * when something may have happened. Then dre_app_events_next() is called until
 * there is no event any more, and only then is waited again. It is good for
 * poll(2), select(2) and epoll(7), and for nothing else.
 * DRE_ERR_NULL_POINTER, which is negative.
 */
int dre_app_events_fd(const dre_app_events *events);

/**
 * dre_app_events_next() - the next event
 * @events: from dre_app_events_open()
 * @event: the event, or NULL if there is none now; unchanged if it fails. It is
 *	valid until the next call with @events.
 *
 * Never waits. Those of one container come in the order in which they happened,
 * those of several ones in the order of their times, as far as they are there
 * when it looks. A reader that is too slow loses events, and gets a
 * DRE_APP_EVENT_LOST in their place; DRE_APP_EVENT_ENDED is never lost, and the
 * container's last. A container that starts is noticed within about 20 ms; what
 * happens in it before that is not told:
 * dre_app_get_registered_pid_list() is for that.
 *
 * DRE_ERR_PERMISSION_DENIED: the caller has lost its privilege;
 * DRE_ERR_DEVICE_BUSY: no memory, or no more files, for a container that was
 * started. It may be called again.
 */
dre_return_t dre_app_events_next(dre_app_events *events, const dre_app_event **event);

/**
 * dre_app_events_close() - end it
 * @events: from dre_app_events_open(); must not be used any more, nor its events
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_app_events_close(dre_app_events *events);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* DRE_APP_H */
