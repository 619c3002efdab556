// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a container is made of stays what it is, through save, load, commit,
 * export and import: all that a file can have, and what overlayfs makes of
 * changes to the files of a base.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base.h"
#include "common/container.h"
#include "common/export.h"
#include "common/import.h"
#include "common/rootfs.h"
#include "common/snapshot.h"
#include "fixture.h"

static void run(const char *directory, const char *script)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command), "cd %s && set -e && umask 022 && %s", directory, script);
	if (system(command))
		fail_msg("%s", command);
}

static const char *where(const struct fixture *f)
{
	return at(f, "mnt");
}

static void mount_root(const struct fixture *f, const struct container *c)
{
	assert_success(rootfs_mount(c, where(f)));
}

static void unmount_root(const struct fixture *f, const struct container *c)
{
	assert_success(rootfs_unmount(c->name, where(f), true));
}

static char *list_root(const struct fixture *f, const struct container *c)
{
	char *list;

	mount_root(f, c);
	list = list_tree(where(f));
	unmount_root(f, c);
	return list;
}

static void assert_content(const struct fixture *f, const struct container *c, const char *wanted)
{
	char *list = list_root(f, c);

	assert_same_list(list, wanted);
	free(list);
}

/* A container of @base has these files. */
static void assert_base(const struct fixture *f, const char *base, const char *wanted)
{
	struct container *c;

	assert_success(container_create(&c, f->store, "look", base, NULL, NULL));
	assert_content(f, c, wanted);
	assert_success(container_remove(c));
}

/* user::rw-, user:1000:rwx, group::r--, mask::r-x, other::--- */
static const unsigned char acl[] = {
	2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 7, 0, 0xe8, 3, 0, 0,
	4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 5, 0, 0xff, 0xff, 0xff, 0xff,
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
};

static void make_base(const struct fixture *f)
{
	make_tiny_tree(at(f, "src"));
	run(at(f, "src"), "mkdir -p usr/lib etc opaque/old moved/sub && echo a >etc/a && echo b >etc/b && "
	    "ln etc/a etc/a2 && echo x >opaque/old/x && echo y >opaque/y && echo z >moved/sub/z && "
	    "mknod null c 1 3 && truncate -s 4294967296 disk && printf end >>disk && "
	    "echo u >usr/lib/u && ln -s ../etc/b usr/b && mkdir -m 1777 tmp && mkfifo fifo");
	assert_int_equal(setxattr(at(f, "src/etc/b"), "user.base", "b", 1, 0), 0);
	assert_int_equal(setxattr(at(f, "src/usr"), "system.posix_acl_default", acl, sizeof(acl), 0),
			 0);
	assert_success(import_base(f->store, "base", at(f, "src"), NULL, NULL));
}

/* What was removed, replaced, renamed, made and changed; at @step 2 what was made at 1. */
static void change(const struct fixture *f, const struct container *c, int step)
{
	mount_root(f, c);
	if (step == 1) {
		run(where(f), "rm etc/b && rm -r opaque && mkdir opaque && echo new >opaque/new && "
		    "mv moved renamed && mv renamed/sub renamed/sub2 && echo more >>etc/a2 && "
		    "mkdir -p opt/new && echo 1 >opt/new/f && ln opt/new/f opt/g && "
		    "mknod loop b 7 0 && chown 1000:1000 usr/lib/u && chmod 4755 usr/lib/u && "
		    "truncate -s 4G sparse && printf end >>sparse && printf head | "
		    "dd of=disk conv=notrunc status=none && rmdir tmp && mkdir -m 700 tmp && "
		    "ln -s nowhere usr/lib/dangling && rm sbin/init && echo '#!' >sbin/init && "
		    "chmod 755 sbin/init");
		assert_int_equal(setxattr(at(f, "mnt/opt"), "user.new", "n\0n", 3, 0), 0);
		assert_int_equal(setxattr(at(f, "mnt/opt/new"), "trusted.t", "t", 1, 0), 0);
		assert_int_equal(setxattr(at(f, "mnt/etc/a"), "system.posix_acl_access", acl,
					  sizeof(acl), 0), 0);
	} else {
		run(where(f), "echo back >etc/b && rm -r opaque && mv renamed/sub2 moved && "
		    "rm sparse && mkdir opaque && mv usr usr2 && echo 2 >>usr2/lib/u");
		assert_int_equal(removexattr(at(f, "mnt/opt"), "user.new"), 0);
	}
	unmount_root(f, c);
}

