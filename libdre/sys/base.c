// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Base images.
 */
#include "common/base.h"
#include "common/base_debian.h"
#include "common/import_disk.h"
#include "sys.h"

void sys_report(void *progress, uint64_t done, uint64_t total)
{
	const struct sys_progress *p = progress;

	p->fn(p->arg, done, total);
}

dre_return_t dre_sys_import_base(const char *name, const char *source, dre_sys_progress progress,
				 void *arg)
{
	struct sys_progress p = { progress, arg };
	struct store *store = NULL;
	struct dre_config config;
	int err;

	if (!name || !source)
		return dre_fail(DRE_ERR_NULL_POINTER, "the base image's %s is NULL",
				name ? "source" : "name");
	err = dre_check_name("base image", name);
	if (!err)
		err = sys_open_store(&config, &store);
	if (!err)
		err = import_disk(store, name, source, progress ? sys_report : NULL, &p);
	store_close(store);
	return err;
}

static int check_build(const char *name, const dre_sys_build_options *options)
{
	int err;

	if (!name || !options || (options->size == sizeof(*options) && !options->suite))
		return dre_fail(DRE_ERR_NULL_POINTER, "the base image's %s NULL",
				!name ? "name is" : !options ? "options are" : "suite is");
	err = dre_check_name("base image", name);
	if (!err && (options->size != sizeof(*options) || options->verbose < 0 || options->verbose > 1))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "options for a base image that this library does not know");
	return err;
}

dre_return_t dre_sys_build_base(const char *name, const dre_sys_build_options *options,
				dre_sys_progress progress, void *arg)
{
	struct sys_progress p = { progress, arg };
	struct debian how = { .progress = progress ? sys_report : NULL, .arg = &p };
	struct store *store = NULL;
	struct dre_config config;
	int err = check_build(name, options);

	if (err)
		return err;
	how.suite = options->suite;
	how.packages = options->packages;
	how.mirror = options->mirror;
	how.disk = options->disk ?: BASE_DEBIAN_DISK_DEFAULT;
	how.verbose = options->verbose;
	err = sys_open_store(&config, &store);
	if (!err)
		err = base_build_debian_disk(store, name, &how);
	store_close(store);
	return err;
}

dre_return_t dre_sys_remove_base(const char *base)
{
	struct store *store = NULL;
	struct dre_config config;
	int err = dre_check_name("base image", base);

	if (!err)
		err = sys_open_store(&config, &store);
	if (!err) {
		err = base_remove(store, base);
		if (err == DRE_ERR_DEVICE_BUSY)
			err = DRE_ERR_REMOVE_BASE_FAILED;
	}
	store_close(store);
	return err;
}
