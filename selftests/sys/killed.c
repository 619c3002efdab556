// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The manager is killed in the middle of everything that it does, in place of one of its system calls. The container
 * is in the old state or the new one then, and not busy; the next manager can go on; and nothing is left of the dead
 * one's work, in the store and in libvirt.
 *
 * Which calls, and how many: see steps.h. Where a machine runs, it need not get far.
 */

#include "host.h"
#include "integration/steps.h"
#include "nfs.h"

#define KILLS	1
#define WORLD	"/run/dre-test-world"
#define READ	"/run/dre-test-read"
#define IMAGE	"/run/dre-test-image"	/* what is imported, with something in it */

static dre_sys_handle box = { DRE_SYS_CONTAINER_TYPE_KVM, (char *)"box" };

/* All that there is of D-RE on this host, in a file. */
static void describe(const char *file)
{
	assert_int_equal(shell("{ virsh -q list --all --name; find " STORE " " SHARED " 2>/dev/null; "
			       "cd /sys/fs/cgroup && find dre.partition -type d; "
			       "grep -r . dre.partition --include='*.max' --include=cpuset.cpus | sort; "
			       "awk '$4 == 10000 { print $8 }' /proc/net/unix | sort; "	/* that listen */
			       "cat /proc/daware /proc/self/mountinfo; "
			       "pgrep -a 'qemu|dre-'; ls /proc/%d/fd; } >%s", getpid(), file), 0);
}

static void mark(void)
{
	describe(WORLD);
}

static bool is_as_marked(void)
{
	describe(WORLD ".now");
	return !shell("cmp -s " WORLD " " WORLD ".now");
}

#define eventually(cond) ({						\
	time_t end_ = time(NULL) + HALT_TIMEOUT;			\
	bool holds_;							\
	while (!(holds_ = (cond)) && time(NULL) < end_)			\
		usleep(100000);						\
	holds_;								\
})

static void assert_as_marked(void)
{
	if (eventually(is_as_marked()))
		return;
	shell("diff " WORLD " " WORLD ".now | sed 's/^/# /'");
	fail_msg("something is left, or gone");
}

static void print_problem(void *nr, const dre_sys_problem *problem)
{
	print_message("# fsck: %s: %s\n", problem->path, problem->what);
	++*(int *)nr;
}

static void assert_nothing_wrong(void)
{
	int problems = 0;

	assert_success(dre_sys_gc());
	assert_success(dre_sys_fsck(0, print_problem, &problems));
	assert_int_equal(problems, 0);
}

static const struct steps_world world = { mark, assert_nothing_wrong, assert_as_marked };

static void try(const struct steps_operation *op)
{
	steps_try(op, &world, KILLS);
}

static void nothing(void)
{
}

static int do_create(void)
{
	return create("box", "it");
}

static int do_destroy(void)
{
	return dre_sys_destroy_container("box");
}

static int do_start(void)
{
	return dre_sys_start(&box);
}

/* It is asked to shut down first, and has no time to. */
static int do_stop(void)
{
	return dre_sys_stop_with(&box, &(dre_sys_stop_options){ .size = sizeof(dre_sys_stop_options), .timeout = 1 });
}

static int do_suspend(void)
{
	return dre_sys_suspend(&box);
}

static int do_resume(void)
{
	return dre_sys_resume(&box);
}

static int do_import(void)
{
	return dre_sys_import_base("killed", IMAGE, NULL, NULL);
}

static int do_remove_base(void)
{
	return dre_sys_remove_base("killed");
}

static int do_save(void)
{
	return dre_sys_save_snapshot(&box, "s");
}

static int do_load(void)
{
	return dre_sys_load_snapshot(&box, "s");
}

static int do_remove_snapshot(void)
{
	return dre_sys_remove_snapshot(&box, "s");
}

static int do_commit(void)
{
	return dre_sys_commit_snapshot(&box, "s", "killed");
}

static int do_checkpoint(void)
{
	return dre_sys_checkpoint(&box, "c");
}

static int do_restart(void)
{
	return dre_sys_restart(&box, "c");
}

static void make(void)
{
	assert_success(do_create());
}

static void destroy_it(void)
{
	assert_success(do_destroy());
}

static void make_and_destroy(void)
{
	make();
	destroy_it();
}

/* What nobody will ever create again is collected, too. */
static void all_or_nothing(void)
{
	assert_success(dre_sys_gc());
	if (status("box") == DRE_ERR_CONTAINER_NONEXISTENCE)
		assert_as_marked();
}

static void has_all_of(const char *image)
{
	char layer[16];

	read_layer("box", layer);
	assert_int_equal(shell("qemu-img compare -q -f raw -F qcow2 %s " STORE "/layers/%s", image, layer), 0);
}

