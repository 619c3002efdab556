// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoint and restart, by CRIU through liblxc.
 *
 * CRIU calls us back at three moments. Just before it dumps the processes they are
 * frozen and brought to where it can dump them: not earlier, because until then it has
 * made itself ready, for longer than all the rest takes. Before it restores any it is given
 * the volumes. And just before it lets go of the processes that it has restored they are
 * frozen, until all that is not CRIU's is as it was: none of them has run an instruction
 * of its own then.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app-helper.h"
#include "common/cgroupfs.h"
#include "common/checkpoint.h"
#include "common/file.h"
#include "common/former.h"
#include "common/kmod.h"
#include "limits.h"
#include "module.h"
#include "volume.h"

#define IMAGES		"images"
#define EARLY		"early"
#define VOLUMES		"volumes"	/* their paths in the container */
#define FAILURE		"failure"	/* why an action failed */
#define CRIU_CONF	"criu.conf"	/* what a restore needs to know of the console */
#define CONSOLE_FD	100		/* the number by which it does */
#define STAGE		"dev"		/* see open_stage() */
#define DUMP_TRIES	3		/* see group_vanished() */

/* For actions, which get no arguments. */
#define ENV_STORE	"DRE_CHECKPOINT_STORE"
#define ENV_NAME	"DRE_CHECKPOINT_NAME"
#define ENV_DIR		"DRE_CHECKPOINT_DIR"

/* Memory is dumped before the processes stand still where there is at least so much of it. */
#define EARLY_MIN	(16ULL << 20)

/* As many of the container's directories are named to CRIU, see add_places(). */
#define PLACES_MAX	64

/* The largest file that is open and removed that goes into the images. */
#define GHOST_MAX	(1ULL << 30)

/* CRIU writes until the disk is full, but for less than this. */
#define PROBE_SIZE	(64 << 10)

struct work {
	struct app app;
	char path[PATH_MAX];	/* of the checkpoint's directory */
	int dir;
	const char *log;	/* liblxc's, or NULL */
};

/* The caller says which container it was. */
static int report(const struct work *w, int err)
{
	const char *text = dre_last_error();
	char prefix[DRE_NAME_MAX + sizeof("container '': ")];

	if (!err)
		return report_ok(0);
	snprintf(prefix, sizeof(prefix), "container '%s': ", w->app.name);
	return report_error("%s", text + (strncmp(text, prefix, strlen(prefix)) ? 0 :
					  strlen(prefix)));
}

static int work_begin(struct work *w, char **argv, const char *log)
{
	int err;

	*w = (struct work){ .dir = -1, .log = log };
	if (strlen(argv[1]) >= sizeof(w->app.name) ||
	    snprintf(w->path, sizeof(w->path), "%s/containers/%s/checkpoints/%s", argv[0], argv[1],
		     argv[2]) >= (int)sizeof(w->path) - 64)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT, "the path of the checkpoint is too long");
	strcpy(w->app.name, argv[1]);
	err = store_open(&w->app.store, argv[0], &layer_tree);
	if (!err)
		err = load_config(&w->app);
	if (err)
		return err;
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir < 0)
		return dre_fail_errno(errno, "%s", w->path);
	err = open_container(argv[0], argv[1], log, &w->app.lxc);
	if (err)
		return err;
	if (setenv(ENV_STORE, argv[0], 1) || setenv(ENV_NAME, argv[1], 1) ||
	    setenv(ENV_DIR, argv[2], 1))
		return dre_fail_errno(ENOMEM, "the environment");
	return 0;
}

static void work_end(struct work *w)
{
	if (w->dir >= 0)
		close(w->dir);
	app_end(&w->app);
}

/* "(00.123456) Error (criu/file.c:42): MESSAGE" */
static char *criu_message(char *line)
{
	char *text = strstr(line, "Error (");

	text = text ? strstr(text, "): ") : NULL;
	return text ? text + 3 : NULL;
}

