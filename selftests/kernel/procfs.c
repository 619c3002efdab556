// SPDX-License-Identifier: GPL-2.0-only
/* /proc/daware: its lines, its namespace rule, reads in parts, poll(2). */
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "test.h"

#define EXPECT_LINE(_agent, _fmt, ...) do {					\
	char _line[512];							\
										\
	snprintf(_line, sizeof(_line), _fmt, ##__VA_ARGS__);			\
	EXPECT_DAWARE((_agent)->pid, _line);					\
} while (0)

TEST_F(container, empty)
{
	char *text = read_daware();

	EXPECT_STREQ("PID\tVPID\tSIGNALS\tCONTAINER\tCOMM\n", text);
}

TEST_F(container, lines)
{
	struct agent host, lonely, init = self->c.init, inside = self->inside;

	agent_start(&host, NULL, 0);
	agent_start(&lonely, NULL, 0);
	ASSERT_EQ(0, self_register(&inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(self->c.fd, init.pid, 0, SIGNALS(SIGHUP, SIGPWR, 64)));
	ASSERT_EQ(0, process_register(self->c.fd, host.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, self_register(&lonely, SIGNALS(SIGUSR2, SIGUSR1)));
	EXPECT_LINE(&inside, "%d\t%d\t15\tc1\tprocfs", inside.pid, inside.vpid);
	EXPECT_LINE(&init, "%d\t1\t1,30,64\tc1\tprocfs", init.pid);
	EXPECT_LINE(&host, "%d\t0\t-\tc1\tprocfs", host.pid);
	EXPECT_LINE(&lonely, "%d\t0\t12,10\t-\tprocfs", lonely.pid);
	EXPECT_NULL(daware_malformed(read_daware()));
	EXPECT_EQ(4, daware_lines(read_daware()));
	agent_kill(&host, SIGKILL);
	agent_kill(&lonely, SIGKILL);
	EXPECT_EQ(2, daware_lines(read_daware()));
}

TEST_F(container, longest_line)
{
	__u8 signals[DRE_SIGNALS_MAX + 1] = {};
	char list[256] = "";
	int sig, nr = 0;

	for (sig = 64; sig > 0; sig--) {
		if (sig == SIGKILL || sig == SIGSTOP)
			continue;
		signals[nr++] = sig;
		sprintf(list + strlen(list), "%s%d", sig == 64 ? "" : ",", sig);
	}
	ASSERT_EQ(0, self_register(&self->inside, signals));
	EXPECT_LINE(&self->inside, "%d\t%d\t%s\tc1\tprocfs", self->inside.pid, self->inside.vpid,
		    list);
}

/* The container may become known later, and goes first. */
TEST_F(container, container_of_a_line)
{
	struct container second;

	container_start(&second, 0);
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	EXPECT_LINE(&second.init, "%d\t0\t15\t-\tprocfs", second.init.pid);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2.example_org-3");
	ASSERT_LE(0, second.fd);
	EXPECT_LINE(&second.init, "%d\t1\t15\tc2.example_org-3\tprocfs", second.init.pid);
	container_kill(&second);
}

TEST_F(container, rising_pids)
{
	struct agent a[20];
	char *text;
	int i;

	for (i = 0; i < 20; i++)
		agent_start(&a[i], i % 2 ? &self->c.init : NULL, 0);
	for (i = 19; i >= 0; i--)
		ASSERT_EQ(0, self_register(&a[i], SIGNALS(SIGTERM)));
	text = read_daware();
	EXPECT_STREQ("nothing", daware_malformed(text) ?: "nothing");
	EXPECT_EQ(20, daware_lines(text));
	for (i = 0; i < 20; i++)
		EXPECT_STRNE("(nothing)", OR_NOTHING(daware_line(text, a[i].pid)));
	for (i = 0; i < 20; i += 2)
		agent_kill(&a[i], SIGKILL);
	EXPECT_EQ(10, daware_lines(read_daware()));
}

static int set_comm(int fd, void *arg)
{
	return prctl(PR_SET_NAME, arg) ? -errno : 0;
}

/* The kernel's own way to show it, in /proc/PID/status. */
static void status_name(pid_t pid, char name[64])
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "Name:%*1[\t]%63[^\n]", name) < 0)
		die("%s", path);
	fclose(f);
}

