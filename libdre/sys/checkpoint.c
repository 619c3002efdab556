// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints of running containers, and restarts from them.
 *
 * What the container writes to becomes immutable, and the machine goes over to an empty layer at the moment that its
 * memory is saved of. The container's manifest has both layers before that: the new one is as empty as it was if the
 * machine never comes to it, so that the container is whole whichever of them the machine writes to, and
 * whoever is killed meanwhile. Only then is there a checkpoint, which no machine writes to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/checkpoint.h"
#include "common/snapshot.h"
#include "common/store_private.h"
#include "console.h"
#include "group.h"
#include "memory.h"
#include "shared.h"

static int memory_path(const struct checkpoint *cp, char path[PATH_MAX])
{
	const struct container *c = cp->container;

	if (snprintf(path, PATH_MAX, "%s/containers/%s/checkpoints/%s/memory", store_root(c->store), c->name,
		     cp->dir) < PATH_MAX)
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the image store is too long");
}

/* The layer that the machine writes to. */
static int find_layer(const struct sys *sys, layer_name_t layer)
{
	char *xml = virDomainGetXMLDesc(sys->domain, 0), *disk;
	char path[PATH_MAX];
	const char *name;
	int err;

	if (!xml)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
	err = sys_read_disk(sys->name, xml, &disk);
	free(xml);
	if (err)
		return err;
	name = strrchr(disk, '/');
	if (name && layer_name_valid(name + 1) && !sys_layer_path(sys, name + 1, path) && !strcmp(disk, path))
		strcpy(layer, name + 1);
	else
		err = dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
			       "container '%s': its machine writes to %s, which is no layer", sys->name, disk);
	free(disk);
	return err;
}

/* The machine has not gone over to the layer on top: the one below that is written to, as it was before. */
static int take_layer_back(const struct sys *sys)
{
	struct container *c = sys->container;
	struct manifest m = {};
	int err = manifest_copy_chain(&m, &c->manifest);

	if (err)
		return dre_fail_errno(-err, "container '%s'", sys->name);
	strcpy(m.writable, m.layers[--m.nr_layers]);
	err = container_exchange(c, &m);
	manifest_free(&m);
	return err;
}

static bool is_top(const struct manifest *m, const char *layer)
{
	return m->nr_layers > 1 && !strcmp(m->layers[m->nr_layers - 1], layer);
}

/* Somebody was killed before the machine went over to another layer. */
static int settle_layer(const struct sys *sys)
{
	const struct manifest *m = &sys->container->manifest;
	layer_name_t layer;
	int err = find_layer(sys, layer);

	if (err || !strcmp(layer, m->writable))
		return err;
	if (!is_top(m, layer))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its machine writes to layer %s, which is not its own",
				sys->name, layer);
	err = store_change_begin(sys->store);
	return err ? err : store_change_end(sys->store, true, take_layer_back(sys));
}

/*
 * It is not known why it failed, and perhaps not where: with both layers the container is whole in any case, and
 * with an empty one too many if the machine did not go over to that.
 */
static void take_back(struct sys *sys)
{
	struct saved_error saved;
	layer_name_t layer;

	save_error(&saved);
	if (sys_state(sys) == SYS_STOPPED || find_layer(sys, layer) ||
	    !is_top(&sys->container->manifest, layer) || take_layer_back(sys))
		sys_define(sys);
	restore_error(&saved);
}

static int save(struct sys *sys, struct checkpoint *cp, const struct sys_progress *progress)
{
	struct container *c = sys->container;
	char file[PATH_MAX], disk[PATH_MAX];
	struct manifest next = {};
	bool garbage;
	int err;

	err = manifest_add_layer(&cp->manifest, c->manifest.writable);
	if (!err)
		err = manifest_copy_chain(&next, &cp->manifest);
	err = err ? dre_fail_errno(-err, "checkpoint '%s'", cp->tag) : memory_path(cp, file);
	if (!err)
		err = snapshot_give(c, &next, &garbage);
	manifest_free(&next);
	if (err)
		return err;
	err = sys_layer_path(sys, c->manifest.writable, disk);
	if (!err)
		err = sys_mark(sys->name, SYS_MARK_SAVE);
	if (!err)
		err = sys_memory_save(sys, file, disk, progress);
	/* Else who comes next looks what has become of it. */
	if (!err || sys_state(sys) == SYS_RUNNING)
		sys_unmark(sys->name, SYS_MARK_SAVE);
	if (err)
		take_back(sys);
	return err;
}

static int checkpoint(struct sys *sys, const char *tag, const struct sys_progress *progress)
{
	struct checkpoint cp;
	int err = settle_layer(sys);

	if (!err)
		err = sys_shorten(sys);
	if (!err)
		err = checkpoint_begin(&cp, sys->container, tag);
	if (err)
		return err;
	err = save(sys, &cp, progress);
	if (err) {
		checkpoint_abandon(&cp);
		return err;
	}
	/* libvirt has written into its definition what it found below the layer. */
	sys_define(sys);
	return checkpoint_publish(&cp);
}

