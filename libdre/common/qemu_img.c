// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "fail.h"
#include "qemu_img.h"

/* The child's fds: its output and errors go to one pipe. */
enum { FD_NULL, FD_OUT, FD_ERR, FD_TARGET, FD_SOURCE, NR_FDS };

#define TARGET	"/proc/self/fd/3"

#define STATUS_NOT_RUN	127

/* What "qemu-img check" says of space that is lost, but of no data. */
#define CHECK_LEAKS	3

struct run {
	const char *const *argv;
	int dir_fd;
	int fds[NR_FDS];	/* here; -1: none */
};

/* The child knows nothing of the caller's, and is told in English what went wrong. */
static int execute(void *arg)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL,
	};
	const struct run *run = arg;
	int fds[NR_FDS];
	sigset_t none;

	if (run->dir_fd != AT_FDCWD && fchdir(run->dir_fd) < 0)
		return STATUS_NOT_RUN;
	/* Out of the way of each other first. */
	for (int i = 0; i < NR_FDS; i++)
		fds[i] = run->fds[i] < 0 ? -1 : fcntl(run->fds[i], F_DUPFD, NR_FDS);
	for (int i = 0; i < NR_FDS; i++)
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			return STATUS_NOT_RUN;
	close_range(NR_FDS, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvpe(run->argv[0], (char *const *)run->argv, (char *const *)environment);
	return STATUS_NOT_RUN;
}

/* Its last line, in @line, and on the way there its progress: "    (12.34/100%)\r". */
static void follow(int fd, const struct qemu_img_convert *convert, char *line, size_t size)
{
	size_t len = 0;
	unsigned int percent, hundredths;
	char c;

	*line = '\0';
	for (bool ended = false; TEMP_FAILURE_RETRY(read(fd, &c, 1)) == 1;) {
		if (ended)
			len = 0;
		ended = c == '\n' || c == '\r';
		if (ended) {
			if (convert->progress &&
			    sscanf(line, " (%u.%u/100%%)", &percent, &hundredths) == 2)
				convert->progress(convert->arg, percent * 100 + hundredths, 10000);
			continue;
		}
		if (len + 1 < size) {
			line[len++] = c;
			line[len] = '\0';
		}
	}
}

/* What it said, without its name. */
static int fail(const struct qemu_img_convert *convert, int status, const char *line)
{
	static const char name[] = "qemu-img: ";
	struct printable text;
	int code = DRE_ERR_INVALID_ARGUMENT;

	if (status == STATUS_NOT_RUN)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "%s: qemu-img cannot be run; is it installed?",
				convert->what);
	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	if (strstr(line, strerror(ENOSPC)) || strstr(line, strerror(EIO)) ||
	    strstr(line, strerror(ENOMEM)))
		code = DRE_ERR_DEVICE_BUSY;
	return dre_fail(code, "%s: qemu-img: %s", convert->what, dre_printable(&text, line));
}

/* Returns its status, with its last line in @line, or a DRE_ERR_* code. */
static int run_tool(const struct qemu_img_convert *convert, const char *const argv[], char *line,
		    size_t size)
{
	struct run run = { .argv = argv, .dir_fd = convert->dir_fd };
	struct child child;
	int pipes[2], null, ret;

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
		ret = dre_fail_errno(errno, "%s", convert->what);
		if (null >= 0)
			close(null);
		return ret;
	}
	run.fds[FD_NULL] = null;
	run.fds[FD_OUT] = pipes[1];
	run.fds[FD_ERR] = pipes[1];
	run.fds[FD_TARGET] = convert->fd;
	run.fds[FD_SOURCE] = convert->source_fd;
	ret = child_start(&child, 0, execute, &run);
	close(pipes[1]);
	close(null);
	if (ret) {
		ret = dre_fail_errno(-ret, "%s: cannot run qemu-img", convert->what);
	} else {
		follow(pipes[0], convert, line, size);
		ret = child_wait(&child);
		if (ret < 0)
			ret = dre_fail(DRE_ERR_DEVICE_BUSY, "%s: qemu-img was killed", convert->what);
	}
	close(pipes[0]);
	return ret;
}

int qemu_img_convert(const struct qemu_img_convert *convert)
{
	const char *argv[16] = { "qemu-img", "convert", "-p", "-O", "qcow2" };
	char line[256], option[32];
	size_t nr = 5;
	int ret;

	if (convert->format) {
		argv[nr++] = "-f";
		argv[nr++] = convert->format;
	}
	if (convert->compression) {
		snprintf(option, sizeof(option), "compression_type=%s", convert->compression);
		argv[nr++] = "-c";
		argv[nr++] = "-o";
		argv[nr++] = option;
	}
	argv[nr++] = convert->source;
	argv[nr++] = TARGET;
	ret = run_tool(convert, argv, line, sizeof(line));
	return ret > 0 ? fail(convert, ret, line) : ret;
}

int qemu_img_check(const struct qemu_img_convert *convert)
{
	const char *const argv[] = { "qemu-img", "check", "-q", convert->source, NULL };
	char line[256];
	int ret = run_tool(convert, argv, line, sizeof(line));

	if (ret == CHECK_LEAKS)
		return 0;
	return ret > 0 ? fail(convert, ret, line) : ret;
}

int qemu_img_grow(int dir_fd, const char *name, uint64_t size, const char *what)
{
	const struct qemu_img_convert run = { .dir_fd = dir_fd, .source_fd = -1, .fd = -1, .what = what };
	char bytes[24], line[256];
	const char *const argv[] = { "qemu-img", "resize", "-q", "-f", "qcow2", name, bytes, NULL };
	int ret;

	snprintf(bytes, sizeof(bytes), "%" PRIu64, size);
	ret = run_tool(&run, argv, line, sizeof(line));
	return ret > 0 ? fail(&run, ret, line) : ret;
}
