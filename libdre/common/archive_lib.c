// SPDX-License-Identifier: LGPL-2.1-or-later
#define ARCHIVE_LIB_ITSELF
#include <dlfcn.h>
#include <dre.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "archive_lib.h"
#include "fail.h"

#define SONAME	"libarchive.so.13"

struct archive_lib archive_lib;

static bool loaded;

#define ARCHIVE_ENTRY(name) { #name, offsetof(struct archive_lib, name) },
static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	ARCHIVE_FUNCTIONS(ARCHIVE_ENTRY)
};

/* It stays: what it has allocated for a thread is not to outlive it. */
static void load(void)
{
	void *lib = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL), *function;

	for (size_t i = 0; lib && i < sizeof(functions) / sizeof(*functions); i++) {
		function = dlsym(lib, functions[i].name);
		if (!function)
			return;
		*(void **)((char *)&archive_lib + functions[i].offset) = function;
	}
	loaded = lib;
}

int archive_lib_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? 0 : dre_fail(DRE_ERR_DEVICE_BUSY, "the library " SONAME " cannot be used");
}
