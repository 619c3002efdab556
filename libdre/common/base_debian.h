/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_COMMON_BASE_DEBIAN_H
#define DRE_COMMON_BASE_DEBIAN_H

#include "debian.h"

/*
 * Builds base image @name with mmdebstrap. DRE_ERR_INVALID_ARGUMENT: a malformed suite, package or
 * mirror; DRE_ERR_BASE_EXISTENCE; DRE_ERR_DEVICE_BUSY: mmdebstrap is not installed or has
 * failed. Nothing is left then. The total of its progress is not known.
 */
int base_build_debian(struct store *store, const char *name, const struct debian *how);

/*
 * The same, a bootable disk of @how->disk bytes. DRE_ERR_DEVICE_BUSY also where what makes a disk is not
 * installed. Its progress is in parts of the whole.
 */
int base_build_debian_disk(struct store *store, const char *name, const struct debian *how);

/* How large a disk may be, in bytes: what a small Debian needs; and how large it is where nobody says. */
#define BASE_DEBIAN_DISK_MIN		(1ULL << 30)
#define BASE_DEBIAN_DISK_MAX		(1ULL << 44)
#define BASE_DEBIAN_DISK_DEFAULT	(4ULL << 30)

#endif /* DRE_COMMON_BASE_DEBIAN_H */
