// SPDX-License-Identifier: LGPL-2.1-or-later
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <daware.h>
#include <dre.h>

#include "growth.h"
#include "logd.h"
#include "mixed.h"

#define MANAGERS_MAX	16
#define CONTAINERS_MAX	16
#define OPERATIONS_MAX	32
#define CODES		256	/* the codes are smaller */

/* What libraries keep of what they do for the first time, which may be in the second half where that comes soon. */
#define GROWTH_MAX	(getenv("DRE_MIXED") ? 4096L : 65536L)

/* A weight, see struct mixed_operation. */
#define OFTEN		(getenv("DRE_MIXED") ? 1 : 10)

/* For how much longer it goes on where a busy machine has not got round to all of that. Seconds. */
#define MORE		300

/* Who does not come back at all. Seconds. */
#define PATIENCE	600

/* How often the daemon of the log is restarted, and how long it is away. Seconds. */
#define LOG_RESTARTS	30
#define LOG_AWAY	12

/* What a message may take: who waits for the daemon takes longer. Seconds. */
#define MESSAGE_MAX	(LOG_AWAY - 1)

/* Of a manager that lives. */
struct size {
	long heap, files;
};

/* All of them write to it. */
struct book {
	unsigned long seen[OPERATIONS_MAX][CODES];	/* how often each gave which code, negated */
	long cost[OPERATIONS_MAX][CODES];		/* bytes that those of the second half have left in the heap */
	struct size half[MANAGERS_MAX], end[MANAGERS_MAX];
	unsigned long messages[MANAGERS_MAX];
	double slowest[MANAGERS_MAX];			/* message, in seconds */
	int done;					/* how many have ended, but for their last message */
	bool logs;					/* the daemon of the log stays from now on */
};

static const char *const *containers;
static int nr_containers;

/* One for each of them. */
static pid_t processes[CONTAINERS_MAX];

static const int explained[] = {
	0, DRE_ERR_CONTAINER_NONEXISTENCE, DRE_ERR_CONTAINER_EXISTENCE, DRE_ERR_CONTAINER_RUNNING,
	DRE_ERR_CONTAINER_STOPPED, DRE_ERR_CONTAINER_SUSPENDED, DRE_ERR_CONTAINER_BUSY, DRE_ERR_BASE_NONEXISTENCE,
	DRE_ERR_BASE_EXISTENCE, DRE_ERR_REMOVE_BASE_FAILED, DRE_ERR_SNAPSHOT_NONEXISTENCE,
	DRE_ERR_SNAPSHOT_EXISTENCE, DRE_ERR_CGROUP_NONEXISTENCE, DRE_ERR_CGROUP_EXISTENCE,
};

/* The connection to the log is there or not, as its daemon is. */
static struct size measure(void)
{
	daware_log_close();
	return (struct size){ growth_heap(), growth_files() };
}

static const struct mixed_operation *pick(const struct mixed_operation *all, unsigned int *seed)
{
	unsigned int sum = 0, n;
	const struct mixed_operation *op;

	for (op = all; op->name; op++)
		sum += op->weight;
	n = (unsigned int)rand_r(seed) % sum;
	for (op = all; n >= op->weight; op++)
		n -= op->weight;
	return op;
}

static bool is_in(const int *codes, size_t nr, int code)
{
	for (size_t i = 0; i < nr; i++)
		if (codes[i] == code)
			return true;
	return false;
}

static bool is_missing(const struct mixed *mixed, int code)
{
	size_t nr = 0;

	while (mixed->also && mixed->also[nr])
		nr++;
	return is_in(mixed->also, nr, code);
}

static bool may_be(const struct mixed *mixed, int op, int code)
{
	return is_in(explained, sizeof(explained) / sizeof(*explained), code) || is_missing(mixed, code) ||
	       is_in(&mixed->operations[op].also, 1, code);
}

