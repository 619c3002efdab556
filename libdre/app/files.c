// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files into a container and out of it.
 *
 * Its side is done by a process with the rights of the container's root, ours
 * by the caller; a tar archive goes between them. The directory on its side is
 * found by the kernel as the container's root directory has it, whatever links
 * there are; below that no link is followed and no mount is entered.
 *
 * A container that is running is not busy meanwhile. With its root directory that process keeps the layer open which
 * that writes to, in whatever the layer becomes when the container has ended; so it is in a control group that ends before.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/file.h"
#include "common/rootfs.h"
#include "common/tar.h"

/* A place for files, on either side. */
struct place {
	int dir;			/* a directory */
	char name[NAME_MAX + 1];	/* of what is there; "": of nothing but all that is in @dir */
	bool self;			/* @dir is it; else it is in @dir */
};

/* A container that files are copied into or out of. */
struct visit {
	struct app app;
	int root;			/* its root directory */
	int init;			/* a pidfd; -1: it is stopped, and busy */
	struct tar_filter filter;
};

/*
 * Filters.
 */

const char *app_leave_ids(const struct tar_filter *filter, mode_t *mode, uid_t *uid, gid_t *gid)
{
	(void)filter;
	(void)mode;
	(void)uid;
	(void)gid;
	return NULL;
}

static uint32_t id_inside(const struct tar_filter *filter, uint32_t id)
{
	if (!filter->count)
		return id;
	return id >= filter->first && id - filter->first < filter->count ? id - filter->first : 0;
}

/* What is none of the container's ids is its root's. */
static const char *come_in(const struct tar_filter *filter, mode_t *mode, uid_t *uid, gid_t *gid)
{
	(void)mode;
	*uid = id_inside(filter, *uid);
	*gid = id_inside(filter, *gid);
	return NULL;
}

static uint32_t id_outside(const struct tar_filter *filter, uint32_t id)
{
	if (!filter->count)
		return id;
	return filter->first + (id < filter->count ? id : filter->count - 1);
}

/* Nobody of the host gets a program that runs as another one, or a device, from a container. */
static const char *go_out(const struct tar_filter *filter, mode_t *mode, uid_t *uid, gid_t *gid)
{
	if (S_ISCHR(*mode) || S_ISBLK(*mode))
		return "is a device";
	if (!S_ISDIR(*mode))
		*mode &= ~(S_ISUID | S_ISGID);
	*uid = id_outside(filter, *uid);
	*gid = id_outside(filter, *gid);
	return NULL;
}

/*
 * The container's side.
 */

static bool has_ended(const struct visit *v)
{
	return v->init >= 0 && syscall(SYS_pidfd_send_signal, v->init, 0, NULL, 0);
}

static int fail_stopped(const struct visit *v)
{
	return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", v->app.name);
}

/* Its root as its own processes see it, with all that is mounted there. */
static int open_running(struct visit *v)
{
	char path[sizeof("/proc//root") + 3 * sizeof(pid_t)];
	struct lxc_container *lxc;
	int err = app_lxc(&v->app, &lxc);
	pid_t pid;

	if (err)
		return err;
	v->init = app_init_pidfd(lxc, &pid);
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	v->root = v->init >= 0 && pid > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	/* Unless it was still init, the number may be another's. */
	return v->root < 0 || has_ended(v) ? fail_stopped(v) : 0;
}

/* app_end() unmounts it. */
static int open_stopped(struct visit *v)
{
	const struct app *app = &v->app;
	char path[PATH_MAX];
	int err = app_path(app->store, app->name, "rootfs", path);

	if (!err)
		err = app_write_lxc(app, &app->container->manifest);
	if (!err)
		err = app_mount_root(app);
	if (err)
		return err;
	v->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return v->root < 0 ? dre_fail_errno(errno, "%s", path) : 0;
}

static int read_ids(struct visit *v)
{
	struct manifest m = {};
	struct idmap map = {};
	int err = container_read(v->app.store, v->app.name, &m);

	if (!err)
		err = container_idmap(v->app.name, &m, &map);
	manifest_free(&m);
	v->filter.first = map.first;
	v->filter.count = map.count;
	return err;
}

static void end(struct visit *v)
{
	if (v->root >= 0)
		close(v->root);
	if (v->init >= 0)
		close(v->init);
	app_end(&v->app);
}

/* A container that is running goes on; one that is stopped is busy meanwhile. */
static int begin(struct visit *v, const char *name)
{
	struct app *app = &v->app;
	int err = app_begin(app, name, APP_USE);

	v->root = v->init = -1;
	if (err)
		return err;
	if (app_state(app) == APP_STOPPED) {
		app_end(app);
		err = app_begin(app, name, APP_CHANGE);
		if (err)
			return err;
		err = app_require(app, APP_STOPPED, APP_STOPPED);
		if (!err)
			err = open_stopped(v);
	} else {
		err = app_require(app, APP_RUNNING, APP_SUSPENDED);
		if (!err)
			err = open_running(v);
	}
	if (!err)
		err = read_ids(v);
	if (err)
		end(v);
	return err;
}

