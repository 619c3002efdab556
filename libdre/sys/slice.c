// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Limits of an outer cgroup that systemd has made: a slice. systemd writes down what it knows of a slice whenever it
 * looks at its units again, as at each daemon-reload; so it has to know.
 */
#include <dre.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fail.h"
#include "common/tool.h"
#include "group.h"

/* Where systemd has what it was told until the host goes down. */
#define TOLD	"/run/systemd/system.control/%s.d"

/* Its name, or NULL: libvirt has made the cgroup itself. */
static const char *slice_of(const struct groups *groups)
{
	return strncmp(groups->outer, "dre.slice/", strlen("dre.slice/")) ? NULL :
	       strrchr(groups->outer, '/') + 1;
}

bool sys_slice_is_limited(const struct groups *groups)
{
	const char *slice = slice_of(groups);
	char path[sizeof(TOLD) + GROUPS_OUTER_SIZE];

	snprintf(path, sizeof(path), TOLD, slice ? slice : "");
	return slice && !access(path, F_OK);
}

int sys_slice_limit(const struct groups *groups, const struct dre_limits *limits)
{
	/* Without a value there is no limit. */
	char cpu[40] = "CPUQuota=", cores[16 + DRE_CORES_SIZE], memory[40] = "MemoryMax=", swap[40] = "MemorySwapMax=";
	const char *const argv[] = {
		"systemctl", "set-property", "--runtime", "--", slice_of(groups), cpu, cores, memory, swap, NULL
	};
	const struct tool tool = { .argv = argv, .dir_fd = AT_FDCWD, .fds = { -1, -1 }, .what = "limits of a slice" };
	struct printable p;
	char last[256];
	int status;

	if (!slice_of(groups))
		return 0;
	if (limits->cpu)
		snprintf(cpu, sizeof(cpu), "CPUQuota=%llu%%", limits->cpu);
	snprintf(cores, sizeof(cores), "AllowedCPUs=%s", limits->cores);
	if (limits->memory)
		snprintf(memory, sizeof(memory), "MemoryMax=%llu", limits->memory);
	if (limits->memsw)
		snprintf(swap, sizeof(swap), "MemorySwapMax=%llu", limits->memsw - limits->memory);
	status = tool_run(&tool, last, sizeof(last));
	return status <= 0 ? status : dre_fail(DRE_ERR_SET_LIMIT_FAILED, "%s: systemctl: %s", tool.what,
					      dre_printable(&p, last));
}
