/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of containers of one type, as dre_app.h and dre_sys.h have them.
 */
#ifndef DRE_COMMON_EVENTS_H
#define DRE_COMMON_EVENTS_H

#include <dre.h>
#include <stdint.h>
#include <time.h>

/* The numbers of DRE_APP_EVENT_* and of DRE_SYS_EVENT_*. */
enum event_type {
	EVENT_STARTED = 1,
	EVENT_REGISTERED,
	EVENT_UNREGISTERED,
	EVENT_EXITED,
	EVENT_REFUSED,
	EVENT_ENDED,
	EVENT_BOUND,
	EVENT_UNBOUND,
	EVENT_LOST,
};

/* Those of DRE_APP_BY_* and of DRE_SYS_BY_*. */
enum { EVENT_BY_ITSELF = 1, EVENT_BY_MANAGER = 2 };

struct event {
	enum event_type type;
	const char *container;
	struct timespec time;
	int pid, vpid;
	const char *comm;
	int by;
	int status;
	int signal;
	const char *group;
	unsigned int lost;
};

struct events;

/* Of which containers: one for each type. */
struct events_of {
	uint32_t type;		/* DRE_CONTAINER_APP or DRE_CONTAINER_SYS */
	int (*list)(char ***names);
	/* It exists; and a module that was loaded after it was started is told of it. */
	int (*introduce)(const char *name);
};

/* @names: NULL for all. 0 or a DRE_ERR_* code with the error text set; so is what events_next() returns. */
int events_open(const struct events_of *of, char *const names[], struct events **events);
int events_fd(const struct events *events);
int events_next(struct events *events, const struct event **event);
void events_close(struct events *events);

#endif /* DRE_COMMON_EVENTS_H */
