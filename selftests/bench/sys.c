// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-sys against qemu-img and virsh, as commands: what a user waits for; and how long a machine stands still for a
 * checkpoint. What is there when it begins is made by sys-setup.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dre_sys.h>

#include "bench.h"
#include "command.h"
#include "standstill.h"

#define PAIRS		6	/* the least that have bounds: each takes seconds */
#define WRITTEN		16	/* MB before each snapshot */

#define STORE		"/bench/store"
#define IMAGE		"/bench/image.qcow2"
#define EVENTS		"/run/events"

/* callgrind counts them. */
#define LINKED	"37 million instructions link the program with libvirt and the 60 libraries behind it, as they do in " \
		"virsh; qemu-img needs 20 to 30 million in all"

/* The only layer of a base image. */
static const char *layer_of(const char *base)
{
	static char path[256];
	char name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "sed -n 's/^layer //p' " STORE "/bases/%s", base);
	f = popen(path, "re");
	if (!f || fscanf(f, "%31s", name) != 1 || pclose(f))
		die("base image %s has no layer", base);
	snprintf(path, sizeof(path), STORE "/layers/%s", name);
	return path;
}

/*
 * create
 */

static double create_of(const char *base)
{
	double time = RUN("dre-sys", "create", "--base", base, "new");

	RUN("dre-sys", "destroy", "new");
	return time;
}

static double create(void *arg)
{
	(void)arg;
	return create_of("gb20");
}

static double create_big(void *arg)
{
	(void)arg;
	return create_of("big");
}

static double copy(void *arg)
{
	double time = RUN("cp", arg, "/bench/copy.qcow2");

	unlink("/bench/copy.qcow2");
	return time;
}

static double create_overlay(void *arg)
{
	double time = RUN("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", arg,
			  "/bench/new.qcow2");

	unlink("/bench/new.qcow2");
	return time;
}

static double create_domain(void *arg)
{
	double time = create_overlay(arg) + RUN("virsh", "-q", "define", "/bench/new.xml");

	RUN("virsh", "-q", "undefine", "new");
	return time;
}

static void creates(void)
{
	static struct bench overlaid = { .what = "create", .ours = "dre-sys create",
					 .other = "qemu-img create -b", .unit = "ns", .goal = 1.5,
					 .reason = LINKED };
	static struct bench defined = { .what = "create", .ours = "dre-sys create",
					.other = "qemu-img create -b, virsh define", .unit = "ns", .goal = 1.5 };
	char *base = strdup(layer_of("gb20"));

	shell("sed -e s/equal/new/ /bench/equal.xml >/bench/new.xml");
	bench_compare_samples(&overlaid, PAIRS, create, create_overlay, base);
	bench_compare_samples(&defined, PAIRS, create, create_domain, base);
	free(base);
}

static void copies(void)
{
	static struct bench b = { .what = "create, of a base of 1 GB", .ours = "dre-sys create",
				  .other = "cp of the disk", .unit = "ns", .goal = 0.01,
				  .reason = "a create takes the same whatever the size: from 1.5 GB on it is there" };
	char *base = strdup(layer_of("big"));

	bench_compare_samples(&b, PAIRS, create_big, copy, base);
	free(base);
	RUN("dre-sys", "base", "remove", "big");
}

static void must(int err, const char *what)
{
	if (err)
		die("%s: %s", what, dre_last_error());
}

/*
 * save, load and commit of a stopped container, to whose disk something was written. The other side is an image of
 * the same size, to which the same was written.
 */

static void fill(const char *image)
{
	shell("qemu-io -f qcow2 -c 'write -q -P 1 0 %dM' %s", WRITTEN, image);
}

static void fill_container(const char *gigabytes)
{
	char command[200], layer[128] = "";
	FILE *f;

	snprintf(command, sizeof(command), "sed -n 's,^writable ," STORE "/layers/,p' "
		 STORE "/containers/d%s/manifest", gigabytes);
	f = popen(command, "re");
	if (!f || fscanf(f, "%127s", layer) != 1 || pclose(f))
		die("container d%s has no layer", gigabytes);
	fill(layer);
}

static void container_name(const char *gigabytes, char name[8])
{
	snprintf(name, 8, "d%s", gigabytes);
}

/* What was saved is thrown away, and so is what was written. */
static double save(const char *gigabytes)
{
	char name[8];
	double time;

	container_name(gigabytes, name);
	fill_container(gigabytes);
	time = RUN("dre-sys", "save", name, "new");
	RUN("dre-sys", "load", name, "kept");
	RUN("dre-sys", "snapshot", "remove", name, "new");
	return time;
}

