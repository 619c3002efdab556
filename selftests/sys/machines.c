// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * System containers, end to end: real machines under the libvirt of this host, with the guest of guest.c
 * in them. Each boot takes its time, so there are few, and what can be seen at one is seen there.
 *
 * The environment says what to boot: DRE_TEST_KERNEL, DRE_TEST_INITRD, DRE_TEST_CMDLINE.
 */
#include "host.h"

/*
 * Without a boot.
 */

static void arguments(void **state)
{
	char long_name[65] = "";
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	dre_sys_handle h = handle("absent");
	dre_list_t list;
	int pid = 7;

	(void)state;
	memset(long_name, 'a', 64);
	data.udata.kvm.memory_size = 64;
	assert_fails(dre_sys_create_container(NULL, &data), DRE_ERR_NULL_POINTER, "name");
	assert_fails(dre_sys_create_container("a", NULL), DRE_ERR_NULL_POINTER, "configuration");
	assert_fails(dre_sys_create_container(long_name, &data), DRE_ERR_REQUEST_TOO_LONG, "");
	assert_fails(dre_sys_create_container("a'b", &data), DRE_ERR_INVALID_ARGUMENT, "");
	assert_fails(dre_sys_create_container("a", &data), DRE_ERR_BASE_NONEXISTENCE, "dre.conf");
	data.udata.kvm.rootfs = "/dev/vda";
	data.udata.kvm.base = "it";
	assert_fails(dre_sys_create_container("a", &data), DRE_ERR_INVALID_ARGUMENT, "rootfs");
	data.udata.kvm.rootfs = NULL;
	data.udata.kvm.base = NULL;
	data.udata.kvm.memory_size = 0;
	assert_fails(dre_sys_create_container("a", &data), DRE_ERR_INVALID_ARGUMENT, "memory");
	data.udata.kvm.memory_size = 64;
	data.type = 1;
	assert_fails(dre_sys_create_container("a", &data), DRE_ERR_INVALID_ARGUMENT, "type");
	assert_fails(create("a", "absent"), DRE_ERR_BASE_NONEXISTENCE, "absent");
	assert_fails(create("it1", "it"), DRE_ERR_CONTAINER_EXISTENCE, "it1");
	assert_fails(create("it1", NULL), DRE_ERR_CONTAINER_EXISTENCE, "it1");

	assert_null(dre_sys_open("absent"));
	assert_fails(dre_sys_close(NULL), DRE_ERR_NULL_POINTER, "");
	assert_fails(dre_sys_status(&h), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_start(&h), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_destroy_container("absent"), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_get_pid(&h, NULL), DRE_ERR_NULL_POINTER, "PID");
	assert_fails(dre_sys_get_pid(NULL, &pid), DRE_ERR_NULL_POINTER, "handle");
	assert_fails(dre_sys_get_snapshot_list(&h, &list), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_get_snapshot_list(&h, NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_container_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_base_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_release_base_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_release_container_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_release_snapshot_list(NULL), DRE_ERR_NULL_POINTER, "list");
	h.type = 1;
	assert_fails(dre_sys_status(&h), DRE_ERR_INVALID_ARGUMENT, "type");
	assert_int_equal(pid, 7);
}

static void lists(void **state)
{
	dre_sys_handle *h = dre_sys_open("it1");
	dre_list_t list;

	(void)state;
	assert_non_null(h);
	assert_string_equal(h->name, "it1");
	assert_int_equal(h->type, DRE_SYS_CONTAINER_TYPE_KVM);
	assert_int_equal(dre_sys_status(h), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(dre_sys_get_snapshot_list(h, &list));
	assert_null(list[0]);
	assert_success(dre_sys_release_snapshot_list(list));
	assert_success(dre_sys_close(h));
	assert_success(dre_sys_get_container_list(&list));
	assert_string_equal(list[0], "it1");
	assert_null(list[1]);
	assert_success(dre_sys_release_container_list(list));
	assert_success(dre_sys_get_base_list(&list));
	assert_string_equal(list[0], "it");
	assert_null(list[1]);
	assert_success(dre_sys_release_base_list(list));
	assert_fails(dre_sys_remove_base("it"), DRE_ERR_REMOVE_BASE_FAILED, "it");
	assert_defined("it1");
}

/* Where nothing can run nothing is started, and all else works. */
static void no_virtualization(void **state)
{
	dre_sys_handle h = handle("it1");

	(void)state;
	assert_int_equal(rename("/dev/kvm", "/dev/kvm.away"), 0);
	assert_fails(dre_sys_start(&h), DRE_ERR_NO_VT, "/dev/kvm");
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(create("it2", "it"));
	assert_success(dre_sys_destroy_container("it2"));
	configure("emulation = yes\n");
	assert_success(dre_sys_start(&h));
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(shell("virsh -q dumpxml dre-it1 | grep -q \"<domain type='qemu'\""), 0);
	assert_int_equal(shell("virsh -q destroy dre-it1"), 0);
	configure("");
	assert_int_equal(rename("/dev/kvm.away", "/dev/kvm"), 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_STOP);
}

static void no_libvirt(void **state)
{
	dre_sys_handle h = handle("it1");

	(void)state;
	configure("libvirt = qemu+unix:///system?socket=/run/nobody-listens\n");
	assert_fails(dre_sys_status(&h), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "nobody-listens");
	assert_fails(dre_sys_start(&h), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "nobody-listens");
	assert_fails(create("it2", "it"), DRE_ERR_DEVICE_BUSY, "nobody-listens");
	assert_fails(status("it2"), DRE_ERR_CONTAINER_NONEXISTENCE, "it2");
	configure("");
}

static void foreign_domain(void **state)
{
	(void)state;
	assert_int_equal(shell("virsh -q dumpxml dre-it1 >/run/dre-test.xml && "
			       "virsh -q undefine dre-it1 && sed -i '/<uuid>/d' /run/dre-test.xml && "
			       "virsh -q define /run/dre-test.xml"), 0);
	assert_fails(status("it1"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "somebody else's");
	assert_fails(dre_sys_destroy_container("it1"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "somebody else's");
	assert_int_equal(shell("virsh -q undefine dre-it1"), 0);
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_STOP);
}

static void busy(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
	int fd = open(STORE "/containers/it1/lock", O_RDWR | O_CLOEXEC);
	dre_sys_handle h = handle("it1");

	(void)state;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_BUSY);
	assert_fails(dre_sys_start(&h), DRE_ERR_CONTAINER_BUSY, "it1");
	assert_fails(dre_sys_save_snapshot(&h, "a"), DRE_ERR_CONTAINER_BUSY, "it1");
	assert_fails(dre_sys_destroy_container("it1"), DRE_ERR_CONTAINER_BUSY, "it1");
	close(fd);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_STOP);
}

/*
 * What each function says in each state; 0: it would do it, which is tested elsewhere.
 */

static int get_pid(const dre_sys_handle *h)
{
	int pid;

	return dre_sys_get_pid(h, &pid);
}

static int destroy(const dre_sys_handle *h)
{
	return dre_sys_destroy_container(h->name);
}

static int save(const dre_sys_handle *h)
{
	return dre_sys_save_snapshot(h, "tag");
}

static int load(const dre_sys_handle *h)
{
	return dre_sys_load_snapshot(h, "tag");
}

static int remove_snapshot(const dre_sys_handle *h)
{
	return dre_sys_remove_snapshot(h, "tag");
}

static int commit(const dre_sys_handle *h)
{
	return dre_sys_commit_snapshot(h, "tag", "base");
}

static int checkpoint(const dre_sys_handle *h)
{
	return dre_sys_checkpoint(h, "tag");
}

static int restart(const dre_sys_handle *h)
{
	return dre_sys_restart(h, "tag");
}

enum { STOPPED, RUNNING, SUSPENDED };

static const struct {
	const char *name;
	int (*call)(const dre_sys_handle *h);
	int wanted[3];
} matrix[] = {
#define R	DRE_ERR_CONTAINER_RUNNING
#define S	DRE_ERR_CONTAINER_STOPPED
#define U	DRE_ERR_CONTAINER_SUSPENDED
	{ "start", dre_sys_start, { 0, R, U } },
	{ "stop", dre_sys_stop, { S, 0, 0 } },
	{ "suspend", dre_sys_suspend, { S, 0, U } },
	{ "resume", dre_sys_resume, { S, R, 0 } },
	{ "get_pid", get_pid, { S, 0, U } },
	{ "destroy", destroy, { 0, R, U } },
	{ "save_snapshot", save, { 0, R, U } },
	{ "load_snapshot", load, { 0, R, U } },
	{ "remove_snapshot", remove_snapshot, { 0, R, U } },
	{ "commit_snapshot", commit, { 0, R, U } },
	{ "checkpoint", checkpoint, { S, 0, U } },
	{ "restart", restart, { 0, 0, U } },
#undef R
#undef S
#undef U
};

static void assert_matrix(const char *name, int state)
{
	dre_sys_handle h = handle(name);

	for (size_t i = 0; i < sizeof(matrix) / sizeof(*matrix); i++) {
		if (!matrix[i].wanted[state])
			continue;
		if (matrix[i].call(&h) != matrix[i].wanted[state])
			fail_msg("%s in state %d: %s", matrix[i].name, state, dre_last_error());
	}
}

/*
 * With a boot.
 */

static void assert_qemu(int pid)
{
	char path[64], comm[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(comm, sizeof(comm), f));
	fclose(f);
	assert_memory_equal(comm, "qemu-system", 11);
}

/* It runs, stands still, goes on, and powers off when it is asked to. */
static void life(void **state)
{
	dre_sys_handle h = handle("it1");
	int pid, ticks;
	time_t start;

	(void)state;
	assert_matrix("it1", STOPPED);
	assert_success(dre_sys_start(&h));
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_success(dre_sys_get_pid(&h, &pid));
	assert_qemu(pid);
	assert_matrix("it1", RUNNING);
	assert_says("it1", "guest: boot 1", 1);
	assert_says("it1", "guest: tick", 1);

	assert_success(dre_sys_suspend(&h));
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_int_equal(shell("virsh -q domstate dre-it1 | grep -q paused"), 0);
	assert_matrix("it1", SUSPENDED);
	sleep(1);	/* what was written before may still be on its way to the log */
	ticks = count_said("it1", "guest: tick");
	sleep(4);
	assert_int_equal(count_said("it1", "guest: tick"), ticks);
	assert_success(dre_sys_resume(&h));
	assert_says("it1", "guest: tick", ticks + 2);

	start = time(NULL);
	assert_success(dre_sys_stop(&h));
	assert_true(time(NULL) - start < HALT_TIMEOUT);
	assert_int_equal(count_said("it1", "guest: power button"), 1);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_STOP);
}

