// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints of running containers, and restarts from them.
 *
 * What the container writes to becomes immutable, and the machine goes over to an empty layer at the moment that its
 * memory is saved of. The container's manifest has both layers before that: the new one is as empty as it was if the
 * machine never comes to it, so that the container is whole whichever of them the machine writes to, and
 * whoever is killed meanwhile. Only then is there a checkpoint, which no machine writes to. Meanwhile libvirt has no
 * definition of the machine: after a power cut it would have one with the wrong layer.
 *
 * Who goes back to a checkpoint gives the container its layers before there is a machine that writes to them. Until
 * that runs the manifest has the former ones, too, see common/former.h, and nobody else can start a machine: if somebody
 * is killed meanwhile, whoever looks at the container next finds a machine that has run, or gives them back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/checkpoint.h"
#include "common/former.h"
#include "common/pull.h"
#include "common/qcow2.h"
#include "common/snapshot.h"
#include "common/store_private.h"
#include "console.h"
#include "group.h"
#include "job.h"
#include "memory.h"
#include "shared.h"

/* How long libvirtd is waited for that has ended meanwhile: it may just be started again. Microseconds. */
#define CONNECT_INTERVAL	100000
#define CONNECT_TRIES		100

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

/* Does it write to the layer below that on top, and will it? @layer is what it writes to. */
static int look_at_layer(const struct sys *sys, layer_name_t layer, bool *below)
{
	const struct manifest *m = &sys->container->manifest;
	int err = find_layer(sys, layer);

	*below = false;
	if (err || !strcmp(layer, m->writable))
		return err;
	if (!is_top(m, layer))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its machine writes to layer %s, which is not its own", sys->name, layer);
	/* A libvirt that was killed, too, did not learn of it. */
	if (sys_has_open(sys, m->writable))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its machine has layer %s open, of which libvirt knows nothing: stop it",
				sys->name, m->writable);
	*below = true;
	return 0;
}

/*
 * Somebody was killed before the machine went over to another layer. libvirt was told to give that up, see sys_begin(),
 * but may be past the point: as long as it is at it the machine may go over to what would be taken back.
 */
