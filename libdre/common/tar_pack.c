// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libarchive writes the archive; what goes into it is read here, and not by
 * libarchive, for the reasons that tree_copy.c has.
 */
#include <dre.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "archive_lib.h"
#include "attr.h"
#include "fail.h"
#include "file.h"
#include "hard_links.h"
#include "tar.h"

/* A fd is open for each level. */
#define MAX_DEPTH	200
#define BLOCK_SIZE	(128 * 1024)
#define CHUNK		(1 << 20)
/* All parts of a file are remembered, each with some 170 bytes. */
#define MAX_PARTS	(64 * 1024)

struct pack {
	const struct tar_source *source;
	struct archive *archive;
	int fd;
	bool socket;
	int write_errno;	/* why @fd took no more */
	bool failed;		/* no end is written any more: it stays incomplete */
	struct hard_links links;
	char *buffer;		/* CHUNK bytes */
	char *zeros;		/* as many, which are 0 */
	uint64_t done;
	char path[PATH_MAX];	/* of the current file in the archive */
	size_t path_len;
};

static int fail(const struct pack *p, int errnum)
{
	struct printable printable;

	dre_printable(&printable, p->path);
	if (errnum == E2BIG)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "cannot pack %s/%s: it has too many attributes, or there are too many files with several names before it",
				p->source->what, printable.text);
	return dre_fail_errno(errnum, "cannot pack %s/%s", p->source->what, printable.text);
}

static int fail_archive(const struct pack *p)
{
	struct printable text;

	if (p->write_errno)
		return dre_fail_errno(p->write_errno, "cannot write the archive of %s",
				      p->source->what);
	return dre_fail(DRE_ERR_DEVICE_BUSY, "cannot write the archive of %s: %s", p->source->what,
			dre_printable(&text, archive_error_string(p->archive) ?: "no memory"));
}

/*
 * ARCHIVE_WARN is for names that are not UTF-8: they are written as the bytes that they are, and
 * marked. Nothing is lost.
 */
static int check(const struct pack *p, int ret)
{
	return ret == ARCHIVE_OK || ret == ARCHIVE_WARN ? 0 : fail_archive(p);
}

static void report(struct pack *p, uint64_t bytes)
{
	p->done += bytes;
	if (p->source->progress)
		p->source->progress(p->source->arg, p->done, 0);
}

/*
 * What a file has.
 */

static int acl_tag(unsigned int tag)
{
	switch (tag) {
	case ACL_USER_OBJ:
		return ARCHIVE_ENTRY_ACL_USER_OBJ;
	case ACL_USER:
		return ARCHIVE_ENTRY_ACL_USER;
	case ACL_GROUP_OBJ:
		return ARCHIVE_ENTRY_ACL_GROUP_OBJ;
	case ACL_GROUP:
		return ARCHIVE_ENTRY_ACL_GROUP;
	case ACL_MASK:
		return ARCHIVE_ENTRY_ACL_MASK;
	case ACL_OTHER:
		return ARCHIVE_ENTRY_ACL_OTHER;
	}
	return 0;
}

/* The kernel has checked it when it was set. To libarchive an id is an int. */
static int add_acl(struct archive_entry *entry, int type, const struct attr_x *x)
{
	const struct posix_acl_xattr_header *acl = x->value;
	const struct posix_acl_xattr_entry *e = (const void *)(acl + 1);
	size_t n = x->size < sizeof(*acl) ? 0 : (x->size - sizeof(*acl)) / sizeof(*e);
	bool named;
	int tag;

	for (; n; n--, e++) {
		tag = acl_tag(le16toh(e->e_tag));
		named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
		if (named && le32toh(e->e_id) > INT_MAX)
			return -EOVERFLOW;
		if (archive_entry_acl_add_entry(entry, type, le16toh(e->e_perm), tag,
						named ? (int)le32toh(e->e_id) : -1, NULL) !=
		    ARCHIVE_OK)
			return -EINVAL;
	}
	return 0;
}

static int add_xattrs(struct archive_entry *entry, const struct attr *attr, bool user_only)
{
	int ret = 0;

	for (const struct attr_x *x = attr->xattrs; !ret && x < attr->xattrs + attr->nr_xattrs; x++) {
		if (user_only && strncmp(x->name, "user.", strlen("user.")) != 0)
			continue;
		if (!strcmp(x->name, "system.posix_acl_access"))
			ret = add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, x);
		else if (!strcmp(x->name, "system.posix_acl_default"))
			ret = add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, x);
		else
			archive_entry_xattr_add_entry(entry, x->name, x->value, x->size);
	}
	return ret;
}

