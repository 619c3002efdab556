// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libvirt's domain of a container.
 */
#include <errno.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <linux/kvm.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/former.h"
#include "common/pull.h"
#include "console.h"
#include "group.h"
#include "job.h"
#include "sys.h"

/* Where libvirt keeps its definitions of machines. */
#define DEFINITIONS	"/etc/libvirt/qemu"

void sys_domain_name(const struct sys *sys, sys_domain_t name)
{
	snprintf(name, sizeof(sys_domain_t), SYS_DOMAIN_PREFIX "%s", sys->name);
}

int sys_each_domain(virConnectPtr libvirt, sys_domain_fn fn, void *arg)
{
	virDomainPtr *domains;
	int nr = virConnectListAllDomains(libvirt, &domains, 0);
	const char *name;
	char *metadata;
	bool ours;

	if (nr < 0)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "libvirt's domains");
	for (int i = 0; i < nr; i++) {
		name = virDomainGetName(domains[i]);
		metadata = strncmp(name, SYS_DOMAIN_PREFIX, strlen(SYS_DOMAIN_PREFIX)) != 0 ? NULL :
			   virDomainGetMetadata(domains[i], VIR_DOMAIN_METADATA_ELEMENT, SYS_NAMESPACE, 0);
		ours = metadata && dre_name_valid(name + strlen(SYS_DOMAIN_PREFIX));
		free(metadata);
		if (ours)
			fn(arg, domains[i], name + strlen(SYS_DOMAIN_PREFIX));
		virDomainFree(domains[i]);
	}
	free(domains);
	return 0;
}

/* One of that name which somebody else has made is left alone. */
static int check_ours(const struct sys *sys, const char *name)
{
	const char *wanted = manifest_get(sys_manifest(sys), SETTING_UUID);
	char uuid[VIR_UUID_STRING_BUFLEN];

	/* A damaged manifest says nothing. */
	if (!wanted)
		return 0;
	if (virDomainGetUUIDString(sys->domain, uuid) < 0)
		return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
	if (strcmp(uuid, wanted) != 0)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': libvirt's domain '%s' is somebody else's", sys->name,
				name);
	return 0;
}

static int find(struct sys *sys)
{
	sys_domain_t name;

	sys_domain_name(sys, name);
	sys->domain = virDomainLookupByName(sys->libvirt, name);
	if (sys->domain)
		return check_ours(sys, name);
	if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	return sys_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS, "container '%s'", sys->name);
}

int sys_look_up(struct sys *sys)
{
	int err = sys_connect(sys);

	if (err == DRE_ERR_DEVICE_BUSY)
		return DRE_ERR_CONTAINER_UNKNOWN_STATUS;
	return err ? err : find(sys);
}

/* A /dev/kvm may be there that cannot run anything: the processor, or the host's own host, decides. */
static int try_machine(int kvm)
{
	int machine = ioctl(kvm, KVM_CREATE_VM, 0);

	if (machine < 0)
		return -errno;
	close(machine);
	return 0;
}

/*
 * To make an empty machine and to end it takes longer than all else that is done to define a domain. What could do it
 * once can do it as long as it is the same device: one of the same module.
 */
static int check_kvm(void)
{
	static atomic_ulong good;	/* the device's inode; 0: none yet */
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), err = 0;
	struct stat st;

	if (kvm < 0)
		return -errno;
	if (fstat(kvm, &st))
		err = -errno;
	if (!err && st.st_ino != atomic_load(&good))
		err = try_machine(kvm);
	if (!err)
		atomic_store(&good, st.st_ino);
	close(kvm);
	return err;
}

int sys_check_vt(const struct sys *sys)
{
	int err = sys->config.sys.emulation ? 0 : check_kvm();

	return err ? dre_fail(DRE_ERR_NO_VT, "container '%s': /dev/kvm cannot run machines (%s), and dre.conf does not "
			      "allow emulation", sys->name, strerror(-err)) : 0;
}

/* The guest of a partition has it as its whole disk. */
static const char *cmdline_of(const struct dre_sys_config *config, const struct manifest *m)
{
	if (!*config->cmdline && manifest_get(m, SETTING_ROOTFS))
		return "root=/dev/vda rw console=ttyS0";
	return config->cmdline;
}

