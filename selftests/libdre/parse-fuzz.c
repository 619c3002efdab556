// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer on what reads texts and files that may be anybody's. DRE_PARSER says which one: manifest, config,
 * cpulist, qcow2 or tar.
 *
 * libFuzzer finds what is wrong with memory, and what hangs; what they return is looked at here.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "common/cpulist.h"
#include "common/manifest.h"
#include "common/qcow2.h"
#include "common/tar.h"
#include "common/tree.h"

#define REQUIRE(condition) do { if (!(condition)) abort(); } while (0)

/* What is written again is what was read. */
static void manifest(const char *text, size_t len)
{
	struct manifest m = {}, again = {};
	struct manifest_error err;
	size_t first_len, second_len;
	char *first, *second;
	int ret = manifest_parse(&m, text, len, &err);

	if (ret) {
		REQUIRE(ret == -EINVAL && err.what && err.line);
		REQUIRE(!m.base && !m.nr_layers && !m.nr_settings);
		return;
	}
	first = manifest_format(&m, &first_len);
	if (first) {
		REQUIRE(!manifest_parse(&again, first, first_len, &err));
		second = manifest_format(&again, &second_len);
		REQUIRE(second && first_len == second_len && !memcmp(first, second, first_len));
		free(second);
	}
	free(first);
	manifest_free(&m);
	manifest_free(&again);
}

static int file_of(const char *data, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, data, len) == (ssize_t)len && !lseek(fd, 0, SEEK_SET));
	return fd;
}

static void config(const char *text, size_t len)
{
	static struct dre_config cfg;
	int fd = file_of(text, len), ret;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	setenv("DRE_CONF", path, 1);
	ret = dre_config_load(&cfg);
	close(fd);
	REQUIRE(!ret || ret == DRE_ERR_INVALID_ARGUMENT);
	REQUIRE(!ret || (*dre_last_error() && !strchr(dre_last_error(), '\n')));
	if (ret)
		return;
	REQUIRE(*cfg.store == '/' && *cfg.sys.store == '/' && *cfg.sys.nfs.mount == '/');
	REQUIRE(cfg.idmap_base >= 65536 && cfg.idmap_size && !strpbrk(cfg.sys.nfs.server, " \t\n"));
}

static void cpulist(const char *text, size_t len)
{
	char *copy = strndup(text, len);
	struct cpulist list;

	if (cpulist_parse(&list, copy))
		REQUIRE(cpulist_missing(&list, &list) == -1 && copy[strspn(copy, "0123456789,-")] == '\0');
	free(copy);
}

static void qcow2(const char *data, size_t len)
{
	struct qcow2 image, again;
	struct qcow2_below below;
	int fd = file_of(data, len), ret = qcow2_read(fd, &image), second;

	REQUIRE(!ret || ret == -EINVAL || ret == -EBADMSG);
	second = qcow2_read_below(fd, &again, &below);
	REQUIRE(second == ret || (!ret && image.backed && second == -EBADMSG));
	if (!second) {
		REQUIRE(image.size == again.size && image.backed == again.backed);
		REQUIRE(image.external == again.external && image.encrypted == again.encrypted);
		REQUIRE(image.backed || (!*below.name && !*below.format));
		REQUIRE(strlen(below.name) <= QCOW2_MAX_NAME && strlen(below.format) <= QCOW2_MAX_FORMAT);
	}
	close(fd);
}

/* Beside the directory that it is unpacked into nothing comes to be, and nothing changes. */
static void tar(const char *data, size_t len)
{
	static char dir[] = "/dev/shm/dre-fuzz-XXXXXX";
	static int outer = -1;
	struct tar_target target = { .what = "input", .optional = true };
	int fd = file_of(data, len), ret;
	struct stat st;

	if (outer < 0) {
		REQUIRE(mkdtemp(dir));
		outer = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(openat(outer, "canary", O_WRONLY | O_CREAT, 0600));
	}
	REQUIRE(!mkdirat(outer, "in", 0700));
	target.dir = openat(outer, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = tar_unpack(fd, &target);
	REQUIRE(!ret || !strchr(dre_last_error(), '\n'));
	close(target.dir);
	close(fd);
	REQUIRE(!fstatat(outer, "canary", &st, AT_SYMLINK_NOFOLLOW));
	REQUIRE(S_ISREG(st.st_mode) && !st.st_size && st.st_nlink == 1 && (st.st_mode & 0777) == 0600);
	REQUIRE(!fstat(outer, &st) && st.st_nlink == 3);
	REQUIRE(!tree_remove(outer, "in"));
}

static const struct {
	const char *name;
	void (*parse)(const char *data, size_t len);
} parsers[] = {
	{ "manifest", manifest }, { "config", config }, { "cpulist", cpulist }, { "qcow2", qcow2 }, { "tar", tar },
};

static void (*parse)(const char *data, size_t len);

/* What libFuzzer calls; it has no header. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *wanted = getenv("DRE_PARSER");

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(parsers) / sizeof(*parsers); i++)
		if (wanted && !strcmp(wanted, parsers[i].name))
			parse = parsers[i].parse;
	REQUIRE(parse);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse((const char *)data, size);
	return 0;
}
