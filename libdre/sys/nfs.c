// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The NFS share that dre.conf names. It is mounted when it is needed, and stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/tool.h"
#include "shared.h"

/* Seconds that a server has to answer, which may be one that is not there. */
#define MOUNT_TIME	"60"
#define STATUS_TIME_UP	124	/* of timeout(1) */

/* The same for one that has answered before, and for one of its addresses, in milliseconds. */
#define ANSWER_TIME	30
#define CONNECT_TIME	5000
#define NFS_PORT	"2049"

/* What is mounted there, uppermost; the kernel does not ask the server for that. */
static bool find_mount(const char *target, char *source, size_t size, bool *nfs)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char buffer[2 * PATH_MAX];
	struct mntent entry;
	bool found = false;

	while (mounts && getmntent_r(mounts, &entry, buffer, sizeof(buffer))) {
		if (strcmp(entry.mnt_dir, target) != 0)
			continue;
		found = true;
		*nfs = !strncmp(entry.mnt_type, "nfs", strlen("nfs"));
		snprintf(source, size, "%s", entry.mnt_fsname);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

/* As the kernel calls it, which has no symbolic links; it does not ask the server for that, either. */
static void resolve(const char *path, char resolved[PATH_MAX])
{
	if (!realpath(path, resolved))
		snprintf(resolved, PATH_MAX, "%s", path);
}

/* It has no slashes at the end, either. */
static void source_of(const struct dre_nfs_config *nfs, char *source, size_t size)
{
	size_t len = strlen(nfs->export);

	while (len > 1 && nfs->export[len - 1] == '/')
		len--;
	snprintf(source, size, "%s:%.*s", nfs->server, (int)len, nfs->export);
}

/* 1: it is mounted; 0: nothing is; or an error: something else is. */
static int look(const struct dre_nfs_config *config)
{
	char wanted[PATH_MAX + 300], source[PATH_MAX + 300], mount[PATH_MAX];
	bool nfs;

	resolve(config->mount, mount);
	if (!find_mount(mount, source, sizeof(source), &nfs))
		return 0;
	source_of(config, wanted, sizeof(wanted));
	if (nfs && !strcmp(source, wanted))
		return 1;
	return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "%s is mounted at %s, and not %s", source, config->mount,
			wanted);
}

bool sys_shared_mounted(const struct dre_config *config)
{
	return *config->sys.nfs.server && look(&config->sys.nfs) > 0;
}

/* The first line of mount(8) says what it is; others guess. */
struct complaint {
	char text[256];
};

static void remember(void *arg, const char *line)
{
	struct complaint *complaint = arg;

	if (!*complaint->text)
		snprintf(complaint->text, sizeof(complaint->text), "%s", line);
}

static int mount_it(const struct dre_nfs_config *config)
{
	char source[PATH_MAX + 300], options[sizeof(config->options) + sizeof(",retry=0")], last[256];
	const char *const argv[] = { "timeout", MOUNT_TIME, "mount", "-t", "nfs", "-o", options,
				     source, config->mount, NULL };
	struct complaint complaint = {};
	struct printable p;
	const struct tool tool = {
		.argv = argv, .dir_fd = AT_FDCWD, .fds = { -1, -1 },
		.line = remember, .arg = &complaint, .what = config->mount,
	};
	int status;

	source_of(config, source, sizeof(source));
	/* Else it is tried for two minutes. */
	snprintf(options, sizeof(options), "%s,retry=0", config->options);
	if (access("/sbin/mount.nfs", X_OK) < 0)
		return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "cannot mount %s: there is no mount.nfs; is nfs-common installed?",
				source);
	status = tool_run(&tool, last, sizeof(last));
	if (status <= 0)
		return status;
	if (status == STATUS_TIME_UP)
		return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "cannot mount %s: no answer within " MOUNT_TIME " seconds",
				source);
	return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "cannot mount %s: %s", source,
			dre_printable(&p, *complaint.text ? complaint.text : "mount failed"));
}

