/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DRE_APP_INIT_H
#define DRE_APP_INIT_H

/* The name that dre-app-init gives itself when it cannot execute init: the errno. */
#define INIT_FAILED	"no init: %d"

#endif /* DRE_APP_INIT_H */