TEST_F(container, escapes)
{
	static const char *const comms[] = {
		"a\nb\\", "\n", "\\", "\\n", "a\tb", " a  b ", "123456789.12345", "\x01\x7f\xff",
		"\r\f\v", "\xc3\xa4", "%s%n", "(x) R 1", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
	};
	char name[64];
	size_t i;

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	for (i = 0; i < ARRAY_SIZE(comms); i++) {
		char comm[16] = "";

		strncpy(comm, comms[i], 15);
		ASSERT_EQ(0, agent_call(&self->inside, set_comm, comm, sizeof(comm)));
		status_name(self->inside.pid, name);
		EXPECT_LINE(&self->inside, "%d\t%d\t15\tc1\t%s", self->inside.pid,
			    self->inside.vpid, name);
		if (i == 0)
			EXPECT_STREQ("a\\nb\\\\", name);
	}
	ASSERT_EQ(0, agent_call(&self->inside, set_comm, (char[16]){ "" }, 16));
	EXPECT_LINE(&self->inside, "%d\t%d\t15\tc1\t", self->inside.pid, self->inside.vpid);
}

/* A process that has ended is not there, reaped or not. */
TEST_F(container, zombies)
{
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	agent_kill_only(&self->inside, SIGKILL);
	EXPECT_NOT_DAWARE(self->inside.pid);
}

/* The namespace rule */

static int read_there(int fd, void *arg)
{
	char *text = read_daware();

	strncpy(arg, text, AGENT_ARG_MAX - 1);
	free(text);
	return 0;
}

static char *read_in(struct agent *a)
{
	char *text = calloc(1, AGENT_ARG_MAX);

	agent_call(a, read_there, text, AGENT_ARG_MAX);
	return text;
}

TEST_F(container, inside)
{
	struct container own, second;
	struct agent first, host, neighbour;
	char path[64], expected[512], *text;
	int fd;

	container_start(&own, WITH_USERS | WITH_PROC);
	own.fd = container_create(self->dre, APP, own.init.pid, "own");
	ASSERT_LE(0, own.fd);
	container_start(&second, WITH_PROC);
	agent_start(&first, &own.init, 0);
	agent_start(&neighbour, &own.init, 0);
	agent_start(&host, NULL, 0);
	EXPECT_STREQ(DAWARE_HEADER, read_in(&own.init));

	/* One of each kind: inside, of another container, of the host, of the host for this one. */
	ASSERT_EQ(0, self_register(&own.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(own.fd, first.pid, 0, SIGNALS(SIGHUP, SIGINT)));
	ASSERT_EQ(0, process_register(own.fd, neighbour.pid, 0, NO_SIGNALS));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(NULL, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, process_register(own.fd, host.pid, 0, SIGNALS(SIGTERM)));
	EXPECT_EQ(6, daware_lines(read_daware()));
	snprintf(expected, sizeof(expected), DAWARE_HEADER
		 "1\t1\t15\town\tprocfs\n"
		 "%d\t%d\t1,2\town\tprocfs\n"
		 "%d\t%d\t-\town\tprocfs\n",
		 first.vpid, first.vpid, neighbour.vpid, neighbour.vpid);
	EXPECT_STREQ(expected, read_in(&own.init));
	EXPECT_STREQ(expected, read_in(&first));

	/* The mount counts, not who reads. */
	snprintf(path, sizeof(path), "/proc/%d/root%s", own.init.pid, DAWARE);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_STREQ(expected, read_all(fd, 4096));
	close(fd);
	text = read_in(&self->c.init);
	EXPECT_EQ(6, daware_lines(text));

	/* A container that nobody made known sees its processes without a name. */
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	EXPECT_STREQ(DAWARE_HEADER "1\t1\t15\t-\tprocfs\n", read_in(&second.init));
	EXPECT_STREQ(expected, read_in(&own.init));

	ASSERT_EQ(0, self_unregister(NULL));
	container_kill(&own);
	container_kill(&second);
	agent_kill(&host, SIGKILL);
}

static int mount_hidepid(int fd, void *arg)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("proc", "/proc", "proc", 0, arg) ? -errno : 0;
}

