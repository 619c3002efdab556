// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Many managers of machines, while the daemons that these depend on are restarted. For how long: DRE_MIXED, see
 * mixed.h.
 */
#include "host.h"
#include "integration/growth.h"
#include "integration/mixed.h"
#include "nfs.h"

/* As many as are asked for where it is meant to be long. */
#define MANAGERS	(getenv("DRE_MIXED") ? 8 : 3)
#define SECONDS		60

/*
 * How often libvirtd is restarted, in seconds. What this breaks begins anew: eight machines that are started at once
 * take an emulated host a minute and a half, and where libvirtd never lives that long none of them ever runs.
 */
#define RESTARTS	(getenv("DRE_MIXED") ? 180 : 30)

/* How often the server is, and how long it is away. Seconds. */
#define SERVER_RESTARTS	40
#define AWAY		4

/* Ten where it is meant to be long, else the last three. */
static const char *const all[] = { "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", NULL };
static const char *const *names = all + 7;

static dre_sys_resource_value_t half = { DRE_SYS_CONTAINER_RESOURCE_CPU, { .cpu.percent = 50 } };
static dre_sys_resource_value_t enough = { DRE_SYS_CONTAINER_RESOURCE_MEMORY, { .mem.usage_in_bytes = 1 << 30 } };
static const dre_sys_stop_options at_once = { .size = sizeof(at_once), .kill = 1 };

MIXED_CALL(do_create, create(h.name, "it"))
MIXED_CALL(do_start, dre_sys_start(&h))
MIXED_CALL(do_stop, dre_sys_stop_with(&h, &at_once))
MIXED_CALL(do_suspend, dre_sys_suspend(&h))
MIXED_CALL(do_resume, dre_sys_resume(&h))
MIXED_CALL(do_status, dre_sys_status(&h))
MIXED_CALL(do_create_cgroup, dre_sys_create_cgroup(&h, "ui"))
MIXED_CALL(do_save, dre_sys_save_snapshot(&h, "s"))
MIXED_CALL(do_load, dre_sys_load_snapshot(&h, "s"))
MIXED_CALL(do_remove, dre_sys_remove_snapshot(&h, "s"))
MIXED_CALL(do_commit, dre_sys_commit_snapshot(&h, "s", "mixed"))
MIXED_CALL(do_share, dre_sys_share(&h))
MIXED_CALL(do_unshare, dre_sys_unshare(&h))
MIXED_CALL(do_remove_base, dre_sys_remove_base("mixed"))
MIXED_CALL(do_copy, dre_sys_copy(&h, NULL, "copy"))
MIXED_CALL(do_copy_snapshot, dre_sys_copy(&h, "s", "copy"))
MIXED_CALL(do_destroy_copy, dre_sys_destroy_container("copy"))
MIXED_CALL(do_checkpoint, dre_sys_checkpoint(&h, "c"))
MIXED_CALL(do_restart, dre_sys_restart(&h, "c"))
MIXED_CALL(do_remove_checkpoint, dre_sys_remove_checkpoint(&h, "c"))
MIXED_CALL(do_destroy_cgroup, dre_sys_destroy_cgroup(&h, "ui"))
MIXED_CALL(do_bind, dre_sys_bind_pid(&h, "ui", mixed_process(h.name)))
MIXED_CALL(do_unbind, dre_sys_unbind_pid(&h, "ui", mixed_process(h.name)))
MIXED_CALL(do_limit, dre_sys_set_resource(&h, "ui", &half))
MIXED_CALL(do_unlimit, dre_sys_unset_resource(&h, "ui", &half))
MIXED_CALL(do_limit_all, dre_sys_set_resource(&h, ".", &enough))
MIXED_CALL(do_unlimit_all, dre_sys_unset_resource(&h, ".", &enough))
MIXED_CALL(do_gc, dre_sys_gc())

static int do_list(const char *name)
{
	dre_list_t list;
	int ret = dre_sys_get_container_list(&list);

	(void)name;
	if (!ret)
		dre_sys_release_container_list(list);
	return ret;
}

static void print_problem(void *nr, const dre_sys_problem *problem)
{
	printf("# fsck: %s: %s\n", problem->path, problem->what);
	++*(int *)nr;
}