/* overlayfs' own notes are of a layer, and not of what a container sees. */
static int add_attributes(const struct pack *p, struct archive_entry *entry, int dir,
			  const char *name, const struct stat *st)
{
	struct attr attr;
	int ret = attr_read(&attr, dir, name, st);

	if (!ret) {
		attr_remove(&attr, "trusted.overlay.");
		ret = add_xattrs(entry, &attr, p->source->filter);
		attr_free(&attr);
	}
	return ret ? fail(p, -ret) : 0;
}

/* Returns 0 or a DRE_ERR_* code. */
static int new_entry(const struct pack *p, const struct stat *st, struct archive_entry **made)
{
	const struct tar_filter *filter = p->source->filter;
	mode_t mode = st->st_mode;
	uid_t uid = st->st_uid;
	gid_t gid = st->st_gid;
	const char *wrong = filter ? filter->change(filter, &mode, &uid, &gid) : NULL;
	struct archive_entry *entry;
	struct printable printable;

	*made = NULL;
	if (wrong)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s/%s %s", p->source->what,
				dre_printable(&printable, p->path), wrong);
	entry = archive_entry_new();
	if (!entry)
		return fail(p, ENOMEM);
	archive_entry_set_pathname(entry, p->path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_uid(entry, uid);
	archive_entry_set_gid(entry, gid);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (S_ISREG(st->st_mode))
		archive_entry_set_size(entry, st->st_size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		archive_entry_set_rdev(entry, st->st_rdev);
	*made = entry;
	return 0;
}

/*
 * Data.
 */

/* The next part of a file with data in it, from @pos on; both are @size where none is left. */
static void next_data(int fd, off_t pos, off_t size, off_t *data, off_t *hole)
{
	*data = lseek(fd, pos, SEEK_DATA);
	*hole = *data < 0 ? -1 : lseek(fd, *data, SEEK_HOLE);
	if (*data < 0 && errno == ENXIO) {
		*data = size;
		*hole = size;
	} else if (*hole < 0) {	/* a file system that does not know */
		*data = pos;
		*hole = size;
	}
	if (*data > size)
		*data = size;
	if (*hole > size)
		*hole = size;
}

/*
 * A file that is nothing but a hole has a part without data at its end. The last part that is remembered
 * takes in the rest, holes and all.
 */
static void add_parts(struct archive_entry *entry, int fd, off_t size)
{
	unsigned int parts = 0;
	off_t data, hole;

	for (off_t pos = 0; pos < size; pos = hole) {
		next_data(fd, pos, size, &data, &hole);
		if (data == hole)
			continue;
		if (++parts == MAX_PARTS)
			hole = size;
		archive_entry_sparse_add_entry(entry, data, hole - data);
	}
	if (!parts && size > 0)
		archive_entry_sparse_add_entry(entry, size, 0);
}

static int write_all(struct pack *p, const char *data, off_t size)
{
	for (la_ssize_t n; size; data += n, size -= n) {
		n = archive_write_data(p->archive, data, size);
		if (n <= 0)
			return fail_archive(p);
	}
	return 0;
}

/* libarchive wants holes to be written too, and leaves them out where it was told of them. */
static int write_hole(struct pack *p, off_t size)
{
	int ret = 0;

	for (off_t n; !ret && size; size -= n) {
		n = size < CHUNK ? size : CHUNK;
		ret = write_all(p, p->zeros, n);
	}
	return ret;
}

/* What has been cut off meanwhile is zeros. */
static int write_part(struct pack *p, int fd, off_t pos, off_t end)
{
	ssize_t n;
	int ret = 0;

	for (; !ret && pos < end; pos += n) {
		n = TEMP_FAILURE_RETRY(pread(fd, p->buffer, end - pos < CHUNK ? end - pos : CHUNK,
					     pos));
		if (n < 0)
			return fail(p, errno);
		if (!n)
			return write_hole(p, end - pos);
		ret = write_all(p, p->buffer, n);
		report(p, n);
	}
	return ret;
}

static int write_data(struct pack *p, struct archive_entry *entry, int fd)
{
	off_t size = archive_entry_size(entry), pos = 0, end;
	la_int64_t offset, length;
	int ret = 0;

	if (!archive_entry_sparse_reset(entry))
		return write_part(p, fd, 0, size);
	while (!ret && archive_entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK) {
		end = offset + length;
		ret = write_hole(p, offset - pos);
		if (!ret)
			ret = write_part(p, fd, offset, end);
		pos = end;
	}
	return ret ? ret : write_hole(p, size - pos);
}

/* Never a device, though it may be exchanged at any moment: to open one may do something. */
static int open_regular(int dir, const char *name, struct stat *st)
{
	int path_fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	char path[48];

	if (path_fd < 0)
		return -errno;
	if (fstat(path_fd, st) < 0) {
		fd = -errno;
	} else if (!S_ISREG(st->st_mode)) {
		fd = -ESTALE;
	} else {
		snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", path_fd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	close(path_fd);
	return fd;
}

/*
 * The tree.
 */

static int pack_file(struct pack *p, int dir, const char *name, struct stat *st)
{
	struct archive_entry *entry;
	int fd = open_regular(dir, name, st), ret;

	if (fd < 0)
		return fail(p, -fd);
	ret = new_entry(p, st, &entry);
	if (!ret)
		ret = add_attributes(p, entry, dir, name, st);
	if (!ret) {
		add_parts(entry, fd, st->st_size);
		ret = check(p, archive_write_header(p->archive, entry));
	}
	if (!ret)
		ret = write_data(p, entry, fd);
	archive_entry_free(entry);
	close(fd);
	return ret;
}

static int set_target(const struct pack *p, struct archive_entry *entry, int dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, name, target, sizeof(target));

	if (len < 0 || len == sizeof(target))
		return fail(p, len < 0 ? errno : ENAMETOOLONG);
	target[len] = '\0';
	archive_entry_set_symlink(entry, target);
	return 0;
}

/* What has no data: @first is the path of the file that it is a link to, or NULL. */
static int pack_header(const struct pack *p, int dir, const char *name, const struct stat *st,
		       const char *first)
{
	struct archive_entry *entry;
	int ret = new_entry(p, st, &entry);

	if (ret)
		return ret;
	if (first) {
		archive_entry_set_hardlink(entry, first);
		archive_entry_set_size(entry, 0);
	} else {
		ret = S_ISLNK(st->st_mode) ? set_target(p, entry, dir, name) : 0;
		if (!ret)
			ret = add_attributes(p, entry, dir, name, st);
	}
	if (!ret)
		ret = check(p, archive_write_header(p->archive, entry));
	archive_entry_free(entry);
	return ret;
}

static int pack_other(struct pack *p, int dir, const char *name, struct stat *st)
{
	const char *first;
	int ret;

	if (S_ISSOCK(st->st_mode))	/* means nothing without the process that has it open */
		return 0;
	ret = hard_links_meet(&p->links, st, p->path, &first);
	if (ret)
		return fail(p, -ret);
	if (S_ISREG(st->st_mode) && !first)
		return pack_file(p, dir, name, st);
	return pack_header(p, dir, name, st, first);
}

static int pack_entry(struct pack *p, int dir, const char *name, int depth);

static int pack_entries(struct pack *p, DIR *dir, int depth)
{
	struct dirent *entry;
	int ret;

	while ((entry = file_readdir(dir))) {
		ret = pack_entry(p, dirfd(dir), entry->d_name, depth);
		if (ret)
			return ret;
	}
	return errno ? fail(p, errno) : 0;
}

/* What is mounted there is not in it; the directory is. */
static int pack_directory(struct pack *p, int dir, const char *name, const struct stat *st,
			  int depth)
{
	DIR *stream;
	int fd, ret;

	if (depth == MAX_DEPTH) {
		struct printable printable;

		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"%s/%s: directories are nested deeper than %d", p->source->what,
				dre_printable(&printable, p->path), MAX_DEPTH);
	}
	ret = depth || !p->source->content ? pack_header(p, dir, name, st, NULL) : 0;
	if (ret)
		return ret;
	fd = file_openat2(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
			  RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return errno == EXDEV ? 0 : fail(p, errno);
	stream = fdopendir(fd);
	if (!stream) {
		ret = fail(p, errno);
		close(fd);
		return ret;
	}
	ret = pack_entries(p, stream, depth + 1);
	closedir(stream);
	return ret;
}

static int pack_path(struct pack *p, int dir, const char *name, int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		/* What is removed while its directory is packed was not there. */
		return errno == ENOENT && depth ? 0 : fail(p, errno);
	if (S_ISDIR(st.st_mode))
		return pack_directory(p, dir, name, &st, depth);
	return pack_other(p, dir, name, &st);
}

static int pack_entry(struct pack *p, int dir, const char *name, int depth)
{
	size_t len = p->path_len;
	bool top = len == 1 && *p->path == '.';	/* needs no "./" */
	int n, ret;

	n = top ? snprintf(p->path, sizeof(p->path), "%s", name) :
		  snprintf(p->path + len, sizeof(p->path) - len, "/%s", name);
	if ((size_t)n >= sizeof(p->path) - len)
		return fail(p, ENAMETOOLONG);
	p->path_len = top ? (size_t)n : len + n;
	ret = pack_path(p, dir, name, depth);
	p->path_len = len;
	if (top)
		*p->path = '.';
	p->path[len] = '\0';
	return ret;
}

/*
 * The archive.
 */

/* The end of who reads from a pipe ends a caller that is not ready for it: no signal comes of this. */
static ssize_t write_unsignalled(int fd, const void *data, size_t size)
{
	static const struct timespec now;
	sigset_t sigpipe, old, pending;
	ssize_t n;
	int err;

	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &sigpipe, &old);
	sigpending(&pending);
	n = TEMP_FAILURE_RETRY(write(fd, data, size));
	err = errno;
	/* It comes also if a part was written. One that has waited before is the caller's. */
	if (n < (ssize_t)size && !sigismember(&pending, SIGPIPE))
		(void)!TEMP_FAILURE_RETRY(sigtimedwait(&sigpipe, NULL, &now));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = err;
	return n;
}

