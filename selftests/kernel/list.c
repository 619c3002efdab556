// SPDX-License-Identifier: GPL-2.0-only
/* The four lists: what is in them, and walking over them. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#include "cgroup.h"
#include "test.h"

#define NR	12

/* One fixture for all lists: elements that are known by a number, mostly their PID. */
FIXTURE(list) {
	int dre;
	int fd;				/* what the request goes to */
	FIXTURE_DATA(container) base;	/* "c1", and first in a list of containers */
	struct container c[NR];
	struct agent inside[NR];
	pid_t pid[NR];
	char *entries;
};

FIXTURE_VARIANT(list) {
	unsigned long cmd;
	size_t entry_size;
	size_t pid_at;			/* where in an entry */
};

FIXTURE_VARIANT_ADD(list, processes) {
	.cmd = DRE_IOC_PROCESS_LIST,
	.entry_size = sizeof(struct dre_process_info),
	.pid_at = offsetof(struct dre_process_info, pid),
};

FIXTURE_VARIANT_ADD(list, containers) {
	.cmd = DRE_IOC_CONTAINER_LIST,
	.entry_size = sizeof(struct dre_container_info),
	.pid_at = offsetof(struct dre_container_info, pid),
};

FIXTURE_VARIANT_ADD(list, groups) {
	.cmd = DRE_IOC_GROUP_LIST,
	.entry_size = sizeof(struct dre_group_info),
	.pid_at = offsetof(struct dre_group_info, id),
};

FIXTURE_VARIANT_ADD(list, bindings) {
	.cmd = DRE_IOC_BINDING_LIST,
	.entry_size = sizeof(struct dre_binding_info),
	.pid_at = offsetof(struct dre_binding_info, pid),
};

static pid_t add_group(struct __test_metadata *_metadata, int fd, int i)
{
	char name[8];
	__u32 id = 0;
	int dir;

	snprintf(name, sizeof(name), "n%d", i);
	cgroup_make(name);
	dir = cgroup_open(name);
	ASSERT_EQ(0, group_create(fd, dir, name, &id));
	close(dir);
	return id;
}

/* By a request, or just by its directory. */
static void del_group(int fd, int i)
{
	char name[8];

	snprintf(name, sizeof(name), "n%d", i);
	if (i % 2)
		group_destroy(fd, name);
	if (cgroup_remove(name))
		die("cgroup %s", name);
}

/* Makes element @i. */
static pid_t add(struct __test_metadata *_metadata, FIXTURE_DATA(list) *self,
		 const FIXTURE_VARIANT(list) *variant, int i)
{
	char name[8];

	if (variant->cmd == DRE_IOC_GROUP_LIST)
		return add_group(_metadata, self->fd, i);
	if (variant->cmd != DRE_IOC_CONTAINER_LIST) {
		agent_start(&self->inside[i], &self->base.c.init, 0);
		if (variant->cmd == DRE_IOC_PROCESS_LIST) {
			ASSERT_EQ(0, process_register(self->fd, self->inside[i].pid, 0,
						      NO_SIGNALS));
		} else {
			ASSERT_EQ(0, process_bind(self->fd, self->inside[i].pid, 0, "bound"));
		}
		return self->inside[i].pid;
	}
	container_start(&self->c[i], 0);
	snprintf(name, sizeof(name), "n%d", i);
	self->c[i].fd = container_create(self->dre, APP, self->c[i].init.pid, name);
	ASSERT_LE(0, self->c[i].fd);
	return self->c[i].init.pid;
}

static void del(FIXTURE_DATA(list) *self, const FIXTURE_VARIANT(list) *variant, int i)
{
	if (variant->cmd == DRE_IOC_GROUP_LIST) {
		del_group(self->fd, i);
	} else if (variant->cmd != DRE_IOC_CONTAINER_LIST) {
		agent_kill(&self->inside[i], SIGKILL);
	} else {
		container_kill(&self->c[i]);
		close(self->c[i].fd);
	}
	self->pid[i] = 0;
}

