/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that D-RE is built for, 6.1 and 6.12.
 */
#ifndef DRE_COMPAT_H
#define DRE_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "dre.ko needs Linux 6.1 or later"
#endif

#endif /* DRE_COMPAT_H */
