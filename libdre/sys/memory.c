// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What libvirt does for checkpoints: it saves the memory of a running machine and lets it go over to another
 * layer at the same moment, and it makes a machine of what was saved. It keeps no notes of either.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"

#define SAVE_FLAGS	(VIR_DOMAIN_SNAPSHOT_CREATE_LIVE | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC | \
			 VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)

#define LOOK_INTERVAL	200000000L	/* nanoseconds */

/*
 * A guest that writes to its memory faster than that can be saved stands still for the rest: after so many passes over
 * what it has written, or when as much was saved as this many times its memory.
 */
#define MAX_PASSES	8
#define MAX_TIMES	3

struct save {
	const struct sys *sys;
	const char *xml;
	int err;
	struct saved_error error;	/* it belongs to a thread */
};

static void *save_memory(void *arg)
{
	struct save *save = arg;
	virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML(save->sys->domain, save->xml,
								  SAVE_FLAGS);

	if (snapshot) {
		virDomainSnapshotFree(snapshot);
		return NULL;
	}
	save->err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", save->sys->name);
	save_error(&save->error);
	return NULL;
}

/* How far it is. */
struct job {
	unsigned long long total, remaining, saved, passes;
};

static bool look(virDomainPtr domain, struct job *job)
{
	virTypedParameterPtr params = NULL;
	int type, nr = 0;

	*job = (struct job){};
	if (virDomainGetJobStats(domain, &type, &params, &nr, 0) < 0 || type == VIR_DOMAIN_JOB_NONE)
		nr = 0;
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_TOTAL, &job->total);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_REMAINING, &job->remaining);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_PROCESSED, &job->saved);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_ITERATION, &job->passes);
	virTypedParamsFree(params, nr);
	return job->total;
}

/* Once; libvirt lets it go on at the end. What cannot be looked at, or suspended, is saved all the same. */
static void hurry(virDomainPtr domain, const struct job *job, bool *suspended)
{
	if (*suspended || (job->passes <= MAX_PASSES && job->saved / MAX_TIMES <= job->total))
		return;
	*suspended = virDomainSuspend(domain) == 0;
}

static struct timespec next_look(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += LOOK_INTERVAL;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Returns how much there is to be saved, as far as it was seen. */
static unsigned long long follow(pthread_t thread, const struct sys *sys, const struct sys_progress *progress)
{
	virDomainPtr domain = sys->domain;
	unsigned long long done = 0, total = 0;
	bool suspended = false;
	struct timespec next;
	struct job job;

	for (;;) {
		next = next_look();
		if (!pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &next))
			break;
		if (!look(domain, &job))
			continue;
		hurry(domain, &job, &suspended);
		/* What was written again counts again, and so it would go back. */
		if (job.remaining <= job.total && job.total - job.remaining > done)
			done = job.total - job.remaining;
		if (progress->fn && done <= job.total)
			progress->fn(progress->arg, done, job.total);
		if (job.total > total)
			total = job.total;
	}
	/* libvirt had come to the end just before. */
	if (suspended && sys_state(sys) == SYS_SUSPENDED)
		virDomainResume(domain);
	return total;
}

/* Also where all was saved before anybody looked. */
static void report_end(const struct sys *sys, const struct sys_progress *progress, unsigned long long total)
{
	if (!total)
		total = virDomainGetMaxMemory(sys->domain) * 1024ULL;
	if (progress->fn)
		progress->fn(progress->arg, total, total);
}

/* The caller's signals are not for a thread that it knows nothing of. */
static int start_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

int sys_memory_save(const struct sys *sys, const char *file, const char *disk,
		    const struct sys_progress *progress)
{
	struct save save = { .sys = sys };
	unsigned long long total;
	pthread_t thread;
	char *xml;
	int err = sys_snapshot_xml(sys->name, file, disk, &xml);

	if (err)
		return err;
	save.xml = xml;
	err = start_thread(&thread, save_memory, &save);
	if (err) {
		err = dre_fail_errno(err, "container '%s'", sys->name);
	} else {
		total = follow(thread, sys, progress);
		err = save.err;
		if (err)
			restore_error(&save.error);
		else
			report_end(sys, progress, total);
	}
	free(xml);
	return err;
}

int sys_memory_describe(const struct sys *sys, const char *file, char **xml)
{
	*xml = virDomainSaveImageGetXMLDesc(sys->libvirt, file, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE);
	return *xml ? 0 : sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
}

int sys_memory_restore(const struct sys *sys, const char *file, const char *xml)
{
	if (virDomainRestoreFlags(sys->libvirt, file, xml, VIR_DOMAIN_SAVE_PAUSED) < 0)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	return 0;
}
