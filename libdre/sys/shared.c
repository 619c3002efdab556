// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which store has a container, and which host.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base.h"
#include "migration.h"
#include "shared.h"

static struct utsname uts;

static void read_uts(void)
{
	uname(&uts);
}

const char *sys_host(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_uts);
	return uts.nodename;
}

int sys_name_failure(int err)
{
	return dre_fail_as(err, DRE_ERR_NFS_MOUNT_FAILED);
}

bool sys_is_absent(const struct store *store, const char *name)
{
	char path[sizeof("containers/") + DRE_NAME_MAX];

	snprintf(path, sizeof(path), "containers/%s", name);
	return faccessat(store_root_fd(store), path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

int sys_open_store_of(struct dre_config *config, const char *name, struct store **store, bool *shared)
{
	struct store *other = NULL;
	int err = sys_open_store(config, store);

	*shared = false;
	if (err || !*config->sys.nfs.server || !sys_is_absent(*store, name))
		return err;
	err = sys_open_shared(config, &other);
	if (err) {
		store_close(*store);
		*store = NULL;
		return err;
	}
	*shared = !sys_is_absent(other, name);
	if (*shared) {
		store_close(*store);
		*store = other;
	} else {
		store_close(other);
	}
	return 0;
}

bool sys_is_moving(const struct manifest *m)
{
	const char *moving = manifest_get(m, SETTING_MOVING);

	return moving && !strcmp(moving, "yes");
}

int sys_mark_moving(struct container *c, const char *moving)
{
	int err = manifest_set(&c->manifest, SETTING_MOVING, moving);

	return err ? dre_fail_errno(-err, "container '%s'", c->name) : container_commit(c);
}

/* Whoever moved it does not any more: its lock is ours. */
static int end_move(struct container *c)
{
	return sys_is_moving(&c->manifest) ? sys_mark_moving(c, NULL) : 0;
}

int sys_check_owner(struct sys *sys)
{
	const char *owner;
	struct printable p;

	if (!sys->shared)
		return 0;
	owner = manifest_get(sys_manifest(sys), SETTING_OWNER);
	/* libvirt tells whether it has come. */
	if (sys_is_arriving(sys_manifest(sys)))
		return 0;
	if (!owner || strcmp(owner, sys_host()) != 0)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s' belongs to host '%s'", sys->name,
				owner ? dre_printable(&p, owner) : "?");
	return sys->container ? end_move(sys->container) : 0;
}

int sys_check_name_free(const struct dre_config *config, bool shared, const char *name)
{
	struct store *other = NULL;
	bool taken;
	int err;

	/* What is local does not need a server that does not answer. */
	if (!shared && !sys_shared_answers(config))
		return 0;
	err = shared ? store_open(&other, config->sys.store, &layer_disk) : sys_open_shared(config, &other);
	if (err)
		return err;
	taken = container_is_there(other, name);
	if (taken)
		dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "there is a container '%s' in %s already", name,
			 store_root(other));
	store_close(other);
	return taken ? DRE_ERR_CONTAINER_EXISTENCE : 0;
}

static bool is_same_machine(const struct manifest *a, const struct manifest *b)
{
	const char *first = manifest_get(a, SETTING_UUID), *second = manifest_get(b, SETTING_UUID);

	return first && second && !strcmp(first, second);
}

int sys_remove_shared(struct container *c)
{
	char *base = c->manifest.base ? strdup(c->manifest.base) : NULL;
	struct store *store = c->store;
	struct saved_error saved;
	int err = container_remove(c);

	if (!err && base) {
		save_error(&saved);
		base_remove(store, base);	/* refused while others are made from it */
		restore_error(&saved);
	}
	free(base);
	return err;
}

int sys_remove_leftover(const struct container *c, struct store *shared)
{
	struct container *other;
	const char *owner;
	int err;

	if (sys_is_absent(shared, c->name))
		return 0;
	err = container_lock(&other, shared, c->name);
	if (err)
		return sys_name_failure(err);
	owner = manifest_get(&other->manifest, SETTING_OWNER);
	if (is_same_machine(&c->manifest, &other->manifest) && owner && !strcmp(owner, sys_host()) &&
	    sys_is_moving(&other->manifest))
		err = sys_remove_shared(other);
	else
		err = dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "there is another container '%s' in %s already",
			       c->name, store_root(shared));
	if (err)
		container_unlock(other);
	return sys_name_failure(err);
}

/* Without that it would be the container, as soon as there is no local one. */
int sys_settle_move(struct sys *sys)
{
	struct store *shared = NULL;
	int err;

	if (sys->shared || !sys_is_moving(sys_manifest(sys)))
		return 0;
	err = sys_open_shared(&sys->config, &shared);
	if (err)
		return err;
	err = sys_remove_leftover(sys->container, shared);
	if (err == DRE_ERR_CONTAINER_EXISTENCE)	/* another one, which has come since */
		err = 0;
	if (!err)
		err = sys_mark_moving(sys->container, NULL);
	store_close(shared);
	return err;
}
