// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * console.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "container_commands.h"

/* The escape key, as Ctrl-A; 0: there is none. */
static int escape = 1;
static bool escaped;

static void resize(const char *name)
{
	struct winsize size;

	if (container_extras.resize_console && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size) &&
	    size.ws_row && size.ws_col)
		container_extras.resize_console(name, size.ws_row, size.ws_col);
}

static bool write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= n) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return false;
	}
	return true;
}

/* Takes the escape key and what follows it out of what was typed. False for "q" after it. */
static bool take_escapes(char *data, ssize_t *len)
{
	ssize_t kept = 0;

	for (ssize_t i = 0; i < *len; i++) {
		if (escape && data[i] == escape && !escaped) {
			escaped = true;
			continue;
		}
		if (escaped && data[i] == 'q')
			return false;
		escaped = false;
		data[kept++] = data[i];
	}
	*len = kept;
	return true;
}

/* What is typed. False when that is all. */
static bool read_keys(int console)
{
	char data[1024];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && take_escapes(data, &n) && write_all(console, data, n);
}

static bool read_console(int console)
{
	char data[4096];
	ssize_t n = read(console, data, sizeof(data));

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && write_all(STDOUT_FILENO, data, n);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Who reads it, or the console, may be gone: the terminal is not to stay raw. */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* False when one of them is to end it. */
static bool read_signal(int signals, const char *name)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo != SIGWINCH)
		return false;
	resize(name);
	return true;
}

static void pass_on(const char *name, int console, int signals)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = console, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	for (;;) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents && !read_console(console))
			return;
		if (fds[2].revents && !read_signal(signals, name))
			return;
		if (fds[0].revents && !read_keys(console))
			return;
	}
}

/* Every key is the container's. */
static void make_raw(const struct termios *old)
{
	struct termios raw = *old;

	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

/* "^a", "a" or "none" */
static int parse_escape(const char *text)
{
	const char *key = *text == '^' ? text + 1 : text;

	if (!strcmp(text, "none"))
		return 0;
	if (!isalpha((unsigned char)*key) || key[1])
		command_usage("'%s' is no escape key, as ^a, nor none", text);
	return toupper((unsigned char)*key) - '@';
}

int cmd_console(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "escape", required_argument, NULL, 'e' },
		{ }
	};
	const char *name;
	bool terminal = isatty(STDIN_FILENO);
	int console, signals, err;
	struct termios old;

	while (command_getopt(argc, argv, "e:", options) >= 0)
		escape = parse_escape(optarg);
	if (argc - optind != 1)
		command_usage("one name is wanted");
	name = argv[optind];
	err = container_api.open_console(name, &console);
	if (err)
		return command_fail(err, name);
	signals = open_signals();
	if (terminal && !tcgetattr(STDIN_FILENO, &old)) {
		if (escape)
			fprintf(stderr, "The console of %s. Ctrl-%c q leaves it, Ctrl-%c Ctrl-%c is Ctrl-%c.\n",
				name, escape + '@', escape + '@', escape + '@', escape + '@');
		make_raw(&old);
		resize(name);
	}
	pass_on(name, console, signals);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
		fputc('\n', stderr);
	}
	close(console);
	return EXIT_SUCCESS;
}
