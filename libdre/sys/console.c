// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Being at the console of a machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "console_pump.h"

/* "/dev/pts/3"; the caller frees it. NULL: there is none. */
static char *find_pty(const struct sys *sys)
{
	static const char path[] = "string(/domain/devices/serial[1]/source/@path)";
	char *xml = virDomainGetXMLDesc(sys->domain, 0), *found = NULL;
	xmlDocPtr doc = xml ? xmlReadMemory(xml, strlen(xml), NULL, NULL, XML_PARSE_NONET |
					    XML_PARSE_NOERROR | XML_PARSE_NOWARNING) : NULL;
	xmlXPathContextPtr context = doc ? xmlXPathNewContext(doc) : NULL;
	xmlXPathObjectPtr object = context ? xmlXPathEvalExpression((const xmlChar *)path, context) : NULL;

	if (object && object->type == XPATH_STRING && *object->stringval == '/')
		found = strdup((const char *)object->stringval);
	xmlXPathFreeObject(object);
	xmlXPathFreeContext(context);
	xmlFreeDoc(doc);
	free(xml);
	return found;
}

static int open_pty(const struct sys *sys, int *fd)
{
	char *path = find_pty(sys);

	*fd = path ? open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
	free(path);
	if (*fd >= 0 && isatty(*fd))
		return 0;
	if (*fd >= 0)
		close(*fd);
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': its machine has no console that can be opened",
			sys->name);
}

static int open_log(const struct sys *sys, struct log_reader **log)
{
	struct console_log files;
	char path[PATH_MAX];
	struct log_reader_how how = { .dir = path, .names = files.names, .newest = console_newest, .at_end = true };
	int err = sys_path(sys, "", path);

	if (!err)
		err = console_log_files(path, CONSOLE_LOG, &files);
	return err ? err : log_reader_open(log, &how);
}

static int make_console(const struct sys *sys, int *fd)
{
	struct log_reader *log;
	int pty, err = open_log(sys, &log);

	if (err)
		return err;
	err = open_pty(sys, &pty);
	if (!err) {
		err = pump_start(pty, log, fd);
		if (!err)
			return 0;
		err = dre_fail_errno(-err, "the console of container '%s'", sys->name);
		close(pty);
	}
	log_reader_close(log);
	return err;
}

dre_return_t dre_sys_open_console(const dre_sys_handle *h, int *fd)
{
	struct sys sys;
	int err;

	if (!h || !fd)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the file" : "container's handle");
	err = sys_begin_handle(&sys, h, SYS_USE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_RUNNING);
	if (!err)
		err = make_console(&sys, fd);
	sys_end(&sys);
	return err;
}
