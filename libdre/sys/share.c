// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Containers that go to the shared store, and back. Both stores have it for a moment, and nobody is to start it twice: in
 * the shared one it says that it is moving until it is only there, and not any more as soon as it is also here.
 */
#include <string.h>

#include "common/move.h"
#include "migration.h"
#include "shared.h"

static int begin(struct sys *sys, const dre_sys_handle *h)
{
	int err = sys_begin_handle(sys, h, SYS_CHANGE);

	if (err)
		return err;
	err = sys_require(sys, SYS_STOPPED, SYS_STOPPED);
	if (err)
		sys_end(sys);
	return err;
}

/* The container's manifest, with these settings. */
static int with_settings(const struct sys *sys, const char *owner, const char *moving, struct manifest *m)
{
	int err = manifest_copy(m, sys_manifest(sys));

	if (!err)
		err = manifest_set(m, SETTING_OWNER, owner);
	if (!err)
		err = manifest_set(m, SETTING_MOVING, moving);
	if (!err)
		err = manifest_set(m, SETTING_IMMIGRATION, NULL);
	return err ? dre_fail_errno(-err, "container '%s'", sys->name) : 0;
}

/* @made is the container from now on. @to is taken over. */
static void go_over(struct sys *sys, struct store *to, struct container *made, bool shared)
{
	store_close(sys->store);
	sys->store = to;
	sys->container = made;
	sys->shared = shared;
}

/* Not vital: whoever changes it next finds that nobody moves it. */
static void unmark_moving(const struct sys *sys)
{
	struct saved_error saved;

	save_error(&saved);
	sys_mark_moving(sys->container, NULL);
	restore_error(&saved);
}

/* As long as there is a domain somebody else could start it, and write to what is copied. */
static int copy(struct sys *sys, struct store *to, const struct manifest *m,
		const struct sys_progress *progress, struct container **made)
{
	int err = sys_undefine(sys);
	bool unread;

	if (err)
		return err;
	err = container_copy_to(sys->container, to, m, progress->fn ? sys_report : NULL, (void *)progress, &unread,
				made);
	/* The shared store is the one that is read, or the one that is written to. */
	return unread == sys->shared ? sys_name_failure(err) : err;
}

static int check_shareable(const struct sys *sys)
{
	if (sys->shared)
		return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "container '%s' is in the shared store already",
				sys->name);
	if (manifest_get(sys_manifest(sys), SETTING_ROOTFS))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"container '%s' is on a partition of this host, which others have not got",
				sys->name);
	return 0;
}

static int move_to_shared(struct sys *sys, struct store *to, const struct sys_progress *progress)
{
	struct container *made = NULL;
	struct manifest m = {};
	int err = sys_remove_leftover(sys->container, to);

	if (!err)
		err = sys_mark_moving(sys->container, "yes");
	if (err)
		return err;
	err = with_settings(sys, sys_host(), "yes", &m);
	if (!err)
		err = copy(sys, to, &m, progress, &made);
	manifest_free(&m);
	if (err) {
		if (sys_is_absent(to, sys->name))
			unmark_moving(sys);
		return err;
	}
	err = container_remove(sys->container);
	if (err && container_is_there(sys->store, sys->name)) {
		/* The local one is the container: it says that there is something left of this, if there is. */
		if (sys_remove_shared(made))
			container_unlock(made);
		else
			unmark_moving(sys);
		return err;
	}
	/* It has lost its name, if perhaps not for good: then the mark says where to look. */
	if (err)
		container_unlock(sys->container);
	go_over(sys, to, made, true);
	if (!err)
		unmark_moving(sys);
	return 0;
}

static int share(struct sys *sys, const struct sys_progress *progress)
{
	struct store *to = NULL;
	int err = check_shareable(sys);

	if (!err)
		err = sys_open_shared(&sys->config, &to);
	if (err)
		return err;
	err = move_to_shared(sys, to, progress);
	if (err)
		store_close(to);
	sys_define_again(sys);
	return err;
}

