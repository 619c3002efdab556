// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Base images from directories and from tar archives, friendly and hostile.
 */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base.h"
#include "common/container.h"
#include "common/import.h"
#include "common/tar.h"
#include "fixture.h"

/* A path in the only layer of a base. */
static const char *in_base(struct fixture *f, const char *base, const char *path)
{
	struct manifest m;
	const char *result;

	assert_success(base_read(f->store, base, &m));
	assert_int_equal(m.nr_layers, 1);
	result = at(f, "store/layers/%s/%s", m.layers[0], path);
	manifest_free(&m);
	return result;
}

static struct stat stat_in(struct fixture *f, const char *base, const char *path)
{
	struct stat st;

	if (lstat(in_base(f, base, path), &st) < 0)
		fail_msg("%s is not there", path);
	return st;
}

static bool is_in(struct fixture *f, const char *base, const char *path)
{
	struct stat st;

	return !lstat(in_base(f, base, path), &st);
}

static int import(struct fixture *f, const char *source)
{
	return import_base(f->store, "new", source, NULL, NULL);
}

/* Fails with this code and text, and leaves nothing. */
static void assert_refused(struct fixture *f, const char *source, int code, const char *part)
{
	char *before = list_tree(f->root), *after;

	assert_fails(import(f, source), code, part);
	after = list_tree(f->root);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/*
 * Sources.
 */

static void bad_sources(void **state)
{
	struct fixture *f = *state;
	char path[5000];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_fails(import_base(f->store, "new", NULL, NULL, NULL), DRE_ERR_NULL_POINTER,
		     "source");
	assert_refused(f, "", DRE_ERR_INVALID_ARGUMENT, "there is no");
	assert_refused(f, "/nonexistent", DRE_ERR_INVALID_ARGUMENT, "there is no /nonexistent");
	assert_refused(f, "/etc/passwd/x", DRE_ERR_INVALID_ARGUMENT, "there is no /etc/passwd/x");
	assert_refused(f, path, DRE_ERR_INVALID_ARGUMENT, "there is no /xxx");
	assert_refused(f, "/dev/null", DRE_ERR_INVALID_ARGUMENT, "/dev/null is neither");
	assert_int_equal(mknod(at(f, "socket"), S_IFSOCK | 0600, 0), 0);
	assert_refused(f, at(f, "socket"), DRE_ERR_INVALID_ARGUMENT, "socket is neither");
	write_file(at(f, "empty"), "");
	assert_refused(f, at(f, "empty"), DRE_ERR_INVALID_ARGUMENT, "empty: ");
	write_file(at(f, "text"), "This is not a tar archive, but it is long enough to be one.\n");
	assert_refused(f, at(f, "text"), DRE_ERR_INVALID_ARGUMENT, "text: Unrecognized");
	make_dir(at(f, "bare"), 0755);
	assert_refused(f, at(f, "bare"), DRE_ERR_INVALID_ARGUMENT, "no /sbin/init");
}

static void exists_already(void **state)
{
	struct fixture *f = *state;

	assert_success(import(f, at(f, "tiny")));
	assert_refused(f, at(f, "tiny"), DRE_ERR_BASE_EXISTENCE, "'new'");
	/* That comes before what is wrong with the source, once it can be opened. */
	assert_refused(f, f->dir, DRE_ERR_BASE_EXISTENCE, "'new'");
}

static void directory(void **state)
{
	struct fixture *f = *state;
	struct manifest m;

	assert_int_equal(chmod(at(f, "tiny"), 0751), 0);
	assert_success(import(f, at(f, "tiny")));
	assert_int_equal(stat_in(f, "new", ".").st_mode & 07777, 0751);
	assert_true(is_in(f, "new", "sbin/init"));
	assert_success(base_read(f->store, "new", &m));
	assert_string_equal(manifest_get(&m, SETTING_HALT_SIGNAL), "SIGPWR");
	assert_string_equal(manifest_get(&m, SETTING_REBOOT_SIGNAL), "SIGINT");
	manifest_free(&m);
	assert_store_clean(f);
}

/* The directory has the store in it, which must not be copied into itself. */
static void directory_with_the_store(void **state)
{
	struct fixture *f = *state;

	make_dir(at(f, "sbin"), 0755);
	write_file(at(f, "sbin/init"), "");
	assert_int_equal(chmod(at(f, "sbin/init"), 0700), 0);
	assert_success(import(f, f->dir));
	assert_true(is_in(f, "new", "tiny/sbin/init"));
	assert_true(is_in(f, "new", "store"));
	assert_false(is_in(f, "new", "store/lock"));
	assert_store_clean(f);
}

static void kinds_of_init(void **state)
{
	static const struct {
		const char *program;	/* what is executed */
		const char *link;	/* what /sbin/init is a link to; NULL: a hard link */
		const char *halt, *reboot;
	} cases[] = {
		{ "bin/busybox", "/bin/busybox", "SIGUSR1", "SIGTERM" },
		{ "bin/busybox", "../bin/busybox", "SIGUSR1", "SIGTERM" },
		{ "bin/busybox", "../../../../bin/busybox", "SIGUSR1", "SIGTERM" },
		{ "bin/busybox", NULL, "SIGUSR1", "SIGTERM" },
		{ "lib/systemd/systemd", "/lib/systemd/systemd", "SIGRTMIN+3", "SIGINT" },
		{ "bin/sysvinit", "/bin/sysvinit", "SIGPWR", "SIGINT" },
	};
	struct fixture *f = *state;
	struct manifest m;
	char name[8];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(name, sizeof(name), "k%zu", i);
		make_tiny_tree(at(f, "%s", name));
		assert_int_equal(unlink(at(f, "%s/sbin/init", name)), 0);
		make_dir(at(f, "%s/bin", name), 0755);
		make_dir(at(f, "%s/lib", name), 0755);
		make_dir(at(f, "%s/lib/systemd", name), 0755);
		write_file(at(f, "%s/%s", name, cases[i].program), "");
		assert_int_equal(chmod(at(f, "%s/%s", name, cases[i].program), 0755), 0);
		if (cases[i].link)
			assert_int_equal(symlink(cases[i].link, at(f, "%s/sbin/init", name)), 0);
		else
			assert_int_equal(link(at(f, "%s/%s", name, cases[i].program),
					      at(f, "%s/sbin/init", name)), 0);
		assert_success(import_base(f->store, name, at(f, "%s", name), NULL, NULL));
		assert_success(base_read(f->store, name, &m));
		assert_string_equal(manifest_get(&m, SETTING_HALT_SIGNAL), cases[i].halt);
		assert_string_equal(manifest_get(&m, SETTING_REBOOT_SIGNAL), cases[i].reboot);
		manifest_free(&m);
	}
}

