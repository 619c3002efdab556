// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base.h"
#include "common/container.h"
#include "common/import.h"
#include "common/tree.h"
#include "fixture.h"

const char *at(const struct fixture *f, const char *fmt, ...)
{
	static char paths[8][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 8];
	va_list ap;
	int len;

	len = snprintf(path, PATH_MAX, "%s/", f->dir);
	va_start(ap, fmt);
	vsnprintf(path + len, PATH_MAX - len, fmt, ap);
	va_end(ap);
	return path;
}

void assert_success_at(int ret, const char *call, const char *file, int line)
{
	if (ret)
		print_error("%s returned %d: %s\n", call, ret, dre_last_error());
	_assert_int_equal(ret, 0, file, line);
}

void assert_fails(int ret, int code, const char *part)
{
	if (ret != code || !strstr(dre_last_error(), part))
		print_error("%d, \"%s\" in place of %d, \"%s\"\n", ret, dre_last_error(), code,
			    part);
	assert_int_equal(ret, code);
	assert_non_null(strstr(dre_last_error(), part));
	assert_null(strchr(dre_last_error(), '\n'));
}

unsigned int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	unsigned int nr = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		nr += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return nr;
}

unsigned int count_fds(void)
{
	return count_entries("/proc/self/fd") - 1;
}

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(close(fd), 0);
}

void make_dir(const char *path, mode_t mode)
{
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void make_tiny_tree(const char *path)
{
	char sub[PATH_MAX];

	make_dir(path, 0755);
	snprintf(sub, sizeof(sub), "%s/sbin", path);
	make_dir(sub, 0755);
	snprintf(sub, sizeof(sub), "%s/sbin/init", path);
	write_file(sub, "#!/bin/sh\n");
	assert_int_equal(chmod(sub, 0755), 0);
}

void set_flag(const char *path, int flag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), flags = 0;

	assert_true(fd >= 0);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		fail_msg("%s: the file system has no immutable files: set TMPDIR", path);
	flags |= flag;
	assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	close(fd);
}

int remove_tree(const struct fixture *f, const char *name)
{
	int dir = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	assert_true(dir >= 0);
	ret = tree_remove(dir, name);
	close(dir);
	return ret;
}

static int setup(void **state, const struct layer_kind *kind)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	if (geteuid() != 0)
		fail_msg("these tests make files of other owners: they must be run as root");
	f->fds = count_fds();
	for (int fd = 0; fd < 64; fd++)
		f->open[fd] = fcntl(fd, F_GETFD) >= 0;
	snprintf(f->dir, sizeof(f->dir), "%s/dre-test-XXXXXX", tmp ? tmp : "/var/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->root, sizeof(f->root), "%s/store", f->dir);
	assert_success(store_open(&f->store, f->root, kind));
	*state = f;
	return 0;
}

int fixture_setup(void **state)
{
	return setup(state, &layer_tree);
}

int fixture_setup_disk(void **state)
{
	return setup(state, &layer_disk);
}

int fixture_setup_base(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	make_tiny_tree(at(f, "tiny"));
	assert_success(import_base(f->store, "tiny", at(f, "tiny"), NULL, NULL));
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	unsigned int fds = f->fds;

	store_close(f->store);
	assert_int_equal(remove_tree(f, "."), -EINVAL);	/* all but the directory itself */
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	assert_int_equal(count_fds(), fds);
	return 0;
}

/*
 * Listing.
 */

static char **lines;
static size_t nr_lines;
static const char *top;

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In an order that does not depend on which was set first. */
static void add_xattrs(FILE *out, const char *path)
{
	char names[4096], value[4096], *sorted[64];
	ssize_t len = llistxattr(path, names, sizeof(names)), size;
	size_t nr = 0;

	for (char *name = names; len > 0 && name < names + len && nr < 64; name += strlen(name) + 1)
		sorted[nr++] = name;
	qsort(sorted, nr, sizeof(*sorted), compare_lines);
	for (size_t x = 0; x < nr; x++) {
		size = lgetxattr(path, sorted[x], value, sizeof(value));
		fprintf(out, " %s=", sorted[x]);
		for (ssize_t i = 0; i < size; i++)
			fprintf(out, "%02x", (unsigned char)value[i]);
	}
}

