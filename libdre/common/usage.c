// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "usage.h"

typedef unsigned long long nanoseconds;

static nanoseconds to_ns(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000ULL + ts->tv_nsec;
}

static nanoseconds now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return to_ns(&ts);
}

/* The kernel counts by the nanosecond; /proc/PID/stat has hundredths of a second. */
static int process_time(int pid, nanoseconds *used)
{
	struct timespec ts;
	clockid_t clock;
	int err = clock_getcpuclockid(pid, &clock);

	if (err)
		return -err;
	if (clock_gettime(clock, &ts))
		return errno == EINVAL ? -ESRCH : -errno;
	*used = to_ns(&ts);
	return 0;
}

/* The number after @key, which begins a line, or -ENODATA. */
static int find_number(const char *text, const char *key, unsigned long long *number)
{
	size_t len = strlen(key);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, key, len)) {
			*number = strtoull(text + len, NULL, 10);
			return 0;
		}
	}
	return -ENODATA;
}

static int group_time(int group, nanoseconds *used)
{
	unsigned long long us;
	char text[4096];
	int err = cgroupfs_get(group, "cpu.stat", text, sizeof(text));

	if (!err)
		err = find_number(text, "usage_usec ", &us);
	if (!err)
		*used = us * 1000;
	return err;
}

static int sample(int (*get)(int which, nanoseconds *used), int which, int *percent)
{
	nanoseconds used, used_before, then = now(), passed;
	struct timespec left = { .tv_nsec = USAGE_SAMPLE * 1000000L };
	int err = get(which, &used_before);

	if (err)
		return err;
	while (nanosleep(&left, &left) && errno == EINTR)
		;
	err = get(which, &used);
	if (err)
		return err;
	passed = now() - then;
	*percent = ((used - used_before) * 100 + passed / 2) / passed;
	return 0;
}

int usage_process_cpu(pid_t pid, int *percent)
{
	return sample(process_time, pid, percent);
}

int usage_group_cpu(int group, int *percent)
{
	return sample(group_time, group, percent);
}

/*
 * The rest of the line of /proc/PID/status that begins with @key: "" if there is
 * none. A process can make other lines as long as it likes.
 */
static int read_status(pid_t pid, const char *key, char *value, size_t size)
{
	size_t len = strlen(key), room = 0;
	char path[32], *line = NULL;
	ssize_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	*value = '\0';
	f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	while ((n = getline(&line, &room, f)) > 0 && strncmp(line, key, len))
		;
	if (n > 0) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + len);
	}
	n = ferror(f) ? -ESRCH : 0;
	fclose(f);
	free(line);
	return n;
}

/* A zombie has none. */
int usage_process_memory(pid_t pid, struct usage_memory *usage)
{
	char memory[32], swap[32];
	int err = read_status(pid, "VmRSS:", memory, sizeof(memory));

	if (!err)
		err = read_status(pid, "VmSwap:", swap, sizeof(swap));
	*usage = (struct usage_memory){};
	if (err)
		return err;
	usage->memory = strtoull(memory, NULL, 10) * 1024;
	usage->swap = strtoull(swap, NULL, 10) * 1024;
	return 0;
}

int usage_group_memory(int group, struct usage_memory *usage)
{
	char text[32];
	int err = cgroupfs_get(group, "memory.current", text, sizeof(text));

	*usage = (struct usage_memory){};
	if (err)
		return err;
	usage->memory = strtoull(text, NULL, 10);
	/* Not there where swap is not accounted. */
	if (!cgroupfs_get(group, "memory.swap.current", text, sizeof(text)))
		usage->swap = strtoull(text, NULL, 10);
	return 0;
}

int usage_process_tasks(pid_t pid, unsigned long long *tasks)
{
	char threads[32];
	int err = read_status(pid, "Threads:", threads, sizeof(threads));

	if (!err)
		*tasks = strtoull(threads, NULL, 10);
	return err;
}

int usage_group_tasks(int group, unsigned long long *tasks)
{
	char text[32];
	int err = cgroupfs_get(group, "pids.current", text, sizeof(text));

	if (!err)
		*tasks = strtoull(text, NULL, 10);
	return err;
}

int usage_group(int group, dre_usage *usage)
{
	dre_usage got = { .size = usage->size };
	struct usage_memory memory;
	int err = group_time(group, &got.cpu_time);

	if (!err)
		err = usage_group_memory(group, &memory);
	if (!err)
		err = usage_group_tasks(group, &got.tasks);
	if (err)
		return err;
	got.memory = memory.memory;
	got.memsw = memory.memory + memory.swap;
	*usage = got;
	return 0;
}

int usage_process_cores(pid_t pid, char *cores, size_t size)
{
	return read_status(pid, "Cpus_allowed_list:\t", cores, size);
}

int usage_group_cores(int group, char *cores, size_t size)
{
	return cgroupfs_get(group, "cpuset.cpus.effective", cores, size);
}
