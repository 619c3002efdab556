// SPDX-License-Identifier: GPL-2.0-only
/* Many at once: what must hold whoever comes first. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>

#include "test.h"

static void register_or_die(int dre)
{
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1, .signals = { SIGTERM } };

	if (dre_request(dre, DRE_IOC_SELF_REGISTER, &reg))
		_exit(1);
}

/* A process that dies at about the time when it is registered */

#define DYING		200
#define MOST_AT_ONCE	100

/*
 * Registering works until it is ESRCH, and nothing else comes in between. If it
 * worked at all, exactly one exit is told.
 */
TEST_F(container, dies_while_it_is_registered)
{
	struct tally tally;
	int i, n, ret, status, spin;
	pid_t pid;

	for (i = 0; i < DYING; i++) {
		pid = fork();
		if (!pid) {
			for (spin = 0; spin < i * 37 % 4000; spin++)
				asm volatile("");
			_exit(i & 0x7f);
		}
		for (n = 0; n < MOST_AT_ONCE; n++) {
			ret = process_register(self->c.fd, pid, 0, SIGNALS(SIGTERM));
			if (ret)
				break;
		}
		ASSERT_EQ(n < MOST_AT_ONCE ? -ESRCH : 0, ret);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ((i & 0x7f) << 8, status);
		EXPECT_EQ(0, process_count(self->c.fd));
		tally = (struct tally){};
		ASSERT_TRUE(eventually((tally_events(self->c.fd, &tally),
					tally.events[DRE_EVENT_EXITED] == !!n)));
		ASSERT_EQ(n, tally.events[DRE_EVENT_REGISTERED]);
		ASSERT_EQ(0, tally.events[DRE_EVENT_LOST]);
	}
	/* And not one more. */
	ASSERT_EQ(0, self_register(&self->inside, SIGNALS(SIGTERM)));
	EXPECT_EVENT(self->c.fd, DRE_EVENT_REGISTERED, self->inside.pid, self->inside.vpid, SELF);
	EXPECT_NO_EVENT(self->c.fd);
}

/* Nobody waits for it: it is gone as soon as it has exited. */
TEST_F(container, is_reaped_while_it_is_registered)
{
	struct tally tally = {};
	int i, ret, spin, exited;
	pid_t pid;

	ASSERT_NE(SIG_ERR, signal(SIGCHLD, SIG_IGN));
	for (i = 0; i < DYING; i++) {
		pid = fork();
		if (!pid) {
			for (spin = 0; spin < i * 37 % 4000; spin++)
				asm volatile("");
			_exit(0);
		}
		exited = 0;
		do {
			ret = process_register(self->c.fd, pid, 0, NO_SIGNALS);
			if (ret)
				ASSERT_EQ(-ESRCH, ret);
			/* Once gone it is gone. */
			ASSERT_TRUE(ret || !exited);
			exited |= ret;
			tally_events(self->c.fd, &tally);
		} while (!kill(pid, 0));
		ASSERT_EQ(-ESRCH, process_register(self->c.fd, pid, 0, NO_SIGNALS));
	}
	EXPECT_EQ(0, process_count(self->c.fd));
	signal(SIGCHLD, SIG_DFL);
}

/* The same with a container's init. */
TEST_F(container, dies_while_it_becomes_a_container)
{
	struct container c;
	struct dre_event event;
	int i, fd;

	for (i = 0; i < 60; i++) {
		container_start(&c, 0);
		kill(c.init.pid, SIGKILL);
		fd = container_create(self->dre, APP, c.init.pid, "dying");
		if (fd < 0) {
			ASSERT_EQ(-ESRCH, fd);
		} else {
			ASSERT_EQ(1, next_event(fd, &event));
			ASSERT_EQ(DRE_EVENT_ENDED, event.type);
			ASSERT_EQ(c.init.pid, event.pid);
			EXPECT_EOF(fd);
			close(fd);
		}
		agent_wait(&c.init);
		ASSERT_EQ(-ENOENT, container_open(self->dre, APP, "dying"));
		ASSERT_EQ(1, container_count(self->dre));
	}
}

/* 1,000 processes come and go while everything is read */

