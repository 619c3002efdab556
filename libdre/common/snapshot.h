/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots: manifests beside a container's own, containers/NAME/snapshots/TAG.
 * None of these copies anything: what the container wrote becomes a layer that
 * does not change any more, and an empty one goes on top.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set, and check the
 * names that they are given. The container is locked and stopped, its root
 * unmounted.
 */
#ifndef DRE_COMMON_SNAPSHOT_H
#define DRE_COMMON_SNAPSHOT_H

#include "container.h"

/*
 * A chain that is as long becomes one layer before the next is added: where its kind of layers has its
 * limit, or before. For tests.
 */
extern size_t snapshot_max_layers;

/*
 * Gives the container @m, which gets an empty writable layer on its chain, within a change; @m is then what
 * the container had, and whose layers stay until the change ends. If it fails both are as they were, and
 * that layer is garbage: @garbage is set. What writes to the container's disk must not run, unless it goes over
 * to the new layer by itself.
 */
int snapshot_give(struct container *c, struct manifest *m, bool *garbage);

/* DRE_ERR_SNAPSHOT_EXISTENCE. */
int snapshot_save(struct container *c, const char *tag);

/*
 * What was written since the container was made, or since the last snapshot was saved or loaded, is
 * lost. The settings stay the container's. DRE_ERR_SNAPSHOT_NONEXISTENCE.
 */
int snapshot_load(struct container *c, const char *tag);

/* DRE_ERR_SNAPSHOT_NONEXISTENCE. */
int snapshot_remove(struct container *c, const char *tag);

/* Makes a base image of it. DRE_ERR_SNAPSHOT_NONEXISTENCE, DRE_ERR_BASE_EXISTENCE. */
int snapshot_commit(struct container *c, const char *tag, const char *base);

/*
 * Makes another container of what @c has in it, or of what snapshot @tag of it has (NULL: none).
 * It has the settings of @settings (NULL: of @c), and an id range of its own, unless @c has none. As with a snapshot,
 * what was written becomes immutable, and is shared. With @tag, @c need not be stopped, and is
 * not changed. DRE_ERR_SNAPSHOT_NONEXISTENCE, DRE_ERR_CONTAINER_EXISTENCE.
 */
int snapshot_copy(struct container *c, const char *tag, const char *name, const struct manifest *settings,
		  const struct idmap *pool, struct container **copy);

/* Sorted, as store_list_containers() has it; needs no lock. */
int snapshot_list(struct store *store, const char *container, char ***tags);

#endif /* DRE_COMMON_SNAPSHOT_H */
