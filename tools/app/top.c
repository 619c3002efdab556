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

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

enum { TOP_NAME, TOP_STATE, TOP_CPU, TOP_MEMORY, TOP_MEMSW, TOP_LIMIT, TOP_REGISTERED };

static void number_cell(struct table *table, int column, unsigned long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", number);
	table_cell(table, column, text);
}

static void usage_cells(struct table *table, const dre_app_handle *h)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_CPU };

	if (!dre_app_get_resource(h, 0, &r))
		number_cell(table, TOP_CPU, r.udata.cpu.percent);
	r.type = DRE_APP_CONTAINER_RESOURCE_MEMORY_64;
	if (!dre_app_get_resource(h, 0, &r))
		number_cell(table, TOP_MEMORY, r.udata.mem.bytes);
	if (!dre_app_get_limit(h, ".", &r) && r.udata.mem.bytes)
		number_cell(table, TOP_LIMIT, r.udata.mem.bytes);
	r.type = DRE_APP_CONTAINER_RESOURCE_MEMSW_64;
	if (!dre_app_get_resource(h, 0, &r))
		number_cell(table, TOP_MEMSW, r.udata.mem.bytes);
}

static void registered_cell(struct table *table, const dre_app_handle *h)
{
	dre_app_pid_list_t list;
	size_t nr = 0;

	if (dre_app_get_registered_pid_list(h, &list))
		return;
	while (list[nr])
		nr++;
	dre_app_release_registered_pid_list(list);
	number_cell(table, TOP_REGISTERED, nr);
}

/* What is stopped uses nothing. Of what is suspended memory is not asked for. */
static void container_row(struct table *table, char *name)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, name };
	int status = dre_app_status(&h);

	if (status < 0 || status == DRE_APP_CONTAINER_STATUS_STOP)
		return;
	table_row(table);
	table_cell(table, TOP_NAME, name);
	table_cell(table, TOP_STATE, status_name(status));
	if (status == DRE_APP_CONTAINER_STATUS_RUNNING)
		usage_cells(table, &h);
	registered_cell(table, &h);
}

static int print_once(bool json)
{
	static const struct column columns[] = {
		[TOP_NAME] = { "NAME", COLUMN_STRING },
		[TOP_STATE] = { "STATE", COLUMN_STRING },
		[TOP_CPU] = { "CPU%", COLUMN_NUMBER },
		[TOP_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[TOP_MEMSW] = { "MEMSW", COLUMN_NUMBER },
		[TOP_LIMIT] = { "LIMIT", COLUMN_NUMBER },
		[TOP_REGISTERED] = { "REGISTERED", COLUMN_NUMBER },
		{ }
	};
	struct table *table;
	dre_list_t list;
	int err = dre_app_get_container_list(&list);

	if (err)
		return err;
	table = table_new("containers", columns, json);
	for (size_t i = 0; list[i]; i++)
		container_row(table, list[i]);
	dre_app_release_container_list(list);
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

static int run(bool json, int left, int interval, bool live)
{
	int signals = open_signals(), err = 0;

	while (!err) {
		if (live)
			fputs("\033[H\033[J", stdout);
		err = print_once(json);
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
		{ "count", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	int c, err, left = -1, interval = 2;
	struct termios old, raw;
	bool json = false, live;

	while ((c = command_getopt(argc, argv, "n:i:j", options)) >= 0) {
		if (c == 'n')
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
	err = run(json, left, interval, live);
	if (live)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
	return err ? command_fail(err, NULL) : EXIT_SUCCESS;
}
