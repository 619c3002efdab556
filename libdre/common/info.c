// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base.h"
#include "checkpoint.h"
#include "fail.h"
#include "info.h"
#include "names.h"
#include "snapshot.h"
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

/* Of a file that is written once, when what it belongs to is made, and never again. */
static void add_time(struct info *info, const struct store *store, const char *key, const char *path)
{
	char text[sizeof("2147483647-12-31T23:59:59Z")];
	struct stat st;
	struct tm tm;

	if (!fstatat(store_root_fd(store), path, &st, AT_SYMLINK_NOFOLLOW) && gmtime_r(&st.st_mtime, &tm) &&
	    strftime(text, sizeof(text), "%FT%TZ", &tm))
		info_add(info, "%s=%s", key, text);
}

/* @what: "snapshot". @file: below its tag. */
static void add_tags(struct info *info, struct store *store, const char *name, const char *what, const char *file,
		     int (*list)(struct store *store, const char *container, char ***tags))
{
	char path[sizeof("containers//checkpoints//manifest") + 2 * DRE_NAME_MAX];
	char key[sizeof("checkpoint.") + DRE_NAME_MAX];
	char **tags;

	if (list(store, name, &tags))
		return;
	for (char **tag = tags; *tag; tag++) {
		snprintf(key, sizeof(key), "%s.%s", what, *tag);
		snprintf(path, sizeof(path), "containers/%s/%ss/%s%s", name, what, *tag, file);
		add_time(info, store, key, path);
	}
	store_free_list(tags);
}

void info_add_times(struct info *info, struct store *store, const char *name)
{
	char path[sizeof("containers//lock") + DRE_NAME_MAX];

	/* Nothing is ever written to it, and it goes along when the container gets another name. */
	snprintf(path, sizeof(path), "containers/%s/lock", name);
	add_time(info, store, "created", path);
	add_tags(info, store, name, "snapshot", "", snapshot_list);
	add_tags(info, store, name, "checkpoint", "/manifest", checkpoint_list);
}

int info_end(struct info *info, const char *what, const char *name, char ***list)
{
	if (!info->err) {
		*list = info->list;
		return 0;
	}
	if (info->list)
		store_free_list(info->list);
	return dre_fail_errno(info->err, "%s '%s'", what, name);
}

int info_of_base(struct store *store, const char *name, char ***list)
{
	char path[sizeof("bases/") + DRE_NAME_MAX];
	struct info info = {};
	struct manifest m = {};
	int ret = base_read(store, name, &m);

	if (ret)
		return ret;
	snprintf(path, sizeof(path), "bases/%s", name);
	add_time(&info, store, "created", path);
	info_add_layers(&info, &m);
	info_add_settings(&info, &m);
	manifest_free(&m);
	return info_end(&info, "base image", name, list);
}
