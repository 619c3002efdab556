/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Properties: what is configured for one container. They are settings in its
 * manifest. One that has the name of a key of dre.conf has its form, too, and wins
 * over it.
 */
#ifndef DRE_COMMON_PROPERTY_H
#define DRE_COMMON_PROPERTY_H

#include <dre.h>
#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "manifest.h"

/* One without a check is a key of dre.conf, whose check it has. */
struct property {
	const char *key;
	bool at_start;		/* a change holds from the container's next start on */
	/* Returns NULL or what is wrong with the value, as in "autostart IS NEITHER YES NOR NO". */
	const char *(*check)(const char *value);
	const char *fallback;	/* of what dre.conf has no key for */
};

/* Those of one kind of container, by key. */
struct property_table {
	const char *section;	/* of dre.conf */
	const struct property *properties;
	size_t nr;
	/*
	 * What holds for property @key where neither the container nor the table says anything: NULL, or
	 * a text in @text. May be NULL.
	 */
	const char *(*fallback)(const struct manifest *m, const char *key, char text[DRE_VALUE_SIZE]);
};

/* Checks, for the tables. */
const char *property_check_yes_no(const char *value);
const char *property_check_number(const char *value, unsigned long max);
const char *property_check_order(const char *value);
const char *property_check_delay(const char *value);

/* Of the address of a network device, with its NUL: six bytes, and not those of a group of devices. */
#define PROPERTY_MAC_SIZE	sizeof("52:54:00:12:34:56")

const char *property_check_mac(const char *value);

/*
 * Functions return 0 or a DRE_ERR_* code with the error text set. Lists end with a key
 * that is NULL.
 */

/* Is there such a property? Are all of these, with these values? And then, into a manifest. */
int property_check_key(const struct property_table *table, const char *key);
int property_check(const struct property_table *table, const dre_property *list);
int property_put(struct manifest *m, const dre_property *list);

/*
 * The container's properties instead of what dre.conf says. DRE_ERR_CONTAINER_UNKNOWN_STATUS: somebody
 * has written others into its manifest.
 */
int property_configure(const struct property_table *table, struct dre_config *config,
		       const char *name, const struct manifest *m);

/* What one is set to, in memory of its own; NULL if it is not. */
int property_get(const struct manifest *m, const char *name, const char *key, char **value);

/* All that there are, in one piece of memory, which free(3) frees. */
int property_list(const struct property_table *table, const struct dre_config *config,
		  const struct manifest *m, const char *name, dre_property **list);

#endif /* DRE_COMMON_PROPERTY_H */
