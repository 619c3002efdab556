// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libarchive reads the archive; writing is left to tree_writer.c and not to
 * libarchive, which works relative to the current directory of the process.
 * (In a child process that is confined by chroot(2) it would load character
 * set converters from the very tree that is being unpacked.)
 */
#include <dre.h>
#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_lib.h"
#include "attr.h"
#include "fail.h"
#include "tar.h"
#include "tar_stream.h"
#include "tree_writer.h"

struct unpack {
	struct archive *archive;
	struct tar_stream *stream;
	struct tree_writer *writer;
	const struct tar_target *target;
	uint64_t total;
};

/* The archive is at fault, or cannot be read. */
static int fail_archive(const struct unpack *u)
{
	struct printable p;
	const char *text = tar_stream_error(u->stream) ?: archive_error_string(u->archive);

	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s: %s", u->target->what,
			dre_printable(&p, text ? text : "not a tar archive"));
}

static int fail_member(const struct unpack *u, const char *member, const char *why)
{
	struct printable p;

	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s: member '%s' %s", u->target->what,
			dre_printable(&p, member), why);
}

/* Members that nobody should be able to write are the archive's fault, the rest is the store's. */
static int fail_write(const struct unpack *u, const char *member, int errnum)
{
	struct printable p;

	switch (errnum) {
	case EXDEV:
		return fail_member(u, member, "has '..' in its path");
	case ELOOP:
	case ENOTDIR:
		return fail_member(u, member, "leads through something that is not a directory");
	case ENOTEMPTY:
	case EISDIR:
		return fail_member(u, member, "takes the place of a directory");
	case ENAMETOOLONG:
		return fail_member(u, member, "has too long a name");
	case E2BIG:
		return fail_member(u, member, "has too many attributes, or there are too many directories before it");
	case EFBIG:
	case EINVAL:
	case ENOENT:
	case ERANGE:
		return fail_member(u, member, "cannot exist");
	}
	return dre_fail_errno(errnum, "%s: cannot write member '%s'", u->target->what,
			      dre_printable(&p, member));
}

static void report_progress(const struct unpack *u)
{
	if (u->target->progress)
		u->target->progress(u->target->arg, tar_stream_bytes(u->stream), u->total);
}

/* The kernel wants the entries in this order, and ids in it only where there are some. */
static int compare_acl(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *x = a, *y = b;
	unsigned int x_tag = le16toh(x->e_tag), y_tag = le16toh(y->e_tag);
	uint32_t x_id = le32toh(x->e_id), y_id = le32toh(y->e_id);

	if (x_tag != y_tag)
		return x_tag < y_tag ? -1 : 1;
	return x_id < y_id ? -1 : x_id > y_id;
}

static int acl_tag(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return ACL_USER_OBJ;
	case ARCHIVE_ENTRY_ACL_USER:
		return ACL_USER;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return ACL_GROUP_OBJ;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return ACL_GROUP;
	case ARCHIVE_ENTRY_ACL_MASK:
		return ACL_MASK;
	case ARCHIVE_ENTRY_ACL_OTHER:
		return ACL_OTHER;
	}
	return 0;
}

/* Returns the number of entries filled in, or -1: one names a user that has no number there. */
static int fill_acl(struct archive_entry *entry, int type, struct posix_acl_xattr_entry *e, int max)
{
	int perm, tag, id, n;
	const char *name;

	for (n = 0; n < max; n++) {
		if (archive_entry_acl_next(entry, type, &type, &perm, &tag, &id, &name) !=
		    ARCHIVE_OK)
			break;
		if ((tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP) && id < 0)
			return -1;
		e[n].e_tag = htole16(acl_tag(tag));
		/* rwx are the three lowest bits for both. */
		e[n].e_perm = htole16(perm & 7);
		e[n].e_id = htole32(id < 0 ? ACL_UNDEFINED_ID : id);
	}
	qsort(e, n, sizeof(*e), compare_acl);
	return n;
}

