// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The manager is killed in the middle of everything that it does, in place of one of its system calls. The container
 * is in the old state or the new one then, and not busy; the next manager can go on; and nothing is left of the dead
 * one's work.
 *
 * Which calls, and how many: see steps.h.
 */
#include <errno.h>
#include <sys/wait.h>

#include "box.h"
#include "steps.h"

#define KILLS	2

static dre_app_handle *box;

static void print_problem(void *nr, const dre_app_problem *problem)
{
	printf("# fsck: %s: %s\n", problem->path, problem->what);
	++*(int *)nr;
}

/* What the dead one has left in the store is collected, and nothing is wrong with what is there. */
static void assert_nothing_wrong(void)
{
	int problems = 0;

	assert_done(dre_app_gc());
	assert_done(dre_app_fsck(0, print_problem, &problems));
	assert_int_equal(problems, 0);
}

static void assert_as_marked(void)
{
	assert_true(world_becomes_as_marked());
}

static const struct steps_world world = { world_mark, assert_nothing_wrong, assert_as_marked };

static void try(const struct steps_operation *op)
{
	steps_try(op, &world, KILLS);
}

static void nothing(void)
{
}

static int do_create(void)
{
	const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };

	return dre_app_create_container("victim", &data);
}

static int do_destroy(void)
{
	return dre_app_destroy_container("victim");
}

static void make(void)
{
	assert_done(do_create());
}

static void destroy_it(void)
{
	assert_done(do_destroy());
}

/* Another takes its place, and goes. */
static void make_and_destroy(void)
{
	make();
	destroy_it();
}

static void destroy(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"destroy", make, do_destroy, DRE_ERR_CONTAINER_NONEXISTENCE, NULL, make_and_destroy,
	});
}

static int do_start(void)
{
	return dre_app_start(box);
}

static int do_stop(void)
{
	return dre_app_stop(box);
}

static int do_suspend(void)
{
	return dre_app_suspend(box);
}

static int do_resume(void)
{
	return dre_app_resume(box);
}

static void assert_runs(void)
{
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(box_run(box, "true"), 0);
	assert_true(module_knows(box->name));
}

static void runs_and_stops(void)
{
	assert_runs();
	assert_done(dre_app_stop(box));
}

/* What was made is all of it. */
static void starts_and_goes(void)
{
	box = dre_app_open("victim");
	assert_done(do_start());
	assert_runs();
	box_destroy(box);
}

static void create(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"create", nothing, do_create, DRE_ERR_CONTAINER_EXISTENCE, NULL, starts_and_goes,
	});
}

static void start(void **state)
{
	(void)state;
	box = box_create("box");
	try(&(struct steps_operation){
		"start", nothing, do_start, DRE_ERR_CONTAINER_RUNNING, NULL, runs_and_stops,
	});
}

/* With a process that takes its time. */
static void run_slow_agent(void)
{
	struct agent agent;

	assert_done(dre_app_start(box));
	box_agent(box, &agent, "-s 10 -w 1");
}

static void is_stopped(void)
{
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_STOP);
	assert_true(nothing_registered());
}

static void stop(void **state)
{
	(void)state;
	box = box_create("box");
	try(&(struct steps_operation){
		"stop", run_slow_agent, do_stop, DRE_ERR_CONTAINER_STOPPED, NULL, is_stopped,
	});
}

static void is_suspended_and_resumes(void)
{
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_SUSPENDED);
	assert_done(dre_app_resume(box));
	assert_runs();
}

static void suspend(void **state)
{
	(void)state;
	box = box_start("box");
	assert_int_equal(box_run(box, "true"), 0);
	try(&(struct steps_operation){
		"suspend", nothing, do_suspend, DRE_ERR_CONTAINER_SUSPENDED, NULL, is_suspended_and_resumes,
	});
}

static void freeze(void)
{
	assert_done(dre_app_suspend(box));
}

static void resume(void **state)
{
	(void)state;
	box = box_start("box");
	assert_int_equal(box_run(box, "true"), 0);
	try(&(struct steps_operation){
		"resume", freeze, do_resume, DRE_ERR_CONTAINER_RUNNING, NULL, assert_runs,
	});
}

static int do_import(void)
{
	return dre_app_import_base("killed", "/run/base", NULL, NULL);
}

static int do_remove_base(void)
{
	return dre_app_remove_base("killed");
}

static void import_it(void)
{
	assert_done(do_import());
}

static void remove_it(void)
{
	assert_done(do_remove_base());
}

static void is_whole_and_goes(void)
{
	assert_int_equal(system("diff -r --no-dereference /run/base " STORE "/layers/$(sed -n 's/^layer //p' " STORE
				"/bases/killed)"), 0);
	remove_it();
}

static void import(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"import", nothing, do_import, DRE_ERR_BASE_EXISTENCE, NULL, is_whole_and_goes,
	});
}

static void remove_base(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"remove base", import_it, do_remove_base, DRE_ERR_BASE_NONEXISTENCE, NULL, nothing,
	});
}

