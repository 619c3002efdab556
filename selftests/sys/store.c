// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copies of containers, other names, disk images, and what looks after the store, with libvirt's part in it.
 */
#include "host.h"

#define IMAGE	"/run/dre-test-image"

static void arguments(void **state)
{
	dre_sys_handle h = handle("st"), absent = handle("absent");
	dre_sys_copy_options odd = { .size = sizeof(odd) + 1 };
	int fd = open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_fails(dre_sys_copy(NULL, NULL, "a"), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_copy(&h, NULL, NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_copy(&h, "-", "a"), DRE_ERR_INVALID_ARGUMENT, "snapshot");
	assert_fails(dre_sys_copy(&h, NULL, "-"), DRE_ERR_INVALID_ARGUMENT, "container");
	assert_fails(dre_sys_copy(&absent, NULL, "a"), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_copy(&h, "none", "a"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "none");
	assert_fails(dre_sys_copy(&h, NULL, "st"), DRE_ERR_CONTAINER_EXISTENCE, "'st'");
	assert_fails(dre_sys_copy_with(&h, NULL, "a", NULL), DRE_ERR_NULL_POINTER, "options");
	assert_fails(dre_sys_copy_with(&h, NULL, "a", &odd), DRE_ERR_INVALID_ARGUMENT, "options");
	assert_fails(dre_sys_rename(NULL, "a"), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_rename(&h, NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_rename(&h, "a/b"), DRE_ERR_INVALID_ARGUMENT, "a/b");
	assert_fails(dre_sys_rename(&absent, "a"), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_rename(&h, "st"), DRE_ERR_CONTAINER_EXISTENCE, "'st'");
	assert_fails(dre_sys_export(NULL, fd, NULL, NULL, NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_export(&h, -1, NULL, NULL, NULL), DRE_ERR_INVALID_ARGUMENT, "fd -1");
	assert_fails(dre_sys_export(&h, null, NULL, NULL, NULL), DRE_ERR_INVALID_ARGUMENT, "file only");
	assert_fails(dre_sys_export(&h, fd, "gzip", NULL, NULL), DRE_ERR_INVALID_ARGUMENT, "zstd");
	assert_fails(dre_sys_export(&absent, fd, NULL, NULL, NULL), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_export_base(NULL, fd, NULL, NULL, NULL), DRE_ERR_NULL_POINTER, "base image");
	assert_fails(dre_sys_export_base("it", -1, NULL, NULL, NULL), DRE_ERR_INVALID_ARGUMENT, "fd -1");
	assert_fails(dre_sys_export_base("none", fd, NULL, NULL, NULL), DRE_ERR_BASE_NONEXISTENCE, "none");
	assert_fails(dre_sys_fsck(0, NULL, NULL), DRE_ERR_NULL_POINTER, "NULL");
	close(fd);
	close(null);
}

static void assert_domain(const char *name, bool there)
{
	assert_int_equal(shell("virsh -q list --all --name | grep -qx 'dre-%s'", name), !there);
}

/* The same disk and settings, and another machine. */
static void copies(void **state)
{
	dre_sys_handle h = handle("st");
	char layer[16], other[16];

	(void)state;
	assert_success(dre_sys_save_snapshot(&h, "one"));
	assert_success(dre_sys_set_property(&h, "mac", "52:54:00:12:34:56"));
	assert_success(dre_sys_copy(&h, NULL, "st2"));
	assert_int_equal(shell("dre-sys copy --snapshot one --set mac=52:54:00:00:00:03 --set disk=96M st st3"), 0);
	assert_defined("st");
	assert_defined("st2");
	assert_defined("st3");
	read_layer("st", layer);
	read_layer("st2", other);
	assert_string_not_equal(layer, other);
	assert_int_not_equal(shell("[ $(virsh -q domuuid dre-st) = $(virsh -q domuuid dre-st2) ]"), 0);
	assert_int_equal(shell("[ $(dre-sys get st mac) = 52:54:00:12:34:56 ]"), 0);
	assert_int_equal(shell("dre-sys get st2 mac | grep -qx '52:54:00:..:..:..'"), 0);
	assert_int_not_equal(shell("[ $(dre-sys get st2 mac) = 52:54:00:12:34:56 ]"), 0);
	assert_int_equal(shell("virsh -q dominfo dre-st2 | grep -q 'Max memory: *98304'"), 0);
	assert_int_equal(shell("[ $(dre-sys get st3 mac) = 52:54:00:00:00:03 ]"), 0);
	assert_int_equal(shell("dre-sys inspect st3 | grep -q '\"disk_size\": *100663296'"), 0);
	assert_fails(dre_sys_copy(&h, "one", "st2"), DRE_ERR_CONTAINER_EXISTENCE, "st2");
	/* What its disk cannot be makes no copy. */
	assert_int_equal(shell("dre-sys copy --set disk=512 st st9 2>/dev/null"), 1);
	assert_fails(status("st9"), DRE_ERR_CONTAINER_NONEXISTENCE, "st9");
	assert_domain("st9", false);
	assert_defined("st");
}

/* A domain that is none of ours has the name: then there is no copy, and no other name. */
static void foreign_domain(void **state)
{
	dre_sys_handle h = handle("st3");

	(void)state;
	assert_int_equal(shell("virsh -q dumpxml dre-st3 | sed '/<uuid>/d; /<metadata>/,/<.metadata>/d; "
			       "s/<name>dre-st3/<name>dre-other/' >/run/dre-test.xml && "
			       "virsh -q define /run/dre-test.xml"), 0);
	assert_fails(dre_sys_copy(&h, NULL, "other"), DRE_ERR_DEVICE_BUSY, "libvirt: ");
	assert_fails(dre_sys_rename(&h, "other"), DRE_ERR_DEVICE_BUSY, "libvirt: ");
	assert_fails(status("other"), DRE_ERR_CONTAINER_NONEXISTENCE, "other");
	assert_int_equal(status("st3"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_defined("st3");
	assert_int_equal(shell("virsh -q undefine dre-other"), 0);
}

static void renamed(void **state)
{
	dre_sys_handle h = handle("st3");

	(void)state;
	assert_int_equal(shell("virsh -q domuuid dre-st3 >/run/dre-test-uuid"), 0);
	assert_fails(dre_sys_rename(&h, "st2"), DRE_ERR_CONTAINER_EXISTENCE, "st2");
	assert_int_equal(mkdir(STORE "/containers/st3/checkpoints/cp", 0700), 0);
	assert_fails(dre_sys_rename(&h, "st4"), DRE_ERR_SNAPSHOT_EXISTENCE, "checkpoints");
	assert_int_equal(rmdir(STORE "/containers/st3/checkpoints/cp"), 0);
	assert_defined("st3");
	assert_int_equal(shell("dre-sys rename st3 st4"), 0);
	assert_domain("st3", false);
	assert_domain("st4", true);
	assert_int_equal(shell("cd /sys/fs/cgroup/dre.partition/sys.partition && "
			       "[ ! -e dre-st3.partition ] && [ -d dre-st4.partition ]"), 0);
	assert_defined("st4");
	assert_int_equal(shell("virsh -q domuuid dre-st4 | cmp - /run/dre-test-uuid"), 0);
	assert_int_equal(shell("virsh -q dumpxml dre-st4 | grep -q containers/st4/console.log"), 0);
	assert_success(dre_sys_destroy_container("st4"));
}

static void assert_states(const dre_sys_handle *h, int code)
{
	int fd = open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_fails(dre_sys_copy(h, NULL, "st5"), code, h->name);
	assert_fails(dre_sys_rename(h, "st5"), code, h->name);
	assert_fails(dre_sys_export(h, fd, NULL, NULL, NULL), code, h->name);
	close(fd);
	assert_fails(status("st5"), DRE_ERR_CONTAINER_NONEXISTENCE, "st5");
}

/* What the image that was exported has at the beginning of the disk: the guest writes there how often it has booted. */
static void assert_image(int byte)
{
	assert_int_equal(shell("qemu-img check -q " IMAGE), 0);
	assert_int_equal(shell("qemu-io -r -f qcow2 -c 'read -P %d 0 1' " IMAGE " | "
			       "awk '/^read / { ok = 1 } /failed/ { exit 1 } END { exit !ok }'", byte), 0);
}

/* What a copy writes is its own; what was saved can be copied while it runs, and no image is half there. */
static void exported(void **state)
{
	dre_sys_handle h = handle("st2"), original = handle("st");

	(void)state;
	assert_success(dre_sys_start(&h));
	assert_says("st2", "guest: boot 1", 1);
	assert_states(&h, DRE_ERR_CONTAINER_RUNNING);
	assert_int_equal(shell("rm -f " IMAGE "; dre-sys export st2 " IMAGE " 2>/dev/null"), 1);
	assert_int_equal(access(IMAGE, F_OK), -1);
	assert_success(dre_sys_suspend(&h));
	assert_states(&h, DRE_ERR_CONTAINER_SUSPENDED);
	assert_int_equal(shell("virsh -q destroy dre-st2"), 0);

	assert_int_equal(shell("dre-sys export --compress zstd st2 " IMAGE), 0);
	assert_int_equal(shell("qemu-img info " IMAGE " | grep -q 'backing'"), 1);
	assert_image('1');
	assert_int_equal(shell("dre-sys base import back " IMAGE), 0);
	assert_int_equal(shell("dre-sys export st " IMAGE), 0);
	assert_image(0);
	assert_int_equal(shell("dre-sys base export back " IMAGE), 0);
	assert_image('1');
	assert_int_equal(shell("dre-sys export st - >/run/dre-test-stdout"), 0);
	assert_int_equal(shell("dre-sys export st /dev/null 2>/dev/null"), 1);
	assert_success(dre_sys_remove_base("back"));
	assert_int_equal(dre_sys_status(&original), DRE_SYS_CONTAINER_STATUS_STOP);
}

#define SECRET	"/run/dre-test-secret"
#define HEADER	"/run/dre-test-header"

static int export(const dre_sys_handle *h)
{
	int fd = open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = dre_sys_export(h, fd, NULL, NULL, NULL);

	close(fd);
	return err;
}

/* A guest that has become its machine names a file of the host in the header of its disk: nobody opens that. */
static void rewritten(void **state)
{
	dre_sys_handle h = handle("st2");
	char layer[16], other[16];

	(void)state;
	read_layer("st2", layer);
	assert_int_equal(shell("echo secret >" SECRET " && chmod 600 " SECRET " && "
			       "dd if=" STORE "/layers/%s of=" HEADER " bs=64K count=1 status=none && "
			       "qemu-img rebase -u -f qcow2 -b " SECRET " -F raw " STORE "/layers/%s", layer, layer), 0);
	assert_fails(dre_sys_start(&h), DRE_ERR_DEVICE_BUSY, "is on top of " SECRET ", and not of layers/");
	assert_fails(dre_sys_set_property(&h, "disk", "128M"), DRE_ERR_DEVICE_BUSY, "is on top of");
	assert_fails(dre_sys_save_snapshot(&h, "new"), DRE_ERR_SAVE_SNAPSHOT_FAILED, "is on top of");
	assert_fails(dre_sys_copy(&h, NULL, "st5"), DRE_ERR_DEVICE_BUSY, "is on top of");
	assert_fails(export(&h), DRE_ERR_DEVICE_BUSY, "is on top of");
	assert_int_equal(status("st2"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_fails(status("st5"), DRE_ERR_CONTAINER_NONEXISTENCE, "st5");
	read_layer("st2", other);
	assert_string_equal(layer, other);
	assert_defined("st2");
	assert_int_equal(shell("[ $(stat -c %%u:%%g:%%a " SECRET ") = 0:0:600 ] && [ ! -s " IMAGE " ]"), 0);
	assert_int_equal(shell("dd if=" HEADER " of=" STORE "/layers/%s conv=notrunc status=none && rm " SECRET " " HEADER,
			       layer), 0);
}

static char found[2048];

static void note(void *arg, const dre_sys_problem *problem)
{
	size_t len = strlen(found);

	(void)arg;
	snprintf(found + len, sizeof(found) - len, "%c%s: %s\n", problem->repaired ? '+' : '-', problem->path,
		 problem->what);
}

static void assert_found(unsigned int flags, const char *wanted)
{
	*found = '\0';
	assert_success(dre_sys_fsck(flags, note, NULL));
	assert_string_equal(found, wanted);
}

/* Domains that somebody has changed, or that are left of a container. */
static void domains_are_checked(void **state)
{
	(void)state;
	assert_fails(dre_sys_fsck(4, note, NULL), DRE_ERR_INVALID_ARGUMENT, "0x4");
	assert_found(0, "");
	assert_int_equal(shell("dre-sys fsck"), 0);
	assert_int_equal(shell("virsh -q dumpxml dre-st2 | sed 's,layers/[0-9a-z]*,layers/elsewhere,' "
			       ">/run/dre-test.xml && virsh -q define /run/dre-test.xml"), 0);
	assert_found(0, "-containers/st2/manifest: libvirt's domain has another disk than the writable layer\n");
	assert_int_equal(shell("dre-sys fsck --json | grep -q 'another disk'"), 0);
	assert_int_equal(shell("dre-sys fsck >/dev/null"), 1);
	assert_found(DRE_SYS_FSCK_REPAIR,
		     "+containers/st2/manifest: libvirt's domain has another disk than the writable layer\n");
	assert_defined("st2");
	assert_int_equal(shell("virsh -q dumpxml dre-st2 | sed '/<uuid>/d; s/<name>dre-st2/<name>dre-gone/' "
			       ">/run/dre-test.xml && virsh -q define /run/dre-test.xml"), 0);
	assert_found(0, "-containers/gone: libvirt has a domain for it, and there is no such container\n");
	assert_found(DRE_SYS_FSCK_REPAIR,
		     "+containers/gone: libvirt has a domain for it, and there is no such container\n");
	assert_domain("gone", false);
	assert_found(0, "");
	configure("libvirt = qemu+unix:///system?socket=/run/nobody-listens\n");
	assert_fails(dre_sys_fsck(0, note, NULL), DRE_ERR_DEVICE_BUSY, "nobody-listens");
	configure("");
}

static int count_layers(void)
{
	FILE *f = fopen(STORE "/containers/st/manifest", "re");
	char line[128];
	int nr = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		nr += !strncmp(line, "layer ", 6);
	fclose(f);
	return nr;
}

/*
 * With as many layers as there may be a machine starts; the next snapshot makes one of them. Checkpoints have their
 * own way, see there.
 */
static void long_chain(void **state)
{
	dre_sys_handle h = handle("st");
	char tag[16];

	(void)state;
	for (int i = 0; count_layers() < 190; i++) {
		snprintf(tag, sizeof(tag), "long%d", i);
		assert_success(dre_sys_save_snapshot(&h, tag));
	}
	assert_success(dre_sys_start(&h));
	assert_says("st", "guest: boot 1", 1);
	assert_int_equal(count_layers(), 190);
	assert_int_equal(shell("virsh -q destroy dre-st"), 0);
	assert_success(dre_sys_save_snapshot(&h, "short"));
	assert_int_equal(count_layers(), 2);
	assert_success(dre_sys_load_snapshot(&h, "one"));
	assert_defined("st");
}

#define GB	(1ULL << 30)

/* The machine has no mmdebstrap; what it would build is built by base-disk. */
static void builds(void **state)
{
	const dre_sys_build_options good = { .size = sizeof(good), .suite = "bookworm" };
	dre_sys_build_options build = good;

	(void)state;
	assert_int_equal(shell("ls -A " STORE "/layers " STORE "/pending " STORE "/trash >/run/dre-test-store"), 0);
	assert_fails(dre_sys_build_base(NULL, &build, NULL, NULL), DRE_ERR_NULL_POINTER, "name");
	assert_fails(dre_sys_build_base("new", NULL, NULL, NULL), DRE_ERR_NULL_POINTER, "options");
	assert_fails(dre_sys_build_base("../new", &build, NULL, NULL), DRE_ERR_INVALID_ARGUMENT, "../new");
	assert_fails(dre_sys_build_base("it", &build, NULL, NULL), DRE_ERR_BASE_EXISTENCE, "it");
#define BUILD_FAILS(member, value, code, part)							\
	do {											\
		build = good;									\
		build.member = value;								\
		assert_fails(dre_sys_build_base("new", &build, NULL, NULL), code, part);	\
	} while (0)
	BUILD_FAILS(size, sizeof(build) + 1, DRE_ERR_INVALID_ARGUMENT, "does not know");
	BUILD_FAILS(verbose, 2, DRE_ERR_INVALID_ARGUMENT, "does not know");
	BUILD_FAILS(suite, NULL, DRE_ERR_NULL_POINTER, "suite");
	BUILD_FAILS(suite, "-x", DRE_ERR_INVALID_ARGUMENT, "suite");
	BUILD_FAILS(packages, "a b", DRE_ERR_INVALID_ARGUMENT, "packages");
	BUILD_FAILS(mirror, "a\"b", DRE_ERR_INVALID_ARGUMENT, "mirror");
	BUILD_FAILS(disk, GB - 512, DRE_ERR_INVALID_ARGUMENT, "1 GiB");
	BUILD_FAILS(disk, GB + 1, DRE_ERR_INVALID_ARGUMENT, "sectors");
	BUILD_FAILS(disk, 17 * 1024 * GB, DRE_ERR_INVALID_ARGUMENT, "16 TiB");
	BUILD_FAILS(disk, 2 * GB, DRE_ERR_DEVICE_BUSY, "mmdebstrap is not installed");
	assert_int_equal(shell("ls -A " STORE "/layers " STORE "/pending " STORE "/trash | cmp - /run/dre-test-store"), 0);
}

static void collected(void **state)
{
	(void)state;
	assert_int_equal(shell("touch " STORE "/layers/aaaaaaaa && dre-sys gc"), 0);
	assert_int_equal(access(STORE "/layers/aaaaaaaa", F_OK), -1);
	assert_int_equal(shell("cd " STORE "/containers/st2 && cp manifest ../../saved && echo x >manifest && "
			       "touch ../../layers/aaaaaaaa"), 0);
	assert_fails(dre_sys_gc(), DRE_ERR_DEVICE_BUSY, "st2/manifest");
	assert_int_equal(access(STORE "/layers/aaaaaaaa", F_OK), 0);
	assert_int_equal(shell("dre-sys fsck --set-aside | grep -q 'containers/st2/manifest *yes'"), 0);
	assert_fails(status("st2"), DRE_ERR_CONTAINER_NONEXISTENCE, "st2");
	/* The domain has no container any more. */
	assert_found(DRE_SYS_FSCK_REPAIR,
		     "+containers/st2: libvirt has a domain for it, and there is no such container\n");
	assert_int_equal(shell("rm -r " STORE "/lost " STORE "/saved"), 0);
	assert_success(dre_sys_destroy_container("st"));
	assert_success(dre_sys_remove_base("it"));
	assert_int_equal(shell("[ -z \"$(ls " STORE "/layers " STORE "/containers | grep -v :)\" ]"), 0);
	assert_int_equal(shell("[ -z \"$(virsh -q list --all --name | grep dre-)\" ]"), 0);
}

static int setup(void **state)
{
	set_up_host(state);
	assert_success(create("st", "it"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(copies),
		cmocka_unit_test(foreign_domain),
		cmocka_unit_test(renamed),
		cmocka_unit_test(exported),
		cmocka_unit_test(rewritten),
		cmocka_unit_test(domains_are_checked),
		cmocka_unit_test(long_chain),
		cmocka_unit_test(builds),
		cmocka_unit_test(collected),
	};

	return HOST_MAIN(tests, setup, NULL);
}
