// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the arguments of commands may be, see struct program.
 */
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/complete.h"

static void complete_list(dre_list_t list)
{
	for (size_t i = 0; list[i]; i++)
		complete_with(list[i]);
	dre_app_release_base_list(list);
}

/* Words that are always the same. */
static bool complete_word(const char *kind)
{
	static const char *const words[][8] = {
		{ "RESOURCE", "cpu", "cores", "memory", "memsw" },
		{ "STATE", "stopped", "running", "suspended" },
		{ "HOW", "none", "gzip", "xz", "zstd" },
		{ "CHAR", "^a", "none" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(kind, words[i][0]))
			continue;
		for (size_t j = 1; words[i][j]; j++)
			complete_with(words[i][j]);
		return true;
	}
	return false;
}

static dre_return_t get_list(const char *kind, const dre_app_handle *h, dre_list_t *list)
{
	if (!strcmp(kind, "NAME"))
		return dre_app_get_container_list(list);
	if (!strcmp(kind, "BASE"))
		return dre_app_get_base_list(list);
	if (!strcmp(kind, "SNAPSHOT"))
		return dre_app_get_snapshot_list(h, list);
	if (!strcmp(kind, "CHECKPOINT"))
		return dre_app_get_checkpoint_list(h, list);
	if (!strcmp(kind, "CGROUP"))
		return dre_app_get_cgroup_list(h, list);
	return DRE_ERR_INVALID_ARGUMENT;
}

static void complete_properties(const dre_app_handle *h)
{
	dre_app_property *list;

	if (dre_app_get_property_list(h, &list))
		return;
	for (size_t i = 0; list[i].key; i++)
		complete_with(list[i].key);
	dre_app_release_property_list(list);
}

void complete_kind(const char *kind, const char *name)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
	dre_list_t list;

	if (!strcmp(kind, "KEY"))
		complete_properties(&h);
	if (complete_word(kind) || get_list(kind, &h, &list))
		return;
	complete_list(list);
}
