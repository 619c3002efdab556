// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "names.h"

#define ALNUM	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool dre_name_valid(const char *name)
{
	size_t len = strnlen(name, DRE_NAME_MAX + 1);

	return len <= DRE_NAME_MAX && strspn(name, ALNUM) &&
	       strspn(name, ALNUM "_.-") == len;
}

int dre_check_name(const char *what, const char *name)
{
	char begin[24];
	struct printable p;

	if (!name)
		return dre_fail(DRE_ERR_NULL_POINTER, "no name of a %s is given", what);
	if (strnlen(name, DRE_NAME_MAX + 1) > DRE_NAME_MAX) {
		snprintf(begin, sizeof(begin), "%.*s", (int)sizeof(begin) - 1, name);
		return dre_fail(DRE_ERR_REQUEST_TOO_LONG,
				"'%s...': the name of a %s has at most %d characters",
				dre_printable(&p, begin), what, DRE_NAME_MAX);
	}
	if (!dre_name_valid(name))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"'%s': the name of a %s consists of letters, digits, '_', '.' and "
				"'-', and begins with a letter or digit",
				dre_printable(&p, name), what);
	return 0;
}
