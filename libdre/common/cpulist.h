/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of CPUs in the kernel's form: "0-3,5".
 */
#ifndef DRE_COMMON_CPULIST_H
#define DRE_COMMON_CPULIST_H

#include <stdbool.h>

#define CPULIST_MAX	8192	/* CPUs; Debian's kernels know no more */

struct cpulist {
	unsigned char bits[CPULIST_MAX / 8];
};

/* False if @text is not such a list, or empty, or names a CPU above the last. Any text is safe. */
bool cpulist_parse(struct cpulist *list, const char *text);

/* The lowest CPU that is in @list and not in @of, or -1: then all of it is there. */
int cpulist_missing(const struct cpulist *list, const struct cpulist *of);

#endif /* DRE_COMMON_CPULIST_H */
