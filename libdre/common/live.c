// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "former.h"
#include "live.h"
#include "store_private.h"

int names_add(struct names *names, const char *layer)
{
	layer_name_t *grown;
	size_t room;

	if (names->nr == names->room) {
		room = names->room ? 2 * names->room : 64;
		grown = reallocarray(names->layers, room, sizeof(*grown));
		if (!grown)
			return dre_fail_errno(ENOMEM, "cannot collect");
		names->layers = grown;
		names->room = room;
	}
	strcpy(names->layers[names->nr++], layer);
	return 0;
}

static int compare_layers(const void *a, const void *b)
{
	return memcmp(a, b, LAYER_NAME_LEN);
}

void names_sort(struct names *names)
{
	if (names->nr)
		qsort(names->layers, names->nr, sizeof(*names->layers), compare_layers);
}

bool names_has(const struct names *names, const char *layer)
{
	return names->nr &&
	       bsearch(layer, names->layers, names->nr, sizeof(*names->layers), compare_layers);
}

static int add_chain(struct live *live, const struct manifest *m)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < m->nr_layers && !ret; i++)
		ret = names_add(&live->layers, m->layers[i]);
	if (!ret && *m->writable)
		ret = names_add(&live->layers, m->writable);
	if (!ret && *m->writable)
		ret = names_add(&live->writable, m->writable);
	return ret;
}

int live_add(struct live *live, const struct manifest *m)
{
	struct manifest former = {};
	int err = former_get(m, &former), ret;

	if (err)
		return dre_fail_errno(-err, "cannot collect: what a container was made of");
	ret = add_chain(live, m);
	if (!ret)
		ret = add_chain(live, &former);
	manifest_free(&former);
	return ret;
}

void live_sort(struct live *live)
{
	names_sort(&live->layers);
	names_sort(&live->writable);
}

void live_free(struct live *live)
{
	free(live->layers.layers);
	free(live->writable.layers);
	*live = (struct live){};
}

bool live_is_garbage(const char *entry, const struct names *names)
{
	/* Whatever else there is was not put there by us ("lost+found", ".nfs0123"). */
	if (!strncmp(entry, STORE_TMP, strlen(STORE_TMP)))
		return true;
	return names && layer_name_valid(entry) && !names_has(names, entry);
}
