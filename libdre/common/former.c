// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "former.h"
#include "store.h"

/* Of a manifest: 0600 is what each begins with. */
#define MODE_FORGOTTEN	0400

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

int former_forget_in_place(struct store *s, const char *name)
{
	char path[sizeof("containers//manifest") + DRE_NAME_MAX];
	int fd, err = 0;

	snprintf(path, sizeof(path), "containers/%s/manifest", name);
	fd = openat(store_root_fd(s), path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, MODE_FORGOTTEN) || fsync(fd))
		err = dre_fail_errno(errno, "%s/%s", store_root(s), path);
	if (fd >= 0)
		close(fd);
	return err;
}

int former_forget(struct container *c)
{
	int err = manifest_set(&c->manifest, SETTING_FORMER, NULL);

	err = err ? dre_fail_errno(-err, "container '%s'", c->name) : container_commit(c);
	return err && former_forget_in_place(c->store, c->name) ? err : 0;
}

bool former_is_forgotten(mode_t mode)
{
	return (mode & 07777) == MODE_FORGOTTEN;
}
