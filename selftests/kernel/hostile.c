// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hostile container tries: its root with every capability in its user
 * namespace, an ordinary user in it, and root of namespaces nested in it. None of
 * it works, and what it costs is bounded: Documentation/module-security.md.
 */
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "group.h"

/*
 * "c1" and its other processes are victims, too: the container is not one who.
 * "c2", and a registered process of the host, are what it must not reach.
 */
FIXTURE(hostile) {
	FIXTURE_DATA(group) group;
	int dre;
	int fd;				/* of its own container, which it has not */
	struct agent who;
	struct agent *neighbour;
	struct agent *stranger;		/* on the host */
	struct container other;
};

FIXTURE_VARIANT(hostile) {
	int clone_flags;
	agent_fn change;
};

FIXTURE_VARIANT_ADD(hostile, root) {
};

FIXTURE_VARIANT_ADD(hostile, user) {
	.change = become_nobody,
};

FIXTURE_VARIANT_ADD(hostile, root_of_nested_namespaces) {
	.clone_flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWCGROUP,
};

static int set_comm(int fd, void *arg)
{
	return prctl(PR_SET_NAME, arg) ? -errno : 0;
}

FIXTURE_SETUP(hostile)
{
	char comm[16] = "stranger";

	setup_group(_metadata, &self->group);
	self->dre = self->group.dre;
	self->fd = self->group.fd;
	self->neighbour = self->group.inside;
	self->stranger = &self->group.host;
	ASSERT_EQ(0, agent_call(self->stranger, set_comm, comm, sizeof(comm)));
	container_start(&self->other, WITH_USERS);
	self->other.fd = container_create(self->dre, APP, self->other.init.pid, "c2");
	ASSERT_LE(0, self->other.fd);
	ASSERT_EQ(0, self_register(&self->other.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(self->neighbour, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->fd, self->stranger->pid, 0, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_bind(self->fd, self->neighbour->pid, 0, "g1"));
	agent_start(&self->who, self->group.init, variant->clone_flags);
	ASSERT_EQ(0, cgroup_enter("payload", self->who.pid));
	if (variant->change)
		ASSERT_EQ(0, agent_call(&self->who, variant->change, NULL, 0));
}

FIXTURE_TEARDOWN(hostile)
{
	container_kill(&self->other);
	teardown_group(_metadata, &self->group);
}

#define EXPECT_ATTEMPT(_error, _fd, _CMD, _arg)				\
	EXPECT_REFUSED(self->dre, self->fd, _error,			\
		       agent_request(&self->who, _fd, _CMD, &(_arg), sizeof(_arg)))

/* Managing */

static struct dre_container_info containers[8];

TEST_F(hostile, manages)
{
	const pid_t pids[] = { 1, self->who.vpid, self->who.pid, self->stranger->pid,
			       self->other.init.pid };
	struct dre_info info = { .size = sizeof(info) };
	struct dre_container_create create = { .size = sizeof(create), .name = "mine" };
	struct dre_container_open opens = { .size = sizeof(opens), .type = APP };
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)containers,
		.entry_size = sizeof(containers[0]),
		.count = 8,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		create.pid = pids[i];
		create.type = i % 2 ? SYS : APP;
		EXPECT_ATTEMPT(EPERM, -1, DRE_IOC_CONTAINER_CREATE, create);
	}
	/* By its own device, and by one that root opened. */
	for (i = 0; i < 2; i++) {
		EXPECT_ATTEMPT(EPERM, i ? self->dre : -1, DRE_IOC_INFO, info);
		EXPECT_ATTEMPT(EPERM, i ? self->dre : -1, DRE_IOC_CONTAINER_LIST, list);
		strcpy(opens.name, i ? "c1" : "c2");
		opens.flags = 0;
		EXPECT_ATTEMPT(EPERM, i ? self->dre : -1, DRE_IOC_CONTAINER_OPEN, opens);
		opens.flags = DRE_OPEN_ENDED;
		EXPECT_ATTEMPT(EPERM, i ? self->dre : -1, DRE_IOC_CONTAINER_OPEN, opens);
	}
	EXPECT_EQ(0, info.containers);
	EXPECT_EQ(8, list.count);
}

