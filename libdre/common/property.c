// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "property.h"

#define MAX_ORDER	1000000
#define MAX_DELAY	3600

const char *property_check_number(const char *value, unsigned long max)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || value[digits])
		return "is not a number";
	return digits > 9 || strtoul(value, NULL, 10) > max ? "is out of range" : NULL;
}

const char *property_check_yes_no(const char *value)
{
	return strcmp(value, "yes") && strcmp(value, "no") ? "is neither yes nor no" : NULL;
}

const char *property_check_order(const char *value)
{
	return property_check_number(value, MAX_ORDER);
}

const char *property_check_delay(const char *value)
{
	return property_check_number(value, MAX_DELAY);
}

const char *property_check_mac(const char *value)
{
	size_t len = strlen(value);

	if (len != PROPERTY_MAC_SIZE - 1)
		return "is not of the form 52:54:00:12:34:56";
	for (size_t i = 0; i < len; i++)
		if (i % 3 == 2 ? value[i] != ':' : !isxdigit((unsigned char)value[i]))
			return "is not of the form 52:54:00:12:34:56";
	if (strchr("13579bdfBDF", value[1]))
		return "is a multicast address";
	return strspn(value, "0:") == len ? "is no address" : NULL;
}

static const struct property *find(const struct property_table *table, const char *key)
{
	for (size_t i = 0; i < table->nr; i++)
		if (!strcmp(table->properties[i].key, key))
			return &table->properties[i];
	return NULL;
}

int property_check_key(const struct property_table *table, const char *key)
{
	struct printable p;

	if (!key)
		return dre_fail(DRE_ERR_NULL_POINTER, "the property's key is NULL");
	if (find(table, key))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "there is no property '%s'",
			dre_printable(&p, key));
}

static const char *check_value(const struct property_table *table,
			       const struct property *property, const char *value)
{
	struct dre_config scratch = {};

	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return "has a control character in it";
	return property->check ? property->check(value) :
				 dre_config_set(&scratch, table->section, property->key, value);
}

int property_check(const struct property_table *table, const dre_property *list)
{
	const char *error;
	struct printable p;
	int err = 0;

	for (; !err && list->key; list++) {
		err = property_check_key(table, list->key);
		if (err || !list->value)
			continue;
		error = check_value(table, find(table, list->key), list->value);
		if (error)
			err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "'%s': %s %s",
				       dre_printable(&p, list->value), list->key, error);
	}
	return err;
}

int property_put(struct manifest *m, const dre_property *list)
{
	int err = 0;

	for (; !err && list->key; list++)
		err = manifest_set(m, list->key, list->value);
	return err ? dre_fail_errno(-err, "the container's properties") : 0;
}

int property_configure(const struct property_table *table, struct dre_config *config,
		       const char *name, const struct manifest *m)
{
	const struct property *p;
	const char *value, *error;

	for (size_t i = 0; i < table->nr; i++) {
		p = &table->properties[i];
		value = manifest_get(m, p->key);
		if (!value || p->check)
			continue;
		error = dre_config_set(config, table->section, p->key, value);
		if (error)
			return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
					"container '%s': its manifest has %s '%s', which %s", name,
					p->key, value, error);
	}
	return 0;
}

int property_get(const struct manifest *m, const char *name, const char *key, char **value)
{
	const char *set = manifest_get(m, key);
	char *copy = set ? strdup(set) : NULL;

	if (set && !copy)
		return dre_fail_errno(ENOMEM, "container '%s'", name);
	*value = copy;
	return 0;
}

static const char *append(char **end, const char *text)
{
	char *begin = *end;

	if (!text)
		return NULL;
	*end = stpcpy(begin, text) + 1;
	return begin;
}

/* The texts are behind the list. */
static size_t room_for(const struct property_table *table, const struct manifest *m)
{
	size_t room = (table->nr + 1) * sizeof(dre_property) + table->nr * DRE_VALUE_SIZE;

	for (size_t i = 0; i < m->nr_settings; i++)
		room += strlen(m->settings[i].value) + 1;
	return room;
}

static const char *fallback_of(const struct property_table *table, const struct property *p,
			       const struct dre_config *config, const struct manifest *m,
			       char text[DRE_VALUE_SIZE])
{
	if (!p->check)
		return dre_config_get(config, table->section, p->key, text);
	if (p->fallback || !table->fallback)
		return p->fallback;
	return table->fallback(m, p->key, text);
}

int property_list(const struct property_table *table, const struct dre_config *config,
		  const struct manifest *m, const char *name, dre_property **list)
{
	dre_property *made = calloc(1, room_for(table, m));
	char text[DRE_VALUE_SIZE], *end;

	if (!made)
		return dre_fail_errno(ENOMEM, "container '%s'", name);
	end = (char *)(made + table->nr + 1);
	for (size_t i = 0; i < table->nr; i++) {
		const struct property *p = &table->properties[i];

		made[i].key = p->key;
		made[i].value = append(&end, manifest_get(m, p->key));
		made[i].fallback = append(&end, fallback_of(table, p, config, m, text));
		made[i].at_start = p->at_start;
	}
	*list = made;
	return 0;
}
