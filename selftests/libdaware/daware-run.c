// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * daware-run where there is no module. What it runs is mostly this program
 * itself, as one of the agents below.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include "sandbox.h"

#define AGENT_STATUS	7

static char self[PATH_MAX], daware_run[PATH_MAX];

/* Agents */

#define say(...)	dprintf(STDOUT_FILENO, __VA_ARGS__)

/* Prints the signals that it gets, until one with the number that is given. */
static int print_signals(int last)
{
	int signo;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	say("ready %d\n", getpid());
	do {
		if (sigwait(&all, &signo))
			return 1;
		say("%d\n", signo);
	} while (signo != last);
	return AGENT_STATUS;
}

/* Prints what it has inherited: signals that are blocked or ignored, descriptors, its group. */
static int print_inherited(int unused)
{
	sigset_t blocked;

	(void)unused;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int signo = 1; signo < NSIG; signo++) {
		struct sigaction action;

		if (sigismember(&blocked, signo) == 1)
			say("blocked %d\n", signo);
		if (!sigaction(signo, NULL, &action) && action.sa_handler != SIG_DFL)
			say("ignored %d\n", signo);
	}
	for (int fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			say("descriptor %d\n", fd);
	say("group %d\n", getpgrp());
	return 0;
}

static int stop_itself(int signo)
{
	say("ready %d\n", getpid());
	raise(signo);
	say("continued\n");
	return AGENT_STATUS;
}

/* Leaves a process behind, which then becomes the child of another one. */
static int leave_orphan(int unused)
{
	pid_t child = fork();

	(void)unused;
	if (!child) {
		pid_t orphan = fork();

		if (!orphan) {
			sleep_ms(50);
			_exit(0);
		}
		say("orphan %d\n", orphan);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return print_signals(SIGTERM);
}

static const struct agent {
	const char *name;
	int (*run)(int number);
} agents[] = {
	{ "print-signals", print_signals },
	{ "print-inherited", print_inherited },
	{ "stop-itself", stop_itself },
	{ "leave-orphan", leave_orphan },
};

static int run_agent(const char *name, int number)
{
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		if (!strcmp(agents[i].name, name))
			return agents[i].run(number);
	return 1;
}

/* Running daware-run */

static pid_t pid;	/* of daware-run */
static pid_t agent;	/* of what it runs */
static int output, errors;

/* An argument "AGENT" stands for this program. */
static void execute(const char *const *arguments)
{
	char *argv[16] = { daware_run };

	for (int i = 0; arguments[i]; i++)
		argv[i + 1] = strcmp(arguments[i], "AGENT") != 0 ? (char *)arguments[i] : self;
	execv(daware_run, argv);
	_exit(1);
}

static void start_with(void (*prepare)(void), const char *const *arguments)
{
	int fds[2];

	output = errors = -1;
	assert_return_code(pipe2(fds, O_CLOEXEC), errno);
	errors = open("/dev", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(errors >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		dup2(errors, STDERR_FILENO);
		if (prepare)
			prepare();
		execute(arguments);
	}
	close(fds[1]);
	output = fds[0];
}

#define start(...)	start_with(NULL, (const char *const []){ __VA_ARGS__, NULL })

/* The next line of output, without its newline; "" at the end. */
static const char *next_line(void)
{
	static char line[256];
	size_t len = 0;

	for (;;) {
		struct pollfd poll_fd = { .fd = output, .events = POLLIN };

		assert_int_equal(poll(&poll_fd, 1, 60000), 1);
		/* A terminal whose last user has gone fails. */
		if (read(output, line + len, 1) <= 0 || line[len] == '\n')
			break;
		if (line[len] != '\r')
			len++;
	}
	line[len] = '\0';
	return line;
}

static void expect_line(const char *expected)
{
	assert_string_equal(next_line(), expected);
}

static void expect_signal(int signo)
{
	char expected[16];

	snprintf(expected, sizeof(expected), "%d", signo);
	expect_line(expected);
}

/* Starts with the agent's number. */
static void expect_ready(void)
{
	assert_int_equal(sscanf(next_line(), "ready %d", &agent), 1);
}

static int wait_for_end(void)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (output >= 0)
		close(output);
	return status;
}

static const char *error_text(void)
{
	static char text[4096];
	ssize_t len = pread(errors, text, sizeof(text) - 1, 0);

	assert_return_code(len, errno);
	text[len] = '\0';
	close(errors);
	return text;
}

static void expect_exit(int status)
{
	int ended = wait_for_end();

	if (!WIFEXITED(ended) || WEXITSTATUS(ended) != status)
		fail_msg("status %x, %s", ended, error_text());
	close(errors);
}

static void expect_death(int signo)
{
	int ended = wait_for_end();

	if (!WIFSIGNALED(ended) || WTERMSIG(ended) != signo || WCOREDUMP(ended))
		fail_msg("status %x, %s", ended, error_text());
	close(errors);
}

/* Options */

#define expect_failure(status, text, ...) \
	do { \
		start(__VA_ARGS__); \
		assert_int_equal(WEXITSTATUS(wait_for_end()), status); \
		assert_non_null(strstr(error_text(), text)); \
	} while (0)

static void wrong_usage(void **state)
{
	static const char *const signals[] = {
		"", "0", "-1", "65", "015x", "SIG", "SIGSIGTERM", "TERMINATE", "RTMIN-1", "RTMIN+31",
		"RTMIN+", "RTMIN+1x", "RTMAX+1", "RTMAX-31", "999999999999",
	};
	static const char *const timeouts[] = {
		"", "0", "-1", "1.5", "1s", "86401", "9999999999999999999",
	};

	(void)state;
	expect_failure(125, "no command", "-s", "TERM");
	expect_failure(125, "no command", "--");
	expect_failure(125, "usage:", "--no-such-option", "true");
	expect_failure(125, "usage:", "--signal");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		expect_failure(125, "there is no signal", "-s", signals[i], "true");
		expect_failure(125, "there is no signal", "-r", signals[i], "true");
	}
	for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++)
		expect_failure(125, "the timeout", "-t", timeouts[i], "true");
}

