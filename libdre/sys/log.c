// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log of a machine's console.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"
#include "shared.h"

/* How many parts are kept, and what virtlogd, which bounds each, keeps of one: NAME, and from the newest NAME.0 to NAME.6 */
#define PARTS		4
#define FILES		8
#define PART_MAX	999999

_Static_assert(PARTS * FILES < LOG_READER_FILES, "a reader has files for all, and a NULL");

static void part_name(char *name, size_t size, const char *log, unsigned int part)
{
	if (part > 1)
		snprintf(name, size, "%s-%u", log, part);
	else
		snprintf(name, size, "%s", log);
}

/* "console.log-12" is part 12 of "console.log"; what is no part of it is 0. */
static unsigned int part_of(const char *name, const char *log)
{
	size_t len = strlen(log);
	unsigned long part;
	char *end;

	if (strncmp(name, log, len) != 0)
		return 0;
	if (!name[len])
		return 1;
	if (name[len] != '-' || !isdigit((unsigned char)name[len + 1]))
		return 0;
	part = strtoul(name + len + 1, &end, 10);
	return part > 1 && part <= PART_MAX && !*end ? part : 0;
}

/* What NFS has cached of it may be older than what another host has made there. */
static DIR *open_list(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct statx st;

	if (list)
		statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_CTIME, &st);
	else if (fd >= 0)
		close(fd);
	return list;
}

/* The last one that somebody has written to: a host may wait, for a machine that does not come. */
static unsigned int last_part(int dir, const char *log)
{
	DIR *list = open_list(dir, ".");
	unsigned int part, last = 1;
	struct dirent *entry;
	struct stat st;

	while (list && (entry = readdir(list))) {
		part = part_of(entry->d_name, log);
		if (part > last && !fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_size > 0)
			last = part;
	}
	if (list)
		closedir(list);
	return last;
}

int console_log_files(const char *dir, const char *log, struct console_log *files)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned int last;
	size_t nr = 0;

	if (fd < 0)
		return dre_fail_errno(errno, "%s", dir);
	last = last_part(fd, log);
	close(fd);
	for (unsigned int part = last; part > 0 && part + PARTS > last; part--) {
		char name[CONSOLE_NAME_SIZE - 2];

		part_name(name, sizeof(name), log, part);
		for (int i = -1; i < FILES - 1; i++) {
			snprintf(files->text[nr], CONSOLE_NAME_SIZE, i < 0 ? "%s" : "%s.%d", name, i);
			files->names[nr] = files->text[nr];
			nr++;
		}
	}
	files->names[nr] = NULL;
	return 0;
}

void console_newest(int dir, char *name, size_t size)
{
	part_name(name, size, CONSOLE_LOG, last_part(dir, CONSOLE_LOG));
}

/* Those whose names begin with @log; @to is what they are called then, or NULL: they are removed. */
static void rename_all(DIR *list, const char *log, const char *to)
{
	char name[NAME_MAX + 20];
	struct dirent *entry;

	rewinddir(list);
	while ((entry = readdir(list))) {
		if (strncmp(entry->d_name, log, strlen(log)) != 0)
			continue;
		snprintf(name, sizeof(name), "%s%s", to ? to : "", entry->d_name + strlen(log));
		if (to)
			renameat(dirfd(list), entry->d_name, dirfd(list), name);
		else
			unlinkat(dirfd(list), entry->d_name, 0);
	}
}

/* What cannot be renamed goes on to be the log of this run, too. */
void sys_begin_log(const struct sys *sys)
{
	char path[PATH_MAX];
	DIR *list = sys_path(sys, "", path) ? NULL : open_list(AT_FDCWD, path);

	if (!list)
		return;
	rename_all(list, CONSOLE_PREVIOUS, NULL);
	rename_all(list, CONSOLE_LOG, CONSOLE_PREVIOUS);
	closedir(list);
}

static void remove_part(const struct sys *sys, unsigned int part)
{
	char name[CONSOLE_NAME_SIZE - 2], file[CONSOLE_NAME_SIZE], path[PATH_MAX];

	part_name(name, sizeof(name), CONSOLE_LOG, part);
	for (int i = -1; i < FILES - 1; i++) {
		snprintf(file, sizeof(file), i < 0 ? "%s" : "%s.%d", name, i);
		if (!sys_path(sys, file, path))
			unlink(path);
	}
}

int sys_next_log(const struct sys *sys, const char *path, char next[PATH_MAX])
{
	const char *name = strrchr(path, '/');
	unsigned int part = name ? part_of(name + 1, CONSOLE_LOG) : 0;
	char file[CONSOLE_NAME_SIZE];

	/* Only what nobody reads any more: it may not get there. */
	if (part > PARTS)
		remove_part(sys, part - PARTS);
	part_name(file, sizeof(file), CONSOLE_LOG, part ? part + 1 : 2);
	return sys_path(sys, file, next);
}

/* There is only the one kind of reader. */
static struct log_reader *reader(const dre_sys_log *log)
{
	return (struct log_reader *)log;
}

/* libvirt is not asked: whatever it says, it is there. */
static int find_log(const dre_sys_handle *h, char path[PATH_MAX])
{
	struct sys sys = {};
	int err = sys_open_store_of(&sys.config, h->name, &sys.store, &sys.shared);

	snprintf(sys.name, sizeof(sys.name), "%s", h->name);
	if (!err)
		err = container_check_exists(sys.store, h->name);
	if (sys.shared)
		err = sys_name_failure(err);
	if (!err)
		err = sys_path(&sys, "", path);
	sys_end(&sys);
	return err;
}

static int open_log(const char *dir, bool previous, struct log_reader **log)
{
	struct console_log files;
	struct log_reader_how how = {
		.dir = dir, .names = files.names, .newest = previous ? NULL : console_newest, .ended = previous,
		.newlines = true,
	};
	int err = console_log_files(dir, previous ? CONSOLE_PREVIOUS : CONSOLE_LOG, &files);

	return err ? err : log_reader_open(log, &how);
}

dre_return_t dre_sys_log_open(const dre_sys_handle *h, int previous, dre_sys_log **log)
{
	struct log_reader *l;
	char path[PATH_MAX];
	int err;

	if (!h || !log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the log" : "container's handle");
	err = sys_check_handle(h);
	if (!err)
		err = find_log(h, path);
	if (!err)
		err = open_log(path, previous, &l);
	if (!err)
		*log = (dre_sys_log *)l;
	return err;
}

int dre_sys_log_fd(const dre_sys_log *log)
{
	return log_reader_api_fd(reader(log));
}

dre_return_t dre_sys_log_read(dre_sys_log *log, void *buf, size_t size, size_t *len)
{
	return log_reader_api_read(reader(log), buf, size, len);
}

dre_return_t dre_sys_log_close(dre_sys_log *log)
{
	return log_reader_api_close(reader(log));
}
