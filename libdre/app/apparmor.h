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
 * A checkpoint has the profile that its processes had, and they go on in that: CRIU gives nobody one who had none, and
 * what is run beside them is to have the same. The first notes it for the container, which runs; the second has the
 * container's next start be in it. DRE_ERR_INVALID_ARGUMENT: this host has not got it.
 */
int apparmor_note(const struct app *app, struct manifest *checkpoint);
int apparmor_go_on(struct app *app, const struct manifest *checkpoint);

/* liblxc's configuration of it. */
void apparmor_write(FILE *f, const struct app *app);

#endif /* DRE_APP_APPARMOR_H */