static la_ssize_t write_block(struct archive *archive, void *arg, const void *data, size_t size)
{
	struct pack *p = arg;
	ssize_t n;

	if (p->failed)
		return size;
	n = p->socket ? TEMP_FAILURE_RETRY(send(p->fd, data, size, MSG_NOSIGNAL)) :
			write_unsignalled(p->fd, data, size);
	if (n < 0) {
		p->write_errno = errno;
		archive_set_error(archive, errno, "write");
	}
	return n;
}

static const struct filter {
	const char *name;
	int (**add)(struct archive *archive);
} filters[] = {
	{ "gzip", &archive_write_add_filter_gzip },
	{ "xz", &archive_write_add_filter_xz },
	{ "zstd", &archive_write_add_filter_zstd },
	{ NULL, &archive_write_add_filter_none },
};

/* The last one if it is none of them. */
static const struct filter *find_filter(const char *compression)
{
	const struct filter *filter = filters;

	while (filter->name && (!compression || strcmp(filter->name, compression)))
		filter++;
	return filter;
}

int tar_check_compression(const char *compression)
{
	struct printable p;

	if (!compression || find_filter(compression)->name)
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "compression '%s' is not known: gzip, xz, zstd are",
			dre_printable(&p, compression));
}

/* Binary values of extended attributes once, as GNU tar and star have them. */
static int open_archive(struct pack *p)
{
	struct archive *a = p->archive;

	if (archive_write_set_format_pax(a) != ARCHIVE_OK ||
	    archive_write_set_format_option(a, "pax", "xattrheader", "SCHILY") != ARCHIVE_OK ||
	    (*find_filter(p->source->compression)->add)(a) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(a, BLOCK_SIZE) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open(a, p, NULL, write_block, NULL) != ARCHIVE_OK)
		return fail_archive(p);
	return 0;
}