static int add_acl(const struct unpack *u, struct archive_entry *entry, const char *member,
		   int type, const char *xattr, struct attr *attr)
{
	struct posix_acl_xattr_header *acl;
	int max, n, ret;

	max = archive_entry_acl_reset(entry, type);
	if (max <= 0)
		return 0;
	acl = malloc(sizeof(*acl) + max * sizeof(struct posix_acl_xattr_entry));
	if (!acl)
		return fail_write(u, member, ENOMEM);
	acl->a_version = htole32(POSIX_ACL_XATTR_VERSION);
	n = fill_acl(entry, type, (struct posix_acl_xattr_entry *)(acl + 1), max);
	if (n < 0) {
		ret = fail_member(u, member, "has an access list with names in place of numbers; "
				  "make the archive with --numeric-owner");
	} else {
		ret = attr_add(attr, xattr, acl,
			       sizeof(*acl) + n * sizeof(struct posix_acl_xattr_entry));
		if (ret)
			ret = fail_write(u, member, -ret);
	}
	free(acl);
	return ret;
}

static int read_attr(const struct unpack *u, struct archive_entry *entry, const char *member,
		     struct attr *attr)
{
	int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
	const struct tar_filter *filter = u->target->filter;
	const char *name, *wrong;
	const void *value;
	size_t size;
	int ret;

	*attr = (struct attr){
		.mode = archive_entry_mode(entry),
		.uid = uid,
		.gid = gid,
		.optional = u->target->optional,
		.times = {
			{ archive_entry_atime(entry), archive_entry_atime_nsec(entry) },
			{ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) },
		},
	};
	if (!archive_entry_atime_is_set(entry))
		attr->times[0].tv_nsec = UTIME_OMIT;
	if (!archive_entry_mtime_is_set(entry))
		attr->times[1].tv_nsec = UTIME_OMIT;
	/* (uid_t)-1 would mean "leave it". */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return fail_member(u, member, "has an owner that cannot exist");
	wrong = filter ? filter->change(filter, &attr->mode, &attr->uid, &attr->gid) : NULL;
	if (wrong)
		return fail_member(u, member, wrong);

	for (archive_entry_xattr_reset(entry);
	     archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK; ) {
		if (filter ? strncmp(name, "user.", strlen("user.")) != 0 : !attr_portable(name))
			continue;
		ret = attr_add(attr, name, value, size);
		if (ret)
			return fail_write(u, member, -ret);
	}
	if (filter)
		return 0;
	ret = add_acl(u, entry, member, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access",
		      attr);
	if (!ret)
		ret = add_acl(u, entry, member, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT,
			      "system.posix_acl_default", attr);
	return ret;
}

static int next_block(const struct unpack *u, const void **block, size_t *size, int64_t *offset)
{
	tar_stream_go_on(u->stream);
	return archive_read_data_block(u->archive, block, size, offset);
}

static int unpack_data(const struct unpack *u, const char *member, int fd)
{
	const char *data;
	const void *block;
	int64_t offset;
	size_t size;
	ssize_t n;
	int ret;

	/* Blocks come in order, with gaps where the file has holes. */
	while ((ret = next_block(u, &block, &size, &offset)) == ARCHIVE_OK) {
		for (data = block; size; data += n, size -= n, offset += n) {
			n = TEMP_FAILURE_RETRY(pwrite(fd, data, size, offset));
			if (n < 0)
				return fail_write(u, member, errno);
		}
		report_progress(u);
	}
	return ret == ARCHIVE_EOF ? 0 : fail_archive(u);
}

static int unpack_file(const struct unpack *u, struct archive_entry *entry, const char *member,
		       const struct attr *attr)
{
	int fd, ret;

	ret = tree_writer_open(u->writer, member, &fd);
	if (ret)
		return fail_write(u, member, -ret);
	ret = unpack_data(u, member, fd);
	if (ret) {
		close(fd);
		return ret;
	}
	ret = tree_writer_close(u->writer, fd, archive_entry_size(entry), attr);
	return ret ? fail_write(u, member, -ret) : 0;
}