/* What a procfs mount hides of others is not to be seen in this file of it, either. */
TEST_F(container, hidden)
{
	static char options[][16] = { "hidepid=2", "hidepid=4", "hidepid=0" };
	struct agent reader, roots;
	char *all, *seen;
	size_t i;

	agent_start(&roots, NULL, 0);
	ASSERT_EQ(0, self_register(&roots, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		agent_start(&reader, NULL, CLONE_NEWNS);
		ASSERT_EQ(0, self_register(&reader, SIGNALS(SIGTERM)));
		ASSERT_EQ(0, agent_call(&reader, mount_hidepid, options[i], sizeof(options[i])));
		/* hidepid=4 asks for the right to trace: root has it. */
		all = read_in(&reader);
		EXPECT_STREQ(read_daware(), all);
		EXPECT_EQ(3, daware_lines(all));
		ASSERT_EQ(0, agent_call(&reader, become_nobody, NULL, 0));
		seen = read_in(&reader);
		EXPECT_STREQ("nothing", daware_malformed(seen) ?: "nothing");
		EXPECT_EQ(i < 2 ? 1 : 3, daware_lines(seen)) {
			TH_LOG("%s: %s", options[i], seen);
		}
		EXPECT_STRNE("(nothing)", OR_NOTHING(daware_line(seen, reader.pid)));
		agent_kill(&reader, SIGKILL);
	}
	agent_kill(&roots, SIGKILL);
}

/* Who somebody is: what the kernel compares, and whether it lets itself be looked at. */
struct ids {
	uid_t uid, euid;
	gid_t gid;
	bool dumpable;
	bool leader_exits;
};

static int become(int fd, void *arg)
{
	const struct ids *ids = arg;

	if (setresgid(ids->gid, ids->gid, ids->gid) ||
	    setresuid(ids->uid, ids->euid, ids->euid) ||
	    prctl(PR_SET_DUMPABLE, ids->dumpable) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return 0;
}

static int can_look_at(int fd, void *arg)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/proc/%d/status", *(pid_t *)arg);
	file = open(path, O_RDONLY | O_CLOEXEC);
	close(file);
	return file >= 0;
}

/* Line by line it is as /proc/PID is, for all kinds of processes, mounts, and who looks. */
TEST_F(container, hidden_as_in_proc_pid)
{
	static const struct ids ids[] = {
		{ 0, 0, 0, true, false },
		{ NOBODY, NOBODY, NOBODY, true, false },
		{ NOBODY, NOBODY, NOBODY, true, true },
		{ NOBODY, NOBODY, NOBODY, false, false },
		{ NOBODY, 0, NOBODY, true, false },		/* a set-user-ID program */
		{ 0, NOBODY, NOBODY, true, false },
		{ NOBODY, NOBODY, 1, true, false },
		{ 1, 1, NOBODY, true, false },
	};
	static const struct ids readers[] = {
		{ 0, 0, 0, true, false },
		{ NOBODY, NOBODY, NOBODY, true, false },
		{ NOBODY, NOBODY, 0, true, false },
		{ NOBODY, 0, NOBODY, true, false },
	};
	static char options[][24] = {
		"hidepid=0", "hidepid=1", "hidepid=2", "hidepid=4",
		"hidepid=1,gid=65534", "hidepid=2,gid=65534", "hidepid=4,gid=65534",
	};
	struct agent a[ARRAY_SIZE(ids)], reader;
	struct ids who;
	int can, hidden = 0;
	size_t i, j, k;
	char *seen;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		who = ids[i];
		agent_start(&a[i], NULL, 0);
		ASSERT_EQ(0, agent_call(&a[i], become, &who, sizeof(who)));
		if (who.leader_exits)
			agent_thread(&a[i], true);
		ASSERT_EQ(0, self_register(&a[i], SIGNALS(SIGTERM)));
	}
	for (j = 0; j < ARRAY_SIZE(options) * ARRAY_SIZE(readers); j++) {
		char *mount = options[j % ARRAY_SIZE(options)];

		who = readers[j / ARRAY_SIZE(options)];
		agent_start(&reader, NULL, CLONE_NEWNS);
		ASSERT_EQ(0, agent_call(&reader, mount_hidepid, mount, sizeof(options[0])));
		ASSERT_EQ(0, agent_call(&reader, become, &who, sizeof(who)));
		seen = read_in(&reader);
		for (k = 0; k < ARRAY_SIZE(ids); k++) {
			can = agent_call(&reader, can_look_at, &a[k].pid, sizeof(a[k].pid));
			hidden += !can;
			EXPECT_EQ(can, !!daware_line(seen, a[k].pid)) {
				TH_LOG("%s: process %zu, reader %zu", mount, k,
				       j / ARRAY_SIZE(options));
			}
		}
		free(seen);
		agent_kill(&reader, SIGKILL);
	}
	EXPECT_LT(0, hidden);
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		agent_kill(&a[i], SIGKILL);
}

