// SPDX-License-Identifier: GPL-2.0-only
/* What comes of the requests: counted, and compared with what may and what must. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* Every request can have these. ENOMEM needs a machine that has none left. */
#define ALWAYS	EFAULT, EINVAL, E2BIG, EBADF, ENOTTY

#define REQUEST(_name, ...)						\
	[ROW_##_name] = { #_name, { ALWAYS __VA_OPT__(,) __VA_ARGS__ } }

static const struct {
	const char *name;
	short must[16];		/* errors that must be seen in a long run, 0 ends them */
} rows[ROWS] = {
	REQUEST(INFO, EPERM),
	REQUEST(SELF_REGISTER),
	REQUEST(SELF_UNREGISTER, ENOENT),
	REQUEST(SELF_REFUSE, ENOENT),
	REQUEST(CONTAINER_CREATE, EPERM, ESRCH, EEXIST, EBUSY, EMFILE),
	REQUEST(CONTAINER_OPEN, EPERM, ENOENT, EMFILE),
	REQUEST(CONTAINER_LIST, EPERM),
	REQUEST(PROCESS_REGISTER, ESRCH, EPERM, EBUSY, EXDEV, ENODEV),
	REQUEST(PROCESS_UNREGISTER, ESRCH, ENOENT, ENODEV),
	REQUEST(PROCESS_LIST, ENODEV),
	REQUEST(TRANSLATE, ENODEV),
	REQUEST(CONTAINER_TERMINATE, ENODEV),
	/* ENOSPC takes more control groups than are here. */
	REQUEST(GROUP_CREATE, EACCES, EOPNOTSUPP, EEXIST, EBUSY, ENOENT, ENODEV),
	REQUEST(GROUP_DESTROY, ENOENT, EBUSY, ENODEV),
	REQUEST(GROUP_LIST),
	REQUEST(BIND, ESRCH, EXDEV, EBUSY, ENOENT, ENODEV, EACCES, EOPNOTSUPP),
	REQUEST(UNBIND, ESRCH, ENOENT),
	REQUEST(BINDING_LIST),
	[ROW_UNKNOWN] = { "(unknown request)", { EBADF, ENOTTY } },
	[ROW_READ] = { "(read)", { EAGAIN, EFAULT, EINVAL } },
	[ROW_POLL] = { "(poll)" },
	[ROW_DAWARE] = { "(read of /proc/daware)", { EFAULT } },
	[ROW_SEND] = { "(pass a file on)" },
	[ROW_RECEIVE] = { "(get a file)", { EAGAIN } },
};

/* These are documented, too, but only happen in a race, or where the kernel allows no move. */
static const struct {
	int row;
	short error;
} seldom[] = {
	{ ROW_SEND, EAGAIN }, { ROW_BIND, EAGAIN }, { ROW_BIND, ESTALE }, { ROW_BIND, EPERM },
	{ ROW_UNBIND, EAGAIN }, { ROW_UNBIND, ESTALE }, { ROW_UNBIND, EPERM },
	{ ROW_UNBIND, EACCES }, { ROW_UNBIND, EBUSY }, { ROW_UNBIND, EOPNOTSUPP },
};

void count(int row, int ret)
{
	__atomic_add_fetch(&world->seen[row][ret < 0 ? -ret : 0], 1, __ATOMIC_RELAXED);
}

static bool in_list(const short *list, int error)
{
	for (; *list; list++)
		if (*list == error)
			return true;
	return false;
}

static bool is_seldom(int row, int error)
{
	size_t i;

	for (i = 0; i < sizeof(seldom) / sizeof(seldom[0]); i++)
		if (seldom[i].row == row && seldom[i].error == error)
			return true;
	return false;
}

/* Prints how often each gave what; returns whether that is all that must be seen, and may. */
bool report(unsigned long requests)
{
	/* Below that some may be missing by chance. */
	bool complete = requests >= 100000, good = true;
	int row, error;

	for (row = 0; row < ROWS; row++) {
		const unsigned long *seen = world->seen[row];

		printf("# %-22s ok %lu", rows[row].name, seen[0]);
		for (error = 1; error < ERRNO_MAX; error++)
			if (seen[error])
				printf(", %s %lu", strerrorname_np(error), seen[error]);
		printf("\n");
		for (error = 1; error < ERRNO_MAX; error++) {
			bool must = in_list(rows[row].must, error);

			if (seen[error] ? !must && !is_seldom(row, error) : must && complete) {
				printf("# %s: %s %s\n", rows[row].name, strerrorname_np(error),
				       seen[error] ? "is not documented" : "was not seen");
				good = false;
			}
		}
		if (row == ROW_UNKNOWN ? seen[0] : complete && !seen[0]) {
			printf("# %s: %s success\n", rows[row].name, seen[0] ? "a" : "no");
			good = false;
		}
	}
	return good;
}
