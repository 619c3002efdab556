/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What processes and control groups use. Functions return 0 or a negative errno
 * (-ESRCH: there is no such process, any more) and set no error text.
 */
#ifndef DRE_COMMON_USAGE_H
#define DRE_COMMON_USAGE_H

#include <dre.h>
#include <stddef.h>
#include <sys/types.h>

/* A sample of CPU time takes that long, in milliseconds. */
#define USAGE_SAMPLE	100

struct usage_memory {
	unsigned long long memory;	/* bytes that are resident */
	unsigned long long swap;	/* bytes that are swapped out */
};

/* Percent of one CPU during the sample, for which it sleeps. */
int usage_process_cpu(pid_t pid, int *percent);
int usage_group_cpu(int group, int *percent);

int usage_process_memory(pid_t pid, struct usage_memory *usage);
int usage_group_memory(int group, struct usage_memory *usage);

/* Threads, of all processes in the group. */
int usage_process_tasks(pid_t pid, unsigned long long *tasks);
int usage_group_tasks(int group, unsigned long long *tasks);

/* All that @usage has room for; its size stays as it is. */
int usage_group(int group, dre_usage *usage);

/* A list of the CPUs that it may run on, "0-3,5". */
int usage_process_cores(pid_t pid, char *cores, size_t size);
int usage_group_cores(int group, char *cores, size_t size);

#endif /* DRE_COMMON_USAGE_H */