#define WORKERS		4
#define EACH		250
#define STAYERS		20

static int come_and_go(int fd, void *arg)
{
	int dre = dre_open(), i, status;
	pid_t pid[5] = {};

	/* Up to five at a time. */
	for (i = 0; i < EACH; i++) {
		if (pid[i % 5]) {
			if (waitpid(pid[i % 5], &status, 0) < 0 || status)
				return -ECHILD;
		}
		pid[i % 5] = fork();
		if (!pid[i % 5]) {
			register_or_die(dre);
			_exit(0);
		}
	}
	for (i = 0; i < 5; i++) {
		if (waitpid(pid[i], &status, 0) < 0 || status)
			return -ECHILD;
	}
	close(dre);
	return 0;
}

/* In the order of the stayers; each PID rises, so none can be there twice. */
static void expect_stayers(struct __test_metadata *_metadata, int fd, const struct agent *stayer,
			   __u32 step)
{
	struct dre_process_info info[16];
	struct dre_list list = {
		.size = sizeof(list),
		.entries = (uintptr_t)info,
		.entry_size = sizeof(info[0]),
	};
	int found = 0, last = 0;
	__u32 i;

	do {
		list.count = step;
		ASSERT_EQ(0, dre_request(fd, DRE_IOC_PROCESS_LIST, &list));
		for (i = 0; i < list.count; i++) {
			ASSERT_LT(last, info[i].pid);
			last = info[i].pid;
			if (found < STAYERS && last == stayer[found].pid)
				found++;
		}
	} while (list.cursor);
	ASSERT_EQ(STAYERS, found);
}

TEST_F_TIMEOUT(container, a_thousand_come_and_go, 120)
{
	static const size_t sizes[] = { 65536, 100, 4096, 333 };
	struct agent worker[WORKERS], stayer[STAYERS];
	int i, fd, running = WORKERS, rounds = 0;
	char *text, *line;

	for (i = 0; i < STAYERS; i++) {
		agent_start(&stayer[i], &self->c.init, 0);
		ASSERT_EQ(0, self_register(&stayer[i], SIGNALS(SIGTERM, SIGHUP)));
	}
	for (i = 0; i < WORKERS; i++) {
		agent_start(&worker[i], &self->c.init, 0);
		agent_send(&worker[i], -1, come_and_go, NULL, 0);
	}
	while (running) {
		fd = open(DAWARE, O_RDONLY | O_CLOEXEC);
		text = read_all(fd, sizes[rounds % ARRAY_SIZE(sizes)]);
		ASSERT_NE(NULL, text);
		ASSERT_STREQ("nothing", daware_malformed(text) ?: "nothing") {
			TH_LOG("%s", text);
		}
		for (i = 0; i < STAYERS; i++) {
			line = daware_line(text, stayer[i].pid);
			ASSERT_NE(NULL, line) {
				TH_LOG("%d is missing in %s", stayer[i].pid, text);
			}
			free(line);
		}
		free(text);
		close(fd);
		expect_stayers(_metadata, self->c.fd, stayer, 1 + rounds % 16);
		for (i = 0; i < WORKERS; i++) {
			if (worker[i].sock >= 0 && readable(worker[i].sock)) {
				ASSERT_EQ(0, agent_receive(&worker[i], NULL, 0));
				worker[i].sock = -1;
				running--;
			}
		}
		rounds++;
	}
	/* Else it was no test. */
	EXPECT_LT(3, rounds);
	EXPECT_EQ(STAYERS, process_count(self->c.fd));
	EXPECT_EQ(STAYERS, daware_lines(read_daware()));
}

/* Storms */

#define STORM		150
#define THREADS		3

struct storm {
	int errors;
	int registered;
	int unregistered;
};

static struct storm storm;

