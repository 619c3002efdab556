// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app-helper: what has to be done in a process of its own.
 *
 *	start STORE NAME		starts a container; liblxc makes a
 *					daemon of it, the monitor
 *	exec STORE NAME TERMINAL USER DIR COMMAND...
 *					runs a command in a container, see
 *					app-helper-exec.c
 *	device STORE NAME		puts this host's /dev/dre into a container
 *	checkpoint STORE NAME DIR COPY	dumps a container, see app-helper-criu.c
 *	restore STORE NAME DIR		restores it
 *	pack FIRST COUNT ENTRY MEMBER	writes a tar archive of what is in a
 *					directory of a container
 *	unpack FIRST COUNT		reads one; both have the rights of the
 *					container's root, and no others
 *	trash STORE			removes what waits for it in the store
 *	hook				liblxc calls it when the container's
 *					state changes, see app-helper-hook.c
 *
 * All but the last two are for libdreapp and answer on fd 3, see helper.c. Without
 * an argument it is CRIU that calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/keyctl.h>

#include "app-helper.h"
#include "app-init.h"
#include "dre_paths.h"
#include "network.h"
#include "volume.h"

#define INIT		DRE_LIBEXECDIR "/dre/dre-app-init"
#define INIT_INTERVAL	500	/* microseconds */
#define INIT_TRIES	20000

int report_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vdprintf(REPORT_FD, fmt, args);
	va_end(args);
	return EXIT_FAILURE;
}

int report_ok(int status)
{
	dprintf(REPORT_FD, "ok %d\n", status);
	return EXIT_SUCCESS;
}

/*
 * liblxc takes a configuration that it could not read for an empty one, and one without a root has that of the host, its
 * init included.
 */
static int check_configured(struct lxc_container **c)
{
	if (*c && (*c)->get_config_item(*c, "lxc.rootfs.path", NULL, 0) > 0)
		return 0;
	if (*c)
		lxc_lib.lxc_container_put(*c);
	*c = NULL;
	dre_fail(DRE_ERR_DEVICE_BUSY, "liblxc cannot read its configuration");
	return DRE_ERR_DEVICE_BUSY;
}

int open_container(const char *root, const char *name, const char *log, struct lxc_container **c)
{
	char lxcpath[PATH_MAX];
	struct lxc_log init = { .name = name, .lxcpath = lxcpath, .file = log, .level = "WARN",
				.prefix = "dre-app", .quiet = true };

	if (lxc_lib_load())
		return DRE_ERR_DEVICE_BUSY;
	snprintf(lxcpath, sizeof(lxcpath), "%s/lxc", root);
	if (log)
		lxc_lib.lxc_log_init(&init);
	*c = lxc_lib.lxc_container_new(name, lxcpath);
	return check_configured(c);
}

/*
 * The message of the first error in liblxc's log, which is the cause of the
 * others: "... ERROR  where - file:function:line - MESSAGE".
 */
