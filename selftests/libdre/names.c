// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/mman.h>
#include <unistd.h>

#include "common/names.h"
#include "fixture.h"

static const char longest[] =
	"a23456789_123456789_123456789_123456789_123456789_123456789_123";

static void good_names(void **state)
{
	static const char *const names[] = {
		"a", "Z", "0", "web", "a.b", "a-b", "a_b", "9.9.9", "a..b", "a-", "a.", longest,
	};

	(void)state;
	assert_int_equal(strlen(longest), 63);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_success(dre_check_name("container", names[i]));
}

static void malformed_names(void **state)
{
	static const char *const names[] = {
		"", ".", "..", ".a", "-a", "_a", "a/b", "/", "a b", " a", "a\n", "a\t", "a\x7f",
		"\xc3\xa4", "a\xff", "a:b", "a,b", "a'b", "a\"b", "a$b", "a*", "a\\b", "a%s",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_fails(dre_check_name("container", names[i]), DRE_ERR_INVALID_ARGUMENT,
			     "container");
}

static void checks_in_order(void **state)
{
	char name[65];

	(void)state;
	assert_fails(dre_check_name("snapshot", NULL), DRE_ERR_NULL_POINTER, "snapshot");
	/* Too long comes before malformed. */
	memset(name, '/', 64);
	name[64] = '\0';
	assert_fails(dre_check_name("snapshot", name), DRE_ERR_REQUEST_TOO_LONG, "63");
	name[63] = '\0';
	assert_fails(dre_check_name("snapshot", name), DRE_ERR_INVALID_ARGUMENT, "snapshot");
}

/* Behind the 64th byte there may be nothing to read. */
static void never_reads_beyond_64_bytes(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);

	(void)state;
	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + page, page, PROT_NONE), 0);
	memset(map, 'a', page);
	assert_fails(dre_check_name("container", map + page - 64), DRE_ERR_REQUEST_TOO_LONG,
		     "container");
	munmap(map, 2 * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names),
		cmocka_unit_test(malformed_names),
		cmocka_unit_test(checks_in_order),
		cmocka_unit_test(never_reads_beyond_64_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
