// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A D-Aware program with threads: each worker registers a callback of its own,
 * and finishes the job in hand when it is asked to terminate. Build it with
 *
 *	cc -D_GNU_SOURCE -pthread -o daware-worker daware-worker.c -ldaware
 */
#include <daware.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#define NR_WORKERS	3

struct worker {
	pthread_t thread;
	int number;
	pthread_mutex_t lock;	/* guards asked */
	bool asked;
};

/* Runs in the library's thread, and may take locks like any other. */
static int terminate(int signo, void *arg)
{
	struct worker *worker = arg;

	pthread_mutex_lock(&worker->lock);
	worker->asked = true;
	pthread_mutex_unlock(&worker->lock);
	DLOG_INFO("worker %d was asked by signal %d", worker->number, signo);
	return 0;	/* "I am terminating" */
}

static bool asked(struct worker *worker)
{
	bool asked;

	pthread_mutex_lock(&worker->lock);
	asked = worker->asked;
	pthread_mutex_unlock(&worker->lock);
	return asked;
}

static void do_job(int worker, int job)
{
	const struct timespec duration = { .tv_nsec = 100 * 1000 * 1000 };

	DLOG_DEBUG("worker %d begins job %d", worker, job);
	nanosleep(&duration, NULL);
	DLOG_DEBUG("worker %d has done job %d", worker, job);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	DTermination *termination;
	int job = 0;

	termination = daware_termination_register_callback(SIGTERM, terminate, worker);
	if (!termination) {
		DLOG_ERR("worker %d cannot be asked to terminate: %m", worker->number);
		return NULL;
	}
	while (!asked(worker))
		do_job(worker->number, ++job);
	DLOG_NOTICE("worker %d ends after %d jobs", worker->number, job);

	/* From here on terminate() is not called: what it uses may go. */
	daware_termination_unregister_callback(termination);
	return NULL;
}

int main(void)
{
	struct worker workers[NR_WORKERS] = {};
	int nr = 0;

	daware_log_open("daware-worker", LOG_PERROR, LOG_USER);
	daware_log_set_format("[%lvl%] %func%: %msg%");
	daware_log_set_level(LOG_INFO);		/* DLOG_DEBUG() costs next to nothing */

	for (; nr < NR_WORKERS; nr++) {
		workers[nr].number = nr + 1;
		pthread_mutex_init(&workers[nr].lock, NULL);
		if (pthread_create(&workers[nr].thread, NULL, work, &workers[nr]))
			break;
	}
	DLOG_INFO("%d workers", nr);
	for (int i = 0; i < nr; i++)
		pthread_join(workers[i].thread, NULL);
	daware_log_close();
	return nr < NR_WORKERS;
}
