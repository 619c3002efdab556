// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The keeper of a console: a process from the start of the container to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cgroupfs.h"
#include "console.h"

/* More at a time are turned away, and told so. */
#define CLIENTS_MAX	8
#define FULL		"dre: eight are at this console already\r\n"

/*
 * Bytes a second that are read from a container that prints without end: after so many it
 * waits, as it would for a slow terminal, and costs the host next to nothing.
 */
#define RATE		(1024 * 1024)

#define TITLE		"dre-console"

struct keeper {
	int dir;		/* STORE/lxc/NAME */
	int master, slave;	/* of the pty; it lives as long as one of ours is open */
	int listener;
	int signals;
	int clients[CLIENTS_MAX];
	size_t nr_clients;
	struct console_log log;
	char input[1024];	/* typed, and not taken yet: the container may read when it likes */
	size_t input_len;
	long long credit;	/* bytes that may be read; */
	long long counted;	/* as of then, in milliseconds */
};

static int failed(const char *what)
{
	return dre_fail_errno(errno, "its console: %s", what);
}

static int open_pty(struct keeper *k, uid_t owner)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	k->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (k->master < 0 || unlockpt(k->master))
		return failed("/dev/ptmx");
	k->slave = ioctl(k->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (k->slave < 0 || fchown(k->slave, owner, owner) || fchmod(k->slave, 0600) ||
	    ioctl(k->slave, TIOCSWINSZ, &size))
		return failed("its terminal");
	return 0;
}

/* Of one that was killed, and whose names could not be taken away. */
static int remove_name(const struct keeper *k, const char *name)
{
	return unlinkat(k->dir, name, 0) && errno != ENOENT ? failed(name) : 0;
}

/* Where liblxc's configuration has it. A symbolic link would do for liblxc, but not for CRIU. */
static int mount_pty(const struct keeper *k, const struct app *app)
{
	char path[PATH_MAX], slave[32];
	int fd, err = app_path(app->store, app->name, CONSOLE_TTY, path);

	if (!err)
		err = remove_name(k, CONSOLE_TTY);
	if (err)
		return err;
	fd = openat(k->dir, CONSOLE_TTY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(path);
	close(fd);
	snprintf(slave, sizeof(slave), "/proc/self/fd/%d", k->slave);
	return mount(slave, path, NULL, MS_BIND, NULL) ? failed(path) : 0;
}

static int open_socket(struct keeper *k)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int err = remove_name(k, CONSOLE_SOCKET);

	if (err)
		return err;
	/* A path of the store may be too long for a socket's. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/" CONSOLE_SOCKET, k->dir);
	k->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->listener < 0 || bind(k->listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(k->listener, CLIENTS_MAX))
		return failed("its socket");
	return 0;
}

static int open_signals(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	k->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return k->signals < 0 || sigprocmask(SIG_SETMASK, &set, NULL) ? failed("its signals") : 0;
}

static int begin(struct keeper *k, const struct app *app, uid_t owner)
{
	char path[PATH_MAX];
	int err = app_path(app->store, app->name, "", path);

	if (err)
		return err;
	k->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (k->dir < 0)
		return failed(path);
	umask(077);
	err = open_signals(k);
	if (!err)
		err = open_pty(k, owner);
	if (!err)
		err = open_socket(k);
	if (!err)
		err = mount_pty(k, app);
	if (!err)
		console_log_begin(&k->log, k->dir);
	return err;
}

static void drop_client(struct keeper *k, size_t i)
{
	close(k->clients[i]);
	k->clients[i] = k->clients[--k->nr_clients];
}

/* It would get an error in place of the end if what it has typed was not read. */
static void turn_away(int fd)
{
	char keys[256];

	send(fd, FULL, strlen(FULL), MSG_NOSIGNAL);
	recv(fd, keys, sizeof(keys), 0);
	close(fd);
}

static void accept_client(struct keeper *k)
{
	int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && k->nr_clients < CLIENTS_MAX) {
		k->clients[k->nr_clients++] = fd;
	} else if (fd >= 0) {
		turn_away(fd);
	}
}

