// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "config.h"
#include "cpulist.h"
#include "error.h"
#include "limit.h"

#define CPU_MAX		"cpu.max"
#define CPUS		"cpuset.cpus"
#define MEMORY_MAX	"memory.max"
#define SWAP_MAX	"memory.swap.max"
#define PIDS_MAX	"pids.max"

#define CPU_PERIOD	100000	/* microseconds: the kernel's default */
#define UNLIMITED	(~0ULL)

int limit_check(const struct limit *limit)
{
	struct cpulist list;

	if (limit->type == LIMIT_CORES) {
		if (!limit->cores)
			return dre_fail(DRE_ERR_NULL_POINTER, "the list of cores is NULL");
		if (!cpulist_parse(&list, limit->cores))
			return dre_fail(DRE_ERR_INVALID_ARGUMENT,
					"the list of cores is not of the form \"0-3,5\"");
	} else if (limit->number < 1) {
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "a limit below 1");
	}
	return 0;
}

static int set_failed(const char *path, const char *file, int err)
{
	if (err == -ENOENT)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"control group %s has no %s: the kernel does not offer it there",
				path, file);
	return dre_fail(DRE_ERR_SET_LIMIT_FAILED, "control group %s: %s: %s", path, file,
			strerror(-err));
}

static int set_cpu(int group, const char *path, unsigned long long percent)
{
	char value[64];
	int err;

	if (percent > UNLIMITED / 10000)
		percent = UNLIMITED / 10000;	/* the kernel refuses that, too */
	snprintf(value, sizeof(value), "%llu %d", percent * (CPU_PERIOD / 100), CPU_PERIOD);
	err = cgroupfs_set(group, CPU_MAX, value);
	return err ? set_failed(path, CPU_MAX, err) : 0;
}

/* The kernel takes cores that it has not got, and then gives others. */
static int set_cores(int group, const char *path, const char *cores)
{
	char parent[16 * 1024];
	struct cpulist wanted, there;
	int err, missing;

	err = cgroupfs_get(group, "../cpuset.cpus.effective", parent, sizeof(parent));
	if (err)
		return set_failed(path, CPUS, err);
	cpulist_parse(&wanted, cores);
	if (cpulist_parse(&there, parent)) {
		missing = cpulist_missing(&wanted, &there);
		if (missing >= 0)
			return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
					"control group %s: core %d is not one of %s", path, missing,
					parent);
	}
	err = cgroupfs_set(group, CPUS, cores);
	return err ? set_failed(path, CPUS, err) : 0;
}

/* Bytes, or how many: "max" is UNLIMITED. */
static int get_amount(int group, const char *file, unsigned long long *amount)
{
	char value[32];
	int err = cgroupfs_get(group, file, value, sizeof(value));

	if (!err)
		*amount = strcmp(value, "max") ? strtoull(value, NULL, 10) : UNLIMITED;
	return err;
}

static int set_amount(int group, const char *file, unsigned long long amount)
{
	char value[32];

	snprintf(value, sizeof(value), "%llu", amount);
	return cgroupfs_set(group, file, amount == UNLIMITED ? "max" : value);
}

/* Sets both, or none. */
static int set_both(int group, const char *path, unsigned long long memory,
		    unsigned long long old_memory, unsigned long long swap)
{
	unsigned long long old_swap;
	int err = get_amount(group, SWAP_MAX, &old_swap);

	if (err)
		return set_failed(path, SWAP_MAX, err);
	err = set_amount(group, SWAP_MAX, swap);
	if (err)
		return set_failed(path, SWAP_MAX, err);
	err = memory == old_memory ? 0 : set_amount(group, MEMORY_MAX, memory);
	if (err) {
		set_amount(group, SWAP_MAX, old_swap);
		return set_failed(path, MEMORY_MAX, err);
	}
	return 0;
}

