/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Base images from a directory or from a tar archive.
 */
#ifndef DRE_COMMON_IMPORT_H
#define DRE_COMMON_IMPORT_H

#include <stdint.h>

#include "store.h"

/*
 * Called now and then while a base is imported: @done of @total bytes of the
 * source are read (file data of a directory; bytes of the archive's file). @total is 0 where
 * it is not known beforehand.
 */
typedef void (*import_progress_fn)(void *arg, uint64_t done, uint64_t total);

/*
 * Makes base image @name from @source: a directory, or a tar archive, also
 * compressed with gzip, xz or zstd. Owners (by number), modes, times, extended
 * attributes, access lists, hard links, holes and device nodes are kept. @progress may be
 * NULL.
 *
 * DRE_ERR_BASE_EXISTENCE; DRE_ERR_INVALID_ARGUMENT if @source is not there, is
 * neither of both, is damaged, has a member outside of itself ("..", through a symbolic link)
 * or has no /sbin/init that can be executed. Nothing is left behind then.
 */
int import_base(struct store *store, const char *name, const char *source,
		import_progress_fn progress, void *arg);

#endif /* DRE_COMMON_IMPORT_H */