static int describe(const struct sys *sys, char **xml)
{
	const struct dre_sys_config *config = &sys->config.sys;
	const struct manifest *m = sys_manifest(sys);
	char disk[PATH_MAX], log[PATH_MAX], mac[PROPERTY_MAC_SIZE], partition[SYS_PARTITION_SIZE];
	sys_domain_t name;
	struct sys_machine machine = {
		.type = !check_kvm() ? "kvm" : "qemu",
		.name = name,
		.uuid = manifest_get(m, SETTING_UUID),
		.partition = partition,
		.memory = config->memory,
		.cpus = config->cpus,
		.disk = disk,
		.remote_disk = sys->shared,
		.network = config->network == DRE_SYS_NETWORK_LIBVIRT ? config->network_name : "",
		.bridge = config->network == DRE_SYS_NETWORK_BRIDGE ? config->network_name : "",
		.mac = sys_mac(m, mac),
		.log = log,
		.kernel = config->kernel,
		.initrd = config->initrd,
		.cmdline = cmdline_of(config, m),
	};
	int err;

	if (!machine.uuid || !machine.mac || !*m->writable)
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its manifest does not say what its machine is",
				sys->name);
	sys_domain_name(sys, name);
	sys_partition(sys->name, partition);
	err = sys_layer_path(sys, m->writable, disk);
	if (!err)
		err = sys_path(sys, CONSOLE_LOG, log);
	return err ? err : sys_machine_xml(&machine, xml);
}

/* Whoever has changed it last may not have come to its end. */
static bool is_disk_settled(const struct manifest *m)
{
	return !manifest_get(m, SETTING_FORMER) && !manifest_get(m, SETTING_PULL);
}

int sys_define(struct sys *sys)
{
	virDomainPtr domain;
	char *xml;
	int err;

	if (!is_disk_settled(sys_manifest(sys)) || sys_has_job(sys))
		return 0;
	err = describe(sys, &xml);
	if (err)
		return err;
	/* A host without control groups can have containers, but not start them. */
	sys_partition_make(sys->name);
	domain = virDomainDefineXML(sys->libvirt, xml);
	free(xml);
	if (!domain)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	if (sys->domain)
		virDomainFree(sys->domain);
	sys->domain = domain;
	if (sys->autostart)
		virDomainSetAutostart(domain, 1);
	return 0;
}

void sys_define_again(struct sys *sys)
{
	struct saved_error saved;

	if (sys->domain && virDomainIsPersistent(sys->domain) > 0)
		return;
	save_error(&saved);
	if (!sys_check_vt(sys))
		sys_define(sys);
	restore_error(&saved);
}

/*
 * When a machine that runs comes to another layer, libvirt writes its definition, also if it has none any more: then it
 * knows nothing of that file until it is started anew.
 *
 * Nor does libvirt wait until the disk has it that there is none, and what removes a layer, or gives it to a snapshot,
 * does: they may be in two file systems. A definition that is back after a power cut has a disk that is not the container's
 * any more, and virsh would write to it.
 */
static int remove_file(const struct sys *sys)
{
	int dir = open(DEFINITIONS, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	char file[sizeof(sys_domain_t) + sizeof(".xml")];
	sys_domain_t name;

	/* A libvirt that keeps them elsewhere. */
	if (dir < 0 && errno == ENOENT)
		return 0;
	sys_domain_name(sys, name);
	snprintf(file, sizeof(file), "%s.xml", name);
	if (dir < 0 || (unlinkat(dir, file, 0) < 0 && errno != ENOENT) || fsync(dir) < 0)
		err = dre_fail_errno(errno, "container '%s': %s", sys->name, DEFINITIONS);
	if (dir >= 0)
		close(dir);
	return err;
}

static int undefine(struct sys *sys)
{
	int autostart = 0;

	virDomainGetAutostart(sys->domain, &autostart);
	if (virDomainUndefineFlags(sys->domain, SYS_UNDEFINE_ALL) < 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	sys->autostart |= autostart;
	return 0;
}

int sys_remove_definition(struct sys *sys)
{
	int err = sys->domain && virDomainIsPersistent(sys->domain) != 0 ? undefine(sys) : 0;

	/* Also for somebody who was killed before. */
	return err ? err : remove_file(sys);
}

int sys_undefine(struct sys *sys)
{
	struct saved_error saved;
	int err = sys_remove_definition(sys);

	if (err || !sys->domain)
		return err;
	/* One that somebody else has just started is undefined, and runs on: from here on nobody can start it. */
	err = sys_require(sys, SYS_STOPPED, SYS_STOPPED);
	if (err) {
		save_error(&saved);
		if (!sys_configure(sys, sys_manifest(sys)))
			sys_define(sys);
		restore_error(&saved);
		return err;
	}
	virDomainFree(sys->domain);
	sys->domain = NULL;
	return 0;
}
