// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "agent.h"
#include "worker.h"

static bool holding;
static int spinners;
static int spinning;

static void *spin(void *arg)
{
	for (;;) {
		if (!__atomic_load_n(&holding, __ATOMIC_SEQ_CST)) {
			usleep(100);
			continue;
		}
		__atomic_add_fetch(&spinning, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&holding, __ATOMIC_SEQ_CST))
			;
		__atomic_sub_fetch(&spinning, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void start_spinner(int cpu)
{
	struct sched_param low = { .sched_priority = 1 };
	pthread_t thread;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	errno = pthread_create(&thread, NULL, spin, NULL);
	if (!errno)
		errno = pthread_setschedparam(thread, SCHED_FIFO, &low);
	if (!errno)
		errno = pthread_setaffinity_np(thread, sizeof(one), &one);
	if (errno)
		die("spinner");
	spinners++;
}

/* Else the kernel lets the others through after a while, and complains. `run` sets it back. */
static void unlimit_urgency(void)
{
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "-1") < 0)
		die("sched_rt_runtime_us");
	close(fd);
}

/* From now on what the test starts is urgent. It keeps the first CPU. */
void worker_prepare(void)
{
	struct sched_param high = { .sched_priority = 2 };
	cpu_set_t all, own;
	int cpu;

	unlimit_urgency();
	if (sched_getaffinity(0, sizeof(all), &all) || sched_setscheduler(0, SCHED_FIFO, &high))
		die("SCHED_FIFO");
	CPU_ZERO(&own);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		if (CPU_COUNT(&own))
			start_spinner(cpu);
		else
			CPU_SET(cpu, &own);
	}
	if (sched_setaffinity(0, sizeof(own), &own))
		die("sched_setaffinity");
}

void worker_hold(void)
{
	__atomic_store_n(&holding, true, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&spinning, __ATOMIC_SEQ_CST) != spinners)
		usleep(100);
}

void worker_release(void)
{
	__atomic_store_n(&holding, false, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&spinning, __ATOMIC_SEQ_CST))
		usleep(100);
}
