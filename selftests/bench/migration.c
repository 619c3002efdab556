// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-sys migrate against virsh migrate: how long a machine stands still, and how long the command takes. Two machines
 * that are alike go from this host to another one and back, in turns; the hosts are those of the tests, see
 * ../sys/second-host. What is there when it begins is made by migration-setup: both machines run, with their disks
 * on NFS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "bench.h"
#include "command.h"
#include "standstill.h"

#define PAIRS	8	/* each takes half a minute */
#define PORT	"24300"

#define ON_B	"/tests/sys/second-host", "run"

struct sample {
	double still;	/* ns, both */
	double whole;
};

/* Where a machine is, and so, which way it goes. */
static bool ours_there, other_there;

static double go_ours(void)
{
	if (ours_there) {
		RUN("dre-sys", "immigrate", "m", PORT);
		return RUN(ON_B, "dre-sys", "migrate", "m", "10.98.0.1", PORT);
	}
	RUN(ON_B, "dre-sys", "immigrate", "m", PORT);
	return RUN("dre-sys", "migrate", "m", "10.98.0.2", PORT);
}

#define MIGRATE(host)	"virsh", "-q", "migrate", "--live", "--persistent", "--undefinesource", "--migrateuri", \
			"tcp://" host, "equal", "qemu+tcp://" host "/system"

static double go_other(void)
{
	return other_there ? RUN(ON_B, MIGRATE("10.98.0.1")) : RUN(MIGRATE("10.98.0.2"));
}

static struct sample take(double (*go)(void), bool *there, const char *domain)
{
	struct watch watches[] = {
		{ .on = "", .file = "/run/events-a" },
		{ .on = "/tests/sys/second-host run", .file = "/run/events-b" },
	};
	struct sample sample;

	for (size_t i = 0; i < 2; i++)
		watch_begin(&watches[i]);
	sample.whole = go();
	sample.still = watch_end(watches, 2, domain);
	*there = !*there;
	return sample;
}

int main(int argc, char **argv)
{
	static struct bench still = { .what = "standing still for a migration", .ours = "dre-sys migrate",
				      .other = "virsh migrate --live", .unit = "ns", .goal = 1.0,
				      .reason = "QEMU does the same on both sides; the bounds are wide" };
	static struct bench whole = { .what = "migration, until the command ends", .ours = "dre-sys migrate",
				      .other = "virsh migrate --live", .unit = "ns" };

	(void)argc;
	setenv("DRE_CONF", "/bench/dre.conf", 1);
	shell("%s-setup", argv[0]);
	for (int i = 0; i < PAIRS; i++) {
		struct sample ours = { 0 }, other;

		if (i % 2)
			ours = take(go_ours, &ours_there, "dre-m");
		other = take(go_other, &other_there, "equal");
		if (!(i % 2))
			ours = take(go_ours, &ours_there, "dre-m");
		bench_add(&still, ours.still, other.still);
		bench_add(&whole, ours.whole, other.whole);
		fprintf(stderr, "pair %d of %d\n", i + 1, PAIRS);
	}
	bench_print(&still);
	bench_print(&whole);
	return 0;
}
