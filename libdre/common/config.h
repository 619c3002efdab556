/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The operator's configuration, /etc/dre/dre.conf. dre.conf in this directory
 * is the file as it is shipped and says what each key means.
 */
#ifndef DRE_COMMON_CONFIG_H
#define DRE_COMMON_CONFIG_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "names.h"

enum dre_network {
	DRE_NETWORK_EMPTY,	/* a network namespace with a loopback device only */
	DRE_NETWORK_NONE,	/* the same, and that device is down */
	DRE_NETWORK_HOST,	/* the host's network */
	DRE_NETWORK_BRIDGE,	/* a veth pair into the bridge that .bridge names */
};

#define DRE_CORES_SIZE	512

/* Of a container as a whole; 0 and "": none. */
struct dre_limits {
	unsigned long long cpu;		/* percent of one CPU */
	char cores[DRE_CORES_SIZE];	/* a list of CPUs */
	unsigned long long memory;	/* bytes */
	unsigned long long memsw;	/* bytes of memory and swap together */
	unsigned long long pids;	/* processes and threads */
};

enum dre_sys_network {
	DRE_SYS_NETWORK_NONE,
	DRE_SYS_NETWORK_LIBVIRT,	/* the network of libvirt that .network_name names */
	DRE_SYS_NETWORK_BRIDGE,		/* a TAP device in the bridge that it names */
};

/* An NFS server that hosts share containers on. */
struct dre_nfs_config {
	char server[256];		/* "": there is none */
	char export[PATH_MAX];		/* what it exports, absolute */
	char mount[PATH_MAX];		/* where that is mounted here */
	char options[256];		/* and how, see nfs(5) */
};

/* Section "sys": system containers. */
struct dre_sys_config {
	char base[DRE_NAME_MAX + 1];	/* default base image; "": none */
	char store[PATH_MAX];		/* root of the image store, absolute */
	char libvirt[256];		/* URI of the connection */
	bool emulation;			/* run machines also where there is no KVM, slowly */
	unsigned int cpus;		/* of each machine */
	unsigned int memory;		/* of each machine, in MiB */
	unsigned long long disk;	/* bytes that each disk has at least, 0: those that its base has */
	enum dre_sys_network network;
	char network_name[DRE_NAME_MAX + 1];	/* "" where there is none */
	unsigned int halt_timeout;	/* seconds that a machine has to power off */
	char kernel[PATH_MAX];		/* booted in place of what the disk has, "": none */
	char initrd[PATH_MAX];
	char cmdline[1024];		/* that kernel's arguments */
	struct dre_nfs_config nfs;	/* the shared store */
	char migration_uri[256];	/* of another host's libvirt; "%s" is the host */
	bool migration_tls;		/* what goes over to it is encrypted */
	unsigned int immigration_timeout;	/* how long a machine is waited for, in seconds */
};

/* The AppArmor profile that comes with D-RE, and the word for none. */
#define DRE_APPARMOR_PROFILE	"dre-container"
#define DRE_APPARMOR_NONE	"unconfined"
#define DRE_SECCOMP_NONE	"unconfined"

struct dre_config {
	char base[DRE_NAME_MAX + 1];	/* default base image */
	char store[PATH_MAX];		/* root of the image store, absolute */
	bool privileged;		/* default kind of container: without a user namespace? */
	unsigned int stop_timeout;	/* seconds for termination in good order */
	unsigned int halt_timeout;	/* seconds for init after that */
	enum dre_network network;
	char bridge[IFNAMSIZ];		/* "" unless .network is DRE_NETWORK_BRIDGE */
	char apparmor[256];		/* the AppArmor profile of containers */
	char seccomp[PATH_MAX];		/* the file of their seccomp filter, absolute, or DRE_SECCOMP_NONE */
	struct dre_limits limits;
	uint32_t idmap_base;		/* first host id that user namespaces may use */
	uint32_t idmap_size;		/* ids of each user namespace */
	struct dre_sys_config sys;
};

/*
 * Fills @cfg with the defaults and what the file says. A missing file is no
 * error. The environment variable DRE_CONF names another file, which must
 * exist; it is ignored in programs that run with raised privileges
 * (secure_getenv(3)). An unknown key or a bad value: DRE_ERR_INVALID_ARGUMENT,
 * with file and line in the error text.
 */
int dre_config_load(struct dre_config *cfg);

/*
 * One value of it, by its section and key. What is wrong with the value, as in "port IS OUT OF
 * RANGE", or NULL. What came of an earlier value is gone.
 */
const char *dre_config_set(struct dre_config *cfg, const char *section, const char *key,
			   const char *value);

/* Is there such a key in that section? */
bool dre_config_has(const char *section, const char *key);

/* Options of a stop, which are in place of the timeouts. @known: they have the size that this library knows. */
int dre_config_check_stop(bool known, int kill, int timeout);

/*
 * The value in the words of the file, for the keys that are also properties of containers: network,
 * apparmor, the timeouts, limits, cpus, memory and disk; NULL for others. @text is room for it.
 */
#define DRE_VALUE_SIZE	(DRE_CORES_SIZE + 1)

const char *dre_config_get(const struct dre_config *cfg, const char *section, const char *key,
			   char text[DRE_VALUE_SIZE]);

#endif /* DRE_COMMON_CONFIG_H */
