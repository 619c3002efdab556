// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mounting happens in a child with a mount namespace of its own, because
 * overlayfs must be given short relative paths, must see the layers with
 * the ids of the container, and must find them in the mounter's namespace. What
 * comes out is a mount that is attached nowhere; the caller attaches it. All else
 * ends with the child.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "container.h"
#include "fail.h"
#include "rootfs.h"
#include "userns.h"

#define UNMOUNT_TRIES	50
#define OPTIONS_SIZE	4096	/* mount(2) takes one page, and silently cuts the rest */

/* In /proc/mounts a root file system says whose it is. */
typedef char source_t[sizeof("dre:") + DRE_NAME_MAX];

static const char *source_of(source_t source, const char *name)
{
	snprintf(source, sizeof(source_t), "dre:%s", name);
	return source;
}

/*
 * What is mounted already.
 */

enum mounted { NOTHING, OURS, SOMETHING_ELSE };

/* Is it overlayfs of that source, and with that writable layer (NULL: any)? */
static bool line_matches(char *line, const char *source, const char *writable)
{
	char upper[sizeof("upperdir=") + LAYER_NAME_LEN];
	char *save, *fields, *option;

	/* "ID PARENT DEV ROOT WHERE FLAGS [OPTIONAL]... - TYPE SOURCE OPTIONS" */
	fields = strstr(line, " - ");
	if (!fields)
		return false;
	fields += strlen(" - ");
	if (strcmp(strtok_r(fields, " \n", &save) ?: "", "overlay") ||
	    strcmp(strtok_r(NULL, " \n", &save) ?: "", source))
		return false;
	if (!writable)
		return true;
	snprintf(upper, sizeof(upper), "upperdir=%s", writable);
	while ((option = strtok_r(NULL, " ,\n", &save)))
		if (!strcmp(option, upper))
			return true;
	return false;
}

static int read_mountinfo(uint64_t mount_id, const char *source, const char *writable,
			  enum mounted *mounted)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f;

	/* Threads may have mount namespaces of their own. */
	f = fopen("/proc/thread-self/mountinfo", "re");
	if (!f)
		return -errno;
	*mounted = SOMETHING_ELSE;
	while (getline(&line, &size, f) > 0) {
		if (strtoull(line, NULL, 10) != mount_id)
			continue;
		if (line_matches(line, source, writable))
			*mounted = OURS;
		break;
	}
	free(line);
	fclose(f);
	return 0;
}

static int fail_to_find(const char *name, const char *where, int err)
{
	return dre_fail_errno(-err, "container '%s': cannot find out what is mounted at %s", name, where);
}

/* The id of a mount that is there, or 0. */
static int find_mount_id(const char *where, uint64_t *id)
{
	struct statx stx;

	*id = 0;
	if (statx(AT_FDCWD, where, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		*id = stx.stx_mnt_id;
	return 0;
}

/* The kernel describes all mounts of the host for that, one for each container that runs among them. */
static int find_mounted(const char *name, const char *where, const char *writable,
			enum mounted *mounted)
{
	source_t source;
	uint64_t id;
	int ret;

	*mounted = NOTHING;
	ret = find_mount_id(where, &id);
	if (!ret && id)
		ret = read_mountinfo(id, source_of(source, name), writable, mounted);
	return ret ? fail_to_find(name, where, ret) : 0;
}

int rootfs_mounted(const char *name, const char *where, bool *mounted)
{
	uint64_t id;
	int ret = find_mount_id(where, &id);

	if (ret)
		return fail_to_find(name, where, ret);
	*mounted = id != 0;
	return 0;
}

/*
 * The child.
 */

struct mounter {
	int root_fd;		/* the store's */
	int lock_fd;		/* the container's, held to the end if the caller is killed; or -1 */
	int userns_fd;		/* -1: privileged */
	struct idmap map;
	const char *source;
	const char *options;
	pid_t caller;
	int report_fd;
};

/* What the child sends at its end. The text is constant, so it is the same in both. */
struct report {
	const char *failed;	/* NULL: it goes with the mount's fd */
	int errnum;
};

/*
 * Shows the store with the ids of the container from here on: by a copy of its
 * mount, over the store itself, that nobody else sees. The current directory is
 * the root of the store before and after.
 */
static const char *map_store(const struct mounter *m)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = m->userns_fd,
	};
	int tree;

	tree = open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return "cannot copy the mount of the store";
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return "the file system of the store does not support idmapped mounts";
	if (move_mount(tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(tree) < 0)
		return "cannot attach the mapped store";
	return NULL;
}

/*
 * overlayfs reaches the layers with the rights of whoever mounts it. That must
 * be somebody who exists in the mapped store, but with all capabilities still.
 */
static const char *become_mapped_root(const struct mounter *m)
{
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return "cannot set securebits";
	setfsgid(m->map.first);
	setfsuid(m->map.first);
	/* They return the old one; an impossible one changes nothing. */
	if (setfsuid(-1) != (int)m->map.first || setfsgid(-1) != (int)m->map.first)
		return "cannot become the container's root";
	/* A change of credentials ends what child_start() has arranged. */
	if (child_die_with_parent(m->caller))
		return "has lost its caller";
	return NULL;
}

static const char *mount_overlay(const struct mounter *m, int *mount_fd)
{
	/* A container has no use for device nodes in its files: hostile bases may. */
	unsigned long flags = m->userns_fd < 0 ? 0 : MS_NODEV;
	const char *failed;

	/* The current directory goes along into the new namespace. */
	if (fchdir(m->root_fd) < 0)
		return "cannot enter the store";
	/* What others unmount meanwhile must not stay mounted here: not private, but slave. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return "cannot get a mount namespace";
	failed = m->userns_fd < 0 ? NULL : map_store(m);
	if (!failed && chdir("layers") < 0)
		failed = "cannot enter the layers";
	if (!failed && m->userns_fd >= 0)
		failed = become_mapped_root(m);
	if (failed)
		return failed;

	/* "." stays what is below the mount; the way over ".." leads onto it. */
	if (mount(m->source, ".", "overlay", flags, m->options) < 0)
		return "cannot mount overlayfs (the kernel's log may say more)";
	*mount_fd = open_tree(AT_FDCWD, "../layers", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (*mount_fd < 0)
		return "cannot take the mount";
	umount2("../layers", 0);
	return NULL;
}

static void send_report(int socket_fd, const struct report *report, int mount_fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)report, sizeof(*report) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (mount_fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &mount_fd, sizeof(int));
	}
	sendmsg(socket_fd, &msg, MSG_NOSIGNAL);
}