static void signal_that_cannot_be_registered(void **state)
{
	(void)state;
	expect_failure(125, "cannot register signal 9: Invalid argument", "-r", "KILL", "true");
	expect_failure(125, "cannot register signal 33: Invalid argument", "-r", "33", "true");
}

static void help_and_version(void **state)
{
	(void)state;
	start("--help", "no-such-command");
	expect_line("usage: daware-run [OPTION]... [--] COMMAND [ARGUMENT]...");
	expect_line("");
	assert_non_null(strstr(next_line(), "Run COMMAND as a D-Aware application"));
	expect_exit(0);
	start("-V");
	assert_non_null(strstr(next_line(), "daware-run "));
	expect_exit(0);
}

/* How COMMAND ends */

static void status_is_that_of_the_command(void **state)
{
	(void)state;
	start("true");
	expect_exit(0);
	start("--", "sh", "-c", "exit 3");
	expect_exit(3);
	start("sh", "-c", "exit 255");
	expect_exit(255);
	start("sh", "-c", "kill -KILL $$");
	expect_death(SIGKILL);
	start("sh", "-c", "kill -SEGV $$");
	expect_death(SIGSEGV);
	start("sh", "-c", "kill -USR1 $$");
	expect_death(SIGUSR1);
	start("sleep", "60");
	sleep_ms(100);
	kill(pid, SIGTERM);
	expect_death(SIGTERM);
}

static void command_that_cannot_be_run(void **state)
{
	(void)state;
	expect_failure(127, "no-such-command: No such file", "no-such-command");
	expect_failure(127, "/no/such: No such file", "/no/such");
	expect_failure(126, "/dev: Permission denied", "/dev");
}

static void missing_module_is_told(void **state)
{
	(void)state;
	expect_failure(0, "D-RE does not know this process: No such device", "true");
}

/* Signals */

