// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * daware-run: makes an unmodified program D-Aware.
 *
 * The program runs in a child process, because a registration ends with
 * execve(2). The main thread has all signals that are passed on blocked and
 * waits for them, and for children; the signal that D-RE sends arrives in a
 * callback of libdaware, in the library's thread. The child's number is used
 * for signals only while it has not been reaped, so that it names the child;
 * a pidfd would do the same, but CRIU cannot dump one.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daware.h"
#include "dre_paths.h"
#include "signals.h"

/* As env(1), timeout(1) and others have it, so that they are not taken for COMMAND's. */
enum { EXIT_OURS = 125, EXIT_CANNOT_EXECUTE, EXIT_NOT_FOUND };

static struct {
	int registered;		/* D-RE's signal */
	int forwarded;		/* what COMMAND gets for it */
	long timeout;		/* seconds; 0: COMMAND never refuses */
} settings = { .registered = SIGTERM };

static pid_t child;
static sem_t child_ended;

static void usage(FILE *f)
{
	fputs("usage: daware-run [OPTION]... [--] COMMAND [ARGUMENT]...\n", f);
}

static void help(void)
{
	usage(stdout);
	puts("\n"
	     "Run COMMAND as a D-Aware application: D-RE knows it, and terminates it in good order.\n"
	     "\n"
	     "  -s, --signal SIGNAL    the signal that asks COMMAND to terminate (default: the\n"
	     "                         registered one)\n"
	     "  -r, --register SIGNAL  the signal that D-RE sends for it (default: TERM)\n"
	     "  -t, --timeout SECONDS  tell D-RE that COMMAND refuses if it still runs so long after\n"
	     "                         it was asked (default: never)\n"
	     "  -h, --help             show this\n"
	     "  -V, --version          show the version\n"
	     "\n"
	     "A signal is a name, such as QUIT or RTMIN+3, or a number. Other signals are passed on to\n"
	     "COMMAND as they are. The exit status is COMMAND's. If a signal ended it, the same ends\n"
	     "daware-run. It is 127 if COMMAND is not there, 126 if it cannot be executed, and 125 if\n"
	     "daware-run itself fails.");
}

static void __attribute__((noreturn, format(printf, 1, 2))) wrong_usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarnx(fmt, args);
	va_end(args);
	usage(stderr);
	exit(EXIT_OURS);
}

static int signal_argument(const char *name)
{
	int signo = signal_by_name(name);

	if (signo < 0)
		wrong_usage("there is no signal '%s'", name);
	return signo;
}

static long seconds_argument(const char *text)
{
	char *end;
	long seconds;

	errno = 0;
	seconds = strtol(text, &end, 10);
	if (errno || end == text || *end || seconds < 1 || seconds > 86400)
		wrong_usage("the timeout '%s' is not a number from 1 to 86400", text);
	return seconds;
}

/* Returns the index of COMMAND. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "signal", required_argument, NULL, 's' },
		{ "register", required_argument, NULL, 'r' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "+s:r:t:hV", options, NULL)) >= 0) {
		switch (option) {
		case 's':
			settings.forwarded = signal_argument(optarg);
			break;
		case 'r':
			settings.registered = signal_argument(optarg);
			break;
		case 't':
			settings.timeout = seconds_argument(optarg);
			break;
		case 'h':
			help();
			exit(fflush(stdout) ? EXIT_OURS : EXIT_SUCCESS);
		case 'V':
			puts("daware-run " DRE_VERSION);
			exit(fflush(stdout) ? EXIT_OURS : EXIT_SUCCESS);
		default:
			usage(stderr);
			exit(EXIT_OURS);
		}
	}
	if (optind == argc)
		wrong_usage("no command");
	if (!settings.forwarded)
		settings.forwarded = settings.registered;
	return optind;
}

/* In the library's thread, which returns from here before the child is reaped. */
static int terminate(int signo, void *arg)
{
	struct timespec end;

	(void)signo;
	(void)arg;
	kill(child, settings.forwarded);
	if (!settings.timeout)
		return 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += settings.timeout;
	while (sem_clockwait(&child_ended, CLOCK_MONOTONIC, &end))
		if (errno != EINTR)
			return 1;
	return 0;
}

/* D-RE knows the process before COMMAND runs; the signal, which is blocked, waits until it does. */
static DTermination *register_with_dre(void)
{
	DTermination *termination;

	sem_init(&child_ended, 0, 0);
	termination = daware_termination_register_callback(settings.registered, terminate, NULL);
	if (!termination)
		err(EXIT_OURS, "cannot register signal %d", settings.registered);
	if (errno)
		warn("D-RE does not know this process");
	return termination;
}

