// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the arguments of the common commands may be, see struct program.
 */
#include <string.h>

#include "complete.h"
#include "container_commands.h"

bool complete_words(const char *kind, const char *const words[][COMPLETE_WORDS], size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (strcmp(kind, words[i][0]))
			continue;
		for (size_t j = 1; words[i][j]; j++)
			complete_with(words[i][j]);
		return true;
	}
	return false;
}

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
	if (!strcmp(kind, "CGROUP"))
		return container_api.get_cgroup_list(name, list);
	return DRE_ERR_INVALID_ARGUMENT;
}

static void complete_list(dre_list_t list)
{
	for (size_t i = 0; list[i]; i++)
		complete_with(list[i]);
	container_api.release_list(list);
}

bool complete_common(const char *kind, const char *name)
{
	static const char *const words[][COMPLETE_WORDS] = {
		{ "STATE", "stopped", "running", "suspended" },
		{ "CHAR", "^a", "none" },
	};
	dre_list_t list;

	if (!strcmp(kind, "RESOURCE")) {
		for (size_t i = 0; i < nr_resources(); i++)
			complete_with(resource_names[i].name);
		return true;
	}
	if (complete_words(kind, words, sizeof(words) / sizeof(*words)))
		return true;
	if (get_list(kind, name, &list))
		return false;
	complete_list(list);
	return true;
}
