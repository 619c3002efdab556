// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"
#include "fail.h"
#include "lock.h"
#include "names.h"
#include "store_private.h"

int base_read(struct store *s, const char *name, struct manifest *m)
{
	char path[sizeof("bases/") + DRE_NAME_MAX];
	int ret;

	ret = dre_check_name("base image", name);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "bases/%s", name);
	ret = store_read_manifest(s, path, DRE_ERR_INVALID_ARGUMENT, m);
	if (ret && faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return dre_fail(DRE_ERR_BASE_NONEXISTENCE, "there is no base image '%s'", name);
	if (!ret && (!m->nr_layers || *m->writable)) {
		manifest_free(m);
		ret = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "%s/%s is not the manifest of a base image", s->root, path);
	}
	return ret;
}

static int is_of(void *name, const struct manifest *m)
{
	return m->base && !strcmp(m->base, name);
}

int base_in_use(struct store *s, const char *name, bool *in_use)
{
	int ret;

	ret = dre_check_name("base image", name);
	if (ret)
		return ret;
	ret = store_each_manifest(s, MANIFESTS_ALL & ~MANIFESTS_BASES, is_of, (void *)name);
	if (ret < 0)
		return ret;
	*in_use = ret;
	return 0;
}

/* Under LOCK_NAMES, so that no container is made from it meanwhile. */
static int remove_unused(struct store *s, const char *name, bool *removed)
{
	bool in_use;
	int ret;

	ret = base_in_use(s, name, &in_use);
	if (ret)
		return ret;
	if (in_use)
		return dre_fail(DRE_ERR_REMOVE_BASE_FAILED,
				"a container, a snapshot or a checkpoint was made from base image '%s'", name);
	if (unlinkat(s->bases_fd, name, 0) < 0)
		return errno == ENOENT ? dre_fail(DRE_ERR_BASE_NONEXISTENCE,
						  "there is no base image '%s'", name) :
		       dre_fail_errno(errno, "cannot remove base image '%s'", name);
	*removed = true;
	return fsync(s->bases_fd) < 0 ? dre_fail_errno(errno, "cannot remove base image '%s'",
						       name) : 0;
}

int base_remove(struct store *s, const char *name)
{
	bool removed = false;
	int ret;

	ret = dre_check_name("base image", name);
	if (!ret)
		ret = store_change_begin(s);
	if (ret)
		return ret;
	ret = lock_wait(s->lock_fd, LOCK_NAMES, F_WRLCK);
	if (ret) {
		ret = dre_fail_errno(-ret, "cannot lock the store %s", s->root);
	} else {
		ret = remove_unused(s, name, &removed);
		lock_release(s->lock_fd, LOCK_NAMES);
	}
	return store_change_end(s, removed, ret);
}
