// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of processes: who is under D-RE's control, and on which signals
 * each terminates.
 */
#include "dre.h"

static DEFINE_XARRAY(dre_processes);
static struct kmem_cache *dre_process_cache;

static struct dre_process_entry *dre_process_entry(struct dre_watch *watch)
{
	return watch ? container_of(watch, struct dre_process_entry, watch) : NULL;
}

static struct dre_process_entry *dre_process_of(struct pid *pid)
{
	return dre_process_entry(dre_watch_of(&dre_processes, pid));
}

/* See dre_watch_next(). Also returns entries that dre_process_view() then takes no notice of. */
struct dre_process_entry *dre_process_next(struct pid_namespace *ns, int *nr)
{
	return dre_process_entry(dre_watch_next(&dre_processes, ns, nr));
}

static bool dre_own_valid(const struct dre_registration *own, u64 exec_id)
{
	return own && own->exec_id == exec_id;
}

/* It ends with the container's init, not when the worker comes to take it away. */
static bool dre_managed_valid(const struct dre_registration *m)
{
	return m && dre_container_alive(m->container);
}

/**
 * dre_process_view() - what a reader sees of a process
 * @p: the entry
 * @view: filled; valid as long as RCU is held
 *
 * Returns false for a process that has ended or whose registration an exec
 * ended: it is not registered any more. RCU.
 */
bool dre_process_view(const struct dre_process_entry *p, struct dre_process_view *view)
{
	const struct dre_registration *m = rcu_dereference(p->managed);
	const struct dre_registration *own = rcu_dereference(p->own);

	*view = (struct dre_process_view){ .pid = p->watch.pid };
	view->task = pid_task(view->pid, PIDTYPE_TGID);
	if (!view->task || !dre_pid_alive(view->pid))
		return false;
	if (dre_managed_valid(m)) {
		view->flags = DRE_PROCESS_MANAGED;
		view->container = m->container;
		view->nr_signals = m->nr_signals;
		view->signals = m->signals;
	}
	if (dre_own_valid(own, READ_ONCE(view->task->self_exec_id))) {
		view->flags |= DRE_PROCESS_SELF;
		view->nr_signals = own->nr_signals;
		view->signals = own->signals;
	}
	if (view->flags && !view->container)
		view->container = dre_container_of_ns(ns_of_pid(view->pid));
	return view->flags;
}

/**
 * dre_find_process() - the process that a number names
 * @nr: the number
 * @ns: pid namespace that it is from
 *
 * Returns a reference, -EINVAL if it is not the leader of a thread group in user
 * space, -ESRCH if there is none, or it has ended.
 */
struct pid *dre_find_process(int nr, struct pid_namespace *ns)
{
	struct task_struct *task;
	struct pid *pid;

	if (nr <= 0)
		return ERR_PTR(-EINVAL);
	rcu_read_lock();
	pid = find_pid_ns(nr, ns);
	task = pid ? pid_task(pid, PIDTYPE_PID) : NULL;
	if (!task)
		pid = ERR_PTR(-ESRCH);
	else if (task->flags & PF_KTHREAD)
		pid = ERR_PTR(-EINVAL);
	else if (!pid_task(pid, PIDTYPE_TGID))	/* a thread, or a leader reaped just now */
		pid = ERR_PTR(thread_group_leader(task) ? -ESRCH : -EINVAL);
	else if (!dre_pid_alive(pid))
		pid = ERR_PTR(-ESRCH);
	else
		get_pid(pid);
	rcu_read_unlock();
	return pid;
}

static u64 dre_exec_id(struct pid *pid)
{
	struct task_struct *task;
	u64 id = 0;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		id = READ_ONCE(task->self_exec_id);
	rcu_read_unlock();
	return id;
}

static bool dre_signals_valid(const u8 *signals, u32 nr)
{
	u64 seen = 0;
	u32 i;

	if (nr > DRE_SIGNALS_MAX)
		return false;
	for (i = 0; i < nr; i++) {
		u8 sig = signals[i];

		if (!valid_signal(sig) || sig == 0 || sig == SIGKILL || sig == SIGSTOP ||
		    seen & BIT_ULL(sig - 1))
			return false;
		seen |= BIT_ULL(sig - 1);
	}
	return !memchr_inv(signals + nr, 0, DRE_SIGNALS_MAX - nr);
}

/* Parts of an entry, and their exchange. All under dre_lock. */

