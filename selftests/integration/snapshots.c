// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Snapshots, and base images made of them.
 */
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"

/* Runs it in the container, which is stopped before and after. */
static void run_in(const dre_app_handle *h, const char *script)
{
	assert_done(dre_app_start(h));
	if (box_run(h, script))
		fail_msg("%s", script);
	assert_done(dre_app_stop(h));
}

static void assert_snapshots(const dre_app_handle *h, const char *first, const char *second)
{
	dre_list_t list;

	assert_done(dre_app_get_snapshot_list(h, &list));
	if (first)
		assert_string_equal(list[0], first);
	if (second)
		assert_string_equal(list[1], second);
	assert_null(list[!!first + !!second]);
	assert_done(dre_app_release_snapshot_list(list));
}

#define CHANGE	"set -e; echo one >/f; mkdir /d; echo x >/d/x; rm /etc/passwd; mv /tmp /tmp2; " \
		"rmdir /root; mkdir /root; ln /f /g; chown 7:8 /d/x; chmod 4750 /d/x"
#define CHANGED	"[ $(cat /f) = one ] && [ -d /d ] && [ ! -e /etc/passwd ] && [ -k /tmp2 ] && " \
		"[ ! -e /tmp ] && [ /f -ef /g ] && [ $(stat -c %a:%u:%g /d/x) = 4750:7:8 ]"

static void saved_and_loaded(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_snapshots(h, NULL, NULL);
	run_in(h, CHANGE);
	assert_done(dre_app_save_snapshot(h, "a"));
	assert_snapshots(h, "a", NULL);
	run_in(h, CHANGED " && echo two >/f && mv /d /e && rm /g && mv /tmp2 /tmp");
	assert_done(dre_app_save_snapshot(h, "b"));
	assert_snapshots(h, "a", "b");
	run_in(h, "echo three >/f");
	assert_done(dre_app_load_snapshot(h, "a"));
	run_in(h, CHANGED);
	assert_done(dre_app_load_snapshot(h, "b"));
	run_in(h, "[ $(cat /f) = two ] && [ -e /e/x ] && [ ! -e /d ] && [ ! -e /g ] && [ -k /tmp ]");
	/* Snapshots stay when others go, and the container stays when all do. */
	assert_done(dre_app_remove_snapshot(h, "a"));
	run_in(h, "[ $(cat /f) = two ]");
	assert_done(dre_app_load_snapshot(h, "b"));
	assert_done(dre_app_remove_snapshot(h, "b"));
	assert_snapshots(h, NULL, NULL);
	run_in(h, "[ $(cat /f) = two ] && [ -e /e/x ]");
	box_destroy(h);
}

#define MANY	"i=0; while [ $i -lt 100 ]; do echo $i >/many$i; i=$((i + 1)); done"

static bool is_trash_empty(void)
{
	return system("[ -z \"$(ls -A /var/lib/dre/app/trash)\" ]") == 0;
}

/* What a load throws away is not waited for where it is much, but by who wants it gone. */
static void much_is_removed_later(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(dre_app_save_snapshot(h, "a"));
	run_in(h, MANY);
	assert_done(dre_app_load_snapshot(h, "a"));
	run_in(h, "[ ! -e /many0 ]");
	for (int tries = 0; !is_trash_empty() && tries < 600; tries++)
		usleep(100000);
	assert_true(is_trash_empty());
	run_in(h, MANY);
	assert_done(dre_app_load_snapshot(h, "a"));
	assert_done(dre_app_gc());
	assert_true(is_trash_empty());
	box_destroy(h);
}

