// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * create, start, stop, suspend, resume, destroy.
 */
#include <limits.h>
#include <stdlib.h>

#include <dre_sys.h>

#include "sys.h"

#define DEFAULT_MEMORY 512	/* MiB */

int cmd_create(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "base", required_argument, NULL, 'b' },
		{ "memory", required_argument, NULL, 'm' },
		{ }
	};
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	int c, err;

	data.udata.kvm.memory_size = DEFAULT_MEMORY;
	while ((c = command_getopt(argc, argv, "b:m:", options)) >= 0) {
		switch (c) {
		case 'b':
			data.udata.kvm.base = optarg;
			break;
		case 'm':
			data.udata.kvm.memory_size = command_number("memory", optarg, 1, INT_MAX);
			break;
		}
	}
	if (argc - optind != 1)
		command_usage("one name is wanted");
	err = dre_sys_create_container(argv[optind], &data);
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}

/* Does the same to several containers, also when one of them fails. */
static int for_each(int argc, char **argv, dre_return_t (*fn)(const dre_sys_handle *h))
{
	dre_sys_handle h = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	int status = EXIT_SUCCESS, err, i = no_options(argc, argv);

	if (i == argc)
		command_usage("a name is missing");
	for (; i < argc; i++) {
		h.name = argv[i];
		err = fn(&h);
		if (err)
			status = command_fail(err, h.name);
	}
	return status;
}

int cmd_start(int argc, char **argv)
{
	return for_each(argc, argv, dre_sys_start);
}

int cmd_stop(int argc, char **argv)
{
	return for_each(argc, argv, dre_sys_stop);
}

int cmd_suspend(int argc, char **argv)
{
	return for_each(argc, argv, dre_sys_suspend);
}

int cmd_resume(int argc, char **argv)
{
	return for_each(argc, argv, dre_sys_resume);
}

static dre_return_t destroy(const dre_sys_handle *h)
{
	return dre_sys_destroy_container(h->name);
}

int cmd_destroy(int argc, char **argv)
{
	return for_each(argc, argv, destroy);
}
