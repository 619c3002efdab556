// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app against what does the same without it, as commands: what a user waits for.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "command.h"

#define PAIRS		9
#define PAIRS_CONSTANT	6	/* the least that have bounds */
#define STARTS		7
#define CROWD		100

/*
 * create, save, load against a snapshot of btrfs.
 */

static double btrfs_snapshot(void *arg)
{
	double time = RUN("btrfs", "-q", "subvolume", "snapshot", "/bench/btrfs/tree",
			  "/bench/btrfs/snapshot");

	(void)arg;
	RUN("btrfs", "-q", "subvolume", "delete", "/bench/btrfs/snapshot");
	return time;
}

static double create(void *arg)
{
	double time = RUN("dre-app", "create", "--base", "big", "new");

	(void)arg;
	RUN("dre-app", "destroy", "new");
	return time;
}

static double save(void *arg)
{
	double time = RUN("dre-app", "save", arg, "new");

	RUN("dre-app", "snapshot", "remove", arg, "new");
	return time;
}

static double load(void *arg)
{
	return RUN("dre-app", "load", arg, "kept");
}

static double lxc_copy(void *arg)
{
	double time = RUN("lxc-copy", "-P", "/bench/lxc", "-n", "big", "-N", "copy");

	(void)arg;
	RUN("lxc-destroy", "-P", "/bench/lxc", "-n", "copy");
	return time;
}

static double lxc_snapshot(void *arg)
{
	double time = RUN("lxc-snapshot", "-P", "/bench/lxc", "-n", "big");

	(void)arg;
	RUN("lxc-snapshot", "-P", "/bench/lxc", "-n", "big", "-d", "snap0");
	return time;
}

static double podman_commit(void *arg)
{
	double time = RUN("podman", "commit", "-q", "big", "localhost/committed");

	(void)arg;
	RUN("podman", "rmi", "-f", "localhost/committed");
	return time;
}

static void against_btrfs(void)
{
	static struct bench benches[] = {
		{ .what = "create, of a base of 300 MB", .ours = "dre-app create" },
		{ .what = "save", .ours = "dre-app save" },
		{ .what = "load", .ours = "dre-app load" },
	};
	static const bench_sample_fn ours[] = { create, save, load };

	for (size_t i = 0; i < 3; i++) {
		benches[i].other = "btrfs subvolume snapshot";
		benches[i].unit = "ns";
		benches[i].goal = 1.5;
		benches[i].reason = "the start of a larger program, and fsyncs (seven of a save), which a "
				    "snapshot of btrfs does without";
		bench_compare_samples(&benches[i], PAIRS, ours[i], btrfs_snapshot, "c");
	}
}

static void against_copies(void)
{
	static struct bench copy = { .what = "a second container of 300 MB", .ours = "dre-app create",
				     .other = "lxc-copy, of a directory", .unit = "ns" };
	static struct bench snapshot = { .what = "a snapshot of 300 MB", .ours = "dre-app save",
					 .other = "lxc-snapshot, of a directory", .unit = "ns" };

	if (system("mkdir -p /bench/lxc/big/rootfs && cp -a /bench/tree/. /bench/lxc/big/rootfs/"))
		die("lxc: no tree");
	bench_compare_samples(&copy, 3, create, lxc_copy, "c");
	bench_compare_samples(&snapshot, 3, save, lxc_snapshot, "c");
	if (system("rm -rf /bench/lxc/big"))
		die("lxc: the tree does not go");
}

static void against_podman(void)
{
	static struct bench commit = { .what = "a snapshot of 300 MB", .ours = "dre-app save",
				       .other = "podman commit", .unit = "ns" };

	if (system("tar -cC /bench/tree . | podman import -q - localhost/big >/dev/null && "
		   "podman create -q --name big localhost/big /sbin/init >/dev/null"))
		die("podman: no container");
	bench_compare_samples(&commit, 3, save, podman_commit, "c");
}

/*
 * Is it constant?
 */

/* So much more in the writable layer of a stopped container, before a sample. */
static void fill(const char *name, size_t megabytes)
{
	char command[300];

	snprintf(command, sizeof(command), "d=/bench/store/layers/$(sed -n 's/^writable //p' "
		 "/bench/store/containers/%s/manifest); for i in $(seq %zu); do "
		 "head -c 1048576 /dev/zero >$d/f$i || exit; done; sync", name, megabytes);
	if (system(command))
		die("no room for %zu MB", megabytes);
}

/* A saved layer is written to no more: load puts an empty one in its place. */
static double save_filled(const char *name, size_t megabytes)
{
	double time;

	fill(name, megabytes);
	time = RUN("dre-app", "save", name, "new");
	RUN("dre-app", "load", name, "kept");
	RUN("dre-app", "snapshot", "remove", name, "new");
	RUN("dre-app", "gc");
	return time;
}

