// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control groups: cgroups of a container that have a name, known from
 * DRE_IOC_GROUP_CREATE until they are destroyed, their directory is removed, or
 * the container ends and nobody is bound to them any more.
 */
#include <linux/file.h>
#include <linux/magic.h>

#include "dre.h"

static void dre_group_free(struct dre_control_group *g)
{
	cgroup_put(g->cgroup);
	path_put(&g->dir);
	dre_container_put(g->container);
	kfree_rcu(g, rcu);
}

/* In process context. */
void dre_group_put(struct dre_control_group *g)
{
	if (refcount_dec_and_test(&g->ref))
		dre_group_free(g);
}

/* Out of the container's table. dre_lock. */
static void dre_group_unlink(struct dre_control_group *g)
{
	struct dre_container *c = g->container;

	xa_erase(&c->groups, g->id);
	if (!--c->nr_groups)
		dre_container_released(c);
	dre_group_put(g);
}

/* Of a container that lives. Whoever is noted as bound to it is not in it. dre_lock. */
static void dre_group_drop(struct dre_control_group *g)
{
	struct dre_binding *b, *next;

	list_for_each_entry_safe(b, next, &g->bindings, node) {
		dre_binding_remove(b);
		cond_resched();
	}
	dre_group_unlink(g);
}

/* How many processes are bound to it, and in it; @most of them are enough. dre_lock. */
static u32 dre_group_count(struct dre_control_group *g, u32 most)
{
	struct dre_binding *b;
	u32 count = 0;

	list_for_each_entry(b, &g->bindings, node) {
		count += dre_binding_holds(b);
		if (count == most)
			break;
		cond_resched();
	}
	return count;
}

/* The control group of that name, unless its directory was removed. dre_lock. */
struct dre_control_group *dre_group_named(struct dre_container *c, const char *name)
{
	struct dre_control_group *g;
	unsigned long id;

	xa_for_each(&c->groups, id, g)
		if (!strcmp(g->name, name) && !dre_cgroup_removed(g->cgroup))
			return g;
	return NULL;
}

/**
 * dre_groups_end() - the container has ended: forget its control groups
 * @c: the container
 *
 * Those that processes are bound to stay until the last one is unbound. Returns
 * whether none is left. Called under dre_lock.
 */
bool dre_groups_end(struct dre_container *c)
{
	struct dre_control_group *g;
	unsigned long id;

	xa_for_each(&c->groups, id, g)
		if (list_empty(&g->bindings))
			dre_group_unlink(g);
	return !c->nr_groups;
}

/**
 * dre_groups_in_use() - whether a container that has ended has still to be released
 * @c: the container; it may be gone if not
 *
 * Forgets the processes that were moved away by others. Called under dre_move_lock
 * and dre_lock.
 */
bool dre_groups_in_use(struct dre_container *c)
{
	struct dre_binding *b, *next;
	struct dre_control_group *g;
	bool in_use = false;
	unsigned long id;

	refcount_inc(&c->ref);
	xa_for_each(&c->groups, id, g) {
		refcount_inc(&g->ref);	/* goes with its last binding */
		list_for_each_entry_safe(b, next, &g->bindings, node) {
			if (dre_binding_holds(b))
				in_use = true;
			else
				dre_binding_remove(b);
			cond_resched();
		}
		dre_group_put(g);
	}
	dre_container_put(c);
	return in_use;
}

/* A binding to @g is gone. dre_lock. */
void dre_group_unused(struct dre_control_group *g)
{
	if (g->container->ended && list_empty(&g->bindings))
		dre_group_unlink(g);
}

/* The cgroup whose directory @fd is, if the caller may write to it, with a reference on both. */
static struct cgroup *dre_cgroup_of_fd(int fd, struct path *dir)
{
	struct cgroup *cgroup;
	struct file *file = fget_raw(fd);
	const struct inode *inode;
	int err;

	if (!file)
		return ERR_PTR(-EBADF);
	inode = file_inode(file);
	if (inode->i_sb->s_magic == CGROUP_SUPER_MAGIC)
		cgroup = ERR_PTR(-EOPNOTSUPP);
	else
		cgroup = cgroup_get_from_fd(fd);
	/* That looked at @fd once more: it may be another file by now. */
	if (!IS_ERR(cgroup) && (inode->i_sb->s_magic != CGROUP2_SUPER_MAGIC ||
				inode->i_private != cgroup->kn)) {
		cgroup_put(cgroup);
		cgroup = ERR_PTR(-EBADF);
	}
	/* Whom it cannot move there itself others are not to move there by a name that it gives. */
	err = IS_ERR(cgroup) ? 0 : dre_move_allowed(&file->f_path);
	if (err) {
		cgroup_put(cgroup);
		cgroup = ERR_PTR(err);
	}
	if (!IS_ERR(cgroup)) {
		*dir = file->f_path;
		path_get(dir);
	}
	fput(file);
	return cgroup;
}

