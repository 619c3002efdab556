// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * logs.
 */
#include <errno.h>
#include <json.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/utf8.h"
#include "container_commands.h"
#include "printable.h"
#include "value.h"

/*
 * How often it is looked whether a container has ended, in milliseconds: one that is busy, and one that
 * runs, whose end may be known to others a moment after its last line.
 */
#define SOON	200
#define LATER	1000

/* What is to be done with it. */
struct logs {
	const char *name;
	void *log;
	bool json;
	bool raw;
	char *line;	/* the one that is not ended yet */
	size_t len, room;
};

static void print_json(const struct logs *logs, const char *line, size_t len)
{
	struct json_object *o = value_object();

	json_object_object_add(o, "container", value_text(logs->name));
	json_object_object_add(o, "line", value_bytes(line, len));
	puts(command_memory((void *)json_object_to_json_string_ext(o,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(o);
}

/* @len bytes: lines, of which the last one may have no end. */
static void print(const struct logs *logs, const char *text, size_t len)
{
	const char *end;

	if (!logs->json) {
		if (logs->raw)
			fwrite(text, 1, len, stdout);
		else
			print_safely(stdout, text, len);
		return;
	}
	for (size_t n; len; text += n, len -= n) {
		end = memchr(text, '\n', len);
		print_json(logs, text, end ? end - text : (ptrdiff_t)len);
		n = end ? end + 1 - text : (ptrdiff_t)len;
	}
}

/* All that there is now is put behind what was not printed yet. */
static int read_all(struct logs *logs)
{
	size_t n;
	int err;

	do {
		if (logs->room - logs->len < 4096) {
			logs->room = 2 * logs->room + 8192;
			logs->line = command_memory(realloc(logs->line, logs->room));
		}
		err = container_api.log_read(logs->log, logs->line + logs->len, logs->room - logs->len, &n);
		if (err)
			return err;
		logs->len += n;
	} while (n);
	return 0;
}

/* Where the last @lines lines begin. */
static size_t tail(const struct logs *logs, int lines)
{
	size_t pos = logs->len;

	if (!lines)
		return pos;
	/* What ends the last line begins none. */
	if (pos)
		pos--;
	for (; pos; pos--)
		if (logs->line[pos - 1] == '\n' && !--lines)
			break;
	return pos;
}

static void skip(struct logs *logs, size_t len)
{
	logs->len -= len;
	memmove(logs->line, logs->line + len, logs->len);
}

/* How much there is without the beginning of a character at its end, which alone is none. */
static size_t without_begun(const char *text, size_t len)
{
	for (size_t n = 1; n <= 3 && n <= len; n++) {
		unsigned char c = text[len - n];

		if (c >= 0xc2 && c < 0xf5)
			return utf8_character(text + len - n, n) ? len : len - n;
		if ((c & 0xc0) != 0x80)
			break;
	}
	return len;
}

/* In JSON a line is printed when it has ended. */
static void print_new(struct logs *logs)
{
	size_t len = logs->json ? logs->len : without_begun(logs->line, logs->len);

	while (logs->json && len && logs->line[len - 1] != '\n')
		len--;
	print(logs, logs->line, len);
	skip(logs, len);
}

static int follow(struct logs *logs)
{
	struct pollfd fds[] = {
		{ .fd = container_api.log_fd(logs->log), .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* nobody reads it any more */
	};
	int err, status, timeout;

	do {
		/* Looked at before the last bytes are read. */
		status = container_api.status(logs->name);
		err = read_all(logs);
		if (err)
			return err;
		print_new(logs);
		if (fflush(stdout))	/* command_main() says why */
			return 0;
		timeout = is_alive(status) ? LATER : SOON;
		if (status < 0 || is_stopped(status))
			break;
		if (poll(fds, 2, timeout) < 0 && errno != EINTR)
			break;
	} while (!fds[1].revents);
	print(logs, logs->line, logs->len);
	return status < 0 && status != DRE_ERR_CONTAINER_NONEXISTENCE ? status : 0;
}

/* What the options ask for. */
struct asked {
	bool follow;
	bool previous;
	int lines;	/* -1: all */
};

static void parse_options(int argc, char **argv, struct asked *asked, struct logs *logs)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "follow", no_argument, NULL, 'f' },
		{ "lines", required_argument, NULL, 'n' },
		{ "previous", no_argument, NULL, 'p' },
		{ "raw", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	int c;

	while ((c = command_getopt(argc, argv, "fn:prj", options)) >= 0) {
		switch (c) {
		case 'f':
			asked->follow = true;
			break;
		case 'n':
			asked->lines = command_number("number of lines", optarg, 0, INT_MAX);
			break;
		case 'p':
			asked->previous = true;
			break;
		case 'r':
			logs->raw = true;
			break;
		case 'j':
			logs->json = true;
			break;
		}
	}
	if (argc - optind != 1)
		command_usage("one name is wanted");
	if (asked->follow && asked->previous)
		command_usage("nothing follows in a previous run");
}

int cmd_logs(int argc, char **argv)
{
	struct logs logs = { };
	struct asked asked = { .lines = -1 };
	int err;

	parse_options(argc, argv, &asked, &logs);
	logs.name = argv[optind];
	err = container_api.log_open(logs.name, asked.previous, &logs.log);
	if (err)
		return command_fail(err, logs.name);
	err = read_all(&logs);
	if (!err && asked.lines >= 0)
		skip(&logs, tail(&logs, asked.lines));
	if (!err && asked.follow)
		err = follow(&logs);
	else if (!err)
		print(&logs, logs.line, logs.len);
	free(logs.line);
	container_api.log_close(logs.log);
	return err ? command_fail(err, logs.name) : EXIT_SUCCESS;
}
