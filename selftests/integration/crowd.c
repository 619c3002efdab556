// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Many managers, and many containers. How long and how many: DRE_MIXED, see mixed.h, and DRE_CROWD.
 */
#include <daware.h>

#include "box.h"
#include "growth.h"
#include "logd.h"
#include "mixed.h"

#define MANAGERS	8
#define SECONDS		40
#define CROWD		12

static const char *const names[] = { "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", NULL };

static dre_app_handle handle(const char *name)
{
	return (dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, (char *)name };
}

static const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
static dre_app_resource_value_t half = { DRE_APP_CONTAINER_RESOURCE_CPU, { .cpu.percent = 50 } };
static dre_app_resource_value_t enough = { DRE_APP_CONTAINER_RESOURCE_MEMORY, { .mem.usage_in_bytes = 256 << 20 } };
static const dre_app_stop_options at_once = { .size = sizeof(at_once), .kill = 1 };

MIXED_CALL(do_create, dre_app_create_container(h.name, &data))
MIXED_CALL(do_start, dre_app_start(&h))
MIXED_CALL(do_stop, dre_app_stop_with(&h, &at_once))
MIXED_CALL(do_suspend, dre_app_suspend(&h))
MIXED_CALL(do_resume, dre_app_resume(&h))
MIXED_CALL(do_status, dre_app_status(&h))
MIXED_CALL(do_exec, dre_app_exec(&h, (char *[]){ "true", NULL }, &(int){ 0 }))
MIXED_CALL(do_create_cgroup, dre_app_create_cgroup(&h, "ui"))
MIXED_CALL(do_save, dre_app_save_snapshot(&h, "s"))
MIXED_CALL(do_load, dre_app_load_snapshot(&h, "s"))
MIXED_CALL(do_remove, dre_app_remove_snapshot(&h, "s"))
MIXED_CALL(do_commit, dre_app_commit_snapshot(&h, "s", "mixed"))
MIXED_CALL(do_remove_base, dre_app_remove_base("mixed"))
MIXED_CALL(do_copy, dre_app_copy(&h, NULL, "copy"))
MIXED_CALL(do_copy_snapshot, dre_app_copy(&h, "s", "copy"))
MIXED_CALL(do_destroy_copy, dre_app_destroy_container("copy"))
MIXED_CALL(do_checkpoint, dre_app_checkpoint(&h, "c"))
MIXED_CALL(do_restart, dre_app_restart(&h, "c"))
MIXED_CALL(do_remove_checkpoint, dre_app_remove_checkpoint(&h, "c"))
MIXED_CALL(do_destroy_cgroup, dre_app_destroy_cgroup(&h, "ui"))
MIXED_CALL(do_bind, dre_app_bind_pid(&h, "ui", mixed_process(h.name)))
MIXED_CALL(do_unbind, dre_app_unbind_pid(&h, "ui", mixed_process(h.name)))
MIXED_CALL(do_bind_init, dre_app_bind_vpid(&h, "ui", 1))
MIXED_CALL(do_unbind_init, dre_app_unbind_vpid(&h, "ui", 1))
MIXED_CALL(do_limit, dre_app_set_resource(&h, "ui", &half))
MIXED_CALL(do_unlimit, dre_app_unset_resource(&h, "ui", &half))
MIXED_CALL(do_limit_all, dre_app_set_resource(&h, ".", &enough))
MIXED_CALL(do_unlimit_all, dre_app_unset_resource(&h, ".", &enough))
MIXED_CALL(do_gc, dre_app_gc())

static int do_list(const char *name)
{
	dre_list_t list;
	int ret = dre_app_get_container_list(&list);

	(void)name;
	if (!ret)
		dre_app_release_container_list(list);
	return ret;
}

static void print_problem(void *nr, const dre_app_problem *problem)
{
	printf("# fsck: %s: %s\n", problem->path, problem->what);
	++*(int *)nr;
}

/* Whatever is under way, nothing is wrong. */
static int do_fsck(const char *name)
{
	int problems = 0, ret = dre_app_fsck(0, print_problem, &problems);

	(void)name;
	return problems ? DRE_ERR_CONTAINER_UNKNOWN_STATUS : ret;
}

static const struct mixed_operation operations[] = {
	{ "create", 20, do_create, 0 },
	{ "destroy", 4, dre_app_destroy_container, 0 },
	{ "start", 20, do_start, 0 },
	{ "stop", 12, do_stop, 0 },
	{ "suspend", 4, do_suspend, 0 },
	{ "resume", 6, do_resume, 0 },
	{ "status", 20, do_status, 0 },
	{ "exec", 6, do_exec, 0 },
	{ "cgroup create", 12, do_create_cgroup, 0 },
	{ "cgroup destroy", 2, do_destroy_cgroup, DRE_ERR_DESTROY_CGROUP_FAILED },
	{ "bind", 10, do_bind, 0 },
	{ "unbind", 2, do_unbind, DRE_ERR_PID_NONEXISTENCE },
	{ "bind init", 3, do_bind_init, 0 },
	{ "unbind init", 2, do_unbind_init, DRE_ERR_PID_NONEXISTENCE },
	{ "limit", 10, do_limit, 0 },
	{ "unlimit", 2, do_unlimit, 0 },
	{ "limit all", 4, do_limit_all, 0 },
	{ "unlimit all", 2, do_unlimit_all, 0 },
	{ "checkpoint", 2, do_checkpoint, 0 },
	{ "restart", 2, do_restart, 0 },
	{ "checkpoint remove", 1, do_remove_checkpoint, 0 },
	{ "save", 10, do_save, 0 },
	{ "load", 6, do_load, 0 },
	{ "snapshot remove", 4, do_remove, 0 },
	{ "copy", 5, do_copy, 0 },
	{ "copy snapshot", 4, do_copy_snapshot, 0 },
	{ "copy destroy", 4, do_destroy_copy, 0 },
	{ "commit", 4, do_commit, 0 },
	{ "base remove", 4, do_remove_base, 0 },
	{ "list", 8, do_list, 0 },
	{ "gc", 2, do_gc, DRE_ERR_DEVICE_BUSY },
	{ "fsck", 2, do_fsck, DRE_ERR_DEVICE_BUSY },
	{}
};

