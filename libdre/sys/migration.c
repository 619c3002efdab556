// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The host that a container leaves. Its own libvirt talks to the other one, and goes on if its caller is killed; settle.c
 * finds out what came of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store_private.h"
#include "console.h"
#include "job.h"
#include "memory.h"
#include "migration.h"
#include "shared.h"

#define FLAGS	(VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE | \
		 VIR_MIGRATE_ABORT_ON_ERROR)

/*
 * A guest that writes to its memory faster than the network carries that stands still for the rest, after so many
 * passes over what it has written: for no longer than that, in milliseconds.
 */
#define MAX_PASSES	8
#define MAX_DOWNTIME	60000

struct migration {
	struct sys *sys;
	const struct sys_progress *progress;
	const char *address;
	int port;
	bool hurried;
	unsigned long long done;
	dre_sys_migration_result *result;	/* may be NULL */
};

/* The machine as it is to be there: another host writes to another part of its log, see console.h. */
static int describe(const struct sys *sys, char **xml)
{
	char *here = virDomainGetXMLDesc(sys->domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE), *log = NULL;
	char next[PATH_MAX];
	int err = here ? sys_read_log(sys->name, here, &log) : sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);

	if (!err)
		err = sys_next_log(sys, log, next);
	if (!err)
		err = sys_replace_log(sys->name, here, next, xml);
	free(log);
	free(here);
	return err;
}

static int set_parameters(const struct migration *mi, virTypedParameterPtr *params, int *nr)
{
	char host[MIGRATION_ADDRESS_SIZE + 2], uri[sizeof(host) + 20], *xml = NULL;
	int max = 0, err = describe(mi->sys, &xml);

	snprintf(uri, sizeof(uri), "tcp://%s:%d", remote_host(mi->address, host), mi->port);
	if (!err && (virTypedParamsAddString(params, nr, &max, VIR_MIGRATE_PARAM_URI, uri) < 0 ||
		     virTypedParamsAddString(params, nr, &max, VIR_MIGRATE_PARAM_DEST_XML, xml) < 0))
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", mi->sys->name);
	free(xml);
	return err;
}

static int migrate(void *arg)
{
	const struct migration *mi = arg;
	const struct sys *sys = mi->sys;
	char uri[MIGRATION_URI_SIZE];
	virTypedParameterPtr params = NULL;
	int nr = 0, err = set_parameters(mi, &params, &nr);

	remote_uri(sys, mi->address, uri);
	if (!err && virDomainMigrateToURI3(sys->domain, uri, params, nr,
					   FLAGS | (sys->config.sys.migration_tls ? VIR_MIGRATE_TLS : 0)) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	virTypedParamsFree(params, nr);
	return err;
}

static void follow(void *arg, const struct sys_job *job)
{
	struct migration *mi = arg;
	const struct sys_progress *progress = mi->progress;

	if (mi->result && job->passes > mi->result->passes)
		mi->result->passes = job->passes;
	if (!mi->hurried && job->passes > MAX_PASSES)
		mi->hurried = !virDomainMigrateSetMaxDowntime(job->domain, MAX_DOWNTIME, 0);
	if (job->remaining <= job->total && job->total - job->remaining > mi->done)
		mi->done = job->total - job->remaining;
	if (progress->fn && mi->done <= job->total)
		progress->fn(progress->arg, mi->done, job->total);
}

static int check_shared(const struct sys *sys)
{
	return sys->shared ? 0 : dre_fail(DRE_ERR_CONTAINER_NONEXISTENCE,
					  "container '%s' is not in the shared store: share it first", sys->name);
}

static int check_reservation(const struct sys *sys, int port, struct immigration *i)
{
	if (!immigration_get(sys_manifest(sys), i))
		return dre_fail(DRE_ERR_NO_SOCKET_AVAILABLE,
				"container '%s': no host waits for it; 'dre-sys immigrate' there makes one wait", sys->name);
	if (immigration_expired(i))
		return dre_fail(DRE_ERR_NO_SOCKET_AVAILABLE, "container '%s': host '%s' does not wait for it any longer",
				sys->name, i->host);
	if (i->port != port)
		return dre_fail(DRE_ERR_NO_SOCKET_AVAILABLE, "container '%s': host '%s' waits for it at port %d, not %d",
				sys->name, i->host, i->port, port);
	if (!strcmp(i->host, sys_host()))
		return dre_fail(DRE_ERR_INVALID_HOSTNAME, "container '%s': it is on host '%s' already", sys->name, i->host);
	return 0;
}

/* libvirt may say more than uname(2), or less: "b.example.org". */
static bool is_host(const char *a, const char *b)
{
	size_t len = strcspn(a, "."), other = strcspn(b, ".");

	return len == other && !strncmp(a, b, len);
}

/* Is that address one of the host that waits? */
static int check_remote(const struct migration *mi, const struct immigration *i)
{
	const struct sys *sys = mi->sys;
	virDomainPtr there = NULL;
	enum remote_state state;
	virConnectPtr remote;
	char *host;
	int err = remote_connect(sys, mi->address, &remote);

	if (err)
		return err;
	host = virConnectGetHostname(remote);
	if (!host)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s': host '%s'", sys->name, mi->address);
	else if (!is_host(host, i->host))
		err = dre_fail(DRE_ERR_INVALID_HOSTNAME, "container '%s': '%s' is host '%s', and '%s' waits for it",
			       sys->name, mi->address, host, i->host);
	free(host);
	if (!err)
		err = remote_find(sys, remote, &there, &state);
	if (!err && (state == REMOTE_WAITS || state == REMOTE_RUNS))
		err = dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "container '%s': there is a machine of it on host '%s'",
			       sys->name, i->host);
	/* One of another time, or of a try that failed: later it would look as if this one had run there, see settle.c. */
	if (!err && state == REMOTE_STOPPED && virDomainUndefineFlags(there, SYS_UNDEFINE_ALL) < 0)
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s': its machine on host '%s'", sys->name, i->host);
	if (there)
		virDomainFree(there);
	virConnectClose(remote);
	return err;
}

