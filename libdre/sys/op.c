// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What every operation on a container begins and ends with.
 */
#include <libvirt/virterror.h>
#include <string.h>

#include "common/former.h"
#include "common/pull.h"
#include "group.h"
#include "job.h"
#include "migration.h"
#include "shared.h"

int sys_open_store(struct dre_config *config, struct store **store)
{
	int err = dre_check_privilege();

	if (!err)
		err = dre_config_load(config);
	if (!err)
		err = store_open(store, config->sys.store, &layer_disk);
	return err;
}

const struct manifest *sys_manifest(const struct sys *sys)
{
	return sys->container ? &sys->container->manifest : &sys->manifest;
}

static int open_container(struct sys *sys, enum sys_access access)
{
	int err;

	if (access >= SYS_CHANGE)
		err = container_lock(&sys->container, sys->store, sys->name);
	else
		err = container_read(sys->store, sys->name, &sys->manifest);
	if (err == DRE_ERR_CONTAINER_UNKNOWN_STATUS && access == SYS_REMOVE)
		err = container_lock_damaged(&sys->container, sys->store, sys->name);
	if (!err && access == SYS_USE)
		err = container_check_free(sys->store, sys->name);
	if (sys->shared)
		err = sys_name_failure(err);
	if (!err && access == SYS_CHANGE)
		err = sys_configure(sys, &sys->container->manifest);
	return err;
}

int sys_lock_to_settle(struct sys *sys)
{
	int err;

	if (container_lock_to_settle(&sys->container, sys->store, sys->name))
		return 0;
	sys_disconnect(sys);
	err = sys_check_owner(sys);
	if (!err)
		err = sys_look_up(sys);
	if (err)
		sys_keep_manifest(sys);
	return err;
}

void sys_keep_manifest(struct sys *sys)
{
	manifest_free(&sys->manifest);
	sys->manifest = sys->container->manifest;
	sys->container->manifest = (struct manifest){};
	container_unlock(sys->container);
	sys->container = NULL;
}

/* Is there something that others have left for us, see group.h? */
static bool is_behind(const struct sys *sys)
{
	switch (sys_state(sys)) {
	case SYS_STOPPED:
		return sys_is_unsettled(sys);
	case SYS_RUNNING:
	case SYS_SUSPENDED:
		return sys_has_mark(sys->name) || sys_is_unknown(sys);
	case SYS_CHANGING:
		return sys_has_mark(sys->name);
	default:
		return false;
	}
}

/* Somebody was killed while he started it. The guest has not run, or he had only the mark to take away. */
static int end_start(const struct sys *sys)
{
	if (sys_state(sys) != SYS_RUNNING)
		return sys_switch_off(sys);
	sys_unmark(sys->name, SYS_MARK_START);
	return 0;
}

/*
 * Somebody was killed while he saved it. Nobody waits for what libvirt does for him, and lets a guest that writes too fast
 * for it stand still: that could go on until the disk is full.
 */
static int end_save(const struct sys *sys)
{
	enum sys_state state;

	/* First: who asks for a job waits for libvirtd, if that has just begun to ask its machines how they are. */
	if (!sys_is_at_rest(sys)) {
		sys_give_up_save(sys);
		return 0;
	}
	state = sys_state(sys);
	if (state == SYS_UNKNOWN)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
	if ((state == SYS_SUSPENDED || state == SYS_CHANGING) && virDomainResume(sys->domain) < 0)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s' stands still", sys->name);
	sys_unmark(sys->name, SYS_MARK_SAVE);
	return 0;
}

/* With the container locked. What cannot be told of a machine that runs fails whoever needs it. */
static int catch_up(const struct sys *sys)
{
	int err;

	if (!is_behind(sys))
		return 0;
	if (sys_state(sys) != SYS_STOPPED && sys_is_marked(sys->name, SYS_MARK_START)) {
		err = end_start(sys);
		if (err)
			return err;
	}
	/* What was about to be brought back to a checkpoint may still come: it keeps its mark until that is settled. */
	if (sys_state(sys) == SYS_STOPPED)
		return manifest_get(sys_manifest(sys), SETTING_FORMER) ? 0 : sys_settle(sys);
	err = sys_is_marked(sys->name, SYS_MARK_SAVE) ? end_save(sys) : 0;
	if (!err)
		sys_introduce(sys);
	return err;
}

/* Whoever only looks does it, too, unless somebody else has the container: he does it then. */
static int look_and_catch_up(struct sys *sys)
{
	int err;

	if (!is_behind(sys))
		return 0;
	err = sys_lock_to_settle(sys);
	if (!sys->container)
		return err;
	catch_up(sys);
	sys_keep_manifest(sys);
	return 0;
}

/* As long as a machine runs, sys_shorten() goes on with it. */
static int undo_pull(const struct sys *sys)
{
	if (!manifest_get(sys_manifest(sys), SETTING_PULL) || sys_state(sys) != SYS_STOPPED)
		return 0;
	return pull_undo(sys->container);
}

/* libvirt may not answer here, and whoever has the container now wants the lock. */
static void forget_left(struct sys *sys)
{
	if (sys->container)
		sys_keep_manifest(sys);
	sys_forget_left(sys);
}

