// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the requests are about: containers, people (processes inside and outside
 * of them) and cgroups, all of which come and go as fast as the supervisor gets
 * round to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define CGROUPS		"/sys/fs/cgroup"
#define OWN_CGROUPS	CGROUPS "/dre-fuzz"
#define V1_MOUNT	"/tmp/dre-fuzz-v1"
#define PID_MAX		"/proc/sys/kernel/pid_max"

/* So few that numbers come back all the time. */
#define NUMBERS		"700"

/* Of cgroups to bind to, "g0" and so on; see also fuzz-request.c. */
#define PLAIN_CGROUPS	6

int cgroups;
int odd_files[7];

static struct chance chance;

/* Time is counted in requests, so that the same happens on a slow kernel. */
static unsigned long now;
static long long began;

/* How long so many requests take, as fast as they have been so far, in microseconds. */
static int time_of(unsigned int requests)
{
	long long us = now < 1000 ? 200 : (now_ms() - began) * 1000 / now;

	return requests * us;
}

/* Containers */

static struct {
	struct container c;
	int pidfd;
	bool dying;
	unsigned long end;	/* when it is killed, see population_churn() */
} home[CONTAINERS];

static int own_pid_ns;

/* The last one's root is the host's. */
static bool has_users(int container)
{
	return container < CONTAINERS - 1;
}

static int ignore_children(int fd, void *arg)
{
	/* It inherits orphans. */
	return signal(SIGCHLD, SIG_IGN) == SIG_ERR ? -errno : 0;
}

static void start_container(int i)
{
	struct container *c = &home[i].c;

	container_start(c, has_users(i) ? WITH_USERS : 0);
	if (agent_call(&c->init, ignore_children, NULL, 0))
		die("init of a container");
	home[i].pidfd = syscall(SYS_pidfd_open, c->init.pid, 0);
	if (home[i].pidfd < 0)
		die("pidfd_open");
	home[i].dying = false;
	home[i].end = now + 2000 + below(&chance, 20000);
	world->init[i] = (struct target){ c->init.pid, 1, i };
}

/* Init ends when all of its namespace have been reaped: that is told by population_ended(). */
static void kill_container(int i)
{
	if (home[i].dying)
		return;
	home[i].dying = true;
	if (kill(home[i].c.init.pid, SIGKILL))
		die("kill the init of a container");
}

bool population_lives(int container)
{
	return container < 0 || !home[container].dying;
}

static void enter(int container)
{
	if (has_users(container) && setns(home[container].pidfd, CLONE_NEWUSER))
		_exit(0);	/* it has just ended */
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		_exit(0);
}

/**
 * population_fork - fork(2) into a container
 * @container: which, or HOST
 *
 * Returns what fork(2) does: the child's number is the host's, and it is a child
 * of the supervisor. A container that is about to end lets nobody in.
 */
pid_t population_fork(int container)
{
	pid_t pid;

	if (container >= 0 && setns(home[container].pidfd, CLONE_NEWPID))
		return -1;
	pid = fork();
	if (!pid && container >= 0)
		enter(container);
	if (pid && setns(own_pid_ns, CLONE_NEWPID))
		die("setns");
	return pid;
}

/* People */

/* When they are killed, if they have not ended before. */
static unsigned long person_end[PEOPLE];

static int self_request(int dre, unsigned long cmd, int sig)
{
	struct dre_self self = { .size = sizeof(self) };

	if (sig) {
		self.nr_signals = 1;
		self.signals[0] = sig;
	}
	return ioctl(dre, cmd, &self);
}

static void register_self(struct chance *c)
{
	int dre = open(DRE_DEVICE, O_RDWR | O_CLOEXEC), sig = 1 + below(c, 31);

	if (sig == SIGKILL || sig == SIGSTOP)
		sig = SIGTERM;
	self_request(dre, DRE_IOC_SELF_REGISTER, sig);
	if (one_in(c, 4))
		self_request(dre, DRE_IOC_SELF_REFUSE, sig);
	if (one_in(c, 4))
		self_request(dre, DRE_IOC_SELF_UNREGISTER, 0);
	close(dre);
}

static void *second_thread(void *arg)
{
	usleep(*(int *)arg);
	_exit(1);
}

static void *known_thread(void *arg)
{
	__atomic_store_n(&world->thread, gettid(), __ATOMIC_RELAXED);
	return second_thread(arg);
}

