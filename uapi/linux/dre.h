/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface between user space and dre.ko, the D-RE kernel module.
 *
 * The module knows which processes are under D-RE's control. A process gets
 * there in one of two ways: it registers itself, with the signals that ask it
 * to terminate in good order, or a manager registers it for a container. A
 * container is known to the module from DRE_IOC_CONTAINER_CREATE until its
 * init process ends. It has control groups by name, to which processes are
 * bound and from which they return to where they came from.
 *
 * Requests go to one of two kinds of file:
 *
 *   /dev/dre        may be opened by everybody. The DRE_IOC_SELF_* requests
 *                   are about the calling process and need no privilege. All
 *                   others need CAP_SYS_ADMIN in the initial user namespace,
 *                   and a caller in the initial pid namespace (EPERM).
 *
 *   container fd    comes from DRE_IOC_CONTAINER_CREATE or _OPEN. It is the
 *                   authority over that one container, and may be passed on:
 *                   what is about processes in the container is not checked
 *                   again. Only to register a process of the host takes a
 *                   privileged caller. When the container's init process has
 *                   ended, requests on it fail with ENODEV, but for those that
 *                   release what is bound: DRE_IOC_GROUP_LIST, _BINDING_LIST and
 *                   _UNBIND.
 *
 * Numbers of processes (PIDs) are those of the caller's pid namespace. VPID is
 * the number of a process in the pid namespace of its container's init
 * process; it is 0 where the process is not visible there, and always 0 for a
 * container of type DRE_CONTAINER_SYS, whose processes live inside a machine.
 *
 * Rules that hold for every request:
 *
 *   - The first field is the size of the structure that the caller knows. A
 *     kernel that knows less accepts a larger one whose additional bytes are 0
 *     (else E2BIG); a kernel that knows more takes missing bytes as 0. A size
 *     below that of the first version is EINVAL, one above 4096 is E2BIG. The
 *     size that is part of a request's number is not looked at.
 *   - Unknown flags and reserved fields that are not 0 are EINVAL.
 *   - Unknown requests are ENOTTY; so is a request to the wrong kind of file.
 *   - Memory that cannot be read or written is EFAULT. Lack of memory is
 *     ENOMEM. These two may come from every request and are not listed below.
 *   - A request that fails has changed nothing, unless its text says so.
 */
#ifndef _UAPI_LINUX_DRE_H
#define _UAPI_LINUX_DRE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The name of a container or a control group: [A-Za-z0-9][A-Za-z0-9_.-]*, and a NUL. */
#define DRE_NAME_SIZE		64

/* The most signals that one process can register. Signals are 1 to 64. */
#define DRE_SIGNALS_MAX		64

/* Types of container. Each type is a name space of its own. */
#define DRE_CONTAINER_APP	1	/* init is process 1 of a pid namespace */
#define DRE_CONTAINER_SYS	2	/* init is the process of a virtual machine */

/**
 * struct dre_info - what this module can do (DRE_IOC_INFO)
 * @size: sizeof(struct dre_info)
 * @flags: must be 0
 * @features: out: DRE_FEATURE_* bits
 * @containers: out: containers that the module knows
 * @event_size: out: size of one record that a container fd gives to read(2)
 *
 * Errors: EPERM.
 */
struct dre_info {
	__u32 size;
	__u32 flags;
	__u64 features;
	__u32 containers;
	__u32 event_size;
};

/* All requests in this file but those that a later bit names. */
#define DRE_FEATURE_REGISTRY	(1ULL << 0)
/* DRE_IOC_GROUP_*, DRE_IOC_BIND, _UNBIND, _BINDING_LIST, and DRE_OPEN_ENDED. */
#define DRE_FEATURE_GROUPS	(1ULL << 1)

