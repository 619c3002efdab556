// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "qcow2.h"

/* All numbers in the file are big-endian. */
struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_offset;	/* of the name of the image below, 0: none */
	uint32_t backing_len;
	uint32_t cluster_bits;
	uint64_t size;
	uint32_t crypt_method;
	uint32_t l1_entries;
	uint64_t l1_offset;
	uint64_t refcount_table_offset;
	uint32_t refcount_table_clusters;
	uint32_t nr_snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible;		/* features; from here on in version 3 only */
	uint64_t compatible;
	uint64_t autoclear;
	uint32_t refcount_order;
	uint32_t length;		/* of this header */
};

_Static_assert(sizeof(struct header) == 104, "as it is in the file");

struct extension {
	uint32_t type;
	uint32_t len;
};

#define MAGIC			0x514649fb	/* "QFI\xfb" */
#define EXTENSION_BACKING	0xe2792aca	/* the format of the image below */
#define INCOMPATIBLE_EXTERNAL	(UINT64_C(1) << 2)

/* An image as it is made here: clusters of 64 KiB, reference counts of 16 bits. */
#define CLUSTER_BITS		16
#define CLUSTER			(UINT64_C(1) << CLUSTER_BITS)
#define L1_ENTRY_COVERS		(CLUSTER * CLUSTER / sizeof(uint64_t))
#define REFCOUNT_ORDER		4

/* Its first clusters. The table of the disk's data is a hole: nothing was written. */
enum { AT_HEADER, AT_REFCOUNT_TABLE, AT_REFCOUNTS, AT_L1 };

/* QEMU's own limit for that table, 32 MiB. One cluster of counts is for far more. */
#define MAX_L1_CLUSTERS		512

/* The first cluster up to the name of the image below. */
struct start {
	struct header header;
	struct extension backing;
	char format[8];
	struct extension end;
	char below[QCOW2_MAX_BELOW + 1];
};

/* What an image is on top of. */
struct below {
	const char *name;
	const char *format;	/* at most 8 bytes: extensions are padded to that */
	uint64_t size;
};

/* @n bytes of a file's beginning are at @h, or what there is of a header. */
static int parse(const struct header *h, ssize_t n, struct qcow2 *image)
{
	uint32_t version = be32toh(h->version);

	if (n < (ssize_t)sizeof(h->magic) || be32toh(h->magic) != MAGIC)
		return -EINVAL;
	if (version < 2 || version > 3 ||
	    n < (ssize_t)(version == 2 ? offsetof(struct header, incompatible) : sizeof(*h)))
		return -EBADMSG;
	*image = (struct qcow2){
		.size = be64toh(h->size),
		.backed = h->backing_offset != 0,
		.external = version == 3 && be64toh(h->incompatible) & INCOMPATIBLE_EXTERNAL,
		.encrypted = h->crypt_method != 0,
	};
	return 0;
}

int qcow2_read(int fd, struct qcow2 *image)
{
	struct header h = {};
	ssize_t n = pread(fd, &h, sizeof(h), 0);

	return n < 0 ? -errno : parse(&h, n, image);
}

/* As much of an image's beginning as all that is of interest takes; QEMU needs some hundred bytes. */
union beginning {
	struct header header;
	char bytes[4096];
};

/*
 * The extension that names the format of the image below is among those between the header and that image's
 * name, all of which QEMU reads. Readers differ in which of two they take.
 */
static int find_format(const union beginning *b, uint64_t end, char format[QCOW2_MAX_FORMAT + 1])
{
	bool v2 = be32toh(b->header.version) == 2, found = false;
	uint64_t at = v2 ? offsetof(struct header, incompatible) : be32toh(b->header.length);
	struct extension e;
	uint32_t len;

	if (end > sizeof(b->bytes) || at > sizeof(b->bytes))
		return -EBADMSG;
	for (; at + sizeof(e) <= end; at += sizeof(e) + (((uint64_t)len + 7) & ~UINT64_C(7))) {
		memcpy(&e, b->bytes + at, sizeof(e));
		len = be32toh(e.len);
		if (!e.type)
			break;
		if (be32toh(e.type) != EXTENSION_BACKING)
			continue;
		if (found || len > QCOW2_MAX_FORMAT || len > end - at - sizeof(e))
			return -EBADMSG;
		memcpy(format, b->bytes + at + sizeof(e), len);
		found = true;
	}
	return 0;
}

static int find_name(int fd, const union beginning *b, ssize_t n, char name[QCOW2_MAX_NAME + 1])
{
	uint64_t at = be64toh(b->header.backing_offset);
	uint32_t len = be32toh(b->header.backing_len);

	if (len > QCOW2_MAX_NAME || at > (uint64_t)INT64_MAX - len)
		return -EBADMSG;
	if (at + len <= (uint64_t)n)
		memcpy(name, b->bytes + at, len);
	else if (pread(fd, name, len, at) != (ssize_t)len)
		return -EBADMSG;
	/* What is behind a NUL somebody else might read. */
	return strlen(name) == len ? 0 : -EBADMSG;
}

