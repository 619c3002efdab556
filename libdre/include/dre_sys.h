/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System containers: virtual machines, through libvirt. D-RE API specification,
 * section 1.3.
 *
 * Link with -ldresys -ldaware, or with pkg-config libdresys.
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
 *	DRE_ERR_PERMISSION_DENIED	the caller is not root, or the kernel or
 *					libvirt forbids it
 *	DRE_ERR_INVALID_ARGUMENT	dre.conf has an error
 *	DRE_ERR_NFS_MOUNT_FAILED	it is not here, and the shared store cannot be
 *					looked into
 *	DRE_ERR_CONTAINER_NONEXISTENCE	there is no such container
 *	DRE_ERR_CONTAINER_BUSY		somebody else changes it
 *	DRE_ERR_CONTAINER_UNKNOWN_STATUS its state cannot be found out: libvirt
 *					does not answer, or it is shared and another host's
 *	DRE_ERR_CONTAINER_RUNNING, _STOPPED, _SUSPENDED
 *					it is not in a state for this
 *	DRE_ERR_DAWARE_MOD_NONEXISTENCE	the kernel module is not loaded, where it
 *					is needed
 *
 * Texts below name the codes beyond these, and the states. DRE_ERR_DEVICE_BUSY
 * stands for what the machine could not do: a full disk, an I/O error, no
 * memory, a start that libvirt gave up; and for a disk that says it is made of other
 * files than the container is. dre_last_error() says which.
 *
 * The machine of container NAME is libvirt's domain "dre-NAME". Other programs may
 * look at it, stop, start, suspend and resume it: its state is always libvirt's.
 * What it is made of is the container's: it is written anew whenever the container is
 * started here, from what it was created with and from what /etc/dre/dre.conf says then.
 *
 * libvirt has one handler of its errors a process, virSetErrorFunc(), which would print them:
 * the first function here that calls libvirt sets it to one that does not.
 */
#ifndef DRE_SYS_H
#define DRE_SYS_H

#include <stddef.h>

#include <dre.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Types of resource (section 1.3.2.1). */
typedef enum {
	DRE_SYS_CONTAINER_RESOURCE_CPU = 1,	/* CPU time */
	DRE_SYS_CONTAINER_RESOURCE_CPU_CORE,	/* CPU cores */
	DRE_SYS_CONTAINER_RESOURCE_MEMORY,	/* memory */
	DRE_SYS_CONTAINER_RESOURCE_MEMSW,	/* memory and swap */
	/* Additions to the specification: the same with 64 bits, in udata.mem.bytes. */
	DRE_SYS_CONTAINER_RESOURCE_MEMORY_64 = 101,
	DRE_SYS_CONTAINER_RESOURCE_MEMSW_64
} dre_sys_resource_t;

/** What dre_sys_status() returns (section 1.3.2.2). */
typedef enum {
	DRE_SYS_CONTAINER_STATUS_STOP = 11,	/* stopped */
	DRE_SYS_CONTAINER_STATUS_RUNNING,	/* running */
	DRE_SYS_CONTAINER_STATUS_SUSPENDED,	/* suspended */
	DRE_SYS_CONTAINER_STATUS_BUSY		/* somebody changes it at this moment */
} dre_sys_status_t;

/** Types of system container (section 1.3.2.3). */
typedef enum {
	DRE_SYS_CONTAINER_TYPE_KVM = 100
} dre_sys_type_t;

/** The configuration of a new container (section 1.3.3.1). */
typedef struct {
	dre_sys_type_t type;
	union {
		struct {
			int memory_size;	/* in MiB, from 1 */
			char *base;		/* base image; NULL: the default of dre.conf */
			char *rootfs;		/* a partition in place of it, by its path, or NULL */
		} kvm;
	} udata;
} dre_sys_data;

/** A handle (section 1.3.3.2). It names a container; it does not keep it. */
typedef struct {
	dre_sys_type_t type;
	char *name;
} dre_sys_handle;

/** A resource and its value (section 1.3.3.3). */
typedef struct {
	dre_sys_resource_t type;
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
	} udata;
} dre_sys_resource_value_t;

/**
 * dre_sys_create_container() - create a container (section 1.3.5.6)
 * @name: its name
 * @data: how; the caller keeps it
 *
 * It is stopped. Its disk is an empty layer on the base image's: nothing is copied.
 *
 * With a rootfs it is an empty layer on that partition (or other block device), which is the whole
 * disk that the machine sees: /dev/vda. Nothing ever writes to the partition, and snapshots work as with a
 * base image. The kernel of dre.conf boots it, and there must be one. As long as there is
 * the container, a snapshot of it or a base image made from that, nobody else may write to the partition:
 * what is in the layers would not fit to it any more.
 *
 * DRE_ERR_INVALID_ARGUMENT: @data->type, the size of the memory, a base and a rootfs, a rootfs that is not there or
 * no block device, or no kernel for it; DRE_ERR_CONTAINER_EXISTENCE: the name is taken, also in the shared
 * store; DRE_ERR_NFS_MOUNT_FAILED: its server answers, but does not let this host in;
 * DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_DEVICE_BUSY: also for a rootfs that the host has mounted.
 */
dre_return_t dre_sys_create_container(const char *name, const dre_sys_data *data);

/**
 * dre_sys_destroy_container() - remove a container, its snapshots and its checkpoints
 * (section 1.3.5.8)
 * @name: its name
 *
 * Stopped only. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_destroy_container(const char *name);

/**
 * dre_sys_open() - get a handle (section 1.3.5.18)
 * @name: the container
 *
 * Returns NULL if it fails; dre_last_error() says why. dre_sys_close() frees
 * the handle.
 */
dre_sys_handle *dre_sys_open(const char *name);

/**
 * dre_sys_close() - release a handle (section 1.3.5.3)
 * @h: from dre_sys_open(); must not be used any more
 *
 * DRE_ERR_NULL_POINTER. The container stays as it is.
 */
dre_return_t dre_sys_close(const dre_sys_handle *h);

/**
 * dre_sys_start() - switch a container on (section 1.3.5.31)
 * @h: the container
 *
 * Stopped only. Needs the module. Returns when its processors run; the operating system boots after that.
 * The module knows the container, by the process that is its machine, until that ends. Control groups and
 * limits are there before the guest runs.
 *
 * DRE_ERR_SET_LIMIT_FAILED: a limit that the kernel refuses; DRE_ERR_NO_VT: the host has no
 * hardware virtualization, and dre.conf does not allow emulation; DRE_ERR_NO_TAP_AVAILABLE: its
 * network wants a TAP device, and /dev/net/tun cannot make one, or there is no such bridge;
 * DRE_ERR_DEVICE_BUSY: also where the host has not got the memory, libvirt has no such network, or
 * it is not active, or the partition of its rootfs is gone, or mounted; DRE_ERR_INVALID_ARGUMENT:
 * dre.conf has no kernel for a rootfs.
 */
