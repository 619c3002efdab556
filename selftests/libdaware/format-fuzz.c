// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzzes the compiler of log formats and what it makes (libFuzzer). What comes
 * out is compared with that of the plainest implementation there is, one that
 * looks for each tag at each place of the text.
 *
 * The first byte of the input is how much room there is, the next two the
 * priority; then comes the message, which ends with a line, and the format.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "format.h"

#define ROOM_MAX	(UINT8_MAX * 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char facilities[24][9] = {
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
	"authpriv", "ftp", "12", "13", "14", "15", "local0", "local1", "local2", "local3",
	"local4", "local5", "local6", "local7",
};

static const char levels[8][8] = {
	"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
};

static size_t render_plainly(const char *format, const struct daware_record *record, char *to,
			     size_t room)
{
	char line[16];
	const struct {
		const char *tag;
		const char *value;
	} tags[] = {
		{ "%faci%", facilities[record->priority >> 3] },
		{ "%lvl%", levels[record->priority & 7] },
		{ "%time%", record->time },
		{ "%host%", record->host },
		{ "%prog%", record->prog },
		{ "%pid%", record->pid },
		{ "%file%", record->file },
		{ "%line%", line },
		{ "%func%", record->func },
		{ "%msg%", record->message },
	};
	size_t len = 0;

	snprintf(line, sizeof(line), "%d", record->line);
	while (*format) {
		const char *value = format;
		size_t value_len = 1, tag_len = 1;

		for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
			if (strncmp(format, tags[i].tag, strlen(tags[i].tag)) != 0)
				continue;
			tag_len = strlen(tags[i].tag);
			value = tags[i].value;
			value_len = value == record->message ? record->message_len : strlen(value);
		}
		format += tag_len;
		for (size_t i = 0; i < value_len; i++, len++)
			if (len < room)
				to[len] = value[i];
	}
	return len;
}

static void check(const char *format_text, const struct daware_record *record, size_t room)
{
	static char got[ROOM_MAX + 1], expected[ROOM_MAX];
	struct daware_text text = { .pos = got, .end = got + room };
	struct daware_format *format = daware_format_compile(format_text);
	size_t len = render_plainly(format_text, record, expected, room), filled;

	if (!format)
		abort();
	got[room] = 'G';	/* who writes on is caught even where the buffer does not end */
	daware_format_render(format, record, &text);
	free(format);

	filled = text.pos - got;
	if (filled != (len < room ? len : room) || text.cut != (len > room) || got[room] != 'G' ||
	    memcmp(got, expected, filled) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct daware_record record = {
		.time = "2011-12-31T23:59:59+09:00",
		.host = "host%msg%",
		.prog = "",
		.pid = "12345",
		.file = "%file%",
		.func = "main",
	};
	const uint8_t *line_end;
	char *format;
	size_t room;

	if (size < 3)
		return -1;
	room = data[0] * 16;
	record.priority = (data[1] % LOG_NFACILITIES) << 3 | (data[2] & LOG_PRIMASK);
	record.line = data[2] & 1 ? INT_MIN + data[1] : data[2];
	data += 3;
	size -= 3;

	line_end = memchr(data, '\n', size);
	record.message = (const char *)data;
	record.message_len = line_end ? (size_t)(line_end - data) : 0;
	if (line_end) {
		size -= line_end + 1 - data;
		data = line_end + 1;
	}

	format = malloc(size + 1);
	if (!format)
		return -1;
	memcpy(format, data, size);
	format[size] = '\0';
	check(format, &record, room);
	free(format);
	return 0;
}
