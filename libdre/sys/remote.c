// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Another host's libvirt.
 */
#include <ctype.h>
#include <errno.h>
#include <libvirt/virterror.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "job.h"
#include "migration.h"

/* How long a host has to answer at all. libvirt would wait for minutes. Milliseconds. */
#define CONNECT_TIME	5000

/* And then its libvirt, with all that TLS or ssh need. Seconds. */
#define OPEN_TIME	30

/* How long after that it is not asked again: one that has lost its power in between never ends the connection. Seconds. */
#define REST_TIME	300

int remote_check_form(const char *address)
{
	struct printable p;
	const char *c;

	if (!address)
		return dre_fail(DRE_ERR_NULL_POINTER, "the host's address is NULL");
	if (strlen(address) >= MIGRATION_ADDRESS_SIZE)
		return dre_fail(DRE_ERR_REQUEST_TOO_LONG, "the host's address has over %d characters",
				MIGRATION_ADDRESS_SIZE - 1);
	for (c = address; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(".:-_%", *c))
			break;
	if (*address && *address != '-' && !*c)
		return 0;
	return dre_fail(DRE_ERR_INVALID_HOSTNAME, "'%s' is no address of a host", dre_printable(&p, address));
}

int remote_check_resolves(const char *address)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int ret = getaddrinfo(address, NULL, &hints, &list);

	if (ret)
		return dre_fail(DRE_ERR_INVALID_HOSTNAME, "host '%s': %s", address,
				ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret));
	freeaddrinfo(list);
	return 0;
}

const char *remote_host(const char *address, char text[MIGRATION_ADDRESS_SIZE + 2])
{
	snprintf(text, MIGRATION_ADDRESS_SIZE + 2, strchr(address, ':') ? "[%s]" : "%s", address);
	return text;
}

/* dre.conf has seen to it that there is one "%s". */
void remote_uri(const struct sys *sys, const char *address, char uri[MIGRATION_URI_SIZE])
{
	const char *format = sys->config.sys.migration_uri, *at = strstr(format, "%s");
	char host[MIGRATION_ADDRESS_SIZE + 2];

	snprintf(uri, MIGRATION_URI_SIZE, "%.*s%s%s", (int)(at - format), format, remote_host(address, host), at + strlen("%s"));
}

/* What the URI's scheme, or a number behind the host, says. NULL: nothing that can be tried. */
static const char *port_of(const char *format, char port[8])
{
	const char *after = strstr(format, "%s") + strlen("%s");

	if (sscanf(after, ":%7[0-9]", port) == 1)
		return port;
	if (strstr(format, "+tls:"))
		return "16514";
	if (strstr(format, "+tcp:"))
		return "16509";
	return strstr(format, "+ssh:") ? "22" : NULL;
}

static int wait_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int err = 0, nr;

	nr = TEMP_FAILURE_RETRY(poll(&p, 1, CONNECT_TIME));
	if (nr <= 0)
		return nr ? errno : ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? errno : err;
}

/* 0 or an errno. */
static int try_address(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol), err = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		err = errno == EINPROGRESS ? wait_connected(fd) : errno;
	close(fd);
	return err;
}

static int check_answers(const struct sys *sys, const char *address)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *a;
	char number[8];
	const char *port = port_of(sys->config.sys.migration_uri, number);
	int err = EADDRNOTAVAIL;

	if (!port || getaddrinfo(address, port, &hints, &list))
		return 0;	/* libvirt says it better */
	for (a = list; a && err; a = a->ai_next)
		err = try_address(a);
	freeaddrinfo(list);
	return err ? dre_fail(DRE_ERR_DEVICE_BUSY, "host '%s': libvirt does not answer at port %s: %s", address, port,
			      strerror(err)) : 0;
}

/* A libvirtd that hangs takes connections, and says nothing; virConnectOpen() waits for it for ever. */
struct opening {
	struct opening *next;
	char address[MIGRATION_ADDRESS_SIZE], uri[MIGRATION_URI_SIZE];
	virConnectPtr remote;
	int err;
	struct saved_error error;	/* it belongs to a thread */
	bool done, given_up;
	time_t rests_until;	/* CLOCK_MONOTONIC */
};

static pthread_mutex_t openings_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opening_done = PTHREAD_COND_INITIALIZER;
static struct opening *given_up;	/* nobody waits for them, and they wait still: few threads are to do so for one host */

