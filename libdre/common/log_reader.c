// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "log_reader.h"

struct log_reader {
	int dir;
	int notify;
	int files[LOG_READER_FILES];	/* still to be read; the next one is the last of them */
	size_t nr;
	char name[32];			/* of the newest one */
	void (*newest)(int dir, char *name, size_t size);
	bool newlines;
	size_t cr;			/* carriage returns that may belong to the end of a line */
	char raw[4096];			/* as it is, to be made lines of */
	size_t len, at;
};

static int open_file(const struct log_reader *log, const char *name)
{
	return openat(log->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_same(int fd, int other)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * The newest one first: its writer may make the next older one of it at any time, and it is not to
 * be missed, nor read twice.
 */
static void open_files(struct log_reader *log, const struct log_reader_how *how)
{
	for (size_t i = 0; i < LOG_READER_FILES && how->names[i]; i++) {
		int fd = open_file(log, how->names[i]);

		if (fd < 0)
			continue;
		if (log->nr && is_same(fd, log->files[log->nr - 1])) {
			close(fd);
			continue;
		}
		log->files[log->nr++] = fd;
		if (how->at_end) {
			lseek(fd, 0, SEEK_END);
			break;
		}
	}
}

static int watch(const struct log_reader *log)
{
	char dir[sizeof("/proc/self/fd/") + 10];

	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", log->dir);
	return inotify_add_watch(log->notify, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE |
				 IN_DELETE_SELF);
}

int log_reader_open(struct log_reader **log, const struct log_reader_how *how)
{
	struct log_reader *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return dre_fail_errno(ENOMEM, "the log in %s", how->dir);
	snprintf(l->name, sizeof(l->name), "%s", how->names[0]);
	l->newest = how->newest;
	l->newlines = how->newlines;
	l->dir = open(how->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	l->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (l->dir < 0 || l->notify < 0 || (!how->ended && watch(l) < 0)) {
		err = dre_fail_errno(errno, "%s", how->dir);
		log_reader_close(l);
		return err;
	}
	open_files(l, how);
	*log = l;
	return 0;
}

int log_reader_fd(const struct log_reader *log)
{
	return log->notify;
}

/* What is said of changes before we look is of no interest any more. */
static void forget_notes(const struct log_reader *log)
{
	char notes[4096];

	while (read(log->notify, notes, sizeof(notes)) > 0)
		;
}

/*
 * The newest one was read to its end: is it still that? If not it has all that it will get now, and is
 * read once more, before the one that has taken its place.
 */
static bool next_file(struct log_reader *log)
{
	int fd;

	if (log->newest)
		log->newest(log->dir, log->name, sizeof(log->name));
	fd = open_file(log, log->name);
	if (fd < 0)
		return false;
	if (log->nr && is_same(fd, log->files[0])) {
		close(fd);
		return false;
	}
	if (log->nr)
		log->files[log->nr] = log->files[0];
	log->files[0] = fd;
	log->nr++;
	return true;
}

static ssize_t read_files(struct log_reader *log, char *buf, size_t size)
{
	ssize_t n;

	do {
		n = 0;
		while (log->nr) {
			n = read(log->files[log->nr - 1], buf, size);
			if (n || log->nr == 1)
				break;
			close(log->files[--log->nr]);
		}
		if (n)
			return n;
	} while (next_file(log));
	return 0;
}

/*
 * Takes the carriage returns away that end a line, also where a program says CR LF and the terminal
 * makes CR CR LF of it: what they are is known when the next character is.
 */
static size_t make_newlines(struct log_reader *log, char *buf, size_t size)
{
	size_t to = 0;

	while (to < size && log->at < log->len) {
		char c = log->raw[log->at];

		if (c == '\r') {
			log->cr++;
			log->at++;
			continue;
		}
		if (c == '\n')
			log->cr = 0;
		if (log->cr) {
			log->cr--;
			c = '\r';
		} else {
			log->at++;
		}
		buf[to++] = c;
	}
	return to;
}

static ssize_t read_lines(struct log_reader *log, char *buf, size_t size)
{
	size_t given;
	ssize_t n;

	while (!(given = make_newlines(log, buf, size))) {
		n = read_files(log, log->raw, sizeof(log->raw));
		if (n <= 0)
			return n;
		log->at = 0;
		log->len = n;
	}
	return given;
}

int log_reader_read(struct log_reader *log, char *buf, size_t size, size_t *len)
{
	ssize_t n;

	forget_notes(log);
	n = log->newlines ? read_lines(log, buf, size) : read_files(log, buf, size);
	if (n < 0)
		return dre_fail_errno(errno, "the log of a console");
	*len = n;
	return 0;
}

void log_reader_close(struct log_reader *log)
{
	if (!log)
		return;
	while (log->nr)
		close(log->files[--log->nr]);
	if (log->notify >= 0)
		close(log->notify);
	if (log->dir >= 0)
		close(log->dir);
	free(log);
}

int log_reader_api_fd(const struct log_reader *log)
{
	if (!log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the log is NULL");
	return log_reader_fd(log);
}

int log_reader_api_read(struct log_reader *log, void *buf, size_t size, size_t *len)
{
	if (!log || !buf || !len)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				!log ? "log" : !buf ? "buffer" : "pointer to the length");
	if (!size)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the buffer has no bytes");
	return log_reader_read(log, buf, size, len);
}

int log_reader_api_close(struct log_reader *log)
{
	if (!log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the log is NULL");
	log_reader_close(log);
	return 0;
}
