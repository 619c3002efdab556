/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of dre.ko know of each other. Documentation/module.md shows the
 * objects and their references in a picture.
 *
 * Locking, outermost first
 *   file->reading (mutex) lets one read(2) of a container fd go on at a time.
 *		Only file->lock is taken inside, and what access to the caller's memory
 *		takes.
 *   dre_move_lock (mutex) lets one process be moved from cgroup to cgroup at a
 *		time, and is held while the kernel moves it: what a write to
 *		cgroup.procs takes is taken inside. dre_lock is not held meanwhile,
 *		but before and after. OPEN of one that has ended may wait for the worker
 *		with it.
 *   dre_lock	(mutex) guards every change: of the registry of processes, of
 *		the containers, of the list of a container's files, of control
 *		groups and bindings. Events are made under it, so each file sees
 *		them in the order of the changes, and no signal is sent to who has
 *		unregistered. Memory of user space is not touched under it.
 *   file->lock	(spinlock) guards one file's queue of events.
 *   xa_lock	(spinlock) of each table is taken by the xarray itself. Only numbers
 *		of control groups are reserved without dre_lock.
 *   wait_pidfd.lock (spinlock, in struct pid) guards whether a watch has fired.
 *		The kernel takes it with interrupts off, under tasklist_lock when
 *		a process exits; nothing of ours is taken inside.
 *   RCU	is for readers: lists, translation, /proc/daware. Whatever they
 *		can reach is freed after a grace period.
 *   container->ended is released when the last event is queued, and acquired
 *		by readers before they look at their queue.
 *
 * Lifetime
 *   Each process, binding and container has one struct dre_watch, which holds the
 *   reference on its struct pid. Whoever stops the watch owns the object's end:
 *   dre_watch_stop() says whether that is its caller or the watch's worker.
 *   Containers and control groups are counted, see there who counts.
 */
#ifndef DRE_H
#define DRE_H

#include <linux/cgroup.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <linux/dre.h>

extern struct mutex dre_lock;

/* main.c */

/* No structure of a caller will be larger: what it may cost to look at one is bounded. */
#define DRE_SIZE_MAX	4096

/* The structure of a request, copied in; the request may check and fill it. */
union dre_arg {
	__u32 size;
	struct dre_info info;
	struct dre_self self;
	struct dre_container_create create;
	struct dre_container_open open;
	struct dre_list list;
	struct dre_process process;
	struct dre_translate translate;
	struct dre_terminate terminate;
	struct dre_group group;
	struct dre_bind bind;
};

/**
 * struct dre_request - one request that a file understands
 * @cmd: its number, as in the uAPI header
 * @size: of its structure
 * @min_size: of its structure in the first version of the ABI
 * @privileged: is for managers only
 * @after_end: makes sense when what the file is about has ended
 * @copy_out: the structure goes back to the caller if the request succeeded
 * @fn: does it. @ctx is what the file is about, @uarg the caller's structure.
 */
struct dre_request {
	unsigned int cmd;
	unsigned int size;
	unsigned int min_size;
	bool privileged;
	bool after_end;
	bool copy_out;
	long (*fn)(void *ctx, union dre_arg *arg, void __user *uarg);
};

/* A request whose structure has not grown since the first version. */
#define DRE_REQUEST(_cmd, _fn, ...) {	\
	.cmd = _cmd,				\
	.size = _IOC_SIZE(_cmd),		\
	.min_size = _IOC_SIZE(_cmd),		\
	.fn = _fn,				\
	__VA_ARGS__				\
}

long dre_dispatch(const struct dre_request *requests, unsigned int nr, void *ctx,
		  bool ended, unsigned int cmd, unsigned long uptr);
bool dre_may_manage(void);
bool dre_name_valid(const char *name);
int dre_list_check(const struct dre_list *list, size_t min_size);
bool dre_rcu_pause(void);
int dre_put_entry(const struct dre_list *list, u32 index, const void *entry, size_t size);

/* watch.c: tells when a process has ended */

/**
 * struct dre_watch - waits for the end of a process
 * @wait: on @pid's wait_pidfd
 * @node: in the list of those that fired
 * @pid: the process; the watch owns this reference
 * @fired: the process has ended, and the worker knows. Under @pid's
 *	wait_pidfd.lock.
 * @status: of the process as wait(2) gives it, once fired
 * @gone: called once by the worker, under dre_lock, after the watch fired. It
 *	owns the object that the watch is in.
 */
