/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers in the order in which they are started.
 */
#ifndef DRE_TOOL_CROWD_H
#define DRE_TOOL_CROWD_H

#include <stdbool.h>
#include <stddef.h>

struct member {
	char *name;
	bool autostart;
	int order;
	int delay;	/* seconds before the next one */
};

struct crowd {
	struct member *members;
	size_t nr;
};

/* All that are this host's. Returns the exit status: one that cannot be read, or listed, is reported, and left out. */
int crowd_load(struct crowd *crowd);
void crowd_free(struct crowd *crowd);

#endif /* DRE_TOOL_CROWD_H */
