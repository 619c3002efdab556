// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "request.h"

#define TESTS	"/dre-test"

/* @start, the cgroup's path from the root, and a file in it. */
static void set_path(char path[PATH_MAX], const char *start, const char *name, const char *file)
{
	if (!strcmp(name, "/"))
		snprintf(path, PATH_MAX, "%s/%s", start, file);
	else
		snprintf(path, PATH_MAX, "%s" TESTS "%s%s%s%s", start, *name ? "/" : "", name,
			 *file ? "/" : "", file);
}

/* What is below it, then itself. */
static int remove_tree(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	char *below;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			die("asprintf");
		remove_tree(below);
		free(below);
	}
	closedir(dir);
	return rmdir(path) ? -errno : 0;
}

/* Removes all there is; what was killed may need a moment to leave. */
int cgroup_clear(void)
{
	int ret = -EBUSY;

	eventually((ret = remove_tree(CGROUPS TESTS)) != -EBUSY);
	return ret;
}

/* A test before this one may have been killed, and have left something. */
void cgroup_prepare(void)
{
	cgroup_write("", "cgroup.kill", "1");
	errno = -cgroup_clear();
	if (errno && errno != ENOENT)
		die("%s", CGROUPS TESTS);
	cgroup_make("");
}

void cgroup_make(const char *name)
{
	char path[PATH_MAX];

	set_path(path, CGROUPS, name, "");
	if (mkdir(path, 0755))
		die("mkdir %s", path);
}

int cgroup_remove(const char *name)
{
	char path[PATH_MAX];

	set_path(path, CGROUPS, name, "");
	return rmdir(path) ? -errno : 0;
}

int cgroup_open(const char *name)
{
	char path[PATH_MAX];
	int fd;

	set_path(path, CGROUPS, name, "");
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die("open %s", path);
	return fd;
}

unsigned long long cgroup_number(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	set_path(path, CGROUPS, name, "");
	if (stat(path, &st))
		die("stat %s", path);
	return st.st_ino;
}

int cgroup_write(const char *name, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd, ret = 0;

	set_path(path, CGROUPS, name, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int cgroup_enter(const char *name, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	return cgroup_write(name, "cgroup.procs", number);
}

/* Who may move processes there. */
int cgroup_chown(const char *name, uid_t uid)
{
	char path[PATH_MAX];

	set_path(path, CGROUPS, name, "cgroup.procs");
	return chown(path, uid, -1) ? -errno : 0;
}

/* The cgroup of a process, or of a thread, from the root of the hierarchy. */
char *cgroup_of(pid_t pid)
{
	char path[32], line[PATH_MAX], *found = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			found = strdup(line + 3);
	}
	if (file)
		fclose(file);
	return found ?: strdup("(none)");
}

bool in_cgroup(pid_t pid, const char *name)
{
	char path[PATH_MAX], *cgroup = cgroup_of(pid);
	bool in;

	set_path(path, "", name, "");
	in = !strcmp(cgroup, path);
	free(cgroup);
	return in;
}

/* How many processes are in it. */
int cgroup_members(const char *name)
{
	char path[PATH_MAX], *text, *s;
	int fd, count = 0;

	set_path(path, CGROUPS, name, "cgroup.procs");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	text = fd < 0 ? NULL : read_all(fd, 4096);
	if (!text)
		die("%s", path);
	for (s = text; (s = strchr(s, '\n')); s++)
		count++;
	free(text);
	close(fd);
	return count;
}