static void no_init(void **state)
{
	/* What the host has under the same path is not the base's. */
	static const char *const links[] = { "/bin/sh", "../../../../../bin/sh", "init", "/" };
	struct fixture *f = *state;

	assert_int_equal(chmod(at(f, "tiny/sbin/init"), 0644), 0);
	assert_refused(f, at(f, "tiny"), DRE_ERR_INVALID_ARGUMENT, "no /sbin/init");
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		assert_int_equal(unlink(at(f, "tiny/sbin/init")), 0);
		assert_int_equal(symlink(links[i], at(f, "tiny/sbin/init")), 0);
		assert_refused(f, at(f, "tiny"), DRE_ERR_INVALID_ARGUMENT, "no /sbin/init");
	}
}

/*
 * Archives.
 */

struct tar {
	struct archive *archive;
	struct archive_entry *entry;
};

enum compression { NONE, GZIP, XZ, ZSTD, BZIP2, TWICE };

static struct tar tar_begin(const struct fixture *f, enum compression compression)
{
	struct tar t = { archive_write_new(), archive_entry_new() };

	assert_int_equal(archive_write_set_format_pax(t.archive), ARCHIVE_OK);
	if (compression == GZIP)
		assert_int_equal(archive_write_add_filter_gzip(t.archive), ARCHIVE_OK);
	if (compression == XZ)
		assert_int_equal(archive_write_add_filter_xz(t.archive), ARCHIVE_OK);
	if (compression == ZSTD || compression == TWICE)
		assert_int_equal(archive_write_add_filter_zstd(t.archive), ARCHIVE_OK);
	if (compression == TWICE)
		assert_int_equal(archive_write_add_filter_zstd(t.archive), ARCHIVE_OK);
	if (compression == BZIP2)
		assert_int_equal(archive_write_add_filter_bzip2(t.archive), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(t.archive, at(f, "x.tar")), ARCHIVE_OK);
	return t;
}

/* The next member, of which the caller changes what it likes before tar_write(). */
static struct archive_entry *member(struct tar *t, const char *path, mode_t mode)
{
	archive_entry_clear(t->entry);
	archive_entry_set_pathname(t->entry, path);
	archive_entry_set_mode(t->entry, mode);
	archive_entry_set_uid(t->entry, 0);
	archive_entry_set_gid(t->entry, 0);
	archive_entry_set_mtime(t->entry, 1000000000, 5);
	archive_entry_set_size(t->entry, 0);
	return t->entry;
}

static void tar_write(struct tar *t, const char *data)
{
	if (data)
		archive_entry_set_size(t->entry, strlen(data));
	if (archive_write_header(t->archive, t->entry) != ARCHIVE_OK)
		fail_msg("%s", archive_error_string(t->archive));
	if (data)
		assert_int_equal(archive_write_data(t->archive, data, strlen(data)), strlen(data));
}

static void tar_file(struct tar *t, const char *path, const char *data)
{
	member(t, path, S_IFREG | 0644);
	tar_write(t, data);
}

