// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The payload's pipes and sockets. There is a message in each, which stays there from one use to the next.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "payload.h"

#define MESSAGE	"what was sent before"

#define ARRAY_END(a)	((a) + sizeof(a) / sizeof(*(a)))

struct channel {
	const char *name;
	void (*make)(struct channel *c);
	bool forgets;	/* CRIU drops what is in it */
	int in, out;
};

bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	int ready;

	while ((ready = poll(&p, 1, 5000)) < 0 && errno == EINTR)	/* a timer's signal */
		;
	return ready == 1 && p.revents == POLLIN;
}

static bool send_message(const struct channel *c)
{
	return write(c->in, MESSAGE, sizeof(MESSAGE)) == sizeof(MESSAGE);
}

static bool receive_message(const struct channel *c)
{
	char text[64];

	return is_readable(c->out) && read(c->out, text, sizeof(text)) == sizeof(MESSAGE) && !strcmp(text, MESSAGE);
}

static bool channel_holds(const struct channel *c)
{
	if (c->forgets)
		return send_message(c) && receive_message(c);
	return receive_message(c) && send_message(c);
}

static void make_pipe(struct channel *c)
{
	int ends[2];

	if (pipe(ends))
		err(1, "pipe");
	c->in = ends[1];
	c->out = ends[0];
}

static void make_fifo(struct channel *c)
{
	unlink("/fifo");
	if (mkfifo("/fifo", 0600))
		err(1, "/fifo");
	c->in = c->out = open("/fifo", O_RDWR);
}

static void make_socket_pair(struct channel *c)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		err(1, "socketpair");
	c->in = ends[1];
	c->out = ends[0];
}

/* A socket that others reach at @addr. */
static int bound_socket(int type, struct sockaddr *addr, socklen_t *len)
{
	int fd = socket(addr->sa_family, type, 0);

	if (bind(fd, addr, *len) || getsockname(fd, addr, len))
		err(1, "bind");
	return fd;
}

/* -1 if nobody is there. */
static int connected_socket(int type, const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(addr->sa_family, type, 0);

	if (!connect(fd, addr, len))
		return fd;
	close(fd);
	return -1;
}

static void make_udp(struct channel *c)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	c->out = bound_socket(SOCK_DGRAM, (struct sockaddr *)&addr, &len);
	c->in = connected_socket(SOCK_DGRAM, (struct sockaddr *)&addr, len);
}

static void make_datagrams(struct channel *c)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/datagrams" };
	socklen_t len = sizeof(addr);

	unlink(addr.sun_path);
	c->out = bound_socket(SOCK_DGRAM, (struct sockaddr *)&addr, &len);
	c->in = connected_socket(SOCK_DGRAM, (struct sockaddr *)&addr, len);
}

static struct channel channels[] = {
	{ .name = "pipe", .make = make_pipe },
	{ .name = "FIFO", .make = make_fifo },
	{ .name = "socket pair", .make = make_socket_pair },
	{ .name = "UDP", .make = make_udp, .forgets = true },
	{ .name = "UNIX datagrams", .make = make_datagrams },
};

/*
 * Who listens, on any address: who connects to that comes by the loopback. And a connection to it, unless it is to be
 * alone.
 */
static struct listener {
	const char *name;
	int type;
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} addr;
	int fd;
	bool is_alone;
	struct channel connection;
} listeners[] = {
#define LISTENER(what, how, family, ...) \
	{ .name = (what), .type = (how), .len = sizeof(struct sockaddr_##family), .addr.family = __VA_ARGS__ }
	LISTENER("TCP", SOCK_STREAM, in, { .sin_family = AF_INET }),
	LISTENER("TCP listener", SOCK_STREAM, in, { .sin_family = AF_INET }, .is_alone = true),
	LISTENER("TCP by IPv6", SOCK_STREAM, in6, { .sin6_family = AF_INET6 }),
	LISTENER("UNIX socket", SOCK_STREAM, un, { AF_UNIX, "/socket" }),
	LISTENER("UNIX packets", SOCK_SEQPACKET, un, { AF_UNIX, "/packets" }),
	LISTENER("abstract UNIX socket", SOCK_STREAM, un, { AF_UNIX, "\0payload" }),
	LISTENER("UNIX listener", SOCK_STREAM, un, { AF_UNIX, "/listener" }, .is_alone = true),
};

static void connect_to(const struct listener *l, struct channel *c)
{
	c->in = connected_socket(l->type, &l->addr.any, l->len);
	c->out = c->in < 0 ? -1 : accept(l->fd, NULL, NULL);
}

static void make_listener(struct listener *l)
{
	if (l->addr.any.sa_family == AF_UNIX)
		unlink(l->addr.un.sun_path);
	l->fd = bound_socket(l->type, &l->addr.any, &l->len);
	if (listen(l->fd, 4))
		err(1, "listen");
	if (!l->is_alone) {
		connect_to(l, &l->connection);
		send_message(&l->connection);
	}
}

/* By its connection, and by another one. */
static bool listener_holds(const struct listener *l)
{
	struct channel c;
	bool holds;

	if (!l->is_alone && !channel_holds(&l->connection))
		return false;
	connect_to(l, &c);
	holds = send_message(&c) && receive_message(&c);
	close(c.in);
	close(c.out);
	return holds;
}

void make_channels(void)
{
	for (struct channel *c = channels; c < ARRAY_END(channels); c++) {
		c->make(c);
		if (!c->forgets)
			send_message(c);
	}
	for (struct listener *l = listeners; l < ARRAY_END(listeners); l++)
		make_listener(l);
}

void use_channels(void (*lost)(const char *name))
{
	for (const struct channel *c = channels; c < ARRAY_END(channels); c++)
		if (!channel_holds(c))
			lost(c->name);
	for (const struct listener *l = listeners; l < ARRAY_END(listeners); l++)
		if (!listener_holds(l))
			lost(l->name);
}
