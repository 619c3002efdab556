/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The image store: layers, and the manifests that name them. Below its root:
 *
 *	lock			the store's locks, see lock.h
 *	layers/XXXXXXXX		a layer: immutable, or the writable one of a container
 *	work/XXXXXXXX		overlayfs' work directory for the writable layer of that name,
 *				where layers are directories
 *	bases/NAME		a base image's manifest
 *	containers/NAME/manifest
 *	containers/NAME/lock	held by whoever changes the container
 *	containers/NAME/ids	its range of ids, again: written once, so that it is known also
 *				where the manifest is damaged
 *	containers/NAME/snapshots/TAG
 *	containers/NAME/checkpoints/TAG/, see checkpoint.h
 *	pending/XXXXXXXX	a change that is under way, or that left something to collect
 *	trash/			layers and containers that wait for their removal
 *	lost/XXXXXXXX/		what was set aside because it is damaged; nobody looks into it
 *	lxc/			liblxc's directory, where layers are directories; the store only
 *				makes it
 *
 * A change becomes visible by one atomic rename (or link) of a manifest or of
 * a container's complete directory, after everything it names is on the disk.
 * Killed at any instant, a change has happened or it has not; what it left
 * behind is named by no manifest and is collected by the next one.
 *
 * Files on disk have the ids that the container sees (root is 0), so set-user-ID
 * programs of a container are those of the host's root: everything but lxc/
 * is closed to all others. The root and lxc/ can be passed through (0711),
 * because a container's root in its user namespace has to reach its rootfs. Where layers
 * are disks it is layers/ that can be passed through, because QEMU opens them as a user of its
 * own; nobody else can read them.
 *
 * A struct store is for one thread at a time; open as many as you like.
 * Functions return 0 or a DRE_ERR_* code with the error text set.
 */
#ifndef DRE_COMMON_STORE_H
#define DRE_COMMON_STORE_H

#include <stdbool.h>

struct store;

/* What the layers of a store are. Nothing but these, and what they need, depends on it. */
struct layer_kind;

extern const struct layer_kind layer_tree;	/* directories, for overlayfs */
extern const struct layer_kind layer_disk;	/* qcow2 files, for QEMU */

/*
 * Opens the store of @kind below the absolute path @root and makes what is missing of
 * it. DRE_ERR_PERMISSION_DENIED also if somebody but the caller's user could
 * change the store.
 */
int store_open(struct store **store, const char *root, const struct layer_kind *kind);
void store_close(struct store *store);		/* NULL is fine */

/* The root, without symbolic links, and a directory fd of it; both live as long as @store. */
const char *store_root(const struct store *store);
int store_root_fd(const struct store *store);

/* The names, sorted, ended by a NULL, in memory that store_free_list() frees. */
int store_list_containers(struct store *store, char ***names);
int store_list_bases(struct store *store, char ***names);
int store_list_lxc(struct store *store, char ***names);	/* of liblxc's directories */
void store_free_list(char **names);		/* NULL is fine */
int store_release_list(char **names);		/* a user's: DRE_ERR_NULL_POINTER */

/*
 * What a change leaves is removed at its end. If that takes long, "@remover trash ROOT" is run for it, which nobody waits for, and
 * which calls store_empty_trash(). @remover lives longer than @store.
 */
void store_remove_with(struct store *store, const char *remover);

/*
 * Removes what is in trash/. If somebody else is at it, it is his, whatever comes into it meanwhile: he looks again afterwards. A
 * remover, where the store has one, is waited for. 0 or a DRE_ERR_* code with the error text set.
 */
int store_empty_trash(struct store *store);

/* While a container is started that has a port of the host, or one is reserved: see lock.h. */
int store_lock_ports(struct store *store);
void store_unlock_ports(struct store *store);

/*
 * Collects what no manifest names, if nobody changes the store at this moment;
 * sets @busy (may be NULL) when somebody does. Every function that changes the
 * store has already done so for what it and crashed ones left: this is for an
 * explicit "gc", which also finds what left no trace in pending/, and which waits for the remover. If a manifest cannot be
 * read, nothing that it might name is collected, and the result is the error.
 */
int store_gc(struct store *store, bool *busy);

#endif /* DRE_COMMON_STORE_H */