static void tar_dir(struct tar *t, const char *path, mode_t mode)
{
	member(t, path, S_IFDIR | mode);
	tar_write(t, NULL);
}

static void tar_symlink(struct tar *t, const char *path, const char *target)
{
	archive_entry_set_symlink(member(t, path, S_IFLNK | 0777), target);
	tar_write(t, NULL);
}

static void tar_hardlink(struct tar *t, const char *path, const char *target)
{
	archive_entry_set_hardlink(member(t, path, S_IFREG | 0644), target);
	tar_write(t, NULL);
}

static void tar_init(struct tar *t)
{
	member(t, "./sbin/init", S_IFREG | 0755);
	tar_write(t, "#!/bin/sh\n");
}

static void tar_end(struct tar *t)
{
	assert_int_equal(archive_write_close(t->archive), ARCHIVE_OK);
	archive_write_free(t->archive);
	archive_entry_free(t->entry);
}

static void compressed(void **state)
{
	static const enum compression kinds[] = { NONE, GZIP, XZ, ZSTD };
	struct fixture *f = *state;
	char name[8];
	struct tar t;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		t = tar_begin(f, kinds[i]);
		tar_init(&t);
		tar_end(&t);
		snprintf(name, sizeof(name), "c%zu", i);
		assert_success(import_base(f->store, name, at(f, "x.tar"), NULL, NULL));
		assert_true(is_in(f, name, "sbin/init"));
		/* There was no member for the directories. */
		assert_int_equal(stat_in(f, name, "sbin").st_mode, S_IFDIR | 0755);
		assert_int_equal(stat_in(f, name, ".").st_mode, S_IFDIR | 0755);
	}
	assert_store_clean(f);
	t = tar_begin(f, BZIP2);
	tar_init(&t);
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "Unrecognized");
}

static void from_a_pipe(void **state)
{
	struct fixture *f = *state;
	struct tar t = tar_begin(f, GZIP);
	int status;
	pid_t pid;

	tar_init(&t);
	tar_end(&t);
	assert_int_equal(mkfifo(at(f, "fifo"), 0600), 0);
	pid = fork();
	if (!pid) {
		execl("/bin/cp", "cp", at(f, "x.tar"), at(f, "fifo"), NULL);
		_exit(1);
	}
	assert_success(import(f, at(f, "fifo")));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(is_in(f, "new", "sbin/init"));
}

static void all_attributes(void **state)
{
	struct fixture *f = *state;
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t old = uselocale(utf8);
	struct tar t = tar_begin(f, NONE);
	char value[64], long_name[256];
	struct stat st, st2;

	memset(long_name, 'n', 255);
	long_name[255] = '\0';
	tar_dir(&t, "./", 0751);
	tar_init(&t);
	tar_dir(&t, "closed/", 0);
	tar_file(&t, "closed/inside", "x");
	tar_dir(&t, "tmp", 01777);
	member(&t, "setuid", S_IFREG | 06755);
	archive_entry_set_uid(t.entry, 1234);
	archive_entry_set_gid(t.entry, 4000000000u);
	archive_entry_set_uname(t.entry, "root");	/* the number counts */
	archive_entry_xattr_add_entry(t.entry, "user.note", "a\0b", 3);
	archive_entry_xattr_add_entry(t.entry, "trusted.note", "t", 1);
	archive_entry_xattr_add_entry(t.entry, "system.nfs4_acl", "t", 1);
	tar_write(&t, "data");
	tar_hardlink(&t, "hard", "./setuid");
	tar_hardlink(&t, "/hard2", "setuid");
	tar_symlink(&t, "absolute", "/etc/passwd");
	tar_symlink(&t, "up", "../../../../etc/passwd");
	member(&t, "null", S_IFCHR | 0666);
	archive_entry_set_rdev(t.entry, makedev(1, 3));
	tar_write(&t, NULL);
	member(&t, "whiteout", S_IFCHR);
	archive_entry_set_rdev(t.entry, makedev(0, 0));
	tar_write(&t, NULL);
	member(&t, "disk", S_IFBLK | 0600);
	archive_entry_set_rdev(t.entry, makedev(8, 1));
	tar_write(&t, NULL);
	member(&t, "fifo", S_IFIFO | 0640);
	tar_write(&t, NULL);
	tar_file(&t, long_name, "long");
	tar_file(&t, "F\xc5\x91tan\xc3\xbas\xc3\xadtv\xc3\xa1ny.crt", "utf-8");
	tar_file(&t, "new\nline", "x");
	tar_end(&t);

	/* In a locale that has no such characters. */
	uselocale(old);
	freelocale(utf8);
	assert_string_equal(setlocale(LC_ALL, NULL), "C");
	assert_success(import(f, at(f, "x.tar")));
	assert_ptr_equal(uselocale((locale_t)0), old);

	st = stat_in(f, "new", ".");
	assert_int_equal(st.st_mode, S_IFDIR | 0751);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	st = stat_in(f, "new", "closed");
	assert_int_equal(st.st_mode, S_IFDIR);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	assert_int_equal(stat_in(f, "new", "tmp").st_mode, S_IFDIR | 01777);
	st = stat_in(f, "new", "setuid");
	assert_int_equal(st.st_mode, S_IFREG | 06755);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 4000000000u);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
	st2 = stat_in(f, "new", "hard");
	assert_int_equal(st.st_ino, st2.st_ino);
	assert_int_equal(getxattr(in_base(f, "new", "setuid"), "user.note", value, 64), 3);
	assert_memory_equal(value, "a\0b", 3);
	assert_int_equal(getxattr(in_base(f, "new", "setuid"), "trusted.note", value, 64), 1);
	assert_int_equal(readlink(in_base(f, "new", "absolute"), value, 64), 11);
	assert_int_equal(readlink(in_base(f, "new", "up"), value, 64), 22);
	st = stat_in(f, "new", "null");
	assert_int_equal(st.st_mode, S_IFCHR | 0666);
	assert_int_equal(st.st_rdev, makedev(1, 3));
	st = stat_in(f, "new", "whiteout");
	assert_int_equal(st.st_mode, S_IFCHR);
	assert_int_equal(st.st_rdev, makedev(0, 0));
	st = stat_in(f, "new", "disk");
	assert_int_equal(st.st_mode, S_IFBLK | 0600);
	assert_int_equal(st.st_rdev, makedev(8, 1));
	assert_int_equal(stat_in(f, "new", "fifo").st_mode, S_IFIFO | 0640);
	assert_int_equal(stat_in(f, "new", long_name).st_size, 4);
	assert_int_equal(stat_in(f, "new", "F\xc5\x91tan\xc3\xbas\xc3\xadtv\xc3\xa1ny.crt").st_size,
			 5);
	assert_true(is_in(f, "new", "new\nline"));
	assert_store_clean(f);
}

