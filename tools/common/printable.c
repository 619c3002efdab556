// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/utf8.h"
#include "printable.h"

static void print_control(FILE *to, const char *text, size_t len)
{
	unsigned char c = text[len - 1];	/* what it is without its first byte */

	fprintf(to, c & 0x80 ? "M-^%c" : "^%c", (c & 0x7f) ^ 0x40);
}

void print_safely(FILE *to, const char *text, size_t len)
{
	for (size_t n; len; text += n, len -= n) {
		n = *text == '\t' || *text == '\n' ? 0 : utf8_control(text, len);
		if (n) {
			print_control(to, text, n);
		} else {
			n = utf8_character(text, len) ?: 1;
			fwrite(text, 1, n, to);
		}
	}
}
