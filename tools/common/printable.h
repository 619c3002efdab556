/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Printing what a container has a say in, which may have in it what makes a terminal do things.
 */
#ifndef DRE_PRINTABLE_H
#define DRE_PRINTABLE_H

#include <stddef.h>
#include <stdio.h>

/* @len bytes, with "^[" and "M-^[" for control characters but tabs and ends of lines, as cat -v does it. */
void print_safely(FILE *to, const char *text, size_t len);

#endif /* DRE_PRINTABLE_H */