#define dre_part(part)		rcu_dereference_protected(part, lockdep_is_held(&dre_lock))

static void dre_own_set(struct dre_process_entry *p, struct dre_registration *own)
{
	own = rcu_replace_pointer(p->own, own, lockdep_is_held(&dre_lock));
	if (own)
		kfree_rcu(own, rcu);
}

static void dre_managed_set(struct dre_process_entry *p, struct dre_registration *m)
{
	if (m) {
		m->process = p;
		list_add_tail(&m->node, &m->container->managed);
	}
	m = rcu_replace_pointer(p->managed, m, lockdep_is_held(&dre_lock));
	if (m) {
		list_del(&m->node);
		kfree_rcu(m, rcu);
	}
}

static void dre_process_free(struct rcu_head *rcu)
{
	struct dre_process_entry *p = container_of(rcu, struct dre_process_entry, rcu);

	put_pid(p->watch.pid);
	kmem_cache_free(dre_process_cache, p);
}

static void dre_process_unlink(struct dre_process_entry *p)
{
	dre_own_set(p, NULL);
	dre_managed_set(p, NULL);
	dre_watch_forget(&dre_processes, &p->watch);
	dre_proc_changed();
}

static void dre_process_remove(struct dre_process_entry *p)
{
	dre_process_unlink(p);
	if (dre_watch_stop(&p->watch))
		call_rcu(&p->rcu, dre_process_free);
}

/* Without a part left it is not registered. */
static void dre_process_shrink(struct dre_process_entry *p)
{
	if (!dre_part(p->own) && !dre_part(p->managed))
		dre_process_remove(p);
	else
		dre_proc_changed();
}

/* The container of a process in @pid's namespace. dre_lock keeps it. */
struct dre_container *dre_pid_home(struct pid *pid)
{
	struct dre_container *c;

	rcu_read_lock();
	c = dre_container_of_ns(ns_of_pid(pid));
	rcu_read_unlock();
	return c;
}

static struct dre_container *dre_process_home(const struct dre_process_entry *p)
{
	const struct dre_registration *m = dre_part(p->managed);

	return dre_managed_valid(m) ? m->container : dre_pid_home(p->watch.pid);
}

/*
 * Also a registration that exec ended is told now: each ends with one event. A
 * container that ended meanwhile, but was not told so yet, still is who to tell.
 */
static void dre_process_gone(struct dre_watch *watch)
{
	struct dre_process_entry *p = container_of(watch, struct dre_process_entry, watch);
	const struct dre_registration *m = dre_part(p->managed);

	if (m || dre_part(p->own))
		dre_event(m ? m->container : dre_pid_home(watch->pid), DRE_EVENT_EXITED,
			  watch->pid, watch->status);
	dre_process_unlink(p);
	call_rcu(&p->rcu, dre_process_free);
}

/*
 * What a registration may need is allocated before dre_lock is taken, and what
 * it did not need is freed after: a process whose control group has no memory
 * left must not keep others waiting. The registry's own nodes are not charged
 * to it; the number of processes bounds them.
 */
struct dre_spare {
	struct dre_process_entry *entry;
	struct dre_registration *registration;
};

static int dre_spare_alloc(struct dre_spare *spare, const u8 *signals, u32 nr)
{
	spare->entry = kmem_cache_zalloc(dre_process_cache, GFP_KERNEL);
	spare->registration = kmalloc(struct_size(spare->registration, signals, nr),
				      GFP_KERNEL_ACCOUNT);
	if (!spare->entry || !spare->registration)
		return -ENOMEM;
	spare->registration->nr_signals = nr;
	memcpy(spare->registration->signals, signals, nr);
	return 0;
}

static void dre_spare_free(struct dre_spare *spare)
{
	if (spare->entry)
		kmem_cache_free(dre_process_cache, spare->entry);
	kfree(spare->registration);
}

/* The entry of @pid, the spare one if it has none; parts are still to be set. */
static struct dre_process_entry *dre_process_obtain(struct pid *pid, struct dre_spare *spare)
{
	struct dre_process_entry *p = dre_process_of(pid);
	int err;

	if (p)
		return dre_pid_alive(pid) ? p : ERR_PTR(-ESRCH);
	p = spare->entry;
	dre_watch_prepare(&p->watch, pid, dre_process_gone);
	err = dre_watch_add(&dre_processes, &p->watch);
	if (err) {
		put_pid(pid);
		return ERR_PTR(err);
	}
	spare->entry = NULL;
	if (dre_pid_alive(pid))
		return p;
	dre_process_remove(p);
	return ERR_PTR(-ESRCH);
}

