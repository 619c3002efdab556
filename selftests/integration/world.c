// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <dre.h>

#include "world.h"

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

char *read_file(const char *path)
{
	char *text = NULL, buffer[4096];
	size_t size, n;
	FILE *from = fopen(path, "re"), *to;

	if (!from)
		return NULL;
	to = open_memstream(&text, &size);
	while ((n = fread(buffer, 1, sizeof(buffer), from)) > 0)
		fwrite(buffer, 1, n, to);
	fclose(to);
	fclose(from);
	return text;
}

/* Where the descriptions go: nftw(3) has no argument for it. */
static FILE *out;

/* Each line of a file, with its name before it. */
static void describe_lines(const char *path)
{
	char *text = read_file(path), *rest = text, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			fprintf(out, "%s: %s\n", path, line);
	free(text);
}

/*
 * Left out is what belongs to no state: liblxc's log and configuration, the filter and the log of the console are
 * written anew by each start, also one that fails; the tests' init writes in
 * its journal; and the first mount of an overlay makes a directory for itself.
 */
static bool is_passing(const char *path, const char *name)
{
	return !strcmp(name, "lxc.log") || !fnmatch("console.log*", name, 0) ||
	       !fnmatch("console.previous*", name, 0) || !strcmp(name, "config") || !strcmp(name, "seccomp") ||
	       !strcmp(name, "journal") || !fnmatch(STORE "/work/*/work", path, FNM_PATHNAME);
}

/* The base images' manifests: what is in their layers is not looked at, which saves much time. */
static char *bases;

static bool is_base_layer(const char *path, const char *name)
{
	char line[64];

	snprintf(line, sizeof(line), "\nlayer %s\n", name);
	return !fnmatch(STORE "/layers/*", path, FNM_PATHNAME) && strstr(bases, line);
}

static void read_bases(void)
{
	FILE *f = popen("cat " STORE "/bases/* 2>/dev/null", "re");
	size_t size = 0;

	free(bases);
	bases = NULL;
	if (getdelim(&bases, &size, '\0', f) < 0)
		bases = strdup("");
	pclose(f);
}

static int describe_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char target[256] = "";

	(void)type;
	if (is_passing(path, path + ftw->base))
		return FTW_CONTINUE;
	if (S_ISLNK(st->st_mode) && readlink(path, target, sizeof(target) - 1) < 0)
		return FTW_CONTINUE;
	fprintf(out, "%s: mode %o owner %u:%u", path, st->st_mode, st->st_uid, st->st_gid);
	if (S_ISREG(st->st_mode))
		fprintf(out, " size %lld written %lld.%09ld", (long long)st->st_size,
			(long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	fprintf(out, "%s%s\n", *target ? " -> " : "", target);
	return is_base_layer(path, path + ftw->base) ? FTW_SKIP_SUBTREE : FTW_CONTINUE;
}

static int describe_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static const char *const names[] = {
		"cgroup.procs", "cgroup.freeze", "cgroup.subtree_control", "cpu.max", "cpuset.cpus", "memory.max",
		"memory.swap.max", "pids.max", NULL
	};
	char file[512];

	(void)st;
	(void)ftw;
	if (type != FTW_D)
		return 0;
	fprintf(out, "%s\n", path);
	for (const char *const *name = names; *name; name++) {
		snprintf(file, sizeof(file), "%s/%s", path, *name);
		describe_lines(file);
	}
	return 0;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Files that this process has open. */
static void describe_fds(void)
{
	char path[300], target[256];
	struct dirent **entries;
	int nr = scandir("/proc/self/fd", &entries, NULL, compare_names);

	for (int i = 0; i < nr; i++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%s", entries[i]->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len > 0) {		/* not ".", nor what scandir() had open */
			target[len] = '\0';
			fprintf(out, "open: %s: %s\n", entries[i]->d_name, target);
		}
		free(entries[i]);
	}
	free(entries);
}

static int is_process(const struct dirent *entry)
{
	return isdigit((unsigned char)*entry->d_name);
}

struct process {
	int pid, ppid;
	char comm[64];
	char state;
};

/* What it is, and the namespace that its children are in: whoever is on his way into a container is so first. */
static bool is_in_container(int pid)
{
	char path[64];
	struct stat st, own;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", pid);
	return !stat("/proc/self/ns/pid", &own) && !stat(path, &st) && st.st_ino != own.st_ino;
}

/* A program of ours, or that we start, or a child of this process that has become another one's. */
static bool is_tool(const char *comm)
{
	static const char *const tools[] = { "*lxc monitor*", "dre-*", "criu", "tar", "mmdebstrap", "qemu-img", NULL };

	for (const char *const *tool = tools; *tool; tool++)
		if (!fnmatch(*tool, comm, 0))
			return true;
	return !strncmp(comm, program_invocation_short_name, 15);
}

/* Of the dead only children of this process: it has to wait for them. */
static bool is_ours(const struct process *p)
{
	if (p->ppid == getpid())
		return true;
	return p->pid != getpid() && p->state != 'Z' && (is_tool(p->comm) || is_in_container(p->pid));
}

