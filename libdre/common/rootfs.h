/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The root file system of an application container: overlayfs over its chain
 * of layers, mounted at a directory that liblxc takes as a plain one.
 *
 * In a user namespace ("idmap" setting) files that are 0-based on the disk
 * belong to the namespace's ids there. Mounting happens in the caller's mount
 * namespace and is atomic: killed at any instant, the file system is there or
 * it is not, and nothing else is. The caller's working directory, credentials
 * and namespaces are never touched, not even for a moment.
 */
#ifndef DRE_COMMON_ROOTFS_H
#define DRE_COMMON_ROOTFS_H

#include <stdbool.h>

#include "container.h"
#include "manifest.h"
#include "store.h"

/* Immutable layers that one mount takes: what fits into mount(2)'s one page of options. */
#define ROOTFS_MAX_LAYERS 440

/*
 * Mounts the container's root at the directory @where. Mounted already with the same writable layer: success.
 * DRE_ERR_REQUEST_TOO_LONG: more than ROOTFS_MAX_LAYERS layers.
 * DRE_ERR_DEVICE_BUSY: something else is mounted there, a layer is missing,
 * or the kernel refuses; the text says which.
 */
int rootfs_mount(const struct container *c, const char *where);

/*
 * Mounts all that the container is made of, the writable layer included, for reading, with the ids
 * that files have in the store. It is attached nowhere: the caller closes @fd, and it is gone.
 */
int rootfs_mount_detached(struct store *store, const char *name, const struct manifest *m, int *fd);

/*
 * Unmounts it; success if it is not mounted. DRE_ERR_CONTAINER_BUSY: a process still uses it, with @wait after half
 * a second, or something is mounted on it.
 */
int rootfs_unmount(const char *name, const char *where, bool wait);

/* Is something mounted at @where, which may not exist? */
int rootfs_mounted(const char *name, const char *where, bool *mounted);

#endif /* DRE_COMMON_ROOTFS_H */
