// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * top.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "container_commands.h"
#include "top.h"

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* False when it is enough: by a signal, "q", or because nobody reads it. */
static bool wait_interval(int signals, int interval, bool keys)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	char key = 0;

	if (poll(fds, 3, interval * 1000) <= 0)
		return true;
	if (fds[2].revents && read(STDIN_FILENO, &key, 1) != 1)
		return false;
	return !fds[0].revents && !fds[1].revents && key != 'q';
}

static int run(int (*print)(bool json), bool json, int left, int interval, bool live)
{
	int signals = open_signals(), err = 0;

	while (!err) {
		if (live)
			fputs("\033[H\033[J", stdout);
		err = print(json);
		if (fflush(stdout))	/* command_main() says why */
			break;
		left -= left > 0;
		if (err || !left || !wait_interval(signals, interval, live))
			break;
		if (!live && !json)
			putchar('\n');
	}
	close(signals);
	return err;
}

int cmd_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "groups", no_argument, NULL, 'g' },
		{ "count", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	int (*print)(bool json) = top_containers;
	int c, err, left = -1, interval = 2;
	struct termios old, raw;
	bool json = false, live;

	while ((c = command_getopt(argc, argv, "gn:i:j", options)) >= 0) {
		if (c == 'g')
			print = top_groups;
		else if (c == 'n')
			left = command_number("count", optarg, 1, INT_MAX);
		else if (c == 'i')
			interval = command_number("interval", optarg, 1, 3600);
		else
			json = true;
	}
	if (optind != argc)
		command_usage("no argument is wanted");
	live = !json && isatty(STDOUT_FILENO) && !tcgetattr(STDIN_FILENO, &old);
	if (live) {
		raw = old;
		raw.c_lflag &= ~(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	err = run(print, json, left, interval, live);
	if (live)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
	return err ? command_fail(err, NULL) : EXIT_SUCCESS;
}