/* In a container it has a number that on the host may be anybody's. */
static void become_two(struct chance *c, int us, int container)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, container == HOST ? known_thread : second_thread, &us) &&
	    one_in(c, 2))
		syscall(SYS_exit, 0);
}

/* Waits for what happens in a container, which nobody ends it for. */
static void read_events(struct chance *c)
{
	struct dre_event events[8];
	char name[8];
	int dre = open(DRE_DEVICE, O_RDWR | O_CLOEXEC), fd;

	snprintf(name, sizeof(name), "c%u", below(c, 6));
	fd = container_open(dre, one_in(c, 3) ? DRE_CONTAINER_SYS : DRE_CONTAINER_APP, name);
	close(dre);
	while (fd >= 0 && read(fd, events, sizeof(events)) > 0)
		;
}

static void __noreturn do_exec(int us)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", us);
	execl("/proc/self/exe", "person", text, NULL);
	_exit(127);
}

/* @us: how long it stays */
void person_after_exec(const char *us)
{
	struct chance c = { now_ms() + getpid() };

	register_self(&c);
	usleep(atoi(us));
	_exit(below(&c, 256));
}

/* What one of them does until it ends, or is killed. */
static void __noreturn person_main(uint64_t state, int container)
{
	struct chance c = { state };
	const struct rlimit none = {};
	int us = time_of(below(&c, 3000));
	sigset_t all;

	close_range(3, ~0U, 0);
	setrlimit(RLIMIT_CORE, &none);
	sigfillset(&all);
	if (one_in(&c, 2))
		sigprocmask(SIG_SETMASK, &all, NULL);
	if (container < 0 && one_in(&c, 3) && setresuid(65534, 65534, 65534))
		_exit(1);
	if (one_in(&c, 2))
		register_self(&c);
	switch (below(&c, 8)) {
	case 0:
		become_two(&c, us, container);
		break;
	case 1:
		do_exec(us);
	case 2:
		if (!fork()) {	/* an orphan soon */
			usleep(us);
			_exit(0);
		}
		break;
	case 3:
		read_events(&c);
		break;
	}
	if (one_in(&c, 2))
		pause();
	usleep(us);
	if (one_in(&c, 4))
		kill(getpid(), SIGKILL);
	_exit(below(&c, 256));
}

static void start_person(int i)
{
	int container = (int)below(&chance, CONTAINERS + 3) - 3;
	uint64_t state = draw(&chance);
	pid_t pid;

	if (container < 0 || !population_lives(container))
		container = HOST;
	world->person[i].container = container;
	pid = population_fork(container);
	if (!pid) {
		world->person[i].vpid = getpid();
		person_main(state, container);
	}
	person_end[i] = now + 200 + below(&chance, 2000);
	world->person[i].pid = pid;	/* -1: the container ended */
}

/* Cgroups */

static void write_cgroup(const char *name, const char *text)
{
	int fd = openat(cgroups, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("write %s to " OWN_CGROUPS "/%s", text, name);
	close(fd);
}

static void make_cgroup(const char *name)
{
	if (mkdirat(cgroups, name, 0755) && errno != EEXIST)
		die("mkdir " OWN_CGROUPS "/%s", name);
}

/* One whose children have a controller: no process may be in it. */
static void make_inner_cgroup(void)
{
	char controllers[256] = "+";
	int fd = openat(cgroups, "cgroup.controllers", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, controllers + 1, sizeof(controllers) - 2) <= 0)
		die("no controller in " OWN_CGROUPS);
	close(fd);
	controllers[strcspn(controllers, " \n")] = '\0';
	write_cgroup("cgroup.subtree_control", controllers);
	make_cgroup("inner");
	write_cgroup("inner/cgroup.subtree_control", controllers);
}

static int open_odd(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC);

	if (fd < 0)
		die("open %s", name);
	return fd;
}

static void mount_v1(void)
{
	if ((mkdir(V1_MOUNT, 0755) && errno != EEXIST) ||
	    mount("none", V1_MOUNT, "cgroup", 0, "none,name=dre-fuzz"))
		die("mount " V1_MOUNT);
}

