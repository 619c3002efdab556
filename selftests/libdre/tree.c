// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Removing and copying whole trees.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/attr.h"
#include "common/file.h"
#include "common/hard_links.h"
#include "common/tree.h"
#include "fixture.h"

static void nothing_copied(struct tree_progress *p, uint64_t bytes)
{
	(void)p;
	(void)bytes;
}

static int copy(const struct fixture *f, const char *from, const char *to, const struct stat *skip)
{
	struct tree_progress progress = { nothing_copied };
	int src = open(at(f, "%s", from), O_RDONLY | O_DIRECTORY | O_CLOEXEC), dst, ret;

	assert_true(src >= 0);
	make_dir(at(f, "%s", to), 0700);
	dst = open(at(f, "%s", to), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dst >= 0);
	ret = tree_copy(src, dst, skip, "source", &progress);
	close(src);
	close(dst);
	return ret;
}

/* Who finds it would take it for whole. */
static void no_part_of_a_file(void **state)
{
	const struct rlimit small = { 4, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	struct fixture *f = *state;
	int dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *text;
	size_t len;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_write_new(dir, "file", "too much", strlen("too much")), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(file_write_new(dir, "file", "all", strlen("all")), 0);
	assert_int_equal(file_write_new(dir, "file", "other", strlen("other")), -EEXIST);
	assert_int_equal(file_read(dir, "file", 16, &text, &len), 0);
	assert_string_equal(text, "all");
	free(text);
	close(dir);
}

/*
 * Removal.
 */

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void removes_all_kinds(void **state)
{
	struct fixture *f = *state;
	char *before = list_tree(f->dir), *after;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char long_name[256];
	int fd;

	memset(long_name, 'x', 255);
	long_name[255] = '\0';
	make_dir(at(f, "t"), 0755);
	make_dir(at(f, "t/closed"), 0);
	make_dir(at(f, "t/closed/deep"), 0);
	write_file(at(f, "t/closed/deep/file"), "x");
	write_file(at(f, "t/%s", long_name), "");
	make_dir(at(f, "t/-rf"), 0755);
	write_file(at(f, "t/-rf/new\nline"), "");
	write_file(at(f, "t/\xff\xfe"), "");
	write_file(at(f, "t/ "), "");
	make_dir(at(f, "t/..."), 0755);
	assert_int_equal(mkfifo(at(f, "t/fifo"), 0600), 0);
	assert_int_equal(mknod(at(f, "t/null"), S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(mknod(at(f, "t/disk"), S_IFBLK | 0666, makedev(7, 0)), 0);
	assert_int_equal(mknod(at(f, "t/whiteout"), S_IFCHR, makedev(0, 0)), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", at(f, "t/socket"));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	assert_int_equal(link(at(f, "t/ "), at(f, "t/-rf/link")), 0);

	assert_int_equal(remove_tree(f, "t"), 0);
	after = list_tree(f->dir);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void removes_what_is_no_directory(void **state)
{
	struct fixture *f = *state;

	write_file(at(f, "file"), "");
	assert_int_equal(symlink("store", at(f, "link")), 0);
	assert_int_equal(remove_tree(f, "file"), 0);
	assert_int_equal(remove_tree(f, "link"), 0);
	assert_int_equal(remove_tree(f, "link"), 0);	/* gone is gone */
	assert_true(exists(at(f, "store/lock")));
	assert_false(exists(at(f, "link")));
}

static void never_follows_links(void **state)
{
	struct fixture *f = *state;
	char *list;

	make_dir(at(f, "outside"), 0755);
	make_dir(at(f, "outside/dir"), 0755);
	write_file(at(f, "outside/dir/precious"), "x");
	make_dir(at(f, "t"), 0755);
	assert_int_equal(symlink("../outside", at(f, "t/relative")), 0);
	assert_int_equal(symlink(at(f, "outside"), at(f, "t/absolute")), 0);
	assert_int_equal(symlink("../outside/dir/precious", at(f, "t/file")), 0);
	assert_int_equal(symlink("..", at(f, "t/up")), 0);
	assert_int_equal(symlink("loop", at(f, "t/loop")), 0);
	assert_int_equal(link(at(f, "outside/dir/precious"), at(f, "t/hard")), 0);
	assert_int_equal(remove_tree(f, "t"), 0);
	assert_false(exists(at(f, "t")));
	list = list_tree(at(f, "outside"));
	assert_non_null(strstr(list, "/dir/precious"));
	free(list);
}

/* A directory that is deeper than any path can say, with few fds to be had. */
static void any_depth(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, few = { count_fds() + 60, 4096 };
	int dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	assert_int_equal(mkdirat(dir, "t", 0700), 0);
	for (int i = 0; i < 3000; i++) {
		next = openat(dir, i ? "d" : "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
		assert_int_equal(mkdirat(dir, "d", 0700), 0);
		/* What could be in the way of directories that are moved up. */
		if (i < 2000) {
			assert_int_equal(mkdirat(dir, i % 2 ? "0" : "1", 0), 0);
			assert_int_equal(symlinkat("/", dir, "2"), 0);
		}
	}
	close(dir);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(remove_tree(f, "t"), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(exists(at(f, "t")));
}

static void immutable_files(void **state)
{
	struct fixture *f = *state;
	const char *deep;
	char path[PATH_MAX];

	make_dir(at(f, "t"), 0755);
	make_dir(at(f, "t/d"), 0755);
	write_file(at(f, "t/d/immutable"), "");
	write_file(at(f, "t/d/append"), "");
	make_dir(at(f, "t/empty"), 0755);
	assert_int_equal(symlink("/", at(f, "t/d/link")), 0);
	/* One that has to be moved up, out of one that does not let go. */
	strcpy(path, at(f, "t/d"));
	for (int i = 0; i < 40; i++) {
		strcat(path, "/x");
		make_dir(path, 0755);
	}
	deep = path;
	set_flag(at(f, "t/d/immutable"), FS_IMMUTABLE_FL);
	set_flag(at(f, "t/d/append"), FS_APPEND_FL);
	for (size_t len = strlen(deep); len > strlen(at(f, "t")); path[len -= 2] = '\0')
		set_flag(path, FS_IMMUTABLE_FL);
	set_flag(at(f, "t/empty"), FS_APPEND_FL);
	set_flag(at(f, "t"), FS_IMMUTABLE_FL);
	assert_int_equal(remove_tree(f, "t"), 0);
	assert_false(exists(at(f, "t")));
}

static void reports_errors(void **state)
{
	struct fixture *f = *state;

	write_file(at(f, "file"), "");
	assert_int_equal(remove_tree(f, "file/x"), -ENOTDIR);
	assert_int_equal(tree_remove(-1, "t"), -EBADF);
}

/*
 * Copying.
 */

static void set_acl(const char *path, const char *xattr)
{
	/* user::rwx user:7:r-- group::r-x mask::r-x other::--- */
	static const unsigned char acl[] = {
		2, 0, 0, 0,
		1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
		2, 0, 4, 0, 7, 0, 0, 0,
		4, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
		0x10, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
		0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	};

	assert_int_equal(setxattr(path, xattr, acl, sizeof(acl), 0), 0);
}

static void make_rich_tree(const struct fixture *f, const char *name)
{
	const struct timespec old[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };
	const unsigned char cap[] = { 0, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	char top[PATH_MAX];
	int fd;

#define IN(file) at(f, "%s/%s", name, file)
	strcpy(top, at(f, "%s", name));
	make_tiny_tree(top);
	write_file(IN("file"), "content");
	assert_int_equal(chown(IN("file"), 1234, 65534), 0);
	write_file(IN("setuid"), "x");
	assert_int_equal(chown(IN("setuid"), 3, 4), 0);
	assert_int_equal(chmod(IN("setuid"), 06755), 0);
	write_file(IN("capable"), "x");
	assert_int_equal(chown(IN("capable"), 3, 4), 0);
	assert_int_equal(setxattr(IN("capable"), "security.capability", cap, sizeof(cap), 0), 0);
	assert_int_equal(setxattr(IN("file"), "user.empty", "", 0, 0), 0);
	assert_int_equal(setxattr(IN("file"), "user.note", "a\0b", 3, 0), 0);
	assert_int_equal(setxattr(IN("file"), "trusted.note", "t", 1, 0), 0);
	make_dir(IN("closed"), 0);
	write_file(at(f, "%s/closed/inside", name), "y");
	make_dir(IN("sticky"), 01777);
	make_dir(IN("setgid"), 02755);
	make_dir(IN("acl"), 0750);
	set_acl(IN("acl"), "system.posix_acl_access");
	set_acl(IN("acl"), "system.posix_acl_default");
	/* Made before the default list would be inherited: must not get it from the copy. */
	write_file(at(f, "%s/acl/plain", name), "z");
	assert_int_equal(removexattr(at(f, "%s/acl/plain", name), "system.posix_acl_access"), 0);
	assert_int_equal(chmod(at(f, "%s/acl/plain", name), 0640), 0);
	make_dir(IN("opaque"), 0755);
	assert_int_equal(setxattr(IN("opaque"), "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(symlink("/etc/passwd", IN("absolute")), 0);
	assert_int_equal(symlink("../../../..", IN("up")), 0);
	assert_int_equal(lchown(IN("up"), 5, 6), 0);
	assert_int_equal(lsetxattr(IN("up"), "trusted.on_link", "l", 1, 0), 0);
	assert_int_equal(link(IN("file"), IN("hard1")), 0);
	assert_int_equal(link(IN("file"), at(f, "%s/closed/hard2", name)), 0);
	assert_int_equal(link(IN("up"), IN("hard_up")), 0);
	assert_int_equal(mkfifo(IN("fifo"), 0640), 0);
	assert_int_equal(mknod(IN("null"), S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(chmod(IN("null"), 0666), 0);
	assert_int_equal(mknod(IN("disk"), S_IFBLK | 0600, makedev(259, 70000)), 0);
	assert_int_equal(mknod(IN("whiteout"), S_IFCHR, makedev(0, 0)), 0);
	write_file(IN("new\nline"), "n");
	write_file(IN("\xff"), "n");

	fd = open(IN("sparse"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, "data", 4, 5 << 20), 4);
	assert_int_equal(ftruncate(fd, 64 << 20), 0);
	close(fd);
	fd = open(IN("hole"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 5LL << 30), 0);
	close(fd);

	assert_int_equal(utimensat(AT_FDCWD, IN("file"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, IN("up"), old, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(AT_FDCWD, IN("closed"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, top, old, 0), 0);
#undef IN
}

static void assert_same_times(const char *a, const char *b)
{
	struct stat x, y;

	assert_int_equal(lstat(a, &x), 0);
	assert_int_equal(lstat(b, &y), 0);
	assert_int_equal(x.st_mtim.tv_sec, y.st_mtim.tv_sec);
	assert_int_equal(x.st_mtim.tv_nsec, y.st_mtim.tv_nsec);
}

static void copies_everything(void **state)
{
	static const char *const timed[] = { "", "file", "up", "closed", "hard1", "fifo", "acl" };
	struct fixture *f = *state;
	char *before, *after, top[PATH_MAX];
	struct stat st, st2;

	make_rich_tree(f, "src");
	strcpy(top, at(f, "src"));
	before = list_tree(top);
	assert_success(copy(f, "src", "dst", NULL));
	strcpy(top, at(f, "dst"));
	after = list_tree(top);
	assert_string_equal(before, after);
	free(before);
	free(after);
	for (size_t i = 0; i < sizeof(timed) / sizeof(*timed); i++)
		assert_same_times(at(f, "src/%s", timed[i]), at(f, "dst/%s", timed[i]));
	assert_int_equal(lstat(at(f, "dst/file"), &st), 0);
	assert_int_equal(lstat(at(f, "dst/closed/hard2"), &st2), 0);
	assert_int_equal(st.st_ino, st2.st_ino);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(lstat(at(f, "dst/sparse"), &st), 0);
	assert_true(st.st_blocks * 512 < 1 << 20);
	assert_int_equal(lstat(at(f, "dst/hole"), &st), 0);
	assert_int_equal(st.st_size, 5LL << 30);
	assert_true(st.st_blocks * 512 < 1 << 20);
}

static void skips_one_directory(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	make_dir(at(f, "src"), 0755);
	make_dir(at(f, "src/skipped"), 0711);
	write_file(at(f, "src/skipped/file"), "");
	write_file(at(f, "src/kept"), "");
	assert_int_equal(stat(at(f, "src/skipped"), &st), 0);
	assert_success(copy(f, "src", "dst", &st));
	assert_int_equal(count_entries(at(f, "dst")), 2);
	assert_int_equal(count_entries(at(f, "dst/skipped")), 0);
	assert_int_equal(stat(at(f, "dst/skipped"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
}

static void refuses_endless_depth(void **state)
{
	struct fixture *f = *state;
	int dir, next;

	make_dir(at(f, "src"), 0755);
	dir = open(at(f, "src"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(mkdirat(dir, "d", 0700), 0);
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
	assert_fails(copy(f, "src", "dst", NULL), DRE_ERR_INVALID_ARGUMENT,
		     "directories are nested deeper than 200");
}

struct swapper {
	char a[PATH_MAX], b[PATH_MAX];
	atomic_bool stop;
};

static void *swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop))
		renameat2(AT_FDCWD, s->a, AT_FDCWD, s->b, RENAME_EXCHANGE);
	return NULL;
}

/* The owner of the source exchanges a directory and a link while it is read. */
static void source_that_changes(void **state)
{
	struct fixture *f = *state;
	struct swapper dirs = { 0 }, files = { 0 };
	pthread_t threads[2];
	char *list;

	make_dir(at(f, "outside"), 0700);
	write_file(at(f, "outside/secret"), "secret");
	make_dir(at(f, "src"), 0755);
	make_dir(at(f, "src/dir"), 0755);
	write_file(at(f, "src/dir/secret"), "");
	assert_int_equal(symlink(at(f, "outside"), at(f, "src/link")), 0);
	write_file(at(f, "src/file"), "");
	assert_int_equal(symlink(at(f, "outside/secret"), at(f, "src/flink")), 0);
	strcpy(dirs.a, at(f, "src/dir"));
	strcpy(dirs.b, at(f, "src/link"));
	strcpy(files.a, at(f, "src/file"));
	strcpy(files.b, at(f, "src/flink"));
	assert_int_equal(pthread_create(&threads[0], NULL, swap, &dirs), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, swap, &files), 0);
	for (int i = 0; i < 60; i++) {
		/* It may fail: what it found has gone. */
		copy(f, "src", "dst", NULL);
		list = list_tree(at(f, "dst"));
		assert_null(strstr(list, " 6 "));	/* the size of the secret */
		free(list);
		assert_int_equal(remove_tree(f, "dst"), 0);
	}
	atomic_store(&dirs.stop, true);
	atomic_store(&files.stop, true);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(remove_tree(f, "src"), 0);
	assert_int_equal(count_entries(at(f, "outside")), 1);
}

/* Of a file all names of which were met nothing is kept, and of all others not more than a limit. */
static void hard_links(void **state)
{
	struct stat st = { .st_nlink = 3, .st_ino = 1 };
	struct hard_links links = {};
	char path[4000];
	const char *first;
	int ret = 0;

	(void)state;
	assert_int_equal(hard_links_meet(&links, &st, "a", &first), 0);
	assert_null(first);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hard_links_meet(&links, &st, "b", &first), 0);
		assert_string_equal(first, "a");
	}
	assert_int_equal(links.remembered, 0);
	assert_null(links.tree);
	/* Made meanwhile. */
	assert_int_equal(hard_links_meet(&links, &st, "d", &first), 0);
	assert_null(first);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (int i = 0; i < 100000 && !ret; i++) {
		st.st_ino++;
		ret = hard_links_meet(&links, &st, path, &first);
		assert_null(first);
	}
	assert_int_equal(ret, -E2BIG);
	hard_links_free(&links);
}

/* The kernel cannot tell where ".." leads while anything on the host gets another name, and wants another try. */
static void paths_during_renames(void **state)
{
	struct fixture *f = *state;
	struct swapper other = { 0 };
	pthread_t thread;
	int top, fd;

	make_dir(at(f, "a"), 0755);
	make_dir(at(f, "b"), 0755);
	make_dir(at(f, "top"), 0755);
	make_dir(at(f, "top/usr"), 0755);
	write_file(at(f, "top/usr/init"), "");
	assert_int_equal(symlink("../../usr/init", at(f, "top/usr/link")), 0);
	strcpy(other.a, at(f, "a"));
	strcpy(other.b, at(f, "b"));
	top = open(at(f, "top"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pthread_create(&thread, NULL, swap, &other), 0);
	for (int i = 0; i < 20000; i++) {
		fd = file_openat2(top, "usr/link", O_PATH, RESOLVE_IN_ROOT);
		assert_true(fd >= 0);
		close(fd);
	}
	atomic_store(&other.stop, true);
	pthread_join(thread, NULL);
	close(top);
}

static void portable_attributes(void **state)
{
	(void)state;
	assert_true(attr_portable("user.x"));
	assert_true(attr_portable("trusted.overlay.opaque"));
	assert_true(attr_portable("security.capability"));
	assert_true(attr_portable("system.posix_acl_access"));
	assert_true(attr_portable("system.posix_acl_default"));
	assert_false(attr_portable("system.nfs4_acl"));
	assert_false(attr_portable("btrfs.compression"));
	assert_false(attr_portable("user"));
	assert_false(attr_portable(""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_part_of_a_file),
		TEST(removes_all_kinds),
		TEST(removes_what_is_no_directory),
		TEST(never_follows_links),
		TEST(any_depth),
		TEST(immutable_files),
		TEST(reports_errors),
		TEST(copies_everything),
		TEST(skips_one_directory),
		TEST(refuses_endless_depth),
		TEST(source_that_changes),
		TEST(hard_links),
		TEST(paths_during_renames),
		TEST(portable_attributes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