/* What GNU tar and Debian's tools make of the same tree. */
static void made_by_gnu_tar(void **state)
{
	static const char *const formats[] = { "gnu", "pax", "ustar" };
	struct fixture *f = *state;
	char command[3 * PATH_MAX], *before, *after, top[PATH_MAX], name[8];
	int fd;

	make_dir(at(f, "tiny/deep"), 0750);
	write_file(at(f, "tiny/deep/file"), "content");
	assert_int_equal(chown(at(f, "tiny/deep/file"), 33, 44), 0);
	assert_int_equal(link(at(f, "tiny/deep/file"), at(f, "tiny/link")), 0);
	assert_int_equal(symlink("deep", at(f, "tiny/symlink")), 0);
	assert_int_equal(mknod(at(f, "tiny/null"), S_IFCHR | 0600, makedev(1, 3)), 0);
	write_file(at(f, "tiny/\xe4\xff"), "not UTF-8");
	fd = open(at(f, "tiny/sparse"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "middle", 6, 30 << 20), 6);
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	close(fd);
	strcpy(top, at(f, "tiny"));
	before = list_tree(top);
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		snprintf(command, sizeof(command),
			 "tar --format=%s --numeric-owner %s -C %s -cf %s .", formats[i],
			 i < 2 ? "--sparse" : "", top, at(f, "x.tar"));
		assert_int_equal(system(command), 0);
		snprintf(name, sizeof(name), "g%zu", i);
		assert_success(import_base(f->store, name, at(f, "x.tar"), NULL, NULL));
		after = list_tree(in_base(f, name, "."));
		assert_string_equal(before, after);
		free(after);
		if (i < 2)
			assert_true(stat_in(f, name, "sparse").st_blocks * 512 < 1 << 20);
	}
	free(before);
}

