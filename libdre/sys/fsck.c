// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Collecting what nothing names, and looking at the store as a whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/fsck.h"
#include "group.h"
#include "memory.h"
#include "shared.h"

struct fsck_call {
	dre_sys_fsck_fn fn;
	void *arg;
	struct sys sys;		/* the store, and the connection */
	struct store *shared;
	bool repair;
};

static void report(void *arg, const char *path, const char *what, bool repaired)
{
	const dre_sys_problem problem = { .path = path, .what = what, .repaired = repaired };
	const struct fsck_call *call = arg;

	call->fn(call->arg, &problem);
}

static bool is_off(virDomainPtr domain)
{
	int state;

	return virDomainGetState(domain, &state, NULL, 0) == 0 &&
	       (state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED);
}

struct search {
	const char *container;
	bool off;
};

static void look(void *arg, virDomainPtr domain, const char *container)
{
	struct search *search = arg;

	if (!strcmp(container, search->container) && !is_off(domain))
		search->off = false;
}

/* It cannot be opened, because its manifest is damaged; libvirt tells. */
static bool stopped(void *arg, const char *container)
{
	const struct fsck_call *call = arg;
	struct search search = { container, true };

	return !sys_each_domain(call->sys.libvirt, look, &search) && search.off;
}

/* What a start by somebody else would write to. */
static void check_definition(struct fsck_call *call, struct sys *sys)
{
	char path[sizeof("containers//manifest") + DRE_NAME_MAX], wanted[PATH_MAX], *xml, *disk = NULL;
	bool right;

	xml = virDomainGetXMLDesc(sys->domain, VIR_DOMAIN_XML_INACTIVE);
	right = xml && !sys_read_disk(sys->name, xml, &disk) &&
		!sys_layer_path(sys, sys->container->manifest.writable, wanted) && !strcmp(disk, wanted);
	free(xml);
	free(disk);
	if (right)
		return;
	snprintf(path, sizeof(path), "containers/%s/manifest", sys->name);
	report(call, path, "libvirt's domain has another disk than the writable layer",
	       call->repair && !sys_define(sys));
}

/* With all that there is of it. */
static bool remove_domain(virDomainPtr domain, const char *container)
{
	return is_off(domain) && !sys_partition_remove(container) &&
	       virDomainUndefineFlags(domain, SYS_UNDEFINE_ALL) >= 0;
}

static void check_domain(void *arg, virDomainPtr domain, const char *container)
{
	char path[sizeof("containers/") + DRE_NAME_MAX];
	struct fsck_call *call = arg;
	struct sys sys;
	int err = sys_begin(&sys, container, SYS_CHANGE);

	if (!err && sys_state(&sys) == SYS_STOPPED && sys.domain)
		check_definition(call, &sys);
	if (!err)
		sys_end(&sys);
	if (err != DRE_ERR_CONTAINER_NONEXISTENCE)
		return;	/* somebody changes it, or it was reported */
	snprintf(path, sizeof(path), "containers/%s", container);
	report(call, path, "libvirt has a domain for it, and there is no such container",
	       call->repair && remove_domain(domain, container));
}

static void report_shared(void *arg, const char *path, const char *what, bool repaired)
{
	const struct fsck_call *call = arg;
	char *whole;

	if (asprintf(&whole, "%s/%s", store_root(call->shared), path) < 0)
		return report(arg, path, what, repaired);
	report(arg, whole, what, repaired);
	free(whole);
}

/* What runs there only other hosts know: nothing is set aside. A server that is not mounted has not been used. */
static int check_shared(struct fsck_call *call)
{
	const struct fsck fsck = { .repair = call->repair, .problem = report_shared, .arg = call };
	int err;

	if (!sys_shared_mounted(&call->sys.config))
		return 0;
	err = sys_open_shared(&call->sys.config, &call->shared);
	if (err)
		return err;
	err = store_fsck(call->shared, &fsck);
	store_close(call->shared);
	return err;
}

static int check_all(struct fsck_call *call, unsigned int flags)
{
	const struct fsck fsck = {
		.repair = flags & DRE_SYS_FSCK_REPAIR,
		.set_aside = flags & DRE_SYS_FSCK_SET_ASIDE,
		.problem = report,
		.stopped = stopped,
		.arg = call,
	};
	int err = sys_connect(&call->sys);

	if (!err)
		err = store_fsck(call->sys.store, &fsck);
	if (!err)
		err = sys_each_domain(call->sys.libvirt, check_domain, call);
	return err ? err : check_shared(call);
}

dre_return_t dre_sys_fsck(unsigned int flags, dre_sys_fsck_fn fn, void *arg)
{
	struct fsck_call call = { .fn = fn, .arg = arg, .repair = flags & DRE_SYS_FSCK_REPAIR };
	int err;

	if (!fn)
		return dre_fail(DRE_ERR_NULL_POINTER, "the function that problems are reported to is NULL");
	if (flags & ~(DRE_SYS_FSCK_REPAIR | DRE_SYS_FSCK_SET_ASIDE))
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "flags %#x are not known", flags);
	err = sys_open_store(&call.sys.config, &call.sys.store);
	if (!err)
		err = check_all(&call, flags);
	sys_end(&call.sys);
	return err;
}

/* Of @store's containers. Another machine of such a name is none. */
static int remove_leftovers(struct store *store, struct store *shared)
{
	struct container *c;
	char **names, **name;
	int err = store_list_containers(store, &names);

	if (err)
		return err;
	for (name = names; *name; name++) {
		if (!container_is_there(shared, *name) || container_lock(&c, store, *name))
			continue;
		sys_remove_leftover(c, shared);
		container_unlock(c);
	}
	store_free_list(names);
	return 0;
}

/* They came with a container: nobody imports any there. What is in use is refused. */
static int remove_unused_bases(struct store *shared)
{
	char **names, **name;
	int err = store_list_bases(shared, &names);

	if (err)
		return err;
	for (name = names; *name; name++)
		base_remove(shared, *name);
	store_free_list(names);
	return 0;
}

/* What killed moves have left, and all else that nothing names. Others may be at it. */
static int collect_shared(const struct dre_config *config, struct store *store)
{
	struct store *shared = NULL;
	int err;

	if (!sys_shared_mounted(config))
		return 0;
	err = sys_open_shared(config, &shared);
	if (err)
		return err;
	err = remove_leftovers(store, shared);
	if (!err)
		err = remove_unused_bases(shared);
	if (!err)
		err = store_gc(shared, NULL);
	store_close(shared);
	return err;
}

dre_return_t dre_sys_gc(void)
{
	struct dre_config config;
	struct store *store = NULL;
	bool busy = false;
	int err = sys_open_store(&config, &store);

	if (!err)
		err = store_gc(store, &busy);
	if (!err)
		err = collect_shared(&config, store);
	if (!err && busy)
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "somebody changes the store %s",
			       store_root(store));
	store_close(store);
	return err;
}
