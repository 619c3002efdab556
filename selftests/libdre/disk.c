// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The store whose layers are disks. qemu-img and qemu-io are asked what is in them: QEMU itself, and
 * not what this code thinks of the format.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/container.h"
#include "common/import_disk.h"
#include "common/qcow2.h"
#include "common/qemu_img.h"
#include "common/snapshot.h"
#include "fixture.h"

#define MIB	(1024 * 1024)
#define GIB	(1024LL * MIB)

/* Runs a command line, and returns its status; @output gets what it prints, cut if it is long. */
static int shell(char output[4096], const char *fmt, ...)
{
	char line[2048];
	size_t len;
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	assert_true(vsnprintf(line, sizeof(line), fmt, ap) < (int)sizeof(line));
	va_end(ap);
	f = popen(line, "re");
	assert_non_null(f);
	len = fread(output, 1, 4095, f);
	output[len] = '\0';
	while (fgetc(f) != EOF)
		;
	return WEXITSTATUS(pclose(f));
}

static void assert_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void assert_shell(const char *fmt, ...)
{
	char line[2048], output[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (shell(output, "{ %s; } 2>&1", line))
		fail_msg("%s: %s", line, output);
}

static void make_raw(const char *path, long long size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void import_raw(struct fixture *f, const char *base, long long size)
{
	make_raw(at(f, "raw"), size);
	assert_success(import_disk(f->store, base, at(f, "raw"), NULL, NULL));
}

static struct container *create(struct fixture *f, const char *name, const char *base)
{
	struct container *c;

	assert_success(container_create(&c, f->store, name, base, NULL, NULL));
	return c;
}

/* What a guest would write, at an offset, and whether it would read that. */
static void write_disk(struct fixture *f, const struct container *c, int pattern, int mib)
{
	assert_shell("qemu-io -f qcow2 -c 'write -P %d %dM 1M' %s | grep -q 'wrote 1048576'", pattern, mib,
		     at(f, "store/layers/%s", c->manifest.writable));
}

static void assert_disk(struct fixture *f, const struct container *c, int pattern, int mib)
{
	assert_shell("qemu-io -r -f qcow2 -c 'read -P %d %dM 1M' %s | "
		     "awk '{ print } /read 1048576/ { ok = 1 } /failed/ { exit 1 } END { exit !ok }'",
		     pattern, mib, at(f, "store/layers/%s", c->manifest.writable));
}

static void assert_sound(struct fixture *f, const char *layer)
{
	assert_shell("qemu-img check -q -f qcow2 %s", at(f, "store/layers/%s", layer));
}

static struct stat stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st;
}

static void layout(void **state)
{
	struct fixture *f = *state;
	struct container *c;

	assert_int_equal(count_entries(f->root), 6);
	assert_int_equal(stat_of(at(f, "store/layers")).st_mode, S_IFDIR | 0711);
	assert_int_equal(stat_of(at(f, "store/containers")).st_mode, S_IFDIR | 0700);
	import_raw(f, "b", MIB);
	c = create(f, "c", "b");
	assert_int_equal(count_entries(at(f, "store/layers")), 2);
	assert_int_equal(stat_of(at(f, "store/layers/%s", c->manifest.layers[0])).st_mode, S_IFREG | 0600);
	assert_int_equal(stat_of(at(f, "store/layers/%s", c->manifest.writable)).st_mode, S_IFREG | 0600);
	container_unlock(c);
	assert_store_clean(f);
}

/* Sizes around those at which the format needs one cluster more. QEMU counts in sectors. */
static void overlays_are_qemus(void **state)
{
	static const long long sizes[] = {
		512, 65536, MIB + 512, GIB / 2, GIB / 2 + 512, 4096 * GIB - 512, 4096 * GIB,
		4096 * GIB + 512, 15 * 1024 * GIB,
	};
	struct fixture *f = *state;
	struct container *c;
	char output[4096];
	char name[16];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		snprintf(name, sizeof(name), "b%zu", i);
		/* A sparse raw file of this size is more than most file systems take. */
		assert_shell("qemu-img create -q -f qcow2 %s %lld", at(f, "source"), sizes[i]);
		assert_success(import_disk(f->store, name, at(f, "source"), NULL, NULL));
		c = create(f, name, name);
		assert_sound(f, c->manifest.writable);
		assert_int_equal(shell(output, "qemu-img info -f qcow2 --output=json %s",
				       at(f, "store/layers/%s", c->manifest.writable)), 0);
		snprintf(name, sizeof(name), "%lld,", sizes[i]);
		assert_non_null(strstr(output, "\"virtual-size\": "));
		assert_memory_equal(strstr(output, "\"virtual-size\": ") + 16, name, strlen(name));
		assert_non_null(strstr(output, "\"backing-filename-format\": \"qcow2\""));
		snprintf(name, sizeof(name), "\"%s\"", c->manifest.layers[0]);
		assert_memory_equal(strstr(output, "\"backing-filename\": ") + 20, name, strlen(name));
		/* It costs next to nothing. */
		assert_true(stat_of(at(f, "store/layers/%s", c->manifest.writable)).st_blocks <= 64);
		container_unlock(c);
	}
	assert_store_clean(f);
}

