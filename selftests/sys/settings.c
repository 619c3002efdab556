// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control groups as a manifest has them.
 */
#include <dre.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sys/group.h"

static struct sys_group group_named(const char *name)
{
	struct sys_group group = {};

	strcpy(group.name, name);
	return group;
}

static void assert_setting(const struct manifest *m, const char *key, const char *value)
{
	assert_non_null(manifest_get(m, key));
	assert_string_equal(manifest_get(m, key), value);
}

static void written_and_read(void **state)
{
	struct sys_group group = group_named("ui"), read;
	struct manifest m = {};

	(void)state;
	group.limits.cpu = 25;
	strcpy(group.limits.cores, "0-3,5");
	group.limits.memory = 1ULL << 40;
	group.limits.memsw = ~0ULL;
	assert_int_equal(sys_group_put(&m, &group), 0);
	assert_setting(&m, "cgroup_0",
		       "ui cpu=25 cores=0-3,5 memory=1099511627776 memsw=18446744073709551615");
	assert_true(sys_group_get(&m, "ui", &read));
	assert_memory_equal(&read, &group, sizeof(group));
	assert_int_equal(sys_groups_check("web", &m), 0);
	assert_false(sys_group_get(&m, "u", &read));
	assert_string_equal(read.name, "u");
	assert_int_equal(read.limits.cpu, 0);
	manifest_free(&m);
}

/* In the order of their making, also when one in the middle goes; and "." is there only with limits. */
static void order(void **state)
{
	static const char *const names[] = { "a", ".", "c", "b" };
	struct sys_group group = group_named("x");
	struct manifest m = {};
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		group = group_named(names[i]);
		group.limits.cpu = i + 1;
		assert_int_equal(sys_group_put(&m, &group), 0);
	}
	assert_int_equal(sys_group_drop(&m, "c"), 0);
	assert_int_equal(sys_group_drop(&m, "c"), 0);
	group = group_named("c");
	assert_int_equal(sys_group_put(&m, &group), 0);
	assert_setting(&m, "cgroup_4", "c");
	group = group_named(".");
	assert_int_equal(sys_group_put(&m, &group), 0);
	assert_null(manifest_get(&m, "cgroup_1"));
	assert_true(sys_group_next(&m, &at, &group));
	assert_string_equal(group.name, "a");
	assert_true(sys_group_next(&m, &at, &group));
	assert_string_equal(group.name, "b");
	assert_int_equal(group.limits.cpu, 4);
	assert_true(sys_group_next(&m, &at, &group));
	assert_string_equal(group.name, "c");
	assert_false(sys_group_next(&m, &at, &group));
	manifest_free(&m);
}

static void damaged(void **state)
{
	static const char *const values[] = {
		"", " ", "a/b", "cpu.max", "qemu-1", "ui cpu", "ui cpu=", "ui cpu=0", "ui cpu=-1", "ui cpu=1x",
		"ui cpu=18446744073709551616", "ui cores=", "ui cores=3-1", "ui cores=a", "ui disk=1", "ui =1",
		"ui memory=1K", "ui memory= 1",
	};
	char long_value[2048];
	struct manifest m = {};
	struct sys_group group;
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		at = 0;
		assert_int_equal(manifest_set(&m, "cgroup_7", values[i]), 0);
		assert_false(sys_group_next(&m, &at, &group));
		assert_int_equal(sys_groups_check("web", &m), DRE_ERR_CONTAINER_UNKNOWN_STATUS);
	}
	memset(long_value, 'a', sizeof(long_value));
	strcpy(long_value + sizeof(long_value) - 8, " cpu=1");
	assert_int_equal(manifest_set(&m, "cgroup_7", long_value), 0);
	assert_int_equal(sys_groups_check("web", &m), DRE_ERR_CONTAINER_UNKNOWN_STATUS);
	/* Other settings are nobody's business. */
	assert_int_equal(manifest_set(&m, "cgroup_7", NULL), 0);
	assert_int_equal(manifest_set(&m, "cgroups", "cpu=x"), 0);
	assert_int_equal(sys_groups_check("web", &m), 0);
	manifest_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(order),
		cmocka_unit_test(damaged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
