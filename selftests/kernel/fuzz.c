// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer of the requests that knows their structures: several processes, in
 * and out of containers and with different privileges, make requests at once,
 * while what they are about comes and goes and files change hands.
 *
 *	fuzz [--seed N] [--requests N] [--processes N]
 *
 * A seed repeats the same requests of each process; what they meet is up to the
 * machine. DRE_SEED and DRE_FUZZ in the environment stand for --seed and
 * --requests.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest.h>

#include "fuzz.h"

/* A worker that makes no request for that long hangs. */
#define HANGS_AFTER	(300 * 1000)

struct world *world;
int market[2];

static int workers = 8;
static bool failed;

/* What sorts of workers there are, over and over again. */
static const struct {
	int container;
	uid_t uid;
} sorts[] = {
	{ HOST, 0 }, { HOST, 0 }, { 0, 0 }, { HOST, 65534 },
	{ HOST, 0 }, { 1, 1000 }, { CONTAINERS - 1, 0 }, { 2, 0 },
};

#define SORT(_worker)	(&sorts[(_worker) % (sizeof(sorts) / sizeof(sorts[0]))])

static void __noreturn worker_main(int me)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setresuid(SORT(me)->uid, SORT(me)->uid, SORT(me)->uid))
		_exit(0);
	request_prepare(SORT(me)->container);
	while (world->next[me] < world->share)
		request_make(me, __atomic_fetch_add(&world->next[me], 1, __ATOMIC_RELAXED));
	_exit(0);
}

/* All of them, also those that libc keeps for itself. */
static uint64_t set_blocked(uint64_t blocked)
{
	uint64_t before;

	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, &before, sizeof(blocked)))
		die("sigprocmask");
	return before;
}

/*
 * It goes on where the one before it was when its container ended. No signal may end it, and
 * others may register it with one, and terminate it, as soon as it is there.
 */
static void start_worker(int i)
{
	int container = SORT(i)->container;
	pid_t pid = 0;
	uint64_t before;

	world->worker[i].container = container;
	if (world->next[i] < world->share && population_lives(container)) {
		before = set_blocked(-1);
		pid = population_fork(container);
		if (!pid) {
			world->worker[i].vpid = getpid();
			worker_main(i);
		}
		set_blocked(before);
	}
	world->worker[i].pid = pid;
}

static void worker_ended(int i, int status)
{
	bool may_be_killed = SORT(i)->container != HOST;

	world->worker[i].pid = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (may_be_killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return;
	printf("# worker %d ended with status %#x before its request %lu\n", i, status,
	       world->next[i]);
	failed = true;
}

static void reap(void)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < workers && world->worker[i].pid != pid; i++)
			;
		if (i < workers)
			worker_ended(i, status);
		else
			population_ended(pid);
	}
}

static unsigned long requests_made(void)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < workers; i++)
		sum += world->next[i];
	return sum;
}

/* Says how far it has come, ten times, and whether it goes on. */
static void watch(unsigned long now)
{
	static long long since;
	static unsigned long last, tenths;

	if (now * 10 / workers / world->share > tenths) {
		tenths++;
		printf("# %lu requests\n", now);
	}
	if (now != last || !since) {
		last = now;
		since = now_ms();
	} else if (now_ms() - since > HANGS_AFTER) {
		printf("# no request has returned for %d s\n", HANGS_AFTER / 1000);
		failed = true;
	}
}

/* Until all workers have made their share of requests. */
static void supervise(void)
{
	unsigned long now;
	int i, busy;

	do {
		reap();
		now = requests_made();
		population_churn(now);
		for (busy = i = 0; i < workers; i++) {
			if (world->worker[i].pid <= 0)
				start_worker(i);
			busy += world->next[i] < world->share || world->worker[i].pid > 0;
		}
		watch(now);
		usleep(10000);
	} while (busy && !failed);
}

static bool none_is_left(int dre)
{
	static const __u32 types[] = { DRE_CONTAINER_APP, DRE_CONTAINER_SYS };
	struct dre_container_open o;
	char *text = read_daware();
	bool none = !strcmp(text, DAWARE_HEADER) && !container_count(dre);
	int i, type;

	free(text);
	/* Nor one that has ended with somebody bound to it. */
	for (type = 0; type < 2; type++) {
		for (i = 0; i < 6; i++) {
			o = (struct dre_container_open) {
				.size = sizeof(o),
				.flags = DRE_OPEN_ENDED,
				.type = types[type],
			};
			snprintf(o.name, sizeof(o.name), "c%d", i);
			none = none && dre_request(dre, DRE_IOC_CONTAINER_OPEN, &o) == -ENOENT;
		}
	}
	return none;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (!*text || *end) {
		fprintf(stderr, "fuzz: %s is not a number\n", text);
		exit(2);
	}
	return n;
}

static unsigned long parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "requests", required_argument, NULL, 'r' },
		{ "processes", required_argument, NULL, 'p' },
		{}
	};
	unsigned long requests = number(getenv("DRE_FUZZ") ?: "200000");
	int c;

	if (getenv("DRE_SEED"))
		world->seed = number(getenv("DRE_SEED"));
	else if (getrandom(&world->seed, sizeof(world->seed), 0) != sizeof(world->seed))
		die("getrandom");
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 's')
			world->seed = number(optarg);
		else if (c == 'r')
			requests = number(optarg);
		else if (c == 'p')
			workers = number(optarg);
		else
			exit(2);
	}
	if (optind < argc || workers < 1 || workers > WORKERS_MAX || !requests) {
		fprintf(stderr, "usage: fuzz [--seed N] [--requests N] [--processes 1-%d]\n",
			WORKERS_MAX);
		exit(2);
	}
	return requests;
}

int main(int argc, char **argv)
{
	const struct rlimit files = { 256, 256 };
	unsigned long requests;
	long long began;
	int dre, i;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (world == MAP_FAILED)
		die("mmap");
	if (!strcmp(argv[0], "person"))
		person_after_exec(argv[1]);
	requests = parse(argc, argv);
	world->share = (requests + workers - 1) / workers;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	ksft_set_plan(3);
	printf("# --seed %#" PRIx64 " --requests %lu --processes %d\n", world->seed, requests, workers);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, market) ||
	    setrlimit(RLIMIT_NOFILE, &files) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("socketpair, setrlimit or prctl");

	population_start();
	began = now_ms();
	supervise();
	printf("# %lu requests in %lld s\n", requests_made(), (now_ms() - began) / 1000);
	for (i = 0; i < workers; i++)
		if (world->worker[i].pid > 0)
			kill(world->worker[i].pid, SIGKILL);
	close(market[0]);
	close(market[1]);
	population_end();

	ksft_test_result(!failed, "no worker fails or hangs\n");
	ksft_test_result(report(requests), "each gives what it must, and nothing else\n");
	dre = dre_open();
	ksft_test_result(eventually(none_is_left(dre)), "nothing is left\n");
	close(dre);
	ksft_finished();
}
