// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A process that has about everything that a checkpoint has to keep, and knows
 * what of it works. It is linked statically, to run in any container.
 *
 *	payload [MEGABYTES]	of memory; goes into the background when all is there
 *
 * At SIGUSR1 it uses each thing once and writes "payload holds N" in the
 * journal, for the Nth time, or "payload lost" and what.
 */
#include <arpa/inet.h>
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
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE	"what was sent before"

static int journal;

static void note(const char *what, const char *which, int number)
{
	char line[128];

	snprintf(line, sizeof(line), "payload %s%s%s %d\n", what, *which ? " " : "", which, number);
	if (write(journal, line, strlen(line)) < 0)
		err(1, "journal");
}

/* A channel with a message in it, which stays there from one use to the next. */
struct channel {
	int in, out;
};

static bool send_message(const struct channel *c)
{
	return write(c->in, MESSAGE, sizeof(MESSAGE)) == sizeof(MESSAGE);
}

static bool channel_holds(const struct channel *c)
{
	char text[64];

	return read(c->out, text, sizeof(text)) == sizeof(MESSAGE) && !strcmp(text, MESSAGE) &&
	       send_message(c);
}

static struct channel pipes, local, loopback;

static bool pipe_holds(void)
{
	return channel_holds(&pipes);
}

static bool local_holds(void)
{
	return channel_holds(&local);
}

static bool loopback_holds(void)
{
	return channel_holds(&loopback);
}

static void make_loopback(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	loopback.in = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) ||
	    connect(loopback.in, (struct sockaddr *)&addr, len))
		err(1, "loopback");
	loopback.out = accept(listener, NULL, NULL);
}

static void make_channels(void)
{
	if (pipe((int *)&pipes) || socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)&local))
		err(1, "channels");
	pipes = (struct channel){ pipes.out, pipes.in };
	make_loopback();
	send_message(&pipes);
	send_message(&local);
	send_message(&loopback);
}

/* A file, open where it is written to, and one that is removed. */
static int file, removed;
static int written;

static bool file_grows(int fd)
{
	char c = 0;

	return lseek(fd, 0, SEEK_CUR) == written && write(fd, "x", 1) == 1 &&
	       pread(fd, &c, 1, 0) == 1 && c == 'x' && lseek(fd, 0, SEEK_END) == written + 1;
}

static bool files_hold(void)
{
	bool holds = file_grows(file) && file_grows(removed) && access("/gone", F_OK);

	written++;
	return holds;
}

static void make_files(void)
{
	file = open("/file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	removed = open("/gone", O_RDWR | O_CREAT, 0600);
	if (file < 0 || removed < 0 || unlink("/gone"))
		err(1, "files");
	files_hold();
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

static struct pair thread_pair, shared_pair, sysv_pair, mapped_pair;

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

static void make_pairs(void)
{
	static atomic_int words[2];
	int fd = open("/mapped", O_RDWR | O_CREAT | O_TRUNC, 0600);
	pthread_t id;

	if (ftruncate(fd, 4096))
		err(1, "/mapped");
	thread_pair = pair_at(words);
	shared_pair = pair_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				   -1, 0));
	sysv_pair = pair_at(shmat(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600), NULL, 0));
	mapped_pair = pair_at(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	mapped_pair.answer = shared_pair.answer + 1;
	if (!fork())
		answer_for_ever();
	if (pthread_create(&id, NULL, thread, NULL))
		errx(1, "no thread");
}

/* Timers that tick. */
static atomic_int ticks;
static int timer_fd, epoll_fd, event_fd;

static void tick(int signo)
{
	(void)signo;
	ticks++;
}

static bool timer_holds(void)
{
	int before = ticks;

	for (int i = 0; i < 5000 && ticks == before; i++)
		usleep(1000);
	return ticks != before;
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
	timer_t timer;

	signal(SIGRTMIN, tick);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	epoll_fd = epoll_create1(0);
	event_fd = eventfd(0, 0);
	if (timer_create(CLOCK_MONOTONIC, &how, &timer) || timer_settime(timer, 0, &often, NULL) ||
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

static const struct {
	const char *name;
	bool (*holds)(void);
} things[] = {
	{ "files", files_hold }, { "pipe", pipe_holds }, { "socket pair", local_holds },
	{ "loopback", loopback_holds }, { "thread", thread_holds },
	{ "shared memory", shared_holds }, { "System V memory", sysv_holds },
	{ "mapped file", mapped_holds }, { "timer", timer_holds }, { "timerfd", timerfd_holds },
	{ "epoll", epoll_holds }, { "memory", memory_holds },
};

int main(int argc, char **argv)
{
	sigset_t set;
	int signo;

	journal = open("/var/log/journal", O_WRONLY | O_APPEND | O_CREAT, 0666);
	if (journal < 0 || daemon(0, 0))
		err(1, "payload");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	make_memory(argc > 1 ? atoi(argv[1]) : 0);
	make_channels();
	make_files();
	make_pairs();
	make_timers();
	note("is ready", "", getpid());
	for (int n = 1; ; n++) {
		bool all = true;

		sigwait(&set, &signo);
		for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++)
			if (!things[i].holds()) {
				note("lost", things[i].name, n);
				all = false;
			}
		if (all)
			note("holds", "", n);
	}
}