static int mounter_main(void *arg)
{
	const struct mounter *m = arg;
	const int fds[] = { m->root_fd, m->lock_fd, m->userns_fd, m->report_fd };
	struct report report = { 0 };
	int mount_fd = -1;

	child_keep_fds(fds, 4);
	report.failed = mount_overlay(m, &mount_fd);
	report.errnum = errno;
	send_report(m->report_fd, &report, mount_fd);
	return 0;
}

/*
 * The caller.
 */

/* The child has ended: the report is there, or it never comes. Returns the mount's fd, or -1. */
static int receive_report(int socket_fd, struct report *report)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { report, sizeof(*report) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int mount_fd = -1;

	if (recvmsg(socket_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(*report)) {
		*report = (struct report){ "the process that mounts it was killed", EINTR };
		return -1;
	}
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg)
		memcpy(&mount_fd, CMSG_DATA(cmsg), sizeof(int));
	else if (!report->failed)	/* no room in the table of fds */
		*report = (struct report){ "cannot receive the mount", EMFILE };
	return mount_fd;
}

/* Returns the fd of a mount that is attached nowhere, or -1 with the report filled in. */
static int run_mounter(struct mounter *m, struct report *report)
{
	struct child child;
	int fds[2], ret;

	*report = (struct report){ "cannot start the process that mounts it", 0 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
		report->errnum = errno;
		return -1;
	}
	m->report_fd = fds[1];
	ret = child_start(&child, 0, mounter_main, m);
	if (ret) {
		report->errnum = -ret;
	} else {
		child_wait(&child);
		ret = receive_report(fds[0], report);
	}
	close(fds[0]);
	close(fds[1]);
	return ret < 0 ? -1 : ret;
}

/*
 * Without redirect_dir, renaming a directory of a base fails. With index, a layer that is used
 * again shows other contents; with metacopy, it would have to stay with the one below.
 */
#define FIXED_OPTIONS	",redirect_dir=on,index=off,metacopy=off"

static int check_chain(const char *name, const struct manifest *m)
{
	if (!m->nr_layers || !*m->writable)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its manifest names no layers", name);
	if (m->nr_layers > ROOTFS_MAX_LAYERS)
		return dre_fail(DRE_ERR_REQUEST_TOO_LONG,
				"container '%s': its chain of %zu layers is longer than %d", name,
				m->nr_layers, ROOTFS_MAX_LAYERS);
	return 0;
}

/* overlayfs wants the top first. Returns the end. */
static char *format_layers(char *end, const struct manifest *m)
{
	for (size_t i = m->nr_layers; i; i--)
		end += sprintf(end, "%s%s", m->layers[i - 1], i > 1 ? ":" : "");
	return end;
}

static void format_options(const struct manifest *m, char options[OPTIONS_SIZE])
{
	sprintf(format_layers(stpcpy(options, "lowerdir="), m),
		",upperdir=%s,workdir=../work/%s" FIXED_OPTIONS, m->writable, m->writable);
}

static void format_options_reading(const struct manifest *m, char options[OPTIONS_SIZE])
{
	char *end = options + sprintf(options, "lowerdir=%s:", m->writable);

	strcpy(format_layers(end, m), FIXED_OPTIONS);
}

_Static_assert((ROOTFS_MAX_LAYERS + 2) * (LAYER_NAME_LEN + 1) +
	       sizeof("lowerdir=,upperdir=,workdir=../work/" FIXED_OPTIONS) <= OPTIONS_SIZE,
	       "ROOTFS_MAX_LAYERS do not fit into the options of mount(2)");

