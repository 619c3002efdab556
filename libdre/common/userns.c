// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "file.h"
#include "userns.h"

/* Keeps the namespace there until it is killed. */
static int wait_for_ever(void *arg)
{
	(void)arg;
	child_keep_fds(NULL, 0);
	/* All signals but SIGKILL are blocked. */
	return pause();
}

static int write_map(pid_t pid, const char *file, const struct idmap *map)
{
	char path[48], text[48];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	snprintf(text, sizeof(text), "0 %" PRIu32 " %" PRIu32 "\n", map->first, map->count);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = file_write_all(fd, text, strlen(text));
	close(fd);
	return ret;
}

int userns_open(const struct idmap *map)
{
	struct child child;
	char path[48];
	int ret;

	ret = child_start(&child, CLONE_NEWUSER, wait_for_ever, NULL);
	if (ret)
		return ret;
	ret = write_map(child.pid, "uid_map", map);
	if (!ret)
		ret = write_map(child.pid, "gid_map", map);
	if (!ret) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", child.pid);
		ret = open(path, O_RDONLY | O_CLOEXEC);
		if (ret < 0)
			ret = -errno;
	}
	child_kill(&child);
	return ret;
}