static void access_lists(void **state)
{
	struct fixture *f = *state;
	struct tar t = tar_begin(f, NONE);
	/* user::rw- user:7:r-- user:9:-wx group::r-- mask::rwx other::--- */
	static const unsigned char expected[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
		2, 0, 4, 0, 7, 0, 0, 0,
		2, 0, 3, 0, 9, 0, 0, 0,
		4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,
		0x10, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
		0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	};
	char value[256];

	tar_init(&t);
	member(&t, "file", S_IFREG | 0640);
	archive_entry_acl_add_entry(t.entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 3,
				    ARCHIVE_ENTRY_ACL_USER, 9, "nine");
	archive_entry_acl_add_entry(t.entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 4,
				    ARCHIVE_ENTRY_ACL_USER, 7, "seven");
	archive_entry_acl_add_entry(t.entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 7,
				    ARCHIVE_ENTRY_ACL_MASK, -1, "");
	tar_write(&t, "x");
	member(&t, "dir", S_IFDIR | 0755);
	for (int tag = 0; tag < 3; tag++)
		archive_entry_acl_add_entry(t.entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, 5,
					    (const int[]){ ARCHIVE_ENTRY_ACL_USER_OBJ,
							   ARCHIVE_ENTRY_ACL_GROUP_OBJ,
							   ARCHIVE_ENTRY_ACL_OTHER }[tag], -1, "");
	tar_write(&t, NULL);
	/* Does not inherit from the directory that was there first. */
	member(&t, "dir/file", S_IFREG | 0666);
	tar_write(&t, "x");
	tar_end(&t);
	assert_success(import(f, at(f, "x.tar")));
	assert_int_equal(getxattr(in_base(f, "new", "file"), "system.posix_acl_access", value,
				  sizeof(value)), sizeof(expected));
	assert_memory_equal(value, expected, sizeof(expected));
	assert_int_equal(getxattr(in_base(f, "new", "dir"), "system.posix_acl_default", value,
				  sizeof(value)), 4 + 3 * 8);
	assert_int_equal(getxattr(in_base(f, "new", "dir/file"), "system.posix_acl_access", value,
				  sizeof(value)), -1);
	assert_int_equal(stat_in(f, "new", "dir/file").st_mode, S_IFREG | 0666);

	t = tar_begin(f, NONE);
	tar_init(&t);
	member(&t, "file", S_IFREG | 0640);
	archive_entry_acl_add_entry(t.entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 4,
				    ARCHIVE_ENTRY_ACL_USER, -1, "somebody");
	tar_write(&t, "x");
	tar_end(&t);
	assert_fails(import_base(f->store, "other", at(f, "x.tar"), NULL, NULL),
		     DRE_ERR_INVALID_ARGUMENT, "member 'file' has an access list with names");
	assert_store_clean(f);
}

static void later_members_win(void **state)
{
	struct fixture *f = *state;
	struct tar t = tar_begin(f, NONE);
	char value[64];

	tar_init(&t);
	tar_file(&t, "file", "first");
	tar_file(&t, "file", "the second");
	tar_symlink(&t, "other", "file");
	tar_file(&t, "other", "not through the link");
	tar_dir(&t, "dir", 0700);
	tar_file(&t, "dir/inside", "x");
	tar_dir(&t, "dir", 0711);
	tar_file(&t, "node", "x");
	tar_dir(&t, "node", 0755);
	tar_file(&t, "node/inside", "x");
	tar_dir(&t, "empty", 0755);
	tar_symlink(&t, "empty", "dir");
	tar_hardlink(&t, "file", "file");
	tar_end(&t);
	assert_success(import(f, at(f, "x.tar")));
	assert_int_equal(stat_in(f, "new", "file").st_size, 10);
	assert_int_equal(stat_in(f, "new", "other").st_size, 20);
	assert_int_equal(stat_in(f, "new", "dir").st_mode, S_IFDIR | 0711);
	assert_true(is_in(f, "new", "dir/inside"));
	assert_true(is_in(f, "new", "node/inside"));
	assert_int_equal(readlink(in_base(f, "new", "empty"), value, sizeof(value)), 3);
}

/*
 * Members of some kilobytes that are next to nothing in the archive: those of one directory take the place of each
 * other; those of many are too many.
 */
static void directory_bomb(void **state)
{
	static char value[60000];
	struct fixture *f = *state;
	char path[16];
	struct stat st;

	for (int many = 0; many < 2; many++) {
		struct tar t = tar_begin(f, ZSTD);

		tar_init(&t);
		for (int i = 0; i < 2000; i++) {
			snprintf(path, sizeof(path), "d%d", many ? i : 0);
			archive_entry_xattr_add_entry(member(&t, path, S_IFDIR | 0755), "user.bomb", value, sizeof(value));
			tar_write(&t, NULL);
		}
		archive_entry_xattr_add_entry(member(&t, "d0", S_IFDIR | 0711), "user.note", "abc", 3);
		tar_write(&t, NULL);
		tar_end(&t);
		assert_int_equal(stat(at(f, "x.tar"), &st), 0);
		assert_true(st.st_size < 1 << 20);
		if (many)
			assert_fails(import_base(f->store, "many", at(f, "x.tar"), NULL, NULL), DRE_ERR_INVALID_ARGUMENT,
				     "too many directories");
		else
			assert_success(import(f, at(f, "x.tar")));
	}
	assert_int_equal(stat_in(f, "new", "d0").st_mode, S_IFDIR | 0711);
	assert_int_equal(getxattr(in_base(f, "new", "d0"), "user.note", value, sizeof(value)), 3);
	assert_int_equal(getxattr(in_base(f, "new", "d0"), "user.bomb", value, sizeof(value)), -1);
	assert_store_clean(f);
}