/* Who is in a nested pid namespace is seen from above, and sees nobody above. */
TEST_F(container, nested)
{
	struct container outer, inner;
	char expected[256];

	container_start(&outer, WITH_PROC);
	outer.fd = container_create(self->dre, APP, outer.init.pid, "outer");
	ASSERT_LE(0, outer.fd);
	container_start_below(&inner, &outer.init, WITH_PROC);
	ASSERT_EQ(0, self_register(&outer.init, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, self_register(&inner.init, SIGNALS(SIGHUP)));
	EXPECT_LISTED(outer.fd, inner.init.pid, inner.init.child, SELF, SIGNALS(SIGHUP));
	snprintf(expected, sizeof(expected),
		 DAWARE_HEADER "1\t1\t15\touter\tprocfs\n%d\t%d\t1\touter\tprocfs\n",
		 inner.init.child, inner.init.child);
	EXPECT_STREQ(expected, read_in(&outer.init));
	EXPECT_STREQ(DAWARE_HEADER "1\t1\t1\touter\tprocfs\n", read_in(&inner.init));

	/* Once it is a container itself, its name is not the outer one's business. */
	inner.fd = container_create(self->dre, APP, inner.init.pid, "inner");
	ASSERT_LE(0, inner.fd);
	EXPECT_LISTED(inner.fd, inner.init.pid, 1, SELF, SIGNALS(SIGHUP));
	EXPECT_NOT_LISTED(outer.fd, inner.init.pid);
	EXPECT_LINE(&inner.init, "%d\t1\t1\tinner\tprocfs", inner.init.pid);
	snprintf(expected, sizeof(expected),
		 DAWARE_HEADER "1\t1\t15\touter\tprocfs\n%d\t%d\t1\t-\tprocfs\n",
		 inner.init.child, inner.init.child);
	EXPECT_STREQ(expected, read_in(&outer.init));
	EXPECT_STREQ(DAWARE_HEADER "1\t1\t1\tinner\tprocfs\n", read_in(&inner.init));
	container_kill(&outer);
}

/* Reads in parts */

TEST_F(container, reads_of_any_size)
{
	static const size_t sizes[] = { 1, 2, 63, 64, 100, 4095, 4096, 65536 };
	struct agent a[30];
	char *text, *whole;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(a); i++) {
		agent_start(&a[i], &self->c.init, 0);
		ASSERT_EQ(0, self_register(&a[i], SIGNALS(SIGTERM, SIGHUP, SIGINT, SIGUSR1)));
	}
	whole = read_daware();
	EXPECT_EQ(ARRAY_SIZE(a), daware_lines(whole));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fd = open(DAWARE, O_RDONLY);
		text = read_all(fd, sizes[i]);
		ASSERT_NE(NULL, text);
		EXPECT_STREQ(whole, text);
		/* And from the beginning. */
		EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
		text = read_all(fd, sizes[i]);
		EXPECT_STREQ(whole, text);
		close(fd);
	}
}

/* Who lives through all the reads is there once; lines are whole. */
TEST_F(container, changes_between_reads)
{
	static const size_t sizes[] = { 1, 64, 200 };
	struct agent stays[12], goes[12], comes;
	char *text, *stay;
	size_t i, round, used;
	ssize_t n;
	int fd;

	text = malloc(65536);
	for (round = 0; round < ARRAY_SIZE(sizes); round++) {
		for (i = 0; i < 12; i++) {
			agent_start(&stays[i], NULL, 0);
			agent_start(&goes[i], NULL, 0);
			ASSERT_EQ(0, self_register(&stays[i], SIGNALS(SIGTERM)));
			ASSERT_EQ(0, self_register(&goes[i], SIGNALS(SIGTERM)));
		}
		fd = open(DAWARE, O_RDONLY);
		for (used = 0, i = 0; ; used += n) {
			n = read(fd, text + used, sizes[round]);
			if (n <= 0)
				break;
			/* Behind, at and before the place where the reader is. */
			if (used > 150 * (i + 1) && i < 2) {
				agent_kill(&goes[i], SIGKILL);
				agent_kill(&goes[3 + i * 2], SIGKILL);
				agent_kill(&goes[11 - i], SIGKILL);
				agent_start(&comes, &self->c.init, 0);
				ASSERT_EQ(0, self_register(&comes, SIGNALS(SIGTERM)));
				i++;
			}
		}
		EXPECT_EQ(0, n);
		EXPECT_EQ(2, i);
		close(fd);
		text[used] = '\0';
		EXPECT_STREQ("nothing", daware_malformed(text) ?: "nothing") {
			TH_LOG("%s", text);
		}
		for (i = 0; i < 12; i++) {
			stay = daware_line(text, stays[i].pid);
			EXPECT_NE(NULL, stay);
			free(stay);
			agent_kill(&stays[i], SIGKILL);
		}
		for (i = 0; i < 12; i++) {
			if (i > 1 && i != 3 && i != 5 && i < 10)
				agent_kill(&goes[i], SIGKILL);
		}
	}
}

