// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "output.h"

/*
 * It may have secrets in it that only root could read in the container. Without a name, where the file system can do
 * that: nothing is left of it then, whatever ends us.
 */
static int open_temporary(struct output *o)
{
	const char *slash = strrchr(o->path, '/');
	int dir = slash ? slash - o->path + 1 : 0, fd;

	/* The directory alone, and then the whole. */
	if (snprintf(o->temporary, sizeof(o->temporary), "%.*s.", dir, o->path) >= (int)sizeof(o->temporary) ||
	    snprintf(NULL, 0, "%s%s.XXXXXX", o->temporary, o->path + dir) >= (int)sizeof(o->temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(o->temporary, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	o->has_name = fd < 0;
	sprintf(o->temporary + dir + 1, "%s.XXXXXX", o->path + dir);
	return fd >= 0 ? fd : mkostemp(o->temporary, O_CLOEXEC);
}

/* Six characters that nobody else's has. */
static int give_name(struct output *o)
{
	char file[sizeof("/proc/self/fd/") + 12], *suffix = o->temporary + strlen(o->temporary) - 6;
	unsigned int any;
	int err;

	snprintf(file, sizeof(file), "/proc/self/fd/%d", o->fd);
	do {
		if (getrandom(&any, sizeof(any), 0) != sizeof(any))
			return -1;
		snprintf(suffix, 7, "%06x", any & 0xffffff);
		err = linkat(AT_FDCWD, file, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW);
	} while (err && errno == EEXIST);
	o->has_name = !err;
	return err;
}

/*
 * What is there already, @there. In a directory of somebody else's it may have become a link to anything by now, and
 * whoever opens it is root.
 */
static int open_there(const char *path, const struct stat *there)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || (!fstat(fd, &st) && st.st_dev == there->st_dev && st.st_ino == there->st_ino))
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

/*
 * Which one of ours is written to, -1: none. /dev/stdout is a link to a link, behind which a file looks as any other:
 * it would be the link that becomes the archive.
 */
static int open_already(const char *path)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };
	unsigned long fd;
	char *end;

	if (!strcmp(path, "-") || !strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (strncmp(path, dirs[i], strlen(dirs[i])) || !isdigit((unsigned char)path[strlen(dirs[i])]))
			continue;
		fd = strtoul(path + strlen(dirs[i]), &end, 10);
		if (!*end && fd <= INT_MAX)
			return fd;
	}
	return -1;
}

int open_output(struct output *o, const char *path, const char *what)
{
	struct stat st;

	*o = (struct output){ .path = path, .fd = open_already(path) };
	if (o->fd >= 0) {
		if (isatty(o->fd))
			return command_error("%s is not for a terminal; redirect it, or name a file", what);
		return EXIT_SUCCESS;
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		o->fd = open_there(path, &st);
	else
		o->fd = open_temporary(o);
	return o->fd < 0 ? command_error("%s: %s", path, strerror(errno)) : EXIT_SUCCESS;
}

/* Brings the file to the disk, and its name. */
static int sync_name(const struct output *o)
{
	char *slash = strrchr(o->temporary, '/');
	int fd, err;

	if (slash)
		slash[1] = '\0';
	fd = open(slash ? o->temporary : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	err = fsync(fd);
	close(fd);
	return err;
}

int finish_output(struct output *o, int err)
{
	if (!*o->temporary)
		return EXIT_SUCCESS;
	if (!err && !fsync(o->fd) && (o->has_name || !give_name(o)) && !rename(o->temporary, o->path) &&
	    !sync_name(o))
		return EXIT_SUCCESS;
	if (!err)
		command_error("%s: %s", o->path, strerror(errno));
	if (o->has_name)
		unlink(o->temporary);
	return EXIT_FAILURE;
}
