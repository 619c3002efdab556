/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container or a base image is made of, as a list of "KEY=VALUE".
 */
#ifndef DRE_COMMON_INFO_H
#define DRE_COMMON_INFO_H

#include "manifest.h"

struct store;

/* A list that grows. All zero is empty; after a failure it stays as it is, and @err is its errno. */
struct info {
	char **list;
	size_t nr;
	int err;
};

void info_add(struct info *info, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* layers=, and setting.NAME= for each of them. */
void info_add_layers(struct info *info, const struct manifest *m);
void info_add_settings(struct info *info, const struct manifest *m);

/*
 * created= of container @name, snapshot.TAG= and checkpoint.TAG= of all that it has: when they were made, in UTC
 * (RFC 3339). What is gone by now has none.
 */
void info_add_times(struct info *info, struct store *store, const char *name);

/*
 * The list, ended by a NULL, which store_free_list() frees; or a DRE_ERR_* code, and it is freed. @what it is of:
 * "container".
 */
int info_end(struct info *info, const char *what, const char *name, char ***list);

/* All that there is to know of a base image: the same. */
int info_of_base(struct store *store, const char *name, char ***list);

#endif /* DRE_COMMON_INFO_H */
