/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The named control groups of a container: cgroups beside that in which it runs, so that
 * processes of the host can be in them too, and what limits the container limits all of them.
 * The module knows them by name, and who is bound to them.
 *
 * Functions return 0 or a DRE_ERR_* code with the error text set. @cfd is a container fd of the module.
 */
#ifndef DRE_COMMON_GROUPS_H
#define DRE_COMMON_GROUPS_H

#include <dre.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"

struct dre_binding_info;

#define GROUPS_OUTER_SIZE	512
#define GROUPS_PATH_SIZE	(GROUPS_OUTER_SIZE + 1 + DRE_NAME_MAX)

/* Those of one container. */
struct groups {
	uint32_t type;			/* DRE_CONTAINER_APP or DRE_CONTAINER_SYS */
	const char *name;		/* the container's */
	char outer[GROUPS_OUTER_SIZE];	/* the cgroup they are in, below the root: "dre/app/web" */
};

/*
 * Is the name one that a control group of a container of that type can have? With @whole also ".", for
 * the container itself. What dre_check_name() returns; DRE_ERR_INVALID_ARGUMENT.
 */
int groups_check_name(uint32_t type, const char *cgroup, bool whole);

/* Of a control group, or "."; below the root. */
void groups_path(const struct groups *g, const char *cgroup, char path[GROUPS_PATH_SIZE]);

bool groups_exists(const struct groups *g, const char *cgroup);

/*
 * Calls @fn for each that there is, with a directory fd of the outer one. What cannot be read is left
 * out. The text of the last error stays.
 */
void groups_each(const struct groups *g,
		 void (*fn)(const struct groups *g, int outer, const char *cgroup, void *arg), void *arg);

/* Makes it, and tells the module. DRE_ERR_CGROUP_EXISTENCE. */
int groups_create(const struct groups *g, int cfd, const char *cgroup);

/* Removes it. DRE_ERR_CGROUP_NONEXISTENCE; DRE_ERR_DESTROY_CGROUP_FAILED: a process is in it. */
int groups_destroy(const struct groups *g, int cfd, const char *cgroup);

/* Tells the module of one that was made. */
int groups_announce(const struct groups *g, int cfd, const char *cgroup);

/*
 * Tells a module that was loaded later of all that there are, and of who is in them: he was bound there,
 * or is a child of one who was. Those that it knows stay as they are.
 */
void groups_announce_all(const struct groups *g, int cfd);

/* Names of those that the module knows, as all lists of names are; store_free_list() it. */
int groups_list(const struct groups *g, int cfd, dre_list_t *list);

/* Binding a process to a control group, and putting it back. */
struct groups_request {
	const char *cgroup;
	int pid;
	uint32_t flags;	/* DRE_BIND_BY_VPID */
	bool bind;
};

int groups_bind(const struct groups *g, int cfd, const struct groups_request *r);

/* The processes that are bound to it; none if it, or the container, has just gone. The caller frees *@info. */
int groups_bound(const struct groups *g, int cfd, const char *cgroup, struct dre_binding_info **info,
		 size_t *nr);

/*
 * After the container has ended: whoever was bound goes back; what they forked meanwhile goes where they
 * are. The same becomes of all if the module was unloaded, which knows of nobody then.
 */
int groups_release(const struct groups *g);

#endif /* DRE_COMMON_GROUPS_H */
