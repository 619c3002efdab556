// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The configuration that liblxc gets, from the container's manifest and
 * dre.conf. liblxc's own tools read it too: a plain lxc-start works.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "app.h"
#include "apparmor.h"
#include "common/rootfs.h"
#include "console.h"
#include "dre_paths.h"
#include "network.h"
#include "seccomp.h"
#include "volume.h"

#define INIT	DRE_LIBEXECDIR "/dre/dre-app-init"
#define HOOK	DRE_LIBEXECDIR "/dre/dre-app-helper hook"

static const char fixed_config[] =
	"lxc.rootfs.managed = 0\n"	/* lxc-destroy must not empty it */
	"lxc.tty.max = 0\n"
	"lxc.pty.max = 1024\n"
	"lxc.console.path = none\n"	/* it is ours, see console.h */
	"lxc.init.cmd = /dev/.dre-init\n"
	"lxc.mount.entry = " INIT " dev/.dre-init none bind,ro,create=file 0 0\n"
	"lxc.autodev = 1\n"
	"lxc.mount.entry = /dev/dre dev/dre none bind,create=file 0 0\n"
	/*
	 * What root in a container without a user namespace must not have: it is the host's root. In one it is of no use:
	 * systemd does not try then what would fail.
	 */
	"lxc.cap.drop = mac_admin mac_override sys_module sys_rawio sys_time\n"
	"lxc.cgroup.relative = 0\n"
	"lxc.cgroup.dir.container.inner = payload\n"
	"lxc.hook.version = 1\n"
	"lxc.hook.pre-start = " HOOK "\n"
	"lxc.hook.start-host = " HOOK "\n"
	"lxc.hook.post-stop = " HOOK "\n";

/*
 * sysfs belongs to the owner of the network namespace: a user namespace on the
 * host's gets the host's, but not the names of the host's control groups in it.
 */
static void write_mounts(FILE *f, bool sysfs)
{
	fprintf(f, "lxc.mount.auto = proc:mixed %s\n", sysfs ? "sys:mixed cgroup:mixed" : "");
	if (!sysfs)
		fputs("lxc.mount.entry = /sys sys none rbind,ro,create=dir 0 0\n"
		      "lxc.mount.entry = tmpfs sys/fs/cgroup tmpfs ro,size=0 0 0\n", f);
}

/* Deny all, then what every container has in its /dev, and /dev/dre. */
static void write_devices(FILE *f)
{
	struct stat st;

	fputs("lxc.cgroup2.devices.deny = a\n"
	      "lxc.cgroup2.devices.allow = c *:* m\n"
	      "lxc.cgroup2.devices.allow = b *:* m\n"
	      "lxc.cgroup2.devices.allow = c 1:3 rwm\n"		/* null */
	      "lxc.cgroup2.devices.allow = c 1:5 rwm\n"		/* zero */
	      "lxc.cgroup2.devices.allow = c 1:7 rwm\n"		/* full */
	      "lxc.cgroup2.devices.allow = c 1:8 rwm\n"		/* random */
	      "lxc.cgroup2.devices.allow = c 1:9 rwm\n"		/* urandom */
	      "lxc.cgroup2.devices.allow = c 5:0 rwm\n"		/* tty */
	      "lxc.cgroup2.devices.allow = c 5:1 rwm\n"		/* console */
	      "lxc.cgroup2.devices.allow = c 5:2 rwm\n"		/* ptmx */
	      "lxc.cgroup2.devices.allow = c 136:* rwm\n", f);	/* pts */
	if (stat("/dev/dre", &st) == 0)
		fprintf(f, "lxc.cgroup2.devices.allow = c %u:%u rw\n", major(st.st_rdev),
			minor(st.st_rdev));
}

static void write_signal(FILE *f, const struct manifest *m, const char *setting, const char *key)
{
	const char *signal = manifest_get(m, setting);

	if (signal)
		fprintf(f, "%s = %s\n", key, signal);
}

/* As in fstab(5): the path of a store may have blanks. */
static void write_console(FILE *f, const char *path)
{
	fputs("lxc.mount.entry = ", f);
	for (; *path; path++)
		fprintf(f, isspace((unsigned char)*path) || *path == '\\' ? "\\%03o" : "%c", *path);
	fputs(" dev/console none bind,create=file 0 0\n", f);
}

