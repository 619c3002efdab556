// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bindings: which process is bound to which control group, and where it came
 * from.
 */
#include "dre.h"

/*
 * One process is moved at a time, so what is noted is where it is. Taken before
 * dre_lock, which cannot be held meanwhile: a move may take long. The kernel
 * lets one process be moved at a time anyway.
 */
DEFINE_MUTEX(dre_move_lock);

/* By number in the initial pid namespace, see watch.c. */
static DEFINE_XARRAY(dre_bindings);

static struct dre_binding *dre_binding(struct dre_watch *watch)
{
	return watch ? container_of(watch, struct dre_binding, watch) : NULL;
}

static struct dre_binding *dre_binding_of(struct pid *pid)
{
	return dre_binding(dre_watch_of(&dre_bindings, pid));
}

/* Its control group. dre_lock. */
static struct dre_control_group *dre_binding_group(const struct dre_binding *b)
{
	return rcu_dereference_protected(b->group, lockdep_is_held(&dre_lock));
}

/* Whether the process is where it is noted to be: others can move it too. dre_lock. */
bool dre_binding_holds(struct dre_binding *b)
{
	struct dre_control_group *g = dre_binding_group(b);
	bool holds;

	rcu_read_lock();
	holds = g && dre_in_cgroup(b->watch.pid, g->cgroup);
	rcu_read_unlock();
	return holds;
}

static void dre_binding_free(struct rcu_head *rcu)
{
	struct dre_binding *b = container_of(rcu, struct dre_binding, rcu);

	put_pid(b->watch.pid);
	kfree(b);
}

/* From its control group, if it has one, to another, or NULL; tells of it. dre_lock. */
static void dre_binding_set(struct dre_binding *b, struct dre_control_group *g)
{
	struct dre_control_group *old = dre_binding_group(b);

	if (g) {
		refcount_inc(&g->ref);
		rcu_assign_pointer(b->group, g);
	} else {
		RCU_INIT_POINTER(b->group, NULL);
	}
	if (old) {
		list_del(&b->node);
		dre_event(old->container, DRE_EVENT_UNBOUND, b->watch.pid, old->id);
		dre_group_unused(old);
		dre_group_put(old);
	}
	if (g) {
		list_add_tail(&b->node, &g->bindings);
		dre_event(g->container, DRE_EVENT_BOUND, b->watch.pid, g->id);
	}
}

static void dre_binding_unlink(struct dre_binding *b)
{
	dre_binding_set(b, NULL);
	dre_watch_forget(&dre_bindings, &b->watch);
	if (b->origin)
		cgroup_put(b->origin);
	b->origin = NULL;
}

/* dre_lock */
void dre_binding_remove(struct dre_binding *b)
{
	dre_binding_unlink(b);
	if (dre_watch_stop(&b->watch))
		call_rcu(&b->rcu, dre_binding_free);
}

static void dre_binding_gone(struct dre_watch *watch)
{
	struct dre_binding *b = dre_binding(watch);

	dre_binding_unlink(b);
	call_rcu(&b->rcu, dre_binding_free);
}

/* An entry for @pid, which is not bound yet. Takes @spare. dre_lock. */
static int dre_binding_add(struct pid *pid, struct cgroup *origin, struct dre_binding **spare)
{
	struct dre_binding *b = *spare;
	int err;

	dre_watch_prepare(&b->watch, pid, dre_binding_gone);
	err = dre_watch_add(&dre_bindings, &b->watch);
	if (err) {
		put_pid(pid);
		return err;
	}
	*spare = NULL;
	if (origin)
		cgroup_get(origin);
	b->origin = origin;
	if (dre_pid_alive(pid))
		return 0;
	dre_binding_remove(b);
	return -ESRCH;
}

/*
 * Before the move: whether @pid may be bound to that group of @c, which gets a
 * reference, and an entry for it, so that nothing can fail when it has been
 * moved. @from: where it is now, with a reference, or NULL. dre_lock.
 */
static int dre_bind_begin(struct dre_container *c, const char *name, struct pid *pid,
			  struct cgroup **from, struct dre_binding **spare,
			  struct dre_control_group **group)
{
	struct dre_container *home = dre_pid_home(pid);
	struct dre_binding *b = dre_binding_of(pid);
	struct dre_control_group *g;
	int err = 0;

