// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * checkpoint.
 */
#include <dre_app.h>

#include "app.h"

static dre_return_t checkpoint(const char *name, const char *tag)
{
	return dre_app_checkpoint(&(dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, (char *)name }, tag);
}

int cmd_checkpoint(int argc, char **argv)
{
	return tag_command(argc, argv, "checkpoint", checkpoint);
}