/* What the container has written last. */
static void write_note(const char *text)
{
	FILE *f = fopen(box_layer_path(box, "/note"), "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* It starts, and finds this, or that. */
static void assert_finds(const char *text, const char *other)
{
	const char *is;

	assert_done(dre_app_start(box));
	assert_int_equal(box_ask(box, &is, "cat /note"), 0);
	if (strcmp(is, text) && strcmp(is, other))
		fail_msg("it has '%s'", is);
	assert_done(dre_app_stop(box));
}

static void box_with_note(void)
{
	box = box_create("box");
	write_note("one");
}

static void box_with_snapshot(void)
{
	box_with_note();
	assert_done(dre_app_save_snapshot(box, "s"));
	write_note("two");
}

static int do_save(void)
{
	return dre_app_save_snapshot(box, "s");
}

static int do_load(void)
{
	return dre_app_load_snapshot(box, "s");
}

static int do_remove_snapshot(void)
{
	return dre_app_remove_snapshot(box, "s");
}

static int do_commit(void)
{
	return dre_app_commit_snapshot(box, "s", "killed");
}

static void has_one(void)
{
	assert_finds("one", "one");
}

static void has_two(void)
{
	assert_finds("two", "two");
}

static void has_one_or_two(void)
{
	assert_finds("one", steps_said_done() ? "one" : "two");
}

static void goes(void)
{
	box_destroy(box);
}

static void goes_back_and_goes(void)
{
	write_note("two");
	assert_done(do_load());
	has_one();
	goes();
}

static void has_one_and_goes(void)
{
	has_one();
	goes();
}

static void has_two_and_goes(void)
{
	has_two();
	goes();
}

static void save(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"save", box_with_note, do_save, DRE_ERR_SNAPSHOT_EXISTENCE, has_one, goes_back_and_goes,
	});
}

static void load(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"load", box_with_snapshot, do_load, 0, has_one_or_two, has_one_and_goes,
	});
}

static void remove_snapshot(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"remove snapshot", box_with_snapshot, do_remove_snapshot, DRE_ERR_SNAPSHOT_NONEXISTENCE, NULL,
		has_two_and_goes,
	});
}

/* The base image has what the snapshot has, without the container. */
static void is_committed(void)
{
	goes();
	box = box_create_with("box", "killed", 0);
	has_one_and_goes();
	assert_done(do_remove_base());
}

static void commit(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"commit", box_with_snapshot, do_commit, DRE_ERR_BASE_EXISTENCE, NULL, is_committed,
	});
}

static int do_checkpoint(void)
{
	return dre_app_checkpoint(box, "c");
}

static int do_restart(void)
{
	return dre_app_restart(box, "c");
}

static void run_with_note(void)
{
	box = box_start("box");
	assert_int_equal(box_run(box, "echo one >/note"), 0);
}

static void run_with_checkpoint(void)
{
	run_with_note();
	assert_done(do_checkpoint());
	assert_int_equal(box_run(box, "echo two >/note"), 0);
}

/* Whoever takes a checkpoint may not cost the container. */
static void runs_on(void)
{
	assert_true(eventually(dre_app_status(box) == DRE_APP_CONTAINER_STATUS_RUNNING));
	assert_int_equal(box_run(box, "[ $(cat /note) = one ]"), 0);
}

static void goes_back_while_it_runs(void)
{
	assert_int_equal(box_run(box, "echo two >/note"), 0);
	assert_done(do_restart());
	runs_on();
	goes();
}

static void runs_on_and_goes(void)
{
	runs_on();
	goes();
}

/* As it was, stopped or not; or all of the checkpoint, which runs. Not the checkpoint's files alone. */
static void is_old_or_restored(void)
{
	int ret;

	if (steps_said_done()) {
		runs_on();
		return;
	}
	assert_true(eventually((ret = dre_app_start(box)) != DRE_ERR_CONTAINER_BUSY));
	if (ret)
		assert_int_equal(ret, DRE_ERR_CONTAINER_RUNNING);
	assert_int_equal(box_run(box, ret ? "grep -qE 'one|two' /note" : "grep -q two /note"), 0);
}

static void checkpoint(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"checkpoint", run_with_note, do_checkpoint, DRE_ERR_SNAPSHOT_EXISTENCE, runs_on,
		goes_back_while_it_runs,
	});
}

static void restart(void **state)
{
	(void)state;
	try(&(struct steps_operation){
		"restart", run_with_checkpoint, do_restart, 0, is_old_or_restored,
		runs_on_and_goes,
	});
}

static bool no_helpers(void)
{
	/* Not liblxc's monitors, nor the console's keeper, which gave themselves other names. */
	return system("pgrep -f '^[^ []*dre-app-helper ' >/dev/null") != 0;
}

/* The command that it ran inside ends, too, also one that somebody has stopped: nobody waits for it any more. */
static void exec(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	box = box_start("box");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		char *const argv[] = { "sh", "-c", "touch /there; exec sleep 1000", NULL };

		_exit(dre_app_exec(box, argv, &status) != 0);
	}
	assert_true(eventually(access(box_layer_path(box, "/there"), F_OK) == 0));
	assert_true(eventually(box_run(box, "kill -STOP $(pidof sleep)") == 0));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(eventually(no_helpers()));
	assert_true(eventually(box_run(box, "pidof sleep") != 0));
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_RUNNING);
}

static int setup(void **state)
{
	(void)state;
	/* The groups that all have in common. */
	box_destroy(box_start("first"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(create, box_destroy_all),
		cmocka_unit_test_teardown(destroy, box_destroy_all),
		cmocka_unit_test_teardown(start, box_destroy_all),
		cmocka_unit_test_teardown(stop, box_destroy_all),
		cmocka_unit_test_teardown(suspend, box_destroy_all),
		cmocka_unit_test_teardown(resume, box_destroy_all),
		cmocka_unit_test_teardown(import, box_destroy_all),
		cmocka_unit_test_teardown(remove_base, box_destroy_all),
		cmocka_unit_test_teardown(save, box_destroy_all),
		cmocka_unit_test_teardown(load, box_destroy_all),
		cmocka_unit_test_teardown(remove_snapshot, box_destroy_all),
		cmocka_unit_test_teardown(commit, box_destroy_all),
		cmocka_unit_test_teardown(checkpoint, box_destroy_all),
		cmocka_unit_test_teardown(restart, box_destroy_all),
		cmocka_unit_test_teardown(exec, box_destroy_all),
	};

	return BOX_MAIN(tests, setup);
}
