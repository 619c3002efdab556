// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A pty gives each byte to one reader only, and so does libvirt's stream of it. So what the guest writes is
 * read from the log, by as many as like, and only what is typed goes to the pty. QEMU waits for whoever has
 * a pty open to read it: so that is done, too, and what comes of it is thrown away.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log_reader.h"
#include "console_pump.h"

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
	close(p->user);
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
static int start_thread(struct pump *p)
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

int pump_start(int pty, struct log_reader *log, int *fd)
{
	struct pump *p = calloc(1, sizeof(*p));
	int ends[2], err = 0;

	if (!p)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		err = -errno;
		free(p);
		return err;
	}
	p->user = ends[0];
	p->pty = pty;
	p->log = log;
	err = start_thread(p);
	if (!err) {
		*fd = ends[1];
		return 0;
	}
	close(ends[0]);
	close(ends[1]);
	free(p);
	return -err;
}
