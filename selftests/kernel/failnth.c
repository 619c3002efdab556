// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each step of each request that can fail for want of memory, or at the caller's
 * memory, fails once: the kernel's fault injection makes the n-th one fail that
 * a thread takes, see Documentation/fault-injection/ of the kernel. n counts
 * from 1 on, until the request does not come that far.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "group.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/"

/* No request takes more steps. */
#define MOST_STEPS	500

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

/* Also what may wait for memory fails, and the log does not tell each time. */
static void allow_all(void)
{
	static const struct {
		const char *file, *value;
	} settings[] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
		{ DEBUGFS "fail_usercopy/verbose", "0" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		write_file(settings[i].file, settings[i].value);
}

/* Before all others: most kernels cannot do it. */
static void __attribute__((constructor)) need_fault_injection(void)
{
	if (!access(FAIL_NTH, F_OK))
		return;
	ksft_print_header();
	ksft_set_plan(1);
	ksft_test_result_skip("the kernel has no fault injection\n");
	ksft_exit_pass();
}

/*
 * What a thread has to do so that one step fails. It has touched all of its
 * memory before, else a page fault could be what fails.
 */
static int arm(unsigned int nth)
{
	int fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	if (fd < 0 || mlockall(MCL_CURRENT) || dprintf(fd, "%u", nth) < 0)
		die("%s", FAIL_NTH);
	return fd;
}

/* Returns whether one has failed since. The read and the write are such steps themselves. */
static bool disarm(int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	bool failed = n > 0 && !atoi(text);

	if ((n < 0 || pwrite(fd, "0", 1, 0) < 0) && errno != EFAULT)
		die("%s", FAIL_NTH);
	close(fd);
	return failed;
}

/**
 * struct attempt - a call that may fail. Fault injection is for who may manage, so
 *	the test makes all of them itself.
 * @nth: the step that is to
 * @failed: out: it did
 * @call: makes it; returns 0 or more, or -errno
 * @cmd: for call_ioctl(): the request, and its structure
 */
struct attempt {
	unsigned int nth;
	bool failed;
	int (*call)(int fd, struct attempt *a);
	unsigned int cmd;
	union {
		struct dre_info info;
		struct dre_self self;
		struct dre_container_create create;
		struct dre_container_open open;
		struct dre_list list;
		struct dre_process process;
		struct dre_translate translate;
		struct dre_terminate terminate;
		struct dre_group group;
		struct dre_bind bind;
		struct dre_event events[4];
	};
};

static int call_ioctl(int fd, struct attempt *a)
{
	return ioctl(fd, a->cmd, &a->info);
}

static int call_read(int fd, struct attempt *a)
{
	return read(fd, a->events, sizeof(a->events));
}

static int call_open_device(int fd, struct attempt *a)
{
	return open(DRE_DEVICE, O_RDWR | O_CLOEXEC);
}

static int call_open_daware(int fd, struct attempt *a)
{
	return open(DAWARE, O_RDONLY | O_CLOEXEC);
}

static int do_attempt(int fd, struct attempt *a)
{
	int nth = arm(a->nth), ret;

	ret = a->call(fd, a);
	if (ret < 0)
		ret = -errno;
	a->failed = disarm(nth);
	return ret;
}

typedef FIXTURE_DATA(container) world;

/**
 * struct test - a call, and what surrounds it
 * @fd: the file that it goes to
 * @attempt: the call itself
 * @before: makes what each attempt needs
 * @undo: takes back what one that succeeded has done; @ret is what it returned
 */
struct test {
	int fd;
	struct attempt attempt;
	void (*before)(world *w, struct attempt *a);
	void (*undo)(world *w, struct attempt *a, int ret);
};

#define REQUEST(_cmd, _member, ...)	{				\
	.call = call_ioctl,						\
	.cmd = _cmd,							\
	._member = { .size = sizeof(((struct attempt *)0)->_member), __VA_ARGS__ }, \
}

static void drain(int fd)
{
	struct dre_event event;

	while (readable(fd))
		next_event(fd, &event);
}

