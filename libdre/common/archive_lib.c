// SPDX-License-Identifier: LGPL-2.1-or-later
#define ARCHIVE_LIB_ITSELF
#include <dre.h>
#include <pthread.h>

#include "archive_lib.h"
#include "fail.h"
#include "lazy_lib.h"

#define SONAME	"libarchive.so.13"

struct archive_lib archive_lib;

static bool loaded;

static void load(void)
{
#define ENTRY(name) { #name, offsetof(struct archive_lib, name) },
	static const struct lazy_function functions[] = { ARCHIVE_FUNCTIONS(ENTRY) };

	loaded = lazy_lib_load(SONAME, functions, sizeof(functions) / sizeof(*functions), &archive_lib);
}

int archive_lib_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? 0 : dre_fail(DRE_ERR_DEVICE_BUSY, "the library " SONAME " cannot be used");
}