static void termination_signal_is_mapped(void **state)
{
	static const struct {
		const char *registered, *forwarded;
		int got, sent;
	} maps[] = {
		{ "TERM", "QUIT", SIGTERM, SIGQUIT },
		{ "SIGTERM", "SIGINT", SIGTERM, SIGINT },
		{ "term", "sighup", SIGTERM, SIGHUP },
		{ "HUP", "TERM", SIGHUP, SIGTERM },
		{ "PWR", "15", SIGPWR, SIGTERM },
		{ "RTMIN+3", "RTMAX-1", 37, 63 },
		{ "RTMAX", "RTMIN", 64, 34 },
		{ "1", "2", SIGHUP, SIGINT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		char last[16];

		snprintf(last, sizeof(last), "%d", maps[i].sent);
		start("-r", maps[i].registered, "--signal", maps[i].forwarded, "AGENT",
		      "print-signals", last);
		expect_ready();
		kill(pid, maps[i].got);
		expect_signal(maps[i].sent);
		expect_exit(AGENT_STATUS);
	}
}

static void defaults(void **state)
{
	(void)state;
	start("AGENT", "print-signals", "15");
	expect_ready();
	assert_int_not_equal(agent, pid);
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	expect_exit(AGENT_STATUS);

	/* Without --signal it is the registered one. */
	start("--register=USR2", "AGENT", "print-signals", "12");
	expect_ready();
	kill(pid, SIGUSR2);
	expect_signal(SIGUSR2);
	expect_exit(AGENT_STATUS);
}

static void all_other_signals_are_passed_on(void **state)
{
	static const int signals[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGSTKFLT, SIGCONT,
		SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, 34, 40, 64,
	};

	(void)state;
	start("-s", "USR2", "AGENT", "print-signals", "10");
	expect_ready();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i] == SIGUSR1)
			continue;
		kill(pid, signals[i]);
		expect_signal(signals[i]);
	}
	kill(pid, SIGTERM);
	expect_signal(SIGUSR2);
	kill(pid, SIGUSR1);
	expect_signal(SIGUSR1);
	expect_exit(AGENT_STATUS);
}

static void what_ignores_is_refused(void **state)
{
	int logd = logd_start();

	(void)state;
	start("-t", "1", "AGENT", "print-signals", "10");
	expect_ready();
	for (int i = 0; i < 2; i++) {
		kill(pid, SIGTERM);
		expect_signal(SIGTERM);
		assert_string_equal(logd_receive_body(logd, LOG_USER | LOG_NOTICE),
				    "daware-run: signal 15: the process refuses to terminate (1)");
	}
	kill(pid, SIGUSR1);
	expect_signal(SIGUSR1);
	expect_exit(AGENT_STATUS);
	assert_true(logd_is_idle(logd));

	/* In time, however slow the machine is. */
	start("-t", "600", "AGENT", "print-signals", "10");
	expect_ready();
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	kill(agent, SIGUSR1);
	expect_signal(SIGUSR1);
	expect_exit(AGENT_STATUS);
	assert_true(logd_is_idle(logd));

	/* Without a timeout nothing is refused. */
	start("AGENT", "print-signals", "10");
	expect_ready();
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	sleep_ms(1200);
	kill(pid, SIGUSR1);
	expect_signal(SIGUSR1);
	expect_exit(AGENT_STATUS);
	assert_true(logd_is_idle(logd));
	logd_stop(logd);
}

static void command_is_not_left_alone(void **state)
{
	(void)state;
	start("-s", "USR2", "AGENT", "print-signals", "12");
	expect_ready();
	kill(pid, SIGKILL);
	expect_signal(SIGUSR2);
	expect_line("");
	expect_death(SIGKILL);
}

/* What COMMAND inherits */

static void ignore_and_block(void)
{
	sigset_t set;

	/* As nohup(1) and a script's background do it, and somebody who wants no children. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void command_inherits_what_daware_run_did(void **state)
{
	char group[32];

	(void)state;
	start_with(ignore_and_block, (const char *const []){
		"-s", "QUIT", "AGENT", "print-inherited", "0", NULL });
	/* But for the signal that shall end it. */
	expect_line("ignored 1");
	expect_line("ignored 2");
	expect_line("blocked 10");
	expect_line("blocked 15");
	expect_line("ignored 17");
	for (int fd = 0; fd < 3; fd++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "descriptor %d", fd);
		expect_line(expected);
	}
	snprintf(group, sizeof(group), "group %d", getpgrp());
	expect_line(group);
	expect_exit(0);
}

static void ignored_and_blocked_signals_still_work(void **state)
{
	(void)state;
	start_with(ignore_and_block, (const char *const []){
		"AGENT", "print-signals", "15", NULL });
	expect_ready();
	kill(pid, SIGHUP);
	expect_signal(SIGHUP);
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	expect_exit(AGENT_STATUS);
}

