/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small files and directories, relative to directory fds; paths that lead
 * through symbolic links are refused. Functions that return an int return 0 or
 * a negative errno.
 */
#ifndef DRE_COMMON_FILE_H
#define DRE_COMMON_FILE_H

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>

/*
 * openat2(2) has no wrapper in the C library. -1 and errno, O_CLOEXEC is added. Where the kernel wants another try (EAGAIN)
 * it gets some.
 */
int file_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t resolve);

/* For @resolve: paths stay below their directory, and mean what they say. */
#define FILE_NO_LINKS	(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)

/* A stream of directory @name in @dir_fd ("." for @dir_fd itself, with an offset of its own). */
DIR *file_opendir(int dir_fd, const char *name);

/* The next entry but "." and "..". NULL at the end, or with errno set. */
struct dirent *file_readdir(DIR *dir);

/*
 * Reads all of a regular file into memory that the caller frees. -EFBIG if it
 * has over @max bytes.
 */
int file_read(int dir_fd, const char *name, size_t max, char **data, size_t *len);

/* Makes a new file of mode 0600 and brings its content to the disk, but not its name. There is none if that fails. */
int file_write_new(int dir_fd, const char *name, const char *data, size_t len);

/* write(2), all of it. */
int file_write_all(int fd, const void *data, size_t len);

/* Eight random characters of [0-9a-z] and a NUL. */
void file_random_name(char name[9]);

#endif /* DRE_COMMON_FILE_H */
