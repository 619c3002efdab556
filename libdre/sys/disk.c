// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The size of a container's disk: that of what it was made from, or more.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/qcow2.h"
#include "common/qemu_img.h"
#include "common/store_private.h"
#include "sys.h"

#define SECTOR		512
#define MAX_SIZE	(1ULL << 46)	/* bytes: QEMU's limit for such images is at 64 TiB */

/* Bytes, or with K, M, G or T. What is wrong with it, or NULL. */
static const char *parse_size(const char *value, unsigned long long *size)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	int shift = 0;

	if (!isdigit((unsigned char)*value))
		return "is not a size, as 21474836480 or 20G";
	errno = 0;
	*size = strtoull(value, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (*end)
		return "is not a size, as 21474836480 or 20G";
	if (errno || !*size || *size > MAX_SIZE >> shift)
		return "is out of range";
	*size <<= shift;
	return *size % SECTOR ? "is not a multiple of 512 bytes" : NULL;
}

const char *sys_check_disk(const char *value)
{
	unsigned long long size;

	return parse_size(value, &size);
}

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
	const char *value = manifest_get(sys_manifest(sys), SETTING_DISK);
	unsigned long long wanted, size;
	const char *wrong = value ? parse_size(value, &wanted) : NULL;
	int err;

	if (!value)
		return 0;
	if (wrong)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its manifest has disk '%s', which %s", sys->name, value,
				wrong);
	err = sys_disk_size(sys, &size);
	if (!err && wanted < size && exact)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "container '%s': its disk has %llu bytes and cannot become smaller",
			       sys->name, size);
	return err || wanted <= size ? err : grow(sys, wanted);
}
