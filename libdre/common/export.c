// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * overlayfs itself says what is in a chain, as in flatten.c.
 */
#include <dre.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "export.h"
#include "fail.h"
#include "rootfs.h"
#include "store_private.h"
#include "tar.h"

/* @m has a writable layer. */
static int export(struct store *s, const char *name, const struct manifest *m,
		  const struct export *to)
{
	struct tar_source source = {
		.entry = ".",
		.member = ".",
		.what = name,
		.compression = to->compression,
		.progress = to->progress,
		.arg = to->arg,
	};
	int ret = rootfs_mount_detached(s, name, m, &source.dir);

	if (ret)
		return ret;
	ret = tar_pack(&source, to->fd);
	close(source.dir);
	return ret;
}

/*
 * With an empty layer on top, because overlayfs wants two. As long as the change lasts the base's
 * own are not collected, also if it is removed meanwhile.
 */
static int export_chain(struct store *s, const char *name, struct manifest *m,
			const struct export *to, bool *garbage)
{
	int ret = layer_create(s, m->layers[m->nr_layers - 1], m->writable);

	if (ret)
		return ret;
	ret = export(s, name, m, to);
	*garbage = !layer_discard(s, m->writable);
	return ret;
}

int export_base(struct store *s, const char *name, const struct export *to)
{
	struct manifest m = {};
	bool garbage = false;
	int ret;

	ret = tar_check_compression(to->compression);
	if (!ret)
		ret = store_change_begin(s);
	if (ret)
		return ret;
	ret = base_read(s, name, &m);
	if (!ret)
		ret = export_chain(s, name, &m, to, &garbage);
	manifest_free(&m);
	return store_change_end(s, garbage, ret);
}

int export_container(struct container *c, const struct export *to)
{
	int ret = tar_check_compression(to->compression);

	return ret ? ret : export(c->store, c->name, &c->manifest, to);
}
