/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module client: the requests of uapi/linux/dre.h as functions. Private to
 * D-RE's libraries (exported from libdaware under the version DRE_PRIVATE).
 *
 * All return a negative errno when they fail and set no error text: what a
 * failure means is for the caller to say. -ENODEV from dre_module_open() is
 * "the module is not loaded", whatever the reason that /dev/dre is missing.
 */
#ifndef DRE_PRIVATE_MODULE_H
#define DRE_PRIVATE_MODULE_H

#include <stddef.h>
#include <stdint.h>
#include <linux/dre.h>

#pragma GCC visibility push(default)

/* Opens /dev/dre, close-on-exec. The caller closes it. */
int dre_module_open(void);

/* The calling process' own registration. The fd of /dev/dre is opened and closed inside. */
int dre_module_self_register(const uint8_t *signals, unsigned int nr_signals);
int dre_module_self_unregister(void);
int dre_module_self_refuse(int signo);

/*
 * @dre is a fd of /dev/dre. These return a container fd, which the caller closes. @flags: 0 or
 * DRE_OPEN_ENDED.
 */
int dre_module_container_create(int dre, uint32_t type, const char *name, int pid);
int dre_module_container_open(int dre, uint32_t type, const char *name, uint32_t flags);

/* @cfd is a container fd. @flags: DRE_REGISTER_BY_VPID, DRE_REGISTER_SELF. */
int dre_module_process_register(int cfd, int pid, uint32_t flags, const uint8_t *signals,
				unsigned int nr_signals);
int dre_module_process_unregister(int cfd, int pid, uint32_t flags);

/* Whole lists, in as many requests as it takes. The caller frees *@list; *@nr may be 0. */
int dre_module_container_list(int dre, struct dre_container_info **list, size_t *nr);
int dre_module_process_list(int cfd, struct dre_process_info **list, size_t *nr);

/* Control groups. @dir is a fd of the cgroup's directory, which stays the caller's. */
int dre_module_group_create(int cfd, const char *name, int dir);
int dre_module_group_destroy(int cfd, const char *name);
int dre_module_group_list(int cfd, struct dre_group_info **list, size_t *nr);

/* @flags: DRE_BIND_BY_VPID. The list is that of all control groups of the container. */
int dre_module_bind(int cfd, const char *group, int pid, uint32_t flags);
int dre_module_unbind(int cfd, const char *group, int pid, uint32_t flags);
int dre_module_binding_list(int cfd, struct dre_binding_info **list, size_t *nr);

/* One number each way; 0 where there is none. */
int dre_module_pid_to_vpid(int cfd, int pid);
int dre_module_vpid_to_pid(int cfd, int vpid);

/* Sends each process its signal; @signalled, @silent may be NULL. */
int dre_module_terminate(int cfd, uint32_t *signalled, uint32_t *silent);

#pragma GCC visibility pop

#endif /* DRE_PRIVATE_MODULE_H */
