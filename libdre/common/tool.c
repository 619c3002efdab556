// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "child.h"
#include "fail.h"
#include "tool.h"

/* The child's fds: its output and errors go to one pipe. */
enum { FD_NULL, FD_OUT, FD_ERR, FD_FIRST, FD_SECOND, NR_FDS };

struct run {
	const struct tool *tool;
	int fds[NR_FDS];	/* here; -1: none */
};

/* Not more than it had. */
static bool limit(int resource, rlim_t most)
{
	struct rlimit l;

	if (!most)
		return true;
	if (getrlimit(resource, &l) < 0)
		return false;
	if (l.rlim_max > most)
		l.rlim_max = most;
	if (l.rlim_cur > most)
		l.rlim_cur = most;
	return setrlimit(resource, &l) == 0;
}

/* The child knows nothing of the caller's, and is told in English what went wrong. */
static int execute(void *arg)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
	};
	const struct run *run = arg;
	int fds[NR_FDS];
	sigset_t none;

	if (run->tool->dir_fd != AT_FDCWD && fchdir(run->tool->dir_fd) < 0)
		return TOOL_NOT_RUN;
	/* Out of the way of each other first. */
	for (int i = 0; i < NR_FDS; i++) {
		fds[i] = run->fds[i] < 0 ? -1 : fcntl(run->fds[i], F_DUPFD, NR_FDS);
		if (run->fds[i] >= 0 && fds[i] < 0)
			return TOOL_NOT_RUN;
	}
	for (int i = 0; i < NR_FDS; i++)
		if (fds[i] < 0)
			close(i);
		else if (dup2(fds[i], i) < 0)
			return TOOL_NOT_RUN;
	close_range(NR_FDS, ~0U, 0);
	/* Of data, and not of addresses, of which threads reserve far more than they use. */
	if (!limit(RLIMIT_DATA, run->tool->memory) || !limit(RLIMIT_CPU, run->tool->time))
		return TOOL_NOT_RUN;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	environ = (char **)environment;	/* its own, and the path that counts */
	execvp(run->tool->argv[0], (char *const *)run->tool->argv);
	return TOOL_NOT_RUN;
}

static void follow(int fd, const struct tool *tool, char *line, size_t size)
{
	size_t len = 0;
	char c;

	*line = '\0';
	for (bool ended = false; TEMP_FAILURE_RETRY(read(fd, &c, 1)) == 1;) {
		if (ended)
			len = 0;
		ended = c == '\n' || c == '\r';
		if (ended && tool->line)
			tool->line(tool->arg, line);
		if (ended || len + 1 >= size)
			continue;
		line[len++] = c;
		line[len] = '\0';
	}
}

static int run_with(struct run *run, int output, char *last, size_t size)
{
	struct child child;
	int ret = child_start(&child, 0, execute, run);

	close(run->fds[FD_OUT]);
	if (ret)
		return dre_fail_errno(-ret, "%s: cannot run %s", run->tool->what, run->tool->argv[0]);
	follow(output, run->tool, last, size);
	ret = child_wait(&child);
	return ret < 0 ? dre_fail(DRE_ERR_DEVICE_BUSY, "%s: %s was killed", run->tool->what,
				  run->tool->argv[0]) : ret;
}

int tool_run(const struct tool *tool, char *last, size_t size)
{
	struct run run = { .tool = tool };
	int pipes[2], null, ret;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
		ret = dre_fail_errno(errno, "%s", tool->what);
		if (null >= 0)
			close(null);
		return ret;
	}
	run.fds[FD_NULL] = null;
	run.fds[FD_OUT] = run.fds[FD_ERR] = pipes[1];
	run.fds[FD_FIRST] = tool->fds[0];
	run.fds[FD_SECOND] = tool->fds[1];
	ret = run_with(&run, pipes[0], last, size);
	close(pipes[0]);
	close(null);
	return ret;
}
