/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several managers at once, that live long and do everything, in no order, to the same containers. What they are told
 * must be what a container's state explains, and none of them may grow. They log what they do, while the log's daemon is
 * restarted: none may wait for it, and what they say after that must be there.
 *
 * DRE_MIXED in the environment is for how many seconds, and DRE_SEED repeats what each of them does, but not
 * what they meet.
 */
#ifndef SELFTESTS_INTEGRATION_MIXED_H
#define SELFTESTS_INTEGRATION_MIXED_H

#include <stddef.h>
#include <sys/types.h>

struct mixed_operation {
	const char *name;
	unsigned int weight;		/* how often it is done; one of 10 and more must succeed at least once, and each where it is long */
	int (*call)(const char *container);
	int also;			/* a code that it may fail with beside those of states, or 0 */
};

/**
 * struct mixed - what is done
 * @operations: ended by one without a name
 * @managers: how many
 * @seconds: for how long, unless DRE_MIXED says it
 * @also: codes that any of them may fail with beside those of states, ended by 0, or NULL: something is not there, and
 *	who meets it waits a moment
 * @meanwhile: called once a second beside them, or NULL
 */
struct mixed {
	const struct mixed_operation *operations;
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

/* Before that, for containers of these names, ended by NULL, and after it, when all of them are stopped. */
void mixed_begin(const char *const *names);
void mixed_end(void);

/* A process of this machine that the operations may bind to this container. It is to be where it was in the end. */
pid_t mixed_process(const char *container);

/* Prints how often each operation came to what. Fails the test if there is anything else than that. */
void mixed_run(const struct mixed *mixed);

#endif /* SELFTESTS_INTEGRATION_MIXED_H */
