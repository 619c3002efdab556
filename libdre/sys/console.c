// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Being at the console of a machine.
 *
 * A pty gives each byte to one reader only, and so does libvirt's stream of it. So what the guest writes is
 * read from the log, by as many as like, and only what is typed goes to the pty. QEMU waits for whoever has
 * a pty open to read it: so that is done, too, and what comes of it is thrown away.
 *
 * A thread does it for each user: it has only what is in struct pump.
 */
#include <errno.h>
#include <fcntl.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log_reader.h"
#include "console.h"

/* How long a guest may take to read what is typed, and the log to get its last lines; milliseconds. */
#define TYPE_TIMEOUT	1000
#define END_TIMEOUT	500

struct pump {
	int user, pty;
	struct log_reader *log;
	char out[4096];		/* what the user has not taken yet */
	size_t len, at;
};

static void end_pump(struct pump *p)
{
	if (p->user >= 0)
		close(p->user);
	if (p->pty >= 0)
		close(p->pty);
	log_reader_close(p->log);
	free(p);
}

/* False if the user has gone, or the log cannot be read. */
static bool show(struct pump *p)
{
	ssize_t n;

	for (;;) {
		if (p->at == p->len) {
			p->at = p->len = 0;
			if (log_reader_read(p->log, p->out, sizeof(p->out), &p->len))
				return false;
			if (!p->len)
				return true;
		}
		n = send(p->user, p->out + p->at, p->len - p->at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		p->at += n;
	}
}

/* What the guest does not take in time is lost, as on a serial line. False when nothing more is typed. */
static bool type(struct pump *p)
{
	struct pollfd pty = { .fd = p->pty, .events = POLLOUT };
	char keys[256];
	ssize_t n, len = recv(p->user, keys, sizeof(keys), MSG_DONTWAIT);

	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	for (ssize_t at = 0; at < len; at += n) {
		n = write(p->pty, keys + at, len - at);
		if (n >= 0)
			continue;
		n = 0;
		if (errno != EINTR && (errno != EAGAIN || poll(&pty, 1, TYPE_TIMEOUT) < 1))
			break;
	}
	return true;
}

/* False when its other side, the machine, is gone. */
static bool drain(struct pump *p)
{
	char lost[4096];
	ssize_t n = read(p->pty, lost, sizeof(lost));

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The machine is gone; its last lines may still be on their way, and the user slow. */
static void show_rest(struct pump *p)
{
	struct pollfd fds[] = {
		{ .fd = log_reader_fd(p->log), .events = POLLIN },
		{ .fd = p->user },
	};

	while (show(p)) {
		fds[0].events = p->at < p->len ? 0 : POLLIN;
		fds[1].events = p->at < p->len ? POLLOUT : 0;
		if (poll(fds, 2, END_TIMEOUT) < 1 || fds[1].revents & (POLLHUP | POLLERR))
			return;
	}
}

static void *run(void *arg)
{
	struct pump *p = arg;
	struct pollfd fds[] = {
		{ .fd = p->user },
		{ .fd = p->pty, .events = POLLIN },
		{ .fd = log_reader_fd(p->log) },
	};

	while (show(p)) {
		bool waits = p->at < p->len;

		fds[0].events = POLLIN | (waits ? POLLOUT : 0);
		fds[2].events = waits ? 0 : POLLIN;
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents && !drain(p)) {
			show_rest(p);
			break;
		}
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR) && !type(p))
			break;
	}
	end_pump(p);
	return NULL;
}

/* Signals are for the program's own threads. */
static int start_pump(struct pump *p)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = pthread_create(&thread, &attr, run, p);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

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
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': its machine has no console that can be opened",
			sys->name);
}

static int fill_pump(struct pump *p, const struct sys *sys)
{
	static const char *const names[] = CONSOLE_LOG_FILES(CONSOLE_LOG);
	char path[PATH_MAX];
	struct log_reader_how how = { .dir = path, .names = names, .at_end = true };
	int err = sys_path(sys, "", path);

	if (!err)
		err = log_reader_open(&p->log, &how);
	return err ? err : open_pty(sys, &p->pty);
}

static int make_console(const struct sys *sys, int *fd)
{
	struct pump *p = calloc(1, sizeof(*p));
	int ends[2] = { -1, -1 }, err;

	if (!p)
		return dre_fail_errno(ENOMEM, "the console of container '%s'", sys->name);
	p->user = p->pty = -1;
	err = fill_pump(p, sys);
	if (!err && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		err = dre_fail_errno(errno, "the console of container '%s'", sys->name);
	p->user = ends[0];
	if (!err) {
		err = start_pump(p);
		if (err)
			err = dre_fail_errno(err, "the console of container '%s'", sys->name);
	}
	if (!err) {
		*fd = ends[1];
		return 0;
	}
	if (ends[1] >= 0)
		close(ends[1]);
	end_pump(p);
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
