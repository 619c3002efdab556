// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells when a process has ended, without a hook that other processes pay for:
 * a waiter on struct pid's wait_pidfd, which the kernel wakes when a thread
 * group is gone.
 *
 * The wake-up comes with interrupts off and tasklist_lock held. It may come more
 * than once, and before the group is gone, so the callback looks whether it
 * is, notes what nobody can read later, and leaves the rest to a worker that
 * takes dre_lock.
 */
#include <linux/workqueue.h>

#include "dre.h"

static LLIST_HEAD(dre_watch_fired);

/* Off the queue, whoever did it first. The callback runs under the queue's lock: it is over. */
static void dre_watch_unhook(struct dre_watch *watch)
{
	struct wait_queue_head *queue = &watch->pid->wait_pidfd;

	spin_lock_irq(&queue->lock);
	list_del_init(&watch->wait.entry);
	spin_unlock_irq(&queue->lock);
}

static void dre_watch_work(struct work_struct *work)
{
	struct llist_node *list = llist_reverse_order(llist_del_all(&dre_watch_fired));
	struct dre_watch *watch, *next;

	llist_for_each_entry_safe(watch, next, list, node) {
		dre_watch_unhook(watch);
		mutex_lock(&dre_lock);
		watch->gone(watch);
		mutex_unlock(&dre_lock);
		cond_resched();
	}
}

static DECLARE_WORK(dre_watch_worker, dre_watch_work);

/* The leader of @pid's thread group if all of the group have exited. RCU. */
static struct task_struct *dre_pid_exited(struct pid *pid)
{
	struct task_struct *task = pid_task(pid, PIDTYPE_TGID);

	if (task && READ_ONCE(task->exit_state) && thread_group_empty(task))
		return task;
	return NULL;
}

/* Whether a thread of the group that @pid leads is left, be the leader a zombie or not. */
bool dre_pid_alive(struct pid *pid)
{
	bool alive;

	rcu_read_lock();
	alive = pid_task(pid, PIDTYPE_TGID) && !dre_pid_exited(pid);
	rcu_read_unlock();
	return alive;
}

static int dre_watch_wake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct dre_watch *watch = container_of(wait, struct dre_watch, wait);
	struct task_struct *task;

	rcu_read_lock();
	task = dre_pid_exited(watch->pid);
	if (task && !watch->fired) {
		watch->fired = true;
		watch->status = task->signal->flags & SIGNAL_GROUP_EXIT ?
				task->signal->group_exit_code : task->exit_code;
		/* Somebody waits to hear of it. */
		if (llist_add(&watch->node, &dre_watch_fired))
			queue_work(system_highpri_wq, &dre_watch_worker);
	}
	rcu_read_unlock();
	return 0;
}

/**
 * dre_watch_prepare() - set a watch up, not yet watching
 * @watch: zeroed
 * @pid: leader of a thread group; a reference is taken, the object's end gives
 *	it back
 * @gone: see struct dre_watch
 */
void dre_watch_prepare(struct dre_watch *watch, struct pid *pid,
		       void (*gone)(struct dre_watch *watch))
{
	watch->pid = get_pid(pid);
	watch->gone = gone;
	init_waitqueue_func_entry(&watch->wait, dre_watch_wake);
	INIT_LIST_HEAD(&watch->wait.entry);
}

/**
 * dre_watch_start() - watch
 * @watch: is prepared
 * @last: fires after the others of this process. A container's does: its end
 *	is told after the exit of its init as a process.
 *
 * A process that ended before the watch stood does not fire it: check with
 * dre_pid_alive() afterwards. Called under dre_lock, which keeps @gone away
 * until the caller is done.
 */
void dre_watch_start(struct dre_watch *watch, bool last)
{
	struct wait_queue_head *queue = &watch->pid->wait_pidfd;

	spin_lock_irq(&queue->lock);
	if (last)
		__add_wait_queue_entry_tail(queue, &watch->wait);
	else
		__add_wait_queue(queue, &watch->wait);
	spin_unlock_irq(&queue->lock);
}

/**
 * dre_watch_stop() - stop watching
 * @watch: was started, and not stopped yet
 *
 * Returns true if the caller owns the object from now on, and has to give back
 * @watch->pid; false if the watch has fired: the worker calls @gone soon, which
 * owns it. Called under dre_lock.
 */
bool dre_watch_stop(struct dre_watch *watch)
{
	dre_watch_unhook(watch);
	return !watch->fired;
}

/*
 * Tables of watches are by number in the initial pid namespace, which orders
 * lists. A number can come back before the worker has removed the old entry, so
 * entries are compared by struct pid, and a new one takes the place of a dead
 * one. Changed under dre_lock; readers under RCU.
 */

/* The watch of @pid in @table, or NULL. */
struct dre_watch *dre_watch_of(struct xarray *table, struct pid *pid)
{
	struct dre_watch *watch = xa_load(table, pid_nr(pid));

	return watch && watch->pid == pid ? watch : NULL;
}

/**
 * dre_watch_next() - walk over a table by rising number
 * @table: the table
 * @ns: pid namespace of the numbers
 * @nr: the lowest number that counts; the one found
 *
 * Also returns those whose process has ended, and nothing to a caller who is being killed. RCU.
 */
struct dre_watch *dre_watch_next(struct xarray *table, struct pid_namespace *ns, int *nr)
{
	unsigned long index = *nr;
	struct dre_watch *watch;
	struct pid *pid;

	if (ns == &init_pid_ns) {
		watch = xa_find(table, &index, ULONG_MAX, XA_PRESENT);
		*nr = index;
		return watch;
	}
	for (; (pid = find_ge_pid(*nr, ns)); ++*nr) {
		*nr = pid_nr_ns(pid, ns);
		watch = dre_watch_of(table, pid);
		if (watch)
			return watch;
		if (!dre_rcu_pause())
			return NULL;
	}
	return NULL;
}

/**
 * dre_watch_add() - put a watch into a table, and start it
 * @table: the table
 * @watch: is prepared
 *
 * Returns 0 or an error, with which nothing has happened. As with
 * dre_watch_start() the process may have ended before.
 */
int dre_watch_add(struct xarray *table, struct dre_watch *watch)
{
	int err = xa_err(xa_store(table, pid_nr(watch->pid), watch, GFP_KERNEL));

	if (!err)
		dre_watch_start(watch, false);
	return err;
}

/* Out of its table, unless another one has taken its place. */
void dre_watch_forget(struct xarray *table, struct dre_watch *watch)
{
	if (dre_watch_of(table, watch->pid) == watch)
		xa_erase(table, pid_nr(watch->pid));
}

/* All watches are stopped; waits for the worker if some had fired before. */
void dre_watch_flush(void)
{
	flush_work(&dre_watch_worker);
}
