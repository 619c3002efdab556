/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libvirt does to a machine's memory and takes its time for: saving it, sending it to another host. That is one
 * call, which returns at the end; how far it is others have to ask meanwhile. If the caller is killed libvirt goes on.
 */
#ifndef DRE_SYS_JOB_H
#define DRE_SYS_JOB_H

#include <pthread.h>

#include "sys.h"

/* As pthread_create(). No signals of the caller's come there. */
int sys_start_thread(pthread_t *thread, void *(*fn)(void *arg), void *arg);

struct sys_job {
	unsigned long long total, remaining, done;	/* bytes; what was written again counts again in @done */
	unsigned long long passes;			/* over what was written meanwhile */
	virDomainPtr domain;				/* for who looks */
};

/*
 * Calls @fn in a thread, and returns what that does, with its error text; meanwhile calls @look now and then, while
 * there is a job of the container's machine. Both get @arg. Meanwhile @sys' connection is @fn's, and @look has another:
 * where two threads share one, the libvirt of Debian 12 may leave what the second asks until the first has its answer,
 * which is at the end of the job.
 */
int sys_job_run(const struct sys *sys, int (*fn)(void *arg), void (*look)(void *arg, const struct sys_job *job),
		void *arg);

/* Is libvirt at something with its machine that takes long? */
bool sys_has_job(const struct sys *sys);

/* Neither that, nor about to be, for somebody who was killed. It takes a moment to tell. */
bool sys_is_at_rest(const struct sys *sys);

/* Until it is; DRE_ERR_CONTAINER_BUSY, if that takes too long. */
int sys_wait_for_job(const struct sys *sys);

/* If it is at a checkpoint: it is to end that as if nothing was. It may be past that, and come to the end. */
void sys_give_up_save(const struct sys *sys);

#endif /* DRE_SYS_JOB_H */
