// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the arguments of commands may be, see struct program.
 */
#include "sys.h"

void complete_kind(const char *kind, const char *name)
{
	static const char *const words[][COMPLETE_WORDS] = {
		{ "HOW", "none", "zlib", "zstd" },
	};

	if (!complete_common(kind, name))
		complete_words(kind, words, sizeof(words) / sizeof(*words));
}
