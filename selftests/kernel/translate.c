// SPDX-License-Identifier: GPL-2.0-only
/* TRANSLATE: PIDs to VPIDs and back. */
#include <stdint.h>
#include <sys/mman.h>

#include "test.h"

#define TO_PID	DRE_TRANSLATE_TO_PID
#define MOST	5000
#define BYTES	(MOST * sizeof(__s32))

static __s32 from[MOST], to[MOST];

FIXTURE(translate) {
	int fd;
	FIXTURE_DATA(container) base;
	struct agent inside[3];
	struct agent host;
};

FIXTURE_SETUP(translate)
{
	size_t i;

	setup_container(_metadata, &self->base);
	self->fd = self->base.c.fd;
	for (i = 0; i < ARRAY_SIZE(self->inside); i++)
		agent_start(&self->inside[i], &self->base.c.init, 0);
	agent_start(&self->host, NULL, 0);
}

FIXTURE_TEARDOWN(translate)
{
	agent_kill(&self->host, SIGKILL);
	teardown_container(_metadata, &self->base);
}

/* Number @i of an array of numbers of all kinds, and what it becomes. */
static __s32 number(const FIXTURE_DATA(translate) *self, __u32 flags, size_t i, __s32 *becomes)
{
	const struct agent *a = &self->inside[i % 3];
	const struct agent *init = &self->base.c.init;

	*becomes = 0;
	switch (i % 7) {
	case 0:
	case 1:
	case 2:
		*becomes = flags ? a->pid : a->vpid;
		return flags ? a->vpid : a->pid;
	case 3:
		*becomes = flags ? init->pid : 1;
		return flags ? 1 : init->pid;
	case 4:
		return flags ? INT32_MAX : self->host.pid;
	case 5:
		return 0;
	default:
		return -(__s32)i;
	}
}

static void fill(const FIXTURE_DATA(translate) *self, __u32 flags, __u32 count)
{
	__s32 unused;
	__u32 i;

	memset(to, 0xee, sizeof(to));
	for (i = 0; i < count; i++)
		from[i] = number(self, flags, i, &unused);
}

static void expect_filled(struct __test_metadata *_metadata, const FIXTURE_DATA(translate) *self,
			  __u32 flags, const __s32 *got, __u32 count)
{
	__s32 becomes;
	__u32 i;

	for (i = 0; i < count; i++) {
		number(self, flags, i, &becomes);
		ASSERT_EQ(becomes, got[i]) {
			TH_LOG("element %u of %u", i, count);
		}
	}
}

static const __u32 counts[] = { 1, 2, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, MOST };

TEST_F(translate, both_ways)
{
	static const __u32 ways[] = { 0, TO_PID };
	size_t way, i;

	for (way = 0; way < 2; way++) {
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			fill(self, ways[way], counts[i]);
			EXPECT_EQ(0, translate(self->fd, ways[way], from, to, counts[i]));
			expect_filled(_metadata, self, ways[way], to, counts[i]);
			/* Not one more. */
			if (counts[i] < MOST)
				EXPECT_EQ(0xeeeeeeee, (__u32)to[counts[i]]);
		}
	}
}

TEST_F(translate, in_place)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		fill(self, 0, counts[i]);
		EXPECT_EQ(0, translate(self->fd, 0, from, from, counts[i]));
		expect_filled(_metadata, self, 0, from, counts[i]);
	}
}

/* There and back again. */
TEST_F(translate, is_its_own_inverse)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(self->inside); i++) {
		EXPECT_EQ(self->inside[i].vpid, translate_one(self->fd, 0, self->inside[i].pid));
		EXPECT_EQ(self->inside[i].pid,
			  translate_one(self->fd, TO_PID, self->inside[i].vpid));
	}
}

TEST_F(translate, no_elements)
{
	EXPECT_REFUSED(self->base.dre, self->fd, EINVAL, translate(self->fd, 0, from, to, 0));
	EXPECT_REFUSED(self->base.dre, self->fd, EINVAL, translate(self->fd, TO_PID, from, to, 0));
}

/* The whole of both arrays ends where memory ends. */
TEST_F(translate, up_to_the_end_of_memory)
{
	size_t size = (BYTES + 4095) & ~4095UL;
	char *area = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__s32 *end = (__s32 *)(area + size);

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, munmap(area + size, size));
	fill(self, 0, MOST);
	memcpy(end - MOST, from, BYTES);
	EXPECT_EQ(0, translate(self->fd, 0, end - MOST, end - MOST, MOST));
	expect_filled(_metadata, self, 0, end - MOST, MOST);

	/* And one beyond it. What comes before may have been done. */
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, end - MOST + 1, to, MOST));
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, from, end - MOST + 1, MOST));
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, end, to, 1));
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, from, end, 1));
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, NULL, to, 1));
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, from, NULL, 1));
	/* So many that their end is not even an address. */
	EXPECT_EQ(-EFAULT, translate(self->fd, 0, from, end - 1, ~0U));
}

