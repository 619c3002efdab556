// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes one request out of a number: sensible most of the time, with something
 * wrong in it now and then, and sometimes nothing but noise.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define PAGE	4096UL

/* Of a worker: what it has open, most recent last in the ring. */
#define FILES	8
#define FILES_MAX	256

static int device = -1;
static int files[FILES];
static int home;		/* the container it is in */
static bool inside;		/* of one: numbers are its own */
static bool manager;

/*
 * Where structures and arrays are: pages to write to with nothing behind them,
 * and one of them once more, to read only, with nothing behind it either.
 */
static char *page;
static char *array;
static char *read_only;

/* Several times what the module copies at once. */
#define ARRAY_SIZE_BYTES	(2 * PAGE)

static char *reserve(size_t size)
{
	char *at = mmap(NULL, size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void map_at(char *at, size_t size, int prot, int fd)
{
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);

	if (mmap(at, size, prot, flags, fd, 0) == MAP_FAILED)
		die("mmap");
}

/* In a new worker. */
void request_prepare(int container)
{
	int memory = memfd_create("fuzz", MFD_CLOEXEC), i;

	home = container;
	inside = home != HOST;
	manager = !inside && !geteuid();
	if (memory < 0 || ftruncate(memory, PAGE))
		die("memfd_create");
	page = reserve(PAGE);
	map_at(page, PAGE, PROT_READ | PROT_WRITE, memory);
	read_only = reserve(PAGE);
	map_at(read_only, PAGE, PROT_READ, memory);
	array = reserve(ARRAY_SIZE_BYTES);
	map_at(array, ARRAY_SIZE_BYTES, PROT_READ | PROT_WRITE, -1);
	close(memory);
	for (i = 0; i < FILES; i++)
		files[i] = -1;
	device = open(DRE_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("open %s", DRE_DEVICE);
}

/* Choices */

static const uint64_t odd_numbers[] = {
	0, 1, 2, 7, 63, 64, 65, 255, 256, 4095, 4096, 4097, 0x7fff, 0xffff, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
};

static const uint64_t odd_addresses[] = {
	0, 8, 0x7ffffffff000, 0x7ffffffffff8, 0x800000000000, 0xffff800000000000,
	0xffff888000000000, 0xffffffff81000000, 0xffffffffffffffff,
};

/* Nobody is to be meant who is not of the population: kthreadd, and no process at all. */
static const int odd_pids[] = { 0, -1, INT_MIN, INT_MAX, 2, 1 << 22 };

static const struct target *pick_anybody(struct chance *c)
{
	unsigned int n = below(c, 10);

	if (n < 7)
		return &PICK(c, world->person);
	if (n < 9)
		return &PICK(c, world->init);
	return &PICK(c, world->worker);
}

/* Who is in a container sees mostly nobody else. */
static const struct target *pick_target(struct chance *c)
{
	const struct target *t;
	int tries = 8;

	do
		t = pick_anybody(c);
	while (inside && t->container != home && --tries);
	return t;
}

/* In the number space of whoever asks, or of a container. Inside all numbers are the population's. */
static int pick_pid(struct chance *c, bool by_vpid)
{
	const struct target *t;
	int pid;

	if (one_in(c, 12))
		return PICK(c, odd_pids);
	if (one_in(c, 20) && !inside && !by_vpid)
		return world->thread;
	t = pick_target(c);
	pid = inside || by_vpid ? t->vpid : t->pid;
	return pid > 0 ? pid : INT_MAX;
}

static const char *const odd_names[] = {
	"", "-", ".", "..", "a/b", "/", "a b", "\xc3\xa4", "a\n", "a%s%n",
	"0123456789012345678901234567890123456789012345678901234567890123456789",
	"012345678901234567890123456789012345678901234567890123456789012",
};

static void pick_name(struct chance *c, char to[DRE_NAME_SIZE], char letter)
{
	const char *odd;

	if (one_in(c, 16)) {
		odd = PICK(c, odd_names);
		memcpy(to, odd, strnlen(odd, DRE_NAME_SIZE));
	} else {
		snprintf(to, DRE_NAME_SIZE, "%c%u", letter, below(c, 6));
	}
}

static __u32 pick_type(struct chance *c)
{
	if (one_in(c, 30))
		return draw(c);
	return one_in(c, 4) ? DRE_CONTAINER_SYS : DRE_CONTAINER_APP;
}

static __u32 pick_signals(struct chance *c, __u8 signals[DRE_SIGNALS_MAX])
{
	unsigned int most = one_in(c, 8) ? DRE_SIGNALS_MAX : 4;
	unsigned int nr = 1 + below(c, most), first = 1 + below(c, 64), i;
	int sig;

	for (i = 0; i < nr; i++) {
		sig = 1 + (first + i) % 64;
		/* Mostly ones that can be registered. */
		if ((sig == SIGKILL || sig == SIGSTOP) && !one_in(c, 8))
			return i ?: (signals[0] = SIGTERM, 1);
		signals[i] = sig;
	}
	return nr;
}

/* Of an array that has room for @size bytes. */
static uint64_t pick_address(struct chance *c, size_t size)
{
	char *end = array + ARRAY_SIZE_BYTES;

	switch (below(c, 16)) {
	case 0:
		return PICK(c, odd_addresses);
	case 1:
		return (uintptr_t)read_only + below(c, PAGE);
	case 2:	/* ends too early */
		return (uintptr_t)end - below(c, size + 1);
	case 3:	/* just fits */
		return (uintptr_t)end - (size < ARRAY_SIZE_BYTES ? size : ARRAY_SIZE_BYTES);
	}
	return (uintptr_t)array + below(c, 16);
}

static unsigned int pick_count(struct chance *c)
{
	switch (below(c, 16)) {
	case 0:
		return 0;
	case 1:
		return draw(c);
	case 2:
		return 1 + below(c, 1000);
	}
	return 1 + below(c, 32);
}

/* What this worker has registered itself for. */
static __u8 own_signal;

/* The requests' structures, zeroed but for their size */

static void fill_nothing(struct chance *c, void *arg)
{
}

static void fill_register(struct chance *c, void *arg)
{
	struct dre_self *self = arg;

	self->nr_signals = pick_signals(c, self->signals);
}

static void fill_refuse(struct chance *c, void *arg)
{
	struct dre_self *self = arg;

	self->nr_signals = 1;
	self->signals[0] = one_in(c, 2) ? own_signal : 1 + below(c, 31);
}

static void fill_create(struct chance *c, void *arg)
{
	struct dre_container_create *create = arg;

	create->type = pick_type(c);
	if (create->type == DRE_CONTAINER_APP && !one_in(c, 8))
		create->pid = PICK(c, world->init).pid;
	else
		create->pid = pick_pid(c, false);
	create->fd = -1;
	pick_name(c, create->name, 'c');
}

static void fill_open(struct chance *c, void *arg)
{
	struct dre_container_open *o = arg;

	o->flags = one_in(c, 4) ? DRE_OPEN_ENDED : 0;
	o->type = pick_type(c);
	o->fd = -1;
	pick_name(c, o->name, 'c');
}

/* Where a list is gone on with. */
static uint64_t cursor;

static void fill_list(struct chance *c, void *arg, size_t size)
{
	struct dre_list *list = arg;

	list->entry_size = size;
	if (one_in(c, 8))
		list->entry_size = one_in(c, 2) ? size + 8 * below(c, 8) : PICK(c, odd_numbers);
	list->count = pick_count(c);
	list->entries = pick_address(c, 8 * size);
	if (one_in(c, 2))
		list->cursor = one_in(c, 4) ? PICK(c, odd_numbers) : cursor;
}

static void fill_container_list(struct chance *c, void *arg)
{
	fill_list(c, arg, sizeof(struct dre_container_info));
}

static void fill_process_list(struct chance *c, void *arg)
{
	fill_list(c, arg, sizeof(struct dre_process_info));
}

static void fill_group_list(struct chance *c, void *arg)
{
	fill_list(c, arg, sizeof(struct dre_group_info));
}

static void fill_binding_list(struct chance *c, void *arg)
{
	fill_list(c, arg, sizeof(struct dre_binding_info));
}

static void fill_process(struct chance *c, void *arg)
{
	struct dre_process *p = arg;

	p->flags = one_in(c, 2) ? DRE_REGISTER_BY_VPID : 0;
	p->pid = pick_pid(c, p->flags);
}

static void fill_process_register(struct chance *c, void *arg)
{
	struct dre_process *p = arg;

	fill_process(c, arg);
	p->flags |= one_in(c, 4) ? DRE_REGISTER_SELF : 0;
	if (p->flags & DRE_REGISTER_SELF || one_in(c, 2))
		p->nr_signals = pick_signals(c, p->signals);
}

static void fill_translate(struct chance *c, void *arg)
{
	struct dre_translate *t = arg;
	unsigned int i;

	t->flags = one_in(c, 2) ? DRE_TRANSLATE_TO_PID : 0;
	t->count = pick_count(c);
	t->from = pick_address(c, 32 * sizeof(__s32));
	t->to = one_in(c, 2) ? t->from : pick_address(c, 32 * sizeof(__s32));
	for (i = 0; i < 16; i++)
		((__s32 *)array)[i] = pick_pid(c, t->flags);
}

static void fill_group_create(struct chance *c, void *arg)
{
	static const char *const special[] = { "inner", "domain", "domain/threaded", "domain/invalid" };
	struct dre_group *g = arg;
	char name[32];

	pick_name(c, g->name, 'g');
	if (one_in(c, 3)) {
		g->fd = PICK(c, odd_files);
		return;
	}
	snprintf(name, sizeof(name), "g%u", below(c, 6));
	if (one_in(c, 4))
		strcpy(name, PICK(c, special));
	g->fd = openat(cgroups, name, O_DIRECTORY | O_CLOEXEC | (one_in(c, 2) ? O_PATH : 0));
}

static void fill_group_destroy(struct chance *c, void *arg)
{
	struct dre_group *g = arg;

	pick_name(c, g->name, 'g');
}

static void fill_bind(struct chance *c, void *arg)
{
	struct dre_bind *b = arg;

	*b = (struct dre_bind) {
		.size = sizeof(*b),
		.flags = one_in(c, 3) ? DRE_BIND_BY_VPID : 0,
	};
	b->pid = pick_pid(c, b->flags);
	pick_name(c, b->name, 'g');
}

/* Of somebody who was bound, mostly. */
static void fill_unbind(struct chance *c, void *arg)
{
	struct dre_bind *b = arg;

	*b = PICK(c, world->bound);
	b->size = sizeof(*b);
	if (!b->pid || one_in(c, 3))
		fill_bind(c, arg);
}

/* Those that move processes are slow, and keep each other waiting. */
static const struct {
	unsigned int cmd;		/* 0: none of them */
	unsigned int weight;		/* how often it is made */
	void (*fill)(struct chance *c, void *arg);	/* makes its structure a sensible one */
} requests[] = {
	[ROW_INFO] = { DRE_IOC_INFO, 20, fill_nothing },
	[ROW_SELF_REGISTER] = { DRE_IOC_SELF_REGISTER, 60, fill_register },
	[ROW_SELF_UNREGISTER] = { DRE_IOC_SELF_UNREGISTER, 40, fill_nothing },
	[ROW_SELF_REFUSE] = { DRE_IOC_SELF_REFUSE, 30, fill_refuse },
	[ROW_CONTAINER_CREATE] = { DRE_IOC_CONTAINER_CREATE, 120, fill_create },
	[ROW_CONTAINER_OPEN] = { DRE_IOC_CONTAINER_OPEN, 120, fill_open },
	[ROW_CONTAINER_LIST] = { DRE_IOC_CONTAINER_LIST, 40, fill_container_list },
	[ROW_PROCESS_REGISTER] = { DRE_IOC_PROCESS_REGISTER, 120, fill_process_register },
	[ROW_PROCESS_UNREGISTER] = { DRE_IOC_PROCESS_UNREGISTER, 80, fill_process },
	[ROW_PROCESS_LIST] = { DRE_IOC_PROCESS_LIST, 60, fill_process_list },
	[ROW_TRANSLATE] = { DRE_IOC_TRANSLATE, 60, fill_translate },
	[ROW_CONTAINER_TERMINATE] = { DRE_IOC_CONTAINER_TERMINATE, 10, fill_nothing },
	[ROW_GROUP_CREATE] = { DRE_IOC_GROUP_CREATE, 60, fill_group_create },
	[ROW_GROUP_DESTROY] = { DRE_IOC_GROUP_DESTROY, 20, fill_group_destroy },
	[ROW_GROUP_LIST] = { DRE_IOC_GROUP_LIST, 40, fill_group_list },
	[ROW_BIND] = { DRE_IOC_BIND, 60, fill_bind },
	[ROW_UNBIND] = { DRE_IOC_UNBIND, 60, fill_unbind },
	[ROW_BINDING_LIST] = { DRE_IOC_BINDING_LIST, 40, fill_binding_list },
	[ROW_UNKNOWN] = { 0, 10, fill_nothing },
};

/* Structures: something wrong with them, and where they are */

union arg {
	__u32 size;
	struct dre_container_create create;
	struct dre_process process;
	struct dre_bind bind;
	__u32 words[PAGE / 4];
	char bytes[PAGE];
};

/* Of the caller's structure, and what stands behind it. */
static void spoil_size(struct chance *c, union arg *arg)
{
	switch (below(c, 6)) {
	case 0:
		arg->size -= 1 + below(c, arg->size);
		break;
	case 1:	/* a caller that knows more than the module, and wants none of it */
		arg->size += 8 * (1 + below(c, 64));
		break;
	case 2:	/* or does */
		arg->bytes[arg->size + below(c, 64)] = 1;
		arg->size += 64;
		break;
	case 3:
		arg->size = PAGE;
		break;
	case 4:
		arg->size = PAGE + 1;
		break;
	default:
		arg->size = PICK(c, odd_numbers);
	}
}

static void spoil(struct chance *c, union arg *arg)
{
	size_t words = arg->size / 4, i;

	switch (below(c, 24)) {
	case 0:
	case 1:
		spoil_size(c, arg);
		break;
	case 2:
		arg->words[1 + below(c, words - 1)] = PICK(c, odd_numbers);
		break;
	case 3:
		arg->words[1 + below(c, words - 1)] ^= 1U << below(c, 32);
		break;
	case 4:
		for (i = one_in(c, 4) ? 0 : 1; i < words; i++)
			arg->words[i] = draw(c);
		break;
	}
}

static bool is_ours(pid_t pid)
{
	size_t i;

	if (pid == world->thread)
		return true;
	for (i = 0; i < PEOPLE; i++)
		if (world->person[i].pid == pid)
			return true;
	for (i = 0; i < CONTAINERS; i++)
		if (world->init[i].pid == pid)
			return true;
	for (i = 0; i < WORKERS_MAX; i++)
		if (world->worker[i].pid == pid)
			return true;
	return false;
}

/* The machine's other processes are not to be registered, moved or terminated. */
static void spare_others(int row, union arg *arg)
{
	bool by_vpid = false;
	__s32 *pid;

	switch (row) {
	case ROW_CONTAINER_CREATE:
		pid = &arg->create.pid;
		break;
	case ROW_PROCESS_REGISTER:
	case ROW_PROCESS_UNREGISTER:
		pid = &arg->process.pid;
		by_vpid = arg->process.flags & DRE_REGISTER_BY_VPID;
		break;
	case ROW_BIND:
	case ROW_UNBIND:
		pid = &arg->bind.pid;
		by_vpid = arg->bind.flags & DRE_BIND_BY_VPID;
		break;
	default:
		return;
	}
	if (!inside && !by_vpid && *pid > 0 && *pid != 2 && *pid < 1 << 22 && !is_ours(*pid))
		*pid = INT_MAX;
}

/* Whether others may change the structure meanwhile, and so whom a request is about. */
static bool may_be_common(int row)
{
	switch (row) {
	case ROW_CONTAINER_CREATE:
	case ROW_PROCESS_REGISTER:
	case ROW_PROCESS_UNREGISTER:
	case ROW_BIND:
	case ROW_UNBIND:
		return false;
	}
	return true;
}

/* Puts it somewhere: to where it fits, but for the last few cases. */
static void *put(struct chance *c, int row, const union arg *arg)
{
	size_t size = arg->size < PAGE ? arg->size : PAGE;
	char *at;

	if (size < 128)
		size = 128;	/* all of it, also if it says that it is less */
	switch (below(c, 24)) {
	case 0:	/* ends too early */
		at = page + PAGE - below(c, size);
		size = page + PAGE - at;
		break;
	case 1:
		memcpy(page, arg, size);
		return read_only;
	case 2:
		return (void *)PICK(c, odd_addresses);
	case 3:
		at = may_be_common(row) ? world->commons : page;
		break;
	case 4:
		at = page + below(c, PAGE - size + 1);
		break;
	case 5:
		at = page + PAGE - size;
		break;
	default:
		at = page;
	}
	memcpy(at, arg, size);
	return at;
}

/* Files */

static int pick_file(struct chance *c)
{
	unsigned int first = below(c, FILES), i;

	for (i = 0; i < FILES; i++)
		if (files[(first + i) % FILES] >= 0)
			return files[(first + i) % FILES];
	return device;
}

static void keep(struct chance *c, int fd)
{
	int *place = &PICK(c, files);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (*place >= 0)
		close(*place);
	*place = fd;
}

static void forget(int fd)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (files[i] == fd) {
			close(fd);
			files[i] = -1;
		}
	}
}

