// SPDX-License-Identifier: GPL-2.0-only
/* What a process says of itself: SELF_REGISTER, SELF_UNREGISTER, SELF_REFUSE. */
#include <pthread.h>

#include "test.h"

/* What no form of a list of signals may be; @nr is sent as it is. */
struct bad_list {
	const char *what;
	__u32 nr;
	__u8 signals[DRE_SIGNALS_MAX];
};

static const struct bad_list bad_lists[] = {
	{ "more than there is room for", DRE_SIGNALS_MAX + 1, { 15 } },
	{ "very many", ~0U, { 15 } },
	{ "signal 0", 1, { 0 } },
	{ "signal 0 behind another", 2, { 15, 0 } },
	{ "signal 65", 1, { 65 } },
	{ "signal 255", 1, { 255 } },
	{ "SIGKILL", 1, { SIGKILL } },
	{ "SIGSTOP", 2, { 15, SIGSTOP } },
	{ "one twice", 2, { 15, 15 } },
	{ "the first one twice", 4, { 15, 1, 2, 15 } },
	{ "one behind the last", 1, { 15, 1 } },
	{ "one in the last place", 1, { 15, [DRE_SIGNALS_MAX - 1] = 1 } },
};

TEST_F(container, registers)
{
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGTERM));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EQ(1, process_count(self->c.fd));
}

TEST_F(container, keeps_the_order)
{
	const __u8 *signals = SIGNALS(SIGUSR2, SIGTERM, SIGHUP, 64, 1 + SIGHUP, 34);

	EXPECT_EQ(0, self_register(&self->inside, signals));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, signals);
}

TEST_F(container, registers_every_signal)
{
	__u8 signals[DRE_SIGNALS_MAX + 1] = {};
	int sig, nr = 0;

	for (sig = 64; sig > 0; sig--) {
		if (sig != SIGKILL && sig != SIGSTOP)
			signals[nr++] = sig;
	}
	EXPECT_EQ(0, self_register(&self->inside, signals));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, signals);
}

TEST_F(container, registering_again_replaces)
{
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM, SIGHUP)));
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM, SIGHUP)));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF,
		      SIGNALS(SIGTERM, SIGHUP));
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGINT)));
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGINT));
	EXPECT_EQ(1, process_count(self->c.fd));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_EQ(0, self_unregister(&self->inside));
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));
}

/* Both by a process that has registered nothing and by one that keeps what it has. */
static void expect_bad_lists(struct __test_metadata *_metadata, FIXTURE_DATA(container) *self)
{
	struct dre_self reg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_lists); i++) {
		reg = (struct dre_self){ .size = sizeof(reg), .nr_signals = bad_lists[i].nr };
		memcpy(reg.signals, bad_lists[i].signals, sizeof(reg.signals));
		EXPECT_REFUSED(self->dre, self->c.fd, EINVAL,
			       agent_request(&self->inside, -1, DRE_IOC_SELF_REGISTER,
					     &reg, sizeof(reg)));
		if (!_metadata->passed) {
			TH_LOG("it was: %s", bad_lists[i].what);
			return;
		}
	}
	EXPECT_REFUSED(self->dre, self->c.fd, EINVAL, self_register(&self->inside, NO_SIGNALS));
}

TEST_F(container, bad_signals)
{
	expect_bad_lists(_metadata, self);
	EXPECT_EQ(0, process_count(self->c.fd));
}

TEST_F(container, bad_signals_replace_nothing)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGHUP)));
	expect_bad_lists(_metadata, self);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGHUP));
}

TEST_F(container, unregisters)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EQ(0, self_unregister(&self->inside));
	EXPECT_EQ(0, process_count(self->c.fd));
	EXPECT_NOT_DAWARE(self->inside.pid);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, unregisters_what_is_not_registered)
{
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, self_unregister(&self->inside));
	/* A manager's registration is not its own. */
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, self_unregister(&self->inside));
}

TEST_F(container, unregisters_with_signals)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_REFUSED(self->dre, self->c.fd, EINVAL,
		       agent_request(&self->inside, -1, DRE_IOC_SELF_UNREGISTER,
				     &reg, sizeof(reg)));
	reg.nr_signals = 0;
	EXPECT_REFUSED(self->dre, self->c.fd, EINVAL,
		       agent_request(&self->inside, -1, DRE_IOC_SELF_UNREGISTER,
				     &reg, sizeof(reg)));
}

