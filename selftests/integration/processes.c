// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who is under D-RE's control: processes that register themselves, and those
 * that a manager registers. Two containers, "here" and "there", serve all tests.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/wait.h>

#include "box.h"

static dre_app_handle *here, *there;
static pid_t here_init, there_init;

static int setup(void **state)
{
	(void)state;
	here = box_start("here");
	there = box_start("there");
	here_init = box_init(here);
	there_init = box_init(there);
	return 0;
}

/* All agents, wherever they are. */
static int kill_agents(void **state)
{
	(void)state;
	(void)!system("pkill -KILL -f '^[^ ]*agent '");
	assert_true(eventually(nothing_registered()));
	unlink("/run/journal");
	return 0;
}

/* The VPID that the list gives for @pid, or -1. */
static int listed(const dre_app_handle *h, pid_t pid)
{
	dre_app_pid_list_t list;
	int vpid = -1, last = 0;

	assert_done(dre_app_get_registered_pid_list(h, &list));
	for (dre_app_pid_list_t entry = list; *entry; entry++) {
		assert_true((*entry)->pid > last);
		last = (*entry)->pid;
		if (last == pid)
			vpid = (*entry)->vpid;
	}
	assert_done(dre_app_release_registered_pid_list(list));
	return vpid;
}

static size_t count_listed(const dre_app_handle *h)
{
	dre_app_pid_list_t list;
	size_t nr = 0;

	assert_done(dre_app_get_registered_pid_list(h, &list));
	while (list[nr])
		nr++;
	assert_done(dre_app_release_registered_pid_list(list));
	return nr;
}

/* Does /proc/daware, as process @viewer sees it, have exactly these lines below its header? */
static void assert_daware(pid_t viewer, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void assert_daware(pid_t viewer, const char *fmt, ...)
{
	char *text = read_daware(viewer), expected[1024] = DAWARE_HEADER;
	va_list args;

	va_start(args, fmt);
	vsnprintf(expected + strlen(DAWARE_HEADER), sizeof(expected) - strlen(DAWARE_HEADER), fmt,
		  args);
	va_end(args);
	assert_string_equal(text, expected);
	free(text);
}

static void by_itself(void **state)
{
	struct agent user, root;

	(void)state;
	box_agent(here, &user, "-n user -u 65534 -s 10,15");
	box_agent(there, &root, "-n root -s 34");
	/* Agents are children of different inits: the one that came later has the higher PID. */
	assert_daware(1, "%d\t%d\t10,15\there\tuser\n%d\t%d\t34\tthere\troot\n", user.pid,
		      user.vpid, root.pid, root.vpid);
	/* Inside there are no numbers but those of inside, and nobody from elsewhere. */
	assert_daware(here_init, "%d\t%d\t10,15\there\tuser\n", user.vpid, user.vpid);
	assert_daware(there_init, "%d\t%d\t34\tthere\troot\n", root.vpid, root.vpid);
	assert_int_equal(listed(here, user.pid), user.vpid);
	assert_int_equal(count_listed(here), 1);
	assert_int_equal(listed(there, root.pid), root.vpid);
	assert_int_equal(count_listed(there), 1);

	/* Killed, it is gone; ended by its own signal, too. */
	kill(user.pid, SIGKILL);
	kill(root.pid, 34);
	assert_true(eventually(nothing_registered()));
	assert_int_equal(count_listed(here), 0);
}

static void inside_by_a_command(void **state)
{
	struct agent agent;
	const char *text;
	char expected[128];

	(void)state;
	box_agent(here, &agent, "-s 10");
	assert_int_equal(box_ask(here, &text, "cat /proc/daware"), 0);
	snprintf(expected, sizeof(expected), DAWARE_HEADER "%d\t%d\t10\there\tagent", agent.vpid,
		 agent.vpid);
	assert_string_equal(text, expected);
}

static void by_a_manager(void **state)
{
	struct agent agent;

	(void)state;
	box_agent(here, &agent, "");
	assert_true(nothing_registered());
	assert_done(dre_app_register_pid(here, agent.pid));
	assert_done(dre_app_register_pid(here, agent.pid));
	assert_done(dre_app_register_vpid(here, agent.vpid));
	assert_int_equal(listed(here, agent.pid), agent.vpid);
	assert_int_equal(count_listed(here), 1);
	assert_daware(1, "%d\t%d\t-\there\tagent\n", agent.pid, agent.vpid);
	assert_daware(here_init, "%d\t%d\t-\there\tagent\n", agent.vpid, agent.vpid);

	assert_done(dre_app_unregister_pid(here, agent.pid));
	assert_true(nothing_registered());
	world_mark();
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_unregister_pid(here, agent.pid));
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_unregister_vpid(here, agent.vpid));

	assert_done(dre_app_register_vpid(here, agent.vpid));
	assert_int_equal(listed(here, agent.pid), agent.vpid);
	assert_done(dre_app_unregister_vpid(here, agent.vpid));
	assert_done(dre_app_register_vpid(here, agent.vpid));
	assert_done(dre_app_unregister_pid(here, agent.pid));
	assert_true(nothing_registered());
	/* Init is a process like any other. */
	assert_done(dre_app_register_vpid(here, 1));
	assert_int_equal(listed(here, here_init), 1);
	assert_done(dre_app_unregister_pid(here, here_init));
}

