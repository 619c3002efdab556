/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several managers at once, that live long and do everything, in no order, to the same containers. What they are told
 * must be what a container's state explains, and none of them may grow.
 *
 * DRE_MIXED in the environment is for how many seconds, and DRE_SEED repeats what each of them does, but not
 * what they meet.
 */
#ifndef SELFTESTS_INTEGRATION_MIXED_H
#define SELFTESTS_INTEGRATION_MIXED_H

#include <stddef.h>

struct mixed_operation {
	const char *name;
	unsigned int weight;		/* how often it is done; one of 10 and more must succeed at least once */
	int (*call)(const char *container);
	int also;			/* a code that it may fail with beside those of states, or 0 */
};

/**
 * struct mixed - what is done, and to what
 * @operations: ended by one without a name
 * @containers: their names, ended by NULL
 * @managers: how many
 * @seconds: for how long, unless DRE_MIXED says it
 * @also: codes that any of them may fail with beside those of states, ended by 0, or NULL: something is not there, and
 *	who meets it waits a moment
 * @meanwhile: called once a second beside them, or NULL
 */
struct mixed {
	const struct mixed_operation *operations;
	const char *const *containers;
	int managers;
	int seconds;
	const int *also;
	void (*meanwhile)(void);
};

/*
 * A function of one operation: @call is of h, which is what handle() gives of the container's name, or of no container.
 * It need not be there.
 */
#define MIXED_CALL(function, call)			\
	static int function(const char *container)	\
	{						\
		__auto_type h = handle(container);	\
							\
		(void)h;				\
		return (call);				\
	}

/* Prints how often each operation came to what. Fails the test if there is anything else than that. */
void mixed_run(const struct mixed *mixed);

#endif /* SELFTESTS_INTEGRATION_MIXED_H */
