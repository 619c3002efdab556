// SPDX-License-Identifier: GPL-2.0-only
/*
 * Container fds: the authority over one container, and a queue of what happens
 * in it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>

#include "dre.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* An event that waits to be read. Numbers are made when it is: they are the reader's. */
struct dre_queued {
	struct pid *pid;	/* a reference */
	u64 time;
	u32 type;
	u32 value;
};

/**
 * struct dre_container_file - what a container fd refers to
 * @container: a reference
 * @node: in container->files, under dre_lock
 * @reading: (mutex, outermost) one read(2) at a time
 * @lock: guards what follows. Readers and makers of events.
 * @head: number of events ever queued
 * @tail: number of events ever read
 * @lost: events that had no room since the last one that had
 * @queue: events @tail to @head - 1, each at its number modulo the size
 */
struct dre_container_file {
	struct dre_container *container;
	struct list_head node;
	struct mutex reading;	/* see above */
	spinlock_t lock;	/* likewise */
	u32 head;
	u32 tail;
	u32 lost;
	struct dre_queued queue[DRE_EVENTS_MAX];
};

static void dre_queue_push(struct dre_container_file *f, u32 type, struct pid *pid, u32 value)
{
	BUILD_BUG_ON_NOT_POWER_OF_2(DRE_EVENTS_MAX);	/* head and tail wrap */
	f->queue[f->head++ % DRE_EVENTS_MAX] = (struct dre_queued) {
		.type = type,
		.value = value,
		.pid = get_pid(pid),
		.time = ktime_get_boottime_ns(),
	};
}

/*
 * Queues an event, with DRE_EVENT_LOST before it if some had no room. The last
 * two places are kept for the container's end and that. f->lock.
 */
static void dre_queue_add(struct dre_container_file *f, u32 type, struct pid *pid, u32 value)
{
	u32 room = DRE_EVENTS_MAX - (f->head - f->tail);

	if (type != DRE_EVENT_ENDED && room < 3 + !!f->lost) {
		f->lost += f->lost != U32_MAX;
		return;
	}
	if (f->lost)
		dre_queue_push(f, DRE_EVENT_LOST, NULL, f->lost);
	f->lost = 0;
	dre_queue_push(f, type, pid, value);
}

static void dre_trace(const struct dre_container *c, u32 type, struct pid *pid, u32 value)
{
	switch (type) {
	case DRE_EVENT_REGISTERED:
		return trace_dre_registered(c, pid, value);
	case DRE_EVENT_UNREGISTERED:
		return trace_dre_unregistered(c, pid, value);
	case DRE_EVENT_EXITED:
		return trace_dre_exited(c, pid, value);
	case DRE_EVENT_REFUSED:
		return trace_dre_refused(c, pid, value);
	case DRE_EVENT_ENDED:
		return trace_dre_ended(c, pid, value);
	case DRE_EVENT_BOUND:
		return trace_dre_bound(c, pid, value);
	case DRE_EVENT_UNBOUND:
		return trace_dre_unbound(c, pid, value);
	}
}

/**
 * dre_event() - tell every holder of a container fd, and who traces, what happened
 * @c: the container, or NULL: nobody to tell
 * @type: DRE_EVENT_*
 * @pid: the process
 * @value: by type
 *
 * Called under dre_lock.
 */
void dre_event(struct dre_container *c, u32 type, struct pid *pid, u32 value)
{
	struct dre_container_file *f;

	dre_trace(c, type, pid, value);
	if (!c || c->ended || list_empty(&c->files))	/* nothing comes after the end */
		return;
	list_for_each_entry(f, &c->files, node) {
		spin_lock(&f->lock);
		dre_queue_add(f, type, pid, value);
		spin_unlock(&f->lock);
	}
	wake_up_interruptible(&c->wait);
}

/*
 * The event that is to be read next. What was lost at the end of the queue is
 * put into it first: it has room then.
 */
static bool dre_queue_peek(struct dre_container_file *f, struct dre_event *event)
{
	const struct dre_queued *q;
	bool found;

	spin_lock(&f->lock);
	if (f->head == f->tail && f->lost) {
		dre_queue_push(f, DRE_EVENT_LOST, NULL, f->lost);
		f->lost = 0;
	}
	found = f->head != f->tail;
	if (found) {
		q = &f->queue[f->tail % DRE_EVENTS_MAX];
		*event = (struct dre_event) {
			.type = q->type,
			.value = q->value,
			.time = q->time,
			.pid = q->pid ? pid_vnr(q->pid) : 0,
			.vpid = q->pid ? dre_container_vpid(f->container, q->pid) : 0,
		};
	}
	spin_unlock(&f->lock);
	return found;
}

static void dre_queue_pop(struct dre_container_file *f)
{
	struct pid *pid;

	spin_lock(&f->lock);
	pid = f->queue[f->tail++ % DRE_EVENTS_MAX].pid;
	spin_unlock(&f->lock);
	put_pid(pid);
}

