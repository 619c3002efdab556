// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <syslog.h>
#include "format.h"

enum tag { TEXT, FACI, LVL, TIME, HOST, PROG, PID, MSG, FILE_NAME, LINE, FUNC };

static const struct {
	enum tag tag;
	const char *name;
} tags[] = {
	{ FACI, "%faci%" }, { LVL, "%lvl%" }, { TIME, "%time%" }, { HOST, "%host%" },
	{ PROG, "%prog%" }, { PID, "%pid%" }, { MSG, "%msg%" }, { FILE_NAME, "%file%" },
	{ LINE, "%line%" }, { FUNC, "%func%" },
};

/* Either a tag, or the text between two tags. */
struct piece {
	enum tag tag;
	size_t len;
	const char *text;
};

/* In one block of memory: this, the pieces, and a copy of the text that they point to. */
struct daware_format {
	size_t nr_pieces;
	struct piece pieces[];
};

static enum tag tag_at(const char *text, size_t *len)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		*len = strlen(tags[i].name);
		if (!strncmp(text, tags[i].name, *len))
			return tags[i].tag;
	}
	*len = 1;
	return TEXT;
}

struct daware_format *daware_format_compile(const char *text)
{
	struct daware_format *format;
	size_t size = strlen(text) + 1, max_pieces = 1, len;
	struct piece *last = NULL;

	/* Each tag has two percent signs; text stands before, between and behind. */
	for (const char *pos = text; *pos; pos++)
		max_pieces += *pos == '%';

	format = malloc(sizeof(*format) + max_pieces * sizeof(*last) + size);
	if (!format)
		return NULL;
	format->nr_pieces = 0;
	text = memcpy(&format->pieces[max_pieces], text, size);

	for (; *text; text += len) {
		enum tag tag = tag_at(text, &len);

		if (tag == TEXT && last && last->tag == TEXT) {
			last->len++;
			continue;
		}
		last = &format->pieces[format->nr_pieces++];
		*last = (struct piece){ .tag = tag, .len = len, .text = text };
	}
	return format;
}

void daware_text_add_number(struct daware_text *text, int number)
{
	char digits[12], *pos = digits + sizeof(digits);
	unsigned int rest = number < 0 ? -(unsigned int)number : (unsigned int)number;

	do {
		*--pos = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	if (number < 0)
		*--pos = '-';
	daware_text_add(text, pos, digits + sizeof(digits) - pos);
}

static void add_facility(struct daware_text *text, int priority)
{
	/* syslog.h has no names for 12 to 15. */
	static const char names[][9] = {
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
		"uucp", "cron", "authpriv", "ftp", "12", "13", "14", "15",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	};

	daware_text_adds(text, names[LOG_FAC(priority)]);
}

static void add_level(struct daware_text *text, int priority)
{
	static const char names[][8] = {
		"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
	};

	daware_text_adds(text, names[LOG_PRI(priority)]);
}

void daware_format_render(const struct daware_format *format, const struct daware_record *record,
			  struct daware_text *text)
{
	for (size_t i = 0; i < format->nr_pieces; i++) {
		const struct piece *piece = &format->pieces[i];

		switch (piece->tag) {
		case TEXT:
			daware_text_add(text, piece->text, piece->len);
			break;
		case FACI:
			add_facility(text, record->priority);
			break;
		case LVL:
			add_level(text, record->priority);
			break;
		case TIME:
			daware_text_adds(text, record->time);
			break;
		case HOST:
			daware_text_adds(text, record->host);
			break;
		case PROG:
			daware_text_adds(text, record->prog);
			break;
		case PID:
			daware_text_adds(text, record->pid);
			break;
		case MSG:
			daware_text_add(text, record->message, record->message_len);
			break;
		case FILE_NAME:
			daware_text_adds(text, record->file);
			break;
		case LINE:
			daware_text_add_number(text, record->line);
			break;
		case FUNC:
			daware_text_adds(text, record->func);
			break;
		}
	}
}
