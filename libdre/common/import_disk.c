// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
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

static int open_source(const char *source, struct qemu_img_convert *convert)
{
	struct qcow2 image;
	struct stat st;
	int ret;

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
	ret = qcow2_read(convert->source_fd, &image);
	if (!ret) {
		convert->source = SOURCE_QCOW2;
		return check_qcow2(source, &image);
	}
	if (ret == -EBADMSG)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s is a damaged qcow2 image, or of an unknown version", source);
	convert->source = S_ISBLK(st.st_mode) ? SOURCE_DEVICE : SOURCE_FILE;
	return ret == -EINVAL ? 0 : dre_fail_errno(-ret, "cannot read %s", source);
}

static int fill(void *arg, int layer_fd)
{
	struct qemu_img_convert *convert = arg;

	int ret = 0;

	convert->fd = layer_fd;
	/* Where a damaged image ends, qemu-img would read zeros. */
	if (!strcmp(convert->source, SOURCE_QCOW2))
		ret = qemu_img_check(convert);
	return ret ? ret : qemu_img_convert(convert);
}

int import_disk(struct store *store, const char *name, const char *source,
		import_progress_fn progress, void *arg)
{
	struct qemu_img_convert convert = {
		.dir_fd = store->layers_fd,
		.source_fd = -1,
		.what = source,
		.progress = progress,
		.arg = arg,
	};
	int ret = dre_check_name("base image", name);

	if (ret)
		return ret;
	if (!source)
		return dre_fail(DRE_ERR_NULL_POINTER, "no source of a base image is given");
	ret = open_source(source, &convert);
	if (!ret)
		ret = base_make(store, name, fill, &convert);
	if (convert.source_fd >= 0)
		close(convert.source_fd);
	return ret;
}
