/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers go from one store to another. Only where layers are files.
 */
#ifndef DRE_COMMON_MOVE_H
#define DRE_COMMON_MOVE_H

#include "container.h"
#include "import.h"

/*
 * Makes container @made, locked, in store @to, of all that container @c has: its layers, snapshots and
 * checkpoints, and whatever else is in its directory; and its base image, unless there is one of that name. Its
 * manifest is @m, which has the layers of @c's own. What is copied is read again and compared. @c is locked and stopped.
 *
 * A layer of the same name that is there already, with the same content, is used. DRE_ERR_CONTAINER_EXISTENCE;
 * if it fails nothing is left but what the next change of @to collects, and @unread tells which of the two stores
 * failed: the one of @c, or @to.
 */
int container_copy_to(struct container *c, struct store *to, const struct manifest *m,
		      import_progress_fn progress, void *arg, bool *unread, struct container **made);

#endif /* DRE_COMMON_MOVE_H */
