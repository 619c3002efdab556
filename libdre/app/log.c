// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading the log of a container's console.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

struct dre_app_log {
	int dir;		/* STORE/lxc/NAME */
	int notify;
	int old;		/* what comes first, until it is read; or -1 */
	int now;		/* or -1 */
	const char *name;	/* of the second one */
};

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int open_file(const struct dre_app_log *log, const char *name)
{
	return openat(log->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_same(int fd, int other)
{
	struct stat a, b;

	return fd >= 0 && other >= 0 && !fstat(fd, &a) && !fstat(other, &b) && a.st_ino == b.st_ino;
}

/* The second file is opened first: the keeper may make the first one of it at any time. */
static int open_log(struct dre_app_log *log, const char *path, bool previous)
{
	char dir[sizeof("/proc/self/fd/") + 10];

	log->name = previous ? CONSOLE_PREVIOUS : CONSOLE_LOG;
	log->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	log->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (log->dir < 0 || log->notify < 0)
		return dre_fail_errno(errno, "%s", path);
	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", log->dir);
	if (!previous && inotify_add_watch(log->notify, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO |
					   IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
		return dre_fail_errno(errno, "%s", path);
	log->now = open_file(log, log->name);
	log->old = open_file(log, previous ? CONSOLE_PREVIOUS_OLD : CONSOLE_LOG_OLD);
	if (is_same(log->now, log->old)) {
		close(log->old);
		log->old = -1;
	}
	return 0;
}

dre_return_t dre_app_log_open(const dre_app_handle *h, int previous, dre_app_log **log)
{
	char path[PATH_MAX];
	struct dre_app_log *l;
	struct app app;
	int err;

	if (!h || !log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the log" : "container's handle");
	err = app_begin_handle(&app, h, APP_LOOK);
	if (err)
		return err;
	err = app_path(app.store, app.name, "", path);
	l = err ? NULL : calloc(1, sizeof(*l));
	if (l) {
		l->dir = l->notify = l->old = l->now = -1;
		err = open_log(l, path, previous);
	} else if (!err) {
		err = dre_fail_errno(ENOMEM, "the log of container '%s'", app.name);
	}
	app_end(&app);
	if (!err)
		*log = l;
	else if (l)
		dre_app_log_close(l);
	return err;
}

int dre_app_log_fd(const dre_app_log *log)
{
	if (!log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the log is NULL");
	return log->notify;
}

/* What is said of changes before we look is of no interest any more. */
static void forget_notes(const struct dre_app_log *log)
{
	char notes[4096];

	while (read(log->notify, notes, sizeof(notes)) > 0)
		;
}

/* A new file has taken the place of the one that was read to its end. */
static bool next_file(struct dre_app_log *log)
{
	int fd = open_file(log, log->name);

	if (fd < 0 || is_same(fd, log->now)) {
		close_if_open(fd);
		return false;
	}
	/* The old one has all that it will get now; it is read once more. */
	close_if_open(log->old);
	log->old = log->now;
	log->now = fd;
	return true;
}

static ssize_t read_files(struct dre_app_log *log, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = log->old >= 0 ? read(log->old, buf, size) : 0;
		if (n)
			return n;
		close_if_open(log->old);
		log->old = -1;
		n = log->now >= 0 ? read(log->now, buf, size) : 0;
		if (n)
			return n;
	} while (next_file(log));
	return 0;
}

dre_return_t dre_app_log_read(dre_app_log *log, void *buf, size_t size, size_t *len)
{
	ssize_t n;

	if (!log || !buf || !len)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!log ? "log" : !buf ? "buffer" : "pointer to the length");
	if (!size)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the buffer has no bytes");
	forget_notes(log);
	n = read_files(log, buf, size);
	if (n < 0)
		return dre_fail_errno(errno, "the log of a console");
	*len = n;
	return 0;
}

dre_return_t dre_app_log_close(dre_app_log *log)
{
	if (!log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the log is NULL");
	close_if_open(log->now);
	close_if_open(log->old);
	close_if_open(log->notify);
	close_if_open(log->dir);
	free(log);
	return 0;
}
