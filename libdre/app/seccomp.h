/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The seccomp filter that keeps system calls from what runs in a container: a file in liblxc's format.
 */
#ifndef DRE_APP_SECCOMP_H
#define DRE_APP_SECCOMP_H

#include <stdio.h>

struct app;

/* Can the filter that the container is to have be read? DRE_ERR_INVALID_ARGUMENT: it cannot. */
int seccomp_check(const struct app *app);

/* liblxc's configuration of it. */
void seccomp_write(FILE *f, const struct app *app);

#endif /* DRE_APP_SECCOMP_H */
