// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints of machines. The guest counts seconds in its memory and says so, and boots on its disk: who goes back
 * to a checkpoint counts again from there, and does not boot.
 */
#include <dirent.h>
#include <libvirt/libvirt.h>
#include <signal.h>

#include "common/snapshot.h"
#include "host.h"

#define CHECKPOINTS	STORE "/containers/cp/checkpoints"

/* What the guest said last, and -1 if it has said nothing yet. */
static int last_tick(void)
{
	FILE *f = fopen(STORE "/containers/cp/console.log", "re");
	char line[256], end;
	int tick = -1, n;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		/* Not the first digits of one that is just being written. */
		if (sscanf(line, "guest: tick %d%c", &n, &end) == 2 && end == '\r')
			tick = n;
	fclose(f);
	return tick;
}

/* How often it has said this one. */
static int count_tick(int tick)
{
	char text[32];

	snprintf(text, sizeof(text), "guest: tick %d\r", tick);
	return count_said("cp", text);
}

#define AGAIN		5	/* moments of a checkpoint at which it is killed */

#define wait_until(condition) wait_until_at(condition, #condition, __LINE__)
#define wait_until_at(condition, text, line)						\
	do {										\
		time_t end = time(NULL) + BOOT_TIME;					\
											\
		while (!(condition) && time(NULL) < end)				\
			usleep(100000);							\
		if (!(condition))							\
			fail_msg("line %d: not in time: %s", line, text);		\
	} while (0)

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int nr = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		nr += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return nr;
}

/* The machine and its definition have the layer that the manifest says is written to; and libvirt keeps no notes. */
static void assert_in_order(void)
{
	char layer[16];

	read_layer("cp", layer);
	assert_int_equal(shell("virsh -q domblklist dre-cp | grep -q 'layers/%s$' && [ -e " STORE "/layers/%s ]", layer, layer), 0);
	assert_defined("cp");
	assert_int_equal(shell("[ -z \"$(virsh -q snapshot-list dre-cp)\" ]"), 0);
	assert_int_equal(count_entries(STORE "/pending"), 0);
	assert_int_equal(count_entries(STORE "/trash"), 0);
	assert_int_equal(shell("[ -z \"$(ls -A " CHECKPOINTS " | grep '^[.]')\" ]"), 0);
}

static void assert_list(const char *first, const char *second)
{
	dre_sys_handle h = handle("cp");
	const char *const wanted[] = { first, second, NULL };
	dre_list_t list;
	int i;

	assert_success(dre_sys_get_checkpoint_list(&h, &list));
	for (i = 0; wanted[i]; i++)
		assert_string_equal(list[i], wanted[i]);
	assert_null(list[i]);
	assert_success(dre_sys_release_checkpoint_list(list));
}

/* The layer of the disk that a checkpoint has on top, with what is in it. */
static void read_sum(const char *tag, char sum[80])
{
	char line[512];
	FILE *f;

	snprintf(line, sizeof(line), "sha256sum " STORE "/layers/$(sed -n 's/^layer //p' " CHECKPOINTS
		 "/%s/manifest | tail -n 1)", tag);
	f = popen(line, "re");
	assert_non_null(f);
	assert_non_null(fgets(sum, 80, f));
	assert_int_equal(pclose(f), 0);
}

static void arguments(void **state)
{
	dre_sys_handle h = handle("cp"), absent = handle("absent"), wrong = { 1, (char *)"cp" };
	dre_sys_handle unnamed = { DRE_SYS_CONTAINER_TYPE_KVM, NULL };
	char long_name[65];
	dre_list_t list;

	static dre_return_t (*const calls[])(const dre_sys_handle *, const char *) = {
		dre_sys_checkpoint, dre_sys_restart, dre_sys_remove_checkpoint,
	};

	(void)state;
	memset(long_name, 'a', 64);
	long_name[64] = '\0';
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		assert_fails(calls[i](NULL, "a"), DRE_ERR_NULL_POINTER, "NULL");
		assert_fails(calls[i](&h, NULL), DRE_ERR_NULL_POINTER, "NULL");
		assert_fails(calls[i](&unnamed, "a"), DRE_ERR_NULL_POINTER, "name");
		assert_fails(calls[i](&h, long_name), DRE_ERR_REQUEST_TOO_LONG, "checkpoint");
		assert_fails(calls[i](&h, "../a"), DRE_ERR_INVALID_ARGUMENT, "../a");
		assert_fails(calls[i](&wrong, "a"), DRE_ERR_INVALID_ARGUMENT, "type");
		assert_fails(calls[i](&absent, "a"), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	}
	assert_fails(dre_sys_get_checkpoint_list(NULL, &list), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_get_checkpoint_list(&h, NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_get_checkpoint_list(&absent, &list), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_release_checkpoint_list(NULL), DRE_ERR_NULL_POINTER, "NULL");
}

static void stopped(void **state)
{
	dre_sys_handle h = handle("cp");

	(void)state;
	assert_list(NULL, NULL);
	assert_fails(dre_sys_checkpoint(&h, "one"), DRE_ERR_CONTAINER_STOPPED, "cp");
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "one");
	assert_fails(dre_sys_remove_checkpoint(&h, "one"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "one");
	assert_int_equal(rename("/dev/kvm", "/dev/kvm.away"), 0);
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_NO_VT, "/dev/kvm");
	assert_int_equal(rename("/dev/kvm.away", "/dev/kvm"), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_STOP);
}

