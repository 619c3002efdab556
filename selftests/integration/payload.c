// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A process that has about everything that a checkpoint has to keep, and knows
 * what of it works. It is linked statically, to run in any container.
 *
 *	payload MEGABYTES [JOURNAL]
 *
 * It has so much memory and goes into the background. At SIGUSR1 it uses each thing once and writes
 * "payload holds N" in the journal, for the Nth time, or "payload lost" and what.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "payload.h"

static int journal;

static void note(const char *what, const char *which, int number)
{
	char line[128];

	snprintf(line, sizeof(line), "payload %s%s%s %d\n", what, *which ? " " : "", which, number);
	if (write(journal, line, strlen(line)) < 0)
		err(1, "journal");
}

/* Somebody who answers with what it is asked: a thread, and a process, by several kinds of memory. */
struct pair {
	atomic_int *question;
	atomic_int *answer;
};

static bool is_answered(const struct pair *p)
{
	int question = ++*p->question;

	for (int i = 0; i < 5000 && *p->answer != question; i++)
		usleep(1000);
	return *p->answer == question;
}

static void answer(const struct pair *p)
{
	if (*p->answer != *p->question)
		*p->answer = *p->question;
}

static struct pair thread_pair, shared_pair, sysv_pair, mapped_pair, memfd_pair, shm_pair;

static bool thread_holds(void)
{
	return is_answered(&thread_pair);
}

static bool shared_holds(void)
{
	return is_answered(&shared_pair);
}

static bool sysv_holds(void)
{
	return is_answered(&sysv_pair);
}

static bool mapped_holds(void)
{
	return is_answered(&mapped_pair);
}

static bool memfd_holds(void)
{
	return is_answered(&memfd_pair);
}

static bool shm_holds(void)
{
	return is_answered(&shm_pair);
}

static void *thread(void *arg)
{
	(void)arg;
	for (;;) {
		answer(&thread_pair);
		usleep(1000);
	}
	return NULL;
}

/* The other process has the file of the question open for reading only. */
static void answer_for_ever(void)
{
	int fd = open("/mapped", O_RDONLY);
	const atomic_int *question = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (question == MAP_FAILED)
		err(1, "/mapped");
	for (;;) {
		answer(&shared_pair);
		answer(&sysv_pair);
		answer(&memfd_pair);
		answer(&shm_pair);
		*mapped_pair.answer = *question;
		usleep(1000);
	}
}

static struct pair pair_at(void *memory)
{
	if (memory == MAP_FAILED)
		err(1, "memory");
	return (struct pair){ memory, (atomic_int *)memory + 1 };
}

static struct pair pair_in_file(int fd)
{
	if (ftruncate(fd, 4096))
		err(1, "mapped file");
	return pair_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
}

/* As an init of a distribution makes it. */
static int open_shm(void)
{
	if (!mkdir("/dev/shm", 0755) && mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL))
		err(1, "/dev/shm");
	return shm_open("/payload", O_RDWR | O_CREAT, 0600);
}

