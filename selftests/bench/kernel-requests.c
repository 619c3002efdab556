// SPDX-License-Identifier: GPL-2.0-only
/* Single requests: registration and translation. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"

/* Registration */

static void registrations(void *arg, unsigned long n)
{
	const struct dre_self none = { .size = sizeof(none) };
	struct dre_self self = { .size = sizeof(self), .nr_signals = 1, .signals = { SIGTERM } };
	int fd = *(int *)arg;

	while (n--) {
		must(dre_request(fd, DRE_IOC_SELF_REGISTER, &self));
		must(dre_request(fd, DRE_IOC_SELF_UNREGISTER, (void *)&none));
	}
}

static void null_ioctl_pairs(void *arg, unsigned long n)
{
	null_ioctls(arg, 2 * n);
}

#define OTHERS	1000

/* The first process makes the registry's tree, and the last one frees it: both are shown. */
void bench_registration(void)
{
	static struct bench among = {
		.what = "register + unregister, among 1,000",
		.ours = "SELF_REGISTER + SELF_UNREGISTER, 1,000 others are registered",
		.other = "two ioctls that are refused at once",
		.unit = "ns",
		.goal = 4,
	}, alone = {
		.what = "register + unregister, the only one",
		.ours = "SELF_REGISTER + SELF_UNREGISTER, nobody else is registered",
		.other = "two ioctls that are refused at once",
		.unit = "ns",
		.goal = 4,
		.reason = "30 % are the nodes of the registry's tree, two of 576 bytes, which are "
			  "allocated and cleared each time, and freed after a grace period",
	};
	struct crowd others;
	int dre = dre_open();

	bench_compare(&alone, registrations, null_ioctl_pairs, &dre);
	crowd_start(&others, OTHERS);
	crowd_open(&others, dre, "others");
	crowd_register(&others);
	bench_compare(&among, registrations, null_ioctl_pairs, &dre);
	crowd_end(&others);
	close(dre);
}

/* Translation */

#define FEW	10
#define MANY	5000
#define ARRAY	1000

/* @pid and @vpid: a process in the middle of @crowd. @pids: ARRAY of those around it. */
struct translation {
	int dre;
	struct crowd crowd;
	pid_t pid, vpid;
	__s32 *pids, *vpids;
	char ns[64];
};

static void translation_setup(struct translation *t, const char *name, unsigned int count)
{
	char path[64];
	ssize_t len;

	t->dre = dre_open();
	crowd_start(&t->crowd, count);
	crowd_open(&t->crowd, t->dre, name);
	t->vpid = t->crowd.vpids[count / 2];
	t->pid = must(translate_one(t->crowd.c.fd, DRE_TRANSLATE_TO_PID, t->vpid));
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", t->pid);
	len = readlink(path, t->ns, sizeof(t->ns) - 1);
	if (len < 0)
		die("%s", path);
	t->ns[len] = '\0';
	t->pids = calloc(ARRAY, sizeof(*t->pids));
	t->vpids = calloc(ARRAY, sizeof(*t->vpids));
	if (!t->pids || !t->vpids)
		die("calloc");
	if (count >= ARRAY)
		must(translate(t->crowd.c.fd, DRE_TRANSLATE_TO_PID,
			       t->crowd.vpids + (count - ARRAY) / 2, t->pids, ARRAY));
}

static void translation_teardown(struct translation *t)
{
	crowd_end(&t->crowd);
	close(t->dre);
	free(t->pids);
	free(t->vpids);
}

static void to_vpid(void *arg, unsigned long n)
{
	struct translation *t = arg;

	while (n--) {
		if (translate_one(t->crowd.c.fd, 0, t->pid) != t->vpid)
			die("VPID of %d", t->pid);
	}
}

static void to_pid(void *arg, unsigned long n)
{
	struct translation *t = arg;

	while (n--) {
		if (translate_one(t->crowd.c.fd, DRE_TRANSLATE_TO_PID, t->vpid) != t->pid)
			die("PID of %d", t->vpid);
	}
}

/* One file of a process; its length, or 0 if it is gone. */
static size_t read_status(const char *pid, char *buf, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return 0;
	buf[len] = '\0';
	return len;
}

/* The last number of the line NSpid: that in the innermost pid namespace. */
static pid_t nspid(const char *pid)
{
	char buf[4096], *line, *end;

	if (!read_status(pid, buf, sizeof(buf)))
		return 0;
	line = strstr(buf, "\nNSpid:");
	if (!line)
		die("no NSpid of %s", pid);
	end = line + 1 + strcspn(line + 1, "\n");
	while (end[-1] != '\t')
		end--;
	return atoi(end);
}