struct seen {
	unsigned int calls;
	unsigned long long done, total;
};

static void see(void *arg, unsigned long long done, unsigned long long total)
{
	struct seen *seen = arg;

	assert_true(done >= seen->done && done <= total);
	seen->calls++;
	seen->done = done;
	seen->total = total;
}

/* As virsh was told; it was defined anew since. */
static bool starts_with_the_host(void)
{
	return shell("virsh -q dominfo dre-cp | grep -q '^Autostart: *enable'") == 0;
}

static int tick_of_one;		/* the first one after checkpoint "one" was there */

/* It counts on; nothing but a memory image, a manifest and a layer has come. */
static void taken(void **state)
{
	dre_sys_handle h = handle("cp");
	struct seen seen = {};

	(void)state;
	assert_success(dre_sys_start(&h));
	wait_until(last_tick() >= 2);
	assert_int_equal(shell("virsh -q autostart dre-cp"), 0);
	assert_success(dre_sys_checkpoint_with(&h, "one", see, &seen));
	tick_of_one = last_tick() + 1;
	assert_true(seen.calls > 0 && seen.done == seen.total);
	assert_true(seen.total >= 96 * 1024 * 1024ULL);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_in_order();
	assert_true(starts_with_the_host());
	assert_list("one", NULL);
	assert_int_equal(count_entries(STORE "/layers"), 3);
	assert_int_equal(count_entries(CHECKPOINTS "/one"), 2);
	assert_int_equal(shell("dre-sys checkpoint list --json cp | grep -q '\"one\"'"), 0);
	assert_private(STORE);
	wait_until(last_tick() >= tick_of_one + 3);
	assert_int_equal(count_tick(tick_of_one), 1);
	assert_fails(dre_sys_checkpoint(&h, "one"), DRE_ERR_SNAPSHOT_EXISTENCE, "one");
	assert_fails(dre_sys_restart(&h, "two"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "two");
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_in_order();
}

static void suspended(void **state)
{
	dre_sys_handle h = handle("cp");

	(void)state;
	assert_success(dre_sys_suspend(&h));
	assert_fails(dre_sys_checkpoint(&h, "two"), DRE_ERR_CONTAINER_SUSPENDED, "cp");
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_CONTAINER_SUSPENDED, "cp");
	assert_fails(dre_sys_remove_checkpoint(&h, "two"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "two");
	assert_list("one", NULL);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_success(dre_sys_resume(&h));
}

/* The memory does not fit: the machine runs on, on the layer that it had, and nothing is left. */
static void disk_full(void **state)
{
	dre_sys_handle h = handle("cp");
	char before[16], after[16];
	int tick;

	(void)state;
	read_layer("cp", before);
	assert_int_equal(shell("mount -t tmpfs -o size=4M full " CHECKPOINTS), 0);
	assert_fails(dre_sys_checkpoint(&h, "two"), DRE_ERR_SAVE_SNAPSHOT_FAILED, "No space left");
	assert_int_equal(count_entries(CHECKPOINTS), 0);
	assert_int_equal(shell("umount " CHECKPOINTS), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	read_layer("cp", after);
	assert_string_equal(before, after);
	assert_int_equal(count_entries(STORE "/layers"), 3);
	assert_in_order();
	tick = last_tick();
	wait_until(last_tick() > tick);
}

/* It replaces what runs, with the same process as little as the same layer; what the checkpoint has stays. */
static void restarted(void **state)
{
	dre_sys_handle h = handle("cp");
	char before[80], after[80];
	int pid, old;

	(void)state;
	read_sum("one", before);
	assert_success(dre_sys_get_pid(&h, &old));
	assert_int_equal(count_tick(tick_of_one), 1);
	assert_int_equal(shell("dre-sys restart cp one"), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_success(dre_sys_get_pid(&h, &pid));
	assert_int_not_equal(pid, old);
	wait_until(count_tick(tick_of_one) == 2);
	assert_int_equal(count_said("cp", "guest: boot"), 1);
	assert_in_order();
	assert_true(starts_with_the_host());
	assert_int_equal(count_entries(STORE "/layers"), 3);
	read_sum("one", after);
	assert_string_equal(before, after);
}

/* Says that the disk that the checkpoint has on top has its data in another file, or not (\4, \0). */
static int set_external(const char *bits)
{
	return shell("printf '%s' | dd of=" STORE "/layers/$(sed -n 's/^layer //p' " CHECKPOINTS "/one/manifest | tail -n 1) "
		     "bs=1 seek=79 conv=notrunc status=none", bits);
}

/* What cannot be read, or is not to be opened, does not cost the machine that runs. */
static void damaged(void **state)
{
	dre_sys_handle h = handle("cp");
	int pid, old;

	(void)state;
	assert_success(dre_sys_get_pid(&h, &old));
	assert_int_equal(shell("cd " CHECKPOINTS "/one && mv memory away && head -c 60 away >memory"), 0);
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_LOAD_SNAPSHOT_FAILED, "libvirt: ");
	assert_int_equal(shell("cd " CHECKPOINTS "/one && rm memory"), 0);
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_LOAD_SNAPSHOT_FAILED, "memory");
	assert_int_equal(shell("cd " CHECKPOINTS "/one && mv away memory && mv manifest away"), 0);
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_LOAD_SNAPSHOT_FAILED, "manifest");
	assert_int_equal(shell("cd " CHECKPOINTS "/one && mv away manifest"), 0);
	assert_int_equal(set_external("\\4"), 0);
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_LOAD_SNAPSHOT_FAILED, "checkpoint 'one': layers/");
	assert_int_equal(set_external("\\0"), 0);
	assert_success(dre_sys_get_pid(&h, &pid));
	assert_int_equal(pid, old);
	assert_in_order();
}