static int write_config(FILE *f, const struct app *app, const struct manifest *m,
			const char *rootfs)
{
	char console[PATH_MAX];
	char group[APP_GROUP_SIZE], monitor[APP_GROUP_SIZE];
	struct idmap map;
	int err = container_idmap(app->name, m, &map);

	if (!err)
		err = app_path(app->store, app->name, CONSOLE_TTY, console);
	if (err)
		return err;
	app_group("app", app->name, group);
	app_group("monitor", app->name, monitor);
	fprintf(f, "# Written by D-RE at create and at each start: changes are lost.\n"
		   "lxc.uts.name = %s\n"
		   "lxc.rootfs.path = dir:%s\n"
		   "lxc.cgroup.dir.container = %s\n"
		   "lxc.cgroup.dir.monitor = %s\n",
		app->name, rootfs, group, monitor);
	fputs(fixed_config, f);
	write_console(f, console);
	if (map.count)
		fprintf(f, "lxc.idmap = u 0 %u %u\nlxc.idmap = g 0 %u %u\n", map.first, map.count,
			map.first, map.count);
	apparmor_write(f, app->config.apparmor);
	write_signal(f, m, SETTING_HALT_SIGNAL, "lxc.signal.halt");
	write_signal(f, m, SETTING_REBOOT_SIGNAL, "lxc.signal.reboot");
	write_mounts(f, !map.count || app->config.network != DRE_NETWORK_HOST);
	network_write(f, app, m);
	write_devices(f);
	return seccomp_write(f, app);
}

/* Whole or not at all: liblxc's tools may read it at any time. */
static int replace_config(const struct app *app, const struct manifest *m, const char *rootfs)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	FILE *f = NULL;
	int fd, err = app_path(app->store, app->name, "config", path);

	if (!err)
		err = app_path(app->store, app->name, ".config.new", tmp);
	if (err)
		return err;
	/* It says what runs as root: nobody else may write it, whatever the caller's umask. */
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (!f)
		return dre_fail_errno(errno, "%s", tmp);
	err = write_config(f, app, m, rootfs);
	if (!err && ferror(f))
		err = dre_fail_errno(EIO, "%s", tmp);
	if (fclose(f) && !err)
		err = dre_fail_errno(errno, "%s", tmp);
	if (!err && rename(tmp, path))
		err = dre_fail_errno(errno, "%s", path);
	if (err)
		unlink(tmp);
	return err;
}

/* The caller's umask does not decide. */
static int make_dir(const char *path, mode_t mode, gid_t group)
{
	if ((mkdir(path, 0700) == 0 || errno == EEXIST) && chown(path, 0, group) == 0 &&
	    chmod(path, mode) == 0)
		return 0;
	return dre_fail_errno(errno, "%s", path);
}

/* What is mounted there is the container's own. */
static int make_rootfs(const struct app *app, const char *path)
{
	bool mounted = false;
	int err = rootfs_mounted(app->name, path, &mounted);

	return err || mounted ? err : make_dir(path, 0711, 0);
}

/*
 * The container's root has to pass, and on the host nobody else: set-user-ID
 * programs and devices of a mounted root file system work there as well.
 */
int app_write_lxc(const struct app *app, const struct manifest *m)
{
	char dir[PATH_MAX], rootfs[PATH_MAX];
	struct idmap map;
	int err = container_idmap(app->name, m, &map);

	if (!err)
		err = app_path(app->store, app->name, "", dir);
	if (!err)
		err = app_path(app->store, app->name, "rootfs", rootfs);
	if (!err)
		err = make_dir(dir, map.count ? 0710 : 0700, map.count ? map.first : 0);
	if (!err)
		err = make_rootfs(app, rootfs);
	if (!err)
		err = replace_config(app, m, rootfs);
	return err ? err : seccomp_take(app);
}

int app_remove_lxc(const struct store *store, const char *name)
{
	static const char *const files[] = { "config", ".config.new", "lxc.log", "sshd.conf",
					     CONSOLE_LOG, CONSOLE_LOG_OLD, CONSOLE_PREVIOUS,
					     CONSOLE_PREVIOUS_OLD, VOLUMES_MARK, SECCOMP_COPY, APP_AWAY };
	char path[PATH_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(files) / sizeof(*files); i++) {
		err = app_path(store, name, files[i], path);
		if (!err && unlink(path) && errno != ENOENT)
			err = dre_fail_errno(errno, "%s", path);
	}
	if (!err)
		err = app_path(store, name, "rootfs", path);
	if (!err && rmdir(path) && errno != ENOENT)
		err = dre_fail_errno(errno, "%s", path);
	if (!err)
		err = app_path(store, name, "", path);
	if (!err && rmdir(path) && errno != ENOENT)
		err = dre_fail_errno(errno, "%s", path);
	return err;
}
