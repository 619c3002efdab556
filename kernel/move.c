// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves processes from cgroup to cgroup: as user space does it, by a write to
 * cgroup.procs, with the rights of the caller and the kernel's own checks and
 * errors.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include "dre.h"

#define DRE_PROCS	"cgroup.procs"

/*
 * Whether user space has removed the cgroup's directory: as the kernel's own
 * cgroup_is_dead(). css_is_dying() is for controllers; of a cgroup itself it is
 * never true on 6.12.
 */
bool dre_cgroup_removed(const struct cgroup *cgroup)
{
	return !(READ_ONCE(cgroup->self.flags) & CSS_ONLINE);
}

/*
 * Whether a thread is where it seems to be: not on its way out, and its fork is done.
 * It is found before that, and is in the root until it gets its cgroup. It is new
 * until it is woken, which comes last. RCU.
 */
static bool dre_thread_settled(const struct task_struct *task)
{
	if (READ_ONCE(task->__state) & TASK_NEW)
		return false;
	smp_rmb();	/* with the locks in cgroup_post_fork() and wake_up_new_task() */
	return !(READ_ONCE(task->flags) & PF_EXITING);
}

/* A thread of the process that can be moved. The leader may be on its way out. RCU. */
static struct task_struct *dre_live_thread(struct pid *pid)
{
	struct task_struct *leader = pid_task(pid, PIDTYPE_TGID), *task;

	if (leader)
		for_each_thread(leader, task)
			if (dre_thread_settled(task))
				return task;
	return NULL;
}

/* Whether there is something of the process left to be moved. */
bool dre_pid_movable(struct pid *pid)
{
	bool movable;

	rcu_read_lock();
	movable = dre_live_thread(pid);
	rcu_read_unlock();
	return movable;
}

static bool dre_is_in(struct task_struct *task, const struct cgroup *cgroup)
{
	const struct cgroup *in = task_dfl_cgroup(task);

	return in == cgroup || READ_ONCE(in->dom_cgrp) == cgroup;
}

/*
 * Whether the process is in that cgroup. Its threads may be in threaded ones below
 * it. One of whom no thread lives is in none. RCU.
 */
bool dre_in_cgroup(struct pid *pid, const struct cgroup *cgroup)
{
	struct task_struct *task = dre_live_thread(pid);

	return task && dre_is_in(task, cgroup);
}

/*
 * The cgroup that the process is in; NULL if it has ended, or is in its fork. Where
 * its threads are in several threaded ones, the domain, which is that of each. RCU.
 */
static struct cgroup *dre_cgroup_of(struct pid *pid)
{
	struct task_struct *first = dre_live_thread(pid), *task;
	struct cgroup *cgroup, *domain;

	if (!first)
		return NULL;
	cgroup = task_dfl_cgroup(first);
	domain = READ_ONCE(cgroup->dom_cgrp);
	if (cgroup != domain)
		for_each_thread(first, task)
			if (dre_thread_settled(task) && task_dfl_cgroup(task) != cgroup)
				return domain;
	return cgroup;
}

/* Likewise, with a reference. */
struct cgroup *dre_cgroup_get(struct pid *pid)
{
	struct cgroup *cgroup;

	rcu_read_lock();
	/* It may leave, and its cgroup be gone, while we look. */
	do
		cgroup = dre_cgroup_of(pid);
	while (cgroup && !cgroup_tryget(cgroup));
	rcu_read_unlock();
	return cgroup;
}

/*
 * Likewise, but of one that is about to end where it was last, as long as its parent
 * does not know. Threads are in the domain.
 */
struct cgroup *dre_cgroup_left(struct pid *pid)
{
	struct cgroup *cgroup = dre_cgroup_get(pid);
	struct task_struct *task;

	if (cgroup)
		return cgroup;
	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_TGID);
	if (task)
		cgroup = READ_ONCE(task_dfl_cgroup(task)->dom_cgrp);
	if (cgroup && !cgroup_tryget(cgroup))
		cgroup = NULL;
	rcu_read_unlock();
	return cgroup;
}

/*
 * cgroup.procs of the cgroup whose directory @dir is, with a reference to the dentry,
 * if the caller may write to it. Not by a path: who has a mount namespace of his own
 * could have mounted over it something that never answers.
 */
