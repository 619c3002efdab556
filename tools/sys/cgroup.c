// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the common commands for control groups and events want to know.
 */
#include <stdlib.h>

#include <dre_sys.h>

#include "sys.h"

/* They are the host's, and have no other number. */
dre_return_t sys_get_bound_pids(const char *name, const char *cgroup, struct container_pid **pids)
{
	dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, (char *)name };
	size_t nr = 0;
	int *list, err = dre_sys_get_bound_pid_list(&h, cgroup, &list);

	if (err)
		return err;
	while (list[nr])
		nr++;
	*pids = command_memory(calloc(nr + 1, sizeof(**pids)));
	for (size_t i = 0; i < nr; i++)
		(*pids)[i] = (struct container_pid){ list[i], -1 };
	return dre_sys_release_bound_pid_list(list);
}

dre_return_t sys_events_next(void *events, struct container_event *event)
{
	const dre_sys_event *from;
	int err = dre_sys_events_next(events, &from);

	*event = (struct container_event){};
	if (!err && from)
		*event = (struct container_event){
			.type = from->type,
			.container = from->container,
			.time = from->time,
			.pid = from->pid,
			.vpid = -1,
			.comm = from->comm,
			.status = from->status,
			.group = from->group,
			.lost = from->lost,
		};
	return err;
}
