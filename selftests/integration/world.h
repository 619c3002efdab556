/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What there is on this machine of D-RE: the store, mounts, control groups,
 * the registry, liblxc's processes, and what the test program itself has open.
 * A function that fails must leave all of it as it was.
 */
#ifndef SELFTESTS_INTEGRATION_WORLD_H
#define SELFTESTS_INTEGRATION_WORLD_H

#include <stdbool.h>

#define STORE		"/var/lib/dre/app"
#define CGROUPS		"/sys/fs/cgroup"
#define DAWARE_HEADER	"PID\tVPID\tSIGNALS\tCONTAINER\tCOMM\n"

/* All of it as text, a thing a line, in memory that the caller frees. */
char *world_describe(void);

/* Remembers how it is now; says whether it still is so, and prints what is not. */
void world_mark(void);
bool world_is_as_marked(void);

/* The same, in the end: what is on its way out may take a moment. */
bool world_becomes_as_marked(void);

/*
 * The call fails with @code, says why in one line, and changes nothing.
 * world_mark() was called since anything was changed.
 */
#define assert_refused(code, call) \
	assert_refused_((call), (code), #call, __FILE__, __LINE__)
void assert_refused_(int got, int wanted, const char *call, const char *file, int line);

/* The call succeeds; if not, the reason is printed. */
#define assert_done(call) assert_done_((call), #call, __FILE__, __LINE__)
void assert_done_(int got, const char *call, const char *file, int line);

/* A whole small file, or NULL; the caller frees it. */
char *read_file(const char *path);

long long now_ms(void);

/* Does a control group that wants all of a processor, and is to get @percent of it, get about that? Takes seconds. */
bool group_gets_its_share(const char *directory, int percent);

/* Waits until @cond holds; false when it did not in time. */
#define DEADLINE 180
#define eventually(cond) ({						\
	long long end_ = now_ms() + DEADLINE * 1000LL;			\
	bool holds_;							\
	while (!(holds_ = (cond)) && now_ms() < end_)			\
		usleep(10000);						\
	holds_;								\
})

#endif /* SELFTESTS_INTEGRATION_WORLD_H */