static int dre_procs_path(const struct path *dir, struct path *procs)
{
	int err;

	procs->mnt = dir->mnt;
	procs->dentry = lookup_positive_unlocked(DRE_PROCS, dir->dentry, strlen(DRE_PROCS));
	if (IS_ERR(procs->dentry))
		return PTR_ERR(procs->dentry);
	err = path_permission(procs, MAY_WRITE | MAY_OPEN);
	if (err)
		dput(procs->dentry);
	return err;
}

/*
 * Opens it for writing. Whoever owns the file can have a lease on it, which an open
 * waits for, 45 s and more: not while others wait for dre_move_lock. @lease: what to
 * wait for, or NULL.
 */
static struct file *dre_open_procs(const struct path *dir, struct dre_lease *lease)
{
	struct path procs;
	struct file *file;
	int err = dre_procs_path(dir, &procs);

	if (err)
		return ERR_PTR(err);
	file = dentry_open(&procs, O_WRONLY | O_NONBLOCK, current_cred());
	if (lease && file == ERR_PTR(-EWOULDBLOCK)) {
		lease->procs = procs;
		path_get(&lease->procs);
	}
	dput(procs.dentry);
	return file;
}

/* Waits until it is given back or broken. Nobody gets one while the file is open for writing. */
static int dre_lease_wait(struct dre_lease *lease)
{
	struct file *file = dentry_open(&lease->procs, O_WRONLY, current_cred());

	path_put(&lease->procs);
	lease->procs = (struct path){};
	if (IS_ERR(file))
		return PTR_ERR(file);
	if (lease->file)
		fput(lease->file);
	lease->file = file;
	return 0;
}

/**
 * dre_lease_again() - whether a move is to be done again
 * @lease: what it was given, zero before the first
 * @err: what it gave
 *
 * To be asked after each, without dre_move_lock: it waits.
 */
bool dre_lease_again(struct dre_lease *lease, int *err)
{
	if (lease->procs.dentry) {
		*err = dre_lease_wait(lease);
		if (!*err)
			return true;
	}
	if (lease->file)
		fput(lease->file);
	lease->file = NULL;
	return false;
}

/* Whether the caller may move processes into the cgroup whose directory @dir is: 0, or why not. */
int dre_move_allowed(const struct path *dir)
{
	struct path procs;
	int err = dre_procs_path(dir, &procs);

	if (!err)
		dput(procs.dentry);
	return err;
}

/* Whether @pid still has that number, be the process a zombie or gone: nobody else has it then. */
static bool dre_pid_has(struct pid *pid, int nr)
{
	bool has;

	rcu_read_lock();
	has = find_vpid(nr) == pid;
	rcu_read_unlock();
	return has;
}

/* Writes the process' number into the cgroup.procs of @dir. */
static int dre_write_pid(const struct path *dir, struct pid *pid, struct dre_lease *lease)
{
	int nr = pid_vnr(pid);
	struct file *file;
	char number[16];
	loff_t pos = 0;
	ssize_t len;

	if (!nr)	/* would be the caller */
		return -ESRCH;
	len = snprintf(number, sizeof(number), "%d", nr);
	file = dre_open_procs(dir, lease);
	if (IS_ERR(file)) {
		len = PTR_ERR(file);
	} else {
		/* As late as can be: what comes next goes by the number. */
		len = dre_pid_has(pid, nr) ? kernel_write(file, number, len, &pos) : -ESRCH;
		fput(file);
	}
	if (len == -ENODEV)	/* what the kernel says of a directory that was removed meanwhile */
		return -ENOENT;
	return len < 0 ? len : 0;
}

/*
 * The directory of any cgroup, with a reference: nobody holds that of where a
 * process came from. It is looked up from the root of the hierarchy, whatever part
 * of it is mounted, and not by a path: who makes directories can make that longer
 * than any may be. Their names do not change. Another one that has got the name
 * since is none.
 */
static struct dentry *dre_cgroup_dir(struct super_block *sb, struct cgroup *cgroup)
{
	struct dentry *dir = dget(sb->s_root), *next;
	const char *name;
	int level;

