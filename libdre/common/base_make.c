// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base_private.h"
#include "fail.h"
#include "names.h"
#include "store_private.h"

static int fail_exists(const char *name)
{
	return dre_fail(DRE_ERR_BASE_EXISTENCE, "there is a base image '%s' already", name);
}

static int fill_layer(struct store *s, const char *name, const char *layer, base_fill_fn fill,
		      void *arg, struct manifest *m)
{
	int fd = layer_open(s, layer);
	int ret;

	if (fd < 0)
		return dre_fail_errno(errno, "cannot open layer %s/layers/%s", s->root, layer);
	/* An archive need not have a member for its top. */
	if (s->kind->trees && fchmod(fd, 0755) < 0)
		ret = dre_fail_errno(errno, "cannot make base image '%s'", name);
	else
		ret = fill(arg, fd);
	if (!ret)
		ret = s->kind->describe(fd, name, m);
	close(fd);
	return ret;
}

/* @garbage: what was made for it is perhaps still there. */
static int make(struct store *s, const char *name, base_fill_fn fill, void *arg, bool *garbage)
{
	struct manifest m = { 0 };
	bool published = false;
	layer_name_t layer;
	int ret;

	ret = layer_create(s, NULL, layer);
	if (ret)
		return ret;
	ret = fill_layer(s, name, layer, fill, arg, &m);
	if (!ret)
		ret = layer_sync(s, layer, true);
	if (!ret && manifest_add_layer(&m, layer))
		ret = dre_fail_errno(ENOMEM, "cannot make base image '%s'", name);
	if (!ret)
		ret = store_publish_manifest(s, s->bases_fd, name, &m, DRE_ERR_BASE_EXISTENCE,
					     "base image", &published);
	if (ret)
		*garbage = published || !layer_discard(s, layer);
	manifest_free(&m);
	return ret;
}

int base_make(struct store *s, const char *name, base_fill_fn fill, void *arg)
{
	bool garbage = false;
	int ret;

	ret = dre_check_name("base image", name);
	if (ret)
		return ret;
	/* Soon, before much is written. It is looked again at the end. */
	if (!faccessat(s->bases_fd, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return fail_exists(name);
	ret = store_change_begin(s);
	if (ret)
		return ret;
	ret = make(s, name, fill, arg, &garbage);
	return store_change_end(s, garbage, ret);
}
