// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fail.h"
#include "info.h"
#include "store.h"

void info_add(struct info *info, const char *fmt, ...)
{
	char **list = info->err ? NULL : realloc(info->list, (info->nr + 2) * sizeof(*list));
	va_list args;

	if (!list) {
		info->err = info->err ? info->err : ENOMEM;
		return;
	}
	info->list = list;
	va_start(args, fmt);
	if (vasprintf(&list[info->nr], fmt, args) < 0)
		info->err = ENOMEM;
	else
		info->nr++;
	va_end(args);
	list[info->nr] = NULL;
}

void info_add_layers(struct info *info, const struct manifest *m)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; f && i < m->nr_layers; i++)
		fprintf(f, "%s%s", i ? "," : "", m->layers[i]);
	if (!f || fclose(f))
		info->err = ENOMEM;
	else
		info_add(info, "layers=%s", text);
	free(text);
}

void info_add_settings(struct info *info, const struct manifest *m)
{
	for (size_t i = 0; i < m->nr_settings; i++)
		info_add(info, "setting.%s=%s", m->settings[i].key, m->settings[i].value);
}

int info_end(struct info *info, const char *name, char ***list)
{
	if (!info->err) {
		*list = info->list;
		return 0;
	}
	if (info->list)
		store_free_list(info->list);
	return dre_fail_errno(info->err, "container '%s'", name);
}