static int settle_layer(struct sys *sys)
{
	layer_name_t layer;
	bool below;
	int err = sys_wait_for_job(sys);

	if (!err)
		err = look_at_layer(sys, layer, &below);
	if (err || !below)
		return err;
	err = sys_remove_definition(sys);
	if (!err)
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
	bool below;

	save_error(&saved);
	if (sys_state(sys) != SYS_STOPPED && sys_is_at_rest(sys) && !look_at_layer(sys, layer, &below) && below)
		take_layer_back(sys);
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
		err = sys_remove_definition(sys);
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

static int make(struct sys *sys, const char *tag, const struct sys_progress *progress)
{
	struct checkpoint cp;
	int err = checkpoint_begin(&cp, sys->container, tag);

	if (err)
		return err;
	err = save(sys, &cp, progress);
	if (err) {
		checkpoint_abandon(&cp);
		return err;
	}
	return checkpoint_publish(&cp);
}

static int checkpoint(struct sys *sys, const char *tag, const struct sys_progress *progress)
{
	int err = settle_layer(sys);

	/* Somebody who was killed may have told libvirt to suspend it meanwhile. */
	if (!err)
		err = sys_require(sys, SYS_RUNNING, SYS_RUNNING);
	if (!err)
		err = sys_shorten(sys);
	if (!err)
		err = make(sys, tag, progress);
	sys_define_again(sys);
	return err;
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

static int look_again(struct sys *sys)
{
	sys_disconnect(sys);
	return sys_look_up(sys);
}

static int reconnect(struct sys *sys)
{
	int err, tries = 0;

	do {
		if (tries)
			usleep(CONNECT_INTERVAL);
		err = look_again(sys);
	} while (err && ++tries < CONNECT_TRIES);
	return err;
}

/* The container as it was, but stopped. If that cannot be now, whoever looks at it next sees to it. */
static void undo(struct sys *sys)
{
	struct saved_error saved;

	save_error(&saved);
	if ((virConnectIsAlive(sys->libvirt) == 1 || !reconnect(sys)) && !clear(sys) &&
	    !former_take_back(sys->container))
		sys_define(sys);
	restore_error(&saved);
}

/* Where another host may have written to parts, as it came from there, it is the next one, see console.h. */
static int find_log(const struct sys *sys, char log[PATH_MAX])
{
	char name[CONSOLE_NAME_SIZE], newest[PATH_MAX];
	int err;

	console_newest(sys->container->dir_fd, name, sizeof(name));
	err = sys_path(sys, name, newest);
	if (err || !strcmp(name, CONSOLE_LOG))
		return err ? err : sys_path(sys, CONSOLE_LOG, log);
	return sys_next_log(sys, newest, log);
}

/* The container has the checkpoint's disk. */
static int restore(struct sys *sys, const char *file, const char *described)
{
	char disk[PATH_MAX], log[PATH_MAX], *xml = NULL;
	const struct sys_location location = { .disk = disk, .remote = sys->shared, .log = log };
	int err = sys_layer_path(sys, sys->container->manifest.writable, disk);

	if (!err)
		err = find_log(sys, log);
	if (!err)
		err = sys_relocate(sys->name, described, &location, &xml);
	if (!err)
		err = sys_prepare(sys);
	if (!err)
		err = sys_memory_restore(sys, file, xml);
	free(xml);
	/* The machine that came of it. */
	if (!err)
		err = look_again(sys);
	return err ? err : sys_let_run(sys);
}

static int verify(const struct sys *sys, const struct checkpoint *cp)
{
	char what[sizeof("checkpoint ''") + DRE_NAME_MAX];

	snprintf(what, sizeof(what), "checkpoint '%s'", cp->tag);
	return layers_verify(sys->store, what, &cp->manifest, manifest_get(sys_manifest(sys), SETTING_ROOTFS));
}

/*
 * Nothing writes to its layers any more: as long as a machine ran it might have. What the container is made of is
 * known, also if libvirt was about to make its layers fewer.
 */
static int clear_and_verify(struct sys *sys, const struct checkpoint *cp)
{
	int err = clear(sys);

	if (err)
		return err;
	err = verify(sys, cp);
	if (!err)
		err = pull_undo(sys->container);
	if (err)
		sys_define_again(sys);
	return err;
}

/* Settings are of the container, not of what is in it. */
static int give(struct sys *sys, const struct checkpoint *cp)
{
	struct container *c = sys->container;
	struct manifest m = {};
	bool garbage;
	int err = manifest_copy_chain(&m, &cp->manifest);

	if (!err)
		err = manifest_copy_settings(&m, &c->manifest);
	if (!err)
		err = former_set(&m, &c->manifest);
	err = err ? dre_fail_errno(-err, "checkpoint '%s'", cp->tag) : snapshot_give(c, &m, &garbage);
	manifest_free(&m);
	if (err)
		sys_define_again(sys);
	return err;
}

/* Within a change. */
static int replace(struct sys *sys, const struct checkpoint *cp, const char *file, const char *described)
{
	int err = clear_and_verify(sys, cp);

	if (!err)
		err = give(sys, cp);
	if (err)
		return err;
	err = restore(sys, file, described);
	if (err)
		undo(sys);
	else if (!former_forget(sys->container))	/* if that fails whoever looks at it next does it */
		sys_define(sys);
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

static int is_unwritten(const struct sys *sys, bool *unwritten)
{
	const char *layer = sys->container->manifest.writable;
	int fd = layer_open(sys->store, layer), err;

	err = fd < 0 ? -errno : qcow2_is_unwritten(fd, unwritten);
	if (fd >= 0)
		close(fd);
	return err ? dre_fail_errno(-err, "container '%s': layers/%s", sys->name, layer) : 0;
}

/*
 * What somebody asked libvirt for who was killed it may have come to only now: of the layer that is gone, it has not
 * run. What it has not come to yet it cannot do any more.
 */
static int end_late(struct sys *sys)
{
	int err = look_again(sys);

	return err || sys_state(sys) == SYS_STOPPED ? err : sys_switch_off(sys);
}

/*
 * The machine has run: it does, or it has come to an end since and has written something. Or it has not: there is
 * none, and nothing is lost with the layer that it would have written to.
 */
static int settle_former(struct sys *sys)
{
	enum sys_state state;
	bool unwritten = false;
	int err;

	if (!manifest_get(sys_manifest(sys), SETTING_FORMER))
		return 0;
	err = look_again(sys);
	if (err)
		return err;
	state = sys_state(sys);
	if (state == SYS_UNKNOWN)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
	/* Whoever changes it next switches it off. */
	if (state != SYS_STOPPED && state != SYS_RUNNING && sys_is_marked(sys->name, SYS_MARK_START))
		return 0;
	if (state == SYS_STOPPED)
		err = is_unwritten(sys, &unwritten);
	if (!err && unwritten)
		err = sys_undefine(sys);
	if (!err)
		err = store_change_begin(sys->store);
	if (err)
		return err;
	/* On a full disk the machine can be stopped nevertheless: whatever is written next has forgotten it, too. */
	if (unwritten)
		err = former_take_back(sys->container);
	else
		former_forget(sys->container);
	err = store_change_end(sys->store, true, err);
	if (!err && unwritten)
		err = end_late(sys);
	return !err && sys_state(sys) == SYS_STOPPED ? sys_settle(sys) : err;
}

int sys_settle_restart(struct sys *sys)
{
	int err;

	if (!manifest_get(sys_manifest(sys), SETTING_FORMER))
		return 0;
	if (sys->container)
		return settle_former(sys);
	err = sys_lock_to_settle(sys);
	if (!sys->container)
		return err;
	settle_former(sys);
	sys_keep_manifest(sys);
	return 0;
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
