// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The size of a container's disk: that of what it was made from, or more.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/qcow2.h"
#include "common/qemu_img.h"
#include "common/store_private.h"
#include "sys.h"

int sys_disk_size(const struct sys *sys, unsigned long long *size)
{
	struct qcow2 image;
	char path[PATH_MAX];
	int fd, ret, err = sys_layer_path(sys, sys_manifest(sys)->writable, path);

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return dre_fail_errno(errno, "the disk of container '%s'", sys->name);
	ret = qcow2_read(fd, &image);
	close(fd);
	if (ret)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"the disk of container '%s' is damaged: %s", sys->name, path);
	*size = image.size;
	return 0;
}

/* QEMU has the image open as long as there is a machine, and tells the guest. */
static int grow(const struct sys *sys, unsigned long long size)
{
	char path[PATH_MAX];
	int err;

	if (sys->domain && sys_state(sys) != SYS_STOPPED) {
		if (virDomainBlockResize(sys->domain, "vda", size, VIR_DOMAIN_BLOCK_RESIZE_BYTES) == 0)
			return 0;
		return sys_fail(DRE_ERR_DEVICE_BUSY, "the disk of container '%s'", sys->name);
	}
	err = layers_verify_container(sys->container);
	if (!err)
		err = sys_layer_path(sys, sys_manifest(sys)->writable, path);
	return err ? err : qemu_img_grow(AT_FDCWD, path, size, sys->name);
}

int sys_fit_disk(const struct sys *sys, bool exact)
{
	unsigned long long wanted = sys->config.sys.disk, size;
	int err;

	if (!wanted)
		return 0;
	err = sys_disk_size(sys, &size);
	if (!err && wanted < size && exact && manifest_get(sys_manifest(sys), SETTING_DISK))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "container '%s': its disk has %llu bytes and cannot become smaller",
			       sys->name, size);
	return err || wanted <= size ? err : grow(sys, wanted);
}
