/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arguments of base build.
 */
#ifndef DRE_BUILD_H
#define DRE_BUILD_H

#include <stdbool.h>

struct build_arguments {
	const char *name;
	const char *suite, *packages, *mirror;
	unsigned long long disk;	/* bytes; 0: not said */
	int verbose;
};

/* @sized: it may have a size. Exits on wrong usage. */
struct build_arguments build_arguments(int argc, char **argv, bool sized);

#endif /* DRE_BUILD_H */