	if (!dre_container_alive(c))
		return -ENODEV;
	if (home && home != c)
		return -EXDEV;
	g = dre_group_named(c, name);
	if (!g)
		return -ENOENT;
	if (b && !dre_binding_holds(b)) {
		dre_binding_remove(b);
		b = NULL;
	}
	/* Only now: not where it was bound to, and was moved out of a moment ago. */
	*from = dre_cgroup_get(pid);
	if (!*from)
		return -ESRCH;
	if (!b)
		err = dre_binding_add(pid, *from == g->cgroup ? NULL : *from, spare);
	else if (dre_binding_group(b)->container != c)
		err = -EBUSY;
	if (err)
		return err;
	refcount_inc(&g->ref);
	*group = g;
	return 0;
}

/*
 * After the move: notes it, or that there was none. An entry that is gone was
 * that of a process that has ended. dre_lock.
 */
static int dre_bind_end(struct dre_control_group *g, struct pid *pid, int err)
{
	struct dre_binding *b = dre_binding_of(pid);

	if (!b)
		return err ?: -ESRCH;
	if (!err && g->container->ended)
		err = -ENODEV;
	if (!err && dre_binding_group(b) != g)
		dre_binding_set(b, g);
	else if (err && !dre_binding_group(b))
		dre_binding_remove(b);
	return err;
}

/* dre_move_lock */
static int dre_bind_pid(struct dre_container *c, const char *name, struct pid *pid,
			struct dre_binding **spare, struct dre_lease *lease)
{
	struct dre_control_group *g;
	struct cgroup *from = NULL;
	int err;

	mutex_lock(&dre_lock);
	err = dre_bind_begin(c, name, pid, &from, spare, &g);
	mutex_unlock(&dre_lock);
	if (err)
		goto put_from;

	err = dre_move_into(&g->dir, g->cgroup, pid, lease);
	mutex_lock(&dre_lock);
	err = dre_bind_end(g, pid, err);
	mutex_unlock(&dre_lock);
	if (err == -ENODEV)	/* the container ended meanwhile: nobody would put it back */
		dre_move_to(&g->dir, from, pid, NULL);
	dre_group_put(g);
put_from:
	if (from)
		cgroup_put(from);
	return err;
}

static bool dre_bind_valid(const struct dre_bind *req)
{
	return !(req->flags & ~DRE_BIND_BY_VPID) && !req->reserved && dre_name_valid(req->name);
}

static int dre_bind_once(struct dre_container *c, const char *name, struct pid *pid,
			 struct dre_lease *lease)
{
	struct dre_binding *spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	int err;

	if (!spare)
		return -ENOMEM;
	err = mutex_lock_killable(&dre_move_lock);
	if (!err) {
		err = dre_bind_pid(c, name, pid, &spare, lease);
		mutex_unlock(&dre_move_lock);
	}
	kfree(spare);
	return err;
}

long dre_bind(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_bind *req = &arg->bind;
	struct dre_lease lease = {};
	struct pid *pid;
	int err;

	if (!dre_bind_valid(req))
		return -EINVAL;
	pid = dre_requested_process(ctx, req->pid, req->flags & DRE_BIND_BY_VPID);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	do
		err = dre_bind_once(ctx, req->name, pid, &lease);
	while (dre_lease_again(&lease, &err));
	put_pid(pid);
	return err;
}

/*
 * Where a process goes that is released, with a reference. One of the container's
 * never into the root, where nothing limits it: where init was last, if that is about
 * to end. NULL if that is gone, and with it all others. dre_lock.
 */
static struct cgroup *dre_unbind_target(const struct dre_container *c,
					const struct dre_binding *b)
{
	struct cgroup *target = &dre_binding_group(b)->cgroup->root->cgrp;

	if (b->origin && !dre_cgroup_removed(b->origin))
		target = b->origin;
	else if (dre_pid_home(b->watch.pid) == c)
		return dre_cgroup_left(c->watch.pid);
	cgroup_get(target);
	return target;
}

/* Before the move: what @pid is bound to, and where it goes, with references. dre_lock. */
static int dre_unbind_begin(struct dre_container *c, const char *name, struct pid *pid,
			    struct dre_control_group **group, struct cgroup **target)
{
	struct dre_control_group *g = dre_group_named(c, name);
	struct dre_binding *b = dre_binding_of(pid);