bool first_error(const char *log, char *message, size_t size, int *code)
{
	char line[1024], *text;
	const char *ours;
	bool found = false;
	FILE *f = fopen(log, "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		text = strstr(line, " ERROR ");
		text = text ? strstr(text, " - ") : NULL;
		text = text ? strstr(text + 3, " - ") : NULL;
		if (!text)
			continue;
		ours = strstr(line, HOOK_ERROR);
		*code = ours && ours < text ? atoi(ours + strlen(HOOK_ERROR)) : 0;
		text[strcspn(text, "\n")] = '\0';
		snprintf(message, size, "%s", text + 3);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/*
 * liblxc is content when it could execute our dre-app-init. If that cannot execute init,
 * it says so by its name, and waits for us. What it executes is the container's, and may
 * execute it again. Returns an errno.
 */
static int init_error(struct lxc_container *c)
{
	char exe[32], comm[32], name[32];
	struct stat ours, st;
	int fd, error = 0;
	pid_t init = c->init_pid(c);

	snprintf(exe, sizeof(exe), "/proc/%d/exe", init);
	snprintf(comm, sizeof(comm), "/proc/%d/comm", init);
	if (stat(INIT, &ours))
		return 0;
	for (int tries = 0; !error && !stat(exe, &st) && st.st_dev == ours.st_dev && st.st_ino == ours.st_ino; tries++) {
		usleep(INIT_INTERVAL);
		fd = open(comm, O_RDONLY | O_CLOEXEC);
		name[0] = '\0';
		if (fd >= 0) {
			(void)!read(fd, name, sizeof(name) - 1);
			close(fd);
		}
		sscanf(name, INIT_FAILED, &error);
		if (!error && tries == INIT_TRIES)
			error = ETIMEDOUT;
	}
	return error;
}

/* The console's keeper, which is a child of ours here, would not end by itself. */
static void end_console(const char *root, const char *name)
{
	struct app app = {};

	strcpy(app.name, name);
	if (!store_open(&app.store, root, &layer_tree))
		app_console_stop(&app);
	store_close(app.store);
}

/* What takes its time and needs no root file system: our caller mounts that meanwhile. */
static int prepare_start(struct app *app, const char *root, const char *name, int *console)
{
	int err;

	*console = -1;
	*app = (struct app){};
	strcpy(app->name, name);
	err = store_open(&app->store, root, &layer_tree);
	if (!err)
		err = app_console_begin(app, console);
	return err ? err : lxc_lib_load();
}

/* False if our caller was killed, or could not mount it. */
static bool wait_for_go(void)
{
	char byte;
	ssize_t n;

	do
		n = read(GO_FD, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/*
 * The pre-start hook would find that all is done, unless there is something to mount. It is in the
 * configuration for those who start the container without us. When the container reboots the
 * post-stop hook does what it does.
 */
static int leave_out_hook(const struct app *app, struct lxc_container *c)
{
	struct manifest m = {};
	int err = container_read(app->store, app->name, &m);

	if (!err && !manifest_get(&m, SETTING_VOLUMES) && !manifest_get(&m, SETTING_PORT) &&
	    !c->set_config_item(c, "lxc.hook.pre-start", ""))
		err = dre_fail(DRE_ERR_DEVICE_BUSY, "liblxc cannot leave out a hook");
	manifest_free(&m);
	return err;
}

static int open_to_start(struct app *app, int console, const char *log, struct lxc_container **c)
{
	int fd, err = app_console_end(app, console);

	if (err)
		return err;
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return dre_fail_errno(errno, "%s", log);
	close(fd);
	err = open_container(store_root(app->store), app->name, log, c);
	return err || !*c ? err : leave_out_hook(app, *c);
}

static int do_start(const char *root, const char *name)
{
	char log[PATH_MAX], message[PATH_MAX + 64];
	int console, err, code = 0, error = 0;
	struct lxc_container *c = NULL;
	struct app app;

	snprintf(log, sizeof(log), "%s/lxc/%s/lxc.log", root, name);
	err = prepare_start(&app, root, name, &console);
	if (!wait_for_go()) {
		end_console(root, name);
		return EXIT_FAILURE;
	}
	if (!err)
		err = open_to_start(&app, console, log, &c);
	app_end(&app);
	if (err || !c) {
		end_console(root, name);
		return report_error("error %d: %s", err, dre_last_error());
	}
	/*
	 * liblxc leaves the mapping of ids to newuidmap(1) if it finds it, and
	 * that refuses what /etc/subuid does not give to root. We are root, and
	 * the range is the one that dre.conf names: it shall not find it.
	 */
	setenv("PATH", "/usr/sbin:/sbin", 1);
	c->want_daemonize(c, true);
	c->want_close_all_fds(c, true);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (c->start(c, 0, NULL)) {
		error = init_error(c);
		if (!error)
			return report_ok(0);
		c->stop(c);
	}
	/* The monitor that was to be cleans up now, our hook included. */
	end_console(root, name);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	if (error)
		return report_error("its /sbin/init: %s", strerror(error));
	if (!first_error(log, message, sizeof(message), &code))
		snprintf(message, sizeof(message), "it did not start; see %s", log);
	return code ? report_error("error %d: %s", code, message) : report_error("%s", message);
}

static int mount_device(int tree)
{
	int fd, err;

	/* The dead node; under it is the file that it was bound over. */
	umount2("/dev/dre", MNT_DETACH | UMOUNT_NOFOLLOW);
	fd = open("/dev/dre", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = move_mount(tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	err = err ? -errno : 0;
	close(fd);
	return err;
}

/*
 * When the module is unloaded the kernel takes its node from all who have it
 * bound. Whatever the container made of its /dev, only its own mounts change.
 */
static int do_device(const char *root, const char *name)
{
	struct lxc_container *c;
	int tree, init, err;
	struct stat st;
	char rule[64];
	pid_t pid;

	if (open_container(root, name, NULL, &c))
		return report_error("%s", dre_last_error());
	if (stat("/dev/dre", &st))
		return report_error("/dev/dre: %s", strerror(errno));
	snprintf(rule, sizeof(rule), "c %u:%u rw", major(st.st_rdev), minor(st.st_rdev));
	c->set_cgroup_item(c, "devices.allow", rule);
	init = app_init_pidfd(c, &pid);
	tree = open_tree(AT_FDCWD, "/dev/dre", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (init < 0 || tree < 0 || setns(init, CLONE_NEWNS))
		return report_error("its mounts: %s", strerror(errno));
	err = mount_device(tree);
	return err ? report_error("its /dev/dre: %s", strerror(-err)) : report_ok(0);
}

/* Nobody waits for us: what anybody waits for goes first. See common/trash.c. */
static int do_trash(const char *root)
{
	struct store *store;
	int err;

	prctl(PR_SET_NAME, "dre-trash");
	setpriority(PRIO_PROCESS, 0, 19);
	err = store_open(&store, root, &layer_tree);
	if (err)
		return EXIT_FAILURE;
	err = store_empty_trash(store);
	store_close(store);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What the caller has in his session, such as Kerberos tickets and keys of disks, whatever comes into the container would have. */
static bool leave_keys(void)
{
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS;
}

/*
 * What the caller hands down to all that he runs, files in the container that ask for it would give to whoever runs them
 * there, where no user namespace keeps it away.
 */
static bool leave_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return false;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = 0;
	return !syscall(SYS_capset, &header, data);
}

int main(int argc, char **argv)
{
	umask(022);	/* of the groups that liblxc makes, and of init */
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (argc == 2 && !strcmp(argv[1], "hook"))
		return do_hook();
	if (argc == 3 && !strcmp(argv[1], "trash"))
		return do_trash(argv[2]);
	if (argc == 1 && getenv("CRTOOLS_SCRIPT_ACTION"))
		return do_action();
	/* What runs in the container, or watches it, must not keep the caller waiting. */
	if (fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC) == 0) {
		if (!leave_keys())
			return report_error("a session without keys: %s", strerror(errno));
		if (!leave_capabilities())
			return report_error("no inherited capabilities: %s", strerror(errno));
		if (fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC) == 0) {
			if (argc == 4 && !strcmp(argv[1], "start") &&
			    fcntl(GO_FD, F_SETFD, FD_CLOEXEC) == 0 &&
			    strlen(argv[3]) <= DRE_NAME_MAX)
				return do_start(argv[2], argv[3]);
			if (argc == 6 && !strcmp(argv[1], "checkpoint") &&
			    fcntl(STORE_FD, F_SETFD, FD_CLOEXEC) == 0)
				return do_checkpoint(argv + 2);
			if (argc == 5 && !strcmp(argv[1], "restore"))
				return do_restore(argv + 2);
		}
		if (argc == 4 && !strcmp(argv[1], "device"))
			return do_device(argv[2], argv[3]);
		if (argc == 6 && !strcmp(argv[1], "pack"))
			return do_pack(argv + 2);
		if (argc == 4 && !strcmp(argv[1], "unpack"))
			return do_unpack(argv + 2);
		if (argc >= 8 && !strcmp(argv[1], "exec"))
			return do_exec(argv + 2);
	}
	fputs("dre-app-helper: is run by libdreapp and liblxc only\n", stderr);
	return 2;
}