static void destroyed(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"destroy", make, do_destroy, DRE_ERR_CONTAINER_NONEXISTENCE, NULL, make_and_destroy,
	});
}

static void import_it(void)
{
	assert_success(do_import());
}

static void remove_it(void)
{
	assert_success(do_remove_base());
}

static void makes_a_whole_one_and_goes(void)
{
	assert_success(create("box", "killed"));
	has_all_of(IMAGE);
	destroy_it();
	remove_it();
}

static void imported(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"import", nothing, do_import, DRE_ERR_BASE_EXISTENCE, NULL, makes_a_whole_one_and_goes,
	});
}

static void base_removed(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"remove base", import_it, do_remove_base, DRE_ERR_BASE_NONEXISTENCE, NULL, nothing,
	});
}

static void write_disk(char byte)
{
	char layer[16];

	read_layer("box", layer);
	assert_int_equal(shell("qemu-io -f qcow2 -c 'write -P %d 0 512' " STORE "/layers/%s >/dev/null", byte, layer), 0);
}

static bool disk_has(char byte)
{
	char layer[16];

	read_layer("box", layer);
	return !shell("qemu-io -r -f qcow2 -c 'read -P %d 0 512' " STORE "/layers/%s >" READ " 2>&1 && "
		      "! grep -q failed " READ, byte, layer);
}

static void box_with_disk(void)
{
	make();
	write_disk('1');
}

static void box_with_snapshot(void)
{
	box_with_disk();
	assert_success(do_save());
	write_disk('2');
}

static void has_one(void)
{
	assert_true(disk_has('1'));
}

static void has_one_or_two(void)
{
	assert_true(disk_has('1') || (!steps_said_done() && disk_has('2')));
}

/* It is what libvirt would start, too. */
static void has_one_and_goes(void)
{
	has_one();
	assert_defined("box");
	destroy_it();
}

static void goes_back_and_goes(void)
{
	write_disk('2');
	assert_success(do_load());
	has_one_and_goes();
}

static void has_two_and_goes(void)
{
	assert_true(disk_has('2'));
	assert_defined("box");
	destroy_it();
}

static void saved(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"save", box_with_disk, do_save, DRE_ERR_SNAPSHOT_EXISTENCE, has_one, goes_back_and_goes,
	});
}

static void loaded(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"load", box_with_snapshot, do_load, 0, has_one_or_two, has_one_and_goes,
	});
}

static void snapshot_removed(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"remove snapshot", box_with_snapshot, do_remove_snapshot, DRE_ERR_SNAPSHOT_NONEXISTENCE, NULL,
		has_two_and_goes,
	});
}

static void is_committed(void)
{
	destroy_it();
	assert_success(create("box", "killed"));
	has_one_and_goes();
	remove_it();
}

static void committed(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"commit", box_with_snapshot, do_commit, DRE_ERR_BASE_EXISTENCE, NULL, is_committed,
	});
}

static void run_it(void)
{
	make();
	assert_success(do_start());
}

static void runs(void)
{
	assert_true(eventually(status("box") == DRE_SYS_CONTAINER_STATUS_RUNNING));
}

static void is_stopped(void)
{
	assert_true(eventually(status("box") == DRE_SYS_CONTAINER_STATUS_STOP));
}

static void halt(void)
{
	assert_int_equal(shell("virsh -q destroy dre-box"), 0);
	is_stopped();
}

static void runs_and_goes(void)
{
	runs();
	halt();
	destroy_it();
}

/* What was made is all of it. libvirt is told of it again when it starts. */
static void is_whole_and_starts(void)
{
	has_all_of(DISK);
	assert_success(do_start());
	runs_and_goes();
}

static void created(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"create", nothing, do_create, DRE_ERR_CONTAINER_EXISTENCE, all_or_nothing, is_whole_and_starts,
	});
}

static void started(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"start", make, do_start, DRE_ERR_CONTAINER_RUNNING, NULL, runs_and_goes,
	});
}

static void is_stopped_and_goes(void)
{
	is_stopped();
	destroy_it();
}

static void runs_or(int other)
{
	int is;

	assert_true(eventually((is = status("box")) == other || is == DRE_SYS_CONTAINER_STATUS_RUNNING));
}

static void runs_or_is_stopped(void)
{
	runs_or(DRE_SYS_CONTAINER_STATUS_STOP);
}

static void stopped(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"stop", run_it, do_stop, DRE_ERR_CONTAINER_STOPPED, runs_or_is_stopped, is_stopped_and_goes,
	});
}

static void runs_or_is_suspended(void)
{
	runs_or(DRE_SYS_CONTAINER_STATUS_SUSPENDED);
}

