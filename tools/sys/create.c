// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * create.
 */
#include <limits.h>
#include <stdlib.h>

#include <dre_sys.h>

#include "sys.h"

int cmd_create(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "base", required_argument, NULL, 'b' },
		{ "memory", required_argument, NULL, 'm' },
		{ "rootfs", required_argument, NULL, 'r' },
		{ "set", required_argument, NULL, 's' },
		{ "start", no_argument, NULL, 'S' },
		{ }
	};
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	dre_sys_create_options create = { .size = sizeof(create) };
	dre_property *properties = command_memory(calloc(argc, sizeof(*properties)));
	bool start = false;
	int c, err, nr = 0;

	create.properties = properties;
	while ((c = command_getopt(argc, argv, "b:m:r:s:", options)) >= 0) {
		switch (c) {
		case 'b':
			data.udata.kvm.base = optarg;
			break;
		case 'm':
			data.udata.kvm.memory_size = command_number("memory", optarg, 1, INT_MAX);
			break;
		case 'r':
			data.udata.kvm.rootfs = optarg;
			break;
		case 's':
			properties[nr++] = property_argument(optarg);
			break;
		case 'S':
			start = true;
			break;
		}
	}
	if (argc - optind != 1)
		command_usage("one name is wanted");
	err = dre_sys_create_container_with(argv[optind], &data, &create);
	free(properties);
	if (!err && start)
		err = with_time("start", argv[optind], container_api.start);
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}
