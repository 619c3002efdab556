/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts that come from anybody, and may be shown on a terminal.
 */
#ifndef DRE_COMMON_UTF8_H
#define DRE_COMMON_UTF8_H

#include <stddef.h>

/* How many bytes the character at @s has in UTF-8; 0: that is none. */
size_t utf8_character(const char *s, size_t len);

/*
 * How many bytes there are at @s that make a terminal do things; 0: it shows what is there. They are the control
 * characters, also those from U+0080 on, and those as one byte, which some terminals take for the same.
 */
size_t utf8_control(const char *s, size_t len);

#endif /* DRE_COMMON_UTF8_H */