static void is_suspended_and_goes(void)
{
	assert_int_equal(status("box"), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_success(do_resume());
	runs_and_goes();
}

static void suspended(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"suspend", run_it, do_suspend, DRE_ERR_CONTAINER_SUSPENDED, runs_or_is_suspended, is_suspended_and_goes,
	});
}

static void run_and_suspend(void)
{
	run_it();
	assert_success(do_suspend());
}

static void resumed(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"resume", run_and_suspend, do_resume, DRE_ERR_CONTAINER_RUNNING, runs_or_is_suspended, runs_and_goes,
	});
}

static char layer_before[16];

static void run_with_checkpoint(void)
{
	run_it();
	assert_success(do_checkpoint());
	read_layer("box", layer_before);
}

/* It is as it was, but perhaps stopped; or it runs from the checkpoint. */
static void runs_or_has_its_disk(void)
{
	char layer[16];
	int is;

	assert_true(eventually((is = status("box")) == DRE_SYS_CONTAINER_STATUS_STOP ||
			       is == DRE_SYS_CONTAINER_STATUS_RUNNING));
	read_layer("box", layer);
	if (is == DRE_SYS_CONTAINER_STATUS_STOP)
		assert_string_equal(layer, layer_before);
	if (steps_said_done())
		assert_string_not_equal(layer, layer_before);
	assert_int_equal(shell("[ -e " STORE "/layers/%s ]", layer), 0);
	assert_int_equal(shell("grep -q ^former " STORE "/containers/box/manifest"), 1);
}

static void goes_back_while_it_runs(void)
{
	assert_success(do_restart());
	runs_and_goes();
}

static void checkpointed(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"checkpoint", run_it, do_checkpoint, DRE_ERR_SNAPSHOT_EXISTENCE, runs, goes_back_while_it_runs,
	});
}

static void restarted(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"restart", run_with_checkpoint, do_restart, 0, runs_or_has_its_disk, runs_and_goes,
	});
}

/*
 * The shared store. It is looked at first where one is configured, by all operations: so the others go without.
 */

static int with_shared_store(void **state)
{
	(void)state;
	configure("nfs_server = 127.0.0.1\nnfs_export = " EXPORT "\nnfs_options = vers=4.2,softerr,timeo=50,retrans=2\n");
	return 0;
}

static int without_shared_store(void **state)
{
	(void)state;
	configure("");
	return shell("umount " SHARED);
}

static int do_share(void)
{
	return dre_sys_share(&box);
}

static int do_unshare(void)
{
	return dre_sys_unshare(&box);
}

/* It is in one of both, and as it was. */
static void is_shared_and_goes(void)
{
	assert_int_equal(shell("[ -e " SHARED "/containers/box/manifest ] && [ ! -e " STORE "/containers/box ]"), 0);
	assert_success(do_unshare());
	has_one_and_goes();
}

static void box_in_shared_store(void)
{
	box_with_disk();
	assert_success(do_share());
}

static void is_unshared_and_goes(void)
{
	assert_int_equal(shell("[ -e " SHARED "/containers/box ]"), 1);
	has_one_and_goes();
}

static void shared(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"share", box_with_disk, do_share, DRE_ERR_CONTAINER_EXISTENCE, is_stopped, is_shared_and_goes,
	});
}

static void unshared(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"unshare", box_in_shared_store, do_unshare, DRE_ERR_CONTAINER_NONEXISTENCE, is_stopped,
		is_unshared_and_goes,
	});
}

/* What the first container of a host makes once for all of them. */
static int setup(void **state)
{
	int ret = set_up_host(state);

	assert_int_equal(shell("head -c 3M /dev/urandom >" IMAGE " && truncate -s 8M " IMAGE), 0);
	make_nfs_server("127.0.0.1");
	run_it();
	runs_and_goes();
	return ret;
}

static int teardown(void **state)
{
	(void)state;
	remove_nfs_server();
	unlink(IMAGE);
	return dre_sys_remove_base("it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(created),
		cmocka_unit_test(destroyed),
		cmocka_unit_test(imported),
		cmocka_unit_test(base_removed),
		cmocka_unit_test(saved),
		cmocka_unit_test(loaded),
		cmocka_unit_test(snapshot_removed),
		cmocka_unit_test(committed),
		cmocka_unit_test(started),
		cmocka_unit_test(stopped),
		cmocka_unit_test(suspended),
		cmocka_unit_test(resumed),
		cmocka_unit_test(checkpointed),
		cmocka_unit_test(restarted),
		cmocka_unit_test_setup_teardown(shared, with_shared_store, without_shared_store),
		cmocka_unit_test_setup_teardown(unshared, with_shared_store, without_shared_store),
	};

	return HOST_MAIN(tests, setup, teardown);
}