/* Returns whether the call was over before its turn to fail came. */
static bool fails_at(struct __test_metadata *_metadata, world *w, struct test *t, unsigned int nth)
{
	struct attempt a = t->attempt;
	int files, events, ret;
	char *before, *after;

	a.nth = nth;
	drain(w->c.fd);
	if (t->before)
		t->before(w, &a);
	before = snapshot(w->dre);
	files = open_files();
	events = readable(w->c.fd);
	ret = do_attempt(t->fd, &a);
	if (ret < 0) {
		EXPECT_TRUE(a.failed);
		EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT) {
			TH_LOG("step %u gives %s", nth, strerror(-ret));
		}
		EXPECT_EQ(events, readable(w->c.fd));
		EXPECT_EQ(files, open_files());
		after = snapshot(w->dre);
		EXPECT_STREQ(before, after);
		free(after);
	} else if (t->undo) {
		t->undo(w, &a, ret);
	}
	free(before);
	return !a.failed;
}

static void each_fails(struct __test_metadata *_metadata, world *w, struct test t)
{
	unsigned int nth = 1;

	allow_all();
	while (!fails_at(_metadata, w, &t, nth))
		ASSERT_LT(nth++, MOST_STEPS);
	/* Else it was no test. */
	EXPECT_LT(1, nth);
	TH_LOG("%u steps", nth - 1);
}

static void close_returned(world *w, struct attempt *a, int ret)
{
	close(ret);
}

/* Requests to /dev/dre */

TEST_F(container, open_device)
{
	each_fails(_metadata, self, (struct test) {
		.attempt = { .call = call_open_device },
		.undo = close_returned,
	});
}

TEST_F(container, info)
{
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_INFO, info),
	});
}

static void undo_self_register(world *w, struct attempt *a, int ret)
{
	self_unregister(NULL);
}

TEST_F(container, self_register)
{
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_SELF_REGISTER, self,
				   .nr_signals = 1, .signals = { SIGTERM }),
		.undo = undo_self_register,
	});
}

static void self_register_hup(world *w, struct attempt *a, int ret)
{
	self_register(NULL, SIGNALS(SIGHUP));
}

TEST_F(container, self_register_again)
{
	self_register_hup(self, NULL, 0);
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_SELF_REGISTER, self,
				   .nr_signals = 2, .signals = { SIGTERM, SIGUSR1 }),
		.undo = self_register_hup,
	});
	self_unregister(NULL);
}

TEST_F(container, self_unregister)
{
	self_register_hup(self, NULL, 0);
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_SELF_UNREGISTER, self),
		.undo = self_register_hup,
	});
	self_unregister(NULL);
}

TEST_F(container, self_refuse)
{
	self_register_hup(self, NULL, 0);
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_SELF_REFUSE, self,
				   .nr_signals = 1, .signals = { SIGHUP }),
	});
	self_unregister(NULL);
}

/* A container ends with its init only: each that is made needs another one. */
static struct container other;

static void before_create(world *w, struct attempt *a)
{
	a->create.pid = other.init.pid;
}

static void undo_create(world *w, struct attempt *a, int ret)
{
	close(a->create.fd);
	container_kill(&other);
	if (!eventually(container_count(w->dre) == 1))
		die("container %d", a->create.pid);
	container_start(&other, 0);
}

TEST_F(container, container_create)
{
	container_start(&other, 0);
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_CONTAINER_CREATE, create, .type = APP, .name = "c2"),
		.before = before_create,
		.undo = undo_create,
	});
	container_kill(&other);
}

static void undo_open(world *w, struct attempt *a, int ret)
{
	close(a->open.fd);
}

TEST_F(container, container_open)
{
	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_CONTAINER_OPEN, open, .type = APP, .name = "c1"),
		.undo = undo_open,
	});
}

TEST_F(container, container_list)
{
	struct dre_container_info info[4];

	each_fails(_metadata, self, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_CONTAINER_LIST, list, .entries = (uintptr_t)info,
				   .entry_size = sizeof(info[0]), .count = ARRAY_SIZE(info)),
	});
}

/* Requests to a container fd */

static void undo_process_register(world *w, struct attempt *a, int ret)
{
	process_unregister(w->c.fd, a->process.pid, a->process.flags & DRE_REGISTER_BY_VPID);
}