int sys_begin(struct sys *sys, const char *name, enum sys_access access)
{
	int err = dre_check_name("container", name);

	*sys = (struct sys){};
	if (err)
		return err;
	strcpy(sys->name, name);
	err = sys_open_store_of(&sys->config, name, &sys->store, &sys->shared);
	if (err)
		return err;
	err = open_container(sys, access);
	if (!err) {
		err = sys_check_owner(sys);
		if (err && sys->shared)
			forget_left(sys);
	}
	if (!err)
		err = sys_look_up(sys);
	if (!err && sys->shared) {
		err = sys_settle_migration(sys);
		if (err)
			sys_disconnect(sys);
	}
	if (!err)
		err = sys->container ? catch_up(sys) : look_and_catch_up(sys);
	if (!err && access != SYS_REMOVE)
		err = sys_settle_restart(sys);
	if (!err && access == SYS_CHANGE)
		err = undo_pull(sys);
	if (!err && access == SYS_CHANGE)
		sys_define_again(sys);
	if (err)
		sys_end(sys);
	return err;
}

int sys_check_handle(const dre_sys_handle *h)
{
	int err;

	if (!h)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's handle is NULL");
	err = dre_check_name("container", h->name);
	if (!err && h->type != DRE_SYS_CONTAINER_TYPE_KVM)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "container type %d is not known", h->type);
	return err;
}

int sys_begin_reading(struct sys *sys, const dre_sys_handle *h)
{
	int err = sys_check_handle(h);

	*sys = (struct sys){};
	if (err)
		return err;
	strcpy(sys->name, h->name);
	err = sys_open_store_of(&sys->config, sys->name, &sys->store, &sys->shared);
	if (!err)
		err = container_read(sys->store, sys->name, &sys->manifest);
	if (sys->shared)
		err = sys_name_failure(err);
	if (err)
		sys_end(sys);
	return err;
}

int sys_begin_handle(struct sys *sys, const dre_sys_handle *h, enum sys_access access)
{
	int err = sys_check_handle(h);

	return err ? err : sys_begin(sys, h->name, access);
}

int sys_begin_tag(struct sys *sys, const dre_sys_handle *h, const char *kind, const char *tag)
{
	int err;

	if (!h)
		return sys_check_handle(h);
	if (!tag)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s's name is NULL", kind);
	err = sys_check_handle(h);
	if (!err)
		err = dre_check_name(kind, tag);
	return err ? err : sys_begin(sys, h->name, SYS_CHANGE);
}

/* What has stopped, or did not come to run, during the operation. That does not change what came of it. */
static void settle_stopped(const struct sys *sys)
{
	struct saved_error saved;

	if (!sys->container || !sys->libvirt || sys_state(sys) != SYS_STOPPED)
		return;
	save_error(&saved);
	if (sys_is_unsettled(sys))
		sys_settle(sys);
	restore_error(&saved);
}

void sys_disconnect(struct sys *sys)
{
	if (sys->domain)
		virDomainFree(sys->domain);
	if (sys->libvirt)
		virConnectClose(sys->libvirt);
	sys->domain = NULL;
	sys->libvirt = NULL;
}

void sys_end(struct sys *sys)
{
	settle_stopped(sys);
	sys_disconnect(sys);
	sigpipe_release(&sys->sigpipe);
	manifest_free(&sys->manifest);
	container_unlock(sys->container);
	store_close(sys->store);
	*sys = (struct sys){};
}

/* What libvirt itself does to it: that is on its way, and is not the state that was asked for. */
static enum sys_state paused_state(const struct sys *sys, int reason)
{
	switch (reason) {
	case VIR_DOMAIN_PAUSED_UNKNOWN:
		/* QEMU's own doing, which libvirt finds: all of the memory of one that ran meanwhile is saved. */
		return sys_is_marked(sys->name, SYS_MARK_SAVE) ? SYS_CHANGING : SYS_SUSPENDED;
	case VIR_DOMAIN_PAUSED_MIGRATION:
	case VIR_DOMAIN_PAUSED_SAVE:
	case VIR_DOMAIN_PAUSED_DUMP:
	case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT:
	case VIR_DOMAIN_PAUSED_SHUTTING_DOWN:
	case VIR_DOMAIN_PAUSED_SNAPSHOT:
	case VIR_DOMAIN_PAUSED_STARTING_UP:
		return SYS_CHANGING;
	}
	return SYS_SUSPENDED;
}

enum sys_state sys_state(const struct sys *sys)
{
	int state, reason;

	if (!sys->domain)
		return SYS_STOPPED;
	if (virDomainGetState(sys->domain, &state, &reason, 0) < 0)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? SYS_STOPPED : SYS_UNKNOWN;
	switch (state) {
	case VIR_DOMAIN_SHUTOFF:
	case VIR_DOMAIN_CRASHED:	/* on_crash is "destroy": nothing of it is left */
		return SYS_STOPPED;
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_PMSUSPENDED:	/* the guest sleeps, by itself */
		return SYS_RUNNING;
	case VIR_DOMAIN_PAUSED:
		return paused_state(sys, reason);
	case VIR_DOMAIN_SHUTDOWN:
		return SYS_CHANGING;
	}
	return SYS_UNKNOWN;
}

int sys_require(const struct sys *sys, enum sys_state wanted, enum sys_state other)
{
	enum sys_state state = sys_state(sys);

	if (state == wanted || state == other)
		return 0;
	switch (state) {
	case SYS_STOPPED:
		return dre_fail(DRE_ERR_CONTAINER_STOPPED, "container '%s' is stopped", sys->name);
	case SYS_RUNNING:
		return dre_fail(DRE_ERR_CONTAINER_RUNNING, "container '%s' is running", sys->name);
	case SYS_SUSPENDED:
		return dre_fail(DRE_ERR_CONTAINER_SUSPENDED, "container '%s' is suspended", sys->name);
	case SYS_CHANGING:
		return dre_fail(DRE_ERR_CONTAINER_BUSY,
				"container '%s' is busy: it is starting, stopping or being saved", sys->name);
	case SYS_UNKNOWN:
		break;
	}
	return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
}
