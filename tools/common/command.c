// SPDX-License-Identifier: LGPL-2.1-or-later

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "complete.h"
#include "dre_paths.h"
#include "printable.h"

/* The program and the command that run: one of each a process. */
static const struct program *program;
static const struct command *command;

static void print_commands(FILE *f)
{
	fprintf(f, "usage: %s COMMAND [OPTION]... [ARGUMENT]...\n\n%s\n\n", program->name,
		program->purpose);
	for (const struct command *c = program->commands; c->name; c++)
		fprintf(f, "  %-18s%s\n", c->name, c->summary);
	fprintf(f, "\n'%s COMMAND --help' tells more about one of them, '%s --version' the version.\n",
		program->name, program->name);
}

static void print_usage(FILE *f)
{
	fprintf(f, "usage: %s %s%s%s\n", program->name, command->name,
		*command->arguments ? " " : "", command->arguments);
}

static void print_help(void)
{
	print_usage(stdout);
	printf("\n%c%s.\n", command->summary[0] & ~0x20, command->summary + 1);
	if (command->details)
		printf("\n%s", command->details);
}

/* How many words of @argv are the name of @c; 0: it is not meant. */
static int match(const struct command *c, int argc, char **argv)
{
	const char *space = strchr(c->name, ' ');

	if (!space)
		return !strcmp(argv[0], c->name);
	if (argc >= 2 && strlen(argv[0]) == (size_t)(space - c->name) &&
	    !strncmp(argv[0], c->name, space - c->name) && !strcmp(argv[1], space + 1))
		return 2;
	return 0;
}

/* The first word of a command of two, without a second one that there is. */
static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (const struct command *c = program->commands; c->name; c++)
		if (!strncmp(c->name, word, len) && c->name[len] == ' ')
			return true;
	return false;
}

static int print_group(const char *word, bool asked)
{
	FILE *f = asked ? stdout : stderr;
	size_t len = strlen(word);

	fprintf(f, "usage: %s %s COMMAND\n\n", program->name, word);
	for (const struct command *c = program->commands; c->name; c++)
		if (!strncmp(c->name, word, len) && c->name[len] == ' ')
			fprintf(f, "  %-18s%s\n", c->name, c->summary);
	return asked ? EXIT_SUCCESS : EXIT_USAGE;
}