/* The sum stays as it is when the memory in it changes. */
static int set_memory(int group, const char *path, unsigned long long memory)
{
	unsigned long long old, swap = UNLIMITED;
	int err;

	if (memory < (unsigned long long)sysconf(_SC_PAGESIZE))
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"control group %s: %llu bytes are less than a page", path, memory);
	err = get_amount(group, MEMORY_MAX, &old);
	if (err)
		return set_failed(path, MEMORY_MAX, err);
	if (get_amount(group, SWAP_MAX, &swap) || swap == UNLIMITED || old == UNLIMITED) {
		err = set_amount(group, MEMORY_MAX, memory);
		return err ? set_failed(path, MEMORY_MAX, err) : 0;
	}
	if (memory > old + swap)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"control group %s: %llu bytes of memory are more than the %llu of "
				"memory and swap", path, memory, old + swap);
	return set_both(group, path, memory, old, old + swap - memory);
}

static int set_memsw(int group, const char *path, unsigned long long sum)
{
	unsigned long long memory;
	int err = get_amount(group, MEMORY_MAX, &memory);

	if (err)
		return set_failed(path, MEMORY_MAX, err);
	if (memory == UNLIMITED)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"control group %s: memory and swap need a limit of memory first",
				path);
	if (sum < memory)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"control group %s: %llu bytes of memory and swap are less than the "
				"%llu of memory", path, sum, memory);
	err = set_amount(group, SWAP_MAX, sum - memory);
	return err ? set_failed(path, SWAP_MAX, err) : 0;
}

/* More of them may be there already: they stay, and none comes until there are fewer. */
static int set_pids(int group, const char *path, unsigned long long pids)
{
	int err = set_amount(group, PIDS_MAX, pids);

	return err ? set_failed(path, PIDS_MAX, err) : 0;
}

int limit_set(int group, const char *path, const struct limit *limit)
{
	switch (limit->type) {
	case LIMIT_CPU:
		return set_cpu(group, path, limit->number);
	case LIMIT_CORES:
		return set_cores(group, path, limit->cores);
	case LIMIT_MEMORY:
		return set_memory(group, path, limit->number);
	case LIMIT_MEMSW:
		return set_memsw(group, path, limit->number);
	case LIMIT_PIDS:
		return set_pids(group, path, limit->number);
	}
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the type of resource is not known");
}

static int unset_failed(const char *path, const char *file, int err)
{
	return dre_fail(DRE_ERR_UNSET_LIMIT_FAILED, "control group %s: %s: %s", path, file,
			strerror(-err));
}

/* Without a limit of memory there is none of memory and swap. */
static int unset_memory(int group, const char *path)
{
	unsigned long long swap;
	int err = get_amount(group, SWAP_MAX, &swap);

	if (!err && swap != UNLIMITED)
		return dre_fail(DRE_ERR_UNSET_LIMIT_FAILED,
				"control group %s: unset the limit of memory and swap first", path);
	err = cgroupfs_set(group, MEMORY_MAX, "max");
	return err ? unset_failed(path, MEMORY_MAX, err) : 0;
}

/* While processes are in it, the kernel wants a list: that of the group around it then. */
static int unset_cores(int group, const char *path)
{
	char parent[16 * 1024];
	int err = cgroupfs_set(group, CPUS, "");

	if (err == -ENOSPC) {
		err = cgroupfs_get(group, "../cpuset.cpus.effective", parent, sizeof(parent));
		if (!err)
			err = cgroupfs_set(group, CPUS, parent);
	}
	return err ? unset_failed(path, CPUS, err) : 0;
}

int limit_unset(int group, const char *path, enum limit_type type)
{
	const char *file = type == LIMIT_CPU ? CPU_MAX : type == LIMIT_PIDS ? PIDS_MAX : SWAP_MAX;
	int err;

	if (type == LIMIT_MEMORY)
		return unset_memory(group, path);
	if (type == LIMIT_CORES)
		return unset_cores(group, path);
	err = cgroupfs_set(group, file, "max");
	return err ? unset_failed(path, file, err) : 0;
}

