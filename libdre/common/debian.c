// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "debian.h"
#include "dre_paths.h"
#include "fail.h"

#define BUILDER		DRE_LIBEXECDIR "/dre/dre-base-debian"
#define COMPLAINT_SIZE	400

/* The builder's fds. The others are closed, with those that are in the way of these. */
enum { FD_NULL, FD_OUT, FD_ERR, FD_STEPS, NR_FDS };

/* @fds: here, out of the way of those; -1: stays as it is, but for the last one, which is closed. */
static int set_actions(posix_spawn_file_actions_t *actions, const int fds[NR_FDS])
{
	int ret = posix_spawn_file_actions_init(actions), nr = FD_STEPS + (fds[FD_STEPS] >= 0);

	if (!ret)
		ret = posix_spawn_file_actions_addopen(actions, FD_NULL, "/dev/null", O_RDONLY, 0);
	for (int i = FD_OUT; !ret && i < nr; i++)
		if (fds[i] >= 0)
			ret = posix_spawn_file_actions_adddup2(actions, fds[i], i);
	if (!ret)
		ret = posix_spawn_file_actions_addclosefrom_np(actions, nr);
	return ret;
}

/* What would not be there any more when its turn comes gets another number. */
static int move_fds(int fds[NR_FDS])
{
	for (int i = FD_OUT; i < NR_FDS; i++) {
		if (fds[i] < 0)
			continue;
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, NR_FDS);
		if (fds[i] < 0)
			return errno;
	}
	return 0;
}

static int spawn(pid_t *pid, const struct debian *how, const int fds[NR_FDS])
{
	char bytes[24];
	char *argv[] = { "dre-base-debian", how->disk ? "disk" : "tree", (char *)how->suite,
			 (char *)(how->packages ?: ""), (char *)(how->mirror ?: ""), bytes, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int ret = posix_spawnattr_init(&attr);

	if (ret)
		return ret;
	snprintf(bytes, sizeof(bytes), "%llu", how->disk);
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	ret = set_actions(&actions, fds);
	if (!ret) {
		ret = posix_spawn(pid, BUILDER, &actions, &attr, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attr);
	return ret;
}

int debian_start(struct debian_builder *b, const char *name, const struct debian *how, int out, int steps)
{
	int fds[NR_FDS] = { -1, out, -1, steps }, ret;

	*b = (struct debian_builder){ .name = name, .log = -1 };
	if (!how->verbose) {
		b->log = memfd_create("mmdebstrap", MFD_CLOEXEC);
		if (b->log < 0)
			return dre_fail_errno(errno, "base image '%s'", name);
	}
	fds[FD_ERR] = b->log;
	ret = move_fds(fds);
	if (!ret)
		ret = spawn(&b->pid, how, fds);
	for (int i = FD_OUT; i < NR_FDS; i++)
		if (fds[i] >= NR_FDS && fds[i] != out && fds[i] != steps && fds[i] != b->log)
			close(fds[i]);
	if (!ret)
		return 0;
	if (b->log >= 0)
		close(b->log);
	return dre_fail_errno(ret, "cannot run %s", BUILDER);
}

/* Its first error, "E: ...", which is the cause of the others. */
static void find_complaint(int log, char complaint[COMPLAINT_SIZE])
{
	FILE *f = fdopen(log, "r");
	char *line = NULL;
	size_t size = 0;
	struct printable p;

	if (!f) {
		close(log);
		return;
	}
	rewind(f);
	while (!*complaint && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "E: ", 3))
			snprintf(complaint, COMPLAINT_SIZE, "%s", dre_printable(&p, line + 3));
	}
	free(line);
	fclose(f);
}

int debian_wait(const struct debian_builder *b)
{
	char complaint[COMPLAINT_SIZE] = "";
	int status, err = 0;

	if (TEMP_FAILURE_RETRY(waitpid(b->pid, &status, 0)) < 0)
		err = errno;
	if (b->log >= 0)
		find_complaint(b->log, complaint);
	if (err)	/* the program waits for all children, or for none */
		return dre_fail_errno(err, "base image '%s' cannot be built", b->name);
	if (!status)
		return 0;
	if (WIFSIGNALED(status))
		snprintf(complaint, sizeof(complaint), "it was ended by signal %d",
			 WTERMSIG(status));
	return dre_fail(DRE_ERR_DEVICE_BUSY, "base image '%s' cannot be built: %s", b->name,
			*complaint ? complaint : "it has failed; with its output one sees why");
}

/* They become words of a command line and of apt's configuration. */
static int check_word(const char *what, const char *text, const char *characters)
{
	struct printable p;

	if (*text && *text != '-' && text[strspn(text, characters)] == '\0')
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT, "'%s' is no %s", dre_printable(&p, text), what);
}

#define LETTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int debian_check(const struct debian *how)
{
	int ret = check_word("suite of Debian", how->suite, LETTERS ".-_");

	if (!ret && how->packages)
		ret = check_word("list of packages", how->packages, LETTERS ".-+:=~,/");
	if (!ret && how->mirror)
		ret = check_word("mirror", how->mirror, LETTERS " .-+:=~,/[]_%@?&");
	return ret;
}