/* The data that some formats repeat for it is that of the file it is to. */
static int unpack_link(const struct unpack *u, struct archive_entry *entry, const char *member)
{
	const void *block;
	int64_t offset;
	size_t size;
	int ret = tree_writer_link(u->writer, member, archive_entry_hardlink(entry));

	if (ret)
		return fail_write(u, member, -ret);
	do
		ret = next_block(u, &block, &size, &offset);
	while (ret == ARCHIVE_OK);
	return ret == ARCHIVE_EOF ? 0 : fail_archive(u);
}

static int unpack_member(const struct unpack *u, struct archive_entry *entry, const char *member,
			 const struct attr *attr)
{
	const char *target = archive_entry_symlink(entry);
	struct tree_writer *w = u->writer;
	int ret;

	if (archive_entry_hardlink(entry))
		return unpack_link(u, entry, member);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return unpack_file(u, entry, member, attr);
	case AE_IFDIR:
		ret = tree_writer_directory(w, member, attr);
		break;
	case AE_IFLNK:
		if (!target)
			return fail_member(u, member, "is a symbolic link to nothing");
		ret = tree_writer_symlink(w, member, target, attr);
		break;
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		ret = tree_writer_special(w, member, archive_entry_rdev(entry), attr);
		break;
	default:
		return fail_member(u, member, "is of an unknown type");
	}
	return ret ? fail_write(u, member, -ret) : 0;
}

/*
 * ARCHIVE_WARN says that libarchive has left something out that it could not
 * understand. A base that is almost what was packed is worse than none. Only
 * where it is a name that is not UTF-8, nothing is lost: libarchive gives us its
 * bytes then, and bytes are what we want.
 */
static int next_member(const struct unpack *u, struct archive_entry **entry)
{
	const char *text;
	int ret;

	tar_stream_go_on(u->stream);
	ret = archive_read_next_header(u->archive, entry);
	text = archive_error_string(u->archive);
	if (ret == ARCHIVE_WARN && text && strstr(text, "can't be converted"))
		ret = ARCHIVE_OK;
	return ret;
}

static int unpack_members(const struct unpack *u)
{
	struct archive_entry *entry;
	const char *member;
	struct attr attr;
	int ret;

	while ((ret = next_member(u, &entry)) == ARCHIVE_OK) {
		member = archive_entry_pathname(entry);
		if (!member)
			return fail_archive(u);
		ret = read_attr(u, entry, member, &attr);
		if (!ret)
			ret = unpack_member(u, entry, member, &attr);
		attr_free(&attr);
		if (ret)
			return ret;
		report_progress(u);
	}
	if (ret != ARCHIVE_EOF)
		return fail_archive(u);
	ret = tree_writer_finish(u->writer);
	return ret ? fail_write(u, ".", -ret) : 0;
}

static struct archive *new_archive(void)
{
	struct archive *a = archive_read_new();

	/* No more than this: each format is a parser for input that nobody has checked. */
	if (a && archive_read_support_format_tar(a) != ARCHIVE_OK) {
		archive_read_free(a);
		return NULL;
	}
	return a;
}

int tar_unpack(int fd, const struct tar_target *target)
{
	struct unpack u = { .target = target };
	locale_t utf8, old;
	struct stat st;
	int ret = archive_lib_load();

	if (ret)
		return ret;
	if (target->progress && !fstat(fd, &st) && S_ISREG(st.st_mode))
		u.total = st.st_size;
	/*
	 * libarchive converts names into the character set of the thread's locale. In this one
	 * they stay the bytes they are in the archive.
	 */
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	u.archive = new_archive();
	u.stream = tar_stream_new(fd);
	u.writer = tree_writer_new(target->dir);
	if (utf8 && u.archive && u.stream && u.writer) {
		old = uselocale(utf8);
		ret = tar_stream_open(u.stream, u.archive) == ARCHIVE_OK ?
		      unpack_members(&u) : fail_archive(&u);
		uselocale(old);
	} else {
		ret = dre_fail_errno(utf8 ? ENOMEM : errno, "%s: cannot be unpacked",
				     target->what);
	}
	if (u.writer)
		tree_writer_free(u.writer);
	archive_read_free(u.archive);
	tar_stream_free(u.stream);
	if (utf8)
		freelocale(utf8);
	return ret;
}
