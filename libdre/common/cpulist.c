// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "cpulist.h"

static bool parse_number(const char **text, unsigned int *number)
{
	const char *p = *text;

	if (*p < '0' || *p > '9')
		return false;
	for (*number = 0; *p >= '0' && *p <= '9'; p++) {
		*number = *number * 10 + (*p - '0');
		if (*number >= CPULIST_MAX)
			return false;
	}
	*text = p;
	return true;
}

bool cpulist_parse(struct cpulist *list, const char *text)
{
	unsigned int first, last;

	*list = (struct cpulist){};
	do {
		if (!parse_number(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!parse_number(&text, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			list->bits[first / 8] |= 1 << first % 8;
	} while (*text++ == ',');
	return text[-1] == '\0';
}

int cpulist_missing(const struct cpulist *list, const struct cpulist *of)
{
	for (size_t i = 0; i < sizeof(list->bits); i++) {
		unsigned int missing = list->bits[i] & ~of->bits[i];

		if (missing)
			return i * 8 + __builtin_ctz(missing);
	}
	return -1;
}