/* Also on top of what is a disk as it is, which stays as it is; and all of them can grow. */
static void on_a_device(void **state)
{
	struct fixture *f = *state;
	char device[PATH_MAX];

	assert_shell("truncate -s 8M %s && printf below | dd of=%s conv=notrunc status=none",
		     at(f, "device"), at(f, "device"));
	snprintf(device, sizeof(device), "%s", at(f, "device"));
	assert_int_equal(qcow2_make_on_device(AT_FDCWD, at(f, "on"), device, 8 * MIB), 0);
	assert_int_equal(qcow2_make_on_device(AT_FDCWD, at(f, "on"), device, 8 * MIB), -EEXIST);
	assert_shell("qemu-img check -q -f qcow2 %s", at(f, "on"));
	assert_shell("qemu-img info --output=json %s | grep -q '\"backing-filename-format\": \"raw\"'",
		     at(f, "on"));
	assert_shell("qemu-io -r -f qcow2 -c 'read -v 0 512' %s | grep -q below", at(f, "on"));
	assert_shell("sha256sum %s >%s && qemu-io -f qcow2 -c 'write -P 9 0 8M' %s && sha256sum -c --quiet %s",
		     device, at(f, "sum"), at(f, "on"), at(f, "sum"));
	assert_success(qemu_img_grow(AT_FDCWD, at(f, "on"), 16 * MIB, "it"));
	assert_shell("qemu-img check -q -f qcow2 %s && qemu-io -f qcow2 -c 'write -P 3 15M 1M' %s", at(f, "on"),
		     at(f, "on"));
	assert_fails(qemu_img_grow(AT_FDCWD, at(f, "on"), 8 * MIB, "it"), DRE_ERR_INVALID_ARGUMENT, "it: qemu-img");
	assert_fails(qemu_img_grow(AT_FDCWD, at(f, "absent"), 8 * MIB, "it"), DRE_ERR_INVALID_ARGUMENT, "absent");
	memset(device, 'a', QCOW2_MAX_BELOW + 1);
	device[QCOW2_MAX_BELOW + 1] = '\0';
	assert_int_equal(qcow2_make_on_device(AT_FDCWD, at(f, "long"), device, MIB), -ENAMETOOLONG);
}

static void every_byte_can_be_written(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	const char *disk;

	import_raw(f, "b", GIB + MIB);
	c = create(f, "c", "b");
	disk = at(f, "store/layers/%s", c->manifest.writable);
	assert_shell("qemu-io -f qcow2 -c 'write -P 1 0 1M' -c 'write -P 2 1024M 1M' %s", disk);
	assert_disk(f, c, 1, 0);
	assert_disk(f, c, 0, 1);
	assert_disk(f, c, 2, 1024);
	assert_sound(f, c->manifest.writable);
	container_unlock(c);
}

