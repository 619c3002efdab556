// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Properties: what is configured for one container. They are settings in its
 * manifest. One that has the name of a key of dre.conf has its form, too, and wins
 * over it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "common/limit.h"
#include "limits.h"
#include "network.h"
#include "volume.h"

#define MAX_ORDER	1000000
#define MAX_DELAY	3600

/* Returns NULL or what is wrong with the text, as in "autostart_order IS OUT OF RANGE". */
static const char *check_number(const char *text, unsigned long max)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return "is not a number";
	return digits > 9 || strtoul(text, NULL, 10) > max ? "is out of range" : NULL;
}

static const char *check_yes_no(const char *value)
{
	return strcmp(value, "yes") && strcmp(value, "no") ? "is neither yes nor no" : NULL;
}

static const char *check_order(const char *value)
{
	return check_number(value, MAX_ORDER);
}

static const char *check_delay(const char *value)
{
	return check_number(value, MAX_DELAY);
}

static const char *check_port(const char *value)
{
	const char *error = check_number(value, 65535);

	return error || strtoul(value, NULL, 10) ? error : "is out of range";
}

/* Those without a check are keys of dre.conf, whose check they have. */
static const struct property {
	const char *key;
	bool at_start;		/* a change holds from the container's next start on */
	const char *(*check)(const char *value);
	const char *fallback;	/* of what dre.conf has no key for */
} properties[] = {
	{ "address", true, network_check_addresses, NULL },
	{ "autostart", false, check_yes_no, "no" },
	{ "autostart_delay", false, check_delay, "0" },
	{ "autostart_order", false, check_order, "0" },
	{ "cores", false, NULL, NULL },
	{ "cpu", false, NULL, NULL },
	{ "gateway", true, network_check_gateways, NULL },
	{ "halt_timeout", false, NULL, NULL },
	{ "memory", false, NULL, NULL },
	{ "memsw", false, NULL, NULL },
	{ "network", true, NULL, NULL },
	{ SETTING_PORT, true, check_port, NULL },
	{ "stop_timeout", false, NULL, NULL },
	{ SETTING_VOLUMES, true, volume_check, NULL },
};

#define NR_PROPERTIES	(sizeof(properties) / sizeof(*properties))

static const struct property *find(const char *key)
{
	for (size_t i = 0; i < NR_PROPERTIES; i++)
		if (!strcmp(properties[i].key, key))
			return &properties[i];
	return NULL;
}

static int check_key(const char *key)
{
	struct printable p;

	if (!key)
		return dre_fail(DRE_ERR_NULL_POINTER, "the property's key is NULL");
	if (find(key))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "there is no property '%s'",
			dre_printable(&p, key));
}

static const char *check_value(const struct property *property, const char *value)
{
	struct dre_config scratch = {};

	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return "has a control character in it";
	return property->check ? property->check(value) :
				 dre_config_set(&scratch, property->key, value);
}

int app_check_properties(const dre_app_property *list)
{
	const char *error;
	struct printable p;
	int err = 0;

	for (; !err && list->key; list++) {
		err = check_key(list->key);
		if (err || !list->value)
			continue;
		error = check_value(find(list->key), list->value);
		if (error)
			err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "'%s': %s %s",
				       dre_printable(&p, list->value), list->key, error);
	}
	return err;
}

int app_put_properties(struct manifest *m, const dre_app_property *list)
{
	int err = 0;

	for (; !err && list->key; list++)
		err = manifest_set(m, list->key, list->value);
	return err ? dre_fail_errno(-err, "the container's properties") : 0;
}

int app_configure(struct dre_config *config, const char *name, const struct manifest *m)
{
	const char *value, *error;

	for (size_t i = 0; i < NR_PROPERTIES; i++) {
		value = manifest_get(m, properties[i].key);
		if (!value || properties[i].check)
			continue;
		error = dre_config_set(config, properties[i].key, value);
		if (error)
			return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
					"container '%s': its manifest has %s '%s', which %s", name,
					properties[i].key, value, error);
	}
	return 0;
}

/* What does not fit together is refused where it is made, and not where it was before. */
static int check_together(const struct app *app, const struct dre_config *before)
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
		err = check_together(app, &before);
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
	const char *set;
	struct app app;
	char *copy = NULL;
	int err;

	if (!h || !value)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the value" : "container's handle");
	err = app_check_handle(h);
	if (!err)
		err = check_key(key);
	if (!err)
		err = begin_reading(&app, h, &m);
	if (err)
		return err;
	set = manifest_get(&m, key);
	if (set)
		copy = strdup(set);
	if (set && !copy)
		err = dre_fail_errno(ENOMEM, "container '%s'", app.name);
	else
		*value = copy;
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

/* A list is one piece of memory: the texts are behind it. */
struct list {
	dre_app_property properties[NR_PROPERTIES + 1];
	char text[];
};

static const char *append(char **end, const char *text)
{
	char *begin = *end;

	if (!text)
		return NULL;
	*end = stpcpy(begin, text) + 1;
	return begin;
}

static size_t room_for(const struct manifest *m)
{
	size_t room = sizeof(struct list) + NR_PROPERTIES * DRE_VALUE_SIZE;

	for (size_t i = 0; i < m->nr_settings; i++)
		room += strlen(m->settings[i].value) + 1;
	return room;
}

static dre_app_property *make_list(const struct dre_config *config, const struct manifest *m)
{
	struct list *list = calloc(1, room_for(m));
	char text[DRE_VALUE_SIZE], *end;

	if (!list)
		return NULL;
	end = list->text;
	for (size_t i = 0; i < NR_PROPERTIES; i++) {
		const struct property *property = &properties[i];
		const char *fallback = property->check ? property->fallback :
				       dre_config_get(config, property->key, text);

		list->properties[i] = (dre_app_property){
			.key = property->key,
			.value = append(&end, manifest_get(m, property->key)),
			.fallback = append(&end, fallback),
			.at_start = property->at_start,
		};
	}
	return list->properties;
}

dre_return_t dre_app_get_property_list(const dre_app_handle *h, dre_app_property **list)
{
	struct manifest m = {};
	dre_app_property *made;
	struct app app;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = begin_reading(&app, h, &m);
	if (err)
		return err;
	made = make_list(&app.config, &m);
	if (made)
		*list = made;
	else
		err = dre_fail_errno(ENOMEM, "container '%s'", app.name);
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
