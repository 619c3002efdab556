// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules that hold for every request: sizes, flags, reserved fields, bad
 * memory, numbers and kinds of file. Built a second time for 32 bits, where it
 * tests the same through the compat entry.
 */
#include <linux/ioctl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "test.h"

#define LAYOUT(type, size)	_Static_assert(sizeof(struct type) == (size), #type)
#define PLACE(type, field, at)	\
	_Static_assert(offsetof(struct type, field) == (at), #type "." #field)

LAYOUT(dre_info, 24);
PLACE(dre_info, features, 8);
PLACE(dre_info, event_size, 20);
LAYOUT(dre_self, 80);
PLACE(dre_self, signals, 16);
LAYOUT(dre_container_create, 88);
PLACE(dre_container_create, name, 24);
LAYOUT(dre_container_open, 80);
PLACE(dre_container_open, name, 16);
LAYOUT(dre_container_info, 72);
LAYOUT(dre_process_info, 80);
LAYOUT(dre_list, 32);
PLACE(dre_list, entries, 8);
PLACE(dre_list, cursor, 24);
LAYOUT(dre_process, 80);
PLACE(dre_process, signals, 16);
LAYOUT(dre_translate, 32);
PLACE(dre_translate, from, 8);
LAYOUT(dre_terminate, 16);
LAYOUT(dre_group_info, 80);
PLACE(dre_group_info, cgroup, 8);
PLACE(dre_group_info, name, 16);
LAYOUT(dre_binding_info, 16);
PLACE(dre_binding_info, group, 8);
LAYOUT(dre_group, 80);
PLACE(dre_group, fd, 8);
PLACE(dre_group, name, 16);
LAYOUT(dre_bind, 80);
PLACE(dre_bind, pid, 8);
PLACE(dre_bind, name, 16);
LAYOUT(dre_event, 24);
PLACE(dre_event, time, 16);

/* Larger than any request's structure may be. */
#define ROOM		(2 * 4096)

union arg {
	struct {
		__u32 size;
		__u32 flags;
	};
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
	unsigned char byte[ROOM];
};

/*
 * One variant is one request. All tests start with an argument that works, so
 * that only what they change can make it fail. Init is registered, with SIGUSR1;
 * the test has registered itself. For requests about control groups a second
 * process of the container is bound to "bound"; "empty" is another one.
 */
FIXTURE(request) {
	int dre;
	struct container c;
	struct container fresh;		/* unknown to the module */
	int watch;
	int fd;				/* what the request goes to */
	int other_fd;			/* what it must not go to */
	__u32 to[4];
	struct dre_process_info process[4];
	struct dre_container_info container[4];
	struct agent inside;
	struct dre_group_info group[4];
	struct dre_binding_info binding[4];
	int dir;
	union arg *arg;
	bool signals;			/* init got one */
};

FIXTURE_VARIANT(request) {
	unsigned long cmd;
	size_t size;
	__u32 known_flags;
	size_t reserved;		/* offset of a reserved field, or 0 */
	bool to_container;
	bool out;			/* the structure is written */
	bool groups;			/* is about control groups */
};

#define REQUEST(_name, _CMD, _type, ...)			\
FIXTURE_VARIANT_ADD(request, _name) {				\
	.cmd = DRE_IOC_##_CMD,					\
	.size = sizeof(struct _type),				\
	__VA_ARGS__						\
}

REQUEST(info, INFO, dre_info, .out = true);
REQUEST(self_register, SELF_REGISTER, dre_self, .reserved = offsetof(struct dre_self, reserved));
REQUEST(self_unregister, SELF_UNREGISTER, dre_self,
	.reserved = offsetof(struct dre_self, reserved));
REQUEST(self_refuse, SELF_REFUSE, dre_self, .reserved = offsetof(struct dre_self, reserved));
REQUEST(container_create, CONTAINER_CREATE, dre_container_create, .out = true,
	.reserved = offsetof(struct dre_container_create, reserved));
REQUEST(container_open, CONTAINER_OPEN, dre_container_open, .out = true,
	.known_flags = DRE_OPEN_ENDED);
REQUEST(container_list, CONTAINER_LIST, dre_list, .out = true);
REQUEST(process_register, PROCESS_REGISTER, dre_process, .to_container = true,
	.known_flags = DRE_REGISTER_BY_VPID | DRE_REGISTER_SELF);
REQUEST(process_unregister, PROCESS_UNREGISTER, dre_process, .to_container = true,
	.known_flags = DRE_REGISTER_BY_VPID);
REQUEST(process_list, PROCESS_LIST, dre_list, .to_container = true, .out = true);
REQUEST(translate, TRANSLATE, dre_translate, .to_container = true,
	.known_flags = DRE_TRANSLATE_TO_PID,
	.reserved = offsetof(struct dre_translate, reserved));
REQUEST(container_terminate, CONTAINER_TERMINATE, dre_terminate, .to_container = true,
	.out = true);
REQUEST(group_create, GROUP_CREATE, dre_group, .to_container = true, .groups = true,
	.out = true);
REQUEST(group_destroy, GROUP_DESTROY, dre_group, .to_container = true, .groups = true,
	.reserved = offsetof(struct dre_group, id));
REQUEST(group_list, GROUP_LIST, dre_list, .to_container = true, .groups = true, .out = true);
REQUEST(bind, BIND, dre_bind, .to_container = true, .groups = true,
	.known_flags = DRE_BIND_BY_VPID, .reserved = offsetof(struct dre_bind, reserved));
REQUEST(unbind, UNBIND, dre_bind, .to_container = true, .groups = true,
	.known_flags = DRE_BIND_BY_VPID, .reserved = offsetof(struct dre_bind, reserved));
REQUEST(binding_list, BINDING_LIST, dre_list, .to_container = true, .groups = true,
	.out = true);

static void prepare(FIXTURE_DATA(request) *self, unsigned long cmd, union arg *arg)
{
	switch (cmd) {
	case DRE_IOC_SELF_REGISTER:
		arg->self.nr_signals = 1;
		arg->self.signals[0] = SIGTERM;
		break;
	case DRE_IOC_SELF_REFUSE:
		arg->self.nr_signals = 1;
		arg->self.signals[0] = SIGUSR2;
		break;
	case DRE_IOC_CONTAINER_CREATE:
		arg->create.type = APP;
		arg->create.pid = self->fresh.init.pid;
		strcpy(arg->create.name, "fresh");
		break;
	case DRE_IOC_CONTAINER_OPEN:
		arg->open.type = APP;
		strcpy(arg->open.name, "c1");
		break;
	case DRE_IOC_CONTAINER_LIST:
		arg->list.entries = (uintptr_t)self->container;
		arg->list.entry_size = sizeof(self->container[0]);
		arg->list.count = 4;
		break;
	case DRE_IOC_PROCESS_REGISTER:
		arg->process.pid = getpid();
		break;
	case DRE_IOC_PROCESS_UNREGISTER:
		arg->process.pid = self->c.init.pid;
		break;
	case DRE_IOC_PROCESS_LIST:
		arg->list.entries = (uintptr_t)self->process;
		arg->list.entry_size = sizeof(self->process[0]);
		arg->list.count = 4;
		break;
	case DRE_IOC_TRANSLATE:
		arg->translate.from = (uintptr_t)&self->c.init.pid;
		arg->translate.to = (uintptr_t)self->to;
		arg->translate.count = 1;
		break;
	case DRE_IOC_GROUP_CREATE:
		arg->group.fd = self->dir;
		strcpy(arg->group.name, "fresh");
		break;
	case DRE_IOC_GROUP_DESTROY:
		strcpy(arg->group.name, "empty");
		break;
	case DRE_IOC_GROUP_LIST:
		arg->list.entries = (uintptr_t)self->group;
		arg->list.entry_size = sizeof(self->group[0]);
		arg->list.count = 4;
		break;
	case DRE_IOC_BIND:
		arg->bind.pid = self->c.init.pid;
		strcpy(arg->bind.name, "empty");
		break;
	case DRE_IOC_UNBIND:
		arg->bind.pid = self->inside.pid;
		strcpy(arg->bind.name, "bound");
		break;
	case DRE_IOC_BINDING_LIST:
		arg->list.entries = (uintptr_t)self->binding;
		arg->list.entry_size = sizeof(self->binding[0]);
		arg->list.count = 4;
		break;
	}
}

static void make_groups(struct __test_metadata *_metadata, FIXTURE_DATA(request) *self)
{
	static const char *const names[] = { "bound", "empty", "fresh" };
	int i;

	agent_start(&self->inside, &self->c.init, 0);
	cgroup_prepare();
	for (i = 0; i < 3; i++) {
		cgroup_make(names[i]);
		self->dir = cgroup_open(names[i]);
		if (i == 2)
			break;
		ASSERT_EQ(0, group_create(self->c.fd, self->dir, names[i], NULL));
		close(self->dir);
	}
	ASSERT_EQ(0, process_bind(self->c.fd, self->inside.pid, 0, "bound"));
}

FIXTURE_SETUP(request)
{
	self->dre = dre_open();
	container_start(&self->c, 0);
	self->c.fd = container_create(self->dre, APP, self->c.init.pid, "c1");
	ASSERT_LE(0, self->c.fd);
	ASSERT_EQ(0, process_register(self->c.fd, self->c.init.pid, 0, SIGNALS(SIGUSR1)));
	ASSERT_EQ(0, self_register(NULL, SIGNALS(SIGUSR2)));
	if (variant->cmd == DRE_IOC_CONTAINER_CREATE)
		container_start(&self->fresh, 0);
	if (variant->groups)
		make_groups(_metadata, self);

	self->watch = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, self->watch);
	self->fd = variant->to_container ? self->c.fd : self->dre;
	self->other_fd = variant->to_container ? self->dre : self->c.fd;
	self->arg = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->arg);
	self->arg->size = variant->size;
	prepare(self, variant->cmd, self->arg);
}

