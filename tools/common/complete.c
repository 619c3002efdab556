// SPDX-License-Identifier: LGPL-2.1-or-later

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "complete.h"

#define KIND_MAX	32

/* What was begun of the last word, and what comes behind all that it may be: the word goes on then. */
static const char *begun, *behind = "";

void complete_with(const char *candidate)
{
	if (!strncmp(candidate, begun, strlen(begun)))
		printf("%s%s\n", candidate, behind);
}

/* The first words of commands: each once, though several may have it. */
static void first_words(const struct program *program)
{
	char last[KIND_MAX] = "", word[KIND_MAX];

	for (const struct command *c = program->commands; c->name; c++) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(c->name, " "), c->name);
		if (strcmp(word, last))
			complete_with(word);
		strcpy(last, word);
	}
	complete_with("--help");
	complete_with("--version");
}

/* The second ones of those that begin with @word. */
static void second_words(const struct program *program, const char *word)
{
	size_t len = strlen(word);

	for (const struct command *c = program->commands; c->name; c++)
		if (!strncmp(c->name, word, len) && c->name[len] == ' ')
			complete_with(c->name + len + 1);
}

/* How many of the words are the name of a command, which is stored; 0: none is. */
static size_t find(const struct program *program, size_t nr, char **words, const struct command **found)
{
	size_t words_of_name = 0;

	for (const struct command *c = program->commands; c->name; c++) {
		const char *second = strchr(c->name, ' ');
		size_t len = strcspn(c->name, " ");

		if (strlen(words[0]) != len || strncmp(words[0], c->name, len))
			continue;
		if (!second && !words_of_name) {
			*found = c;
			words_of_name = 1;
		} else if (second && nr > 1 && !strcmp(words[1], second + 1)) {
			*found = c;
			return 2;
		}
	}
	return words_of_name;
}

/*
 * The word in capitals at the beginning of @text: "NAME..." is "NAME". Empty if there is none. If its word goes on,
 * as "KEY=VALUE" and "NAME:PATH", with what is between them.
 */
static void read_kind(const char *text, char kind[KIND_MAX])
{
	size_t len = 0;

	while (len < KIND_MAX - 2 && (isupper((unsigned char)text[len]) || text[len] == '_'))
		len++;
	/* "CPU% is ..." and "A container" are no arguments. */
	if (len == 1 && isalpha((unsigned char)text[len]))
		len = 0;
	if (len && (text[len] == '=' || text[len] == ':'))
		len++;
	snprintf(kind, KIND_MAX, "%.*s", (int)len, text);
}

/* Both the usage line and the help have options, as "--base BASE". */
static const char *next_option(const char *text, char option[KIND_MAX], char kind[KIND_MAX])
{
	size_t len;

	text = text ? strstr(text, "--") : NULL;
	if (!text)
		return NULL;
	for (len = 2; isalnum((unsigned char)text[len]) || text[len] == '-'; len++)
		;
	snprintf(option, KIND_MAX, "%.*s", (int)len, text);
	kind[0] = '\0';
	if (text[len] == ' ')
		read_kind(text + len + 1, kind);
	return text + len;
}

static void options_of(const struct command *c)
{
	const char *const texts[] = { c->arguments, c->details };
	char option[KIND_MAX], kind[KIND_MAX], seen[1024] = " ", mark[KIND_MAX + 2];

	for (size_t i = 0; i < 2; i++) {
		for (const char *text = texts[i]; (text = next_option(text, option, kind)); ) {
			snprintf(mark, sizeof(mark), " %s ", option);
			if (!option[2] || strstr(seen, mark) ||
			    strlen(seen) + strlen(mark) >= sizeof(seen))
				continue;
			strcat(seen, mark);
			complete_with(option);
		}
	}
	complete_with("--help");
}

/* "-b, --base BASE" in the help says what short options are. */
static bool is_short(const struct command *c, const char *word, const char *option)
{
	char text[KIND_MAX + 8];

	snprintf(text, sizeof(text), "%s, %s ", word, option);
	return c->details && strstr(c->details, text);
}