static void read_nspids(void *arg, unsigned long n)
{
	struct translation *t = arg;
	char pid[16];

	while (n--) {
		snprintf(pid, sizeof(pid), "%d", t->pid);
		if (nspid(pid) != t->vpid)
			die("NSpid of %d", t->pid);
	}
}

static bool in_namespace(const char *pid, const char *ns)
{
	char path[64], name[64] = "";

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	return readlink(path, name, sizeof(name) - 1) > 0 && !strcmp(name, ns);
}

/* What finds a VPID's PID where there is no module: it may be any process's. */
static void scan_proc(void *arg, unsigned long n)
{
	struct translation *t = arg;
	struct dirent *entry;
	pid_t found;
	DIR *dir;

	while (n--) {
		found = 0;
		dir = opendir("/proc");
		if (!dir)
			die("/proc");
		while (!found && (entry = readdir(dir))) {
			if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
			    nspid(entry->d_name) == t->vpid && in_namespace(entry->d_name, t->ns))
				found = atoi(entry->d_name);
		}
		closedir(dir);
		if (found != t->pid)
			die("PID of %d in /proc", t->vpid);
	}
}

/* For each number */
static double sample_array(void *arg)
{
	struct translation *t = arg;
	double start = bench_now();
	int i;

	for (i = 0; i < 10; i++)
		must(translate(t->crowd.c.fd, 0, t->pids, t->vpids, ARRAY));
	start = bench_now() - start;
	if (memcmp(t->vpids, t->crowd.vpids + (MANY - ARRAY) / 2, ARRAY * sizeof(*t->vpids)))
		die("VPIDs of an array");
	return start / i / ARRAY;
}

static double sample_nspids(void *arg)
{
	unsigned long n = 20;

	return bench_time(read_nspids, arg, &n);
}

static double sample_scan(void *arg)
{
	unsigned long n = 1;

	return bench_time(scan_proc, arg, &n);
}

static double sample_to_pid(void *arg)
{
	unsigned long n = 1000;

	return bench_time(to_pid, arg, &n);
}

static void null_ioctls_of(void *arg, unsigned long n)
{
	struct translation *t = arg;

	null_ioctls(&t->dre, n);
}

static void compare_to_vpid(struct translation *many)
{
	static struct bench one = {
		.what = "PID to VPID",
		.ours = "TRANSLATE of one number",
		.other = "NSpid in /proc/PID/status",
		.unit = "ns",
		.goal = 1 / 20.,
	}, array = {
		.what = "PID to VPID, each of 1,000",
		.ours = "TRANSLATE of 1,000 numbers, for each",
		.other = "NSpid in /proc/PID/status",
		.unit = "ns",
		.goal = 1 / 100.,
	};

	bench_compare(&one, to_vpid, read_nspids, many);
	bench_compare_samples(&array, BENCH_PAIRS, sample_array, sample_nspids, many);
}

/* @both: the container with many processes, then that with few */
static double sample_many(void *both)
{
	return sample_to_pid(*(struct translation **)both);
}

static double sample_few(void *both)
{
	return sample_to_pid(((struct translation **)both)[1]);
}

static void compare_to_pid(struct translation *many, struct translation *few)
{
	static struct bench one = {
		.what = "VPID to PID",
		.ours = "TRANSLATE of one number",
		.other = "an ioctl that is refused at once",
		.unit = "ns",
		.goal = 2,
	}, scan = {
		.what = "VPID to PID, 5,000 processes",
		.ours = "TRANSLATE of one number",
		.other = "a search of /proc",
		.unit = "ns",
	}, flat = {
		.what = "VPID to PID, 5,000 against 10",
		.ours = "TRANSLATE in a container of 5,000 processes",
		.other = "of 10 processes",
		.unit = "ns",
		.goal = FLAT,
	};
	struct translation *both[] = { many, few };

	bench_compare(&one, to_pid, null_ioctls_of, many);
	bench_compare_samples(&scan, 31, sample_to_pid, sample_scan, many);
	bench_compare_samples(&flat, BENCH_PAIRS, sample_many, sample_few, both);
}

void bench_translation(void)
{
	struct translation few, many;

	translation_setup(&few, "few", FEW);
	translation_setup(&many, "many", MANY);
	compare_to_vpid(&many);
	compare_to_pid(&many, &few);
	translation_teardown(&many);
	translation_teardown(&few);
}