/* The machine that should come back does not: the one that was there is off, and has its disk. */
static void cannot_be_restored(void **state)
{
	dre_sys_handle h = handle("cp");
	char before[16], after[16], initrd[256];

	(void)state;
	read_layer("cp", before);
	snprintf(initrd, sizeof(initrd), "%s.away", getenv("DRE_TEST_INITRD"));
	assert_int_equal(rename(getenv("DRE_TEST_INITRD"), initrd), 0);
	assert_fails(dre_sys_restart(&h, "one"), DRE_ERR_LOAD_SNAPSHOT_FAILED, "libvirt: ");
	assert_int_equal(rename(initrd, getenv("DRE_TEST_INITRD")), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_STOP);
	read_layer("cp", after);
	assert_string_equal(before, after);
	assert_int_equal(count_entries(STORE "/layers"), 3);
	assert_in_order();
}

/* From what is stopped, with a snapshot more; and after the machine was killed. */
static void after_a_snapshot(void **state)
{
	dre_sys_handle h = handle("cp");
	int pid;

	(void)state;
	assert_success(dre_sys_save_snapshot(&h, "snap"));
	assert_success(dre_sys_restart(&h, "one"));
	wait_until(count_tick(tick_of_one) == 3);
	assert_in_order();
	assert_true(starts_with_the_host());
	assert_int_equal(shell("virsh -q autostart --disable dre-cp"), 0);
	assert_success(dre_sys_get_pid(&h, &pid));
	assert_int_equal(kill(pid, SIGKILL), 0);
	wait_until(status("cp") == DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(dre_sys_restart(&h, "one"));
	wait_until(count_tick(tick_of_one) == 4);
	assert_in_order();
	assert_int_equal(count_said("cp", "guest: boot"), 1);
}

static int start_checkpoint(const char *tag)
{
	dre_sys_handle h = handle("cp");
	int pid = fork();

	if (pid)
		return pid;
	_exit(dre_sys_checkpoint(&h, tag) != 0);
}

/* Does libvirt have a definition of what runs? */
static bool is_defined(void)
{
	return shell("virsh -q dominfo dre-cp | grep -q '^Persistent: *yes'") == 0;
}

/* Kills who takes a checkpoint, once libvirt is at it. */
static void kill_checkpoint(int pid)
{
	int wstatus;

	wait_until(shell("[ -s " CHECKPOINTS "/.tmp-*/memory ]") == 0 || waitpid(pid, &wstatus, WNOHANG) == pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &wstatus, 0), pid);
	assert_true(WIFSIGNALED(wstatus));
}