static void refused(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(dre_app_save_snapshot(h, "a"));
	world_mark();
	assert_refused(DRE_ERR_SNAPSHOT_EXISTENCE, dre_app_save_snapshot(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_load_snapshot(h, "b"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_remove_snapshot(h, "b"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_commit_snapshot(h, "b", "new"));
	assert_refused(DRE_ERR_BASE_EXISTENCE, dre_app_commit_snapshot(h, "a", BASE));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_save_snapshot(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_commit_snapshot(h, "a", NULL));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_save_snapshot(h, "../a"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_load_snapshot(h, ""));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_commit_snapshot(h, "a", ".b"));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_snapshot_list(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_remove_base(NULL));
	assert_refused(DRE_ERR_BASE_NONEXISTENCE, dre_app_remove_base("none"));
	assert_refused(DRE_ERR_REMOVE_BASE_FAILED, dre_app_remove_base(BASE));
	box_destroy(h);
}

/* What the machine cannot do is said, and nothing has changed. */
static void not_possible(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(dre_app_save_snapshot(h, "a"));
	make_read_only(STORE "/containers/c/snapshots");
	world_mark();
	assert_refused(DRE_ERR_REMOVE_SNAPSHOT_FAILED, dre_app_remove_snapshot(h, "a"));
	if (!strstr(dre_last_error(), "snapshot 'a': Read-only file system"))
		fail_msg("%s", dre_last_error());
	assert_int_equal(umount(STORE "/containers/c/snapshots"), 0);
	make_read_only(STORE "/bases");
	world_mark();
	assert_refused(DRE_ERR_COMMIT_SNAPSHOT_FAILED, dre_app_commit_snapshot(h, "a", "made"));
	assert_int_equal(umount(STORE "/bases"), 0);
	assert_int_equal(system("sed -i '/^layer/d' " STORE "/containers/c/snapshots/a"), 0);
	world_mark();
	assert_refused(DRE_ERR_COMMIT_SNAPSHOT_FAILED, dre_app_commit_snapshot(h, "a", "made"));
	assert_done(dre_app_remove_snapshot(h, "a"));
	box_destroy(h);
}

/* A snapshot whose manifest is damaged does not cost the container. */
static void damaged(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(dre_app_save_snapshot(h, "a"));
	assert_int_equal(system("sed -i '$d' " STORE "/containers/c/snapshots/a"), 0);
	world_mark();
	assert_refused(DRE_ERR_LOAD_SNAPSHOT_FAILED, dre_app_load_snapshot(h, "a"));
	assert_done(dre_app_remove_snapshot(h, "a"));
	run_in(h, "true");
	box_destroy(h);
}

/* A base image lives on when its container is gone, and what it came from too. */
static void committed(void **state)
{
	dre_app_handle *h = box_create("c"), *other;

	(void)state;
	run_in(h, CHANGE);
	assert_done(dre_app_save_snapshot(h, "a"));
	assert_done(dre_app_commit_snapshot(h, "a", "made"));
	run_in(h, "echo later >/f");
	box_destroy(h);
	other = box_create_with("o", "made", 1);
	run_in(other, CHANGED);
	world_mark();
	assert_refused(DRE_ERR_REMOVE_BASE_FAILED, dre_app_remove_base("made"));
	box_destroy(other);
	assert_done(dre_app_remove_base("made"));
}

static void run_in_and_destroy(const char *name, const char *script)
{
	dre_app_handle *h = dre_app_open(name);

	assert_non_null(h);
	run_in(h, script);
	box_destroy(h);
}

/* The copy lives on without the container, and neither sees what the other writes. */
static void copied(void **state)
{
	dre_app_handle *h = box_create("c"), *running = box_create_with("p", BASE, 1);

	(void)state;
	run_in(h, CHANGE);
	assert_done(dre_app_save_snapshot(h, "a"));
	run_in(h, "echo two >/f");
	assert_done(dre_app_copy(h, NULL, "now"));
	assert_done(dre_app_copy(h, "a", "then"));
	run_in(h, "[ $(cat /f) = two ]; echo three >/f; [ $(wc -l </proc/self/uid_map) = 1 ]");
	run_in_and_destroy("now", "[ $(cat /f) = two ] && [ -d /d ] && [ $(stat -c %u /d) = 0 ]");
	run_in(h, "[ $(cat /f) = three ]");

	/* Of one that runs, by its snapshot. */
	assert_done(dre_app_save_snapshot(running, "a"));
	assert_done(dre_app_start(running));
	assert_done(dre_app_copy(running, "a", "other"));
	assert_done(dre_app_stop(running));
	run_in_and_destroy("other", "[ $(awk '{ print $2 }' /proc/self/uid_map) = 0 ]");

	box_destroy(h);
	run_in_and_destroy("then", CHANGED);
	box_destroy(running);
}

static void assert_property(const char *name, const char *key, const char *expected)
{
	dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
	char *value = NULL;

	assert_done(dre_app_get_property(&h, key, &value));
	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
	free(value);
}

static void copied_with_properties(void **state)
{
	const dre_app_property first[] = { { .key = "port", .value = "22" }, { .key = "cpu", .value = "50" },
					   { .key = "stop_timeout", .value = "7" }, { } };
	const dre_app_property other[] = { { .key = "port", .value = "23" }, { .key = "cpu" },
					   { .key = "pids", .value = "300" }, { } };
	dre_app_copy_options options = { .size = sizeof(options), .properties = other };
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(dre_app_set_properties(h, first));
	assert_done(dre_app_save_snapshot(h, "a"));
	assert_done(dre_app_copy_with(h, "a", "then", &options));
	assert_done(dre_app_copy_with(h, NULL, "now", &options));
	assert_property("now", "port", "23");
	assert_property("now", "cpu", NULL);
	assert_property("now", "pids", "300");
	assert_property("now", "stop_timeout", "7");
	assert_property("then", "port", "23");
	assert_property("c", "port", "22");
	assert_property("c", "cpu", "50");
	assert_property("c", "pids", NULL);
	run_in_and_destroy("now", "tr '\\0' '\\n' </proc/1/environ | grep -qx DRE_SSH_PORT=23");
	run_in_and_destroy("then", "true");
	box_destroy(h);
}

static void refuse_copy(const dre_app_handle *h, int err, const char *key, const char *value)
{
	const dre_app_property list[] = { { .key = "port", .value = "23" }, { .key = key, .value = value }, { } };
	dre_app_copy_options options = { .size = sizeof(options), .properties = list };

	assert_refused(err, dre_app_copy_with(h, NULL, "new", &options));
	assert_refused(err, dre_app_copy_with(h, "a", "new", &options));
}

static void not_copied(void **state)
{
	dre_app_handle *h = box_create("c"), *other = box_create("o");
	dre_app_copy_options odd = { .size = sizeof(odd) - 1 };

	(void)state;
	assert_done(dre_app_save_snapshot(h, "a"));
	world_mark();
	refuse_copy(h, DRE_ERR_INVALID_ARGUMENT, "unknown", "1");
	refuse_copy(h, DRE_ERR_INVALID_ARGUMENT, "pids", "0");
	refuse_copy(h, DRE_ERR_SET_LIMIT_FAILED, "memsw", "64M");	/* no memory */
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_copy_with(h, NULL, "new", &odd));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_copy_with(h, NULL, "new", NULL));
	assert_refused(DRE_ERR_CONTAINER_EXISTENCE, dre_app_copy(h, NULL, "o"));
	assert_refused(DRE_ERR_CONTAINER_EXISTENCE, dre_app_copy(h, "a", "c"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_copy(h, "b", "new"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_copy(h, "../a", "new"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_copy(h, NULL, "../new"));
	assert_refused(DRE_ERR_CONTAINER_EXISTENCE, dre_app_rename(h, "o"));
	assert_refused(DRE_ERR_CONTAINER_EXISTENCE, dre_app_rename(h, "c"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_rename(h, "a/b"));
	box_destroy(h);
	box_destroy(other);
}

static void renamed(void **state)
{
	dre_app_handle *h = box_create("c"), *new;

	(void)state;
	run_in(h, CHANGE);
	assert_done(dre_app_save_snapshot(h, "a"));
	run_in(h, "echo two >/f");
	assert_done(dre_app_rename(h, "n"));
	assert_int_equal(dre_app_status(h), DRE_ERR_CONTAINER_NONEXISTENCE);
	assert_int_not_equal(access(STORE "/lxc/c", F_OK), 0);
	new = dre_app_open("n");
	assert_non_null(new);
	assert_snapshots(new, "a", NULL);
	run_in(new, "[ $(cat /f) = two ] && [ $(hostname) = n ]");
	assert_done(dre_app_load_snapshot(new, "a"));
	run_in(new, CHANGED);
	dre_app_close(new);
	/* The old name is free, and back it goes. */
	new = box_create("c");
	box_destroy(new);
	new = dre_app_open("n");
	assert_done(dre_app_rename(new, "c"));
	dre_app_close(new);
	run_in(h, CHANGED);
	box_destroy(h);
}

/* Over the longest chain: then it becomes one layer, whoever owns the files. DRE_SAVES says how many, if not that. */
static void many_saves(void **state)
{
	const char *wanted = getenv("DRE_SAVES");
	int saves = wanted ? atoi(wanted) : 445;
	dre_app_handle *h = box_create("c");
	char tag[16];

	(void)state;
	run_in(h, CHANGE);
	for (int i = 1; i <= saves; i++) {
		snprintf(tag, sizeof(tag), "s%d", i);
		assert_done(dre_app_save_snapshot(h, tag));
	}
	run_in(h, CHANGED);
	snprintf(tag, sizeof(tag), "s%d", saves - 2);
	assert_done(dre_app_load_snapshot(h, tag));
	run_in(h, CHANGED);
	box_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(saved_and_loaded, box_destroy_all),
		cmocka_unit_test_teardown(much_is_removed_later, box_destroy_all),
		cmocka_unit_test_teardown(refused, box_destroy_all),
		cmocka_unit_test_teardown(not_possible, box_destroy_all),
		cmocka_unit_test_teardown(damaged, box_destroy_all),
		cmocka_unit_test_teardown(committed, box_destroy_all),
		cmocka_unit_test_teardown(copied, box_destroy_all),
		cmocka_unit_test_teardown(copied_with_properties, box_destroy_all),
		cmocka_unit_test_teardown(not_copied, box_destroy_all),
		cmocka_unit_test_teardown(renamed, box_destroy_all),
		cmocka_unit_test_teardown(many_saves, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
