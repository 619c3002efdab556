// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <pthread.h>

#include "common/fail.h"
#include "common/lazy_lib.h"
#include "lxc_lib.h"

#define SONAME	"liblxc.so.1"

struct lxc_lib lxc_lib;

static bool loaded;

static void load(void)
{
#define ENTRY(name) { #name, offsetof(struct lxc_lib, name) },
	static const struct lazy_function functions[] = { LXC_FUNCTIONS(ENTRY) };

	loaded = lazy_lib_load(SONAME, functions, sizeof(functions) / sizeof(*functions), &lxc_lib);
}

int lxc_lib_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? 0 : dre_fail(DRE_ERR_DEVICE_BUSY, "the library " SONAME " cannot be used");
}
