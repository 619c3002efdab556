// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * create, start, stop, reboot, suspend, resume, destroy.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"
#include "crowd.h"

int cmd_create(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "base", required_argument, NULL, 'b' },
		{ "port", required_argument, NULL, 'p' },
		{ "set", required_argument, NULL, 's' },
		{ "privileged", no_argument, NULL, 'P' },
		{ "unprivileged", no_argument, NULL, 'U' },
		{ }
	};
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_create_options create = { .size = sizeof(create) };
	dre_app_property *properties = command_memory(calloc(argc, sizeof(*properties)));
	int c, err, nr = 0;

	create.properties = properties;
	while ((c = command_getopt(argc, argv, "b:p:s:", options)) >= 0) {
		switch (c) {
		case 'b':
			data.udata.lxc.base = optarg;
			break;
		case 'p':
			data.udata.lxc.port = command_number("port", optarg, 1, 65535);
			break;
		case 's':
			properties[nr++] = property_argument(optarg);
			break;
		case 'P':
			create.privileged = 1;
			break;
		case 'U':
			create.privileged = -1;
			break;
		}
	}
	if (argc - optind != 1)
		command_usage("one name is wanted");
	err = dre_app_create_container_with(argv[optind], &data, &create);
	free(properties);
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}

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

/*
 * The same to all of them, in the order of autostart, or against it. Those that are in the
 * @wanted state already need nothing.
 */
static int for_all(int argc, dre_return_t (*fn)(const char *name), dre_return_t wanted,
		   bool backwards)
{
	struct crowd crowd;
	int status, err;

	if (optind != argc)
		command_usage("there are names beside --all");
	status = crowd_load(&crowd);
	for (size_t i = 0; i < crowd.nr; i++) {
		const char *name = crowd.members[backwards ? crowd.nr - 1 - i : i].name;

		err = fn(name);
		if (err && err != wanted)
			status = command_fail(err, name);
	}
	crowd_free(&crowd);
	return status;
}

/* The functions take a handle, which is no more than a name. */
#define BY_NAME(function)						\
	static dre_return_t function##_name(const char *name)		\
	{								\
		const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };	\
									\
		return dre_app_##function(&h);				\
	}

BY_NAME(start)
BY_NAME(suspend)
BY_NAME(resume)

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
	return all ? for_all(argc, start_name, DRE_ERR_CONTAINER_RUNNING, false) :
		     for_named(argc, argv, start_name);
}

/* How stop and reboot wait. */
static dre_app_stop_options stop_options = { .size = sizeof(stop_options) };

static dre_return_t stop_name(const char *name)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };

	return dre_app_stop_with(&h, &stop_options);
}

static dre_return_t reboot_name(const char *name)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };

	return dre_app_reboot(&h, &stop_options);
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
			stop_options.kill = 1;
			break;
		case 't':
			stop_options.timeout = command_number("time", optarg, 0, 86400);
			if (!stop_options.timeout)
				stop_options.kill = 1;
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
	       for_all(argc, stop_name, DRE_ERR_CONTAINER_STOPPED, true) :
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
	return for_each(argc, argv, suspend_name);
}

int cmd_resume(int argc, char **argv)
{
	return for_each(argc, argv, resume_name);
}

int cmd_destroy(int argc, char **argv)
{
	return for_each(argc, argv, dre_app_destroy_container);
}
