/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables for people, and the same as JSON for programs.
 */
#ifndef DRE_TABLE_H
#define DRE_TABLE_H

#include <stdbool.h>

struct table;

/* What a column's cells are in JSON. For people, numbers stand to the right. */
enum column_type {
	COLUMN_STRING,
	COLUMN_NUMBER,
	COLUMN_NUMBERS,		/* "1,2,3": an array */
	COLUMN_STRINGS,		/* "a,b,c": an array */
	COLUMN_BOOL,		/* "yes" or "no": true or false */
	COLUMN_TIME,		/* "2026-11-26T20:05:33Z": a string; for people to the minute, where they are */
};

/* A column: @name is its heading; in lower case, and without "%", it is the name in JSON. NULL ends them. */
struct column {
	const char *name;
	enum column_type type;
};

/* @name is that of the array in JSON. @columns must stay. Exits if there is no memory, as do the others. */
struct table *table_new(const char *name, const struct column *columns, bool json);

/* Begins the next row; then its cells, in any order. A cell left out is empty, or null in JSON. */
void table_row(struct table *table);
void table_cell(struct table *table, int column, const char *text);
void table_number(struct table *table, int column, unsigned long long number);

/* Prints it, and frees it. */
void table_print(struct table *table);

#endif /* DRE_TABLE_H */