struct dre_watch {
	struct wait_queue_entry wait;
	struct llist_node node;
	struct pid *pid;
	bool fired;
	int status;
	void (*gone)(struct dre_watch *watch);
};

void dre_watch_prepare(struct dre_watch *watch, struct pid *pid,
		       void (*gone)(struct dre_watch *watch));
void dre_watch_start(struct dre_watch *watch, bool last);
bool dre_watch_stop(struct dre_watch *watch);
void dre_watch_flush(void);
struct dre_watch *dre_watch_of(struct xarray *table, struct pid *pid);
struct dre_watch *dre_watch_next(struct xarray *table, struct pid_namespace *ns, int *nr);
int dre_watch_add(struct xarray *table, struct dre_watch *watch);
void dre_watch_forget(struct xarray *table, struct dre_watch *watch);
bool dre_pid_alive(struct pid *pid);

/* container.c */

/**
 * struct dre_container - a container, from its creation to the end of its init
 * @ref: one for the watch, one for each file and each control group, one for each
 *	request that uses it without dre_lock: CREATE, OPEN, and who waits for its end
 * @watch: of its init process
 * @ns: pid namespace of init; NULL for a system container. Init's struct pid
 *	holds it.
 * @type: DRE_CONTAINER_*
 * @id: index in the table of containers
 * @ended: is no longer in the tables. Written under dre_lock.
 * @ns_node: in the table by @ns
 * @managed: registrations that managers made for it. dre_lock.
 * @files: open container fds. dre_lock.
 * @groups: its control groups by id. dre_lock.
 * @nr_groups: how many. dre_lock.
 * @next_group: the id that the next one gets. The table's lock.
 * @ended_node: in the list of those that have ended and still have control
 *	groups. dre_lock.
 * @wait: readers of its files, and who waits for its end
 * @rcu: readers may hold it for a grace period
 * @name: never changes
 */
struct dre_container {
	refcount_t ref;
	struct dre_watch watch;
	struct pid_namespace *ns;
	u32 type;
	u32 id;
	bool ended;
	struct hlist_node ns_node;
	struct list_head managed;
	struct list_head files;
	struct xarray groups;
	u32 nr_groups;
	u32 next_group;
	struct list_head ended_node;
	wait_queue_head_t wait;
	struct rcu_head rcu;
	char name[DRE_NAME_SIZE];
};

