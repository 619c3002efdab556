// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The host that a container comes to: all that can be known to go wrong is known before its machine is on its way. What is
 * left of that is a reservation in the container's manifest; libvirt makes the machine when it arrives.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/kmod.h"
#include "common/store_private.h"
#include "group.h"
#include "migration.h"
#include "shared.h"

bool immigration_expired(const struct immigration *i)
{
	return i->until <= (long long)time(NULL);
}

static int check_arguments(const char *name, int port)
{
	int err = dre_check_name("container", name);

	if (!err && (port < 1 || port > 65535))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "port %d is not between 1 and 65535", port);
	return err;
}

static int fail_not_shared(const struct sys *sys)
{
	struct store *store = NULL;
	int err;

	if (container_is_there(sys->store, sys->name))
		return dre_fail(DRE_ERR_CONTAINER_EXISTENCE,
				"there is a container '%s' on this host, and it is not a shared one", sys->name);
	err = sys_open_shared(&sys->config, &store);	/* for its error */
	store_close(err ? NULL : store);
	return err ? err : dre_fail(DRE_ERR_CONTAINER_NONEXISTENCE, "there is no shared container '%s'", sys->name);
}

/* Locked, whoever's it is. */
static int begin(struct sys *sys, const char *name)
{
	int err;

	*sys = (struct sys){};
	strcpy(sys->name, name);
	err = sys_open_store_of(&sys->config, name, &sys->store, &sys->shared);
	if (!err && !sys->shared)
		err = fail_not_shared(sys);
	if (!err)
		err = sys_name_failure(container_lock(&sys->container, sys->store, name));
	if (!err)
		err = sys_configure(sys, &sys->container->manifest);
	if (err)
		sys_end(sys);
	return err;
}

static int check_owner(const struct sys *sys)
{
	const char *owner = manifest_get(sys_manifest(sys), SETTING_OWNER);
	struct migrating to;

	if (owner && !strcmp(owner, sys_host()))
		return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "container '%s' is this host's already", sys->name);
	if (migrating_get(sys_manifest(sys), &to) || sys_is_moving(sys_manifest(sys)))
		return dre_fail(DRE_ERR_CONTAINER_BUSY, "container '%s' is on its way already", sys->name);
	return 0;
}

/* What libvirt has of it from another time goes; what runs does not. */
static int check_domain(struct sys *sys)
{
	int err = sys_look_up(sys);

	if (err)
		return sys->domain ? DRE_ERR_CONTAINER_EXISTENCE : err;
	if (sys_state(sys) != SYS_STOPPED)
		return dre_fail(DRE_ERR_CONTAINER_EXISTENCE, "container '%s': there is a machine of it on this host",
				sys->name);
	return sys_undefine(sys);
}

static int check_reservation(const struct sys *sys)
{
	struct immigration other;

	if (!immigration_get(sys_manifest(sys), &other) || immigration_expired(&other) ||
	    !strcmp(other.host, sys_host()))
		return 0;
	return dre_fail(DRE_ERR_CONTAINER_BUSY, "container '%s': host '%s' waits for it", sys->name, other.host);
}

/* QEMU reads them when it is started, also if it does not boot them. */
static int check_files(const struct sys *sys)
{
	const char *const files[] = { sys->config.sys.kernel, sys->config.sys.initrd };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (*files[i] && access(files[i], R_OK) < 0)
			return dre_fail_errno(errno, "container '%s': %s", sys->name, files[i]);
	return 0;
}

static int check_memory(const struct sys *sys)
{
	unsigned long long available = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "MemAvailable: %llu", &available) != 1)
		;
	if (f)
		fclose(f);
	if (!available || available / 1024 >= sys->config.sys.memory)
		return 0;
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': its machine has %u MiB, and this host has %llu left",
			sys->name, sys->config.sys.memory, available / 1024);
}

/* Nobody else has it at this moment, and QEMU could. */
static int try_port(int port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, ret;
	bool v6 = fd >= 0;

	if (!v6)
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ret = v6 ? bind(fd, (struct sockaddr *)&address, sizeof(address)) :
		   bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	ret = ret || listen(fd, 1) ? errno : 0;
	close(fd);
	return ret;
}

