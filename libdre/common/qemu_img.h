/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu-img(1), for what reads or writes the content of disks.
 */
#ifndef DRE_COMMON_QEMU_IMG_H
#define DRE_COMMON_QEMU_IMG_H

#include <stdint.h>

/* Called now and then with how much is done, in hundredths of a percent: @done of 10000. */
typedef void (*qemu_img_progress_fn)(void *arg, uint64_t done, uint64_t total);

/* What is to be copied, and where to. */
struct qemu_img_convert {
	int dir_fd;		/* where relative names begin */
	const char *source;	/* as qemu-img takes it: also "json:{...}" */
	const char *format;	/* of the source; NULL: it says so itself */
	const char *compression;	/* of the new image: "zlib", "zstd"; NULL: none */
	int source_fd;		/* one that @source names as QEMU_IMG_SOURCE, somebody else's; -1: none */
	int fd;			/* of the new image, an empty file */
	const char *what;	/* for error texts */
	qemu_img_progress_fn progress;	/* may be NULL */
	void *arg;
};

/* The number that qemu-img has for .source_fd. */
#define QEMU_IMG_SOURCE "/proc/self/fd/4"

/*
 * Makes a qcow2 image of all that is in the source and what is below that. 0 or a DRE_ERR_* code with
 * the error text set, which has what qemu-img says: DRE_ERR_INVALID_ARGUMENT if it does not like the
 * source, DRE_ERR_DEVICE_BUSY if it cannot be run, or there is no space.
 */
int qemu_img_convert(const struct qemu_img_convert *convert);

/* Is the source whole? Errors as above; the target is not used. */
int qemu_img_check(const struct qemu_img_convert *convert);

/* Makes the disk of the qcow2 image @name in @dir_fd @size bytes large, which must be more than it is. */
int qemu_img_grow(int dir_fd, const char *name, uint64_t size, const char *what);

/*
 * Puts the qcow2 image @name in @dir_fd on top of @below, one of the images that are below it already: what is in those
 * between is in @name then.
 */
int qemu_img_rebase(int dir_fd, const char *name, const char *below, const char *what);

#endif /* DRE_COMMON_QEMU_IMG_H */
