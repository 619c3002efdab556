// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * autostart, and what there is for all containers.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container_commands.h"
#include "crowd.h"

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->order != y->order ? x->order - y->order : strcmp(x->name, y->name);
}

static int load_member(struct member *member, const char *name)
{
	dre_property *list;
	int err = container_api.get_property_list(name, &list);

	if (err)
		return err;
	*member = (struct member){ .name = command_memory(strdup(name)) };
	for (const dre_property *p = list; p->key; p++) {
		const char *value = p->value ? p->value : p->fallback;

		if (!strcmp(p->key, "autostart"))
			member->autostart = !strcmp(value, "yes");
		else if (!strcmp(p->key, "autostart_order"))
			member->order = atoi(value);
		else if (!strcmp(p->key, "autostart_delay"))
			member->delay = atoi(value);
	}
	container_api.release_property_list(list);
	return 0;
}

int crowd_load(struct crowd *crowd)
{
	/* First: a server that begins to answer now is not missed. */
	int err, missing = container_extras.check_list ? container_extras.check_list() : 0;
	int status = missing ? command_fail(missing, NULL) : EXIT_SUCCESS;
	dre_list_t list;
	size_t nr = 0;

	*crowd = (struct crowd){};
	err = container_api.get_container_list(&list);
	if (err)
		return err == missing ? status : command_fail(err, NULL);
	while (list[nr])
		nr++;
	crowd->members = command_memory(calloc(nr + 1, sizeof(*crowd->members)));
	for (size_t i = 0; i < nr; i++) {
		if (container_extras.is_remote && container_extras.is_remote(list[i]))
			continue;
		err = load_member(&crowd->members[crowd->nr], list[i]);
		if (!err)
			crowd->nr++;
		else if (err != DRE_ERR_CONTAINER_NONEXISTENCE)	/* since the list was made */
			status = command_fail(err, list[i]);
	}
	container_api.release_list(list);
	qsort(crowd->members, crowd->nr, sizeof(*crowd->members), compare_members);
	return status;
}

void crowd_free(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->nr; i++)
		free(crowd->members[i].name);
	free(crowd->members);
}

int cmd_autostart(int argc, char **argv)
{
	struct crowd crowd;
	int status, pause = 0;

	if (no_options(argc, argv) != argc)
		command_usage("no argument is wanted");
	status = crowd_load(&crowd);
	for (size_t i = 0; i < crowd.nr; i++) {
		const struct member *member = &crowd.members[i];
		int err;

		if (!member->autostart)
			continue;
		sleep(pause);
		err = with_time("start", member->name, container_api.start);
		if (err && err != DRE_ERR_CONTAINER_RUNNING && err != DRE_ERR_CONTAINER_SUSPENDED)
			status = command_fail(err, member->name);
		pause = err ? 0 : member->delay;
	}
	crowd_free(&crowd);
	return status;
}
