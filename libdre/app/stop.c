// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stopping a container: first the D-Aware processes terminate in good order,
 * then init halts, then what is left is killed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "module.h"

/* How long liblxc's monitor may take to end after its container, in milliseconds. */
#define MONITOR_TIMEOUT	10000
#define MONITOR_INTERVAL	5000	/* microseconds */

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* The registered processes that still have to answer. */
struct waiting {
	struct dre_process_info *info;
	size_t nr;
};

static void strike(struct waiting *w, int pid)
{
	for (size_t i = 0; i < w->nr; i++) {
		if (w->info[i].pid == pid) {
			w->info[i] = w->info[--w->nr];
			return;
		}
	}
}

/* Events were lost: whoever is not registered any more needs no waiting for. */
static int strike_absent(struct waiting *w, int cfd)
{
	struct dre_process_info *now;
	size_t nr, i = 0, j;
	int err = dre_module_process_list(cfd, &now, &nr);

	if (err)
		return err;
	while (i < w->nr) {
		for (j = 0; j < nr && now[j].pid != w->info[i].pid; j++)
			;
		if (j < nr)
			i++;
		else
			w->info[i] = w->info[--w->nr];
	}
	free(now);
	return 0;
}

/* Reads what has happened. False when the container has ended. */
static bool read_events(struct waiting *w, int cfd)
{
	struct dre_event events[16];
	ssize_t len = read(cfd, events, sizeof(events));

	if (len <= 0)
		return len < 0 && (errno == EINTR || errno == EAGAIN);
	for (size_t i = 0; i < len / sizeof(*events); i++) {
		switch (events[i].type) {
		case DRE_EVENT_EXITED:
		case DRE_EVENT_UNREGISTERED:
		case DRE_EVENT_REFUSED:
			strike(w, events[i].pid);
			break;
		case DRE_EVENT_ENDED:
			return false;
		case DRE_EVENT_LOST:
			if (strike_absent(w, cfd))
				return false;
			break;
		}
	}
	return true;
}

static void strike_silent(struct waiting *w)
{
	for (size_t i = 0; i < w->nr; ) {
		if (w->info[i].nr_signals)
			i++;
		else
			w->info[i] = w->info[--w->nr];
	}
}

/*
 * Asks the D-Aware processes to terminate, and waits for their answers. What
 * goes wrong here is no failure of the stop: init and the kill come next.
 */
static void terminate(const struct app *app, long long patience)
{
	long long deadline = now_ms() + patience;
	struct waiting w = {};
	struct pollfd poll_fd;
	int cfd;

	if (app_module_container(app, &cfd))
		return;
	/* Listed after the signals are sent; who answers in between is struck by the event. */
	if (dre_module_terminate(cfd, NULL, NULL) || dre_module_process_list(cfd, &w.info, &w.nr))
		goto close;
	strike_silent(&w);
	poll_fd = (struct pollfd){ .fd = cfd, .events = POLLIN };
	while (w.nr) {
		long long left = deadline - now_ms();

		if (left <= 0 || (poll(&poll_fd, 1, left) < 0 && errno != EINTR))
			break;
		if (poll_fd.revents && !read_events(&w, cfd))
			break;
	}
	free(w.info);
close:
	close(cfd);
}

static pid_t parent_of(pid_t pid)
{
	char path[64], line[128];
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!parent && fgets(line, sizeof(line), f))
		sscanf(line, "PPid: %d", &parent);
	fclose(f);
	return parent;
}