/* What the value of the option @word is; empty if it has none. */
static void value_of(const struct command *c, const char *word, char kind[KIND_MAX])
{
	const char *const texts[] = { c->arguments, c->details };
	char option[KIND_MAX];

	for (size_t i = 0; i < 2; i++)
		for (const char *text = texts[i]; (text = next_option(text, option, kind)); )
			if (*kind && (!strcmp(word, option) || is_short(c, word, option)))
				return;
	kind[0] = '\0';
}

/* The usage line may be several: what is behind a "|" that is in no brackets. NULL: there are no more. */
static const char *next_usage(const char *usage)
{
	int depth = 0;

	for (; *usage; usage++) {
		depth += (*usage == '[') - (*usage == ']');
		if (*usage == '|' && !depth)
			return usage + strspn(usage, "| ");
	}
	return NULL;
}

/* What argument number @n is, options not counted. */
static void argument_of(const char *usage, size_t n, char kind[KIND_MAX])
{
	const char *text = usage, *end = next_usage(usage);
	bool is_value = false;	/* of the option before it */

	kind[0] = '\0';
	while (*text && text != end) {
		size_t len = strcspn(text, " ");
		const char *word = text + strspn(text, "[(");

		if (*word == '-') {
			is_value = text[len - 1] != ']';
		} else if (is_value || *word == '|') {	/* what had no value does not get one */
			is_value = false;
		} else {
			read_kind(word, kind);
			if (!n || memmem(word, text + len - word, "...", 3))
				return;
			n--;
			kind[0] = '\0';
		}
		text += len + strspn(text + len, " ");
	}
}

static bool is_file(const char *kind)
{
	static const char *const kinds[] = { "FILE", "SOURCE", "TARGET", "DIR", "DEVICE", "FROM", "TO" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

/* The properties: each word before a "=" in what the help of "set" says. No container is needed for that. */
static void complete_keys(const struct program *program)
{
	const struct command *c = program->commands;
	const char *equals, *key;
	char text[KIND_MAX];

	while (c->name && strcmp(c->name, "set") != 0)
		c++;
	for (equals = c->details; equals && (equals = strchr(equals, '=')); equals++) {
		for (key = equals; key > c->details && (islower((unsigned char)key[-1]) || key[-1] == '_'); key--)
			;
		snprintf(text, sizeof(text), "%.*s", (int)(equals - key), key);
		complete_with(text);
	}
}

static void complete_as(const struct program *program, char *kind, const char *name)
{
	size_t len = strcspn(kind, "=:");
	char end[2] = { kind[len] };

	kind[len] = '\0';
	behind = end;
	if (is_file(kind))
		puts("@files");
	else if (!strcmp(kind, "KEY"))
		complete_keys(program);
	else if (*kind)
		program->complete(kind, name);
	behind = "";
}

/* Where it may be several, files come first: a shell looks there for them. */
static void complete_usage(const struct program *program, const char *usage, size_t n, const char *name)
{
	char kind[KIND_MAX];

	for (int others = 0; others < 2; others++) {
		for (const char *one = usage; one; one = next_usage(one)) {
			argument_of(one, n, kind);
			if (is_file(kind) != others)
				complete_as(program, kind, name);
		}
	}
}

static void complete_argument(const struct program *program, const struct command *c, size_t nr,
			      char **words)
{
	char kind[KIND_MAX] = "";
	const char *name = NULL;
	size_t arguments = 0;

	for (size_t i = 0; i + 1 < nr; i++) {
		if (*kind) {
			kind[0] = '\0';	/* that was its value */
		} else if (words[i][0] == '-' && words[i][1]) {
			value_of(c, words[i], kind);
		} else {
			name = arguments++ ? name : words[i];
		}
	}
	if (*kind)
		complete_as(program, kind, name);
	else if (*begun == '-')
		options_of(c);
	else
		complete_usage(program, c->arguments, arguments, name);
}

void complete(const struct program *program, size_t nr, char **words)
{
	const struct command *c;
	size_t name;

	if (!nr)
		return;
	begun = words[nr - 1];
	if (nr == 1) {
		first_words(program);
		return;
	}
	name = find(program, nr - 1, words, &c);
	if (nr == 2)
		second_words(program, words[0]);
	if (name)
		complete_argument(program, c, nr - name, words + name);
}