/**
 * struct dre_self - the calling process' own registration
 *	(DRE_IOC_SELF_REGISTER, DRE_IOC_SELF_UNREGISTER, DRE_IOC_SELF_REFUSE)
 * @size: sizeof(struct dre_self)
 * @flags: must be 0
 * @nr_signals: how many elements of @signals count
 * @reserved: must be 0
 * @signals: signal numbers, in the order in which they were registered;
 *	elements from @nr_signals on must be 0
 *
 * SELF_REGISTER replaces the calling process' list of signals by @signals, so
 * registering twice is success. DRE_IOC_CONTAINER_TERMINATE sends the first one.
 * The registration belongs to the process, not to the file: the file may be
 * closed. It ends with SELF_UNREGISTER, with execve(2), with the process, or
 * when a manager unregisters the process; fork(2) does not inherit it.
 * Errors: EINVAL: no signal, more than DRE_SIGNALS_MAX, a number that is not a
 * signal, SIGKILL or SIGSTOP, or the same signal twice.
 *
 * SELF_UNREGISTER takes it back; @nr_signals must be 0. A registration that a
 * manager made beside it stays.
 * Errors: ENOENT: the process has not registered itself.
 *
 * SELF_REFUSE says that the process got signal @signals[0] and will not
 * terminate; @nr_signals must be 1. Managers that hold a fd of its container
 * read a DRE_EVENT_REFUSED.
 * Errors: ENOENT: the process has not registered itself for that signal;
 * EINVAL: @nr_signals is not 1.
 */
struct dre_self {
	__u32 size;
	__u32 flags;
	__u32 nr_signals;
	__u32 reserved;
	__u8  signals[DRE_SIGNALS_MAX];
};

/**
 * struct dre_container_create - make a container known
 *	(DRE_IOC_CONTAINER_CREATE)
 * @size: sizeof(struct dre_container_create)
 * @flags: must be 0
 * @type: DRE_CONTAINER_APP or DRE_CONTAINER_SYS
 * @pid: PID of its init process
 * @fd: out: a container fd, close-on-exec; undefined after a failure
 * @reserved: must be 0
 * @name: its name
 *
 * The container ends when its init process ends; with it go its name, the
 * registrations that managers made for it, and its control groups. Closing the
 * fd does not end it. A container whose init process was ended does not stand in
 * the way of a new one with its name. Processes that are still bound to its
 * control groups, which are the host's, stay bound until they are unbound: see
 * DRE_OPEN_ENDED.
 *
 * Errors: EPERM; EINVAL: bad name or type, @pid is not positive, is a thread
 * that does not lead its group, is a kernel thread, or, for DRE_CONTAINER_APP,
 * is not process 1 of a pid namespace below the initial one; ESRCH: no such
 * process, or it has ended; EEXIST: the name is taken; EBUSY: the process is init of another
 * container; EMFILE, ENFILE: no more files.
 */
struct dre_container_create {
	__u32 size;
	__u32 flags;
	__u32 type;
	__s32 pid;
	__s32 fd;
	__u32 reserved;
	char  name[DRE_NAME_SIZE];
};

/**
 * struct dre_container_open - open a container that is known
 *	(DRE_IOC_CONTAINER_OPEN)
 * @size: sizeof(struct dre_container_open)
 * @flags: 0, or DRE_OPEN_ENDED
 * @type: DRE_CONTAINER_APP or DRE_CONTAINER_SYS
 * @fd: out: a container fd, close-on-exec; undefined after a failure
 * @name: its name
 *
 * With DRE_OPEN_ENDED it is a container of that name whose init process has
 * ended while processes were bound to its control groups, and some still are: of
 * several the one that ended first. Whoever cleans up unbinds them and looks for
 * the next one. Its fd reads as that of every container that has ended: 0 bytes.
 *
 * Errors: EPERM; EINVAL: bad name or type; ENOENT: no such container; EMFILE,
 * ENFILE: no more files.
 */
struct dre_container_open {
	__u32 size;
	__u32 flags;
	__u32 type;
	__s32 fd;
	char  name[DRE_NAME_SIZE];
};

#define DRE_OPEN_ENDED		(1U << 0)

