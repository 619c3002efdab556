// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The requests of linux/dre.h, one after the other, in a container of one
 * process. Needs root, the module, and control groups at /sys/fs/cgroup.
 *
 *	cc -o dre-uapi dre-uapi.c && ./dre-uapi
 *
 * Documentation/uapi.md explains it. Programs use libdaware and libdreapp.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dre.h>

#define CGROUP	"/sys/fs/cgroup/dre-uapi"

static void request(int fd, unsigned long number, void *arg, const char *what)
{
	if (ioctl(fd, number, arg) < 0)
		err(1, "%s", what);
}

/* What a D-Aware process does; libdaware does it for a program. */
static void be_d_aware(void)
{
	struct dre_self self = {
		.size = sizeof(self), .nr_signals = 1, .signals = { SIGTERM },
	};
	int dre = open("/dev/dre", O_RDWR | O_CLOEXEC);
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	request(dre, DRE_IOC_SELF_REGISTER, &self, "SELF_REGISTER");

	sigwaitinfo(&set, &info);
	request(dre, DRE_IOC_SELF_REFUSE, &self, "SELF_REFUSE");

	sigwaitinfo(&set, &info);
	self.nr_signals = 0;
	self.signals[0] = 0;
	request(dre, DRE_IOC_SELF_UNREGISTER, &self, "SELF_UNREGISTER");
	_exit(0);
}

/* A process that is 1 in a pid namespace of its own. */
static pid_t start_init(void)
{
	pid_t pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, 0);

	if (pid < 0)
		err(1, "clone");
	if (pid == 0)
		be_d_aware();
	return pid;
}

static void show_module(int dre)
{
	struct dre_info info = { .size = sizeof(info) };

	request(dre, DRE_IOC_INFO, &info, "INFO");
	printf("control groups: %s\n", info.features & DRE_FEATURE_GROUPS ? "yes" : "no");
}

static int create_container(int dre, pid_t init)
{
	struct dre_container_create create = {
		.size = sizeof(create), .type = DRE_CONTAINER_APP, .pid = init, .name = "example",
	};

	request(dre, DRE_IOC_CONTAINER_CREATE, &create, "CONTAINER_CREATE");
	return create.fd;
}

static int open_container(int dre)
{
	struct dre_container_open container = {
		.size = sizeof(container), .type = DRE_CONTAINER_APP, .name = "example",
	};

	request(dre, DRE_IOC_CONTAINER_OPEN, &container, "CONTAINER_OPEN");
	return container.fd;
}

static void list_containers(int dre)
{
	struct dre_container_info entries[2];
	struct dre_list list = {
		.size = sizeof(list), .entries = (uintptr_t)entries, .entry_size = sizeof(*entries),
	};

	do {
		list.count = 2;
		request(dre, DRE_IOC_CONTAINER_LIST, &list, "CONTAINER_LIST");
		for (unsigned int i = 0; i < list.count; i++)
			printf("container %s, init %d\n", entries[i].name, entries[i].pid);
	} while (list.cursor);
}

static void register_process(int container, pid_t pid)
{
	struct dre_process process = {
		.size = sizeof(process), .pid = pid, .nr_signals = 1, .signals = { SIGUSR1 },
	};

	request(container, DRE_IOC_PROCESS_REGISTER, &process, "PROCESS_REGISTER");
}

static void unregister_process(int container, pid_t pid)
{
	struct dre_process process = { .size = sizeof(process), .pid = pid };

	request(container, DRE_IOC_PROCESS_UNREGISTER, &process, "PROCESS_UNREGISTER");
}

/* How many there are, which is few. */
static unsigned int list_processes(int container)
{
	struct dre_process_info entries[16];
	struct dre_list list = {
		.size = sizeof(list), .entries = (uintptr_t)entries, .entry_size = sizeof(*entries),
		.count = 16,
	};

	request(container, DRE_IOC_PROCESS_LIST, &list, "PROCESS_LIST");
	for (unsigned int i = 0; i < list.count; i++)
		printf("process %d, there %d, first signal %d\n", entries[i].pid, entries[i].vpid,
		       entries[i].nr_signals ? entries[i].signals[0] : 0);
	return list.count;
}

