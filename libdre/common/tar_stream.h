/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libarchive reads a tar archive from: decompressed, and so that neither the compression nor the
 * archive can have it take any amount of memory.
 */
#ifndef DRE_COMMON_TAR_STREAM_H
#define DRE_COMMON_TAR_STREAM_H

#include <stdint.h>

struct archive;
struct tar_stream;

/* NULL: no memory. archive_lib_load() comes first. */
struct tar_stream *tar_stream_new(int fd);
void tar_stream_free(struct tar_stream *s);

/* ARCHIVE_OK or an error. */
int tar_stream_open(struct tar_stream *s, struct archive *archive);

/* Between two of these, libarchive reads no more than it may keep of it. */
void tar_stream_go_on(struct tar_stream *s);

/* What is wrong with it, or NULL. */
const char *tar_stream_error(const struct tar_stream *s);

/* How much of the file has been read. */
uint64_t tar_stream_bytes(const struct tar_stream *s);

#endif /* DRE_COMMON_TAR_STREAM_H */
