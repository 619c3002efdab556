// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module's events, for wait.
 */
#include <stddef.h>

#include <dre_app.h>

#include "app.h"

void *watch_app(const char *name)
{
	char *names[] = { (char *)name, NULL };
	dre_app_events *events;

	return dre_app_events_open(names, &events) ? NULL : events;	/* no module, perhaps */
}

int watch_app_fd(void *watch)
{
	return dre_app_events_fd(watch);
}

void watch_app_forget(void *watch)
{
	const dre_app_event *event = NULL;

	while (!dre_app_events_next(watch, &event) && event)
		;
}

void watch_app_end(void *watch)
{
	dre_app_events_close(watch);
}
