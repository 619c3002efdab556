// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Volumes are unmounted while a container that shares one of them exchanges what leads there. For the virtual
 * machine.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/volume.h"
#include "fixture.h"

/* When the exchange happens: after it was read where the mounts are, or just before one of them goes. */
static enum { NEVER, READ, EACH_READ, UNMOUNT } when;
static const struct fixture *f;

/* DIR/root/shared/a/m, which is mounted, is DIR/root/shared/b/m now, and the other way leads to DIR/outside/m. */
static void exchange(void)
{
	when = NEVER;
	assert_int_equal(rename(at(f, "root/shared/a"), at(f, "root/shared/b")), 0);
	assert_int_equal(symlink("../../outside", at(f, "root/shared/a")), 0);
}

/* It is never where it was a moment ago. */
static void move(void)
{
	if (rename(at(f, "root/shared/a"), at(f, "root/shared/b")))
		assert_int_equal(rename(at(f, "root/shared/b"), at(f, "root/shared/a")), 0);
}

/* These two are called in place of the C library's. */

int umount2(const char *target, int flags)
{
	if (when == UNMOUNT)
		exchange();
	return syscall(SYS_umount2, target, flags);
}

int fclose(FILE *file)
{
	int (*real)(FILE *) = dlsym(RTLD_NEXT, "fclose");

	if (when == READ)
		exchange();
	else if (when == EACH_READ)
		move();
	return real(file);
}

static bool is_mounted(const char *path)
{
	char *line = NULL, where[PATH_MAX];
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	bool found = false;
	size_t size = 0;

	assert_non_null(mounts);
	while (getline(&line, &size, mounts) > 0)
		found |= sscanf(line, "%*s %*s %*s %*s %4095s", where) == 1 && !strcmp(where, path);
	free(line);
	fclose(mounts);
	return found;
}

static void mount_at(const char *path)
{
	assert_int_equal(mount("none", path, "tmpfs", 0, "size=1M"), 0);
	assert_true(is_mounted(path));
}

static int setup(void **state)
{
	static const char *const dirs[] = { "root", "root/shared", "root/shared/a", "root/shared/a/m", "outside", "outside/m" };
	int ret = fixture_setup(state);

	f = *state;
	for (size_t i = 0; !ret && i < sizeof(dirs) / sizeof(*dirs); i++)
		make_dir(at(f, "%s", dirs[i]), 0755);
	if (!ret) {
		mount_at(at(f, "root/shared/a/m"));
		mount_at(at(f, "outside/m"));
	}
	return ret;
}

static int teardown(void **state)
{
	when = NEVER;
	umount2(at(f, "root/shared/a/m"), UMOUNT_NOFOLLOW);
	umount2(at(f, "root/shared/b/m"), UMOUNT_NOFOLLOW);
	umount2(at(f, "outside/m"), UMOUNT_NOFOLLOW);
	return fixture_teardown(state);
}

static void unmount(void)
{
	char root[PATH_MAX];

	snprintf(root, sizeof(root), "%s", at(f, "root"));
	assert_success(volumes_unmount("c", root));
	assert_int_equal(when, NEVER);
	assert_true(is_mounted(at(f, "outside/m")));
	assert_false(is_mounted(at(f, "root/shared/a/m")));
	assert_false(is_mounted(at(f, "root/shared/b/m")));
	assert_success(volumes_unmount("c", root));
}

static void nobody_does_anything(void **state)
{
	(void)state;
	unmount();
}

static void before_it_is_looked_at(void **state)
{
	(void)state;
	when = READ;
	unmount();
}

static void after_it_was_looked_at(void **state)
{
	(void)state;
	when = UNMOUNT;
	unmount();
}

static void without_end(void **state)
{
	char root[PATH_MAX];

	(void)state;
	snprintf(root, sizeof(root), "%s", at(f, "root"));
	when = EACH_READ;
	assert_fails(volumes_unmount("c", root), DRE_ERR_DEVICE_BUSY, "cannot unmount");
	when = NEVER;
	assert_true(is_mounted(at(f, "outside/m")));
	unmount();
}

/* Over each other, below each other, a file, and names that are written in another way in the list of mounts. */
static void all_kinds(void **state)
{
	char root[PATH_MAX];

	(void)state;
	snprintf(root, sizeof(root), "%s", at(f, "root"));
	mount_at(at(f, "root/shared/a/m"));
	make_dir(at(f, "root/shared/a/m/x"), 0755);
	mount_at(at(f, "root/shared/a/m/x"));
	make_dir(at(f, "root/a b\n\\040"), 0755);
	assert_int_equal(mount("none", at(f, "root/a b\n\\040"), "tmpfs", 0, "size=1M"), 0);
	write_file(at(f, "root/file"), "");
	assert_int_equal(mount("/proc/version", at(f, "root/file"), NULL, MS_BIND, NULL), 0);
	unmount();
	assert_false(is_mounted(at(f, "root/file")));
	assert_int_equal(rmdir(at(f, "root/a b\n\\040")), 0);
	assert_success(volumes_unmount("c", at(f, "none")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_does_anything, setup, teardown),
		cmocka_unit_test_setup_teardown(before_it_is_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(after_it_was_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(all_kinds, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		perror("a mount namespace");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