static bool job_runs(void)
{
	return shell("virsh -q domjobinfo dre-cp | grep -q 'Job type: *None'") != 0;
}

/* Who takes it is killed, and then libvirt gives it up: the machine stays on its layer. The next one works. */
static void killed_and_given_up(void **state)
{
	dre_sys_handle h = handle("cp");
	char before[16], after[16];

	(void)state;
	read_layer("cp", before);
	kill_checkpoint(start_checkpoint("killed"));
	assert_int_equal(shell("virsh -q domjobabort dre-cp"), 0);
	wait_until(!job_runs());
	wait_until(status("cp") == DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(shell("virsh -q domblklist dre-cp | grep -q 'layers/%s$'", before), 0);
	assert_list("one", NULL);
	assert_success(dre_sys_checkpoint(&h, "two"));
	assert_list("one", "two");
	read_layer("cp", after);
	assert_string_not_equal(before, after);
	/* The base's, those of both checkpoints and of the snapshot, and that of the machine. */
	assert_int_equal(count_entries(STORE "/layers"), 5);
	assert_in_order();
}

/* Who takes it is killed, and libvirt goes on: the machine comes to the layer that the manifest has. */
static void killed(void **state)
{
	char before[16], after[16];

	(void)state;
	read_layer("cp", before);
	kill_checkpoint(start_checkpoint("killed"));
	/* Which layer would it have? */
	assert_false(is_defined());
	wait_until(!job_runs());
	/* As if libvirt had not let it go on, which happens if that is killed, too; once. */
	assert_int_equal(shell("virsh -q suspend dre-cp"), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(shell("virsh -q suspend dre-cp"), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_int_equal(shell("virsh -q resume dre-cp"), 0);
	read_layer("cp", after);
	assert_string_not_equal(before, after);
	assert_list("one", "two");
	assert_int_equal(shell("dre-sys checkpoint remove cp one"), 0);
	assert_list("two", NULL);
	assert_int_equal(access(CHECKPOINTS "/one", F_OK), -1);
	/* By the first one who changes something. */
	assert_true(is_defined());
	assert_in_order();
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* It may take a moment until libvirt has given up what nobody waits for. */
static int checkpoint_again(const dre_sys_handle *h)
{
	int ret;

	while ((ret = dre_sys_checkpoint(h, "again")) == DRE_ERR_CONTAINER_BUSY)
		usleep(100000);
	return ret;
}

/* Who takes it is killed at any moment of it, and the next one does not wait for what libvirt still does for him. */
static void killed_and_again(void **state)
{
	dre_sys_handle h = handle("cp");
	double took = now();
	int pid, wstatus;

	(void)state;
	assert_success(dre_sys_checkpoint(&h, "again"));
	took = now() - took;
	for (int i = 1; i <= AGAIN; i++) {
		assert_success(dre_sys_remove_checkpoint(&h, "again"));
		pid = start_checkpoint("killed");
		usleep((useconds_t)(took * i / (AGAIN + 1) * 1e6));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &wstatus, 0), pid);
		assert_success(checkpoint_again(&h));
		assert_in_order();
		if (!access(CHECKPOINTS "/killed", F_OK))
			assert_success(dre_sys_remove_checkpoint(&h, "killed"));
	}
	assert_success(dre_sys_restart(&h, "again"));
	assert_success(dre_sys_remove_checkpoint(&h, "again"));
	assert_in_order();
}

/* libvirt is killed while it saves: the machine runs on, on its layer, and the next one works. */
static void libvirt_killed(void **state)
{
	dre_sys_handle h = handle("cp");
	char before[16];
	int pid, ended, tick;

	(void)state;
	read_layer("cp", before);
	pid = start_checkpoint("four");
	wait_until(shell("[ -s " CHECKPOINTS "/.tmp-*/memory ]") == 0);
	kill_libvirt();
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 1);
	assert_int_equal(shell("libvirtd -d"), 0);
	/* libvirt may let it stand still for ever, once it has asked it: whoever looks at it with D-RE lets it go on. */
	tick = last_tick();
	wait_until(status("cp") == DRE_SYS_CONTAINER_STATUS_RUNNING && last_tick() > tick);
	assert_int_equal(shell("virsh -q domblklist dre-cp | grep -q 'layers/%s$'", before), 0);
	assert_list("two", NULL);
	assert_success(dre_sys_checkpoint(&h, "four"));
	assert_success(dre_sys_remove_checkpoint(&h, "four"));
	assert_in_order();
}

/*
 * libvirt is killed while it makes the machine of a checkpoint: the one that was there is off, and has its disk; at once
 * if libvirt is there again, and else when somebody looks.
 */
static void libvirt_killed_while_it_restores(void **state)
{
	dre_sys_handle h = handle("cp");
	char before[16], after[16];
	int pid, ended;

	(void)state;
	for (int soon = 1; soon >= 0; soon--) {
		if (status("cp") == DRE_SYS_CONTAINER_STATUS_STOP)
			assert_success(dre_sys_restart(&h, "two"));
		read_layer("cp", before);
		pid = fork();
		if (!pid)
			_exit(dre_sys_restart(&h, "two") == DRE_ERR_LOAD_SNAPSHOT_FAILED ? 0 : 1);
		wait_until(shell("pgrep -f '[q]emu.*guest=dre-cp,.*-incoming' >/dev/null") == 0);
		kill_libvirt();
		if (soon)
			assert_int_equal(shell("libvirtd -d"), 0);
		assert_int_equal(waitpid(pid, &ended, 0), pid);
		assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
		if (!soon) {
			assert_int_equal(shell("libvirtd -d"), 0);
			wait_until(shell("virsh -q list --name | grep -qx dre-cp") == 1);
			assert_int_equal(shell("virsh -q start dre-cp 2>/dev/null"), 1);
			wait_until(status("cp") == DRE_SYS_CONTAINER_STATUS_STOP);
		}
		read_layer("cp", after);
		assert_string_equal(before, after);
		assert_int_equal(shell("grep -q ^former " STORE "/containers/cp/manifest"), 1);
	}
	assert_success(dre_sys_restart(&h, "two"));
	assert_in_order();
}

/* Snapshots are as right with checkpoints around them; what only the first checkpoint had is gone. */
static void snapshots(void **state)
{
	dre_sys_handle h = handle("cp");

	(void)state;
	assert_success(dre_sys_stop(&h));
	assert_success(dre_sys_load_snapshot(&h, "snap"));
	assert_success(dre_sys_save_snapshot(&h, "again"));
	assert_success(dre_sys_remove_snapshot(&h, "snap"));
	assert_success(dre_sys_restart(&h, "two"));
	assert_in_order();
	assert_success(dre_sys_stop(&h));
	assert_int_equal(count_said("cp", "guest: boot"), 1);
	assert_fails(dre_sys_remove_base("it"), DRE_ERR_REMOVE_BASE_FAILED, "it");
	assert_success(dre_sys_load_snapshot(&h, "again"));
}

/* A machine that writes to its memory faster than that can be saved stands still for the end of it, and goes on. */
static void never_quiet(void **state)
{
	dre_sys_handle h = handle("cp");
	int tick;

	(void)state;
	assert_int_equal(shell("sed -i 's/panic=-1/panic=-1 dirty=24/' " CONFIG), 0);
	assert_success(dre_sys_start(&h));
	assert_says("cp", "guest: boot 2", 1);
	assert_success(dre_sys_checkpoint(&h, "three"));
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	tick = last_tick();
	wait_until(last_tick() > tick);
	assert_in_order();
	/* Where nobody is left who does that, whoever comes next has libvirt give it up. */
	kill_checkpoint(start_checkpoint("killed"));
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	wait_until(!job_runs());
	assert_list("three", "two");
	assert_success(dre_sys_checkpoint(&h, "four"));
	assert_success(dre_sys_remove_checkpoint(&h, "four"));
	assert_in_order();
	configure("");
	assert_success(dre_sys_remove_checkpoint(&h, "three"));
	assert_success(dre_sys_remove_checkpoint(&h, "two"));
	assert_list(NULL, NULL);
	assert_in_order();
}

#define MANIFEST	STORE "/containers/cp/manifest"
#define LAYERS		8	/* as many as a disk may have here: with 190 each step takes a minute */

static int count_layers(void)
{
	FILE *f = popen("grep -c '^layer ' " MANIFEST, "re");
	int nr;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &nr), 1);
	pclose(f);
	return nr;
}

