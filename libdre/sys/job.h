/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libvirt does to a machine's memory and takes its time for: saving it, sending it to another host. That is one
 * call, which returns at the end; how far it is others have to ask meanwhile.
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
};

/* False: there is none at this moment. */
bool sys_job_look(virDomainPtr domain, struct sys_job *job);

/*
 * Calls @fn in a thread, and returns what that does, with its error text; meanwhile calls @look now and then, while
 * there is a job of @domain. Both get @arg.
 */
int sys_job_run(virDomainPtr domain, int (*fn)(void *arg), void (*look)(void *arg, const struct sys_job *job),
		void *arg);

#endif /* DRE_SYS_JOB_H */
