// SPDX-License-Identifier: LGPL-2.1-or-later
#include <limits.h>
#include <string.h>
#include <syslog.h>
#include "format.h"
#include "sandbox.h"

static const struct daware_record record = {
	.priority = LOG_MAIL | LOG_ERR,
	.time = "TIME",
	.host = "HOST",
	.prog = "PROG",
	.pid = "4711",
	.message = "MESSAGE (not this)",
	.message_len = 7,
	.file = "FILE",
	.line = 12,
	.func = "FUNC",
};

static const char *render(const char *format, const struct daware_record *what)
{
	static char line[256];
	struct daware_text text = { .pos = line, .end = line + sizeof(line) - 1 };
	struct daware_format *compiled = daware_format_compile(format);

	assert_non_null(compiled);
	daware_format_render(compiled, what, &text);
	free(compiled);
	assert_false(text.cut);
	*text.pos = '\0';
	return line;
}

static void expect(const char *format, const char *line)
{
	assert_string_equal(render(format, &record), line);
}

static void tags_are_replaced(void **state)
{
	(void)state;
	expect("%faci%", "mail");
	expect("%lvl%", "err");
	expect("%time%", "TIME");
	expect("%host%", "HOST");
	expect("%prog%", "PROG");
	expect("%pid%", "4711");
	expect("%msg%", "MESSAGE");
	expect("%file%", "FILE");
	expect("%line%", "12");
	expect("%func%", "FUNC");
	expect("%time% %prog%[%pid%] %lvl%: %msg%", "TIME PROG[4711] err: MESSAGE");
	expect("%msg%%msg%%pid%", "MESSAGEMESSAGE4711");
}

static void all_else_stays(void **state)
{
	(void)state;
	expect("", "");
	expect("text", "text");
	expect("%", "%");
	expect("%%", "%%");
	expect("100% of %msg%", "100% of MESSAGE");
	expect("%unknown%", "%unknown%");
	expect("%unknown%msg%", "%unknownMESSAGE");
	expect("%%msg%%", "%MESSAGE%");
	expect("%msg", "%msg");
	expect("msg%", "msg%");
	expect("%MSG% %msg % msg%", "%MSG% %msg % msg%");
	expect("%s %n %d", "%s %n %d");
	expect("%msg%%", "MESSAGE%");
}

static void values_are_not_interpreted(void **state)
{
	struct daware_record tricky = record;

	(void)state;
	tricky.message = "%msg% %s %n";
	tricky.message_len = strlen(tricky.message);
	tricky.prog = "%pid%";
	tricky.file = "%n";
	tricky.func = "%func%";
	assert_string_equal(render("%msg%|%prog%|%file%|%func%", &tricky),
			    "%msg% %s %n|%pid%|%n|%func%");
}

static void facilities_and_levels_have_syslogs_names(void **state)
{
	static const struct {
		int priority;
		const char *text;
	} cases[] = {
		{ LOG_KERN | LOG_EMERG, "kern.emerg" }, { LOG_USER | LOG_ALERT, "user.alert" },
		{ LOG_MAIL | LOG_CRIT, "mail.crit" }, { LOG_DAEMON | LOG_ERR, "daemon.err" },
		{ LOG_AUTH | LOG_WARNING, "auth.warning" },
		{ LOG_SYSLOG | LOG_NOTICE, "syslog.notice" }, { LOG_LPR | LOG_INFO, "lpr.info" },
		{ LOG_NEWS | LOG_DEBUG, "news.debug" }, { LOG_UUCP, "uucp.emerg" },
		{ LOG_CRON, "cron.emerg" }, { LOG_AUTHPRIV, "authpriv.emerg" },
		{ LOG_FTP, "ftp.emerg" }, { 12 << 3, "12.emerg" }, { 15 << 3, "15.emerg" },
		{ LOG_LOCAL0, "local0.emerg" }, { LOG_LOCAL1, "local1.emerg" },
		{ LOG_LOCAL2, "local2.emerg" }, { LOG_LOCAL3, "local3.emerg" },
		{ LOG_LOCAL4, "local4.emerg" }, { LOG_LOCAL5, "local5.emerg" },
		{ LOG_LOCAL6, "local6.emerg" }, { LOG_LOCAL7, "local7.emerg" },
	};
	struct daware_record other = record;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		other.priority = cases[i].priority;
		assert_string_equal(render("%faci%.%lvl%", &other), cases[i].text);
	}
}

static void numbers(void **state)
{
	static const struct {
		int number;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 7, "7" }, { 10, "10" }, { -1, "-1" },
		{ INT_MAX, "2147483647" }, { INT_MIN, "-2147483648" },
	};
	struct daware_record other = record;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		other.line = cases[i].number;
		assert_string_equal(render("%line%", &other), cases[i].text);
	}
}

static void what_does_not_fit_is_cut_and_noted(void **state)
{
	struct daware_format *format = daware_format_compile("<%msg%>%pid%");
	char line[14];

	(void)state;
	assert_non_null(format);
	for (size_t size = 0; size <= 13; size++) {
		struct daware_text text = { .pos = line, .end = line + size };

		memset(line, '#', sizeof(line));
		daware_format_render(format, &record, &text);
		assert_int_equal(text.pos - line, size);
		assert_memory_equal(line, "<MESSAGE>4711", size);
		assert_int_equal(line[size], '#');
		assert_int_equal(text.cut, size < 13);
	}
	free(format);
}

static void format_is_copied(void **state)
{
	char source[] = "a %msg% b";
	struct daware_format *format = daware_format_compile(source);
	char line[64] = "";
	struct daware_text text = { .pos = line, .end = line + sizeof(line) - 1 };

	(void)state;
	assert_non_null(format);
	memset(source, 'x', sizeof(source) - 1);
	daware_format_render(format, &record, &text);
	free(format);
	assert_string_equal(line, "a MESSAGE b");
}

static void no_memory(void **state)
{
	(void)state;
	malloc_fails = true;
	assert_null(daware_format_compile("%msg%"));
	assert_false(malloc_fails);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_replaced),
		cmocka_unit_test(all_else_stays),
		cmocka_unit_test(values_are_not_interpreted),
		cmocka_unit_test(facilities_and_levels_have_syslogs_names),
		cmocka_unit_test(numbers),
		cmocka_unit_test(what_does_not_fit_is_cut_and_noted),
		cmocka_unit_test(format_is_copied),
		cmocka_unit_test(no_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
