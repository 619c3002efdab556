/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The operator's configuration, /etc/dre/dre.conf. dre.conf in this directory
 * is the file as it is shipped and says what each key means.
 */
#ifndef DRE_COMMON_CONFIG_H
#define DRE_COMMON_CONFIG_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "names.h"

enum dre_network {
	DRE_NETWORK_EMPTY,	/* a network namespace with a loopback device only */
	DRE_NETWORK_NONE,	/* the host's network */
	DRE_NETWORK_BRIDGE,	/* a veth pair into the bridge that .bridge names */
};

struct dre_config {
	char base[DRE_NAME_MAX + 1];	/* default base image */
	char store[PATH_MAX];		/* root of the image store, absolute */
	bool privileged;		/* default kind of container: without a user namespace? */
	unsigned int stop_timeout;	/* seconds for termination in good order */
	unsigned int halt_timeout;	/* seconds for init after that */
	enum dre_network network;
	char bridge[IFNAMSIZ];		/* "" unless .network is DRE_NETWORK_BRIDGE */
	uint32_t idmap_base;		/* first host id that user namespaces may use */
	uint32_t idmap_size;		/* ids of each user namespace */
};

/*
 * Fills @cfg with the defaults and what the file says. A missing file is no
 * error. The environment variable DRE_CONF names another file, which must
 * exist; it is ignored in programs that run with raised privileges
 * (secure_getenv(3)). An unknown key or a bad value: DRE_ERR_INVALID_ARGUMENT,
 * with file and line in the error text.
 */
int dre_config_load(struct dre_config *cfg);

#endif /* DRE_COMMON_CONFIG_H */
