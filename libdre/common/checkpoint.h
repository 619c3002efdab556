/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints as the store keeps them, beside a container's snapshots. The
 * directory containers/NAME/checkpoints/TAG has
 *
 *	manifest	the container's own
 *
 * and where layers are directories, whose writable layer in there is a copy, which stays as it is
 *
 *	images/		CRIU's images of the processes
 *	early/		those of the memory before the container stood still, if there are any
 *	volumes		where the container had some
 *	record		what D-RE knows of the processes, see app/record.c
 *
 * and where they are disks, where the one that was written to is immutable from then on, and the
 * manifest has no writable layer
 *
 *	memory		what libvirt saved of the machine
 *
 * It is whole: its name is given to it when all of it is on the disk.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set. The container
 * is locked.
 */
#ifndef DRE_COMMON_CHECKPOINT_H
#define DRE_COMMON_CHECKPOINT_H

#include "container.h"

/* A checkpoint that is made, or looked at. */
struct checkpoint {
	struct container *container;	/* not owned */
	int all_fd;			/* of containers/NAME/checkpoints */
	int dir_fd;
	char tag[DRE_NAME_MAX + 1];
	char dir[DRE_NAME_MAX + 1];	/* the directory's name now */
	struct manifest manifest;
};

/*
 * Begins a change of the store, and a checkpoint in it: a directory without a
 * name that lasts, and the container's chain in the manifest.
 * checkpoint_publish() or checkpoint_abandon() ends it. DRE_ERR_SNAPSHOT_EXISTENCE.
 */
int checkpoint_begin(struct checkpoint *cp, struct container *c, const char *tag);

/* Brings it to the disk and gives it its name. It is abandoned if that fails. */
int checkpoint_publish(struct checkpoint *cp);

/* Nothing is left of it. The error text stays. */
void checkpoint_abandon(struct checkpoint *cp);

/* Opens one that is complete; checkpoint_close() it. DRE_ERR_SNAPSHOT_NONEXISTENCE. */
int checkpoint_open(struct checkpoint *cp, struct container *c, const char *tag);
void checkpoint_close(struct checkpoint *cp);

/* DRE_ERR_SNAPSHOT_NONEXISTENCE. */
int checkpoint_remove(struct container *c, const char *tag);

/* Sorted, as store_list_containers() has it; needs no lock. */
int checkpoint_list(struct store *store, const char *container, char ***tags);

/*
 * DRE_ERR_SNAPSHOT_EXISTENCE: container @name has some. What is saved in them has its name: neither CRIU nor
 * libvirt restores it under another one.
 */
int checkpoint_check_none(struct store *store, const char *name);

/*
 * checkpoint_files.c: where layers are directories.
 */

/* checkpoint_begin() with directories for the images and an empty layer, manifest.writable, for the files. */
int checkpoint_begin_files(struct checkpoint *cp, struct container *c, const char *tag);

/*
 * Makes a manifest for a container that has the checkpoint's files: a copy of its
 * layer, in a change of the store that the caller has begun. If it is not used the layer is
 * garbage, also if the function fails.
 */
int checkpoint_copy_files(const struct checkpoint *cp, struct manifest *next);

/* Copies all that is in layer @from to layer @to, which is empty. */
int checkpoint_copy_layer(struct store *store, const char *from, const char *to);

#endif /* DRE_COMMON_CHECKPOINT_H */
