// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel module knows of termination callbacks. Needs root on a
 * machine where dre.ko is loaded, and may be removed and loaded again: with
 * insmod from $DRE_MODULE if that is set, else with modprobe.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include "callbacks.h"
#include "module.h"

/* The SIGNALS of a process in /proc/daware, or "none" if it is not there. */
static const char *registered(pid_t pid)
{
	static char signals[256];
	FILE *file = fopen("/proc/daware", "re");
	char line[1024];
	int number;

	strcpy(signals, "none");
	if (!file)
		return "no /proc/daware";
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%d\t", &number) == 1 && number == pid)
			sscanf(line, "%*d\t%*d\t%255[^\t]", signals);
	fclose(file);
	return signals;
}

static DTermination *add_known(int signo, int (*func)(int, void *), void *arg)
{
	DTermination *handle;

	errno = EXDEV;
	handle = daware_termination_register_callback(signo, func, arg);
	assert_non_null(handle);
	assert_int_equal(errno, 0);
	return handle;
}

static void process_is_registered(void **state)
{
	DTermination *handle;

	(void)state;
	assert_string_equal(registered(getpid()), "none");
	handle = add_known(SIGTERM, note, "a");
	assert_string_equal(registered(getpid()), "15");
	send_signal(SIGTERM);
	expect_calls(1, "a");
	assert_string_equal(registered(getpid()), "15");
	errno = EXDEV;
	daware_termination_unregister_callback(handle);
	assert_int_equal(errno, EXDEV);
	assert_string_equal(registered(getpid()), "none");
}

static void signals_are_in_the_order_of_their_oldest_callback(void **state)
{
	DTermination *usr1 = add_known(SIGUSR1, note, NULL), *term = add_known(SIGTERM, note, NULL);
	DTermination *again = add_known(SIGUSR1, note, NULL), *rt = add_known(SIGRTMAX, note, NULL);

	(void)state;
	assert_string_equal(registered(getpid()), "10,15,64");
	daware_termination_unregister_callback(usr1);
	assert_string_equal(registered(getpid()), "15,10,64");
	daware_termination_unregister_callback(term);
	assert_string_equal(registered(getpid()), "10,64");
	daware_termination_unregister_callback(term);
	assert_string_equal(registered(getpid()), "10,64");
	daware_termination_unregister_callback(rt);
	daware_termination_unregister_callback(again);
	assert_string_equal(registered(getpid()), "none");
}

static void every_signal_at_once(void **state)
{
	DTermination *handles[64];
	char expected[256] = "";
	int nr = 0;

	(void)state;
	for (int signo = SIGRTMAX; signo > 0; signo--) {
		if (signo == SIGKILL || signo == SIGSTOP || signo == 32 || signo == 33)
			continue;
		handles[nr] = add_known(signo, note, NULL);
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%s%d",
			 nr++ ? "," : "", signo);
	}
	assert_string_equal(registered(getpid()), expected);
	while (nr)
		daware_termination_unregister_callback(handles[--nr]);
	assert_string_equal(registered(getpid()), "none");
}

static void register_in_child(void *unused)
{
	DTermination *handle;

	(void)unused;
	child_assert(!strcmp(registered(getpid()), "none"));
	child_assert(!strcmp(registered(getppid()), "15"));
	handle = daware_termination_register_callback(SIGHUP, note, NULL);
	child_assert(handle && !errno);
	child_assert(!strcmp(registered(getpid()), "1"));
	daware_termination_unregister_callback(handle);
	child_assert(!strcmp(registered(getpid()), "none"));
}

static void child_is_not_registered(void **state)
{
	DTermination *handle = add_known(SIGTERM, note, NULL);

	(void)state;
	assert_int_equal(run_in_child(register_in_child, NULL), 0);
	assert_string_equal(registered(getpid()), "15");
	daware_termination_unregister_callback(handle);
}

static void register_without_privilege(void *unused)
{
	(void)unused;
	child_assert(!setgid(65534) && !setuid(65534));
	child_assert(daware_termination_register_callback(SIGTERM, note, NULL) && !errno);
	child_assert(!strcmp(registered(getpid()), "15"));
}

static void no_privilege_is_needed(void **state)
{
	(void)state;
	assert_int_equal(run_in_child(register_without_privilege, NULL), 0);
}

