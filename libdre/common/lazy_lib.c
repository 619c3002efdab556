// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dlfcn.h>

#include "lazy_lib.h"

bool lazy_lib_load(const char *soname, const struct lazy_function *functions, size_t nr, void *pointers)
{
	void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL), *function;

	for (size_t i = 0; lib && i < nr; i++) {
		function = dlsym(lib, functions[i].name);
		if (!function)
			return false;
		*(void **)((char *)pointers + functions[i].offset) = function;
	}
	return lib;
}
