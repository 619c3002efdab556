// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app-helper hook: liblxc calls it when the container's state changes, whoever caused it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "app-helper.h"
#include "common/cgroupfs.h"
#include "common/former.h"
#include "common/kmod.h"
#include "common/rootfs.h"
#include "limits.h"
#include "module.h"
#include "network.h"
#include "volume.h"

/* A container that a hook is about. */
struct hook {
	char root[PATH_MAX];	/* of the store */
	const char *name;
};

/* LXC_CONFIG_FILE is STORE/lxc/NAME/config. */
static bool hook_init(struct hook *hook)
{
	const char *config = getenv("LXC_CONFIG_FILE");
	char *slash = NULL;

	hook->name = getenv("LXC_NAME");
	if (!config || !hook->name || strlen(hook->name) > DRE_NAME_MAX ||
	    strlen(config) >= sizeof(hook->root))
		return false;
	strcpy(hook->root, config);
	for (int i = 0; i < 3; i++) {
		slash = strrchr(hook->root, '/');
		if (!slash)
			return false;
		*slash = '\0';
	}
	return !strcmp(slash + 1, "lxc");
}

/* Into liblxc's log, in its form: do_start() finds it there. */
static int hook_fail(const struct hook *hook, int err)
{
	char log[PATH_MAX + 64];
	FILE *f;

	snprintf(log, sizeof(log), "%s/lxc/%s/lxc.log", hook->root, hook->name);
	f = fopen(log, "ae");
	if (f) {
		fprintf(f, "%s %lld ERROR    " HOOK_ERROR "%d - %s\n", hook->name,
			(long long)time(NULL), err, dre_last_error());
		fclose(f);
	}
	return EXIT_FAILURE;
}

/*
 * Whoever starts the container without dre_app_start() has no root file system
 * yet, and maybe control groups that a killed monitor left: liblxc insists on
 * making them. If somebody of ours has it locked, dre_app_start() did both.
 */
static int mount_rootfs(struct app *app, const char *rootfs)
{
	bool mounted = false;
	int err = container_lock(&app->container, app->store, app->name);

	if (!err)
		err = app_settle_groups(app);
	if (!err && manifest_get(&app->container->manifest, SETTING_FORMER))
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': a restart of it was killed; the next dre-app "
			       "command that changes it puts it in order", app->name);
	if (!err)
		err = rootfs_mount(app->container, rootfs);
	if (err == DRE_ERR_CONTAINER_BUSY && !app->container &&
	    !rootfs_mounted(app->name, rootfs, &mounted) && mounted)
		err = 0;
	return err;
}

/* For a server of SSH in the container: what its configuration includes. */
static int write_port_file(const struct app *app, const char *port, char path[PATH_MAX])
{
	int fd, err = app_path(app->store, app->name, "sshd.conf", path);
	FILE *f = NULL;

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	/* It may be from before, when others could read it. */
	if (fd >= 0 && !fchmod(fd, 0600))
		f = fdopen(fd, "w");
	if (!f)
		return dre_fail_errno(errno, "%s", path);
	fprintf(f, "# Written by D-RE at each start: the container's property \"port\".\nPort %s\n",
		port);
	return fclose(f) ? dre_fail_errno(errno, "%s", path) : 0;
}

static int mount_volumes(const struct app *app, const char *rootfs)
{
	struct manifest m = {};
	char port_file[PATH_MAX];
	const char *port = NULL;
	int err = container_read(app->store, app->name, &m);

	if (!err)
		port = manifest_get(&m, SETTING_PORT);
	if (port)
		err = write_port_file(app, port, port_file);
	if (!err)
		err = volumes_mount(app->name, &m, rootfs, port ? port_file : NULL);
	manifest_free(&m);
	return err;
}

/* What has to be there before liblxc starts it. */
static int prepare(struct app *app, const struct hook *hook)
{
	char rootfs[PATH_MAX];
	int err;

	*app = (struct app){};
	strcpy(app->name, hook->name);
	err = store_open(&app->store, hook->root, &layer_tree);
	if (!err)
		err = app_path(app->store, app->name, "rootfs", rootfs);
	if (!err)
		err = mount_rootfs(app, rootfs);
	if (!err)
		err = mount_volumes(app, rootfs);
	if (!err)
		err = app_console_start(app);
	return err;
}

