/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shared store: on an NFS server that dre.conf names, with the layout of the local one. A container is in one of
 * both. Where one of the same machine is in both, because whoever moved it was killed, the local one is the
 * container, and the other one is what is left of the move.
 *
 * A shared container has settings that the store does not know:
 *
 *	owner	the host (uname -n) that runs it; nobody else changes it
 *	moving	"yes" while it is on its way between the stores. A local one has that, too: as long as it does the shared
 *		store may have what is left of it. A copy of that says "no".
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set.
 */
#ifndef DRE_SYS_SHARED_H
#define DRE_SYS_SHARED_H

#include "sys.h"

#define SETTING_OWNER	"owner"
#define SETTING_MOVING	"moving"

/* nfs.c: mounts it if it is not. DRE_ERR_NFS_MOUNT_FAILED. store_close() it. */
int sys_open_shared(const struct dre_config *config, struct store **store);

/* Is it mounted? Nobody is asked who might not answer. */
bool sys_shared_mounted(const struct dre_config *config);

/* Does its server take connections now? Nothing is mounted, and nobody waits for one that comes later. */
bool sys_shared_answers(const struct dre_config *config);

/* shared.c: what the server could not do has a code of its own; the text stays. */
int sys_name_failure(int err);

/* Is it known that the store has no container @name? A server that does not answer does not say so. */
bool sys_is_absent(const struct store *store, const char *name);

/* The store that has container @name, or if none has the local one. store_close() it. */
int sys_open_store_of(struct dre_config *config, const char *name, struct store **store, bool *shared);

/*
 * Is a shared container this host's? DRE_ERR_CONTAINER_UNKNOWN_STATUS: it is another host's, and only that
 * knows. One that is locked, and that a killed move has left, is not moving any more.
 */
int sys_check_owner(struct sys *sys);

/* What this host is called there. */
const char *sys_host(void);

/*
 * DRE_ERR_CONTAINER_EXISTENCE if the other store has it: for who is about to make it in the @shared one, or not. What a
 * server has that does not answer now nobody knows: a local one of that name hides it.
 */
int sys_check_name_free(const struct dre_config *config, bool shared, const char *name);

/* Removes what a move that was killed has left of locked container @c, in store @shared. */
int sys_remove_leftover(const struct container *c, struct store *shared);

/* The same for who is about to take the name of a local container away: nothing of it is there afterwards. */
int sys_settle_move(struct sys *sys);

/* Is it, by its manifest? And sets that, and writes it; @moving: "yes" or NULL. */
bool sys_is_moving(const struct manifest *m);
int sys_mark_moving(struct container *c, const char *moving);

/* A container that is removed from the shared store: its base image goes, too, if it was the last one of it. */
int sys_remove_shared(struct container *c);

#endif /* DRE_SYS_SHARED_H */
