// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base_private.h"
#include "fail.h"
#include "import_disk.h"
#include "names.h"
#include "qcow2.h"
#include "qemu_img.h"
#include "store_private.h"

/* Said in full, so that QEMU neither guesses a format nor looks for an image below it. */
#define SOURCE_QCOW2	"json:{\"driver\":\"qcow2\",\"backing\":null," \
			"\"file\":{\"driver\":\"file\",\"filename\":\"" QEMU_IMG_SOURCE "\"}}"
#define SOURCE_FILE	"json:{\"driver\":\"raw\"," \
			"\"file\":{\"driver\":\"file\",\"filename\":\"" QEMU_IMG_SOURCE "\"}}"
#define SOURCE_DEVICE	"json:{\"driver\":\"raw\"," \
			"\"file\":{\"driver\":\"host_device\",\"filename\":\"" QEMU_IMG_SOURCE "\"}}"

static int check_qcow2(const char *source, const struct qcow2 *image)
{
	const char *wrong = image->backed ?
			    "is on top of another image: 'qemu-img convert' makes one of both" :
			    image->external ? "has its data in another file" :
			    image->encrypted ? "is encrypted" : NULL;

	return wrong ? dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s %s", source, wrong) : 0;
}

/* What is copied, and how it is known that it stays what it was when it was looked at. */
struct import {
	struct qemu_img_convert convert;
	struct store *store;
	bool leased;
};

/* Blocks of zeros stay holes. */
static int copy_blocks(int from, int to)
{
	static const char zeros[64 * 1024];
	char block[sizeof(zeros)];
	ssize_t n, written;
	off_t at = 0;

	while ((n = TEMP_FAILURE_RETRY(pread(from, block, sizeof(block), at))) > 0) {
		written = memcmp(block, zeros, n) ? pwrite(to, block, n, at) : n;
		if (written != n)
			return written < 0 ? -errno : -ENOSPC;
		at += n;
	}
	return n < 0 || ftruncate(to, at) < 0 ? -errno : 0;
}

/* It has no name, and goes with its fd. */
static int copy_source(struct import *import)
{
	struct qemu_img_convert *convert = &import->convert;
	int fd = openat(import->store->layers_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int ret = fd < 0 ? -errno : copy_blocks(convert->source_fd, fd);

	if (ret) {
		if (fd >= 0)
			close(fd);
		return dre_fail_errno(-ret, "cannot copy %s", convert->what);
	}
	close(convert->source_fd);
	convert->source_fd = fd;
	return 0;
}

static int fail_written(const struct import *import)
{
	return dre_fail(DRE_ERR_DEVICE_BUSY, "%s is being written to", import->convert.what);
}

/*
 * Does the kernel know of everybody who writes there? Elsewhere (NFS, FUSE, a share of the hypervisor) the content is what a
 * server says, and below overlayfs are files that others may write to: a lease may be had there, and says nothing.
 */
static bool has_all_writers(int fd)
{
	static const unsigned int types[] = {
		EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, TMPFS_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if ((unsigned int)fs.f_type == types[i])
			return true;
	return false;
}

/*
 * qemu-img opens the file again, and believes what it finds then: whoever wrote to it after it was looked at
 * could have any file of the host copied. With a lease a writer waits, and is known of; where there is none the
 * file is copied first. The signal for that is one that nobody dies of.
 */
static int hold_source(struct import *import)
{
	int fd = import->convert.source_fd;

	if (!has_all_writers(fd))
		return copy_source(import);
	import->leased = fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0;
	if (import->leased)
		return 0;
	return errno == EAGAIN ? fail_written(import) : copy_source(import);
}

static int check_held(const struct import *import)
{
	if (!import->leased || fcntl(import->convert.source_fd, F_GETLEASE) == F_RDLCK)
		return 0;
	return fail_written(import);
}

/* Looks at it when nobody writes to it any more. A block device is root's. */
static int check_source(struct import *import, bool regular)
{
	struct qemu_img_convert *convert = &import->convert;
	struct qcow2 image;
	int ret = qcow2_read(convert->source_fd, &image);

	if (!ret) {
		ret = regular ? hold_source(import) : 0;
		if (ret)
			return ret;
		ret = qcow2_read(convert->source_fd, &image);
		convert->source = SOURCE_QCOW2;
		if (!ret)
			return check_qcow2(convert->what, &image);
	}
	if (ret == -EBADMSG)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s is a damaged qcow2 image, or of an unknown version", convert->what);
	if (ret != -EINVAL || convert->source)
		return dre_fail_errno(-ret, "cannot read %s", convert->what);
	convert->source = regular ? SOURCE_FILE : SOURCE_DEVICE;
	return 0;
}

static int open_source(struct import *import)
{
	struct qemu_img_convert *convert = &import->convert;
	const char *source = convert->what;
	struct stat st;

	/* A fifo is refused, and not waited for. */
	convert->source_fd = open(source, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (convert->source_fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
				       errno == ENAMETOOLONG))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "there is no %s", source);
	if (convert->source_fd < 0 || fstat(convert->source_fd, &st) < 0)
		return dre_fail_errno(errno, "cannot open %s", source);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s is neither a disk image nor a block device", source);
	if (S_ISREG(st.st_mode) && !st.st_size)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s is empty", source);
	return check_source(import, S_ISREG(st.st_mode));
}

/* A lease does not last for ever: what was written when it had ended is found at the end. */
static int fill(void *arg, int layer_fd)
{
	struct import *import = arg;
	int ret = 0;

	import->convert.fd = layer_fd;
	/* Where a damaged image ends, qemu-img would read zeros. */
	if (!strcmp(import->convert.source, SOURCE_QCOW2))
		ret = qemu_img_check(&import->convert);
	if (!ret)
		ret = check_held(import);
	if (!ret)
		ret = qemu_img_convert(&import->convert);
	return ret ? ret : check_held(import);
}

int import_disk(struct store *store, const char *name, const char *source,
		import_progress_fn progress, void *arg)
{
	struct import import = {
		.convert = {
			.dir_fd = store->layers_fd,
			.source_fd = -1,
			.what = source,
			.progress = progress,
			.arg = arg,
		},
		.store = store,
	};
	int ret = dre_check_name("base image", name);

	if (ret)
		return ret;
	if (!source)
		return dre_fail(DRE_ERR_NULL_POINTER, "no source of a base image is given");
	ret = open_source(&import);
	if (!ret)
		ret = base_make(store, name, fill, &import);
	if (import.convert.source_fd >= 0)
		close(import.convert.source_fd);
	return ret;
}
