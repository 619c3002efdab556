// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A million messages of eight threads, with the shared library: all arrive,
 * whole, and those of each thread in order.
 */
#include <pthread.h>
#include <string.h>
#include "daware.h"
#include "sandbox.h"

#define NR_THREADS	8
#define NR_MESSAGES	125000

/* Each its own, of lengths that differ, so that a part of another one would show. */
static size_t compose(char *text, int thread, int number)
{
	int len = sprintf(text, "thread %d message %d ", thread, number);
	int padding = number * 37 % 300;

	memset(text + len, 'a' + (thread + number) % 26, padding);
	text[len + padding] = '\0';
	return len + padding;
}

static void *log_many(void *thread)
{
	char text[512];

	for (int i = 0; i < NR_MESSAGES; i++) {
		compose(text, (intptr_t)thread, i);
		DLOG_INFO("%s", text);
	}
	return NULL;
}

static void a_million_messages(void **state)
{
	static const char header[] = "<14>Jan  2 03:04:05 p: <";
	int logd = logd_start(), next[NR_THREADS] = { 0 };
	pthread_t threads[NR_THREADS];

	(void)state;
	daware_log_open("p", 0, LOG_USER);
	daware_log_set_format("<%msg%>");
	for (intptr_t i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, (void *)i), 0);
	for (int i = 0; i < NR_THREADS * NR_MESSAGES; i++) {
		const char *text = logd_receive(logd) + strlen(header);
		char expected[512], *end;
		int thread = strtol(text + strlen("thread "), &end, 10);
		size_t len;

		if (thread < 0 || thread >= NR_THREADS)
			fail_msg("%s", text);
		len = compose(expected, thread, next[thread]++);
		if (strncmp(text, expected, len) != 0 || strcmp(text + len, ">") != 0)
			fail_msg("'%s>' was expected, not '%s'", expected, text);
	}
	for (int i = 0; i < NR_THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(next[i], NR_MESSAGES);
	}
	assert_true(logd_is_idle(logd));
	daware_log_close();
	logd_stop(logd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_messages),
	};

	sandbox_enter();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