/* A pidfd of liblxc's monitor, which is init's parent, or -1. */
static int open_monitor(const struct app *app)
{
	pid_t init, monitor = app_init_pid(app, &init) ? 0 : parent_of(init);
	int fd;

	if (monitor <= 1)	/* was killed, and left init to the host's */
		return -1;
	fd = syscall(SYS_pidfd_open, monitor, 0);
	if (fd >= 0 && parent_of(init) != monitor) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Has the process ended within @ms milliseconds? */
static bool wait_pidfd(int fd, long long ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	long long deadline = now_ms() + ms, left = ms;
	int ready;

	do {
		ready = poll(&poll_fd, 1, left);
		left = deadline - now_ms();
	} while (ready < 0 && errno == EINTR && left > 0);
	return ready > 0;
}

/*
 * liblxc's own wait ends with any signal to the caller, and also when init
 * reboots. Its monitor ends with the container only.
 */
static bool halt_init(struct lxc_container *lxc, int monitor, long long patience)
{
	if (patience <= 0 || !lxc->shutdown(lxc, 0))
		return false;
	if (monitor >= 0)
		return wait_pidfd(monitor, patience);
	return lxc->wait(lxc, "STOPPED", (patience + 999) / 1000);
}

/* While liblxc's monitor says that this is init the number is not another's. */
static void kill_init(struct lxc_container *lxc)
{
	pid_t init = lxc->init_pid(lxc);
	int fd = init > 0 ? syscall(SYS_pidfd_open, init, 0) : -1;

	if (fd < 0)
		return;
	if (lxc->init_pid(lxc) == init)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	close(fd);
}

/*
 * liblxc's own stop does the same, but has no end before init has one, which a process that hangs in the kernel
 * keeps from it. There is another init where the container was just about to reboot.
 */
bool app_kill(const struct app *app, struct lxc_container *lxc)
{
	for (int tries = 0; tries < KILL_TIMEOUT; tries++) {
		long long again = now_ms() + 1000;

		kill_init(lxc);
		do {
			if (!app_monitor_listens(app))
				return true;
			usleep(MONITOR_INTERVAL);
		} while (now_ms() < again);
	}
	return false;
}

static int halt(const struct app *app, int monitor, long long patience)
{
	struct lxc_container *lxc;
	int err;

	if (app_state(app) == APP_STOPPED)	/* init terminated with the others */
		return 0;
	err = app_lxc(app, &lxc);
	if (err)
		return err;
	if (halt_init(lxc, monitor, patience))
		return 0;
	if (app_kill(app, lxc))
		return 0;
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s' is killed, but does not end: a process hangs in the kernel",
			app->name);
}

/* Milliseconds for the D-Aware processes. */
static long long termination_time(const struct app *app, const dre_app_stop_options *options)
{
	return options && options->timeout ? options->timeout * 500LL :
					     app->config.stop_timeout * 1000LL;
}

/* Milliseconds for init, after a stop that began at @begin. */
static long long halt_time(const struct app *app, const dre_app_stop_options *options,
			   long long begin)
{
	if (options && options->kill)
		return 0;
	return options && options->timeout ? begin + options->timeout * 1000LL - now_ms() :
					     app->config.halt_timeout * 1000LL;
}

/*
 * It runs the post-stop hook after the container is "stopped" for all others. Of a container that was
 * restored it need not be init's parent: then it is gone when it does not listen any more.
 */
static void wait_for_monitor(const struct app *app, int monitor)
{
	long long deadline = now_ms() + MONITOR_TIMEOUT;

	if (monitor >= 0)
		wait_pidfd(monitor, MONITOR_TIMEOUT);
	while (app_state(app) == APP_CHANGING && now_ms() < deadline)
		usleep(MONITOR_INTERVAL);
}

int app_stop(const struct app *app, const dre_app_stop_options *options)
{
	long long begin = now_ms();
	int monitor = open_monitor(app);
	int err = 0;

	if (app_state(app) == APP_SUSPENDED)
		err = app_thaw(app);
	if (!err) {
		if (!options || !options->kill)
			terminate(app, termination_time(app, options));
		err = halt(app, monitor, halt_time(app, options, begin));
	}
	if (!err)
		wait_for_monitor(app, monitor);
	if (monitor >= 0)
		close(monitor);
	return err ? err : app_settle(app);
}

int app_begin_stop(struct app *app, const dre_app_handle *h, const dre_app_stop_options *options)
{
	int err;

	if (!h || !options)
		return dre_fail(DRE_ERR_NULL_POINTER, "the %s NULL",
				h ? "options are" : "container's handle is");
	err = app_check_handle(h);
	if (!err)
		err = dre_config_check_stop(options->size == sizeof(*options), options->kill, options->timeout);
	if (!err)
		err = app_begin(app, h->name, APP_CHANGE);
	if (err)
		return err;
	err = app_require(app, APP_RUNNING, APP_SUSPENDED);
	if (err)
		app_end(app);
	return err;
}

dre_return_t dre_app_stop_with(const dre_app_handle *h, const dre_app_stop_options *options)
{
	struct app app;
	int err = app_begin_stop(&app, h, options);

	if (err)
		return err;
	err = app_stop(&app, options);
	app_end(&app);
	return err;
}

dre_return_t dre_app_stop(const dre_app_handle *h)
{
	static const dre_app_stop_options defaults = { .size = sizeof(defaults) };

	return dre_app_stop_with(h, &defaults);
}