FIXTURE_SETUP(list)
{
	int i;

	setup_container(_metadata, &self->base);
	self->dre = self->base.dre;
	self->fd = variant->cmd == DRE_IOC_CONTAINER_LIST ? self->dre : self->base.c.fd;
	self->entries = calloc(NR + 3, 4096);
	/* The first one of a list of containers is there already. */
	if (variant->cmd == DRE_IOC_CONTAINER_LIST) {
		self->c[0] = self->base.c;
		self->pid[0] = self->c[0].init.pid;
	}
	cgroup_prepare();
	if (variant->cmd == DRE_IOC_BINDING_LIST) {
		int dir;

		cgroup_make("bound");
		dir = cgroup_open("bound");
		ASSERT_EQ(0, group_create(self->fd, dir, "bound", NULL));
		close(dir);
	}
	for (i = 0; i < NR; i++) {
		if (!self->pid[i])
			self->pid[i] = add(_metadata, self, variant, i);
	}
}

FIXTURE_TEARDOWN(list)
{
	int i;

	for (i = 1; i < NR; i++) {
		if (self->pid[i])
			del(self, variant, i);
	}
	teardown_container(_metadata, &self->base);
	EXPECT_EQ(0, cgroup_clear());
}

static int list_some(const FIXTURE_DATA(list) *self, const FIXTURE_VARIANT(list) *variant,
		     __u32 entry_size, __u32 *count, __u64 *cursor)
{
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)self->entries,
		.entry_size = entry_size,
		.count = *count,
		.cursor = *cursor,
	};
	int ret = dre_request(self->fd, variant->cmd, &list);

	*count = list.count;
	*cursor = list.cursor;
	return ret;
}

/* How often each element has been seen, and how many that were not there at first. */
struct seen {
	int times[NR];
	int others;
};

static void see(const FIXTURE_DATA(list) *self, const FIXTURE_VARIANT(list) *variant,
		__u32 entry_size, __u32 count, struct seen *seen)
{
	const char *entry = self->entries;
	__u32 i;
	int j;

	for (i = 0; i < count; i++, entry += entry_size) {
		for (j = 0; j < NR; j++) {
			if (self->pid[j] == *(const __s32 *)(entry + variant->pid_at))
				break;
		}
		if (j < NR)
			seen->times[j]++;
		else
			seen->others++;
	}
}

static void expect_each_once(struct __test_metadata *_metadata, const FIXTURE_DATA(list) *self,
			     const struct seen *seen)
{
	int i;

	for (i = 0; i < NR; i++) {
		if (self->pid[i]) {
			EXPECT_EQ(1, seen->times[i]) {
				TH_LOG("element %d", i);
			}
		}
	}
}

TEST_F(list, at_once)
{
	struct seen seen = {};
	__u32 count = NR + 3;
	__u64 cursor = 0;

	EXPECT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
	EXPECT_EQ(NR, count);
	EXPECT_EQ(0, cursor);
	see(self, variant, variant->entry_size, count, &seen);
	expect_each_once(_metadata, self, &seen);
	EXPECT_EQ(0, seen.others);
}

TEST_F(list, fits_exactly)
{
	struct seen seen = {};
	__u32 count = NR;
	__u64 cursor = 0;

	EXPECT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
	EXPECT_EQ(NR, count);
	EXPECT_EQ(0, cursor);
	see(self, variant, variant->entry_size, count, &seen);
	expect_each_once(_metadata, self, &seen);
}

TEST_F(list, in_steps)
{
	struct seen seen;
	__u32 step, count;
	__u64 cursor;
	int steps;

	for (step = 1; step < NR; step++) {
		seen = (struct seen){};
		cursor = 0;
		for (steps = 1; ; steps++) {
			count = step;
			ASSERT_EQ(0, list_some(self, variant, variant->entry_size, &count,
					       &cursor));
			see(self, variant, variant->entry_size, count, &seen);
			if (!cursor)
				break;
			ASSERT_EQ(step, count);
			ASSERT_GT(NR, steps);
		}
		EXPECT_EQ((NR + step - 1) / step, steps);
		expect_each_once(_metadata, self, &seen);
		EXPECT_EQ(0, seen.others);
	}
}

