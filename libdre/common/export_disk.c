// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"
#include "export_disk.h"
#include "fail.h"
#include "qemu_img.h"
#include "store_private.h"

int export_disk_check(const struct export_disk *to)
{
	int flags = fcntl(to->fd, F_GETFL);
	struct stat st;

	if (to->compression && strcmp(to->compression, "zlib") != 0 && strcmp(to->compression, "zstd") != 0)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "images are compressed with zlib or zstd");
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || flags & O_PATH)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "fd %d is not open for writing", to->fd);
	/* The image's beginning is written last. */
	if (fstat(to->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "fd %d: an image goes to a file only", to->fd);
	return 0;
}

static int export(struct store *s, const char *name, const char *layer, const struct export_disk *to)
{
	const struct qemu_img_convert convert = {
		.dir_fd = s->layers_fd,
		.source = layer,
		.format = "qcow2",
		.compression = to->compression,
		.source_fd = -1,
		.fd = to->fd,
		.what = name,
		.progress = to->progress,
		.arg = to->arg,
	};
	int ret = qemu_img_convert(&convert);

	/* It is the host's disk or tools that it does not like: the layers are ours. */
	return ret == DRE_ERR_INVALID_ARGUMENT ? DRE_ERR_DEVICE_BUSY : ret;
}

/* It may have been committed of what a machine wrote to. */
static int verify_base(struct store *s, const char *name, const struct manifest *m)
{
	char what[sizeof("base image ''") + DRE_NAME_MAX];

	snprintf(what, sizeof(what), "base image '%s'", name);
	return layers_verify(s, what, m, manifest_get(m, SETTING_ROOTFS));
}

/* As long as the change lasts the base's layers are not collected, also if it is removed meanwhile. */
int export_disk_base(struct store *s, const char *name, const struct export_disk *to)
{
	struct manifest m = {};
	int ret = export_disk_check(to);

	if (!ret)
		ret = store_change_begin(s);
	if (ret)
		return ret;
	ret = base_read(s, name, &m);
	if (!ret)
		ret = verify_base(s, name, &m);
	if (!ret)
		ret = export(s, name, m.layers[m.nr_layers - 1], to);
	manifest_free(&m);
	return store_change_end(s, false, ret);
}

int export_disk_container(struct container *c, const struct export_disk *to)
{
	int ret = export_disk_check(to);

	if (!ret)
		ret = layers_verify_container(c);
	return ret ? ret : export(c->store, c->name, c->manifest.writable, to);
}
