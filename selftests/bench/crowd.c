// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crowd.h"

/* Enough to sleep on. */
#define STACK_SIZE	1024

struct order {
	unsigned int count;
	pid_t *vpids;
};

static int sleeper(void *arg)
{
	for (;;)
		syscall(SYS_pause);
	return 0;
}

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* In the container's init. They share what can be shared: they are cheap then. */
static int do_crowd(int fd, void *arg)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD;
	const struct order *o = arg;
	char *stacks = map((size_t)o->count * STACK_SIZE, MAP_PRIVATE);
	unsigned int i;

	for (i = 0; i < o->count; i++) {
		o->vpids[i] = clone(sleeper, stacks + (i + 1) * STACK_SIZE, flags, NULL);
		if (o->vpids[i] < 0)
			return -errno;
	}
	return 0;
}

static size_t vpids_size(const struct crowd *crowd)
{
	return (crowd->count + 1) * sizeof(*crowd->vpids);
}

void crowd_start(struct crowd *crowd, unsigned int count)
{
	struct order o = { .count = count };
	unsigned int done, part;
	int ret;

	crowd->count = count;
	crowd->vpids = map(vpids_size(crowd), MAP_SHARED);
	container_start(&crowd->c, 0);
	/* In parts: an agent has to answer in time. */
	for (done = 0; done < count; done += part) {
		part = count - done < 2000 ? count - done : 2000;
		o = (struct order){ .count = part, .vpids = crowd->vpids + done };
		ret = agent_call(&crowd->c.init, do_crowd, &o, sizeof(o));
		if (ret < 0) {
			errno = -ret;
			die("a crowd of %u", count);
		}
	}
}

/* Ends the container, and closes its fd if there is one. */
void crowd_end(struct crowd *crowd)
{
	container_kill(&crowd->c);
	if (crowd->c.fd >= 0)
		close(crowd->c.fd);
	munmap(crowd->vpids, vpids_size(crowd));
}
