/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of machines, in files, and libvirt's XML that belongs to it. Functions return 0 or a DRE_ERR_* code
 * with the error text set: DRE_ERR_DEVICE_BUSY for what libvirt could not do.
 */
#ifndef DRE_SYS_MEMORY_H
#define DRE_SYS_MEMORY_H

#include "sys.h"

/*
 * Saves the memory of the machine, which runs, in @file, which is not there yet. The machine goes over to layer
 * @disk, the path of an empty one on top of its own, at the moment that the memory is of; and it goes on.
 */
int sys_memory_save(const struct sys *sys, const char *file, const char *disk,
		    const struct sys_progress *progress);

/* libvirt's description of the machine that was saved, which the caller frees. */
int sys_memory_describe(const struct sys *sys, const char *file, char **xml);

/* Makes a machine of what was saved, with this description; its processors stand still. */
int sys_memory_restore(const struct sys *sys, const char *file, const char *xml);

/*
 * memory_xml.c. What they return as text the caller frees. @name: the container's, for error texts.
 */

/* What libvirt is told to save. */
int sys_snapshot_xml(const char *name, const char *file, const char *disk, char **xml);

/* Where what a machine has is now: its container may have moved to the other store since it was saved. */
struct sys_location {
	const char *disk;	/* whose layers libvirt finds by itself */
	bool remote;		/* see struct sys_machine */
	const char *log;
};

/* The description @saved with these. */
int sys_relocate(const char *name, const char *saved, const struct sys_location *to, char **xml);

/* The path of the console's log in a description, and the description with another one. DRE_ERR_DEVICE_BUSY: there is none. */
int sys_read_log(const char *name, const char *xml, char **path);
int sys_replace_log(const char *name, const char *described, const char *log, char **xml);

/* The path of the disk in a description. DRE_ERR_CONTAINER_UNKNOWN_STATUS: there is none. */
int sys_read_disk(const char *name, const char *xml, char **disk);

#endif /* DRE_SYS_MEMORY_H */
