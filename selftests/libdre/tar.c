// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tar archives that D-RE writes: what is imported from them is what was packed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base.h"
#include "common/import.h"
#include "common/tar.h"
#include "fixture.h"

/* A script of sh, in this directory. */
static void run(const char *directory, const char *script)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command), "cd %s && { %s; }", directory, script);
	if (system(command))
		fail_msg("%s", command);
}

/* All that a file can have. */
static void make_rich_tree(const struct fixture *f, const char *tree)
{
	char long_name[256];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	make_tiny_tree(tree);
	run(tree, "umask 022 && mkdir -p empty deep/a/b/c closed && echo data >plain && "
	    "echo x >setuid && chown 1234:4000000000 setuid && chmod 6755 setuid && "
	    "ln setuid hard && ln setuid deep/a/hard && ln -s ../../../etc/passwd up && "
	    "ln -s /absolute abs && ln up up2 && mknod null c 1 3 && mknod disk b 8 1 && "
	    "mkfifo -m 640 fifo && chown -h 5:6 abs && echo inside >closed/inside && chmod 0 closed && "
	    "echo x >'new\nline' && printf x >\"$(printf 'not\\377utf8')\" && "
	    "ln -s \"$(printf 'to\\376')\" \"$(printf 'link\\377')\" && "
	    "touch -d '2001-02-03 04:05:06.789' plain && touch -d 1969-01-01 deep && mkdir -m 1777 tmp");
	run(tree, "truncate -s 1M hole && truncate -s 5000000000 big && "
	    "printf begin | dd of=big conv=notrunc status=none && "
	    "printf middle | dd of=big conv=notrunc bs=1 seek=4294967290 status=none && "
	    "cp --sparse=never /dev/null zero && printf tail >trail && truncate -s 3M trail && "
	    "truncate -s 3M lead && printf lead >>lead && seq 100000 >seq");
	memset(long_name, 'n', 255);
	long_name[255] = '\0';
	write_file(at(f, "%s/%s", strrchr(tree, '/') + 1, long_name), "long");
	assert_int_equal(setxattr(at(f, "tree/plain"), "user.note", "a\0b", 3, 0), 0);
	assert_int_equal(setxattr(at(f, "tree/plain"), "trusted.note", "", 0, 0), 0);
	assert_int_equal(setxattr(at(f, "tree/empty"), "user.dir", "d", 1, 0), 0);
	assert_int_equal(lsetxattr(at(f, "tree/abs"), "trusted.link", "l", 1, 0), 0);
	assert_int_equal(setxattr(at(f, "tree/plain"), "trusted.overlay.origin", "o", 1, 0), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", at(f, "tree/socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

/* An access list and a default one, as setfacl(1) makes them. */
static void set_acls(const struct fixture *f)
{
	static const unsigned char acl[] = {
		2, 0, 0, 0,
		0x01, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,	/* user::rw- */
		0x02, 0, 7, 0, 0xe8, 3, 0, 0,		/* user:1000:rwx */
		0x04, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,	/* group::r-- */
		0x08, 0, 1, 0, 0xff, 0xff, 0xff, 0x7f,	/* group:2147483647:--x */
		0x10, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,	/* mask::r-x */
		0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,	/* other::--- */
	};

	static const struct {
		const char *file, *xattr;
	} lists[] = {
		{ "seq", "system.posix_acl_access" },
		{ "deep", "system.posix_acl_access" },
		{ "deep", "system.posix_acl_default" },
	};

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(setxattr(at(f, "tree/%s", lists[i].file), lists[i].xattr, acl,
					  sizeof(acl), 0), 0);
}

static int pack(const struct fixture *f, const char *compression)
{
	struct tar_source source = { .entry = ".", .member = ".", .what = "tree",
				     .compression = compression };
	int fd = open(at(f, "x.tar"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), ret;

	source.dir = open(at(f, "tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0 && source.dir >= 0);
	ret = tar_pack(&source, fd);
	close(source.dir);
	close(fd);
	return ret;
}

static char *list_layer(const struct fixture *f, const char *base)
{
	struct manifest m;
	char *list;

	assert_success(base_read(f->store, base, &m));
	list = list_tree(at(f, "store/layers/%s", m.layers[0]));
	manifest_free(&m);
	return list;
}

static void same_time(const char *a, const char *b)
{
	struct stat x, y;

	assert_int_equal(lstat(a, &x), 0);
	assert_int_equal(lstat(b, &y), 0);
	assert_int_equal(x.st_mtim.tv_sec, y.st_mtim.tv_sec);
	assert_int_equal(x.st_mtim.tv_nsec, y.st_mtim.tv_nsec);
}

static void comes_back(void **state)
{
	struct fixture *f = *state;
	char *before, *after, top[64];
	struct manifest m;
	struct stat st;

	make_rich_tree(f, at(f, "tree"));
	set_acls(f);
	assert_success(pack(f, NULL));
	/* The holes are not in it. */
	assert_int_equal(stat(at(f, "x.tar"), &st), 0);
	assert_true(st.st_size < 2 << 20);
	assert_success(import_base(f->store, "new", at(f, "x.tar"), NULL, NULL));

	/* But what is not to be packed. */
	assert_int_equal(unlink(at(f, "tree/socket")), 0);
	assert_int_equal(removexattr(at(f, "tree/plain"), "trusted.overlay.origin"), 0);
	before = list_tree(at(f, "tree"));
	after = list_layer(f, "new");
	assert_same_list(after, before);
	free(before);
	free(after);

	assert_success(base_read(f->store, "new", &m));
	snprintf(top, sizeof(top), "store/layers/%s", m.layers[0]);
	manifest_free(&m);
	same_time(at(f, "tree/plain"), at(f, "%s/plain", top));
	same_time(at(f, "tree/deep"), at(f, "%s/deep", top));
	assert_int_equal(stat(at(f, "%s/big", top), &st), 0);
	assert_int_equal(st.st_size, 5000000000);
	assert_true(st.st_blocks * 512 < 1 << 20);
	assert_store_clean(f);
}

/* A file of more parts than are remembered: the rest is data, zeros or not. A disk would be slow with it. */
static void many_parts(void **state)
{
	char memory[] = "/dev/shm/dre-test-XXXXXX", file[64];
	struct fixture *f = *state;
	int fd, ret;

	assert_non_null(mkdtemp(memory));
	assert_int_equal(symlink(memory, at(f, "tree")), 0);
	snprintf(file, sizeof(file), "%s/many", memory);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (off_t i = 0; i < 66000; i++)
		assert_int_equal(pwrite(fd, "\1", 1, i * 8192), 1);
	close(fd);
	ret = pack(f, "gzip");
	unlink(file);
	rmdir(memory);
	assert_success(ret);
	run(f->dir, "test $(gzip -dc x.tar | tr -dc '\\001' | wc -c) -eq 66000");
	run(f->dir, "test $(gzip -dc x.tar | grep -acx 4096) -le 65536");
}

static void compressed(void **state)
{
	static const char *const kinds[] = { "gzip", "xz", "zstd" };
	static const unsigned char magics[][4] = {
		{ 0x1f, 0x8b, 8, 0 }, { 0xfd, '7', 'z', 'X' }, { 0x28, 0xb5, 0x2f, 0xfd },
	};
	struct fixture *f = *state;
	unsigned char magic[4];
	char *before, *after;
	int fd;

	make_tiny_tree(at(f, "tree"));
	run(at(f, "tree"), "seq 200000 >seq");
	before = list_tree(at(f, "tree"));
	for (size_t i = 0; i < 3; i++) {
		assert_success(pack(f, kinds[i]));
		fd = open(at(f, "x.tar"), O_RDONLY | O_CLOEXEC);
		assert_int_equal(read(fd, magic, 4), 4);
		assert_memory_equal(magic, magics[i], 3);
		close(fd);
		assert_success(import_base(f->store, kinds[i], at(f, "x.tar"), NULL, NULL));
		after = list_layer(f, kinds[i]);
		assert_same_list(after, before);
		free(after);
	}
	free(before);
	assert_fails(tar_check_compression("bzip2"), DRE_ERR_INVALID_ARGUMENT, "'bzip2'");
	assert_fails(tar_check_compression(""), DRE_ERR_INVALID_ARGUMENT, "''");
}

/* libarchive has an int for it, and would make it root's. */
static void access_list_of_a_large_id(void **state)
{
	static const unsigned char acl[] = {
		2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 7, 0, 0, 0, 0, 0x80,
		4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff,
		32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
	};
	struct fixture *f = *state;

	make_tiny_tree(at(f, "tree"));
	assert_int_equal(setxattr(at(f, "tree/sbin"), "system.posix_acl_access", acl, sizeof(acl), 0),
			 0);
	assert_fails(pack(f, NULL), DRE_ERR_DEVICE_BUSY, "cannot pack tree/sbin: Value too large");
}

/* Others read it, too. */
static void read_by_gnu_tar(void **state)
{
	struct fixture *f = *state;
	char *before, *after;

	make_rich_tree(f, at(f, "tree"));
	set_acls(f);
	assert_int_equal(unlink(at(f, "tree/socket")), 0);
	assert_int_equal(removexattr(at(f, "tree/plain"), "trusted.overlay.origin"), 0);
	assert_success(pack(f, NULL));
	make_dir(at(f, "out"), 0700);
	run(at(f, "out"), "tar --numeric-owner --acls --xattrs --xattrs-include='*' -xpf ../x.tar "
	    "2>../errors; ! grep -vE 'hdrcharset|implausibly' ../errors");
	before = list_tree(at(f, "tree"));
	after = list_tree(at(f, "out"));
	assert_same_list(after, before);
	free(before);
	free(after);
}

/* One file or directory of a tree, under a name of its own. */
static void one_entry(void **state)
{
	struct fixture *f = *state;
	struct tar_source source = { .what = "tree" };

	make_tiny_tree(at(f, "tree"));
	source.dir = open(at(f, "tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		int fd = open(at(f, "x.tar"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		source.entry = i ? "sbin/init" : "sbin";
		source.member = i ? "b" : "a";
		assert_success(tar_pack(&source, fd));
		close(fd);
		run(f->dir, "tar -tf x.tar >>list");
	}
	close(source.dir);
	run(f->dir, "printf 'a/\\na/init\\nb\\n' | cmp - list");
}

static bool has_sigpipe(void)
{
	sigset_t pending;

	assert_int_equal(sigpending(&pending), 0);
	return sigismember(&pending, SIGPIPE);
}

static void nowhere_to_write(void **state)
{
	struct fixture *f = *state;
	struct tar_source source = { .entry = ".", .member = ".", .what = "tree" };
	sigset_t sigpipe;
	int fds[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	make_tiny_tree(at(f, "tree"));
	source.dir = open(at(f, "tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_fails(tar_pack(&source, full), DRE_ERR_DEVICE_BUSY, "archive of tree: No space left");
	close(full);
	/* Without SIGPIPE. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	close(fds[1]);
	assert_fails(tar_pack(&source, fds[0]), DRE_ERR_DEVICE_BUSY, "archive of tree: Broken pipe");
	close(fds[0]);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	assert_fails(tar_pack(&source, fds[1]), DRE_ERR_DEVICE_BUSY, "archive of tree: Broken pipe");
	assert_false(has_sigpipe());
	/* One that the caller has kept for later is still there. */
	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	assert_int_equal(sigprocmask(SIG_BLOCK, &sigpipe, NULL), 0);
	assert_fails(tar_pack(&source, fds[1]), DRE_ERR_DEVICE_BUSY, "archive of tree: Broken pipe");
	assert_false(has_sigpipe());
	assert_int_equal(raise(SIGPIPE), 0);
	assert_fails(tar_pack(&source, fds[1]), DRE_ERR_DEVICE_BUSY, "archive of tree: Broken pipe");
	assert_true(has_sigpipe());
	assert_int_equal(sigwaitinfo(&sigpipe, NULL), SIGPIPE);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &sigpipe, NULL), 0);
	close(fds[1]);
	source.entry = "none";
	assert_fails(tar_pack(&source, STDOUT_FILENO), DRE_ERR_DEVICE_BUSY, "No such file");
	close(source.dir);
}

/* An archive that could not be completed is not taken for one that is. */
static void incomplete(void **state)
{
	struct fixture *f = *state;

	make_tiny_tree(at(f, "tree"));
	run(at(f, "tree"), "p=zz; for i in $(seq 201); do p=$p/d; done; mkdir -p $p");
	assert_fails(pack(f, "zstd"), DRE_ERR_INVALID_ARGUMENT, "nested deeper");
	assert_fails(import_base(f->store, "new", at(f, "x.tar"), NULL, NULL),
		     DRE_ERR_INVALID_ARGUMENT, "x.tar");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(comes_back),
		TEST(many_parts),
		TEST(compressed),
		TEST(access_list_of_a_large_id),
		TEST(read_by_gnu_tar),
		TEST(one_entry),
		TEST(nowhere_to_write),
		TEST(incomplete),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
