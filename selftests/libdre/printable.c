// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What containers say does nothing to a terminal, and stays what it is otherwise.
 */
#include "common/fail.h"
#include "common/printable.h"
#include "common/utf8.h"
#include "fixture.h"

/* A text, as it is printed, and as it is in error texts. */
static const struct {
	const char *text;
	const char *printed;
	const char *in_errors;
} cases[] = {
	{ "", "", "" },
	{ "a\tb\n", "a\tb\n", "a?b?" },
	{ "\033]0;x\a\033c\r\x7f", "^[]0;x^G^[c^M^?", "?]0;x??c??" },
	{ "\xc3\xa4\xc3\x9b\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xc3\x9b\xe2\x82\xac\xf0\x9f\x98\x80",
	  "\xc3\xa4\xc3\x9b\xe2\x82\xac\xf0\x9f\x98\x80" },
	/* U+0080, U+009B, U+009F, U+00A0 */
	{ "\xc2\x80\xc2\x9b""31m\xc2\x9f\xc2\xa0", "M-^@M-^[31mM-^_\xc2\xa0", "??31m?\xc2\xa0" },
	/* the same as bytes, alone, behind half a character, too long */
	{ "\x9b""31m", "M-^[31m", "?31m" },
	{ "\xe2\x9b", "\xe2M-^[", "\xe2?" },
	{ "\xc2\xc2\x9b", "\xc2M-^[", "\xc2?" },
	{ "\xe0\x82\x9b", "\xe0M-^BM-^[", "\xe0??" },
	/* of Latin-1, which does nothing anywhere */
	{ "\xe4\xff", "\xe4\xff", "\xe4\xff" },
};

static void control_characters(void **state)
{
	char *printed;
	size_t len;
	FILE *to;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		/* Nothing is read behind its end, where there may be no NUL. */
		char *copy = strdup(cases[i].text), *text = malloc(strlen(copy));

		to = open_memstream(&printed, &len);
		memcpy(text, copy, strlen(copy));
		print_safely(to, text, strlen(copy));
		fclose(to);
		assert_string_equal(printed, cases[i].printed);
		free(printed);
		free(text);
		free(copy);
	}
}

static void in_error_texts(void **state)
{
	struct printable p;
	char text[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(dre_printable(&p, cases[i].text), cases[i].in_errors);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(dre_printable(&p, text)), sizeof(p.text) - 1);
	assert_non_null(strstr(p.text, "x..."));
	text[sizeof(p.text) - 4] = '\0';
	assert_string_equal(dre_printable(&p, text), text);
}

static void characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_character("a", 1), 1);
	assert_int_equal(utf8_character("\xc3\xa4", 2), 2);
	assert_int_equal(utf8_character("\xc3\xa4", 1), 0);
	assert_int_equal(utf8_character("\xed\xa0\x80", 3), 0);
	assert_int_equal(utf8_character("\xf4\x90\x80\x80", 4), 0);
	assert_int_equal(utf8_character("\xc0\x80", 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters),
		cmocka_unit_test(in_error_texts),
		cmocka_unit_test(characters),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
