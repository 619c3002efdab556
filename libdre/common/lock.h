/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store's locks: open file description locks (F_OFD_SETLK), which exclude
 * threads and processes alike, work on NFS, and vanish with their holder.
 *
 * In the order in which they are taken:
 *
 *	containers/NAME/lock, LOCK_SETTLE
 *				exclusive, only ever tried: whoever has LOCK_CHANGE only cleans up
 *				what has stopped; that is waited for, and is not "busy"
 *	containers/NAME/lock, LOCK_CHANGE
 *				exclusive, only ever tried: the container is "busy"
 *	lock, LOCK_PORTS	exclusive: starts a container that has a port of the host, or reserves
 *				one, and so must know those of all others
 *	lock, LOCK_CHANGE	shared: makes or removes layers and manifests;
 *				exclusive, only ever tried: moves what is unnamed to trash/
 *	lock, LOCK_NAMES	exclusive: chooses by reading other manifests and then writes one
 *				(an id range, whether a base is in use), or gives one another name, under
 *				which who reads them may have looked already
 *	lock, LOCK_TRASH	exclusive: empties trash/; waited for only where a remover has it, see trash.c
 */
#ifndef DRE_COMMON_LOCK_H
#define DRE_COMMON_LOCK_H

#include <fcntl.h>
#include <stdbool.h>

/* Bytes of a lock file, each a lock of its own. */
enum lock_byte {
	LOCK_CHANGE,
	LOCK_NAMES,
	LOCK_SETTLE = LOCK_NAMES,	/* in a container's lock file */
	LOCK_TRASH,
	LOCK_PORTS,
};

/*
 * @type is F_RDLCK (shared), F_WRLCK (exclusive) or F_UNLCK. lock_try()
 * returns -EAGAIN at once if somebody else has it, lock_wait() waits.
 */
int lock_try(int fd, enum lock_byte byte, short type);
int lock_wait(int fd, enum lock_byte byte, short type);

/* Gives it up also where a child process has inherited @fd. */
void lock_release(int fd, enum lock_byte byte);

/* Would lock_try(F_WRLCK) fail? */
int lock_test(int fd, enum lock_byte byte, bool *held);

#endif /* DRE_COMMON_LOCK_H */
