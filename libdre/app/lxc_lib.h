/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * liblxc, loaded when it is needed, which is where a container runs, or is to. It brings six libraries
 * with it: linked to it, every command and each of the hooks that liblxc runs would take three times
 * as long to begin.
 */
#ifndef DRE_APP_LXC_LIB_H
#define DRE_APP_LXC_LIB_H

#include <lxc/lxccontainer.h>

#include "common/lazy_lib.h"

#define LXC_FUNCTIONS(X)	\
	X(lxc_attach_run_command) \
	X(lxc_container_new) \
	X(lxc_container_put) \
	X(lxc_log_init)

struct lxc_lib {
	LXC_FUNCTIONS(LAZY_POINTER)
};

extern struct lxc_lib lxc_lib;

/* Loads it, once. 0, or a DRE_ERR_* code with the error text set. */
int lxc_lib_load(void);

#endif /* DRE_APP_LXC_LIB_H */
