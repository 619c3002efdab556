// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The console of a container: its beginning, its end, and the way to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cgroupfs.h"
#include "console.h"

/* How long the keeper may take to write what the container said last, in milliseconds. */
#define END_TIMEOUT	2000

/* What it says first: "ok", or an error. It goes on, but nothing more comes. */
static int read_report(const struct app *app, int fd)
{
	char text[1024];
	ssize_t n;

	do
		n = read(fd, text, sizeof(text) - 1);
	while (n < 0 && errno == EINTR);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (!strcmp(text, "ok"))
		return 0;
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': %s", app->name,
			*text ? text : "its console was killed");
}

static int get_owner(const struct app *app, uid_t *owner)
{
	struct manifest m = {};
	struct idmap map = {};
	int err = container_read(app->store, app->name, &m);

	if (!err)
		err = container_idmap(app->name, &m, &map);
	if (!err)
		*owner = map.count ? map.first : 0;
	manifest_free(&m);
	return err;
}

/*
 * A fork in control group @group from its first moment on: moving there would take longer than all else.
 * The C library knows nothing of it, which in a process of one thread matters only to its locks of
 * a kind that is not used here.
 */
static pid_t fork_into(int group)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = group,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

static int start_keeper(const struct app *app, int group, uid_t owner, int *pending)
{
	int report[2], err = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC))
		return dre_fail_errno(errno, "container '%s'", app->name);
	pid = fork_into(group);
	if (!pid) {
		dup2(report[1], 3);
		close_range(4, ~0U, 0);	/* one may be a lock */
		console_keep(app, owner, 3);
	}
	err = pid < 0 ? dre_fail_errno(errno, "container '%s'", app->name) : 0;
	close(report[1]);
	if (err)
		close(report[0]);
	else
		*pending = report[0];
	return err;
}

int app_console_begin(const struct app *app, int *pending)
{
	char path[APP_GROUP_SIZE];
	int group, err;
	uid_t owner;
	bool runs;

	*pending = -1;
	app_group("console", app->name, path);
	err = cgroupfs_populated(path, &runs);
	if (err || runs)
		return err;
	err = get_owner(app, &owner);
	if (!err)
		err = app_group_make(path, &group);
	if (err)
		return err;
	err = start_keeper(app, group, owner, pending);
	close(group);
	return err;
}

int app_console_end(const struct app *app, int pending)
{
	int err = pending < 0 ? 0 : read_report(app, pending);

	if (pending >= 0)
		close(pending);
	return err;
}

int app_console_start(const struct app *app)
{
	int pending, err = app_console_begin(app, &pending);

	return err ? err : app_console_end(app, pending);
}

/* Lets the keeper write what it has still got. */
static void end_keeper(const char *path)
{
	struct pollfd pollfd = { .events = POLLIN };
	char pid[32];
	int group;

	if (cgroupfs_open_group(path, &group))
		return;
	if (!cgroupfs_get(group, "cgroup.procs", pid, sizeof(pid)) && *pid) {
		pollfd.fd = syscall(SYS_pidfd_open, atoi(pid), 0);
		if (pollfd.fd >= 0) {
			syscall(SYS_pidfd_send_signal, pollfd.fd, SIGTERM, NULL, 0);
			poll(&pollfd, 1, END_TIMEOUT);
			close(pollfd.fd);
		}
	}
	close(group);
}

int app_console_stop(const struct app *app)
{
	char group[APP_GROUP_SIZE], path[PATH_MAX];
	int err;

	app_group("console", app->name, group);
	end_keeper(group);
	err = cgroupfs_kill(group);
	if (!err)
		err = cgroupfs_remove(group);
	if (!err)
		err = app_path(app->store, app->name, CONSOLE_TTY, path);
	if (err)
		return err;
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	unlink(path);
	app_path(app->store, app->name, CONSOLE_SOCKET, path);
	unlink(path);
	return 0;
}

static int no_console(const struct app *app)
{
	return dre_fail(DRE_ERR_DEVICE_BUSY,
			"container '%s' has no console: it was killed, or nobody gave it one",
			app->name);
}

int app_console_open(const struct app *app, int *fd, char id[APP_CONSOLE_ID_SIZE])
{
	char path[PATH_MAX], name[32];
	struct stat st, other;
	int named, err = app_path(app->store, app->name, CONSOLE_TTY, path);

	if (err)
		return err;
	*fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) || !S_ISCHR(st.st_mode)) {
		if (*fd >= 0)
			close(*fd);
		return no_console(app);
	}
	snprintf(id, APP_CONSOLE_ID_SIZE, "tty[%llx:%llx]", (long long)st.st_rdev,
		 (long long)st.st_dev);
	/* By its own name: who gets it in the container shall not see the store's. */
	snprintf(name, sizeof(name), "/dev/pts/%u", minor(st.st_rdev));
	named = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (named >= 0 && !fstat(named, &other) && other.st_dev == st.st_dev &&
	    other.st_ino == st.st_ino) {
		close(*fd);
		*fd = named;
	} else if (named >= 0) {
		close(named);
	}
	return 0;
}

static int open_socket(const struct app *app, int *fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char path[PATH_MAX];
	int dir, err = app_path(app->store, app->name, "", path);

	if (err)
		return err;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*fd = dir < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0) {
		err = dre_fail_errno(errno, "%s", path);
	} else {
		/* Its path may be too long for a socket's. */
		snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" CONSOLE_SOCKET,
			 dir);
		if (connect(*fd, (struct sockaddr *)&addr, sizeof(addr))) {
			err = no_console(app);
			close(*fd);
		}
	}
	if (dir >= 0)
		close(dir);
	return err;
}

dre_return_t dre_app_open_console(const dre_app_handle *h, int *fd)
{
	struct app app;
	int console, err;

	if (!h || !fd)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the file" : "container's handle");
	err = app_begin_handle(&app, h, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = open_socket(&app, &console);
	if (!err)
		*fd = console;
	app_end(&app);
	return err;
}

dre_return_t dre_app_resize_console(const dre_app_handle *h, int rows, int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	char id[APP_CONSOLE_ID_SIZE];
	struct app app;
	int fd, err = app_check_handle(h);

	if (!err && (rows < 1 || columns < 1 || rows > USHRT_MAX || columns > USHRT_MAX))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "a console of %d rows and %d columns is none", rows, columns);
	if (!err)
		err = app_begin(&app, h->name, APP_USE);
	if (err)
		return err;
	err = app_require(&app, APP_RUNNING, APP_RUNNING);
	if (!err)
		err = app_console_open(&app, &fd, id);
	if (!err) {
		if (ioctl(fd, TIOCSWINSZ, &size))
			err = dre_fail_errno(errno, "the console of container '%s'", app.name);
		close(fd);
	}
	app_end(&app);
	return err;
}
