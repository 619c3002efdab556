/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The D-RE kernel module, where it is needed.
 */
#ifndef DRE_COMMON_KMOD_H
#define DRE_COMMON_KMOD_H

/* A fd of /dev/dre, which the caller closes. DRE_ERR_DAWARE_MOD_NONEXISTENCE, DRE_ERR_PERMISSION_DENIED. */
int kmod_open(int *dre);

/* Is it there? As an error, as above. */
int kmod_check(void);

#endif /* DRE_COMMON_KMOD_H */
