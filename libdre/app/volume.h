/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volumes: directories and files of the host that a container has in its own tree. They are mounted
 * in its root file system before liblxc takes that, so that what the container sees is a copy made
 * across user namespaces, in which it cannot undo "ro" and "nodev".
 */
#ifndef DRE_APP_VOLUME_H
#define DRE_APP_VOLUME_H

struct manifest;

#define SETTING_VOLUMES	"volumes"

/* Where the container has its port: a server of the base reads it, if it has such a directory. */
#define VOLUMES_PORT_FILE	"/etc/ssh/sshd_config.d/dre.conf"

/*
 * A file beside the root file system: volumes were mounted in that, and may still be, where it has not been unmounted since, as at
 * a reboot of the container. To find that out for one that never had any would be to read what is mounted on the whole host.
 */
#define VOLUMES_MARK	"rootfs.volumes"

/* What is wrong with a list "SOURCE:TARGET[:ro][:noidmap],...", or NULL. */
const char *volume_check(const char *list);

/* Is there on the host what the container is to have? DRE_ERR_DEVICE_BUSY. */
int volumes_find(const char *name, const struct manifest *m);

/*
 * Mounts them, and @port_file for its SSH server (NULL: none), in the root file system that is mounted
 * at @rootfs, where others that were there are unmounted. It changes the credentials of the thread
 * that calls it: for a process of its own.
 */
int volumes_mount(const char *name, const struct manifest *m, const char *rootfs,
		  const char *port_file);

/* Unmounts all that is mounted below @rootfs. */
int volumes_unmount(const char *name, const char *rootfs);

#endif /* DRE_APP_VOLUME_H */