/* poll(2), as /proc/self/mounts has it */

#define CHANGED	(POLLPRI | POLLERR)

static int poll_daware(int fd, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	return poll(&p, 1, timeout) < 0 ? -errno : p.revents;
}

TEST_F(container, polls_changes)
{
	int fd = open(DAWARE, O_RDONLY), other = open(DAWARE, O_RDONLY);
	struct agent host;

	agent_start(&host, NULL, 0);
	EXPECT_EQ(0, poll_daware(fd, 0));
	EXPECT_EQ(POLLIN, readable(fd));

	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	EXPECT_EQ(0, poll_daware(fd, 0));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGHUP)));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	ASSERT_EQ(0, process_register(self->c.fd, self->inside.pid, 0, NO_SIGNALS));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	ASSERT_EQ(0, self_unregister(&self->inside));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	ASSERT_EQ(0, process_unregister(self->c.fd, self->inside.pid, 0));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	ASSERT_EQ(0, process_register(self->c.fd, host.pid, 0, NO_SIGNALS));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	agent_kill(&host, SIGKILL);
	EXPECT_EQ(CHANGED, poll_daware(fd, DEADLINE * 1000));
	EXPECT_EQ(0, poll_daware(fd, 0));

	/* Each file remembers for itself. What was refused, or only asked, is no change. */
	EXPECT_EQ(CHANGED, poll_daware(other, 0));
	EXPECT_EQ(0, poll_daware(other, 0));
	EXPECT_EQ(-ENOENT, self_unregister(&self->inside));
	EXPECT_EQ(-EINVAL, self_register(&self->inside, NO_SIGNALS));
	EXPECT_EQ(0, process_count(self->c.fd));
	free(snapshot(self->dre));
	EXPECT_EQ(0, poll_daware(fd, 0));
}

/* They change the CONTAINER of lines. */
TEST_F(container, polls_containers)
{
	struct container second;
	int fd = open(DAWARE, O_RDONLY);

	container_start(&second, 0);
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	ASSERT_LE(0, second.fd);
	EXPECT_EQ(CHANGED, poll_daware(fd, 0));
	container_kill(&second);
	EXPECT_EQ(CHANGED, poll_daware(fd, DEADLINE * 1000));
}

struct poller {
	int fd;
	int ret;
	pid_t tid;
};

static void *poll_it(void *arg)
{
	struct poller *p = arg;

	__atomic_store_n(&p->tid, gettid(), __ATOMIC_SEQ_CST);
	p->ret = poll_daware(p->fd, -1);
	return NULL;
}

TEST_F(container, polls_and_waits)
{
	struct poller p = { .fd = open(DAWARE, O_RDONLY) };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_it, &p));
	ASSERT_TRUE(eventually(process_state(__atomic_load_n(&p.tid, __ATOMIC_SEQ_CST)) == 'S'));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(CHANGED, p.ret);
}

TEST_F(container, epolls)
{
	struct epoll_event ev = { .events = EPOLLPRI };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = open(DAWARE, O_RDONLY);

	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev));
	EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EQ(1, epoll_wait(epoll, &ev, 1, DEADLINE * 1000));
	EXPECT_EQ(EPOLLPRI | EPOLLERR, ev.events);
	EXPECT_EQ(0, epoll_wait(epoll, &ev, 1, 0));
}

TEST_F(container, no_writing)
{
	int fd = open(DAWARE, O_RDWR);

	/* Root may open it all the same. */
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, "x", 1));
	EXPECT_EQ(EIO, errno);
}

TEST_HARNESS_MAIN
