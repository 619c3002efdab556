// SPDX-License-Identifier: LGPL-2.1-or-later
#include <libvirt/virterror.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "job.h"

#define LOOK_INTERVAL	200000000L	/* nanoseconds */

/* Between two looks whether there is a job: long enough for one that waits for its turn to begin. Microseconds. */
#define TURN		20000

/* How long libvirt is waited for that was told to give up. Seconds, and microseconds between two looks. */
#define WAIT_TIME	10
#define WAIT_INTERVAL	100000

struct call {
	int (*fn)(void *arg);
	void *arg;
	int err;
	struct saved_error error;	/* it belongs to a thread */
};

static void *run(void *arg)
{
	struct call *call = arg;

	call->err = call->fn(call->arg);
	save_error(&call->error);
	return NULL;
}

static bool look_at(virDomainPtr domain, struct sys_job *job)
{
	virTypedParameterPtr params = NULL;
	int type, nr = 0;

	*job = (struct sys_job){ .domain = domain };
	if (virDomainGetJobStats(domain, &type, &params, &nr, 0) < 0 || type == VIR_DOMAIN_JOB_NONE)
		nr = 0;
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_TOTAL, &job->total);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_REMAINING, &job->remaining);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_PROCESSED, &job->done);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_MEMORY_ITERATION, &job->passes);
	virTypedParamsFree(params, nr);
	return job->total;
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

/* The caller's signals are not for a thread that it knows nothing of. */
int sys_start_thread(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

/* The same machine, by a connection of its own. */
static int open_another(const struct sys *sys, virConnectPtr *libvirt, virDomainPtr *domain)
{
	unsigned char uuid[VIR_UUID_BUFLEN];
	int err;

	*domain = NULL;
	*libvirt = virConnectOpen(sys->config.sys.libvirt);
	if (*libvirt && !virDomainGetUUID(sys->domain, uuid))
		*domain = virDomainLookupByUUID(*libvirt, uuid);
	if (*domain)
		return 0;
	err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	if (*libvirt)
		virConnectClose(*libvirt);
	return err;
}

static int run_and_look(struct call *call, virDomainPtr domain, void (*look)(void *arg, const struct sys_job *job))
{
	struct timespec next;
	struct sys_job job;
	pthread_t thread;
	int err = sys_start_thread(&thread, run, call);

	if (err)
		return dre_fail_errno(err, "domain '%s'", virDomainGetName(domain));
	for (;;) {
		next = next_look();
		if (!pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &next))
			break;
		if (look_at(domain, &job))
			look(call->arg, &job);
	}
	if (call->err)
		restore_error(&call->error);
	return call->err;
}

int sys_job_run(const struct sys *sys, int (*fn)(void *arg), void (*look)(void *arg, const struct sys_job *job),
		void *arg)
{
	struct call call = { .fn = fn, .arg = arg };
	virConnectPtr libvirt;
	virDomainPtr domain;
	int err = open_another(sys, &libvirt, &domain);

	if (err)
		return err;
	err = run_and_look(&call, domain, look);
	virDomainFree(domain);
	virConnectClose(libvirt);
	return err;
}

/* Who is too busy to tell has one, and who cannot tell may; who is not there any more tells nothing else, either. */
bool sys_has_job(const struct sys *sys)
{
	virDomainJobInfo job;
	int code;

	if (!sys->domain)
		return false;
	if (virDomainGetJobInfo(sys->domain, &job) < 0) {
		code = virGetLastErrorCode();
		return code != VIR_ERR_NO_DOMAIN && code != VIR_ERR_OPERATION_INVALID &&
		       virConnectIsAlive(sys->libvirt) == 1;
	}
	/* Also VIR_DOMAIN_JOB_COMPLETED: the memory is saved, and the machine about to go over to another layer. */
	return job.type != VIR_DOMAIN_JOB_NONE;
}

/* What waits for its turn, as we do with our question, has had it when we ask again. */
bool sys_is_at_rest(const struct sys *sys)
{
	if (sys_has_job(sys))
		return false;
	usleep(TURN);
	return !sys_has_job(sys);
}

int sys_wait_for_job(const struct sys *sys)
{
	struct timespec t;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &t);
	for (end = t.tv_sec + WAIT_TIME; !sys_is_at_rest(sys); usleep(WAIT_INTERVAL)) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec >= end)
			return dre_fail(DRE_ERR_CONTAINER_BUSY,
					"container '%s' is busy: libvirt is at something with its machine, see 'virsh domjobinfo %s%s'",
					sys->name, SYS_DOMAIN_PREFIX, sys->name);
	}
	return 0;
}

void sys_give_up_save(const struct sys *sys)
{
	virTypedParameterPtr params = NULL;
	int type, nr = 0, operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;

	if (virDomainGetJobStats(sys->domain, &type, &params, &nr, 0) < 0)
		return;
	virTypedParamsGetInt(params, nr, VIR_DOMAIN_JOB_OPERATION, &operation);
	virTypedParamsFree(params, nr);
	if (operation == VIR_DOMAIN_JOB_OPERATION_SNAPSHOT)
		virDomainAbortJob(sys->domain);
}