static void switch_off(void)
{
	const dre_sys_stop_options at_once = { .size = sizeof(at_once), .kill = 1 };
	dre_sys_handle h = handle("cp");

	if (status("cp") != DRE_SYS_CONTAINER_STATUS_STOP)
		assert_success(dre_sys_stop_with(&h, &at_once));
}

/* The machine is off. A sector of each new layer is written to. How many there were before. */
static int lengthen(void)
{
	dre_sys_handle h = handle("cp");
	char layer[16], tag[16];
	int first = count_layers();

	for (int i = first; i < LAYERS; i++) {
		read_layer("cp", layer);
		assert_int_equal(shell("qemu-io -f qcow2 -c 'write -P %d %dM 512' " STORE "/layers/%s >/dev/null", i, 16 + i,
				       layer), 0);
		snprintf(tag, sizeof(tag), "s%d", i);
		assert_success(dre_sys_save_snapshot(&h, tag));
	}
	return first;
}

static void assert_disk_whole(int first)
{
	char layer[16];

	read_layer("cp", layer);
	for (int i = first; i < LAYERS; i++)
		assert_int_equal(shell("qemu-io -r -f qcow2 -c 'read -P %d %dM 512' " STORE "/layers/%s | "
				       "awk '/failed/ { exit 1 } /^read 512/ { ok = 1 } END { exit !ok }'", i, 16 + i, layer), 0);
	assert_int_equal(shell("qemu-img check -q " STORE "/layers/%s && dre-sys fsck", layer), 0);
}