/* What goes to a container fd does not go to the device: all numbers there are. */
TEST_F(hostile, has_no_container_fd)
{
	static const unsigned int dirs[] = { _IOC_WRITE, _IOC_READ | _IOC_WRITE };
	__u32 arg[32] = { 80, 0, 1 };
	unsigned int nr, i;

	for (nr = _IOC_NR(DRE_IOC_PROCESS_REGISTER); nr <= _IOC_NR(DRE_IOC_BINDING_LIST); nr++)
		for (i = 0; i < 2; i++)
			EXPECT_EQ(-ENOTTY, agent_request(&self->who, -1,
							 _IOC(dirs[i], DRE_IOC_MAGIC, nr, 80),
							 arg, sizeof(arg)));
}

struct file_operations {
	int read, write, mmap, daware, node, unload;
};

static int use_files(int fd, void *arg)
{
	struct file_operations *f = arg;
	struct stat st;
	char c = '1';
	int dre;

	dre = open(DRE_DEVICE, O_RDWR | O_CLOEXEC);
	if (dre < 0 || fstat(dre, &st))
		return -errno;
	f->read = read(dre, &c, 1) < 0 ? -errno : 0;
	f->write = write(dre, &c, 1) < 0 ? -errno : 0;
	f->mmap = mmap(NULL, 4096, PROT_READ, MAP_SHARED, dre, 0) == MAP_FAILED ? -errno : 0;
	close(dre);
	f->daware = open(DAWARE, O_WRONLY | O_CLOEXEC) < 0 ? -errno : 0;
	f->node = mknod("/tmp/dre-node", S_IFCHR | 0666, st.st_rdev) ? -errno : 0;
	f->unload = syscall(SYS_delete_module, "dre", O_NONBLOCK) ? -errno : 0;
	return 0;
}

TEST_F(hostile, uses_the_files_otherwise)
{
	struct file_operations f = {};

	EXPECT_EQ(0, agent_call(&self->who, use_files, &f, sizeof(f)));
	EXPECT_EQ(-EINVAL, f.read);
	EXPECT_EQ(-EINVAL, f.write);
	EXPECT_EQ(-ENODEV, f.mmap);
	EXPECT_EQ(-EACCES, f.daware);
	EXPECT_EQ(-EPERM, f.node);
	EXPECT_EQ(-EPERM, f.unload);
}

/* Seeing */

static int mount_own_proc(int fd, void *arg)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("proc", "/proc", "proc", 0, NULL) ? -errno : 0;
}

static int read_own_daware(int fd, void *arg)
{
	char *text = read_daware();

	strncpy(arg, text, 4095);
	free(text);
	return 0;
}

/* No host PID, no other's name: inside both numbers are those of inside. */
TEST_F(hostile, looks_for_the_host)
{
	char text[4096] = "", *line, *rest = text;
	struct agent *reader = &self->who;
	int pid, vpid, lines = 0;

	ASSERT_EQ(0, self_register(&self->who, SIGNALS(SIGTERM)));
	/* Who may not mount one looks at what the container's root mounted. */
	if (variant->change)
		reader = self->group.init;
	ASSERT_EQ(0, agent_call(reader, mount_own_proc, NULL, 0));
	ASSERT_EQ(0, agent_call(reader, read_own_daware, text, sizeof(text)));
	EXPECT_STREQ("nothing", daware_malformed(text) ?: "nothing");
	EXPECT_EQ(NULL, strstr(text, "c2"));
	EXPECT_EQ(NULL, strstr(text, "stranger"));
	while ((line = strsep(&rest, "\n")) && rest) {
		if (!lines++)
			continue;
		ASSERT_EQ(2, sscanf(line, "%d\t%d\t", &pid, &vpid));
		EXPECT_TRUE(pid == self->who.vpid || pid == self->neighbour->vpid);
		EXPECT_EQ(pid, vpid);
	}
	EXPECT_EQ(variant->clone_flags ? 2 : 3, lines);
}

/* A name cannot make a line, or a field, of its own. */
TEST_F(hostile, forges_a_line)
{
	char comm[16] = "x\n1\t1\t15\tc2\tx";
	char *before = read_daware(), *text;

	ASSERT_EQ(0, agent_call(&self->who, set_comm, comm, sizeof(comm)));
	ASSERT_EQ(0, self_register(&self->who, SIGNALS(SIGTERM)));
	text = read_daware();
	EXPECT_STREQ("nothing", daware_malformed(text) ?: "nothing");
	EXPECT_EQ(daware_lines(before) + 1, daware_lines(text));
	EXPECT_EQ(NULL, strstr(text, "\n1\t1\t15"));
}

