// SPDX-License-Identifier: LGPL-2.1-or-later

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json.h>
#include <libsmartcols.h>

#include "command.h"
#include "table.h"
#include "value.h"

#define MAX_COLUMNS 16
#define KEY_SIZE    32

/* One of the two, as @json says. */
struct table {
	const char *name;
	const struct column *columns;
	bool json;
	struct json_object *rows;
	struct json_object *row;
	char keys[MAX_COLUMNS][KEY_SIZE];
	struct libscols_table *scols;
	struct libscols_line *line;
};

static void add_columns(struct table *t)
{
	for (const struct column *c = t->columns; c->name; c++)
		command_memory(scols_table_new_column(t->scols, c->name, 0,
						      c->type == COLUMN_NUMBER ?
						      SCOLS_FL_RIGHT : 0));
}

/* "CPU%" is "cpu_percent": what jq takes without quotes. */
static void make_key(char key[KEY_SIZE], const char *name)
{
	size_t len = strcspn(name, "%");

	snprintf(key, KEY_SIZE, "%.*s%s", (int)len, name, name[len] ? "_percent" : "");
	for (; *key; key++)
		*key = tolower((unsigned char)*key);
}

static void make_keys(struct table *t)
{
	for (int i = 0; i < MAX_COLUMNS && t->columns[i].name; i++)
		make_key(t->keys[i], t->columns[i].name);
}

struct table *table_new(const char *name, const struct column *columns, bool json)
{
	struct table *t = command_memory(calloc(1, sizeof(*t)));

	t->name = name;
	t->columns = columns;
	t->json = json;
	if (json) {
		t->rows = value_array();
		make_keys(t);
	} else {
		t->scols = command_memory(scols_new_table());
		add_columns(t);
	}
	return t;
}

void table_row(struct table *t)
{
	if (!t->json) {
		t->line = command_memory(scols_table_new_line(t->scols, NULL));
		return;
	}
	t->row = value_object();
	for (int i = 0; t->columns[i].name; i++)
		json_object_object_add(t->row, t->keys[i], NULL);
	json_object_array_add(t->rows, t->row);
}

static struct json_object *value(enum column_type type, const char *text)
{
	switch (type) {
	case COLUMN_NUMBER:
		return value_number(strtoll(text, NULL, 10));
	case COLUMN_NUMBERS:
		return value_numbers(text);
	case COLUMN_STRINGS:
		return value_texts(text);
	case COLUMN_BOOL:
		return value_bool(!strcmp(text, "yes"));
	case COLUMN_STRING:
	case COLUMN_TIME:
		break;
	}
	return value_text(text);
}

/* "2026-11-26 21:05", here. Returns @text where it is no time. */
static const char *local_time(const char *text, char local[32])
{
	struct tm tm = {};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	time_t time = timegm(&tm);

	return end && !*end && localtime_r(&time, &tm) && strftime(local, 32, "%F %H:%M", &tm) ? local : text;
}

void table_cell(struct table *t, int column, const char *text)
{
	enum column_type type = t->columns[column].type;
	char local[32];

	if (t->json)
		json_object_object_add(t->row, t->keys[column], value(type, text));
	else if (scols_line_set_data(t->line, column, type == COLUMN_TIME ? local_time(text, local) : text))
		command_memory(NULL);
}

void table_number(struct table *t, int column, unsigned long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", number);
	table_cell(t, column, text);
}

static void print_json(struct table *t)
{
	struct json_object *top = value_object();

	json_object_object_add(top, t->name, t->rows);
	puts(command_memory((void *)json_object_to_json_string_ext(top,
			JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(top);
}

void table_print(struct table *t)
{
	if (t->json) {
		print_json(t);
	} else {
		scols_print_table(t->scols);
		scols_unref_table(t->scols);
	}
	free(t);
}
