// SPDX-License-Identifier: GPL-2.0-only
/* What managers say of processes: PROCESS_REGISTER and PROCESS_UNREGISTER. */
#include <stdint.h>
#include <stdio.h>

#include "test.h"
#include "worker.h"

#define BY_VPID		DRE_REGISTER_BY_VPID
#define OWN		DRE_REGISTER_SELF

/* Two containers and a process of the host. */
FIXTURE(process) {
	int dre;
	int fd;				/* of the first container */
	FIXTURE_DATA(container) first;
	struct agent inside;		/* in the first one */
	struct container second;
	struct agent host;
};

FIXTURE_SETUP(process)
{
	setup_container(_metadata, &self->first);
	self->dre = self->first.dre;
	self->fd = self->first.c.fd;
	self->inside = self->first.inside;
	container_start(&self->second, 0);
	self->second.fd = container_create(self->dre, APP, self->second.init.pid, "c2");
	ASSERT_LE(0, self->second.fd);
	agent_start(&self->host, NULL, 0);
}

FIXTURE_TEARDOWN(process)
{
	agent_kill(&self->host, SIGKILL);
	container_kill(&self->second);
	teardown_container(_metadata, &self->first);
}

#define EXPECT_NOT_REGISTERED(_error, _fd, _pid, _flags, _signals) do {		\
	int _to = (_fd);							\
										\
	EXPECT_REFUSED(self->dre, _to, _error,					\
		       process_register(_to, _pid, _flags, _signals));		\
} while (0)

#define EXPECT_NOT_UNREGISTERED(_error, _fd, _pid, _flags) do {			\
	int _to = (_fd);							\
										\
	EXPECT_REFUSED(self->dre, _to, _error, process_unregister(_to, _pid, _flags)); \
} while (0)

TEST_F(process, registers)
{
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, 0, SIGNALS(SIGTERM, SIGHUP)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED,
		      SIGNALS(SIGTERM, SIGHUP));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, MANAGED);
	EXPECT_NO_EVENT(self->fd);
	EXPECT_NO_EVENT(self->second.fd);
	EXPECT_NOT_LISTED(self->second.fd, self->inside.pid);
}

TEST_F(process, registers_without_signals)
{
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, 0, NO_SIGNALS));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED, NO_SIGNALS);
}

TEST_F(process, registers_by_vpid)
{
	EXPECT_EQ(0, process_register(self->fd, self->inside.vpid, BY_VPID, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED, SIGNALS(SIGTERM));
	EXPECT_EQ(0, process_register(self->fd, 1, BY_VPID, NO_SIGNALS));
	EXPECT_LISTED(self->fd, self->first.c.init.pid, 1, MANAGED, NO_SIGNALS);
	EXPECT_EQ(2, process_count(self->fd));
	EXPECT_EQ(0, process_unregister(self->fd, 1, BY_VPID));
	EXPECT_EQ(0, process_unregister(self->fd, self->inside.vpid, BY_VPID));
	EXPECT_EQ(0, process_count(self->fd));
}

TEST_F(process, registering_again_replaces)
{
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, 0, SIGNALS(SIGHUP, SIGINT)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED,
		      SIGNALS(SIGHUP, SIGINT));
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, 0, NO_SIGNALS));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED, NO_SIGNALS);
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, MANAGED);
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, MANAGED);
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, MANAGED);
	EXPECT_NO_EVENT(self->fd);
	EXPECT_EQ(0, process_unregister(self->fd, self->inside.pid, 0));
	EXPECT_EQ(0, process_count(self->fd));
}