	for (level = 1; level <= cgroup->level && !IS_ERR(dir); level++) {
		name = cgroup->ancestors[level]->kn->name;
		next = lookup_positive_unlocked(name, dir, strlen(name));
		dput(dir);
		dir = next;
	}
	if (!IS_ERR(dir) && d_inode(dir)->i_private != cgroup->kn) {
		dput(dir);
		dir = ERR_PTR(-ENOENT);
	}
	return dir;
}

/* Likewise for any cgroup in the same file system as @any. */
static int dre_write_pid_to(const struct path *any, struct cgroup *cgroup, struct pid *pid,
			    struct dre_lease *lease)
{
	struct path dir = { .mnt = any->mnt };
	int err;

	dir.dentry = dre_cgroup_dir(any->mnt->mnt_sb, cgroup);
	if (IS_ERR(dir.dentry))
		return PTR_ERR(dir.dentry);
	err = dre_write_pid(&dir, pid, lease);
	dput(dir.dentry);
	return err;
}

/*
 * @stranger had got the number of a process that has ended, and may have been
 * moved in its place. It was just forked, so it belongs where its parent is; but
 * if it is a thread, then its process may be as old as any, and nobody knows where
 * that was. If its fork is not done, the cgroup tells all the same: it is in the
 * root, or was moved.
 */
static int dre_put_back(const struct path *any, struct cgroup *cgroup, struct pid *stranger)
{
	struct task_struct *task;
	struct cgroup *from = NULL;
	int err = -ESRCH;

	rcu_read_lock();
	task = pid_task(stranger, PIDTYPE_PID);
	if (task && !(READ_ONCE(task->flags) & PF_EXITING) && dre_is_in(task, cgroup)) {
		if (thread_group_leader(task))
			from = dre_cgroup_left(task_tgid(rcu_dereference(task->real_parent)));
		if (from != cgroup)
			err = -ESTALE;
	}
	rcu_read_unlock();
	if (from && from != cgroup)
		dre_write_pid_to(any, from, stranger, NULL);
	if (from)
		cgroup_put(from);
	return err;
}

/*
 * After @nr was written: whether @pid is in @cgroup. Then it lives, and the number
 * was its own all the time. Numbers can come back: if it ended before that, then
 * another one may have been moved.
 */
static int dre_settle(const struct path *any, struct cgroup *cgroup, struct pid *pid, int nr)
{
	struct pid *stranger;
	bool moved;
	int err;

	rcu_read_lock();
	moved = dre_in_cgroup(pid, cgroup);
	rcu_read_unlock();
	if (moved)
		return 0;
	stranger = find_get_pid(nr);
	err = stranger && stranger != pid ? dre_put_back(any, cgroup, stranger) : -ESRCH;
	put_pid(stranger);
	/* Somebody else moved it on at the same time. */
	return err == -ESRCH && dre_pid_movable(pid) ? -EAGAIN : err;
}

/**
 * dre_move_into() - move a process into a cgroup
 * @dir: its directory
 * @cgroup: the cgroup
 * @pid: the process
 * @lease: for dre_lease_again()
 *
 * Returns 0, -ESRCH if the process has ended, -ESTALE if another process was moved
 * in its place and put back, -EAGAIN if somebody else moved it on, or what
 * opening and writing cgroup.procs gave.
 */
int dre_move_into(const struct path *dir, struct cgroup *cgroup, struct pid *pid,
		  struct dre_lease *lease)
{
	int nr = pid_vnr(pid);

	return dre_write_pid(dir, pid, lease) ?: dre_settle(dir, cgroup, pid, nr);
}

/**
 * dre_move_to() - likewise, for a cgroup whose directory is not at hand
 * @any: something in the same cgroup file system
 * @cgroup: the cgroup
 * @pid: the process
 * @lease: for dre_lease_again(), or NULL: if somebody has one, it is not moved
 */
int dre_move_to(const struct path *any, struct cgroup *cgroup, struct pid *pid,
		struct dre_lease *lease)
{
	int nr = pid_vnr(pid);

	return dre_write_pid_to(any, cgroup, pid, lease) ?: dre_settle(any, cgroup, pid, nr);
}