static int hook_pre_start(const struct hook *hook)
{
	struct app app;
	int err = prepare(&app, hook);

	app_end(&app);
	return err ? hook_fail(hook, err) : EXIT_SUCCESS;
}

static pid_t parent_of(pid_t pid)
{
	char path[32], line[1024], *field;
	int parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	field = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	if (field)
		sscanf(field, ") %*c %d", &parent);
	if (f)
		fclose(f);
	return parent;
}

/* Is it the end of a connection to "@LXCPATH/NAME/command", or to liblxc's hash of that? */
static bool is_connection(int fd)
{
	static const char end[] = "/command";
	const size_t end_len = sizeof(end) - 1;
	struct sockaddr_un addr;
	socklen_t size = sizeof(addr), len;
	int listens = 0;

	if (getsockname(fd, (struct sockaddr *)&addr, &size) || addr.sun_family != AF_UNIX)
		return false;
	len = size - offsetof(struct sockaddr_un, sun_path);
	if (len <= end_len || addr.sun_path[0] || memcmp(addr.sun_path + len - end_len, end, end_len))
		return false;
	size = sizeof(listens);
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && !listens;
}

/* Who has not asked anything within @left milliseconds waits for the container's state: that will come. */
static void end_connection(int fd, int *left)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	if (!is_connection(fd))
		return;
	if (poll(&poll_fd, 1, *left) == 1)
		shutdown(fd, SHUT_RDWR);
	else
		*left = 0;
}

static void end_connections_of(pid_t monitor)
{
	int left = 1000, fd, pidfd = syscall(SYS_pidfd_open, monitor, 0);
	struct dirent *entry;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", monitor);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		fd = entry->d_name[0] == '.' ? -1 :
		     (int)syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		if (fd < 0)
			continue;
		end_connection(fd, &left);
		close(fd);
	}
	if (dir)
		closedir(dir);
	close(pidfd);
}

/*
 * liblxc's monitor forgets who was about to ask it something when it saw the end of init, and has them wait
 * for an answer for as long as it lives: when the container reboots, that is for ever. It called this hook,
 * maybe by a shell, and waits: it has accepted nobody since.
 */
static void end_connections(void)
{
	pid_t caller = getppid();

	end_connections_of(caller);
	end_connections_of(parent_of(caller));
}

/*
 * Between the end of a container and its next start, by liblxc's monitor: which does not start it if we
 * fail, and calls nobody any more.
 */
static int hook_reboot(const struct hook *hook)
{
	struct app app;
	int err;

	end_connections();
	err = prepare(&app, hook);
	if (err) {
		hook_fail(hook, err);
		if (app.container)
			app_settle(&app);
	}
	app_end(&app);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int load_config(struct app *app)
{
	struct manifest m = {};
	int err = dre_config_load(&app->config);

	if (!err)
		err = container_read(app->store, app->name, &m);
	if (!err)
		err = app_configure(&app->config, app->name, &m);
	manifest_free(&m);
	return err;
}

/* Also when it reboots: its control group is a new one then. */
static int set_limits(const char *root, const char *name)
{
	struct app app = {};
	int err;

	if (strlen(name) >= sizeof(app.name))
		return dre_fail(DRE_ERR_REQUEST_TOO_LONG, "%s", name);
	strcpy(app.name, name);
	err = store_open(&app.store, root, &layer_tree);
	if (!err)
		err = load_config(&app);
	if (!err)
		err = limits_apply(&app);
	app_end(&app);
	return err;
}

static int announce(const struct hook *hook)
{
	const char *pid = getenv("LXC_PID");
	int dre, cfd, err = kmod_open(&dre);

	if (err)
		return err;
	cfd = dre_module_container_create(dre, DRE_CONTAINER_APP, hook->name, pid ? atoi(pid) : 0);
	if (cfd < 0)
		err = dre_fail_errno(-cfd, "the D-RE module refuses container '%s'", hook->name);
	else
		close(cfd);
	close(dre);
	return err;
}

/*
 * The init process is there, and waits: before it runs anything its limits hold,
 * and the module knows it.
 */
static int hook_start_host(const struct hook *hook)
{
	int err = set_limits(hook->root, hook->name);

	if (!err)
		err = announce(hook);
	return err ? hook_fail(hook, err) : EXIT_SUCCESS;
}

/* The process that has an init that is dead of a reboot for its child; 0: none. */
static pid_t parent_of_rebooted(pid_t pid)
{
	char path[64], line[1024], *field, state;
	unsigned int child, code;
	bool found = false;
	FILE *children, *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "re");
	while (children && !found && fscanf(children, "%u", &child) == 1) {
		snprintf(path, sizeof(path), "/proc/%u/stat", child);
		f = fopen(path, "re");
		/* The 3rd field is the state, the last one the status; the 2nd may have anything in it. */
		field = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		if (field && sscanf(field, ") %c", &state) == 1 && state == 'Z' &&
		    sscanf(strrchr(line, ' '), "%u", &code) == 1)
			found = (code & 0x7f) == SIGHUP;
		if (f)
			fclose(f);
	}
	if (children)
		fclose(children);
	return found ? pid : 0;
}