/*
 * The machine was killed when QEMU had written into the layer's header what is to be below it, and not yet what it had
 * read of the layers between: these have it.
 */
static void lose_pull(void)
{
	dre_sys_handle h = handle("cp");
	char layer[16];

	read_layer("cp", layer);
	assert_int_equal(shell("p=$(awk '/^layer/ { l[++n] = $2 } END { print l[int(n / 2)] }' " MANIFEST ") && "
			       "sed -i \"s/^end$/pull $p\\nend/\" " MANIFEST " && cd " STORE "/layers && "
			       "qemu-img rebase -u -f qcow2 -F qcow2 -b $p %s", layer), 0);
	assert_success(dre_sys_start(&h));
	assert_int_equal(shell("! grep -q ^pull " MANIFEST), 0);
	assert_int_equal(count_layers(), LAYERS);
}

/* Of a machine that always runs: the upper half becomes one with what it writes to. */
static void many_layers(void **state)
{
	dre_sys_handle h = handle("cp");
	int tick, first, before;
	char tag[16];

	(void)state;
	switch_off();
	snapshot_max_layers = LAYERS;
	first = lengthen();
	assert_int_equal(count_layers(), LAYERS);
	lose_pull();
	wait_until(count_said("cp", "guest: boot") == 1);
	assert_success(dre_sys_checkpoint(&h, "four"));
	assert_int_equal(count_layers(), LAYERS / 2 + 1);
	tick = last_tick();
	wait_until(last_tick() > tick);
	assert_in_order();
	switch_off();
	before = count_entries(STORE "/layers");
	for (int i = first; i < LAYERS; i++) {
		snprintf(tag, sizeof(tag), "s%d", i);
		assert_success(dre_sys_remove_snapshot(&h, tag));
	}
	assert_int_equal(count_entries(STORE "/layers"), before - LAYERS / 2);
	assert_disk_whole(first);
	assert_success(dre_sys_restart(&h, "four"));
	assert_in_order();
	assert_success(dre_sys_remove_checkpoint(&h, "four"));
	snapshot_max_layers = SIZE_MAX;
}

static bool pull_slowly, die_in_flush;

int __real_virDomainBlockRebase(virDomainPtr domain, const char *disk, const char *base, unsigned long bandwidth,
				unsigned int flags);
int __wrap_virDomainBlockRebase(virDomainPtr domain, const char *disk, const char *base, unsigned long bandwidth,
				unsigned int flags);
int __real_virDomainSuspend(virDomainPtr domain);
int __wrap_virDomainSuspend(virDomainPtr domain);

/* What a layer has takes a minute then, unless it is told to be faster. */
int __wrap_virDomainBlockRebase(virDomainPtr domain, const char *disk, const char *base, unsigned long bandwidth,
				unsigned int flags)
{
	return pull_slowly ? __real_virDomainBlockRebase(domain, disk, base, 1024,
							 flags | VIR_DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES) :
			     __real_virDomainBlockRebase(domain, disk, base, bandwidth, flags);
}

int __wrap_virDomainSuspend(virDomainPtr domain)
{
	int ret = __real_virDomainSuspend(domain);

	if (die_in_flush)
		raise(SIGKILL);
	return ret;
}

static bool pulls(void)
{
	return !shell("virsh -q blockjob dre-cp vda --raw 2>/dev/null | grep -q Pull");
}

static void finish_pull(void)
{
	assert_int_equal(shell("virsh -q blockjob dre-cp vda --bandwidth 100"), 0);
	wait_until(!pulls());
}

