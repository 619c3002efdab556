// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every function in every state of a container: what must fail fails with the
 * code that dre_app.h says, and changes nothing; what must succeed does, and leaves
 * the container in the state that it says. (What else that changes is looked at here only where that takes one line.)
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "box.h"
#include "caller.h"
#include "calls.h"

enum { ABSENT, STOPPED, RUNNING, SUSPENDED, BUSY, NR_STATES };

/* Instead of a code: it works, and changes the container. */
#define WORKS	1

/*
 * What is about a snapshot, a checkpoint, ... has the code for that there is none where it would work: that is made
 * for works(). dre_app_close() and dre_app_release_*(), which free what the caller has, are called with each
 * dre_app_open() and each list that succeeds, so in all states.
 */
static const int expected[NR_ALL_CALLS][NR_STATES] = {
#define ROW(absent, stopped, running, suspended, busy) \
	{ DRE_ERR_CONTAINER_##absent, stopped, running, suspended, busy }
#define E_STOPPED	DRE_ERR_CONTAINER_STOPPED
#define E_RUNNING	DRE_ERR_CONTAINER_RUNNING
#define E_SUSPENDED	DRE_ERR_CONTAINER_SUSPENDED
#define E_BUSY		DRE_ERR_CONTAINER_BUSY
#define E_EXISTENCE	DRE_ERR_CONTAINER_EXISTENCE
#define E_SNAPSHOT	DRE_ERR_SNAPSHOT_NONEXISTENCE
#define E_ARGUMENT	DRE_ERR_INVALID_ARGUMENT
#define E_CGROUP	DRE_ERR_CGROUP_NONEXISTENCE
#define E_PID		DRE_ERR_PID_NONEXISTENCE
#define E_BASE		DRE_ERR_BASE_NONEXISTENCE
	[START]		  = ROW(NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	[STOP]		  = ROW(NONEXISTENCE, E_STOPPED, WORKS, WORKS, E_BUSY),
	[STOP_WITH]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, WORKS, E_BUSY),
	[REBOOT]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, WORKS, E_BUSY),
	[SET_PROPERTY]	  = ROW(NONEXISTENCE, WORKS, WORKS, WORKS, E_BUSY),
	[GET_PROPERTY]	  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[PROPERTY_LIST]	  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[SUSPEND]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	[RESUME]	  = ROW(NONEXISTENCE, E_STOPPED, E_RUNNING, WORKS, E_BUSY),
	[DESTROY]	  = ROW(NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	[CREATE]	  = { WORKS, E_EXISTENCE, E_EXISTENCE, E_EXISTENCE, E_EXISTENCE },
	[STATUS]	  = ROW(NONEXISTENCE, DRE_APP_CONTAINER_STATUS_STOP,
				DRE_APP_CONTAINER_STATUS_RUNNING,
				DRE_APP_CONTAINER_STATUS_SUSPENDED, DRE_APP_CONTAINER_STATUS_BUSY),
	[OPEN]		  = { -1, 0, 0, 0, 0 },
	[LIST]		  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[GET_PID]	  = ROW(NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	[EXEC]		  = ROW(NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	[REGISTER_PID]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	[REGISTER_VPID]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	[UNREGISTER_PID]  = ROW(NONEXISTENCE, E_STOPPED, E_PID, E_SUSPENDED, E_BUSY),
	[UNREGISTER_VPID] = ROW(NONEXISTENCE, E_STOPPED, E_PID, E_SUSPENDED, E_BUSY),
	[COPY]		  = ROW(NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	[RENAME]	  = ROW(NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	[COPY_IN]	  = ROW(NONEXISTENCE, E_ARGUMENT, E_ARGUMENT, E_ARGUMENT, E_BUSY),
	[COPY_OUT]	  = ROW(NONEXISTENCE, E_ARGUMENT, E_ARGUMENT, E_ARGUMENT, E_BUSY),
	[OPEN_CONSOLE]	  = ROW(NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	[RESIZE_CONSOLE]  = ROW(NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	[OPEN_LOG]	  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[GET_INFO]	  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[GET_LIMIT]	  = ROW(NONEXISTENCE, E_STOPPED, 0, 0, E_BUSY),
	[GET_USAGE]	  = ROW(NONEXISTENCE, E_STOPPED, 0, 0, E_BUSY),
	[EXPORT]	  = ROW(NONEXISTENCE, 0, E_RUNNING, E_SUSPENDED, E_BUSY),
	[SAVE]		  = ROW(NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	[LOAD]		  = ROW(NONEXISTENCE, E_SNAPSHOT, E_RUNNING, E_SUSPENDED, E_BUSY),
	[REMOVE_SNAPSHOT] = ROW(NONEXISTENCE, E_SNAPSHOT, E_RUNNING, E_SUSPENDED, E_BUSY),
	[COMMIT]	  = ROW(NONEXISTENCE, E_SNAPSHOT, E_RUNNING, E_SUSPENDED, E_BUSY),
	[SNAPSHOT_LIST]	  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[CHECKPOINT]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	[RESTART]	  = ROW(NONEXISTENCE, E_SNAPSHOT, E_SNAPSHOT, E_SUSPENDED, E_BUSY),
	[REMOVE_CHECKPOINT] = ROW(NONEXISTENCE, E_SNAPSHOT, E_SNAPSHOT, E_SNAPSHOT, E_BUSY),
	[CHECKPOINT_LIST] = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[CREATE_CGROUP]	  = ROW(NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	[DESTROY_CGROUP]  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[CGROUP_LIST]	  = ROW(NONEXISTENCE, 0, 0, 0, 0),
	[BIND_PID]	  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[BIND_VPID]	  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[UNBIND_PID]	  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[UNBIND_VPID]	  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[SET_RESOURCE]	  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[UNSET_RESOURCE]  = ROW(NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	[GET_RESOURCE]	  = ROW(NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	[CONTAINER_LIST]  = { 0, 0, 0, 0, 0 },
	[BASE_LIST]	  = { 0, 0, 0, 0, 0 },
	[REMOVE_BASE]	  = { E_BASE, E_BASE, E_BASE, E_BASE, E_BASE },
};

/* What differs when the module is not loaded: the state comes first. */
static int without_module(int function, int state)
{
	bool list = function == LIST || function == CGROUP_LIST;
	bool needed = function >= REGISTER_PID && function < NR_CALLS;

	if (state == STOPPED && (function == START || function == RESTART))
		return DRE_ERR_DAWARE_MOD_NONEXISTENCE;
	if (state == RUNNING && (list || function == CREATE_CGROUP || needed))
		return DRE_ERR_DAWARE_MOD_NONEXISTENCE;
	if (state == SUSPENDED && (list || function == REBOOT))
		return DRE_ERR_DAWARE_MOD_NONEXISTENCE;
	return expected[function][state];
}

/* One of the functions in this state; all that they do is to fail or to look. */
static void check(int function, const char *name, int code)
{
	int ret;

	if (code == WORKS)
		return;
	ret = call_function(function, name);
	if (ret != code)
		printf("# %s: %d (%s: %s), not %d (%s)\n", call_names[function], ret,
		       dre_strerror(ret), dre_last_error(), code, dre_strerror(code));
	assert_int_equal(ret, code);
	if (ret < 0)
		assert_true(*dre_last_error() && !strchr(dre_last_error(), '\n'));
	if (!world_is_as_marked()) {
		printf("# changed by %s\n", call_names[function]);
		fail();
	}
}

static void check_all(const char *name, int state)
{
	world_mark();
	for (int function = 0; function < NR_ALL_CALLS; function++)
		check(function, name, expected[function][state]);
}

static void check_all_without_module(const char *name, int state)
{
	unload_module();
	world_mark();
	for (int function = 0; function < NR_ALL_CALLS; function++)
		check(function, name, without_module(function, state));
	load_module();
}

static void checkpoint(const dre_app_handle *h)
{
	assert_done(dre_app_checkpoint(h, THING));
	assert_int_equal(box_run(h, "touch /since"), 0);
}

/* What it is about, of a container that is stopped, or of none. */
static void prepare_stopped(int function, const dre_app_handle *h)
{
	if (function == LOAD || function == REMOVE_SNAPSHOT || function == COMMIT)
		assert_done(dre_app_save_snapshot(h, THING));
	if (function == LOAD)
		close(open(box_layer_path(h, "/since"), O_CREAT | O_CLOEXEC, 0600));
	if (function == REMOVE_BASE)
		assert_done(dre_app_import_base(THING, "/run/base", NULL, NULL));
}

/* ... and of one that runs. */
static void prepare_running(int function, const dre_app_handle *h)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_CPU, .udata.cpu.percent = 20 };

	if (expected[function][RUNNING] == E_CGROUP)
		assert_done(dre_app_create_cgroup(h, THING));
	if (function == UNBIND_PID)
		assert_done(dre_app_bind_pid(h, THING, getpid()));
	if (function == UNBIND_VPID)
		assert_done(dre_app_bind_vpid(h, THING, 1));
	if (function == UNSET_RESOURCE)
		assert_done(dre_app_set_resource(h, THING, &r));
	if (function == UNREGISTER_PID)
		assert_done(dre_app_register_pid(h, getpid()));
	if (function == UNREGISTER_VPID)
		assert_done(dre_app_register_vpid(h, 1));
}

static void put_in(int state, int function)
{
	dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)"works" };

	if (state != ABSENT)
		dre_app_close(box_create(h.name));
	if (state == ABSENT || state == STOPPED)
		prepare_stopped(function, &h);
	if (state == RUNNING || state == SUSPENDED)
		assert_done(dre_app_start(&h));
	if (state == RUNNING)
		prepare_running(function, &h);
	if (state == SUSPENDED)
		assert_done(dre_app_suspend(&h));
}

/* In the state that it is to be in, with what it is about. */
static bool is_to_work(int code)
{
	return code == WORKS || code == E_SNAPSHOT || code == E_CGROUP || code == E_PID || code == E_BASE;
}

/* What a function that works makes of @state. */
static int status_after(int function, int state)
{
	switch (function) {
	case DESTROY:
	case RENAME:
		return expected[STATUS][ABSENT];
	case CREATE:
	case STOP:
	case STOP_WITH:
		return expected[STATUS][STOPPED];
	case START:
	case REBOOT:
	case RESUME:
	case RESTART:
		return expected[STATUS][RUNNING];
	case SUSPEND:
		return expected[STATUS][SUSPENDED];
	}
	return expected[STATUS][state];
}

/* The shell's view of what it does beside that. */
#define CONTAINER	STORE "/containers/works/"
#define GROUPS		CGROUPS "/dre/app/works/"
static const char *const effects[NR_ALL_CALLS] = {
	[SET_PROPERTY]	    = "[ \"$(dre-app get works port)\" = 22 ]",
	[COPY]		    = "[ -d " STORE "/containers/new ]",
	[RENAME]	    = "[ -d " STORE "/containers/new ]",
	[SAVE]		    = "[ -e " CONTAINER "snapshots/new ]",
	[LOAD]		    = "! ls " STORE "/layers/*/since 2>/dev/null",
	[REMOVE_SNAPSHOT]   = "[ ! -e " CONTAINER "snapshots/" THING " ]",
	[COMMIT]	    = "[ -e " STORE "/bases/new ]",
	[REMOVE_BASE]	    = "[ ! -e " STORE "/bases/" THING " ]",
	[CHECKPOINT]	    = "[ -d " CONTAINER "checkpoints/new ]",
	[RESTART]	    = "! ls " STORE "/layers/*/since 2>/dev/null",
	[REMOVE_CHECKPOINT] = "[ ! -d " CONTAINER "checkpoints/" THING " ]",
	[CREATE_CGROUP]	    = "[ -d " GROUPS "new ]",
	[DESTROY_CGROUP]    = "[ ! -d " GROUPS THING " ]",
	[BIND_PID]	    = "grep -qx $PPID " GROUPS THING "/cgroup.procs",
	[BIND_VPID]	    = "grep -q . " GROUPS THING "/cgroup.procs",
	[UNBIND_PID]	    = "! grep -q . " GROUPS THING "/cgroup.procs",
	[UNBIND_VPID]	    = "! grep -q . " GROUPS THING "/cgroup.procs",
	[SET_RESOURCE]	    = "grep -q '^50000 ' " GROUPS THING "/cpu.max",
	[UNSET_RESOURCE]    = "grep -q '^max ' " GROUPS THING "/cpu.max",
	[REGISTER_PID]	    = "grep -q \"^$PPID\t\" /proc/daware",
	[REGISTER_VPID]	    = "grep -q '^[0-9]*\t1\t' /proc/daware",
	[UNREGISTER_PID]    = "! grep -q '\tworks\t' /proc/daware",
	[UNREGISTER_VPID]   = "! grep -q '\tworks\t' /proc/daware",
};

/* Container "works" is in this state, and has all that is needed. */
static bool works_in(int state, int function, bool loaded)
{
	int ret, status;
	bool done;

	if (!loaded)
		unload_module();
	ret = call_function(function, "works");
	if (ret)
		printf("# %s in state %d: %d (%s)\n", call_names[function], state, ret, dre_last_error());
	status = call_function(STATUS, "works");
	if (status != status_after(function, state))
		printf("# %s in state %d: status is %d\n", call_names[function], state, status);
	done = !effects[function] || system(effects[function]) == 0;
	if (!done)
		printf("# %s in state %d: not so: %s\n", call_names[function], state, effects[function]);
	if (!loaded)
		load_module();
	return !ret && status == status_after(function, state) && done;
}

static void clean_up(void)
{
	/* It may have our process, or its own init in a control group of its own. */
	call_function(STOP_WITH, "works");
	box_destroy_all(NULL);
	dre_app_remove_base("new");
}

/* Those with a checkpoint are tried below. A base image knows nothing of containers. */
static bool is_tried(int function, int state)
{
	if (function == RESTART || function == REMOVE_CHECKPOINT)
		return false;
	return function < NR_CALLS || state == ABSENT;
}

/* Each with a container that it may change. */
static void all_work(bool loaded)
{
	int wrong = 0;

	for (int cell = 0; cell < NR_ALL_CALLS * BUSY; cell++) {
		int function = cell / BUSY, state = cell % BUSY;

		if (!is_tried(function, state) ||
		    !is_to_work(loaded ? expected[function][state] : without_module(function, state)))
			continue;
		put_in(state, function);
		wrong += !works_in(state, function, loaded);
		clean_up();
	}
	assert_int_equal(wrong, 0);
}

static void works(void **state)
{
	(void)state;
	all_work(true);
}

static void works_without_module(void **state)
{
	(void)state;
	all_work(false);
}

/* One container is put in all states: a checkpoint takes its time. */
static void works_with_checkpoint(void **state)
{
	dre_app_handle *h = box_start("works");

	(void)state;
	checkpoint(h);
	assert_true(works_in(RUNNING, RESTART, true));
	assert_int_equal(box_run(h, "touch /since"), 0);
	assert_done(call_function(STOP_WITH, h->name));
	assert_true(works_in(STOPPED, RESTART, true));
	assert_true(works_in(RUNNING, REMOVE_CHECKPOINT, false));
	checkpoint(h);
	assert_done(dre_app_suspend(h));
	assert_true(works_in(SUSPENDED, REMOVE_CHECKPOINT, true));
	assert_done(dre_app_resume(h));
	checkpoint(h);
	assert_done(call_function(STOP_WITH, h->name));
	assert_true(works_in(STOPPED, REMOVE_CHECKPOINT, true));
}

static void absent(void **state)
{
	(void)state;
	check_all("absent", ABSENT);
	check_all_without_module("absent", ABSENT);
	/* A handle of a container that is gone names nothing, until there is another one. */
	box_destroy(box_create("gone"));
	check_all("gone", ABSENT);
}

static void stopped(void **state)
{
	dre_app_handle *h = box_create("stopped");

	(void)state;
	check_all(h->name, STOPPED);
	check_all_without_module(h->name, STOPPED);
}

/* Who changes a container has its lock. */
static int lock(const char *name)
{
	struct flock request = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	char path[256];
	int fd;

	snprintf(path, sizeof(path), STORE "/containers/%s/lock", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_return_code(fcntl(fd, F_OFD_SETLK, &request), errno);
	return fd;
}

static void stopped_and_busy(void **state)
{
	dre_app_handle *h = box_create("busy");
	int fd = lock(h->name);

	(void)state;
	check_all(h->name, BUSY);
	check_all_without_module(h->name, BUSY);
	close(fd);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
}

static void running_and_suspended(void **state)
{
	dre_app_handle *h = box_start("running");
	int fd;

	(void)state;
	/* Attaching makes a control group, once. */
	assert_int_equal(box_run(h, "true"), 0);
	check_all(h->name, RUNNING);
	check_all_without_module(h->name, RUNNING);
	assert_done(dre_app_suspend(h));
	check_all(h->name, SUSPENDED);
	check_all_without_module(h->name, SUSPENDED);
	fd = lock(h->name);
	check_all(h->name, BUSY);
	close(fd);
	assert_done(dre_app_resume(h));
	assert_int_equal(box_run(h, "true"), 0);
}

/* It is being stopped, and that takes its time. */
static void running_and_busy(void **state)
{
	dre_app_handle *h = box_start("stopping");
	struct agent agent;
	int status;
	pid_t pid;

	(void)state;
	use_conf("stop_timeout = 1000\n");
	box_agent(h, &agent, "-s 10 -m ignore");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dre_app_stop(h) != 0);
	assert_true(eventually(box_says(h, "agent ignores")));
	check_all(h->name, BUSY);
	/* The process goes, and so the rest of the stop. */
	kill(agent.pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
}

/* The container is there, but nobody can say what it is. It can be removed. */
static void damaged(void **state)
{
	dre_app_handle *h = box_create("damaged");

	(void)state;
	assert_int_equal(system("sed -i '$d' " STORE "/containers/damaged/manifest"), 0);
	world_mark();
	for (int function = 0; function < NR_CALLS; function++)
		if (function == CREATE)
			check(function, h->name, DRE_ERR_CONTAINER_EXISTENCE);
		else if (function == OPEN)
			check(function, h->name, -1);
		else if (function != DESTROY)
			check(function, h->name, DRE_ERR_CONTAINER_UNKNOWN_STATUS);
	check(CONTAINER_LIST, h->name, 0);
	check(BASE_LIST, h->name, 0);
	/* Nor what it was made from. */
	check(REMOVE_BASE, h->name, DRE_ERR_REMOVE_BASE_FAILED);
	assert_done(dre_app_destroy_container(h->name));
}

/* The flags of the file that was last given a size, of a terminal. */
static int sized_flags;

/* Called in place of the C library's, also by libdreapp. */
__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (request == TIOCSWINSZ)
		sized_flags = fcntl(fd, F_GETFD);
	return syscall(SYS_ioctl, fd, request, arg);
}

/* Another thread of the caller may run a program at any time, which has no business at a console. */
static void console_is_not_passed_on(void **state)
{
	dre_app_handle *h = box_start("console");

	(void)state;
	sized_flags = -1;
	assert_done(dre_app_resize_console(h, 24, 80));
	assert_int_equal(sized_flags, FD_CLOEXEC);
}

/* Returns the number of functions that did not say that it may not. */
static int call_all_as(bool (*become)(void), const char *name)
{
	const struct bad_name *bad;
	int wrong = 0, ret;

	if (!become())
		return 99;
	for (int function = 0; function < NR_ALL_CALLS; function++) {
		ret = call_function(function, name);
		if (ret != (function == OPEN ? -1 : DRE_ERR_PERMISSION_DENIED)) {
			printf("# %s: %d (%s)\n", call_names[function], ret, dre_last_error());
			wrong++;
		}
		/* What is wrong with the name comes first. */
		for (bad = bad_names; bad->code && function < NR_CALLS; bad++) {
			ret = call_function(function, bad->name);
			wrong += ret != (function == OPEN ? -1 : bad->code);
		}
	}
	return wrong;
}

static void check_all_as(bool (*become)(void))
{
	int status;
	pid_t pid;

	box_create("root-s");
	world_mark();
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(call_all_as(become, "root-s"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(world_is_as_marked());
}

static void caller_is_not_root(void **state)
{
	(void)state;
	check_all_as(become_user);
}

static void caller_is_root_of_a_user_namespace(void **state)
{
	(void)state;
	check_all_as(become_root_of_nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(absent, box_destroy_all),
		cmocka_unit_test_teardown(stopped, box_destroy_all),
		cmocka_unit_test_teardown(stopped_and_busy, box_destroy_all),
		cmocka_unit_test_teardown(running_and_suspended, box_destroy_all),
		cmocka_unit_test_teardown(running_and_busy, box_destroy_all),
		cmocka_unit_test_teardown(works, box_destroy_all),
		cmocka_unit_test_teardown(works_without_module, box_destroy_all),
		cmocka_unit_test_teardown(works_with_checkpoint, box_destroy_all),
		cmocka_unit_test_teardown(damaged, box_destroy_all),
		cmocka_unit_test_teardown(console_is_not_passed_on, box_destroy_all),
		cmocka_unit_test_teardown(caller_is_not_root, box_destroy_all),
		cmocka_unit_test_teardown(caller_is_root_of_a_user_namespace, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