/* Files there are no files: to write to them does something to the host, or to read them. */
static bool is_special(int fd)
{
	static const unsigned long types[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC, BPF_FS_MAGIC,
		DEVPTS_SUPER_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC, BINFMTFS_MAGIC,
		0x62656570 /* configfs */, 0x65735543 /* fusectl */,
	};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if ((unsigned long)st.f_type == types[i])
			return true;
	return false;
}

/* Splits a path into the directory, in @dir, and the last name. False: there is none. */
static bool split(const char *path, char dir[PATH_MAX], char name[NAME_MAX + 1])
{
	size_t len = strlen(path), start;

	while (len && path[len - 1] == '/')
		len--;
	for (start = len; start && path[start - 1] != '/'; start--)
		;
	snprintf(dir, PATH_MAX, "%.*s", (int)start, path);
	if (len - start > NAME_MAX)
		return false;
	snprintf(name, NAME_MAX + 1, "%.*s", (int)(len - start), path + start);
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int open_directory(int root, const char *path)
{
	while (root >= 0 && *path == '/')
		path++;
	if (root < 0)
		return open(*path ? path : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return file_openat2(root, *path ? path : ".", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
}

static int fail_place(const char *what, const char *path, int errnum)
{
	struct printable p;

	if (errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == ENAMETOOLONG)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "%s%s: %s", what, dre_printable(&p, path),
				strerror(errnum));
	return dre_fail_errno(errnum, "%s%s", what, dre_printable(&p, path));
}

/*
 * Where @name is to be written: in @path if that is a directory, else as the last name of it.
 * @root: the root directory of the container, or -1: on the host. @what stands before the path in
 * errors.
 */
static int find_target(int root, const char *what, const char *path, const char *name,
		       struct place *place)
{
	char dir[PATH_MAX], last[NAME_MAX + 1];
	size_t len = strlen(path);
	int errnum;

	if (!len || len >= PATH_MAX)
		return fail_place(what, path, len ? ENAMETOOLONG : ENOENT);
	strcpy(place->name, name);
	place->dir = open_directory(root, path);
	errnum = errno;
	if (place->dir < 0 && *name && path[len - 1] != '/' &&
	    (errnum == ENOENT || errnum == ENOTDIR) && split(path, dir, last)) {
		strcpy(place->name, last);
		place->dir = open_directory(root, dir);
		errnum = errno;
	}
	if (place->dir < 0)
		return fail_place(what, path, errnum);
	if (root >= 0 && is_special(place->dir)) {
		close(place->dir);
		return fail_place(what, path, EPERM);
	}
	return 0;
}

/* What is to be read. A link at the end is taken as such, unless a slash follows it. */
static int find_source(int root, const char *what, const char *path, struct place *place)
{
	char dir[PATH_MAX];
	struct stat st;
	int errnum;

	if (!*path || strlen(path) >= PATH_MAX)
		return fail_place(what, path, *path ? ENAMETOOLONG : ENOENT);
	if (!split(path, dir, place->name))
		*place->name = '\0';
	place->self = !*place->name || path[strlen(path) - 1] == '/';
	place->dir = open_directory(root, place->self ? path : dir);
	if (place->dir < 0)
		return fail_place(what, path, errno);
	errnum = !place->self && fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? errno :
		 root >= 0 && is_special(place->dir) ? EPERM : 0;
	if (!errnum)
		return 0;
	close(place->dir);
	return fail_place(what, path, errnum);
}

/*
 * The way between.
 */

/* It waits, for what is sent to it, or to be read from. */
static int start_helper(struct app_helper *helper, char *const argv[], int dir, int *stream)
{
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return dre_fail_errno(errno, "files");
	err = app_helper_begin(helper, argv, (int[]){ dir, fds[1] }, 2, true);
	close(fds[1]);
	if (err)
		close(fds[0]);
	*stream = fds[0];
	return err;
}

static int move_helper(const struct visit *v, const struct app_helper *helper)
{
	char path[APP_GROUP_SIZE], pid[16];
	int group, err;

	app_group("files", v->app.name, path);
	err = app_group_make(path, &group);
	if (err)
		return err;
	snprintf(pid, sizeof(pid), "%d", helper->pid);
	err = cgroupfs_set(group, "cgroup.procs", pid);
	close(group);
	/* It may have ended already. */
	return err && err != -ESRCH ? dre_fail_errno(-err, "container '%s': %s", v->app.name, path) : 0;
}

/*
 * In this order: from here on whoever sees the container stopped ends the helper, and whoever makes it busy sees
 * that there is one, see app_files_stop() and app_files_check_none(); or we see them.
 */
static int bind_helper(const struct visit *v, const struct app_helper *helper)
{
	int err;

	if (v->init < 0)
		return 0;
	err = move_helper(v, helper);
	if (has_ended(v))
		return fail_stopped(v);
	return err ? err : container_check_free(v->app.store, v->app.name);
}

/*
 * The container's side has failed as well if ours has, or was only cut off by it: the first
 * cause is the one that does not complain of the other.
 */
static int end_helper(const struct visit *v, struct app_helper *helper, int stream, int err, bool cut_off)
{
	struct saved_error saved;
	int status, other;

	save_error(&saved);
	close(stream);
	other = app_helper_end(helper, v->app.name, &status);
	if ((err || other) && has_ended(v))
		return fail_stopped(v);
	if (!err || (other && cut_off))
		return other;
	restore_error(&saved);
	return err;
}

struct ids {
	char first[12], count[12];
};

static void format_ids(struct ids *ids, const struct tar_filter *filter)
{
	snprintf(ids->first, sizeof(ids->first), "%u", filter->first);
	snprintf(ids->count, sizeof(ids->count), "%u", filter->count);
}

static int send_files(const struct visit *v, const char *path, const struct place *from,
		      const struct place *to, struct app_progress *progress)
{
	const struct tar_source source = {
		.dir = from->dir,
		.entry = from->self ? "." : from->name,
		.member = *to->name ? to->name : ".",
		.content = !*to->name,
		.what = path,
		.filter = &v->filter,
		.progress = progress->fn ? app_report : NULL,
		.arg = progress,
	};
	struct app_helper helper;
	struct ids ids;
	int stream, err;

	format_ids(&ids, &v->filter);
	err = start_helper(&helper, (char *[]){ "dre-app-helper", "unpack", ids.first, ids.count, NULL },
			   to->dir, &stream);
	if (err)
		return err;
	err = bind_helper(v, &helper);
	if (err)
		return end_helper(v, &helper, stream, err, false);
	err = tar_pack(&source, stream);
	return end_helper(v, &helper, stream, err, err && strstr(dre_last_error(), strerrordesc_np(EPIPE)));
}

static int receive_files(const struct visit *v, const char *path, const struct place *from,
			 const struct place *to, struct app_progress *progress)
{
	const struct tar_target target = {
		.dir = to->dir,
		.what = path,
		.filter = &v->filter,
		.optional = true,
		.progress = progress->fn ? app_report : NULL,
		.arg = progress,
	};
	struct app_helper helper;
	struct ids ids;
	int stream, err;

	format_ids(&ids, &v->filter);
	err = start_helper(&helper, (char *[]){ "dre-app-helper", "pack", ids.first, ids.count,
				    from->self ? "." : (char *)from->name,
				    *to->name ? (char *)to->name : ".", NULL }, from->dir, &stream);
	if (err)
		return err;
	err = bind_helper(v, &helper);
	if (err)
		return end_helper(v, &helper, stream, err, false);
	err = tar_unpack(stream, &target);
	/* An archive that ends too early: its writer knows why. */
	return end_helper(v, &helper, stream, err, err == DRE_ERR_INVALID_ARGUMENT);
}

int app_files_stop(const struct app *app)
{
	char group[APP_GROUP_SIZE];
	int err, tries = 0;

	app_group("files", app->name, group);
	do {
		err = cgroupfs_kill(group);
		if (!err)
			err = cgroupfs_remove(group);
	} while (err == DRE_ERR_CONTAINER_BUSY && ++tries < 3);	/* one has just come, and is about to see that it is late */
	return err;
}

int app_files_check_none(const struct app *app)
{
	char group[APP_GROUP_SIZE];
	bool some;
	int err;

	app_group("files", app->name, group);
	err = cgroupfs_populated(group, &some);
	return err || !some ? err : dre_fail(DRE_ERR_CONTAINER_BUSY,
					     "container '%s' is busy: files are copied into it or out of it", app->name);
}

/* @from and @to: what is copied, and where to, called @from_what and @to_what. */
static int begin_copy(struct visit *v, const dre_app_handle *h, const char *from, const char *from_what,
		      const char *to, const char *to_what)
{
	int err;

	if (!h || !from || !to)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!h ? "container's handle" : !from ? from_what : to_what);
	err = app_check_handle(h);
	return err ? err : begin(v, h->name);
}

dre_return_t dre_app_copy_in(const dre_app_handle *h, const char *source, const char *path,
			     dre_app_progress progress, void *arg)
{
	struct visit v = { .filter.change = come_in };
	struct app_progress p = { progress, arg };
	struct place from, to;
	int err = begin_copy(&v, h, source, "source", path, "path");

	if (err)
		return err;
	err = find_source(-1, "", source, &from);
	if (!err) {
		err = find_target(v.root, "in the container: ", path, from.name, &to);
		if (!err) {
			err = send_files(&v, source, &from, &to, &p);
			close(to.dir);
		}
		close(from.dir);
	}
	end(&v);
	return err;
}

dre_return_t dre_app_copy_out(const dre_app_handle *h, const char *path, const char *target,
			      dre_app_progress progress, void *arg)
{
	struct visit v = { .filter.change = go_out };
	struct app_progress p = { progress, arg };
	struct place from, to;
	int err = begin_copy(&v, h, path, "path", target, "target");

	if (err)
		return err;
	err = find_source(v.root, "in the container: ", path, &from);
	if (!err) {
		err = find_target(-1, "", target, from.name, &to);
		if (!err) {
			err = receive_files(&v, path, &from, &to, &p);
			close(to.dir);
		}
		close(from.dir);
	}
	end(&v);
	return err;
}
