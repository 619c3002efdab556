// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the common commands for control groups and events want to know, where application containers have
 * more than the others.
 */
#include <stdlib.h>

#include <dre_app.h>

#include "app.h"

static dre_app_handle handle(const char *name)
{
	return (dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
}

dre_return_t app_bind_vpid(const char *name, const char *cgroup, int vpid)
{
	dre_app_handle h = handle(name);

	return dre_app_bind_vpid(&h, cgroup, vpid);
}

dre_return_t app_unbind_vpid(const char *name, const char *cgroup, int vpid)
{
	dre_app_handle h = handle(name);

	return dre_app_unbind_vpid(&h, cgroup, vpid);
}

static size_t count(const dre_app_pid_list_t list)
{
	size_t nr = 0;

	while (list[nr])
		nr++;
	return nr;
}

dre_return_t app_get_bound_pids(const char *name, const char *cgroup, struct container_pid **pids)
{
	dre_app_handle h = handle(name);
	dre_app_pid_list_t list;
	int err = dre_app_get_bound_pid_list(&h, cgroup, &list);

	if (err)
		return err;
	*pids = command_memory(calloc(count(list) + 1, sizeof(**pids)));
	for (size_t i = 0; list[i]; i++)
		(*pids)[i] = (struct container_pid){ list[i]->pid, list[i]->vpid };
	return dre_app_release_registered_pid_list(list);
}

dre_return_t app_count_registered(const char *name, size_t *nr)
{
	dre_app_handle h = handle(name);
	dre_app_pid_list_t list;
	int err = dre_app_get_registered_pid_list(&h, &list);

	if (err)
		return err;
	*nr = count(list);
	return dre_app_release_registered_pid_list(list);
}

dre_return_t app_events_next(void *events, struct container_event *event)
{
	const dre_app_event *from;
	int err = dre_app_events_next(events, &from);

	*event = (struct container_event){};
	if (!err && from)
		*event = (struct container_event){
			.type = from->type,
			.container = from->container,
			.time = from->time,
			.pid = from->pid,
			.vpid = from->vpid,
			.comm = from->comm,
			.by = from->by,
			.status = from->status,
			.signal = from->signal,
			.group = from->group,
			.lost = from->lost,
		};
	return err;
}
