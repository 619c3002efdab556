// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The manager is killed in the middle of everything that it does. The container
 * is not busy afterwards, the next manager can go on, and nothing is left of
 * the dead one's work.
 *
 * The moments are random, one in each of equal parts of the time that the whole
 * takes. DRE_SEED repeats them, DRE_KILLS sets their number.
 */
#include <errno.h>
#include <sys/wait.h>

#include "box.h"

#define KILLS	4

static dre_app_handle *box;
static char base[32];
static unsigned int seed;

struct operation {
	void (*prepare)(void);		/* before each */
	int (*call)(void);		/* by the manager that is killed */
	void (*go_on)(void);		/* by the next one: must end in the state it began in */
};

static pid_t start_manager(const struct operation *op)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(op->call() != 0);
	return pid;
}

/* How long it takes when nobody is killed, in microseconds. */
static long long measure(const struct operation *op)
{
	long long start;
	int status;
	pid_t pid;

	op->prepare();
	start = now_ms();
	pid = start_manager(op);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	start = (now_ms() - start) * 1000;
	assert_int_equal(status, 0);
	op->go_on();
	return start;
}

static bool no_helpers(void)
{
	/* Not liblxc's monitors, nor the console's keeper, which gave themselves other names. */
	return system("pgrep -f '^[^ []*dre-app-helper ' >/dev/null") != 0;
}

static void kill_in_the_middle(const struct operation *op)
{
	const char *kills = getenv("DRE_KILLS");
	int nr = kills ? atoi(kills) : KILLS;
	long long whole = measure(op), moment;
	pid_t pid;

	world_mark();
	for (int i = 0; i < nr; i++) {
		op->prepare();
		moment = (whole * i + rand_r(&seed) % (whole + 1)) / nr;
		pid = start_manager(op);
		usleep(moment);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		printf("# killed after %lld of %lld ms\n", moment / 1000, whole / 1000);
		op->go_on();
		assert_true(world_becomes_as_marked());
	}
}

/* What the next one may get at first, if what the dead one started is still under way. */
static int when_free(int (*call)(void))
{
	int ret;

	assert_true(eventually((ret = call()) != DRE_ERR_CONTAINER_BUSY));
	return ret;
}

static void assert_result(int ret, int or_code)
{
	if (ret && ret != or_code)
		printf("# %d (%s: %s)\n", ret, dre_strerror(ret), dre_last_error());
	assert_true(ret == 0 || ret == or_code);
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

static void create_and_destroy(void)
{
	assert_result(when_free(do_create), DRE_ERR_CONTAINER_EXISTENCE);
	assert_done(do_destroy());
}

static void destroy_again(void)
{
	assert_result(when_free(do_destroy), DRE_ERR_CONTAINER_NONEXISTENCE);
	/* What was left is collected by whoever changes the store next. */
	make();
	assert_done(do_destroy());
}

static void create(void **state)
{
	(void)state;
	kill_in_the_middle(&(struct operation){ nothing, do_create, create_and_destroy });
}

static void destroy(void **state)
{
	(void)state;
	kill_in_the_middle(&(struct operation){ make, do_destroy, destroy_again });
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

static void start_and_stop(void)
{
	assert_result(when_free(do_start), DRE_ERR_CONTAINER_RUNNING);
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(box_run(box, "true"), 0);
	assert_true(module_knows(box->name));
	assert_done(dre_app_stop(box));
}

static void start(void **state)
{
	(void)state;
	box = box_create("box");
	kill_in_the_middle(&(struct operation){ nothing, do_start, start_and_stop });
}

/* With a process that takes its time. */
static void run_slow_agent(void)
{
	struct agent agent;

	assert_done(dre_app_start(box));
	box_agent(box, &agent, "-s 10 -w 1");
}

static void stop_again(void)
{
	assert_result(when_free(do_stop), DRE_ERR_CONTAINER_STOPPED);
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_STOP);
	assert_true(nothing_registered());
}

static void stop(void **state)
{
	(void)state;
	box = box_create("box");
	kill_in_the_middle(&(struct operation){ run_slow_agent, do_stop, stop_again });
}

static void suspend_and_resume(void)
{
	assert_result(when_free(do_suspend), DRE_ERR_CONTAINER_SUSPENDED);
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_SUSPENDED);
	assert_done(dre_app_resume(box));
	assert_int_equal(box_run(box, "true"), 0);
}

static void suspend(void **state)
{
	(void)state;
	box = box_start("box");
	assert_int_equal(box_run(box, "true"), 0);
	kill_in_the_middle(&(struct operation){ nothing, do_suspend, suspend_and_resume });
}

static void freeze(void)
{
	assert_done(dre_app_suspend(box));
}

static void resume_again(void)
{
	assert_result(when_free(do_resume), DRE_ERR_CONTAINER_RUNNING);
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(box_run(box, "true"), 0);
}

static void resume(void **state)
{
	(void)state;
	box = box_start("box");
	assert_int_equal(box_run(box, "true"), 0);
	kill_in_the_middle(&(struct operation){ freeze, do_resume, resume_again });
}

/* Base images cannot be removed yet: each has a name of its own, and stays. */
static void next_base(void)
{
	static int nr;

	snprintf(base, sizeof(base), "killed-%d-%d", getpid(), nr++);
}

static int do_import(void)
{
	return dre_app_import_base(base, "/run/base", NULL, NULL);
}

static void import_again(void)
{
	assert_result(do_import(), DRE_ERR_BASE_EXISTENCE);
	/* What was left is collected by whoever changes the store next. */
	make();
	assert_done(do_destroy());
	/* Each layer belongs to a base image, and nothing is pending. */
	assert_int_equal(system("test $(ls " STORE "/layers | wc -l) = "
				"$(cat " STORE "/bases/* | grep -c ^layer)"), 0);
	assert_int_equal(system("test -z \"$(ls -A " STORE "/pending " STORE "/trash "
				"| grep -v :)\""), 0);
	world_mark();
}

static void import(void **state)
{
	(void)state;
	kill_in_the_middle(&(struct operation){ next_base, do_import, import_again });
}

/* The command that it ran inside ends, too: nobody waits for it any more. */
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
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(eventually(no_helpers()));
	assert_int_not_equal(box_run(box, "pidof sleep"), 0);
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_RUNNING);
}

static int setup(void **state)
{
	const char *text = getenv("DRE_SEED");

	(void)state;
	seed = text ? atoi(text) : now_ms();
	printf("# DRE_SEED=%u\n", seed);
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
		cmocka_unit_test_teardown(exec, box_destroy_all),
	};

	return BOX_MAIN(tests, setup);
}