static void make_cgroups(void)
{
	char name[8];
	int i;

	if (mkdir(OWN_CGROUPS, 0755) && errno != EEXIST)
		die("mkdir " OWN_CGROUPS);
	cgroups = open_odd(AT_FDCWD, OWN_CGROUPS, O_RDONLY | O_DIRECTORY);
	for (i = 0; i < PLAIN_CGROUPS; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		make_cgroup(name);
	}
	make_inner_cgroup();
	make_cgroup("domain");
	make_cgroup("domain/threaded");
	write_cgroup("domain/threaded/cgroup.type", "threaded");
	make_cgroup("domain/invalid");
	mount_v1();
	make_cgroup("removed");
	i = 0;
	odd_files[i++] = open_odd(cgroups, "removed", O_RDONLY | O_DIRECTORY);
	odd_files[i++] = open_odd(AT_FDCWD, V1_MOUNT, O_RDONLY | O_DIRECTORY);
	odd_files[i++] = open_odd(cgroups, "g0/cgroup.procs", O_RDONLY);
	odd_files[i++] = open_odd(AT_FDCWD, "/tmp", O_RDONLY | O_DIRECTORY);
	odd_files[i++] = open_odd(AT_FDCWD, "/dev/null", O_RDWR);
	odd_files[i++] = open_odd(AT_FDCWD, "/tmp", O_PATH | O_DIRECTORY);
	odd_files[i++] = -1;
	if (unlinkat(cgroups, "removed", AT_REMOVEDIR))
		die("rmdir removed");
}

/* Behind the module's back; the kernel says whether that can be. */
static void churn_cgroup(void)
{
	char name[8];

	snprintf(name, sizeof(name), "g%u", below(&chance, PLAIN_CGROUPS));
	if (unlinkat(cgroups, name, AT_REMOVEDIR) && errno != EBUSY)
		die("rmdir " OWN_CGROUPS "/%s", name);
	make_cgroup(name);
}

/* It fails if somebody is in one. */
static void remove_cgroups(void)
{
	static const char *const all[] = {
		"g0", "g1", "g2", "g3", "g4", "g5", "inner", "domain/threaded", "domain/invalid", "domain",
	};
	size_t i;

	for (i = 0; odd_files[i] >= 0; i++)
		close(odd_files[i]);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (unlinkat(cgroups, all[i], AT_REMOVEDIR))
			die("rmdir " OWN_CGROUPS "/%s", all[i]);
	close(cgroups);
	if (rmdir(OWN_CGROUPS) || umount(V1_MOUNT) || rmdir(V1_MOUNT))
		die("rmdir " OWN_CGROUPS ", " V1_MOUNT);
}

/* All of it */

static char numbers[16];

static void limit_numbers(const char *to)
{
	int fd = open(PID_MAX, O_RDWR | O_CLOEXEC);

	if (fd < 0 || (!numbers[0] && read(fd, numbers, sizeof(numbers) - 1) <= 0) ||
	    pwrite(fd, to, strlen(to), 0) < 0)
		die(PID_MAX);
	close(fd);
}

void population_start(void)
{
	int i;

	chance.state = world->seed;
	began = now_ms();
	own_pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	limit_numbers(NUMBERS);
	make_cgroups();
	for (i = 0; i < CONTAINERS; i++)
		start_container(i);
	for (i = 0; i < PEOPLE; i++)
		start_person(i);
}

/* Whatever it is time for when @requests were made. */
void population_churn(unsigned long requests)
{
	int i;

	if (now / 200 != requests / 200)
		churn_cgroup();
	now = requests;
	for (i = 0; i < CONTAINERS; i++)
		if (now > home[i].end)
			kill_container(i);
	for (i = 0; i < PEOPLE; i++) {
		if (world->person[i].pid <= 0)
			start_person(i);
		else if (now > person_end[i])
			kill(world->person[i].pid, SIGKILL);
	}
}

/* @pid was reaped: returns whether it was one of the population, who gets a successor. */
bool population_ended(pid_t pid)
{
	int i;

	for (i = 0; i < PEOPLE; i++) {
		if (world->person[i].pid == pid) {
			start_person(i);
			return true;
		}
	}
	for (i = 0; i < CONTAINERS; i++) {
		if (world->init[i].pid == pid) {
			close(home[i].c.init.sock);
			close(home[i].pidfd);
			start_container(i);
			return true;
		}
	}
	return false;
}

/* All that was left of it, and of the workers, is killed and reaped. */
void population_end(void)
{
	int i;

	for (i = 0; i < CONTAINERS; i++)
		kill_container(i);
	for (i = 0; i < PEOPLE; i++)
		if (world->person[i].pid > 0)
			kill(world->person[i].pid, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	for (i = 0; i < CONTAINERS; i++) {
		close(home[i].c.init.sock);
		close(home[i].pidfd);
	}
	close(own_pid_ns);
	remove_cgroups();
	limit_numbers(numbers);
}
