// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * set, unset, get.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dre_app.h>

#include "app.h"
#include "common/table.h"

dre_app_property property_argument(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		command_usage("'%s' is not of the form KEY=VALUE", text);
	*equals = '\0';
	return (dre_app_property){ .key = text, .value = equals + 1 };
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

static bool is_at_start(const dre_app_property *all, const char *key)
{
	for (; all->key; all++)
		if (!strcmp(all->key, key))
			return all->at_start;
	return false;
}

/* Who changes a container that runs should know what he has not changed yet. */
static void tell_at_start(const dre_app_handle *h, const dre_app_property *changed)
{
	dre_app_property *all;
	char *keys = NULL;

	if (dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP ||
	    dre_app_get_property_list(h, &all))
		return;
	for (; changed->key; changed++)
		if (is_at_start(all, changed->key))
			append_word(&keys, changed->key);
	if (keys)
		command_note("container '%s' runs: %s will hold from its next start on ('dre-app reboot %s')",
			     h->name, keys, h->name);
	free(keys);
	dre_app_release_property_list(all);
}

static int change(int argc, char **argv, bool set)
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_property *properties;
	int err, i = no_options(argc, argv), nr = argc - i - 1;

	if (nr < 1)
		command_usage("a name and %s are wanted", set ? "KEY=VALUE" : "a key");
	h.name = argv[i++];
	properties = command_memory(calloc(nr + 1, sizeof(*properties)));
	for (int p = 0; p < nr; p++)
		properties[p] = set ? property_argument(argv[i + p]) :
				      (dre_app_property){ .key = argv[i + p] };
	err = dre_app_set_properties(&h, properties);
	if (!err)
		tell_at_start(&h, properties);
	free(properties);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_set(int argc, char **argv)
{
	return change(argc, argv, true);
}

int cmd_unset(int argc, char **argv)
{
	return change(argc, argv, false);
}

static void print_properties(const dre_app_property *list, bool json)
{
	static const struct column columns[] = {
		{ "PROPERTY", COLUMN_STRING },
		{ "VALUE", COLUMN_STRING },
		{ "SET", COLUMN_STRING },
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
static int print_property(const dre_app_handle *h, const dre_app_property *list, const char *key,
			  bool json)
{
	const char *value;

	for (; list->key && strcmp(list->key, key) != 0; list++)
		;
	if (!list->key)	/* which says that there is no such property */
		return command_fail(dre_app_get_property(h, key, &(char *){ NULL }), h->name);
	value = list->value ? list->value : list->fallback;
	if (json)
		print_properties((dre_app_property[]){ *list, { } }, true);
	else if (value)
		puts(value);
	return EXIT_SUCCESS;
}

int cmd_get(int argc, char **argv)
{
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	bool json = json_option(argc, argv);
	dre_app_property *list;
	int err, status = EXIT_SUCCESS;

	if (argc - optind < 1 || argc - optind > 2)
		command_usage("a name and perhaps a property are wanted");
	h.name = argv[optind];
	err = dre_app_get_property_list(&h, &list);
	if (err)
		return command_fail(err, h.name);
	if (argc - optind == 2)
		status = print_property(&h, list, argv[optind + 1], json);
	else
		print_properties(list, json);
	dre_app_release_property_list(list);
	return status;
}
