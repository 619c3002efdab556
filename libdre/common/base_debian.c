// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program of ours runs mmdebstrap and writes a tar archive, which becomes the base's layer. Only
 * when both have come to their end is there a base.
 */
#include <dre.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base_debian.h"
#include "base_private.h"
#include "dre_paths.h"
#include "fail.h"
#include "tar.h"

#define BUILDER		DRE_LIBEXECDIR "/dre/dre-base-debian"
#define COMPLAINT_SIZE	400

struct build {
	const struct debian *how;
	const char *name;
};

static int set_actions(posix_spawn_file_actions_t *actions, int out, int err)
{
	int ret = posix_spawn_file_actions_init(actions);

	if (!ret)
		ret = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(actions, out, 1);
	if (!ret && err >= 0)
		ret = posix_spawn_file_actions_adddup2(actions, err, 2);
	if (!ret)
		ret = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return ret;
}

static int start(pid_t *pid, const struct debian *how, int out, int err)
{
	char *argv[] = { "dre-base-debian", (char *)how->suite, (char *)(how->packages ?: ""),
			 (char *)how->mirror, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int ret = posix_spawnattr_init(&attr);

	if (ret)
		return ret;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	ret = set_actions(&actions, out, err);
	if (!ret) {
		ret = posix_spawn(pid, BUILDER, &actions, &attr, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attr);
	return ret;
}

/* Its first error, "E: ...", which is the cause of the others. */
static void find_complaint(int fd, char complaint[COMPLAINT_SIZE])
{
	FILE *f = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	struct printable p;

	*complaint = '\0';
	if (!f)
		return;
	rewind(f);
	while (!*complaint && getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "E: ", 3))
			snprintf(complaint, COMPLAINT_SIZE, "%s", dre_printable(&p, line + 3));
	}
	free(line);
	fclose(f);
}

static int fail_build(const struct build *b, int status, int log)
{
	char complaint[COMPLAINT_SIZE] = "";

	if (log >= 0) {
		int fd = fcntl(log, F_DUPFD_CLOEXEC, 0);

		if (fd >= 0)
			find_complaint(fd, complaint);
	}
	if (WIFSIGNALED(status))
		snprintf(complaint, sizeof(complaint), "it was ended by signal %d",
			 WTERMSIG(status));
	return dre_fail(DRE_ERR_DEVICE_BUSY, "base image '%s': mmdebstrap: %s", b->name,
			*complaint ? complaint : "it has failed; with its output one sees why");
}

/* If both fail, it is the builder's failure that has cut the archive off; or our own that ended it. */
static int unpack(const struct build *b, int layer_fd, int in, pid_t pid, int log)
{
	const struct tar_target target = {
		.dir = layer_fd,
		.what = "mmdebstrap",
		.progress = b->how->progress,
		.arg = b->how->arg,
	};
	int ret = tar_unpack(in, &target), status;

	close(in);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status && (!ret || ret == DRE_ERR_INVALID_ARGUMENT))
		ret = fail_build(b, status, log);
	return ret;
}

static int fill(void *arg, int layer_fd)
{
	const struct build *b = arg;
	int log = b->how->verbose ? -1 : memfd_create("mmdebstrap", MFD_CLOEXEC);
	int pipe_fds[2], ret;
	pid_t pid;

	if ((log < 0 && !b->how->verbose) || pipe2(pipe_fds, O_CLOEXEC)) {
		ret = dre_fail_errno(errno, "base image '%s'", b->name);
	} else {
		ret = start(&pid, b->how, pipe_fds[1], log);
		close(pipe_fds[1]);
		if (!ret) {
			ret = unpack(b, layer_fd, pipe_fds[0], pid, log);
		} else {
			close(pipe_fds[0]);
			ret = dre_fail_errno(ret, "cannot run %s", BUILDER);
		}
	}
	if (log >= 0)
		close(log);
	return ret;
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

int base_build_debian(struct store *store, const char *name, const struct debian *how)
{
	struct build b = { how, name };
	int ret = check_word("suite of Debian", how->suite, LETTERS ".-_");

	if (!ret && how->packages)
		ret = check_word("list of packages", how->packages, LETTERS ".-+:=~,/");
	if (!ret && how->mirror)
		ret = check_word("mirror", how->mirror, LETTERS " .-+:=~,/[]_%@?&");
	return ret ? ret : base_make(store, name, fill, &b);
}