/* A header of the old kind: that of a member, or one of attributes for it. */
static void write_ustar(FILE *out, const char *name, char type, size_t size)
{
	char header[512] = "";
	unsigned int sum = 0;

	strcpy(header, name);
	strcpy(header + 100, "0000644");
	strcpy(header + 108, "0000000");
	strcpy(header + 116, "0000000");
	snprintf(header + 124, 12, "%011zo", size);
	strcpy(header + 136, "00000000000");
	memset(header + 148, ' ', 8);
	header[156] = type;
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	assert_int_equal(fwrite(header, sizeof(header), 1, out), 1);
}

/* A sparse file of so many parts, of no bytes each, in a few kilobytes. */
static void make_map_bomb(const struct fixture *f, size_t parts)
{
	static const char attributes[512] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
					    "21 GNU.sparse.name=x\n25 GNU.sparse.realsize=0\n";
	char command[PATH_MAX + 32];
	FILE *out;
	long body;

	snprintf(command, sizeof(command), "gzip >%s", at(f, "x.tar"));
	out = popen(command, "w");
	assert_non_null(out);
	write_ustar(out, "PaxHeaders/x", 'x', strlen(attributes));
	assert_int_equal(fwrite(attributes, sizeof(attributes), 1, out), 1);
	body = snprintf(command, sizeof(command), "%zu\n", parts) + 4 * parts;
	write_ustar(out, "x", '0', (body + 511) / 512 * 512);
	fputs(command, out);
	for (size_t i = 0; i < parts; i++)
		fputs("0\n0\n", out);
	for (; body % 512; body++)
		fputc(0, out);
	assert_int_equal(pclose(out), 0);
}

static uint32_t crc32_of(const unsigned char *data, size_t size)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* An archive that says to need a dictionary of 4 GiB to be decompressed. */
static void make_dictionary_bomb(const struct fixture *f)
{
	struct tar t = tar_begin(f, XZ);
	unsigned char block[64];
	size_t size;
	uint32_t crc;
	int fd;

	tar_init(&t);
	tar_end(&t);
	fd = open(at(f, "x.tar"), O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, block, sizeof(block), 12), sizeof(block));
	size = block[0] * 4;	/* without the sum */
	assert_true(size < sizeof(block) && block[1] == 0 && block[2] == 0x21);
	block[4] = 40;
	crc = htole32(crc32_of(block, size));
	memcpy(block + size, &crc, sizeof(crc));
	assert_int_equal(pwrite(fd, block, size + sizeof(crc), 12), size + sizeof(crc));
	close(fd);
}

/* The most that the process ever had, in MiB. */
static long peak(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss / 1024;
}

/* Small archives that take far more memory than they have bytes. */
static void memory_bombs(void **state)
{
	struct fixture *f = *state;
	long before = peak();
	struct tar t;
	struct stat st;

	make_map_bomb(f, 8 << 20);
	assert_int_equal(stat(at(f, "x.tar"), &st), 0);
	assert_true(st.st_size < 64 * 1024);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "too much to be remembered of a member");
	make_dictionary_bomb(f);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "too much memory to decompress");
	t = tar_begin(f, TWICE);
	tar_init(&t);
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "compressed more than once");
	if (peak() - before > 400)
		fail_msg("%ld MiB", peak() - before);
	/* What a real file may have. */
	make_map_bomb(f, 1 << 20);
	assert_fails(import(f, at(f, "x.tar")), DRE_ERR_INVALID_ARGUMENT, "no /sbin/init");
}

/* Paths are those of the tree's own root. */
static void absolute_paths(void **state)
{
	struct fixture *f = *state;
	struct tar t = tar_begin(f, NONE);

	tar_dir(&t, "/", 0755);
	tar_file(&t, "/sbin/init", "x");
	member(&t, "//sbin/./init", S_IFREG | 0755);
	tar_write(&t, "abc");
	tar_hardlink(&t, "/link", "/sbin/init");
	tar_end(&t);
	assert_success(import(f, at(f, "x.tar")));
	assert_int_equal(stat_in(f, "new", "sbin/init").st_size, 3);
	assert_int_equal(stat_in(f, "new", "link").st_nlink, 2);
}

static void make_outside(const struct fixture *f)
{
	make_dir(at(f, "outside"), 0755);
	write_file(at(f, "outside/precious"), "do not touch");
}