static int get_cpu(int group, unsigned long long *percent)
{
	unsigned long long quota = 0, period = CPU_PERIOD;
	char value[64];
	int err = cgroupfs_get(group, CPU_MAX, value, sizeof(value));

	/* "max 100000" is no limit. */
	if (!err && sscanf(value, "%llu %llu", &quota, &period) == 2 && period)
		*percent = quota * 100 / period;
	return err;
}

static int get_cores(int group, const char **cores)
{
	char value[16 * 1024];
	int err = cgroupfs_get(group, CPUS, value, sizeof(value));

	if (err || !*value)
		return err;
	*cores = strdup(value);
	return *cores ? 0 : -ENOMEM;
}

static int get_memory(int group, enum limit_type type, unsigned long long *bytes)
{
	unsigned long long memory, swap = 0;
	int err = get_amount(group, MEMORY_MAX, &memory);

	if (!err && type == LIMIT_MEMSW)
		err = get_amount(group, SWAP_MAX, &swap);
	if (!err && memory != UNLIMITED && swap != UNLIMITED)
		*bytes = memory + swap;
	return err;
}

static int get_pids(int group, unsigned long long *pids)
{
	unsigned long long number;
	int err = get_amount(group, PIDS_MAX, &number);

	if (!err && number != UNLIMITED)
		*pids = number;
	return err;
}

int limit_get(int group, struct limit *limit)
{
	limit->number = 0;
	limit->cores = NULL;
	switch (limit->type) {
	case LIMIT_CPU:
		return get_cpu(group, &limit->number);
	case LIMIT_CORES:
		return get_cores(group, &limit->cores);
	case LIMIT_PIDS:
		return get_pids(group, &limit->number);
	case LIMIT_MEMORY:
	case LIMIT_MEMSW:
		break;
	}
	return get_memory(group, limit->type, &limit->number);
}

/*
 * All that a group may have.
 */

int limits_check(const char *name, const struct dre_limits *limits)
{
	if (!limits->memsw)
		return 0;
	if (!limits->memory)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"container '%s': memsw needs a limit of memory as well", name);
	if (limits->memsw < limits->memory)
		return dre_fail(DRE_ERR_SET_LIMIT_FAILED,
				"container '%s': memsw, %llu bytes, is less than memory, %llu", name,
				limits->memsw, limits->memory);
	return 0;
}

static int set_number(int group, const char *path, enum limit_type type, unsigned long long number)
{
	const struct limit limit = { .type = type, .number = number };

	return number ? limit_set(group, path, &limit) : limit_unset(group, path, type);
}

static int set_list(int group, const char *path, const char *cores)
{
	const struct limit limit = { .type = LIMIT_CORES, .cores = cores };

	return *cores ? limit_set(group, path, &limit) : limit_unset(group, path, LIMIT_CORES);
}

/* In this order there is none in between that does not fit to the other one. */
static int set_sizes(int group, const char *path, const struct dre_limits *from,
		     const struct dre_limits *to)
{
	int err = from->memsw ? limit_unset(group, path, LIMIT_MEMSW) : 0;

	if (!err)
		err = set_number(group, path, LIMIT_MEMORY, to->memory);
	if (!err && to->memsw)
		err = set_number(group, path, LIMIT_MEMSW, to->memsw);
	return err;
}

int limits_set(int group, const char *path, const struct dre_limits *from,
	       const struct dre_limits *to)
{
	int err = 0;

	if (to->cpu != from->cpu)
		err = set_number(group, path, LIMIT_CPU, to->cpu);
	if (!err && strcmp(to->cores, from->cores))
		err = set_list(group, path, to->cores);
	if (!err && (to->memory != from->memory || to->memsw != from->memsw))
		err = set_sizes(group, path, from, to);
	if (!err && to->pids != from->pids)
		err = set_number(group, path, LIMIT_PIDS, to->pids);
	return err;
}
