// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <dre.h>
#include "error.h"
#include "sandbox.h"

static const dre_return_t codes[] = {
	DRE_ERR_INVALID_ARGUMENT, DRE_ERR_PERMISSION_DENIED, DRE_ERR_DAWARE_MOD_NONEXISTENCE,
	DRE_ERR_NO_VT, DRE_ERR_CONTAINER_NONEXISTENCE, DRE_ERR_CONTAINER_EXISTENCE,
	DRE_ERR_CONTAINER_RUNNING, DRE_ERR_CONTAINER_STOPPED, DRE_ERR_CONTAINER_SUSPENDED,
	DRE_ERR_CONTAINER_BUSY, DRE_ERR_CONTAINER_UNKNOWN_STATUS, DRE_ERR_BASE_NONEXISTENCE,
	DRE_ERR_BASE_EXISTENCE, DRE_ERR_REMOVE_BASE_FAILED, DRE_ERR_SNAPSHOT_NONEXISTENCE,
	DRE_ERR_SNAPSHOT_EXISTENCE, DRE_ERR_SAVE_SNAPSHOT_FAILED, DRE_ERR_LOAD_SNAPSHOT_FAILED,
	DRE_ERR_REMOVE_SNAPSHOT_FAILED, DRE_ERR_COMMIT_SNAPSHOT_FAILED,
	DRE_ERR_CGROUP_NONEXISTENCE, DRE_ERR_CGROUP_EXISTENCE, DRE_ERR_PID_NONEXISTENCE,
	DRE_ERR_SET_LIMIT_FAILED, DRE_ERR_UNSET_LIMIT_FAILED, DRE_ERR_DESTROY_CGROUP_FAILED,
	DRE_ERR_DEVICE_BUSY, DRE_ERR_NO_TAP_AVAILABLE, DRE_ERR_NO_SOCKET_AVAILABLE,
	DRE_ERR_NFS_MOUNT_FAILED, DRE_ERR_BIND_FAILED, DRE_ERR_INVALID_HOSTNAME,
	DRE_ERR_NULL_POINTER, DRE_ERR_REQUEST_TOO_LONG,
};

#define NR_CODES	(sizeof(codes) / sizeof(codes[0]))

static void each_code_has_a_text_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(NR_CODES, 34);
	for (size_t i = 0; i < NR_CODES; i++) {
		assert_string_not_equal(dre_strerror(codes[i]), dre_strerror(-1));
		assert_string_not_equal(dre_strerror(codes[i]), dre_strerror(0));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(dre_strerror(codes[i]), dre_strerror(codes[j]));
	}
	assert_string_equal(dre_strerror(DRE_ERR_CONTAINER_RUNNING), "the container is running");
}

static void other_numbers_have_a_text(void **state)
{
	const dre_return_t others[] = { 1, -1, -100, -105, -203, 101, INT32_MAX, INT32_MIN };

	(void)state;
	assert_string_equal(dre_strerror(0), "success");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(dre_strerror(others[i]), "unknown error code");
}

static void fail_sets_text_and_returns_code(void **state)
{
	(void)state;
	errno = EXDEV;
	assert_int_equal(dre_fail(DRE_ERR_BIND_FAILED, "process %d: %s", 7, "gone"),
			 DRE_ERR_BIND_FAILED);
	assert_int_equal(errno, EXDEV);
	assert_string_equal(dre_last_error(), "process 7: gone");
}

static void fail_may_use_the_old_text(void **state)
{
	(void)state;
	dre_fail(-1, "inner");
	dre_fail(-1, "outer: %s", dre_last_error());
	assert_string_equal(dre_last_error(), "outer: inner");
}

static void text_is_one_line(void **state)
{
	(void)state;
	dre_fail(-1, "%s", "first\nsecond\n\nthird\n");
	assert_string_equal(dre_last_error(), "first second  third");
	dre_fail(-1, "%s", "\n");
	assert_string_equal(dre_last_error(), "");
}

static void long_text_is_cut(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	dre_fail(-1, "%s", text);
	assert_int_equal(strlen(dre_last_error()), 1023);
}

static void *other_thread(void *text)
{
	*(bool *)text = !strcmp(dre_last_error(), "");
	dre_fail(-1, "other");
	return NULL;
}

static void each_thread_has_its_own_text(void **state)
{
	bool was_empty = false;
	pthread_t thread;

	(void)state;
	dre_fail(-1, "mine");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, &was_empty), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(was_empty);
	assert_string_equal(dre_last_error(), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_has_a_text_of_its_own),
		cmocka_unit_test(other_numbers_have_a_text),
		cmocka_unit_test(fail_sets_text_and_returns_code),
		cmocka_unit_test(fail_may_use_the_old_text),
		cmocka_unit_test(text_is_one_line),
		cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(each_thread_has_its_own_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
