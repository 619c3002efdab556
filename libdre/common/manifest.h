/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Manifests: the small text files that say what a base image, a container or
 * a snapshot is made of. One item a line, the order of the layers counts:
 *
 *	dre-manifest 1
 *	base busybox			what it was made from; not in a base
 *	layer 0k3v9d2m			immutable layers, bottom to top
 *	layer 8s1xq77a
 *	writable m2c8e6r0		the writable layer; only in a container
 *	halt_signal SIGUSR1		settings: any other key and its value
 *	end				a file without it was cut off
 *
 * Nothing here touches the file system, and any input is safe.
 */
#ifndef DRE_COMMON_MANIFEST_H
#define DRE_COMMON_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

/* Short, because a long chain must fit into one page of mount options: [0-9a-z] only. */
#define LAYER_NAME_LEN		8
#define MANIFEST_MAX_LAYERS	512	/* of one chain; overlayfs takes no more than 500 */
#define MANIFEST_MAX_SIZE	(64 * 1024)	/* of the text */

typedef char layer_name_t[LAYER_NAME_LEN + 1];

struct setting {
	char *key;		/* [a-z][a-z0-9_]*, at most DRE_NAME_MAX bytes */
	char *value;		/* printable, may be empty */
};

/* All zero is the empty manifest. What it points to belongs to it. */
struct manifest {
	char *base;		/* NULL: none */
	layer_name_t *layers;
	size_t nr_layers;
	layer_name_t writable;	/* "": none */
	struct setting *settings;	/* in the file's order, no key twice */
	size_t nr_settings;
};

struct manifest_error {
	unsigned int line;	/* where, counted from 1 */
	const char *what;	/* constant text */
};

/*
 * Parses @len bytes at @text into @m, which must be empty. Returns 0, -EINVAL
 * (with @err filled in) or -ENOMEM; @m is empty again if it failed.
 */
int manifest_parse(struct manifest *m, const char *text, size_t len, struct manifest_error *err);

/* Returns the text in memory of its own, which the caller frees, or NULL (no memory, or over
 * MANIFEST_MAX_SIZE: errno E2BIG). */
char *manifest_format(const struct manifest *m, size_t *len);

/*
 * Adds a layer on top. 0, -EINVAL (no layer name), -EEXIST (it is in the chain),
 * -E2BIG (MANIFEST_MAX_LAYERS) or -ENOMEM.
 */
int manifest_add_layer(struct manifest *m, const char *layer);
/* NULL: none. 0 or -ENOMEM. */
int manifest_set_base(struct manifest *m, const char *base);
/* The value belongs to the manifest; NULL: not set. */
const char *manifest_get(const struct manifest *m, const char *key);
/* NULL as the value removes the setting. 0, -EINVAL (malformed key or value) or -ENOMEM. */
int manifest_set(struct manifest *m, const char *key, const char *value);
/* The chain, the base and the settings of @from; nothing to write to. @to is empty, and is if it fails. */
int manifest_copy_chain(struct manifest *to, const struct manifest *from);
/* The same, with the writable layer. */
int manifest_copy(struct manifest *to, const struct manifest *from);
/* @to has the settings of @from then, and no others. Both: 0, -E2BIG or -ENOMEM. */
int manifest_copy_settings(struct manifest *to, const struct manifest *from);
void manifest_free(struct manifest *m);

/* Is @name of the form of a layer's name? */
int layer_name_valid(const char *name);

#endif /* DRE_COMMON_MANIFEST_H */
