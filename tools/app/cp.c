// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * cp.
 */
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/progress.h"

/* NAME:PATH is cut in two. A name has no slash in it, so "./a:b" is a path of the host. */
static char *split(char *argument)
{
	char *colon = strchr(argument, ':'), *slash = strchr(argument, '/');

	if (!colon || (slash && slash < colon))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

int cmd_cp(int argc, char **argv)
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	int err, i = no_options(argc, argv);
	struct progress progress;
	char *from, *to;

	if (argc - i != 2)
		command_usage("a source and a target are wanted");
	from = split(argv[i]);
	to = split(argv[i + 1]);
	if (!from == !to)
		command_usage("one of the two must be NAME:PATH");
	h.name = from ? argv[i] : argv[i + 1];
	progress_begin(&progress, "cp");
	err = from ? dre_app_copy_out(&h, from, argv[i + 1], progress_show, &progress) :
		     dre_app_copy_in(&h, argv[i], to, progress_show, &progress);
	progress_end(&progress);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}
