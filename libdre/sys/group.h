/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control groups of system containers. They and their limits are settings in the manifest:
 *
 *	cgroup_0 ui cpu=25 cores=0-3,5
 *	cgroup_1 . memory=1073741824 memsw=2147483648
 *
 * "." is the machine as a whole, and is there only if it has limits. The cgroups are made of them
 * when the machine runs, and end with it.
 *
 * libvirt's partition of the machine is the outer cgroup: the machine's own is in it, and the named ones
 * beside that. It stays as long as libvirt has a domain: virsh cannot start that without it.
 */
#ifndef DRE_SYS_GROUP_H
#define DRE_SYS_GROUP_H

#include "common/config.h"
#include "common/groups.h"
#include "common/manifest.h"

struct sys;

struct sys_group {
	char name[DRE_NAME_MAX + 1];
	struct dre_limits limits;
};

/*
 * settings.c: finds one. False if it is not there; then @group has its name, and no limits. Damaged ones are
 * found by nobody, see sys_groups_check().
 */
bool sys_group_get(const struct manifest *m, const char *name, struct sys_group *group);

/* The next one, from @*at on, which begins with 0. False at the end. */
bool sys_group_next(const struct manifest *m, size_t *at, struct sys_group *group);

/* Adds or changes it; takes it away. An error has its text. */
int sys_group_put(struct manifest *m, const struct sys_group *group);
int sys_group_drop(struct manifest *m, const char *name);

/* DRE_ERR_CONTAINER_UNKNOWN_STATUS: the manifest has one that cannot be understood. */
int sys_groups_check(const char *container, const struct manifest *m);

/* partition.c: what libvirt is told, "/dre/sys/dre-NAME.partition". */
#define SYS_PARTITION_SIZE	(sizeof("/dre/sys/dre-.partition") + DRE_NAME_MAX)

void sys_partition(const char *name, char partition[SYS_PARTITION_SIZE]);

/* The cgroup that libvirt wants to be there, where it is not systemd that makes it. */
void sys_partition_of(const char *name, struct groups *groups);

/* Makes it; removes it. */
int sys_partition_make(const char *name);
int sys_partition_remove(const char *name);

/* Where the cgroups of a machine that runs as process @pid are. DRE_ERR_DEVICE_BUSY: libvirt put it elsewhere. */
int sys_groups_of(const struct sys *sys, int pid, struct groups *groups);

/* Gives those in the outer one what limits need: systemd does not know of them. */
int sys_groups_enable(const struct groups *groups);

/* Takes all limits of the outer one away. */
void sys_unlimit(const struct groups *groups);

/* Is process @pid one that libvirt has put into a group of its own? In @container: of that machine of ours. */
bool sys_in_machine(int pid, const struct groups *groups, bool *own);

/*
 * Says, on the outer cgroup, what whoever has the container locked is at. If he is killed, or libvirtd, the next one finds it.
 *
 * SYS_MARK_START: he makes a machine that has not run yet. It ends.
 * SYS_MARK_SAVE: he saves the memory or the disk of one that ran, for which it may stand still for a moment. When libvirt is
 *	not at it any more it goes on: if libvirtd is killed meanwhile, the machine may come to the end of its job when nobody listens.
 */
enum sys_mark { SYS_MARK_START, SYS_MARK_SAVE };

int sys_mark(const char *name, enum sys_mark mark);
void sys_unmark(const char *name, enum sys_mark mark);
bool sys_is_marked(const char *name, enum sys_mark mark);
bool sys_has_mark(const char *name);	/* any of them */

/*
 * slice.c: tells systemd the limits of an outer cgroup that it has made, beside what the kernel is told. Has it been
 * told any since the host was started, perhaps none again?
 */
int sys_slice_limit(const struct groups *groups, const struct dre_limits *limits);
bool sys_slice_is_limited(const struct groups *groups);

/*
 * Of a container that is stopped: is there more of it than an outer cgroup without limits? Then that becomes
 * so: processes go back, the named ones and the mark are removed.
 */
bool sys_is_unsettled(const struct sys *sys);
int sys_settle(const struct sys *sys);

/*
 * introduce.c: a machine that runs, whoever has started it: makes its cgroups and their limits, and tells
 * the module. What is done already is not done again.
 */
int sys_introduce(const struct sys *sys);

/* One that is about to arrive from another host: the limits of the machine as a whole hold when it does. */
int sys_limit_ahead(const struct sys *sys);

/* Is there something of it to be done? False if the module is not loaded. */
bool sys_is_unknown(const struct sys *sys);

/* The same, for whoever needs it: the cgroups, and a container fd of the module, which the caller closes. */
int sys_module_container(const struct sys *sys, struct groups *groups, int *cfd);

#endif /* DRE_SYS_GROUP_H */