/* One that registered itself. */
static void taken_out_by_a_manager(void **state)
{
	struct agent agent;

	(void)state;
	box_agent(here, &agent, "-s 10");
	assert_done(dre_app_register_pid(here, agent.pid));
	assert_daware(1, "%d\t%d\t10\there\tagent\n", agent.pid, agent.vpid);
	assert_done(dre_app_unregister_vpid(here, agent.vpid));
	assert_true(nothing_registered());
	assert_false(is_gone(agent.pid));
	/* Its next call puts it back. */
	kill(agent.pid, SIGURG);
	assert_true(eventually(listed(here, agent.pid) == agent.vpid));
}

static void of_the_host(void **state)
{
	struct agent agent;

	(void)state;
	host_agent(&agent, "");
	assert_done(dre_app_register_pid(here, agent.pid));
	assert_int_equal(listed(here, agent.pid), 0);
	assert_daware(1, "%d\t0\t-\there\tagent\n", agent.pid);
	/* It is not to be seen from inside. */
	assert_daware(here_init, "%s", "");
	world_mark();
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_register_pid(there, agent.pid));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_unregister_vpid(here, 0));
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_unregister_pid(there, agent.pid));
	assert_done(dre_app_unregister_pid(here, agent.pid));
	assert_true(nothing_registered());
	/* Free again, it may go elsewhere. */
	assert_done(dre_app_register_pid(there, agent.pid));
	assert_int_equal(listed(there, agent.pid), 0);
}

/* On the host, with no container at all. */
static void of_the_host_by_itself(void **state)
{
	struct agent agent;

	(void)state;
	host_agent(&agent, "-s 10");
	assert_daware(1, "%d\t0\t10\t-\tagent\n", agent.pid);
	assert_daware(here_init, "%s", "");
	assert_int_equal(count_listed(here), 0);
}

/* The number of process @pid, or of its thread, at each level, outermost first. */
static int numbers_of(pid_t pid, int numbers[4])
{
	char path[64], *text, *line;
	int nr, n = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = read_file(path);
	assert_non_null(text);
	line = strstr(text, "\nNSpid:") + strlen("\nNSpid:");
	for (nr = 0; nr < 4 && *line != '\n' && sscanf(line, "%d%n", &numbers[nr], &n) == 1; nr++)
		line += n;
	free(text);
	return nr;
}

static void in_a_nested_namespace(void **state)
{
	struct agent agent;
	int numbers[4], pid;
	char *text;

	(void)state;
	box_agent(here, &agent, "-p -n nested -s 10");
	text = read_daware(1);
	assert_int_equal(sscanf(text, DAWARE_HEADER "%d", &pid), 1);
	free(text);
	assert_int_equal(numbers_of(pid, numbers), 3);
	assert_int_equal(numbers[2], 1);
	/* The VPID is the one in the container's own namespace. */
	assert_int_equal(listed(here, pid), numbers[1]);
	assert_daware(1, "%d\t%d\t10\there\tnested\n", pid, numbers[1]);
	assert_daware(here_init, "%d\t%d\t10\there\tnested\n", numbers[1], numbers[1]);
	assert_done(dre_app_unregister_vpid(here, numbers[1]));
	assert_done(dre_app_register_vpid(here, numbers[1]));
	assert_int_equal(listed(here, pid), numbers[1]);
}