static void *storm_thread(void *arg)
{
	int dre = dre_open(), i, ret;
	struct dre_self reg = { .size = sizeof(reg), .nr_signals = 1 };
	struct dre_self unreg = { .size = sizeof(unreg) };

	for (i = 0; i < STORM; i++) {
		reg.signals[0] = 1 + i % 8;
		ret = dre_request(dre, DRE_IOC_SELF_REGISTER, &reg);
		__atomic_add_fetch(ret ? &storm.errors : &storm.registered, 1, __ATOMIC_SEQ_CST);
		/* Another thread, or a manager, may have been faster. */
		ret = dre_request(dre, DRE_IOC_SELF_UNREGISTER, &unreg);
		if (!ret)
			__atomic_add_fetch(&storm.unregistered, 1, __ATOMIC_SEQ_CST);
		else if (ret != -ENOENT)
			__atomic_add_fetch(&storm.errors, 1, __ATOMIC_SEQ_CST);
	}
	close(dre);
	return NULL;
}

static int storm_process(int fd, void *arg)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&thread[i], NULL, storm_thread, NULL))
			return -EAGAIN;
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	*(struct storm *)arg = storm;
	return 0;
}

/* Several processes with several threads each do it to themselves; a manager does it too. */
TEST_F_TIMEOUT(container, register_and_unregister, 120)
{
	struct agent a[3];
	struct storm result;
	struct tally tally = {};
	int i, ret, running = 3, managed = 0, taken = 0, registered = 0;

	for (i = 0; i < 3; i++) {
		agent_start(&a[i], &self->c.init, 0);
		agent_send(&a[i], -1, storm_process, &result, sizeof(result));
	}
	while (running) {
		for (i = 0; i < 3; i++) {
			if (a[i].sock < 0)
				continue;
			ASSERT_EQ(0, process_register(self->c.fd, a[i].pid, 0, SIGNALS(SIGHUP)));
			managed++;
			tally_events(self->c.fd, &tally);
			ret = process_unregister(self->c.fd, a[i].pid, 0);
			ASSERT_EQ(0, ret);
			taken++;
			tally_events(self->c.fd, &tally);
			if (readable(a[i].sock)) {
				ASSERT_EQ(0, agent_receive(&a[i], &result, sizeof(result)));
				EXPECT_EQ(0, result.errors);
				EXPECT_EQ(THREADS * STORM, result.registered);
				registered += result.registered;
				a[i].sock = -1;
				running--;
			}
		}
	}
	tally_events(self->c.fd, &tally);
	EXPECT_EQ(0, process_count(self->c.fd));
	EXPECT_EQ(0, daware_lines(read_daware()));
	/* Every registration had its event, if none was lost. */
	if (!tally.events[DRE_EVENT_LOST])
		EXPECT_EQ(registered + managed, tally.events[DRE_EVENT_REGISTERED]);
	EXPECT_LT(0, taken);
	for (i = 0; i < 3; i++)
		kill(a[i].pid, SIGKILL);
	EXPECT_NO_EVENT(self->c.fd);
}

/* Two managers at once: one of them wins, and it is one only */

struct race {
	pthread_barrier_t start;
	int dre;
	struct container *c[2];
	int fd[2];
	pid_t pid;
	int result[2];
};

struct racer {
	struct race *race;
	int me;
	int (*run)(struct race *race, int me);
};

static int create_same_name(struct race *race, int me)
{
	return container_create(race->dre, APP, race->c[me]->init.pid, "same");
}

static int create_same_init(struct race *race, int me)
{
	return container_create(race->dre, APP, race->c[0]->init.pid, me ? "one" : "two");
}

static int register_same_process(struct race *race, int me)
{
	return process_register(race->fd[me], race->pid, 0, NO_SIGNALS);
}

static void *run_racer(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(&racer->race->start);
	racer->race->result[racer->me] = racer->run(racer->race, racer->me);
	return NULL;
}

/* Returns who won; the other one got @loss. */
static int run_race(struct __test_metadata *_metadata, struct race *race,
		    int (*run)(struct race *race, int me), int loss)
{
	struct racer racer[2] = { { race, 0, run }, { race, 1, run } };
	pthread_t thread[2];
	int i, winner;

	pthread_barrier_init(&race->start, NULL, 2);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, run_racer, &racer[i]));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(thread[i], NULL));
	winner = race->result[0] >= 0 ? 0 : 1;
	ASSERT_LE(0, race->result[winner]);
	ASSERT_EQ(loss, race->result[!winner]);
	return winner;
}

