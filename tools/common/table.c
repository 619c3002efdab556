// SPDX-License-Identifier: LGPL-2.1-or-later

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "table.h"

static void *check(void *p)
{
	if (!p) {
		perror("table");
		exit(EXIT_FAILURE);
	}
	return p;
}

struct libscols_table *table_new(const char *name, const struct column *columns, bool json)
{
	struct libscols_table *table;
	struct libscols_column *column;
	char lower[32];
	size_t i;

	scols_init_debug(0);
	table = check(scols_new_table());
	scols_table_set_name(table, name);
	scols_table_enable_json(table, json);
	for (; columns->name; columns++) {
		for (i = 0; i < sizeof(lower) - 1 && columns->name[i]; i++)
			lower[i] = tolower((unsigned char)columns->name[i]);
		lower[i] = '\0';
		column = check(scols_table_new_column(table, json ? lower : columns->name, 0,
						      columns->flags));
		scols_column_set_json_type(column, columns->type);
	}
	return table;
}

struct libscols_line *table_row(struct libscols_table *table)
{
	return check(scols_table_new_line(table, NULL));
}

void table_cell(struct libscols_line *row, int column, const char *text)
{
	if (scols_line_set_data(row, column, text))
		check(NULL);
}

void table_print(struct libscols_table *table)
{
	scols_print_table(table);
	if (scols_table_is_json(table) && scols_table_get_nlines(table) == 0)
		puts("");
	scols_unref_table(table);
}