/* Nobody knows any more which are open. */
static void close_all(void)
{
	int i;

	close_range(device + 1, ~0U, 0);
	for (i = 0; i < FILES; i++)
		files[i] = -1;
}

static void send_file(int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec iov = { "", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	count(ROW_SEND, sendmsg(market[0], &msg, MSG_DONTWAIT) < 0 ? -errno : 0);
}

static void receive_file(struct chance *c)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(market[1], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) {
		count(ROW_RECEIVE, -errno);
		return;
	}
	count(ROW_RECEIVE, 0);
	if (msg.msg_controllen) {
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(int));
		keep(c, fd);
	}
}

static void read_file(struct chance *c, int row, int fd)
{
	size_t size = one_in(c, 4) ? below(c, 64) : sizeof(struct dre_event) * (1 + below(c, 64));
	off_t at = below(c, 2000);
	ssize_t n;

	if (row == ROW_READ)
		n = read(fd, (void *)pick_address(c, size), size);
	else
		n = pread(fd, (void *)pick_address(c, size), size, at);
	count(row, n < 0 ? -errno : 0);
}

static void use_daware(struct chance *c)
{
	struct pollfd p = { .fd = open(DAWARE, O_RDONLY | O_CLOEXEC), .events = POLLIN | POLLPRI };

	read_file(c, ROW_DAWARE, p.fd);
	poll(&p, 1, 0);
	close(p.fd);
}

