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
 *	DRE_ERR_CONTAINER_NONEXISTENCE	there is no such container
 *	DRE_ERR_CONTAINER_BUSY		somebody else changes it
 *	DRE_ERR_CONTAINER_UNKNOWN_STATUS its state cannot be found out: libvirt
 *					does not answer
 *	DRE_ERR_CONTAINER_RUNNING, _STOPPED, _SUSPENDED
 *					it is not in a state for this
 *
 * Texts below name the codes beyond these, and the states. DRE_ERR_DEVICE_BUSY
 * stands for what the machine could not do: a full disk, an I/O error, no
 * memory, a start that libvirt gave up. dre_last_error() says which.
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

#include <dre.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Types of resource (section 1.3.2.1). */
typedef enum {
	DRE_SYS_CONTAINER_RESOURCE_CPU = 1,	/* CPU time */
	DRE_SYS_CONTAINER_RESOURCE_CPU_CORE,	/* CPU cores */
	DRE_SYS_CONTAINER_RESOURCE_MEMORY,	/* memory */
	DRE_SYS_CONTAINER_RESOURCE_MEMSW	/* memory and swap */
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
			char *rootfs;		/* must be NULL as yet */
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
 * DRE_ERR_INVALID_ARGUMENT: @data->type, the size of the memory or a rootfs;
 * DRE_ERR_CONTAINER_EXISTENCE: the name is taken; DRE_ERR_BASE_NONEXISTENCE;
 * DRE_ERR_DEVICE_BUSY.
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
 * Stopped only. Returns when its processors run; the operating system boots after that.
 *
 * DRE_ERR_NO_VT: the host has no hardware virtualization, and dre.conf does not
 * allow emulation; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_start(const dre_sys_handle *h);

/**
 * dre_sys_stop() - stop a container in good order (section 1.3.5.33)
 * @h: the container
 *
 * Running or suspended; a suspended one is resumed first. The power button is pressed (ACPI), and the
 * guest has halt_timeout seconds (of dre.conf) to power off; then it is switched off.
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
 * dre_sys_release_container_list() frees it.
 */
dre_return_t dre_sys_get_container_list(dre_list_t *list);

/**
 * dre_sys_get_base_list() - all base images (section 1.3.5.9)
 * @list: as above; dre_sys_release_base_list() frees it
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
 * DRE_ERR_COMMIT_SNAPSHOT_FAILED.
 */
dre_return_t dre_sys_commit_snapshot(const dre_sys_handle *h, const char *tag, const char *base);

/**
 * dre_sys_get_snapshot_list() - the snapshots of a container (section 1.3.5.14)
 * @h: the container
 * @list: of names, sorted, ended by a NULL; unchanged if it fails
 *
 * dre_sys_release_snapshot_list() frees the list.
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
 * disk costs nothing: nothing is copied.
 *
 * DRE_ERR_SNAPSHOT_EXISTENCE; DRE_ERR_SAVE_SNAPSHOT_FAILED: what libvirt or the machine
 * could not do, and a disk of more layers than can be opened, which dre_sys_save_snapshot() makes
 * one of. The container runs on as it did, and nothing is left.
 */
dre_return_t dre_sys_checkpoint(const dre_sys_handle *h, const char *tag);

/**
 * dre_sys_restart() - go back to a checkpoint (section 1.3.5.26)
 * @h: the container
 * @tag: the checkpoint, which stays
 *
 * Running or stopped, also if its machine died. A machine that runs is switched off, as if its power was
 * cut: nothing that it could still save would be kept. What was written since the checkpoint is lost, unless it
 * was saved. The machine is the one of the checkpoint, with the memory and processors that it had then; its kernel and
 * initrd, where dre.conf names some, must be the same files as then. Returns when it runs.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_NO_VT; DRE_ERR_LOAD_SNAPSHOT_FAILED: what libvirt or the
 * machine could not do. The container is then as it was; but it is stopped if it had to be switched off
 * for that. A checkpoint whose memory cannot be read does not cost the machine that runs.
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
 * dre_sys_release_checkpoint_list() frees the list.
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
 * dre_sys_release_*_list() - free a list (sections 1.3.5.19 to .22)
 * @list: from the function of that name; must not be used any more
 *
 * DRE_ERR_NULL_POINTER.
 */
dre_return_t dre_sys_release_base_list(dre_list_t list);
dre_return_t dre_sys_release_checkpoint_list(dre_list_t list);
dre_return_t dre_sys_release_container_list(dre_list_t list);
dre_return_t dre_sys_release_snapshot_list(dre_list_t list);

/*
 * What follows is not in the specification.
 */

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
 * with a UUID of its own, and no snapshots or checkpoints.
 *
 * DRE_ERR_SNAPSHOT_NONEXISTENCE; DRE_ERR_CONTAINER_EXISTENCE: @name is taken; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_copy(const dre_sys_handle *h, const char *snapshot, const char *name);

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
	const char *path;	/* of what, below the store */
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
 * What is on the disks is not looked at: "qemu-img check" does that. Nobody can change the
 * store meanwhile; containers run on.
 *
 * Returns 0 also where problems were found. DRE_ERR_INVALID_ARGUMENT: @flags;
 * DRE_ERR_DEVICE_BUSY: somebody changes the store, for longer than two seconds; libvirt does not answer.
 */
dre_return_t dre_sys_fsck(unsigned int flags, dre_sys_fsck_fn fn, void *arg);

/**
 * dre_sys_gc() - remove what nothing names
 *
 * All functions that change the store do it for what they and killed ones have left.
 * This also finds what left no trace. If a manifest is damaged, no layer is removed.
 *
 * DRE_ERR_DEVICE_BUSY: somebody changes the store; a manifest is damaged.
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
 * is damaged, encrypted, empty, or needs another file; DRE_ERR_DEVICE_BUSY.
 */
dre_return_t dre_sys_import_base(const char *name, const char *source,
				 dre_sys_progress progress, void *arg);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* DRE_SYS_H */
