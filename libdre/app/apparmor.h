/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The AppArmor profile that holds what runs in a container, where the host has AppArmor.
 */
#ifndef DRE_APP_APPARMOR_H
#define DRE_APP_APPARMOR_H

#include <stdio.h>

struct app;

/*
 * Is the profile that the container is to have loaded? Ours is, if it was not. DRE_ERR_INVALID_ARGUMENT: it is not, or
 * AppArmor cannot be asked.
 */
int apparmor_ensure(const struct app *app);

/* liblxc's configuration of it. */
void apparmor_write(FILE *f, const struct app *app);

#endif /* DRE_APP_APPARMOR_H */
