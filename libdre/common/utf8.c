// SPDX-License-Identifier: LGPL-2.1-or-later
#include "utf8.h"

size_t utf8_character(const char *s, size_t len)
{
	unsigned char c = *s;
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long for what it is, a surrogate, or beyond the last one. */
	if ((c == 0xe0 && !(s[1] & 0x20)) || (c == 0xed && (s[1] & 0x20)) ||
	    (c == 0xf0 && !(s[1] & 0x30)) || (c == 0xf4 && (s[1] & 0x30)))
		return 0;
	return n;
}

size_t utf8_control(const char *s, size_t len)
{
	unsigned char c = *s;

	switch (utf8_character(s, len)) {
	case 0:
		return (c & 0xe0) == 0x80;
	case 1:
		return c < 0x20 || c == 0x7f;
	case 2:
		return c == 0xc2 && !(s[1] & 0x20) ? 2 : 0;
	}
	return 0;
}
