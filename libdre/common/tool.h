/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs of others that are run for what they do, and for what they say of it.
 */
#ifndef DRE_COMMON_TOOL_H
#define DRE_COMMON_TOOL_H

#include <stddef.h>
#include <sys/resource.h>

/* What the exit status of a program that is not there is. */
#define TOOL_NOT_RUN	127

struct tool {
	const char *const *argv;
	int dir_fd;		/* where it runs; AT_FDCWD: here */
	int fds[2];		/* what it has as 3 and 4; -1: nothing */
	/* What it may have of memory, in bytes, and of the processor, in seconds, before it fails; 0: no limit of ours. */
	rlim_t memory, time;
	/* Called with each line of what it prints, wherever to; a carriage return ends one, too. May be NULL. */
	void (*line)(void *arg, const char *line);
	void *arg;
	const char *what;	/* for error texts: what it is run for */
};

/*
 * Runs it, in English, with an empty input, and waits for its end. Returns its exit status, with its last line in
 * @last, or a DRE_ERR_* code with the error text set: it could not be run, or was killed.
 */
int tool_run(const struct tool *tool, char *last, size_t size);

#endif /* DRE_COMMON_TOOL_H */