/* Starts a child that registers, and then waits, or executes a program that waits. */
static pid_t start_child(bool execute)
{
	int fds[2];
	char byte;
	pid_t pid;

	assert_return_code(pipe(fds), errno);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!daware_termination_register_callback(SIGTERM, note, NULL) || errno)
			_exit(1);
		if (write(fds[1], "r", 1) != 1)
			_exit(1);
		if (execute)
			execlp("sleep", "sleep", "60", NULL);
		pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void kill_child(pid_t pid)
{
	assert_return_code(kill(pid, SIGKILL), errno);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void exec_ends_the_registration(void **state)
{
	pid_t pid = start_child(true);

	(void)state;
	wait_until(!strcmp(registered(pid), "none"));
	assert_return_code(kill(pid, 0), errno);
	kill_child(pid);
}

static void death_ends_the_registration(void **state)
{
	pid_t pid = start_child(false);

	(void)state;
	assert_string_equal(registered(pid), "15");
	kill_child(pid);
	wait_until(!strcmp(registered(pid), "none"));
}

/* A container's init that refuses once, and then unregisters and ends. */
static int refuse(int signo, void *arg)
{
	(void)signo;
	return *(int *)arg;
}

static void be_init(int from_manager, int to_manager)
{
	DTermination *handle;
	int result = 5;
	char byte;

	child_assert(read(from_manager, &byte, 1) == 1);
	handle = daware_termination_register_callback(SIGTERM, refuse, &result);
	child_assert(handle && !errno);
	child_assert(write(to_manager, "r", 1) == 1);
	child_assert(read(from_manager, &byte, 1) == 1);
	daware_termination_unregister_callback(handle);
	child_assert(read(from_manager, &byte, 1) == 1);
	_exit(0);
}

static void expect_event(int cfd, uint32_t type, uint32_t value)
{
	struct dre_event event;

	child_assert(read(cfd, &event, sizeof(event)) == sizeof(event));
	child_assert(event.type == type);
	child_assert(event.value == value);
	child_assert(event.vpid == 1);
}

static void manage(void *unused)
{
	int to_init[2], from_init[2], dre = dre_module_open(), cfd;
	struct dre_process_info *list;
	uint32_t signalled, silent;
	size_t nr;
	pid_t pid;
	char byte;

	(void)unused;
	child_assert(dre >= 0 && !pipe(to_init) && !pipe(from_init) && !unshare(CLONE_NEWPID));
	pid = fork();
	child_assert(pid >= 0);
	if (!pid)
		be_init(to_init[0], from_init[1]);

	cfd = dre_module_container_create(dre, DRE_CONTAINER_APP, "libdaware-test", pid);
	child_assert(cfd >= 0);
	child_assert(!dre_module_process_list(cfd, &list, &nr) && nr == 0);
	free(list);
	child_assert(write(to_init[1], "c", 1) == 1);
	child_assert(read(from_init[0], &byte, 1) == 1);
	expect_event(cfd, DRE_EVENT_REGISTERED, DRE_PROCESS_SELF);

	child_assert(!dre_module_process_list(cfd, &list, &nr) && nr == 1);
	child_assert(list->pid == pid && list->vpid == 1 && list->flags == DRE_PROCESS_SELF);
	child_assert(list->nr_signals == 1 && list->signals[0] == SIGTERM);
	free(list);
	child_assert(dre_module_pid_to_vpid(cfd, pid) == 1);
	child_assert(dre_module_pid_to_vpid(cfd, getpid()) == 0);
	child_assert(dre_module_vpid_to_pid(cfd, 1) == pid);

	child_assert(!dre_module_terminate(cfd, &signalled, &silent));
	child_assert(signalled == 1 && silent == 0);
	expect_event(cfd, DRE_EVENT_REFUSED, SIGTERM);
	child_assert(write(to_init[1], "u", 1) == 1);
	expect_event(cfd, DRE_EVENT_UNREGISTERED, DRE_PROCESS_SELF);

	child_assert(!dre_module_process_register(cfd, pid, 0, (uint8_t []){ SIGUSR1 }, 1));
	expect_event(cfd, DRE_EVENT_REGISTERED, DRE_PROCESS_MANAGED);
	child_assert(!strcmp(registered(pid), "10"));
	child_assert(!dre_module_process_unregister(cfd, pid, 0));
	expect_event(cfd, DRE_EVENT_UNREGISTERED, DRE_PROCESS_MANAGED);
	child_assert(dre_module_process_unregister(cfd, pid, 0) == -ENOENT);

	child_assert(dre_module_container_open(dre, DRE_CONTAINER_APP, "no-such", 0) == -ENOENT);
	child_assert(write(to_init[1], "e", 1) == 1);
	expect_event(cfd, DRE_EVENT_ENDED, 0);
	child_assert(waitpid(pid, NULL, 0) == pid);
	child_assert(dre_module_pid_to_vpid(cfd, pid) == -ENODEV);
}

static void manager_sees_the_refusal(void **state)
{
	(void)state;
	assert_int_equal(run_in_child(manage, NULL), 0);
}

/* daware-run, which is installed, with scripts that say when they have set their traps. */

#define READY	"/run/libdaware-test-ready"

static bool is_ready(void)
{
	return !access(READY, F_OK);
}

static void run_in_place(const char *options, const char *script)
{
	execlp("daware-run", "daware-run", options, "--", "sh", "-c", script, NULL);
	_exit(1);
}

static void daware_run_is_registered(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	unlink(READY);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		run_in_place("-sUSR1", "trap 'exit 7' USR1; : >" READY "; while :; do sleep 0.1; done");
	wait_until(is_ready());
	assert_string_equal(registered(pid), "15");
	assert_return_code(kill(pid, SIGTERM), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	wait_until(!strcmp(registered(pid), "none"));
}

static void be_daware_run(int from_manager)
{
	char byte;

	child_assert(read(from_manager, &byte, 1) == 1);
	run_in_place("-t1", "trap '' TERM; : >" READY "; while :; do sleep 0.1; done");
}

static void manage_daware_run(void *unused)
{
	int to_init[2], dre = dre_module_open(), cfd;
	uint32_t signalled, silent;
	pid_t pid;

	(void)unused;
	unlink(READY);
	child_assert(dre >= 0 && !pipe(to_init) && !unshare(CLONE_NEWPID));
	pid = fork();
	child_assert(pid >= 0);
	if (!pid)
		be_daware_run(to_init[0]);
	cfd = dre_module_container_create(dre, DRE_CONTAINER_APP, "libdaware-test", pid);
	child_assert(cfd >= 0);
	child_assert(write(to_init[1], "c", 1) == 1);
	expect_event(cfd, DRE_EVENT_REGISTERED, DRE_PROCESS_SELF);
	while (!is_ready())
		sleep_ms(10);
	child_assert(!dre_module_terminate(cfd, &signalled, &silent));
	child_assert(signalled == 1 && silent == 0);
	expect_event(cfd, DRE_EVENT_REFUSED, SIGTERM);
	kill_child(pid);
}

static void manager_sees_the_refusal_of_daware_run(void **state)
{
	(void)state;
	assert_int_equal(run_in_child(manage_daware_run, NULL), 0);
}

static void remove_module(void)
{
	assert_int_equal(system("rmmod dre"), 0);
}

static void load_module(void)
{
	assert_int_equal(system("if [ \"$DRE_MODULE\" ]; then insmod \"$DRE_MODULE\"; "
				"else modprobe dre; fi"), 0);
}

static void next_call_registers_again(void **state)
{
	DTermination *term = add_known(SIGTERM, note, "a"), *hup;

	(void)state;
	remove_module();
	hup = daware_termination_register_callback(SIGHUP, note, "b");
	assert_int_equal(errno, ENODEV);
	assert_non_null(hup);
	send_signal(SIGHUP);
	expect_calls(1, "b");

	load_module();
	assert_string_equal(registered(getpid()), "none");
	daware_termination_unregister_callback(hup);
	assert_string_equal(registered(getpid()), "15");

	remove_module();
	load_module();
	hup = add_known(SIGHUP, note, "b");
	assert_string_equal(registered(getpid()), "15,1");

	remove_module();
	daware_termination_unregister_callback(term);
	daware_termination_unregister_callback(hup);
	load_module();
	assert_string_equal(registered(getpid()), "none");
}

static void refusal_registers_again(void **state)
{
	int result = 1;
	DTermination *handle = add_known(SIGTERM, refuse, &result);

	(void)state;
	remove_module();
	load_module();
	assert_string_equal(registered(getpid()), "none");
	send_signal(SIGTERM);
	wait_until(!strcmp(registered(getpid()), "15"));
	daware_termination_unregister_callback(handle);
	assert_string_equal(registered(getpid()), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(process_is_registered),
		test(signals_are_in_the_order_of_their_oldest_callback),
		test(every_signal_at_once),
		test(child_is_not_registered),
		test(no_privilege_is_needed),
		test(exec_ends_the_registration),
		test(death_ends_the_registration),
		test(manager_sees_the_refusal),
		test(daware_run_is_registered),
		test(manager_sees_the_refusal_of_daware_run),
		test(next_call_registers_again),
		test(refusal_registers_again),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
