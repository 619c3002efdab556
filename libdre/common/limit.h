/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits of a control group. One that cannot be set is an error, and the old
 * one stays.
 */
#ifndef DRE_COMMON_LIMIT_H
#define DRE_COMMON_LIMIT_H

enum limit_type {
	LIMIT_CPU,	/* percent of one CPU: 200 are two CPUs */
	LIMIT_CORES,	/* which CPUs */
	LIMIT_MEMORY,	/* bytes */
	LIMIT_MEMSW,	/* bytes of memory and swap together */
	LIMIT_PIDS,	/* processes and threads */
};

struct limit {
	enum limit_type type;
	unsigned long long number;	/* percent, bytes, or how many */
	const char *cores;		/* LIMIT_CORES */
};

/* Whether it makes sense at all: DRE_ERR_INVALID_ARGUMENT, DRE_ERR_NULL_POINTER. */
int limit_check(const struct limit *limit);

/*
 * @group is a fd of its directory, @path its name for the error text.
 *
 * LIMIT_MEMSW needs a limit of memory that is not above it, and keeps it so: like
 * memory.memsw in version 1 of control groups, out of which version 2 made
 * memory.swap.max. DRE_ERR_SET_LIMIT_FAILED.
 */
int limit_set(int group, const char *path, const struct limit *limit);

/* DRE_ERR_UNSET_LIMIT_FAILED; success if there is none. */
int limit_unset(int group, const char *path, enum limit_type type);

/*
 * What the limit of limit->type is: limit->number, 0 if there is none; LIMIT_CORES: limit->cores, which
 * the caller frees, or NULL. 0 or a negative errno.
 */
int limit_get(int group, struct limit *limit);

/*
 * All limits that a control group may have.
 */
struct dre_limits;

/* Do those of container @name fit together? DRE_ERR_SET_LIMIT_FAILED. */
int limits_check(const char *name, const struct dre_limits *limits);

/* Only what differs is set or unset: all else may be somebody else's. */
int limits_set(int group, const char *path, const struct dre_limits *from,
	       const struct dre_limits *to);

#endif /* DRE_COMMON_LIMIT_H */
