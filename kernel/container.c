// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers: known from DRE_IOC_CONTAINER_CREATE until their init ends.
 */
#include <linux/file.h>
#include <linux/hashtable.h>

#include "dre.h"

/* By id, which is the cursor of a list. dre_lock; readers under RCU. */
static DEFINE_XARRAY_ALLOC1(dre_containers);
static u32 dre_next_id = 1;

/* Application containers by pid namespace. dre_lock; readers under RCU. */
static DEFINE_HASHTABLE(dre_by_ns, 8);

/* Those that have ended and still have control groups, oldest first. dre_lock. */
static LIST_HEAD(dre_ended);

static void dre_container_free(struct rcu_head *rcu)
{
	struct dre_container *c = container_of(rcu, struct dre_container, rcu);

	put_pid(c->watch.pid);
	kfree(c);
}

void dre_container_put(struct dre_container *c)
{
	if (refcount_dec_and_test(&c->ref))
		call_rcu(&c->rcu, dre_container_free);
}

static struct dre_container *dre_container_with_ns(const struct pid_namespace *ns)
{
	struct dre_container *c;

	hash_for_each_possible_rcu(dre_by_ns, c, ns_node, (unsigned long)ns)
		if (c->ns == ns)
			return c;
	return NULL;
}

/* The container that a process in @ns lives in: namespaces may be nested in it. RCU. */
struct dre_container *dre_container_of_ns(struct pid_namespace *ns)
{
	struct dre_container *c = NULL;

	for (; ns && ns != &init_pid_ns && !c; ns = ns->parent)
		c = dre_container_with_ns(ns);
	return c;
}

/*
 * Whether @ns, which is not the initial one, may see the name of @c: inside of
 * @c, its own. Those of others, nested ones too, are the host's business.
 */
bool dre_container_visible(const struct dre_container *c, const struct pid_namespace *ns)
{
	for (; ns; ns = ns->parent)
		if (ns == c->ns)
			return true;
	return false;
}

/* Whether init runs; the worker that ends the container may still have to come. */
bool dre_container_alive(const struct dre_container *c)
{
	return !READ_ONCE(c->ended) && dre_pid_alive(c->watch.pid);
}

unsigned int dre_container_count(void)
{
	struct dre_container *c;
	unsigned int count = 0;
	unsigned long id;

	rcu_read_lock();
	xa_for_each(&dre_containers, id, c)
		count += dre_container_alive(c);
	rcu_read_unlock();
	return count;
}

/* Out of the tables, and what managers registered for it with it. dre_lock. */
static void dre_container_unlink(struct dre_container *c)
{
	struct dre_registration *m, *next;

	xa_erase(&dre_containers, c->id);
	if (c->ns)
		hash_del_rcu(&c->ns_node);
	list_for_each_entry_safe(m, next, &c->managed, node) {
		dre_managed_remove(m);
		cond_resched();
	}
	if (!dre_groups_end(c))
		list_add_tail(&c->ended_node, &dre_ended);
	dre_proc_changed();
}

/* The last control group of a container that had ended is gone. dre_lock. */
void dre_container_released(struct dre_container *c)
{
	list_del_init(&c->ended_node);
}

/* Without its init having ended, and so without that event. dre_lock. */
static void dre_container_drop(struct dre_container *c)
{
	dre_container_unlink(c);
	WRITE_ONCE(c->ended, true);
	wake_up_all(&c->wait);
	if (dre_watch_stop(&c->watch))
		dre_container_put(c);
}

static void dre_container_gone(struct dre_watch *watch)
{
	struct dre_container *c = container_of(watch, struct dre_container, watch);

	if (!c->ended) {
		dre_container_unlink(c);
		dre_event(c, DRE_EVENT_ENDED, watch->pid, watch->status);
		smp_store_release(&c->ended, true);	/* the event is there before it */
		wake_up_all(&c->wait);
	}
	dre_container_put(c);
}

static bool dre_type_valid(u32 type)
{
	return type == DRE_CONTAINER_APP || type == DRE_CONTAINER_SYS;
}

