// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A D-Aware process for the tests. It is linked statically, to run in any
 * container, and writes what happens to it in a journal:
 *
 *	SECONDS NAME WHAT
 *
 * with the seconds of /proc/uptime. It runs until a callback ends it. At
 * SIGURG it calls libdaware once more (another callback, for SIGUSR2).
 *
 *	-d		go into the background once registered, and print
 *			"VPID THREAD ZOMBIE"
 *	-l FILE		the journal
 *	-n NAME		what it calls itself
 *	-s SIG[,SIG]...	signals to register, in this order
 *	-m MODE		what a callback does: exit, refuse, ignore
 *	-w SECONDS	after this time
 *	-u UID		as this user
 *	-t		have a second thread
 *	-z		have a dead child
 *	-p		in a pid namespace of its own
 *	-c COUNT	instead of all that: children that register themselves and end
 *			at once, one after the other
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <daware.h>
#include <linux/dre.h>

enum mode { MODE_EXIT, MODE_REFUSE, MODE_IGNORE };

static struct {
	const char *journal;
	const char *name;
	const char *signals;
	enum mode mode;
	unsigned int seconds;
	uid_t uid;
	bool background, thread, zombie, nested;
} options = { .journal = "/var/log/journal", .name = "agent", .signals = "" };

static int journal, over;
static DTermination *handles[64];
static size_t nr_handles;

/* One write: entries of several processes never mix. */
static void note(const char *what, int number)
{
	char line[128];
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	snprintf(line, sizeof(line), "%lld.%02ld %s %s %d\n", (long long)ts.tv_sec,
		 ts.tv_nsec / 10000000, options.name, what, number);
	if (write(journal, line, strlen(line)) < 0)
		err(1, "journal");
}

static int terminate(int signo, void *arg)
{
	static const char *const notes[] = { "terminates", "refuses", "ignores" };

	(void)arg;
	sleep(options.seconds);
	note(notes[options.mode], signo);
	if (options.mode == MODE_EXIT)
		eventfd_write(over, 1);
	return options.mode == MODE_REFUSE;
}

static void register_signal(int signo)
{
	DTermination *handle = daware_termination_register_callback(signo, terminate, NULL);

	if (!handle)
		err(1, "signal %d", signo);
	handles[nr_handles++] = handle;
}

static void register_signals(void)
{
	char *list = strdup(options.signals), *rest = list, *signo;

	while ((signo = strsep(&rest, ",")))
		if (*signo)
			register_signal(atoi(signo));
	free(list);
}

static atomic_int thread_id;

static void *wait_forever(void *arg)
{
	(void)arg;
	thread_id = gettid();
	for (;;)
		pause();
	return NULL;
}

static int start_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_forever, NULL))
		errx(1, "no thread");
	while (!thread_id)
		usleep(1000);
	return thread_id;
}

static int make_zombie(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	return pid;
}

/* Waits for a callback to say that it is over, and serves SIGURG meanwhile. */
static void live(int signals)
{
	struct pollfd fds[] = { { .fd = over, .events = POLLIN },
				{ .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			return;
		if (read(signals, &info, sizeof(info)) > 0)
			register_signal(SIGUSR2);
	}
}

/* What the process in the background is. @report is where its starter reads. */
static void run(int report)
{
	int thread, zombie, signals;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	over = eventfd(0, EFD_CLOEXEC);
	if (options.uid && setresuid(options.uid, options.uid, options.uid))
		err(1, "user %u", options.uid);
	thread = options.thread ? start_thread() : 0;
	zombie = options.zombie ? make_zombie() : 0;
	register_signals();
	dprintf(report, "%d %d %d\n", getpid(), thread, zombie);
	close(report);
	live(signals);
	for (size_t i = nr_handles; i > 0; i--)
		daware_termination_unregister_callback(handles[i - 1]);
	note("ends", 0);
}

/* Has no other file open than these, so that whoever started it need not wait for it. */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	setsid();
}

/* The agent in a pid namespace of its own is not the child that we know: its parent is. */
static void run_nested(int report)
{
	if (unshare(CLONE_NEWPID))
		err(1, "a pid namespace");
	if (fork() == 0) {
		run(report);
		_exit(0);
	}
	close(report);
	wait(NULL);
}

static int start(void)
{
	char text[64] = "";
	int report[2];
	pid_t pid;

	if (!options.background) {
		run(dup(STDOUT_FILENO));
		return 0;
	}
	if (pipe2(report, O_CLOEXEC))
		err(1, "pipe");
	pid = fork();
	if (!pid) {
		close(report[0]);
		if (options.nested) {
			run_nested(report[1]);
		} else {
			detach();
			run(report[1]);
		}
		_exit(0);
	}
	close(report[1]);
	if (read(report[0], text, sizeof(text) - 1) <= 0)
		return 1;
	/* In a pid namespace of its own it does not know its number in ours. */
	if (options.nested)
		printf("%d 0 0\n", pid);
	else
		fputs(text, stdout);
	return 0;
}

/* Not by libdaware: what is tested is the registry, not threads. */
static int churn(int count)
{
	struct dre_self self = { .size = sizeof(self), .nr_signals = 1, .signals = { SIGTERM } };
	int dre = open("/dev/dre", O_RDWR | O_CLOEXEC);
	int status, failed = 0;

	if (dre < 0)
		err(1, "/dev/dre");
	prctl(PR_SET_NAME, options.name);
	for (int i = 0; i < count; i++) {
		if (vfork() == 0)
			_exit(ioctl(dre, DRE_IOC_SELF_REGISTER, &self) ? 1 : 0);
		wait(&status);
		failed += status != 0;
	}
	printf("%d failed\n", failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "exit", "refuse", "ignore" };
	int c, count = 0;

	while ((c = getopt(argc, argv, "dl:n:s:m:w:u:tzpc:")) >= 0) {
		switch (c) {
		case 'd':
			options.background = true;
			break;
		case 'l':
			options.journal = optarg;
			break;
		case 'n':
			options.name = optarg;
			break;
		case 's':
			options.signals = optarg;
			break;
		case 'm':
			while (strcmp(optarg, modes[options.mode]))
				if (++options.mode > MODE_IGNORE)
					errx(2, "no mode %s", optarg);
			break;
		case 'w':
			options.seconds = atoi(optarg);
			break;
		case 'u':
			options.uid = atoi(optarg);
			break;
		case 't':
			options.thread = true;
			break;
		case 'z':
			options.zombie = true;
			break;
		case 'p':
			options.nested = true;
			break;
		case 'c':
			count = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	prctl(PR_SET_NAME, options.name);
	journal = open(options.journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (journal < 0)
		err(1, "%s", options.journal);
	return count ? churn(count) : start();
}
