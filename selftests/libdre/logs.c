// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * logs: what a container has printed does nothing to a terminal, and who follows does not keep all of it.
 */
#include <fcntl.h>
#include <getopt.h>
#include <json.h>
#include <unistd.h>

#include <dre_app.h>

#include "common/container_commands.h"
#include "fixture.h"

/* The longest line in JSON, and what may be kept of them. */
#define LONGEST	65536
#define KEPT	(4 * LONGEST)

/* What is in the log, how much of it was read, and how much a look at it finds: it grows meanwhile. */
static const char *text;
static size_t text_len, text_read, at_once;

/* How much of that this look has had. */
static size_t looked;

/* Where stdout leads, and how much of what was read was not there yet. */
static int out_fd;
static size_t most_kept;

static dre_return_t status(const char *name)
{
	(void)name;
	return text_read < text_len ? DRE_APP_CONTAINER_STATUS_RUNNING : DRE_APP_CONTAINER_STATUS_STOP;
}

bool is_stopped(dre_return_t state)
{
	return state == DRE_APP_CONTAINER_STATUS_STOP;
}

bool is_alive(dre_return_t state)
{
	return state == DRE_APP_CONTAINER_STATUS_RUNNING;
}

static dre_return_t log_open(const char *name, int previous, void **log)
{
	(void)previous;
	*log = (void *)name;
	return 0;
}

/* There is always more. */
static int log_fd(void *log)
{
	(void)log;
	return out_fd;
}

static dre_return_t log_read(void *log, void *buf, size_t size, size_t *len)
{
	struct stat st;

	(void)log;
	if (!fstat(out_fd, &st) && text_read > st.st_size + most_kept)
		most_kept = text_read - st.st_size;
	*len = text_len - text_read;
	if (*len > at_once - looked)
		*len = at_once - looked;
	if (*len > size)
		*len = size;
	memcpy(buf, text + text_read, *len);
	text_read += *len;
	looked = *len ? looked + *len : 0;
	return 0;
}

static dre_return_t log_close(void *log)
{
	(void)log;
	return 0;
}

const struct container_api container_api = {
	.status = status,
	.log_open = log_open,
	.log_fd = log_fd,
	.log_read = log_read,
	.log_close = log_close,
};

/* Runs it with options, which may be NULL; returns what it printed, of @len bytes and a NUL. */
static char *print(const char *option, const char *other, size_t *len)
{
	static const struct command commands[] = { { "logs", "", "", NULL, cmd_logs }, { } };
	static const struct program program = { .name = "test", .commands = commands };
	char *argv[] = { "test", "logs", "c", (char *)option, (char *)other, NULL };
	int out = dup(STDOUT_FILENO);
	char *printed;

	out_fd = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	assert_true(out >= 0 && out_fd >= 0);
	text_read = 0;
	most_kept = 0;
	looked = 0;
	fflush(stdout);
	dup2(out_fd, STDOUT_FILENO);
	optind = 0;
	assert_int_equal(command_main(&program, option ? other ? 5 : 4 : 3, argv), EXIT_SUCCESS);
	dup2(out, STDOUT_FILENO);
	close(out);
	*len = lseek(out_fd, 0, SEEK_END);
	printed = calloc(1, *len + 1);
	assert_int_equal(pread(out_fd, printed, *len, 0), *len);
	close(out_fd);
	return printed;
}

static void assert_printed(const char *option, const char *other, const char *wanted)
{
	size_t len;
	char *printed = print(option, other, &len);

	assert_string_equal(printed, wanted);
	free(printed);
}

static void set_text(const char *to, size_t len, size_t piece)
{
	text = to;
	text_len = len;
	at_once = piece;
}

/* Also what goes to a file or a program, which may go to a terminal from there. */
static void control_characters(void **state)
{
	static const char said[] = "a\tb\033]0;x\a\n\xc3\xa4\xc2\x9b""31m\n";

	(void)state;
	set_text(said, strlen(said), 4096);
	assert_printed(NULL, NULL, "a\tb^[]0;x^G\n\xc3\xa4M-^[31m\n");
	assert_printed("--raw", NULL, said);
	assert_printed("--json", NULL, "{\"container\":\"c\",\"line\":\"a\\tb\\u001b]0;x\\u0007\"}\n"
		       "{\"container\":\"c\",\"line\":\"\xc3\xa4\xc2\x9b""31m\"}\n");
	/* A byte at a time, so that a character comes in two. */
	at_once = 1;
	assert_printed("--follow", NULL, "a\tb^[]0;x^G\n\xc3\xa4M-^[31m\n");
	assert_printed("--follow", "--raw", said);
}

/* Reads the lines of JSON; puts together what was in them. */
static char *join(const char *json, size_t *nr)
{
	char *joined = calloc(1, text_len + 1), *end = joined;
	struct json_tokener *parser = json_tokener_new();
	struct json_object *o, *line;
	size_t len;

	for (*nr = 0; *json; ++*nr) {
		o = json_tokener_parse_ex(parser, json, strchr(json, '\n') - json);
		assert_true(json_object_object_get_ex(o, "line", &line));
		len = json_object_get_string_len(line);
		assert_true(len <= LONGEST && len <= (size_t)(joined + text_len - end));
		end = mempcpy(end, json_object_get_string(line), len);
		json_object_put(o);
		json_tokener_reset(parser);
		json = strchr(json, '\n') + 1;
	}
	json_tokener_free(parser);
	return joined;
}

/* @piece: how much a look at the log finds; @wanted: lines of JSON. */
static void check_joined(const char *said, const char *option, size_t piece, size_t wanted)
{
	size_t len, nr;
	char *printed, *joined;

	set_text(said, strlen(said), piece);
	printed = print("--json", option, &len);
	joined = join(printed, &nr);
	assert_int_equal(nr, wanted);
	assert_string_equal(joined, said);
	free(joined);
	free(printed);
}

/* A line without an end is several, none of which ends within a character. */
static void long_lines(void **state)
{
	const size_t nr = 1 << 19;
	char *said = calloc(1, 3 * nr + 1);

	(void)state;
	for (size_t i = 0; i < nr; i++)
		memcpy(said + 3 * i, "\xe2\x82\xac", 3);
	/* 65535 bytes each, which are printed before all of them are read */
	check_joined(said, "--follow", 4096, 25);
	assert_true(most_kept < KEPT);
	check_joined(said, "--follow", 1 << 20, 25);
	check_joined(said, NULL, 1 << 22, 25);
	memset(said, 'x', LONGEST);
	said[LONGEST] = '\0';
	check_joined(said, NULL, 1 << 22, 1);
	check_joined(said, "--follow", 4096, 1);
	free(said);
}

/* Lines that have an end stay what they are. */
static void lines(void **state)
{
	static const char json[] = "{\"container\":\"c\",\"line\":\"one\"}\n{\"container\":\"c\",\"line\":\"\"}\n"
				   "{\"container\":\"c\",\"line\":\"three\"}\n";
	static const char said[] = "one\n\nthree";

	(void)state;
	set_text(said, strlen(said), 4096);
	assert_printed("--json", NULL, json);
	for (at_once = 1; at_once <= sizeof(said); at_once++)
		assert_printed("--json", "--follow", json);
	at_once = 4096;
	assert_printed("--lines", "1", "three");
	assert_printed("--lines", "2", "\nthree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