/* Its guest says how often that was. */
static int boot(void)
{
	dre_sys_handle h = handle("cp");
	int nr = 0;
	FILE *f;

	assert_success(dre_sys_start(&h));
	assert_says("cp", "guest: tick", 1);
	f = popen("sed -n 's/^guest: boot //p' " STORE "/containers/cp/console.log", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &nr), 1);
	pclose(f);
	return nr;
}

/* With nothing in the layer that it writes to: all that lengthen() has made is to be pulled. */
static int boot_from_snapshot(void)
{
	dre_sys_handle h = handle("cp");
	char tag[16];

	snprintf(tag, sizeof(tag), "s%d", LAYERS - 1);
	assert_success(dre_sys_load_snapshot(&h, tag));
	return boot();
}

/* Who takes a checkpoint, and waits for a pull, in the middle of which the guest writes something. */
static int begin_pull(void)
{
	dre_sys_handle h = handle("cp");
	int console, pid;

	assert_success(dre_sys_open_console(&h, &console));
	pull_slowly = true;
	pid = start_checkpoint("pulled");
	pull_slowly = false;
	wait_until(pulls());
	assert_int_equal(write(console, "write\r", 6), 6);
	assert_says("cp", "guest: wrote", 1);
	close(console);
	assert_true(pulls());
	assert_int_equal(shell("grep -q ^pull " MANIFEST), 0);
	return pid;
}

static void kill_manager(int pid)
{
	int ended;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFSIGNALED(ended));
}

/* Whoever pulls has the container: D-RE does not say what process it is. libvirt starts none with what is left. */
static void kill_machine(void)
{
	assert_int_equal(shell("kill -9 $(cat /run/libvirt/qemu/dre-cp.pid)"), 0);
	wait_until(shell("virsh -q list --name | grep -qx dre-cp") == 1);
	assert_int_equal(shell("virsh -q start dre-cp 2>/dev/null"), 1);
}

/* The machine is off, and its disk has what lengthen() and the guest have written. */
static void assert_written(int first)
{
	char layer[16];

	assert_disk_whole(first);
	read_layer("cp", layer);
	assert_int_equal(shell("qemu-io -r -f qcow2 -c 'read -v 512 16' " STORE "/layers/%s | grep -q 'written[.]'",
			       layer), 0);
}

/* Its machine was killed when it had booted @nr times. */
static void assert_nothing_lost(int first, int nr)
{
	assert_int_equal(shell("dre-sys fsck"), 0);
	assert_int_equal(boot(), nr + 1);
	switch_off();
	assert_written(first);
	assert_int_equal(shell("! grep -q ^pull " MANIFEST), 0);
	assert_int_equal(count_layers(), LAYERS);
	assert_in_order();
}

static void machine_killed_in_a_pull(int first)
{
	int nr = boot_from_snapshot(), pid = begin_pull(), ended;

	kill_machine();
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 1);
	assert_nothing_lost(first, nr);
}

/* @to_its_end: the machine is when it has pulled all, of which only the name of the layer below is on the disk. */
static void both_killed_in_a_pull(int first, bool to_its_end)
{
	int nr = boot_from_snapshot();

	kill_manager(begin_pull());
	if (to_its_end)
		finish_pull();
	assert_true(to_its_end || pulls());
	kill_machine();
	assert_nothing_lost(first, nr);
}

/* The next one waits for the pull, and is killed while the machine stands still, so that it writes all that it has. */
static void managers_killed_in_a_pull(int first)
{
	dre_sys_handle h = handle("cp");
	int pid, ended, tick;

	boot_from_snapshot();
	kill_manager(begin_pull());
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(shell("dre-sys fsck"), 0);
	die_in_flush = true;
	pid = start_checkpoint("pulled");
	die_in_flush = false;
	finish_pull();
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFSIGNALED(ended));
	assert_int_equal(shell("virsh -q domstate dre-cp | grep -q paused"), 0);
	assert_int_equal(shell("dre-sys fsck"), 0);
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	tick = last_tick();
	wait_until(last_tick() > tick);
	assert_success(dre_sys_checkpoint(&h, "pulled"));
	assert_int_equal(count_layers(), LAYERS / 2 + 1);
	assert_in_order();
	assert_success(dre_sys_remove_checkpoint(&h, "pulled"));
	switch_off();
	assert_written(first);
}

/* Somebody is killed in the middle of it: the disk has what it had, and what the guest writes meanwhile. */
static void killed_in_a_pull(void **state)
{
	int first;

	(void)state;
	switch_off();
	snapshot_max_layers = LAYERS;
	first = lengthen();
	machine_killed_in_a_pull(first);
	both_killed_in_a_pull(first, false);
	both_killed_in_a_pull(first, true);
	managers_killed_in_a_pull(first);
	snapshot_max_layers = SIZE_MAX;
}