/* A process of the host has no VPID, and its registration is for one container. */
TEST_F(process, of_the_host)
{
	char line[64];

	EXPECT_EQ(0, process_register(self->fd, self->host.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->fd, self->host.pid, 0, MANAGED, SIGNALS(SIGTERM));
	snprintf(line, sizeof(line), "%d\t0\t15\tc1\tprocess", self->host.pid);
	EXPECT_DAWARE(self->host.pid, line);
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->host.pid, 0, MANAGED);

	EXPECT_NOT_REGISTERED(EBUSY, self->second.fd, self->host.pid, 0, SIGNALS(SIGHUP));
	EXPECT_NOT_UNREGISTERED(ENOENT, self->second.fd, self->host.pid, 0);
	EXPECT_EQ(0, process_unregister(self->fd, self->host.pid, 0));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNREGISTERED, self->host.pid, 0, MANAGED);
	EXPECT_EQ(0, process_register(self->second.fd, self->host.pid, 0, SIGNALS(SIGHUP)));
	EXPECT_LISTED(self->second.fd, self->host.pid, 0, MANAGED, SIGNALS(SIGHUP));
	EXPECT_NOT_LISTED(self->fd, self->host.pid);
}

/* One that registered itself belongs to no container until a manager says so. */
TEST_F(process, of_the_host_that_registered_itself)
{
	ASSERT_EQ(0, self_register(&self->host, SIGNALS(SIGTERM)));
	EXPECT_NOT_UNREGISTERED(ENOENT, self->fd, self->host.pid, 0);
	EXPECT_EQ(0, process_register(self->fd, self->host.pid, 0, NO_SIGNALS));
	EXPECT_LISTED(self->fd, self->host.pid, 0, SELF | MANAGED, SIGNALS(SIGTERM));
	EXPECT_EQ(0, self_refuse(&self->host, SIGTERM));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->host.pid, 0, MANAGED);
	EXPECT_EVENT(self->fd, DRE_EVENT_REFUSED, self->host.pid, 0, SIGTERM);
	EXPECT_EQ(0, process_unregister(self->fd, self->host.pid, 0));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNREGISTERED, self->host.pid, 0, SELF | MANAGED);
	EXPECT_NOT_DAWARE(self->host.pid);
	EXPECT_EQ(-ENOENT, self_unregister(&self->host));
}

TEST_F(process, of_another_container)
{
	struct agent other;

	agent_start(&other, &self->second.init, 0);
	EXPECT_NOT_REGISTERED(EXDEV, self->fd, other.pid, 0, SIGNALS(SIGTERM));
	EXPECT_NOT_REGISTERED(EXDEV, self->fd, self->second.init.pid, 0, NO_SIGNALS);
	ASSERT_EQ(0, process_register(self->second.fd, other.pid, 0, NO_SIGNALS));
	EXPECT_NOT_REGISTERED(EXDEV, self->fd, other.pid, 0, SIGNALS(SIGTERM));
	EXPECT_NOT_UNREGISTERED(ENOENT, self->fd, other.pid, 0);
}

/* It is free for the next one at once, not when the module finds the time. */
TEST_F(process, of_a_container_that_ended)
{
	struct container third;
	int i;

	worker_prepare();
	for (i = 0; i < 10; i++) {
		container_start(&third, 0);
		third.fd = container_create(self->dre, APP, third.init.pid, "c3");
		ASSERT_LE(0, third.fd);
		ASSERT_EQ(0, process_register(third.fd, self->host.pid, 0, SIGNALS(SIGHUP)));
		worker_hold();
		agent_kill_only(&third.init, SIGKILL);
		EXPECT_EQ(-ENOENT, process_unregister(self->fd, self->host.pid, 0));
		EXPECT_EQ(0, process_register(self->fd, self->host.pid, 0, SIGNALS(SIGTERM)));
		EXPECT_LISTED(self->fd, self->host.pid, 0, MANAGED, SIGNALS(SIGTERM));
		worker_release();
		/* It goes from the old one once, and stays with the new one. */
		EXPECT_EVENT(third.fd, DRE_EVENT_REGISTERED, self->host.pid, 0, MANAGED);
		EXPECT_EVENT(third.fd, DRE_EVENT_UNREGISTERED, self->host.pid, 0, MANAGED);
		EXPECT_EVENT(third.fd, DRE_EVENT_ENDED, third.init.pid, 1, SIGKILL);
		EXPECT_LISTED(self->fd, self->host.pid, 0, MANAGED, SIGNALS(SIGTERM));
		EXPECT_EQ(0, process_unregister(self->fd, self->host.pid, 0));
		agent_wait(&third.init);
		close(third.fd);
		ASSERT_TRUE(_metadata->passed);
	}
}