dre_return_t dre_sys_start(const dre_sys_handle *h);

/**
 * dre_sys_stop() - stop a container in good order (section 1.3.5.33)
 * @h: the container
 *
 * Running or suspended; a suspended one is resumed first. The power button is pressed (ACPI), and the
 * guest has halt_timeout seconds (its property, or dre.conf's) to power off; then it is switched off.
 * DRE_ERR_DEVICE_BUSY: even that failed.
 */
dre_return_t dre_sys_stop(const dre_sys_handle *h);

/**
 * dre_sys_suspend() - stop the processors of a container (section 1.3.5.34)
 * @h: the container
 *
 * Running only. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_suspend(const dre_sys_handle *h);

/**
 * dre_sys_resume() - let a suspended container go on (section 1.3.5.27)
 * @h: the container
 *
 * Suspended only. DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_resume(const dre_sys_handle *h);

/**
 * dre_sys_status() - the state of a container (section 1.3.5.32)
 * @h: the container
 *
 * Returns a dre_sys_status_t, which is positive, or an error.
 */
dre_return_t dre_sys_status(const dre_sys_handle *h);

/**
 * dre_sys_get_pid() - the process that is a container's machine (section 1.3.5.12)
 * @h: the container
 * @pid: the PID of its QEMU; unchanged if it fails
 *
 * Running only.
 */
dre_return_t dre_sys_get_pid(const dre_sys_handle *h, int *pid);

/**
 * dre_sys_get_container_list() - all system containers (section 1.3.5.11)
 * @list: their names, sorted, ended by a NULL; unchanged if it fails
 *
 * In whatever states they are; also those in the shared store, whoever's they are, see
 * dre_sys_get_shared_list(). dre_sys_release_container_list() frees it.
 */
dre_return_t dre_sys_get_container_list(dre_list_t *list);

/**
 * dre_sys_get_base_list() - all base images (section 1.3.5.9)
 * @list: as above, but only of this host; dre_sys_release_base_list() frees it
 *
 * In whatever states the containers are that were made from them.
 */
dre_return_t dre_sys_get_base_list(dre_list_t *list);

/**
 * dre_sys_save_snapshot() - save what is on the disk of a container
 * (section 1.3.5.28)
 * @h: the container
 * @tag: a name for it
 *
 * Stopped only. It costs the same however much there is: nothing is copied.
 *
 * DRE_ERR_SNAPSHOT_EXISTENCE; DRE_ERR_SAVE_SNAPSHOT_FAILED: what the machine
 * could not do. The container is then as it was.
 */