static double save_500(void *arg)
{
	return save_filled(arg, 500);
}

static double save_1(void *arg)
{
	return save_filled(arg, 1);
}

/* What was written is thrown away. What goes on in the background is not to slow the next sample down. */
static double load_filled(const char *name, size_t megabytes)
{
	double time;

	fill(name, megabytes);
	time = RUN("dre-app", "load", name, "kept");
	RUN("dre-app", "gc");
	return time;
}

static double load_500(void *arg)
{
	return load_filled(arg, 500);
}

static double load_1(void *arg)
{
	return load_filled(arg, 1);
}

static double create_small(void *arg)
{
	double time = RUN("dre-app", "create", "--base", "small", "new");

	(void)arg;
	RUN("dre-app", "destroy", "new");
	return time;
}

static void constant(void)
{
	static struct bench saves = { .what = "save", .ours = "500 MB were written",
				      .other = "1 MB was written", .unit = "ns", .goal = 1.1 };
	static struct bench loads = { .what = "load", .ours = "500 MB were written",
				      .other = "1 MB was written", .unit = "ns", .goal = 1.1,
				      .reason = "a look at how much it is, and the start of the process that removes it" };
	static struct bench creates = { .what = "create", .ours = "of a base of 300 MB",
					.other = "of a base of 1 MB", .unit = "ns", .goal = 1.1 };

	bench_compare_samples(&saves, PAIRS_CONSTANT, save_500, save_1, "c");
	bench_compare_samples(&loads, PAIRS_CONSTANT, load_500, load_1, "c");
	bench_compare_samples(&creates, PAIRS, create, create_small, NULL);
}

/*
 * From the command to init's first instruction.
 */

static double read_stamp(const char *path)
{
	double stamp = 0;
	FILE *f = NULL;

	for (int tries = 0; stamp == 0 && tries < 1000; tries++) {
		f = fopen(path, "re");
		if (!f || fscanf(f, "%lf", &stamp) != 1)
			usleep(10000);
		if (f)
			fclose(f);
	}
	if (stamp == 0)
		die("%s: init did not start", path);
	return stamp;
}

static double start_ours(void *arg)
{
	char path[200];
	double start;

	snprintf(path, sizeof(path), "/bench/store/lxc/%s/rootfs/stamp", (char *)arg);
	start = bench_now();
	RUN("dre-app", "start", arg);
	start = read_stamp(path) - start;
	RUN("dre-app", "stop", arg);
	/* Away with the stamp. */
	RUN("dre-app", "load", arg, "fresh");
	return start;
}

static double start_lxc(void *arg)
{
	double start;

	(void)arg;
	unlink("/bench/lxc/plain/rootfs/stamp");
	start = bench_now();
	RUN("lxc-start", "-P", "/bench/lxc", "-n", "plain");
	start = read_stamp("/bench/lxc/plain/rootfs/stamp") - start;
	RUN("lxc-stop", "-P", "/bench/lxc", "-n", "plain", "-k");
	return start;
}

static double start_podman(void *arg)
{
	double start;

	(void)arg;
	unlink("/bench/lxc/plain/rootfs/stamp");
	start = bench_now();
	RUN("podman", "run", "-d", "--name", "p", "--network", "none", "--rootfs",
	    "/bench/lxc/plain/rootfs", "/sbin/init");
	start = read_stamp("/bench/lxc/plain/rootfs/stamp") - start;
	RUN("podman", "rm", "-f", "-t", "0", "p");
	return start;
}

#define START_REASON	"it does all that lxc-start does, in a process of its own; and before that a program, an " \
			"overlay and the console, then rules for devices and a hook that tells the module of init"

static void starts(void)
{
	static struct bench lxc = { .what = "start, to the first instruction of init",
				    .ours = "dre-app start, unprivileged", .other = "lxc-start",
				    .unit = "ns", .goal = 0.9,
					   .reason = START_REASON };
	static struct bench privileged = { .what = "start, to the first instruction of init",
					   .ours = "dre-app start, privileged", .other = "lxc-start",
					   .unit = "ns", .goal = 0.9,
					   .reason = START_REASON };
	static struct bench podman = { .what = "start, to the first instruction of init",
				       .ours = "dre-app start, privileged",
				       .other = "podman run, with crun", .unit = "ns", .goal = 1 };

	RUN("dre-app", "create", "--base", "small", "u");
	RUN("dre-app", "create", "--privileged", "--base", "small", "p");
	RUN("dre-app", "save", "u", "fresh");
	RUN("dre-app", "save", "p", "fresh");
	bench_compare_samples(&lxc, STARTS, start_ours, start_lxc, "u");
	bench_compare_samples(&privileged, STARTS, start_ours, start_lxc, "p");
	bench_compare_samples(&podman, STARTS, start_ours, start_podman, "p");
}

