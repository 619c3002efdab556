/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control groups' file system (v2 only).
 */
#ifndef DRE_COMMON_CGROUPFS_H
#define DRE_COMMON_CGROUPFS_H

#include <stdbool.h>

/*
 * Opens the root of the unified hierarchy and stores its fd (a directory, close-on-exec),
 * which the caller closes. DRE_ERR_CGROUP_NONEXISTENCE if the host has none.
 */
int cgroupfs_open(int *fd);

/*
 * Removes the group at @path below the root ("dre/app/web"), with all groups
 * in it; success if it is not there. No process is killed or moved: where one
 * is still in it, DRE_ERR_CONTAINER_BUSY names the process and its group, and
 * groups without processes may be gone.
 */
int cgroupfs_remove(const char *path);

/*
 * Kills all processes in the group at @path and below, and waits until they
 * are gone; success if the group is not there. DRE_ERR_CONTAINER_BUSY names one
 * that would not die.
 */
int cgroupfs_kill(const char *path);

/*
 * Freezes all processes in the group at @path and below, or thaws them; success
 * if it is not there. DRE_ERR_DEVICE_BUSY: one cannot be frozen (in a system call
 * that does not end, say); thaw it then.
 */
int cgroupfs_freeze(const char *path, bool freeze);

/* Are there processes in the group at @path or below? False if it is not there. */
int cgroupfs_populated(const char *path, bool *populated);

/* Is the group at @path told to be frozen? False if it is not there. */
int cgroupfs_frozen(const char *path, bool *frozen);

#endif /* DRE_COMMON_CGROUPFS_H */
