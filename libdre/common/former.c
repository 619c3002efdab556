// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "former.h"

int former_set(struct manifest *m, const struct manifest *former)
{
	char *text = malloc((former->nr_layers + 1) * (LAYER_NAME_LEN + 1)), *end = text;
	int err;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < former->nr_layers; i++) {
		end = stpcpy(end, former->layers[i]);
		*end++ = ' ';
	}
	strcpy(end, former->writable);
	err = manifest_set(m, SETTING_FORMER, text);
	free(text);
	return err;
}

int former_get(const struct manifest *m, struct manifest *former)
{
	const char *text = manifest_get(m, SETTING_FORMER);
	layer_name_t layer = "";
	int err = 0;

	if (!text)
		return 0;
	for (; !err && strlen(text) > LAYER_NAME_LEN && text[LAYER_NAME_LEN] == ' '; text += LAYER_NAME_LEN + 1) {
		memcpy(layer, text, LAYER_NAME_LEN);
		err = manifest_add_layer(former, layer);
	}
	if (!err && (!former->nr_layers || !layer_name_valid(text)))
		err = -EINVAL;
	if (err) {
		manifest_free(former);
		return err == -ENOMEM ? err : -EINVAL;
	}
	strcpy(former->writable, text);
	return 0;
}

int former_take_back(struct container *c)
{
	struct manifest m = {};
	int err = former_get(&c->manifest, &m);

	if (!err && c->manifest.base)
		err = manifest_set_base(&m, c->manifest.base);
	if (!err)
		err = manifest_copy_settings(&m, &c->manifest);
	if (!err)
		err = manifest_set(&m, SETTING_FORMER, NULL);
	err = err ? dre_fail_errno(-err, "container '%s'", c->name) : container_exchange(c, &m);
	manifest_free(&m);
	return err;
}

int former_forget(struct container *c)
{
	int err = manifest_set(&c->manifest, SETTING_FORMER, NULL);

	return err ? dre_fail_errno(-err, "container '%s'", c->name) : container_commit(c);
}
