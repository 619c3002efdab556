// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The store whose layers are disks. qemu-img and qemu-io are asked what is in them: QEMU itself, and
 * not what this code thinks of the format.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "common/checkpoint.h"
#include "common/container.h"
#include "common/export_disk.h"
#include "common/former.h"
#include "common/fail.h"
#include "common/fsck.h"
#include "common/import_disk.h"
#include "common/pull.h"
#include "common/qcow2.h"
#include "common/qemu_img.h"
#include "common/snapshot.h"
#include "common/store_private.h"
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

/* What fsck says, a line each, "+" where it was repaired. */
static char found[4096];

static void note(void *arg, const char *path, const char *what, bool repaired)
{
	size_t len = strlen(found);

	(void)arg;
	snprintf(found + len, sizeof(found) - len, "%c%s: %s\n", repaired ? '+' : '-', path, what);
}

static bool stopped(void *arg, const char *container)
{
	(void)arg;
	(void)container;
	return true;
}

static void assert_found(const struct fixture *f, bool repair, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void assert_found(const struct fixture *f, bool repair, const char *fmt, ...)
{
	const struct fsck fsck = { .repair = repair, .problem = note, .stopped = stopped };
	char wanted[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(wanted, sizeof(wanted), fmt, ap);
	va_end(ap);
	*found = '\0';
	assert_success(store_fsck(f->store, &fsck));
	assert_string_equal(found, wanted);
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

/* A load takes away what it has thrown away; for that other containers are read only where they may have it. */
static void loads(void **state)
{
	struct fixture *f = *state;
	struct container *c, *d;
	char thrown[16];

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	d = create(f, "d", "b");
	container_unlock(d);
	assert_success(snapshot_save(c, "one"));
	assert_success(snapshot_save(c, "two"));
	/* A manifest that cannot be read keeps from collecting. */
	assert_int_equal(rename(at(f, "store/containers/d/manifest"), at(f, "manifest")), 0);
	write_file(at(f, "store/containers/d/manifest"), "x");
	for (int i = 0; i < 2; i++) {
		strcpy(thrown, c->manifest.writable);
		assert_success(snapshot_load(c, i ? "two" : "one"));
		assert_int_not_equal(access(at(f, "store/layers/%s", thrown), F_OK), 0);
	}
	assert_success(snapshot_save(c, "three"));
	assert_success(snapshot_remove(c, "three"));
	assert_success(snapshot_load(c, "two"));
	assert_int_equal(rename(at(f, "manifest"), at(f, "store/containers/d/manifest")), 0);
	/* What "three" had was only thrown away by the last one, which could not know that nobody else has it. */
	assert_int_equal(count_entries(at(f, "store/layers")), 7);
	assert_success(snapshot_load(c, "one"));
	assert_int_equal(count_entries(at(f, "store/layers")), 5);
	container_unlock(c);
	assert_int_equal(count_entries(at(f, "store/pending")), 0);
	assert_int_equal(count_entries(at(f, "store/trash")), 0);
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
	for (int i = 0; c->manifest.nr_layers < 190; i++) {
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

static struct container *create_on_device(struct fixture *f, const char *device)
{
	struct manifest m = {};
	struct container *c;

	make_raw(device, 8 * MIB);
	assert_shell("printf below | dd of=%s bs=1M seek=1 conv=notrunc status=none", device);
	assert_int_equal(qcow2_make_on_device(AT_FDCWD, at(f, "store/layers/0a0a0a0a"), device, 8 * MIB), 0);
	assert_int_equal(manifest_add_layer(&m, "0a0a0a0a"), 0);
	assert_int_equal(manifest_set(&m, SETTING_ROOTFS, device), 0);
	assert_success(container_create_from(&c, f->store, "c", &m, NULL));
	manifest_free(&m);
	return c;
}

/* What is on the partition stays there, and the disk, which has grown, as large as it was. */
static void long_chains_on_a_device(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	char device[PATH_MAX];

	snprintf(device, sizeof(device), "%s", at(f, "device"));
	c = create_on_device(f, device);
	write_disk(f, c, 5, 2);
	assert_success(snapshot_save(c, "one"));
	write_disk(f, c, 0, 1);
	assert_success(snapshot_save(c, "two"));
	assert_success(qemu_img_grow(c->store->layers_fd, c->manifest.writable, 16 * MIB, "it"));
	write_disk(f, c, 6, 12);
	snapshot_max_layers = 3;
	assert_success(snapshot_save(c, "three"));
	snapshot_max_layers = SIZE_MAX;
	assert_int_equal(c->manifest.nr_layers, 3);
	assert_string_equal(c->manifest.layers[0], "0a0a0a0a");
	assert_success(layers_verify_container(c));
	assert_found(f, false, "%s", "");
	assert_disk(f, c, 0, 1);
	assert_disk(f, c, 5, 2);
	assert_disk(f, c, 0, 7);
	assert_disk(f, c, 6, 12);
	assert_disk(f, c, 0, 15);
	assert_sound(f, c->manifest.layers[1]);
	assert_success(snapshot_save(c, "four"));
	/* Nothing of it was copied. */
	assert_true(stat_of(at(f, "store/layers/%s", c->manifest.layers[1])).st_blocks * 512 < 4 * MIB);
	assert_found(f, false, "%s", "");
	container_unlock(c);
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

struct writer {
	const char *path;
	unsigned int tries;
};

static void try_to_write(void *arg, uint64_t done, uint64_t total)
{
	struct writer *w = arg;
	int fd = open(w->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	(void)done;
	(void)total;
	assert_int_equal(fd, -1);
	assert_int_equal(errno, EWOULDBLOCK);
	w->tries++;
}

#define QEMU_IMG	"/usr/bin/qemu-img"

/* What comes from anywhere gets only so much; what is ours gets what it takes. */
static void import_is_limited(void **state)
{
	static const char tool[] = "#!/bin/sh\necho \"data $(ulimit -d), time $(ulimit -t)\"\nexit 1\n";
	struct fixture *f = *state;

	make_raw(at(f, "raw"), MIB);
	assert_shell("qemu-img create -q -f qcow2 %s 1M", at(f, "image"));
	write_file(at(f, "qemu-img"), tool);
	assert_int_equal(chmod(at(f, "qemu-img"), 0755), 0);
	/* No path leads to another one. */
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(at(f, "qemu-img"), QEMU_IMG, NULL, MS_BIND, NULL), 0);
	/* One is converted, the other one looked at before. */
	assert_fails(import_disk(f->store, "b", at(f, "raw"), NULL, NULL), DRE_ERR_INVALID_ARGUMENT,
		     "data 2097152, time 43200");
	assert_fails(import_disk(f->store, "b", at(f, "image"), NULL, NULL), DRE_ERR_INVALID_ARGUMENT,
		     "data 2097152, time 43200");
	assert_fails(qemu_img_grow(AT_FDCWD, at(f, "image"), 2 * MIB, "it"), DRE_ERR_INVALID_ARGUMENT,
		     "data unlimited, time unlimited");
	assert_int_equal(umount(QEMU_IMG), 0);
	assert_store_clean(f);
}

/* Whoever could change an image that was looked at would have QEMU open another file. */
static void import_while_it_is_written_to(void **state)
{
	struct fixture *f = *state;
	struct writer w = { .path = at(f, "image") };
	int fd;

	assert_shell("qemu-img create -q -f qcow2 %s 4M && qemu-io -f qcow2 -c 'write -P 5 0 4M' %s", at(f, "image"),
		     at(f, "image"));
	fd = open(w.path, O_RDWR | O_CLOEXEC);
	assert_fails(import_disk(f->store, "b", w.path, NULL, NULL), DRE_ERR_DEVICE_BUSY, "is being written to");
	close(fd);
	assert_fails(import_disk(f->store, "b", w.path, try_to_write, &w), DRE_ERR_DEVICE_BUSY, "is being written to");
	assert_true(w.tries > 0);
	assert_int_equal(count_entries(at(f, "store/layers")), 0);
	assert_success(import_disk(f->store, "b", w.path, NULL, NULL));
	fd = open(w.path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	assert_store_clean(f);
}

static int drop_lease_right(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_LEASE);
	return syscall(SYS_capset, &header, data);
}

/* Where that cannot be known the image is copied: here it is somebody else's, on other hosts its file system cannot tell. */
static void import_of_a_copy(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	int status;
	pid_t pid;

	assert_shell("qemu-img create -q -f qcow2 %s 64M && qemu-io -f qcow2 -c 'write -P 5 7M 1M' %s", at(f, "image"),
		     at(f, "image"));
	assert_int_equal(chown(at(f, "image"), 1234, 1234), 0);
	pid = fork();
	if (!pid)
		_exit(drop_lease_right() || import_disk(f->store, "b", at(f, "image"), NULL, NULL) ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	c = create(f, "c", "b");
	assert_disk(f, c, 5, 7);
	assert_disk(f, c, 0, 8);
	container_unlock(c);
	assert_store_clean(f);
}

static void write_freely(void *arg, uint64_t done, uint64_t total)
{
	struct writer *w = arg;
	int fd = open(w->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	(void)done;
	(void)total;
	if (fd < 0)
		return;
	w->tries += write(fd, "gone", 4) == 4;
	close(fd);
}

/* A lease would be had there, and not know of who writes to the file below. */
static void import_from_overlayfs(void **state)
{
	struct fixture *f = *state;
	struct writer w = { .path = at(f, "merged/image") };
	struct container *c;
	int status;

	assert_shell("cd %s && mkdir lower upper work merged && qemu-img create -q -f qcow2 lower/image 64M && "
		     "qemu-io -f qcow2 -c 'write -P 5 7M 1M' lower/image && "
		     "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged", at(f, "."));
	status = import_disk(f->store, "b", w.path, write_freely, &w);
	assert_shell("umount %s", at(f, "merged"));
	assert_success(status);
	assert_true(w.tries > 0);
	c = create(f, "c", "b");
	assert_disk(f, c, 5, 7);
	assert_disk(f, c, 0, 8);
	container_unlock(c);
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
	assert_fails(snapshot_save(c, "one"), DRE_ERR_DEVICE_BUSY, "no qcow2 image");
	assert_int_equal(c->manifest.nr_layers, 1);
	assert_int_equal(count_entries(at(f, "store/containers/c/snapshots")), 0);
	container_unlock(c);
	assert_store_clean(f);
}

/* A checkpoint of what the container has, as a machine leaves one that has gone over to the new layer. */
static void make_checkpoint(struct fixture *f, struct container *c, const char *tag)
{
	struct manifest next = {};
	struct checkpoint cp;
	bool garbage = false;

	assert_success(checkpoint_begin(&cp, c, tag));
	assert_int_equal(manifest_add_layer(&cp.manifest, c->manifest.writable), 0);
	assert_int_equal(manifest_copy_chain(&next, &cp.manifest), 0);
	assert_success(snapshot_give(c, &next, &garbage));
	assert_false(garbage);
	manifest_free(&next);
	write_file(at(f, "store/containers/%s/checkpoints/%s/memory", c->name, cp.dir), "of a machine");
	assert_success(checkpoint_publish(&cp));
}

/* What a checkpoint has stays whatever is saved, loaded and removed, and goes with it. */
static void checkpoints(void **state)
{
	struct fixture *f = *state;
	struct checkpoint cp;
	struct container *c;
	layer_name_t first;
	char **tags;

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	write_disk(f, c, 1, 0);
	strcpy(first, c->manifest.writable);
	make_checkpoint(f, c, "cp");
	assert_fails(checkpoint_begin(&cp, c, "cp"), DRE_ERR_SNAPSHOT_EXISTENCE, "cp");
	assert_fails(checkpoint_open(&cp, c, "other"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "other");
	assert_fails(checkpoint_remove(c, "other"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "other");
	assert_string_equal(c->manifest.layers[1], first);
	assert_disk(f, c, 1, 0);
	write_disk(f, c, 2, 0);
	assert_success(snapshot_save(c, "snap"));
	assert_success(checkpoint_open(&cp, c, "cp"));
	assert_int_equal(cp.manifest.nr_layers, 2);
	assert_string_equal(cp.manifest.layers[1], first);
	assert_string_equal(cp.manifest.writable, "");
	checkpoint_close(&cp);
	assert_success(checkpoint_list(f->store, "c", &tags));
	assert_string_equal(tags[0], "cp");
	assert_null(tags[1]);
	store_free_list(tags);

	/* One that is given up leaves nothing. */
	assert_success(checkpoint_begin(&cp, c, "gone"));
	checkpoint_abandon(&cp);
	assert_int_equal(count_entries(at(f, "store/containers/c/checkpoints")), 1);
	assert_store_clean(f);

	assert_success(snapshot_remove(c, "snap"));
	assert_success(checkpoint_remove(c, "cp"));
	assert_disk(f, c, 2, 0);
	assert_int_equal(count_entries(at(f, "store/containers/c/checkpoints")), 0);
	container_unlock(c);
	assert_store_clean(f);
}

/* Two of one disk, with what it has, and a UUID each. */
static void copies(void **state)
{
	struct fixture *f = *state;
	struct container *c, *copy;
	struct manifest settings = {};

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	assert_int_equal(manifest_set(&c->manifest, "uuid", "1"), 0);
	assert_int_equal(manifest_set(&c->manifest, "memory", "96"), 0);
	assert_int_equal(manifest_set(&c->manifest, "cpus", "2"), 0);
	assert_success(container_commit(c));
	write_disk(f, c, 1, 0);
	assert_success(snapshot_save(c, "one"));
	write_disk(f, c, 2, 0);
	assert_int_equal(manifest_copy_settings(&settings, &c->manifest), 0);
	assert_int_equal(manifest_set(&settings, "uuid", "2"), 0);
	assert_int_equal(manifest_set(&settings, "cpus", NULL), 0);
	assert_fails(snapshot_copy(c, NULL, "c", &settings, NULL, &copy), DRE_ERR_CONTAINER_EXISTENCE, "'c'");
	assert_fails(snapshot_copy(c, "two", "d", &settings, NULL, &copy), DRE_ERR_SNAPSHOT_NONEXISTENCE, "two");
	assert_success(snapshot_copy(c, NULL, "d", &settings, NULL, &copy));
	assert_string_equal(manifest_get(&copy->manifest, "uuid"), "2");
	assert_string_equal(manifest_get(&copy->manifest, "memory"), "96");
	assert_null(manifest_get(&copy->manifest, "cpus"));
	assert_string_equal(manifest_get(&c->manifest, "cpus"), "2");
	assert_string_equal(manifest_get(&c->manifest, "uuid"), "1");
	write_disk(f, copy, 3, 0);
	assert_disk(f, c, 2, 0);
	assert_disk(f, copy, 3, 0);
	container_unlock(copy);
	assert_success(snapshot_copy(c, "one", "e", &settings, NULL, &copy));
	assert_disk(f, copy, 1, 0);
	container_unlock(copy);
	manifest_free(&settings);
	assert_success(container_rename(c, "f"));
	assert_disk(f, c, 2, 0);
	container_unlock(c);
	assert_store_clean(f);
}

static int open_new(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* An image that stands alone, has all that is in the chain, and is a base again. */
static void exports(void **state)
{
	static const char *const compressions[] = { NULL, "zlib", "zstd" };
	struct fixture *f = *state;
	struct reported r = {};
	struct export_disk to = { .progress = report, .arg = &r };
	struct container *c, *d;
	char name[16];

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	write_disk(f, c, 1, 0);
	assert_success(snapshot_save(c, "one"));
	assert_success(snapshot_commit(c, "one", "b1"));
	write_disk(f, c, 2, 4);
	for (size_t i = 0; i < sizeof(compressions) / sizeof(*compressions); i++) {
		snprintf(name, sizeof(name), "back%zu", i);
		r = (struct reported){};
		to.fd = open_new(at(f, "image"));
		to.compression = compressions[i];
		assert_success(export_disk_container(c, &to));
		close(to.fd);
		assert_true(r.calls > 0);
		assert_int_equal(r.done, r.total);
		assert_success(import_disk(f->store, name, at(f, "image"), NULL, NULL));
		d = create(f, name, name);
		assert_disk(f, d, 1, 0);
		assert_disk(f, d, 2, 4);
		container_unlock(d);
	}
	r = (struct reported){};
	to.fd = open_new(at(f, "image"));
	assert_success(export_disk_base(f->store, "b1", &to));
	close(to.fd);
	assert_success(import_disk(f->store, "again", at(f, "image"), NULL, NULL));
	d = create(f, "d", "again");
	assert_disk(f, d, 1, 0);
	assert_disk(f, d, 0, 4);
	container_unlock(d);
	container_unlock(c);
	assert_store_clean(f);
}

static void export_refuses(void **state)
{
	struct fixture *f = *state;
	struct export_disk to = {};
	struct container *c;
	int pipes[2];

	import_raw(f, "b", MIB);
	c = create(f, "c", "b");
	to.fd = open_new(at(f, "image"));
	assert_fails(export_disk_base(f->store, "absent", &to), DRE_ERR_BASE_NONEXISTENCE, "absent");
	to.compression = "gzip";
	assert_fails(export_disk_base(f->store, "b", &to), DRE_ERR_INVALID_ARGUMENT, "zstd");
	assert_fails(export_disk_container(c, &to), DRE_ERR_INVALID_ARGUMENT, "zstd");
	to.compression = NULL;
	assert_int_equal(truncate(at(f, "store/layers/%s", c->manifest.layers[0]), 100), 0);
	assert_fails(export_disk_container(c, &to), DRE_ERR_DEVICE_BUSY, "damaged");
	close(to.fd);
	to.fd = open(at(f, "image"), O_RDONLY | O_CLOEXEC);
	assert_fails(export_disk_base(f->store, "b", &to), DRE_ERR_INVALID_ARGUMENT, "writing");
	close(to.fd);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	to.fd = pipes[1];
	assert_fails(export_disk_container(c, &to), DRE_ERR_INVALID_ARGUMENT, "file only");
	close(pipes[0]);
	close(pipes[1]);
	container_unlock(c);
	assert_store_clean(f);
}

/* All that opens what a container's layers name refuses it, by that text, and changes nothing. */
static void assert_distrusted(struct fixture *f, struct container *c, const char *part)
{
	struct export_disk to = { .fd = open_new(at(f, "image")) };
	char *before = list_tree(f->root), *after;
	struct container *copy;

	assert_fails(layers_verify_container(c), DRE_ERR_DEVICE_BUSY, part);
	assert_non_null(strstr(dre_last_error(), "container 'c': layers/"));
	assert_fails(snapshot_save(c, "new"), DRE_ERR_DEVICE_BUSY, part);
	assert_fails(snapshot_copy(c, NULL, "d", NULL, NULL, &copy), DRE_ERR_DEVICE_BUSY, part);
	assert_fails(export_disk_container(c, &to), DRE_ERR_DEVICE_BUSY, part);
	assert_int_equal(stat_of(at(f, "image")).st_size, 0);
	close(to.fd);
	after = list_tree(f->root);
	assert_same_list(after, before);
	free(before);
	free(after);
}

/* What a guest can do that has become its machine: another header for the file that it writes to. */
static void rewritten_headers(void **state)
{
	/* Each in layers/: the layer is $w, and is on top of $b. */
	static const struct {
		const char *script, *part;
	} cases[] = {
		{ "qemu-img rebase -u -f qcow2 -b ../../secret -F raw $w", "is on top of ../../secret, and not of layers/" },
		{ "qemu-img rebase -u -f qcow2 -b 'json:{\"driver\":\"null-co\"}' -F raw $w", "is on top of json:" },
		{ "qemu-img rebase -u -f qcow2 -b '' $w", "is on top of nothing" },
		{ "qemu-img rebase -u -f qcow2 -b $b -F raw $w", "another kind of disk" },
		/* No format at all: the extension's type is one that nobody knows. */
		{ "printf 'abcd' | dd of=$w bs=1 seek=104 conv=notrunc status=none", "another kind of disk" },
		/* Far from the header there is another format, which QEMU takes. */
		{ "printf '\\022\\064\\126\\170\\000\\000\\017\\360' | dd of=$w bs=1 seek=120 conv=notrunc status=none && "
		  "printf '\\342\\171\\052\\312\\000\\000\\000\\003raw\\000\\000\\000\\000\\000' | "
		  "dd of=$w bs=1 seek=4208 conv=notrunc status=none && "
		  "printf $b | dd of=$w bs=1 seek=4232 conv=notrunc status=none && "
		  "printf '\\000\\000\\000\\000\\000\\000\\020\\210' | dd of=$w bs=1 seek=8 conv=notrunc status=none && "
		  "qemu-img info -f qcow2 $w | grep -q 'backing file format: raw'", "damaged qcow2 image" },
		/* The bit that says where the data are, and the method of encryption. */
		{ "printf '\\4' | dd of=$w bs=1 seek=79 conv=notrunc status=none", "has its data in another file" },
		{ "printf '\\2' | dd of=$w bs=1 seek=35 conv=notrunc status=none", "is encrypted" },
		{ "printf 'x' | dd of=$w bs=1 conv=notrunc status=none", "no qcow2 image" },
	};
	struct fixture *f = *state;
	struct container *c;

	import_raw(f, "b", MIB);
	c = create(f, "c", "b");
	write_file(at(f, "secret"), "root:$6$");
	assert_success(layers_verify_container(c));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_shell("cd %s && w=%s b=%s && cp $w %s && %s", at(f, "store/layers"), c->manifest.writable,
			     c->manifest.layers[0], at(f, "saved"), cases[i].script);
		assert_distrusted(f, c, cases[i].part);
		assert_shell("cd %s && cat %s >%s", at(f, "store/layers"), at(f, "saved"), c->manifest.writable);
		assert_success(layers_verify_container(c));
	}
	container_unlock(c);
	assert_store_clean(f);
}

/* The same of what was saved, which a machine that still ran could have reached. */
static void rewritten_snapshots(void **state)
{
	struct export_disk to = {};
	struct fixture *f = *state;
	struct container *c, *copy;

	import_raw(f, "b", MIB);
	c = create(f, "c", "b");
	assert_success(snapshot_save(c, "one"));
	assert_success(snapshot_commit(c, "one", "good"));
	assert_shell("printf '\4' | dd of=%s bs=1 seek=79 conv=notrunc status=none",
		     at(f, "store/layers/%s", c->manifest.layers[1]));
	assert_distrusted(f, c, "has its data in another file");
	assert_fails(snapshot_commit(c, "one", "bad"), DRE_ERR_DEVICE_BUSY, "snapshot 'one': layers/");
	assert_fails(snapshot_copy(c, "one", "d", NULL, NULL, &copy), DRE_ERR_DEVICE_BUSY, "another file");
	to.fd = open_new(at(f, "image"));
	assert_fails(export_disk_base(f->store, "good", &to), DRE_ERR_DEVICE_BUSY, "base image 'good': layers/");
	assert_success(export_disk_base(f->store, "b", &to));
	close(to.fd);
	assert_int_equal(access(at(f, "store/bases/bad"), F_OK), -1);
	container_unlock(c);
	assert_store_clean(f);
}

/* A partition is the one file of the host that a first layer may name; and as what it is. */
static void rewritten_on_a_partition(void **state)
{
	struct fixture *f = *state;
	struct manifest m = {};
	char device[PATH_MAX];

	snprintf(device, sizeof(device), "%s", at(f, "device"));
	make_raw(device, MIB);
	assert_int_equal(qcow2_make_on_device(AT_FDCWD, at(f, "store/layers/0a0a0a0a"), device, MIB), 0);
	assert_int_equal(manifest_add_layer(&m, "0a0a0a0a"), 0);
	assert_success(layers_verify(f->store, "it", &m, device));
	assert_fails(layers_verify(f->store, "it", &m, NULL), DRE_ERR_DEVICE_BUSY, "and not of nothing");
	assert_fails(layers_verify(f->store, "it", &m, "/dev/vdz"), DRE_ERR_DEVICE_BUSY, "and not of /dev/vdz");
	assert_shell("qemu-img rebase -u -f qcow2 -b %s -F qcow2 %s", device, at(f, "store/layers/0a0a0a0a"));
	assert_fails(layers_verify(f->store, "it", &m, device), DRE_ERR_DEVICE_BUSY, "another kind of disk");
	manifest_free(&m);
}

/* As a machine does that is made to write all that it has, or cannot. */
static int flush(void *arg)
{
	int *ret = arg;

	return *ret;
}

/* Three snapshots, of which the first one stays. @to: the layer that it is. */
static struct container *create_chain(struct fixture *f, layer_name_t to)
{
	static const char *const tags[] = { "one", "two", "three" };
	struct container *c;

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	for (int i = 0; i < 3; i++) {
		write_disk(f, c, 5 + i, 2 + i);
		assert_success(snapshot_save(c, tags[i]));
	}
	assert_success(snapshot_remove(c, "two"));
	assert_success(snapshot_remove(c, "three"));
	strcpy(to, c->manifest.layers[1]);
	return c;
}

static void assert_chain(struct fixture *f, const struct container *c, size_t nr_layers)
{
	assert_int_equal(c->manifest.nr_layers, nr_layers);
	assert_success(layers_verify_container(c));
	assert_found(f, false, "%s", "");
	for (int i = 0; i < 3; i++)
		assert_disk(f, c, 5 + i, 2 + i);
}

/* What QEMU does for a machine that runs: before, while, and after it is in the header what is below. */
static void chain_becomes_shorter(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	layer_name_t to;
	int flushed = 0;

	c = create_chain(f, to);
	assert_success(pull_settle(c, flush, &flushed));
	assert_success(pull_begin(c, to));
	assert_success(layers_verify_container(c));
	assert_success(pull_settle(c, flush, &flushed));
	assert_int_equal(c->manifest.nr_layers, 4);
	assert_string_equal(manifest_get(&c->manifest, SETTING_PULL), to);
	assert_shell("cd %s && qemu-img rebase -f qcow2 -F qcow2 -b %s %s", at(f, "store/layers"), to,
		     c->manifest.writable);
	assert_success(layers_verify_container(c));
	assert_found(f, false, "%s", "");
	flushed = dre_fail(DRE_ERR_DEVICE_BUSY, "it cannot");
	assert_fails(pull_settle(c, flush, &flushed), DRE_ERR_DEVICE_BUSY, "it cannot");
	assert_success(pull_end(c));
	assert_string_equal(manifest_get(&c->manifest, SETTING_PULL), to);
	assert_chain(f, c, 4);
	flushed = 0;
	assert_success(pull_settle(c, flush, &flushed));
	assert_null(manifest_get(&c->manifest, SETTING_PULL));
	assert_chain(f, c, 2);
	assert_int_equal(count_entries(at(f, "store/layers")), 3);
	assert_sound(f, c->manifest.writable);
	/* It cannot be made to trust another one. */
	assert_success(pull_begin(c, "aaaaaaaa"));
	assert_shell("cd %s && qemu-img rebase -u -f qcow2 -F qcow2 -b aaaaaaaa %s", at(f, "store/layers"),
		     c->manifest.writable);
	assert_distrusted(f, c, "is on top of aaaaaaaa");
	assert_success(pull_settle(c, flush, &flushed));
	assert_int_equal(c->manifest.nr_layers, 2);
	assert_success(pull_undo(c));
	assert_distrusted(f, c, "is on top of aaaaaaaa");
	assert_shell("cd %s && qemu-img rebase -u -f qcow2 -F qcow2 -b %s %s", at(f, "store/layers"), to,
		     c->manifest.writable);
	assert_success(pull_begin(c, c->manifest.layers[0]));
	assert_success(pull_end(c));
	assert_null(manifest_get(&c->manifest, SETTING_PULL));
	container_unlock(c);
	assert_store_clean(f);
}

static bool is_unwritten(const struct container *c)
{
	int fd = layer_open(c->store, c->manifest.writable);
	bool unwritten;

	assert_true(fd >= 0);
	assert_int_equal(qcow2_is_unwritten(fd, &unwritten), 0);
	close(fd);
	return unwritten;
}

/* Gives it the layers of @to, for the time being. */
static void give(struct container *c, const struct manifest *to)
{
	struct manifest m = {};
	bool garbage;

	assert_int_equal(manifest_copy_chain(&m, to), 0);
	assert_int_equal(former_set(&m, &c->manifest), 0);
	assert_success(store_change_begin(c->store));
	assert_success(store_change_end(c->store, true, snapshot_give(c, &m, &garbage)));
	manifest_free(&m);
	assert_true(is_unwritten(c));
}

static void take_back(struct container *c)
{
	assert_success(store_change_begin(c->store));
	assert_success(store_change_end(c->store, true, former_take_back(c)));
	assert_null(manifest_get(&c->manifest, SETTING_FORMER));
}

static mode_t manifest_mode(const struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(at(f, "store/containers/c/manifest"), &st), 0);
	return st.st_mode & 07777;
}

/* No manifest can be written: it is forgotten nevertheless, whoever looks next, and until it is written again. */
static void former_without_room(const struct fixture *f, const struct manifest *to)
{
	const struct rlimit none = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	struct manifest m;
	struct container *c;

	assert_success(container_lock(&c, f->store, "c"));
	give(c, to);
	assert_int_equal(manifest_mode(f), 0600);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_success(former_forget(c));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(manifest_mode(f), 0400);
	container_unlock(c);
	assert_success(container_read(f->store, "c", &m));
	assert_null(manifest_get(&m, SETTING_FORMER));
	manifest_free(&m);
	assert_success(container_lock(&c, f->store, "c"));
	assert_null(manifest_get(&c->manifest, SETTING_FORMER));
	/* The next one is not forgotten by that. */
	give(c, to);
	assert_int_equal(manifest_mode(f), 0600);
	container_unlock(c);
	assert_success(container_lock(&c, f->store, "c"));
	assert_non_null(manifest_get(&c->manifest, SETTING_FORMER));
	take_back(c);
	container_unlock(c);
	assert_store_clean(f);
}

/* What a container was made of is there, as long as it may be made of that again. */
static void former_layers(void **state)
{
	struct fixture *f = *state;
	struct manifest to = {}, damaged = {}, none = {};
	struct container *c;

	import_raw(f, "b", 16 * MIB);
	c = create(f, "c", "b");
	assert_int_equal(manifest_copy_chain(&to, &c->manifest), 0);
	assert_true(is_unwritten(c));
	write_disk(f, c, 5, 2);
	assert_success(snapshot_save(c, "s"));
	write_disk(f, c, 6, 3);
	assert_false(is_unwritten(c));
	assert_success(snapshot_remove(c, "s"));
	give(c, &to);
	assert_int_equal(count_entries(at(f, "store/layers")), 4);
	assert_disk(f, c, 0, 2);
	take_back(c);
	assert_int_equal(count_entries(at(f, "store/layers")), 3);
	assert_disk(f, c, 5, 2);
	assert_disk(f, c, 6, 3);
	assert_success(layers_verify_container(c));
	give(c, &to);
	write_disk(f, c, 7, 2);
	assert_false(is_unwritten(c));
	/* Nor is it where the table of its first level has moved to the end. */
	assert_shell("qemu-img resize -q %s 2G", at(f, "store/layers/%s", c->manifest.writable));
	assert_false(is_unwritten(c));
	assert_success(store_change_begin(c->store));
	assert_success(store_change_end(c->store, true, former_forget(c)));
	assert_int_equal(count_entries(at(f, "store/layers")), 2);
	assert_disk(f, c, 7, 2);
	assert_int_equal(former_get(&c->manifest, &none), 0);
	assert_int_equal(none.nr_layers, 0);
	container_unlock(c);
	assert_store_clean(f);
	former_without_room(f, &to);
	assert_int_equal(manifest_set(&damaged, SETTING_FORMER, "aaaaaaaa bbbbbbbb "), 0);
	assert_int_equal(former_get(&damaged, &none), -EINVAL);
	assert_int_equal(manifest_set(&damaged, SETTING_FORMER, "aaaaaaaa"), 0);
	assert_int_equal(former_get(&damaged, &none), -EINVAL);
	manifest_free(&damaged);
	manifest_free(&to);
}

/* QEMU was killed when it had written the header, and not yet what it had pulled. */
static void lost_pull(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	layer_name_t to;

	c = create_chain(f, to);
	assert_success(pull_undo(c));
	assert_success(pull_begin(c, to));
	assert_shell("cd %s && qemu-img rebase -u -f qcow2 -F qcow2 -b %s %s", at(f, "store/layers"), to,
		     c->manifest.writable);
	assert_success(pull_undo(c));
	assert_null(manifest_get(&c->manifest, SETTING_PULL));
	assert_chain(f, c, 4);
	assert_sound(f, c->manifest.writable);
	/* Before it had come to that. */
	assert_success(pull_begin(c, to));
	assert_success(pull_undo(c));
	assert_null(manifest_get(&c->manifest, SETTING_PULL));
	assert_chain(f, c, 4);
	/* With a layer that cannot be read there is nothing to be put back, yet. */
	assert_success(pull_begin(c, to));
	assert_int_equal(rename(at(f, "store/layers/%s", c->manifest.writable), at(f, "away")), 0);
	assert_success(pull_undo(c));
	assert_string_equal(manifest_get(&c->manifest, SETTING_PULL), to);
	container_unlock(c);
}

static void fsck(void **state)
{
	struct fixture *f = *state;
	struct container *c;
	layer_name_t base, middle, top, other;

	import_raw(f, "b", MIB);
	import_raw(f, "o", 2 * MIB);
	c = create(f, "o", "o");
	strcpy(other, c->manifest.layers[0]);
	container_unlock(c);
	c = create(f, "c", "b");
	make_checkpoint(f, c, "cp");
	strcpy(base, c->manifest.layers[0]);
	strcpy(middle, c->manifest.layers[1]);
	strcpy(top, c->manifest.writable);
	container_unlock(c);
	assert_found(f, false, "%s", "");
	assert_found(f, true, "%s", "");

	/* Left over. */
	write_file(at(f, "store/layers/aaaaaaaa"), "");
	make_dir(at(f, "store/containers/c/checkpoints/.tmp-01234567"), 0700);
	assert_found(f, true, "+layers/aaaaaaaa: no manifest names it\n"
		     "+containers/c/checkpoints/.tmp-01234567: was not completed\n");
	assert_int_equal(count_entries(at(f, "store/containers/c/checkpoints")), 1);
	assert_int_equal(count_entries(at(f, "store/trash")), 0);

	/* Missing. */
	assert_int_equal(rename(at(f, "store/containers/c/checkpoints/cp/memory"), at(f, "memory")), 0);
	assert_found(f, true, "-containers/c/checkpoints/cp/memory: is missing\n");
	assert_int_equal(rename(at(f, "memory"), at(f, "store/containers/c/checkpoints/cp/memory")), 0);
	assert_int_equal(rename(at(f, "store/layers/%s", top), at(f, "away")), 0);
	assert_found(f, true, "-containers/c/manifest: layers/%s is missing\n", top);

	/* Damaged, or another one than it should be. */
	write_file(at(f, "store/layers/%s", top), "no image at all");
	assert_found(f, true, "-containers/c/manifest: layers/%s is no qcow2 image\n", top);
	write_file(at(f, "store/layers/%s", top), "QFI\373 of a version that nobody knows");
	assert_found(f, true, "-containers/c/manifest: layers/%s is a damaged qcow2 image\n", top);
	assert_shell("cd %s && rm %s && qemu-img create -q -f qcow2 -b %s -F qcow2 %s",
		     at(f, "store/layers"), top, base, top);
	assert_found(f, true, "-containers/c/manifest: layers/%s is on top of %s, and not of layers/%s\n", top,
		     base, middle);
	assert_shell("qemu-img create -q -f qcow2 %s 1M", at(f, "store/layers/%s", top));
	assert_found(f, true, "-containers/c/manifest: layers/%s is on top of nothing, and not of layers/%s\n", top,
		     middle);
	assert_shell("cd %s && rm %s && qemu-img create -q -f qcow2 -b %s -F qcow2 %s 512K",
		     at(f, "store/layers"), top, middle, top);
	assert_found(f, true, "-containers/c/manifest: layers/%s is a smaller disk than the one below\n", top);
	assert_shell("cd %s && rm %s && qemu-img create -q -f qcow2 -b %s -F qcow2 %s 2M",
		     at(f, "store/layers"), top, middle, top);
	assert_found(f, true, "%s", "");
	assert_shell("qemu-img create -q -f qcow2 -o data_file=%s %s 1M", at(f, "data"),
		     at(f, "store/layers/%s", top));
	assert_found(f, true, "-containers/c/manifest: layers/%s has its data in another file\n", top);
	assert_int_equal(rename(at(f, "away"), at(f, "store/layers/%s", top)), 0);
	assert_found(f, true, "%s", "");

	/* Of a base: all that is made of it. */
	assert_shell("cp %s %s", at(f, "store/layers/%s", middle), at(f, "store/layers/%s", other));
	assert_found(f, false, "-bases/o: layers/%s is on top of %s, and not of nothing\n"
		     "-containers/o/manifest: layers/%s is on top of %s, and not of nothing\n",
		     other, base, other, base);
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
		TEST(loads),
		TEST(names_are_relative),
		TEST(long_chains_are_flattened),
		TEST(long_chains_on_a_device),
		TEST(chain_becomes_shorter),
		TEST(former_layers),
		TEST(lost_pull),
		TEST(imports),
		TEST(import_refuses),
		TEST(import_is_limited),
		TEST(import_while_it_is_written_to),
		TEST(import_of_a_copy),
		TEST(import_from_overlayfs),
		TEST(damaged_layer),
		TEST(checkpoints),
		TEST(copies),
		TEST(exports),
		TEST(export_refuses),
		TEST(rewritten_headers),
		TEST(rewritten_snapshots),
		TEST(rewritten_on_a_partition),
		TEST(fsck),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