/* Whatever is under way, nothing is wrong. */
static int do_fsck(const char *name)
{
	int problems = 0, ret = dre_sys_fsck(0, print_problem, &problems);

	(void)name;
	return problems ? DRE_ERR_INVALID_ARGUMENT : ret;
}

/* As whoever updates it does; the machines run on. */
static void restart_libvirt(void)
{
	assert_int_equal(shell("kill $(pgrep -x libvirtd) && while pgrep -x libvirtd; do sleep 0.1; done >/dev/null; "
			       "libvirtd -d"), 0);
}

static void restart_libvirt_now_and_then(void)
{
	static int seconds;

	if (++seconds % RESTARTS == 0)
		restart_libvirt();
}

static void restart_server(void)
{
	static int seconds;

	switch (++seconds % SERVER_RESTARTS) {
	case 0:
		start_nfs_server();
		break;
	case SERVER_RESTARTS - AWAY:
		stop_nfs_server();
	}
}

/* libvirtd may have been restarted a moment ago. */
static void wait_for_libvirt(void)
{
	assert_int_equal(shell("for i in $(seq 100); do virsh -q list >/dev/null 2>&1 && exit; sleep 0.2; done; "
			       "exit 1"), 0);
}

/* Whatever has been done to it: it says what it is in, and starts, and stops. */
static void assert_works(const char *name)
{
	int is = status(name);

	if (is == DRE_ERR_CONTAINER_NONEXISTENCE)
		return;
	if (is < 0)
		fail_msg("%s: %d (%s)", name, is, dre_last_error());
	if (is != DRE_SYS_CONTAINER_STATUS_STOP)
		assert_success(do_stop(name));
	assert_success(do_start(name));
	assert_success(do_stop(name));
	assert_success(dre_sys_destroy_container(name));
}

static void destroy_all(void)
{
	wait_for_libvirt();
	for (const char *const *name = names; *name; name++)
		assert_works(*name);
	assert_works("copy");
	dre_sys_remove_base("mixed");
	assert_success(dre_sys_gc());
	assert_success(do_fsck(NULL));
}

static void everything_at_once(void **state)
{
	static const struct mixed_operation operations[] = {
		{ "create", 20, do_create, 0 },
		{ "destroy", 4, dre_sys_destroy_container, 0 },
		{ "start", 14, do_start, 0 },
		{ "stop", 10, do_stop, 0 },
		{ "suspend", 4, do_suspend, 0 },
		{ "resume", 6, do_resume, 0 },
		{ "status", 20, do_status, 0 },
		/* Not so often that they must succeed in the short form: few machines come to run between two libvirtds. */
		{ "cgroup create", 9, do_create_cgroup, 0 },
		{ "cgroup destroy", 2, do_destroy_cgroup, DRE_ERR_DESTROY_CGROUP_FAILED },
		{ "bind", 9, do_bind, 0 },
		{ "unbind", 2, do_unbind, DRE_ERR_PID_NONEXISTENCE },
		{ "limit", 9, do_limit, 0 },
		{ "unlimit", 2, do_unlimit, 0 },
		{ "limit all", 3, do_limit_all, 0 },
		{ "unlimit all", 2, do_unlimit_all, 0 },
		/* These two while libvirtd goes away. */
		{ "checkpoint", 6, do_checkpoint, DRE_ERR_SAVE_SNAPSHOT_FAILED },
		{ "restart", 3, do_restart, DRE_ERR_LOAD_SNAPSHOT_FAILED },
		{ "checkpoint remove", 1, do_remove_checkpoint, 0 },
		{ "save", 8, do_save, 0 },
		{ "load", 6, do_load, DRE_ERR_LOAD_SNAPSHOT_FAILED },
		{ "snapshot remove", 4, do_remove, 0 },
		{ "copy", 5, do_copy, 0 },
		{ "copy snapshot", 4, do_copy_snapshot, 0 },
		{ "copy destroy", 4, do_destroy_copy, 0 },
		{ "commit", 4, do_commit, 0 },
		{ "base remove", 4, do_remove_base, 0 },
		{ "list", 8, do_list, 0 },
		{ "gc", 2, do_gc, 0 },
		{ "fsck", 2, do_fsck, 0 },
		{}
	};
	/* Without libvirt. */
	static const int also[] = { DRE_ERR_DEVICE_BUSY, DRE_ERR_CONTAINER_UNKNOWN_STATUS, 0 };

	(void)state;
	mixed_begin(names);
	mixed_run(&(struct mixed){
		.operations = operations, .managers = MANAGERS, .seconds = SECONDS,
		.also = also, .meanwhile = restart_libvirt_now_and_then,
	});
	destroy_all();
	mixed_end();
}