/* The registrations that @p has. dre_lock. */
static u32 dre_process_flags(const struct dre_process_entry *p)
{
	u32 flags = 0;

	if (dre_own_valid(dre_part(p->own), dre_exec_id(p->watch.pid)))
		flags |= DRE_PROCESS_SELF;
	if (dre_managed_valid(dre_part(p->managed)))
		flags |= DRE_PROCESS_MANAGED;
	return flags;
}

/* The registrations that end when @p is removed: also those that are not valid any more. */
static u32 dre_process_parts(const struct dre_process_entry *p)
{
	return (dre_part(p->own) ? DRE_PROCESS_SELF : 0) |
	       (dre_part(p->managed) ? DRE_PROCESS_MANAGED : 0);
}

/* Says that the registration @flag was made. dre_lock. */
static void dre_process_announce(const struct dre_process_entry *p, u32 flag)
{
	dre_event(dre_process_home(p), DRE_EVENT_REGISTERED, p->watch.pid, flag);
	dre_proc_changed();
}

static int dre_own_register(struct pid *pid, struct dre_spare *spare)
{
	struct dre_process_entry *p = dre_process_obtain(pid, spare);

	if (IS_ERR(p))
		return PTR_ERR(p);
	spare->registration->exec_id = dre_exec_id(pid);
	dre_own_set(p, spare->registration);
	spare->registration = NULL;
	dre_process_announce(p, DRE_PROCESS_SELF);
	return 0;
}

long dre_self_register(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_self *req = &arg->self;
	struct dre_spare spare;
	int err;

	if (req->flags || req->reserved || !req->nr_signals ||
	    !dre_signals_valid(req->signals, req->nr_signals))
		return -EINVAL;
	err = dre_spare_alloc(&spare, req->signals, req->nr_signals);
	if (!err) {
		mutex_lock(&dre_lock);
		err = dre_own_register(task_tgid(current), &spare);
		mutex_unlock(&dre_lock);
	}
	dre_spare_free(&spare);
	return err;
}

long dre_self_unregister(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_self *req = &arg->self;
	struct dre_process_entry *p;
	int err = -ENOENT;

	if (req->flags || req->reserved || req->nr_signals ||
	    !dre_signals_valid(req->signals, 0))
		return -EINVAL;
	mutex_lock(&dre_lock);
	p = dre_process_of(task_tgid(current));
	if (p && dre_part(p->own)) {
		if (dre_process_flags(p) & DRE_PROCESS_SELF)
			err = 0;	/* else exec ended it, which is told now */
		dre_event(dre_process_home(p), DRE_EVENT_UNREGISTERED, p->watch.pid,
			  DRE_PROCESS_SELF);
		dre_own_set(p, NULL);
		dre_process_shrink(p);
	}
	mutex_unlock(&dre_lock);
	return err;
}

long dre_self_refuse(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_self *req = &arg->self;
	struct dre_process_entry *p;
	int err = -ENOENT;

	if (req->flags || req->reserved || req->nr_signals != 1 ||
	    !dre_signals_valid(req->signals, 1))
		return -EINVAL;
	mutex_lock(&dre_lock);
	p = dre_process_of(task_tgid(current));
	if (p && dre_process_flags(p) & DRE_PROCESS_SELF) {
		const struct dre_registration *own = dre_part(p->own);

		if (memchr(own->signals, req->signals[0], own->nr_signals)) {
			dre_event(dre_process_home(p), DRE_EVENT_REFUSED, p->watch.pid,
				  req->signals[0]);
			err = 0;
		}
	}
	mutex_unlock(&dre_lock);
	return err;
}

/* The container's end takes a manager's registration away. dre_lock. */
void dre_managed_remove(struct dre_registration *m)
{
	struct dre_process_entry *p = m->process;

	dre_event(m->container, DRE_EVENT_UNREGISTERED, p->watch.pid, DRE_PROCESS_MANAGED);
	dre_managed_set(p, NULL);
	dre_process_shrink(p);
}

static int dre_managed_register(struct dre_container *c, struct pid *pid,
				struct dre_spare *spare)
{
	struct dre_process_entry *p = dre_process_of(pid);
	const struct dre_registration *m = p ? dre_part(p->managed) : NULL;

