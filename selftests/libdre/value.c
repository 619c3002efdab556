// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a command prints as JSON is JSON, whatever containers say.
 */
#include <json.h>

#include "common/command.h"
#include "common/value.h"
#include "fixture.h"

void *command_memory(void *p)
{
	assert_non_null(p);
	return p;
}

static void assert_json(struct json_object *o, const char *json)
{
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), json);
	json_object_put(o);
}

static void texts(void **state)
{
	(void)state;
	assert_json(value_text(""), "\"\"");
	assert_json(value_text("a\"\\\033\n"), "\"a\\\"\\\\\\u001b\\n\"");
	assert_json(value_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static void what_is_no_character(void **state)
{
	(void)state;
	/* Latin-1; cut off, as the kernel does it with names of programs; too long; a surrogate */
	assert_json(value_text("\xe4rger"), "\"?rger\"");
	assert_json(value_text("a\xe2\x82"), "\"a??\"");
	assert_json(value_text("\xc0\x80\xc3\xa4"), "\"??\xc3\xa4\"");
	assert_json(value_text("\xed\xa0\x80"), "\"???\"");
	assert_json(value_bytes("a\0\xff", 3), "\"a\\u0000?\"");
	/* Nothing is read behind its end. */
	assert_json(value_bytes("\xc3\xa4", 1), "\"?\"");
	assert_json(value_texts("\xff,\xc3\xa4"), "[\"?\",\"\xc3\xa4\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(what_is_no_character),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
