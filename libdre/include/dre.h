/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the APIs for application containers (dre_app.h) and for system
 * containers (dre_sys.h) have in common. D-RE API specification, section 1.1.
 *
 * Every function that returns a dre_return_t returns 0 when it succeeded and
 * one of the dre_err_t codes when it failed. What failed, in words and with
 * the cause, is what dre_last_error() returns.
 *
 * All functions may be called from every thread. Some run a helper, which is a
 * child of the calling process; they do not depend on SIGCHLD, and wait for
 * that child only.
 */
#ifndef DRE_H
#define DRE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** Error codes (section 1.1.2.1). */
typedef enum {
	DRE_ERR_INVALID_ARGUMENT = -101,	/* invalid argument */
	DRE_ERR_PERMISSION_DENIED = -102,	/* no privilege to run */
	DRE_ERR_DAWARE_MOD_NONEXISTENCE = -103,	/* the D-RE module is not loaded */
	DRE_ERR_NO_VT = -104,			/* no hardware virtualization */
	DRE_ERR_CONTAINER_NONEXISTENCE = -111,	/* the container does not exist */
	DRE_ERR_CONTAINER_EXISTENCE = -112,	/* the container already exists */
	DRE_ERR_CONTAINER_RUNNING = -113,	/* the container is running */
	DRE_ERR_CONTAINER_STOPPED = -114,	/* the container is stopped */
	DRE_ERR_CONTAINER_SUSPENDED = -115,	/* the container is suspended */
	DRE_ERR_CONTAINER_BUSY = -116,		/* another operation is under way */
	DRE_ERR_CONTAINER_UNKNOWN_STATUS = -117, /* the status cannot be found out */
	DRE_ERR_BASE_NONEXISTENCE = -121,	/* the base image does not exist */
	DRE_ERR_BASE_EXISTENCE = -122,		/* the base image already exists */
	DRE_ERR_REMOVE_BASE_FAILED = -123,	/* the base image was not removed */
	DRE_ERR_SNAPSHOT_NONEXISTENCE = -131,	/* the snapshot does not exist */
	DRE_ERR_SNAPSHOT_EXISTENCE = -132,	/* the snapshot already exists */
	DRE_ERR_SAVE_SNAPSHOT_FAILED = -133,	/* the snapshot was not saved */
	DRE_ERR_LOAD_SNAPSHOT_FAILED = -134,	/* the snapshot was not loaded */
	DRE_ERR_REMOVE_SNAPSHOT_FAILED = -135,	/* the snapshot or checkpoint was not removed */
	DRE_ERR_COMMIT_SNAPSHOT_FAILED = -136,	/* the snapshot was not committed */
	DRE_ERR_CGROUP_NONEXISTENCE = -141,	/* the control group does not exist */
	DRE_ERR_CGROUP_EXISTENCE = -142,	/* the control group already exists */
	DRE_ERR_PID_NONEXISTENCE = -143,	/* the process does not exist */
	DRE_ERR_SET_LIMIT_FAILED = -144,	/* the limit was not set */
	DRE_ERR_UNSET_LIMIT_FAILED = -145,	/* the limit was not removed */
	DRE_ERR_DESTROY_CGROUP_FAILED = -146,	/* the control group was not removed */
	DRE_ERR_DEVICE_BUSY = -151,		/* the device does not answer, or is in use */
	DRE_ERR_NO_TAP_AVAILABLE = -152,	/* no TAP device is available */
	DRE_ERR_NO_SOCKET_AVAILABLE = -153,	/* no socket is available */
	DRE_ERR_NFS_MOUNT_FAILED = -154,	/* the NFS share was not mounted */
	DRE_ERR_BIND_FAILED = -155,		/* the process was not bound */
	DRE_ERR_INVALID_HOSTNAME = -156,	/* invalid host name */
	DRE_ERR_NULL_POINTER = -201,		/* a pointer is NULL */
	DRE_ERR_REQUEST_TOO_LONG = -202		/* a name is too long */
} dre_err_t;

/** A name (section 1.1.3.2). */
typedef char *dre_name_t;

/** A list of names, which a NULL ends (section 1.1.3.1). */
typedef dre_name_t *dre_list_t;
#ifndef __cplusplus
typedef dre_list_t dre_list;	/* its name in some tables of the text; a struct of linux/dre.h has it, too */
#endif

/** What functions return (section 1.1.3.3): 0, or a dre_err_t. */
typedef int dre_return_t;

/**
 * dre_strerror() - name an error code
 * @err: what a function returned
 *
 * Returns a constant text, such as "the container is running", also for 0 and
 * for numbers that are no code. Never NULL; the caller must not free it.
 * An addition to the specification.
 */
const char *dre_strerror(dre_return_t err);

/**
 * dre_last_error() - say what exactly failed
 *
 * Call it right after a D-RE function has failed: returns one line without a
 * newline, what that function could not do for this thread and why, the cause
 * that liblxc, libvirt or the kernel gave included. It stays valid until the
 * thread calls the next D-RE function; the caller must not free it.
 * An addition to the specification.
 */
const char *dre_last_error(void);

/** A property of a container: an addition to the specification, see dre_app.h and dre_sys.h. */
typedef struct {
	const char *key;
	const char *value;	/* NULL: not set */
	/* In lists only: */
	const char *fallback;	/* what holds where it is not set; NULL: nothing */
	int at_start;		/* 1: a change holds from the container's next start on */
} dre_property;

/** What a control group has used: an addition to the specification, see dre_app.h and dre_sys.h. */
typedef struct {
	size_t size;			/* sizeof(dre_usage), before the call */
	unsigned long long cpu_time;	/* nanoseconds, since it was made */
	unsigned long long memory;	/* bytes that are resident */
	unsigned long long memsw;	/* and those that are swapped out */
	unsigned long long tasks;	/* processes and threads */
} dre_usage;

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* DRE_H */