static int check_there(struct store *store, const char *name, const char *dir, const char *layer)
{
	char path[16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, layer);
	if (!fstatat(store_root_fd(store), path, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (errno == ENOENT)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': layer %s/%s is missing",
				name, store_root(store), path);
	return dre_fail_errno(errno, "container '%s': layer %s/%s", name, store_root(store), path);
}

/* overlayfs would only say ENOENT, and complain in the kernel's log. */
static int check_layers(struct store *store, const char *name, const struct manifest *m)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < m->nr_layers && !ret; i++)
		ret = check_there(store, name, "layers", m->layers[i]);
	if (!ret)
		ret = check_there(store, name, "layers", m->writable);
	if (!ret)
		ret = check_there(store, name, "work", m->writable);
	return ret;
}

static int attach(const char *name, int mount_fd, const char *where)
{
	int dir = open(where, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret = 0;

	if (dir < 0 || move_mount(mount_fd, "", dir, "",
				  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		ret = dre_fail_errno(errno, "container '%s': cannot mount its root at %s", name,
				     where);
	if (dir >= 0)
		close(dir);
	return ret;
}

static int mount_at(const char *name, struct mounter *mounter, const char *where)
{
	struct report report;
	int mount_fd, ret;

	if (mounter->map.count) {
		mounter->userns_fd = userns_open(&mounter->map);
		if (mounter->userns_fd < 0)
			return dre_fail_errno(-mounter->userns_fd,
					      "container '%s': cannot make a user namespace", name);
	}
	mount_fd = run_mounter(mounter, &report);
	if (mounter->userns_fd >= 0)
		close(mounter->userns_fd);
	if (mount_fd < 0)
		return dre_fail_errno(report.errnum, "container '%s': %s", name, report.failed);
	ret = attach(name, mount_fd, where);
	close(mount_fd);
	return ret;
}

/* @source and @options are memory of the caller's. */
static struct mounter new_mounter(struct store *store, const char *name, source_t source,
				  const char *options)
{
	return (struct mounter){
		.root_fd = store_root_fd(store),
		.lock_fd = -1,
		.userns_fd = -1,
		.source = source_of(source, name),
		.options = options,
		.caller = getpid(),
	};
}

int rootfs_mount(const struct container *c, const char *where)
{
	char options[OPTIONS_SIZE];
	source_t source;
	struct mounter mounter = new_mounter(c->store, c->name, source, options);
	enum mounted mounted;
	int ret;

	mounter.lock_fd = c->lock_fd;
	ret = check_chain(c->name, &c->manifest);
	if (!ret)
		ret = container_idmap(c->name, &c->manifest, &mounter.map);
	if (!ret)
		ret = find_mounted(c->name, where, c->manifest.writable, &mounted);
	if (ret || mounted == OURS)
		return ret;
	if (mounted == SOMETHING_ELSE)
		return dre_fail(DRE_ERR_DEVICE_BUSY,
				"container '%s': something else is mounted at %s", c->name, where);
	ret = check_layers(c->store, c->name, &c->manifest);
	if (ret)
		return ret;
	format_options(&c->manifest, options);
	return mount_at(c->name, &mounter, where);
}

int rootfs_mount_detached(struct store *store, const char *name, const struct manifest *m, int *fd)
{
	char options[OPTIONS_SIZE];
	source_t source;
	struct mounter mounter = new_mounter(store, name, source, options);
	struct report report;
	int ret;

	ret = check_chain(name, m);
	if (!ret)
		ret = check_layers(store, name, m);
	if (ret)
		return ret;
	format_options_reading(m, options);
	*fd = run_mounter(&mounter, &report);
	return *fd < 0 ? dre_fail_errno(report.errnum, "container '%s': %s", name, report.failed) : 0;
}

/*
 * What a container's last processes had open is given up a moment after they are gone, and what
 * another thread of the caller is about to close may be in a child of it for a moment.
 */
static int unmount(const char *where, int max_tries)
{
	const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };
	int tries;

	for (tries = 0; umount2(where, UMOUNT_NOFOLLOW) < 0; tries++) {
		if (errno != EBUSY || tries == max_tries)
			return -errno;
		nanosleep(&moment, NULL);
	}
	return 0;
}

int rootfs_unmount(const char *name, const char *where, bool wait)
{
	enum mounted mounted;
	int ret;

	ret = find_mounted(name, where, NULL, &mounted);
	if (ret || mounted == NOTHING)
		return ret;
	if (mounted == SOMETHING_ELSE)
		return dre_fail(DRE_ERR_DEVICE_BUSY,
				"container '%s': something else is mounted at %s", name, where);
	ret = unmount(where, wait ? UNMOUNT_TRIES : 0);
	if (ret == -EBUSY)
		return dre_fail(DRE_ERR_CONTAINER_BUSY,
				"container '%s': %s is still in use (fuser -vm shows by whom)",
				name, where);
	return ret ? dre_fail_errno(-ret, "container '%s': cannot unmount %s", name, where) : 0;
}
