// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The properties of system containers.
 */
#include <stdlib.h>
#include <string.h>

#include "common/property.h"
#include "sys.h"

static const struct property properties[] = {
	{ "autostart", false, property_check_yes_no, "no" },
	{ "autostart_delay", false, property_check_delay, "0" },
	{ "autostart_order", false, property_check_order, "0" },
	{ "cpus", true, NULL, NULL },
	{ SETTING_DISK, false, NULL, NULL },
	{ "halt_timeout", false, NULL, NULL },
	{ SETTING_MAC, true, property_check_mac, NULL },
	{ SETTING_MEMORY, true, NULL, NULL },
	{ "network", true, NULL, NULL },
};

static const char *fallback(const struct manifest *m, const char *key, char text[DRE_VALUE_SIZE])
{
	return !strcmp(key, SETTING_MAC) ? sys_mac(m, text) : NULL;
}

static const struct property_table table = {
	.section = "sys",
	.properties = properties,
	.nr = sizeof(properties) / sizeof(*properties),
	.fallback = fallback,
};

int sys_check_properties(const dre_sys_property *list)
{
	return property_check(&table, list);
}

int sys_put_properties(struct manifest *m, const dre_sys_property *list)
{
	return property_put(m, list);
}

int sys_configure(struct sys *sys, const struct manifest *m)
{
	return property_configure(&table, &sys->config, sys->name, m);
}

bool sys_has_property(const dre_sys_property *list, const char *key)
{
	for (; list->key; list++)
		if (!strcmp(list->key, key))
			return true;
	return false;
}

/* libvirt's definition of one that is stopped is kept up with it. If that fails, a start does it. */
static void redefine(struct sys *sys)
{
	if (sys->domain && sys_state(sys) == SYS_STOPPED)
		sys_define(sys);
}

/* The disk first: one that is larger than its container says is no harm. */
static int change(struct sys *sys, const dre_sys_property *list)
{
	struct manifest *m = &sys->container->manifest;
	int err;

	err = dre_config_load(&sys->config);
	if (!err)
		err = sys_put_properties(m, list);
	if (!err)
		err = sys_configure(sys, m);
	if (!err && sys_has_property(list, SETTING_DISK))
		err = sys_fit_disk(sys, true);
	if (!err)
		err = container_commit(sys->container);
	if (!err)
		redefine(sys);
	return err;
}

dre_return_t dre_sys_set_properties(const dre_sys_handle *h, const dre_sys_property *list)
{
	struct sys sys;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "properties are" : "container's handle is");
	err = sys_check_handle(h);
	if (!err)
		err = sys_check_properties(list);
	if (!err)
		err = sys_begin(&sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	if (sys_state(&sys) != SYS_SUSPENDED)
		err = sys_require(&sys, SYS_STOPPED, SYS_RUNNING);
	if (!err)
		err = change(&sys, list);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_set_property(const dre_sys_handle *h, const char *key, const char *value)
{
	const dre_sys_property list[] = { { key, value, NULL, 0 }, { NULL, NULL, NULL, 0 } };

	if (!h || !key)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "property's key" : "container's handle");
	return dre_sys_set_properties(h, list);
}

dre_return_t dre_sys_get_property(const dre_sys_handle *h, const char *key, char **value)
{
	struct sys sys;
	int err;

	if (!h || !value)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the value" : "container's handle");
	err = sys_check_handle(h);
	if (!err)
		err = property_check_key(&table, key);
	if (!err)
		err = sys_begin_reading(&sys, h);
	if (err)
		return err;
	err = property_get(&sys.manifest, sys.name, key, value);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_release_property(char *value)
{
	if (!value)
		return dre_fail(DRE_ERR_NULL_POINTER, "the property's value is NULL");
	free(value);
	return 0;
}

dre_return_t dre_sys_get_property_list(const dre_sys_handle *h, dre_sys_property **list)
{
	struct sys sys;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = sys_begin_reading(&sys, h);
	if (err)
		return err;
	err = property_list(&table, &sys.config, &sys.manifest, sys.name, list);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_release_property_list(dre_sys_property *list)
{
	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	free(list);
	return 0;
}
