// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/daware: a line for each registered process, by rising number. Numbers,
 * and what is to be seen at all, are those of the pid namespace of the procfs
 * mount.
 */
#include <linux/cred.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/sched/coredump.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>
#include <linux/workqueue.h>

#include "dre.h"

#define DRE_PROC_NAME	"daware"

/* Counts changes; pollers compare it with what they saw last. */
static atomic_t dre_proc_generation = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(dre_proc_wait);

static void dre_proc_notify(struct work_struct *work)
{
	wake_up_interruptible(&dre_proc_wait);
}

static DECLARE_DELAYED_WORK(dre_proc_notifier, dre_proc_notify);

/* Wakes pollers soon, and not under dre_lock: anybody may have thousands of them wait. */
void dre_proc_changed(void)
{
	atomic_inc(&dre_proc_generation);
	schedule_delayed_work(&dre_proc_notifier, HZ / 50);	/* nothing if one is pending */
}

static struct pid_namespace *dre_proc_ns(const struct seq_file *m)
{
	return proc_pid_ns(file_inode(m->file)->i_sb);
}

/*
 * The position is the number to go on from, so a read that is split shows
 * whoever lives through it exactly once. 0 is the header's.
 */
static void *dre_proc_find(struct seq_file *m, loff_t *pos)
{
	struct dre_process_entry *p;
	int nr = *pos;

	if (*pos > PID_MAX_LIMIT)
		return NULL;
	p = dre_process_next(dre_proc_ns(m), &nr);
	if (p)
		*pos = nr;
	return p;
}

static void *dre_proc_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return *pos ? dre_proc_find(m, pos) : SEQ_START_TOKEN;
}

static void *dre_proc_next(struct seq_file *m, void *v, loff_t *pos)
{
	dre_rcu_pause();
	++*pos;
	return dre_proc_find(m, pos);
}

static void dre_proc_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static void dre_proc_signals(struct seq_file *m, const struct dre_process_view *view)
{
	unsigned int i;

	if (!view->nr_signals)
		seq_putc(m, '-');
	for (i = 0; i < view->nr_signals; i++)
		seq_printf(m, "%s%u", i ? "," : "", view->signals[i]);
}

/* Whether a process lets those look at it that have its ids. RCU. */
static bool dre_dumpable(struct task_struct *leader)
{
	struct task_struct *task;
	struct mm_struct *mm;
	bool dumpable;

	for_each_thread(leader, task) {	/* the leader may have exited */
		task_lock(task);
		mm = task->mm;
		dumpable = mm && (get_dumpable(mm) == SUID_DUMP_USER ||
				  ns_capable(mm->user_ns, CAP_SYS_PTRACE));
		task_unlock(task);
		if (mm)
			return dumpable;
	}
	return capable(CAP_SYS_PTRACE);
}

/*
 * ptrace_may_access() with PTRACE_MODE_READ_FSCREDS, which modules cannot call; but
 * for what security modules say. RCU.
 */
static bool dre_may_look_at(struct task_struct *leader)
{
	const struct cred *cred = current_cred(), *other = __task_cred(leader);

	if (same_thread_group(leader, current))
		return true;
	if ((!uid_eq(cred->fsuid, other->euid) || !uid_eq(cred->fsuid, other->suid) ||
	     !uid_eq(cred->fsuid, other->uid) || !gid_eq(cred->fsgid, other->egid) ||
	     !gid_eq(cred->fsgid, other->sgid) || !gid_eq(cred->fsgid, other->gid)) &&
	    !ns_capable(other->user_ns, CAP_SYS_PTRACE))
		return false;
	smp_rmb();	/* with commit_creds(): whose ids change is not dumpable before that */
	return dre_dumpable(leader);
}

/* hidepid= and gid= of the mount hold here, as for what is in /proc/PID. RCU. */
static bool dre_proc_hidden(const struct seq_file *m, struct task_struct *leader)
{
	const struct proc_fs_info *fs = proc_sb_info(file_inode(m->file)->i_sb);

	if (fs->hide_pid == HIDEPID_OFF)
		return false;
	if (fs->hide_pid != HIDEPID_NOT_PTRACEABLE && in_group_p(fs->pid_gid))
		return false;
	return !dre_may_look_at(leader);
}

static int dre_proc_show(struct seq_file *m, void *v)
{
	struct pid_namespace *ns = dre_proc_ns(m);
	const struct dre_container *c;
	struct dre_process_view view;
	char comm[TASK_COMM_LEN];
	int nr, vnr;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "PID\tVPID\tSIGNALS\tCONTAINER\tCOMM\n");
		return 0;
	}
	if (!dre_process_view(v, &view) || dre_proc_hidden(m, view.task))
		return SEQ_SKIP;
	nr = pid_nr_ns(view.pid, ns);
	c = view.container;
	if (ns != &init_pid_ns) {
		vnr = nr;
		if (c && !dre_container_visible(c, ns))
			c = NULL;
	} else {
		vnr = c ? dre_container_vpid(c, view.pid) : 0;
	}
	seq_printf(m, "%d\t%d\t", nr, vnr);
	dre_proc_signals(m, &view);
	seq_printf(m, "\t%s\t", c ? c->name : "-");
	get_task_comm(comm, view.task);
	seq_escape_str(m, comm, ESCAPE_SPACE | ESCAPE_SPECIAL, "\n\\");
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations dre_proc_seq_ops = {
	.start	= dre_proc_start,
	.next	= dre_proc_next,
	.stop	= dre_proc_stop,
	.show	= dre_proc_show,
};

/*
 * An open file holds the module: a poller waits on a queue in it. Not before the
 * module is sure to stay: a load that fails heeds no references.
 */
static int dre_proc_open(struct inode *inode, struct file *file)
{
	struct seq_file *m;
	int err;

	if (READ_ONCE(THIS_MODULE->state) != MODULE_STATE_LIVE || !try_module_get(THIS_MODULE))
		return -ENOENT;
	err = seq_open(file, &dre_proc_seq_ops);
	if (err) {
		module_put(THIS_MODULE);
		return err;
	}
	m = file->private_data;
	m->poll_event = atomic_read(&dre_proc_generation);
	return 0;
}

static int dre_proc_release(struct inode *inode, struct file *file)
{
	int err = seq_release(inode, file);

	module_put(THIS_MODULE);
	return err;
}

/* As /proc/self/mounts: always readable, and EPOLLERR | EPOLLPRI once after changes. */
static __poll_t dre_proc_poll(struct file *file, struct poll_table_struct *pt)
{
	struct seq_file *m = file->private_data;
	__poll_t mask = EPOLLIN | EPOLLRDNORM;
	int generation;

	poll_wait(file, &dre_proc_wait, pt);
	generation = atomic_read(&dre_proc_generation);
	if (m->poll_event != generation) {
		m->poll_event = generation;
		mask |= EPOLLERR | EPOLLPRI;
	}
	return mask;
}

static const struct proc_ops dre_proc_ops = {
	.proc_open	= dre_proc_open,
	.proc_read_iter	= seq_read_iter,
	.proc_lseek	= seq_lseek,
	.proc_poll	= dre_proc_poll,
	.proc_release	= dre_proc_release,
};

int dre_proc_init(void)
{
	return proc_create(DRE_PROC_NAME, 0444, NULL, &dre_proc_ops) ? 0 : -ENOMEM;
}

void dre_proc_exit(void)
{
	remove_proc_entry(DRE_PROC_NAME, NULL);
}

/* Nothing changes any more. */
void dre_proc_flush(void)
{
	cancel_delayed_work_sync(&dre_proc_notifier);
}
