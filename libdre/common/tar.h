/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_COMMON_TAR_H
#define DRE_COMMON_TAR_H

#include "import.h"

/*
 * Unpacks the tar archive that @fd is open on, compressed with gzip, xz, zstd or not at all, into
 * the empty directory @dst. 0 or a DRE_ERR_* code with the error text set, which calls the
 * archive @what.
 */
int tar_unpack(int fd, int dst, const char *what, import_progress_fn progress, void *arg);

#endif /* DRE_COMMON_TAR_H */