/* Registering others */

TEST_F(hostile, registers_others)
{
	struct dre_self self_arg = { .size = sizeof(self_arg), .nr_signals = 1,
				     .signals = { SIGHUP } };
	const pid_t pids[] = { 1, self->neighbour->vpid, self->neighbour->pid,
			       self->stranger->pid, self->other.init.pid };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		self_arg.reserved = pids[i];
		EXPECT_ATTEMPT(EINVAL, -1, DRE_IOC_SELF_REGISTER, self_arg);
		self_arg.reserved = 0;
		self_arg.flags = pids[i];
		EXPECT_ATTEMPT(EINVAL, -1, DRE_IOC_SELF_REGISTER, self_arg);
		self_arg.flags = 0;
	}
	/* It has not registered itself, and so has nothing to take back or refuse. */
	EXPECT_ATTEMPT(ENOENT, -1, DRE_IOC_SELF_REFUSE, self_arg);
	self_arg = (struct dre_self){ .size = sizeof(self_arg) };
	EXPECT_ATTEMPT(ENOENT, -1, DRE_IOC_SELF_UNREGISTER, self_arg);
	/* Nor by a file that another one opened. */
	EXPECT_ATTEMPT(ENOENT, self->dre, DRE_IOC_SELF_UNREGISTER, self_arg);
}

/* Children, of all degrees of relationship, are not their parents. */
TEST_F(hostile, registers_its_parent)
{
	static const int flags[] = { 0, CLONE_VM };
	struct agent child;
	size_t i;

	ASSERT_EQ(0, self_register(&self->who, SIGNALS(SIGTERM)));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		agent_start(&child, &self->who, flags[i]);
		EXPECT_EQ(-ENOENT, self_unregister(&child));
		EXPECT_EQ(0, self_register(&child, SIGNALS(SIGHUP)));
		EXPECT_LISTED(self->fd, self->who.pid,
			      translate_one(self->fd, 0, self->who.pid), SELF, SIGNALS(SIGTERM));
		agent_kill(&child, SIGKILL);
		EXPECT_LISTED(self->fd, self->who.pid,
			      translate_one(self->fd, 0, self->who.pid), SELF, SIGNALS(SIGTERM));
	}
}

/* Signals */

TEST_F(hostile, registers_signals_that_cannot_be)
{
	static const __u8 bad[] = { 0, SIGKILL, SIGSTOP, 65, 128, 255 };
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 2 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		reg.signals[0] = SIGHUP;
		reg.signals[1] = bad[i];
		EXPECT_ATTEMPT(EINVAL, -1, DRE_IOC_SELF_REGISTER, reg);
	}
	reg.nr_signals = DRE_SIGNALS_MAX + 1;
	EXPECT_ATTEMPT(EINVAL, -1, DRE_IOC_SELF_REGISTER, reg);
	reg.nr_signals = ~0U;
	EXPECT_ATTEMPT(EINVAL, -1, DRE_IOC_SELF_REGISTER, reg);
}

/* The program that it executes next may be one that it may not signal. */
TEST_F(hostile, has_the_next_program_signalled)
{
	__u32 signalled, silent;

	ASSERT_EQ(0, self_register(&self->who, SIGNALS(SIGUSR1)));
	agent_exec(&self->who);
	EXPECT_EQ(0, container_terminate(self->fd, &signalled, &silent));
	EXPECT_EQ(2, signalled);	/* the neighbour, and the host's */
	EXPECT_EQ(-EAGAIN, agent_signal(&self->who, NULL));
}

/* So may be the process that gets its number: container root can choose. */
static int die_and_come_again(int fd, void *arg)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGUSR1 } };
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(dre_request(dre_open(), DRE_IOC_SELF_REGISTER, &reg) ? 1 : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return -ECHILD;
	args.set_tid = (uintptr_t)&pid;
	args.set_tid_size = 1;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		for (;;)
			pause();
	}
	return pid < 0 ? -errno : pid;
}