TEST_F(container, process_register)
{
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_PROCESS_REGISTER, process, .pid = self->inside.pid,
				   .nr_signals = 1, .signals = { SIGTERM }),
		.undo = undo_process_register,
	});
}

TEST_F(container, process_register_of_host)
{
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_PROCESS_REGISTER, process, .pid = getpid()),
		.undo = undo_process_register,
	});
}

TEST_F(container, process_register_for_itself)
{
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_PROCESS_REGISTER, process, .pid = self->inside.vpid,
				   .flags = DRE_REGISTER_BY_VPID | DRE_REGISTER_SELF,
				   .nr_signals = 1, .signals = { SIGTERM }),
		.undo = undo_process_register,
	});
}

static void process_register_hup(world *w, struct attempt *a, int ret)
{
	process_register(w->c.fd, w->inside.pid, 0, SIGNALS(SIGHUP));
}

TEST_F(container, process_register_again)
{
	process_register_hup(self, NULL, 0);
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_PROCESS_REGISTER, process, .pid = self->inside.pid,
				   .nr_signals = 2, .signals = { SIGTERM, SIGUSR1 }),
		.undo = process_register_hup,
	});
}

TEST_F(container, process_unregister)
{
	process_register_hup(self, NULL, 0);
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_PROCESS_UNREGISTER, process, .pid = self->inside.pid),
		.undo = process_register_hup,
	});
}

TEST_F(container, process_list)
{
	struct dre_process_info info[4];

	self_register(&self->inside, SIGNALS(SIGHUP));
	process_register(self->c.fd, getpid(), 0, NO_SIGNALS);
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_PROCESS_LIST, list, .entries = (uintptr_t)info,
				   .entry_size = sizeof(info[0]), .count = ARRAY_SIZE(info)),
	});
	process_unregister(self->c.fd, getpid(), 0);
}

TEST_F(container, translate)
{
	__s32 numbers[200] = { self->inside.pid };

	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_TRANSLATE, translate, .from = (uintptr_t)numbers,
				   .to = (uintptr_t)numbers, .count = ARRAY_SIZE(numbers)),
	});
}

TEST_F(container, ask_to_terminate)
{
	self_register(&self->inside, SIGNALS(SIGHUP));
	process_register(self->c.fd, self->c.init.pid, 0, SIGNALS(SIGTERM));
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = REQUEST(DRE_IOC_CONTAINER_TERMINATE, terminate),
	});
}

/* Control groups. */

static void undo_group_create(world *w, struct attempt *a, int ret)
{
	group_destroy(w->c.fd, a->group.name);
}

TEST_F(group, group_create)
{
	int dir = cgroup_open("payload");

	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_GROUP_CREATE, group, .fd = dir, .name = "g3"),
		.undo = undo_group_create,
	});
	close(dir);
}

/* One whose directory was removed is in the way, and is dropped. */
static void before_group_create(world *w, struct attempt *a)
{
	int dir;

	cgroup_make("gone");
	dir = cgroup_open("gone");
	if (group_create(w->c.fd, dir, "gone", NULL) || cgroup_remove("gone"))
		die("gone");
	close(dir);
}

TEST_F(group, group_create_drops_one)
{
	int dir = cgroup_open("payload");

	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_GROUP_CREATE, group, .fd = dir, .name = "gone"),
		.before = before_group_create,
		.undo = undo_group_create,
	});
	close(dir);
	EXPECT_EQ(2, group_count(self->fd));
}

static void before_group_destroy(world *w, struct attempt *a)
{
	struct dre_group_info info;
	int dir;

	if (!group_find(w->c.fd, "g3", &info))
		return;
	dir = cgroup_open("payload");
	group_create(w->c.fd, dir, "g3", NULL);
	close(dir);
}

TEST_F(group, group_destroy)
{
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_GROUP_DESTROY, group, .name = "g3"),
		.before = before_group_destroy,
	});
}

TEST_F(group, group_list)
{
	struct dre_group_info info[4];

	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_GROUP_LIST, list, .entries = (uintptr_t)info,
				   .entry_size = sizeof(info[0]), .count = ARRAY_SIZE(info)),
	});
}

static void undo_bind(world *w, struct attempt *a, int ret)
{
	process_unbind(w->c.fd, a->bind.pid, a->bind.flags, a->bind.name);
}