/* Export and import of a base and of a container: one layer, and the same files. */
static void assert_exported(const struct fixture *f, struct container *c, const char *base,
			    const char *wanted)
{
	struct export to = { .compression = "zstd" };
	struct manifest m;
	struct stat st;
	char *list;

	for (int i = 0; i < 2; i++) {
		to.fd = open(at(f, "x.tar"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_success(i ? export_container(c, &to) : export_base(f->store, base, &to));
		assert_int_equal(fstat(to.fd, &st), 0);
		assert_true(st.st_size < 1 << 20);
		close(to.fd);
		assert_success(import_base(f->store, "again", at(f, "x.tar"), NULL, NULL));
		assert_success(base_read(f->store, "again", &m));
		assert_int_equal(m.nr_layers, 1);
		/* Without any trace of overlayfs. */
		list = list_tree(at(f, "store/layers/%s", m.layers[0]));
		assert_same_list(list, wanted);
		free(list);
		manifest_free(&m);
		assert_base(f, "again", wanted);
		assert_success(base_remove(f->store, "again"));
	}
}

static void stays(void **state)
{
	struct fixture *f = *state;
	char *fresh, *first, *second;
	struct container *c;

	make_dir(where(f), 0755);
	make_base(f);
	assert_success(container_create(&c, f->store, "c", "base", NULL, NULL));
	fresh = list_root(f, c);
	change(f, c, 1);
	first = list_root(f, c);
	assert_string_not_equal(fresh, first);
	assert_success(snapshot_save(c, "one"));
	assert_content(f, c, first);
	change(f, c, 2);
	second = list_root(f, c);
	assert_success(snapshot_save(c, "two"));
	assert_content(f, c, second);

	assert_success(snapshot_load(c, "one"));
	assert_content(f, c, first);
	assert_success(snapshot_commit(c, "two", "base2"));
	assert_base(f, "base2", second);
	assert_success(snapshot_load(c, "two"));
	assert_content(f, c, second);
	assert_exported(f, c, "base2", second);
	assert_base(f, "base", fresh);
	free(fresh);
	free(first);
	free(second);
	assert_success(container_remove(c));
	assert_success(base_remove(f->store, "base"));
	assert_store_clean(f);
}

/*
 * Many saves in a row: again and again the chain comes to its end and becomes one layer. What was
 * changed at whichever of them is there, in the container and in each of its snapshots. DRE_SAVES
 * says how many, with chains as long as they may be; without it, they are fewer and shorter.
 */
static void many_saves(void **state)
{
	const char *wanted = getenv("DRE_SAVES");
	int saves = wanted ? atoi(wanted) : 60;
	struct fixture *f = *state;
	struct container *c;
	char tag[16], script[300];

	make_dir(where(f), 0755);
	make_base(f);
	assert_success(container_create(&c, f->store, "c", "base", NULL, NULL));
	change(f, c, 1);
	if (!wanted)
		snapshot_max_layers = 12;
	for (int i = 1; i <= saves; i++) {
		snprintf(script, sizeof(script), "%d", i);
		write_file(at(f, "store/layers/%s/number", c->manifest.writable), script);
		snprintf(tag, sizeof(tag), "s%d", i);
		assert_success(snapshot_save(c, tag));
		assert_true(c->manifest.nr_layers <= snapshot_max_layers);
	}
	for (int i = saves; i > 0; i -= wanted ? 51 : 3) {
		snprintf(tag, sizeof(tag), "s%d", i);
		assert_success(snapshot_load(c, tag));
		mount_root(f, c);
		snprintf(script, sizeof(script), "[ $(cat number) = %d ] && [ $(cat opaque/new) = new ] && "
			 "! [ -e etc/b ] && [ $(stat -c %%i opt/g) = $(stat -c %%i opt/new/f) ]", i);
		run(where(f), script);
		unmount_root(f, c);
	}
	snapshot_max_layers = ROOTFS_MAX_LAYERS;
	assert_success(container_remove(c));
	assert_store_clean(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stays, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(many_saves, fixture_setup, fixture_teardown),
	};

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		perror("Bail out! cannot get a mount namespace");
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
