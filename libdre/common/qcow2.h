/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the store has to know of QEMU's disk format: how an image begins, and how an empty one on top of
 * another looks. Everything about the content is QEMU's business.
 *
 * An empty overlay is four clusters, three of them holes, which the format's specification (QEMU's
 * docs/interop/qcow2.txt) fixes for all time. So a snapshot needs no other program, no
 * daemon, and no look at what is below; and the fd that is written is the one that is brought to
 * the disk.
 *
 * Functions return 0 or a negative errno: -EINVAL for what is no such image, -EBADMSG for what is a
 * damaged one, or of a version that is not known.
 */
#ifndef DRE_COMMON_QCOW2_H
#define DRE_COMMON_QCOW2_H

#include <stdbool.h>
#include <stdint.h>

struct qcow2 {
	uint64_t size;		/* of the disk that a guest sees, in bytes */
	bool backed;		/* there is another image below it */
	bool external;		/* its data are in another file */
	bool encrypted;
};

/* Reads how the image open as @fd begins. */
int qcow2_read(int fd, struct qcow2 *image);

#define QCOW2_MAX_NAME	1023	/* bytes, the format's limit */

#define QCOW2_MAX_FORMAT 15	/* bytes in the name of a format: QEMU's limit */

/* What an image says that it is on top of. */
struct qcow2_below {
	char name[QCOW2_MAX_NAME + 1];		/* "": nothing */
	char format[QCOW2_MAX_FORMAT + 1];	/* "": whatever it looks like */
};

/*
 * Reads how the image open as @fd begins, and what it says is below it. -EBADMSG also if its name is not in the
 * file, or is not one that all would read alike.
 */
int qcow2_read_below(int fd, struct qcow2 *image, struct qcow2_below *below);

/* Names another image of the same format below it, whose name is as long, and brings that to the disk. */
int qcow2_rename_below(int fd, const char *name);

/*
 * Has nothing been written yet into an image that was made here? What is written comes behind all that it has in the
 * beginning, of which the table of the disk's data is the last.
 */
int qcow2_is_unwritten(int fd, bool *unwritten);

/*
 * Makes a new image @name in @dir_fd, of mode 0600, in which nothing has been written yet, on top of
 * the qcow2 image @below in the same directory. It names that without a directory, so that all of
 * them can be moved.
 */
int qcow2_make_overlay(int dir_fd, const char *name, const char *below);

/* The same on top of @device, which has a disk of @size bytes as it is; its path is absolute. */
int qcow2_make_on_device(int dir_fd, const char *name, const char *device, uint64_t size);

#define QCOW2_MAX_BELOW 255	/* bytes in the name of what is below */

#endif /* DRE_COMMON_QCOW2_H */
