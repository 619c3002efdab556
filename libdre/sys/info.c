// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a container is made of.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/info.h"
#include "console.h"
#include "shared.h"

static void add_path(struct info *info, const struct sys *sys, const char *key, const char *file)
{
	char path[PATH_MAX];

	if (sys_path(sys, file, path))
		info->err = ENAMETOOLONG;
	else
		info_add(info, "%s=%s", key, path);
}

static void add_log(struct info *info, const struct sys *sys)
{
	char path[PATH_MAX], name[CONSOLE_NAME_SIZE] = CONSOLE_LOG;
	int dir = sys_path(sys, "", path) ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0) {
		console_newest(dir, name, sizeof(name));
		close(dir);
	}
	add_path(info, sys, "log", name);
}

/* How large the guest sees it, and what the writable layer takes here. */
static void add_disk(struct info *info, const struct sys *sys, const struct manifest *m)
{
	unsigned long long size = 0;
	char path[PATH_MAX];
	struct stat st;

	if (sys_layer_path(sys, m->writable, path)) {
		info->err = ENAMETOOLONG;
		return;
	}
	info_add(info, "writable=%s", path);
	if (!sys_disk_size(sys, &size))
		info_add(info, "disk_size=%llu", size);
	if (!stat(path, &st))
		info_add(info, "disk_used=%llu", st.st_blocks * 512ULL);
}

static void collect(struct info *info, const struct sys *sys)
{
	const struct manifest *m = sys_manifest(sys);
	const char *uuid = manifest_get(m, SETTING_UUID), *rootfs = manifest_get(m, SETTING_ROOTFS);
	const char *owner = manifest_get(m, SETTING_OWNER);
	char mac[PROPERTY_MAC_SIZE];
	sys_domain_t domain;

	sys_domain_name(sys, domain);
	info_add(info, "base=%s", m->base ? m->base : "");
	info_add(info, "rootfs=%s", rootfs ? rootfs : "");
	info_add(info, "store=%s", store_root(sys->store));
	info_add(info, "owner=%s", sys->shared && owner ? owner : "");
	info_add(info, "libvirt=%s", sys->config.sys.libvirt);
	info_add(info, "domain=%s", domain);
	info_add(info, "uuid=%s", uuid ? uuid : "");
	info_add(info, "mac=%s", sys_mac(m, mac) ? mac : "");
	info_add_layers(info, m);
	add_disk(info, sys, m);
	add_log(info, sys);
	info_add_times(info, sys->store, sys->name);
	info_add_settings(info, m);
}

dre_return_t dre_sys_get_info(const dre_sys_handle *h, dre_list_t *list)
{
	struct info info = {};
	struct sys sys;
	int err;

	if (!h || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				h ? "pointer to the list" : "container's handle");
	err = sys_begin_reading(&sys, h);
	if (err)
		return err;
	collect(&info, &sys);
	err = info_end(&info, "container", sys.name, list);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_get_base_info(const char *base, dre_list_t *list)
{
	struct store *store = NULL;
	struct dre_config config;
	int err;

	if (!base || !list)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s is NULL",
				base ? "pointer to the list" : "base image's name");
	err = dre_check_name("base image", base);
	if (!err)
		err = sys_open_store(&config, &store);
	if (!err)
		err = info_of_base(store, base, list);
	store_close(store);
	return err;
}

dre_return_t dre_sys_release_info(dre_list_t list)
{
	return store_release_list(list);
}
