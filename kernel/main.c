// SPDX-License-Identifier: GPL-2.0-only
/*
 * D-RE: a registry of the processes and containers that the D-RE runtime
 * environment controls. This file: the device, the dispatch of its requests,
 * and what requests have in common.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "dre.h"

/* Guards every change, see dre.h. */
DEFINE_MUTEX(dre_lock);

/*
 * Managers live in the initial pid namespace and are privileged in the initial
 * user namespace. Root of a container has a namespace of its own instead of one
 * of them at least. The cheap question first: capable() leaves traces.
 */
bool dre_may_manage(void)
{
	return task_active_pid_ns(current) == &init_pid_ns && capable(CAP_SYS_ADMIN);
}

/* Structures grow: the size that is in a request's number does not identify it. */
static bool dre_same_request(unsigned int a, unsigned int b)
{
	return !((a ^ b) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT));
}

/**
 * dre_dispatch() - do a request
 * @requests: those that the file understands
 * @nr: how many
 * @ctx: what the file is about
 * @ended: it has ended
 * @cmd: the request
 * @uptr: the caller's structure
 */
long dre_dispatch(const struct dre_request *requests, unsigned int nr, void *ctx,
		  bool ended, unsigned int cmd, unsigned long uptr)
{
	void __user *uarg = (void __user *)uptr;
	const struct dre_request *req;
	union dre_arg arg;
	u32 size;
	long ret;

	for (req = requests; req < requests + nr; req++)
		if (dre_same_request(req->cmd, cmd))
			break;
	if (req == requests + nr)
		return -ENOTTY;
	if (ended && !req->after_end)
		return -ENODEV;
	if (req->privileged && !dre_may_manage())
		return -EPERM;
	if (get_user(size, (u32 __user *)uarg))
		return -EFAULT;
	if (size < req->min_size)
		return -EINVAL;
	if (size > DRE_SIZE_MAX)
		return -E2BIG;
	ret = copy_struct_from_user(&arg, req->size, uarg, size);
	if (ret)
		return ret;
	arg.size = size;	/* may have changed between the two looks at it */
	ret = req->fn(ctx, &arg, uarg);
	if (!ret && req->copy_out && copy_to_user(uarg, &arg, min(size, req->size)))
		return -EFAULT;
	return ret;
}

/* Of a container or a control group. */
bool dre_name_valid(const char *name)
{
	size_t len = strnlen(name, DRE_NAME_SIZE), i;

	if (len == 0 || len == DRE_NAME_SIZE || !isalnum(name[0]) || !isascii(name[0]))
		return false;
	for (i = 1; i < len; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && !strchr("_.-", name[i])))
			return false;
	return true;
}

/* Whether the caller's array makes sense. @min_size: of an entry in the first version. */
int dre_list_check(const struct dre_list *list, size_t min_size)
{
	if (list->flags || !list->count || list->entry_size < min_size)
		return -EINVAL;
	return list->entry_size > DRE_SIZE_MAX ? -E2BIG : 0;
}

/*
 * Lets others run in the middle of a long walk under RCU: the walks' positions
 * are numbers, no pointer lives across this. Returns whether to go on: nobody is left
 * to see what a walk finds that a fatal signal ends.
 */
bool dre_rcu_pause(void)
{
	if (need_resched()) {
		rcu_read_unlock();
		cond_resched();
		rcu_read_lock();
	}
	return !fatal_signal_pending(current);
}

/* Writes one entry into the caller's array, cut or filled to the size that the caller knows. */
int dre_put_entry(const struct dre_list *list, u32 index, const void *entry, size_t size)
{
	void __user *to = u64_to_user_ptr(list->entries + (u64)index * list->entry_size);
	size_t known = min_t(size_t, size, list->entry_size);

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	if (copy_to_user(to, entry, known) || clear_user(to + known, list->entry_size - known))
		return -EFAULT;
	return 0;
}

static long dre_info(void *ctx, union dre_arg *arg, void __user *uarg)
{
	struct dre_info *info = &arg->info;

	if (info->flags)
		return -EINVAL;
	info->features = DRE_FEATURE_REGISTRY | DRE_FEATURE_GROUPS;
	info->containers = dre_container_count();
	info->event_size = sizeof(struct dre_event);
	return 0;
}

static const struct dre_request dre_requests[] = {
	DRE_REQUEST(DRE_IOC_INFO, dre_info, .privileged = true, .copy_out = true),
	DRE_REQUEST(DRE_IOC_SELF_REGISTER, dre_self_register),
	DRE_REQUEST(DRE_IOC_SELF_UNREGISTER, dre_self_unregister),
	DRE_REQUEST(DRE_IOC_SELF_REFUSE, dre_self_refuse),
	DRE_REQUEST(DRE_IOC_CONTAINER_CREATE, dre_container_create, .privileged = true),
	DRE_REQUEST(DRE_IOC_CONTAINER_OPEN, dre_container_open, .privileged = true),
	DRE_REQUEST(DRE_IOC_CONTAINER_LIST, dre_container_list, .privileged = true,
		    .copy_out = true),
};

static long dre_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	return dre_dispatch(dre_requests, ARRAY_SIZE(dre_requests), NULL, false, cmd, uarg);
}

static const struct file_operations dre_fops = {
	.owner		= THIS_MODULE,
	.open		= nonseekable_open,
	.unlocked_ioctl	= dre_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice dre_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= KBUILD_MODNAME,
	.fops	= &dre_fops,
	.mode	= 0666,
};

/* The layout is the same on every architecture, 32-bit callers included. */
static_assert(sizeof(struct dre_info) == 24);
static_assert(sizeof(struct dre_self) == 80);
static_assert(sizeof(struct dre_container_create) == 88);
static_assert(sizeof(struct dre_container_open) == 80);
static_assert(sizeof(struct dre_container_info) == 72);
static_assert(sizeof(struct dre_process_info) == 80);
static_assert(sizeof(struct dre_list) == 32);
static_assert(sizeof(struct dre_process) == 80);
static_assert(sizeof(struct dre_translate) == 32);
static_assert(sizeof(struct dre_terminate) == 16);
static_assert(sizeof(struct dre_group_info) == 80);
static_assert(sizeof(struct dre_binding_info) == 16);
static_assert(sizeof(struct dre_group) == 80);
static_assert(sizeof(struct dre_bind) == 80);
static_assert(sizeof(struct dre_event) == 24);

static int __init dre_init(void)
{
	int err;

	err = dre_process_init();
	if (err)
		return err;
	err = dre_proc_init();
	if (err)
		goto fini_process;
	err = misc_register(&dre_device);
	if (err)
		goto exit_proc;
	return 0;

exit_proc:
	dre_proc_exit();
fini_process:
	dre_process_fini();
	return err;
}

/*
 * No file is open: only exits of processes still come in, until all watches are
 * stopped and the worker has run out. Then readers' grace periods pass.
 */
static void __exit dre_exit(void)
{
	misc_deregister(&dre_device);
	dre_proc_exit();
	dre_bindings_drop();
	dre_containers_drop();
	dre_processes_drop();
	dre_watch_flush();
	dre_proc_flush();
	rcu_barrier();
	dre_process_fini();
}

module_init(dre_init);
module_exit(dre_exit);

MODULE_DESCRIPTION("D-RE: registry of D-Aware processes and containers");
MODULE_AUTHOR("The D-RE authors");
MODULE_LICENSE("GPL");
