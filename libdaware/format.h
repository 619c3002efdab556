/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The format of log messages, compiled. Private to libdaware.
 */
#ifndef DAWARE_FORMAT_H
#define DAWARE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Text that grows in a buffer of fixed size. What does not fit is left out, and noted. */
struct daware_text {
	char *pos;
	char *end;
	bool cut;
};

static inline void daware_text_add(struct daware_text *text, const char *s, size_t len)
{
	size_t room = text->end - text->pos;

	if (len > room) {
		len = room;
		text->cut = true;
	}
	memcpy(text->pos, s, len);
	text->pos += len;
}

static inline void daware_text_adds(struct daware_text *text, const char *s)
{
	daware_text_add(text, s, strlen(s));
}

void daware_text_add_number(struct daware_text *text, int number);

/* What the tags stand for in one message. No string is NULL. */
struct daware_record {
	int priority;
	const char *time;
	const char *host;
	const char *prog;
	const char *pid;
	const char *message;
	size_t message_len;
	const char *file;
	int line;
	const char *func;
};

struct daware_format;

/* Returns NULL if there is no memory; else the caller frees it with free(3). */
struct daware_format *daware_format_compile(const char *text);

void daware_format_render(const struct daware_format *format, const struct daware_record *record,
			  struct daware_text *text);

#endif /* DAWARE_FORMAT_H */
