/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that a command writes: they appear as a whole, or not at all.
 */
#ifndef DRE_OUTPUT_H
#define DRE_OUTPUT_H

#include <limits.h>
#include <stdbool.h>

/* What is written, and under which name until it is complete. */
struct output {
	const char *path;
	int fd;
	char temporary[PATH_MAX];	/* "": it is written to directly */
	bool has_name;			/* that one, already */
};

/*
 * Opens file @path. "-" is standard output, and so are /dev/stdout, /dev/fd/N and the like what they say, which must be
 * no terminal; @what is that it is not for one ("an archive"). What is there and no file, like a device or a FIFO, is
 * written to as it is. Returns the status of the command.
 */
int open_output(struct output *o, const char *path, const char *what);

/* Gives it its name, unless there was an error @err. Returns the status of the command. */
int finish_output(struct output *o, int err);

#endif /* DRE_OUTPUT_H */