static void hostile_members(void **state)
{
	struct fixture *f = *state;
	char *before, *after, outside[PATH_MAX], up[PATH_MAX], precious[PATH_MAX];
	static const char *const parts[] = {
		"'..' in its path", "'..' in its path", "'..' in its path",
		"leads through something", "leads through something", "leads through something",
		"leads through something", "'..' in its path", "cannot exist",
		"leads through something", "takes the place of a directory",
		"takes the place of a directory", "takes the place of a directory",
		"leads through something",
	};

	make_outside(f);
	strcpy(outside, at(f, "outside"));
	snprintf(up, sizeof(up), "../../../outside/new");
	strcpy(precious, at(f, "outside/precious"));
	before = list_tree(outside);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct tar t = tar_begin(f, NONE);

		tar_init(&t);
		switch (i) {
		case 0:
			tar_file(&t, up, "x");
			break;
		case 1:
			tar_file(&t, "sbin/../../../../outside/new", "x");
			break;
		case 2:
			tar_dir(&t, "..", 0777);
			break;
		case 3:
			tar_symlink(&t, "dir", outside);
			tar_file(&t, "dir/precious", "x");
			break;
		case 4:
			tar_symlink(&t, "dir", "../../../outside");
			tar_dir(&t, "dir/new", 0777);
			break;
		case 5:
			tar_symlink(&t, "a", ".");
			tar_symlink(&t, "b", "a/../../../../outside");
			tar_symlink(&t, "b/c/new", "x");
			break;
		case 6:
			tar_symlink(&t, "dir", outside);
			tar_hardlink(&t, "mine", "dir/precious");
			break;
		case 7:
			tar_hardlink(&t, "mine", "../../../outside/precious");
			break;
		case 8:
			tar_hardlink(&t, "mine", precious);
			break;
		case 9:
			tar_file(&t, "sbin/init/new", "x");
			break;
		case 10:
			tar_file(&t, "sbin", "x");
			break;
		case 11:
			tar_file(&t, "./.", "x");
			break;
		case 12:
			tar_hardlink(&t, "mine", "sbin");
			break;
		case 13:
			/* First a directory, then a link in its place, then one below. */
			tar_dir(&t, "dir", 0755);
			tar_symlink(&t, "dir", outside);
			tar_file(&t, "dir/precious", "x");
			break;
		}
		tar_end(&t);
		assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, parts[i]);
	}
	after = list_tree(outside);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* A link whose attributes are set, or that is written to as a file, is never followed. */
static void links_are_not_followed(void **state)
{
	struct fixture *f = *state;
	struct tar t = tar_begin(f, NONE);
	char *before, *after, precious[PATH_MAX];

	make_outside(f);
	strcpy(precious, at(f, "outside/precious"));
	before = list_tree(at(f, "outside"));
	tar_init(&t);
	archive_entry_set_symlink(member(&t, "link", S_IFLNK | 0777), precious);
	archive_entry_set_uid(t.entry, 1234);
	archive_entry_xattr_add_entry(t.entry, "trusted.note", "t", 1);
	tar_write(&t, NULL);
	tar_hardlink(&t, "second", "link");
	tar_file(&t, "second", "overwritten");
	tar_dir(&t, "outside", 0755);
	tar_symlink(&t, "outside", at(f, "outside"));
	tar_dir(&t, "again", 0700);
	tar_symlink(&t, "again", at(f, "outside"));
	tar_end(&t);
	assert_success(import(f, at(f, "x.tar")));
	assert_int_equal(stat_in(f, "new", "link").st_uid, 1234);
	assert_int_equal(stat_in(f, "new", "second").st_size, 11);
	after = list_tree(at(f, "outside"));
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void impossible_members(void **state)
{
	struct fixture *f = *state;
	char name[PATH_MAX + 500];
	struct tar t;

	memset(name, 'n', 256);
	name[256] = '\0';
	t = tar_begin(f, NONE);
	tar_init(&t);
	tar_file(&t, name, "x");
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "has too long a name");

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 2 ? '/' : 'd';
	name[sizeof(name) - 2] = 'd';
	name[sizeof(name) - 1] = '\0';
	t = tar_begin(f, NONE);
	tar_init(&t);
	tar_file(&t, name, "x");
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "has too long a name");

	t = tar_begin(f, NONE);
	tar_init(&t);
	archive_entry_set_uid(member(&t, "file", S_IFREG | 0644), 4294967295);
	tar_write(&t, "x");
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "an owner that cannot exist");

	t = tar_begin(f, NONE);
	tar_init(&t);
	archive_entry_set_gid(member(&t, "file", S_IFREG | 0644), 1LL << 40);
	tar_write(&t, "x");
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "an owner that cannot exist");

	t = tar_begin(f, NONE);
	tar_init(&t);
	member(&t, "link", S_IFLNK | 0777);
	tar_write(&t, NULL);
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "a symbolic link to nothing");

	/* A name that would not fit on a terminal's line. */
	t = tar_begin(f, NONE);
	tar_init(&t);
	tar_file(&t, "a\nb\033[1m/../x", "x");
	tar_end(&t);
	assert_refused(f, at(f, "x.tar"), DRE_ERR_INVALID_ARGUMENT, "'a?b?[1m/../x'");
}

/* A whole archive, to be damaged. */
static size_t read_archive(const struct fixture *f, char *buf, size_t size)
{
	int fd = open(at(f, "x.tar"), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, buf, size);

	close(fd);
	assert_true(len > 0 && (size_t)len < size);
	return len;
}