/**
 * struct dre_container_info - one container
 * @type: DRE_CONTAINER_APP or DRE_CONTAINER_SYS
 * @pid: PID of its init process
 * @name: its name
 */
struct dre_container_info {
	__u32 type;
	__s32 pid;
	char  name[DRE_NAME_SIZE];
};

/**
 * struct dre_process_info - one process
 * @pid: its PID
 * @vpid: its VPID
 * @flags: DRE_PROCESS_* bits
 * @nr_signals: how many elements of @signals count
 * @signals: the signals it terminates on, in order
 */
struct dre_process_info {
	__s32 pid;
	__s32 vpid;
	__u32 flags;
	__u32 nr_signals;
	__u8  signals[DRE_SIGNALS_MAX];
};

#define DRE_PROCESS_SELF	(1U << 0)	/* registered itself */
#define DRE_PROCESS_MANAGED	(1U << 1)	/* was registered by a manager */

/**
 * struct dre_group_info - one control group
 * @id: its number in the container, which another one does not get soon
 * @bindings: how many processes are bound to it
 * @cgroup: the number of its cgroup, which is the inode of its directory
 * @name: its name
 */
struct dre_group_info {
	__u32 id;
	__u32 bindings;
	__u64 cgroup;
	char  name[DRE_NAME_SIZE];
};

/**
 * struct dre_binding_info - one process that is bound to a control group
 * @pid: its PID
 * @vpid: its VPID
 * @group: the number of the control group, see struct dre_group_info
 * @reserved: is 0
 */
struct dre_binding_info {
	__s32 pid;
	__s32 vpid;
	__u32 group;
	__u32 reserved;
};

/**
 * struct dre_list - a list, or the part of it that has room
 *	(DRE_IOC_CONTAINER_LIST, DRE_IOC_PROCESS_LIST, DRE_IOC_GROUP_LIST,
 *	DRE_IOC_BINDING_LIST)
 * @size: sizeof(struct dre_list)
 * @flags: must be 0
 * @entries: address of an array of struct dre_container_info
 *	(CONTAINER_LIST), struct dre_process_info (PROCESS_LIST), struct
 *	dre_group_info (GROUP_LIST) or struct dre_binding_info (BINDING_LIST)
 * @entry_size: size of one element of that array as the caller knows it; a
 *	kernel that knows more fills as much, one that knows less fills the rest
 *	with 0
 * @count: in: elements in the array; out: how many were filled
 * @cursor: in: 0 to begin, else what the last request returned; out: where to
 *	go on, 0 when the list is complete
 *
 * A @cursor is a position; one that no request returned is harmless.
 *
 * PROCESS_LIST goes to a container fd and gives the processes of that
 * container that the caller can see, by rising PID; BINDING_LIST likewise those
 * that are bound to its control groups, and in fact in them; GROUP_LIST its
 * control groups, by rising number. CONTAINER_LIST goes to /dev/dre. An element
 * that exists throughout a whole walk is seen exactly once; what comes or goes
 * meanwhile is seen at most once.
 *
 * Errors: EPERM (CONTAINER_LIST); EINVAL: @count is 0 or @entry_size below that
 * of the first version; E2BIG: @entry_size is above 4096; ENODEV (PROCESS_LIST).
 * After EFAULT some elements may have been filled.
 */
struct dre_list {
	__u32 size;
	__u32 flags;
	__u64 entries;
	__u32 entry_size;
	__u32 count;
	__u64 cursor;
};

