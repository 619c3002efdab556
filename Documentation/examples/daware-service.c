// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A D-Aware service: it works until it is asked to terminate, and then ends in
 * good order. Build it with
 *
 *	cc -D_GNU_SOURCE -o daware-service daware-service.c -ldaware
 */
#include <daware.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static sem_t asked_to_terminate;

/* Called in a thread of the library: it may do whatever a thread may do. */
static int terminate(int signo, void *arg)
{
	DLOG_NOTICE("signal %d: finishing %s", signo, (const char *)arg);
	sem_post(&asked_to_terminate);
	return 0;	/* "I am terminating" */
}

/* Waits a second, and says if it was asked meanwhile. */
static bool asked_within_a_second(void)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec++;
	while (sem_clockwait(&asked_to_terminate, CLOCK_MONOTONIC, &end))
		if (errno != EINTR)
			return false;
	return true;
}

static void work(void)
{
	unsigned int rounds = 0;

	do
		DLOG_INFO("round %u", ++rounds);
	while (!asked_within_a_second());
	DLOG_NOTICE("done after %u rounds", rounds);
}

int main(void)
{
	static char task[] = "the work in hand";
	DTermination *termination;

	sem_init(&asked_to_terminate, 0, 0);
	daware_log_open("daware-service", LOG_PID | LOG_PERROR, LOG_DAEMON);
	daware_log_set_format("%lvl%: %msg%");

	termination = daware_termination_register_callback(SIGTERM, terminate, task);
	if (!termination) {
		DLOG_ERR("cannot register a termination callback: %m");
		return 1;
	}
	if (errno)
		DLOG_WARNING("D-RE does not know this process: %s", strerror(errno));

	work();

	daware_termination_unregister_callback(termination);
	daware_log_close();
	return 0;
}
