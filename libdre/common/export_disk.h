/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The disks of base images and of containers as qcow2 images that stand alone, as import_disk.h takes them
 * back. Functions return 0 or a DRE_ERR_* code with the error text set.
 */
#ifndef DRE_COMMON_EXPORT_DISK_H
#define DRE_COMMON_EXPORT_DISK_H

#include "container.h"
#include "import.h"

/* Where an image goes, and how. */
struct export_disk {
	int fd;				/* of a file; what is in it is lost */
	const char *compression;	/* "zlib", "zstd"; NULL: none */
	import_progress_fn progress;	/* may be NULL; its numbers are parts of the whole, not bytes */
	void *arg;
};

/* DRE_ERR_INVALID_ARGUMENT: the compression is not known, or the fd is none of a file that can be written to. */
int export_disk_check(const struct export_disk *to);

/* All that is in base image @name. DRE_ERR_BASE_NONEXISTENCE. */
int export_disk_base(struct store *store, const char *name, const struct export_disk *to);

/* The same for a container, which is locked and stopped. */
int export_disk_container(struct container *c, const struct export_disk *to);

#endif /* DRE_COMMON_EXPORT_DISK_H */