TEST_F(translate, addresses_that_are_none)
{
	struct dre_translate t = { .size = sizeof(t), .to = (uintptr_t)to, .count = 1 };

	t.from = 1ULL << 63;
	EXPECT_REFUSED(self->base.dre, self->fd, EFAULT,
		       dre_request(self->fd, DRE_IOC_TRANSLATE, &t));
	t.from = ~0ULL;
	EXPECT_REFUSED(self->base.dre, self->fd, EFAULT,
		       dre_request(self->fd, DRE_IOC_TRANSLATE, &t));
	t.from = (uintptr_t)from;
	t.to = ~0ULL - 2;
	EXPECT_REFUSED(self->base.dre, self->fd, EFAULT,
		       dre_request(self->fd, DRE_IOC_TRANSLATE, &t));
}

TEST_F(translate, numbers_of_nobody)
{
	struct agent gone;

	agent_start(&gone, &self->base.c.init, 0);
	agent_kill(&gone, SIGKILL);
	EXPECT_EQ(0, translate_one(self->fd, 0, gone.pid));
	EXPECT_EQ(0, translate_one(self->fd, TO_PID, gone.vpid));
	EXPECT_EQ(0, translate_one(self->fd, 0, 0));
	EXPECT_EQ(0, translate_one(self->fd, 0, -1));
	EXPECT_EQ(0, translate_one(self->fd, 0, INT32_MIN));
	EXPECT_EQ(0, translate_one(self->fd, 0, INT32_MAX));
	EXPECT_EQ(0, translate_one(self->fd, TO_PID, 0));
	EXPECT_EQ(0, translate_one(self->fd, TO_PID, INT32_MIN));
	EXPECT_EQ(0, translate_one(self->fd, 0, self->host.pid));
	EXPECT_EQ(0, translate_one(self->fd, 0, KTHREADD));
}

TEST_F(translate, threads_and_zombies)
{
	pid_t vtid, tid;

	vtid = agent_thread(&self->inside[0], false);
	tid = translate_one(self->fd, TO_PID, vtid);
	EXPECT_LT(0, tid);
	EXPECT_NE(self->inside[0].pid, tid);
	EXPECT_EQ(vtid, translate_one(self->fd, 0, tid));

	agent_kill_only(&self->inside[1], SIGKILL);
	EXPECT_EQ(self->inside[1].vpid, translate_one(self->fd, 0, self->inside[1].pid));
	agent_wait(&self->inside[1]);
	EXPECT_EQ(0, translate_one(self->fd, 0, self->inside[1].pid));
}

/* Below the container is inside; above and beside it is not. */
TEST_F(translate, nested)
{
	struct container nested, second;

	container_start_below(&nested, &self->inside[0], 0);
	EXPECT_EQ(nested.init.child, translate_one(self->fd, 0, nested.init.pid));
	EXPECT_EQ(nested.init.pid, translate_one(self->fd, TO_PID, nested.init.child));
	EXPECT_NE(1, nested.init.child);

	container_start(&second, 0);
	EXPECT_EQ(0, translate_one(self->fd, 0, second.init.pid));
	container_kill(&second);
}

static __s32 remote_from[2], remote_to[2];

static int translate_there(int fd, void *arg)
{
	__s32 *numbers = arg;

	remote_from[0] = numbers[0];
	remote_from[1] = numbers[1];
	return translate(fd, numbers[2], remote_from, remote_to, 2) ?:
	       remote_to[0] * 1000 + remote_to[1];
}

/* In the container PID and VPID are the same; elsewhere VPIDs have no PID. */
TEST_F(translate, asked_from_another_pid_namespace)
{
	struct agent *init = &self->base.c.init;
	__s32 numbers[] = { 1, self->inside[0].vpid, 0 };
	struct container second;

	container_start(&second, 0);
	EXPECT_EQ(1000 + numbers[1], agent_call_fd(init, self->fd, translate_there, numbers,
						   sizeof(numbers)));
	EXPECT_EQ(0, agent_call_fd(&second.init, self->fd, translate_there, numbers,
				   sizeof(numbers)));
	numbers[2] = TO_PID;
	EXPECT_EQ(1000 + numbers[1], agent_call_fd(init, self->fd, translate_there, numbers,
						   sizeof(numbers)));
	EXPECT_EQ(0, agent_call_fd(&second.init, self->fd, translate_there, numbers,
				   sizeof(numbers)));
	container_kill(&second);
}

TEST_F(translate, of_a_machine)
{
	int fd = container_create(self->base.dre, SYS, self->host.pid, "machine");

	ASSERT_LE(0, fd);
	EXPECT_REFUSED(self->base.dre, fd, ENODEV, translate_one(fd, 0, self->host.pid));
	EXPECT_REFUSED(self->base.dre, fd, ENODEV, translate_one(fd, TO_PID, 1));
}

TEST_HARNESS_MAIN
