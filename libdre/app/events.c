// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Following events, see common/events.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "common/events.h"
#include "module.h"

_Static_assert(EVENT_STARTED == (int)DRE_APP_EVENT_STARTED && EVENT_LOST == (int)DRE_APP_EVENT_LOST &&
	       (int)EVENT_BY_ITSELF == (int)DRE_APP_BY_ITSELF && (int)EVENT_BY_MANAGER == (int)DRE_APP_BY_MANAGER,
	       "types have the same numbers");

struct dre_app_events {
	struct events *events;
	dre_app_event event;
};

dre_return_t dre_app_events_next(dre_app_events *e, const dre_app_event **event)
{
	const struct event *from;
	int err;

	if (!e || !event)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the %s is NULL",
				e ? "event" : "events");
	err = events_next(e->events, &from);
	if (err)
		return err;
	*event = from ? &e->event : NULL;
	if (!from)
		return 0;
	e->event = (dre_app_event){
		.type = (dre_app_event_type_t)from->type,
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
	return 0;
}

int dre_app_events_fd(const dre_app_events *e)
{
	return e ? events_fd(e->events) :
		   dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the events is NULL");
}

dre_return_t dre_app_events_close(dre_app_events *e)
{
	if (!e)
		return dre_fail(DRE_ERR_NULL_POINTER, "the pointer to the events is NULL");
	events_close(e->events);
	free(e);
	return 0;
}

/* It exists; and a module that was loaded after it was started is told of it. */
static int introduce(const char *name)
{
	struct app app;
	int cfd, err = app_begin(&app, name, APP_LOOK);
	enum app_state state;

	if (err)
		return err;
	state = app_state(&app);
	if (state == APP_RUNNING || state == APP_SUSPENDED) {
		err = app_module_container(&app, &cfd);
		if (!err)
			close(cfd);
		else if (err == DRE_ERR_CONTAINER_STOPPED)
			err = 0;
	}
	app_end(&app);
	return err;
}

dre_return_t dre_app_events_open(char *const names[], dre_app_events **events)
{
	static const struct events_of containers = { DRE_CONTAINER_APP, dre_app_get_container_list, introduce };
	dre_app_events *e;
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
