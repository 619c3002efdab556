// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <dre.h>
#include "error.h"

static _Thread_local char last_error[1024];

const char *dre_last_error(void)
{
	return last_error;
}

int dre_fail(int err, const char *fmt, ...)
{
	int saved_errno = errno;
	char text[sizeof(last_error)];
	va_list args;
	size_t len;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);

	/* What liblxc and libvirt say may have several lines. */
	len = strcspn(text, "\n");
	while (text[len]) {
		text[len++] = ' ';
		len += strcspn(text + len, "\n");
	}
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';

	memcpy(last_error, text, len + 1);
	errno = saved_errno;
	return err;
}

const char *dre_strerror(dre_return_t err)
{
	switch (err) {
	case 0:
		return "success";
	case DRE_ERR_INVALID_ARGUMENT:
		return "invalid argument";
	case DRE_ERR_PERMISSION_DENIED:
		return "no privilege to run";
	case DRE_ERR_DAWARE_MOD_NONEXISTENCE:
		return "the D-RE module is not loaded";
	case DRE_ERR_NO_VT:
		return "no hardware virtualization";
	case DRE_ERR_CONTAINER_NONEXISTENCE:
		return "the container does not exist";
	case DRE_ERR_CONTAINER_EXISTENCE:
		return "the container already exists";
	case DRE_ERR_CONTAINER_RUNNING:
		return "the container is running";
	case DRE_ERR_CONTAINER_STOPPED:
		return "the container is stopped";
	case DRE_ERR_CONTAINER_SUSPENDED:
		return "the container is suspended";
	case DRE_ERR_CONTAINER_BUSY:
		return "the container is busy";
	case DRE_ERR_CONTAINER_UNKNOWN_STATUS:
		return "the status of the container cannot be found out";
	case DRE_ERR_BASE_NONEXISTENCE:
		return "the base image does not exist";
	case DRE_ERR_BASE_EXISTENCE:
		return "the base image already exists";
	case DRE_ERR_REMOVE_BASE_FAILED:
		return "the base image was not removed";
	case DRE_ERR_SNAPSHOT_NONEXISTENCE:
		return "the snapshot does not exist";
	case DRE_ERR_SNAPSHOT_EXISTENCE:
		return "the snapshot already exists";
	case DRE_ERR_SAVE_SNAPSHOT_FAILED:
		return "the snapshot was not saved";
	case DRE_ERR_LOAD_SNAPSHOT_FAILED:
		return "the snapshot was not loaded";
	case DRE_ERR_REMOVE_SNAPSHOT_FAILED:
		return "the snapshot or checkpoint was not removed";
	case DRE_ERR_COMMIT_SNAPSHOT_FAILED:
		return "the snapshot was not committed";
	case DRE_ERR_CGROUP_NONEXISTENCE:
		return "the control group does not exist";
	case DRE_ERR_CGROUP_EXISTENCE:
		return "the control group already exists";
	case DRE_ERR_PID_NONEXISTENCE:
		return "the process does not exist";
	case DRE_ERR_SET_LIMIT_FAILED:
		return "the limit was not set";
	case DRE_ERR_UNSET_LIMIT_FAILED:
		return "the limit was not removed";
	case DRE_ERR_DESTROY_CGROUP_FAILED:
		return "the control group was not removed";
	case DRE_ERR_DEVICE_BUSY:
		return "the device does not answer, or is in use";
	case DRE_ERR_NO_TAP_AVAILABLE:
		return "no TAP device is available";
	case DRE_ERR_NO_SOCKET_AVAILABLE:
		return "no socket is available";
	case DRE_ERR_NFS_MOUNT_FAILED:
		return "the NFS share was not mounted";
	case DRE_ERR_BIND_FAILED:
		return "the process was not bound";
	case DRE_ERR_INVALID_HOSTNAME:
		return "invalid host name";
	case DRE_ERR_NULL_POINTER:
		return "a pointer is NULL";
	case DRE_ERR_REQUEST_TOO_LONG:
		return "a name is too long";
	default:
		return "unknown error code";
	}
}
