// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "module.h"

int module_load(void)
{
	const char *path = getenv("DRE_MODULE");
	int fd, ret;

	if (!path) {
		errno = ENOENT;
		die("DRE_MODULE is not set");
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* -EWOULDBLOCK: a file holds it. */
int module_unload(void)
{
	return syscall(SYS_delete_module, "dre", O_NONBLOCK) ? -errno : 0;
}

bool module_is_loaded(void)
{
	return !access("/sys/module/dre", F_OK);
}