dre_return_t dre_sys_checkpoint_with(const dre_sys_handle *h, const char *tag, dre_sys_progress progress,
				     void *arg)
{
	const struct sys_progress p = { progress, arg };
	struct sys sys;
	int err = sys_begin_tag(&sys, h, "checkpoint", tag);

	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_RUNNING);
	if (!err)
		err = dre_fail_as(checkpoint(&sys, tag, &p), DRE_ERR_SAVE_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_checkpoint(const dre_sys_handle *h, const char *tag)
{
	return dre_sys_checkpoint_with(h, tag, NULL, NULL);
}

/* There is nothing of the machine, and no domain that names a layer while another one becomes that. */
static int clear(struct sys *sys)
{
	int err = sys_state(sys) == SYS_STOPPED ? 0 : sys_switch_off(sys);

	if (!err)
		err = sys_settle(sys);
	return err ? err : sys_undefine(sys);
}

/* The container as it was, but stopped. */
static void undo(struct sys *sys, struct manifest *old)
{
	struct saved_error saved;

	save_error(&saved);
	if (!clear(sys) && !container_exchange(sys->container, old))
		sys_define(sys);
	restore_error(&saved);
}

/* The container has the checkpoint's disk. */
static int restore(struct sys *sys, const char *file, const char *described)
{
	char disk[PATH_MAX], log[PATH_MAX], *xml = NULL;
	const struct sys_location location = { .disk = disk, .remote = sys->shared, .log = log };
	int err = sys_layer_path(sys, sys->container->manifest.writable, disk);

	if (!err)
		err = sys_path(sys, CONSOLE_LOG, log);
	if (!err)
		err = sys_relocate(sys->name, described, &location, &xml);
	if (!err)
		err = sys_prepare(sys);
	if (!err)
		err = sys_memory_restore(sys, file, xml);
	free(xml);
	return err ? err : sys_let_run(sys);
}

static int verify(const struct sys *sys, const struct checkpoint *cp)
{
	char what[sizeof("checkpoint ''") + DRE_NAME_MAX];

	snprintf(what, sizeof(what), "checkpoint '%s'", cp->tag);
	return layers_verify(sys->store, what, &cp->manifest, manifest_get(sys_manifest(sys), SETTING_ROOTFS));
}

/* Nothing writes to its layers any more: as long as a machine ran it might have. */
static int clear_and_verify(struct sys *sys, const struct checkpoint *cp)
{
	struct saved_error saved;
	int err = clear(sys);

	if (err)
		return err;
	err = verify(sys, cp);
	if (err) {
		save_error(&saved);
		sys_define(sys);
		restore_error(&saved);
	}
	return err;
}

/* Within a change: what the container has had is there until it is known that it is not needed any more. */
static int replace(struct sys *sys, const struct checkpoint *cp, const char *file, const char *described)
{
	struct manifest m = {};
	bool garbage;
	int err = manifest_copy_chain(&m, &cp->manifest);

	/* Settings are of the container, not of what is in it. */
	if (!err)
		err = manifest_copy_settings(&m, &sys->container->manifest);
	err = err ? dre_fail_errno(-err, "checkpoint '%s'", cp->tag) : clear_and_verify(sys, cp);
	if (!err) {
		err = snapshot_give(sys->container, &m, &garbage);
		if (err)
			sys_define(sys);
		else
			err = restore(sys, file, described);
		if (err && *m.writable)
			undo(sys, &m);
	}
	manifest_free(&m);
	return err;
}

static int restart(struct sys *sys, const char *tag)
{
	struct checkpoint cp;
	char file[PATH_MAX], *described = NULL;
	int err = checkpoint_open(&cp, sys->container, tag);

	if (err)
		return err;
	err = memory_path(&cp, file);
	/* What is damaged does not cost the machine that runs. */
	if (!err)
		err = sys_memory_describe(sys, file, &described);
	if (!err)
		err = verify(sys, &cp);
	if (!err)
		err = store_change_begin(sys->store);
	if (!err)
		err = store_change_end(sys->store, true, replace(sys, &cp, file, described));
	free(described);
	checkpoint_close(&cp);
	return err;
}

dre_return_t dre_sys_restart(const dre_sys_handle *h, const char *tag)
{
	struct sys sys;
	int err = sys_begin_tag(&sys, h, "checkpoint", tag);

	if (err)
		return err;
	err = sys_require(&sys, SYS_RUNNING, SYS_STOPPED);
	if (!err)
		err = sys_check_start(&sys);
	if (!err)
		err = dre_fail_as(restart(&sys, tag), DRE_ERR_LOAD_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_remove_checkpoint(const dre_sys_handle *h, const char *tag)
{
	struct sys sys;
	int err = sys_begin_tag(&sys, h, "checkpoint", tag);

	if (err)
		return err;
	err = dre_fail_as(checkpoint_remove(sys.container, tag), DRE_ERR_REMOVE_SNAPSHOT_FAILED);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_get_checkpoint_list(const dre_sys_handle *h, dre_list_t *list)
{
	return sys_list_of(h, checkpoint_list, list);
}
