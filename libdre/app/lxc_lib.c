// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dlfcn.h>
#include <dre.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/fail.h"
#include "lxc_lib.h"

#define SONAME	"liblxc.so.1"

struct lxc_lib lxc_lib;

static bool loaded;

#define LXC_ENTRY(name) { #name, offsetof(struct lxc_lib, name) },
static const struct {
	const char *name;
	size_t offset;
} functions[] = {
	LXC_FUNCTIONS(LXC_ENTRY)
};

/* It stays: it has a log, and what it has allocated for threads. */
static void load(void)
{
	void *lib = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL), *function;

	for (size_t i = 0; lib && i < sizeof(functions) / sizeof(*functions); i++) {
		function = dlsym(lib, functions[i].name);
		if (!function)
			return;
		*(void **)((char *)&lxc_lib + functions[i].offset) = function;
	}
	loaded = lib;
}

int lxc_lib_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? 0 : dre_fail(DRE_ERR_DEVICE_BUSY, "the library " SONAME " cannot be used");
}
