// SPDX-License-Identifier: LGPL-2.1-or-later
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "standstill.h"

#define EVENTS_MAX	64

struct event {
	double at;	/* seconds */
	bool stopped;
};

void watch_begin(struct watch *watch)
{
	char command[256];
	char *argv[] = { "sh", "-c", command, NULL };

	snprintf(command, sizeof(command), "exec %s virsh qemu-monitor-event --loop >%s", watch->on, watch->file);
	if (posix_spawnp(&watch->pid, argv[0], NULL, NULL, argv, environ))
		die("cannot watch machines");
	sleep(1);
}

static size_t read_events(const char *file, const char *domain, struct event events[], size_t nr)
{
	char line[256], what[32], whose[64];
	FILE *f = fopen(file, "re");
	double at;

	while (f && nr < EVENTS_MAX && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "event %31s at %lf for domain '%63[^']'", what, &at, whose) != 3 ||
		    strcmp(whose, domain) != 0)
			continue;
		if (!strcmp(what, "STOP") || !strcmp(what, "RESUME"))
			events[nr++] = (struct event){ at, !strcmp(what, "STOP") };
	}
	if (f)
		fclose(f);
	return nr;
}

static int earlier(const void *a, const void *b)
{
	double difference = ((const struct event *)a)->at - ((const struct event *)b)->at;

	return (difference > 0) - (difference < 0);
}

static double between(struct event events[], size_t nr)
{
	double stopped = 0, sum = 0;

	qsort(events, nr, sizeof(*events), earlier);
	for (size_t i = 0; i < nr; i++) {
		if (events[i].stopped && stopped <= 0) {
			stopped = events[i].at;
		} else if (!events[i].stopped && stopped > 0) {
			sum += events[i].at - stopped;
			stopped = 0;
		}
	}
	return stopped > 0 ? 0 : sum;
}

/* Virsh writes what it has seen when it is interrupted, if not before. */
double watch_end(struct watch *watches, size_t nr, const char *domain)
{
	struct event events[EVENTS_MAX];
	size_t seen = 0;
	double sum;

	sleep(1);
	for (size_t i = 0; i < nr; i++) {
		kill(watches[i].pid, SIGINT);
		waitpid(watches[i].pid, NULL, 0);
		seen = read_events(watches[i].file, domain, events, seen);
	}
	sum = between(events, seen);
	if (sum <= 0)
		die("%s did not stand still, or has not gone on", domain);
	return sum * 1e9;
}