/* One after the other, so that it is not mounted twice. */
static int mount_locked(const struct dre_nfs_config *config, int dir)
{
	int ret;

	if (TEMP_FAILURE_RETRY(flock(dir, LOCK_EX)) < 0)
		return dre_fail_errno(errno, "%s", config->mount);
	ret = look(config);
	return ret ? ret : mount_it(config);
}

/* The value of a mount option, or NULL. */
static const char *find_option(const char *options, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	for (; *options; options += strcspn(options, ","), options += *options == ',') {
		if (strncmp(options, key, len) != 0)
			continue;
		snprintf(value, size, "%.*s", (int)strcspn(options + len, ","), options + len);
		return value;
	}
	return NULL;
}

static bool answers_at(const struct addrinfo *at)
{
	int s = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
	struct pollfd p = { .fd = s, .events = POLLOUT };
	socklen_t size = sizeof(error);
	bool answers;

	if (s < 0)
		return false;
	answers = !connect(s, at->ai_addr, at->ai_addrlen) ||
		  (errno == EINPROGRESS && TEMP_FAILURE_RETRY(poll(&p, 1, CONNECT_TIME)) == 1 &&
		   !getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) && !error);
	close(s);
	return answers;
}

/* What cannot be asked that way (RDMA) may answer. @unknown: what is said of a name that is not known now. */
static bool answers(const struct dre_nfs_config *config, bool unknown)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char host[sizeof(config->server)], port[16] = NFS_PORT, proto[16];
	const char *name = config->server;
	struct addrinfo *all, *at;

	if (find_option(config->options, "proto=", proto, sizeof(proto)) && !strncmp(proto, "rdma", strlen("rdma")))
		return true;
	find_option(config->options, "port=", port, sizeof(port));
	if (*name == '[') {
		snprintf(host, sizeof(host), "%.*s", (int)strcspn(name + 1, "]"), name + 1);
		name = host;
	}
	if (getaddrinfo(name, port, &hints, &all))
		return unknown;
	for (at = all; at && !answers_at(at); at = at->ai_next)
		;
	freeaddrinfo(all);
	return at;
}

bool sys_shared_answers(const struct dre_config *config)
{
	return *config->sys.nfs.server && answers(&config->sys.nfs, false);
}

/*
 * The kernel gives a request up, see nfs_options; but not one that has to wait until it has its locks and open files
 * back from a server that it has lost for longer than these hold. So the server is asked before.
 */
static int wait_for_server(const struct dre_nfs_config *config)
{
	struct timespec now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + ANSWER_TIME;
	while (!answers(config, true)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec >= end)
			return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "NFS server %s does not answer", config->server);
		sleep(1);
	}
	return 0;
}

static int mount_share(const struct dre_nfs_config *config)
{
	int dir, ret = look(config);

	if (ret)
		return ret > 0 ? wait_for_server(config) : ret;
	if (mkdir(config->mount, 0700) < 0 && errno != EEXIST)
		return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "cannot make %s: %s", config->mount, strerror(errno));
	dir = open(config->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "%s: %s", config->mount, strerror(errno));
	ret = mount_locked(config, dir);
	close(dir);
	return ret > 0 ? 0 : ret;
}

/* A server that maps root to somebody else lets nobody have a store there. */
int sys_open_shared(const struct dre_config *config, struct store **store)
{
	int err;

	if (!*config->sys.nfs.server)
		return dre_fail(DRE_ERR_NFS_MOUNT_FAILED, "dre.conf names no NFS server (nfs_server)");
	err = mount_share(&config->sys.nfs);
	if (!err)
		err = store_open(store, config->sys.nfs.mount, &layer_disk);
	return err == DRE_ERR_DEVICE_BUSY || err == DRE_ERR_PERMISSION_DENIED ? DRE_ERR_NFS_MOUNT_FAILED : err;
}