/* Its own signals go before a manager's, which are there again afterwards. */
TEST_F(container, beside_a_manager)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;

	ASSERT_EQ(0, process_register(self->c.fd, pid, 0, SIGNALS(SIGUSR1)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM, SIGHUP)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF | MANAGED, SIGNALS(SIGTERM, SIGHUP));
	ASSERT_EQ(0, process_register(self->c.fd, pid, 0, SIGNALS(SIGUSR2)));
	EXPECT_LISTED(self->c.fd, pid, vpid, SELF | MANAGED, SIGNALS(SIGTERM, SIGHUP));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);
	EXPECT_EQ(1, process_count(self->c.fd));
	EXPECT_EQ(0, self_unregister(&self->inside));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF);
	EXPECT_LISTED(self->c.fd, pid, vpid, MANAGED, SIGNALS(SIGUSR2));
}

static void *register_it(void *arg)
{
	int dre = dre_open();
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };

	*(int *)arg = dre_request(dre, DRE_IOC_SELF_REGISTER, &reg);
	close(dre);
	return NULL;
}

/* Whatever thread asks, it is about the process; and it outlives the thread. */
TEST_F(container, from_a_thread)
{
	pthread_t thread;
	char line[64];
	int ret = -1;

	ASSERT_EQ(0, pthread_create(&thread, NULL, register_it, &ret));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, ret);
	snprintf(line, sizeof(line), "%d\t0\t15\t-\tself", getpid());
	EXPECT_DAWARE(getpid(), line);
	EXPECT_EQ(0, self_unregister(NULL));
}

/* A process of no container is registered all the same. */
TEST_F(container, outside)
{
	struct agent host;
	char line[64];

	agent_start(&host, NULL, 0);
	EXPECT_EQ(0, self_register(&host, SIGNALS(SIGTERM, SIGINT)));
	snprintf(line, sizeof(line), "%d\t0\t15,2\t-\tself", host.pid);
	EXPECT_DAWARE(host.pid, line);
	EXPECT_NOT_LISTED(self->c.fd, host.pid);
	EXPECT_EQ(0, self_refuse(&host, SIGINT));
	EXPECT_NO_EVENT(self->c.fd);
	EXPECT_EQ(0, self_unregister(&host));
	EXPECT_NOT_DAWARE(host.pid);
	agent_kill(&host, SIGKILL);
}

/* Registering before the container is known is no special case. */
TEST_F(container, before_its_container_is_known)
{
	struct container late;

	container_start(&late, WITH_USERS);
	EXPECT_EQ(0, self_register(&late.init, SIGNALS(SIGTERM)));
	late.fd = container_create(self->dre, APP, late.init.pid, "late");
	ASSERT_LE(0, late.fd);
	EXPECT_LISTED(late.fd, late.init.pid, 1, SELF, SIGNALS(SIGTERM));
	EXPECT_NO_EVENT(late.fd);
	EXPECT_EQ(0, self_unregister(&late.init));
	EXPECT_EVENT(late.fd, DRE_EVENT_UNREGISTERED, late.init.pid, 1, SELF);
	container_kill(&late);
}

TEST_F(container, refuses)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM, SIGUSR1)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_EQ(0, self_refuse(&self->inside, SIGTERM));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REFUSED, self->inside.pid, self->inside.vpid, SIGTERM);
	EXPECT_EQ(0, self_refuse(&self->inside, SIGUSR1));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REFUSED, self->inside.pid, self->inside.vpid, SIGUSR1);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF,
		      SIGNALS(SIGTERM, SIGUSR1));
}

TEST_F(container, refuses_what_it_did_not_register)
{
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, self_refuse(&self->inside, SIGTERM));
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, self_refuse(&self->inside, SIGTERM));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGUSR1)));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, self_refuse(&self->inside, SIGTERM));
	ASSERT_EQ(0, self_unregister(&self->inside));
	EXPECT_REFUSED(self->dre, self->c.fd, ENOENT, self_refuse(&self->inside, SIGUSR1));
}

TEST_F(container, refuses_badly)
{
	static const struct bad_list bad[] = {
		{ "no signal", 0, { 0 } },
		{ "no signal, and yet one", 0, { SIGTERM } },
		{ "two signals", 2, { SIGTERM, SIGUSR1 } },
		{ "one behind the last", 1, { SIGTERM, SIGUSR1 } },
		{ "signal 0", 1, { 0 } },
		{ "signal 65", 1, { 65 } },
		{ "SIGKILL", 1, { SIGKILL } },
	};
	struct dre_self reg;
	size_t i;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM, SIGUSR1)));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		reg = (struct dre_self){ .size = sizeof(reg), .nr_signals = bad[i].nr };
		memcpy(reg.signals, bad[i].signals, sizeof(reg.signals));
		EXPECT_REFUSED(self->dre, self->c.fd, EINVAL,
			       agent_request(&self->inside, -1, DRE_IOC_SELF_REFUSE,
					     &reg, sizeof(reg)));
		if (!_metadata->passed) {
			TH_LOG("it was: %s", bad[i].what);
			return;
		}
	}
}

TEST_HARNESS_MAIN
