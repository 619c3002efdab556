// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <dre_app.h>
#include <dre_sys.h>

#include "container_commands.h"
#include "progress.h"

int no_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ }
	};

	while (command_getopt(argc, argv, "", options) >= 0)
		;
	return optind;
}

_Static_assert((int)DRE_APP_CONTAINER_STATUS_STOP == (int)DRE_SYS_CONTAINER_STATUS_STOP &&
	       (int)DRE_APP_CONTAINER_STATUS_BUSY == (int)DRE_SYS_CONTAINER_STATUS_BUSY,
	       "states have the same numbers");

const char *status_name(dre_return_t status)
{
	switch (status) {
	case DRE_APP_CONTAINER_STATUS_STOP:
		return "stopped";
	case DRE_APP_CONTAINER_STATUS_RUNNING:
		return "running";
	case DRE_APP_CONTAINER_STATUS_SUSPENDED:
		return "suspended";
	case DRE_APP_CONTAINER_STATUS_BUSY:
		return "busy";
	}
	return "unknown";
}

const char *container_state(const char *name, dre_return_t status)
{
	if (status == DRE_ERR_CONTAINER_UNKNOWN_STATUS && container_extras.is_remote &&
	    container_extras.is_remote(name))
		return "remote";
	return status_name(status);
}

bool is_stopped(dre_return_t status)
{
	return status == DRE_APP_CONTAINER_STATUS_STOP;
}

bool is_alive(dre_return_t status)
{
	return status == DRE_APP_CONTAINER_STATUS_RUNNING ||
	       status == DRE_APP_CONTAINER_STATUS_SUSPENDED;
}

int cmd_status(int argc, char **argv)
{
	bool json = json_option(argc, argv);
	const char *name;
	int status;

	if (argc - optind != 1)
		command_usage("one name is wanted");
	name = argv[optind];
	status = container_api.status(name);
	if (status < 0)
		return command_fail(status, name);
	/* Both are words that need no escapes. */
	if (json)
		printf("{ \"name\": \"%s\", \"state\": \"%s\" }\n", name, status_name(status));
	else
		puts(status_name(status));
	return EXIT_SUCCESS;
}

/* The options of commands that print a table. */
bool json_option(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	bool json = false;

	while (command_getopt(argc, argv, "j", options) >= 0)
		json = true;
	return json;
}

const char *info_get(const dre_list_t info, const char *key)
{
	size_t len = strlen(key);

	for (dre_list_t line = info; *line; line++)
		if (!strncmp(*line, key, len) && (*line)[len] == '=')
			return *line + len + 1;
	return NULL;
}

/* Nothing where that is not known: what is listed is there all the same. */
static void created_cell(struct table *table, int column, const dre_list_t info, const char *key)
{
	const char *time = info ? info_get(info, key) : NULL;

	if (time)
		table_cell(table, column, time);
}

/* What is to be known of a container, or of a base image; NULL if it cannot be. */
static dre_list_t get_info(dre_return_t (*get)(const char *name, dre_list_t *list), const char *name)
{
	dre_list_t info;

	return get(name, &info) ? NULL : info;
}

static void release_info(dre_list_t info)
{
	if (info)
		container_api.release_list(info);
}

/* Is that what container_state() may say? */
static bool is_container_state(const char *text)
{
	static const char *const states[] = { "stopped", "running", "suspended", "busy", "unknown" };

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (!strcmp(text, states[i]))
			return true;
	return container_extras.is_remote && !strcmp(text, "remote");
}

struct list {
	bool json, quiet, more;
	const char *state;	/* only those that are in it; NULL: all */
};

static void read_list_options(int argc, char **argv, struct list *list)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "long", no_argument, NULL, 'l' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "state", required_argument, NULL, 's' },
		{ }
	};
	int c;

	while ((c = command_getopt(argc, argv, "jlqs:", options)) >= 0) {
		list->json |= c == 'j';
		list->more |= c == 'l';
		list->quiet |= c == 'q';
		if (c == 's')
			list->state = optarg;
	}
	if (optind != argc)
		command_usage("no argument is wanted");
	if (list->quiet && (list->json || list->more))
		command_usage("--quiet is in place of --json and --long");
	if (list->state && !is_container_state(list->state))
		command_usage("'%s' is no state", list->state);
}

static void list_row(struct table *table, const char *name, const char *state)
{
	dre_list_t info = get_info(container_api.get_info, name);
	int pid;

	table_row(table);
	table_cell(table, LIST_NAME, name);
	table_cell(table, LIST_STATE, state);
	if (container_api.get_pid(name, &pid) == 0)
		table_number(table, LIST_PID, pid);
	created_cell(table, LIST_CREATED, info, "created");
	release_info(info);
}

