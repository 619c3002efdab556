// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * list, with what a container uses and where it is reached.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "common/table.h"

enum { LIST_MEMORY = LIST_COLUMNS, LIST_ADDRESS };

/* What only the host itself, or the next one on the wire, gets to is no address to be reached at. */
static bool is_reachable(const struct ifaddrs *i)
{
	const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;

	if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK)
		return false;
	return i->ifa_addr->sa_family == AF_INET ||
	       (i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr));
}

/* "192.0.2.7,2001:db8::7", of the network namespace that we are in; what has no room is left out. */
static void get_addresses(char *text, size_t size)
{
	const struct sockaddr_in6 *in6;
	const struct sockaddr_in *in;
	struct ifaddrs *all, *i;
	size_t len = 0;

	if (getifaddrs(&all))
		return;
	for (i = all; i; i = i->ifa_next) {
		if (!is_reachable(i) || len + 1 + INET6_ADDRSTRLEN > size)
			continue;
		in = (const void *)i->ifa_addr;
		in6 = (const void *)i->ifa_addr;
		if (len)
			text[len++] = ',';
		inet_ntop(i->ifa_addr->sa_family, i->ifa_addr->sa_family == AF_INET ?
			  (const void *)&in->sin_addr : &in6->sin6_addr, text + len, size - len);
		len += strlen(text + len);
	}
	freeifaddrs(all);
}

/* A container on the host's network has no address of its own. */
static void address_cell(struct table *table, int pid)
{
	int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), its;
	char path[32], text[512] = "";
	struct stat here, there;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	its = open(path, O_RDONLY | O_CLOEXEC);
	if (ours >= 0 && its >= 0 && !fstat(ours, &here) && !fstat(its, &there) &&
	    here.st_ino != there.st_ino && !setns(its, CLONE_NEWNET)) {
		get_addresses(text, sizeof(text));
		setns(ours, CLONE_NEWNET);
	}
	if (*text)
		table_cell(table, LIST_ADDRESS, text);
	if (its >= 0)
		close(its);
	if (ours >= 0)
		close(ours);
}

static void long_cells(struct table *table, const char *name)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_MEMORY_64 };
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
	char number[24];
	int pid;

	if (!dre_app_get_resource(&h, 0, &r)) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)r.udata.mem.bytes);
		table_cell(table, LIST_MEMORY, number);
	}
	if (!dre_app_get_pid(&h, &pid))
		address_cell(table, pid);
}

int cmd_app_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "long", no_argument, NULL, 'l' },
		{ }
	};
	static const struct column columns[] = {
		LIST_COLUMNS_COMMON,
		[LIST_MEMORY] = { "MEMORY", COLUMN_NUMBER },
		[LIST_ADDRESS] = { "ADDRESS", COLUMN_STRINGS },
		{ }
	};
	bool json = false, more = false;
	int c;

	while ((c = command_getopt(argc, argv, "jl", options)) >= 0) {
		json |= c == 'j';
		more |= c == 'l';
	}
	if (optind != argc)
		command_usage("no argument is wanted");
	return more ? list_containers(columns, json, long_cells) : list_containers(NULL, json, NULL);
}
