/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables for people, and the same as JSON for programs.
 */
#ifndef DRE_TABLE_H
#define DRE_TABLE_H

#include <stdbool.h>

#include <libsmartcols.h>

/**
 * struct column - a column
 * @name: heading; in lower case it is the name in JSON
 * @type: SCOLS_JSON_*
 * @flags: SCOLS_FL_*
 */
struct column {
	const char *name;
	int type;
	int flags;
};

/* @name is that of the array in JSON. Exits if there is no memory, as do the others. */
struct libscols_table *table_new(const char *name, const struct column *columns, bool json);

/* The next row; then its cells. An empty cell is "-" for people and null in JSON. */
struct libscols_line *table_row(struct libscols_table *table);
void table_cell(struct libscols_line *row, int column, const char *text);

/* Prints it, and frees it. */
void table_print(struct libscols_table *table);

#endif /* DRE_TABLE_H */