TEST_F(process, pid_that_is_not_positive)
{
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, 0, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, -1, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, -self->inside.pid, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, 0, BY_VPID, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, INT32_MIN, BY_VPID, NO_SIGNALS);
	EXPECT_NOT_UNREGISTERED(EINVAL, self->fd, 0, 0);
	EXPECT_NOT_UNREGISTERED(EINVAL, self->fd, -1, BY_VPID);
}

TEST_F(process, pid_of_nobody)
{
	struct agent gone;

	agent_start(&gone, &self->first.c.init, 0);
	agent_kill(&gone, SIGKILL);
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, gone.pid, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, gone.vpid, BY_VPID, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, INT32_MAX, 0, NO_SIGNALS);
	EXPECT_NOT_UNREGISTERED(ESRCH, self->fd, gone.pid, 0);
	EXPECT_NOT_UNREGISTERED(ESRCH, self->fd, gone.vpid, BY_VPID);
	/* A number of the host is no VPID. */
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, self->inside.pid, BY_VPID, NO_SIGNALS);
}

TEST_F(process, pid_of_a_zombie)
{
	struct agent dead;

	agent_start(&dead, &self->first.c.init, 0);
	agent_kill_only(&dead, SIGKILL);
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, dead.pid, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, dead.vpid, BY_VPID, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(ESRCH, self->fd, dead.pid, OWN, SIGNALS(SIGTERM));
	EXPECT_NOT_UNREGISTERED(ESRCH, self->fd, dead.pid, 0);
	agent_wait(&dead);
}

TEST_F(process, pid_of_a_registered_zombie)
{
	struct agent dead;

	agent_start(&dead, &self->first.c.init, 0);
	ASSERT_EQ(0, process_register(self->fd, dead.pid, 0, NO_SIGNALS));
	agent_kill_only(&dead, SIGKILL);
	EXPECT_NOT_LISTED(self->fd, dead.pid);
	EXPECT_EQ(-ESRCH, process_register(self->fd, dead.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_EQ(-ESRCH, process_unregister(self->fd, dead.pid, 0));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, dead.pid, dead.vpid, MANAGED);
	EXPECT_EVENT(self->fd, DRE_EVENT_EXITED, dead.pid, dead.vpid, SIGKILL);
	EXPECT_NO_EVENT(self->fd);
	agent_wait(&dead);
}

TEST_F(process, pid_of_a_thread)
{
	struct agent threaded;
	pid_t vtid, tid;

	agent_start(&threaded, &self->first.c.init, 0);
	vtid = agent_thread(&threaded, false);
	tid = translate_one(self->fd, DRE_TRANSLATE_TO_PID, vtid);
	ASSERT_LT(0, tid);
	ASSERT_NE(threaded.pid, tid);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, tid, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, vtid, BY_VPID, NO_SIGNALS);
	ASSERT_EQ(0, process_register(self->fd, threaded.pid, 0, NO_SIGNALS));
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, tid, 0, SIGNALS(SIGTERM));
	EXPECT_NOT_UNREGISTERED(EINVAL, self->fd, tid, 0);
	EXPECT_NOT_UNREGISTERED(EINVAL, self->fd, vtid, BY_VPID);
}

TEST_F(process, pid_of_a_kernel_thread)
{
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, KTHREADD, 0, NO_SIGNALS);
	EXPECT_NOT_UNREGISTERED(EINVAL, self->fd, KTHREADD, 0);
}

