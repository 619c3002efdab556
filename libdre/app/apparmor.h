/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The AppArmor profile that holds what runs in a container, where the host has AppArmor.
 */
#ifndef DRE_APP_APPARMOR_H
#define DRE_APP_APPARMOR_H

#include <stdio.h>

struct app;
struct manifest;

/*
 * Is the profile that the container is to have loaded? Ours is, if it was not. DRE_ERR_INVALID_ARGUMENT: it is not, or
 * AppArmor cannot be asked.
 */
int apparmor_ensure(const struct app *app);

/*
 * The processes of a checkpoint go on in the profiles that they had, and in none if they had none: CRIU sees to it. Which
 * one init has, while it runs, is noted in the checkpoint's manifest; and whether this host has that is checked.
 * DRE_ERR_INVALID_ARGUMENT: it has not got it.
 */
int apparmor_note(const struct app *app, struct manifest *checkpoint);
int apparmor_check(const struct app *app, const struct manifest *checkpoint);

/* liblxc's configuration of it. With "" each process of a checkpoint has its own. */
void apparmor_write(FILE *f, const char *profile);

#endif /* DRE_APP_APPARMOR_H */
