// SPDX-License-Identifier: LGPL-2.1-or-later

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "complete.h"

#define KIND_MAX	32

/* What was begun of the last word. */
static const char *begun;

void complete_with(const char *candidate)
{
	if (!strncmp(candidate, begun, strlen(begun)))
		puts(candidate);
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

/* The word in capitals at the beginning of @text: "NAME..." is "NAME". Empty if there is none. */
static void read_kind(const char *text, char kind[KIND_MAX])
{
	size_t len = 0;

	while (len < KIND_MAX - 1 && (isupper((unsigned char)text[len]) || text[len] == '_'))
		len++;
	/* "CPU% is ..." and "A container" are no arguments. */
	snprintf(kind, KIND_MAX, "%.*s", len > 1 || (len && !isalpha((unsigned char)text[len])) ?
		 (int)len : 0, text);
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

/* What argument number @n is, options not counted. */
static void argument_of(const struct command *c, size_t n, char kind[KIND_MAX])
{
	const char *text = c->arguments;
	bool is_value = false;	/* of the option before it */

	kind[0] = '\0';
	while (*text) {
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

static void complete_as(const struct program *program, const char *kind, const char *name)
{
	if (!strcmp(kind, "FILE") || !strcmp(kind, "SOURCE") || !strcmp(kind, "DIR") ||
	    !strcmp(kind, "DEVICE") ||
	    !strcmp(kind, "FROM") || !strcmp(kind, "TO"))
		puts("@files");
	else if (*kind)
		program->complete(kind, name);
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
	if (!*kind && *begun == '-') {
		options_of(c);
		return;
	}
	if (!*kind)
		argument_of(c, arguments, kind);
	complete_as(program, kind, name);
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