int list_containers(int argc, char **argv, const struct column *columns,
		    void (*more)(struct table *table, const char *name))
{
	static const struct column common[] = { LIST_COLUMNS_COMMON, { } };
	struct list options = {};
	struct table *table = NULL;
	const char *state;
	dre_list_t list;
	int status, err;

	read_list_options(argc, argv, &options);
	err = container_api.get_container_list(&list);
	if (err)
		return command_fail(err, NULL);
	if (!options.quiet)
		table = table_new("containers", options.more ? columns : common, options.json);
	for (dre_list_t name = list; *name; name++) {
		status = container_api.status(*name);
		if (status == DRE_ERR_CONTAINER_NONEXISTENCE)	/* since the list was made */
			continue;
		state = container_state(*name, status);
		if (options.state && strcmp(state, options.state) != 0)
			continue;
		if (table)
			list_row(table, *name, state);
		else
			puts(*name);
		if (options.more)
			more(table, *name);
	}
	container_api.release_list(list);
	if (table)
		table_print(table);
	return EXIT_SUCCESS;
}

int cmd_base_list(int argc, char **argv)
{
	static const struct column columns[] = {
		{ "NAME", COLUMN_STRING },
		{ "CREATED", COLUMN_TIME },
		{ }
	};
	bool json = json_option(argc, argv);
	struct table *table;
	dre_list_t list, info;
	int err;

	if (optind != argc)
		command_usage("no argument is wanted");
	err = container_api.get_base_list(&list);
	if (err)
		return command_fail(err, NULL);
	table = table_new("bases", columns, json);
	for (dre_list_t name = list; *name; name++) {
		table_row(table);
		table_cell(table, 0, *name);
		info = get_info(container_api.get_base_info, *name);
		created_cell(table, 1, info, "created");
		release_info(info);
	}
	container_api.release_list(list);
	table_print(table);
	return EXIT_SUCCESS;
}

int tag_command(int argc, char **argv, const char *what,
		dre_return_t (*fn)(const char *name, const char *tag))
{
	struct progress progress;
	int err, i = no_options(argc, argv);
	char text[128];

	if (argc - i != 2)
		command_usage("a name and a %s are wanted", what);
	snprintf(text, sizeof(text), "%s %s", argv[0], argv[i]);
	progress_begin_time(&progress, text);
	err = fn(argv[i], argv[i + 1]);
	progress_end(&progress);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}

int cmd_save(int argc, char **argv)
{
	return tag_command(argc, argv, "snapshot", container_api.save_snapshot);
}

int cmd_load(int argc, char **argv)
{
	return tag_command(argc, argv, "snapshot", container_api.load_snapshot);
}

int cmd_snapshot_remove(int argc, char **argv)
{
	return tag_command(argc, argv, "snapshot", container_api.remove_snapshot);
}

/* Elsewhere it is what reboot is here. */
int cmd_restart(int argc, char **argv)
{
	if (argc - no_options(argc, argv) == 1)
		command_usage("a checkpoint is missing; '%s reboot %s' stops it and starts it again",
			      container_api.program, argv[optind]);
	return tag_command(argc, argv, "checkpoint", container_api.restart);
}

int cmd_checkpoint_remove(int argc, char **argv)
{
	return tag_command(argc, argv, "checkpoint", container_api.remove_checkpoint);
}

int cmd_commit(int argc, char **argv)
{
	int err, i = no_options(argc, argv);

	if (argc - i != 3)
		command_usage("a name, a snapshot and a new base image are wanted");
	err = container_api.commit_snapshot(argv[i], argv[i + 1], argv[i + 2]);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}

int tag_list(int argc, char **argv, const char *what,
	     dre_return_t (*get_list)(const char *name, dre_list_t *list))
{
	char heading[16], title[sizeof(heading) + 1], key[128];
	const struct column columns[] = { { heading, COLUMN_STRING }, { "CREATED", COLUMN_TIME }, { } };
	bool json = json_option(argc, argv);
	struct table *table;
	dre_list_t list, info;
	int err;

	snprintf(heading, sizeof(heading), "%s", what);
	for (char *c = heading; *c; c++)
		*c = toupper((unsigned char)*c);
	snprintf(title, sizeof(title), "%ss", what);
	if (argc - optind != 1)
		command_usage("one name is wanted");
	err = get_list(argv[optind], &list);
	if (err)
		return command_fail(err, argv[optind]);
	info = get_info(container_api.get_info, argv[optind]);
	table = table_new(title, columns, json);
	for (size_t i = 0; list[i]; i++) {
		table_row(table);
		table_cell(table, 0, list[i]);
		snprintf(key, sizeof(key), "%s.%s", what, list[i]);
		created_cell(table, 1, info, key);
	}
	table_print(table);
	release_info(info);
	container_api.release_list(list);
	return EXIT_SUCCESS;
}

int cmd_snapshot_list(int argc, char **argv)
{
	return tag_list(argc, argv, "snapshot", container_api.get_snapshot_list);
}

int cmd_checkpoint_list(int argc, char **argv)
{
	return tag_list(argc, argv, "checkpoint", container_api.get_checkpoint_list);
}

int cmd_base_remove(int argc, char **argv)
{
	int err, i = no_options(argc, argv);

	if (argc - i != 1)
		command_usage("one base image is wanted");
	err = container_api.remove_base(argv[i]);
	return err ? command_fail(err, argv[i]) : EXIT_SUCCESS;
}