static struct dre_container *dre_container_named(u32 type, const char *name)
{
	struct dre_container *c;
	unsigned long id;

	xa_for_each(&dre_containers, id, c)
		if (c->type == type && !strcmp(c->name, name))
			return c;
	return NULL;
}

static bool dre_is_init(struct pid *pid)
{
	struct dre_container *c;
	unsigned long id;

	xa_for_each(&dre_containers, id, c)
		if (c->watch.pid == pid)
			return true;
	return false;
}

/*
 * Whether a name is free. A container whose init has exited is not in the way:
 * waits, with dre_lock dropped, for the worker to take it away.
 */
static int dre_container_settle(u32 type, const char *name)
{
	struct dre_container *c;
	int err = 0;

	while (!err && (c = dre_container_named(type, name))) {
		if (dre_container_alive(c))
			return -EEXIST;
		refcount_inc(&c->ref);
		mutex_unlock(&dre_lock);
		err = wait_event_killable(c->wait, READ_ONCE(c->ended));
		dre_container_put(c);
		mutex_lock(&dre_lock);
	}
	return err;
}

static struct dre_container *dre_container_alloc(const struct dre_container_create *req,
						 struct pid *pid)
{
	struct dre_container *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return NULL;
	refcount_set(&c->ref, 1);
	c->type = req->type;
	if (c->type == DRE_CONTAINER_APP)
		c->ns = ns_of_pid(pid);
	INIT_LIST_HEAD(&c->managed);
	INIT_LIST_HEAD(&c->files);
	INIT_LIST_HEAD(&c->ended_node);
	xa_init_flags(&c->groups, XA_FLAGS_ALLOC1);
	c->next_group = 1;
	init_waitqueue_head(&c->wait);
	dre_watch_prepare(&c->watch, pid, dre_container_gone);
	strscpy(c->name, req->name, sizeof(c->name));
	return c;
}

/* Into the tables, if nothing is in the way, and watched. dre_lock. */
static int dre_container_link(struct dre_container *c)
{
	struct pid *pid = c->watch.pid;
	int err = dre_container_settle(c->type, c->name);

	if (err)
		return err;
	if (dre_is_init(pid))
		return -EBUSY;
	err = xa_alloc_cyclic(&dre_containers, &c->id, c, xa_limit_31b, &dre_next_id, GFP_KERNEL);
	if (err < 0)
		return err;
	if (c->ns)
		hash_add_rcu(dre_by_ns, &c->ns_node, (unsigned long)c->ns);
	refcount_inc(&c->ref);
	dre_watch_start(&c->watch, true);
	if (dre_pid_alive(pid)) {
		dre_proc_changed();
		return 0;
	}
	dre_container_drop(c);
	return -ESRCH;
}

/* A file for @c, see dre_container_getfile(), and its descriptor: reserved, and told the caller. */
static struct file *dre_container_fd(struct dre_container *c, bool ended, __s32 __user *ufd,
				     int *fd)
{
	struct file *file;
	int err;

	*fd = get_unused_fd_flags(O_CLOEXEC);
	if (*fd < 0)
		return ERR_PTR(*fd);
	err = put_user(*fd, ufd);
	file = err ? ERR_PTR(err) : dre_container_getfile(c, ended);
	if (IS_ERR(file)) {
		put_unused_fd(*fd);
		put_user(-1, ufd);	/* nobody shall close that number */
	}
	return file;
}