static double load(const char *gigabytes)
{
	char name[8];

	container_name(gigabytes, name);
	fill_container(gigabytes);
	return RUN("dre-sys", "load", name, "kept");
}

static double commit(const char *gigabytes)
{
	char name[8];
	double time;

	container_name(gigabytes, name);
	time = RUN("dre-sys", "commit", name, "kept", "new");
	RUN("dre-sys", "base", "remove", "new");
	return time;
}

static double snapshot(const char *how, const char *tag)
{
	fill(IMAGE);
	return RUN("qemu-img", "snapshot", how, tag, IMAGE);
}

static double apply_20(void *arg)
{
	(void)arg;
	return snapshot("-a", "kept");
}

static double take_20(void *arg)
{
	double time = snapshot("-c", "new");

	(void)arg;
	RUN("qemu-img", "snapshot", "-d", "new", IMAGE);
	return time;
}

/* The same by a program that has the library already. */
static double call_save(const char *gigabytes)
{
	char name[8];
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, name };
	double time;

	container_name(gigabytes, name);
	fill_container(gigabytes);
	time = bench_now();
	must(dre_sys_save_snapshot(&h, "new"), "save");
	time = bench_now() - time;
	must(dre_sys_load_snapshot(&h, "kept"), "load");
	must(dre_sys_remove_snapshot(&h, "new"), "remove");
	return time;
}

static double call_load(const char *gigabytes)
{
	char name[8];
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, name };
	double time;

	container_name(gigabytes, name);
	fill_container(gigabytes);
	time = bench_now();
	must(dre_sys_load_snapshot(&h, "kept"), "load");
	return bench_now() - time;
}

static double call_commit(const char *gigabytes)
{
	char name[8];
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, name };
	double time;

	container_name(gigabytes, name);
	time = bench_now();
	must(dre_sys_commit_snapshot(&h, "kept", "new"), "commit");
	time = bench_now() - time;
	must(dre_sys_remove_base("new"), "remove");
	return time;
}

#define SIDE(name, call)			\
	static double name(void *arg)		\
	{					\
		(void)arg;			\
		return call;			\
	}

SIDE(call_save_20, call_save("20"))
SIDE(call_load_20, call_load("20"))
SIDE(call_commit_20, call_commit("20"))
SIDE(save_1, save("1"))
SIDE(save_20, save("20"))
SIDE(load_1, load("1"))
SIDE(load_20, load("20"))
SIDE(commit_1, commit("1"))
SIDE(commit_20, commit("20"))
/* virsh's own snapshots of a machine that is off: libvirt runs qemu-img. */
static double take_virsh(void *arg)
{
	double time;

	(void)arg;
	fill("/bench/equal.qcow2");
	time = RUN("virsh", "-q", "snapshot-create-as", "equal", "new");
	RUN("virsh", "-q", "snapshot-delete", "equal", "new");
	return time;
}

static double apply_virsh(void *arg)
{
	(void)arg;
	fill("/bench/equal.qcow2");
	return RUN("virsh", "-q", "snapshot-revert", "equal", "kept");
}

struct sides {
	const char *what, *ours, *other;
	bench_sample_fn our_fn, other_fn;
};

static void compare_all(const struct sides *sides, size_t nr, double goal, const char *reason)
{
	static struct bench b;

	for (size_t i = 0; i < nr; i++) {
		memset(&b, 0, sizeof(b));
		b.what = sides[i].what;
		b.ours = sides[i].ours;
		b.other = sides[i].other;
		b.unit = "ns";
		b.goal = goal;
		b.reason = reason;
		bench_compare_samples(&b, PAIRS, sides[i].our_fn, sides[i].other_fn, NULL);
	}
}

static void commands(void)
{
	static const struct sides sides[] = {
		{ "save, 20 GB", "dre-sys save", "qemu-img snapshot -c", save_20, take_20 },
		{ "load, 20 GB", "dre-sys load", "qemu-img snapshot -a", load_20, apply_20 },
		{ "commit, 20 GB", "dre-sys commit", "qemu-img snapshot -c", commit_20, take_20 },
	};

	compare_all(sides, sizeof(sides) / sizeof(*sides), 1.2, LINKED);
}

static void functions(void)
{
	static const struct sides sides[] = {
		{ "save, 20 GB", "dre_sys_save_snapshot()", "qemu-img snapshot -c", call_save_20, take_20 },
		{ "load, 20 GB", "dre_sys_load_snapshot()", "qemu-img snapshot -a", call_load_20, apply_20 },
		{ "commit, 20 GB", "dre_sys_commit_snapshot()", "qemu-img snapshot -c", call_commit_20, take_20 },
	};

	compare_all(sides, sizeof(sides) / sizeof(*sides), 1.2, NULL);
}