static void standard_input_is_the_commands(void)
{
	int fds[2];

	if (pipe(fds) || write(fds[1], "text\n", 5) != 5)
		_exit(1);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	close(fds[1]);
}

static void input_is_read(void **state)
{
	(void)state;
	start_with(standard_input_is_the_commands, (const char *const []){ "cat", NULL });
	expect_line("text");
	expect_line("");
	expect_exit(0);
}

static int nr_descriptors(void)
{
	char path[64];
	int nr = 0;

	for (int fd = 0; fd < 100; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		nr += !access(path, F_OK);
	}
	return nr;
}

/* A checkpoint could not dump more than the standard streams. */
static void no_descriptor_is_kept(void **state)
{
	(void)state;
	start("AGENT", "print-signals", "15");
	expect_ready();
	wait_until(nr_descriptors() == 3);
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	expect_exit(AGENT_STATUS);
}

/* Job control */

/* Starts it in a session of its own, in the foreground of a new terminal. */
static void start_in_terminal(const char *const *arguments)
{
	pid = forkpty(&output, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Its own group: a session's leader would be in none that stops, an orphaned one. */
		pid = fork();
		if (pid) {
			int status;

			signal(SIGTTOU, SIG_IGN);
			setpgid(pid, pid);
			tcsetpgrp(STDIN_FILENO, pid);
			while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
				say("stopped by %d\n", WSTOPSIG(status));
				tcsetpgrp(STDIN_FILENO, getpgrp());
				sleep_ms(100);
				tcsetpgrp(STDIN_FILENO, pid);
				kill(-pid, SIGCONT);
			}
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status));
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		while (tcgetpgrp(STDIN_FILENO) != getpgrp())
			sleep_ms(1);
		/* Warnings do not belong to what is read here. */
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		execute(arguments);
	}
	errors = -1;
}

static void type(char key)
{
	assert_int_equal(write(output, &key, 1), 1);
}

static void what_is_typed_comes_once(void **state)
{
	struct winsize size = { .ws_row = 10, .ws_col = 20 };

	(void)state;
	start_in_terminal((const char *const []){ "AGENT", "print-signals", "10", NULL });
	expect_ready();
	type('C' & 0x1f);
	expect_line("^C2");
	type('\\' & 0x1f);
	expect_line("^\\3");
	assert_return_code(ioctl(output, TIOCSWINSZ, &size), errno);
	expect_signal(SIGWINCH);
	sleep_ms(100);
	kill(agent, SIGUSR1);
	expect_signal(SIGUSR1);
	expect_line("");
	expect_exit(AGENT_STATUS);
}

static void stopped_job_stops_and_goes_on(void **state)
{
	(void)state;
	start_in_terminal((const char *const []){ "sh", "-c", "echo ready; read x; echo got $x",
						  NULL });
	expect_line("ready");
	type('Z' & 0x1f);
	expect_line("^Zstopped by 20");
	sleep_ms(300);
	assert_int_equal(write(output, "line\n", 5), 5);
	expect_line("line");
	expect_line("got line");
	expect_exit(0);
}

static void command_that_stops_itself_stops_the_job(void **state)
{
	static const char *const signals[] = { "20", "21", "22" };	/* TSTP, TTIN, TTOU */

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		char expected[32];

		start_in_terminal((const char *const []){ "AGENT", "stop-itself", signals[i], NULL });
		expect_ready();
		snprintf(expected, sizeof(expected), "stopped by %s", signals[i]);
		expect_line(expected);
		expect_line("continued");
		expect_exit(AGENT_STATUS);
	}
}