/*
 * Many containers.
 */

/* What ended before gives its memory back a moment later; and what is only kept in case it is wanted does not count. */
static double memory_used(void)
{
	double total = 0, available = 0;
	char line[200];
	FILE *f;

	if (system("sleep 2; sync; echo 3 >/proc/sys/vm/drop_caches; sleep 1"))
		die("drop_caches");
	f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemTotal: %lf", &total) != 1)
			sscanf(line, "MemAvailable: %lf", &available);
	if (f)
		fclose(f);
	return (total - available) * 1024;
}

static void create_some(int from, int to)
{
	char name[16];

	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		RUN("dre-app", "create", "--base", "small", name);
	}
}

/* start or stop */
static void do_to_some(const char *command, int from, int to, double times[CROWD])
{
	char name[16];

	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		times[i] = RUN("dre-app", command, name);
	}
}

/* What it takes for each of as many as there are. */
#define LOOKS	5

struct each {
	double list[LOOKS], ps[LOOKS];
};

static void look_at_all(int nr, struct each *each)
{
	for (int i = 0; i < LOOKS; i++) {
		each->list[i] = RUN("dre-app", "list") / nr;
		each->ps[i] = RUN("dre-app", "ps") / nr;
	}
}

/* Those of before, once more. */
static void memory_of_each(void)
{
	static struct bench memory = { .what = "memory, with monitor and init", .ours = "of 100",
				       .other = "of ten", .unit = "B", .goal = 1.2 };
	double times[CROWD], before = memory_used(), of_ten;

	do_to_some("start", 0, 10, times);
	of_ten = memory_used() - before;
	do_to_some("start", 10, CROWD, times);
	bench_add(&memory, (memory_used() - before) / CROWD, of_ten / 10);
	bench_print(&memory);
	do_to_some("stop", 0, CROWD, times);
}

/* The first ten against the last ten; and what is for all, for each of 100 against each of ten. */
static void crowd(void)
{
	static struct bench start = { .what = "start, of 100 containers", .ours = "the last ten",
				      .other = "the first ten", .unit = "ns", .goal = 1.2,
				      .reason = "each new mount namespace begins with a copy of the host's mounts, and has "
						"those of all containers in it" };
	static struct bench stop = { .what = "stop, of 100 containers", .ours = "the first ten",
				     .other = "the last ten", .unit = "ns", .goal = 1.2 };
	static struct bench list = { .what = "dre-app list, for each that runs", .ours = "of 100",
				     .other = "of ten", .unit = "ns", .goal = 1.2 };
	static struct bench ps = { .what = "dre-app ps, for each that runs", .ours = "of 100",
				   .other = "of ten", .unit = "ns", .goal = 1.2 };
	double times[CROWD];
	struct each few, many;

	create_some(0, 10);
	do_to_some("start", 0, 10, times);
	look_at_all(10, &few);
	create_some(10, CROWD);
	do_to_some("start", 10, CROWD, times);
	look_at_all(CROWD, &many);
	for (int i = 0; i < 10; i++)
		bench_add(&start, times[CROWD - 10 + i], times[i]);
	for (int i = 0; i < LOOKS; i++) {
		bench_add(&list, many.list[i], few.list[i]);
		bench_add(&ps, many.ps[i], few.ps[i]);
	}
	bench_print(&start);
	bench_print(&list);
	bench_print(&ps);
	do_to_some("stop", 0, CROWD, times);
	for (int i = 0; i < 10; i++)
		bench_add(&stop, times[i], times[CROWD - 10 + i]);
	bench_print(&stop);
	memory_of_each();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
		bool big;	/* needs a tree of 300 MB */
	} parts[] = {
		{ "start", starts, false }, { "crowd", crowd, false },
		{ "btrfs", against_btrfs, true }, { "constant", constant, true },
		{ "copies", against_copies, true }, { "commit", against_podman, true },
	};
	bool wanted[sizeof(parts) / sizeof(*parts)], big = false;
	char setup[200];

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		wanted[i] = argc < 2;
		for (int a = 1; a < argc; a++)
			wanted[i] |= !strcmp(argv[a], parts[i].name);
		big |= wanted[i] && parts[i].big;
	}
	setenv("DRE_CONF", "/bench/dre.conf", 1);
	snprintf(setup, sizeof(setup), "modprobe -a dre loop overlay btrfs; %s-setup %s", argv[0],
		 big ? "big" : "");
	if (system(setup))
		die("%s failed", setup);
	if (big) {
		RUN("dre-app", "create", "--base", "big", "c");
		RUN("dre-app", "save", "c", "kept");
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (wanted[i])
			parts[i].run();
	return 0;
}
