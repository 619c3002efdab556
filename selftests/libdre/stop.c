// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * stop of many containers: those of one order at the same time, the others one order after the other.
 */
#include <pthread.h>
#include <unistd.h>

#include "common/container_commands.h"
#include "common/crowd.h"
#include "fixture.h"

/* More than are stopped at the same time. */
#define MANY	100

/* Long enough for what waits for somebody who does not come. */
#define DEADLINE	60

static char names[MANY][24];
static char *list[MANY + 1];
static int orders[MANY];

/* What stop has found out; all of it under the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t together;		/* so many have to be there before one ends */
static size_t nr_begun, nr_ended, most;
static bool as_asked = true;
static int stopped_orders[MANY];
static size_t nr_failed;
static char failed[24];

static dre_return_t stop(const char *name, int kill, int timeout)
{
	int i = atoi(name + 1);

	pthread_mutex_lock(&lock);
	as_asked &= !kill && timeout == 7;
	nr_begun++;
	if (nr_begun - nr_ended > most)
		most = nr_begun - nr_ended;
	pthread_cond_broadcast(&changed);
	while (nr_begun < together)
		pthread_cond_wait(&changed, &lock);
	stopped_orders[nr_ended++] = orders[i];
	pthread_mutex_unlock(&lock);
	return i == 1 ? DRE_ERR_CONTAINER_STOPPED : i == 2 ? DRE_ERR_DEVICE_BUSY : 0;
}

static dre_return_t get_container_list(dre_list_t *to)
{
	*to = list;
	return 0;
}

static dre_return_t release_list(dre_list_t released)
{
	assert_ptr_equal(released, list);
	return 0;
}

static dre_return_t get_property_list(const char *name, dre_property **to)
{
	static char order[12];
	static dre_property properties[] = { { .key = "autostart_order", .value = order }, { } };

	snprintf(order, sizeof(order), "%d", orders[atoi(name + 1)]);
	*to = properties;
	return 0;
}

static dre_return_t release_property_list(dre_property *properties)
{
	(void)properties;
	return 0;
}

const struct container_api container_api = {
	.stop = stop,
	.get_container_list = get_container_list,
	.release_list = release_list,
	.get_property_list = get_property_list,
	.release_property_list = release_property_list,
};

const struct container_extras container_extras = { };

/* What is called of the program. */

int command_fail(dre_return_t err, const char *name)
{
	nr_failed += err != 0;
	snprintf(failed, sizeof(failed), "%s", name);
	return EXIT_FAILURE;
}

void command_usage(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

int command_number(const char *what, const char *text, int min, int max)
{
	(void)what;
	(void)min;
	(void)max;
	return atoi(text);
}

void *command_memory(void *p)
{
	assert_non_null(p);
	return p;
}

int command_getopt(int argc, char **argv, const char *short_options, const struct option *options)
{
	return getopt_long(argc, argv, short_options, options, NULL);
}

int no_options(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	abort();
}

int for_named(int argc, char **argv, dre_return_t (*fn)(const char *name))
{
	(void)argc;
	(void)argv;
	(void)fn;
	abort();
}

dre_return_t with_time(const char *verb, const char *name, dre_return_t (*fn)(const char *name))
{
	(void)verb;
	(void)name;
	(void)fn;
	abort();
}

static int run(char *first, char *second)
{
	int status;
	char command[] = "stop", option[] = "-t", seconds[] = "7";
	char *argv[] = { command, option, seconds, first, second, NULL };

	nr_begun = nr_ended = nr_failed = most = 0;
	optind = 0;
	alarm(DEADLINE);
	status = cmd_stop(second ? 5 : 4, argv);
	assert_true(as_asked);
	return status;
}

static void make(size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		snprintf(names[i], sizeof(names[i]), "c%zu", i);
		list[i] = names[i];
		orders[i] = 0;
	}
	list[nr] = NULL;
}

/* The highest one is the first, and of order 0 there are three. */
static void by_order(void **state)
{
	static const int wanted[] = { 5, 3, 0, 0, 0 };
	char all[] = "--all";

	(void)state;
	make(5);
	orders[0] = 3;
	orders[3] = 5;
	together = 0;
	assert_int_equal(run(all, NULL), EXIT_FAILURE);
	assert_int_equal(nr_ended, 5);
	assert_memory_equal(stopped_orders, wanted, sizeof(wanted));
	/* What is stopped is none. */
	assert_int_equal(nr_failed, 1);
	assert_string_equal(failed, "c2");
}

static void at_once(void **state)
{
	char all[] = "--all";

	(void)state;
	make(6);
	together = 6;
	assert_int_equal(run(all, NULL), EXIT_FAILURE);
	assert_int_equal(nr_ended, 6);
	assert_int_equal(nr_failed, 1);
}

/* No more at once than there may be, and nobody is forgotten. */
static void many(void **state)
{
	char all[] = "--all";

	(void)state;
	make(MANY);
	together = 32;
	assert_int_equal(run(all, NULL), EXIT_FAILURE);
	assert_int_equal(nr_ended, MANY);
	assert_int_equal(nr_failed, 1);
	assert_int_equal(most, 32);
}

static void named(void **state)
{
	(void)state;
	make(5);
	together = 2;
	assert_int_equal(run(names[3], names[4]), EXIT_SUCCESS);
	assert_int_equal(nr_ended, 2);
	/* Of one that is named it is said. */
	together = 0;
	assert_int_equal(run(names[1], NULL), EXIT_FAILURE);
	assert_string_equal(failed, "c1");
}

static void none(void **state)
{
	char all[] = "--all";

	(void)state;
	make(0);
	assert_int_equal(run(all, NULL), EXIT_SUCCESS);
	assert_int_equal(nr_begun, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_order),
		cmocka_unit_test(at_once),
		cmocka_unit_test(many),
		cmocka_unit_test(named),
		cmocka_unit_test(none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
