// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * stop, reboot. Containers that are stopped mostly take their time, and do so all at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_commands.h"
#include "crowd.h"
#include "progress.h"

/* Each has some twenty files open meanwhile, and a process may have 1024. */
#define AT_ONCE	32

/* In the place of the time that a container has. */
#define DONE	(-1)

/* How stop and reboot wait. */
static int stop_kill, stop_timeout;

/* Containers that are stopped at the same time; the lock of @progress is that of all that changes. */
struct stops {
	char *const *names;
	size_t nr, next;
	double *ends;		/* until when each is asked, as progress.h has it; 0: that is not known; or DONE */
	dre_return_t (*fn)(const char *name);
	struct progress progress;
	char what[128];
	int status;
};

/* How long it is asked before it is killed, in seconds, by all that is known of it. */
static int patience(const char *name)
{
	dre_property *list;
	int time = 0;

	if (stop_kill || stop_timeout)
		return stop_kill ? 0 : stop_timeout;
	if (container_api.get_property_list(name, &list))
		return 0;
	for (const dre_property *p = list; p->key; p++)
		if (!strcmp(p->key, "stop_timeout") || !strcmp(p->key, "halt_timeout"))
			time += atoi(p->value ?: p->fallback ?: "0");
	container_api.release_property_list(list);
	return time;
}

/* How many there still are, and when the last of them is killed. With the lock. */
static void show(struct stops *s)
{
	size_t left = 0, last = 0;

	s->progress.deadline = 0;
	for (size_t i = 0; i < s->nr; i++) {
		if (s->ends[i] == DONE)
			continue;
		if (s->ends[i] > s->progress.deadline)
			s->progress.deadline = s->ends[i];
		last = i;
		left++;
	}
	if (left == 1)
		snprintf(s->what, sizeof(s->what), "stop %s", s->names[last]);
	else
		snprintf(s->what, sizeof(s->what), "stop %zu containers", left);
}

static bool take(struct stops *s, size_t *i)
{
	bool is_there;

	progress_lock(&s->progress);
	is_there = s->next < s->nr;
	if (is_there)
		*i = s->next++;
	progress_unlock(&s->progress);
	return is_there;
}

static void stop_one(struct stops *s, size_t i)
{
	int time = s->progress.runs ? patience(s->names[i]) : 0;
	dre_return_t err;

	progress_lock(&s->progress);
	s->ends[i] = time ? progress_time(&s->progress) + time : 0;
	show(s);
	progress_unlock(&s->progress);
	err = s->fn(s->names[i]);
	progress_lock(&s->progress);
	s->ends[i] = DONE;
	show(s);
	if (err) {
		progress_hide(&s->progress);
		s->status = command_fail(err, s->names[i]);
	}
	progress_unlock(&s->progress);
}

static void *work(void *stops)
{
	size_t i;

	while (take(stops, &i))
		stop_one(stops, i);
	return NULL;
}

/* Returns the exit status. This thread works, too: where there can be no others, one comes after the other. */
static int stop_together(char *const *names, size_t nr, dre_return_t (*fn)(const char *name))
{
	struct stops s = { .names = names, .nr = nr, .fn = fn };
	pthread_t threads[AT_ONCE - 1];
	size_t nr_threads = 0;

	s.ends = command_memory(calloc(nr, sizeof(*s.ends)));
	progress_begin_time(&s.progress, s.what);
	while (nr_threads < AT_ONCE - 1 && nr_threads + 1 < nr &&
	       !pthread_create(&threads[nr_threads], NULL, work, &s))
		nr_threads++;
	work(&s);
	while (nr_threads)
		pthread_join(threads[--nr_threads], NULL);
	progress_end(&s.progress);
	free(s.ends);
	return s.status;
}

static dre_return_t stop_name(const char *name)
{
	return container_api.stop(name, stop_kill, stop_timeout);
}

static dre_return_t stop_if_up(const char *name)
{
	dre_return_t err = stop_name(name);

	return err == DRE_ERR_CONTAINER_STOPPED ? 0 : err;
}

/* Against the order of autostart, those of one order together. */
static int stop_all(int argc)
{
	struct crowd crowd;
	size_t begin, end;
	int status;
	char **names;

	if (optind != argc)
		command_usage("there are names beside --all");
	status = crowd_load(&crowd);
	names = command_memory(calloc(crowd.nr + 1, sizeof(*names)));
	for (size_t i = 0; i < crowd.nr; i++)
		names[i] = crowd.members[i].name;
	for (end = crowd.nr; end; end = begin) {
		for (begin = end - 1; begin && crowd.members[begin - 1].order == crowd.members[end - 1].order; begin--)
			;
		if (stop_together(names + begin, end - begin, stop_if_up))
			status = EXIT_FAILURE;
	}
	free(names);
	crowd_free(&crowd);
	return status;
}

static int stop_named(int argc, char **argv)
{
	if (optind == argc)
		command_usage("a name is missing");
	return stop_together(argv + optind, argc - optind, stop_name);
}

/* Says whether there is --all. */
static bool read_stop_options(int argc, char **argv, const char *short_options,
			      const struct option *options)
{
	bool all = false;
	int c;

	while ((c = command_getopt(argc, argv, short_options, options)) >= 0) {
		switch (c) {
		case 'a':
			all = true;
			break;
		case 'k':
			stop_kill = 1;
			break;
		case 't':
			stop_timeout = command_number("time", optarg, 0, 86400);
			if (!stop_timeout)
				stop_kill = 1;
			break;
		}
	}
	return all;
}

int cmd_stop(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "all", no_argument, NULL, 'a' },
		{ "kill", no_argument, NULL, 'k' },
		{ "timeout", required_argument, NULL, 't' },
		{ }
	};

	return read_stop_options(argc, argv, "akt:", options) ? stop_all(argc) : stop_named(argc, argv);
}

static dre_return_t reboot_name(const char *name)
{
	return container_api.reboot(name, stop_kill, stop_timeout);
}

int cmd_reboot(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "kill", no_argument, NULL, 'k' },
		{ "timeout", required_argument, NULL, 't' },
		{ }
	};

	read_stop_options(argc, argv, "kt:", options);
	return for_named(argc, argv, reboot_name);
}