static unsigned long checksum(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned long sum = 5381;
	unsigned char buf[4096];
	ssize_t n;

	/* Zeros do not count, so holes need not be read. */
	for (off_t pos = 0; (pos = lseek(fd, pos, SEEK_DATA)) >= 0; pos += n) {
		n = pread(fd, buf, sizeof(buf) - pos % sizeof(buf), pos);
		for (ssize_t i = 0; i < n; i++)
			if (buf[i])
				sum = (sum * 33 + pos + i) * 33 + buf[i];
	}
	close(fd);
	return sum;
}

static int add_line(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	char target[PATH_MAX];
	char *line;
	size_t size;
	FILE *out = open_memstream(&line, &size);
	ssize_t n;

	(void)flag;
	(void)ftw;
	fprintf(out, "%s %o %u:%u", path + strlen(top), st->st_mode, st->st_uid, st->st_gid);
	if (S_ISREG(st->st_mode))
		fprintf(out, " %jd %lx links %ju", (intmax_t)st->st_size, checksum(path),
			(uintmax_t)st->st_nlink);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		fprintf(out, " %u,%u", major(st->st_rdev), minor(st->st_rdev));
	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		fprintf(out, " -> %s", target);
	}
	add_xattrs(out, path);
	fputc('\n', out);
	fclose(out);
	lines = reallocarray(lines, nr_lines + 1, sizeof(*lines));
	lines[nr_lines++] = line;
	return 0;
}

char *list_tree(const char *path)
{
	char *list;
	size_t size, i;
	FILE *out = open_memstream(&list, &size);

	top = path;
	lines = NULL;
	nr_lines = 0;
	assert_int_equal(nftw(path, add_line, 16, FTW_PHYS), 0);
	qsort(lines, nr_lines, sizeof(*lines), compare_lines);
	for (i = 0; i < nr_lines; i++) {
		fputs(lines[i], out);
		free(lines[i]);
	}
	free(lines);
	fclose(out);
	return list;
}

void assert_same_list(const char *list, const char *wanted)
{
	size_t i = 0, line = 0;

	for (; list[i] && list[i] == wanted[i]; i++)
		if (list[i] == '\n')
			line = i + 1;
	if (list[i] != wanted[i])
		fail_msg("\"%.*s\" in place of \"%.*s\"", (int)strcspn(list + line, "\n"),
			 list + line, (int)strcspn(wanted + line, "\n"), wanted + line);
}

/*
 * Nothing left behind.
 */

static bool has_layer(const struct manifest *m, const char *name, bool writable_only)
{
	if (!strcmp(m->writable, name))
		return true;
	for (size_t i = 0; i < m->nr_layers && !writable_only; i++)
		if (!strcmp(m->layers[i], name))
			return true;
	return false;
}

/* Reads all manifests by the public functions, independent of what the store itself uses. */
static bool is_named(const struct fixture *f, const char *layer, bool writable_only)
{
	char **names, **name;
	struct manifest m;
	bool named = false;

	assert_success(store_list_bases(f->store, &names));
	for (name = names; *name && !named; name++) {
		assert_success(base_read(f->store, *name, &m));
		named = has_layer(&m, layer, writable_only);
		manifest_free(&m);
	}
	store_free_list(names);
	assert_success(store_list_containers(f->store, &names));
	for (name = names; *name && !named; name++) {
		assert_success(container_read(f->store, *name, &m));
		named = has_layer(&m, layer, writable_only);
		manifest_free(&m);
	}
	store_free_list(names);
	return named;
}

static void assert_all_named(const struct fixture *f, const char *directory, bool writable_only)
{
	struct dirent *entry;
	DIR *dir = opendir(directory);

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (*entry->d_name != '.' && !is_named(f, entry->d_name, writable_only))
			fail_msg("%s/%s is left over", directory, entry->d_name);
	closedir(dir);
}

static void assert_no_tmp(const char *directory)
{
	struct dirent *entry;
	DIR *dir = opendir(directory);

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (*entry->d_name == '.' && entry->d_name[1] && strcmp(entry->d_name, ".."))
			fail_msg("%s/%s is left over", directory, entry->d_name);
	closedir(dir);
}

void assert_store_clean(const struct fixture *f)
{
	assert_int_equal(count_entries(at(f, "store/pending")), 0);
	assert_int_equal(count_entries(at(f, "store/trash")), 0);
	assert_no_tmp(at(f, "store/bases"));
	assert_no_tmp(at(f, "store/containers"));
	assert_all_named(f, at(f, "store/layers"), false);
	if (!access(at(f, "store/work"), F_OK))
		assert_all_named(f, at(f, "store/work"), true);
}
