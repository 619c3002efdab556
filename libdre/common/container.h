/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers as the store knows them: a manifest, and a lock that says "busy".
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set. @name is
 * checked with dre_check_name() by each of them.
 *
 * A manifest that cannot be understood is DRE_ERR_CONTAINER_UNKNOWN_STATUS, with file and
 * line in the text: the container is there, but nobody can say what it is.
 */
#ifndef DRE_COMMON_CONTAINER_H
#define DRE_COMMON_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "manifest.h"
#include "names.h"
#include "store.h"

/*
 * Settings of a container that the store itself knows; its users add others.
 *
 *	idmap		"FIRST COUNT": the host's ids in its user namespace
 *	halt_signal	what makes its init halt, such as "SIGPWR"; from the base
 *	reboot_signal	the same for a reboot
 *	rootfs		the partition that is below its first layer
 */
#define SETTING_IDMAP		"idmap"
#define SETTING_HALT_SIGNAL	"halt_signal"
#define SETTING_REBOOT_SIGNAL	"reboot_signal"
#define SETTING_ROOTFS		"rootfs"

/* A container that the caller has locked. Only @manifest is the caller's to change. */
struct container {
	struct store *store;	/* not owned */
	char name[DRE_NAME_MAX + 1];
	int dir_fd;		/* containers/NAME */
	int lock_fd;
	struct manifest manifest;
};

/* Ids FIRST ... FIRST + COUNT - 1 of the host are 0 ... COUNT - 1 in the container. */
struct idmap {
	uint32_t first;
	uint32_t count;
};

/*
 * Creates a container from base image @base, locked: a fresh writable layer on
 * the base's chain. It gets the base's settings and those of @settings, which
 * win (NULL: none). With @pool (NULL: privileged, no user namespace) it gets
 * a setting "idmap" as well: the lowest range of pool->count ids at or above
 * pool->first that no other container of the store has.
 * DRE_ERR_CONTAINER_EXISTENCE, DRE_ERR_BASE_NONEXISTENCE, ...
 */
int container_create(struct container **c, struct store *store, const char *name,
		     const char *base, const struct manifest *settings, const struct idmap *pool);

/*
 * The same of manifest @m, which has a chain and settings, but no writable layer and no id range
 * yet. It is taken over, also if it fails. The layers must be kept from collection by a change
 * that lasts as long.
 */
int container_create_from(struct container **c, struct store *store, const char *name,
			  struct manifest *m, const struct idmap *pool);

/*
 * A container that has manifest @m, the layers of which are there, locked; within a change. @fill puts more into its
 * directory, before it has its name: until then there is no such container. DRE_ERR_CONTAINER_EXISTENCE.
 */
int container_place(struct container **made, struct store *store, const char *name, const struct manifest *m,
		    int (*fill)(void *arg, int dir_fd), void *arg);

/* Gives it another name, with all that is below its directory. DRE_ERR_CONTAINER_EXISTENCE. */
int container_rename(struct container *c, const char *name);

/*
 * Locks a container and reads its manifest. DRE_ERR_CONTAINER_NONEXISTENCE;
 * DRE_ERR_CONTAINER_BUSY, at once, if somebody else has it locked (another
 * struct container in this process is somebody else).
 */
int container_lock(struct container **c, struct store *store, const char *name);

/*
 * The same without reading the manifest: c->manifest is empty. For removing a
 * container whose manifest is damaged.
 */
int container_lock_damaged(struct container **c, struct store *store, const char *name);

/*
 * The same for who only cleans up after a container that has stopped by itself: nobody is told that
 * it is busy meanwhile, container_lock() waits.
 */
int container_lock_to_settle(struct container **c, struct store *store, const char *name);

/* Unlocks. NULL is fine. */
void container_unlock(struct container *c);

/*
 * Makes c->manifest the container's manifest, atomically and durably. If it fails the container has the old one, but for
 * a directory on NFS that could not be written: either.
 */
int container_commit(struct container *c);

/* Makes @m the container's manifest, in the same way, and @m what that was. If it fails both stay. */
int container_exchange(struct container *c, struct manifest *m);

/*
 * Removes the container with its snapshots, unlocks it and frees @c if it
 * succeeds. It must be stopped and its root unmounted.
 */
int container_remove(struct container *c);

/* Reads the manifest without locking: @m is as of some moment; manifest_free() it. */
int container_read(struct store *store, const char *name, struct manifest *m);

/* Does somebody change it at this moment, and not only clean up? Takes no lock. */
int container_busy(struct store *store, const char *name, bool *busy);

/*
 * The file beside the manifest, in directory @dir_fd, that has the range as well. False if there is none that is
 * whole; a privileged container has an empty range. It is written once.
 */
int container_write_ids(int dir_fd, const char *name, const struct manifest *m);
bool container_read_ids(struct store *store, const char *name, struct idmap *map);

/* Is there one of that valid name, damaged or not? */
bool container_is_there(struct store *store, const char *name);

/* As errors: DRE_ERR_CONTAINER_BUSY; what container_read() returns. */
int container_check_free(struct store *store, const char *name);
int container_check_exists(struct store *store, const char *name);

/* The user namespace's range; map->count is 0 for a privileged container. */
int container_idmap(const char *name, const struct manifest *m, struct idmap *map);

#endif /* DRE_COMMON_CONTAINER_H */