dre_return_t dre_sys_share_with(const dre_sys_handle *h, dre_sys_progress progress, void *arg)
{
	const struct sys_progress p = { progress, arg };
	struct sys sys;
	int err = begin(&sys, h);

	if (err)
		return err;
	err = share(&sys, &p);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_share(const dre_sys_handle *h)
{
	return dre_sys_share_with(h, NULL, NULL);
}

static int move_to_local(struct sys *sys, struct store *to, const struct sys_progress *progress)
{
	struct container *made = NULL;
	struct manifest m = {};
	bool removed;
	int err = sys_mark_moving(sys->container, "yes");	/* nobody takes it over meanwhile */

	if (err)
		return sys_name_failure(err);
	err = with_settings(sys, NULL, "yes", &m);
	if (!err)
		err = copy(sys, to, &m, progress, &made);
	manifest_free(&m);
	if (err) {
		unmark_moving(sys);
		return err;
	}
	/* From here on the local one counts, whatever becomes of the other. */
	removed = !sys_remove_shared(sys->container);
	if (!removed)
		container_unlock(sys->container);
	go_over(sys, to, made, false);
	if (removed)
		unmark_moving(sys);
	return 0;
}

static int unshare(struct sys *sys, const struct sys_progress *progress)
{
	struct store *to = NULL;
	int err;

	if (!sys->shared)
		return dre_fail(DRE_ERR_CONTAINER_NONEXISTENCE, "container '%s' is not in the shared store",
				sys->name);
	err = store_open(&to, sys->config.sys.store, &layer_disk);
	if (err)
		return err;
	err = move_to_local(sys, to, progress);
	if (err)
		store_close(to);
	sys_define_again(sys);
	return err;
}

dre_return_t dre_sys_unshare_with(const dre_sys_handle *h, dre_sys_progress progress, void *arg)
{
	const struct sys_progress p = { progress, arg };
	struct sys sys;
	int err = begin(&sys, h);

	if (err)
		return err;
	err = unshare(&sys, &p);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_unshare(const dre_sys_handle *h)
{
	return dre_sys_unshare_with(h, NULL, NULL);
}

/* Its owner is gone, somebody says, who has looked. */
static int take_over(struct container *c)
{
	int err = manifest_set(&c->manifest, SETTING_OWNER, sys_host());

	if (!err)
		err = manifest_set(&c->manifest, SETTING_MOVING, NULL);
	if (!err)
		err = manifest_set(&c->manifest, SETTING_MIGRATING, NULL);
	if (!err)
		err = manifest_set(&c->manifest, SETTING_IMMIGRATION, NULL);
	return err ? dre_fail_errno(-err, "container '%s'", c->name) : container_commit(c);
}

/*
 * What libvirt has here from the time when it was this host's: memory that it has saved, for one, does not fit to what others
 * have made of the disk. A machine that still runs has QEMU's locks: nobody else has written.
 */
static int drop_domain(struct sys *sys)
{
	const char *owner = manifest_get(sys_manifest(sys), SETTING_OWNER);
	enum sys_state state;
	int err;

	if (owner && !strcmp(owner, sys_host()))
		return 0;
	err = sys_look_up(sys);
	if (!err && sys_is_left_behind(sys))
		err = sys_switch_off(sys);
	if (err)
		return err;
	state = sys_state(sys);
	if (state == SYS_UNKNOWN)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
	return state == SYS_STOPPED ? sys_undefine(sys) : 0;
}

dre_return_t dre_sys_take_over(const dre_sys_handle *h)
{
	struct sys sys = {};
	int err = sys_check_handle(h);

	if (err)
		return err;
	strcpy(sys.name, h->name);
	err = sys_open_store_of(&sys.config, sys.name, &sys.store, &sys.shared);
	if (!err)
		err = container_lock(&sys.container, sys.store, sys.name);
	if (sys.shared)
		err = sys_name_failure(err);
	if (!err && !sys.shared)
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s' is not in the shared store: it is this host's",
			       sys.name);
	if (!err)
		err = sys_give_up_migration(&sys);
	if (!err)
		err = drop_domain(&sys);
	if (!err)
		err = sys_name_failure(take_over(sys.container));
	sys_end(&sys);
	return err;
}