TEST_F(process, bad_signals)
{
	static const struct {
		__u32 nr;
		__u8 signals[DRE_SIGNALS_MAX];
	} bad[] = {
		{ DRE_SIGNALS_MAX + 1, { 15 } },
		{ ~0U, { 15 } },
		{ 1, { 0 } },
		{ 2, { 15, 0 } },
		{ 1, { 65 } },
		{ 1, { SIGKILL } },
		{ 2, { 15, SIGSTOP } },
		{ 2, { 15, 15 } },
		{ 1, { 15, 1 } },
		{ 0, { 15 } },
		{ 0, { [DRE_SIGNALS_MAX - 1] = 15 } },
	};
	static const __u32 flags[] = { 0, OWN };
	struct dre_process p;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(bad) * ARRAY_SIZE(flags); i++) {
		j = i % ARRAY_SIZE(bad);
		p = (struct dre_process){
			.size = sizeof(p),
			.flags = flags[i / ARRAY_SIZE(bad)],
			.pid = self->inside.pid,
			.nr_signals = bad[j].nr,
		};
		memcpy(p.signals, bad[j].signals, sizeof(p.signals));
		EXPECT_REFUSED(self->dre, self->fd, EINVAL,
			       dre_request(self->fd, DRE_IOC_PROCESS_REGISTER, &p));
		if (!_metadata->passed) {
			TH_LOG("it was list %zu, flags %u", j, p.flags);
			return;
		}
	}
}

TEST_F(process, own)
{
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, OWN, SIGNALS(SIGTERM, SIGHUP)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, SELF,
		      SIGNALS(SIGTERM, SIGHUP));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	/* It is the process' own: it refuses, replaces it and takes it back. */
	EXPECT_EQ(0, self_refuse(&self->inside, SIGHUP));
	EXPECT_EVENT(self->fd, DRE_EVENT_REFUSED, self->inside.pid, self->inside.vpid, SIGHUP);
	EXPECT_EQ(0, self_register(&self->inside, SIGNALS(SIGINT)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGINT));
	EXPECT_EQ(0, process_register(self->fd, self->inside.vpid, OWN | BY_VPID, SIGNALS(SIGHUP)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(SIGHUP));
	EXPECT_EQ(0, self_unregister(&self->inside));
	EXPECT_EQ(0, process_count(self->fd));
}

TEST_F(process, own_beside_a_managers)
{
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, 0, SIGNALS(SIGUSR1)));
	EXPECT_EQ(0, process_register(self->fd, self->inside.pid, OWN, SIGNALS(SIGTERM)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, SELF | MANAGED,
		      SIGNALS(SIGTERM));
	EXPECT_EQ(0, self_unregister(&self->inside));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED, SIGNALS(SIGUSR1));
}

TEST_F(process, own_is_refused)
{
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, self->inside.pid, OWN, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, self->host.pid, OWN, SIGNALS(SIGTERM));
	EXPECT_NOT_REGISTERED(EXDEV, self->fd, self->second.init.pid, OWN, SIGNALS(SIGTERM));
	ASSERT_EQ(0, process_register(self->fd, self->host.pid, 0, NO_SIGNALS));
	EXPECT_NOT_REGISTERED(EINVAL, self->fd, self->host.pid, OWN, SIGNALS(SIGTERM));
}

TEST_F(process, unregisters_however_it_got_there)
{
	pid_t pid = self->inside.pid, vpid = self->inside.vpid;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	EXPECT_EQ(0, process_unregister(self->fd, pid, 0));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF);
	EXPECT_NOT_LISTED(self->fd, pid);
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, pid, vpid, SELF);
	ASSERT_EQ(0, process_register(self->fd, pid, 0, NO_SIGNALS));
	EXPECT_EVENT(self->fd, DRE_EVENT_REGISTERED, pid, vpid, MANAGED);
	EXPECT_EQ(0, process_unregister(self->fd, vpid, BY_VPID));
	EXPECT_EVENT(self->fd, DRE_EVENT_UNREGISTERED, pid, vpid, SELF | MANAGED);
	EXPECT_NOT_LISTED(self->fd, pid);
	EXPECT_NOT_DAWARE(pid);
}