/* Who lives through the walk is seen once; who comes or goes may be seen once. */
TEST_F(list, coming_and_going_meanwhile)
{
	struct seen seen = {};
	__u64 cursor = 0;
	__u32 count;
	int step = 0;

	do {
		count = 1;
		ASSERT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
		see(self, variant, variant->entry_size, count, &seen);
		/* What has been seen, what comes next, what comes last. */
		switch (step++) {
		case 2:
			del(self, variant, 1);
			del(self, variant, 3);
			del(self, variant, 4);
			del(self, variant, NR - 1);
			break;
		case 4:
			self->pid[1] = -add(_metadata, self, variant, 1);
			self->pid[3] = -add(_metadata, self, variant, 3);
			break;
		}
		ASSERT_GT(2 * NR, step);
	} while (cursor);
	EXPECT_GE(2 + 1, seen.others);
	seen.times[1] = 1;
	self->pid[3] = -self->pid[3];
	self->pid[1] = -self->pid[1];
	seen.times[3] = 1;
	expect_each_once(_metadata, self, &seen);
}

TEST_F(list, that_becomes_empty)
{
	__u32 count = 2;
	__u64 cursor = 0;
	int i;

	ASSERT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
	EXPECT_EQ(2, count);
	EXPECT_NE(0, cursor);
	for (i = 1; i < NR; i++)
		del(self, variant, i);
	count = 2;
	EXPECT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
	EXPECT_EQ(0, count);
	EXPECT_EQ(0, cursor);
}

/* A position that no request returned is harmless. */
TEST_F(list, cursors_of_no_request)
{
	static const __u64 cursors[] = { 1U << 22, INT32_MAX, 1ULL << 31, ~0U, 1ULL << 32, ~0ULL };
	__u64 cursor;
	__u32 count;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cursors); i++) {
		cursor = cursors[i];
		count = NR;
		EXPECT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
		EXPECT_EQ(0, count) {
			TH_LOG("cursor %#llx", cursors[i]);
		}
		EXPECT_EQ(0, cursor);
	}
}

#define EXPECT_NO_LIST(_error, _entry_size, _count) do {				\
	const __u32 _wanted = (_count);							\
	__u32 _nr = _wanted;								\
	__u64 _cursor = 0;								\
											\
	EXPECT_REFUSED(self->dre, self->base.c.fd, _error,				\
		       list_some(self, variant, _entry_size, &_nr, &_cursor));		\
	EXPECT_EQ(_wanted, _nr);							\
} while (0)

TEST_F(list, no_room)
{
	EXPECT_NO_LIST(EINVAL, variant->entry_size, 0);
}

TEST_F(list, entries_below_the_first_version)
{
	EXPECT_NO_LIST(EINVAL, 0, NR);
	EXPECT_NO_LIST(EINVAL, 4, NR);
	EXPECT_NO_LIST(EINVAL, variant->entry_size - 1, NR);
}

TEST_F(list, entries_above_a_page)
{
	EXPECT_NO_LIST(E2BIG, 4097, NR);
	EXPECT_NO_LIST(E2BIG, ~0U, NR);
}

/* A caller that knows more than this kernel gets the rest as 0. */
TEST_F(list, larger_entries)
{
	static const size_t sizes[] = { 1, 16, 100 };
	struct seen seen;
	size_t i, j, k, size;
	__u64 cursor = 0;
	__u32 count;

	for (i = 0; i <= ARRAY_SIZE(sizes); i++) {
		size = i < ARRAY_SIZE(sizes) ? variant->entry_size + sizes[i] : 4096;
		seen = (struct seen){};
		memset(self->entries, 0xee, (NR + 3) * size);
		count = NR + 1;
		EXPECT_EQ(0, list_some(self, variant, size, &count, &cursor));
		EXPECT_EQ(NR, count);
		/* Entries may be at odd addresses; the numbers are compared all the same. */
		see(self, variant, size, count, &seen);
		expect_each_once(_metadata, self, &seen);
		for (j = 0; j < NR; j++) {
			for (k = variant->entry_size; k < size; k++)
				ASSERT_EQ(0, self->entries[j * size + k]);
		}
		EXPECT_EQ((char)0xee, self->entries[NR * size]);
	}
}

