/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tar archives of base images and of containers, as import.h takes them back.
 */
#ifndef DRE_COMMON_EXPORT_H
#define DRE_COMMON_EXPORT_H

#include "container.h"
#include "import.h"

/* Where an archive goes, and how. */
struct export {
	int fd;
	const char *compression;	/* as struct tar_source has it */
	import_progress_fn progress;
	void *arg;
};

/* All that is in base image @name, as a container sees it. DRE_ERR_BASE_NONEXISTENCE. */
int export_base(struct store *store, const char *name, const struct export *to);

/* The same for a container, which is locked and stopped. */
int export_container(struct container *c, const struct export *to);

#endif /* DRE_COMMON_EXPORT_H */
