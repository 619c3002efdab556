/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Base images from disks.
 */
#ifndef DRE_COMMON_IMPORT_DISK_H
#define DRE_COMMON_IMPORT_DISK_H

#include "import.h"

/*
 * Makes base image @name of @source: a qcow2 image that stands alone, or else the raw content of a
 * disk, a file or a block device. What is zero takes no space. @progress may be NULL; its
 * numbers are parts of the whole, not bytes.
 *
 * DRE_ERR_BASE_EXISTENCE; DRE_ERR_INVALID_ARGUMENT if @source is not there, is none of these, is
 * damaged, encrypted, or names another file, which is nothing that somebody else's image may decide.
 * DRE_ERR_DEVICE_BUSY: also while somebody writes to the image.
 */
int import_disk(struct store *store, const char *name, const char *source,
		import_progress_fn progress, void *arg);

#endif /* DRE_COMMON_IMPORT_DISK_H */
