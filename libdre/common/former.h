/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container was made of before it got other layers for which something else has yet to succeed. The manifest
 * says it in a setting until that is known, so that nothing of it is collected: whoever has the container next knows
 * that it is one or the other, and decides.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set, unless they say otherwise. The container is locked.
 */
#ifndef DRE_COMMON_FORMER_H
#define DRE_COMMON_FORMER_H

#include "container.h"

/* "LAYER ... WRITABLE": its layers, bottom to top. */
#define SETTING_FORMER	"former"

/* Sets it in @m, to the layers of @former. 0 or a negative errno. */
int former_set(struct manifest *m, const struct manifest *former);

/* The layers, and nothing else, in @former, which is empty; none if it is not set. 0, -EINVAL or -ENOMEM. */
int former_get(const struct manifest *m, struct manifest *former);

/* Within a change: the container is made of them again. Its settings stay. */
int former_take_back(struct container *c);

/* What it is made of now stays. On a full disk the manifest says so by its mode. */
int former_forget(struct container *c);

/*
 * Likewise, without a container's lock, for who has inherited it. It takes no room: a mode is changed. The text stays
 * as it is until the manifest is written again.
 */
int former_forget_in_place(struct store *s, const char *name);

/* Whether a manifest with this mode says no more what the container was made of, whatever its text is. */
bool former_is_forgotten(mode_t mode);

#endif /* DRE_COMMON_FORMER_H */
