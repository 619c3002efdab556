// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where containers are reached.
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

/* What only the host itself, or the next one on the wire, gets to is no address to be reached at. */
static bool is_reachable(const struct ifaddrs *i)
{
	const struct sockaddr_in6 *in6 = (const void *)i->ifa_addr;

	if (!i->ifa_addr || i->ifa_flags & IFF_LOOPBACK)
		return false;
	return i->ifa_addr->sa_family == AF_INET ||
	       (i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr));
}

/* Those of the network namespace that we are in. */
static void read_addresses(char *text, size_t size)
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
bool get_addresses(int pid, char *text, size_t size)
{
	int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), its;
	struct stat here, there;
	bool entered = false;
	char path[32];

	*text = '\0';
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	its = open(path, O_RDONLY | O_CLOEXEC);
	if (ours >= 0 && its >= 0 && !fstat(ours, &here) && !fstat(its, &there) &&
	    here.st_ino != there.st_ino && !setns(its, CLONE_NEWNET)) {
		read_addresses(text, size);
		setns(ours, CLONE_NEWNET);
		entered = true;
	}
	if (its >= 0)
		close(its);
	if (ours >= 0)
		close(ours);
	return entered;
}
