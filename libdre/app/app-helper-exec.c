// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a command in a container, see dre_app_exec_with().
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lxc/attach_options.h>

#include "app-helper.h"

/* liblxc's log of a container that is entered often is emptied where it is longer. */
#define LOG_MAX		(64 * 1024)

struct execution {
	lxc_attach_command_t command;
	const char *name;
	const char *user;	/* "": the container's root */
	const char *dir;	/* "": the root directory */
	bool terminal;		/* it has one in the container */
	const char *term;	/* what the caller's is called, or NULL */
	int ready;		/* see relay_enter() */
};

/* The monitor, which appends, has a line to say about each command that is run. */
static void bound_log(const char *root, const char *name)
{
	char log[PATH_MAX];
	struct stat st;

	snprintf(log, sizeof(log), "%s/lxc/%s/lxc.log", root, name);
	if (stat(log, &st) == 0 && st.st_size > LOG_MAX)
		(void)!truncate(log, 0);
}

/*
 * A program in the container that had our controlling terminal for its own could
 * type into our shell (TIOCSTI). It has one of the container's, or none.
 */
static void leave_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		ioctl(fd, TIOCNOTTY);
		close(fd);
	}
}

/* The command that runs in the container, a child of ours. */
static volatile pid_t attached;
/* The signal that came while there was none yet. */
static volatile sig_atomic_t early;

static void pass_on(int signo, siginfo_t *info, void *context)
{
	/* What comes from a terminal is for all that the command has started. */
	pid_t target = info->si_code == SI_KERNEL ? -attached : attached;

	(void)context;
	if (attached <= 0) {
		early = signo;
		return;
	}
	kill(target, signo);
	/* It is to end, though somebody may have stopped it. */
	if (signo == SIGTERM || signo == SIGHUP)
		kill(target, SIGCONT);
}

/* Who ends us, or our caller, means the command. */
static void pass_signals_on(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_sigaction = pass_on, .sa_flags = SA_SIGINFO };

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static int prepare_command(const struct execution *e)
{
	struct printable p;
	int err = *e->user ? become_user(e->name, e->user) : stay_root(e->name);

	/* All else that the caller's environment has is not for the container. */
	if (!err && e->terminal && e->term && setenv("TERM", e->term, 0))
		err = dre_fail_errno(errno, "container '%s'", e->name);
	/* As the user, who may not be let in. */
	if (!err && *e->dir && chdir(e->dir))
		err = dre_fail(DRE_ERR_INVALID_ARGUMENT, "container '%s', directory %s: %s", e->name,
			       dre_printable(&p, e->dir), strerror(errno));
	return err;
}

/*
 * In the container. In a session that is the container's, too: a checkpoint could not dump who is in one of
 * the host's.
 */
static int run_command(void *execution)
{
	struct execution *e = execution;
	int err;

	setsid();
	err = prepare_command(e);
	if (err) {
		/* The line comes before that of our parent, which waits for our end. */
		report_error("error %d: %s\n", err, dre_last_error());
		return EXIT_FAILURE;
	}
	if (early) {
		signal(early, SIG_DFL);
		raise(early);
	}
	if (e->ready >= 0)
		(void)!write(e->ready, "", 1);
	return lxc_lib.lxc_attach_run_command(&e->command);
}

/* What is on ENVIRONMENT_FD, ended by a NULL. NULL and errno if it cannot be read. */
static char **read_environment(void)
{
	off_t size = lseek(ENVIRONMENT_FD, 0, SEEK_END);
	char *text, **list;
	size_t nr = 0;

	if (size < 0)
		return NULL;
	text = calloc(1, size + 1);
	if (!text || pread(ENVIRONMENT_FD, text, size, 0) != size)
		return NULL;
	close(ENVIRONMENT_FD);
	for (off_t i = 0; i < size; i++)
		nr += !text[i];
	list = calloc(nr + 1, sizeof(*list));
	for (size_t i = 0; list && i < nr; i++) {
		list[i] = text;
		text += strlen(text) + 1;
	}
	return list;
}

static bool has_terminal(void)
{
	return isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
}

/*
 * liblxc makes a terminal of those that are terminals, and passes on what is at the controlling one. Where
 * more is wanted, or less, somebody has to stand between.
 */
static int set_terminal(int wanted, struct execution *e)
{
	bool all = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
	int fd, err = 0;

	if (wanted > 0 && all) {
		fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
		all = fd >= 0;
		if (all)
			close(fd);
	}
	if (wanted > 0 ? !all : wanted < 0 && has_terminal())
		err = relay_enter(wanted > 0, &e->ready);
	e->terminal = wanted >= 0 && has_terminal();
	if (!e->terminal)
		leave_terminal();
	return err;
}

/*
 * A fork of ours comes into the container as root of the host, and becomes one of the container only bit by bit, until it
 * executes the command. Nobody in there may trace it meanwhile, or take what it has.
 */
static bool hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0) == 0;
}

static int attach(const char *root, struct execution *e, char **environment)
{
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
	struct lxc_container *c;
	int status = 0;

	if (open_container(root, e->name, NULL, &c))
		return report_error("%s", dre_last_error());
	if (!hide())
		return report_error("it cannot be entered: %s", strerror(errno));
	pass_signals_on();
	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	options.extra_env_vars = environment;
	options.initial_cwd = "/";
	if (e->terminal)
		options.attach_flags |= LXC_ATTACH_TERMINAL;
	if (c->attach(c, run_command, e, &options, (pid_t *)&attached))
		return report_error("liblxc cannot run a command in it");
	/* liblxc ignores what is typed to interrupt it, also where it is not the command's terminal that has it. */
	pass_signals_on();
	if (early)
		kill(attached, early);
	while (waitpid(attached, &status, 0) < 0 && errno == EINTR)
		;
	bound_log(root, e->name);
	return report_ok(status);
}

int do_exec(char **argv)
{
	struct execution e = {
		.command = { .program = argv[5], .argv = argv + 5 },
		.name = argv[1],
		.user = argv[3],
		.dir = argv[4],
		.term = getenv("TERM"),
		.ready = -1,
	};
	char **environment = read_environment();
	int err;

	if (!environment)
		return report_error("the command's environment: %s", strerror(errno));
	err = set_terminal(atoi(argv[2]), &e);
	if (err)
		return report_error("a terminal for the command: %s", strerror(err));
	return attach(argv[0], &e, environment);
}
