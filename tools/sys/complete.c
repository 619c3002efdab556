// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the arguments of commands may be, see struct program.
 */
#include <string.h>

#include "common/complete.h"
#include "sys.h"

static dre_return_t get_list(const char *kind, const char *name, dre_list_t *list)
{
	if (!strcmp(kind, "NAME"))
		return container_api.get_container_list(list);
	if (!strcmp(kind, "BASE"))
		return container_api.get_base_list(list);
	if (!strcmp(kind, "SNAPSHOT"))
		return container_api.get_snapshot_list(name, list);
	if (!strcmp(kind, "CHECKPOINT"))
		return container_api.get_checkpoint_list(name, list);
	return DRE_ERR_INVALID_ARGUMENT;
}

/* Words that are always the same. */
static bool complete_word(const char *kind)
{
	static const char *const how[] = { "none", "zlib", "zstd" };

	if (strcmp(kind, "HOW") != 0)
		return false;
	for (size_t i = 0; i < sizeof(how) / sizeof(*how); i++)
		complete_with(how[i]);
	return true;
}

void complete_kind(const char *kind, const char *name)
{
	dre_list_t list;

	if (complete_word(kind))
		return;
	if (get_list(kind, name, &list))
		return;
	for (size_t i = 0; list[i]; i++)
		complete_with(list[i]);
	container_api.release_list(list);
}