/* What somebody stops, a debugger for example, can be continued without daware-run. */
static void command_that_is_stopped_stops_nothing_else(void **state)
{
	int status;

	(void)state;
	start("AGENT", "print-signals", "15");
	expect_ready();
	kill(agent, SIGSTOP);
	sleep_ms(100);
	assert_int_equal(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	kill(agent, SIGCONT);
	expect_signal(SIGCONT);
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	expect_exit(AGENT_STATUS);
}

/* Process 1 */

/* Forks once more: the child is process 1, and its parent ends as it does. */
static void become_process_1(void)
{
	int status;

	if (unshare(CLONE_NEWPID))
		_exit(1);
	pid = fork();
	if (pid) {
		sigset_t all;
		int signo;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		while (!sigwait(&all, &signo) && signo != SIGCHLD)
			kill(pid, signo);
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void start_as_process_1(const char *const *arguments)
{
	start_with(become_process_1, arguments);
}

static void process_1_reaps_orphans(void **state)
{
	int orphan = 0;
	char path[128];

	(void)state;
	start_as_process_1((const char *const []){ "AGENT", "leave-orphan", "0", NULL });
	assert_int_equal(sscanf(next_line(), "orphan %d", &orphan), 1);
	expect_ready();
	assert_int_not_equal(agent, orphan);
	/* Seen from here, process 1 has one child in the end. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	for (int tries = 0; ; tries++) {
		char children[64] = "";
		int process_1, nr = 0, unused;
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_int_equal(fscanf(file, "%d", &process_1), 1);
		fclose(file);
		snprintf(children, sizeof(children), "/proc/%d/task/%d/children", process_1, process_1);
		file = fopen(children, "re");
		assert_non_null(file);
		while (fscanf(file, "%d", &unused) == 1)
			nr++;
		fclose(file);
		if (nr == 1)
			break;
		assert_true(tries < 60000);
		sleep_ms(1);
	}
	kill(pid, SIGTERM);
	expect_signal(SIGTERM);
	expect_exit(AGENT_STATUS);
}

static void process_1_passes_signals_on(void **state)
{
	(void)state;
	start_as_process_1((const char *const []){ "-s", "QUIT", "AGENT", "print-signals", "3",
						   NULL });
	expect_ready();
	kill(pid, SIGHUP);
	expect_signal(SIGHUP);
	kill(pid, SIGTERM);
	expect_signal(SIGQUIT);
	expect_exit(AGENT_STATUS);
}

static void process_1_tells_the_signal_in_its_status(void **state)
{
	(void)state;
	start_as_process_1((const char *const []){ "sh", "-c", "kill -USR1 $$", NULL });
	expect_exit(128 + SIGUSR1);
}

static void find_daware_run(void)
{
	static const char from_tests[] = "../../bin/daware-run";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char path[PATH_MAX];

	assert_true(len > 0);
	self[len] = '\0';
	snprintf(path, sizeof(path), "%.*s/%s", (int)(strrchr(self, '/') - self), self, from_tests);
	if (!realpath(path, daware_run)) {
		printf("Bail out! %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

/* The sandbox has no terminals. */
static void allow_terminals(void)
{
	if (mkdir("/dev/pts", 0755) || symlink("pts/ptmx", "/dev/ptmx") ||
	    mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=666,mode=620")) {
		printf("Bail out! /dev/pts: %s\n", strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(signal_that_cannot_be_registered),
		cmocka_unit_test(help_and_version),
		cmocka_unit_test(status_is_that_of_the_command),
		cmocka_unit_test(command_that_cannot_be_run),
		cmocka_unit_test(missing_module_is_told),
		cmocka_unit_test(termination_signal_is_mapped),
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_other_signals_are_passed_on),
		cmocka_unit_test(what_ignores_is_refused),
		cmocka_unit_test(command_is_not_left_alone),
		cmocka_unit_test(command_inherits_what_daware_run_did),
		cmocka_unit_test(ignored_and_blocked_signals_still_work),
		cmocka_unit_test(input_is_read),
		cmocka_unit_test(no_descriptor_is_kept),
		cmocka_unit_test(what_is_typed_comes_once),
		cmocka_unit_test(stopped_job_stops_and_goes_on),
		cmocka_unit_test(command_that_stops_itself_stops_the_job),
		cmocka_unit_test(command_that_is_stopped_stops_nothing_else),
		cmocka_unit_test(process_1_reaps_orphans),
		cmocka_unit_test(process_1_passes_signals_on),
		cmocka_unit_test(process_1_tells_the_signal_in_its_status),
	};

	if (argc == 3)
		return run_agent(argv[1], atoi(argv[2]));
	closefrom(STDERR_FILENO + 1);
	find_daware_run();
	sandbox_enter();
	allow_terminals();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
