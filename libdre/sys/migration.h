/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared containers that go from host to host while they run. The machine runs on one of them at each moment, and the
 * container's manifest says which, in these settings beside its owner:
 *
 *	immigration	"HOST PORT UNTIL": that host waits for it there, until that time
 *	migrating	"HOST ADDRESS": it is on its way to that host, or was when whoever moved it was killed
 *
 * As long as it is "migrating" both hosts may have a machine; libvirt lets one of them run. Whoever finds that setting,
 * with the container's lock, which the one that moves it has all the time, asks both and settles it.
 */
#ifndef DRE_SYS_MIGRATION_H
#define DRE_SYS_MIGRATION_H

#include "sys.h"

#define SETTING_IMMIGRATION	"immigration"
#define SETTING_MIGRATING	"migrating"

#define MIGRATION_HOST_SIZE	65	/* what uname(2) gives */
#define MIGRATION_ADDRESS_SIZE	256

struct immigration {
	char host[MIGRATION_HOST_SIZE];
	int port;
	long long until;	/* of the clock */
};

/* False: nobody waits for it. One whose time is over counts. */
bool immigration_get(const struct manifest *m, struct immigration *i);
bool immigration_expired(const struct immigration *i);

struct migrating {
	char host[MIGRATION_HOST_SIZE];
	char address[MIGRATION_ADDRESS_SIZE];
};

bool migrating_get(const struct manifest *m, struct migrating *to);

/* Is it, by its manifest, on its way to this host, or from it? */
bool sys_is_arriving(const struct manifest *m);
bool sys_is_leaving(const struct manifest *m);

/*
 * settle.c: of a container that is migrating, or was; connected to libvirt. DRE_ERR_CONTAINER_UNKNOWN_STATUS: it is
 * another host's, or might be. Without its lock, where somebody else has that, nothing is settled.
 */
int sys_settle_migration(struct sys *sys);

/* The same by who moves it, and has its lock. @moved: it is the other host's then. */
int sys_end_migration(struct sys *sys, bool *moved);

/*
 * The same by who has its lock, and knows that the other host is gone, which is not asked: it is stopped here, or
 * runs on here. Connects to libvirt if it was on its way. DRE_ERR_CONTAINER_BUSY: libvirt is still at it.
 */
int sys_give_up_migration(struct sys *sys);

/*
 * The same on a host that has lost it to another one, which has settled it before this one did: what is left of it here
 * goes, but for a machine that runs. Without its lock, if nobody else has that.
 */
void sys_forget_left(struct sys *sys);

/* Does its machine stand still here because it has left? */
bool sys_is_left_behind(const struct sys *sys);

/* remote.c: an address that names a host. DRE_ERR_INVALID_HOSTNAME, DRE_ERR_REQUEST_TOO_LONG. */
int remote_check_form(const char *address);
int remote_check_resolves(const char *address);

/* "[ADDRESS]" where that has colons. */
const char *remote_host(const char *address, char text[MIGRATION_ADDRESS_SIZE + 2]);

/* That of its libvirt, as dre.conf says. */
#define MIGRATION_URI_SIZE	(256 + MIGRATION_ADDRESS_SIZE + 2)

void remote_uri(const struct sys *sys, const char *address, char uri[MIGRATION_URI_SIZE]);

/* Connects to libvirt of that host. DRE_ERR_DEVICE_BUSY: it does not answer; soon. */
int remote_connect(const struct sys *sys, const char *address, virConnectPtr *remote);

enum remote_state {
	REMOTE_NONE,	/* libvirt knows of no machine */
	REMOTE_STOPPED,	/* one that is off: it has run there, see settle.c */
	REMOTE_WAITS,	/* one that waits for what it gets from here, and has not run */
	REMOTE_RUNS,
};

/* The container's machine there; virDomainFree() it if it is not NULL. */
int remote_find(const struct sys *sys, virConnectPtr remote, virDomainPtr *domain, enum remote_state *state);

#endif /* DRE_SYS_MIGRATION_H */
