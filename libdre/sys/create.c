// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Creating and destroying containers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "group.h"
#include "shared.h"

/* @memory: the smallest size that it may have. */
static int check_data(const dre_sys_data *data, int memory)
{
	if (data->type != DRE_SYS_CONTAINER_TYPE_KVM)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "container type %d is not known",
				data->type);
	if (data->udata.kvm.memory_size < memory)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "a machine with %d MiB of memory is none",
				data->udata.kvm.memory_size);
	if (data->udata.kvm.rootfs && data->udata.kvm.base)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"a container is made from a base image or a partition (rootfs), not from both");
	return data->udata.kvm.base ? dre_check_name("base image", data->udata.kvm.base) : 0;
}

/* Version 4. */
int sys_choose_uuid(char text[VIR_UUID_STRING_BUFLEN])
{
	unsigned char uuid[VIR_UUID_BUFLEN];
	char *end = text;

	if (getrandom(uuid, sizeof(uuid), 0) != sizeof(uuid))
		return -errno;
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(uuid); i++)
		end += sprintf(end, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
	return 0;
}

static int set_settings(struct manifest *settings, const dre_sys_data *data,
			const dre_sys_property *properties)
{
	char uuid[VIR_UUID_STRING_BUFLEN], memory[12];
	int err = sys_choose_uuid(uuid);

	snprintf(memory, sizeof(memory), "%d", data->udata.kvm.memory_size);
	if (!err)
		err = manifest_set(settings, SETTING_UUID, uuid);
	if (!err && data->udata.kvm.memory_size)
		err = manifest_set(settings, SETTING_MEMORY, memory);
	if (!err && data->udata.kvm.rootfs)
		err = manifest_set(settings, SETTING_ROOTFS, data->udata.kvm.rootfs);
	if (err == -EINVAL)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the partition is not printable");
	if (err)
		return dre_fail_errno(-err, "the container's settings");
	return properties ? sys_put_properties(settings, properties) : 0;
}

static int fail_no_base(const struct sys *sys)
{
	if (container_check_exists(sys->store, sys->name) != DRE_ERR_CONTAINER_NONEXISTENCE)
		return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "there is a container '%s' already",
				sys->name);
	return dre_fail(DRE_ERR_BASE_NONEXISTENCE, "no base image is given, and dre.conf names none");
}

/* The store's part, which makes the container exist. */
static int create_stored(struct sys *sys, const dre_sys_data *data, const struct manifest *settings)
{
	const char *base = data->udata.kvm.base ? data->udata.kvm.base : sys->config.sys.base;

	if (data->udata.kvm.rootfs)
		return sys_create_on_partition(sys, data->udata.kvm.rootfs, settings);
	if (!*base)
		return fail_no_base(sys);
	return container_create(&sys->container, sys->store, sys->name, base, settings, NULL);
}

/* libvirt gets to know of it at once, where it can run: a start tells it again. */
static int define(struct sys *sys)
{
	int err;

	if (sys_check_vt(sys))
		return 0;
	err = sys_connect(sys);
	return err ? err : sys_define(sys);
}

static int create(struct sys *sys, const dre_sys_data *data, const dre_sys_property *properties)
{
	struct manifest settings = {};
	struct saved_error saved;
	int err = set_settings(&settings, data, properties);

	if (!err)
		err = sys_configure(sys, &settings);
	if (!err)
		err = create_stored(sys, data, &settings);
	manifest_free(&settings);
	if (err)
		return err;
	err = sys_fit_disk(sys, true);
	if (!err)
		err = define(sys);
	if (err) {
		save_error(&saved);
		/* As long as the container is there somebody can remove what is left of it. */
		sys_partition_remove(sys->name);
		if (container_remove(sys->container) == 0)
			sys->container = NULL;
		restore_error(&saved);
	}
	return err;
}

static int create_with(const char *name, const dre_sys_data *data, const dre_sys_property *properties)
{
	struct sys sys = {};
	int err;

	strcpy(sys.name, name);
	err = sys_open_store(&sys.config, &sys.store);
	if (!err)
		err = sys_check_name_free(&sys.config, sys.shared, name);
	if (!err)
		err = create(&sys, data, properties);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_create_container(const char *name, const dre_sys_data *data)
{
	int err;

	if (!name || !data)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's %s is NULL",
				name ? "configuration" : "name");
	err = dre_check_name("container", name);
	if (!err)
		err = check_data(data, 1);
	return err ? err : create_with(name, data, NULL);
}

dre_return_t dre_sys_create_container_with(const char *name, const dre_sys_data *data,
					   const dre_sys_create_options *options)
{
	int err;

	if (!name || !data || !options)
		return dre_fail(DRE_ERR_NULL_POINTER, "the container's %s NULL",
				!name ? "name is" : !data ? "configuration is" : "options are");
	err = dre_check_name("container", name);
	if (!err)
		err = check_data(data, 0);
	if (!err && options->size != sizeof(*options))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT,
			       "options for a container that this library does not know");
	if (!err && options->properties)
		err = sys_check_properties(options->properties);
	return err ? err : create_with(name, data, options->properties);
}

dre_return_t dre_sys_destroy_container(const char *name)
{
	struct sys sys;
	int err = sys_begin(&sys, name, SYS_REMOVE);

	if (err)
		return err;
	err = sys_require(&sys, SYS_STOPPED, SYS_STOPPED);
	if (!err)
		err = sys_settle_move(&sys);
	if (!err)
		err = sys_undefine(&sys);
	if (!err)
		err = sys_partition_remove(sys.name);
	if (!err)
		err = sys.shared ? sys_remove_shared(sys.container) : container_remove(sys.container);
	if (!err)
		sys.container = NULL;
	sys_end(&sys);
	return err;
}