void dre_container_put(struct dre_container *c);
struct dre_container *dre_container_of_ns(struct pid_namespace *ns);
bool dre_container_visible(const struct dre_container *c, const struct pid_namespace *ns);
bool dre_container_alive(const struct dre_container *c);
unsigned int dre_container_count(void);
long dre_container_create(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_container_open(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_container_list(void *ctx, union dre_arg *arg, void __user *uarg);
void dre_container_released(struct dre_container *c);
void dre_containers_drop(void);

/* The VPID of @pid; containers of machines have none. */
static inline int dre_container_vpid(const struct dre_container *c, struct pid *pid)
{
	return c->ns ? pid_nr_ns(pid, c->ns) : 0;
}

/* event.c: container fds and their events */

struct file *dre_container_getfile(struct dre_container *c, bool may_have_ended);
void dre_event(struct dre_container *c, u32 type, struct pid *pid, u32 value);

/* process.c */

/* A registration: immutable but for the list's node, replaced as a whole. */
struct dre_registration {
	struct rcu_head rcu;
	union {
		u64 exec_id;	/* its own: of the program that made it; another one has none */
		struct {	/* a manager's */
			struct dre_process_entry *process;
			struct dre_container *container;	/* its end takes this away */
			struct list_head node;	/* in container->managed, under dre_lock */
		};
	};
	u8 nr_signals;
	u8 signals[];
};

/**
 * struct dre_process_entry - a registered process
 * @watch: of the process
 * @own: its own registration, or NULL
 * @managed: a manager's, or NULL
 * @rcu: readers may hold it for a grace period
 */
struct dre_process_entry {
	struct dre_watch watch;
	struct dre_registration __rcu *own;
	struct dre_registration __rcu *managed;
	struct rcu_head rcu;
};

/* What a reader sees of a process, under RCU. */
struct dre_process_view {
	struct pid *pid;
	struct task_struct *task;		/* the thread group's leader */
	struct dre_container *container;	/* or NULL */
	u32 flags;				/* DRE_PROCESS_* */
	u8 nr_signals;
	const u8 *signals;
};

struct dre_process_entry *dre_process_next(struct pid_namespace *ns, int *nr);
bool dre_process_view(const struct dre_process_entry *p, struct dre_process_view *view);
struct pid *dre_find_process(int nr, struct pid_namespace *ns);
struct pid *dre_requested_process(const struct dre_container *c, int nr, bool by_vpid);
struct dre_container *dre_pid_home(struct pid *pid);
void dre_managed_remove(struct dre_registration *m);
long dre_self_register(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_self_unregister(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_self_refuse(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_process_register(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_process_unregister(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_process_list(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_process_terminate(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_process_translate(void *ctx, union dre_arg *arg, void __user *uarg);
int dre_process_init(void);
void dre_processes_drop(void);
void dre_process_fini(void);

/* group.c */

/**
 * struct dre_control_group - a control group of a container
 * @ref: one for the container's table, one for each binding, one for each request
 *	that makes it or moves a process into or out of it
 * @container: a reference
 * @cgroup: a reference; user space may have removed it
 * @dir: its directory, a reference
 * @id: index in the container's table
 * @bindings: processes that are bound to it. dre_lock.
 * @rcu: readers may hold it for a grace period, but for what it refers to
 * @name: never changes
 */
struct dre_control_group {
	refcount_t ref;
	struct dre_container *container;
	struct cgroup *cgroup;
	struct path dir;
	u32 id;
	struct list_head bindings;
	struct rcu_head rcu;
	char name[DRE_NAME_SIZE];
};

struct dre_control_group *dre_group_named(struct dre_container *c, const char *name);
void dre_group_put(struct dre_control_group *g);
bool dre_groups_end(struct dre_container *c);
bool dre_groups_in_use(struct dre_container *c);
void dre_group_unused(struct dre_control_group *g);
long dre_group_create(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_group_destroy(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_group_list(void *ctx, union dre_arg *arg, void __user *uarg);

/* binding.c */

/**
 * struct dre_binding - a process that is bound to a control group, or about to be
 * @watch: of the process
 * @group: a reference; NULL while it is moved there for the first time. Written
 *	under dre_lock.
 * @origin: the cgroup that it came from, a reference; NULL for none
 * @node: in group->bindings. dre_lock.
 * @rcu: readers may hold it for a grace period
 */
struct dre_binding {
	struct dre_watch watch;
	struct dre_control_group __rcu *group;
	struct cgroup *origin;
	struct list_head node;
	struct rcu_head rcu;
};

extern struct mutex dre_move_lock;

bool dre_binding_holds(struct dre_binding *b);
void dre_binding_remove(struct dre_binding *b);
long dre_bind(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_unbind(void *ctx, union dre_arg *arg, void __user *uarg);
long dre_binding_list(void *ctx, union dre_arg *arg, void __user *uarg);
void dre_bindings_drop(void);

/* move.c: processes from cgroup to cgroup */

/* What keeps a move from its file: to be waited for without dre_move_lock. */
struct dre_lease {
	struct path procs;
	struct file *file;	/* keeps the next one from getting a lease */
};

bool dre_cgroup_removed(const struct cgroup *cgroup);
bool dre_pid_movable(struct pid *pid);
bool dre_in_cgroup(struct pid *pid, const struct cgroup *cgroup);
struct cgroup *dre_cgroup_get(struct pid *pid);
struct cgroup *dre_cgroup_left(struct pid *pid);
bool dre_lease_again(struct dre_lease *lease, int *err);
int dre_move_allowed(const struct path *dir);
int dre_move_into(const struct path *dir, struct cgroup *cgroup, struct pid *pid,
		  struct dre_lease *lease);
int dre_move_to(const struct path *any, struct cgroup *cgroup, struct pid *pid,
		struct dre_lease *lease);

/* proc.c */

int dre_proc_init(void);
void dre_proc_exit(void);
void dre_proc_changed(void);
void dre_proc_flush(void);

#endif /* DRE_H */