/* Where a container is, and that it is whole there, comes out in the end. */
static void shared_meanwhile(void **state)
{
	static const struct mixed_operation operations[] = {
		{ "share", 10, do_share, 0 },
		{ "unshare", 10, do_unshare, 0 },
		{ "status", 10, do_status, 0 },
		/* These have opened it, and then the server goes away. */
		{ "save", 4, do_save, DRE_ERR_SAVE_SNAPSHOT_FAILED },
		{ "load", 4, do_load, DRE_ERR_LOAD_SNAPSHOT_FAILED },
		{ "snapshot remove", 4, do_remove, DRE_ERR_REMOVE_SNAPSHOT_FAILED },
		{ "list", 4, do_list, 0 },
		{}
	};
	static const int also[] = { DRE_ERR_NFS_MOUNT_FAILED, 0 };

	(void)state;
	for (const char *const *name = names; *name; name++)
		assert_success(do_create(*name));
	make_nfs_server("127.0.0.1");
	configure("nfs_server = 127.0.0.1\nnfs_export = " EXPORT "\n"
		  "nfs_options = vers=4.2,softerr,timeo=5,retrans=1\n");
	mixed_begin(names);
	mixed_run(&(struct mixed){
		.operations = operations, .managers = MANAGERS, .seconds = SECONDS,
		.also = also, .meanwhile = restart_server,
	});
	start_nfs_server();
	for (const char *const *name = names; *name; name++) {
		if (do_unshare(*name))
			assert_non_null(strstr(dre_last_error(), "not in the shared store"));
		assert_defined(*name);
	}
	destroy_all();
	mixed_end();
	assert_int_equal(shell("umount " SHARED), 0);
	remove_nfs_server();
}

static int end_all(void **state)
{
	(void)state;
	wait_for_libvirt();
	for (const char *const *name = names; *name; name++) {
		do_stop(*name);
		dre_sys_destroy_container(*name);
	}
	return 0;
}

/* Its connection to libvirt is new in each round. */
static void nobody_grows(void **state)
{
	static const struct growth_step life[] = {
		{ "create", do_create }, { "start", do_start }, { "status", do_status },
		{ "cgroup create", do_create_cgroup }, { "limit", do_limit }, { "limit all", do_limit_all },
		{ "bind", do_bind }, { "unbind", do_unbind }, { "checkpoint", do_checkpoint },
		{ "suspend", do_suspend }, { "resume", do_resume }, { "restart", do_restart }, { "list", do_list },
		{ "unlimit", do_unlimit }, { "unlimit all", do_unlimit_all }, { "cgroup destroy", do_destroy_cgroup },
		{ "checkpoint remove", do_remove_checkpoint }, { "stop", do_stop }, { "save", do_save },
		{ "load", do_load }, { "copy", do_copy }, { "copy destroy", do_destroy_copy },
		{ "copy snapshot", do_copy_snapshot }, { "copy destroy", do_destroy_copy }, { "commit", do_commit },
		{ "base remove", do_remove_base }, { "snapshot remove", do_remove },
		{ "destroy", dre_sys_destroy_container }, { "gc", do_gc }, { "fsck", do_fsck }, {}
	};

	(void)state;
	mixed_begin(names);
	growth_run(life, names[0], restart_libvirt);
	mixed_end();
}

static int teardown(void **state)
{
	(void)state;
	return dre_sys_remove_base("it");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(nobody_grows, end_all),
		cmocka_unit_test(everything_at_once),
		cmocka_unit_test(shared_meanwhile),
	};

	(void)argc;
	growth_begin(argv);
	if (getenv("DRE_MIXED"))
		names = all;
	return HOST_MAIN(tests, set_up_host, teardown);
}
