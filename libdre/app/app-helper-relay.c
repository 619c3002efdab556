// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What stands between the caller's standard files and a command in a container where those are not what the
 * command is to have:
 *
 *   a terminal	all three are one, which is ours. liblxc passes it on to one of the container's.
 *   none	those that are terminals are pipes. The command must not have the caller's: a process that
 *		it leaves behind could read what is typed there afterwards.
 *
 * It is done by a process outside of the container, which goes on as the helper's parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "app-helper.h"

#define INTERRUPT_KEY	"\003"
#define QUIT_KEY	"\034"
#define END_KEY		4

/* What is on its way is ours after that many milliseconds: who runs in the background may keep a pipe, and write. */
#define DRAIN_TIME	100

/* One direction of one file. */
struct pump {
	int from, to;
	size_t len, done;	/* what was read, and how much of it is written */
	bool in_line;		/* what was read last is not the end of a line */
	bool last;		/* there is nothing more to be read */
	bool ended;
	char data[4096];	/* a pipe that can be written to has room for it */
};

struct relay {
	pid_t child;
	bool gone;		/* the child has ended */
	int terminal;		/* our side of its terminal, or -1 */
	int ready;		/* until something is there, what is typed would be lost; or -1 */
	int signals;
	struct pump pumps[3];
	int nr;
};

static void add_pump(struct relay *r, int from, int to)
{
	r->pumps[r->nr++] = (struct pump){ .from = from, .to = to };
}

/* That of its files which is not the caller's. */
static int inner_end(const struct pump *p)
{
	return p->from == STDIN_FILENO ? p->to : p->from;
}

static void make_raw(int fd)
{
	struct termios t;

	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
}

/* As large as the caller's, if it has one. */
static void copy_size(int terminal)
{
	struct winsize size;

	for (int fd = 0; fd < 3; fd++) {
		if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
			ioctl(terminal, TIOCSWINSZ, &size);
			return;
		}
	}
}

static int open_terminal(struct relay *r, int ends[3], int *ready)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) || openpty(&r->terminal, &ends[0], NULL, NULL, &size))
		return errno;
	r->ready = fds[0];
	*ready = fds[1];
	make_raw(r->terminal);
	copy_size(r->terminal);
	if (fcntl(r->terminal, F_SETFL, O_RDWR | O_NONBLOCK))
		return errno;
	add_pump(r, STDIN_FILENO, r->terminal);
	add_pump(r, r->terminal, STDOUT_FILENO);
	return 0;
}

static int open_pipes(struct relay *r, int ends[3])
{
	int fds[2];

	for (int fd = 0; fd < 3; fd++) {
		if (!isatty(fd))
			continue;
		if (pipe2(fds, O_CLOEXEC))
			return errno;
		if (fd == STDIN_FILENO)
			add_pump(r, fd, fds[1]);
		else
			add_pump(r, fds[0], fd);
		ends[fd] = fds[fd != STDIN_FILENO];
	}
	return 0;
}

/* The child's part: its standard files, and nothing of ours. */
static int take_ends(const struct relay *r, const int ends[3])
{
	if (r->terminal >= 0) {
		close(r->terminal);
		close(r->ready);
		return login_tty(ends[0]) ? errno : 0;
	}
	for (int i = 0; i < r->nr; i++)
		close(inner_end(&r->pumps[i]));
	for (int fd = 0; fd < 3; fd++) {
		if (ends[fd] < 0)
			continue;
		if (dup2(ends[fd], fd) < 0)
			return errno;
		close(ends[fd]);
	}
	return 0;
}

static void end_pump(struct relay *r, struct pump *p)
{
	p->ended = true;
	if (r->terminal < 0) {
		close(inner_end(p));
	} else if (p->from == r->terminal) {
		for (int i = 0; i < r->nr; i++)
			r->pumps[i].ended = true;
		close(r->terminal);
		r->terminal = -1;
	}
}

