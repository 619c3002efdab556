// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading the log of a container's console.
 */
#include "common/log_reader.h"
#include "console.h"

/* There is only the one kind of reader. */
static struct log_reader *reader(const dre_app_log *log)
{
	return (struct log_reader *)log;
}

dre_return_t dre_app_log_open(const dre_app_handle *h, int previous, dre_app_log **log)
{
	static const char *const now[] = { CONSOLE_LOG, CONSOLE_LOG_OLD, NULL };
	static const char *const before[] = { CONSOLE_PREVIOUS, CONSOLE_PREVIOUS_OLD, NULL };
	char path[PATH_MAX];
	struct log_reader_how how = { .dir = path, .names = previous ? before : now, .ended = previous };
	struct log_reader *l;
	struct app app;
	int err;

	if (!h || !log)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the log" : "container's handle");
	err = app_begin_handle(&app, h, APP_LOOK);
	if (err)
		return err;
	err = app_path(app.store, app.name, "", path);
	if (!err)
		err = log_reader_open(&l, &how);
	app_end(&app);
	if (!err)
		*log = (dre_app_log *)l;
	return err;
}

int dre_app_log_fd(const dre_app_log *log)
{
	return log_reader_api_fd(reader(log));
}

dre_return_t dre_app_log_read(dre_app_log *log, void *buf, size_t size, size_t *len)
{
	return log_reader_api_read(reader(log), buf, size, len);
}

dre_return_t dre_app_log_close(dre_app_log *log)
{
	return log_reader_api_close(reader(log));
}