static bool start_it;

int __real_virDomainUndefineFlags(virDomainPtr domain, unsigned int flags);
int __wrap_virDomainUndefineFlags(virDomainPtr domain, unsigned int flags);

int __wrap_virDomainUndefineFlags(virDomainPtr domain, unsigned int flags)
{
	if (start_it)
		assert_int_equal(shell("virsh -q start dre-cp"), 0);
	start_it = false;
	return __real_virDomainUndefineFlags(domain, flags);
}

static int save_it(const dre_sys_handle *h)
{
	return dre_sys_save_snapshot(h, "while");
}

static int copy_it(const dre_sys_handle *h)
{
	return dre_sys_copy(h, NULL, "copy");
}

static int rename_it(const dre_sys_handle *h)
{
	return dre_sys_rename(h, "renamed");
}

static int destroy_it(const dre_sys_handle *h)
{
	return dre_sys_destroy_container(h->name);
}

/* Somebody else starts it after it was seen to be stopped: its disk is not touched, and it stays what libvirt has. */
static void started_meanwhile(void **state)
{
	static int (*const calls[])(const dre_sys_handle *h) = { save_it, copy_it, rename_it, destroy_it };
	dre_sys_handle h = handle("cp");
	char before[16], after[16];
	int layers;

	(void)state;
	read_layer("cp", before);
	layers = count_entries(STORE "/layers");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		switch_off();
		start_it = true;
		assert_fails(calls[i](&h), DRE_ERR_CONTAINER_RUNNING, "cp");
		assert_false(start_it);
		assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
		assert_true(is_defined());
		assert_in_order();
	}
	read_layer("cp", after);
	assert_string_equal(before, after);
	assert_int_equal(count_entries(STORE "/layers"), layers);
}

static bool start_after_look;

virDomainPtr __real_virDomainLookupByName(virConnectPtr libvirt, const char *name);
virDomainPtr __wrap_virDomainLookupByName(virConnectPtr libvirt, const char *name);

virDomainPtr __wrap_virDomainLookupByName(virConnectPtr libvirt, const char *name)
{
	virDomainPtr domain = __real_virDomainLookupByName(libvirt, name);

	if (start_after_look)
		assert_int_equal(shell("dre-sys start cp"), 0);
	start_after_look = false;
	return domain;
}

/* Who only looks finds no machine, and then one that somebody has just started: it keeps what it has. */
static void started_after_the_look(void **state)
{
	(void)state;
	switch_off();
	assert_int_equal(shell("dre-sys resource set cp . memory 500M && virsh -q undefine dre-cp"), 0);
	start_after_look = true;
	assert_int_equal(status("cp"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_false(start_after_look);
	assert_int_equal(shell("grep -qx %d /sys/fs/cgroup/dre.partition/sys.partition/dre-cp.partition/memory.max",
			       500 << 20), 0);
	assert_in_order();
	assert_int_equal(shell("dre-sys resource unset cp . memory"), 0);
}

static void all_is_gone(void **state)
{
	(void)state;
	assert_int_equal(shell("virsh -q destroy dre-cp"), 0);
	assert_success(dre_sys_destroy_container("cp"));
	assert_success(dre_sys_remove_base("it"));
	assert_int_equal(shell("[ -z \"$(ls " STORE "/layers " STORE "/containers | grep -v :)\" ]"), 0);
	assert_int_equal(shell("[ -z \"$(virsh -q list --all --name | grep dre-)\" ]"), 0);
}

static int setup(void **state)
{
	set_up_host(state);
	assert_success(create("cp", "it"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(stopped),
		cmocka_unit_test(taken),
		cmocka_unit_test(suspended),
		cmocka_unit_test(disk_full),
		cmocka_unit_test(restarted),
		cmocka_unit_test(damaged),
		cmocka_unit_test(cannot_be_restored),
		cmocka_unit_test(after_a_snapshot),
		cmocka_unit_test(killed_and_given_up),
		cmocka_unit_test(killed),
		cmocka_unit_test(killed_and_again),
		cmocka_unit_test(libvirt_killed),
		cmocka_unit_test(libvirt_killed_while_it_restores),
		cmocka_unit_test(snapshots),
		cmocka_unit_test(never_quiet),
		cmocka_unit_test(many_layers),
		cmocka_unit_test(killed_in_a_pull),
		cmocka_unit_test(started_meanwhile),
		cmocka_unit_test(started_after_the_look),
		cmocka_unit_test(all_is_gone),
	};

	return HOST_MAIN(tests, setup, NULL);
}
