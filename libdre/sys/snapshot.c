// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Snapshots of stopped containers, and base images made of them.
 */
#include "common/base.h"
#include "common/snapshot.h"
#include "shared.h"

static int begin(struct sys *sys, const dre_sys_handle *h, const char *tag)
{
	int err = sys_begin_tag(sys, h, "snapshot", tag);

	if (err)
		return err;
	err = sys_require(sys, SYS_STOPPED, SYS_STOPPED);
	if (err)
		sys_end(sys);
	return err;
}

/*
 * Another layer becomes the one that is written to: until that is so there is no domain. Whoever was
 * killed meanwhile has left none, either. If it cannot be defined again the next start does it.
 */
int sys_change_layer(struct sys *sys, int (*fn)(struct sys *sys, void *arg), void *arg)
{
	struct saved_error saved;
	int err = sys_undefine(sys);

	if (!err)
		err = fn(sys, arg);
	if (!sys->domain) {
		save_error(&saved);
		sys_define(sys);
		restore_error(&saved);
	}
	return err;
}

static int save(struct sys *sys, void *tag)
{
	return snapshot_save(sys->container, tag);
}

static int load(struct sys *sys, void *tag)
{
	return snapshot_load(sys->container, tag);
}

dre_return_t dre_sys_save_snapshot(const dre_sys_handle *h, const char *tag)
{
	struct sys sys;
	int err = begin(&sys, h, tag);

	if (err)
		return err;
	err = dre_fail_as(sys_change_layer(&sys, save, (void *)tag), DRE_ERR_SAVE_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_load_snapshot(const dre_sys_handle *h, const char *tag)
{
	struct sys sys;
	int err = begin(&sys, h, tag);

	if (err)
		return err;
	err = dre_fail_as(sys_change_layer(&sys, load, (void *)tag), DRE_ERR_LOAD_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_remove_snapshot(const dre_sys_handle *h, const char *tag)
{
	struct sys sys;
	int err = begin(&sys, h, tag);

	if (err)
		return err;
	err = dre_fail_as(snapshot_remove(sys.container, tag), DRE_ERR_REMOVE_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

/* Base images are a host's own. */
static int check_local(const struct sys *sys)
{
	return sys->shared ? dre_fail(DRE_ERR_COMMIT_SNAPSHOT_FAILED,
				      "container '%s' is in the shared store, which has no base images of its own: unshare it first",
				      sys->name) : 0;
}

dre_return_t dre_sys_commit_snapshot(const dre_sys_handle *h, const char *tag, const char *base)
{
	struct sys sys;
	int err;

	if (!base)
		return dre_fail(DRE_ERR_NULL_POINTER, "the base image's name is NULL");
	err = h && tag ? dre_check_name("base image", base) : 0;
	if (!err)
		err = begin(&sys, h, tag);
	if (err)
		return err;
	err = check_local(&sys);
	if (!err)
		err = dre_fail_as(snapshot_commit(sys.container, tag, base), DRE_ERR_COMMIT_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_get_snapshot_list(const dre_sys_handle *h, dre_list_t *list)
{
	return sys_list_of(h, snapshot_list, list);
}
