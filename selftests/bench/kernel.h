/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the kernel's bench share. What goes wrong ends it. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <errno.h>

#include "bench.h"
#include "crowd.h"
#include "request.h"

/* "Flat": the larger one may take this much of the smaller one's time. */
#define FLAT	1.1

/* The call returns 0 or more, or -errno. */
#define must(call) ({				\
	int __ret = (call);			\
						\
	if (__ret < 0) {			\
		errno = -__ret;			\
		die("%s", #call);		\
	}					\
	__ret;					\
})

void module_load(void);
void module_unload(void);

/* bench_fn: @arg is a file descriptor */
void null_ioctls(void *arg, unsigned long n);

/* Puts the whole crowd under control of D-RE, for its own container; and takes it out. */
void crowd_register(struct crowd *crowd);
void crowd_unregister(struct crowd *crowd);

/* Its container fd, and the same with the container that it makes known first. */
void crowd_open(struct crowd *crowd, int dre, const char *name);

/* The parts; the module is loaded, and no file of it open. */
void bench_registration(void);
void bench_translation(void);
void bench_fork(void);
void bench_procfs(void);
void bench_exit(void);
void bench_binding(void);
void bench_scale(void);

#endif /* BENCH_KERNEL_H */
