// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A disk with many layers becomes one with half as many while its machine runs, see common/pull.h.
 */
#include <string.h>
#include <unistd.h>

#include "common/pull.h"
#include "common/snapshot.h"
#include "common/store_private.h"
#include "group.h"
#include "sys.h"

/* How often it is looked whether libvirt has come to the end. Microseconds. */
#define LOOK_INTERVAL	100000

/* libvirt does that in the background, also for somebody who was killed meanwhile. */
static int wait_for_job(const struct sys *sys)
{
	virDomainBlockJobInfo info;
	int ret;

	while ((ret = virDomainGetBlockJobInfo(sys->domain, SYS_DISK, &info, 0)) > 0)
		usleep(LOOK_INTERVAL);
	return ret < 0 ? sys_fail(DRE_ERR_DEVICE_BUSY, "the disk of container '%s'", sys->name) : 0;
}

/* The names in the headers have no directory, and are to have none: the store may be moved. */
static int run_job(const struct sys *sys, const char *layer)
{
	char path[PATH_MAX];
	int err = sys_layer_path(sys, layer, path);

	if (err)
		return err;
	if (virDomainBlockRebase(sys->domain, SYS_DISK, path, 0, VIR_DOMAIN_BLOCK_REBASE_RELATIVE) < 0)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "the disk of container '%s'", sys->name);
	return wait_for_job(sys);
}

/*
 * QEMU writes all that it has when its machine stands still. It does not say if it cannot: then it keeps that and tries
 * again, as it does after a flush of the guest's.
 */
static int flush(void *arg)
{
	const struct sys *sys = arg;
	int err = sys_require(sys, SYS_RUNNING, SYS_RUNNING);

	if (!err)
		err = sys_mark(sys->name, SYS_MARK_SAVE);
	if (err)
		return err;
	if (virDomainSuspend(sys->domain) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "the disk of container '%s'", sys->name);
	if (sys_state(sys) == SYS_SUSPENDED && virDomainResume(sys->domain) < 0)
		err = sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s' stands still", sys->name);
	/* Else who comes next lets it go on. */
	if (sys_state(sys) == SYS_RUNNING)
		sys_unmark(sys->name, SYS_MARK_SAVE);
	return err;
}

/* What cannot be told may still be there. */
static bool has_job(const struct sys *sys)
{
	virDomainBlockJobInfo info;

	return virDomainGetBlockJobInfo(sys->domain, SYS_DISK, &info, 0) != 0;
}

static int fail_pull(const struct sys *sys, int err)
{
	struct container *c = sys->container;
	struct saved_error saved;

	if (!err)
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': its %zu layers have not become fewer", sys->name,
			       c->manifest.nr_layers);
	save_error(&saved);
	if (!has_job(sys))
		pull_end(c);
	restore_error(&saved);
	return err;
}

static int pull(struct sys *sys, size_t nr)
{
	struct container *c = sys->container;
	struct saved_error saved;
	layer_name_t layer;
	int ret, err;

	strcpy(layer, c->manifest.layers[nr - 1]);
	err = pull_begin(c, layer);
	if (err)
		return err;
	/* If the machine ends before all is settled, nobody starts it but a manager, who undoes what was not. */
	err = sys_remove_definition(sys);
	if (!err)
		err = run_job(sys, layer);
	/* libvirt has written one. */
	if (!err)
		err = sys_remove_definition(sys);
	save_error(&saved);
	ret = pull_settle(c, flush, sys);
	if (err)
		restore_error(&saved);
	if (c->manifest.nr_layers > nr)
		return fail_pull(sys, err ? err : ret);
	return ret;
}

int sys_shorten(struct sys *sys)
{
	const struct manifest *m = &sys->container->manifest;
	size_t max = sys->store->kind->max_layers < snapshot_max_layers ? sys->store->kind->max_layers :
		     snapshot_max_layers;
	struct saved_error saved;
	int err;

	if (m->nr_layers < max && !pull_layer(m))
		return 0;
	/* That of somebody who was killed. */
	err = wait_for_job(sys);
	if (!err)
		err = sys_remove_definition(sys);
	if (!err)
		err = pull_settle(sys->container, flush, sys);
	if (!err && m->nr_layers >= max)
		err = pull(sys, m->nr_layers / 2);
	/* Anew: with what libvirt has found below the layer, and where there was none meanwhile, if all is settled. */
	save_error(&saved);
	sys_define(sys);
	restore_error(&saved);
	return err;
}