/* Only what there is must have room, whatever the count says. */
TEST_F(list, count_above_what_there_is)
{
	__u32 count = ~0U;
	__u64 cursor = 0;

	EXPECT_EQ(0, list_some(self, variant, variant->entry_size, &count, &cursor));
	EXPECT_EQ(NR, count);
	EXPECT_EQ(0, cursor);
}

TEST_F(list, entries_that_are_not_there)
{
	char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *entries = self->entries;

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, munmap(area + 4096, 4096));
	self->entries = NULL;
	EXPECT_NO_LIST(EFAULT, variant->entry_size, NR);
	self->entries = area + 4096;
	EXPECT_NO_LIST(EFAULT, variant->entry_size, NR);
	self->entries = area + 4096 - variant->entry_size * NR + 1;
	EXPECT_NO_LIST(EFAULT, variant->entry_size, NR);
	self->entries = area + 4096 - variant->entry_size * 2;
	EXPECT_NO_LIST(EFAULT, variant->entry_size, NR);
	self->entries = area + 4096 - variant->entry_size * NR;
	mprotect(area, 4096, PROT_READ);
	EXPECT_NO_LIST(EFAULT, variant->entry_size, NR);
	self->entries = entries;
}

TEST_F(container, empty_list)
{
	struct dre_process_info info = { .pid = 42 };
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)&info,
		.entry_size = sizeof(info),
		.count = 1,
	};

	EXPECT_EQ(0, dre_request(self->c.fd, DRE_IOC_PROCESS_LIST, &list));
	EXPECT_EQ(0, list.count);
	EXPECT_EQ(0, list.cursor);
	EXPECT_EQ(42, info.pid);
}

static __s32 numbers[64];

/* The numbers in the list, as the caller sees them, behind their count. */
static int list_numbers(int fd, void *arg)
{
	struct dre_process_info info[32];
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)info,
		.entry_size = sizeof(info[0]),
		.count = 32,
	};
	__s32 *out = arg;
	int ret = dre_request(fd, DRE_IOC_PROCESS_LIST, &list);
	__u32 i;

	for (i = 0; !ret && i < list.count; i++)
		out[i] = info[i].pid;
	return ret ?: (int)list.count;
}

static void expect_rising(struct __test_metadata *_metadata, int count)
{
	int i;

	for (i = 1; i < count; i++)
		EXPECT_LT(numbers[i - 1], numbers[i]);
}

/* Who is asked for is who registered, for that container; PIDs rise, whoever looks. */
TEST_F(container, by_rising_pid)
{
	struct agent inside[5], host[5];
	struct container second;
	int i;

	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	ASSERT_LE(0, second.fd);
	for (i = 0; i < 5; i++) {
		agent_start(&inside[i], &self->c.init, 0);
		agent_start(&host[i], NULL, 0);
	}
	for (i = 4; i >= 0; i--) {
		ASSERT_EQ(0, self_register(&inside[i], SIGNALS(SIGTERM)));
		ASSERT_EQ(0, process_register(self->c.fd, host[i].pid, 0, NO_SIGNALS));
	}
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, self->c.init.pid, 0, NO_SIGNALS));

	EXPECT_EQ(11, list_numbers(self->c.fd, numbers));
	expect_rising(_metadata, 11);
	EXPECT_EQ(self->c.init.pid, numbers[0]);
	/* The container's own see themselves, others see nobody. */
	EXPECT_EQ(6, agent_call_fd(&self->c.init, self->c.fd, list_numbers, numbers,
				   sizeof(numbers)));
	expect_rising(_metadata, 6);
	EXPECT_EQ(1, numbers[0]);
	EXPECT_EQ(inside[0].vpid, numbers[1]);
	EXPECT_EQ(0, agent_call_fd(&second.init, self->c.fd, list_numbers, numbers,
				   sizeof(numbers)));
	container_kill(&second);
	for (i = 0; i < 5; i++)
		agent_kill(&host[i], SIGKILL);
}

TEST_HARNESS_MAIN