/*
 * The first error in CRIU's log is the cause of the others. But it complains as well
 * of programs that it ran to find out what there is, in util.c.
 */
static bool first_criu_error(const char *log, char *message, size_t size)
{
	char line[1024], *text;
	FILE *f = fopen(log, "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		text = criu_message(line);
		if (!text || strstr(line, "(criu/util.c:"))
			continue;
		text[strcspn(text, "\n")] = '\0';
		snprintf(message, size, "CRIU: %s%s", text, strstr(text, "ctty inheritance") ?
			 "; somebody is logged in at its console" : "");
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

static bool on_path(const char *program)
{
	char path[PATH_MAX], *save, *dirs = strdup(getenv("PATH") ?: "");
	bool found = false;

	for (char *dir = dirs ? strtok_r(dirs, ":", &save) : NULL; dir && !found;
	     dir = strtok_r(NULL, ":", &save))
		found = snprintf(path, sizeof(path), "%s/%s", dir, program) < PATH_MAX &&
			!access(path, X_OK);
	free(dirs);
	return found;
}

/* Whether the disk is why, by what it says to a little more: where it is full there is no room for what CRIU says. */
static bool disk_refuses(const struct work *w, char *message, size_t size)
{
	static const char page[4096];
	int fd = openat(w->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	int err = fd < 0 ? -errno : 0;

	for (size_t i = 0; !err && i < PROBE_SIZE / sizeof(page); i++)
		err = file_write_all(fd, page, sizeof(page));
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (err != -ENOSPC && err != -EDQUOT && err != -EIO)
		return false;
	snprintf(message, size, "CRIU's images: %s", strerror(-err));
	return true;
}

/* Why CRIU's @action failed, in the order of who knows best. */
static void find_cause(const struct work *w, const char *action, char *message, size_t size)
{
	char log[PATH_MAX + 64], *text = NULL;
	size_t len;
	int code;

	if (disk_refuses(w, message, size))
		return;
	if (!file_read(w->dir, FAILURE, size, &text, &len)) {
		snprintf(message, size, "%s", text);
		free(text);
		return;
	}
	snprintf(log, sizeof(log), "%s/" IMAGES "/%s.log", w->path, action);
	if (first_criu_error(log, message, size))
		return;
	if (!w->log || !first_error(w->log, message, size, &code))
		snprintf(message, size, on_path("criu") ? "CRIU failed, and did not say why" :
			 "CRIU is not installed");
}

/*
 * Checkpoint.
 */

/* What the processes have written to memory, which is all that can be much. */
static unsigned long long memory_of(const struct app *app)
{
	unsigned long long anon = 0;
	char path[APP_GROUP_SIZE], text[4096];
	int group;

	app_group("app", app->name, path);
	if (cgroupfs_open_group(path, &group))
		return 0;
	if (!cgroupfs_get(group, "memory.stat", text, sizeof(text)))
		sscanf(text, "anon %llu", &anon);
	close(group);
	return anon;
}

/* CRIU's arguments. */
struct arguments {
	char *argv[512];
	size_t nr;
	bool full;
};

static void add(struct arguments *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct arguments *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (a->nr == sizeof(a->argv) / sizeof(*a->argv) - 1 ||
	    vasprintf(&a->argv[a->nr], fmt, args) < 0)
		a->full = true;
	else
		a->nr++;
	va_end(args);
}

static void free_arguments(struct arguments *a)
{
	while (a->nr)
		free(a->argv[--a->nr]);
}

/* What is bound into the container is not its own: by the names that liblxc gives it at a restore. */
static void add_bind_mounts(struct arguments *a, struct lxc_container *c)
{
	char entries[64 * 1024], where[PATH_MAX], options[256], *entry, *save;

	if (c->get_config_item(c, "lxc.mount.entry", entries, sizeof(entries)) <= 0)
		return;
	for (entry = strtok_r(entries, "\n", &save); entry; entry = strtok_r(NULL, "\n", &save)) {
		if (sscanf(entry, "%*s %4095s %*s %255s", where, options) != 2 ||
		    !strstr(options, "bind"))
			continue;
		add(a, "--ext-mount-map");
		add(a, "/%s:%s", where, where);
	}
}

/*
 * The other side of the console is not dumped. At a restore another one is put in its place, which
 * CRIU gets as an open file.
 */
static int add_console(struct arguments *a, const struct work *w)
{
	char id[APP_CONSOLE_ID_SIZE], text[sizeof("inherit-fd fd[]:\n") + 12 + sizeof(id)];
	int fd, err;

	if (app_console_open(&w->app, &fd, id))
		return 0;	/* it has none any more */
	close(fd);
	add(a, "--external");
	add(a, "%s", id);
	snprintf(text, sizeof(text), "inherit-fd fd[%d]:%s\n", CONSOLE_FD, id);
	err = file_write_new(w->dir, CRIU_CONF, text, strlen(text));
	return err && err != -EEXIST ? dre_fail_errno(-err, "%s/" CRIU_CONF, w->path) : 0;
}

/*
 * CRIU's arguments and its file have no way to say some characters. The target of a volume has hardly one of them, but
 * may lead by a link of the container's to a directory that it has named itself. If so, @failed.
 */
static int check_volume(const char *path, int failed)
{
	struct printable p;

	for (const char *c = path; *c; c++)
		if ((unsigned char)*c <= ' ' || strchr(":#\"'\\\x7f", *c))
			return dre_fail(failed, "CRIU cannot be told of a volume at %s", dre_printable(&p, path));
	return 0;
}

/*
 * Volumes, which D-RE has mounted in the root file system: CRIU calls them by the path that they have in
 * the container, and a restore has to say what they are then.
 */
static int add_volumes(struct arguments *a, const struct work *w)
{
	char rootfs[PATH_MAX], where[PATH_MAX], line[3 * PATH_MAX];
	FILE *mounts, *list = NULL;
	size_t len;
	int fd, err = app_path(w->app.store, w->app.name, "rootfs", rootfs);

	if (err)
		return err;
	len = strlen(rootfs);
	fd = openat(w->dir, VOLUMES, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		list = fdopen(fd, "w");
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!list || !mounts)
		err = dre_fail_errno(errno, "the volumes");
	while (!err && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", where) != 1 ||
		    strncmp(where, rootfs, len) || where[len] != '/')
			continue;
		err = check_volume(where + len, DRE_ERR_SAVE_SNAPSHOT_FAILED);
		add(a, "--ext-mount-map");
		add(a, "%s:%s", where + len, where + len);
		fprintf(list, "%s\n", where + len);
	}
	if (mounts)
		fclose(mounts);
	if (list && fclose(list) && !err)
		err = dre_fail_errno(errno, "the volumes");
	return err;
}

/*
 * Where CRIU looks for what a process watches (inotify): the kernel gives it a handle, which an overlayfs does
 * not know. That is below these, whatever their names; but what the kernel shows of itself is large.
 */
static int add_places(struct arguments *a, const struct work *w)
{
	char rootfs[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int err = app_path(w->app.store, w->app.name, "rootfs", rootfs);

	if (err)
		return err;
	dir = opendir(rootfs);
	if (!dir)
		return dre_fail_errno(errno, "%s", rootfs);
	for (int left = PLACES_MAX; left && (entry = file_readdir(dir)); left--) {
		if (!strcmp(entry->d_name, "proc") || !strcmp(entry->d_name, "sys"))
			continue;
		add(a, "--irmap-scan-path");
		add(a, "/%s", entry->d_name);
	}
	closedir(dir);
	return 0;
}

/* The group's path, wherever the host has mounted them. */
static void add_group_path(struct arguments *a, const char *group)
{
	char link[32], path[PATH_MAX];
	ssize_t len;
	int fd;

	if (cgroupfs_open_group(group, &fd)) {
		a->full = true;
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	close(fd);
	if (len > 0 && len < (ssize_t)sizeof(path))
		add(a, "%.*s", (int)len, path);
	else
		a->full = true;
}

/*
 * liblxc could call CRIU for us, but not for a container that it has restored itself: of such a
 * one it cannot find the control groups any more. So these are its arguments, and ours.
 */
static int add_arguments(struct arguments *a, const struct work *w, const char *action,
			 const char *images)
{
	static const char *const fixed[] = {
		"--tcp-established", "--skip-in-flight", "--file-locks", "--link-remap",
		"--force-irmap", "--manage-cgroups=full", "--ext-mount-map", "auto",
		"--enable-external-sharing", "--enable-external-masters",
		"--enable-fs", "hugetlbfs", "--enable-fs", "tracefs",
		"--network-lock", "nftables",	/* iptables are on few hosts any more */
	};
	char group[APP_GROUP_SIZE];
	int err;

	app_group("app", w->app.name, group);
	add(a, "criu");
	add(a, "%s", action);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		add(a, "%s", fixed[i]);
	add(a, "-t");
	add(a, "%d", w->app.lxc->init_pid(w->app.lxc));
	add(a, "-D");
	add(a, "%s/%s", w->path, images);
	add(a, "-o");
	add(a, "%s.log", action);
	add(a, "--ghost-limit");
	add(a, "%llu", GHOST_MAX);
	add(a, "--cgroup-root");
	add(a, "/%s", group);
	add(a, "--freeze-cgroup");
	add_group_path(a, group);
	add_bind_mounts(a, w->app.lxc);
	err = add_places(a, w);
	return err ? err : add_console(a, w);
}

/*
 * CRIU mounts the control groups for itself, without options. In the host's namespace of control
 * groups that would take nsdelegate from all of their mounts, and with it what keeps root of a
 * privileged container from the groups that it is in. In another namespace it does not; one
 * that is made in the root of all groups shows them as the host's does.
 */
static int own_cgroup_namespace(void)
{
	int root, err = cgroupfs_open(&root);

	if (err)
		return err;
	err = cgroupfs_set(root, "cgroup.procs", "0");
	close(root);
	if (!err && unshare(CLONE_NEWCGROUP))
		err = -errno;
	return err ? dre_fail_errno(-err, "a namespace of control groups for CRIU") : 0;
}

/*
 * Who is killed while it has the processes in hand leaves them as it has them. So if it is us, CRIU goes on,
 * and until it has ended nobody touches the container, and our caller waits.
 */
static void keep_until_it_ends(void)
{
	fcntl(REPORT_FD, F_SETFD, 0);
	fcntl(LOCK_FD, F_SETFD, 0);
	fcntl(STORE_FD, F_SETFD, 0);
}

/*
 * What a CRIU that was killed has left comes to us: the action that it ran, which goes on with the container, and
 * processes that it has made to try something out, and that have no end. We have no other children.
 */
static void kill_orphans(void)
{
	FILE *f;
	int pid;

	do {
		f = fopen("/proc/thread-self/children", "re");
		while (f && fscanf(f, "%d", &pid) == 1)
			kill(pid, SIGKILL);
		if (f)
			fclose(f);
	} while (wait(NULL) > 0 || errno == EINTR);
}

/* False if it fails. What it says before it has its log goes nowhere. */
static bool run_criu(struct arguments *a)
{
	int status = -1;
	pid_t pid;

	if (a->full)
		return false;
	pid = fork();
	if (!pid) {
		keep_until_it_ends();
		if (!own_cgroup_namespace())
			execvp(a->argv[0], a->argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	kill_orphans();
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Dumps the memory while the container runs. What fails here fails again below, or is no harm. */
static bool dump_early(const struct work *w)
{
	struct arguments a = {};
	bool done;

	if (memory_of(&w->app) < EARLY_MIN)
		return false;
	done = !add_arguments(&a, w, "pre-dump", EARLY) && run_criu(&a);
	free_arguments(&a);
	return done;
}

/*
 * CRIU cuts the network off with a table of rules of its own, and saves it with those of the
 * container; but after a restore it looks for it by another name.
 */
static int drop_lock(int images, const char *name)
{
	char *rules, *line, *rest, *out;
	bool ours = false;
	size_t len;
	int err;

	err = file_read(images, name, 16 << 20, &rules, &len);
	if (err)
		return err;
	for (rest = out = rules; (line = strsep(&rest, "\n")) && rest; ) {
		ours |= !strncmp(line, "table ", 6) && strstr(line, " CRIU-");
		if (!ours) {
			len = strlen(line);
			memmove(out, line, len);
			out[len] = '\n';
			out += len + 1;
		}
		ours &= strcmp(line, "}") != 0;
	}
	unlinkat(images, name, 0);
	if (out > rules)
		err = file_write_new(images, name, rules, out - rules);
	free(rules);
	return err;
}

static int drop_locks(const struct work *w)
{
	DIR *images = file_opendir(w->dir, IMAGES);
	struct dirent *entry;
	int err = 0;

	if (!images)
		return dre_fail_errno(errno, "CRIU's images");
	while (!err && (entry = file_readdir(images)))
		if (!strncmp(entry->d_name, "nftables-", strlen("nftables-")))
			err = drop_lock(dirfd(images), entry->d_name);
	closedir(images);
	return err ? dre_fail_errno(-err, "CRIU's images") : 0;
}

/* The container is frozen, as CRIU's images have it. */
static int copy_files(const struct work *w, const char *copy)
{
	struct manifest m = {};
	int err = container_read(w->app.store, w->app.name, &m);

	if (!err)
		err = checkpoint_copy_layer(w->app.store, m.writable, copy);
	manifest_free(&m);
	return err;
}

/* Why it failed is in @message. */
static int dump_once(const struct work *w, bool early, char *message, size_t size)
{
	struct arguments a = {};
	bool done;
	int err = add_arguments(&a, w, "dump", IMAGES);

	if (!err)
		err = add_volumes(&a, w);
	if (err) {
		free_arguments(&a);
		snprintf(message, size, "%s", dre_last_error());
		return err;
	}
	add(&a, "--leave-running");
	add(&a, "--action-script");
	add(&a, "%s", APP_HELPER);
	if (early) {
		add(&a, "--track-mem");
		add(&a, "--prev-images-dir");
		add(&a, "../" EARLY);
	}
	done = run_criu(&a);
	free_arguments(&a);
	if (done)
		return 0;
	find_cause(w, "dump", message, size);
	return DRE_ERR_SAVE_SNAPSHOT_FAILED;
}

/* CRIU gives up when a control group vanishes just while it walks through those of the container. */
static bool group_vanished(const char *message)
{
	return strstr(message, "for empty cgroups: No such file");
}

static int dump(const struct work *w)
{
	bool early = dump_early(w);
	char message[1024];
	int err, tries = 0;

	do {
		err = dump_once(w, early, message, sizeof(message));
	} while (err && group_vanished(message) && ++tries < DUMP_TRIES &&
		 !app_let_go(&w->app, 0) && !app_record_begin(&w->app));
	return err ? dre_fail(err, "%s", message) : drop_locks(w);
}

int do_checkpoint(char **argv)
{
	struct work w;
	int err, status;

	/* What ends the caller, like the terminal's signals, must not end us half way. */
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);	/* see kill_orphans() */
	err = work_begin(&w, argv, NULL);
	if (!err) {
		/* CRIU freezes it, too, also before our action does. */
		err = app_record_begin(&w.app);
		if (!err)
			err = dump(&w);
		if (!err)
			err = copy_files(&w, argv[3]);
		err = app_let_go(&w.app, err);
	}
	status = report(&w, err);
	work_end(&w);
	return status;
}

/*
 * Restart.
 */

/* liblxc's monitor is a fork of ours that lives as long as the container: it keeps nothing. */
static struct work *restored;

static void leave_to_monitor(void)
{
	if (!restored)		/* CRIU, a fork of the monitor */
		return;
	close(REPORT_FD);
	close(LOCK_FD);
	close(restored->dir);
	store_close(restored->app.store);
	restored = NULL;
}

/* Before CRIU, which is liblxc's child, puts it in the place of the old one. */
static int give_console(const struct work *w)
{
	char conf[PATH_MAX + sizeof("/" CRIU_CONF)], id[APP_CONSOLE_ID_SIZE];
	int fd, err;

	snprintf(conf, sizeof(conf), "%s/" CRIU_CONF, w->path);
	if (access(conf, F_OK))		/* it had none */
		return 0;
	err = app_console_start(&w->app);
	if (!err)
		err = app_console_open(&w->app, &fd, id);
	if (err)
		return err;
	if (dup2(fd, CONSOLE_FD) < 0)
		err = dre_fail_errno(errno, "%s", conf);
	close(fd);
	return err;
}

/* What liblxc does not tell CRIU it takes from a file: this is one in memory, as long as we run. */
static int configure_criu(const struct work *w)
{
	char rootfs[PATH_MAX], path[48], *console = NULL, *volumes, *volume, *rest;
	size_t len;
	int fd, nr = 0, err = app_path(w->app.store, w->app.name, "rootfs", rootfs);

	if (err)
		return err;
	err = file_read(w->dir, VOLUMES, 1 << 20, &volumes, &len);
	fd = err ? -1 : memfd_create("criu.conf", MFD_CLOEXEC);
	if (fd < 0)
		return dre_fail_errno(err ? -err : errno, "the volumes");
	if (!file_read(w->dir, CRIU_CONF, 4096, &console, &len))
		dprintf(fd, "%s", console);
	for (rest = volumes; !err && (volume = strsep(&rest, "\n")) && rest; ) {
		err = check_volume(volume, DRE_ERR_LOAD_SNAPSHOT_FAILED);
		dprintf(fd, "ext-mount-map %s:%s/" STAGE "/%d\n", volume, rootfs, nr++);
	}
	free(console);
	free(volumes);
	if (err) {
		close(fd);
		return err;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	return setenv("CRIU_CONFIG_FILE", path, 1) ? dre_fail_errno(ENOMEM, "the environment") : 0;
}

static int restore(const struct work *w)
{
	char directory[PATH_MAX + sizeof("/" IMAGES)], message[1024];
	struct migrate_opts opts = { .directory = directory, .action_script = APP_HELPER };
	int err = DRE_ERR_LOAD_SNAPSHOT_FAILED;

	snprintf(directory, sizeof(directory), "%s/" IMAGES, w->path);
	unlinkat(w->dir, FAILURE, 0);	/* of one who was killed: not why this one fails */
	if (!w->app.lxc->migrate(w->app.lxc, MIGRATE_RESTORE, &opts, sizeof(opts)))
		err = 0;
	else
		find_cause(w, "restore", message, sizeof(message));
	/* The checkpoint stays as it is. */
	unlinkat(w->dir, IMAGES "/restore.log", 0);
	unlinkat(w->dir, IMAGES "/stats-restore", 0);
	unlinkat(w->dir, FAILURE, 0);
	return err ? dre_fail(err, "%s", message) : 0;
}

/* The rules for devices, which liblxc sets only when it starts a container. */
static int allow_devices(struct lxc_container *c)
{
	static const char *const keys[] = { "devices.deny", "devices.allow" };
	char key[64], rules[4096], *rule, *save;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		snprintf(key, sizeof(key), "lxc.cgroup2.%s", keys[i]);
		if (c->get_config_item(c, key, rules, sizeof(rules)) < 0)
			continue;
		for (rule = strtok_r(rules, "\n", &save); rule; rule = strtok_r(NULL, "\n", &save))
			if (!c->set_cgroup_item(c, keys[i], rule))
				return dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED,
						"liblxc cannot set its rule for devices \"%s\"",
						rule);
	}
	return 0;
}

/* The module is told of init before it runs, as it is at a start. */
static int announce(const struct app *app)
{
	pid_t init = app->lxc->init_pid(app->lxc);	/* of work_begin() */
	int dre, cfd, err = kmod_open(&dre);

	if (err)
		return err;
	cfd = dre_module_container_create(dre, DRE_CONTAINER_APP, app->name, init);
	close(dre);
	if (cfd < 0)
		return dre_fail_errno(-cfd, "the D-RE module refuses container '%s'", app->name);
	close(cfd);
	return 0;
}

static int check_frozen(const char *group)
{
	bool frozen;
	int err = cgroupfs_frozen(group, &frozen);

	if (!err && !frozen)
		err = dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED, "CRIU did not run %s", APP_HELPER);
	return err;
}

/* All that is not CRIU's. The container is frozen until it is done. */
static int complete(const struct work *w)
{
	char group[APP_GROUP_SIZE];
	int err;

	app_group("app", w->app.name, group);
	err = check_frozen(group);
	if (!err)
		err = allow_devices(w->app.lxc);
	if (!err)
		err = announce(&w->app);
	if (!err)
		err = app_record_apply(&w->app, w->dir);
	/* What it is configured to have now, whatever it was then. */
	if (!err)
		err = limits_apply(&w->app);
	/* From here on it is the one that was restored, whoever is killed; and whoever comes next lets it run. */
	if (!err)
		err = app_record_begin(&w->app);
	if (!err)
		err = former_forget_in_place(w->app.store, w->app.name);
	if (!err)
		err = cgroupfs_freeze(group, false);
	if (!err)
		app_record_forget(&w->app);
	return err;
}

int do_restore(char **argv)
{
	char log[PATH_MAX];
	struct work w;
	int err, status;

	setsid();
	snprintf(log, sizeof(log), "%s/lxc/%s/lxc.log", argv[0], argv[1]);
	(void)!truncate(log, 0);
	err = work_begin(&w, argv, log);
	if (!err)
		err = give_console(&w);
	restored = &w;
	if (!err && pthread_atfork(NULL, NULL, leave_to_monitor))
		err = dre_fail_errno(ENOMEM, "the monitor");
	if (!err)
		err = configure_criu(&w);
	if (!err)
		err = own_cgroup_namespace();
	if (!err)
		err = restore(&w);
	if (!err) {
		err = complete(&w);
		if (err)
			app_undo_start(&w.app);
	}
	status = report(&w, err);
	work_end(&w);
	return status;
}

/*
 * What CRIU calls.
 */

/*
 * CRIU binds a volume by a path, with the host's root and wherever links lead. But where containers share a directory
 * one that runs can put a link in the place of what leads to another's volume, at any time. So CRIU gets
 * volumes where none of them comes to, at the container's /dev, which can be no volume's: in a file system of ours
 * that only its own mount namespace has. Negative errno.
 */
static int open_stage(int rootfs)
{
	char name[sizeof("/proc/self/fd/") + 12];
	int dir = file_openat2(rootfs, STAGE, O_PATH | O_DIRECTORY, FILE_NO_LINKS), stage = -1, err = 0;

	if (dir < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", dir);
	if (!mount("dre", name, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755"))
		stage = file_openat2(rootfs, STAGE, O_PATH | O_DIRECTORY, FILE_NO_LINKS);
	if (stage < 0)
		err = -errno;
	close(dir);
	return err ? err : stage;
}

/* -EINVAL: it is none. A file that says the port may have gone with that: what is there in its place is the container's. */
static int bind_volume(int volume, int stage, const char *name, const char *path)
{
	struct statx st;
	int tree, err = 0;

	if (statx(volume, "", AT_EMPTY_PATH, STATX_TYPE, &st))
		return -errno;
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT) && strcmp(path, VOLUMES_PORT_FILE) != 0)
		return -EINVAL;
	if (S_ISDIR(st.stx_mode) ? mkdirat(stage, name, 0755) : mknodat(stage, name, S_IFREG | 0644, 0))
		return -errno;
	tree = open_tree(volume, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return -errno;
	if (move_mount(tree, "", stage, name, MOVE_MOUNT_F_EMPTY_PATH))
		err = -errno;
	close(tree);
	return err;
}

static int stage_volume(int rootfs, int stage, const char *path, int nr)
{
	int err, volume = file_openat2(rootfs, path + 1, O_PATH, FILE_NO_LINKS);
	char name[16];

	snprintf(name, sizeof(name), "%d", nr);
	err = volume < 0 ? -errno : bind_volume(volume, stage, name, path);
	if (volume >= 0)
		close(volume);
	if (err == -ELOOP || err == -ENOENT || err == -ENOTDIR || err == -EINVAL)
		return dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED, "the volume that was at %s is not there", path);
	return err ? dre_fail_errno(-err, "the volume at %s", path) : 0;
}

static int stage_all(const char *root, char *volumes)
{
	int rootfs = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), stage, nr = 0, err = 0;
	char *volume;

	if (rootfs < 0)
		return dre_fail_errno(errno, "%s", root);
	stage = open_stage(rootfs);
	if (stage < 0)
		err = dre_fail_errno(-stage, "the container's /" STAGE ", where CRIU gets its volumes");
	while (!err && (volume = strsep(&volumes, "\n")) && volumes)
		err = stage_volume(rootfs, stage, volume, nr++);
	if (stage >= 0)
		close(stage);
	close(rootfs);
	return err;
}

static int stage_volumes(const struct work *w)
{
	char rootfs[PATH_MAX], *volumes;
	size_t len;
	int err = app_path(w->app.store, w->app.name, "rootfs", rootfs);

	if (err)
		return err;
	err = file_read(w->dir, VOLUMES, 1 << 20, &volumes, &len);
	if (err)
		return dre_fail_errno(-err, "the volumes");
	if (*volumes)
		err = stage_all(rootfs, volumes);
	free(volumes);
	return err;
}

/* If it fails the container runs on at once: nobody else may be left. */
static int hold(const struct work *w, const char *group)
{
	int err = cgroupfs_freeze(group, true);

	if (!err)
		err = app_record_hold(&w->app, w->dir);
	return err ? app_let_go(&w->app, err) : 0;
}

static int act(const struct work *w, const char *action)
{
	char group[APP_GROUP_SIZE];

	if (!strcmp(action, "pre-restore"))
		return stage_volumes(w);
	app_group("app", w->app.name, group);
	return !strcmp(action, "pre-dump") ? hold(w, group) : cgroupfs_freeze(group, true);
}

/*
 * CRIU gives us none of its files, and so not the container's lock: whoever finds that CRIU has ended takes the
 * container for his own. It says by what it names its images who it is.
 */
static bool end_with_criu(void)
{
	const char *images = getenv("CRTOOLS_IMAGE_DIR");	/* "/proc/PID/fd/NUMBER" */
	int criu;

	return images && sscanf(images, "/proc/%d/", &criu) == 1 && !prctl(PR_SET_PDEATHSIG, SIGKILL) &&
	       getppid() == criu;
}

int do_action(void)
{
	const char *action = getenv("CRTOOLS_SCRIPT_ACTION");
	char *argv[] = { getenv(ENV_STORE), getenv(ENV_NAME), getenv(ENV_DIR) };
	struct work w;
	int err;

	if (!action || !argv[0] || !argv[1] || !argv[2])
		return EXIT_FAILURE;
	if (strcmp(action, "pre-dump") && strcmp(action, "pre-restore") && strcmp(action, "pre-resume"))
		return EXIT_SUCCESS;
	if (!end_with_criu())
		return EXIT_FAILURE;
	err = work_begin(&w, argv, NULL);
	if (!err) {
		err = act(&w, action);
		if (err)
			file_write_new(w.dir, FAILURE, dre_last_error(), strlen(dre_last_error()));
	}
	work_end(&w);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