/* The number on the host of the second thread of process @pid. */
static pid_t second_thread(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	pid_t thread = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (!thread && (entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name) && atoi(entry->d_name) != pid)
			thread = atoi(entry->d_name);
	closedir(dir);
	assert_true(thread);
	return thread;
}

/* All four functions, by the process' number on the host and in "here". */
static void assert_all_refused(int to_register, int to_unregister, pid_t pid, pid_t vpid)
{
	world_mark();
	if (pid) {
		assert_refused(to_register, dre_app_register_pid(here, pid));
		assert_refused(to_unregister, dre_app_unregister_pid(here, pid));
	}
	if (vpid) {
		assert_refused(to_register, dre_app_register_vpid(here, vpid));
		assert_refused(to_unregister, dre_app_unregister_vpid(here, vpid));
	}
}

static void numbers_that_name_nothing(void **state)
{
	static const int numbers[] = { 0, -1, INT_MIN };

	(void)state;
	world_mark();
	for (size_t i = 0; i < 3; i++) {
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_register_pid(here, numbers[i]));
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_register_vpid(here, numbers[i]));
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_unregister_pid(here, numbers[i]));
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_unregister_vpid(here, numbers[i]));
	}
	assert_all_refused(DRE_ERR_PID_NONEXISTENCE, DRE_ERR_PID_NONEXISTENCE, 3999999, 3999999);
	assert_all_refused(DRE_ERR_PID_NONEXISTENCE, DRE_ERR_PID_NONEXISTENCE, INT_MAX, INT_MAX);
}

static void numbers_of_no_process(void **state)
{
	struct agent agent;

	(void)state;
	box_agent(here, &agent, "-t -z");
	assert_true(agent.thread && agent.zombie);
	assert_all_refused(DRE_ERR_INVALID_ARGUMENT, DRE_ERR_INVALID_ARGUMENT,
			   second_thread(agent.pid), agent.thread);
	assert_all_refused(DRE_ERR_PID_NONEXISTENCE, DRE_ERR_PID_NONEXISTENCE,
			   host_pid(here_init, agent.zombie), agent.zombie);
	/* kthreadd. */
	assert_all_refused(DRE_ERR_INVALID_ARGUMENT, DRE_ERR_INVALID_ARGUMENT, 2, 0);
	/* The process itself is none of these. */
	assert_done(dre_app_register_pid(here, agent.pid));
}

static void of_another_container(void **state)
{
	struct agent agent;

	(void)state;
	box_agent(there, &agent, "-s 10");
	assert_all_refused(DRE_ERR_INVALID_ARGUMENT, DRE_ERR_PID_NONEXISTENCE, agent.pid, 0);
	assert_all_refused(DRE_ERR_INVALID_ARGUMENT, DRE_ERR_PID_NONEXISTENCE, there_init, 0);
	assert_int_equal(count_listed(there), 1);
}

