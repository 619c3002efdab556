// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The properties of application containers.
 */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "common/limit.h"
#include "common/property.h"
#include "limits.h"
#include "network.h"
#include "volume.h"

static const char *check_port(const char *value)
{
	const char *error = property_check_number(value, 65535);

	return error || strtoul(value, NULL, 10) ? error : "is out of range";
}

static const struct property properties[] = {
	{ "address", true, network_check_addresses, NULL },
	{ "apparmor", true, NULL, NULL },
	{ "autostart", false, property_check_yes_no, "no" },
	{ "autostart_delay", false, property_check_delay, "0" },
	{ "autostart_order", false, property_check_order, "0" },
	{ "cores", false, NULL, NULL },
	{ "cpu", false, NULL, NULL },
	{ "gateway", true, network_check_gateways, NULL },
	{ "halt_timeout", false, NULL, NULL },
	{ SETTING_MAC, true, property_check_mac, NULL },
	{ "memory", false, NULL, NULL },
	{ "memsw", false, NULL, NULL },
	{ "network", true, NULL, NULL },
	{ "pids", false, NULL, NULL },
	{ SETTING_PORT, true, check_port, NULL },
	{ "stop_timeout", false, NULL, NULL },
	{ SETTING_VOLUMES, true, volume_check, NULL },
};

static const char *fallback(const struct manifest *m, const char *key, char text[DRE_VALUE_SIZE])
{
	(void)text;
	return !strcmp(key, SETTING_MAC) ? manifest_get(m, SETTING_OWN_MAC) : NULL;
}

static const struct property_table table = {
	.section = "app",
	.properties = properties,
	.nr = sizeof(properties) / sizeof(*properties),
	.fallback = fallback,
};

int app_check_properties(const dre_app_property *list)
{
	return property_check(&table, list);
}

int app_put_properties(struct manifest *m, const dre_app_property *list)
{
	return property_put(m, list);
}

int app_configure(struct dre_config *config, const char *name, const struct manifest *m)
{
	return property_configure(&table, config, name, m);
}

int app_check_limits(const struct app *app, const struct dre_config *before)
{
	int err = limits_check(app->name, &app->config.limits);

	if (err && !limits_check(app->name, &before->limits))
		return err;
	return 0;
}

static int change(struct app *app, const dre_app_property *list)
{
	struct dre_config before = app->config;
	int err;

	err = dre_config_load(&app->config);
	if (!err)
		err = app_put_properties(&app->container->manifest, list);
	if (!err)
		err = app_configure(&app->config, app->name, &app->container->manifest);
	if (!err)
		err = app_check_limits(app, &before);
	if (err)
		return err;
	if (app_state(app) == APP_STOPPED)
		return container_commit(app->container);
	return limits_change(app, &before.limits);
}

dre_return_t dre_app_set_properties(const dre_app_handle *h, const dre_app_property *list)
{
	struct app app;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "properties are" : "container's handle is");
	err = app_check_handle(h);
	if (!err)
		err = app_check_properties(list);
	if (!err)
		err = app_begin(&app, h->name, APP_CHANGE);
	if (err)
		return err;
	if (app_state(&app) != APP_SUSPENDED)
		err = app_require(&app, APP_STOPPED, APP_RUNNING);
	if (!err)
		err = change(&app, list);
	app_end(&app);
	return err;
}

dre_return_t dre_app_set_property(const dre_app_handle *h, const char *key, const char *value)
{
	const dre_app_property list[] = { { key, value, NULL, 0 }, { NULL, NULL, NULL, 0 } };

	if (!h || !key)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "property's key" : "container's handle");
	return dre_app_set_properties(h, list);
}

/* For looking: whoever changes it does not matter. */
static int begin_reading(struct app *app, const dre_app_handle *h, struct manifest *m)
{
	int err = app_begin_handle(app, h, APP_LOOK);

	if (err)
		return err;
	err = container_read(app->store, app->name, m);
	if (err)
		app_end(app);
	return err;
}

dre_return_t dre_app_get_property(const dre_app_handle *h, const char *key, char **value)
{
	struct manifest m = {};
	struct app app;
	int err;

	if (!h || !value)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the value" : "container's handle");
	err = app_check_handle(h);
	if (!err)
		err = property_check_key(&table, key);
	if (!err)
		err = begin_reading(&app, h, &m);
	if (err)
		return err;
	err = property_get(&m, app.name, key, value);
	manifest_free(&m);
	app_end(&app);
	return err;
}

dre_return_t dre_app_release_property(char *value)
{
	if (!value)
		return dre_fail(DRE_ERR_NULL_POINTER, "the property's value is NULL");
	free(value);
	return 0;
}

dre_return_t dre_app_get_property_list(const dre_app_handle *h, dre_app_property **list)
{
	struct manifest m = {};
	struct app app;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = begin_reading(&app, h, &m);
	if (err)
		return err;
	err = property_list(&table, &app.config, &m, app.name, list);
	manifest_free(&m);
	app_end(&app);
	return err;
}

dre_return_t dre_app_release_property_list(dre_app_property *list)
{
	if (!list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the list is NULL");
	free(list);
	return 0;
}
