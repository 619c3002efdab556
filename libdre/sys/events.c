// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Following events, see common/events.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "sys.h"
#include "common/events.h"
#include "module.h"

_Static_assert(EVENT_STARTED == (int)DRE_SYS_EVENT_STARTED && EVENT_ENDED == (int)DRE_SYS_EVENT_ENDED &&
	       EVENT_BOUND == (int)DRE_SYS_EVENT_BOUND && EVENT_UNBOUND == (int)DRE_SYS_EVENT_UNBOUND &&
	       EVENT_LOST == (int)DRE_SYS_EVENT_LOST, "types have the same numbers");

struct dre_sys_events {
	struct events *events;
	dre_sys_event event;
};

/* What is in a machine does not register here. */
static bool is_told(const struct event *event)
{
	switch (event->type) {
	case EVENT_REGISTERED:
	case EVENT_UNREGISTERED:
	case EVENT_EXITED:
	case EVENT_REFUSED:
		return false;
	default:
		return true;
	}
}

dre_return_t dre_sys_events_next(dre_sys_events *e, const dre_sys_event **event)
{
	const struct event *from;
	int err;

	if (!e || !event)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the %s is NULL",
				e ? "event" : "events");
	do {
		err = events_next(e->events, &from);
		if (err)
			return err;
	} while (from && !is_told(from));
	*event = from ? &e->event : NULL;
	if (!from)
		return 0;
	e->event = (dre_sys_event){
		.type = (dre_sys_event_type_t)from->type,
		.container = from->container,
		.time = from->time,
		.pid = from->pid,
		.comm = from->comm,
		.status = from->status,
		.group = from->group,
		.lost = from->lost,
	};
	return 0;
}

int dre_sys_events_fd(const dre_sys_events *e)
{
	return e ? events_fd(e->events) :
		   dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the events is NULL");
}

dre_return_t dre_sys_events_close(dre_sys_events *e)
{
	if (!e)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the events is NULL");
	events_close(e->events);
	free(e);
	return 0;
}

/* It exists; and a module that was loaded after it was started is told of it, see sys_begin(). */
static int introduce(const char *name)
{
	struct sys sys;
	int err = sys_begin(&sys, name, SYS_LOOK);

	if (!err)
		sys_end(&sys);
	return err;
}

dre_return_t dre_sys_events_open(char *const names[], dre_sys_events **events)
{
	static const struct events_of containers = { DRE_CONTAINER_SYS, dre_sys_get_container_list, introduce };
	dre_sys_events *e;
	int err;

	if (!events)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the events is NULL");
	e = calloc(1, sizeof(*e));
	if (!e)
		return dre_fail_errno(ENOMEM, "cannot follow the events of containers");
	err = events_open(&containers, names, &e->events);
	if (err)
		free(e);
	else
		*events = e;
	return err;
}
