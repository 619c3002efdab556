// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * liblxc's monitor, as it is seen from outside: who listens at its address. That is an abstract one, which anybody on the
 * host may take: who is not root is not the monitor, and is not waited for.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app.h"

enum listener { NOBODY, MONITOR, STRANGER };

/* FNV-1a, of 64 bits. */
static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash;
}

/* As liblxc makes it: where there is no room, also for a 0 at the end, a hash stands for the path and the name. */
static socklen_t make_address(const struct app *app, struct sockaddr_un *addr)
{
	const size_t room = sizeof(addr->sun_path) - 2;
	char path[PATH_MAX + DRE_NAME_MAX];
	int len;

	snprintf(path, sizeof(path), "%s/lxc/%s", store_root(app->store), app->name);
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(addr->sun_path + 1, room, "%s/command", path);
	if (len >= (int)room)
		len = snprintf(addr->sun_path + 1, room, "lxc/%016" PRIx64 "/command", hash_text(path));
	return offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

/* Is this the socket with that name, and a user's? */
static bool is_users(struct nlmsghdr *message, const char *name, size_t len)
{
	struct unix_diag_msg *socket = NLMSG_DATA(message);
	int left = message->nlmsg_len - NLMSG_LENGTH(sizeof(*socket));
	__u32 uid = 0;
	bool same = false;

	for (struct rtattr *a = (void *)(socket + 1); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == UNIX_DIAG_NAME)
			same = RTA_PAYLOAD(a) == len && !memcmp(RTA_DATA(a), name, len);
		else if (a->rta_type == UNIX_DIAG_UID)
			memcpy(&uid, RTA_DATA(a), sizeof(uid));
	}
	return same && uid;
}

/* Of all that listen. Where the kernel cannot tell nobody is a stranger. */
static bool find_users(int netlink, const char *name, size_t len)
{
	static const struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
		.head = { .nlmsg_len = sizeof(request), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_UNIX, .udiag_states = 1 << TCP_LISTEN,
			  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID },
	};
	char buffer[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t got = send(netlink, &request, sizeof(request), 0);

	while (got > 0 && (got = recv(netlink, buffer, sizeof(buffer), 0)) > 0) {
		size_t left = got;

		for (struct nlmsghdr *m = (void *)buffer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
			if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR)
				return false;
			if (m->nlmsg_type == SOCK_DIAG_BY_FAMILY && is_users(m, name, len))
				return true;
		}
	}
	return false;
}

static bool is_strangers(const struct sockaddr_un *addr, socklen_t len)
{
	int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool is = netlink >= 0 && find_users(netlink, addr->sun_path, len - offsetof(struct sockaddr_un, sun_path));

	if (netlink >= 0)
		close(netlink);
	return is;
}

/* The kernel notes who began to listen, and tells who connects. One whose queue is full is asked for. */
static enum listener find_listener(const struct app *app)
{
	struct ucred who = {};
	struct sockaddr_un addr;
	socklen_t len = make_address(app, &addr), size = sizeof(who);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	enum listener found = NOBODY;

	if (fd < 0)	/* who cannot ask does not take it for stopped */
		return MONITOR;
	if (!connect(fd, (struct sockaddr *)&addr, len))
		found = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) && who.uid ? STRANGER : MONITOR;
	else if (errno == EAGAIN)
		found = is_strangers(&addr, len) ? STRANGER : MONITOR;
	close(fd);
	return found;
}

bool app_monitor_listens(const struct app *app)
{
	return find_listener(app) == MONITOR;
}

int app_check_address(const struct app *app)
{
	struct sockaddr_un addr;

	if (find_listener(app) != STRANGER)
		return 0;
	make_address(app, &addr);
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': a user listens where liblxc's monitor would "
			"(\"ss -lxp\" shows who, at @%s)", app->name, addr.sun_path + 1);
}