TEST_F(hostile, has_another_one_signalled_that_gets_its_number)
{
	int pid = agent_call(&self->who, die_and_come_again, NULL, 0);
	__u32 signalled, silent;

	if (variant->change) {
		EXPECT_EQ(-EPERM, pid);
		return;
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(2, process_count(self->fd));
	EXPECT_EQ(0, container_terminate(self->fd, &signalled, &silent));
	EXPECT_EQ(2, signalled);
}

/* With a container fd, which somebody has given it: that of its own container */

static int process_as(struct agent *who, int fd, unsigned long cmd, pid_t pid, __u32 flags)
{
	struct dre_process p = { .size = sizeof(p), .flags = flags, .pid = pid };

	if (cmd == DRE_IOC_PROCESS_REGISTER) {
		p.nr_signals = 1;
		p.signals[0] = SIGUSR1;
	}
	return agent_request(who, fd, cmd, &p, sizeof(p));
}

/* Who is not in it is out of reach: no number names it. */
TEST_F(hostile, reaches_out_with_a_container_fd)
{
	const pid_t pids[] = { self->stranger->pid, self->other.init.pid, 0, -1 };
	size_t i;
	int error;

	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		error = pids[i] > 0 ? ESRCH : EINVAL;
		EXPECT_REFUSED(self->dre, self->fd, error,
			       process_as(&self->who, self->fd, DRE_IOC_PROCESS_REGISTER, pids[i],
					  0));
		EXPECT_REFUSED(self->dre, self->fd, error,
			       process_as(&self->who, self->fd, DRE_IOC_PROCESS_UNREGISTER, pids[i],
					  0));
		EXPECT_REFUSED(self->dre, self->fd, error,
			       process_as(&self->who, self->fd, DRE_IOC_PROCESS_REGISTER, pids[i],
					  DRE_REGISTER_BY_VPID));
		EXPECT_REFUSED(self->dre, self->fd, error,
			       agent_bind(&self->who, self->fd, DRE_IOC_BIND, pids[i], 0,
				  "g2"));
		EXPECT_REFUSED(self->dre, self->fd, error,
			       agent_bind(&self->who, self->fd, DRE_IOC_UNBIND, pids[i], 0,
				  "g1"));
	}
	EXPECT_TRUE(in_cgroup(self->stranger->pid, "origin"));
}

struct creation {
	char dir[64];
	char name[16];
};

static int create_group(int fd, void *arg)
{
	struct creation *c = arg;
	int ret, dir;

	dir = open(c->dir, O_PATH | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	ret = group_create(fd, dir, c->name, NULL);
	close(dir);
	return ret;
}

/* Nor does it get out of the limits that it is under: moves are with its own rights. */
TEST_F(hostile, leaves_its_limits_with_a_container_fd)
{
	pid_t pid = self->who.vpid;

	ASSERT_EQ(0, process_bind(self->fd, self->who.pid, 0, "g1"));
	EXPECT_NOT_MOVED(EACCES, self->who.pid,
			 agent_bind(&self->who, self->fd, DRE_IOC_BIND, pid, 0,
				  "g2"));
	EXPECT_NOT_MOVED(EACCES, self->who.pid,
			 agent_bind(&self->who, self->fd, DRE_IOC_UNBIND, pid, 0,
				  "g1"));
	/* Not even where the files are its own. */
	ASSERT_EQ(0, cgroup_chown("g1", 100000));
	ASSERT_EQ(0, cgroup_chown("g2", 100000));
	EXPECT_NOT_MOVED(EACCES, self->who.pid,
			 agent_bind(&self->who, self->fd, DRE_IOC_BIND, pid, 0,
				  "g2"));
}

/*
 * What others bind to by a name can be made another cgroup, but none where it could not
 * go itself.
 */
TEST_F(hostile, redefines_a_control_group)
{
	static const char *const dirs[] = { CGROUPS, CGROUPS "/dre-test", CGROUPS "/dre-test/g2" };
	struct dre_group g = { .size = sizeof(g), .name = "g2" };
	struct creation c = { .name = "g2" };
	size_t i;

	ASSERT_EQ(0, agent_request(&self->who, self->fd, DRE_IOC_GROUP_DESTROY, &g, sizeof(g)));
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		strcpy(c.dir, dirs[i]);
		EXPECT_REFUSED(self->dre, self->fd, EACCES,
			       agent_call_fd(&self->who, self->fd, create_group, &c, sizeof(c)));
	}
	EXPECT_NOT_MOVED(ENOENT, self->stranger->pid,
			 process_bind(self->fd, self->stranger->pid, 0, "g2"));
	/* Its own may be. */
	if (!variant->change && !variant->clone_flags) {
		ASSERT_EQ(0, cgroup_chown("g2", 100000));
		EXPECT_EQ(0, agent_call_fd(&self->who, self->fd, create_group, &c, sizeof(c)));
	}
}