	if (dre_managed_valid(m) && m->container != c)
		return -EBUSY;
	p = dre_process_obtain(pid, spare);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (m && m->container != c)
		dre_event(m->container, DRE_EVENT_UNREGISTERED, pid, DRE_PROCESS_MANAGED);
	spare->registration->container = c;
	dre_managed_set(p, spare->registration);
	spare->registration = NULL;
	dre_process_announce(p, DRE_PROCESS_MANAGED);
	return 0;
}

/* The process that a request to @c means by @nr. */
struct pid *dre_requested_process(const struct dre_container *c, int nr, bool by_vpid)
{
	if (!by_vpid)
		return dre_find_process(nr, task_active_pid_ns(current));
	if (!c->ns)
		return ERR_PTR(-ESRCH);
	return dre_find_process(nr, c->ns);
}

static int dre_register_for(struct dre_container *c, struct pid *pid, bool self,
			    struct dre_spare *spare)
{
	struct dre_container *home = dre_pid_home(pid);

	if (!dre_container_alive(c))
		return -ENODEV;
	if (home && home != c)
		return -EXDEV;
	if (self)
		return home ? dre_own_register(pid, spare) : -EINVAL;
	/* The file is the authority over its container, not over who is in none. */
	if (!home && !dre_may_manage())
		return -EPERM;
	return dre_managed_register(c, pid, spare);
}

long dre_process_register(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_process *req = &arg->process;
	bool self = req->flags & DRE_REGISTER_SELF;
	struct dre_container *c = ctx;
	struct dre_spare spare;
	struct pid *pid;
	int err;

	if (req->flags & ~(DRE_REGISTER_BY_VPID | DRE_REGISTER_SELF) ||
	    !dre_signals_valid(req->signals, req->nr_signals) || (self && !req->nr_signals))
		return -EINVAL;
	pid = dre_requested_process(c, req->pid, req->flags & DRE_REGISTER_BY_VPID);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	err = dre_spare_alloc(&spare, req->signals, req->nr_signals);
	if (!err) {
		mutex_lock(&dre_lock);
		err = dre_register_for(c, pid, self, &spare);
		mutex_unlock(&dre_lock);
	}
	dre_spare_free(&spare);
	put_pid(pid);
	return err;
}

long dre_process_unregister(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_process *req = &arg->process;
	struct dre_container *c = ctx;
	struct dre_process_entry *p;
	struct pid *pid;
	int err = 0;

	if (req->flags & ~DRE_REGISTER_BY_VPID || req->nr_signals ||
	    !dre_signals_valid(req->signals, 0))
		return -EINVAL;
	pid = dre_requested_process(c, req->pid, req->flags & DRE_REGISTER_BY_VPID);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	mutex_lock(&dre_lock);
	p = dre_process_of(pid);
	if (!dre_container_alive(c)) {
		err = -ENODEV;
	} else if (!p || !dre_process_flags(p) || dre_process_home(p) != c) {
		err = -ENOENT;
	} else {
		dre_event(c, DRE_EVENT_UNREGISTERED, pid, dre_process_parts(p));
		dre_process_remove(p);
	}
	mutex_unlock(&dre_lock);
	put_pid(pid);
	return err;
}

/* The next registered process of @c, as @view. RCU. */
static bool dre_process_next_in(struct dre_container *c, struct pid_namespace *ns, int *nr,
				struct dre_process_view *view)
{
	struct dre_process_entry *p;

	for (; (p = dre_process_next(ns, nr)); ++*nr) {
		if (dre_process_view(p, view) && view->container == c)
			return true;
		if (!dre_rcu_pause())
			return false;
	}
	return false;
}