static struct dre_control_group *dre_group_alloc(struct dre_container *c,
						 const struct dre_group *req)
{
	struct dre_control_group *g = kzalloc(sizeof(*g), GFP_KERNEL_ACCOUNT);
	struct cgroup *cgroup;

	if (!g)
		return ERR_PTR(-ENOMEM);
	cgroup = dre_cgroup_of_fd(req->fd, &g->dir);
	if (IS_ERR(cgroup)) {
		kfree(g);
		return ERR_CAST(cgroup);
	}
	g->cgroup = cgroup;
	refcount_set(&g->ref, 1);
	refcount_inc(&c->ref);
	g->container = c;
	INIT_LIST_HEAD(&g->bindings);
	strscpy(g->name, req->name, sizeof(g->name));
	return g;
}

/* Into the place in the table that is kept for it, if nothing is in the way. dre_lock. */
static int dre_group_link(struct dre_control_group *g)
{
	struct dre_container *c = g->container;
	struct dre_control_group *other;
	unsigned long id;

	if (!dre_container_alive(c))
		return -ENODEV;
	xa_for_each(&c->groups, id, other) {
		if (dre_cgroup_removed(other->cgroup))
			dre_group_drop(other);
		else if (!strcmp(other->name, g->name))
			return -EEXIST;
		else if (other->cgroup == g->cgroup)
			return -EBUSY;
	}
	if (dre_cgroup_removed(g->cgroup))
		return -ENOENT;
	if (c->nr_groups == DRE_GROUPS_MAX)
		return -ENOSPC;
	refcount_inc(&g->ref);
	c->nr_groups++;
	xa_store(&c->groups, g->id, g, GFP_KERNEL);
	return 0;
}

static int dre_group_add(struct dre_control_group *g, u32 __user *uid)
{
	struct dre_container *c = g->container;
	int err;

	/* A number whose place is kept, so that nothing can fail once it is linked. */
	err = xa_alloc_cyclic(&c->groups, &g->id, NULL, xa_limit_31b, &c->next_group, GFP_KERNEL);
	if (err < 0)
		return err;
	/* Nobody is on the way into one that is dropped because its directory was removed. */
	err = put_user(g->id, uid) ?: mutex_lock_killable(&dre_move_lock);
	if (!err) {
		mutex_lock(&dre_lock);
		err = dre_group_link(g);
		mutex_unlock(&dre_lock);
		mutex_unlock(&dre_move_lock);
	}
	if (err)
		xa_release(&c->groups, g->id);
	return err;
}

long dre_group_create(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_group *req = &arg->group;
	struct dre_group __user *ureq = uarg;
	struct dre_control_group *g;
	int err;

	if (req->flags || !dre_name_valid(req->name))
		return -EINVAL;
	g = dre_group_alloc(ctx, req);
	if (IS_ERR(g))
		return PTR_ERR(g);
	err = dre_group_add(g, &ureq->id);
	dre_group_put(g);
	return err;
}

static int dre_group_remove(struct dre_container *c, const char *name)
{
	struct dre_control_group *g;

	if (!dre_container_alive(c))
		return -ENODEV;
	g = dre_group_named(c, name);
	if (!g)
		return -ENOENT;
	if (dre_group_count(g, 1))
		return -EBUSY;
	dre_group_drop(g);
	return 0;
}

long dre_group_destroy(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_group *req = &arg->group;
	int err;

	if (req->flags || req->fd || req->id || !dre_name_valid(req->name))
		return -EINVAL;
	if (mutex_lock_killable(&dre_move_lock))	/* nobody is on the way into it */
		return -EINTR;
	mutex_lock(&dre_lock);
	err = dre_group_remove(ctx, req->name);
	mutex_unlock(&dre_lock);
	mutex_unlock(&dre_move_lock);
	return err;
}

/* The next one from @id on, as @info. dre_lock. */
static bool dre_group_next(struct dre_container *c, unsigned long *id,
			   struct dre_group_info *info)
{
	struct dre_control_group *g;

	while ((g = xa_find(&c->groups, id, U32_MAX, XA_PRESENT)) &&
	       dre_cgroup_removed(g->cgroup))
		++*id;
	if (!g)
		return false;
	info->id = g->id;
	info->bindings = dre_group_count(g, U32_MAX);
	info->cgroup = cgroup_id(g->cgroup);
	strscpy(info->name, g->name, sizeof(info->name));
	return true;
}

long dre_group_list(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct dre_list *req = &arg->list;
	unsigned long id = req->cursor;
	u32 room = req->count;
	bool found;
	int err;

	err = dre_list_check(req, sizeof(struct dre_group_info));
	if (err)
		return err;
	for (req->count = 0; ; id++) {
		struct dre_group_info info = {};

		mutex_lock(&dre_lock);
		found = dre_group_next(ctx, &id, &info);
		mutex_unlock(&dre_lock);
		if (!found || req->count == room) {
			req->cursor = found ? id : 0;
			return 0;
		}
		err = dre_put_entry(req, req->count++, &info, sizeof(info));
		if (err)
			return err;
	}
}
