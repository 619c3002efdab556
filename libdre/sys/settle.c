// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What has become of a migration: which host has the machine.
 *
 * Where it leaves: a machine that runs there has not left, whatever was tried. One that is off, or stands still as
 * libvirt leaves it when it does not know what has become of the other, may run on the other host: that is asked, and
 * as long as it does not answer nobody knows. Where it arrives: a machine that runs is here.
 *
 * A machine that waits on the other host, and is not here any more, has never run, and may have got only a part of its memory:
 * it ends, and the container is stopped, as if the power of its host had gone.
 *
 * libvirt defines a machine there just before it lets it run, and there was no definition when it left: one that is off
 * there has written to the disk, as far as anybody knows. What stands still here would go on with memory that is older
 * than that. It ends, and the container is stopped, there. One that has a definition, and waits, is left alone: libvirt
 * lets it run soon, or ends it.
 */
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>

#include "group.h"
#include "job.h"
#include "migration.h"
#include "shared.h"

bool immigration_get(const struct manifest *m, struct immigration *i)
{
	const char *text = manifest_get(m, SETTING_IMMIGRATION);

	return text && sscanf(text, "%64s %d %lld", i->host, &i->port, &i->until) == 3;
}

bool migrating_get(const struct manifest *m, struct migrating *to)
{
	const char *text = manifest_get(m, SETTING_MIGRATING);

	return text && sscanf(text, "%64s %255s", to->host, to->address) == 2;
}

static bool is_own(const struct manifest *m)
{
	const char *owner = manifest_get(m, SETTING_OWNER);

	return owner && !strcmp(owner, sys_host());
}

bool sys_is_arriving(const struct manifest *m)
{
	struct migrating to;

	return migrating_get(m, &to) && !is_own(m) && !strcmp(to.host, sys_host());
}

bool sys_is_leaving(const struct manifest *m)
{
	struct migrating to;

	return migrating_get(m, &to) && is_own(m);
}

/* It is @owner's, and not on its way any more. @arrived: nobody waits for it, either. */
static int set_owner(struct sys *sys, const char *owner, bool arrived)
{
	struct manifest *m = &sys->container->manifest;
	int err = manifest_set(m, SETTING_OWNER, owner);

	if (!err)
		err = manifest_set(m, SETTING_MIGRATING, NULL);
	if (!err && arrived)
		err = manifest_set(m, SETTING_IMMIGRATION, NULL);
	return err ? dre_fail_errno(-err, "container '%s'", sys->name) : container_commit(sys->container);
}

static bool stands_still(const struct sys *sys)
{
	int state, reason;

	return sys->domain && !virDomainGetState(sys->domain, &state, &reason, 0) && state == VIR_DOMAIN_PAUSED &&
	       reason != VIR_DOMAIN_PAUSED_USER;
}

/* What was here of it goes, but not what went wrong. It is another host's: sys_end() does nothing more to it. */
static void forget(struct sys *sys)
{
	struct saved_error saved;

	save_error(&saved);
	if (sys_state(sys) != SYS_STOPPED)
		virDomainDestroy(sys->domain);
	if (!sys_settle(sys) && !sys_undefine(sys))
		sys_partition_remove(sys->name);
	sys_disconnect(sys);
	restore_error(&saved);
}

static int hand_over(struct sys *sys, const struct migrating *to)
{
	/* In this order: what is another host's nobody cleans up here. */
	forget(sys);
	return set_owner(sys, to->host, true);
}

/* It runs nowhere else, and will not. */
static int keep(struct sys *sys)
{
	if (stands_still(sys) && virDomainResume(sys->domain) < 0)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s' stands still", sys->name);
	return set_owner(sys, sys_host(), false);
}

static int fail_on_its_way(const struct sys *sys, const struct migrating *to)
{
	return dre_fail(DRE_ERR_CONTAINER_BUSY, "container '%s' is busy: it is on its way to host '%s'", sys->name,
			to->host);
}

static int end_waiting(const struct sys *sys, const struct migrating *to, virDomainPtr there, bool *moved)
{
	int defined = virDomainIsPersistent(there);

	if (defined > 0)
		return fail_on_its_way(sys, to);
	/* It may have come to run since, which nobody can forbid: then it has a definition now. */
	if (!defined && !virDomainDestroy(there)) {
		*moved = virDomainIsPersistent(there) > 0;
		if (*moved || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
			return 0;
	}
	return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s': its machine on host '%s'", sys->name, to->host);
}

static int decide(struct sys *sys, const struct migrating *to, virDomainPtr there, enum remote_state state,
		  bool *moved)
{
	int err = 0;

	*moved = state == REMOTE_RUNS || state == REMOTE_STOPPED;
	if (state == REMOTE_WAITS)
		err = end_waiting(sys, to, there, moved);
	if (err)
		return err;
	return *moved ? hand_over(sys, to) : keep(sys);
}

static int fail_unknown(const struct sys *sys, const struct migrating *to)
{
	struct saved_error why;

	save_error(&why);
	return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
			"container '%s' was on its way to host '%s' and may run there; if that host is gone for good, 'dre-sys takeover --force' makes it stopped here: %s",
			sys->name, to->host, why.text);
}