/* What of that which is done often has never succeeded, or NULL. */
static const char *find_untried(const struct mixed *mixed, const struct book *book)
{
	for (int i = 0; mixed->operations[i].name; i++)
		if (mixed->operations[i].weight >= OFTEN &&
		    !__atomic_load_n(&book->seen[i][0], __ATOMIC_RELAXED))
			return mixed->operations[i].name;
	return NULL;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void log_it(struct book *book, int me, const char *operation, const char *container, int code)
{
	double start = now();

	DLOG_INFO("manager %d: %s %s: %d", me, operation, container, code);
	book->messages[me]++;
	if (now() - start > book->slowest[me])
		book->slowest[me] = now() - start;
}

/* What is logged while the daemon is away is lost; the last message is not. */
static void say_goodbye(struct book *book, int me)
{
	__atomic_add_fetch(&book->done, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&book->logs, __ATOMIC_RELAXED))
		usleep(100000);
	log_it(book, me, "ends", "", 0);
}

static void manage(const struct mixed *mixed, struct book *book, int me, unsigned int seed, int seconds)
{
	time_t half = time(NULL) + seconds / 2, end = time(NULL) + seconds;
	bool measured = false;
	long before;
	int ret;

	while (time(NULL) < end || (find_untried(mixed, book) && time(NULL) < end + MORE)) {
		const struct mixed_operation *op = pick(mixed->operations, &seed);
		const char *container = containers[rand_r(&seed) % nr_containers];

		before = growth_heap();
		ret = op->call(container);
		if (ret > 0)	/* a state */
			ret = 0;
		if (is_missing(mixed, ret) || !may_be(mixed, (int)(op - mixed->operations), ret))
			printf("# %s: %d (%s)\n", op->name, ret, dre_last_error());
		if (measured)
			__atomic_add_fetch(&book->cost[op - mixed->operations][-ret % CODES], growth_heap() - before,
					   __ATOMIC_RELAXED);
		log_it(book, me, op->name, container, ret);
		__atomic_add_fetch(&book->seen[op - mixed->operations][-ret % CODES], 1, __ATOMIC_RELAXED);
		if (is_missing(mixed, ret))
			sleep(1);
		if (!measured && time(NULL) >= half) {
			book->half[me] = measure();
			measured = true;
		}
	}
	book->end[me] = measure();
	say_goodbye(book, me);
}

static void start_managers(const struct mixed *mixed, struct book *book, pid_t *pids, int seconds)
{
	const char *text = getenv("DRE_SEED");
	unsigned int seed = text ? (unsigned int)atoi(text) : (unsigned int)time(NULL);

	printf("# DRE_SEED=%u\n", seed);
	fflush(stdout);
	for (int i = 0; i < mixed->managers; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		manage(mixed, book, i, seed + (unsigned int)i, seconds);
		fflush(stdout);
		_exit(0);
	}
}

static bool restart_log(void)
{
	static int seconds;

	switch (++seconds % LOG_RESTARTS) {
	case LOG_RESTARTS - LOG_AWAY:
		return stop_logd();
	case 0:
		return start_logd();
	}
	return true;
}

/* Returns whether a manager has ended; it counts in @bad if it has not ended well. */
static bool has_ended(pid_t *pid, int manager, int *bad)
{
	int status;

	if (!*pid || !waitpid(*pid, &status, WNOHANG))
		return !*pid;
	*pid = 0;
	if (status)
		printf("# manager %d ended with status %#x\n", manager, status);
	*bad += status != 0;
	return true;
}

/* Returns how many did not end well. */
static int wait_for_managers(const struct mixed *mixed, struct book *book, pid_t *pids, int seconds)
{
	time_t end = time(NULL) + seconds + PATIENCE;
	int bad = 0, ended = 0;

	while (ended < mixed->managers) {
		ended = 0;
		for (int i = 0; i < mixed->managers; i++) {
			if (has_ended(&pids[i], i, &bad))
				ended++;
			else if (time(NULL) > end)
				kill(pids[i], SIGABRT);
		}
		if (!book->logs && bad + __atomic_load_n(&book->done, __ATOMIC_RELAXED) >= mixed->managers) {
			bad += !start_logd();
			__atomic_store_n(&book->logs, true, __ATOMIC_RELAXED);
		} else if (!book->logs) {
			bad += !restart_log();
			if (mixed->meanwhile)
				mixed->meanwhile();
		}
		sleep(1);
	}
	return bad;
}

