/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long machines stand still. QEMU tells libvirt when it stops the processors and when it lets them go on, with
 * the time; virsh writes that down.
 */
#ifndef BENCH_STANDSTILL_H
#define BENCH_STANDSTILL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct watch {
	const char *on;		/* a command that runs others where libvirt is; "": here */
	const char *file;	/* what virsh writes to */
	pid_t pid;
};

/* Begins to watch all machines there. */
void watch_begin(struct watch *watch);

/*
 * Ends the watches, and returns how long @domain stood still since they began, in ns: it may have stopped where one of
 * them looked, and gone on where another did. If it did not stop, or has not gone on, this ends the bench.
 */
double watch_end(struct watch *watches, size_t nr, const char *domain);

#endif /* BENCH_STANDSTILL_H */
