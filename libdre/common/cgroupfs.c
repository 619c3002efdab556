// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "fail.h"
#include "file.h"

#define USUAL_PLACE	"/sys/fs/cgroup"
#define WAIT_TIMEOUT	10000	/* milliseconds, for processes to be killed or frozen */

static int open_if_cgroup2(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int cgroupfs_open(int *fd)
{
	char line[PATH_MAX + 256];
	struct mntent entry;
	FILE *mounts;

	*fd = open_if_cgroup2(USUAL_PLACE);
	if (*fd >= 0)
		return 0;
	/* A host that has v1 as well has it elsewhere. */
	mounts = setmntent("/proc/self/mounts", "re");
	while (*fd < 0 && mounts && getmntent_r(mounts, &entry, line, sizeof(line)))
		if (!strcmp(entry.mnt_type, "cgroup2"))
			*fd = open_if_cgroup2(entry.mnt_dir);
	if (mounts)
		endmntent(mounts);
	if (*fd >= 0)
		return 0;
	return dre_fail(DRE_ERR_CGROUP_NONEXISTENCE,
			"the host has no control groups v2: mount a cgroup2 file system at "
			USUAL_PLACE);
}

int cgroupfs_create(const char *path)
{
	int root, ret = cgroupfs_open(&root);

	if (ret)
		return ret;
	if (mkdirat(root, path, 0755))
		ret = errno == EEXIST ? dre_fail(DRE_ERR_CGROUP_EXISTENCE,
						 "control group %s exists already", path) :
		      dre_fail_errno(errno, "cannot make control group %s", path);
	close(root);
	return ret;
}

int cgroupfs_open_group(const char *path, int *fd)
{
	int root, ret = cgroupfs_open(&root);

	if (ret)
		return ret;
	*fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		ret = errno == ENOENT ? dre_fail(DRE_ERR_CGROUP_NONEXISTENCE,
						 "there is no control group %s", path) :
		      dre_fail_errno(errno, "cannot open control group %s", path);
	close(root);
	return ret;
}

int cgroupfs_get(int group, const char *file, char *value, size_t size)
{
	int fd = openat(group, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, value, size - 1);
	int ret = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	value[n < 0 ? 0 : n] = '\0';
	if (n > 0 && value[n - 1] == '\n')
		value[n - 1] = '\0';
	return ret;
}

int cgroupfs_set(int group, const char *file, const char *value)
{
	int fd = openat(group, file, O_WRONLY | O_CLOEXEC);
	/* An empty value needs a byte to be written at all. */
	ssize_t n = fd < 0 ? -1 : write(fd, *value ? value : "\n", *value ? strlen(value) : 1);
	int ret = n < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static int enable_in(int group, const char *path, const char *controllers)
{
	char list[256], value[64], *save;
	int err = 0;

	snprintf(list, sizeof(list), "%s", controllers);
	for (char *c = strtok_r(list, " ", &save); !err && c; c = strtok_r(NULL, " ", &save)) {
		snprintf(value, sizeof(value), "+%s", c);
		err = cgroupfs_set(group, "cgroup.subtree_control", value);
		if (err)
			err = dre_fail_errno(-err, "control group %s: %s", path, value);
	}
	return err;
}

/* The path of each group above @path, from the root on, and then its own. */
static int each_above(const char *path, const char *arg, int (*fn)(const char *path, const char *arg))
{
	char *part = strdup(path);
	int ret = part ? fn(".", arg) : dre_fail_errno(ENOMEM, "control group %s", path);

	for (char *slash = part; !ret && part && (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		ret = fn(part, arg);
	}
	if (!ret)
		ret = fn(path, arg);
	free(part);
	return ret;
}

static int enable_at(const char *path, const char *controllers)
{
	int group, ret = cgroupfs_open_group(path, &group);

	if (ret)
		return ret;
	ret = enable_in(group, path, controllers);
	close(group);
	return ret;
}

int cgroupfs_enable(const char *path, const char *controllers)
{
	return each_above(path, controllers, enable_at);
}

/* Which of them are in the group's cgroup.controllers, into @there. */
static void intersect(int group, const char *controllers, char there[256])
{
	char list[256], all[256], *save, *at = there;

	*there = '\0';
	if (cgroupfs_get(group, "cgroup.controllers", list, sizeof(list)))
		return;
	snprintf(all, sizeof(all), " %s ", controllers);
	for (char *c = strtok_r(list, " ", &save); c; c = strtok_r(NULL, " ", &save)) {
		char word[64];

		snprintf(word, sizeof(word), " %s ", c);
		if (strstr(all, word) && at - there + strlen(word) < 256)
			at = stpcpy(at, word + 1);
	}
}

static int make_at(const char *path, const char *controllers)
{
	int group, ret = strcmp(path, ".") ? cgroupfs_create(path) : 0;
	char there[256];

	if (!ret || ret == DRE_ERR_CGROUP_EXISTENCE)
		ret = cgroupfs_open_group(path, &group);
	if (ret)
		return ret;
	intersect(group, controllers, there);
	ret = enable_in(group, path, there);
	close(group);
	return ret;
}

int cgroupfs_make_parent(const char *path, const char *controllers)
{
	return each_above(path, controllers, make_at);
}

/* The name of a process, without a newline, for an error text. */
static void read_comm(long pid, char comm[32])
{
	char path[32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, comm, 31);
	if (fd >= 0)
		close(fd);
	comm[n < 0 ? 0 : n] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
}

static int fail_populated(int group, const char *path)
{
	struct printable p;
	char procs[32], comm[32];
	long pid = 0;
	ssize_t n;
	int fd;

	fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, procs, sizeof(procs) - 1);
	if (fd >= 0)
		close(fd);
	if (n > 0) {
		procs[n] = '\0';
		pid = strtol(procs, NULL, 10);
	}
	/* 0: a process that is outside of our pid namespace. */
	if (pid <= 0)
		return dre_fail(DRE_ERR_CONTAINER_BUSY, "control group %s still has processes",
				path);
	read_comm(pid, comm);
	return dre_fail(DRE_ERR_CONTAINER_BUSY, "control group %s still has process %ld (%s)", path,
			pid, dre_printable(&p, comm));
}

/* Removes the groups in @group that have none in them. The first one that stays is @name then, "": none. */
static int remove_empty(int group, char name[NAME_MAX + 1])
{
	DIR *dir = file_opendir(group, ".");
	struct dirent *entry;
	int err = dir ? 0 : -errno;

	*name = '\0';
	while (!err && !*name && (entry = file_readdir(dir))) {
		if (entry->d_type != DT_DIR || !unlinkat(group, entry->d_name, AT_REMOVEDIR) || errno == ENOENT)
			continue;
		if (errno == EBUSY)
			strcpy(name, entry->d_name);
		else
			err = -errno;
	}
	if (!err && !*name)
		err = -errno;	/* of the list */
	if (dir)
		closedir(dir);
	return err;
}

/* A group that is gone through: where it is, and its path, which is only for the error text. */
struct place {
	int group;
	char *path;
	size_t depth;
};

/* To @name in it, or, with "..", to the group that it is in. */
static int go(struct place *at, const char *name)
{
	bool up = !strcmp(name, "..");
	int group = openat(at->group, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char *path = NULL;

	if (group < 0)
		return -errno;
	if (up)
		*strrchr(at->path, '/') = '\0';
	else if (asprintf(&path, "%s/%s", at->path, name) < 0)
		path = NULL;
	if (!up && !path) {
		close(group);
		return -ENOMEM;
	}
	close(at->group);
	at->group = group;
	if (!up) {
		free(at->path);
		at->path = path;
	}
	at->depth += up ? -1 : 1;
	return 0;
}

/*
 * From the deepest one on, and with one of them open at a time: how deep they are is for the container to say. One
 * that stays when there is none left in it has processes.
 */
static int remove_below(struct place *at)
{
	char name[NAME_MAX + 1], emptied[NAME_MAX + 1] = "";
	int err;

	for (;;) {
		err = remove_empty(at->group, name);
		if (!err && !*name && !at->depth)
			return 0;
		if (!err && *name && !strcmp(name, emptied) && !go(at, name))
			return fail_populated(at->group, at->path);
		if (!err) {
			snprintf(emptied, sizeof(emptied), "%s", *name ? "" : strrchr(at->path, '/') + 1);
			err = go(at, *name ? name : "..");
		}
		if (err && (err != -ENOENT || !*name))
			return dre_fail_errno(-err, "cannot remove what is in control group %s", at->path);
	}
}

int cgroupfs_remove(const char *path)
{
	struct place at = {};
	int root, ret;

	ret = cgroupfs_open(&root);
	if (ret)
		return ret;
	at.group = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	at.path = strdup(path);
	if (at.group < 0)
		ret = errno == ENOENT ? 0 : dre_fail_errno(errno, "cannot open control group %s", path);
	else
		ret = at.path ? remove_below(&at) : dre_fail_errno(ENOMEM, "control group %s", path);
	if (!ret && unlinkat(root, path, AT_REMOVEDIR) && errno != ENOENT)
		ret = errno == EBUSY ? fail_populated(at.group, path) :
		      dre_fail_errno(errno, "cannot remove control group %s", path);
	if (at.group >= 0)
		close(at.group);
	free(at.path);
	close(root);
	return ret;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/*
 * Waits until cgroup.events has the line @wanted. A group that cannot be read
 * any more is gone, and has nothing left to wait for. False: too late.
 */
static bool wait_for(int group, const char *wanted)
{
	int fd = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd events = { .fd = fd, .events = POLLPRI };
	long long deadline = now_ms() + WAIT_TIMEOUT, left;
	char text[256];
	ssize_t n;

	do {
		n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
		text[n < 0 ? 0 : n] = '\0';
		left = deadline - now_ms();
		if (n < 0 || strstr(text, wanted))
			break;
		poll(&events, 1, left > 0 ? left : 0);
	} while (left > 0);
	if (fd >= 0)
		close(fd);
	return left > 0;
}

/* 0 also if the group is gone. */
static int write_group(int group, const char *file, const char *value, const char *path)
{
	int fd = openat(group, file, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : dre_fail_errno(errno, "control group %s", path);
	if (write(fd, value, 1) < 0 && errno != ENODEV)
		ret = dre_fail_errno(errno, "%s of control group %s", file, path);
	close(fd);
	return ret;
}

/* Killed is not gone: each process has to come round to it. */
static int kill_group(int group, const char *path)
{
	int ret = write_group(group, "cgroup.kill", "1", path);

	if (!ret && !wait_for(group, "populated 0"))
		ret = fail_populated(group, path);
	return ret;
}

static int freeze_group(int group, const char *path)
{
	int ret = write_group(group, "cgroup.freeze", "1", path);

	if (!ret && !wait_for(group, "frozen 1"))
		ret = dre_fail(DRE_ERR_DEVICE_BUSY,
			       "control group %s: a process cannot be frozen", path);
	return ret;
}

static int thaw_group(int group, const char *path)
{
	return write_group(group, "cgroup.freeze", "0", path);
}

/* @fn on the group at @path, if it is there. */
static int with_group(const char *path, int (*fn)(int group, const char *path))
{
	int root, group, ret;

	ret = cgroupfs_open(&root);
	if (ret)
		return ret;
	group = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group >= 0) {
		ret = fn(group, path);
		close(group);
	} else if (errno != ENOENT) {
		ret = dre_fail_errno(errno, "cannot open control group %s", path);
	}
	close(root);
	return ret;
}

int cgroupfs_kill(const char *path)
{
	return with_group(path, kill_group);
}

int cgroupfs_freeze(const char *path, bool freeze)
{
	return with_group(path, freeze ? freeze_group : thaw_group);
}

/* The file @file of the group at @path, as far as it fits; "" if it is not there. */
static int read_group(const char *path, const char *file, char *text, size_t size)
{
	char name[PATH_MAX];
	int root, fd, ret;
	ssize_t n;

	*text = '\0';
	ret = cgroupfs_open(&root);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = openat(root, name, O_RDONLY | O_CLOEXEC);
	close(root);
	if (fd < 0)
		return errno == ENOENT ? 0 : dre_fail_errno(errno, "control group %s", path);
	n = read(fd, text, size - 1);
	if (n < 0 && errno != ENODEV)
		ret = dre_fail_errno(errno, "control group %s", path);
	text[n < 0 ? 0 : n] = '\0';
	close(fd);
	return ret;
}

int cgroupfs_frozen(const char *path, bool *frozen)
{
	char text[16];
	int ret = read_group(path, "cgroup.freeze", text, sizeof(text));

	*frozen = *text == '1';
	return ret;
}

int cgroupfs_populated(const char *path, bool *populated)
{
	char text[256];
	int ret = read_group(path, "cgroup.events", text, sizeof(text));

	*populated = strstr(text, "populated 1");
	return ret;
}

char *cgroupfs_of(long pid)
{
	char name[40], *line = NULL, *path = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%ld/cgroup", pid);
	f = fopen(name, "re");
	while (f && !path && getline(&line, &room, f) > 0)
		if (!strncmp(line, "0::/", 4)) {
			line[strcspn(line, "\n")] = '\0';
			path = strdup(line + 4);
		}
	free(line);
	if (f)
		fclose(f);
	return path;
}

static long parent_of(long pid)
{
	char name[40], line[128];
	long parent = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%ld/status", pid);
	f = fopen(name, "re");
	while (f && !parent && fgets(line, sizeof(line), f))
		sscanf(line, "PPid: %ld", &parent);
	if (f)
		fclose(f);
	return parent;
}

/* To its parent's group; to the root if that is @from, too, or is gone. */
static void move_out(int root, const char *from, long pid)
{
	char *group = cgroupfs_of(parent_of(pid)), *file = NULL, number[32];
	int fd;

	if (asprintf(&file, "%s%scgroup.procs", group && strcmp(group, from) ? group : "",
		     group && *group && strcmp(group, from) ? "/" : "") < 0)
		file = NULL;
	fd = file ? openat(root, file, O_WRONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		snprintf(number, sizeof(number), "%ld", pid);
		(void)!write(fd, number, strlen(number));
		close(fd);
	}
	free(file);
	free(group);
}

void cgroupfs_move_out(const char *path)
{
	char name[PATH_MAX];
	int root, fd;
	long pid;
	FILE *f;

	if (cgroupfs_open(&root))
		return;
	snprintf(name, sizeof(name), "%s/cgroup.procs", path);
	fd = openat(root, name, O_RDONLY | O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	while (f && fscanf(f, "%ld", &pid) == 1)
		if (pid > 0)
			move_out(root, path, pid);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	close(root);
}

bool cgroupfs_passes_on(const char *path)
{
	struct saved_error saved;
	char controllers[256];
	bool some = false;
	int group;

	save_error(&saved);
	if (!cgroupfs_open_group(path, &group)) {
		some = !cgroupfs_get(group, "cgroup.subtree_control", controllers, sizeof(controllers)) && *controllers;
		close(group);
	}
	restore_error(&saved);
	return some;
}

int cgroupfs_contains(const char *path, long pid, bool *contains)
{
	size_t len = strlen(path);
	char *group;

	*contains = false;
	group = cgroupfs_of(pid);
	if (!group)
		return -ESRCH;
	*contains = !strncmp(group, path, len) && (!group[len] || group[len] == '/');
	free(group);
	return 0;
}