static int record(const struct migration *mi, const struct immigration *i)
{
	struct container *c = mi->sys->container;
	char text[MIGRATION_HOST_SIZE + MIGRATION_ADDRESS_SIZE];
	int err;

	snprintf(text, sizeof(text), "%s %s", i->host, mi->address);
	err = manifest_set(&c->manifest, SETTING_MIGRATING, text);
	return err ? dre_fail_errno(-err, "container '%s'", c->name) : container_commit(c);
}

/* The machine is there: what libvirt says of its way. Nobody needs that. */
static void read_stats(virDomainPtr there, dre_sys_migration_result *result)
{
	virTypedParameterPtr params = NULL;
	int type, nr = 0;

	if (virDomainGetJobStats(there, &type, &params, &nr, VIR_DOMAIN_JOB_STATS_COMPLETED) < 0)
		return;
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_TIME_ELAPSED, &result->time);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_DOWNTIME, &result->downtime);
	virTypedParamsGetULLong(params, nr, VIR_DOMAIN_JOB_DATA_PROCESSED, &result->bytes);
	virTypedParamsFree(params, nr);
}

static void read_result(const struct migration *mi)
{
	virDomainPtr there = NULL;
	enum remote_state state;
	virConnectPtr remote;

	if (!mi->result || remote_connect(mi->sys, mi->address, &remote))
		return;
	if (!remote_find(mi->sys, remote, &there, &state) && there)
		read_stats(there, mi->result);
	if (there)
		virDomainFree(there);
	virConnectClose(remote);
}

/*
 * libvirt may say that it has failed when it has not, because the other host did not answer any more; what counts is where
 * the machine is.
 */
static int go(struct migration *mi)
{
	struct saved_error saved;
	bool moved;
	int ret, err;

	err = sys_job_run(mi->sys, migrate, follow, mi);
	save_error(&saved);
	ret = sys_end_migration(mi->sys, &moved);
	if (ret)
		return ret;
	if (moved) {
		read_result(mi);
		return 0;
	}
	restore_error(&saved);
	return err ? err : dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				    "container '%s': libvirt has sent its machine away, and it is not there",
				    mi->sys->name);
}

static int prepare(const struct migration *mi)
{
	struct immigration i;
	int err = sys_require(mi->sys, SYS_RUNNING, SYS_RUNNING);

	if (!err)
		err = check_shared(mi->sys);
	if (!err)
		err = remote_check_resolves(mi->address);
	if (!err)
		err = check_reservation(mi->sys, mi->port, &i);
	if (!err)
		err = check_remote(mi, &i);
	if (!err)
		err = layers_verify_container(mi->sys->container);
	return err ? err : record(mi, &i);
}

static int check_arguments(const dre_sys_handle *h, const char *target, int port, const dre_sys_migration_result *result)
{
	int err = sys_check_handle(h);

	if (!err)
		err = remote_check_form(target);
	if (!err && (port < 1 || port > 65535))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "port %d is not between 1 and 65535", port);
	if (!err && result && result->size != sizeof(*result))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "a result of a migration that this library does not know");
	return err;
}

dre_return_t dre_sys_migration_start_with(const dre_sys_handle *h, const char *target, const int port,
					  dre_sys_progress progress, void *arg, dre_sys_migration_result *result)
{
	const struct sys_progress p = { progress, arg };
	struct sys sys;
	struct migration mi = { .sys = &sys, .progress = &p, .address = target, .port = port, .result = result };
	int err = check_arguments(h, target, port, result);

	if (!err)
		err = sys_begin(&sys, h->name, SYS_CHANGE);
	if (err)
		return err;
	if (result)
		*result = (dre_sys_migration_result){ .size = sizeof(*result) };
	err = prepare(&mi);
	if (!err)
		err = go(&mi);
	sys_end(&sys);
	return err;
}

dre_return_t dre_sys_migration_start(const dre_sys_handle *h, const char *target, const int port)
{
	return dre_sys_migration_start_with(h, target, port, NULL, NULL, NULL);
}

/* Whoever moves it has it locked. */
static int begin_cancel(struct sys *sys, const char *name)
{
	int err;

	*sys = (struct sys){};
	strcpy(sys->name, name);
	err = sys_open_store_of(&sys->config, name, &sys->store, &sys->shared);
	if (!err)
		err = container_read(sys->store, name, &sys->manifest);
	if (sys->shared)
		err = sys_name_failure(err);
	if (!err && !(sys->shared && sys_is_leaving(&sys->manifest)))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s' is not on its way from this host", name);
	if (!err)
		err = sys_look_up(sys);
	return err;
}

dre_return_t dre_sys_migration_cancel(const dre_sys_handle *h)
{
	struct sys sys;
	int err = sys_check_handle(h);

	if (err)
		return err;
	err = begin_cancel(&sys, h->name);
	if (!err && (!sys.domain || virDomainAbortJob(sys.domain) < 0))
		err = sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys.name);
	sys_end(&sys);
	return err;
}