/**
 * struct dre_process - register or unregister a process for a container
 *	(DRE_IOC_PROCESS_REGISTER, DRE_IOC_PROCESS_UNREGISTER)
 * @size: sizeof(struct dre_process)
 * @flags: DRE_REGISTER_BY_VPID: @pid is a VPID
 *	DRE_REGISTER_SELF: make the registration that the process would have made
 *	with DRE_IOC_SELF_REGISTER (after a restart from a checkpoint, say)
 * @pid: the process
 * @nr_signals: how many elements of @signals count, 0 for none
 * @signals: signals that the process terminates on, in order; elements from
 *	@nr_signals on must be 0
 *
 * REGISTER puts a process that lives in the container, or in no container,
 * under the control of D-RE, for this container. @signals is used for as long
 * as the process has not registered signals of its own. Registering again
 * replaces @signals and is success.
 * Errors: EINVAL: @pid is not positive, is not the leader of its thread group
 * or is a kernel thread; @signals as for DRE_IOC_SELF_REGISTER; DRE_REGISTER_SELF
 * without signals, or for a process that does not live in the container;
 * ESRCH: no such process, or it has ended; EPERM: it lives in no container, and
 * the caller may not manage; EBUSY: it is registered for another container;
 * EXDEV: it lives in another container; ENODEV.
 *
 * UNREGISTER takes a process of this container out of D-RE's control, however
 * it got there; @nr_signals must be 0 and DRE_REGISTER_SELF must not be set.
 * Errors: EINVAL, ESRCH: as above; ENOENT: it is not registered here; ENODEV.
 */
struct dre_process {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 nr_signals;
	__u8  signals[DRE_SIGNALS_MAX];
};

#define DRE_REGISTER_BY_VPID	(1U << 0)
#define DRE_REGISTER_SELF	(1U << 1)

/**
 * struct dre_translate - PIDs to VPIDs, or VPIDs to PIDs (DRE_IOC_TRANSLATE)
 * @size: sizeof(struct dre_translate)
 * @flags: 0: @from holds PIDs, @to gets VPIDs; DRE_TRANSLATE_TO_PID: the
 *	opposite
 * @from: address of an array of __s32
 * @to: address of an array of __s32, which may be the same
 * @count: elements of each
 * @reserved: must be 0
 *
 * The processes need not be registered; numbers of threads are translated too.
 * A number that names nothing, or something that is not visible on the other
 * side, gives 0. The arrays are the same or do not overlap.
 *
 * Errors: EINVAL: @count is 0; ENODEV, for a DRE_CONTAINER_SYS always: it has
 * no pid namespace. After EFAULT a part of @to may have been written.
 */
struct dre_translate {
	__u32 size;
	__u32 flags;
	__u64 from;
	__u64 to;
	__u32 count;
	__u32 reserved;
};

#define DRE_TRANSLATE_TO_PID	(1U << 0)

/**
 * struct dre_terminate - ask the processes of a container to terminate
 *	(DRE_IOC_CONTAINER_TERMINATE)
 * @size: sizeof(struct dre_terminate)
 * @flags: must be 0
 * @signalled: out: processes that a signal was sent to
 * @silent: out: registered processes that have no signal, and got none
 *
 * Each process gets the first of its signals. A container fd that was opened
 * before tells how each of them reacts: DRE_EVENT_EXITED,
 * DRE_EVENT_UNREGISTERED or DRE_EVENT_REFUSED. The signal comes from the kernel
 * (si_code SI_KERNEL), to those that live in the container first, by rising VPID,
 * then to those of the host. Processes that are frozen get it when they
 * are thawed; those that ignore it count as signalled; those that register
 * meanwhile may get one. Who has unregistered gets none after that, but a
 * signal that was sent before stays pending, also across execve(2).
 *
 * Errors: ENODEV. After EFAULT signals may have been sent.
 */
struct dre_terminate {
	__u32 size;
	__u32 flags;
	__u32 signalled;
	__u32 silent;
};

