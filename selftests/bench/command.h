/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands as a user runs them, for benches of what a user waits for.
 */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include <stddef.h>

/* Ends the bench. */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/*
 * Runs a command, and returns how long it takes, in ns. What it prints is not wanted; one that fails ends
 * the bench.
 */
double run(const char *const argv[]);

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

/* Runs what is not measured by the shell. */
void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* BENCH_COMMAND_H */