static void end_given_up(struct opening *o)
{
	struct opening **at;

	if (o->remote)
		virConnectClose(o->remote);
	pthread_mutex_lock(&openings_lock);
	for (at = &given_up; *at != o; at = &(*at)->next)
		;
	*at = o->next;
	pthread_mutex_unlock(&openings_lock);
	free(o);
}

static void *run_opening(void *arg)
{
	struct opening *o = arg;
	bool too_late;

	o->remote = virConnectOpen(o->uri);
	o->err = o->remote ? 0 : sys_fail(DRE_ERR_DEVICE_BUSY, "host '%s': cannot connect to %s", o->address, o->uri);
	save_error(&o->error);
	pthread_mutex_lock(&openings_lock);
	o->done = true;
	too_late = o->given_up;
	pthread_cond_broadcast(&opening_done);
	pthread_mutex_unlock(&openings_lock);
	if (too_late)
		end_given_up(o);
	return NULL;
}

static int start_opening(struct opening *o)
{
	pthread_t thread;
	int err = sys_start_thread(&thread, run_opening, o);

	if (!err)
		pthread_detach(thread);
	return err;
}

/* Is it done? Otherwise it is given up, and nothing of it is the caller's any more. */
static bool wait_opened(struct opening *o)
{
	struct timespec end;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += OPEN_TIME;
	pthread_mutex_lock(&openings_lock);
	while (!o->done && !pthread_cond_clockwait(&opening_done, &openings_lock, CLOCK_MONOTONIC, &end))
		;
	done = o->done;
	if (!done) {
		o->given_up = true;
		o->rests_until = end.tv_sec + REST_TIME;
		o->next = given_up;
		given_up = o;
	}
	pthread_mutex_unlock(&openings_lock);
	return done;
}

static bool is_given_up(const char *uri)
{
	const struct opening *o;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&openings_lock);
	for (o = given_up; o && (strcmp(o->uri, uri) != 0 || o->rests_until <= now.tv_sec); o = o->next)
		;
	pthread_mutex_unlock(&openings_lock);
	return o;
}

static int open_in_time(const struct sys *sys, const char *address, virConnectPtr *remote)
{
	struct opening *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return dre_fail_errno(ENOMEM, "host '%s'", address);
	strcpy(o->address, address);
	remote_uri(sys, address, o->uri);
	err = is_given_up(o->uri) ? ETIMEDOUT : start_opening(o);
	if (err) {
		free(o);
		return dre_fail(DRE_ERR_DEVICE_BUSY, "host '%s': libvirt does not answer: %s", address, strerror(err));
	}
	if (!wait_opened(o))
		return dre_fail(DRE_ERR_DEVICE_BUSY, "host '%s': libvirt does not answer: %s", address,
				strerror(ETIMEDOUT));
	*remote = o->remote;
	err = o->err;
	if (err)
		restore_error(&o->error);
	free(o);
	return err;
}

int remote_connect(const struct sys *sys, const char *address, virConnectPtr *remote)
{
	int err = remote_check_form(address);	/* it may come from a manifest, and that from another host */

	if (!err)
		err = check_answers(sys, address);
	return err ? err : open_in_time(sys, address, remote);
}

static int look(const struct sys *sys, virDomainPtr domain, enum remote_state *state)
{
	int s, reason;

	if (virDomainGetState(domain, &s, &reason, 0) < 0) {
		*state = REMOTE_NONE;
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? 0 :
		       sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
	}
	if (s == VIR_DOMAIN_SHUTOFF || s == VIR_DOMAIN_CRASHED)
		*state = REMOTE_STOPPED;
	else if (s == VIR_DOMAIN_PAUSED && (reason == VIR_DOMAIN_PAUSED_MIGRATION ||
					    reason == VIR_DOMAIN_PAUSED_STARTING_UP))
		*state = REMOTE_WAITS;
	else
		*state = REMOTE_RUNS;
	return 0;
}

int remote_find(const struct sys *sys, virConnectPtr remote, virDomainPtr *domain, enum remote_state *state)
{
	const char *uuid = manifest_get(sys_manifest(sys), SETTING_UUID);

	*state = REMOTE_NONE;
	*domain = uuid ? virDomainLookupByUUIDString(remote, uuid) : NULL;
	if (*domain)
		return look(sys, *domain, state);
	if (!uuid || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	return sys_fail(DRE_ERR_DEVICE_BUSY, "container '%s'", sys->name);
}
