// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * start, suspend, resume, destroy.
 */
#include <stdio.h>
#include <stdlib.h>

#include "container_commands.h"
#include "crowd.h"
#include "progress.h"

dre_return_t with_time(const char *verb, const char *name, dre_return_t (*fn)(const char *name))
{
	struct progress progress;
	dre_return_t err;
	char what[128];

	snprintf(what, sizeof(what), "%s %s", verb, name);
	progress_begin_time(&progress, what);
	err = fn(name);
	progress_end(&progress);
	return err;
}

int for_named(int argc, char **argv, dre_return_t (*fn)(const char *name))
{
	int status = EXIT_SUCCESS, err;

	if (optind == argc)
		command_usage("a name is missing");
	for (int i = optind; i < argc; i++) {
		err = with_time(argv[0], argv[i], fn);
		if (err)
			status = command_fail(err, argv[i]);
	}
	return status;
}

static int for_each(int argc, char **argv, dre_return_t (*fn)(const char *name))
{
	no_options(argc, argv);
	return for_named(argc, argv, fn);
}

static dre_return_t start_if_stopped(const char *name)
{
	dre_return_t err = container_api.start(name);

	return err == DRE_ERR_CONTAINER_RUNNING || err == DRE_ERR_CONTAINER_SUSPENDED ? 0 : err;
}

/* In the order of autostart. */
static int start_all(int argc)
{
	struct crowd crowd;
	int status, err;

	if (optind != argc)
		command_usage("there are names beside --all");
	status = crowd_load(&crowd);
	for (size_t i = 0; i < crowd.nr; i++) {
		err = with_time("start", crowd.members[i].name, start_if_stopped);
		if (err)
			status = command_fail(err, crowd.members[i].name);
	}
	crowd_free(&crowd);
	return status;
}

int cmd_start(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "all", no_argument, NULL, 'a' },
		{ }
	};
	bool all = false;

	while (command_getopt(argc, argv, "a", options) >= 0)
		all = true;
	return all ? start_all(argc) : for_named(argc, argv, container_api.start);
}

int cmd_suspend(int argc, char **argv)
{
	return for_each(argc, argv, container_api.suspend);
}

int cmd_resume(int argc, char **argv)
{
	return for_each(argc, argv, container_api.resume);
}

/* Only what is not off is stopped first: what cannot be asked to stop may still be destroyed. */
static dre_return_t destroy_by_force(const char *name)
{
	dre_return_t err = container_api.destroy(name);

	if (err != DRE_ERR_CONTAINER_RUNNING && err != DRE_ERR_CONTAINER_SUSPENDED)
		return err;
	err = container_api.stop(name, 1, 0);
	return err && err != DRE_ERR_CONTAINER_STOPPED ? err : container_api.destroy(name);
}

int cmd_destroy(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "force", no_argument, NULL, 'f' },
		{ }
	};
	bool force = false;

	while (command_getopt(argc, argv, "f", options) >= 0)
		force = true;
	return for_named(argc, argv, force ? destroy_by_force : container_api.destroy);
}