static void fill(const struct relay *r, struct pump *p)
{
	ssize_t n = read(p->from, p->data, sizeof(p->data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	p->done = 0;
	p->len = n > 0 ? n : 0;
	p->last = !p->len;
	/* A terminal has no end but the one that is typed: in a line it only ends that. */
	if (p->last && p->to == r->terminal) {
		p->len = p->in_line ? 2 : 1;
		memset(p->data, END_KEY, p->len);
	}
	p->in_line = p->len && p->data[p->len - 1] != '\n';
}

/* poll(2) says that it can go on. */
static void step(struct relay *r, struct pump *p)
{
	ssize_t n;

	if (p->done == p->len) {
		fill(r, p);
	} else {
		n = write(p->to, p->data + p->done, p->len - p->done);
		if (n > 0) {
			p->done += n;
		} else if (errno != EINTR && errno != EAGAIN) {
			p->done = p->len;
			p->last = true;
		}
	}
	if (p->last && p->done == p->len)
		end_pump(r, p);
}

/* What it waits for. */
static struct pollfd next(const struct relay *r, const struct pump *p)
{
	if (p->ended || (p->from == STDIN_FILENO && r->ready >= 0))
		return (struct pollfd){ .fd = -1 };
	if (p->done < p->len)
		return (struct pollfd){ .fd = p->to, .events = POLLOUT };
	return (struct pollfd){ .fd = p->from, .events = POLLIN };
}

static void read_signal(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		r->gone = waitpid(r->child, NULL, WNOHANG) == r->child;
		break;
	case SIGWINCH:
		copy_size(r->terminal);
		break;
	case SIGINT:
	case SIGQUIT:
		/* Without a terminal of its own the child has got it, too. */
		if (r->terminal >= 0)
			(void)!write(r->terminal, info.ssi_signo == SIGINT ? INTERRUPT_KEY : QUIT_KEY, 1);
		break;
	default:
		kill(r->child, info.ssi_signo);
	}
}

/* liblxc has made the terminal its own: now it is a mere line again, and is typed to. */
static void begin_input(struct relay *r)
{
	close(r->ready);
	r->ready = -1;
	make_raw(r->terminal);
}

static void pass_on(struct relay *r)
{
	struct pollfd fds[2 + 3];

	while (!r->gone) {
		fds[0] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = r->ready, .events = POLLIN };
		for (int i = 0; i < r->nr; i++)
			fds[2 + i] = next(r, &r->pumps[i]);
		if (poll(fds, 2 + r->nr, -1) < 0)
			continue;
		if (fds[1].revents)
			begin_input(r);
		for (int i = 0; i < r->nr; i++)
			if (fds[2 + i].revents && !r->pumps[i].ended)
				step(r, &r->pumps[i]);
		if (fds[0].revents)
			read_signal(r);
	}
}

/*
 * What the command has written last. When the time is up that is what was there in the beginning, and no more, if somebody
 * has it open still (no POLLHUP): a terminal has more than it counts.
 */
static void drain(struct relay *r, struct pump *p, int timer)
{
	int there = 0;

	if (!p->ended)
		ioctl(p->from, FIONREAD, &there);
	while (!p->ended) {
		bool reads = p->done == p->len;
		struct pollfd fds[] = { next(r, p), { .fd = reads ? timer : -1, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			return;
		if (fds[1].revents && !(fds[0].revents & POLLHUP) && (!fds[0].revents || there <= 0))
			return;
		step(r, p);
		if (reads)
			there -= p->len;
	}
}

static void drain_all(struct relay *r)
{
	static const struct itimerspec time = { .it_value.tv_nsec = DRAIN_TIME * 1000000 };
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (timer < 0 || timerfd_settime(timer, 0, &time, NULL))
		return;
	for (int i = 0; i < r->nr; i++)
		if (r->pumps[i].from != STDIN_FILENO)
			drain(r, &r->pumps[i], timer);
}

/* Does not return. */
static void relay(struct relay *r, const sigset_t *mask, const sigset_t *old)
{
	struct termios before;
	bool raw = r->terminal >= 0 && !tcgetattr(STDIN_FILENO, &before);

	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	r->signals = signalfd(-1, mask, SFD_CLOEXEC);
	if (raw)
		make_raw(STDIN_FILENO);
	pass_on(r);
	if (raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	sigprocmask(SIG_SETMASK, old, NULL);
	drain_all(r);
	_exit(EXIT_SUCCESS);
}

static void block_signals(sigset_t *mask, sigset_t *old)
{
	static const int signals[] = {
		SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
	};

	sigemptyset(mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(mask, signals[i]);
	sigprocmask(SIG_BLOCK, mask, old);
}

int relay_enter(bool terminal, int *ready)
{
	struct relay r = { .terminal = -1, .ready = -1 };
	int ends[3] = { -1, -1, -1 }, err;
	sigset_t mask, old;

	err = terminal ? open_terminal(&r, ends, ready) : open_pipes(&r, ends);
	if (err)
		return err;
	block_signals(&mask, &old);
	r.child = fork();
	if (r.child < 0)
		return errno;
	if (!r.child) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		return take_ends(&r, ends);
	}
	for (int fd = 0; fd < 3; fd++)
		if (ends[fd] >= 0)
			close(ends[fd]);
	if (*ready >= 0)
		close(*ready);
	relay(&r, &mask, &old);
	return 0;
}
