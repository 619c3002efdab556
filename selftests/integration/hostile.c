// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container's root wants to be a manager: by its device, by one of its own, in
 * namespaces of its own (see intruder.c). Nothing of it works, and the host has
 * nothing of it.
 */
#include "box.h"

/* How many of the lines of @text begin with @what, and how many of these end with @how? */
static int count(const char *text, const char *what, const char *how, int *all)
{
	char *copy = strdup(text), *rest = copy, *line;
	int nr = 0;

	*all = 0;
	while ((line = strsep(&rest, "\n"))) {
		size_t len = strlen(line), end = strlen(how);

		if (strncmp(line, what, strlen(what)))
			continue;
		(*all)++;
		nr += len > end && !strcmp(line + len - end, how);
	}
	free(copy);
	return nr;
}

static void assert_all(const char *text, const char *what, const char *how, int wanted)
{
	int all, nr = count(text, what, how, &all);

	if (nr != wanted || all != wanted)
		printf("# %d of %d \"%s\" %s, not %d:\n# %s\n", nr, all, what, how, wanted, text);
	assert_int_equal(nr, wanted);
	assert_int_equal(all, wanted);
}

/* Six control groups, in three places */
#define LEAVES	18

static void attack(dre_app_handle *h, bool privileged)
{
	dre_app_handle *victim = box_start("victim");
	struct agent agent;
	const char *text;

	assert_done(dre_app_start(h));
	box_agent(victim, &agent, "-s 10");
	/* Attaching makes a group, once; the first file in a directory copies that. */
	assert_int_equal(box_run(h, "touch /tmp/file"), 0);
	world_mark();
	assert_int_equal(box_ask(h, &text, "intruder attacker victim"), 0);
	assert_true(world_is_as_marked());

	/* Six that need authority, four that are for another kind of file. */
	assert_all(text, "device INFO", ": EPERM", 1);
	assert_all(text, "device CONTAINER_CREATE", ": EPERM", 2);
	assert_all(text, "device CONTAINER_OPEN", ": EPERM", 2);
	assert_all(text, "device CONTAINER_LIST", ": EPERM", 1);
	assert_all(text, "device PROCESS", ": ENOTTY", 3);
	assert_all(text, "device CONTAINER_TERMINATE", ": ENOTTY", 1);
	assert_all(text, "namespaces INFO", ": EPERM", 1);
	assert_all(text, "namespaces CONTAINER_CREATE", ": EPERM", 2);
	assert_all(text, "namespaces CONTAINER_OPEN", ": EPERM", 2);
	assert_all(text, "namespaces CONTAINER_LIST", ": EPERM", 1);
	if (privileged) {
		/* It may make the node. It is the same device. */
		assert_all(text, "node INFO", ": EPERM", 1);
		assert_all(text, "node CONTAINER_CREATE", ": EPERM", 2);
		assert_all(text, "node CONTAINER_OPEN", ": EPERM", 2);
		assert_all(text, "node CONTAINER_LIST", ": EPERM", 1);
	} else {
		assert_all(text, "node", ": EPERM", 1);
	}
	assert_all(text, "leave ", "", LEAVES);
	assert_all(text, "the store", ": ENOENT", 1);
	assert_all(text, "unload the module", ": EPERM", 1);
	assert_all(text, "load a module", ": EPERM", 1);
	assert_null(strstr(text, "DONE"));
	assert_false(is_gone(agent.pid));
	/* And all by a user inside. */
	assert_int_equal(box_ask(h, &text, "su nobody -c 'intruder attacker victim'"), 0);
	assert_all(text, "device INFO", ": EPERM", 1);
	assert_all(text, "device CONTAINER_CREATE", ": EPERM", 2);
	assert_all(text, "device CONTAINER_OPEN", ": EPERM", 2);
	assert_all(text, "device CONTAINER_LIST", ": EPERM", 1);
	assert_all(text, "leave ", "", LEAVES);
	assert_null(strstr(text, "DONE"));
}

static void root_of_a_container(void **state)
{
	(void)state;
	attack(box_create("attacker"), false);
}

/* It sees the host's /sys. */
static void root_of_a_container_in_the_hosts_network(void **state)
{
	(void)state;
	use_conf("network = host\n");
	attack(box_create("attacker"), false);
}

static void root_of_a_privileged_container(void **state)
{
	(void)state;
	attack(box_create_with("attacker", NULL, 1), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(root_of_a_container, box_destroy_all),
		cmocka_unit_test_teardown(root_of_a_container_in_the_hosts_network, box_destroy_all),
		cmocka_unit_test_teardown(root_of_a_privileged_container, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