FIXTURE_TEARDOWN(request)
{
	EXPECT_EQ(self->signals ? SIGUSR1 : -EAGAIN, agent_signal(&self->c.init, NULL));
	container_kill(&self->c);
	if (variant->cmd == DRE_IOC_CONTAINER_CREATE)
		container_kill(&self->fresh);
	EXPECT_EQ(0, container_count(self->dre));
	if (variant->groups)
		EXPECT_EQ(0, cgroup_clear());
}

#define EXPECT_WORKS(_cmd, _arg) do {					\
	EXPECT_EQ(0, dre_request(self->fd, _cmd, _arg));		\
	self->signals = variant->cmd == DRE_IOC_CONTAINER_TERMINATE;	\
} while (0)

#define EXPECT_ERROR(_error, _fd, _cmd, _arg)				\
	EXPECT_REFUSED(self->dre, self->watch, _error, dre_request(_fd, _cmd, _arg))

TEST_F(request, works)
{
	EXPECT_WORKS(variant->cmd, self->arg);
	EXPECT_EQ(variant->size, self->arg->size);
}

TEST_F(request, size_below_the_first_version)
{
	const __u32 sizes[] = { 0, 1, 4, 8, variant->size - 8, variant->size - 1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		self->arg->size = sizes[i];
		EXPECT_ERROR(EINVAL, self->fd, variant->cmd, self->arg);
	}
}