/* Something else than a request. */
static void use_files(struct chance *c)
{
	struct pollfd p = { .fd = pick_file(c), .events = POLLIN };
	bool none = p.fd == device;

	switch (none ? 4 + below(c, 4) : below(c, 18)) {
	case 0:
		close(device);
		if (open(DRE_DEVICE, O_RDWR | O_CLOEXEC) != device)
			die("open %s again", DRE_DEVICE);
		break;
	case 1:
		keep(c, fcntl(p.fd, F_DUPFD_CLOEXEC, 0));
		break;
	case 2:
		close_all();
		break;
	case 3:
	case 4:
		use_daware(c);
		break;
	case 5:
	case 6:
	case 7:
		receive_file(c);
		break;
	case 8:
	case 9:
	case 16:
	case 17:
		send_file(p.fd);
		break;
	case 10:
	case 11:
		count(ROW_POLL, poll(&p, 1, 0) < 0 ? -errno : 0);
		break;
	default:
		read_file(c, ROW_READ, p.fd);
	}
}

/* Requests */

static int pick_row(struct chance *c)
{
	unsigned int sum = 0, n;
	int row;

	for (row = 0; row <= ROW_UNKNOWN; row++)
		sum += requests[row].weight;
	n = below(c, sum);
	for (row = 0; n >= requests[row].weight; row++)
		n -= requests[row].weight;
	return row;
}