static int pack(struct pack *p)
{
	const struct tar_source *source = p->source;
	locale_t utf8, old;
	int ret;

	/* tar.c says why. */
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!utf8 || !p->archive || !p->buffer || !p->zeros) {
		ret = dre_fail_errno(utf8 ? ENOMEM : errno, "%s: cannot be packed", source->what);
	} else {
		old = uselocale(utf8);
		ret = open_archive(p);
		if (!ret)
			ret = pack_path(p, source->dir, source->entry, 0);
		if (!ret)
			ret = check(p, archive_write_close(p->archive));
		uselocale(old);
	}
	if (utf8)
		freelocale(utf8);
	return ret;
}

int tar_pack(const struct tar_source *source, int fd)
{
	struct pack p = { .source = source, .fd = fd };
	struct stat st;
	int ret = archive_lib_load();

	if (ret)
		return ret;
	p.archive = archive_write_new();
	p.buffer = malloc(CHUNK);
	p.zeros = calloc(1, CHUNK);
	p.socket = !fstat(fd, &st) && S_ISSOCK(st.st_mode);
	p.path_len = snprintf(p.path, sizeof(p.path), "%s", source->member);
	ret = p.path_len < sizeof(p.path) ? pack(&p) :
	      dre_fail_errno(ENAMETOOLONG, "%s: cannot be packed", source->what);
	p.failed = ret;
	archive_write_free(p.archive);
	hard_links_free(&p.links);
	free(p.buffer);
	free(p.zeros);
	return ret;
}