/* What virsh does is seen at once, and what the guest wrote since a snapshot goes when that is loaded. */
static void snapshots_and_virsh(void **state)
{
	dre_sys_handle h = handle("it1");
	dre_list_t list;

	(void)state;
	assert_success(dre_sys_save_snapshot(&h, "one"));
	assert_defined("it1");
	assert_fails(dre_sys_save_snapshot(&h, "one"), DRE_ERR_SNAPSHOT_EXISTENCE, "one");
	assert_fails(dre_sys_load_snapshot(&h, "two"), DRE_ERR_SNAPSHOT_NONEXISTENCE, "two");
	assert_success(dre_sys_get_snapshot_list(&h, &list));
	assert_string_equal(list[0], "one");
	assert_null(list[1]);
	assert_success(dre_sys_release_snapshot_list(list));

	assert_int_equal(shell("virsh -q start dre-it1"), 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_says("it1", "guest: boot 2", 1);
	assert_int_equal(shell("virsh -q suspend dre-it1"), 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_int_equal(shell("virsh -q destroy dre-it1"), 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_int_equal(shell("virsh -q undefine dre-it1"), 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(dre_sys_load_snapshot(&h, "one"));
	assert_defined("it1");
	assert_int_equal(shell("virsh -q undefine dre-it1"), 0);
	assert_fails(dre_sys_save_snapshot(&h, "one"), DRE_ERR_SNAPSHOT_EXISTENCE, "one");
	assert_defined("it1");
	assert_success(dre_sys_commit_snapshot(&h, "one", "it-booted"));
	assert_fails(dre_sys_commit_snapshot(&h, "one", "it"), DRE_ERR_BASE_EXISTENCE, "it");
}

/*
 * libvirt is killed while a machine that does not hear its power button is to stop, and at a moment at which nobody asks
 * it anything: the next question is an error, and not the end of the process.
 */
static void libvirt_killed(void **state)
{
	const dre_sys_stop_options patient = { .size = sizeof(patient), .timeout = 10 };
	const dre_sys_stop_options at_once = { .size = sizeof(at_once), .kill = 1 };
	dre_sys_handle h = handle("it1");
	int pid, ended;

	(void)state;
	assert_success(dre_sys_start(&h));
	pid = fork();
	if (!pid)
		_exit(dre_sys_stop_with(&h, &patient) == DRE_ERR_DEVICE_BUSY ? 0 : 1);
	sleep(2);
	kill_libvirt();
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(shell("libvirtd -d"), 0);
	assert_int_equal(ended, 0);
	assert_int_equal(dre_sys_status(&h), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_success(dre_sys_stop_with(&h, &at_once));
}

/* A container of the new base begins where the snapshot ended; it reboots, and stops while suspended, in good order. */
static void committed(void **state)
{
	const dre_sys_stop_options options = { .size = sizeof(options) };
	dre_sys_handle h = handle("it2");

	(void)state;
	assert_success(dre_sys_destroy_container("it1"));
	assert_int_not_equal(shell("virsh -q dominfo dre-it1 >/dev/null 2>&1"), 0);
	assert_success(create("it2", "it-booted"));
	assert_success(dre_sys_start(&h));
	assert_says("it2", "guest: boot 2", 1);
	assert_says("it2", "guest: tick", 1);
	assert_success(dre_sys_reboot(&h, &options));
	assert_int_equal(shell("dre-sys logs --previous it2 | grep -q 'guest: power button'"), 0);
	assert_says("it2", "guest: boot 3", 1);
	assert_says("it2", "guest: tick", 1);
	assert_int_equal(count_said("it2", "guest: power button"), 0);
	assert_success(dre_sys_suspend(&h));
	assert_success(dre_sys_stop(&h));
	assert_int_equal(count_said("it2", "guest: power button"), 1);
	assert_success(dre_sys_destroy_container("it2"));
	assert_success(dre_sys_remove_base("it-booted"));
	assert_success(dre_sys_remove_base("it"));
	assert_int_equal(shell("[ -z \"$(ls " STORE "/layers " STORE "/containers | grep -v :)\" ]"), 0);
	assert_int_equal(shell("[ -z \"$(virsh -q list --all --name | grep dre-)\" ]"), 0);
}

static int setup(void **state)
{
	set_up_host(state);
	assert_success(create("it1", "it"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(lists),
		cmocka_unit_test(no_virtualization),
		cmocka_unit_test(no_libvirt),
		cmocka_unit_test(foreign_domain),
		cmocka_unit_test(busy),
		cmocka_unit_test(life),
		cmocka_unit_test(snapshots_and_virsh),
		cmocka_unit_test(libvirt_killed),
		cmocka_unit_test(committed),
	};

	return HOST_MAIN(tests, setup, NULL);
}
