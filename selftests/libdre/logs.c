// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * logs: what a container has printed does nothing to a terminal.
 */
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <dre_app.h>

#include "common/container_commands.h"
#include "fixture.h"

/* What is in the log, how much of it was read, and how much a look at it finds: it grows meanwhile. */
static const char *text;
static size_t text_len, text_read, at_once;

/* How much of that this look has had. */
static size_t looked;

/* Where stdout leads. */
static int out_fd;

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
	(void)log;
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
		cmocka_unit_test(lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
