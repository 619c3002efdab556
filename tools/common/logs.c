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

/* The longest line in JSON, in bytes: what has no end for longer is several, so that who follows keeps no more. */
#define LONGEST	65536

/* What is to be done with it. */
struct logs {
	const char *name;
	void *log;
	bool json;
	bool raw;
	char *text;	/* what is not printed yet */
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

/* What there is now, or a part of it, is put behind what was not printed yet; @n: how much that is. */
static int read_some(struct logs *logs, size_t *n)
{
	int err;

	if (logs->room - logs->len < 4096) {
		logs->room = 2 * logs->room + 8192;
		logs->text = command_memory(realloc(logs->text, logs->room));
	}
	err = container_api.log_read(logs->log, logs->text + logs->len, logs->room - logs->len, n);
	if (!err)
		logs->len += *n;
	return err;
}

static int read_all(struct logs *logs)
{
	size_t n;
	int err;

	do {
		err = read_some(logs, &n);
	} while (!err && n);
	return err;
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
		if (logs->text[pos - 1] == '\n' && !--lines)
			break;
	return pos;
}

static void skip(struct logs *logs, size_t len)
{
	logs->len -= len;
	memmove(logs->text, logs->text + len, logs->len);
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

/* Those that have ended or are too long, and the @last one as it is. Returns how much that is. */
static size_t print_lines(const struct logs *logs, bool last)
{
	size_t done, left, n;
	const char *line, *end;

	for (done = 0; done < logs->len; done += n + !!end) {
		line = logs->text + done;
		left = logs->len - done;
		end = memchr(line, '\n', left > LONGEST ? LONGEST + 1 : left);
		if (!end && left <= LONGEST && !last)
			break;
		n = end ? (size_t)(end - line) : left > LONGEST ? without_begun(line, LONGEST) : left;
		print_json(logs, line, n);
	}
	return done;
}

/* What was read; @last: nothing comes behind it. */
static void print(struct logs *logs, bool last)
{
	size_t len;

	if (logs->json) {
		len = print_lines(logs, last);
	} else {
		len = last ? logs->len : without_begun(logs->text, logs->len);
		if (logs->raw)
			fwrite(logs->text, 1, len, stdout);
		else
			print_safely(stdout, logs->text, len);
	}
	skip(logs, len);
}

static int follow(struct logs *logs)
{
	struct pollfd fds[] = {
		{ .fd = container_api.log_fd(logs->log), .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* nobody reads it any more */
	};
	int err, status, timeout;
	size_t n;

	do {
		/* Looked at before the last bytes are read. */
		status = container_api.status(logs->name);
		do {
			err = read_some(logs, &n);
			if (err)
				return err;
			print(logs, false);
			if (fflush(stdout))	/* command_main() says why */
				return 0;
		} while (n);
		timeout = is_alive(status) ? LATER : SOON;
		if (status < 0 || is_stopped(status))
			break;
		if (poll(fds, 2, timeout) < 0 && errno != EINTR)
			break;
	} while (!fds[1].revents);
	print(logs, true);
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
	struct logs logs = {};
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
		print(&logs, true);
	free(logs.text);
	container_api.log_close(logs.log);
	return err ? command_fail(err, logs.name) : EXIT_SUCCESS;
}
