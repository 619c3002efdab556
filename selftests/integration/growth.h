/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A manager that does everything, again and again, and keeps nothing of it. */
#ifndef SELFTESTS_INTEGRATION_GROWTH_H
#define SELFTESTS_INTEGRATION_GROWTH_H

/* What this process has of the heap, in bytes, and of open files. */
long growth_heap(void);
int growth_files(void);

struct growth_step {
	const char *name;
	int (*call)(const char *container);
};

/* What main() begins with, so that what is free does not count as used. */
void growth_begin(char **argv);

/*
 * Calls each of @life, ended by one without a name, for the container, and before each round @before. None may fail, and
 * from the third round on none may cost memory. DRE_MIXED in the environment, see mixed.h, makes it long.
 */
void growth_run(const struct growth_step *life, const char *container, void (*before)(void));

#endif /* SELFTESTS_INTEGRATION_GROWTH_H */