static void snapshots(void **state)
{
	struct fixture *f = *state;
	struct container *c, *d;
	layer_name_t first;
	char **tags;

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	write_disk(f, c, 1, 0);
	strcpy(first, c->manifest.writable);
	assert_success(snapshot_save(c, "one"));
	assert_int_equal(c->manifest.nr_layers, 2);
	assert_string_equal(c->manifest.layers[1], first);
	assert_disk(f, c, 1, 0);
	write_disk(f, c, 2, 0);
	write_disk(f, c, 3, 4);
	assert_success(snapshot_save(c, "two"));
	write_disk(f, c, 4, 0);
	assert_fails(snapshot_save(c, "two"), DRE_ERR_SNAPSHOT_EXISTENCE, "two");
	assert_success(snapshot_load(c, "one"));
	assert_disk(f, c, 1, 0);
	assert_disk(f, c, 0, 4);
	assert_success(snapshot_load(c, "two"));
	assert_disk(f, c, 2, 0);
	assert_disk(f, c, 3, 4);
	assert_fails(snapshot_load(c, "three"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "three");
	assert_disk(f, c, 2, 0);

	assert_success(snapshot_commit(c, "one", "b1"));
	d = create(f, "d", "b1");
	assert_disk(f, d, 1, 0);
	assert_success(snapshot_remove(c, "one"));
	assert_success(container_remove(c));
	assert_disk(f, d, 1, 0);
	assert_sound(f, d->manifest.writable);
	container_unlock(d);
	assert_success(snapshot_list(f->store, "d", &tags));
	assert_null(tags[0]);
	store_free_list(tags);
	/* Of the base two layers, and that of d: what two had is gone. */
	assert_int_equal(count_entries(at(f, "store/layers")), 3);
	assert_store_clean(f);
}

static void names_are_relative(void **state)
{
	struct fixture *f = *state;
	struct container *c;

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	write_disk(f, c, 7, 1);
	assert_success(snapshot_save(c, "one"));
	assert_int_equal(rename(f->root, at(f, "moved")), 0);
	assert_shell("qemu-io -r -f qcow2 -c 'read -P 7 1M 1M' %s | grep -q 'read 1048576'",
		     at(f, "moved/layers/%s", c->manifest.writable));
	assert_int_equal(rename(at(f, "moved"), f->root), 0);
	container_unlock(c);
}

static void long_chains_are_flattened(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	char tag[16];

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	write_disk(f, c, 5, 2);
	for (int i = 0; c->manifest.nr_layers < 200; i++) {
		snprintf(tag, sizeof(tag), "s%d", i);
		assert_success(snapshot_save(c, tag));
	}
	write_disk(f, c, 6, 3);
	assert_success(snapshot_save(c, "long"));
	assert_int_equal(c->manifest.nr_layers, 2);
	assert_string_equal(c->manifest.base, "b");
	assert_disk(f, c, 5, 2);
	assert_disk(f, c, 6, 3);
	assert_sound(f, c->manifest.layers[0]);
	assert_success(snapshot_load(c, "s0"));
	assert_disk(f, c, 5, 2);
	assert_disk(f, c, 0, 3);
	container_unlock(c);
	assert_int_equal(count_entries(at(f, "store/pending")), 0);
	assert_int_equal(count_entries(at(f, "store/trash")), 0);
}

struct reported {
	unsigned int calls;
	uint64_t done, total;
};

static void report(void *arg, uint64_t done, uint64_t total)
{
	struct reported *r = arg;

	assert_true(done >= r->done && done <= total);
	r->calls++;
	r->done = done;
	r->total = total;
}

static void imports(void **state)
{
	struct fixture *f = *state;
	struct reported r = {};
	struct container *c;

	make_raw(at(f, "raw"), 64 * MIB);
	assert_shell("qemu-io -f raw -c 'write -P 9 8M 8M' %s", at(f, "raw"));
	assert_success(import_disk(f->store, "raw", at(f, "raw"), report, &r));
	assert_true(r.calls > 0);
	assert_int_equal(r.done, r.total);
	c = create(f, "c", "raw");
	assert_disk(f, c, 9, 8);
	assert_disk(f, c, 0, 16);
	/* What is zero takes no space. */
	assert_true(stat_of(at(f, "store/layers/%s", c->manifest.layers[0])).st_blocks < 2 * 10 * 1024);
	container_unlock(c);

	assert_shell("qemu-img convert -f raw -O qcow2 %s %s", at(f, "raw"), at(f, "image"));
	assert_int_equal(rename(at(f, "image"), at(f, "image's \"name\"")), 0);
	assert_success(import_disk(f->store, "qcow2", at(f, "image's \"name\""), NULL, NULL));
	c = create(f, "d", "qcow2");
	assert_disk(f, c, 9, 15);
	container_unlock(c);
	assert_fails(import_disk(f->store, "raw", at(f, "raw"), NULL, NULL), DRE_ERR_BASE_EXISTENCE, "raw");
	assert_store_clean(f);
}

/* Nobody else's file comes into a base by what an image says, and nothing stays of what failed. */
static void import_refuses(void **state)
{
	struct fixture *f = *state;

	write_file(at(f, "secret"), "root:$6$");
	make_raw(at(f, "empty"), 0);
	write_file(at(f, "damaged"), "QFI\373 and what is not even a header of an image that "
				     "anybody ever had, but long enough to be one");
	assert_int_equal(mkfifo(at(f, "fifo"), 0600), 0);
	assert_shell("qemu-img create -q -f qcow2 -b %s -F raw %s 1M", at(f, "secret"), at(f, "backed"));
	assert_shell("qemu-img create -q -f qcow2 -o data_file=%s %s 1M", at(f, "data"), at(f, "external"));
	assert_shell("qemu-img create -q -f qcow2 --object secret,id=s,data=x -o encrypt.format=luks,"
		     "encrypt.key-secret=s,encrypt.iter-time=10 %s 1M", at(f, "encrypted"));
	assert_shell("qemu-img create -q -f qcow2 %s 0", at(f, "nothing"));
	assert_shell("qemu-img create -q -f qcow2 %s 4M && qemu-io -f qcow2 -c 'write 0 4M' %s && "
		     "truncate -s 400000 %s", at(f, "short"), at(f, "short"), at(f, "short"));

	static const struct {
		const char *source;
		const char *part;
	} cases[] = {
		{ "absent", "there is no" },
		{ "empty", "is empty" },
		{ "damaged", "unknown version" },
		{ "fifo", "neither" },
		{ ".", "neither" },
		{ "backed", "on top of another" },
		{ "external", "another file" },
		{ "encrypted", "is encrypted" },
		{ "nothing", "empty disk" },
		{ "short", "end of the file" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_fails(import_disk(f->store, "b", at(f, "%s", cases[i].source), NULL, NULL),
			     DRE_ERR_INVALID_ARGUMENT, cases[i].part);
	assert_fails(import_disk(f->store, "b", NULL, NULL, NULL), DRE_ERR_NULL_POINTER, "source");
	assert_fails(import_disk(f->store, "-", "x", NULL, NULL), DRE_ERR_INVALID_ARGUMENT, "-");
	assert_int_equal(count_entries(at(f, "store/layers")), 0);
	assert_int_equal(count_entries(at(f, "store/bases")), 0);
	assert_store_clean(f);
}

/* A writable layer that is no image any more: the container keeps what it has. */
static void damaged_layer(void **state)
{
	struct fixture *f = *state;
	struct container *c;

	import_raw(f, "b", MIB);
	c = create(f, "c", "b");
	assert_int_equal(truncate(at(f, "store/layers/%s", c->manifest.writable), 0), 0);
	assert_fails(snapshot_save(c, "one"), DRE_ERR_DEVICE_BUSY, "cannot make a layer on");
	assert_int_equal(c->manifest.nr_layers, 1);
	assert_int_equal(count_entries(at(f, "store/containers/c/snapshots")), 0);
	container_unlock(c);
	assert_store_clean(f);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup_disk, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(layout),
		TEST(overlays_are_qemus),
		TEST(on_a_device),
		TEST(every_byte_can_be_written),
		TEST(snapshots),
		TEST(names_are_relative),
		TEST(long_chains_are_flattened),
		TEST(imports),
		TEST(import_refuses),
		TEST(damaged_layer),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