	if (!g || !b || dre_binding_group(b) != g)
		return -ENOENT;
	if (!dre_binding_holds(b)) {
		if (!dre_pid_movable(pid))
			return -ESRCH;
		dre_binding_remove(b);
		return -ENOENT;
	}
	*target = dre_unbind_target(c, b);
	if (!*target)
		return -ESRCH;
	refcount_inc(&g->ref);
	*group = g;
	return 0;
}

/* -ERESTART: the place to go to was removed just now, there is another one. dre_move_lock. */
static int dre_unbind_pid(struct dre_container *c, const char *name, struct pid *pid,
			  struct dre_lease *lease)
{
	struct dre_control_group *g;
	struct dre_binding *b;
	struct cgroup *target;
	int err;

	mutex_lock(&dre_lock);
	err = dre_unbind_begin(c, name, pid, &g, &target);
	mutex_unlock(&dre_lock);
	if (err)
		return err;

	err = dre_move_to(&g->dir, target, pid, lease);
	if (!err) {
		mutex_lock(&dre_lock);
		b = dre_binding_of(pid);	/* gone if it has ended just now */
		if (b)
			dre_binding_remove(b);
		mutex_unlock(&dre_lock);
	} else if (err == -ENOENT && dre_cgroup_removed(target)) {
		err = -ERESTART;
	}
	cgroup_put(target);
	dre_group_put(g);
	return err;
}

static int dre_unbind_once(struct dre_container *c, const char *name, struct pid *pid,
			   struct dre_lease *lease)
{
	int err = mutex_lock_killable(&dre_move_lock);

	if (err)
		return err;
	do
		err = dre_unbind_pid(c, name, pid, lease);
	while (err == -ERESTART);
	mutex_unlock(&dre_move_lock);
	return err;
}

long dre_unbind(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_bind *req = &arg->bind;
	struct dre_lease lease = {};
	struct pid *pid;
	int err;

	if (!dre_bind_valid(req))
		return -EINVAL;
	pid = dre_requested_process(ctx, req->pid, req->flags & DRE_BIND_BY_VPID);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	do
		err = dre_unbind_once(ctx, req->name, pid, &lease);
	while (dre_lease_again(&lease, &err));
	put_pid(pid);
	return err;
}

/* The next process that is bound to a group of @c, and in it, as @info. RCU. */
static bool dre_binding_next(struct dre_container *c, struct pid_namespace *ns, int *nr,
			     struct dre_binding_info *info)
{
	struct dre_control_group *g;
	struct dre_binding *b;

	for (; (b = dre_binding(dre_watch_next(&dre_bindings, ns, nr))); ++*nr) {
		g = rcu_dereference(b->group);
		if (g && g->container == c && dre_in_cgroup(b->watch.pid, g->cgroup)) {
			info->pid = pid_nr_ns(b->watch.pid, ns);
			info->vpid = dre_container_vpid(c, b->watch.pid);
			info->group = g->id;
			return true;
		}
		if (!dre_rcu_pause())
			return false;
	}
	return false;
}

long dre_binding_list(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct dre_list *req = &arg->list;
	u32 room = req->count;
	int nr, err;
	bool found;

	err = dre_list_check(req, sizeof(struct dre_binding_info));
	if (err)
		return err;
	req->count = 0;
	for (nr = min_t(u64, req->cursor, PID_MAX_LIMIT); ; nr++) {
		struct dre_binding_info info = {};

		rcu_read_lock();
		found = dre_binding_next(ctx, ns, &nr, &info);
		rcu_read_unlock();
		if (!found || req->count == room) {
			req->cursor = found ? nr : 0;
			return 0;
		}
		err = dre_put_entry(req, req->count++, &info, sizeof(info));
		if (err)
			return err;
	}
}

/* The module goes: no file is open any more. */
void dre_bindings_drop(void)
{
	struct dre_watch *watch;
	unsigned long nr;

	mutex_lock(&dre_lock);
	xa_for_each(&dre_bindings, nr, watch) {
		dre_binding_remove(dre_binding(watch));
		cond_resched();
	}
	mutex_unlock(&dre_lock);
}
