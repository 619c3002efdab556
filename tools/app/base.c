// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * base import.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <dre_app.h>

#include "app.h"

/* What is on the line, and since when the import runs: it shows only if it takes a while. */
struct progress {
	struct timespec start;
	struct timespec shown;
	bool visible;
};

static double since(const struct timespec *then, const struct timespec *now)
{
	return now->tv_sec - then->tv_sec + (now->tv_nsec - then->tv_nsec) / 1e9;
}

static void show(void *arg, unsigned long long done, unsigned long long total)
{
	struct progress *p = arg;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (since(&p->start, &now) < 1 || since(&p->shown, &now) < 0.1)
		return;
	p->shown = now;
	p->visible = true;
	if (total)
		fprintf(stderr, "\r%3.0f %%  %llu of %llu MB ", 100.0 * done / total,
			done / 1000000, total / 1000000);
	else
		fprintf(stderr, "\r%llu MB ", done / 1000000);
}

int cmd_base_import(int argc, char **argv)
{
	struct progress progress = {};
	int err, i = no_options(argc, argv);

	if (argc - i != 2)
		command_usage("a name and a source are wanted");
	clock_gettime(CLOCK_MONOTONIC, &progress.start);
	err = dre_app_import_base(argv[i], argv[i + 1], isatty(STDERR_FILENO) ? show : NULL,
				  &progress);
	if (progress.visible)
		fputs("\r\033[K", stderr);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}
