// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that runs in the machines of the bench "sys": init of an initial RAM disk. It fills MEGABYTES of memory with
 * what is not zero, says "ready" on its console, and writes to a page of them each millisecond from then on: so a
 * checkpoint has something to save, and something that is written meanwhile.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define MEGABYTES	64
#define SIZE		(MEGABYTES * 1024UL * 1024)
#define PAGE		4096

int main(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	volatile uint64_t *memory = malloc(SIZE);
	int console;

	mount("dev", "/dev", "devtmpfs", 0, NULL);
	console = open("/dev/console", O_WRONLY);
	if (!memory)
		return 1;
	for (size_t i = 0; i < SIZE / sizeof(*memory); i++)
		memory[i] = i * 0x9e3779b97f4a7c15;
	if (write(console, "ready\n", 6) != 6)
		return 1;
	for (size_t i = 0; ; i = (i + PAGE) % SIZE) {
		memory[i / sizeof(*memory)]++;
		nanosleep(&moment, NULL);
	}
}
