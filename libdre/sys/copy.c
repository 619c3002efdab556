// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Copying and renaming containers.
 */
#include <errno.h>
#include <string.h>

#include "common/checkpoint.h"
#include "common/snapshot.h"
#include "group.h"
#include "migration.h"
#include "shared.h"

/* What is copied, and the copy. */
struct copy {
	const char *snapshot;
	const char *name;
	struct container *made;
};

/* Its machine is another one, also where its network device has an address of its own. */
static int set_own(const struct sys *sys, struct manifest *own)
{
	char uuid[VIR_UUID_STRING_BUFLEN], mac[SYS_MAC_SIZE];
	int err = sys_choose_uuid(uuid);

	if (!err)
		err = manifest_set(own, SETTING_UUID, uuid);
	if (!err && manifest_get(sys_manifest(sys), SETTING_MAC))
		err = manifest_set(own, SETTING_MAC, sys_mac(own, mac));
	/* Nobody waits for the copy, or moves it. */
	if (!err && sys_is_moving(sys_manifest(sys)))
		err = manifest_set(own, SETTING_MOVING, "no");
	if (!err && manifest_get(sys_manifest(sys), SETTING_IMMIGRATION))
		err = manifest_set(own, SETTING_IMMIGRATION, "");
	return err;
}

static int make(struct sys *sys, void *arg)
{
	struct manifest own = {};
	struct copy *copy = arg;
	int err = set_own(sys, &own);

	err = err ? dre_fail_errno(-err, "cannot copy container '%s'", sys->name) :
	      snapshot_copy(sys->container, copy->snapshot, copy->name, &own, NULL, &copy->made);
	manifest_free(&own);
	return err;
}

/* libvirt's part of it, without which there is no copy called @name. Takes @made over. */
static int complete(const struct sys *sys, const char *name, struct container *made)
{
	struct sys copy = { .config = sys->config, .store = sys->store, .container = made,
			    .libvirt = sys->libvirt, .shared = sys->shared };
	struct saved_error saved;
	int err = 0;

	strcpy(copy.name, name);
	if (!sys_check_vt(&copy))
		err = sys_define(&copy);
	if (copy.domain)
		virDomainFree(copy.domain);
	if (err) {
		save_error(&saved);
		sys_partition_remove(name);
		if (container_remove(made) == 0)
			made = NULL;
		restore_error(&saved);
	}
	container_unlock(made);
	return err;
}

dre_return_t dre_sys_copy(const dre_sys_handle *h, const char *snapshot, const char *name)
{
	struct copy copy = { snapshot, name, NULL };
	struct sys sys;
	int err;

	if (!h || !name)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "copy's name is" : "container's handle is");
	err = sys_check_handle(h);
	if (!err && snapshot)
		err = dre_check_name("snapshot", snapshot);
	if (!err)
		err = dre_check_name("container", name);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	err = sys_check_name_free(&sys.config, sys.shared, name);
	if (!err && snapshot)
		err = make(&sys, &copy);
	else if (!err)
		err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err && !snapshot)
		err = sys_change_layer(&sys, make, &copy);
	if (!err)
		err = complete(&sys, name, copy.made);
	sys_end(&sys);
	return err;
}

/* Until the container has its new name there is no domain, so that there are never two. */
static int rename_to(struct sys *sys, const char *name)
{
	bool defined = sys->domain;
	char old[DRE_NAME_MAX + 1];
	struct saved_error saved;
	int err = checkpoint_check_none(sys->store, sys->name);

	if (!err)
		err = sys_undefine(sys);
	if (err)
		return err;
	strcpy(old, sys->name);
	err = sys_partition_remove(old);
	if (!err)
		err = container_rename(sys->container, name);
	if (!err) {
		strcpy(sys->name, name);
		err = defined ? sys_define(sys) : 0;
	}
	if (err) {
		save_error(&saved);
		if (strcmp(sys->name, old) != 0) {
			sys_partition_remove(name);
			if (container_rename(sys->container, old) == 0)
				strcpy(sys->name, old);
		}
		if (defined)
			sys_define(sys);
		restore_error(&saved);
	}
	return err;
}

dre_return_t dre_sys_rename(const dre_sys_handle *h, const char *name)
{
	struct sys sys;
	int err;

	if (!h || !name)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "new name is" : "container's handle is");
	err = sys_check_handle(h);
	if (!err)
		err = dre_check_name("container", name);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err)
		err = sys_check_name_free(&sys.config, sys.shared, name);
	if (!err)
		err = sys_settle_move(&sys);
	if (!err)
		err = rename_to(&sys, name);
	sys_end(&sys);
	return err;
}
