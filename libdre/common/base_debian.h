/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_COMMON_BASE_DEBIAN_H
#define DRE_COMMON_BASE_DEBIAN_H

#include <stdbool.h>

#include "import.h"

struct debian {
	const char *suite;	/* "bookworm" */
	const char *packages;	/* beside the essential ones and an init: "a,b"; NULL: none */
	const char *mirror;	/* a URL, or a line "deb ..."; NULL: as the host's apt has it */
	bool verbose;		/* what the builder says goes to standard error */
	import_progress_fn progress;	/* may be NULL; the total is not known */
	void *arg;
};

/*
 * Builds base image @name with mmdebstrap. DRE_ERR_INVALID_ARGUMENT: a malformed suite, package or
 * mirror; DRE_ERR_BASE_EXISTENCE; DRE_ERR_DEVICE_BUSY: mmdebstrap is not installed or has
 * failed. Nothing is left then.
 */
int base_build_debian(struct store *store, const char *name, const struct debian *how);

#endif /* DRE_COMMON_BASE_DEBIAN_H */
