// SPDX-License-Identifier: GPL-2.0-only
/* CONTAINER_TERMINATE: who gets which signal, and how the reactions come back. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "test.h"

#define EXPECT_TERMINATES(_fd, _signalled, _silent) do {			\
	__u32 _n, _s;								\
										\
	EXPECT_EQ(0, container_terminate(_fd, &_n, &_s));			\
	EXPECT_EQ((_signalled), _n);						\
	EXPECT_EQ((_silent), _s);						\
} while (0)

/* It got this signal, from the kernel, and no other. */
#define EXPECT_SIGNAL(_agent, _sig) do {					\
	struct agent *_a = (_agent);						\
	siginfo_t _info = {};							\
										\
	EXPECT_EQ((_sig), agent_signal(_a, &_info));				\
	EXPECT_EQ(SI_KERNEL, _info.si_code);					\
	EXPECT_EQ(0, _info.si_pid);						\
	EXPECT_NO_SIGNAL(_a);							\
} while (0)

#define EXPECT_NO_SIGNAL(_agent)	EXPECT_EQ(-EAGAIN, agent_signal(_agent, NULL))

TEST_F(container, nobody)
{
	EXPECT_TERMINATES(self->c.fd, 0, 0);
	EXPECT_NO_SIGNAL(&self->inside);
	EXPECT_NO_EVENT(self->c.fd);
}

TEST_F(container, the_first_signal)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGUSR2, SIGTERM, SIGHUP)));
	EXPECT_TERMINATES(self->c.fd, 1, 0);
	EXPECT_SIGNAL(&self->inside, SIGUSR2);
	/* Each time anew, with what is registered then. */
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(64, SIGUSR2)));
	EXPECT_TERMINATES(self->c.fd, 1, 0);
	EXPECT_SIGNAL(&self->inside, 64);
	EXPECT_LISTED(self->c.fd, self->inside.pid, self->inside.vpid, SELF, SIGNALS(64, SIGUSR2));
}

/* Whatever the caller has in the fields for the result. */
TEST_F(container, fills_the_result)
{
	struct dre_terminate t = { .size = sizeof(t), .signalled = 77, .silent = ~0U };

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EQ(0, dre_request(self->c.fd, DRE_IOC_CONTAINER_TERMINATE, &t));
	EXPECT_EQ(1, t.signalled);
	EXPECT_EQ(0, t.silent);
	EXPECT_SIGNAL(&self->inside, SIGTERM);
}

/* No signal is sent if the answer cannot be given, wherever memory turns read-only. */
TEST_F(container, result_that_cannot_be_written)
{
	char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dre_terminate *t;
	size_t before;
	int page;

	ASSERT_NE(MAP_FAILED, (void *)area);
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	for (before = 0; before <= sizeof(*t); before += 4) {
		for (page = 0; page < 2; page++) {
			/* Whole in a page that is written to: that works. */
			if (before == (page ? sizeof(*t) : 0))
				continue;
			ASSERT_EQ(0, mprotect(area, 8192, PROT_READ | PROT_WRITE));
			t = (void *)(area + 4096 - before);
			*t = (struct dre_terminate){ .size = sizeof(*t) };
			ASSERT_EQ(0, mprotect(area + page * 4096, 4096, PROT_READ));
			EXPECT_REFUSED(self->dre, self->c.fd, EFAULT,
				       dre_request(self->c.fd, DRE_IOC_CONTAINER_TERMINATE, t));
			EXPECT_NO_SIGNAL(&self->inside);
		}
	}
}

TEST_F(container, all_of_the_container_and_no_others)
{
	struct agent managed, silent, both, unregistered, host, stranger, gone;
	struct container second;

	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	ASSERT_LE(0, second.fd);
	agent_start(&managed, &self->c.init, 0);
	agent_start(&silent, &self->c.init, 0);
	agent_start(&both, &self->c.init, 0);
	agent_start(&unregistered, &self->c.init, 0);
	agent_start(&gone, &self->c.init, 0);
	agent_start(&host, NULL, 0);
	agent_start(&stranger, NULL, 0);

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&self->c.init, SIGNALS(SIGPWR)));
	ASSERT_EQ(0, process_register(self->c.fd, managed.pid, 0, SIGNALS(SIGUSR1)));
	ASSERT_EQ(0, process_register(self->c.fd, silent.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, process_register(self->c.fd, both.pid, 0, SIGNALS(SIGUSR1)));
	ASSERT_EQ(0, self_register(&both, SIGNALS(SIGUSR2)));
	ASSERT_EQ(0, process_register(self->c.fd, host.pid, 0, SIGNALS(SIGINT)));
	ASSERT_EQ(0, self_register(&stranger, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&gone, SIGNALS(SIGTERM)));
	agent_kill_only(&gone, SIGKILL);

	EXPECT_TERMINATES(self->c.fd, 5, 1);
	EXPECT_SIGNAL(&self->inside, SIGTERM);
	EXPECT_SIGNAL(&self->c.init, SIGPWR);
	EXPECT_SIGNAL(&managed, SIGUSR1);
	EXPECT_SIGNAL(&both, SIGUSR2);
	EXPECT_SIGNAL(&host, SIGINT);
	EXPECT_NO_SIGNAL(&silent);
	EXPECT_NO_SIGNAL(&unregistered);
	EXPECT_NO_SIGNAL(&stranger);
	EXPECT_NO_SIGNAL(&second.init);

	agent_kill(&host, SIGKILL);
	agent_kill(&stranger, SIGKILL);
	container_kill(&second);
}