long dre_process_list(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct dre_list *req = &arg->list;
	struct dre_container *c = ctx;
	u32 room = req->count;
	int nr, err;

	err = dre_list_check(req, sizeof(struct dre_process_info));
	if (err)
		return err;
	req->count = 0;
	for (nr = min_t(u64, req->cursor, PID_MAX_LIMIT); ; nr++) {
		struct dre_process_info info = {};
		struct dre_process_view view;
		bool found;

		rcu_read_lock();
		found = dre_process_next_in(c, ns, &nr, &view);
		if (found) {
			info.pid = pid_nr_ns(view.pid, ns);
			info.vpid = dre_container_vpid(c, view.pid);
			info.flags = view.flags;
			info.nr_signals = view.nr_signals;
			if (view.nr_signals)
				memcpy(info.signals, view.signals, view.nr_signals);
		}
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

/* Its first signal to a process. dre_lock: who has unregistered gets no signal any more. RCU. */
static void dre_terminate_one(const struct dre_process_view *view, struct dre_terminate *req)
{
	if (!view->nr_signals)
		req->silent++;
	else if (!kill_pid(view->pid, view->signals[0], 1))
		req->signalled++;
}

/*
 * The next process from @nr on that lives in @c. Returns false if there is none. It is
 * looked for without dre_lock, which others need: there may be many that are none.
 */
static bool dre_terminate_next(struct dre_container *c, int *nr, struct dre_terminate *req)
{
	struct dre_process_entry *p;
	struct dre_process_view view;
	struct pid *pid = NULL;

	rcu_read_lock();
	if (dre_process_next_in(c, c->ns, nr, &view))
		pid = get_pid(view.pid);
	rcu_read_unlock();
	if (!pid)
		return false;
	mutex_lock(&dre_lock);
	p = dre_process_of(pid);
	rcu_read_lock();
	if (p && dre_process_view(p, &view) && view.container == c)
		dre_terminate_one(&view, req);
	rcu_read_unlock();
	mutex_unlock(&dre_lock);
	put_pid(pid);
	return true;
}

/* Those of the host that a manager registered for @c. */
static void dre_terminate_guests(struct dre_container *c, struct dre_terminate *req)
{
	struct dre_process_view view;
	struct dre_registration *m;

	mutex_lock(&dre_lock);
	list_for_each_entry(m, &c->managed, node) {
		if (dre_container_vpid(c, m->process->watch.pid))
			continue;
		rcu_read_lock();
		if (dre_process_view(m->process, &view) && view.container == c)
			dre_terminate_one(&view, req);
		rcu_read_unlock();
		cond_resched();
	}
	mutex_unlock(&dre_lock);
}

long dre_process_terminate(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct dre_terminate *req = &arg->terminate;
	struct dre_container *c = ctx;
	int nr;

	if (req->flags)
		return -EINVAL;
	req->signalled = 0;
	req->silent = 0;
	/* No signal is sent if the answer could not be given. */
	if (copy_to_user(uarg, req, sizeof(*req)))
		return -EFAULT;
	for (nr = 1; c->ns && dre_terminate_next(c, &nr, req); nr++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	dre_terminate_guests(c, req);
	return 0;
}

/* One number to the other side. RCU. */
static int dre_translate_one(const struct dre_container *c, int nr, u32 flags)
{
	bool to_pid = flags & DRE_TRANSLATE_TO_PID;
	struct pid *pid = to_pid ? find_pid_ns(nr, c->ns) : find_vpid(nr);

	/* A number outlives its process while a group or session has it. */
	if (!pid || !pid_task(pid, PIDTYPE_PID))
		return 0;
	return to_pid ? pid_vnr(pid) : pid_nr_ns(pid, c->ns);
}

long dre_process_translate(void *ctx, union dre_arg *arg, void __user *uarg)
{
	const struct dre_translate *req = &arg->translate;
	const s32 __user *from = u64_to_user_ptr(req->from);
	s32 __user *to = u64_to_user_ptr(req->to);
	struct dre_container *c = ctx;
	s32 nr;
	u32 i;

	if (req->flags & ~DRE_TRANSLATE_TO_PID || req->reserved || !req->count)
		return -EINVAL;
	if (!c->ns)
		return -ENODEV;
	for (i = 0; i < req->count; i++) {
		if (get_user(nr, from + i))
			return -EFAULT;
		rcu_read_lock();
		nr = dre_translate_one(c, nr, req->flags);
		rcu_read_unlock();
		if (put_user(nr, to + i))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int dre_process_init(void)
{
	dre_process_cache = KMEM_CACHE(dre_process_entry, SLAB_ACCOUNT);
	return dre_process_cache ? 0 : -ENOMEM;
}

/* The module goes: nothing of the registry is left, but for RCU and the worker. */
void dre_processes_drop(void)
{
	struct dre_watch *watch;
	unsigned long nr;

	mutex_lock(&dre_lock);
	xa_for_each(&dre_processes, nr, watch) {
		dre_process_remove(dre_process_entry(watch));
		cond_resched();
	}
	mutex_unlock(&dre_lock);
}

/* After the last grace period. */
void dre_process_fini(void)
{
	kmem_cache_destroy(dre_process_cache);
}