static bool dre_queue_empty(struct dre_container_file *f)
{
	bool empty;

	spin_lock(&f->lock);
	empty = f->head == f->tail && !f->lost;
	spin_unlock(&f->lock);
	return empty;
}

/* What is there, as far as it fits. f->reading. */
static ssize_t dre_read_queue(struct dre_container_file *f, char __user *buf, size_t count)
{
	struct dre_event event;
	size_t done = 0;

	while (count - done >= sizeof(event) && dre_queue_peek(f, &event)) {
		if (copy_to_user(buf + done, &event, sizeof(event)))
			return done ? done : -EFAULT;
		dre_queue_pop(f);
		done += sizeof(event);
	}
	return done;
}

static ssize_t dre_container_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct dre_container_file *f = file->private_data;
	struct dre_container *c = f->container;
	ssize_t done;
	bool ended;

	if (count < sizeof(struct dre_event))
		return -EINVAL;
	for (;;) {
		ended = smp_load_acquire(&c->ended);	/* the last event is queued then */
		if (file->f_flags & O_NONBLOCK) {
			if (!mutex_trylock(&f->reading))
				return -EAGAIN;
		} else if (mutex_lock_interruptible(&f->reading)) {
			return -ERESTARTSYS;
		}
		done = dre_read_queue(f, buf, count);
		mutex_unlock(&f->reading);
		if (done || ended)
			return done;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(c->wait, READ_ONCE(c->ended) || !dre_queue_empty(f)))
			return -ERESTARTSYS;
	}
}

static __poll_t dre_container_poll(struct file *file, struct poll_table_struct *pt)
{
	struct dre_container_file *f = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &f->container->wait, pt);
	if (READ_ONCE(f->container->ended))
		mask |= EPOLLHUP | EPOLLIN | EPOLLRDNORM;
	if (!dre_queue_empty(f))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static const struct dre_request dre_container_requests[] = {
	DRE_REQUEST(DRE_IOC_PROCESS_REGISTER, dre_process_register),
	DRE_REQUEST(DRE_IOC_PROCESS_UNREGISTER, dre_process_unregister),
	DRE_REQUEST(DRE_IOC_PROCESS_LIST, dre_process_list, .copy_out = true),
	DRE_REQUEST(DRE_IOC_TRANSLATE, dre_process_translate),
	DRE_REQUEST(DRE_IOC_CONTAINER_TERMINATE, dre_process_terminate, .copy_out = true),
	DRE_REQUEST(DRE_IOC_GROUP_CREATE, dre_group_create),
	DRE_REQUEST(DRE_IOC_GROUP_DESTROY, dre_group_destroy),
	DRE_REQUEST(DRE_IOC_GROUP_LIST, dre_group_list, .after_end = true, .copy_out = true),
	DRE_REQUEST(DRE_IOC_BIND, dre_bind),
	DRE_REQUEST(DRE_IOC_UNBIND, dre_unbind, .after_end = true),
	DRE_REQUEST(DRE_IOC_BINDING_LIST, dre_binding_list, .after_end = true,
		    .copy_out = true),
};

static long dre_container_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct dre_container_file *f = file->private_data;
	struct dre_container *c = f->container;

	return dre_dispatch(dre_container_requests, ARRAY_SIZE(dre_container_requests), c,
			    !dre_container_alive(c), cmd, uarg);
}

static int dre_container_release(struct inode *inode, struct file *file)
{
	struct dre_container_file *f = file->private_data;

	mutex_lock(&dre_lock);
	list_del(&f->node);
	mutex_unlock(&dre_lock);
	while (f->tail != f->head)
		dre_queue_pop(f);
	dre_container_put(f->container);
	kfree(f);
	return 0;
}

static const struct file_operations dre_container_fops = {
	.owner		= THIS_MODULE,
	.read		= dre_container_read,
	.poll		= dre_container_poll,
	.unlocked_ioctl	= dre_container_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= dre_container_release,
};

/*
 * A new file for @c, which takes a reference of its own; -ENOENT if @c has ended
 * and @may_have_ended is not set.
 */
struct file *dre_container_getfile(struct dre_container *c, bool may_have_ended)
{
	struct dre_container_file *f;
	struct file *file;
	bool ended;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->container = c;
	INIT_LIST_HEAD(&f->node);
	mutex_init(&f->reading);
	spin_lock_init(&f->lock);
	file = anon_inode_getfile("[dre-container]", &dre_container_fops, f, O_RDWR);
	if (IS_ERR(file)) {
		kfree(f);
		return file;
	}
	refcount_inc(&c->ref);
	mutex_lock(&dre_lock);
	ended = c->ended;
	if (!ended)
		list_add_tail(&f->node, &c->files);
	mutex_unlock(&dre_lock);
	if (ended && !may_have_ended) {
		fput(file);	/* it would wait for an event that has been */
		return ERR_PTR(-ENOENT);
	}
	return file;
}