static void write_archive(const struct fixture *f, const char *buf, size_t len)
{
	int fd = open(at(f, "y.tar"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, buf, len), len);
	close(fd);
}

static void truncated(void **state)
{
	static const enum compression kinds[] = { NONE, GZIP, XZ, ZSTD };
	struct fixture *f = *state;
	static char buf[65536];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct tar t = tar_begin(f, kinds[i]);
		size_t len, cut;

		tar_init(&t);
		for (int j = 0; j < 20; j++)
			tar_file(&t, "file", "some data");
		tar_end(&t);
		len = read_archive(f, buf, sizeof(buf));
		/* In the middle of a header, or of the compressed data. */
		cut = kinds[i] == NONE ? 5 * 512 + 100 : len / 2;
		write_archive(f, buf, cut);
		assert_refused(f, at(f, "y.tar"), DRE_ERR_INVALID_ARGUMENT, "y.tar: ");
	}
}

/*
 * Random damage: what comes of it is a base or an error, and nothing outside of it. The same
 * numbers each time.
 */
static void random_damage(void **state)
{
	static const enum compression kinds[] = { NONE, GZIP, XZ, ZSTD };
	struct fixture *f = *state;
	static char buf[65536], copy[65536];
	char *before, *after;
	unsigned int seed = 1;

	make_outside(f);
	before = list_tree(at(f, "outside"));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct tar t = tar_begin(f, kinds[i]);
		size_t len;

		tar_init(&t);
		member(&t, "file", S_IFREG | 0644);
		archive_entry_xattr_add_entry(t.entry, "user.note", "abc", 3);
		archive_entry_acl_add_entry(t.entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 3,
					    ARCHIVE_ENTRY_ACL_USER, 9, "nine");
		archive_entry_sparse_add_entry(t.entry, 0, 100);
		tar_write(&t, "some data, some data, some data");
		tar_symlink(&t, "link", "../outside");
		tar_hardlink(&t, "hard", "file");
		tar_end(&t);
		len = read_archive(f, buf, sizeof(buf));
		for (int round = 0; round < 200; round++) {
			int fd, tar;

			memcpy(copy, buf, len);
			for (int damage = rand_r(&seed) % 4; damage >= 0; damage--)
				copy[rand_r(&seed) % len] = rand_r(&seed);
			write_archive(f, copy, len);
			make_dir(at(f, "layer"), 0755);
			fd = open(at(f, "layer"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			tar = open(at(f, "y.tar"), O_RDONLY | O_CLOEXEC);
			if (tar_unpack(tar, &(struct tar_target){ .dir = fd, .what = "y.tar" }))
				assert_int_not_equal(*dre_last_error(), '\0');
			close(tar);
			close(fd);
			assert_int_equal(remove_tree(f, "layer"), 0);
		}
	}
	after = list_tree(at(f, "outside"));
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/*
 * Progress.
 */

struct seen {
	unsigned int calls;
	uint64_t done, total;
	bool backwards;
};

static void see(void *arg, uint64_t done, uint64_t total)
{
	struct seen *seen = arg;

	seen->backwards |= done < seen->done;
	seen->calls++;
	seen->done = done;
	seen->total = total;
}

static void progress(void **state)
{
	struct fixture *f = *state;
	struct tar t = tar_begin(f, NONE);
	struct seen seen = { 0 };
	char *data = malloc((5 << 20) + 1);
	struct stat st;

	memset(data, 'x', 5 << 20);
	data[5 << 20] = '\0';
	tar_init(&t);
	tar_file(&t, "file", data);
	tar_end(&t);
	assert_int_equal(stat(at(f, "x.tar"), &st), 0);
	assert_success(import_base(f->store, "tar", at(f, "x.tar"), see, &seen));
	assert_true(seen.calls > 10);
	assert_false(seen.backwards);
	assert_int_equal(seen.total, st.st_size);
	assert_true(seen.done > 5 << 20 && seen.done <= seen.total);

	write_file(at(f, "tiny/file"), data);
	seen = (struct seen){ 0 };
	assert_success(import_base(f->store, "dir", at(f, "tiny"), see, &seen));
	assert_false(seen.backwards);
	assert_int_equal(seen.total, 0);
	assert_int_equal(seen.done, (5 << 20) + strlen("#!/bin/sh\n"));
	free(data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_base, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(bad_sources),
		TEST(exists_already),
		TEST(directory),
		TEST(directory_with_the_store),
		TEST(kinds_of_init),
		TEST(no_init),
		TEST(compressed),
		TEST(from_a_pipe),
		TEST(all_attributes),
		TEST(made_by_gnu_tar),
		TEST(access_lists),
		TEST(later_members_win),
		TEST(directory_bomb),
		TEST(memory_bombs),
		TEST(absolute_paths),
		TEST(hostile_members),
		TEST(links_are_not_followed),
		TEST(impossible_members),
		TEST(truncated),
		TEST(random_damage),
		TEST(progress),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
