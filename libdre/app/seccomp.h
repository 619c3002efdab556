/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The seccomp filter that keeps system calls from what runs in a container: a file in liblxc's format.
 */
#ifndef DRE_APP_SECCOMP_H
#define DRE_APP_SECCOMP_H

#include <stdio.h>

struct app;

/* In the container's directory for liblxc. */
#define SECCOMP_COPY	"seccomp"

/* Can the filter that the container is to have be read? DRE_ERR_INVALID_ARGUMENT: it cannot. */
int seccomp_check(const struct app *app);

/*
 * For the start that follows, and whoever comes in as long as it runs: liblxc reads the filter each time, and both are to
 * have the same. A file that is not there is no error: a start has looked before. Errors of the disk.
 */
int seccomp_take(const struct app *app);

/* liblxc's configuration of what was taken. */
int seccomp_write(FILE *f, const struct app *app);

#endif /* DRE_APP_SECCOMP_H */
