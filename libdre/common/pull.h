/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The disk of a machine that always runs, with layers that nobody can make one of: QEMU itself reads what is in the
 * upper ones into the writable one, and then names another layer below that, in its header. The header and the manifest
 * cannot be changed at once. So the manifest says before, in a setting, what the header may name, too.
 *
 * What the header names says nothing about what was pulled: QEMU writes the name at once, and where it has put what it
 * has read some time later, when its guest flushes. If it ends before that, all of it is still in the upper layers, and
 * only there. So these stay in the manifest until QEMU was made to flush and the layer is on the disk. Where nobody
 * has come to that, and no machine runs any more, the header gets its old name back: what was pulled are copies.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set. The container is locked.
 */
#ifndef DRE_COMMON_PULL_H
#define DRE_COMMON_PULL_H

#include "container.h"

/* The layer of the chain that the writable one may be on top of, beside the uppermost one. */
#define SETTING_PULL	"pull"

/* It; NULL: there is none, or none that is in the chain below the uppermost one. */
const char *pull_layer(const struct manifest *m);

/* Sets it, to a layer of the chain. */
int pull_begin(struct container *c, const char *layer);

/* Nothing is pulled any more: the setting goes, unless the writable layer is on top of that layer. */
int pull_end(struct container *c);

/*
 * Of a machine that runs, and pulls nothing any more. If the writable layer is on top of that layer now, @flush makes
 * QEMU write all that it has, the chain ends there, the setting goes, and the layers between them as far as nobody else
 * has them. Else, or if @flush fails, nothing is changed.
 */
int pull_settle(struct container *c, int (*flush)(void *arg), void *arg);

/* No machine runs, and what it has pulled may be lost: the writable layer is on top of the whole chain again. */
int pull_undo(struct container *c);

#endif /* DRE_COMMON_PULL_H */