static int ask(struct sys *sys, const struct migrating *to, bool *moved)
{
	virConnectPtr remote;
	virDomainPtr there = NULL;
	enum remote_state state;
	int err = remote_connect(sys, to->address, &remote);

	if (err)
		return fail_unknown(sys, to);
	err = remote_find(sys, remote, &there, &state);
	err = err ? fail_unknown(sys, to) : decide(sys, to, there, state, moved);
	if (there)
		virDomainFree(there);
	virConnectClose(remote);
	return err;
}

int sys_end_migration(struct sys *sys, bool *moved)
{
	struct migrating to;
	enum sys_state state;

	*moved = false;
	if (!migrating_get(sys_manifest(sys), &to))
		return 0;
	/* Nobody waits for libvirt, who was killed; it goes on. */
	if (!sys_is_at_rest(sys))
		return fail_on_its_way(sys, &to);
	/* Not before: as long as there was a job it ran here, whatever came of that. */
	state = sys_state(sys);
	if (state == SYS_UNKNOWN)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
	if (state == SYS_RUNNING || (state == SYS_SUSPENDED && !stands_still(sys)))
		return set_owner(sys, sys_host(), false);
	return ask(sys, &to, moved);
}

/* What libvirt lets stand still because it may run there would stand still for ever. */
int sys_give_up_migration(struct sys *sys)
{
	struct migrating to;
	int err;

	if (!sys_is_leaving(sys_manifest(sys)) || !migrating_get(sys_manifest(sys), &to))
		return 0;
	err = sys_look_up(sys);
	if (err)
		return err;
	if (!sys_is_at_rest(sys))
		return fail_on_its_way(sys, &to);
	return stands_still(sys) ? sys_switch_off(sys) : 0;
}

static int fail_other(const struct sys *sys, const char *host)
{
	struct printable p;

	return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s' belongs to host '%s'", sys->name,
			dre_printable(&p, host));
}

static int arrive(struct sys *sys)
{
	const char *owner = manifest_get(sys_manifest(sys), SETTING_OWNER);
	enum sys_state state = sys_state(sys);

	if (state != SYS_RUNNING && state != SYS_SUSPENDED)
		return fail_other(sys, owner ? owner : "?");
	return set_owner(sys, sys_host(), true);
}

bool sys_is_left_behind(const struct sys *sys)
{
	int state, reason;

	return sys->domain && !sys_is_arriving(sys_manifest(sys)) && !sys_has_job(sys) &&
	       !virDomainGetState(sys->domain, &state, &reason, 0) && state == VIR_DOMAIN_PAUSED &&
	       reason == VIR_DOMAIN_PAUSED_MIGRATION;
}

/* Is it another host's, and this one does not wait for it, either? */
static bool is_elsewhere(const struct manifest *m)
{
	struct immigration i;

	return manifest_get(m, SETTING_OWNER) && !is_own(m) && !sys_is_arriving(m) &&
	       !(immigration_get(m, &i) && !strcmp(i.host, sys_host()));
}

/* All that this host ever has of it has that group, or is nothing but a definition. */
static bool has_partition(const struct sys *sys)
{
	struct groups groups;

	sys_partition_of(sys->name, &groups);
	return groups_exists(&groups, ".");
}

/* Is there something of it here, which may go? */
static bool has_left(struct sys *sys)
{
	return is_elsewhere(sys_manifest(sys)) && has_partition(sys) && !sys_look_up(sys);
}

/* With the lock it is as it was just read. */
static bool lock_elsewhere(struct sys *sys)
{
	return (sys->container || !container_lock_to_settle(&sys->container, sys->store, sys->name)) &&
	       is_elsewhere(sys_manifest(sys));
}

void sys_forget_left(struct sys *sys)
{
	struct saved_error saved;

	save_error(&saved);
	if (has_left(sys) && lock_elsewhere(sys) && (sys_state(sys) == SYS_STOPPED || sys_is_left_behind(sys)))
		forget(sys);
	sys_disconnect(sys);
	restore_error(&saved);
}

static int settle_locked(struct sys *sys)
{
	struct migrating to;
	bool moved = false;
	int err;

	if (sys_is_arriving(sys_manifest(sys)))
		return arrive(sys);
	if (!sys_is_leaving(sys_manifest(sys)) || !migrating_get(sys_manifest(sys), &to))
		return 0;
	err = sys_end_migration(sys, &moved);
	return !err && moved ? fail_other(sys, to.host) : err;
}

/* Whoever has the lock moves it, or settles this. */
static int look_only(const struct sys *sys)
{
	enum sys_state state = sys_state(sys);

	if (!sys_is_arriving(sys_manifest(sys)) || state == SYS_RUNNING || state == SYS_SUSPENDED)
		return 0;
	return fail_other(sys, manifest_get(sys_manifest(sys), SETTING_OWNER));
}

int sys_settle_migration(struct sys *sys)
{
	int err;

	if (sys->container)
		return settle_locked(sys);
	if (!sys_is_arriving(&sys->manifest) && !sys_is_leaving(&sys->manifest))
		return 0;
	err = sys_lock_to_settle(sys);
	if (!sys->container)
		return err ? err : look_only(sys);
	err = settle_locked(sys);
	sys_keep_manifest(sys);
	return err;
}
