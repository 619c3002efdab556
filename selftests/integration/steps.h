/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Managers that are killed or whose calls fail, see tracee.h, in the middle of what they do.
 *
 * DRE_KILLS in the environment says how many steps are tried of each operation, "all" or a number: so many are killed, so
 * many fail with an error of the disk, and so many because it is full; and so many each in the programs that the manager
 * runs. They are spread over all steps, and are others each time: the seed is printed, and DRE_SEED repeats it.
 */
#ifndef SELFTESTS_INTEGRATION_STEPS_H
#define SELFTESTS_INTEGRATION_STEPS_H

#include <stdbool.h>

/* What is tried. It begins and ends in the same state. */
struct steps_operation {
	const char *name;
	void (*prepare)(void);		/* before each */
	int (*call)(void);		/* by the manager that is killed, or has a bad disk */
	int is_done;			/* what the next one is told if it was done nevertheless; 0: it does it again */
	void (*check)(void);		/* before that one, or NULL: old state, or new */
	void (*go_on)(void);		/* after it, to the state it began in */
};

/* What is the same for all operations of a test. */
struct steps_world {
	void (*mark)(void);			/* all there is now */
	void (*assert_nothing_wrong)(void);	/* when what the dead manager left is collected */
	void (*assert_as_marked)(void);		/* waits for what is on its way */
};

/*
 * Tries so many steps as DRE_KILLS says, else @wanted, in half of which or more the manager is killed; then what is there
 * is looked at, the next one does it, goes on, and all must be as before.
 */
void steps_try(const struct steps_operation *op, const struct steps_world *world, int wanted);

/* For checks: has the manager said that it has done it, although a call has failed? Then only the new state is good. */
bool steps_said_done(void);

#endif /* SELFTESTS_INTEGRATION_STEPS_H */
