// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * share, unshare, takeover.
 */
#include <stdlib.h>

#include <dre_sys.h>

#include "common/progress.h"
#include "sys.h"

typedef dre_return_t (*move_fn)(const dre_sys_handle *h, dre_sys_progress progress, void *arg);

/* All of them, also where one fails. */
static int move(int argc, char **argv, const char *verb, move_fn fn)
{
	dre_sys_handle h = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	int i = no_options(argc, argv), err, status = EXIT_SUCCESS;
	struct progress progress;

	if (i == argc)
		command_usage("at least one name is wanted");
	for (; i < argc; i++) {
		h.name = argv[i];
		progress_begin(&progress, verb);
		err = fn(&h, progress_show, &progress);
		progress_end(&progress);
		if (err)
			status = command_fail(err, h.name);
	}
	return status;
}

int cmd_share(int argc, char **argv)
{
	return move(argc, argv, "share", dre_sys_share_with);
}

int cmd_unshare(int argc, char **argv)
{
	return move(argc, argv, "unshare", dre_sys_unshare_with);
}

/* What it costs if its owner is not gone is said where it is asked for: --force. */
int cmd_takeover(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "force", no_argument, NULL, 'f' },
		{ }
	};
	dre_sys_handle h = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	bool force = false;
	int err;

	while (command_getopt(argc, argv, "f", options) >= 0)
		force = true;
	if (argc - optind != 1)
		command_usage("one name is wanted");
	if (!force)
		command_usage("--force is wanted: nobody asks the host that owns it");
	h.name = argv[optind];
	err = dre_sys_take_over(&h);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}
