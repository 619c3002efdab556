// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Creating and destroying containers, and importing base images.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "common/base.h"
#include "common/base_debian.h"
#include "common/import.h"
#include "common/limit.h"
#include "limits.h"
#include "network.h"

static int check_data(const dre_app_data *data)
{
	if (data->type != DRE_APP_CONTAINER_TYPE_LXC)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container type %d is not known",
				data->type);
	if (data->udata.lxc.port < 0 || data->udata.lxc.port > 65535)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "port %d is not between 0 and 65535",
				data->udata.lxc.port);
	return 0;
}

/* The size that the options had in the library's first version, whose programs still run. */
#define FIRST_SIZE	offsetof(dre_app_create_options, properties)

/* As they are now; what an older program does not know of is zero. */
static int read_options(const dre_app_create_options *given, dre_app_create_options *options)
{
	*options = (dre_app_create_options){};
	if (given->size != sizeof(*options) && given->size != FIRST_SIZE)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"options for a container that this library does not know");
	memcpy(options, given, given->size);
	if (options->privileged < -1 || options->privileged > 1)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"options for a container that this library does not know");
	return options->properties ? app_check_properties(options->properties) : 0;
}

static int add_settings(struct manifest *settings, const dre_app_data *data,
			const dre_app_create_options *options)
{
	char port[12];
	int err = 0;

	snprintf(port, sizeof(port), "%d", data->udata.lxc.port);
	if (data->udata.lxc.port)
		err = manifest_set(settings, SETTING_PORT, port);
	if (err)
		return dre_fail_errno(-err, "the container's settings");
	err = network_choose_mac(settings);
	if (err)
		return err;
	return options->properties ? app_put_properties(settings, options->properties) : 0;
}

/* Before a base image is made for nothing; container_create() decides. */
static int check_name_free(const struct app *app)
{
	struct manifest m = {};
	int err = container_read(app->store, app->name, &m);

	manifest_free(&m);
	if (err == DRE_ERR_CONTAINER_NONEXISTENCE)
		return 0;
	return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "container '%s' exists", app->name);
}

/* The store's part, which makes the container exist, and then liblxc's. */
static int create(struct app *app, const dre_app_data *data,
		  const dre_app_create_options *options)
{
	struct idmap pool = { app->config.idmap_base, app->config.idmap_size };
	const char *base = data->udata.lxc.base ? data->udata.lxc.base : app->config.base;
	bool privileged = options->privileged ? options->privileged > 0 : app->config.privileged;
	struct manifest settings = {};
	int err = check_name_free(app);

	if (!err)
		err = add_settings(&settings, data, options);
	if (!err)
		err = app_configure(&app->config, app->name, &settings);
	if (!err)
		err = limits_check(app->name, &app->config.limits);
	if (!err)
		err = base_ensure(app->store, base);
	if (!err)
		err = container_create(&app->container, app->store, app->name, base, &settings,
				       privileged ? NULL : &pool);
	manifest_free(&settings);
	if (err)
		return err;
	err = app_write_lxc(app, &app->container->manifest);
	if (err) {
		struct saved_error saved;

		save_error(&saved);
		app_remove_lxc(app->store, app->name);
		if (container_remove(app->container) == 0)
			app->container = NULL;
		restore_error(&saved);
	}
	return err;
}

dre_return_t dre_app_create_container_with(const char *name, const dre_app_data *data,
					   const dre_app_create_options *given)
{
	dre_app_create_options options;
	struct app app = {};
	int err;

	if (!name || !data || !given)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's %s NULL",
				!name ? "name is" : !data ? "configuration is" : "options are");
	err = dre_check_name("container", name);
	if (!err)
		err = check_data(data);
	if (!err && data->udata.lxc.base)
		err = dre_check_name("base image", data->udata.lxc.base);
	if (!err)
		err = read_options(given, &options);
	if (err)
		return err;
	strcpy(app.name, name);
	err = app_open_store(&app.config, &app.store);
	if (!err)
		err = create(&app, data, &options);
	app_end(&app);
	return err;
}

dre_return_t dre_app_create_container(const char *name, const dre_app_data *data)
{
	static const dre_app_create_options defaults = { .size = sizeof(defaults) };

	return dre_app_create_container_with(name, data, &defaults);
}

dre_return_t dre_app_destroy_container(const char *name)
{
	struct app app;
	int err = app_begin(&app, name, APP_REMOVE);

	if (err)
		return err;
	err = app_require(&app, APP_STOPPED, APP_STOPPED);
	if (!err)
		err = app_remove_lxc(app.store, app.name);
	if (!err)
		err = container_remove(app.container);
	if (!err)
		app.container = NULL;
	app_end(&app);
	return err;
}

void app_report(void *progress, uint64_t done, uint64_t total)
{
	const struct app_progress *p = progress;

	p->fn(p->arg, done, total);
}

dre_return_t dre_app_import_base(const char *name, const char *source,
				 dre_app_progress progress, void *arg)
{
	struct app_progress p = { progress, arg };
	struct store *store = NULL;
	struct dre_config config;
	int err;

	if (!name || !source)
		return dre_fail(DRE_ERR_NULL_POINTER, "the base image's %s is NULL",
				name ? "source" : "name");
	err = dre_check_name("base image", name);
	if (!err)
		err = app_open_store(&config, &store);
	if (!err)
		err = import_base(store, name, source, progress ? app_report : NULL, &p);
	store_close(store);
	return err;
}

dre_return_t dre_app_build_base(const char *name, const dre_app_build_options *options,
				dre_app_progress progress, void *arg)
{
	struct app_progress p = { progress, arg };
	struct debian how = { .progress = progress ? app_report : NULL, .arg = &p };
	struct store *store = NULL;
	struct dre_config config;
	int err;

	if (!name || !options || (options->size == sizeof(*options) && !options->suite))
		return dre_fail(DRE_ERR_NULL_POINTER, "the base image's %s NULL",
				!name ? "name is" : !options ? "options are" : "suite is");
	err = dre_check_name("base image", name);
	if (!err && (options->size != sizeof(*options) || options->verbose < 0 ||
		     options->verbose > 1))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "options for a base image that this library does not know");
	if (err)
		return err;
	how.suite = options->suite;
	how.packages = options->packages;
	how.mirror = options->mirror;
	how.verbose = options->verbose;
	err = app_open_store(&config, &store);
	if (!err)
		err = base_build_debian(store, name, &how);
	store_close(store);
	return err;
}
