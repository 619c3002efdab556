// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the arguments of commands may be, see struct program.
 */
#include <string.h>

#include <dre_app.h>

#include "app.h"

static dre_return_t get_list(const char *kind, const dre_app_handle *h, dre_list_t *list)
{
	if (!strcmp(kind, "CHECKPOINT"))
		return dre_app_get_checkpoint_list(h, list);
	return DRE_ERR_INVALID_ARGUMENT;
}

void complete_kind(const char *kind, const char *name)
{
	static const char *const words[][COMPLETE_WORDS] = {
		{ "HOW", "none", "gzip", "xz", "zstd" },
	};
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
	dre_list_t list;

	if (complete_common(kind, name) || complete_words(kind, words, sizeof(words) / sizeof(*words)))
		return;
	if (!get_list(kind, &h, &list))
		complete_list(list);
}