static int default_actions(int fd, void *arg)
{
	sigset_t none;

	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) ? -errno : 0;
}

/* The three ways to react, as the manager sees them. */
TEST_F(container, reactions)
{
	struct agent refuses, unregisters;

	agent_start(&refuses, &self->c.init, 0);
	agent_start(&unregisters, &self->c.init, 0);
	ASSERT_EQ(0, agent_call(&self->inside, default_actions, NULL, 0));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&refuses, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&unregisters, SIGNALS(SIGTERM)));
	close(self->c.fd);
	self->c.fd = container_open(self->dre, APP, "c1");
	ASSERT_LE(0, self->c.fd);

	EXPECT_TERMINATES(self->c.fd, 3, 0);
	EXPECT_EVENT(self->c.fd, DRE_EVENT_EXITED, self->inside.pid, self->inside.vpid, SIGTERM);
	EXPECT_EQ(0, self_refuse(&refuses, SIGTERM));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REFUSED, refuses.pid, refuses.vpid, SIGTERM);
	EXPECT_EQ(0, self_unregister(&unregisters));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_UNREGISTERED, unregisters.pid, unregisters.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
	/* Who refused is still there, and asked again. */
	EXPECT_SIGNAL(&refuses, SIGTERM);
	EXPECT_TERMINATES(self->c.fd, 1, 0);
	EXPECT_SIGNAL(&refuses, SIGTERM);
}

TEST_F(container, of_a_machine)
{
	struct agent qemu;
	int fd;

	agent_start(&qemu, NULL, 0);
	fd = container_create(self->dre, SYS, qemu.pid, "machine");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, process_register(fd, qemu.pid, 0, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_TERMINATES(fd, 1, 0);
	EXPECT_SIGNAL(&qemu, SIGTERM);
	EXPECT_NO_SIGNAL(&self->inside);
	agent_kill(&qemu, SIGKILL);
}

/* The process is there as long as a thread of it is. */
TEST_F(container, of_a_process_without_its_leader)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_thread(&self->inside, true);
	EXPECT_TERMINATES(self->c.fd, 1, 0);
	EXPECT_SIGNAL(&self->inside, SIGTERM);
}

/* After execve(2) its own signals are gone: what a manager said is left, or nothing. */
TEST_F(container, of_a_new_program)
{
	struct agent managed;

	agent_start(&managed, &self->c.init, 0);
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&managed, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, managed.pid, 0, NO_SIGNALS));
	agent_exec(&self->inside);
	agent_exec(&managed);
	EXPECT_TERMINATES(self->c.fd, 0, 1);
	EXPECT_NO_SIGNAL(&self->inside);
	EXPECT_NO_SIGNAL(&managed);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

static int got;

static void count_signal(int sig)
{
	got += sig;
}

static int handle_sigterm(int fd, void *arg)
{
	struct sigaction action = { .sa_handler = count_signal, .sa_flags = SA_RESTART };

	return sigaction(SIGTERM, &action, NULL) ? -errno : default_actions(fd, arg);
}

static int get_got(int fd, void *arg)
{
	return got;
}

static bool is_frozen(const char *dir)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		die("%s", path);
	close(fd);
	return strstr(text, "frozen 1");
}

#define FREEZER		"/sys/fs/cgroup/dre-selftest"

/* Frozen it counts as signalled, and does not act before it is thawed. */
TEST_F(container, of_a_frozen_process)
{
	char number[16];
	int ret;

	ASSERT_EQ(0, mkdir(FREEZER, 0755));
	ASSERT_EQ(0, agent_call(&self->inside, handle_sigterm, NULL, 0));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	snprintf(number, sizeof(number), "%d", self->inside.pid);
	write_file(FREEZER, "cgroup.procs", number);
	write_file(FREEZER, "cgroup.freeze", "1");
	ASSERT_TRUE(eventually(is_frozen(FREEZER)));
	agent_send(&self->inside, -1, get_got, NULL, 0);
	EXPECT_TERMINATES(self->c.fd, 1, 0);
	EXPECT_EQ(0, readable(self->inside.sock));
	write_file(FREEZER, "cgroup.freeze", "0");
	ret = agent_receive(&self->inside, NULL, 0);
	EXPECT_EQ(SIGTERM, ret);
	agent_kill(&self->inside, SIGKILL);
	EXPECT_EQ(0, rmdir(FREEZER));
}

TEST_HARNESS_MAIN
