// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log of a machine's console.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log_reader.h"
#include "console.h"
#include "shared.h"

static const char *const now[] = CONSOLE_LOG_FILES(CONSOLE_LOG);
static const char *const before[] = CONSOLE_LOG_FILES(CONSOLE_PREVIOUS);

/* What cannot be renamed goes on to be the log of this run, too. */
void sys_begin_log(const struct sys *sys)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (size_t i = 0; now[i]; i++) {
		if (sys_path(sys, now[i], from) || sys_path(sys, before[i], to))
			return;
		if (rename(from, to) && errno == ENOENT)
			unlink(to);
	}
}

/* There is only the one kind of reader. */
static struct log_reader *reader(const dre_sys_log *log)
{
	return (struct log_reader *)log;
}

/* libvirt is not asked: whatever it says, it is there. */
static int find_log(const dre_sys_handle *h, char path[PATH_MAX])
{
	struct sys sys = {};
	int err = sys_open_store_of(&sys.config, h->name, &sys.store, &sys.shared);

	snprintf(sys.name, sizeof(sys.name), "%s", h->name);
	if (!err)
		err = container_check_exists(sys.store, h->name);
	if (!err)
		err = sys_path(&sys, "", path);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_log_open(const dre_sys_handle *h, int previous, dre_sys_log **log)
{
	char path[PATH_MAX];
	struct log_reader_how how = {
		.dir = path, .names = previous ? before : now, .ended = previous, .newlines = true,
	};
	struct log_reader *l;
	int err;

	if (!h || !log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the log" : "container's handle");
	err = sys_check_handle(h);
	if (!err)
		err = find_log(h, path);
	if (!err)
		err = log_reader_open(&l, &how);
	if (!err)
		*log = (dre_sys_log *)l;
	return err;
}

int dre_sys_log_fd(const dre_sys_log *log)
{
	return log_reader_api_fd(reader(log));
}

dre_return_t dre_sys_log_read(dre_sys_log *log, void *buf, size_t size, size_t *len)
{
	return log_reader_api_read(reader(log), buf, size, len);
}

dre_return_t dre_sys_log_close(dre_sys_log *log)
{
	return log_reader_api_close(reader(log));
}