/* Memory */

/* As many at once as the slowest kernel makes before an answer is waited for in vain. */
#define REGISTRATIONS	4000
#define TIMES		5

static int register_often(int fd, void *arg)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1 };
	int dre = dre_open(), i;

	for (i = 0; i < REGISTRATIONS; i++) {
		reg.signals[0] = 1 + i % 8;
		if (dre_request(dre, DRE_IOC_SELF_REGISTER, &reg))
			return -EIO;
	}
	close(dre);
	return 0;
}

static long long memory_of(const char *name)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), CGROUPS "/dre-test/%s/memory.current", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("%s", path);
	close(fd);
	return atoll(text);
}

/* It pays for what it registers, and there is one registration only. */
TEST_F_TIMEOUT(hostile, pins_memory_by_registering, 120)
{
	long long before;
	int i;

	cgroup_write("/", "cgroup.subtree_control", "+memory");
	if (cgroup_write("", "cgroup.subtree_control", "+memory"))
		SKIP(return, "the kernel does not count memory");
	before = memory_of("payload");
	for (i = 0; i < TIMES; i++)
		EXPECT_EQ(0, agent_call(&self->who, register_often, NULL, 0));
	/* What readers may still see takes a moment to go; 256 bytes each would be 5 MiB. */
	EXPECT_TRUE(eventually(memory_of("payload") < before + (1 << 20)));
	EXPECT_EQ(3, process_count(self->fd));
}

#define CROWD	50

static int register_a_crowd(int fd, void *arg)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGHUP } };
	int i, status, ret = 0;
	pid_t pid;

	for (i = 0; i < CROWD; i++) {
		pid = fork();
		if (!pid)
			_exit(dre_request(dre_open(), DRE_IOC_SELF_REGISTER, &reg) ? 1 : 0);
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
			ret = -ECHILD;
	}
	return ret;
}

