// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer on the texts that are libdreapp's own. DRE_PARSER says which: volumes, addresses, gateways, record or away.
 *
 * What a record has done to the host is done to nothing here: the linker puts these functions in place of those
 * that would (see build.mk), and they look at what they are given.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/network.h"
#include "app/volume.h"
#include "common/cgroupfs.h"
#include "module.h"

#define REQUIRE(condition) do { if (!(condition)) abort(); } while (0)

static struct app app = { .name = "web" };

/* Plain paths only, and nothing that another item could hide in. */
static void volumes(const char *text)
{
	if (volume_check(text))
		return;
	for (const char *item = text; *item; item += *item == ',') {
		size_t len = strcspn(item, ",");
		const char *colon = memchr(item, ':', len);

		REQUIRE(*item == '/' && colon && colon[1] == '/');
		REQUIRE(!memmem(item, len, "//", 2) && !memmem(item, len, "/../", 4) && !memmem(item, len, "/./", 3));
		item += len;
	}
}

/* liblxc is told of them, a line each. */
static void write_config(const char *key, const char *text)
{
	struct manifest m = {};
	char *config = NULL, *save;
	size_t size;
	FILE *f;

	REQUIRE(text[strspn(text, "0123456789abcdefABCDEFxX.:/,")] == '\0');
	if (manifest_set(&m, key, text))
		return;
	app.config.network = DRE_NETWORK_BRIDGE;
	strcpy(app.config.bridge, "br0");
	REQUIRE(!network_check(&app, &m));
	f = open_memstream(&config, &size);
	network_write(f, &app, &m);
	REQUIRE(!fclose(f));
	for (char *line = strtok_r(config, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		REQUIRE(!strncmp(line, "lxc.net.0.", strlen("lxc.net.0.")) && strlen(line) < 100);
	free(config);
	manifest_free(&m);
}

static void addresses(const char *text)
{
	if (!network_check_addresses(text))
		write_config(SETTING_ADDRESS, text);
}

static void gateways(const char *text)
{
	if (!network_check_gateways(text))
		write_config(SETTING_GATEWAY, text);
}

/*
 * What would be done to the host.
 */

int __wrap_app_path(const struct store *store, const char *name, const char *file, char path[PATH_MAX]);
int __wrap_app_module_container(const struct app *a, int *cfd);
int __wrap_cgroupfs_open_group(const char *path, int *fd);
int __wrap_cgroupfs_create(const char *path);
int __wrap_cgroupfs_enable(const char *path, const char *controllers);
int __wrap_cgroupfs_set(int group, const char *file, const char *value);
int __wrap_app_cgroup_announce(const struct app *a, int cfd, const char *cgroup);
int __wrap_dre_module_bind(int cfd, const char *group, int pid, uint32_t flags);
int __wrap_dre_module_process_register(int cfd, int pid, uint32_t flags, const uint8_t *signals, unsigned int nr);
int __wrap_dre_module_vpid_to_pid(int cfd, int vpid);

/* Where the files with the texts are. */
static char directory[] = "/dev/shm/dre-fuzz-XXXXXX";

int __wrap_app_path(const struct store *store, const char *name, const char *file, char path[PATH_MAX])
{
	REQUIRE(store == app.store && name == app.name);
	snprintf(path, PATH_MAX, "%s/%s", directory, file);
	return 0;
}

static int open_null(int *fd)
{
	*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	REQUIRE(*fd >= 0);
	return 0;
}

/* The container's own, and no other's. */
static void require_path(const char *path)
{
	char outer[APP_GROUP_SIZE];
	size_t len;

	app_group("app", app.name, outer);
	len = strlen(outer);
	REQUIRE(!strncmp(path, outer, len) && (!path[len] || path[len] == '/'));
	REQUIRE(!strstr(path, "/../") && strcmp(path + len, "/..") != 0);
}

int __wrap_app_module_container(const struct app *a, int *cfd)
{
	REQUIRE(a == &app);
	return open_null(cfd);
}

int __wrap_cgroupfs_open_group(const char *path, int *fd)
{
	require_path(path);
	return open_null(fd);
}

int __wrap_cgroupfs_create(const char *path)
{
	require_path(path);
	return 0;
}

int __wrap_cgroupfs_enable(const char *path, const char *controllers)
{
	require_path(path);
	REQUIRE(!strchr(controllers, '\n'));
	return 0;
}

int __wrap_cgroupfs_set(int group, const char *file, const char *value)
{
	static const char *const files[] = { "cpu.max", "cpuset.cpus", "memory.max", "memory.swap.max", "pids.max",
					     "cgroup.procs" };
	bool known = false;

	REQUIRE(group >= 0 && !strchr(value, '\n'));
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		known |= !strcmp(file, files[i]);
	REQUIRE(known);
	/* 0 would be who writes it. */
	REQUIRE(strcmp(file, "cgroup.procs") != 0 || atoi(value) > 0);
	return 0;
}

int __wrap_app_cgroup_announce(const struct app *a, int cfd, const char *cgroup)
{
	REQUIRE(a == &app && cfd >= 0 && dre_name_valid(cgroup));
	return 0;
}

int __wrap_dre_module_bind(int cfd, const char *group, int pid, uint32_t flags)
{
	(void)flags;
	REQUIRE(cfd >= 0 && dre_name_valid(group));
	return pid > 0 ? 0 : -ESRCH;
}

int __wrap_dre_module_process_register(int cfd, int pid, uint32_t flags, const uint8_t *signals, unsigned int nr)
{
	REQUIRE(cfd >= 0 && nr <= DRE_SIGNALS_MAX && flags & DRE_REGISTER_BY_VPID);
	for (unsigned int i = 0; i < nr; i++)
		pid ^= signals[i];
	return pid % 7 == 3 ? -EINVAL : 0;
}

int __wrap_dre_module_vpid_to_pid(int cfd, int vpid)
{
	REQUIRE(cfd >= 0);
	return vpid > 0 ? vpid : -ESRCH;
}

/* A file with that text, in the directory that is returned. */
static int write_text(const char *text, const char *name)
{
	static int dir = -1;
	int fd;

	if (dir < 0) {
		REQUIRE(mkdtemp(directory));
		dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return dir;
}

static void require_text(int err)
{
	REQUIRE(!err || (*dre_last_error() && !strchr(dre_last_error(), '\n')));
}

static void record(const char *text)
{
	require_text(app_record_apply(&app, write_text(text, "record")));
}

static void away(const char *text)
{
	write_text(text, APP_AWAY);
	require_text(app_record_release(&app));
	REQUIRE(app_record_held(&app));
	app_record_forget(&app);
	REQUIRE(!app_record_held(&app));
}

static const struct {
	const char *name;
	void (*parse)(const char *text);
} parsers[] = {
	{ "volumes", volumes }, { "addresses", addresses }, { "gateways", gateways }, { "record", record }, { "away", away },
};

static void (*parse)(const char *text);

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
	char *text = strndup((const char *)data, size);

	REQUIRE(text);
	parse(text);
	free(text);
	return 0;
}
