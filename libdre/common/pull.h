/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The disk of a machine that always runs, with layers that nobody can make one of: QEMU itself reads what is in the
 * upper ones into the writable one, and then names another layer below that, in its header. The header and the manifest
 * cannot be changed at once. So the manifest says before, in a setting, what the header may name, too: the
 * container is whole whichever it is, and whoever has it next makes the manifest say what the header does.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set. The container is locked.
 */
#ifndef DRE_COMMON_PULL_H
#define DRE_COMMON_PULL_H

#include "container.h"

/* The layer of the chain that the writable one may be on top of, beside the uppermost one. */
#define SETTING_PULL	"pull"

/* It; NULL: there is none, or none that is in the chain. */
const char *pull_layer(const struct manifest *m);

/* Sets it, to a layer of the chain. */
int pull_begin(struct container *c, const char *layer);

/* Nothing is pulled any more: the setting goes. What it has come to is for pull_settle() to find before. */
int pull_end(struct container *c);

/*
 * If the writable layer is on top of that layer now, the chain ends there, the setting goes, and the layers between
 * them as far as nobody else has them. Else nothing is changed: somebody may be at it.
 */
int pull_settle(struct container *c);

#endif /* DRE_COMMON_PULL_H */
