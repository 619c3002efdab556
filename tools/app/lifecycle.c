// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * create, start, stop, suspend, resume, destroy.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"

int cmd_create(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "base", required_argument, NULL, 'b' },
		{ "port", required_argument, NULL, 'p' },
		{ "privileged", no_argument, NULL, 'P' },
		{ "unprivileged", no_argument, NULL, 'U' },
		{ }
	};
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_create_options create = { .size = sizeof(create) };
	int c, err;

	while ((c = command_getopt(argc, argv, "b:p:", options)) >= 0) {
		switch (c) {
		case 'b':
			data.udata.lxc.base = optarg;
			break;
		case 'p':
			data.udata.lxc.port = command_number("port", optarg, 1, 65535);
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
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}

/* Does the same to several containers, also when one of them fails. */
static int for_each(int argc, char **argv, dre_return_t (*fn)(const char *name))
{
	int status = EXIT_SUCCESS, err, i = no_options(argc, argv);

	if (i == argc)
		command_usage("a name is missing");
	for (; i < argc; i++) {
		err = fn(argv[i]);
		if (err)
			status = command_fail(err, argv[i]);
	}
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
BY_NAME(stop)
BY_NAME(suspend)
BY_NAME(resume)

int cmd_start(int argc, char **argv)
{
	return for_each(argc, argv, start_name);
}

int cmd_stop(int argc, char **argv)
{
	return for_each(argc, argv, stop_name);
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