TEST_F(group, bind)
{
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_BIND, bind, .pid = self->host.pid, .name = "g1"),
		.undo = undo_bind,
	});
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
}

TEST_F(group, bind_by_vpid)
{
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_BIND, bind, .pid = self->inside->vpid,
				   .flags = DRE_BIND_BY_VPID, .name = "g1"),
		.undo = undo_bind,
	});
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
}

static void bind_to_g1(world *w, struct attempt *a)
{
	process_bind(w->c.fd, a->bind.pid, 0, "g1");
}

TEST_F(group, bind_to_another)
{
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_BIND, bind, .pid = self->host.pid, .name = "g2"),
		.before = bind_to_g1,
	});
}

TEST_F(group, unbind)
{
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_UNBIND, bind, .pid = self->host.pid, .name = "g1"),
		.before = bind_to_g1,
	});
	EXPECT_TRUE(in_cgroup(self->host.pid, "origin"));
}

static void bind_from_nowhere(world *w, struct attempt *a)
{
	struct dre_binding_info info;

	if (!binding_find(w->c.fd, a->bind.pid, &info))
		return;
	cgroup_make("gone");
	if (cgroup_enter("gone", a->bind.pid) || process_bind(w->c.fd, a->bind.pid, 0, "g1") ||
	    cgroup_remove("gone"))
		die("gone");
}

TEST_F(group, unbind_without_origin)
{
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_UNBIND, bind, .pid = self->inside->pid, .name = "g1"),
		.before = bind_from_nowhere,
	});
	EXPECT_TRUE(in_cgroup(self->inside->pid, "payload"));
}

/* Processes of the host are bound to a container that has ended. */
TEST_F(group, container_open_ended)
{
	int dir = cgroup_open("g1");

	container_start(&other, 0);
	other.fd = container_create(self->dre, APP, other.init.pid, "c2");
	ASSERT_LE(0, other.fd);
	ASSERT_EQ(0, group_create(other.fd, dir, "g1", NULL));
	ASSERT_EQ(0, process_bind(other.fd, self->host.pid, 0, "g1"));
	container_kill(&other);
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->dre,
		.attempt = REQUEST(DRE_IOC_CONTAINER_OPEN, open, .type = APP, .name = "c2",
				   .flags = DRE_OPEN_ENDED),
		.undo = undo_open,
	});
	EXPECT_EQ(0, process_unbind(other.fd, self->host.pid, 0, "g1"));
	EXPECT_EQ(-ENOENT, container_open_ended(self->dre, APP, "c2"));
	close(other.fd);
	close(dir);
}

TEST_F(group, binding_list)
{
	struct dre_binding_info info[4];

	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	ASSERT_EQ(0, process_bind(self->fd, self->inside->pid, 0, "g2"));
	each_fails(_metadata, &self->base, (struct test) {
		.fd = self->fd,
		.attempt = REQUEST(DRE_IOC_BINDING_LIST, list, .entries = (uintptr_t)info,
				   .entry_size = sizeof(info[0]), .count = ARRAY_SIZE(info)),
	});
}

/* What was not read is still there to be read. */
static void before_read(world *w, struct attempt *a)
{
	self_refuse(&w->inside, SIGHUP);
}

TEST_F(container, read_events)
{
	self_register(&self->inside, SIGNALS(SIGHUP));
	each_fails(_metadata, self, (struct test) {
		.fd = self->c.fd,
		.attempt = { .call = call_read },
		.before = before_read,
	});
}

/* /proc/daware */

TEST_F(container, open_daware)
{
	each_fails(_metadata, self, (struct test) {
		.attempt = { .call = call_open_daware },
		.undo = close_returned,
	});
}

static int call_pread(int fd, struct attempt *a)
{
	return pread(fd, a->events, sizeof(a->events), 0);
}

TEST_F(container, read_daware)
{
	int fd = open(DAWARE, O_RDONLY | O_CLOEXEC);

	self_register(&self->inside, SIGNALS(SIGHUP));
	each_fails(_metadata, self, (struct test) {
		.fd = fd,
		.attempt = { .call = call_pread },
	});
	close(fd);
}

TEST_HARNESS_MAIN
