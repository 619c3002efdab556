/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A library that is loaded when it is needed. It stays: what it has allocated for a thread is not to outlive it.
 *
 *	#define EXAMPLE_FUNCTIONS(X) X(example_open) X(example_close)
 *	struct example { EXAMPLE_FUNCTIONS(LAZY_POINTER) };
 */
#ifndef DRE_COMMON_LAZY_LIB_H
#define DRE_COMMON_LAZY_LIB_H

#include <stdbool.h>
#include <stddef.h>

struct lazy_function {
	const char *name;
	size_t offset;	/* of its pointer */
};

#define LAZY_POINTER(name) __typeof__(name) *name;

/* Looks all @nr functions up, and writes where they are to @pointers. False: it cannot be used. */
bool lazy_lib_load(const char *soname, const struct lazy_function *functions, size_t nr, void *pointers);

#endif /* DRE_COMMON_LAZY_LIB_H */