/* The module goes and comes while containers run. */
static void module_is_replaced(void **state)
{
	struct agent agent, other;
	dre_app_pid_list_t list = NULL;

	(void)state;
	box_agent(here, &agent, "-u 65534 -s 10");
	box_agent(here, &other, "-n other");
	assert_done(dre_app_register_pid(here, other.pid));
	unload_module();
	world_mark();
	assert_refused(DRE_ERR_DAWARE_MOD_NONEXISTENCE, dre_app_register_pid(here, other.pid));
	assert_refused(DRE_ERR_DAWARE_MOD_NONEXISTENCE,
		       dre_app_get_registered_pid_list(here, &list));
	assert_null(list);
	assert_int_equal(dre_app_status(here), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(box_run(here, "true"), 0);

	load_module();
	assert_true(nothing_registered());
	assert_false(module_knows("here"));
	/* The next call tells it of the container ... */
	assert_done(dre_app_register_pid(here, other.pid));
	assert_true(module_knows("here"));
	assert_false(module_knows("there"));
	assert_int_equal(count_listed(there), 0);
	assert_true(module_knows("there"));
	assert_int_equal(listed(here, other.pid), other.vpid);
	assert_int_equal(count_listed(here), 1);
	/* ... and that of the D-Aware process all that it had registered. */
	kill(agent.pid, SIGURG);
	assert_true(eventually(count_listed(here) == 2));
	assert_daware(here_init, "%d\t%d\t10,12\there\tagent\n%d\t%d\t-\there\tother\n",
		      agent.vpid, agent.vpid, other.vpid, other.vpid);
}

/* A line of /proc/daware as it must be; returns its PID. */
static int check_line(const char *line, pid_t viewer)
{
	char signals[64], name[64], comm[64], extra;
	int pid, vpid;

	if (sscanf(line, "%d\t%d\t%63[^\t]\t%63[^\t]\t%63s%c", &pid, &vpid, signals, name, comm,
		   &extra) != 5) {
		printf("# malformed: %s\n", line);
		fail();
	}
	assert_true(pid > 0);
	assert_true(vpid > 0);
	if (viewer != 1)
		assert_int_equal(pid, vpid);
	assert_string_equal(name, "here");
	return pid;
}

/* Reads it in pieces. @stable is there once; and each process at most once, in order. */
static size_t check_daware(pid_t viewer, pid_t stable)
{
	char path[64], text[64 * 1024], *rest = text, *line;
	size_t len = 0, lines = 0, found = 0;
	int fd, last = 0, pid;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/root/proc/daware", viewer);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	while (len < sizeof(text) - 100 && (n = read(fd, text + len, 100)) > 0)
		len += n;
	close(fd);
	text[len] = '\0';
	assert_int_equal(strncmp(text, DAWARE_HEADER, strlen(DAWARE_HEADER)), 0);
	rest += strlen(DAWARE_HEADER);
	while ((line = strsep(&rest, "\n")) && *line) {
		pid = check_line(line, viewer);
		assert_true(pid > last);
		last = pid;
		found += pid == stable;
		lines++;
	}
	assert_int_equal(found, 1);
	return lines;
}

static void while_processes_come_and_go(void **state)
{
	struct agent agent;
	size_t most = 0, reads = 0;
	int status;
	pid_t pid;

	(void)state;
	box_agent(here, &agent, "-s 10");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(box_run(here, "agent -n one -c 350 & agent -n two -c 350 & "
				    "agent -n three -c 350 & wait %1 && wait %2 && wait %3"));
	while (waitpid(pid, &status, WNOHANG) == 0) {
		size_t seen = check_daware(1, agent.pid);

		most = seen > most ? seen : most;
		check_daware(here_init, agent.vpid);
		reads += 2;
	}
	assert_int_equal(status, 0);
	printf("# read %zu times, %zu processes at most\n", reads, most);
	assert_true(most > 1);
	assert_true(eventually(check_daware(1, agent.pid) == 1));
	assert_int_equal(count_listed(here), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(by_itself, kill_agents),
		cmocka_unit_test_teardown(inside_by_a_command, kill_agents),
		cmocka_unit_test_teardown(by_a_manager, kill_agents),
		cmocka_unit_test_teardown(taken_out_by_a_manager, kill_agents),
		cmocka_unit_test_teardown(of_the_host, kill_agents),
		cmocka_unit_test_teardown(of_the_host_by_itself, kill_agents),
		cmocka_unit_test_teardown(in_a_nested_namespace, kill_agents),
		cmocka_unit_test_teardown(numbers_that_name_nothing, kill_agents),
		cmocka_unit_test_teardown(numbers_of_no_process, kill_agents),
		cmocka_unit_test_teardown(of_another_container, kill_agents),
		cmocka_unit_test_teardown(while_processes_come_and_go, kill_agents),
		cmocka_unit_test_teardown(module_is_replaced, kill_agents),
	};

	return BOX_MAIN(tests, setup);
}
