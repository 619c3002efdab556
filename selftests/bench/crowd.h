/* SPDX-License-Identifier: GPL-2.0-only */
/* Crowds: many processes that do nothing, in a fake container. */
#ifndef CROWD_H
#define CROWD_H

#include "agent.h"

/**
 * struct crowd - a container full of processes
 * @c: the container; it ends with all of them
 * @count: how many there are, beside its init
 * @vpids: their numbers in the container
 */
struct crowd {
	struct container c;
	unsigned int count;
	pid_t *vpids;
};

void crowd_start(struct crowd *crowd, unsigned int count);
void crowd_end(struct crowd *crowd);

#endif /* CROWD_H */
