// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cgroupfs.h"
#include "fail.h"
#include "resource.h"
#include "usage.h"

static int saturate(unsigned long long number)
{
	return number > INT_MAX ? INT_MAX : (int)number;
}

int resource_to_limit(int type, const union resource_value *value, bool with_value,
		      struct limit *limit)
{
	*limit = (struct limit){ .number = 1 };
	switch (type) {
	case RESOURCE_CPU:
		limit->type = LIMIT_CPU;
		break;
	case RESOURCE_CPU_CORE:
		limit->type = LIMIT_CORES;
		break;
	case RESOURCE_MEMORY:
	case RESOURCE_MEMORY_64:
		limit->type = LIMIT_MEMORY;
		break;
	case RESOURCE_MEMSW:
	case RESOURCE_MEMSW_64:
		limit->type = LIMIT_MEMSW;
		break;
	case RESOURCE_PIDS:
		limit->type = LIMIT_PIDS;
		break;
	default:
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "resource type %d is not known", type);
	}
	if (!with_value)
		return 0;
	if (type == RESOURCE_CPU_CORE)
		limit->cores = value->cores;
	else if (type == RESOURCE_MEMORY_64 || type == RESOURCE_MEMSW_64)
		limit->number = value->bytes;
	else
		limit->number = value->number > 0 ? value->number : 0;
	return limit_check(limit);
}

void resource_from_limit(const struct limit *limit, int type, union resource_value *value)
{
	switch (type) {
	case RESOURCE_CPU:
	case RESOURCE_MEMORY:
	case RESOURCE_MEMSW:
	case RESOURCE_PIDS:
		value->number = saturate(limit->number);
		break;
	case RESOURCE_CPU_CORE:
		value->cores = (char *)limit->cores;
		break;
	default:
		value->bytes = limit->number;
		break;
	}
}

/* What is asked about: a process, or a group as a whole. */
struct subject {
	int pid;	/* 0: the group */
	int group;
};

static int get_memory(const struct subject *s, int type, union resource_value *value)
{
	bool swap = type == RESOURCE_MEMSW || type == RESOURCE_MEMSW_64;
	struct usage_memory usage;
	unsigned long long bytes;
	int err = s->pid ? usage_process_memory(s->pid, &usage) :
			   usage_group_memory(s->group, &usage);

	if (err)
		return err;
	bytes = usage.memory + (swap ? usage.swap : 0);
	if (type == RESOURCE_MEMORY || type == RESOURCE_MEMSW)
		value->number = saturate(bytes);
	else
		value->bytes = bytes;
	return 0;
}

static int get_cores(const struct subject *s, union resource_value *value)
{
	char cores[16 * 1024], *copy;
	int err = s->pid ? usage_process_cores(s->pid, cores, sizeof(cores)) :
			   usage_group_cores(s->group, cores, sizeof(cores));

	if (err)
		return err;
	copy = strdup(cores);
	if (!copy)
		return -ENOMEM;
	value->cores = copy;
	return 0;
}

static int get_cpu(const struct subject *s, union resource_value *value)
{
	int percent;
	int err = s->pid ? usage_process_cpu(s->pid, &percent) :
			   usage_group_cpu(s->group, &percent);

	if (!err)
		value->number = percent;
	return err;
}

static int get_pids(const struct subject *s, union resource_value *value)
{
	unsigned long long tasks;
	int err = s->pid ? usage_process_tasks(s->pid, &tasks) : usage_group_tasks(s->group, &tasks);

	if (!err)
		value->number = saturate(tasks);
	return err;
}

static int get_value(const struct subject *s, int type, union resource_value *value)
{
	switch (type) {
	case RESOURCE_CPU:
		return get_cpu(s, value);
	case RESOURCE_CPU_CORE:
		return get_cores(s, value);
	case RESOURCE_PIDS:
		return get_pids(s, value);
	default:
		return get_memory(s, type, value);
	}
}

int resource_get(const char *name, const char *path, int pid, int type, union resource_value *value)
{
	struct subject s = { .pid = pid };
	bool inside = true;
	int err = cgroupfs_open_group(path, &s.group);

	if (err)
		return err;
	if (pid)
		err = cgroupfs_contains(path, pid, &inside);
	if (!err && !inside)
		err = -ESRCH;
	if (!err)
		err = get_value(&s, type, value);
	close(s.group);
	if (err == -ESRCH)
		return dre_fail(DRE_ERR_PID_NONEXISTENCE,
				"container '%s' and its control groups have no process with PID %d",
				name, pid);
	return err ? dre_fail_errno(-err, "container '%s'", name) : 0;
}

int resource_check_usage(const dre_usage *usage)
{
	if (usage->size == sizeof(*usage))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "a usage of %zu bytes is not known", usage->size);
}

int resource_get_usage(const char *name, const char *path, dre_usage *usage)
{
	int group, err = cgroupfs_open_group(path, &group);

	if (err)
		return err;
	err = usage_group(group, usage);
	close(group);
	return err ? dre_fail_errno(-err, "container '%s': control group %s", name, path) : 0;
}