int qcow2_read_below(int fd, struct qcow2 *image, struct qcow2_below *below)
{
	union beginning b = {};
	ssize_t n = pread(fd, &b, sizeof(b), 0);
	int ret = n < 0 ? -errno : parse(&b.header, n, image);

	*below = (struct qcow2_below){};
	if (ret || !image->backed)
		return ret;
	ret = find_name(fd, &b, n, below->name);
	return ret ? ret : find_format(&b, be64toh(b.header.backing_offset), below->format);
}

int qcow2_is_unwritten(int fd, bool *unwritten)
{
	struct header h = {};
	struct qcow2 image;
	struct stat st;
	uint64_t end;
	ssize_t n = pread(fd, &h, sizeof(h), 0);
	int ret = n < 0 ? -errno : parse(&h, n, &image);

	if (!ret && fstat(fd, &st) < 0)
		ret = -errno;
	if (ret)
		return ret;
	/* QEMU puts a table that has to grow behind all that was written. */
	end = AT_L1 * CLUSTER + be32toh(h.l1_entries) * sizeof(uint64_t);
	*unwritten = be64toh(h.l1_offset) == AT_L1 * CLUSTER &&
		     (uint64_t)st.st_size <= (end + CLUSTER - 1) / CLUSTER * CLUSTER;
	return 0;
}

int qcow2_rename_below(int fd, const char *name)
{
	struct qcow2_below below;
	struct qcow2 image;
	struct header h;
	size_t len = strlen(name);
	int ret = qcow2_read_below(fd, &image, &below);

	if (ret)
		return ret;
	if (!image.backed || strlen(below.name) != len)
		return -EINVAL;
	if (pread(fd, &h, sizeof(h), 0) != sizeof(h) ||
	    pwrite(fd, name, len, be64toh(h.backing_offset)) != (ssize_t)len)
		return -EIO;
	return fsync(fd) < 0 ? -errno : 0;
}

static int read_size(int dir_fd, const char *name, uint64_t *size)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct qcow2 image;
	int ret;

	if (fd < 0)
		return -errno;
	ret = qcow2_read(fd, &image);
	close(fd);
	if (!ret)
		*size = image.size;
	return ret;
}

static void describe(struct start *start, const struct below *below, uint64_t l1_entries)
{
	*start = (struct start){
		.header = {
			.magic = htobe32(MAGIC),
			.version = htobe32(3),
			.backing_offset = htobe64(offsetof(struct start, below)),
			.backing_len = htobe32(strlen(below->name)),
			.cluster_bits = htobe32(CLUSTER_BITS),
			.size = htobe64(below->size),
			.l1_entries = htobe32(l1_entries),
			.l1_offset = htobe64(AT_L1 * CLUSTER),
			.refcount_table_offset = htobe64(AT_REFCOUNT_TABLE * CLUSTER),
			.refcount_table_clusters = htobe32(1),
			.refcount_order = htobe32(REFCOUNT_ORDER),
			.length = htobe32(sizeof(struct header)),
		},
		.backing = { htobe32(EXTENSION_BACKING), htobe32(strlen(below->format)) },
	};
	memcpy(start->format, below->format, strlen(below->format));
	memcpy(start->below, below->name, strlen(below->name));
}

static int write_at(int fd, const void *data, size_t len, uint64_t cluster)
{
	ssize_t n = pwrite(fd, data, len, cluster * CLUSTER);

	return n < 0 ? -errno : n < (ssize_t)len ? -ENOSPC : 0;
}

static int fill(int fd, const struct below *below)
{
	uint64_t l1_entries = below->size / L1_ENTRY_COVERS + (below->size % L1_ENTRY_COVERS != 0);
	uint64_t l1_clusters = (l1_entries * sizeof(uint64_t) + CLUSTER - 1) / CLUSTER;
	uint64_t refcounts_at = htobe64(AT_REFCOUNTS * CLUSTER);
	uint16_t refcounts[AT_L1 + MAX_L1_CLUSTERS];
	struct start start;
	int ret;

	if (l1_clusters > MAX_L1_CLUSTERS)
		return -EFBIG;
	for (size_t i = 0; i < AT_L1 + l1_clusters; i++)
		refcounts[i] = htobe16(1);
	describe(&start, below, l1_entries);
	ret = write_at(fd, &start, sizeof(start), AT_HEADER);
	if (!ret)
		ret = write_at(fd, &refcounts_at, sizeof(refcounts_at), AT_REFCOUNT_TABLE);
	if (!ret)
		ret = write_at(fd, refcounts, (AT_L1 + l1_clusters) * sizeof(*refcounts),
			       AT_REFCOUNTS);
	if (!ret && ftruncate(fd, (AT_L1 + l1_clusters) * CLUSTER) < 0)
		ret = -errno;
	return ret;
}

static int make(int dir_fd, const char *name, const struct below *below)
{
	int fd, ret;

	if (strlen(below->name) > QCOW2_MAX_BELOW)
		return -ENAMETOOLONG;
	fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = fill(fd, below);
	close(fd);
	return ret;
}

int qcow2_make_overlay(int dir_fd, const char *name, const char *below)
{
	struct below image = { .name = below, .format = "qcow2" };
	int ret = read_size(dir_fd, below, &image.size);

	return ret ? ret : make(dir_fd, name, &image);
}

int qcow2_make_on_device(int dir_fd, const char *name, const char *device, uint64_t size)
{
	return make(dir_fd, name, &(struct below){ device, "raw", size });
}