/* A caller that knows more than this kernel, and uses nothing of it. */
TEST_F(request, size_larger_and_zeros)
{
	self->arg->size = variant->size + 40;
	memset(self->arg->byte + self->arg->size, 0xee, 64);
	EXPECT_WORKS(variant->cmd, self->arg);
	EXPECT_EQ(0, self->arg->byte[variant->size]);
	EXPECT_EQ(0, self->arg->byte[variant->size + 39]);
	EXPECT_EQ(0xee, self->arg->byte[variant->size + 40]);
}

TEST_F(request, size_larger_and_used)
{
	self->arg->size = variant->size + 40;
	self->arg->byte[variant->size] = 1;
	EXPECT_ERROR(E2BIG, self->fd, variant->cmd, self->arg);
	self->arg->byte[variant->size] = 0;
	self->arg->byte[variant->size + 39] = 1;
	EXPECT_ERROR(E2BIG, self->fd, variant->cmd, self->arg);
}

TEST_F(request, size_above_a_page)
{
	self->arg->size = 4097;
	EXPECT_ERROR(E2BIG, self->fd, variant->cmd, self->arg);
	self->arg->size = ~0U;
	EXPECT_ERROR(E2BIG, self->fd, variant->cmd, self->arg);
}

TEST_F(request, unknown_flags_and_reserved_fields)
{
	int bit;

	for (bit = 0; bit < 32; bit++) {
		if (variant->known_flags & (1U << bit))
			continue;
		self->arg->flags = 1U << bit;
		EXPECT_ERROR(EINVAL, self->fd, variant->cmd, self->arg);
	}
	self->arg->flags = 0;
	if (!variant->reserved)
		return;
	self->arg->byte[variant->reserved] = 1;
	EXPECT_ERROR(EINVAL, self->fd, variant->cmd, self->arg);
	self->arg->byte[variant->reserved] = 0;
	self->arg->byte[variant->reserved + 3] = 0x80;
	EXPECT_ERROR(EINVAL, self->fd, variant->cmd, self->arg);
}

