// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * wait.
 */
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dre_app.h>

#include "container_commands.h"

/*
 * Events tell when a container starts and ends. What they do not tell is looked for so often, in
 * milliseconds: while a container is suspended, resumed, or on its way, or there are no events.
 */
#define SOON	100
#define LATER	1000

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int parse_state(const char *text)
{
	static const int states[] = { DRE_APP_CONTAINER_STATUS_STOP,
				      DRE_APP_CONTAINER_STATUS_RUNNING,
				      DRE_APP_CONTAINER_STATUS_SUSPENDED };

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (!strcmp(text, status_name(states[i])))
			return states[i];
	command_usage("'%s' is none of stopped, running and suspended", text);
}

/* NULL: there are none, for want of the module perhaps. */
static void *open_events(const char *name)
{
	char *names[] = { (char *)name, NULL };
	void *events;

	return container_api.events_open(names, &events) ? NULL : events;
}

/* What they are about does not matter: the state is looked at. */
static void forget_events(void *events)
{
	struct container_event event;

	while (!container_api.events_next(events, &event) && event.type)
		;
}

/* Until the container is in that state, or @end. @events may be NULL. */
static int wait_for(const char *name, void *events, int wanted, long long end)
{
	bool told = events && wanted != DRE_APP_CONTAINER_STATUS_SUSPENDED;
	struct pollfd fd = { .fd = events ? container_api.events_fd(events) : -1, .events = POLLIN };
	long long left;
	int status, timeout;

	for (;;) {
		if (events)
			forget_events(events);
		status = container_api.status(name);
		if (status < 0 || status == wanted)
			return status < 0 ? status : 0;
		timeout = told && status != DRE_APP_CONTAINER_STATUS_BUSY &&
			  status != DRE_APP_CONTAINER_STATUS_SUSPENDED ? LATER : SOON;
		left = end - now_ms();
		if (left <= 0)
			return DRE_APP_CONTAINER_STATUS_BUSY;
		poll(&fd, 1, left < timeout ? (int)left : timeout);
	}
}

int cmd_wait(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "state", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ }
	};
	int c, ret, wanted = DRE_APP_CONTAINER_STATUS_STOP;
	long long end = LLONG_MAX;
	const char *name;
	void *events;

	while ((c = command_getopt(argc, argv, "s:t:", options)) >= 0) {
		if (c == 's')
			wanted = parse_state(optarg);
		else
			end = now_ms() + command_number("timeout", optarg, 0, INT_MAX / 1000) * 1000LL;
	}
	if (argc - optind != 1)
		command_usage("one name is wanted");
	name = argv[optind];
	events = open_events(name);
	ret = wait_for(name, events, wanted, end);
	if (events)
		container_api.events_close(events);
	if (ret < 0)
		return command_fail(ret, name);
	return ret ? EXIT_TIMEOUT : EXIT_SUCCESS;
}