/* Does this host wait there for another container? */
static bool is_reserved(const struct sys *sys, const char *other, int port)
{
	struct immigration i;
	struct manifest m = {};
	bool reserved = false;

	if (strcmp(other, sys->name) != 0 && !container_read(sys->store, other, &m))
		reserved = immigration_get(&m, &i) && !immigration_expired(&i) && i.port == port &&
			   !strcmp(i.host, sys_host());
	manifest_free(&m);
	return reserved;
}

static int check_port(const struct sys *sys, int port)
{
	char **names, **name;
	int err = try_port(port);

	if (err)
		return dre_fail(DRE_ERR_NO_SOCKET_AVAILABLE, "container '%s': port %d: %s", sys->name, port,
				strerror(err));
	err = store_list_containers(sys->store, &names);
	for (name = names; !err && *name; name++)
		if (is_reserved(sys, *name, port))
			err = dre_fail(DRE_ERR_NO_SOCKET_AVAILABLE, "port %d is reserved for container '%s'", port, *name);
	store_free_list(names);
	return err;
}

static int check_host(struct sys *sys)
{
	int err = check_domain(sys);

	if (!err)
		err = kmod_check();
	if (!err)
		err = sys_check_vt(sys);
	if (!err)
		err = sys_check_network(sys);
	if (!err)
		err = check_files(sys);
	if (!err)
		err = check_memory(sys);
	return err ? err : sys_groups_check(sys->name, sys_manifest(sys));
}

/* @text: NULL: nobody waits. */
static int write_reservation(struct sys *sys, const char *text)
{
	int err = manifest_set(&sys->container->manifest, SETTING_IMMIGRATION, text);

	return err ? dre_fail_errno(-err, "container '%s'", sys->name) : container_commit(sys->container);
}

/* In one step with the look at the others', so that no port is reserved twice. */
static int reserve(struct sys *sys, int port)
{
	char text[MIGRATION_HOST_SIZE + 40];
	int err = store_lock_ports(sys->store);

	if (err)
		return err;
	snprintf(text, sizeof(text), "%s %d %lld", sys_host(), port,
		 (long long)time(NULL) + sys->config.sys.immigration_timeout);
	err = check_port(sys, port);
	if (!err)
		err = write_reservation(sys, text);
	store_unlock_ports(sys->store);
	return err;
}

/* The reservation is there as long as the partition is: whoever is killed in between leaves what a cancel removes. */
static int make_ready(struct sys *sys, int port)
{
	struct saved_error saved;
	int err = reserve(sys, port);

	if (err)
		return err;
	err = sys_partition_make(sys->name);
	if (!err)
		err = sys_limit_ahead(sys);
	if (err) {
		save_error(&saved);
		sys_partition_remove(sys->name);
		write_reservation(sys, NULL);
		restore_error(&saved);
	}
	return err;
}

static void end(struct sys *sys)
{
	sys_disconnect(sys);
	sys_end(sys);
}

dre_return_t dre_sys_immigration_start(const char *name, const int port)
{
	struct sys sys;
	int err = check_arguments(name, port);

	if (!err)
		err = begin(&sys, name);
	if (err)
		return err;
	err = check_owner(&sys);
	if (!err)
		sys_forget_left(&sys);
	if (!err)
		err = check_reservation(&sys);
	if (!err)
		err = check_host(&sys);
	if (!err)
		err = layers_verify_container(sys.container);
	if (!err)
		err = make_ready(&sys, port);
	end(&sys);
	return err;
}

static int cancel(struct sys *sys)
{
	struct immigration i;
	struct migrating to;
	int err;

	if (migrating_get(sys_manifest(sys), &to))
		return dre_fail(DRE_ERR_CONTAINER_BUSY, "container '%s' is on its way already", sys->name);
	if (!immigration_get(sys_manifest(sys), &i) || strcmp(i.host, sys_host()) != 0)
		return dre_fail(DRE_ERR_NO_SOCKET_AVAILABLE, "container '%s': this host does not wait for it",
				sys->name);
	err = sys_partition_remove(sys->name);
	return err ? err : write_reservation(sys, NULL);
}

dre_return_t dre_sys_immigration_cancel(const char *name)
{
	struct sys sys;
	int err = dre_check_name("container", name);

	if (!err)
		err = begin(&sys, name);
	if (err)
		return err;
	err = cancel(&sys);
	end(&sys);
	return err;
}