static void against_virsh(void)
{
	static const struct sides sides[] = {
		{ "save", "dre-sys save", "virsh snapshot-create-as", save_1, take_virsh },
		{ "load", "dre-sys load", "virsh snapshot-revert", load_1, apply_virsh },
	};

	RUN("virsh", "-q", "snapshot-create-as", "equal", "kept");
	compare_all(sides, sizeof(sides) / sizeof(*sides), 1.2, NULL);
	RUN("virsh", "-q", "snapshot-delete", "equal", "kept");
}

static void sizes(void)
{
	static const struct sides sides[] = {
		{ "save", "20 GB", "1 GB", save_20, save_1 },
		{ "load", "20 GB", "1 GB", load_20, load_1 },
		{ "commit", "20 GB", "1 GB", commit_20, commit_1 },
	};

	compare_all(sides, sizeof(sides) / sizeof(*sides), 1.1, NULL);
}

/*
 * start
 */

static double start_ours(void *arg)
{
	double time = RUN("dre-sys", "start", "m");

	(void)arg;
	RUN("dre-sys", "stop", "--kill", "m");
	return time;
}

static double start_virsh(void *arg)
{
	double time = RUN("virsh", "-q", "start", "equal");

	(void)arg;
	RUN("virsh", "-q", "destroy", "equal");
	return time;
}

static void starts(void)
{
	static struct bench b = { .what = "start", .ours = "dre-sys start", .other = "virsh start", .unit = "ns",
				  .goal = 1.05 };

	start_ours(NULL);
	start_virsh(NULL);
	bench_compare_samples(&b, PAIRS, start_ours, start_virsh, NULL);
}

/*
 * checkpoint: how long the machine stands still
 */

static double checkpoint(void *arg)
{
	struct watch watch = { .on = "", .file = EVENTS };
	double pause;

	(void)arg;
	watch_begin(&watch);
	RUN("dre-sys", "checkpoint", "m", "new");
	pause = watch_end(&watch, 1, "dre-m");
	RUN("dre-sys", "checkpoint", "remove", "m", "new");
	return pause;
}

static double checkpoint_virsh(void *arg)
{
	struct watch watch = { .on = "", .file = EVENTS };
	double pause;

	(void)arg;
	watch_begin(&watch);
	RUN("virsh", "-q", "snapshot-create-as", "dre-m", "new");
	pause = watch_end(&watch, 1, "dre-m");
	RUN("virsh", "-q", "snapshot-delete", "dre-m", "new");
	return pause;
}

static void checkpoints(void)
{
	static struct bench b = { .what = "standing still for a checkpoint", .ours = "dre-sys checkpoint",
				  .other = "virsh snapshot-create-as", .unit = "ns", .goal = 0.2 };

	RUN("dre-sys", "start", "m");
	shell("for i in $(seq 600); do grep -q ready " STORE "/containers/m/console.log && exit; sleep 0.5; done; exit 1");
	bench_compare_samples(&b, PAIRS, checkpoint, checkpoint_virsh, NULL);
	RUN("dre-sys", "stop", "--kill", "m");
}

/* Snapshots to go back to. */
static void prepare(void)
{
	RUN("dre-sys", "save", "d1", "kept");
	RUN("dre-sys", "save", "d20", "kept");
	shell("qemu-img create -q -f qcow2 " IMAGE " 20G && qemu-img snapshot -c kept " IMAGE);
}

int main(int argc, char **argv)
{
	/* What is first has the most room. */
	static const struct {
		const char *name;
		void (*run)(void);
		bool big;	/* needs a base of 1 GB */
	} parts[] = {
		{ "copy", copies, true }, { "create", creates, false }, { "save", commands, false },
		{ "call", functions, false }, { "virsh", against_virsh, false }, { "sizes", sizes, false },
		{ "checkpoint", checkpoints, false }, { "start", starts, false },
	};
	bool wanted[sizeof(parts) / sizeof(*parts)], big = false;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		wanted[i] = argc < 2;
		for (int a = 1; a < argc; a++)
			wanted[i] |= !strcmp(argv[a], parts[i].name);
		big |= wanted[i] && parts[i].big;
	}
	setenv("DRE_CONF", "/bench/dre.conf", 1);
	shell("%s-setup %s", argv[0], big ? "big" : "");
	prepare();
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (wanted[i])
			parts[i].run();
	return 0;
}
