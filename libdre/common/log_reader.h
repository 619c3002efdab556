/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a log of several files, of which somebody else writes the newest one, and now and then
 * gives it another name and begins a new one.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set. For one thread at a time.
 */
#ifndef DRE_COMMON_LOG_READER_H
#define DRE_COMMON_LOG_READER_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_READER_FILES	33

struct log_reader;

/* How it is read. */
struct log_reader_how {
	const char *dir;
	/* In @dir, the newest one first, LOG_READER_FILES at most, ended by a NULL. None need be there. */
	const char *const *names;
	/* Names the file that is written to now; NULL: that is always the first of @names. @dir is O_PATH. */
	void (*newest)(int dir, char *name, size_t size);
	bool ended;	/* nobody writes to it any more */
	bool at_end;	/* only what comes from now on */
	bool newlines;	/* ends of lines are newlines, not CR LF as on a terminal */
};

int log_reader_open(struct log_reader **log, const struct log_reader_how *how);

/* Readable when there may be more, for poll(2). Stays the reader's. */
int log_reader_fd(const struct log_reader *log);

/* What comes next; *@len is 0 when all was read. Never waits. @size is from 1. */
int log_reader_read(struct log_reader *log, char *buf, size_t size, size_t *len);

void log_reader_close(struct log_reader *log);	/* NULL is fine */

/* As functions of a program: with the checks of NULL and of @size, see dre_app_log_read(). */
int log_reader_api_fd(const struct log_reader *log);
int log_reader_api_read(struct log_reader *log, void *buf, size_t size, size_t *len);
int log_reader_api_close(struct log_reader *log);

#endif /* DRE_COMMON_LOG_READER_H */
