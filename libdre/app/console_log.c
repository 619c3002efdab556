// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log of a console. It is bounded: a container that prints without end must
 * not fill the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "console.h"
#include "common/file.h"

static void open_log(struct console_log *log)
{
	log->fd = openat(log->dir, CONSOLE_LOG,
			 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	log->size = 0;
}

/* @from becomes @to, also if there is no @from. */
static void replace(int dir, const char *from, const char *to)
{
	if (renameat(dir, from, dir, to) && errno == ENOENT)
		unlinkat(dir, to, 0);
}

void console_log_begin(struct console_log *log, int dir)
{
	*log = (struct console_log){ .dir = dir };
	replace(dir, CONSOLE_LOG_OLD, CONSOLE_PREVIOUS_OLD);
	replace(dir, CONSOLE_LOG, CONSOLE_PREVIOUS);
	open_log(log);
}

static void append(struct console_log *log, const char *data, size_t len)
{
	if (log->fd >= 0 && log->size + len > CONSOLE_LOG_MAX) {
		close(log->fd);
		log->fd = -1;
		replace(log->dir, CONSOLE_LOG, CONSOLE_LOG_OLD);
	}
	if (log->fd < 0)
		open_log(log);
	if (log->fd >= 0 && !file_write_all(log->fd, data, len))
		log->size += len;
}

/* Where a program says CR LF the terminal makes CR CR LF of it. */
void console_log_write(struct console_log *log, const char *data, size_t len)
{
	char out[4096];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\r') {
			log->cr++;
			continue;
		}
		if (data[i] == '\n')
			log->cr = 0;
		if (n + log->cr + 1 > sizeof(out)) {
			append(log, out, n);
			n = 0;
		}
		for (; log->cr && n < sizeof(out) - 1; log->cr--)
			out[n++] = '\r';
		out[n++] = data[i];
	}
	if (n)
		append(log, out, n);
}
