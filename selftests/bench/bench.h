/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measuring two things against each other. A bench is a program that makes
 * comparisons and prints a line of JSON for each, with all its samples;
 * `report` does the statistics. Documentation/bench.md tells how to write one.
 *
 * The two sides take turns, so that what disturbs the machine disturbs both:
 * samples come in pairs, and which side is first changes from pair to pair.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>

/* Pairs of what is short, and the most that a comparison can have. */
#define BENCH_PAIRS	101
#define BENCH_PAIRS_MAX	1001

/**
 * struct bench - one comparison
 * @what: what is compared, in a few words: the name of its row
 * @ours: our side
 * @other: the other side; NULL: there is none, and @goal is for the value itself
 * @unit: of the samples: "ns" or "B"
 * @goal: the ratio of ours to the other is to be at most this; 0: no goal
 * @upper: @goal is for the upper bound of the ratio, not only for its median
 * @reason: why the goal is missed where it is, from a look at where the time
 *	goes; NULL: nobody looked
 * @pairs: how many samples there are so far
 * @samples: ours and the other's
 *
 * Texts are printed as they are: no quotes or backslashes in them.
 */
struct bench {
	const char *what;
	const char *ours;
	const char *other;
	const char *unit;
	double goal;
	bool upper;
	const char *reason;
	unsigned int pairs;
	double samples[BENCH_PAIRS_MAX][2];
};

/* Does something @n times. */
typedef void (*bench_fn)(void *arg, unsigned long n);

/* What bench_compare() calls for one sample, where a bench takes the time itself. */
typedef double (*bench_sample_fn)(void *arg);

/* Nanoseconds, from a clock that only goes forward. */
double bench_now(void);

/*
 * What doing it once takes, in ns, from doing it *@n times. Where *@n is 0 it is
 * set to what takes long enough to be measured.
 */
double bench_time(bench_fn fn, void *arg, unsigned long *n);

void bench_add(struct bench *b, double ours, double other);

/* Takes all the samples, and prints. */
void bench_compare(struct bench *b, bench_fn ours, bench_fn other, void *arg);
void bench_compare_samples(struct bench *b, unsigned int pairs, bench_sample_fn ours,
			   bench_sample_fn other, void *arg);

/* The line for the reporter. */
void bench_print(const struct bench *b);

#endif /* BENCH_H */
