// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The outer cgroup of a machine. What libvirt calls /dre/sys/dre-web.partition is
 *
 *	dre.partition/sys.partition/dre-web.partition
 *				where libvirt makes it itself
 *	dre.slice/dre-sys.slice/dre-sys-dre\x2dweb.partition.slice
 *				where systemd-machined makes it
 *
 * libvirt appends ".partition" to what has no dot in it, and an underscore before what begins like
 * a controller: with "dre-" and ".partition" a name is never changed, and no two are the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/cgroupfs.h"
#include "common/limit.h"
#include "group.h"
#include "module.h"
#include "sys.h"

/* What groups in it are to have, as far as the host does. libvirt wants some of them, too. */
#define CONTROLLERS	"cpuset cpu io memory pids"

/* Of the cgroup, as systemd has some: it ends with that, and with the host. */
static const char *const marks[] = { [SYS_MARK_START] = "trusted.dre.start", [SYS_MARK_SAVE] = "trusted.dre.save" };

enum layout { LAYOUT_LIBVIRT, LAYOUT_SYSTEMD, NR_LAYOUTS };

void sys_partition(const char *name, char partition[SYS_PARTITION_SIZE])
{
	snprintf(partition, SYS_PARTITION_SIZE, "/dre/sys/dre-%s.partition", name);
}

static void name_slice(const char *name, char outer[GROUPS_OUTER_SIZE])
{
	char *at = outer + sprintf(outer, "dre.slice/dre-sys.slice/dre-sys-dre\\x2d");

	for (; *name; name++) {
		if (*name == '-')
			at = stpcpy(at, "\\x2d");
		else
			*at++ = *name;
	}
	strcpy(at, ".partition.slice");
}

static void name_groups(const char *name, enum layout layout, struct groups *groups)
{
	groups->type = DRE_CONTAINER_SYS;
	groups->name = name;
	if (layout == LAYOUT_LIBVIRT)
		snprintf(groups->outer, sizeof(groups->outer),
			 "dre.partition/sys.partition/dre-%s.partition", name);
	else
		name_slice(name, groups->outer);
}

void sys_partition_of(const char *name, struct groups *groups)
{
	name_groups(name, LAYOUT_LIBVIRT, groups);
}

int sys_partition_make(const char *name)
{
	struct groups groups;

	sys_partition_of(name, &groups);
	return cgroupfs_make_parent(groups.outer, CONTROLLERS);
}

int sys_groups_enable(const struct groups *groups)
{
	return cgroupfs_make_parent(groups->outer, CONTROLLERS);
}

int sys_partition_remove(const char *name)
{
	struct groups groups;

	sys_partition_of(name, &groups);
	return cgroupfs_remove(groups.outer);
}

static int open_partition(const char *name, int *fd)
{
	struct groups groups;

	sys_partition_of(name, &groups);
	return cgroupfs_open_group(groups.outer, fd);
}

int sys_mark(const char *name, enum sys_mark mark)
{
	int fd, err = open_partition(name, &fd);

	if (err)
		return err;
	if (fsetxattr(fd, marks[mark], "", 0, 0) < 0)
		err = dre_fail_errno(errno, "container '%s': mark its control group", name);
	close(fd);
	return err;
}

void sys_unmark(const char *name, enum sys_mark mark)
{
	int fd;

	if (open_partition(name, &fd))
		return;
	fremovexattr(fd, marks[mark]);
	close(fd);
}

bool sys_is_marked(const char *name, enum sys_mark mark)
{
	bool marked;
	int fd;

	if (open_partition(name, &fd))
		return false;
	marked = fgetxattr(fd, marks[mark], NULL, 0) >= 0;
	close(fd);
	return marked;
}

bool sys_has_mark(const char *name)
{
	return sys_is_marked(name, SYS_MARK_START) || sys_is_marked(name, SYS_MARK_SAVE);
}

/* What is below @outer in @path, or NULL. */
static const char *below(const char *path, const char *outer)
{
	size_t len = strlen(outer);

	return !strncmp(path, outer, len) && path[len] == '/' ? path + len + 1 : NULL;
}