static long module_users(void)
{
	char text[16] = "";
	int fd = open("/sys/module/dre/refcnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die("refcnt");
	close(fd);
	return atol(text);
}

/* A registration goes with its process, and holds nothing: not the module, either. */
TEST_F(hostile, leaves_registrations)
{
	long users = module_users();

	ASSERT_EQ(0, self_register(&self->who, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, agent_call(&self->who, register_a_crowd, NULL, 0));
	EXPECT_EQ(3, process_count(self->fd));
	EXPECT_EQ(users, module_users());
}

static int keep_open(int fd, void *arg)
{
	return dre_open() < 0 || open(DAWARE, O_RDONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

/* What it has open holds it, and goes with it. */
TEST_F(hostile, holds_the_module)
{
	long users = module_users();

	ASSERT_EQ(0, agent_call(&self->who, keep_open, NULL, 0));
	EXPECT_EQ(users + 2, module_users());
	agent_kill(&self->who, SIGKILL);
	EXPECT_TRUE(eventually(module_users() == users));
}

/* Getting in the way */

#define REFUSALS	1000

static int refuse_often(int fd, void *arg)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };
	int dre = dre_open(), i;

	if (dre_request(dre, DRE_IOC_SELF_REGISTER, &reg))
		return -EIO;
	for (i = 0; i < REFUSALS; i++)
		if (dre_request(dre, DRE_IOC_SELF_REFUSE, &reg))
			return -EIO;
	close(dre);
	return 0;
}

/* Who waits for the end learns of it, and that something is missing, whatever was said before. */
TEST_F(hostile, floods_the_events)
{
	struct dre_event event = {};
	int lost = 0, read = 0, processes;

	ASSERT_EQ(0, agent_call(&self->who, refuse_often, NULL, 0));
	processes = process_count(self->fd);
	/* The other container's have their room to themselves. */
	EXPECT_EVENT(self->other.fd, DRE_EVENT_REGISTERED, self->other.init.pid, 1, SELF);
	EXPECT_NO_EVENT(self->other.fd);
	container_kill(&self->group.base.c);
	while (event.type != DRE_EVENT_ENDED) {
		ASSERT_EQ(1, next_event(self->fd, &event));
		lost += event.type == DRE_EVENT_LOST;
		/*
		 * What had room; and what may come while that is read: that some were lost, an exit
		 * of each process, and the end.
		 */
		ASSERT_GE(DRE_EVENTS_MAX + 1 + processes + 1, ++read);
	}
	EXPECT_EQ(1, lost);
	EXPECT_EOF(self->fd);
	container_start(&self->group.base.c, 0);
}

#define FILES	400
#define EPOLLS	10
#define SAMPLES	31

/* Waits for the file in as many ways as it can, and goes on waiting. */
static int wait_often(int fd, void *arg)
{
	struct epoll_event ev = { .events = EPOLLPRI };
	int file[FILES], epoll, i, j;

	file[0] = open(DAWARE, O_RDONLY);
	for (i = 1; i < FILES; i++)
		file[i] = dup(file[0]);
	for (i = 0; i < EPOLLS; i++) {
		epoll = epoll_create1(0);
		for (j = 0; j < FILES; j++)
			if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, file[j], &ev))
				return -errno;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const long long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* The median time that a process of the host takes to register and unregister. */
static long long time_to_register(void)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };
	struct dre_self unreg = { .size = sizeof(unreg) };
	long long sample[SAMPLES], start;
	int dre = dre_open(), i;

	for (i = 0; i < SAMPLES; i++) {
		start = now_ns();
		if (dre_request(dre, DRE_IOC_SELF_REGISTER, &reg) ||
		    dre_request(dre, DRE_IOC_SELF_UNREGISTER, &unreg))
			die("SELF_REGISTER");
		sample[i] = now_ns() - start;
	}
	close(dre);
	qsort(sample, SAMPLES, sizeof(*sample), by_value);
	return sample[SAMPLES / 2];
}

/* Walking over its 4,000 waiters in each request of others would take 100 times as long. */
TEST_F(hostile, slows_others_down_by_waiting)
{
	long long before = time_to_register(), after;

	ASSERT_EQ(0, agent_call(&self->who, wait_often, NULL, 0));
	after = time_to_register();
	/* Both are 0 by a clock that is the ticks'. */
	EXPECT_GE(before * 20, after) {
		TH_LOG("%lld ns before, %lld ns after", before, after);
	}
}

/* Memory that does not come: a page of the caller that nobody fills. */
struct absent {
	unsigned long cmd;
	struct dre_list list;
	bool whole;		/* the argument itself is not there */
	bool read;		/* it is read(2) */
};

static int use_absent_memory(int fd, void *arg)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct absent *a = arg;
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *page;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		return -errno;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area.range.start = (uintptr_t)page;
	area.range.len = 4096;
	if (page == MAP_FAILED || ioctl(uffd, UFFDIO_REGISTER, &area))
		return -errno;
	a->list.entries = (uintptr_t)page;
	if (a->read)
		return read(fd, page, 4096);
	return dre_request(fd, a->cmd, a->whole ? (void *)page : &a->list);
}

/* Whether it is in the middle of that request, or read(2), and sleeps there. */
static bool sleeps_in_a_request(pid_t pid, const struct absent *a)
{
	unsigned long call = 0, cmd = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	file = fopen(path, "re");
	if (!file)
		die("%s", path);
	/* "running" has no numbers; nor does it read otherwise, but receives. */
	if (fscanf(file, "%lu %*x %lx", &call, &cmd) != 2)
		call = -1;
	fclose(file);
	return a->read ? call == SYS_read : call == SYS_ioctl && cmd == a->cmd;
}

static bool have_userfaultfd(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	close(fd);
	return fd >= 0;
}

/*
 * Somebody sleeps in the middle of a request for as long as it likes: others go on.
 * Not the container does it here: without privilege only a file system of one's
 * own can make memory that does not come, and the requests are the same.
 */
