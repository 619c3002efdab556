// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * liblxc's monitor, as it is seen from outside: who listens at its address. That is an abstract one, which anybody on the
 * host may take: who is not root is not the monitor, and is not waited for.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app.h"

enum listener { NOBODY, MONITOR, STRANGER };

/* As liblxc makes it. Where it has no room liblxc takes another one, a hash: 0. */
static socklen_t make_address(const struct app *app, struct sockaddr_un *addr)
{
	int len = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1, "%s/lxc/%s/command",
			   store_root(app->store), app->name);

	addr->sun_family = AF_UNIX;
	return len < (int)sizeof(addr->sun_path) - 1 ? offsetof(struct sockaddr_un, sun_path) + 1 + len : 0;
}

static enum listener ask_liblxc(const struct app *app)
{
	struct lxc_container *lxc;

	return !app_lxc(app, &lxc) && lxc->is_running(lxc) ? MONITOR : NOBODY;
}

/* The kernel notes who began to listen. One whose queue is full is taken for a monitor that is busy. */
static enum listener find_listener(const struct app *app, struct ucred *who)
{
	struct sockaddr_un addr = {};
	socklen_t len = make_address(app, &addr), size = sizeof(*who);
	enum listener found = NOBODY;
	int fd;

	*who = (struct ucred){};
	fd = len ? socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0)
		return ask_liblxc(app);
	if (!connect(fd, (struct sockaddr *)&addr, len))
		found = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size) && who->uid ? STRANGER : MONITOR;
	else if (errno == EAGAIN)
		found = MONITOR;
	close(fd);
	return found;
}

bool app_monitor_listens(const struct app *app)
{
	struct ucred who;

	return find_listener(app, &who) == MONITOR;
}

int app_check_address(const struct app *app)
{
	struct ucred who;

	if (find_listener(app, &who) != STRANGER)
		return 0;
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': process %d of user %u listens where liblxc's monitor would",
			app->name, who.pid, who.uid);
}
