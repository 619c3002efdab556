// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"

/* How often a path is tried whose "..", or a link's, meets a rename or a mount, of whatever, of somebody on the host. */
#define TRIES		100

int file_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = resolve,
	};
	int fd, tries = 0;

	do {
		fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	} while (fd < 0 && errno == EAGAIN && ++tries < TRIES);
	return fd;
}

DIR *file_opendir(int dir_fd, const char *name)
{
	DIR *dir;
	int fd;

	fd = file_openat2(dir_fd, name, O_RDONLY | O_DIRECTORY, FILE_NO_LINKS);
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

struct dirent *file_readdir(DIR *dir)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")));
	return entry;
}

static int read_all(int fd, size_t max, char **data, size_t *len)
{
	struct stat st;
	ssize_t n;
	char *buf;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uintmax_t)st.st_size > max)
		return -EFBIG;
	buf = malloc(st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	/* Files that are read here are replaced, never written to: the size is the size. */
	for (*len = 0; *len < (size_t)st.st_size; *len += n) {
		n = TEMP_FAILURE_RETRY(read(fd, buf + *len, st.st_size - *len));
		if (n < 0) {
			int err = errno;

			free(buf);
			return -err;
		}
		if (!n)
			break;
	}
	buf[*len] = '\0';
	*data = buf;
	return 0;
}

int file_read(int dir_fd, const char *name, size_t max, char **data, size_t *len)
{
	int fd, ret;

	/* O_NONBLOCK: somebody may have put a FIFO there. */
	fd = file_openat2(dir_fd, name, O_RDONLY | O_NONBLOCK, FILE_NO_LINKS);
	if (fd < 0)
		return -errno;
	ret = read_all(fd, max, data, len);
	close(fd);
	return ret;
}

int file_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = TEMP_FAILURE_RETRY(write(fd, p, len));
		if (n < 0)
			return -errno;
	}
	return 0;
}

int file_write_new(int dir_fd, const char *name, const char *data, size_t len)
{
	int fd, ret;

	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = file_write_all(fd, data, len);
	if (!ret && fsync(fd) < 0)
		ret = -errno;
	/* On NFS, errors of the writes may only come now. */
	if (close(fd) < 0 && !ret)
		ret = -errno;
	/* It is ours, and who finds it takes it for whole. */
	if (ret)
		unlinkat(dir_fd, name, 0);
	return ret;
}

void file_random_name(char name[9])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t r = 0;
	int i;

	/* Eight bytes come whole, and without a wait once the system has booted. */
	while (getrandom(&r, sizeof(r), 0) != sizeof(r))
		;
	for (i = 0; i < 8; i++, r /= 36)
		name[i] = digits[r % 36];
	name[8] = '\0';
}
