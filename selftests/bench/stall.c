// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Process 1 of the container of the bench "checkpoint": has MEGABYTES of memory, writes to a page of it
 * each millisecond, and notes in /stall how long it could not, in all: nanoseconds, as a
 * 64-bit number.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MEGABYTES	256
#define SIZE		(MEGABYTES * 1024UL * 1024)
#define PAGE		4096

/* What is shorter is the machine's. */
#define STALL_NS	50000000

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	int fd = open("/stall", O_RDWR | O_CREAT | O_TRUNC, 0644);
	volatile int64_t *stall;
	int64_t then, gap;
	uint64_t *memory = malloc(SIZE);

	if (fd < 0 || ftruncate(fd, PAGE) || !memory)
		err(1, "/stall");
	stall = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (stall == MAP_FAILED)
		err(1, "/stall");
	for (size_t i = 0; i < SIZE / sizeof(*memory); i++)
		memory[i] = i * 0x9e3779b97f4a7c15;
	stall[1] = 1;	/* ready */
	then = now();
	for (size_t i = 0; ; i = (i + PAGE) % SIZE) {
		memory[i / sizeof(*memory)]++;
		nanosleep(&moment, NULL);
		gap = now() - then;
		then += gap;
		if (gap > STALL_NS)
			stall[0] += gap;
	}
}