/**
 * struct dre_group - make a control group known, or forget it
 *	(DRE_IOC_GROUP_CREATE, DRE_IOC_GROUP_DESTROY)
 * @size: sizeof(struct dre_group)
 * @flags: must be 0
 * @fd: CREATE: of the directory of a cgroup (cgroup2), O_PATH will do;
 *	DESTROY: must be 0
 * @id: CREATE: out: its number, see struct dre_group_info, undefined after a
 *	failure; DESTROY: must be 0
 * @name: its name
 *
 * The cgroup is made and removed by user space. The module keeps it from being
 * freed, not from being removed: a control group whose directory was removed
 * does not exist any more, and its name is free.
 *
 * CREATE errors: EINVAL: bad name; EBADF: @fd is not open, or is not the
 * directory of a cgroup; EOPNOTSUPP: it is that of a cgroup of version 1; EACCES,
 * EPERM: the caller may not write to its cgroup.procs, whoever opened it; EEXIST:
 * the container has one of that name; EBUSY: the cgroup is another control group
 * of the container; ENOENT: the directory was removed; ENOSPC: the container has
 * DRE_GROUPS_MAX; ENODEV.
 *
 * DESTROY errors: EINVAL: bad name; ENOENT: no such control group; EBUSY:
 * processes are bound to it; ENODEV.
 */
struct dre_group {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 id;
	char  name[DRE_NAME_SIZE];
};

/* The most control groups of a container. */
#define DRE_GROUPS_MAX		1024

/**
 * struct dre_bind - bind a process to a control group, or release it
 *	(DRE_IOC_BIND, DRE_IOC_UNBIND)
 * @size: sizeof(struct dre_bind)
 * @flags: 0, or DRE_BIND_BY_VPID: @pid is a VPID
 * @pid: the process
 * @reserved: must be 0
 * @name: the control group
 *
 * BIND moves a process that lives in the container, or in no container, into the
 * cgroup, with all its threads, and notes where it came from. One that is bound to
 * another control group of the container moves, and keeps its origin; binding
 * again is success. The move is done with the rights of the caller, as if it
 * wrote to the cgroup's cgroup.procs, and so are UNBIND's. Processes that it
 * forks are in the cgroup and not bound. A process that somebody else moved out
 * of the cgroup is not bound any more.
 *
 * UNBIND moves the process back to where it came from, as a whole: if its threads
 * were in several threaded cgroups, to the domain of these. If that cgroup was
 * removed, or is this one because the process was in it already, then a process of
 * the container goes to the cgroup of its init, which may be this one, one of the
 * host to the root cgroup. A process that ends is unbound.
 *
 * Errors: EINVAL: bad name, @pid is not positive, is not the leader of its
 * thread group or is a kernel thread; ESRCH: no such process, it has ended, or
 * the caller cannot see it; EXDEV (BIND): it lives in another container; EBUSY
 * (BIND): it is bound for another container; ENOENT: no such control group, or
 * (UNBIND) the process is not bound to it; ENODEV (BIND); ESTALE: it ended
 * meanwhile, another process that had got its number was moved in its place and
 * put back into its parent's cgroup, as far as the caller may; if it is only one
 * of its threads that had got the number, then it was not put back; EAGAIN:
 * somebody else moved it at the same time; EINTR: while somebody's lease on the
 * file was waited for. When the container ends meanwhile
 * (ENODEV), the process is moved back, as far as the caller may.
 * Those of the move: EACCES, EPERM: the caller may not; EBUSY: the cgroup has
 * controllers enabled for its children; EOPNOTSUPP: it is in an invalid domain;
 * EROFS: its directory was on a read-only mount; ENOENT: it is not below the root
 * of the caller's cgroup namespace, or was removed; ENFILE: no more files; and
 * others of the cgroup's controllers.
 */
struct dre_bind {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 reserved;
	char  name[DRE_NAME_SIZE];
};

#define DRE_BIND_BY_VPID	(1U << 0)

/**
 * struct dre_event - what read(2) on a container fd returns
 * @type: DRE_EVENT_*
 * @pid: PID of the process, in the reader's pid namespace; 0: none, or not
 *	visible there
 * @vpid: its VPID
 * @value: by type, see there
 * @time: CLOCK_BOOTTIME of the host in nanoseconds
 *
 * Each container fd has a queue of its own for DRE_EVENTS_MAX events, filled
 * from the moment it is opened. read(2) returns as many whole events as fit,
 * waits for one if there is none (EAGAIN with O_NONBLOCK), and returns 0 when
 * the container has ended and all was read; a buffer below the size of one
 * event is EINVAL. poll(2) says POLLIN while there is something to read, and
 * POLLHUP when the container has ended. What has no room is counted, and
 * DRE_EVENT_LOST stands in its place. The container's end is never lost: it is
 * the last event, after the exits of its processes. A registration that
 * execve(2) ends gives no event then, but when the process exits, registers
 * again or is unregistered, even where DRE_IOC_SELF_UNREGISTER finds no valid
 * one: each registration ends with one event.
 */
