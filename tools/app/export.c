// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stddef.h>
#include <string.h>

#include "app.h"

const char *app_compression_of(const char *path)
{
	static const struct {
		const char *suffix, *compression;
	} suffixes[] = {
		{ ".gz", "gzip" }, { ".tgz", "gzip" }, { ".xz", "xz" }, { ".txz", "xz" },
		{ ".zst", "zstd" }, { ".tzst", "zstd" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (!strcmp(dot, suffixes[i].suffix))
			return suffixes[i].compression;
	return NULL;
}