TEST_F(group, sleeps_in_a_request)
{
	struct absent absent[] = {
		{ .cmd = DRE_IOC_SELF_REGISTER, .whole = true },
		{ .cmd = DRE_IOC_CONTAINER_LIST },
		{ .cmd = DRE_IOC_PROCESS_LIST },
		{ .cmd = DRE_IOC_GROUP_LIST },
		{ .cmd = DRE_IOC_BINDING_LIST },
		{ .cmd = DRE_IOC_BIND, .whole = true },
		{ .read = true },
	};
	struct agent sleeper[ARRAY_SIZE(absent)];
	struct container second;
	__u32 signalled, silent;
	size_t i;
	int fd;

	if (!have_userfaultfd())
		SKIP(return, "the kernel has no userfaultfd");
	ASSERT_EQ(0, self_register(self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		absent[i].list = (struct dre_list){
			.size = sizeof(struct dre_list),
			.entry_size = 4096,
			.count = 1,
		};
		fd = container_open(self->dre, APP, "c1");
		ASSERT_LE(0, fd);
		/* One event, for who reads. */
		ASSERT_EQ(0, self_register(self->inside, SIGNALS(SIGTERM)));
		if (absent[i].cmd == DRE_IOC_SELF_REGISTER ||
		    absent[i].cmd == DRE_IOC_CONTAINER_LIST)
			fd = self->dre;
		agent_start(&sleeper[i], NULL, 0);
		agent_send(&sleeper[i], fd, use_absent_memory, &absent[i], sizeof(absent[i]));
		ASSERT_TRUE(eventually(sleeps_in_a_request(sleeper[i].pid, &absent[i])));
		EXPECT_EQ(0, readable(sleeper[i].sock));
	}
	/* Whatever it was holding, all this would wait for it. */
	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	EXPECT_LE(0, second.fd);
	EXPECT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	EXPECT_EQ(2, daware_lines(read_daware()));
	EXPECT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g2"));
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(0, group_destroy(self->fd, "g1"));
	EXPECT_EQ(0, container_terminate(self->fd, &signalled, &silent));
	EXPECT_EQ(1, signalled);
	container_kill(&second);
	EXPECT_EQ(-ENOENT, container_open(self->dre, APP, "c2"));
	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		EXPECT_TRUE(sleeps_in_a_request(sleeper[i].pid, &absent[i]));
		EXPECT_EQ(0, readable(sleeper[i].sock));
		agent_kill(&sleeper[i], SIGKILL);
	}
}

static int register_for_ever(int fd, void *arg)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };
	int dre = dre_open();

	while (!dre_request(dre, DRE_IOC_SELF_REGISTER, &reg))
		;
	return -EIO;
}

/* Frozen, or stopped, in the middle of whatever it does: nobody waits for it. */
TEST_F(hostile, is_frozen_in_a_request)
{
	int i;

	agent_send(&self->who, -1, register_for_ever, NULL, 0);
	for (i = 0; i < 10; i++) {
		usleep(1000 + i * 300);
		ASSERT_EQ(0, cgroup_write("payload", "cgroup.freeze", "1"));
		EXPECT_EQ(0, self_register(NULL, SIGNALS(SIGTERM)));
		EXPECT_EQ(0, self_unregister(NULL));
		EXPECT_EQ(0, process_bind(self->fd, self->who.pid, 0, "g2"));
		EXPECT_EQ(0, process_unbind(self->fd, self->who.pid, 0, "g2"));
		ASSERT_EQ(0, cgroup_write("payload", "cgroup.freeze", "0"));
	}
	EXPECT_EQ(0, readable(self->who.sock));
}

/* Its end is not put off by what it has open, and its name is free at once. */
TEST_F(hostile, does_not_let_go)
{
	struct container again;

	ASSERT_EQ(0, agent_call(&self->who, wait_often, NULL, 0));
	agent_send(&self->who, -1, register_for_ever, NULL, 0);
	container_kill(&self->group.base.c);
	container_start(&again, 0);
	again.fd = container_create(self->dre, APP, again.init.pid, "c1");
	EXPECT_LE(0, again.fd);
	EXPECT_TRUE(eventually(readable(self->fd) & POLLHUP));
	self->group.base.c = again;
}

TEST_HARNESS_MAIN
