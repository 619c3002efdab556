// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How long a container stands still for a checkpoint, against lxc-checkpoint.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dre_app.h>

#include "bench.h"

#define PAIRS	5

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, dre_last_error());
	exit(1);
}

static void must(int err, const char *what)
{
	if (err)
		die(what);
}

static void run(const char *command)
{
	if (system(command)) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

/* The numbers in /stall, see stall.c. */
static void read_stall(const dre_app_handle *h, int64_t numbers[2])
{
	char path[64];
	int init, fd;

	must(dre_app_get_pid(h, &init), "init");
	snprintf(path, sizeof(path), "/proc/%d/root/stall", init);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	numbers[0] = numbers[1] = 0;
	if (fd >= 0) {
		if (pread(fd, numbers, 2 * sizeof(*numbers), 0) < 0)
			numbers[1] = 0;
		close(fd);
	}
}

/* Until it goes on, and has noted how long it did not. */
static double stalled_since(const dre_app_handle *h, int64_t before)
{
	int64_t numbers[2];

	sleep(1);
	read_stall(h, numbers);
	if (numbers[0] <= before) {
		fprintf(stderr, "it did not stand still\n");
		exit(1);
	}
	return numbers[0] - before;
}

static double sample_ours(void *h)
{
	int64_t before[2];
	double stalled;

	read_stall(h, before);
	must(dre_app_checkpoint(h, "bench"), "checkpoint");
	stalled = stalled_since(h, before[0]);
	must(dre_app_remove_checkpoint(h, "bench"), "remove");
	return stalled;
}

/*
 * What lxc-checkpoint does not tell CRIU: its own way to lock the network takes iptables, which are not
 * there; and the other side of the console is D-RE's.
 */
static void configure_criu(const dre_app_handle *h)
{
	FILE *f = fopen("/run/criu.conf", "we");
	struct stat st;
	char path[64];
	int init;

	must(dre_app_get_pid(h, &init), "init");
	snprintf(path, sizeof(path), "/proc/%d/root/dev/console", init);
	if (!f || stat(path, &st)) {
		perror(path);
		exit(1);
	}
	fprintf(f, "network-lock nftables\nexternal tty[%llx:%llx]\n", (long long)st.st_rdev,
		(long long)st.st_dev);
	fclose(f);
}

static double sample_lxc(void *h)
{
	int64_t before[2];
	double stalled;

	read_stall(h, before);
	run("CRIU_CONFIG_FILE=/run/criu.conf lxc-checkpoint -P /var/lib/dre/app/lxc -n bench "
	    "-D /var/lib/dre/bench-images 2>/dev/null");
	stalled = stalled_since(h, before[0]);
	run("rm -rf /var/lib/dre/bench-images");
	return stalled;
}

static dre_app_handle *start_container(void)
{
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC, .udata.lxc.base = "bench" };
	dre_app_handle *h;
	int64_t ready[2];

	run("modprobe dre; mkdir -p /run/bench/dev /run/bench/proc /run/bench/sys /run/bench/sbin; "
	    "cp /tests/bench/stall /run/bench/sbin/init; "
	    "printf '[app]\\nhalt_timeout = 0\\n' >/run/dre.conf");
	setenv("DRE_CONF", "/run/dre.conf", 1);
	must(dre_app_import_base("bench", "/run/bench", NULL, NULL), "import");
	must(dre_app_create_container("bench", &data), "create");
	h = dre_app_open("bench");
	if (!h)
		die("open");
	must(dre_app_start(h), "start");
	do {
		usleep(100000);
		read_stall(h, ready);
	} while (!ready[1]);
	configure_criu(h);
	return h;
}

int main(void)
{
	static struct bench b = {
		.what = "standing still for a checkpoint, 256 MB",
		.ours = "dre_app_checkpoint()",
		.other = "lxc-checkpoint",
		.unit = "ns",
		.goal = 0.5,
	};
	dre_app_handle *h = start_container();

	/* What CRIU finds out once is found out, and its modules are loaded. */
	sample_lxc(h);
	bench_compare_samples(&b, PAIRS, sample_ours, sample_lxc, h);
	must(dre_app_stop(h), "stop");
	must(dre_app_destroy_container("bench"), "destroy");
	must(dre_app_remove_base("bench"), "remove");
	dre_app_close(h);
	return 0;
}
