// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Containers whose disk is a partition of the host. Their first layer is an empty one on top of the partition,
 * so that all else is as with a base image: nothing ever writes to the partition, and snapshots work.
 * What is on it has no boot loader of its own: a kernel of dre.conf boots it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/qcow2.h"
#include "common/store_private.h"
#include "sys.h"

/*
 * Its size. Somebody who has it mounted, or is it a part of, has claimed it exclusively. @missing is the code if
 * it is not what it should be.
 */
static int look(const char *path, int missing, uint64_t *size)
{
	struct printable p;
	struct stat st;
	int fd, err = 0;

	dre_printable(&p, path);
	if (stat(path, &st) < 0)
		return errno == EACCES ? dre_fail_errno(errno, "partition %s", p.text) :
		       dre_fail(missing, "partition %s: %s", p.text, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return dre_fail(missing, "%s is not a block device", p.text);
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "partition %s is mounted, or used otherwise, by this host",
				p.text);
	if (fd < 0)
		return dre_fail_errno(errno, "partition %s", p.text);
	if (ioctl(fd, BLKGETSIZE64, size) < 0)
		err = dre_fail_errno(errno, "partition %s", p.text);
	else if (!*size)
		err = dre_fail(missing, "partition %s has no bytes", p.text);
	close(fd);
	return err;
}

static int check_kernel(const struct sys *sys)
{
	if (*sys->config.sys.kernel)
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT,
			"container '%s': a partition is booted by a kernel, and dre.conf names none", sys->name);
}

static int check_path(const char *path)
{
	struct printable p;

	if (*path != '/')
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "partition '%s' is not an absolute path",
				dre_printable(&p, path));
	if (strlen(path) > QCOW2_MAX_BELOW)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the partition is too long");
	return 0;
}

static int make_layer(struct store *store, const char *path, uint64_t size, layer_name_t layer)
{
	int ret;

	do {
		file_random_name(layer);
		ret = qcow2_make_on_device(store->layers_fd, layer, path, size);
	} while (ret == -EEXIST);
	if (ret) {
		layer_discard(store, layer);
		return dre_fail_errno(-ret, "cannot make a layer on %s", path);
	}
	ret = layer_sync(store, layer, false);
	if (ret)
		layer_discard(store, layer);
	return ret;
}

static int compose(struct manifest *m, const char *layer, const struct manifest *settings)
{
	int ret = manifest_add_layer(m, layer);

	if (!ret)
		ret = manifest_copy_settings(m, settings);
	return ret ? dre_fail_errno(-ret, "the container's settings") : 0;
}

/* Within a change: until the container is there the layer is nobody's. */
static int create(struct sys *sys, const char *path, uint64_t size, const struct manifest *settings,
		  bool *garbage)
{
	struct manifest m = {};
	layer_name_t layer;
	int err = make_layer(sys->store, path, size, layer);

	if (err)
		return err;
	err = compose(&m, layer, settings);
	if (!err)
		err = container_create_from(&sys->container, sys->store, sys->name, &m, NULL);
	manifest_free(&m);
	*garbage = err != 0;
	return err;
}

int sys_create_on_partition(struct sys *sys, const char *path, const struct manifest *settings)
{
	bool garbage = false;
	uint64_t size;
	int err = check_path(path);

	if (!err)
		err = look(path, DRE_ERR_INVALID_ARGUMENT, &size);
	if (!err)
		err = check_kernel(sys);
	if (!err)
		err = store_change_begin(sys->store);
	if (err)
		return err;
	err = create(sys, path, size, settings, &garbage);
	return store_change_end(sys->store, garbage, err);
}

/* It is not that of the call, but of an earlier one: what is wrong with it now is the host's. */
int sys_check_rootfs(const struct sys *sys)
{
	const char *path = manifest_get(sys_manifest(sys), SETTING_ROOTFS);
	uint64_t size;
	int err;

	if (!path)
		return 0;
	err = look(path, DRE_ERR_DEVICE_BUSY, &size);
	return err ? err : check_kernel(sys);
}
