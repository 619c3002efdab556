// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints of running containers, and restarts from them.
 */
#include <errno.h>

#include "box.h"

/* A process that counts in a file, until it is killed. */
#define COUNTER	"setsid sh -c 'i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.1; done' " \
		"</dev/null >/dev/null 2>&1 & until [ -s /count ]; do sleep 0.1; done"

static int count(const dre_app_handle *h)
{
	char *text = box_read(h, "/count");
	int n = text ? atoi(text) : -1;

	free(text);
	return n;
}

/* It goes on from @from, or a little later: it is not anywhere before, and not where it was since. */
static void assert_counts_from(const dre_app_handle *h, int from, int before)
{
	int now = count(h);

	if (now < from || now >= before)
		fail_msg("%d is not between %d and %d", now, from, before);
	assert_true(eventually(count(h) > now + 2));
}

static void assert_checkpoints(const dre_app_handle *h, const char *first, const char *second)
{
	dre_list_t list;

	assert_done(dre_app_get_checkpoint_list(h, &list));
	if (first)
		assert_string_equal(list[0], first);
	if (second)
		assert_string_equal(list[1], second);
	assert_null(list[!!first + !!second]);
	assert_done(dre_app_release_checkpoint_list(list));
}

/* Running, stopped, of a dead init, twice from the same, and from one of a restarted one. */
static void goes_back(void **state)
{
	dre_app_handle *h = box_start("c");
	int first, second;

	(void)state;
	assert_int_equal(box_run(h, COUNTER "; echo old >/file"), 0);
	assert_checkpoints(h, NULL, NULL);
	first = count(h);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_checkpoints(h, "a", NULL);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_true(eventually(count(h) > first + 40));
	assert_int_equal(box_run(h, "echo new >/file; echo x >/another"), 0);

	assert_done(dre_app_restart(h, "a"));
	assert_counts_from(h, first, first + 35);
	assert_int_equal(box_run(h, "[ $(cat /file) = old ] && [ ! -e /another ]"), 0);

	second = count(h);
	assert_done(dre_app_checkpoint(h, "b"));
	assert_checkpoints(h, "a", "b");
	assert_done(dre_app_stop(h));
	assert_done(dre_app_restart(h, "a"));
	assert_counts_from(h, first, first + 35);
	box_kill(h);
	assert_done(dre_app_restart(h, "b"));
	assert_counts_from(h, second, second + 35);

	assert_done(dre_app_remove_checkpoint(h, "a"));
	assert_checkpoints(h, "b", NULL);
	box_destroy(h);
}

static void refused(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	world_mark();
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_checkpoint(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_restart(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_remove_checkpoint(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_checkpoint_list(h, NULL));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_checkpoint(h, "../a"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_restart(h, ""));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_remove_checkpoint(h, "a/b"));
	assert_refused(DRE_ERR_CONTAINER_STOPPED, dre_app_checkpoint(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_restart(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_remove_checkpoint(h, "a"));
	/* Snapshots are something else. */
	assert_done(dre_app_save_snapshot(h, "a"));
	world_mark();
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_restart(h, "a"));
	assert_done(dre_app_start(h));
	assert_done(dre_app_checkpoint(h, "a"));
	world_mark();
	assert_refused(DRE_ERR_SNAPSHOT_EXISTENCE, dre_app_checkpoint(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_restart(h, "b"));
	box_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(goes_back, box_destroy_all),
		cmocka_unit_test_teardown(refused, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
