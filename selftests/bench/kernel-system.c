// SPDX-License-Identifier: GPL-2.0-only
/* What others meet: processes that fork and exit, and those who watch them or list them. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

/* fork + exit of a process that is not registered */

#define OTHERS		1000
#define FORK_PAIRS	101
#define FORKS		24

static void forks(void *arg, unsigned long n)
{
	pid_t pid;

	while (n--) {
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			die("fork");
	}
}

/* With the module loaded and @others registered, or without the module. */
static double sample_forks(struct crowd *others, bool loaded)
{
	static bool is_loaded = true;
	unsigned long n = FORKS;
	int dre;

	if (loaded && !is_loaded) {
		module_load();
		dre = dre_open();
		crowd_open(others, dre, "others");
		crowd_register(others);
		close(others->c.fd);
		close(dre);
	} else if (!loaded && is_loaded) {
		module_unload();
	}
	if (loaded != is_loaded)
		forks(NULL, FORKS);	/* what that has left to do is done, and caches are warm */
	is_loaded = loaded;
	return bench_time(forks, NULL, &n);
}

static double forks_loaded(void *arg)
{
	return sample_forks(arg, true);
}

static double forks_unloaded(void *arg)
{
	return sample_forks(arg, false);
}

void bench_fork(void)
{
	static struct bench b = {
		.what = "fork + exit, not registered",
		.ours = "module loaded, 1,000 others registered",
		.other = "module not loaded",
		.unit = "ns",
		.goal = 1.02,
		.upper = true,
	};
	struct crowd others;

	crowd_start(&others, OTHERS);
	sample_forks(&others, false);
	bench_compare_samples(&b, FORK_PAIRS, forks_loaded, forks_unloaded, &others);
	sample_forks(&others, true);
	others.c.fd = -1;
	crowd_end(&others);
}

/* Lists of processes */

#define LISTED	5000

static double sample_daware(void *arg)
{
	double start = bench_now();
	char *text = read_daware();
	int lines;

	start = bench_now() - start;
	lines = daware_lines(text);
	free(text);
	if (lines != LISTED)
		die("%d lines in /proc/daware", lines);
	return start / lines;
}

static int count_processes(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int count = 0;

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir)))
		count += strspn(entry->d_name, "0123456789") == strlen(entry->d_name);
	closedir(dir);
	return count;
}

static double sample_ps(void *arg)
{
	double start = bench_now();
	pid_t pid = vfork();
	int status;

	if (!pid) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		execlp("ps", "ps", "-e", NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("ps -e");
	return (bench_now() - start) / count_processes();
}

void bench_procfs(void)
{
	static struct bench b = {
		.what = "/proc/daware, 5,000 entries, each",
		.ours = "open, read and close /proc/daware",
		.other = "ps -e",
		.unit = "ns",
		.goal = 1 / 50.,
	};
	struct crowd listed;
	int dre = dre_open();

	crowd_start(&listed, LISTED);
	crowd_open(&listed, dre, "listed");
	crowd_register(&listed);
	bench_compare_samples(&b, 11, sample_daware, sample_ps, NULL);
	crowd_end(&listed);
	close(dre);
}

/* From the exit of a process to the wake-up of who waits for it */

#define EXIT_PAIRS	201

/* @exited: when it called _exit(2). Shared with the child. */
struct exits {
	struct container c;
	volatile double *exited;
};

/* A child that exits once @fd is closed, and who waits for it sleeps. */
static pid_t start_child(const struct exits *e, const int pipe[2])
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	close(pipe[1]);
	if (read(pipe[0], &c, 1))
		_exit(1);
	usleep(2000);
	*e->exited = bench_now();
	_exit(0);
}

/* How long after the exit poll(2) on the file returns. */
static double wake_up(const struct exits *e, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	double now;

	if (poll(&p, 1, DEADLINE * 1000) != 1)
		die("no wake-up");
	now = bench_now();
	return now - *e->exited;
}

/* To what the other side does, only the file's descriptor is new. */
static double sample_exit(struct exits *e, bool ours)
{
	struct dre_event event;
	int go[2], status, fd;
	double latency;
	pid_t pid;

	if (pipe2(go, O_CLOEXEC))
		die("pipe");
	pid = start_child(e, go);
	if (ours) {
		fd = e->c.fd;
		must(process_register(fd, pid, 0, SIGNALS(SIGTERM)));
		must(next_event(fd, &event));
	} else {
		fd = syscall(SYS_pidfd_open, pid, 0);
	}
	close(go[0]);
	close(go[1]);
	latency = wake_up(e, fd);
	if (ours) {
		must(next_event(fd, &event));
		if (event.type != DRE_EVENT_EXITED)
			die("event of type %u", event.type);
	} else {
		close(fd);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("child");
	return latency;
}

static double exit_ours(void *arg)
{
	return sample_exit(arg, true);
}

static double exit_other(void *arg)
{
	return sample_exit(arg, false);
}

void bench_exit(void)
{
	static struct bench b = {
		.what = "exit to wake-up",
		.ours = "registered; poll of the container fd",
		.other = "not registered; poll of a pidfd",
		.unit = "ns",
		.goal = 1.5,
	};
	struct exits e;
	int dre = dre_open();

	e.exited = mmap(NULL, sizeof(*e.exited), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (e.exited == MAP_FAILED)
		die("mmap");
	container_start(&e.c, 0);
	e.c.fd = must(container_create(dre, DRE_CONTAINER_APP, e.c.init.pid, "exits"));
	bench_compare_samples(&b, EXIT_PAIRS, exit_ours, exit_other, &e);
	container_kill(&e.c);
	close(e.c.fd);
	close(dre);
	munmap((void *)e.exited, sizeof(*e.exited));
}