int sys_groups_of(const struct sys *sys, int pid, struct groups *groups)
{
	char *path = cgroupfs_of(pid);
	struct printable p;
	int err;

	if (!path)
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", sys->name);
	for (enum layout layout = 0; layout < NR_LAYOUTS; layout++) {
		name_groups(sys->name, layout, groups);
		if (below(path, groups->outer)) {
			free(path);
			return 0;
		}
	}
	err = dre_fail(DRE_ERR_DEVICE_BUSY,
		       "container '%s': libvirt has put its machine into control group /%s, outside of its "
		       "partition", sys->name, dre_printable(&p, path));
	free(path);
	return err;
}

bool sys_in_machine(int pid, const struct groups *groups, bool *own)
{
	char *path = cgroupfs_of(pid), *group, *save;
	bool machine = false;

	*own = path && below(path, groups->outer);
	group = path ? strtok_r(path, "/", &save) : NULL;
	for (; group && !machine; group = strtok_r(NULL, "/", &save))
		machine = !strncmp(group, "machine-qemu", strlen("machine-qemu")) ||
			  (!strncmp(group, "qemu-", strlen("qemu-")) && strstr(group, ".libvirt-qemu"));
	free(path);
	*own = *own && machine;
	return machine;
}

static void count(const struct groups *groups, int outer, const char *cgroup, void *arg)
{
	int *nr = arg;

	(void)groups;
	(void)outer;
	(void)cgroup;
	++*nr;
}

static const enum limit_type limit_types[] = { LIMIT_MEMSW, LIMIT_MEMORY, LIMIT_CPU, LIMIT_CORES };

#define NR_LIMIT_TYPES	(sizeof(limit_types) / sizeof(*limit_types))

/* A controller that is not there limits nothing. */
static bool is_limited(const struct groups *groups)
{
	bool limited = false;
	int fd;

	if (cgroupfs_open_group(groups->outer, &fd))
		return false;
	for (size_t i = 0; i < NR_LIMIT_TYPES && !limited; i++) {
		struct limit limit = { .type = limit_types[i] };

		limited = !limit_get(fd, &limit) && (limit.number || limit.cores);
		free((char *)limit.cores);
	}
	close(fd);
	return limited;
}

void sys_unlimit(const struct groups *groups)
{
	static const struct dre_limits none;
	int fd;

	if (sys_slice_is_limited(groups))
		sys_slice_limit(groups, &none);
	if (cgroupfs_open_group(groups->outer, &fd))
		return;
	for (size_t i = 0; i < NR_LIMIT_TYPES; i++)
		limit_unset(fd, groups->outer, limit_types[i]);
	close(fd);
}

bool sys_is_unsettled(const struct sys *sys)
{
	struct groups groups;
	int nr = 0;

	for (enum layout layout = 0; layout < NR_LAYOUTS; layout++) {
		name_groups(sys->name, layout, &groups);
		groups_each(&groups, count, &nr);
		if (nr || is_limited(&groups))
			return true;
	}
	name_groups(sys->name, LAYOUT_LIBVIRT, &groups);
	return !groups_exists(&groups, ".") || sys_has_mark(sys->name);
}

/* The first error, and its text: groups_each() has none. */
struct removal {
	int err;
	struct saved_error text;
};

static void remove_group(const struct groups *groups, int outer, const char *cgroup, void *arg)
{
	char path[GROUPS_PATH_SIZE];
	struct removal *removal = arg;

	(void)outer;
	if (removal->err)
		return;
	groups_path(groups, cgroup, path);
	removal->err = cgroupfs_remove(path);
	save_error(&removal->text);
}

static int remove_groups(const struct groups *groups)
{
	struct removal removal = {};

	groups_each(groups, remove_group, &removal);
	if (removal.err)
		restore_error(&removal.text);
	return removal.err;
}

/* The module learns of the machine's end a moment after us. */
int sys_settle(const struct sys *sys)
{
	struct groups groups;
	int err, tries = 0;

	do {
		if (tries)
			usleep(50000);
		err = 0;
		for (enum layout layout = 0; layout < NR_LAYOUTS && !err; layout++) {
			name_groups(sys->name, layout, &groups);
			err = groups_release(&groups);
			if (!err)
				err = remove_groups(&groups);
			if (!err)
				sys_unlimit(&groups);
		}
	} while (err == DRE_ERR_CONTAINER_BUSY && ++tries < 20);
	if (!err) {	/* a start says it if that fails */
		sys_partition_make(sys->name);
		sys_unmark(sys->name, SYS_MARK_START);
		sys_unmark(sys->name, SYS_MARK_SAVE);
	}
	return err;
}
