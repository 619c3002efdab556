/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control groups' file system (v2 only).
 */
#ifndef DRE_COMMON_CGROUPFS_H
#define DRE_COMMON_CGROUPFS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens the root of the unified hierarchy and stores its fd (a directory, close-on-exec),
 * which the caller closes. DRE_ERR_CGROUP_NONEXISTENCE if the host has none.
 */
int cgroupfs_open(int *fd);

/* Makes the group at @path below the root ("dre/app/web/ui"). DRE_ERR_CGROUP_EXISTENCE. */
int cgroupfs_create(const char *path);

/*
 * Gives the groups in the one at @path these controllers ("cpu memory"), and all above it, from the root
 * on: a group can pass on what it has got itself.
 */
int cgroupfs_enable(const char *path, const char *controllers);

/*
 * Makes the group at @path and those above it, as far as they are not there, and gives the groups in it what
 * the host has of these controllers.
 */
int cgroupfs_make_parent(const char *path, const char *controllers);

/*
 * Opens the group at @path and stores its fd (a directory, close-on-exec), which the caller closes.
 * DRE_ERR_CGROUP_NONEXISTENCE.
 */
int cgroupfs_open_group(const char *path, int *fd);

/*
 * Reads and writes the file @file of the group @group. Both return 0 or a negative errno and set no
 * error text: what a refusal means is for the caller to say. The value has no newline at its end.
 */
int cgroupfs_get(int group, const char *file, char *value, size_t size);
int cgroupfs_set(int group, const char *file, const char *value);

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

/*
 * Moves the processes in the group at @path, but not those below it, to where their parents are: what
 * a process forked that was in it for a time. No error: who is still there shows when it is removed.
 */
void cgroupfs_move_out(const char *path);

/* The group that the process is in, as paths are here; the caller frees it. NULL: it is gone. */
char *cgroupfs_of(long pid);

/* Is the process in the group at @path or below? -ESRCH if there is no such process. */
int cgroupfs_contains(const char *path, long pid, bool *contains);

/* Are there processes in the group at @path or below? False if it is not there. */
int cgroupfs_populated(const char *path, bool *populated);

/* Does the group at @path give controllers to those in it? Most of them keep processes out of it (EBUSY). */
bool cgroupfs_passes_on(const char *path);

/* Is the group at @path told to be frozen? False if it is not there. */
int cgroupfs_frozen(const char *path, bool *frozen);

#endif /* DRE_COMMON_CGROUPFS_H */
