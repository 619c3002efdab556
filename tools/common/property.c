// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * set, unset, get.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_commands.h"
#include "table.h"

dre_property property_argument(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		command_usage("'%s' is not of the form KEY=VALUE", text);
	*equals = '\0';
	return (dre_property){ .key = text, .value = equals + 1 };
}

/* @keys is a list of words. */
static void append_word(char **keys, const char *word)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s%s", *keys ? *keys : "", *keys ? ", " : "", word) < 0)
		longer = NULL;
	free(*keys);
	*keys = command_memory(longer);
}

static bool is_at_start(const dre_property *all, const char *key)
{
	for (; all->key; all++)
		if (!strcmp(all->key, key))
			return all->at_start;
	return false;
}

/* Who changes a container that runs should know what he has not changed yet. */
static void tell_at_start(const char *name, const dre_property *changed)
{
	dre_property *all;
	char *keys = NULL;

	if (is_stopped(container_api.status(name)) || container_api.get_property_list(name, &all))
		return;
	for (; changed->key; changed++)
		if (is_at_start(all, changed->key))
			append_word(&keys, changed->key);
	if (keys)
		command_note("container '%s' runs: %s will hold from its next start on ('%s reboot %s')",
			     name, keys, container_api.program, name);
	free(keys);
	container_api.release_property_list(all);
}

static int change(int argc, char **argv, bool set)
{
	const char *name;
	dre_property *properties;
	int err, i = no_options(argc, argv), nr = argc - i - 1;

	if (nr < 1)
		command_usage("a name and %s are wanted", set ? "KEY=VALUE" : "a key");
	name = argv[i++];
	properties = command_memory(calloc(nr + 1, sizeof(*properties)));
	for (int p = 0; p < nr; p++)
		properties[p] = set ? property_argument(argv[i + p]) :
				      (dre_property){ .key = argv[i + p] };
	err = container_api.set_properties(name, properties);
	if (!err)
		tell_at_start(name, properties);
	free(properties);
	return err ? command_fail(err, name) : EXIT_SUCCESS;
}

int cmd_set(int argc, char **argv)
{
	return change(argc, argv, true);
}

int cmd_unset(int argc, char **argv)
{
	return change(argc, argv, false);
}

static void print_properties(const dre_property *list, bool json)
{
	static const struct column columns[] = {
		{ "PROPERTY", COLUMN_STRING },
		{ "VALUE", COLUMN_STRING },
		{ "SET", COLUMN_BOOL },
		{ }
	};
	struct table *table = table_new("properties", columns, json);

	for (; list->key; list++) {
		const char *value = list->value ? list->value : list->fallback;

		table_row(table);
		table_cell(table, 0, list->key);
		if (value)
			table_cell(table, 1, value);
		table_cell(table, 2, list->value ? "yes" : "no");
	}
	table_print(table);
}

/* The value alone, for scripts. Nothing where there is none. */
static int print_property(const char *name, const dre_property *list, const char *key,
			  bool json)
{
	const char *value;

	for (; list->key && strcmp(list->key, key) != 0; list++)
		;
	if (!list->key)	/* which says that there is no such property */
		return command_fail(container_api.get_property(name, key, &(char *){ NULL }), name);
	value = list->value ? list->value : list->fallback;
	if (json)
		print_properties((dre_property[]){ *list, { } }, true);
	else if (value)
		puts(value);
	return EXIT_SUCCESS;
}

int cmd_get(int argc, char **argv)
{
	const char *name;
	bool json = json_option(argc, argv);
	dre_property *list;
	int err, status = EXIT_SUCCESS;

	if (argc - optind < 1 || argc - optind > 2)
		command_usage("a name and perhaps a property are wanted");
	name = argv[optind];
	err = container_api.get_property_list(name, &list);
	if (err)
		return command_fail(err, name);
	if (argc - optind == 2)
		status = print_property(name, list, argv[optind + 1], json);
	else
		print_properties(list, json);
	container_api.release_property_list(list);
	return status;
}
