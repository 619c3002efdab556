// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What state a container is in; suspend and resume.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared.h"

/* Where libvirt's QEMU driver has the PIDs of its machines, by name. It has no function for it. */
#define PID_DIRECTORY "/run/libvirt/qemu/"

dre_return_t dre_sys_status(const dre_sys_handle *h)
{
	struct sys sys;
	bool busy;
	int ret = sys_begin_handle(&sys, h, SYS_LOOK);

	/* It is on its way to another host, and nobody waits for it. */
	if (ret == DRE_ERR_CONTAINER_BUSY)
		return DRE_SYS_CONTAINER_STATUS_BUSY;
	if (ret)
		return ret;
	ret = container_busy(sys.store, sys.name, &busy);
	if (sys.shared)
		ret = sys_name_failure(ret);
	if (!ret && busy)
		ret = DRE_SYS_CONTAINER_STATUS_BUSY;
	if (!ret) {
		switch (sys_state(&sys)) {
		case SYS_STOPPED:
			ret = DRE_SYS_CONTAINER_STATUS_STOP;
			break;
		case SYS_RUNNING:
			ret = DRE_SYS_CONTAINER_STATUS_RUNNING;
			break;
		case SYS_SUSPENDED:
			ret = DRE_SYS_CONTAINER_STATUS_SUSPENDED;
			break;
		case SYS_CHANGING:
			ret = DRE_SYS_CONTAINER_STATUS_BUSY;
			break;
		case SYS_UNKNOWN:
			ret = sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys.name);
			break;
		}
	}
	sys_end(&sys);
	return ret;
}

/* Has it an argument "-uuid" with the machine's? The file may be of one that is gone. */
static bool is_machine(int pid, const char *uuid)
{
	char path[32], *arg = NULL;
	bool found = false;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	for (bool is_uuid = false; !found && getdelim(&arg, &size, '\0', f) > 0;) {
		found = is_uuid && !strcmp(arg, uuid);
		is_uuid = !strcmp(arg, "-uuid");
	}
	free(arg);
	fclose(f);
	return found;
}

int sys_find_pid(const struct sys *sys, int *pid)
{
	const char *uuid = manifest_get(sys_manifest(sys), SETTING_UUID);
	char path[sizeof(PID_DIRECTORY) + 2 * DRE_NAME_MAX];
	int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), PID_DIRECTORY "%s.pid", virDomainGetName(sys->domain));
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%d", &n) != 1)
			n = 0;
		fclose(f);
	}
	if (n < 1 || !uuid || !is_machine(n, uuid))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': %s does not name its machine", sys->name, path);
	*pid = n;
	return 0;
}

static bool is_file(int dir, const char *fd, const struct stat *file)
{
	struct stat st;

	return !fstatat(dir, fd, &st, 0) && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

bool sys_has_open(const struct sys *sys, const char *layer)
{
	char path[PATH_MAX], name[sizeof("/proc//fd") + 12];
	bool found = false;
	struct dirent *fd;
	struct stat file;
	DIR *fds;
	int pid;

	if (sys_find_pid(sys, &pid) || sys_layer_path(sys, layer, path) || stat(path, &file) < 0)
		return true;
	snprintf(name, sizeof(name), "/proc/%d/fd", pid);
	fds = opendir(name);
	while (fds && !found && (fd = readdir(fds)))
		found = is_file(dirfd(fds), fd->d_name, &file);
	if (!fds)
		return true;
	closedir(fds);
	return found;
}

dre_return_t dre_sys_get_pid(const dre_sys_handle *h, int *pid)
{
	struct sys sys;
	int err;

	if (!h || !pid)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the PID" : "container's handle");
	err = sys_begin_handle(&sys, h, SYS_USE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_RUNNING);
	if (!err)
		err = sys_find_pid(&sys, pid);
	sys_end(&sys);
	return err;
}

static int change(const dre_sys_handle *h, enum sys_state from, int (*fn)(virDomainPtr))
{
	struct sys sys;
	int err = sys_begin_handle(&sys, h, SYS_CHANGE);

	if (err)
		return err;
	err = sys_require(&sys, from, from);
	if (!err && fn(sys.domain) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys.name);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_suspend(const dre_sys_handle *h)
{
	return change(h, SYS_RUNNING, virDomainSuspend);
}

dre_return_t dre_sys_resume(const dre_sys_handle *h)
{
	return change(h, SYS_SUSPENDED, virDomainResume);
}
