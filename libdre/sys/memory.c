// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What libvirt does for checkpoints: it saves the memory of a running machine and lets it go over to another
 * layer at the same moment, and it makes a machine of what was saved. It keeps no notes of either.
 */
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "memory.h"

#define SAVE_FLAGS	(VIR_DOMAIN_SNAPSHOT_CREATE_LIVE | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC | \
			 VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)

/*
 * A guest that writes to its memory faster than that can be saved stands still for the rest: after so many passes over
 * what it has written, or when as much was saved as this many times its memory.
 */
#define MAX_PASSES	8
#define MAX_TIMES	3

struct save {
	const struct sys *sys;
	const char *xml;
	const struct sys_progress *progress;
	unsigned long long done, total;	/* as far as it was seen */
	bool suspended;
};

static int save_memory(void *arg)
{
	const struct save *save = arg;
	virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML(save->sys->domain, save->xml,
								  SAVE_FLAGS);

	if (!snapshot)
		return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", save->sys->name);
	virDomainSnapshotFree(snapshot);
	return 0;
}

/* Once; libvirt lets it go on at the end. What cannot be suspended is saved all the same. */
static void hurry(struct save *save, const struct sys_job *job)
{
	if (save->suspended || (job->passes <= MAX_PASSES && job->done / MAX_TIMES <= job->total))
		return;
	save->suspended = virDomainSuspend(job->domain) == 0;
}

static void follow(void *arg, const struct sys_job *job)
{
	const struct sys_progress *progress;
	struct save *save = arg;

	progress = save->progress;
	hurry(save, job);
	/* What was written again counts again, and so it would go back. */
	if (job->remaining <= job->total && job->total - job->remaining > save->done)
		save->done = job->total - job->remaining;
	if (progress->fn && save->done <= job->total)
		progress->fn(progress->arg, save->done, job->total);
	if (job->total > save->total)
		save->total = job->total;
}

/* Also where all was saved before anybody looked. */
static void report_end(const struct save *save)
{
	unsigned long long total = save->total;

	if (!total)
		total = virDomainGetMaxMemory(save->sys->domain) * 1024ULL;
	if (save->progress->fn)
		save->progress->fn(save->progress->arg, total, total);
}

int sys_memory_save(const struct sys *sys, const char *file, const char *disk,
		    const struct sys_progress *progress)
{
	struct save save = { .sys = sys, .progress = progress };
	char *xml;
	int err = sys_snapshot_xml(sys->name, file, disk, &xml);

	if (err)
		return err;
	save.xml = xml;
	err = sys_job_run(sys, save_memory, follow, &save);
	/* libvirt had come to the end just before. */
	if (save.suspended && sys_state(sys) == SYS_SUSPENDED)
		virDomainResume(sys->domain);
	if (!err)
		report_end(&save);
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