static bool is_for_device(int row)
{
	return row <= ROW_CONTAINER_LIST;
}

/* Who may not manage asks for what managers may a little less often. */
static bool is_vain(struct chance *c, int row)
{
	return !manager && (row == ROW_INFO || (is_for_device(row) && row > ROW_SELF_REFUSE)) &&
	       !one_in(c, 4);
}

static int pick_target_file(struct chance *c, int row)
{
	switch (below(c, 32)) {
	case 0:
		return PICK(c, odd_files);
	case 1:	/* of the other kind */
		return is_for_device(row) ? pick_file(c) : device;
	}
	return is_for_device(row) ? device : pick_file(c);
}

/* No request of the module, and none of anybody else. */
static unsigned int pick_unknown(struct chance *c)
{
	switch (below(c, 3)) {
	case 0:
		return _IOC(_IOC_READ | _IOC_WRITE, DRE_IOC_MAGIC, 0x40 + below(c, 0xc0), 80);
	case 1:
		return _IOC(_IOC_READ | _IOC_WRITE, DRE_IOC_MAGIC + 1, below(c, 0x30), 80);
	}
	return _IOC(_IOC_NONE, DRE_IOC_MAGIC, below(c, 0x30), 80);
}

/* The size in a request's number is not looked at. */
static unsigned int pick_command(struct chance *c, int row)
{
	if (row == ROW_UNKNOWN)
		return pick_unknown(c);
	if (!one_in(c, 16))
		return requests[row].cmd;
	return (requests[row].cmd & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)) |
	       below(c, _IOC_SIZEMASK + 1) << _IOC_SIZESHIFT;
}

