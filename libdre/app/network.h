/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network of a container, and the port of its SSH server.
 */
#ifndef DRE_APP_NETWORK_H
#define DRE_APP_NETWORK_H

#include <stdio.h>

struct app;
struct manifest;

#define SETTING_ADDRESS	"address"
#define SETTING_GATEWAY	"gateway"
#define SETTING_MAC	"mac"		/* of its device in the bridge; else that is: */
#define SETTING_OWN_MAC	"own_mac"	/* chosen once, and no property: it stays when that is unset */
#define SETTING_PORT	"port"

/* What is wrong with a list "192.0.2.7/24,2001:db8::7/64", or "192.0.2.1,2001:db8::1"; or NULL. */
const char *network_check_addresses(const char *list);
const char *network_check_gateways(const char *list);

/* Does what is configured fit together? */
int network_check(const struct app *app, const struct manifest *m);

/*
 * An address of its own for the device of a new container, also a copy: two in a bridge must not have the same one. A
 * container that an earlier version made has none; it gets one when it is started in a bridge.
 */
int network_choose_mac(struct manifest *m);
int network_ensure_mac(const struct app *app);

/* liblxc's configuration of it. */
void network_write(FILE *f, const struct app *app, const struct manifest *m);

/*
 * On the network of the host a port can be one container's only. Fails with DRE_ERR_DEVICE_BUSY if it
 * is another one's that is not stopped, or if anybody listens there. Until the port is released, which
 * closing the store does, too, nobody else gets that far.
 */
int network_claim_port(const struct app *app);
void network_release_port(const struct app *app);

/* network_lock.c: a container that CRIU was killed for has its network back. It runs, or stands still. */
int network_unlock(const struct app *app);

#endif /* DRE_APP_NETWORK_H */
