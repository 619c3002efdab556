// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * inspect: all that there is to know of containers, as JSON.
 */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container_commands.h"

static struct json_object *new_object(void)
{
	return command_memory(json_object_new_object());
}

static struct json_object *string(const char *text)
{
	return command_memory(json_object_new_string(text));
}

static struct json_object *names(dre_list_t list)
{
	struct json_object *array = command_memory(json_object_new_array());

	for (size_t i = 0; list[i]; i++)
		json_object_array_add(array, string(list[i]));
	return array;
}

/* "a,b,c" */
static struct json_object *split(char *text)
{
	struct json_object *array = command_memory(json_object_new_array());

	for (char *save, *word = strtok_r(text, ",", &save); word; word = strtok_r(NULL, ",", &save))
		json_object_array_add(array, string(word));
	return array;
}

/* Numbers and lists are such in JSON, too. */
static struct json_object *info_value(const char *key, char *value)
{
	struct json_object *special = container_extras.info_value ?
				      container_extras.info_value(key, value) : NULL;

	if (special)
		return special;
	return !strcmp(key, "layers") ? split(value) : string(value);
}

static int add_info(struct json_object *to, const char *name)
{
	struct json_object *settings = new_object();
	const char *prefix = "setting.";
	dre_list_t list;
	char *value;
	int err = container_api.get_info(name, &list);

	for (size_t i = 0; !err && list[i]; i++) {
		value = strchr(list[i], '=');
		*value++ = '\0';
		if (!strncmp(list[i], prefix, strlen(prefix)))
			json_object_object_add(settings, list[i] + strlen(prefix), string(value));
		else
			json_object_object_add(to, list[i], info_value(list[i], value));
	}
	json_object_object_add(to, "settings", settings);
	if (!err)
		container_api.release_list(list);
	return err;
}

static void add_snapshots(struct json_object *to, const char *name)
{
	dre_list_t list;

	if (container_api.get_snapshot_list(name, &list)) {
		json_object_object_add(to, "snapshots", NULL);
		return;
	}
	json_object_object_add(to, "snapshots", names(list));
	container_api.release_list(list);
}

static int add_container(struct json_object *array, const char *name)
{
	struct json_object *o = new_object();
	int status = container_api.status(name), err;

	json_object_object_add(o, "name", string(name));
	json_object_object_add(o, "state", string(status_name(status)));
	err = add_info(o, name);
	if (err) {
		json_object_put(o);
		return err;
	}
	add_snapshots(o, name);
	if (container_extras.inspect)
		container_extras.inspect(o, name, status);
	json_object_array_add(array, o);
	return 0;
}

int cmd_inspect(int argc, char **argv)
{
	struct json_object *top = new_object(), *array = command_memory(json_object_new_array());
	int err, status = EXIT_SUCCESS;

	json_option(argc, argv);	/* which it is anyway */
	if (optind == argc)
		command_usage("a name is missing");
	json_object_object_add(top, "containers", array);
	for (int i = optind; i < argc; i++) {
		err = add_container(array, argv[i]);
		if (err)
			status = command_fail(err, argv[i]);
	}
	if (json_object_array_length(array))
		puts(command_memory((void *)json_object_to_json_string_ext(top,
				JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(top);
	return status;
}