/* What other tools call it. */
static const char *known_elsewhere(const char *word)
{
	static const char *const names[][2] = {
		{ "attach", "console" }, { "delete", "destroy" }, { "freeze", "suspend" },
		{ "images", "base list" }, { "info", "inspect" }, { "kill", "stop --kill" },
		{ "launch", "create" }, { "ls", "list" }, { "monitor", "events" },
		{ "pause", "suspend" }, { "restore", "load" }, { "rm", "destroy" },
		{ "rmi", "base remove" }, { "run", "create" }, { "shell", "exec" },
		{ "snapshot", "save" }, { "stats", "top" }, { "thaw", "resume" },
		{ "unfreeze", "resume" }, { "unpause", "resume" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(word, names[i][0]))
			return names[i][1];
	return NULL;
}

/* Letters to be changed, left out or put in. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32], above, left_above, lb = strlen(b);

	if (lb >= sizeof(row) / sizeof(*row))
		return lb;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		left_above = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < lb; j++) {
			above = row[j + 1];
			row[j + 1] = left_above + (a[i] != b[j]);
			if (above + 1 < row[j + 1])
				row[j + 1] = above + 1;
			if (row[j] + 1 < row[j + 1])
				row[j + 1] = row[j] + 1;
			left_above = above;
		}
	}
	return row[lb];
}

/* The command that is most like it, if one is. */
static const char *similar(const char *word)
{
	const char *found = known_elsewhere(word);
	size_t best = 3, d;

	if (found)
		return found;
	for (const struct command *c = program->commands; c->name; c++) {
		d = distance(word, c->name);
		if (d < best && d < strlen(word)) {
			best = d;
			found = c->name;
		}
	}
	return found;
}

static int no_command(int argc, char **argv)
{
	const char *like;

	if (is_group(argv[0]))
		return print_group(argv[0], argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")));
	like = similar(argv[0]);
	fprintf(stderr, "%s: there is no command '%s'; ", program->name, argv[0]);
	if (like)
		fprintf(stderr, "did you mean '%s'?\n", like);
	else
		fprintf(stderr, "'%s --help' shows those there are\n", program->name);
	return EXIT_USAGE;
}

/* What could not be written was not done. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		perror(program->name);
		return EXIT_FAILURE;
	}
	return status;
}

/* Which command the words begin with, and how many of them are its name; 0: none. */
static int find(int argc, char **argv)
{
	int words = 0;

	for (command = program->commands; argc && command->name; command++) {
		words = match(command, argc, argv);
		if (words)
			break;
	}
	return words;
}

static int help(int argc, char **argv)
{
	if (!argc)
		print_commands(stdout);
	else if (find(argc, argv))
		print_help();
	else if (is_group(argv[0]))
		print_group(argv[0], true);
	else
		return no_command(argc, argv);
	return finish(EXIT_SUCCESS);
}

int command_main(const struct program *prog, int argc, char **argv)
{
	int words;

	program = prog;
	if (argc < 2) {
		print_commands(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(0, NULL);
	if (!strcmp(argv[1], "help"))
		return help(argc - 2, argv + 2);
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s\n", program->name, DRE_VERSION);
		return finish(EXIT_SUCCESS);
	}
	if (!strcmp(argv[1], COMPLETE_COMMAND)) {
		complete(program, argc - 2, argv + 2);
		return finish(EXIT_SUCCESS);
	}
	words = find(argc - 1, argv + 1);
	return words ? finish(command->run(argc - words, argv + words)) : no_command(argc - 1, argv + 1);
}

/* Is it a long option with a value, "--json=x", that takes none? */
static bool has_wrong_value(const char *word, const struct option *options)
{
	size_t len = strcspn(word, "=");

	if (strncmp(word, "--", 2) != 0 || !word[len])
		return false;
	for (; options->name; options++)
		if (!strncmp(options->name, word + 2, len - 2) && options->has_arg == no_argument)
			return true;
	return false;
}

/* getopt_long() has stopped behind @word, or, with a letter, in the word after it: "-it". It tells the letter. */
static void __attribute__((noreturn)) refuse_option(int c, const char *word, const struct option *options)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	if (c == ':')
		command_usage("option '%s' needs a value", strncmp(word, "--", 2) ? letter : word);
	if (optopt && has_wrong_value(word, options))
		command_usage("option '%.*s' takes no value", (int)strcspn(word, "="), word);
	command_usage("there is no option '%s'", optopt ? letter : word);
}

int command_getopt(int argc, char **argv, const char *short_options, const struct option *options)
{
	bool has_command = strstr(command->arguments, "COMMAND") != NULL;
	char shorts[64];
	int c;

	/* '+': what follows the first argument may be another program's. ':': messages are ours. */
	snprintf(shorts, sizeof(shorts), "%s:h%s", has_command ? "+" : "", short_options);
	opterr = 0;
	c = getopt_long(argc, argv, shorts, options, NULL);
	switch (c) {
	case 'h':
		print_help();
		exit(finish(EXIT_SUCCESS));
	case ':':
	case '?':
		refuse_option(c, argv[optind - 1], options);
	}
	return c;
}

void command_usage(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: %s: ", program->name, command->name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	print_usage(stderr);
	exit(EXIT_USAGE);
}

int command_number(const char *what, const char *text, int min, int max)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < min || n > max)
		command_usage("%s '%s' is not a number from %d to %d", what, text, min, max);
	return n;
}

unsigned long long command_size(const char *text)
{
	static const char units[] = "KMGT";
	unsigned long long size;
	const char *unit;
	char *end;

	errno = 0;
	size = strtoull(text, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit) {
		int shift = 10 * (unit - units + 1);

		end++;
		if (size > ~0ULL >> shift)
			errno = ERANGE;
		size <<= shift;
	}
	if (!isdigit((unsigned char)*text) || *end || errno || !size)
		command_usage("'%s' is no size, as 1048576 or 512M", text);
	return size;
}

int command_fail(dre_return_t err, const char *name)
{
	const char *hint = program->hint(command->name, err);

	fprintf(stderr, "%s: %s: ", program->name, dre_strerror(err));
	/* Others may have a say in it, like CRIU, with names of what is in the container. */
	print_safely(stderr, dre_last_error(), strlen(dre_last_error()));
	fputs(hint ? "; " : "", stderr);
	for (; hint && *hint; hint++) {
		if (*hint != '%')
			fputc(*hint, stderr);
		else if (*++hint == 'p')
			fputs(program->name, stderr);
		else
			fputs(name ? name : "NAME", stderr);
	}
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

static void print_line(const char *fmt, va_list args)
{
	fprintf(stderr, "%s: ", program->name);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

int command_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
	return EXIT_FAILURE;
}

void command_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
}

void *command_memory(void *p)
{
	if (!p) {
		perror(program->name);
		exit(EXIT_FAILURE);
	}
	return p;
}
