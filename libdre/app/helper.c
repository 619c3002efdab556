// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs dre-app-helper. liblxc forks the caller to make a container's monitor
 * out of it, or to enter a container; a caller with threads, handlers and open
 * files of its own is not fit for that. The helper is a fresh process.
 *
 * It says how it went on fd 3: "ok STATUS", "error CODE: TEXT" or what failed. That does not
 * depend on SIGCHLD, which is the caller's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "common/file.h"
#include "common/store_private.h"

static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int err = posix_spawnattr_init(attr);

	sigfillset(&all);
	sigemptyset(&none);
	if (!err)
		err = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (!err)
		err = posix_spawnattr_setsigdefault(attr, &all);
	if (!err)
		err = posix_spawnattr_setsigmask(attr, &none);
	return err;
}

static int set_actions(posix_spawn_file_actions_t *actions, int report, const int *fds, int nr,
		       bool quiet)
{
	int err = posix_spawn_file_actions_init(actions);

	if (!err)
		err = posix_spawn_file_actions_adddup2(actions, report, 3);
	for (int fd = 0; quiet && !err && fd < 3; fd++)
		err = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
	for (int i = 0; !err && i < nr; i++)
		err = posix_spawn_file_actions_adddup2(actions, fds[i], 4 + i);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(actions, 4 + nr);
	return err;
}

static int spawn(pid_t *pid, char *const argv[], int report, const int *fds, int nr, bool quiet)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int err = set_attributes(&attr);

	if (err)
		return err;
	err = set_actions(&actions, report, fds, nr, quiet);
	if (!err) {
		err = posix_spawn(pid, APP_HELPER, &actions, &attr, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attr);
	return err;
}

/* All that the helper says, as one line. */
static void read_report(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1) {
		n = read(fd, text + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
	}
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

int app_helper_begin(struct app_helper *helper, char *const argv[], const int *fds, int nr,
		     bool quiet)
{
	int report[2], high[4], err = 0, i;

	if (pipe2(report, O_CLOEXEC))
		return dre_fail_errno(errno, "cannot run %s", APP_HELPER);
	/* Out of the way of the numbers that they get. */
	for (i = 0; i < nr && !err; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 10);
		err = high[i] < 0 ? errno : 0;
	}
	/* Where a file has its number in the child already, dup2() keeps it open. */
	if (!err)
		err = spawn(&helper->pid, argv, report[1], high, nr, quiet);
	while (i--)
		if (high[i] >= 0)
			close(high[i]);
	close(report[1]);
	helper->report = report[0];
	if (!err)
		return 0;
	close(report[0]);
	return dre_fail_errno(err, "cannot run %s", APP_HELPER);
}

int app_helper_end(struct app_helper *helper, const char *name, int *status)
{
	int err, begin = 0;
	char text[1024];

	read_report(helper->report, text, sizeof(text));
	close(helper->report);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (sscanf(text, "ok %d", status) == 1)
		return 0;
	/* An error that a function of ours had in there has said what it is about. */
	if (sscanf(text, "error %d: %n", &err, &begin) == 1 && begin)
		return dre_fail(err, "%s", text + begin);
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': %s", name,
			*text ? text : "the helper was killed");
}

/* @locks: what the helper is to hold as long as it runs, also if the caller is killed. */
static int run(const struct app *app, char *const argv[], const int *locks, int nr, bool quiet, int *status)
{
	struct app_helper helper;
	int err = app_helper_begin(&helper, argv, locks, nr, quiet);

	return err ? err : app_helper_end(&helper, app->name, status);
}

int app_helper_prepare(const struct app *app, struct app_helper *helper)
{
	char *argv[] = { "dre-app-helper", "start", (char *)store_root(app->store),
			 (char *)app->name, NULL };
	int go[2], fds[2], err;

	/* Not a pipe: who writes to one whose reader was killed gets a signal. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go))
		return dre_fail_errno(errno, "cannot run %s", APP_HELPER);
	fds[0] = app->container->lock_fd;
	fds[1] = go[1];
	err = app_helper_begin(helper, argv, fds, 2, true);
	close(go[1]);
	if (err)
		close(go[0]);
	else
		helper->go = go[0];
	return err;
}

int app_helper_start(const struct app *app, struct app_helper *helper, int err)
{
	struct saved_error saved;
	int status;

	save_error(&saved);
	if (!err)
		send(helper->go, "", 1, MSG_NOSIGNAL);
	close(helper->go);
	if (!err)
		return app_helper_end(helper, app->name, &status);
	app_helper_end(helper, app->name, &status);
	restore_error(&saved);
	return err;
}

int app_helper_device(const struct app *app)
{
	char *argv[] = { "dre-app-helper", "device", (char *)store_root(app->store),
			 (char *)app->name, NULL };
	int status;

	return run(app, argv, NULL, 0, true, &status);
}

int app_helper_checkpoint(const struct app *app, const char *dir, const char *copy)
{
	char *argv[] = { "dre-app-helper", "checkpoint", (char *)store_root(app->store),
			 (char *)app->name, (char *)dir, (char *)copy, NULL };
	/* The store's, too: nothing names yet what it makes. */
	const int locks[] = { app->container->lock_fd, app->store->lock_fd };
	int status;

	return run(app, argv, locks, 2, true, &status);
}

int app_helper_restore(const struct app *app, const char *dir)
{
	char *argv[] = { "dre-app-helper", "restore", (char *)store_root(app->store),
			 (char *)app->name, (char *)dir, NULL };
	int status;

	return run(app, argv, &app->container->lock_fd, 1, true, &status);
}

/* A file with the variables, as app-helper.h has it. -1 and errno. */
static int write_environment(char *const *env)
{
	int fd = memfd_create("environment", MFD_CLOEXEC), err = 0;

	for (; fd >= 0 && env && *env && !err; env++)
		err = file_write_all(fd, *env, strlen(*env) + 1);
	if (!err)
		return fd;
	close(fd);
	errno = -err;
	return -1;
}

int app_helper_exec(const struct app *app, char *const command[],
		    const dre_app_exec_options *options, int *status)
{
	char **argv, terminal[12];
	struct app_helper helper;
	int environment, err;
	size_t nr = 0;

	while (command[nr])
		nr++;
	argv = calloc(nr + 8, sizeof(*argv));
	environment = argv ? write_environment(options->env) : -1;
	if (environment < 0) {
		err = dre_fail_errno(argv ? errno : ENOMEM, "container '%s'", app->name);
		free(argv);
		return err;
	}
	snprintf(terminal, sizeof(terminal), "%d", options->tty);
	argv[0] = "dre-app-helper";
	argv[1] = "exec";
	argv[2] = (char *)store_root(app->store);
	argv[3] = (char *)app->name;
	argv[4] = terminal;
	argv[5] = (char *)(options->user ? options->user : "");
	argv[6] = (char *)(options->cwd ? options->cwd : "");
	memcpy(argv + 7, command, nr * sizeof(*argv));
	err = app_helper_begin(&helper, argv, &environment, 1, false);
	close(environment);
	free(argv);
	return err ? err : app_helper_end(&helper, app->name, status);
}