static void limit_files(rlim_t to)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = to;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* What a successful one has returned is used from now on. */
static void take_result(struct chance *c, int row, void *at)
{
	switch (row) {
	case ROW_SELF_REGISTER:
		own_signal = ((struct dre_self *)at)->signals[0];
		break;
	case ROW_CONTAINER_CREATE:
		keep(c, ((struct dre_container_create *)at)->fd);
		break;
	case ROW_CONTAINER_OPEN:
		if (at == world->commons)
			close_all();	/* one of them; somebody else may have changed which */
		else
			keep(c, ((struct dre_container_open *)at)->fd);
		break;
	case ROW_BIND:
		if (!inside || ((struct dre_bind *)at)->flags & DRE_BIND_BY_VPID)
			PICK(c, world->bound) = *(struct dre_bind *)at;
		break;
	case ROW_CONTAINER_LIST:
	case ROW_PROCESS_LIST:
	case ROW_GROUP_LIST:
	case ROW_BINDING_LIST:
		cursor = ((struct dre_list *)at)->cursor;
		break;
	}
}

static void make(struct chance *c)
{
	int row, opened = -1, fd, ret;
	bool no_files = one_in(c, 16);
	union arg arg = {};
	unsigned int cmd;
	void *at;

	do
		row = pick_row(c);
	while (is_vain(c, row));
	cmd = pick_command(c, row);
	arg.size = row == ROW_UNKNOWN ? 80 : _IOC_SIZE(requests[row].cmd);
	requests[row].fill(c, &arg);
	if (row == ROW_GROUP_CREATE)
		opened = arg.words[2];
	spoil(c, &arg);
	spare_others(row, &arg);
	at = put(c, row, &arg);
	fd = pick_target_file(c, row);
	if (no_files)
		limit_files(3);
	ret = ioctl(fd, cmd, at) < 0 ? -errno : 0;
	if (no_files)
		limit_files(FILES_MAX);
	count(row, ret);
	if (!ret)
		take_result(c, row, at);
	else if (ret == -ENODEV && !is_for_device(row) && one_in(c, 2))
		forget(fd);	/* its container has ended */
	if (opened > device)
		close(opened);
}

/**
 * request_make - make a request, and perhaps something else before
 * @worker: who is asked to
 * @number: of its requests: together with the seed all that it depends on
 */
void request_make(int worker, unsigned long number)
{
	struct chance c = { world->seed ^ (uint64_t)worker << 56 ^ number };

	c.state = draw(&c);
	if (one_in(&c, 6) || pick_file(&c) == device)
		use_files(&c);
	make(&c);
}
