// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Proves that a message takes no memory: the sanitizer reports every
 * allocation, also those that the C library makes.
 */
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include "daware.h"
#include "sandbox.h"

/* GCC has the function, but not the header that declares it. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

static atomic_int nr_allocations;

static void count_allocation(const volatile void *memory, size_t size)
{
	(void)memory;
	(void)size;
	nr_allocations++;
}

static void ignore_free(const volatile void *memory)
{
	(void)memory;
}

static void allocations_are_counted(void **state)
{
	int before = nr_allocations;

	(void)state;
	free(strdup("text"));
	assert_int_equal(nr_allocations, before + 1);
}

static void messages_allocate_nothing(void **state)
{
	static char text[100000];
	int logd = logd_start(), before;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	daware_log_open("p", LOG_PID, 0);
	daware_log_set_format("%faci% %lvl% %time% %host% %prog% %pid% %file% %line% %func% %msg%");
	DLOG_INFO("the first one reads the time zone");
	logd_receive(logd);
	before = nr_allocations;
	for (int i = 0; i < 1000; i++) {
		DLOG_INFO("message %d of %s, %g", i, "many", 0.5);
		DLOG_INFO("%s", text);
		assert_int_equal(nr_allocations, before);
		logd_receive(logd);
		logd_receive(logd);
	}
	daware_log_set_format(NULL);
	daware_log_close();
	logd_stop(logd);
}

static void messages_without_daemon_allocate_nothing(void **state)
{
	int before = nr_allocations;

	(void)state;
	for (int i = 0; i < 1000; i++)
		DLOG_INFO("message %d", i);
	assert_int_equal(nr_allocations, before);
}

/* Where TZ is not set, tzset(3) allocates: once a second, not for each message. */
static void the_time_zone_is_looked_for_once_a_second(void **state)
{
	int before = nr_allocations, nr_lookups;
	time_t start = time(NULL);

	(void)state;
	unsetenv("TZ");
	DLOG_INFO("message");
	nr_lookups = nr_allocations - before;
	for (int i = 0; i < 10000; i++)
		DLOG_INFO("message");
	assert_in_range(nr_allocations - before, 0, (time(NULL) - start + 2) * (nr_lookups + 10));
	setenv("TZ", "UTC0", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_counted),
		cmocka_unit_test(messages_allocate_nothing),
		cmocka_unit_test(messages_without_daemon_allocate_nothing),
		cmocka_unit_test(the_time_zone_is_looked_for_once_a_second),
	};

	sandbox_enter();
	/* Where it is not set, the C library's tzset(3) allocates, once a second. */
	setenv("TZ", "UTC0", 1);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!__sanitizer_install_malloc_and_free_hooks(count_allocation, ignore_free))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
