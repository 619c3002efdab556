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
	const dre_sys_property *properties;	/* NULL: as the container has them */
	struct manifest settings;
	struct container *made;
};

/* Its machine is another one, also where its network device has an address of its own. */
static int set_own(struct manifest *settings, const struct manifest *from)
{
	char uuid[VIR_UUID_STRING_BUFLEN], mac[PROPERTY_MAC_SIZE];
	bool has_mac = manifest_get(from, SETTING_MAC);
	int err = manifest_copy_settings(settings, from);

	if (!err)
		err = sys_choose_uuid(uuid);
	if (!err)
		err = manifest_set(settings, SETTING_UUID, uuid);
	if (!err)
		err = manifest_set(settings, SETTING_MAC, NULL);
	if (!err && has_mac)
		err = manifest_set(settings, SETTING_MAC, sys_mac(settings, mac));
	/* Nobody waits for the copy, or moves it. */
	if (!err && sys_is_moving(from))
		err = manifest_set(settings, SETTING_MOVING, "no");
	if (!err && manifest_get(from, SETTING_IMMIGRATION))
		err = manifest_set(settings, SETTING_IMMIGRATION, "");
	return err;
}

static int choose_settings(const struct sys *sys, struct copy *copy)
{
	int err = set_own(&copy->settings, sys_manifest(sys));

	if (err)
		return dre_fail_errno(-err, "cannot copy container '%s'", sys->name);
	return copy->properties ? sys_put_properties(&copy->settings, copy->properties) : 0;
}

static int make(struct sys *sys, void *arg)
{
	struct copy *copy = arg;

	return snapshot_copy(sys->container, copy->snapshot, copy->name, &copy->settings, NULL, &copy->made);
}

/* Properties that are other than the container's: its configuration, and a disk that fits. */
static int apply_properties(struct sys *copy, const dre_sys_property *properties)
{
	int err = dre_config_load(&copy->config);

	if (!err)
		err = sys_configure(copy, &copy->container->manifest);
	if (!err && sys_has_property(properties, SETTING_DISK))
		err = sys_fit_disk(copy, true);
	return err;
}

/* All that is not the store's, without which there is no copy. Takes c->made over. */
static int complete(const struct sys *sys, const struct copy *c)
{
	struct sys copy = { .config = sys->config, .store = sys->store, .container = c->made,
			    .libvirt = sys->libvirt, .shared = sys->shared };
	struct container *made = c->made;
	struct saved_error saved;
	int err = 0;

	strcpy(copy.name, c->name);
	if (c->properties)
		err = apply_properties(&copy, c->properties);
	if (!err && !sys_check_vt(&copy))
		err = sys_define(&copy);
	if (copy.domain)
		virDomainFree(copy.domain);
	if (err) {
		save_error(&saved);
		sys_partition_remove(copy.name);
		if (container_remove(made) == 0)
			made = NULL;
		restore_error(&saved);
	}
	container_unlock(made);
	return err;
}

static int copy_as(struct sys *sys, struct copy *copy)
{
	int err = choose_settings(sys, copy);

	if (!err)
		err = copy->snapshot ? make(sys, copy) : sys_change_layer(sys, make, copy);
	manifest_free(&copy->settings);
	return err ? err : complete(sys, copy);
}

dre_return_t dre_sys_copy_with(const dre_sys_handle *h, const char *snapshot, const char *name,
			       const dre_sys_copy_options *options)
{
	struct copy copy = { .snapshot = snapshot, .name = name };
	struct sys sys;
	int err;

	if (!h || !name || !options)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				!h ? "container's handle is" : !name ? "copy's name is" : "options are");
	err = sys_check_handle(h);
	if (!err && snapshot)
		err = dre_check_name("snapshot", snapshot);
	if (!err)
		err = dre_check_name("container", name);
	if (!err && options->size != sizeof(*options))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "options for a copy that this library does not know");
	if (!err && options->properties)
		err = sys_check_properties(options->properties);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	copy.properties = options->properties;
	err = sys_check_name_free(&sys.config, sys.shared, name);
	if (!err && !snapshot)
		err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err)
		err = copy_as(&sys, &copy);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_copy(const dre_sys_handle *h, const char *snapshot, const char *name)
{
	static const dre_sys_copy_options same = { .size = sizeof(same) };

	return dre_sys_copy_with(h, snapshot, name, &same);
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
