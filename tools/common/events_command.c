// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * events.
 */
#include <errno.h>
#include <json.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dre_app.h>

#include "container_commands.h"
#include "printable.h"
#include "value.h"

static const char *const event_names[] = {
	[DRE_APP_EVENT_STARTED] = "started",
	[DRE_APP_EVENT_REGISTERED] = "registered",
	[DRE_APP_EVENT_UNREGISTERED] = "unregistered",
	[DRE_APP_EVENT_EXITED] = "exited",
	[DRE_APP_EVENT_REFUSED] = "refused",
	[DRE_APP_EVENT_ENDED] = "ended",
	[DRE_APP_EVENT_BOUND] = "bound",
	[DRE_APP_EVENT_UNBOUND] = "unbound",
	[DRE_APP_EVENT_LOST] = "lost",
};

/* Texts that functions below return. */
struct text {
	char text[64];
};

/* SIGTERM, SIGRTMIN+3 */
static const char *signal_name(struct text *to, int signo)
{
	const char *name = sigabbrev_np(signo);

	if (name)
		snprintf(to->text, sizeof(to->text), "SIG%s", name);
	else if (signo >= SIGRTMIN && signo <= SIGRTMAX)
		snprintf(to->text, sizeof(to->text), "SIGRTMIN+%d", signo - SIGRTMIN);
	else
		snprintf(to->text, sizeof(to->text), "%d", signo);
	return to->text;
}

/* RFC 3339, local time. */
static const char *time_text(struct text *to, const struct timespec *time)
{
	char zone[8];
	struct tm tm;
	size_t len;

	localtime_r(&time->tv_sec, &tm);
	len = strftime(to->text, sizeof(to->text), "%FT%T", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);	/* +hhmm */
	snprintf(to->text + len, sizeof(to->text) - len, ".%06ld%.3s:%s", time->tv_nsec / 1000, zone,
		 zone + 3);
	return to->text;
}

static bool has_status(const struct container_event *event)
{
	return event->type == DRE_APP_EVENT_EXITED || event->type == DRE_APP_EVENT_ENDED;
}

/* The signal that ended it, or was refused; or 0. */
static int signal_of(const struct container_event *event)
{
	if (has_status(event))
		return WIFSIGNALED(event->status) ? WTERMSIG(event->status) : 0;
	return event->signal;
}

/*
 * For people, and for awk: words, and KEY=VALUE. The name of a program may have
 * blanks, so it comes last.
 */
static void print_text(const struct container_event *event)
{
	struct text text;

	printf("%s %s %s", time_text(&text, &event->time), event->container,
	       event_names[event->type]);
	if (event->pid)
		printf(" pid=%d", event->pid);
	if (event->pid && event->vpid >= 0)
		printf(" vpid=%d", event->vpid);
	if (event->by)
		printf(" by=%s%s%s", event->by & DRE_APP_BY_ITSELF ? "itself" : "",
		       event->by == (DRE_APP_BY_ITSELF | DRE_APP_BY_MANAGER) ? "," : "",
		       event->by & DRE_APP_BY_MANAGER ? "manager" : "");
	if (signal_of(event))
		printf(" signal=%s", signal_name(&text, signal_of(event)));
	else if (has_status(event))
		printf(" status=%d", WEXITSTATUS(event->status));
	if (event->type == DRE_APP_EVENT_BOUND || event->type == DRE_APP_EVENT_UNBOUND)
		printf(" group=%s", event->group ? event->group : "-");
	if (event->lost)
		printf(" count=%u", event->lost);
	if (event->comm) {
		fputs(" comm=", stdout);
		print_safely(stdout, event->comm, strlen(event->comm));
	}
	putchar('\n');
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, text ? value_text(text) : NULL);
}

static void add_number(struct json_object *to, const char *key, long long number)
{
	json_object_object_add(to, key, value_number(number));
}

static void add_registrations(struct json_object *to, int by)
{
	struct json_object *array = value_array();

	if (by & DRE_APP_BY_ITSELF)
		json_object_array_add(array, value_text("itself"));
	if (by & DRE_APP_BY_MANAGER)
		json_object_array_add(array, value_text("manager"));
	json_object_object_add(to, "by", array);
}

/* What belongs to a type is always there, and null where it is not known. */
static void print_json(const struct container_event *event)
{
	struct json_object *o = value_object();
	int signo = signal_of(event);
	struct text text;

	add_text(o, "time", time_text(&text, &event->time));
	add_text(o, "container", event->container);
	add_text(o, "event", event_names[event->type]);
	if (event->type == DRE_APP_EVENT_LOST) {
		add_number(o, "count", event->lost);
	} else {
		add_number(o, "pid", event->pid);
		if (event->vpid >= 0)
			add_number(o, "vpid", event->vpid);
		add_text(o, "comm", event->comm);
	}
	if (event->by)
		add_registrations(o, event->by);
	if (has_status(event) && !signo)
		add_number(o, "status", WEXITSTATUS(event->status));
	else if (has_status(event))
		add_text(o, "status", NULL);
	if (has_status(event) || event->type == DRE_APP_EVENT_REFUSED)
		add_text(o, "signal", signo ? signal_name(&text, signo) : NULL);
	if (event->type == DRE_APP_EVENT_BOUND || event->type == DRE_APP_EVENT_UNBOUND)
		add_text(o, "group", event->group);
	puts(command_memory((void *)json_object_to_json_string_ext(o,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(o);
}

/* Those by which one ends it. They are blocked, so that one that comes early is not missed. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

/* Prints up to @left events (-1: all there are). False when that is enough, or cannot be done. */
static bool print_events(void *events, void (*print)(const struct container_event *), int *left,
			 int *err)
{
	struct container_event event;

	for (;;) {
		if (!*left)
			return false;
		*err = container_api.events_next(events, &event);
		if (*err)
			return false;
		if (!event.type)
			return true;
		if ((size_t)event.type >= sizeof(event_names) / sizeof(event_names[0]))
			continue;	/* the library is newer */
		print(&event);
		if (fflush(stdout))	/* command_main() says why */
			return false;
		*left -= *left > 0;
	}
}

static int follow(void *events, void (*print)(const struct container_event *), int left)
{
	struct pollfd fds[] = {
		{ .fd = container_api.events_fd(events), .events = POLLIN },
		{ .fd = open_signals(), .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* nobody reads it any more */
	};
	int err = 0;

	if (fds[1].fd < 0)
		return command_error("signalfd: %s", strerror(errno));
	while (print_events(events, print, &left, &err)) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return command_error("poll: %s", strerror(errno));
		if (fds[1].revents || fds[2].revents)
			break;
	}
	close(fds[1].fd);
	return err ? command_fail(err, NULL) : EXIT_SUCCESS;
}

int cmd_events(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'n' },
		{ }
	};
	void (*print)(const struct container_event *) = print_text;
	void *events;
	int c, err, left = -1;

	while ((c = command_getopt(argc, argv, "jn:", options)) >= 0) {
		if (c == 'j')
			print = print_json;
		else
			left = command_number("count", optarg, 1, INT_MAX);
	}
	err = container_api.events_open(optind < argc ? argv + optind : NULL, &events);
	if (err)
		return command_fail(err, optind + 1 == argc ? argv[optind] : NULL);
	err = follow(events, print, left);
	container_api.events_close(events);
	return err;
}
