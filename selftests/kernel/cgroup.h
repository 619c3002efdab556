/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cgroups of the tests, all of them below one of their own, where no test itself
 * ever goes. Names are relative to that one: "" is itself, "/" the root.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

#define CGROUPS	"/sys/fs/cgroup"

void cgroup_prepare(void);
int cgroup_clear(void);

void cgroup_make(const char *name);
int cgroup_remove(const char *name);
int cgroup_open(const char *name);
unsigned long long cgroup_number(const char *name);

/* Return 0 or -errno. */
int cgroup_write(const char *name, const char *file, const char *text);
int cgroup_enter(const char *name, pid_t pid);
int cgroup_chown(const char *name, uid_t uid);

char *cgroup_of(pid_t pid);
bool in_cgroup(pid_t pid, const char *name);
int cgroup_members(const char *name);

#endif /* CGROUP_H */