/* To all. Who does not read misses it: nobody else waits for that. */
static void print(struct keeper *k, const char *data, size_t len)
{
	console_log_write(&k->log, data, len);
	for (size_t i = k->nr_clients; i-- > 0; )
		if (send(k->clients[i], data, len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			drop_client(k, i);
}

/* False when there is nothing more now. */
static bool read_output(struct keeper *k)
{
	char data[4096];
	ssize_t n = read(k->master, data, sizeof(data));

	if (n <= 0)
		return false;
	k->credit -= n;
	print(k, data, n);
	return true;
}

static void read_client(struct keeper *k, size_t i)
{
	ssize_t n = recv(k->clients[i], k->input, sizeof(k->input), 0);

	if (n > 0)
		k->input_len = n;
	else if (n == 0 || errno != EAGAIN)
		drop_client(k, i);
}

static void write_input(struct keeper *k)
{
	ssize_t n = write(k->master, k->input, k->input_len);

	if (n <= 0)
		return;
	k->input_len -= n;
	memmove(k->input, k->input + n, k->input_len);
}

static void count_credit(struct keeper *k)
{
	struct timespec ts;
	long long now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
	k->credit += (now - k->counted) * RATE / 1000;
	if (k->credit > RATE)
		k->credit = RATE;
	k->counted = now;
}

/* One round of all that there is to do; false when the container has ended. */
static bool serve(struct keeper *k)
{
	struct pollfd fds[3 + CLIENTS_MAX] = {
		{ .fd = k->signals, .events = POLLIN },
		{ .fd = k->listener, .events = POLLIN },
		{ .fd = k->master },
	};
	size_t nr = k->nr_clients;
	bool slow;

	count_credit(k);
	slow = k->credit <= 0;
	fds[2].events = (slow ? 0 : POLLIN) | (k->input_len ? POLLOUT : 0);
	for (size_t i = 0; i < nr; i++)
		fds[3 + i] = (struct pollfd){ k->clients[i], k->input_len ? 0 : POLLIN, 0 };
	if (poll(fds, 3 + nr, slow ? 20 : -1) < 0)
		return true;
	if (fds[0].revents)
		return false;
	if (fds[2].revents & POLLIN)
		read_output(k);
	if (fds[2].revents & POLLOUT)
		write_input(k);
	/* From behind: who is dropped is replaced by the last. */
	for (size_t i = nr; i-- > 0; )
		if (i < k->nr_clients && fds[3 + i].fd == k->clients[i] && fds[3 + i].revents &&
		    !k->input_len)
			read_client(k, i);
	if (fds[1].revents)
		accept_client(k);
	return true;
}

/* What it shows as in ps(1), in place of the arguments of the helper that it comes from. */
static void set_title(void)
{
	char arguments[3 * PATH_MAX];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, arguments, sizeof(arguments));

	if (fd >= 0)
		close(fd);
	if (n > (ssize_t)sizeof(TITLE)) {
		memset(program_invocation_name, 0, n);
		strcpy(program_invocation_name, TITLE);
	}
	prctl(PR_SET_NAME, TITLE);
}

/* Of the hook that it comes from, and of the caller behind that, it keeps nothing. */
static void leave_caller(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close(null);
	setsid();
	set_title();
	(void)!chdir("/");
}

/*
 * The first who moves to a control group, after a while in which nobody did, waits until all processors
 * have noticed (rcu_sync of cgroup_threadgroup_rwsem): some milliseconds. liblxc's monitor, which is
 * about to be, would be the one who waits. It is us, who have time, and go to where we are.
 */
static void wait_for_others(const struct app *app)
{
	char path[APP_GROUP_SIZE];
	int group;

	app_group("console", app->name, path);
	if (cgroupfs_open_group(path, &group))
		return;
	cgroupfs_set(group, "cgroup.procs", "0");
	close(group);
}

void console_keep(const struct app *app, uid_t owner, int report)
{
	struct keeper k = { .credit = RATE };
	int err;

	leave_caller();
	err = begin(&k, app, owner);
	if (err)
		dprintf(report, "%s\n", dre_last_error());
	else
		dprintf(report, "ok\n");
	close(report);
	if (err)
		_exit(EXIT_FAILURE);
	wait_for_others(app);
	while (serve(&k))
		;
	/* What the container said last. Nobody is left in it who could say more, but that is not ours to know. */
	for (int i = 0; i < 64 && read_output(&k); i++)
		;
	_exit(EXIT_SUCCESS);
}
