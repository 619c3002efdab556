// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <malloc.h>
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
#include <dre.h>

#include "mixed.h"

#define MANAGERS_MAX	16
#define OPERATIONS_MAX	32
#define CODES		256	/* the codes are smaller */

/* What libraries keep of what they do for the first time, which may be in the second half. */
#define GROWTH_MAX	(64 * 1024L)

/* A weight, see struct mixed_operation. */
#define OFTEN		10

/* For how much longer it goes on where a busy machine has not got round to all of that. Seconds. */
#define MORE		300

/* Who does not come back at all. Seconds. */
#define PATIENCE	600

/* Of a manager that lives. */
struct size {
	long heap, files;
};

/* All of them write to it. */
struct book {
	unsigned long seen[OPERATIONS_MAX][CODES];	/* how often each gave which code, negated */
	struct size half[MANAGERS_MAX], end[MANAGERS_MAX];
};

static const int explained[] = {
	0, DRE_ERR_CONTAINER_NONEXISTENCE, DRE_ERR_CONTAINER_EXISTENCE, DRE_ERR_CONTAINER_RUNNING,
	DRE_ERR_CONTAINER_STOPPED, DRE_ERR_CONTAINER_SUSPENDED, DRE_ERR_CONTAINER_BUSY, DRE_ERR_BASE_NONEXISTENCE,
	DRE_ERR_BASE_EXISTENCE, DRE_ERR_REMOVE_BASE_FAILED, DRE_ERR_SNAPSHOT_NONEXISTENCE,
	DRE_ERR_SNAPSHOT_EXISTENCE, DRE_ERR_CGROUP_NONEXISTENCE, DRE_ERR_CGROUP_EXISTENCE,
};

static struct size measure(void)
{
	struct size size = { .heap = (long)mallinfo2().uordblks };
	DIR *dir = opendir("/proc/self/fd");

	while (dir && readdir(dir))
		size.files++;
	if (dir)
		closedir(dir);
	return size;
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

static void manage(const struct mixed *mixed, struct book *book, int me, unsigned int seed, int seconds)
{
	time_t half = time(NULL) + seconds / 2, end = time(NULL) + seconds;
	bool measured = false;
	int nr = 0, ret;

	while (mixed->containers[nr])
		nr++;
	while (time(NULL) < end || (find_untried(mixed, book) && time(NULL) < end + MORE)) {
		const struct mixed_operation *op = pick(mixed->operations, &seed);

		ret = op->call(mixed->containers[rand_r(&seed) % nr]);
		if (ret > 0)	/* a state */
			ret = 0;
		if (is_missing(mixed, ret) || !may_be(mixed, (int)(op - mixed->operations), ret))
			printf("# %s: %d (%s)\n", op->name, ret, dre_last_error());
		__atomic_add_fetch(&book->seen[op - mixed->operations][-ret % CODES], 1, __ATOMIC_RELAXED);
		if (is_missing(mixed, ret))
			sleep(1);
		if (!measured && time(NULL) >= half) {
			book->half[me] = measure();
			measured = true;
		}
	}
	book->end[me] = measure();
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

/* Returns how many did not end well. */
static int wait_for_managers(const struct mixed *mixed, const pid_t *pids, int seconds)
{
	time_t end = time(NULL) + seconds + PATIENCE;
	int bad = 0, status;

	for (int i = 0; i < mixed->managers; i++) {
		while (!waitpid(pids[i], &status, WNOHANG)) {
			if (time(NULL) > end)
				kill(pids[i], SIGABRT);
			if (mixed->meanwhile)
				mixed->meanwhile();
			sleep(1);
		}
		if (status)
			printf("# manager %d ended with status %#x\n", i, status);
		bad += status != 0;
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

void mixed_run(const struct mixed *mixed)
{
	int seconds = getenv("DRE_MIXED") ? atoi(getenv("DRE_MIXED")) : mixed->seconds;
	struct book *book = mmap(NULL, sizeof(*book), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[MANAGERS_MAX];
	unsigned long bad;
	int grown;

	assert_true(book != MAP_FAILED);
	assert_true(mixed->managers <= MANAGERS_MAX);
	start_managers(mixed, book, pids, seconds);
	assert_int_equal(wait_for_managers(mixed, pids, seconds), 0);
	bad = report(mixed, book);
	grown = report_growth(mixed, book);
	assert_int_equal(bad, 0);
	assert_int_equal(grown, 0);
	assert_null(find_untried(mixed, book));
	munmap(book, sizeof(*book));
}
