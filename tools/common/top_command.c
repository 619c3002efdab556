// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * top.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <dre_app.h>

#include "container_commands.h"
#include "table.h"

enum { TOP_NAME, TOP_STATE, TOP_CPU, TOP_MEMORY, TOP_MEMSW, TOP_LIMIT, TOP_REGISTERED };

static void number_cell(struct table *table, int column, unsigned long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", number);
	table_cell(table, column, text);
}

static void usage_cells(struct table *table, const char *name)
{
	struct container_resource r = { .type = RESOURCE_CPU };

	if (!container_api.get_resource(name, 0, &r))
		number_cell(table, TOP_CPU, r.percent);
	r.type = RESOURCE_MEMORY;
	if (!container_api.get_resource(name, 0, &r))
		number_cell(table, TOP_MEMORY, r.bytes);
	if (!container_api.get_limit(name, ".", &r) && r.bytes)
		number_cell(table, TOP_LIMIT, r.bytes);
	r.type = RESOURCE_MEMSW;
	if (!container_api.get_resource(name, 0, &r))
		number_cell(table, TOP_MEMSW, r.bytes);
}

static void registered_cell(struct table *table, const char *name)
{
	size_t nr;

	if (container_api.count_registered && !container_api.count_registered(name, &nr))
		number_cell(table, TOP_REGISTERED, nr);
}

/* What is stopped uses nothing. Of what is suspended memory is not asked for. */
static void container_row(struct table *table, const char *name)
{
	int status = container_api.status(name);

	if (status < 0 || status == DRE_APP_CONTAINER_STATUS_STOP)
		return;
	table_row(table);
	table_cell(table, TOP_NAME, name);
	table_cell(table, TOP_STATE, status_name(status));
	if (status == DRE_APP_CONTAINER_STATUS_RUNNING)
		usage_cells(table, name);
	registered_cell(table, name);
}

static int top_containers(bool json)
{
	static const struct column all[] = {
		[TOP_NAME] = { "NAME", COLUMN_STRING },
		[TOP_STATE] = { "STATE", COLUMN_STRING },
		[TOP_CPU] = { "CPU%", COLUMN_NUMBER },
		[TOP_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[TOP_MEMSW] = { "MEMSW", COLUMN_NUMBER },
		[TOP_LIMIT] = { "LIMIT", COLUMN_NUMBER },
		[TOP_REGISTERED] = { "REGISTERED", COLUMN_NUMBER },
		{ }
	};
	struct column columns[sizeof(all) / sizeof(*all)];
	struct table *table;
	dre_list_t list;
	int err = container_api.get_container_list(&list);

	if (err)
		return err;
	memcpy(columns, all, sizeof(all));
	if (!container_api.count_registered)
		columns[TOP_REGISTERED] = (struct column){};	/* and so the last one is before it */
	table = table_new("containers", columns, json);
	for (size_t i = 0; list[i]; i++)
		container_row(table, list[i]);
	container_api.release_list(list);
	table_print(table);
	return 0;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
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