/* Returns how many managers' last message has not arrived, or for how many one took too long. */
static int report_log(const struct mixed *mixed, const struct book *book)
{
	char text[32];
	int bad = 0;

	for (int i = 0; i < mixed->managers; i++) {
		bool there;

		snprintf(text, sizeof(text), "manager %d: ends ", i);
		there = logd_gets(text);
		printf("# manager %d: %lu messages, the slowest took %.2f s, the last one has %sarrived\n", i,
		       book->messages[i], book->slowest[i], there ? "" : "not ");
		bad += !there || book->slowest[i] > MESSAGE_MAX;
	}
	return bad;
}

/* Returns how many came to something else. */
static unsigned long report(const struct mixed *mixed, const struct book *book)
{
	unsigned long sum = 0, bad = 0;

	for (int i = 0; mixed->operations[i].name; i++) {
		printf("# %-20s", mixed->operations[i].name);
		for (int code = 0; code < CODES; code++) {
			if (!book->seen[i][code])
				continue;
			printf(" %d: %lu%s", -code, book->seen[i][code], may_be(mixed, i, -code) ? "" : " (!)");
			sum += book->seen[i][code];
			bad += may_be(mixed, i, -code) ? 0 : book->seen[i][code];
		}
		printf("\n");
	}
	printf("# %lu operations by %d managers, %lu with an error that nothing explains\n", sum, mixed->managers, bad);
	return bad;
}

static void report_costs(const struct mixed *mixed, const struct book *book)
{
	for (int i = 0; mixed->operations[i].name; i++)
		for (int code = 0; code < CODES; code++)
			if (book->cost[i][code])
				printf("# %s, %d: %+ld bytes\n", mixed->operations[i].name, -code,
				       book->cost[i][code]);
}

/* Returns how many managers have grown since they had lived half of their time. */
static int report_growth(const struct mixed *mixed, const struct book *book)
{
	int grown = 0;

	for (int i = 0; i < mixed->managers; i++) {
		long heap = book->end[i].heap - book->half[i].heap, files = book->end[i].files - book->half[i].files;

		printf("# manager %d: %+ld bytes, %+ld files\n", i, heap, files);
		grown += heap > GROWTH_MAX || files > 0;
	}
	return grown;
}

pid_t mixed_process(const char *container)
{
	int i = 0;

	while (strcmp(containers[i], container))
		i++;
	return processes[i];
}

void mixed_begin(const char *const *names)
{
	remove_logd();
	assert_true(start_logd());
	fflush(stdout);
	containers = names;
	for (nr_containers = 0; names[nr_containers]; nr_containers++) {
		assert_true(nr_containers < CONTAINERS_MAX);
		processes[nr_containers] = fork();
		assert_true(processes[nr_containers] >= 0);
		if (processes[nr_containers])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
}

/* The control group of a process, a line. */
static void read_group(pid_t pid, char *line, int size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, size, f));
	fclose(f);
}

void mixed_end(void)
{
	char ours[512], its[512];
	int status;

	read_group(getpid(), ours, sizeof(ours));
	for (int i = 0; i < nr_containers; i++) {
		read_group(processes[i], its, sizeof(its));
		assert_string_equal(its, ours);
		kill(processes[i], SIGKILL);
		assert_int_equal(waitpid(processes[i], &status, 0), processes[i]);
	}
	remove_logd();
}

void mixed_run(const struct mixed *mixed)
{
	int seconds = getenv("DRE_MIXED") ? atoi(getenv("DRE_MIXED")) : mixed->seconds;
	struct book *book = mmap(NULL, sizeof(*book), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[MANAGERS_MAX];
	unsigned long bad;
	int grown, silent;

	assert_true(book != MAP_FAILED);
	assert_true(mixed->managers <= MANAGERS_MAX);
	for (int i = 0; mixed->operations[i].name; i++)
		assert_true(i < OPERATIONS_MAX);
	start_managers(mixed, book, pids, seconds);
	assert_int_equal(wait_for_managers(mixed, book, pids, seconds), 0);
	bad = report(mixed, book);
	report_costs(mixed, book);
	grown = report_growth(mixed, book);
	silent = report_log(mixed, book);
	assert_int_equal(bad, 0);
	assert_int_equal(grown, 0);
	assert_int_equal(silent, 0);
	assert_null(find_untried(mixed, book));
	munmap(book, sizeof(*book));
}
