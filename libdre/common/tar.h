/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_COMMON_TAR_H
#define DRE_COMMON_TAR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "import.h"

/*
 * For files that come into a container or leave it, whose root is not the host's: what becomes of
 * them on the way. Of their extended attributes only those in user. go along.
 */
struct tar_filter {
	/* 0, or what is wrong with such a file, as an error text goes on. */
	const char *(*change)(const struct tar_filter *filter, mode_t *mode, uid_t *uid, gid_t *gid);
	uint32_t first;		/* the container's range of ids; none if @count is 0 */
	uint32_t count;
};

/*
 * Unpacks the tar archive that @fd is open on, compressed with gzip, xz, zstd or not at all, into
 * a directory. Files take the place of those that are there, a directory that is there stays. 0 or
 * a DRE_ERR_* code with the error text set, which calls the archive target->what.
 */
struct tar_target {
	int dir;
	const char *what;
	const struct tar_filter *filter;	/* NULL: all as it is */
	bool optional;		/* extended attributes: only where the file system has such */
	import_progress_fn progress;
	void *arg;
};

int tar_unpack(int fd, const struct tar_target *target);

/* What is packed, and how. */
struct tar_source {
	int dir;		/* a directory */
	const char *entry;	/* what of it; "." is the directory itself */
	const char *member;	/* its path in the archive; "." leaves the entries' own paths */
	const char *what;	/* for error texts, which name files below it */
	bool content;		/* without the directory itself */
	const struct tar_filter *filter;	/* NULL: all as it is */
	const char *compression;	/* "gzip", "xz", "zstd"; NULL: none */
	import_progress_fn progress;	/* may be NULL; the total is not known */
	void *arg;
};

/* Is it one of those above? 0 or DRE_ERR_INVALID_ARGUMENT. */
int tar_check_compression(const char *compression);

/*
 * Writes an archive (POSIX.1-2001, "pax") of @source to @fd: owners by number, modes, times of
 * modification, extended attributes, access lists, hard links, holes and device nodes, as
 * tar_unpack() and GNU tar read them. Left out: sockets, and what is mounted in it. The tree
 * may change meanwhile, and belong to somebody hostile. Where @fd is a pipe or a socket, the end
 * of its reader is an error and no signal.
 */
int tar_pack(const struct tar_source *source, int fd);

#endif /* DRE_COMMON_TAR_H */
