// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tries, in a container, all that only a manager on the host may do. Prints a
 * line for each attempt: what, and the error's name, or "DONE".
 *
 *	intruder OWN-NAME OTHER-NAME
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dre.h>

static void report(const char *what, int ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerrorname_np(errno) : "DONE");
	fflush(stdout);
}

static struct dre_container_info containers[8];

/* The requests to /dev/dre, each as a manager would make it. */
static void manage(const char *how, int fd, const char *own, const char *other)
{
	struct dre_info info = { .size = sizeof(info) };
	struct dre_container_create create = { .size = sizeof(create), .type = DRE_CONTAINER_APP,
					       .pid = getpid(), .name = "mine" };
	struct dre_container_open opens = { .size = sizeof(opens), .type = DRE_CONTAINER_APP };
	struct dre_list list = { .size = sizeof(list), .entries = (uintptr_t)containers,
				 .entry_size = sizeof(*containers), .count = 8 };
	struct dre_process process = { .size = sizeof(process), .pid = getpid() };
	struct dre_terminate terminate = { .size = sizeof(terminate) };
	char what[64];

#define TRY(request, arg)						\
	(snprintf(what, sizeof(what), "%s %s", how, #request),		\
	 report(what, ioctl(fd, DRE_IOC_##request, &(arg))))

	TRY(INFO, info);
	TRY(CONTAINER_CREATE, create);
	create.pid = 1;
	TRY(CONTAINER_CREATE, create);
	strcpy(opens.name, own);
	TRY(CONTAINER_OPEN, opens);
	strcpy(opens.name, other);
	TRY(CONTAINER_OPEN, opens);
	TRY(CONTAINER_LIST, list);
	/* These are for a container's file, which it cannot get. */
	TRY(PROCESS_REGISTER, process);
	TRY(PROCESS_UNREGISTER, process);
	TRY(PROCESS_LIST, list);
	TRY(CONTAINER_TERMINATE, terminate);
}

static void manage_by(const char *how, const char *path, const char *own, const char *other)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		report(how, fd);
		return;
	}
	manage(how, fd, own, other);
	close(fd);
}

/* As root of a user namespace of its own, with a pid namespace of its own. */
static void manage_in_namespaces(const char *own, const char *other)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID)) {
			report("namespaces", -1);
		} else if (fork() == 0) {
			manage_by("namespaces", "/dev/dre", own, other);
		} else {
			wait(NULL);
		}
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A node of its own for the same device. */
static void manage_by_node(const char *own, const char *other)
{
	struct stat st;

	if (stat("/dev/dre", &st) || mknod("/tmp/dre", S_IFCHR | 0666, st.st_rdev)) {
		report("node", -1);
		return;
	}
	manage_by("node", "/tmp/dre", own, other);
	unlink("/tmp/dre");
}

/* The files of its own control group, which is what limits and "suspend" rest on. */
static void lift_limits(void)
{
	int fd = open("/sys/fs/cgroup/cgroup.max.depth", O_WRONLY | O_CLOEXEC);

	report("its control group", fd < 0 ? fd : write(fd, "5", 1));
	close(fd);
}

static void enter(const char *place, const char *above, const char *name, const char *below)
{
	char path[256], what[sizeof(path) + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/dre%s%s%s/cgroup.procs", place, above, name, below);
	snprintf(what, sizeof(what), "leave %s", path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	report(what, fd < 0 ? fd : write(fd, "0", 1));
	close(fd);
}

/* Into each control group above its own or beside it, by the name that the host has for it. */
static void leave_groups(const char *place, const char *own, const char *other)
{
	enter(place, "", "", "");
	enter(place, "/app", "", "");
	enter(place, "/app/", own, "");
	enter(place, "/monitor/", own, "");
	enter(place, "/app/", other, "");
	enter(place, "/app/", other, "/payload");
}

/* The same where nothing is mounted over them, and where they are mounted anew. */
static void leave_groups_by_mounts(const char *own, const char *other)
{
	pid_t pid;

	mkdir("/tmp/groups", 0700);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
			_exit(1);
		/* They are gone for us only. */
		if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			umount2("/sys/fs/cgroup", MNT_DETACH);
		leave_groups("/sys/fs/cgroup", own, other);
		mount("none", "/tmp/groups", "cgroup2", 0, NULL);
		leave_groups("/tmp/groups", own, other);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	rmdir("/tmp/groups");
}

/* Other names for what belongs to the host. */
static void reach_host(void)
{
	int fd = open("/proc/daware", O_WRONLY | O_CLOEXEC);

	report("write /proc/daware", fd < 0 ? fd : write(fd, "1\n", 2));
	close(fd);
	fd = open("/var/lib/dre", O_PATH | O_CLOEXEC);
	report("the store", fd);
	report("unload the module", syscall(SYS_delete_module, "dre", O_NONBLOCK));
	report("load a module", syscall(SYS_finit_module, STDIN_FILENO, "", 0));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	manage_by("device", "/dev/dre", argv[1], argv[2]);
	manage_by_node(argv[1], argv[2]);
	manage_in_namespaces(argv[1], argv[2]);
	lift_limits();
	leave_groups("/sys/fs/cgroup", argv[1], argv[2]);
	leave_groups_by_mounts(argv[1], argv[2]);
	reach_host();
	return 0;
}