/*
 * liblxc's monitor of a container that was restored ends when the container reboots,
 * and has not even asked why init is dead. Returns the monitor then, else 0. It called
 * this hook, maybe by a shell.
 */
static pid_t monitor_of_rebooted(void)
{
	pid_t caller = getppid();

	return parent_of_rebooted(caller) ?: parent_of_rebooted(parent_of(caller));
}

/*
 * The monitor would have started it again: we do, when the monitor is gone. If somebody else is
 * at work on it then, it is as they want it.
 */
static void start_again(const struct hook *hook, pid_t monitor)
{
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)hook->name };
	struct pollfd poll_fd = { .events = POLLIN };
	int root, null, err;

	if (fork())
		return;
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);		/* the monitor waits for what we say */
	if (!cgroupfs_open(&root))
		cgroupfs_set(root, "cgroup.procs", "0");
	poll_fd.fd = syscall(SYS_pidfd_open, monitor, 0);
	while (poll_fd.fd >= 0 && poll(&poll_fd, 1, -1) < 0 && errno == EINTR)
		;
	err = dre_app_start(&h);
	if (err && err != DRE_ERR_CONTAINER_BUSY && err != DRE_ERR_CONTAINER_RUNNING)
		hook_fail(hook, err);
	_exit(EXIT_SUCCESS);
}

/*
 * A container that was not stopped by dre_app_stop(), which cleans up itself:
 * that is so if nobody has it locked. Who locks it later and starts it again
 * may have been faster than this hook: then it is not stopped any more.
 */
static int hook_post_stop(const struct hook *hook)
{
	const char *target = getenv("LXC_TARGET");
	struct app app = {};
	pid_t rebooted;
	int err;

	if (target && !strcmp(target, "reboot"))
		return hook_reboot(hook);
	rebooted = monitor_of_rebooted();
	strcpy(app.name, hook->name);
	err = store_open(&app.store, hook->root, &layer_tree);
	if (!err)
		err = container_lock_to_settle(&app.container, app.store, app.name);
	if (!err && app_state(&app) == APP_STOPPED)
		err = app_settle(&app);
	app_end(&app);
	if (err && err != DRE_ERR_CONTAINER_BUSY)
		return hook_fail(hook, err);
	if (rebooted && !err)
		start_again(hook, rebooted);
	return EXIT_SUCCESS;
}

int do_hook(void)
{
	const char *type = getenv("LXC_HOOK_TYPE");
	struct hook hook;

	if (!type || !hook_init(&hook)) {
		fputs("dre-app-helper: hook: not called by liblxc\n", stderr);
		return EXIT_FAILURE;
	}
	if (!strcmp(type, "pre-start"))
		return hook_pre_start(&hook);
	if (!strcmp(type, "start-host"))
		return hook_start_host(&hook);
	if (!strcmp(type, "post-stop"))
		return hook_post_stop(&hook);
	return EXIT_SUCCESS;
}