static void __attribute__((noreturn)) execute(char **argv, int errors, pid_t parent,
					      const sigset_t *blocked)
{
	int error;

	/* In the background of a script SIGINT and SIGQUIT are ignored, and a shell leaves that so. */
	signal(settings.forwarded, SIG_DFL);
	/* Without daware-run nobody would terminate it in good order, nor know that it runs. */
	if (prctl(PR_SET_PDEATHSIG, settings.forwarded) == 0 && getppid() != parent)
		raise(settings.forwarded);
	sigprocmask(SIG_SETMASK, blocked, NULL);
	execvp(argv[0], argv);
	error = errno;
	/* It fails only if the parent is gone, too. */
	if (write(errors, &error, sizeof(error)) < 0)
		_exit(EXIT_OURS);
	_exit(EXIT_CANNOT_EXECUTE);
}

/* Returns 0 when COMMAND runs, or errno of its execve(2). */
static int start(char **argv, const sigset_t *blocked, const struct sigaction *on_child)
{
	pid_t parent = getpid();
	int pipe_fds[2], error;
	ssize_t len;

	if (pipe2(pipe_fds, O_CLOEXEC))
		err(EXIT_OURS, "cannot make a pipe");
	child = fork();
	if (child < 0)
		err(EXIT_OURS, "cannot fork");
	if (!child) {
		sigaction(SIGCHLD, on_child, NULL);
		execute(argv, pipe_fds[1], parent, blocked);
	}
	close(pipe_fds[1]);
	do
		len = read(pipe_fds[0], &error, sizeof(error));
	while (len < 0 && errno == EINTR);
	close(pipe_fds[0]);
	return len == sizeof(error) ? error : 0;
}

/*
 * Those that are waited for: not the registered one, which is libdaware's; not
 * those that stop a job, which the terminal sends to COMMAND as well; not what
 * would tell of an error of daware-run itself.
 */
static void signals_to_wait_for(sigset_t *set)
{
	static const int others[] = {
		SIGTSTP, SIGTTIN, SIGTTOU,
		SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP,
	};

	sigfillset(set);
	sigdelset(set, settings.registered);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		sigdelset(set, others[i]);
}

/* What the terminal sends goes to the whole process group, and so to COMMAND, too. */
static bool is_from_terminal(const siginfo_t *info)
{
	return info->si_code == SI_KERNEL &&
	       (info->si_signo == SIGINT || info->si_signo == SIGQUIT || info->si_signo == SIGWINCH);
}

/* SIGPIPE, where nobody reads what daware-run warns of. */
static bool is_our_own(const siginfo_t *info)
{
	return info->si_code == SI_USER && info->si_pid == getpid();
}

static void pass_on(const siginfo_t *info)
{
	if (info->si_signo != SIGCHLD && !is_from_terminal(info) && !is_our_own(info))
		kill(child, info->si_signo);
}

/*
 * COMMAND has stopped itself, as an editor does after it has put the terminal in
 * order: the shell waits for daware-run. What SIGSTOP stopped is not stopped by
 * a shell's job control.
 */
static void follow_stop(void)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, child, &info, WSTOPPED | WNOHANG) || !info.si_pid)
		return;
	if (info.si_status == SIGTSTP || info.si_status == SIGTTIN || info.si_status == SIGTTOU)
		raise(info.si_status);
}

/* Reaps what was left to daware-run where it is process 1. False when COMMAND has ended. */
static bool reap_others(void)
{
	for (;;) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
			return true;
		if (info.si_pid == child)
			return false;
		waitpid(info.si_pid, NULL, 0);
	}
}

static void wait_for_child(const sigset_t *signals)
{
	siginfo_t info;

	while (reap_others()) {
		follow_stop();
		/* It fails when libdaware's handler interrupts it. */
		if (sigwaitinfo(signals, &info) >= 0)
			pass_on(&info);
	}
}

/* As COMMAND has ended; the shell, or who else waits for daware-run, sees the same. */
static int end_as_child(void)
{
	static const struct rlimit no_core = { 0 };
	sigset_t set;
	int status;

	waitpid(child, &status, 0);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);

	setrlimit(RLIMIT_CORE, &no_core);
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, WTERMSIG(status));
	raise(WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* Process 1 survives it. */
	return 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const struct sigaction on_child = { .sa_handler = SIG_DFL };
	struct sigaction child_before;
	DTermination *termination;
	sigset_t all, before, waited;
	int error;

	argv += parse_options(argc, argv);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	/* Where it is ignored children leave no status. */
	sigaction(SIGCHLD, &on_child, &child_before);

	termination = register_with_dre();
	error = start(argv, &before, &child_before);
	if (!error) {
		signals_to_wait_for(&waited);
		sigprocmask(SIG_SETMASK, &waited, NULL);
		wait_for_child(&waited);
		sigprocmask(SIG_SETMASK, &all, NULL);
		sem_post(&child_ended);
	}
	/* This waits for the callback, which uses the child's number. */
	daware_termination_unregister_callback(termination);
	if (error) {
		errno = error;
		warn("%s", argv[0]);
		return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
	}
	return end_as_child();
}