TEST_F(container, two_managers_create)
{
	struct container first, second;
	struct race race = { .dre = self->dre, .c = { &first, &second } };
	int i, files;

	for (i = 0; i < 30; i++) {
		container_start(&first, 0);
		container_start(&second, 0);
		files = open_files();
		close(race.result[run_race(_metadata, &race, create_same_name, -EEXIST)]);
		ASSERT_EQ(2, container_count(self->dre));
		ASSERT_EQ(files, open_files());
		container_kill(&first);
		container_kill(&second);
		ASSERT_EQ(1, container_count(self->dre));
		container_start(&first, 0);
		files = open_files();
		close(race.result[run_race(_metadata, &race, create_same_init, -EBUSY)]);
		ASSERT_EQ(2, container_count(self->dre));
		ASSERT_EQ(files, open_files());
		container_kill(&first);
		ASSERT_EQ(1, container_count(self->dre));
	}
}

TEST_F(container, two_managers_register)
{
	struct container second;
	struct race race = { .dre = self->dre };
	struct agent host;
	int i, winner;

	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2");
	ASSERT_LE(0, second.fd);
	race.fd[0] = self->c.fd;
	race.fd[1] = second.fd;
	agent_start(&host, NULL, 0);
	race.pid = host.pid;
	for (i = 0; i < 100; i++) {
		winner = run_race(_metadata, &race, register_same_process, -EBUSY);
		EXPECT_EQ(1, process_count(race.fd[winner]));
		EXPECT_EQ(0, process_count(race.fd[!winner]));
		ASSERT_EQ(0, process_unregister(race.fd[winner], race.pid, 0));
	}
	agent_kill(&host, SIGKILL);
	container_kill(&second);
}

/* Containers come and go while others use them by name. */

#define REBIRTHS	40

/* Until *@arg, which the agents share with the test, says that it is enough. */
static int use_by_name(int fd, void *arg)
{
	const bool *enough = *(bool **)arg;
	struct dre_process_info info;
	struct dre_event event;
	int dre = dre_open(), ret, opened = 0;
	__u32 n;

	while (!__atomic_load_n(enough, __ATOMIC_SEQ_CST)) {
		fd = container_open(dre, APP, "phoenix");
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		opened++;
		/* Some are used for as long as the container lives: they see its end. */
		if (opened % 4 == 0) {
			event.type = 0;
			while ((ret = next_event(fd, &event)) > 0)
				;
			if (ret || event.type != DRE_EVENT_ENDED)
				return -EBADMSG;
		}
		ret = process_register(fd, 1, DRE_REGISTER_BY_VPID, SIGNALS(SIGUSR1));
		if (ret && ret != -ESRCH && ret != -ENODEV)
			return ret;
		ret = process_find(fd, 1, &info);
		if (ret && ret != -ENOENT && ret != -ENODEV)
			return ret;
		ret = container_terminate(fd, &n, &n);
		if (ret && ret != -ENODEV)
			return ret;
		close(fd);
	}
	close(dre);
	return opened;
}

TEST_F_TIMEOUT(container, come_and_go_while_used, 120)
{
	struct agent user[2];
	struct container phoenix;
	bool *enough;
	int i;

	enough = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)enough);
	for (i = 0; i < 2; i++) {
		agent_start(&user[i], NULL, 0);
		agent_send(&user[i], -1, use_by_name, &enough, sizeof(enough));
	}
	for (i = 0; i < REBIRTHS; i++) {
		container_start(&phoenix, 0);
		phoenix.fd = container_create(self->dre, APP, phoenix.init.pid, "phoenix");
		ASSERT_LE(0, phoenix.fd);
		if (i & 1)
			self_register(&phoenix.init, SIGNALS(SIGTERM));
		container_kill(&phoenix);
		close(phoenix.fd);
	}
	__atomic_store_n(enough, true, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++) {
		EXPECT_LT(0, agent_receive(&user[i], NULL, 0));
		agent_kill(&user[i], SIGKILL);
	}
	EXPECT_EQ(1, container_count(self->dre));
}

TEST_HARNESS_MAIN
