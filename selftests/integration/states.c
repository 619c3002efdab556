// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every function in every state of a container: what must fail fails with the
 * code that dre_app.h says, and changes nothing; what must succeed does, and leaves
 * the container in the state that it says. (What else that changes is tested elsewhere.)
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

static const int expected[NR_CALLS][NR_STATES] = {
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
	[UNREGISTER_PID]  = ROW(NONEXISTENCE, E_STOPPED, DRE_ERR_PID_NONEXISTENCE, E_SUSPENDED,
				E_BUSY),
	[UNREGISTER_VPID] = ROW(NONEXISTENCE, E_STOPPED, DRE_ERR_PID_NONEXISTENCE, E_SUSPENDED,
				E_BUSY),
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
};

/* What differs when the module is not loaded: the state comes first. */
static int without_module(int function, int state)
{
	bool list = function == LIST || function == CGROUP_LIST;

	if (state == STOPPED && (function == START || function == RESTART))
		return DRE_ERR_DAWARE_MOD_NONEXISTENCE;
	if (state == RUNNING && (list || function == CREATE_CGROUP || function >= REGISTER_PID))
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
	for (int function = 0; function < NR_CALLS; function++)
		check(function, name, expected[function][state]);
}

static void check_all_without_module(const char *name, int state)
{
	unload_module();
	world_mark();
	for (int function = 0; function < NR_CALLS; function++)
		check(function, name, without_module(function, state));
	load_module();
}

static void put_in(int state, const char *name)
{
	if (state == STOPPED)
		box_create(name);
	if (state == RUNNING || state == SUSPENDED)
		box_start(name);
	if (state == SUSPENDED)
		assert_done(dre_app_suspend(&(dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, (char *)name }));
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
		return expected[STATUS][RUNNING];
	case SUSPEND:
		return expected[STATUS][SUSPENDED];
	}
	return expected[STATUS][state];
}

/* Each with a container that it may change. */
static void works(void **unused)
{
	const char *name = "works";
	int ret, status, wrong = 0;

	(void)unused;
	for (int cell = 0; cell < NR_CALLS * BUSY; cell++) {
		int function = cell / BUSY, state = cell % BUSY;

		if (expected[function][state] != WORKS)
			continue;
		put_in(state, name);
		ret = call_function(function, name);
		if (ret)
			printf("# %s in state %d: %d (%s)\n", call_names[function], state, ret, dre_last_error());
		status = call_function(STATUS, name);
		if (status != status_after(function, state))
			printf("# %s in state %d: status is %d\n", call_names[function], state, status);
		wrong += ret || status != status_after(function, state);
		box_destroy_all(NULL);
	}
	assert_int_equal(wrong, 0);
}

static void absent(void **state)
{
	(void)state;
	check_all("absent", ABSENT);
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
	close(fd);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
}

static void running_and_suspended(void **state)
{
	dre_app_handle *h = box_start("running");

	(void)state;
	/* Attaching makes a control group, once. */
	assert_int_equal(box_run(h, "true"), 0);
	check_all(h->name, RUNNING);
	check_all_without_module(h->name, RUNNING);
	assert_done(dre_app_suspend(h));
	check_all(h->name, SUSPENDED);
	check_all_without_module(h->name, SUSPENDED);
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
	for (int function = 0; function < NR_CALLS; function++) {
		ret = call_function(function, name);
		if (ret != (function == OPEN ? -1 : DRE_ERR_PERMISSION_DENIED)) {
			printf("# %s: %d (%s)\n", call_names[function], ret, dre_last_error());
			wrong++;
		}
		/* What is wrong with the name comes first. */
		for (bad = bad_names; bad->code; bad++) {
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
		cmocka_unit_test_teardown(damaged, box_destroy_all),
		cmocka_unit_test_teardown(console_is_not_passed_on, box_destroy_all),
		cmocka_unit_test_teardown(caller_is_not_root, box_destroy_all),
		cmocka_unit_test_teardown(caller_is_root_of_a_user_namespace, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
