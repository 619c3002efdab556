// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * start, stop, reboot, suspend, resume, destroy.
 */
#include <stdlib.h>

#include "container_commands.h"
#include "crowd.h"

/* Does the same to the containers that are named, also when one of them fails. */
static int for_named(int argc, char **argv, dre_return_t (*fn)(const char *name))
{
	int status = EXIT_SUCCESS, err;

	if (optind == argc)
		command_usage("a name is missing");
	for (int i = optind; i < argc; i++) {
		err = fn(argv[i]);
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

/* The same to all of them, in the order of autostart, or against it. */
static int for_all(int argc, dre_return_t (*fn)(const char *name), bool backwards)
{
	struct crowd crowd;
	int status, err;

	if (optind != argc)
		command_usage("there are names beside --all");
	status = crowd_load(&crowd);
	for (size_t i = 0; i < crowd.nr; i++) {
		const char *name = crowd.members[backwards ? crowd.nr - 1 - i : i].name;

		err = fn(name);
		if (err)
			status = command_fail(err, name);
	}
	crowd_free(&crowd);
	return status;
}

static dre_return_t start_if_stopped(const char *name)
{
	dre_return_t err = container_api.start(name);

	return err == DRE_ERR_CONTAINER_RUNNING || err == DRE_ERR_CONTAINER_SUSPENDED ? 0 : err;
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
	return all ? for_all(argc, start_if_stopped, false) : for_named(argc, argv, container_api.start);
}

/* How stop and reboot wait. */
static int stop_kill, stop_timeout;

static dre_return_t stop_name(const char *name)
{
	return container_api.stop(name, stop_kill, stop_timeout);
}

static dre_return_t stop_if_up(const char *name)
{
	dre_return_t err = stop_name(name);

	return err == DRE_ERR_CONTAINER_STOPPED ? 0 : err;
}

static dre_return_t reboot_name(const char *name)
{
	return container_api.reboot(name, stop_kill, stop_timeout);
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

	return read_stop_options(argc, argv, "akt:", options) ?
	       for_all(argc, stop_if_up, true) :
	       for_named(argc, argv, stop_name);
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