static void translate(int container, pid_t init)
{
	__s32 pids[] = { init, getpid() }, vpids[2];
	struct dre_translate translate = {
		.size = sizeof(translate), .count = 2,
		.from = (uintptr_t)pids, .to = (uintptr_t)vpids,
	};

	request(container, DRE_IOC_TRANSLATE, &translate, "TRANSLATE");
	printf("%d is %d there, %d is %d\n", pids[0], vpids[0], pids[1], vpids[1]);
}

static void create_group(int container)
{
	struct dre_group group = { .size = sizeof(group), .name = "workers" };

	if (mkdir(CGROUP, 0755))
		err(1, CGROUP);
	group.fd = open(CGROUP, O_PATH | O_DIRECTORY | O_CLOEXEC);
	request(container, DRE_IOC_GROUP_CREATE, &group, "GROUP_CREATE");
	close(group.fd);
	printf("control group %u\n", group.id);
}

static void destroy_group(int container)
{
	struct dre_group group = { .size = sizeof(group), .name = "workers" };

	request(container, DRE_IOC_GROUP_DESTROY, &group, "GROUP_DESTROY");
	if (rmdir(CGROUP))
		err(1, CGROUP);
}

static void bind_process(int container, pid_t pid)
{
	struct dre_bind bind = { .size = sizeof(bind), .pid = pid, .name = "workers" };

	request(container, DRE_IOC_BIND, &bind, "BIND");
}

static void unbind_process(int container, pid_t pid)
{
	struct dre_bind bind = { .size = sizeof(bind), .pid = pid, .name = "workers" };

	request(container, DRE_IOC_UNBIND, &bind, "UNBIND");
}

static void list_groups(int container)
{
	struct dre_group_info groups[4];
	struct dre_binding_info bindings[4];
	struct dre_list list = { .size = sizeof(list), .count = 4 };

	list.entries = (uintptr_t)groups;
	list.entry_size = sizeof(*groups);
	request(container, DRE_IOC_GROUP_LIST, &list, "GROUP_LIST");
	for (unsigned int i = 0; i < list.count; i++)
		printf("control group %s has %u processes\n", groups[i].name, groups[i].bindings);

	list.entries = (uintptr_t)bindings;
	list.entry_size = sizeof(*bindings);
	list.count = 4;
	request(container, DRE_IOC_BINDING_LIST, &list, "BINDING_LIST");
	for (unsigned int i = 0; i < list.count; i++)
		printf("process %d is bound to %u\n", bindings[i].pid, bindings[i].group);
}

static void terminate(int container)
{
	struct dre_terminate terminate = { .size = sizeof(terminate) };

	request(container, DRE_IOC_CONTAINER_TERMINATE, &terminate, "CONTAINER_TERMINATE");
	printf("signalled %u\n", terminate.signalled);
}

/* Reads up to an event of that type. */
static void read_until(int container, __u32 type)
{
	struct dre_event event = {};

	while (event.type != type) {
		if (read(container, &event, sizeof(event)) != sizeof(event))
			err(1, "read");
		printf("event %u of %d, value %u\n", event.type, event.pid, event.value);
	}
}

int main(void)
{
	int dre, container, other;
	pid_t init;

	setvbuf(stdout, NULL, _IOLBF, 0);
	dre = open("/dev/dre", O_RDWR | O_CLOEXEC);
	if (dre < 0)
		err(1, "/dev/dre");
	show_module(dre);

	init = start_init();
	container = create_container(dre, init);
	other = open_container(dre);
	list_containers(dre);
	while (list_processes(container) == 0)	/* it registers itself */
		usleep(10000);

	register_process(container, getpid());
	list_processes(container);
	unregister_process(container, getpid());
	translate(container, init);

	create_group(container);
	bind_process(container, init);
	list_groups(container);
	unbind_process(container, init);
	destroy_group(container);

	terminate(container);
	read_until(container, DRE_EVENT_REFUSED);
	terminate(container);
	read_until(container, DRE_EVENT_ENDED);
	if (read(other, &(struct dre_event){}, sizeof(struct dre_event)) < 0)
		err(1, "the other fd has a queue of its own");
	waitpid(init, NULL, 0);
	return 0;
}
