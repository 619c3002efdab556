/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of the form PROGRAM COMMAND [OPTION...] [ARGUMENT...]: finds the
 * command, shows help, reports errors. Exit status: 0 done, 1 failed, 2 wrong
 * usage.
 */
#ifndef DRE_COMMAND_H
#define DRE_COMMAND_H

#include <getopt.h>
#include <stdbool.h>

#include <dre.h>

#define EXIT_USAGE 2

/**
 * struct command - one command
 * @name: its name, of one or two words: "base import"
 * @arguments: what follows it in the usage line
 * @summary: what it does, a few words in the imperative
 * @details: its options, and what else a user has to know; may be NULL
 * @run: does it; argv[0] is the name's last word. Returns the exit status.
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;
	int (*run)(int argc, char **argv);
};

/**
 * struct program - the program
 * @name: "dre-app"
 * @purpose: one line for its help
 * @commands: ended by one without a name
 * @hint: what the user may do about an error of @command; the container's name
 *	is put in for "%s", the program's for "%p". May return NULL.
 * @complete: calls complete_with() for all that an argument may be that the usage line
 *	calls @kind; @name is the first argument, or NULL. See complete.h.
 */
struct program {
	const char *name;
	const char *purpose;
	const struct command *commands;
	const char *(*hint)(const char *command, dre_return_t err);
	void (*complete)(const char *kind, const char *name);
};

int command_main(const struct program *program, int argc, char **argv);

/*
 * getopt_long(3) for a command, which knows --help of its own. Options may follow arguments, unless there is a
 * COMMAND among these, which has its own. Exits after --help and on wrong options.
 */
int command_getopt(int argc, char **argv, const char *short_options, const struct option *options);

/* Says what is wrong with the arguments, and how they should be. Exits. */
void command_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* An integer argument; @what is what it means. Wrong usage if it is none, or out of range. */
int command_number(const char *what, const char *text, int min, int max);

/* A number of bytes, with K, M, G or T for its powers of 1024. Wrong usage if it is none, or 0. */
unsigned long long command_size(const char *text);

/* Reports a function's failure about @name (or NULL) and returns the exit status. */
int command_fail(dre_return_t err, const char *name);

/* Reports what the libraries have no word for. */
int command_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says on stderr what is good to know. */
void command_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Returns @p, what an allocation gave; exits if that is NULL. */
void *command_memory(void *p);

#endif /* DRE_COMMAND_H */