/* An init that is bound is not where box_kill() looks for it. */
static int end_all(void **state)
{
	for (const char *const *name = names; *name; name++) {
		do_resume(*name);
		do_stop(*name);
	}
	return box_destroy_all(state);
}

static void everything_at_once(void **state)
{
	(void)state;
	world_mark();
	mixed_begin(names);
	mixed_run(&(struct mixed){ .operations = operations, .managers = MANAGERS, .seconds = SECONDS });
	end_all(NULL);
	mixed_end();
	dre_app_remove_base("mixed");
	assert_done(dre_app_gc());
	assert_int_equal(do_fsck(NULL), 0);
	assert_true(world_becomes_as_marked());
}

static int do_log(const char *name)
{
	DLOG_INFO("%s", name);
	return 0;
}

static void restart_log(void)
{
	assert_true(stop_logd());
	do_log("is lost");
	assert_true(start_logd());
}

static void nobody_grows(void **state)
{
	static const struct growth_step life[] = {
		{ "log", do_log }, { "create", do_create }, { "start", do_start }, { "status", do_status },
		{ "exec", do_exec }, { "cgroup create", do_create_cgroup }, { "limit", do_limit },
		{ "limit all", do_limit_all }, { "bind", do_bind }, { "unbind", do_unbind },
		{ "bind init", do_bind_init }, { "checkpoint", do_checkpoint }, { "suspend", do_suspend },
		{ "resume", do_resume }, { "list", do_list }, { "restart", do_restart },
		{ "unbind init", do_unbind_init }, { "unlimit", do_unlimit }, { "unlimit all", do_unlimit_all },
		{ "cgroup destroy", do_destroy_cgroup }, { "checkpoint remove", do_remove_checkpoint },
		{ "stop", do_stop }, { "save", do_save }, { "load", do_load }, { "copy", do_copy },
		{ "copy destroy", do_destroy_copy }, { "copy snapshot", do_copy_snapshot },
		{ "copy destroy", do_destroy_copy }, { "commit", do_commit }, { "base remove", do_remove_base },
		{ "snapshot remove", do_remove }, { "destroy", dre_app_destroy_container }, { "gc", do_gc },
		{ "fsck", do_fsck }, {}
	};

	(void)state;
	mixed_begin(names);
	growth_run(life, "m0", restart_log);
	daware_log_close();
	mixed_end();
}

static size_t count_running(void)
{
	size_t nr = 0;
	dre_list_t list;

	assert_done(dre_app_get_container_list(&list));
	for (dre_list_t name = list; *name; name++)
		nr += do_status(*name) == DRE_APP_CONTAINER_STATUS_RUNNING;
	dre_app_release_container_list(list);
	return nr;
}

/* Its /dev/log is a socket of the host's daemon, by the directory: a file would be the one of a daemon that is gone. */
static void start_with_log(const char *name)
{
	dre_app_handle h = handle(name);

	assert_done(do_create(name));
	assert_done(dre_app_set_property(&h, "volumes", LOGD_DIRECTORY ":/run/log:noidmap"));
	assert_done(do_start(name));
	assert_int_equal(box_run(&h, "ln -s /run/log/" LOGD_SOCKET " /dev/log && logger starts"), 0);
}

static void assert_logs(const char *name)
{
	dre_app_handle h = handle(name);
	char text[64];

	snprintf(text, sizeof(text), "logger -t %s is there", name);
	assert_int_equal(box_run(&h, text), 0);
	snprintf(text, sizeof(text), " %s: is there", name);
	assert_true(logd_gets(text));
}

static void many_containers(void **state)
{
	int nr = getenv("DRE_CROWD") ? atoi(getenv("DRE_CROWD")) : CROWD, i;
	char name[16];

	(void)state;
	remove_logd();
	world_mark();
	assert_true(start_logd());
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		start_with_log(name);
	}
	assert_int_equal(count_running(), nr);
	assert_true(stop_logd());
	assert_true(start_logd());
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_logs(name);
		assert_done(do_stop(name));
	}
	assert_int_equal(count_running(), 0);
	box_destroy_all(NULL);
	remove_logd();
	assert_true(world_becomes_as_marked());
}

static int setup(void **state)
{
	(void)state;
	/* The groups that all have in common. */
	box_destroy(box_start("first"));
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(everything_at_once, end_all),
		cmocka_unit_test_teardown(nobody_grows, end_all),
		cmocka_unit_test_teardown(many_containers, box_destroy_all),
	};

	(void)argc;
	growth_begin(argv);
	return BOX_MAIN(tests, setup);
}