struct dre_event {
	__u32 type;
	__s32 pid;
	__s32 vpid;
	__u32 value;
	__u64 time;
};

/* The most events that wait in one container fd, LOST and ENDED included. */
#define DRE_EVENTS_MAX		128

#define DRE_EVENT_REGISTERED	1	/* also again; value: DRE_PROCESS_* bit that was made */
#define DRE_EVENT_UNREGISTERED	2	/* value: DRE_PROCESS_* bits that went */
#define DRE_EVENT_EXITED	3	/* value: status, as wait(2) gives it */
#define DRE_EVENT_REFUSED	4	/* value: the signal */
#define DRE_EVENT_ENDED		5	/* container ended; pid: its init; value: its status */
#define DRE_EVENT_LOST		6	/* value: events that had no room; list again */
#define DRE_EVENT_BOUND		7	/* value: number of the control group */
#define DRE_EVENT_UNBOUND	8	/* likewise; also when a bound process has ended */

#define DRE_IOC_MAGIC		0xDE

/* Requests to /dev/dre. */
#define DRE_IOC_INFO			_IOWR(DRE_IOC_MAGIC, 0x00, struct dre_info)
#define DRE_IOC_SELF_REGISTER		_IOW(DRE_IOC_MAGIC, 0x01, struct dre_self)
#define DRE_IOC_SELF_UNREGISTER		_IOW(DRE_IOC_MAGIC, 0x02, struct dre_self)
#define DRE_IOC_SELF_REFUSE		_IOW(DRE_IOC_MAGIC, 0x03, struct dre_self)
#define DRE_IOC_CONTAINER_CREATE	_IOWR(DRE_IOC_MAGIC, 0x04, struct dre_container_create)
#define DRE_IOC_CONTAINER_OPEN		_IOWR(DRE_IOC_MAGIC, 0x05, struct dre_container_open)
#define DRE_IOC_CONTAINER_LIST		_IOWR(DRE_IOC_MAGIC, 0x06, struct dre_list)

/* Requests to a container fd. */
#define DRE_IOC_PROCESS_REGISTER	_IOW(DRE_IOC_MAGIC, 0x20, struct dre_process)
#define DRE_IOC_PROCESS_UNREGISTER	_IOW(DRE_IOC_MAGIC, 0x21, struct dre_process)
#define DRE_IOC_PROCESS_LIST		_IOWR(DRE_IOC_MAGIC, 0x22, struct dre_list)
#define DRE_IOC_TRANSLATE		_IOW(DRE_IOC_MAGIC, 0x23, struct dre_translate)
#define DRE_IOC_CONTAINER_TERMINATE	_IOWR(DRE_IOC_MAGIC, 0x24, struct dre_terminate)
#define DRE_IOC_GROUP_CREATE		_IOWR(DRE_IOC_MAGIC, 0x25, struct dre_group)
#define DRE_IOC_GROUP_DESTROY		_IOW(DRE_IOC_MAGIC, 0x26, struct dre_group)
#define DRE_IOC_GROUP_LIST		_IOWR(DRE_IOC_MAGIC, 0x27, struct dre_list)
#define DRE_IOC_BIND			_IOW(DRE_IOC_MAGIC, 0x28, struct dre_bind)
#define DRE_IOC_UNBIND			_IOW(DRE_IOC_MAGIC, 0x29, struct dre_bind)
#define DRE_IOC_BINDING_LIST		_IOWR(DRE_IOC_MAGIC, 0x2a, struct dre_list)

#endif /* _UAPI_LINUX_DRE_H */
