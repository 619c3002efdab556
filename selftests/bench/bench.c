// SPDX-License-Identifier: LGPL-2.1-or-later

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

/* A sample is long beside the cost of taking the time, and short beside what disturbs it. */
#define SAMPLE_NS	4e6

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double timed(bench_fn fn, void *arg, unsigned long n)
{
	double start = bench_now();

	fn(arg, n);
	return bench_now() - start;
}

double bench_time(bench_fn fn, void *arg, unsigned long *n)
{
	if (!*n) {
		*n = 1;
		while (timed(fn, arg, *n) < SAMPLE_NS / 2)
			*n *= 2;
	}
	return timed(fn, arg, *n) / *n;
}

void bench_add(struct bench *b, double ours, double other)
{
	if (b->pairs == BENCH_PAIRS_MAX) {
		fprintf(stderr, "%s: too many samples\n", b->what);
		abort();
	}
	b->samples[b->pairs][0] = ours;
	b->samples[b->pairs][1] = other;
	b->pairs++;
}

void bench_compare_samples(struct bench *b, unsigned int pairs, bench_sample_fn ours,
			   bench_sample_fn other, void *arg)
{
	double first, second;
	unsigned int i;

	for (i = 0; i < pairs; i++) {
		if (i % 2) {
			second = other(arg);
			first = ours(arg);
		} else {
			first = ours(arg);
			second = other(arg);
		}
		bench_add(b, first, second);
	}
	bench_print(b);
}

/* The sides of bench_compare() */
struct loops {
	bench_fn ours, other;
	void *arg;
	unsigned long nr_ours, nr_other;
};

static double sample_ours(void *arg)
{
	struct loops *l = arg;

	return bench_time(l->ours, l->arg, &l->nr_ours);
}

static double sample_other(void *arg)
{
	struct loops *l = arg;

	return bench_time(l->other, l->arg, &l->nr_other);
}

void bench_compare(struct bench *b, bench_fn ours, bench_fn other, void *arg)
{
	struct loops l = { .ours = ours, .other = other, .arg = arg };

	/* Sets the numbers, and warms up. */
	sample_ours(&l);
	sample_other(&l);
	bench_compare_samples(b, BENCH_PAIRS, sample_ours, sample_other, &l);
}

static void print_text(const char *key, const char *text)
{
	if (text)
		printf("\"%s\": \"%s\", ", key, text);
}

void bench_print(const struct bench *b)
{
	unsigned int i;

	printf("{");
	print_text("what", b->what);
	print_text("ours", b->ours);
	print_text("other", b->other);
	print_text("unit", b->unit);
	print_text("reason", b->reason);
	printf("\"goal\": %g, \"upper\": %s, \"samples\": [", b->goal, b->upper ? "true" : "false");
	for (i = 0; i < b->pairs; i++)
		printf("%s[%.6g, %.6g]", i ? ", " : "", b->samples[i][0], b->samples[i][1]);
	printf("]}\n");
	fflush(stdout);
}