static long dre_container_add(struct dre_container *c, __s32 __user *ufd)
{
	struct file *file;
	int fd, err;

	file = dre_container_fd(c, false, ufd, &fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	mutex_lock(&dre_lock);
	err = dre_container_link(c);
	mutex_unlock(&dre_lock);
	if (err) {
		put_unused_fd(fd);
		fput(file);
		put_user(-1, ufd);
		return err;
	}
	fd_install(fd, file);
	return 0;
}

long dre_container_create(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct dre_container_create *req = &arg->create;
	struct dre_container_create __user *ureq = uarg;
	struct dre_container *c;
	struct pid *pid;
	long err;

	if (req->flags || req->reserved || !dre_type_valid(req->type) ||
	    !dre_name_valid(req->name))
		return -EINVAL;
	pid = dre_find_process(req->pid, &init_pid_ns);
	if (IS_ERR(pid))
		return PTR_ERR(pid);

	err = -EINVAL;
	if (req->type == DRE_CONTAINER_APP &&
	    (ns_of_pid(pid) == &init_pid_ns || pid_nr_ns(pid, ns_of_pid(pid)) != 1))
		goto put_pid;
	err = -ENOMEM;
	c = dre_container_alloc(req, pid);
	if (!c)
		goto put_pid;
	err = dre_container_add(c, &ureq->fd);
	dre_container_put(c);
put_pid:
	put_pid(pid);
	return err;
}

/* One that has ended while processes were bound, and some still are. dre_move_lock, dre_lock. */
static struct dre_container *dre_container_left(const struct dre_container_open *req)
{
	struct dre_container *c, *next;
	int err;

	/* One whose init has just exited has to get there first; one that lives does not matter. */
	err = dre_container_settle(req->type, req->name);
	if (err && err != -EEXIST)
		return ERR_PTR(err);
	list_for_each_entry_safe(c, next, &dre_ended, ended_node)
		if (c->type == req->type && !strcmp(c->name, req->name) && dre_groups_in_use(c))
			return c;
	return NULL;
}

/* A container to open, with a reference. dre_lock, and dre_move_lock for one that has ended. */
static struct dre_container *dre_container_wanted(const struct dre_container_open *req)
{
	struct dre_container *c;

	if (req->flags & DRE_OPEN_ENDED) {
		c = dre_container_left(req);
	} else {
		c = dre_container_named(req->type, req->name);
		if (c && !dre_container_alive(c))
			c = NULL;
	}
	if (!c)
		return ERR_PTR(-ENOENT);
	if (!IS_ERR(c))
		refcount_inc(&c->ref);
	return c;
}

long dre_container_open(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct dre_container_open *req = &arg->open;
	struct dre_container_open __user *ureq = uarg;
	bool ended = req->flags & DRE_OPEN_ENDED;
	struct dre_container *c;
	struct file *file;
	int fd;

	if (req->flags & ~DRE_OPEN_ENDED || !dre_type_valid(req->type) ||
	    !dre_name_valid(req->name))
		return -EINVAL;
	if (ended && mutex_lock_killable(&dre_move_lock))	/* nobody is on the way into it */
		return -EINTR;
	mutex_lock(&dre_lock);
	c = dre_container_wanted(req);
	mutex_unlock(&dre_lock);
	if (ended)
		mutex_unlock(&dre_move_lock);
	if (IS_ERR(c))
		return PTR_ERR(c);
	file = dre_container_fd(c, ended, &ureq->fd, &fd);
	dre_container_put(c);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd_install(fd, file);
	return 0;
}

long dre_container_list(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct dre_list *req = &arg->list;
	unsigned long id = req->cursor;
	u32 room = req->count;
	int err;

	err = dre_list_check(req, sizeof(struct dre_container_info));
	if (err)
		return err;
	for (req->count = 0; ; id++) {
		struct dre_container_info info = {};
		struct dre_container *c;

		rcu_read_lock();
		while ((c = xa_find(&dre_containers, &id, U32_MAX, XA_PRESENT)) &&
		       !dre_container_alive(c))
			id++;
		if (c) {
			info.type = c->type;
			info.pid = pid_vnr(c->watch.pid);
			strscpy(info.name, c->name, sizeof(info.name));
		}
		rcu_read_unlock();
		if (!c || req->count == room) {
			req->cursor = c ? id : 0;
			return 0;
		}
		err = dre_put_entry(req, req->count++, &info, sizeof(info));
		if (err)
			return err;
	}
}

/* The module goes: no file is open any more. */
void dre_containers_drop(void)
{
	struct dre_container *c;
	unsigned long id;

	mutex_lock(&dre_lock);
	xa_for_each(&dre_containers, id, c)
		dre_container_drop(c);
	mutex_unlock(&dre_lock);
}