dre_return_t dre_sys_save_snapshot(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_load_snapshot() - put back what was saved (section 1.3.5.16)
 * @h: the container
 * @tag: the snapshot, which stays
 *
 * Stopped only. What was written since is lost, unless it was saved.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_LOAD_SNAPSHOT_FAILED: what the machine
 * could not do. The container is then as it was.
 */
dre_return_t dre_sys_load_snapshot(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_remove_snapshot() - remove a snapshot (section 1.3.5.25)
 * @h: the container, which stays as it is
 * @tag: the snapshot
 *
 * Stopped only. DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_REMOVE_SNAPSHOT_FAILED.
 */
dre_return_t dre_sys_remove_snapshot(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_commit_snapshot() - make a base image of a snapshot (section 1.3.5.4)
 * @h: the container, which stays as it is
 * @tag: the snapshot, which stays
 * @base: the name of the new base image
 *
 * Stopped only. Nothing is copied; the base image stays when the container goes.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_BASE_EXISTENCE;
 * DRE_ERR_COMMIT_SNAPSHOT_FAILED: also for a container that is shared.
 */
dre_return_t dre_sys_commit_snapshot(const dre_sys_handle *h, const char *tag, const char *base);

/**
 * dre_sys_get_snapshot_list() - the snapshots of a container (section 1.3.5.14)
 * @h: the container
 * @list: of names, sorted, ended by a NULL; unchanged if it fails
 *
 * In any state, also one that cannot be found out. dre_sys_release_snapshot_list() frees the list.
 */
dre_return_t dre_sys_get_snapshot_list(const dre_sys_handle *h, dre_list_t *list);

/**
 * dre_sys_checkpoint() - save a running machine (section 1.3.5.2)
 * @h: the container
 * @tag: a name for it, of another name space than that of snapshots
 *
 * Running only; it goes on running. Saved are its memory, with all that runs in it, and its disk, as of one
 * moment. Memory is saved while the machine runs, and it stands still only for the
 * end of that; one that writes to its memory faster than it can be saved stands still earlier. The
 * disk costs nothing: nothing is copied; but of one that has 190 layers the upper half is first made
 * one with what the machine writes to, while it runs.
 *
 * DRE_ERR_SNAPSHOT_EXISTENCE; DRE_ERR_SAVE_SNAPSHOT_FAILED: what libvirt or the machine
 * could not do. The container runs on as it did, and nothing is left.
 */
dre_return_t dre_sys_checkpoint(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_restart() - go back to a checkpoint (section 1.3.5.26)
 * @h: the container
 * @tag: the checkpoint, which stays
 *
 * Running or stopped, also if its machine died. Needs the module. A machine that runs is switched off, as if its power was
 * cut: nothing that it could still save would be kept. What was written since the checkpoint is lost, unless it
 * was saved. The machine is the one of the checkpoint, with the memory and processors that it had then; its kernel and
 * initrd, where dre.conf names some, must be the same files as then. Returns when it runs.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_NO_VT, DRE_ERR_NO_TAP_AVAILABLE and, before anything is changed,
 * DRE_ERR_DEVICE_BUSY as for dre_sys_start(); DRE_ERR_LOAD_SNAPSHOT_FAILED: what libvirt or the
 * machine could not do. The container is then as it was; but it is stopped if it had to be switched off
 * for that. If libvirtd has ended meanwhile, and is not there again soon, whoever looks at the container next brings
 * it to that. A checkpoint whose memory cannot be read does not cost the machine that runs.
 */
dre_return_t dre_sys_restart(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_remove_checkpoint() - remove a checkpoint (section 1.3.5.24)
 * @h: the container, which stays as it is
 * @tag: the checkpoint
 *
 * In every state. DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_REMOVE_SNAPSHOT_FAILED.
 */
dre_return_t dre_sys_remove_checkpoint(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_get_checkpoint_list() - the checkpoints of a container (section 1.3.5.10)
 * @h: the container
 * @list: of names, sorted, ended by a NULL; unchanged if it fails
 *
 * In any state, also one that cannot be found out. dre_sys_release_checkpoint_list() frees the list.
 */
dre_return_t dre_sys_get_checkpoint_list(const dre_sys_handle *h, dre_list_t *list);

/**
 * dre_sys_remove_base() - remove a base image (section 1.3.5.23)
 * @base: its name
 *
 * DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_REMOVE_BASE_FAILED: a container, a snapshot or a checkpoint
 * was made from it.
 */
dre_return_t dre_sys_remove_base(const char *base);

/**
 * The shared store
 *
 * It is on the NFS server that dre.conf names (nfs_server). All hosts that have it see the containers
 * there. Each of these belongs to one host, its owner, which does with it what it does with its own; for all
 * others its state is unknown.
 *
 * Who creates, copies or renames a container does not get a name that one has there. As long as the server does not
 * answer, nobody knows: a local container of that name hides the shared one on this host until it has another
 * name (dre_sys_rename()), or is gone.
 */

/**
 * dre_sys_share() - move a container to the shared store (section 1.3.5.30)
 * @h: the container
 *
 * Stopped only. Its disk, snapshots and checkpoints are copied to the server, read again and compared; then it is
 * there, and not here any more. Its owner is this host. Its base image goes along, unless the server has one of that
 * name.
 *
 * DRE_ERR_INVALID_ARGUMENT: it is on a partition of this host; DRE_ERR_NFS_MOUNT_FAILED: dre.conf names no server, or
 * that does not answer, refuses, or is full; DRE_ERR_CONTAINER_EXISTENCE: there is one of its name, or it
 * is there already. The container is then where it was.
 */
dre_return_t dre_sys_share(const dre_sys_handle *h);

/**
 * dre_sys_unshare() - move a container back from the shared store (section 1.3.5.37)
 * @h: the container
 *
 * Stopped only. As dre_sys_share(), the other way. It is this host's own then.
 *
 * DRE_ERR_CONTAINER_NONEXISTENCE: it is not there; DRE_ERR_NFS_MOUNT_FAILED: the server does not answer;
 * DRE_ERR_DEVICE_BUSY: also no room here. The container is then where it was.
 */
dre_return_t dre_sys_unshare(const dre_sys_handle *h);

/**
 * dre_sys_immigration_start() - wait for a running container that is to come to this host (section 1.3.5.15)
 * @name: of a shared container of another host
 * @port: where its machine is to arrive, 1 to 65535; best none that the kernel gives to others, as it does from 32768 on
 *
 * Called on the host that it comes to, before dre_sys_migration_start() there. Looks whether all is here that its machine
 * needs, and reserves the port for it, for as long as dre.conf says (immigration_timeout). Waits for nothing: the machine
 * is here when dre_sys_status() says that the container runs, and this host is its owner then. Limits of
 * the machine as a whole, as they are now, hold from its arrival, where libvirt makes its control group itself; its other
 * control groups and limits are there from the first call about it on that finds it. Needs the module.
 *
 * DRE_ERR_CONTAINER_NONEXISTENCE: there is no shared one; DRE_ERR_CONTAINER_EXISTENCE: this host has one of that name, or
 * is its owner; DRE_ERR_CONTAINER_BUSY: another host waits for it, or it is on its way; DRE_ERR_NO_SOCKET_AVAILABLE: the
 * port is in use, or reserved; DRE_ERR_NO_VT; DRE_ERR_NO_TAP_AVAILABLE, DRE_ERR_DEVICE_BUSY: its network, dre.conf's
 * kernel, or enough memory is not here; DRE_ERR_NFS_MOUNT_FAILED.
 */
dre_return_t dre_sys_immigration_start(const char *name, const int port);

/**
 * dre_sys_migration_start() - move a running container to another host (section 1.3.5.17)
 * @h: the container
 * @target: address of that host, or a name that has one
 * @port: the one that it waits at, see dre_sys_immigration_start()
 *
 * Running only, and shared (dre_sys_share()). The guest goes on: it stands still for a moment at the end, which is the
 * longer the faster it writes to its memory. Control groups are made there, with their limits; processes of this host that
 * are bound to them go back. Returns when the machine runs on the other host, which owns the container then. If it fails it
 * runs on here. libvirt connects to the other host's libvirt as dre.conf says (migration_uri), and what goes over is
 * encrypted unless dre.conf says that it is not (migration_tls): both hosts need certificates, see dre-sys-certs.
 *
 * DRE_ERR_CONTAINER_NONEXISTENCE: it is not shared; DRE_ERR_INVALID_HOSTNAME: @target is no address, has none, or
 * is not the host that waits; DRE_ERR_REQUEST_TOO_LONG; DRE_ERR_NO_SOCKET_AVAILABLE: nobody waits, not at that
 * port, or not any longer; DRE_ERR_CONTAINER_EXISTENCE: there is a machine of it there; DRE_ERR_PERMISSION_DENIED,
 * DRE_ERR_DEVICE_BUSY: the other host does not answer, does not let us in, or libvirt has failed;
 * DRE_ERR_CONTAINER_UNKNOWN_STATUS: the other host has gone when the machine had just been sent, and it may run there. It
 * does not run here then, and whoever looks at it next asks again.
 */
dre_return_t dre_sys_migration_start(const dre_sys_handle *h, const char *target, const int port);

/**
 * Control groups
 *
 * They are beside a container's machine, for processes of the host that belong to it. What limits
 * the container as a whole, ".", limits the machine and all of them. They and their limits are kept with the
 * container: in whatever state it is they can be changed, at each start they are made, and when it stops, or
 * its machine ends, what is in them goes back to where it was. That is so as well where other programs have
 * started or stopped the machine, from the next call here on that is about the container.
 *
 * libvirt's own cgroups of the machine are left alone, so that what it sets there holds within the limits.
 */

/**
 * dre_sys_create_cgroup() - make a control group (section 1.3.5.5)
 * @h: the container
 * @cgroup: its name. Names that begin as the kernel's own files there ("cpu.",
 *	"cgroup.", ...) or libvirt's groups ("qemu-", "machine-qemu") are
 *	DRE_ERR_INVALID_ARGUMENT.
 *
 * In any state. Needs the module unless it is stopped.
 *
 * DRE_ERR_CGROUP_EXISTENCE; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_create_cgroup(const dre_sys_handle *h, const char *cgroup);

/**
 * dre_sys_destroy_cgroup() - remove a control group (section 1.3.5.7)
 * @h: the container
 * @cgroup: its name
 *
 * In any state. Needs the module unless it is stopped.
 *
 * DRE_ERR_CGROUP_NONEXISTENCE; DRE_ERR_DESTROY_CGROUP_FAILED: a process is in
 * it, bound or a child of one that was; the text names it.
 */
dre_return_t dre_sys_destroy_cgroup(const dre_sys_handle *h, const char *cgroup);

/**
 * dre_sys_bind_pid() - bind a process to a control group (section 1.3.5.1)
 * @h: the container
 * @cgroup: the control group
 * @pid: its number: a process of the host, not a thread
 *
 * Running only. Needs the module. The process moves with all its threads; one that
 * is bound to another control group of the container moves on. It is not suspended with the
 * container, and goes back when that stops.
 *
 * DRE_ERR_INVALID_ARGUMENT: not positive, a thread, a kernel thread;
 * DRE_ERR_CGROUP_NONEXISTENCE; DRE_ERR_PID_NONEXISTENCE; DRE_ERR_BIND_FAILED: the
 * machine itself, for which "." is there, or another machine of libvirt; a process of another
 * container, or bound for another one; or the kernel refuses.
 */
dre_return_t dre_sys_bind_pid(const dre_sys_handle *h, const char *cgroup, const int pid);

/**
 * dre_sys_unbind_pid() - put a process back where it was before it was bound
 * (section 1.3.5.35)
 * @h: the container
 * @cgroup: the control group that it is bound to
 * @pid: its number
 *
 * Running only. Needs the module. If that place is gone it goes to the root control group.
 *
 * DRE_ERR_INVALID_ARGUMENT, DRE_ERR_CGROUP_NONEXISTENCE as above;
 * DRE_ERR_PID_NONEXISTENCE: there is no such process, or it is not bound to that
 * control group; DRE_ERR_BIND_FAILED: the kernel refuses.
 */
dre_return_t dre_sys_unbind_pid(const dre_sys_handle *h, const char *cgroup, const int pid);

/**
 * dre_sys_set_resource() - limit a control group (section 1.3.5.29)
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @resource: what, and the limit; the caller keeps it
 *
 *	CPU		percent of one CPU, from 1: 200 are two CPUs
 *	CPU_CORE	the CPUs, "0-3,5"
 *	MEMORY		bytes, from 1. What is used above it is written out or
 *			swapped out, or a process in the control group is killed:
 *			the memory that the machine has needs room, and its QEMU.
 *	MEMSW		bytes of memory and swap together, from 1. There must be a
 *			limit of memory, not above it.
 *
 * In any state: at once, and at each start. A limit that cannot be set is an error, and the old one
 * stays. One that cannot be set any more makes the start fail.
 *
 * DRE_ERR_INVALID_ARGUMENT: type or value; DRE_ERR_CGROUP_NONEXISTENCE;
 * DRE_ERR_SET_LIMIT_FAILED.
 */
dre_return_t dre_sys_set_resource(const dre_sys_handle *h, const char *cgroup,
				  dre_sys_resource_value_t *resource);

/**
 * dre_sys_unset_resource() - take a limit away (section 1.3.5.36)
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @resource: only its type counts
 *
 * In any state. Success if there was none. MEMORY only after MEMSW.
 *
 * DRE_ERR_INVALID_ARGUMENT; DRE_ERR_CGROUP_NONEXISTENCE;
 * DRE_ERR_UNSET_LIMIT_FAILED.
 */
dre_return_t dre_sys_unset_resource(const dre_sys_handle *h, const char *cgroup,
				    dre_sys_resource_value_t *resource);

/**
 * dre_sys_get_resource() - what a process uses (section 1.3.5.13)
 * @h: the container
 * @pid: of the machine, see dre_sys_get_pid(), or of a process in the container's control groups;
 *	0 is the container as a whole
 * @resource: its type says what is asked; gets the value, unchanged if it fails
 *
 *	CPU		percent of one CPU, during 100 ms for which it sleeps
 *	CPU_CORE	the CPUs that it may run on; dre_sys_release_resource() frees it
 *	MEMORY		bytes that are resident
 *	MEMSW		and those that are swapped out
 *
 * Running only. Sizes that do not fit into an int are INT_MAX; the types with 64
 * bits have them all.
 *
 * DRE_ERR_INVALID_ARGUMENT; DRE_ERR_PID_NONEXISTENCE.
 */
dre_return_t dre_sys_get_resource(const dre_sys_handle *h, const int pid,
				  dre_sys_resource_value_t *resource);

/**
 * dre_sys_release_*_list() - free a list (sections 1.3.5.19 to .22)
 * @list: from the function of that name; must not be used any more
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_sys_release_base_list(dre_list_t list);
dre_return_t dre_sys_release_checkpoint_list(dre_list_t list);
dre_return_t dre_sys_release_container_list(dre_list_t list);
dre_return_t dre_sys_release_snapshot_list(dre_list_t list);

/**
 * Additions to the specification
 *
 * What follows is not in the specification.
 */

/**
 * Properties
 *
 * What is configured for one container. They are texts, kept with the
 * container; a snapshot does not have them, and load leaves them as they are.
 *
 *	cpus		processors, 1 to 4096
 *	memory		MiB, or with M, G or T
 *	disk		bytes, or with K, M, G or T: the disk is at least so large. At most 64 TiB, and
 *			a multiple of 512.
 *	network		none, network:NAME (a network of libvirt) or bridge:NAME (a bridge of the host)
 *	mac		the address of its network device, "52:54:00:12:34:56". Where it is not set it is
 *			one that comes from the machine's uuid, and stays as long as that.
 *	autostart	yes or no: does "dre-sys autostart" start it?
 *	autostart_order	0 to 1000000: those with a lower one are started first
 *	autostart_delay	seconds, 0 to 3600, before the next one is started
 *	halt_timeout	seconds, 0 to 86400, see dre_sys_stop()
 *
 * cpus, memory, disk, network and halt_timeout are also keys of dre.conf; the property wins.
 * cpus, memory, network and mac hold from the container's next start on, or its reboot. The disk
 * grows at once, also while the machine runs; what was loaded from a snapshot when it was smaller grows at the next
 * start. It never becomes smaller, also where the property is unset. All else is
 * looked at when it is needed.
 */

/**
 * A property
 *
 * const char *key and *value, which is NULL where it is not set. In lists also const char
 * *fallback, what holds then (NULL: nothing), and int at_start: 1 if a change holds from the
 * container's next start on.
 */
typedef dre_property dre_sys_property;

/**
 * dre_sys_set_properties() - set or unset properties of a container
 * @h: the container
 * @properties: those to be set, or unset where the value is NULL, ended by one
 *	whose key is NULL; the caller keeps them. Where a key is given twice, the last
 *	one counts.
 *
 * Stopped, running or suspended. All of them are set, or none.
 *
 * DRE_ERR_INVALID_ARGUMENT: no such property, or no such value, or a disk that
 * would become smaller; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_set_properties(const dre_sys_handle *h, const dre_sys_property *properties);

/**
 * dre_sys_set_property() - as dre_sys_set_properties(), for one
 * @h: the container
 * @key: the property
 * @value: what it is to be; NULL: not set
 */
dre_return_t dre_sys_set_property(const dre_sys_handle *h, const char *key, const char *value);

/**
 * dre_sys_get_property() - what a property is set to
 * @h: the container, in whatever state
 * @key: the property
 * @value: gets it, in memory that dre_sys_release_property() frees; NULL: it is
 *	not set, and there is nothing to release. Unchanged if it fails.
 *
 * DRE_ERR_INVALID_ARGUMENT: no such property; DRE_ERR_NULL_POINTER also of dre_sys_release_property().
 */
dre_return_t dre_sys_get_property(const dre_sys_handle *h, const char *key, char **value);
dre_return_t dre_sys_release_property(char *value);

/**
 * dre_sys_get_property_list() - all properties of a container
 * @h: the container, in whatever state
 * @list: all that there are, also those that are not set, by name, ended by one
 *	whose key is NULL; unchanged if it fails
 *
 * dre_sys_release_property_list() frees the list.
 */
dre_return_t dre_sys_get_property_list(const dre_sys_handle *h, dre_sys_property **list);
dre_return_t dre_sys_release_property_list(dre_sys_property *list);

/** Options of dre_sys_create_container_with(); all zero but size is fine. */
typedef struct {
	size_t size;	/* sizeof(dre_sys_create_options) */
	/* Ended by one whose key is NULL, or NULL: none. "memory" wins over dre_sys_data's. */
	const dre_sys_property *properties;
} dre_sys_create_options;

/**
 * dre_sys_create_container_with() - as dre_sys_create_container()
 * @name: its name
 * @data: how; the size of the memory may be 0 here: what dre.conf says
 * @options: what @data has no word for
 *
 * DRE_ERR_INVALID_ARGUMENT also for options that this library does not know, and for a disk smaller
 * than the base image's.
 */
dre_return_t dre_sys_create_container_with(const char *name, const dre_sys_data *data,
					   const dre_sys_create_options *options);

/** Options of dre_sys_stop_with(); all zero but size is dre_sys_stop(). */
typedef struct {
	size_t size;	/* sizeof(dre_sys_stop_options) */
	int kill;	/* 1: switch it off at once, press no button */
	int timeout;	/* seconds, up to 86400, until it is switched off; 0: as the property and
			 * dre.conf say */
} dre_sys_stop_options;

/**
 * dre_sys_stop_with() - as dre_sys_stop()
 * @h: the container
 * @options: how long to wait
 *
 * DRE_ERR_INVALID_ARGUMENT: an option.
 */
dre_return_t dre_sys_stop_with(const dre_sys_handle *h, const dre_sys_stop_options *options);

/**
 * dre_sys_reboot() - stop a container and start it again
 * @h: the container
 * @options: as for dre_sys_stop_with()
 *
 * Running or suspended. Needs the module. It is not stopped where it is known that it cannot be started
 * again. If it fails after that, it is stopped.
 *
 * Errors of dre_sys_stop_with() and dre_sys_start().
 */
dre_return_t dre_sys_reboot(const dre_sys_handle *h, const dre_sys_stop_options *options);

/**
 * dre_sys_get_info() - what a container is made of
 * @h: the container
 * @list: "KEY=VALUE", ended by a NULL; unchanged if it fails. dre_sys_release_info()
 *	frees it.
 *
 *	base		the base image that it was made from, or nothing
 *	rootfs		the partition that it was made from, or nothing
 *	store		the directory of the image store that it is in
 *	owner		the host that it belongs to, if it is shared; or nothing
 *	libvirt		the connection that it is run by
 *	domain		its name there
 *	uuid		its machine's
 *	mac		the address of its network device, if it has one
 *	layers		names of its immutable layers, from the bottom, with commas between
 *	writable	the qcow2 image that has what was written since
 *	disk_size	bytes of the disk that the machine sees
 *	disk_used	bytes that the writable image takes
 *	log		the console's log
 *	created		when it was made, in UTC: "2026-11-26T20:05:33Z". A copy is made when it is copied.
 *	snapshot.TAG, checkpoint.TAG
 *			when they were saved
 *	setting.NAME	what else was set
 *
 * Later versions have more keys. In any state.
 */
dre_return_t dre_sys_get_info(const dre_sys_handle *h, dre_list_t *list);
dre_return_t dre_sys_release_info(dre_list_t list);

/**
 * dre_sys_get_base_info() - what a base image is made of
 * @base: its name
 * @list: as dre_sys_get_info() has it; dre_sys_release_info() frees it
 *
 *	created		when it was made here, in UTC: "2026-11-26T20:05:33Z"
 *	layers		names of its layers, from the bottom, with commas between
 *	setting.NAME	what containers made from it have
 *
 * Later versions have more keys. DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_INVALID_ARGUMENT: it is damaged.
 */
dre_return_t dre_sys_get_base_info(const char *base, dre_list_t *list);

/**
 * dre_sys_open_console() - come to the console of a container
 * @h: the container
 * @fd: a stream socket, close-on-exec, which the caller closes; unchanged if it fails
 *
 * Running only. The console is the first serial port of the machine. What is read from @fd is what the guest writes
 * there from now on; what is written to it is typed there. It is at its end when the machine is off.
 * Any number may be connected at a time, and who is slow to read misses nothing; but "virsh console",
 * which wants the port for itself, shows only a part as long as somebody is there.
 *
 * A thread of the calling process serves it, until one of both ends closes it.
 *
 * DRE_ERR_DEVICE_BUSY: the machine has no such port, because somebody has changed it, or there are no
 * resources for it.
 */
dre_return_t dre_sys_open_console(const dre_sys_handle *h, int *fd);

/** Reads what guests wrote on their consoles. For one thread at a time. */
typedef struct dre_sys_log dre_sys_log;

/**
 * dre_sys_log_open() - begin to read what a guest has written on its console
 * @h: the container
 * @previous: 0: since its last start by dre_sys_start(); else: in the run before that
 * @log: what reads it; unchanged if it fails. dre_sys_log_close() frees it.
 *
 * In any state. virtlogd, which libvirt has for that, keeps the last part of it only: by default
 * 2 MiB, and three times as much before that (see /etc/libvirt/virtlogd.conf). Where libvirt has
 * no virtlogd (stdio_handler = "file" in its qemu.conf) it has no bound. Of a container that has
 * migrated while it ran, each host wrote that much; the last four are read, one after the other.
 */
dre_return_t dre_sys_log_open(const dre_sys_handle *h, int previous, dre_sys_log **log);

/**
 * dre_sys_log_fd() - what poll(2) waits on
 * @log: from dre_sys_log_open()
 *
 * Returns a file descriptor, which stays @log's own. It is readable (POLLIN) when there
 * may be more to read; for poll(2), select(2) and epoll(7), and for nothing else.
 * DRE_ERR_NULL_POINTER, which is negative.
 */
int dre_sys_log_fd(const dre_sys_log *log);

/**
 * dre_sys_log_read() - the next piece of it
 * @log: from dre_sys_log_open()
 * @buf: where to; not ended by a NUL
 * @size: how much there is room for
 * @len: how much it is; 0: all that there is has been read. Unchanged if it fails.
 *
 * Never waits. Ends of lines are newlines. Goes on with the next run when the container is started again. Who
 * reads so late that the log has been replaced twice misses what was in between.
 *
 * DRE_ERR_INVALID_ARGUMENT: @size is 0; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_log_read(dre_sys_log *log, void *buf, size_t size, size_t *len);

/**
 * dre_sys_log_close() - end it
 * @log: from dre_sys_log_open(); must not be used any more
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_sys_log_close(dre_sys_log *log);

/**
 * dre_sys_release_resource() - free what dre_sys_get_resource() allocated
 * @resource: from there; stays the caller's
 *
 * Success also where nothing was allocated. DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_sys_release_resource(dre_sys_resource_value_t *resource);

/**
 * dre_sys_get_limit() - the limit of a control group
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @resource: its type says what is asked; gets the limit, unchanged if it fails
 *
 * As dre_sys_set_resource() has it; 0, or NULL for the cores, is no limit.
 * dre_sys_release_resource() frees the cores. In any state.
 *
 * DRE_ERR_INVALID_ARGUMENT; DRE_ERR_CGROUP_NONEXISTENCE.
 */
dre_return_t dre_sys_get_limit(const dre_sys_handle *h, const char *cgroup,
			       dre_sys_resource_value_t *resource);

/**
 * dre_sys_get_usage() - what a control group has used
 * @h: the container
 * @cgroup: its name; "." is the container as a whole
 * @usage: its size says which it is; gets the rest, unchanged if it fails
 *
 * Running or suspended. It does not sleep: two calls tell what was used between them.
 *
 * DRE_ERR_INVALID_ARGUMENT: also the size; DRE_ERR_CGROUP_NONEXISTENCE.
 */
dre_return_t dre_sys_get_usage(const dre_sys_handle *h, const char *cgroup, dre_usage *usage);

/**
 * dre_sys_get_cgroup_list() - the control groups of a container
 * @h: the container
 * @list: of names, in the order of their making, ended by a NULL; unchanged if it
 *	fails
 *
 * In any state. dre_sys_release_cgroup_list() frees the list.
 */
dre_return_t dre_sys_get_cgroup_list(const dre_sys_handle *h, dre_list_t *list);
dre_return_t dre_sys_release_cgroup_list(dre_list_t list);

/**
 * dre_sys_get_bound_pid_list() - the processes that are bound to a control group
 * @h: the container
 * @cgroup: its name
 * @list: rising PIDs, ended by a 0; unchanged if it fails
 *
 * In any state; a container that is stopped has none. Needs the module if it is not.
 * dre_sys_release_bound_pid_list() frees the list.
 *
 * DRE_ERR_CGROUP_NONEXISTENCE.
 */
dre_return_t dre_sys_get_bound_pid_list(const dre_sys_handle *h, const char *cgroup, int **list);
dre_return_t dre_sys_release_bound_pid_list(int *list);

/**
 * typedef dre_sys_progress - called while something that takes long goes on
 * @arg: what was given with it
 * @done: how much is done
 * @total: of how much, in the same unit, which need not be bytes
 */
typedef void (*dre_sys_progress)(void *arg, unsigned long long done, unsigned long long total);

/**
 * dre_sys_checkpoint_with() - dre_sys_checkpoint(), with a look at how far it is
 * @h: as there
 * @tag: as there
 * @progress: called now and then, in the calling thread, with bytes of memory; may be NULL
 * @arg: for @progress
 */
dre_return_t dre_sys_checkpoint_with(const dre_sys_handle *h, const char *tag,
				     dre_sys_progress progress, void *arg);

/**
 * dre_sys_share_with() - dre_sys_share(), with a look at how far it is
 * @h: as there
 * @progress: called now and then, in the calling thread, with bytes copied and compared; may be NULL
 * @arg: for @progress
 */
dre_return_t dre_sys_share_with(const dre_sys_handle *h, dre_sys_progress progress, void *arg);

/** dre_sys_unshare_with() - dre_sys_unshare() in the same way */
dre_return_t dre_sys_unshare_with(const dre_sys_handle *h, dre_sys_progress progress, void *arg);

/**
 * dre_sys_take_over() - make this host the owner of a shared container
 * @h: the container
 *
 * For a container whose owner is gone, and does not come back with it: nobody asks the owner. A machine that still
 * runs there would go on, and so would a copy that the owner has of it; QEMU's locks of the disk keep a machine from
 * being started here as long as the other one runs and the server knows of it, and nothing else does.
 *
 * On the host that it was migrated from, where nobody knows whether it has arrived: what is left of its machine here is
 * switched off. On one that was its owner before: a machine that still runs here goes on; memory of one that libvirt has
 * saved is removed, because the disk may have changed.
 *
 * DRE_ERR_INVALID_ARGUMENT: it is not shared; DRE_ERR_CONTAINER_BUSY: also while its machine is on its way from here;
 * DRE_ERR_NFS_MOUNT_FAILED.
 */
dre_return_t dre_sys_take_over(const dre_sys_handle *h);

/**
 * struct dre_sys_migration_result - how a migration went
 * @size: sizeof(dre_sys_migration_result), before the call
 * @time: from its beginning to its end, in milliseconds
 * @downtime: how long the guest stood still, in milliseconds
 * @bytes: that were sent
 * @passes: how often what the guest had written meanwhile was gone over
 *
 * What is not known is 0.
 */
typedef struct {
	size_t size;
	unsigned long long time;
	unsigned long long downtime;
	unsigned long long bytes;
	unsigned long long passes;
} dre_sys_migration_result;

/**
 * dre_sys_migration_start_with() - dre_sys_migration_start(), with a look at how far it is
 * @h, @target, @port: as there
 * @progress: called now and then, in the calling thread, with bytes of memory; may be NULL
 * @arg: for @progress
 * @result: how it went; may be NULL
 */
dre_return_t dre_sys_migration_start_with(const dre_sys_handle *h, const char *target, const int port,
					  dre_sys_progress progress, void *arg, dre_sys_migration_result *result);

/**
 * dre_sys_migration_cancel() - the container stays on this host
 * @h: the container, which is on its way from here
 *
 * The machine runs on here, and dre_sys_migration_start(), if its caller still lives, returns DRE_ERR_DEVICE_BUSY. May be
 * called by dre_sys_migration_start_with()'s progress function. Fails with DRE_ERR_DEVICE_BUSY if the transfer has not
 * begun yet, or the machine already stands still for its last part.
 *
 * DRE_ERR_INVALID_ARGUMENT: it is not on its way from here.
 */
dre_return_t dre_sys_migration_cancel(const dre_sys_handle *h);

/**
 * dre_sys_immigration_cancel() - wait no longer for a container
 * @name: of the container
 *
 * DRE_ERR_NO_SOCKET_AVAILABLE: this host does not wait for it; DRE_ERR_CONTAINER_BUSY: it is on its way.
 */
dre_return_t dre_sys_immigration_cancel(const char *name);

/**
 * dre_sys_get_shared_list() - the containers in the shared store, whoever's they are
 * @list: their names, sorted, ended by a NULL; unchanged if it fails
 *
 * dre_sys_get_container_list() has them, too, but only its own where the server does not answer. There are
 * none where dre.conf names no server. DRE_ERR_NFS_MOUNT_FAILED.
 * dre_sys_release_container_list() frees it.
 */
dre_return_t dre_sys_get_shared_list(dre_list_t *list);

/**
 * dre_sys_export_base() - write a base image to a disk image
 * @base: its name
 * @fd: of a file, open for writing; what is in it is lost; stays the caller's
 * @compression: "zlib" or "zstd"; NULL: none
 * @progress: called now and then, in the calling thread; may be NULL
 * @arg: for @progress
 *
 * A qcow2 image that stands alone, which dre_sys_import_base() takes back. Needs qemu-img.
 * DRE_ERR_BASE_NONEXISTENCE; DRE_ERR_INVALID_ARGUMENT: @fd, @compression; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_export_base(const char *base, int fd, const char *compression,
				 dre_sys_progress progress, void *arg);

/**
 * dre_sys_export() - write a container's disk to a disk image
 * @h: the container
 * @fd, @compression, @progress, @arg: as dre_sys_export_base() has them
 *
 * Stopped only. The container is busy meanwhile. DRE_ERR_INVALID_ARGUMENT;
 * DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_export(const dre_sys_handle *h, int fd, const char *compression,
			    dre_sys_progress progress, void *arg);

/**
 * dre_sys_copy() - make another container of what is on the disk of one
 * @h: the container
 * @snapshot: what is copied; NULL: what is on it now
 * @name: of the new container
 *
 * Stopped only, if @snapshot is NULL. Nothing is copied: both have what there is, and each
 * writes to a layer of its own. The new one is stopped, and has the settings of the other, but a machine
 * with a UUID and a network address of its own, and no snapshots or checkpoints.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_LOAD_SNAPSHOT_FAILED: the snapshot is damaged;
 * DRE_ERR_CONTAINER_EXISTENCE: @name is taken; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_copy(const dre_sys_handle *h, const char *snapshot, const char *name);

/** Options of dre_sys_copy_with(); all zero but size is dre_sys_copy(). */
typedef struct {
	size_t size;	/* sizeof(dre_sys_copy_options) */
	/*
	 * Properties in which the copy differs, as dre_sys_set_properties() takes them; one whose value is NULL is
	 * not set in the copy. NULL: it has those of the container.
	 */
	const dre_sys_property *properties;
} dre_sys_copy_options;

/**
 * dre_sys_copy_with() - as dre_sys_copy()
 * @h: the container, which keeps its properties
 * @snapshot: what is copied; NULL: what is on its disk now
 * @name: of the new container
 * @options: what of it is other; the caller keeps it
 *
 * Either the copy is made with all of them, or there is no copy.
 *
 * DRE_ERR_INVALID_ARGUMENT: an option, no such property, or no such value; a disk that is smaller than what it is
 * copied from. There is no copy then.
 */
dre_return_t dre_sys_copy_with(const dre_sys_handle *h, const char *snapshot, const char *name,
			       const dre_sys_copy_options *options);

/**
 * dre_sys_rename() - give a container another name
 * @h: the container. The handle stays, and names nothing any more.
 * @name: its new name
 *
 * Stopped only. Snapshots, settings and the log of its console go along.
 *
 * DRE_ERR_CONTAINER_EXISTENCE: @name is taken, also by itself; DRE_ERR_SNAPSHOT_EXISTENCE: it has
 * checkpoints, which libvirt restores under the name only that they were saved with;
 * DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_rename(const dre_sys_handle *h, const char *name);

/** What dre_sys_fsck() does beside looking. */
enum {
	/* mend what can be mended without losing anything */
	DRE_SYS_FSCK_REPAIR = 1,
	/*
	 * move manifests that cannot be understood to lost/ in the store, with all that may be
	 * theirs: a container as a whole, and the layers that no other manifest names. Not as long
	 * as one of these containers is not stopped.
	 */
	DRE_SYS_FSCK_SET_ASIDE = 2
};

/** Something that dre_sys_fsck() has found. The texts last as long as the call that gets it. */
typedef struct {
	const char *path;	/* of what, below the store; absolute in the shared store */
	const char *what;	/* one line */
	int repaired;		/* 1: it was; 0: it is still so */
} dre_sys_problem;

typedef void (*dre_sys_fsck_fn)(void *arg, const dre_sys_problem *problem);

/**
 * dre_sys_fsck() - look at the whole store, and repair it
 * @flags: DRE_SYS_FSCK_*, or 0: only look
 * @fn: called with each problem, in the calling thread; it must not call functions
 *	that change containers or base images
 * @arg: for @fn
 *
 * Manifests of containers, snapshots, checkpoints and base images, the layers and base images that they
 * name; whether each layer is a disk that stands on the one that the manifest has below it; what a crash has
 * left; and domains of libvirt that have another disk than their containers, or no container.
 * What is on the disks is not looked at: "qemu-img check" does that. What a change has left that has
 * ended is no problem for an hour: the next one collects it. Nobody can change the store meanwhile; containers run on.
 * Where the shared store is mounted it is looked at, too; nothing is set aside there, because other hosts have
 * containers in it.
 *
 * Returns 0 also where problems were found. DRE_ERR_INVALID_ARGUMENT: @flags; DRE_ERR_NFS_MOUNT_FAILED;
 * DRE_ERR_DEVICE_BUSY: somebody changes the store, for longer than two seconds; libvirt does not answer.
 */
dre_return_t dre_sys_fsck(unsigned int flags, dre_sys_fsck_fn fn, void *arg);

/**
 * dre_sys_gc() - remove what nothing names
 *
 * All functions that change the store do it for what they and killed ones have left.
 * This also finds what left no trace. If a manifest is damaged, no layer is removed. Where the shared store is
 * mounted it is collected, too, with the base images there that no container was made from.
 *
 * DRE_ERR_DEVICE_BUSY: somebody changes the store; a manifest is damaged; DRE_ERR_NFS_MOUNT_FAILED.
 */
dre_return_t dre_sys_gc(void);

/**
 * dre_sys_import_base() - make a base image from a disk
 * @name: its name
 * @source: a qcow2 image that stands alone; or the raw content of a disk, in a file or a block device
 * @progress: called now and then, in the calling thread; may be NULL
 * @arg: for @progress
 *
 * Needs qemu-img. DRE_ERR_BASE_EXISTENCE; DRE_ERR_INVALID_ARGUMENT: @source is not there,
 * is damaged, encrypted, empty, or needs another file; DRE_ERR_DEVICE_BUSY: also for a qcow2 image
 * that somebody writes to.
 */
dre_return_t dre_sys_import_base(const char *name, const char *source,
				 dre_sys_progress progress, void *arg);

/** How dre_sys_build_base() does it; all zero but size and suite is fine. */
typedef struct {
	size_t size;		/* sizeof(dre_sys_build_options) */
	const char *suite;	/* of Debian: "bookworm", or a later one */
	const char *packages;	/* beside those of a small machine: "a,b"; may be NULL */
	const char *mirror;	/* a URL, or a line as in sources.list; NULL: as this host's apt
				 * has it for the suite, or else mmdebstrap's own */
	unsigned long long disk;	/* its size in bytes, at least 1 GiB; 0: 4 GiB */
	int verbose;		/* 1: what mmdebstrap says goes to standard error */
} dre_sys_build_options;

/**
 * dre_sys_build_base() - make a base image of a small Debian
 * @name: its name
 * @options: how; the caller keeps it
 * @progress: called now and then, in the calling thread, with parts of the whole; may be NULL
 * @arg: for @progress
 *
 * A disk that boots by itself: dre.conf's kernel is not needed. It has a kernel, systemd and a serial console, on
 * which root is logged in; the network asks for its address. Needs mmdebstrap, mke2fs, sfdisk, qemu-img and GRUB's
 * files for a BIOS (the packages grub-common, grub-pc-bin); takes some minutes, and room for what it builds in
 * TMPDIR (/var/tmp).
 *
 * DRE_ERR_INVALID_ARGUMENT: a malformed suite, list of packages, mirror or size, or options that
 * this library does not know; DRE_ERR_BASE_EXISTENCE; DRE_ERR_DEVICE_BUSY: something is not
 * installed, or has failed, and dre_last_error() has the first error.
 */
dre_return_t dre_sys_build_base(const char *name, const dre_sys_build_options *options,
				dre_sys_progress progress, void *arg);

/**
 * Events
 *
 * What happens to containers, and to processes that are bound to their control groups, told
 * by the module as it happens.
 *
 *	dre_sys_events *events;
 *	const dre_sys_event *event;
 *	int err = dre_sys_events_open(NULL, &events);
 *
 *	while (!err) {
 *		struct pollfd p = { dre_sys_events_fd(events), POLLIN };
 *
 *		poll(&p, 1, -1);
 *		while (!(err = dre_sys_events_next(events, &event)) && event)
 *			printf("%s: event %d\n", event->container, event->type);
 *	}
 */

/** What has happened. The numbers are those of dre_app_event_type_t. */
typedef enum {
	DRE_SYS_EVENT_STARTED = 1,	/* the container was started; pid: its machine, without comm */
	DRE_SYS_EVENT_ENDED = 6,	/* the container; pid: its machine; status: that process' */
	DRE_SYS_EVENT_BOUND,		/* a process to a control group; group */
	DRE_SYS_EVENT_UNBOUND,		/* group; also because it ended, or was bound elsewhere */
	DRE_SYS_EVENT_LOST		/* lost: how many events had no room */
} dre_sys_event_type_t;

/** An event. What does not belong to its type is 0 or NULL. */
typedef struct {
	dre_sys_event_type_t type;
	const char *container;		/* its name */
	struct timespec time;		/* when it happened, by CLOCK_REALTIME */
	int pid;			/* of the process; 0: of none */
	const char *comm;		/* its program's name as /proc/daware has it, or NULL: gone */
	int status;			/* as waitpid(2) gives it */
	const char *group;		/* its name, or NULL: it was removed since */
	unsigned int lost;
} dre_sys_event;

/** Follows events. For one thread at a time. */
typedef struct dre_sys_events dre_sys_events;

/**
 * dre_sys_events_open() - begin to follow events
 * @names: the containers, ended by a NULL, which the caller keeps; NULL: all
 * @events: what follows them; unchanged if it fails. dre_sys_events_close()
 *	frees it.
 *
 * In whatever state the containers are: one that is stopped is followed when it
 * is started, and one that ends is followed when it is started again. That a
 * process has ended is told a moment after it: also of one that was gone when
 * this was called. Needs the module. It cannot be unloaded until
 * dre_sys_events_close().
 */
dre_return_t dre_sys_events_open(char *const names[], dre_sys_events **events);

/**
 * dre_sys_events_fd() - what poll(2) waits on
 * @events: from dre_sys_events_open()
 *
 * Returns a file descriptor, which stays @events' own. It is readable (POLLIN)
 * when something may have happened. Then dre_sys_events_next() is called until
 * there is no event any more, and only then is waited again. It is good for
 * poll(2), select(2) and epoll(7), and for nothing else.
 * DRE_ERR_NULL_POINTER, which is negative.
 */
int dre_sys_events_fd(const dre_sys_events *events);

/**
 * dre_sys_events_next() - the next event
 * @events: from dre_sys_events_open()
 * @event: the event, or NULL if there is none now; unchanged if it fails. It is
 *	valid until the next call with @events.
 *
 * Never waits. Those of one container come in the order in which they happened,
 * those of several ones in the order of their times, as far as they are there
 * when it looks. A reader that is too slow loses events, and gets a
 * DRE_SYS_EVENT_LOST in their place; DRE_SYS_EVENT_ENDED is never lost, and the
 * container's last. A container that starts is noticed within about 20 ms, one that another program
 * has started from the next call here on that is about it.
 *
 * DRE_ERR_PERMISSION_DENIED: the caller has lost its privilege;
 * DRE_ERR_DEVICE_BUSY: no memory, or no more files, for a container that was
 * started. It may be called again.
 */
dre_return_t dre_sys_events_next(dre_sys_events *events, const dre_sys_event **event);

/**
 * dre_sys_events_close() - end it
 * @events: from dre_sys_events_open(); must not be used any more, nor its events
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_sys_events_close(dre_sys_events *events);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* DRE_SYS_H */
