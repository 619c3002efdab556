// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The network device of a machine: a TAP device in a bridge of the host, or of a network of libvirt.
 */
#include <errno.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/property.h"
#include "sys.h"

/*
 * What stays as long as the machine is the same one, and differs from that of all others: QEMU's
 * prefix, and the end of the uuid, which is random.
 */
const char *sys_mac(const struct manifest *m, char text[PROPERTY_MAC_SIZE])
{
	const char *set = manifest_get(m, SETTING_MAC), *uuid = manifest_get(m, SETTING_UUID);
	size_t len = uuid ? strlen(uuid) : 0;

	if (set && !property_check_mac(set))
		snprintf(text, PROPERTY_MAC_SIZE, "%s", set);
	else if (len >= 6)
		snprintf(text, PROPERTY_MAC_SIZE, "52:54:00:%.2s:%.2s:%.2s", uuid + len - 6, uuid + len - 4,
			 uuid + len - 2);
	else
		return NULL;
	return text;
}

static int check_tun(const struct sys *sys)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return dre_fail(DRE_ERR_NO_TAP_AVAILABLE,
				"container '%s': no TAP device can be made: /dev/net/tun: %s", sys->name,
				strerror(errno));
	close(fd);
	return 0;
}

static int check_bridge(const struct sys *sys, const char *name)
{
	char path[sizeof("/sys/class/net//bridge") + DRE_NAME_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	if (!access(path, F_OK))
		return 0;
	return dre_fail(DRE_ERR_NO_TAP_AVAILABLE, "container '%s': there is no bridge '%s' on this host",
			sys->name, name);
}

/*
 * Whether there is one is a matter of the host at this moment, and not of what the caller said: it may be
 * defined, and started, at any time.
 */
static int check_libvirt(const struct sys *sys, const char *name)
{
	virNetworkPtr network = virNetworkLookupByName(sys->libvirt, name);
	int active;

	if (!network && virGetLastErrorCode() == VIR_ERR_NO_NETWORK)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': libvirt has no network '%s'",
				sys->name, name);
	active = network ? virNetworkIsActive(network) : -1;
	if (network)
		virNetworkFree(network);
	if (active < 0)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s': network '%s'", sys->name, name);
	if (!active)
		return dre_fail(DRE_ERR_DEVICE_BUSY,
				"container '%s': libvirt's network '%s' is not active; "
				"'virsh net-start' starts it", sys->name, name);
	return 0;
}

int sys_check_network(const struct sys *sys)
{
	const struct dre_sys_config *config = &sys->config.sys;
	int err;

	if (config->network == DRE_SYS_NETWORK_NONE)
		return 0;
	err = check_tun(sys);
	if (err)
		return err;
	return config->network == DRE_SYS_NETWORK_BRIDGE ? check_bridge(sys, config->network_name) :
							   check_libvirt(sys, config->network_name);
}
