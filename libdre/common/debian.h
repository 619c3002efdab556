/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program of ours that builds a Debian with mmdebstrap, for both kinds of base image.
 */
#ifndef DRE_COMMON_DEBIAN_H
#define DRE_COMMON_DEBIAN_H

#include <stdbool.h>
#include <sys/types.h>

#include "import.h"

struct debian {
	const char *suite;	/* "bookworm" */
	const char *packages;	/* beside those that it needs: "a,b"; NULL: none */
	const char *mirror;	/* a URL, or a line "deb ..."; NULL: as the host's apt has it */
	unsigned long long disk;	/* bytes, of a disk; 0: a tar archive is built */
	bool verbose;		/* what the builder says goes to standard error */
	import_progress_fn progress;	/* may be NULL */
	void *arg;
};

struct debian_builder {
	const char *name;	/* of the base image */
	pid_t pid;
	int log;		/* what it says; -1: it is verbose */
};

/* DRE_ERR_INVALID_ARGUMENT: a malformed suite, list of packages or mirror. */
int debian_check(const struct debian *how);

/*
 * Starts it. What it builds goes to @out; how far it is with a disk, of 100, a line a step, to @steps (-1: to
 * nobody). debian_wait() is needed if it succeeds.
 */
int debian_start(struct debian_builder *b, const char *name, const struct debian *how, int out, int steps);

/* Waits for its end. DRE_ERR_DEVICE_BUSY, with its first error, if it has failed. */
int debian_wait(const struct debian_builder *b);

#endif /* DRE_COMMON_DEBIAN_H */