static void make_pairs(void)
{
	static atomic_int words[2];
	pthread_t id;

	thread_pair = pair_at(words);
	shared_pair = pair_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				   -1, 0));
	sysv_pair = pair_at(shmat(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), NULL, 0));
	mapped_pair = pair_in_file(open("/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600));
	mapped_pair.answer = shared_pair.answer + 1;
	memfd_pair = pair_in_file(memfd_create("payload", 0));
	shm_pair = pair_in_file(open_shm());
	if (!fork())
		answer_for_ever();
	if (pthread_create(&id, NULL, thread, NULL))
		errx(1, "no thread");
}

/* Timers that tick. */
static atomic_int ticks, alarms;
static int timer_fd, epoll_fd, event_fd;

static void tick(int signo)
{
	if (signo == SIGALRM)
		alarms++;
	else
		ticks++;
}

static bool goes_on(const atomic_int *count)
{
	int before = *count;

	for (int i = 0; i < 5000 && *count == before; i++)
		usleep(1000);
	return *count != before;
}

static bool timer_holds(void)
{
	return goes_on(&ticks);
}

static bool alarm_holds(void)
{
	return goes_on(&alarms);
}

/* CRIU does not restore one that has expired since it was read. */
static bool timerfd_holds(void)
{
	struct itimerspec t;

	return !timerfd_gettime(timer_fd, &t) && t.it_value.tv_sec > 500 &&
	       t.it_interval.tv_sec == 1000;
}

static bool epoll_holds(void)
{
	struct epoll_event event;
	eventfd_t value = 0;

	return !eventfd_write(event_fd, 7) && epoll_wait(epoll_fd, &event, 1, 5000) == 1 &&
	       event.data.u32 == 42 && !eventfd_read(event_fd, &value) && value == 7;
}

static void make_timers(void)
{
	const struct itimerspec often = { { .tv_nsec = 50000000 }, { .tv_nsec = 50000000 } };
	const struct itimerspec seldom = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 42 };
	const struct itimerval alarm = { { .tv_usec = 70000 }, { .tv_usec = 70000 } };
	timer_t timer;

	signal(SIGRTMIN, tick);
	signal(SIGALRM, tick);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	epoll_fd = epoll_create1(0);
	event_fd = eventfd(0, 0);
	if (timer_create(CLOCK_MONOTONIC, &how, &timer) || timer_settime(timer, 0, &often, NULL) ||
	    setitimer(ITIMER_REAL, &alarm, NULL) ||
	    timerfd_settime(timer_fd, 0, &seldom, NULL) ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event))
		err(1, "timers");
}

static uint32_t *memory;
static size_t nr_words;

static bool memory_holds(void)
{
	static uint32_t version;
	size_t i;

	for (i = 0; i < nr_words && memory[i] == (i % 4096 ? i : i + version); i++)
		;
	if (i < nr_words)
		return false;
	/* Some of it changes. */
	version++;
	for (i = 0; i < nr_words; i += 4096)
		memory[i] = i + version;
	return true;
}

static void make_memory(size_t megabytes)
{
	nr_words = megabytes * 1024 * 1024 / sizeof(*memory);
	memory = malloc(nr_words * sizeof(*memory));
	for (size_t i = 0; i < nr_words; i++)
		memory[i] = i;
}

static const struct thing things[] = {
	{ "thread", thread_holds }, { "shared memory", shared_holds }, { "System V memory", sysv_holds },
	{ "mapped file", mapped_holds }, { "memfd", memfd_holds }, { "POSIX memory", shm_holds },
	{ "timer", timer_holds }, { "alarm", alarm_holds }, { "timerfd", timerfd_holds },
	{ "epoll", epoll_holds }, { "memory", memory_holds },
};

void use_things(const struct thing *t, size_t nr, void (*lost)(const char *name))
{
	for (; nr; t++, nr--)
		if (!t->holds())
			lost(t->name);
}

/* How often everything was used, and whether something is lost. */
static int uses;
static bool has_lost;

static void lost(const char *name)
{
	note("lost", name, uses);
	has_lost = true;
}

static void use_all(void)
{
	has_lost = false;
	uses++;
	use_channels(lost);
	use_files(lost);
	use_things(things, sizeof(things) / sizeof(*things), lost);
	if (!has_lost)
		note("holds", "", uses);
}

int main(int argc, char **argv)
{
	sigset_t set;
	int signo;

	journal = open(argc > 2 ? argv[2] : "/var/log/journal", O_WRONLY | O_APPEND | O_CREAT, 0666);
	if (argc < 2 || journal < 0 || daemon(0, 0))
		err(1, "payload");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);	/* for a signalfd */
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGUSR2);
	make_memory(atoi(argv[1]));
	make_channels();
	make_files();
	make_pairs();
	make_timers();
	note("is ready", "", getpid());
	for (;;) {
		sigwait(&set, &signo);
		use_all();
	}
}
