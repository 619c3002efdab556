// SPDX-License-Identifier: GPL-2.0-only
/* Moving a process from cgroup to cgroup: by a request, and by hand. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"

#define CGROUPS	"/sys/fs/cgroup/bench"
#define PAYLOAD	CGROUPS "/payload"
#define GROUP	CGROUPS "/group"

struct binding {
	struct crowd crowd;	/* of one */
	pid_t pid;
	struct dre_bind bind;
};

static void move(const char *procs, pid_t pid)
{
	int fd = open(procs, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%d", pid) < 0)
		die("%s", procs);
	close(fd);
}

static void by_request(void *arg, unsigned long n)
{
	struct binding *b = arg;

	while (n--) {
		must(dre_request(b->crowd.c.fd, DRE_IOC_BIND, &b->bind));
		must(dre_request(b->crowd.c.fd, DRE_IOC_UNBIND, &b->bind));
	}
}

static void by_hand(void *arg, unsigned long n)
{
	struct binding *b = arg;

	while (n--) {
		move(GROUP "/cgroup.procs", b->pid);
		move(PAYLOAD "/cgroup.procs", b->pid);
	}
}

static void setup(struct binding *b, int dre)
{
	struct dre_group group = { .size = sizeof(group), .name = "group" };

	if (mkdir(CGROUPS, 0755) || mkdir(PAYLOAD, 0755) || mkdir(GROUP, 0755))
		die(CGROUPS);
	crowd_start(&b->crowd, 1);
	crowd_open(&b->crowd, dre, "binding");
	b->pid = must(translate_one(b->crowd.c.fd, DRE_TRANSLATE_TO_PID, b->crowd.vpids[0]));
	move(PAYLOAD "/cgroup.procs", b->crowd.c.init.pid);
	move(PAYLOAD "/cgroup.procs", b->pid);
	group.fd = open(GROUP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(dre_request(b->crowd.c.fd, DRE_IOC_GROUP_CREATE, &group));
	close(group.fd);
	b->bind = (struct dre_bind){ .size = sizeof(b->bind), .pid = b->pid, .name = "group" };
}

void bench_binding(void)
{
	static struct bench row = {
		.what = "bind + unbind",
		.ours = "BIND + UNBIND",
		.other = "open, write and close cgroup.procs, twice",
		.unit = "ns",
		.goal = 1.3,
	};
	struct binding b;
	int dre = dre_open();

	setup(&b, dre);
	bench_compare(&row, by_request, by_hand, &b);
	crowd_end(&b.crowd);
	close(dre);
	if (rmdir(GROUP) || rmdir(PAYLOAD) || rmdir(CGROUPS))
		die(CGROUPS);
}