TEST_F(process, unregisters_what_is_not_registered)
{
	EXPECT_NOT_UNREGISTERED(ENOENT, self->fd, self->inside.pid, 0);
	EXPECT_NOT_UNREGISTERED(ENOENT, self->fd, self->inside.vpid, BY_VPID);
	EXPECT_NOT_UNREGISTERED(ENOENT, self->fd, self->host.pid, 0);
	EXPECT_NOT_UNREGISTERED(ENOENT, self->fd, 1, 0);
}

TEST_F(process, unregisters_with_signals)
{
	struct dre_process p = {
		.size = sizeof(p),
		.pid = self->inside.pid,
		.nr_signals = 1,
		.signals = { SIGTERM },
	};

	ASSERT_EQ(0, process_register(self->fd, self->inside.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_REFUSED(self->dre, self->fd, EINVAL,
		       dre_request(self->fd, DRE_IOC_PROCESS_UNREGISTER, &p));
	p.nr_signals = 0;
	EXPECT_REFUSED(self->dre, self->fd, EINVAL,
		       dre_request(self->fd, DRE_IOC_PROCESS_UNREGISTER, &p));
	EXPECT_NOT_UNREGISTERED(EINVAL, self->fd, self->inside.pid, OWN);
}

/* A machine has no pid namespace: its processes are those of the host, and have no VPIDs. */
TEST_F(process, of_a_machine)
{
	struct agent qemu;
	int fd;

	agent_start(&qemu, NULL, 0);
	fd = container_create(self->dre, SYS, qemu.pid, "machine");
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, process_register(fd, qemu.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_LISTED(fd, qemu.pid, 0, MANAGED, SIGNALS(SIGTERM));
	EXPECT_EVENT(fd, DRE_EVENT_REGISTERED, qemu.pid, 0, MANAGED);
	EXPECT_EQ(0, process_register(fd, self->host.pid, 0, NO_SIGNALS));
	EXPECT_LISTED(fd, self->host.pid, 0, MANAGED, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EXDEV, fd, self->inside.pid, 0, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(ESRCH, fd, 1, BY_VPID, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(ESRCH, fd, qemu.pid, BY_VPID, NO_SIGNALS);
	EXPECT_NOT_REGISTERED(EINVAL, fd, self->host.pid, OWN, SIGNALS(SIGTERM));
	EXPECT_NOT_UNREGISTERED(ESRCH, fd, qemu.pid, BY_VPID);
	EXPECT_EQ(0, process_unregister(fd, qemu.pid, 0));
	agent_kill(&qemu, SIGKILL);
	EXPECT_NOT_DAWARE(self->host.pid);
}

/* PIDs are those of whoever asks. */
TEST_F(process, asked_from_another_pid_namespace)
{
	struct dre_process reg = { .size = sizeof(reg), .pid = self->inside.vpid };
	struct dre_process unreg = { .size = sizeof(unreg), .pid = self->inside.vpid };
	struct dre_process host = { .size = sizeof(host), .pid = self->host.pid };
	struct agent *init = &self->first.c.init;

	EXPECT_EQ(0, agent_request(init, self->fd, DRE_IOC_PROCESS_REGISTER, &reg, sizeof(reg)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED, NO_SIGNALS);
	EXPECT_EQ(-ESRCH, agent_request(init, self->fd, DRE_IOC_PROCESS_REGISTER, &host,
					sizeof(host)));
	EXPECT_EQ(0, agent_request(init, self->fd, DRE_IOC_PROCESS_UNREGISTER, &unreg,
				   sizeof(unreg)));
	EXPECT_EQ(0, process_count(self->fd));
	/* The second container sees nothing of the first one, but VPIDs name it. */
	EXPECT_EQ(-ESRCH, agent_request(&self->second.init, self->fd, DRE_IOC_PROCESS_REGISTER,
					&host, sizeof(host)));
	reg.flags = BY_VPID;
	EXPECT_EQ(0, agent_request(&self->second.init, self->fd, DRE_IOC_PROCESS_REGISTER, &reg,
				   sizeof(reg)));
	EXPECT_LISTED(self->fd, self->inside.pid, self->inside.vpid, MANAGED, NO_SIGNALS);
}

TEST_HARNESS_MAIN
