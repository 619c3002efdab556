/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading and unloading dre.ko. DRE_MODULE says where it is; the script `run` sets it. */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>

int module_load(void);
int module_unload(void);
bool module_is_loaded(void);

#endif /* MODULE_H */