/* Is a tool, or in a container, also in none of our control groups; or a child of this process. */
static void describe_processes(void)
{
	char path[300];
	struct dirent **entries;
	int nr = scandir("/proc", &entries, is_process, compare_names);
	struct process p;
	FILE *f;

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "/proc/%s/stat", entries[i]->d_name);
		free(entries[i]);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%d (%63[^)]) %c %d", &p.pid, p.comm, &p.state, &p.ppid) == 4 && is_ours(&p))
			fprintf(out, "process: %d (%s) of %d%s\n", p.pid, p.comm, p.ppid,
				p.state == 'Z' ? ", dead" : "");
		fclose(f);
	}
	free(entries);
}

/* At abstract addresses, as liblxc's monitors do. */
static void describe_listeners(void)
{
	char *text = read_file("/proc/net/unix"), *rest = text, *line, *address;
	unsigned int flags;

	while ((line = strsep(&rest, "\n"))) {
		address = strstr(line, "@" STORE);
		if (address && sscanf(line, "%*s %*s %*s %x", &flags) == 1 && flags & 0x10000)
			fprintf(out, "listens: %s\n", address);
	}
	free(text);
}

char *world_describe(void)
{
	char *text;
	size_t size;

	out = open_memstream(&text, &size);
	nftw(STORE, describe_file, 32, FTW_PHYS | FTW_MOUNT | FTW_ACTIONRETVAL);
	describe_lines("/proc/self/mountinfo");
	nftw(CGROUPS "/dre", describe_cgroup, 32, FTW_PHYS);
	describe_lines("/proc/daware");
	describe_processes();
	describe_listeners();
	describe_fds();
	fclose(out);
	return text;
}

static char *marked;

/* What was thrown away is no part of it, nor who removes that: they go by themselves. */
static bool describe_at_rest(char **text)
{
	free(*text);
	*text = world_describe();
	return !strstr(*text, STORE "/trash/") && !strstr(*text, "(dre-trash)");
}

void world_mark(void)
{
	read_bases();
	(void)eventually(describe_at_rest(&marked));
}

static bool has_line(const char *text, const char *line, size_t len)
{
	while ((text = strstr(text, line))) {
		/* The lines of one description come after the beginning of text or after a line. */
		if (text[len] == '\n')
			return true;
		text++;
	}
	return false;
}

/* Prints the lines of @text that are not in @other. */
static void print_missing(const char *text, const char *other, const char *mark)
{
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (!has_line(other, line, strlen(line)))
			printf("# %s %s\n", mark, line);
	free(copy);
}

bool world_is_as_marked(void)
{
	char *now = NULL;
	bool same;

	(void)eventually(describe_at_rest(&now));
	same = !strcmp(now, marked);
	if (!same) {
		print_missing(marked, now, "-");
		print_missing(now, marked, "+");
	}
	free(now);
	return same;
}

static bool is_equal(void)
{
	char *now = world_describe();
	bool same = !strcmp(now, marked);

	free(now);
	return same;
}

bool world_becomes_as_marked(void)
{
	return eventually(is_equal()) || world_is_as_marked();
}

void assert_refused_(int got, int wanted, const char *call, const char *file, int line)
{
	const char *text = dre_last_error();
	bool same;

	if (got != wanted)
		printf("# %s: %d (%s: %s), not %d (%s)\n", call, got, dre_strerror(got), text,
		       wanted, dre_strerror(wanted));
	_assert_true(got == wanted, call, file, line);
	_assert_true(*text && !strchr(text, '\n'), "one line says why", file, line);
	same = world_is_as_marked();
	if (!same)
		printf("# changed by %s, which failed\n", call);
	_assert_true(same, "nothing is changed", file, line);
}

void assert_done_(int got, const char *call, const char *file, int line)
{
	if (got)
		printf("# %s: %d (%s: %s)\n", call, got, dre_strerror(got), dre_last_error());
	_assert_true(got == 0, call, file, line);
}

static long long cpu_used_us(const char *directory)
{
	char path[256], *text;
	long long us = -1;

	snprintf(path, sizeof(path), "%s/cpu.stat", directory);
	text = read_file(path);
	assert_non_null(text);
	sscanf(text, "usage_usec %lld", &us);
	free(text);
	return us;
}

static double measure_share(const char *directory)
{
	long long begin = now_ms(), used = cpu_used_us(directory);

	sleep(3);
	return (cpu_used_us(directory) - used) / 10.0 / (now_ms() - begin);
}

/*
 * The host may take time away from the machine, or from its clock, once; a limit that does not hold gives more each
 * time. How much less it gets than it may have can be said only where the clock does not go on while the machine stands
 * still: DRE_STEADY says so.
 */
bool group_gets_its_share(const char *directory, int percent)
{
	double least = getenv("DRE_STEADY") ? percent - 3 : percent / 5.0, share;

	for (int i = 0; i < 5; i++) {
		share = measure_share(directory);
		printf("# %s, limited to %d %%, got %.1f %%\n", directory, percent, share);
		if (share > least && share < percent + 3)
			return true;
	}
	return false;
}
