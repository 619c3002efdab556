// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tsc-khz: prints how often this machine's TSC counts in a millisecond. An emulated machine that is given it has a
 * clock that needs no emulated device: QEMU passes the TSC on as it is, and the kernel there cannot measure it well.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES	100

struct moment {
	uint64_t tsc;
	int64_t ns;
};

/* Of several looks at both, the one that took the shortest: nobody else had the processor meanwhile. */
static struct moment look(void)
{
	struct moment moment = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc(), after;
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		after = __rdtsc();
		if (after - before < shortest) {
			shortest = after - before;
			moment.tsc = before + shortest / 2;
			moment.ns = t.tv_sec * 1000000000LL + t.tv_nsec;
		}
	}
	return moment;
}

int main(void)
{
	const struct timespec while_ = { .tv_nsec = 200000000 };
	struct moment start = look(), end;

	nanosleep(&while_, NULL);
	end = look();
	printf("%.0f\n", (end.tsc - start.tsc) * 1e6 / (end.ns - start.ns));
	return 0;
}