TEST_F(request, memory_that_is_not_there)
{
	/* Begins in the first page and ends in the second one. */
	const size_t split[] = { 4, 8, variant->size - 4 };
	unsigned char *copy = self->arg->byte + ROOM / 2;
	size_t i;

	EXPECT_ERROR(EFAULT, self->fd, variant->cmd, NULL);
	for (i = 0; i < ARRAY_SIZE(split); i++) {
		mprotect(copy, ROOM / 2, PROT_READ | PROT_WRITE);
		memmove(copy - split[i], self->arg, variant->size);
		mprotect(copy, ROOM / 2, PROT_NONE);
		EXPECT_ERROR(EFAULT, self->fd, variant->cmd, copy - split[i]);
	}
	EXPECT_ERROR(EFAULT, self->fd, variant->cmd, copy);
}

/* The kernel writes to what is documented as out, and then fails as a whole. */
TEST_F(request, memory_that_is_read_only)
{
	mprotect(self->arg, ROOM, PROT_READ);
	if (variant->out)
		EXPECT_ERROR(EFAULT, self->fd, variant->cmd, self->arg);
	else
		EXPECT_WORKS(variant->cmd, self->arg);
}

TEST_F(request, wrong_kind_of_file)
{
	int null = open("/dev/null", O_RDWR);

	EXPECT_ERROR(ENOTTY, self->other_fd, variant->cmd, self->arg);
	EXPECT_ERROR(ENOTTY, null, variant->cmd, self->arg);
}

/* A later structure is larger, and with it the size in the request's number. */
TEST_F(request, number_with_another_size)
{
	EXPECT_WORKS(_IOC(_IOC_DIR(variant->cmd), DRE_IOC_MAGIC, _IOC_NR(variant->cmd),
			  variant->size + 16), self->arg);
}

TEST_F(request, number_with_another_direction_or_type)
{
	unsigned int dir = _IOC_DIR(variant->cmd) ^ _IOC_READ;
	unsigned int nr = _IOC_NR(variant->cmd);

	EXPECT_ERROR(ENOTTY, self->fd, _IOC(dir, DRE_IOC_MAGIC, nr, variant->size), self->arg);
	EXPECT_ERROR(ENOTTY, self->fd, _IO(DRE_IOC_MAGIC, nr), self->arg);
	EXPECT_ERROR(ENOTTY, self->fd, variant->cmd ^ (1UL << _IOC_TYPESHIFT), self->arg);
}

TEST_F(container, unknown_numbers)
{
	static const unsigned int dirs[] = { _IOC_NONE, _IOC_READ, _IOC_WRITE,
					     _IOC_READ | _IOC_WRITE };
	__u32 arg[20] = { sizeof(arg) };
	unsigned int nr, dir, cmd;

	for (nr = 0; nr < 256; nr++) {
		for (dir = 0; dir < ARRAY_SIZE(dirs); dir++) {
			cmd = _IOC(dirs[dir], DRE_IOC_MAGIC, nr, sizeof(arg));
			if (nr > _IOC_NR(DRE_IOC_CONTAINER_LIST)) {
				EXPECT_EQ(-ENOTTY, dre_request(self->dre, cmd, arg)) {
					TH_LOG("request %#x", cmd);
				}
			}
			if (nr < _IOC_NR(DRE_IOC_PROCESS_REGISTER) ||
			    nr > _IOC_NR(DRE_IOC_BINDING_LIST)) {
				EXPECT_EQ(-ENOTTY, dre_request(self->c.fd, cmd, arg)) {
					TH_LOG("request %#x", cmd);
				}
			}
		}
	}
}

TEST_F(container, info)
{
	struct dre_info info = { .size = sizeof(info) };

	EXPECT_EQ(0, dre_request(self->dre, DRE_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(DRE_FEATURE_REGISTRY | DRE_FEATURE_GROUPS, info.features);
	EXPECT_EQ(1, info.containers);
	EXPECT_EQ(sizeof(struct dre_event), info.event_size);
	container_kill(&self->c);
	EXPECT_EQ(0, container_count(self->dre));
	container_start(&self->c, 0);
}

TEST_F(container, files)
{
	int opened = container_open(self->dre, APP, "c1");
	struct stat st;

	ASSERT_LE(0, opened);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->c.fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(opened, F_GETFD));

	EXPECT_EQ(-1, lseek(self->dre, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(self->c.fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);

	ASSERT_EQ(0, stat(DRE_DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0666, st.st_mode & 07777);
	ASSERT_EQ(0, stat(DAWARE, &st));
	EXPECT_TRUE(S_ISREG(st.st_mode));
	EXPECT_EQ(0444, st.st_mode & 07777);
}

TEST_HARNESS_MAIN
