// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * create.
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
		{ "set", required_argument, NULL, 's' },
		{ "start", no_argument, NULL, 'S' },
		{ "privileged", no_argument, NULL, 'P' },
		{ "unprivileged", no_argument, NULL, 'U' },
		{ }
	};
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_create_options create = { .size = sizeof(create) };
	dre_app_property *properties = command_memory(calloc(argc, sizeof(*properties)));
	bool start = false;
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
		case 'S':
			start = true;
			break;
		}
	}
	if (argc - optind != 1)
		command_usage("one name is wanted");
	err = dre_app_create_container_with(argv[optind], &data, &create);
	free(properties);
	if (!err && start)
		err = with_time("start", argv[optind], container_api.start);
	return err ? command_fail(err, argv[optind]) : EXIT_SUCCESS;
}
