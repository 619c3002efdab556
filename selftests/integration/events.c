// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Following events: dre_app_events_*(). Two containers, "here" and "there", run
 * all the time; "later" is started by tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/dre.h>

#include "box.h"
#include "calls.h"

#define GROUP	CGROUPS "/dre/app/here/workers"

static dre_app_handle *here, *there, *later;
static pid_t here_init;
static dre_app_events *events;
static pid_t child;	/* that waits to be killed, or 0 */

static int setup(void **state)
{
	(void)state;
	here = box_start("here");
	there = box_start("there");
	later = box_create("later");
	here_init = box_init(here);
	/* The first command makes a control group, and that of liblxc's own is not to be told of. */
	assert_int_equal(box_run(here, "true"), 0);
	return 0;
}

static void follow(const char *name)
{
	char *names[] = { (char *)name, NULL };

	assert_done(dre_app_events_open(name ? names : NULL, &events));
}

/* The next event, which comes in time; or NULL. */
static const dre_app_event *next_event(void)
{
	struct pollfd wait = { .fd = dre_app_events_fd(events), .events = POLLIN };
	long long end = now_ms() + DEADLINE * 1000;
	const dre_app_event *event = NULL;

	do {
		assert_done(dre_app_events_next(events, &event));
	} while (!event && now_ms() < end && poll(&wait, 1, end - now_ms()) == 1);
	return event;
}

static pid_t fork_waiting(void)
{
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(pause());
	return child;
}

static void end_child(void)
{
	if (child) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = 0;
}

/*
 * The end of a process is told a moment after it. The order is that of the ends, so who follows
 * from now on hears of none that was before.
 */
static void wait_until_ends_are_told(void)
{
	const dre_app_event *event;
	pid_t last;

	follow("here");
	last = fork_waiting();
	assert_done(dre_app_register_pid(here, last));
	end_child();
	do {
		event = next_event();
		assert_non_null(event);
	} while (event->type != DRE_APP_EVENT_EXITED || event->pid != last);
	assert_done(dre_app_events_close(events));
	events = NULL;
}

static int clean_up(void **state)
{
	(void)state;
	if (events)
		assert_done(dre_app_events_close(events));
	events = NULL;
	end_child();
	(void)!system("pkill -KILL -f '^[^ ]*agent '");
	assert_true(eventually(nothing_registered()));
	wait_until_ends_are_told();
	unlink("/run/journal");
	assert_true(eventually(rmdir(GROUP) == 0 || errno == ENOENT));
	return 0;
}

static const dre_app_event *expect(dre_app_event_type_t type, const char *container, int pid,
				   int vpid)
{
	const dre_app_event *event = next_event();

	assert_non_null(event);
	if (event->type != type || event->pid != pid || event->vpid != vpid)
		printf("# %s: event %d of %d (%d)\n", event->container, event->type, event->pid,
		       event->vpid);
	assert_int_equal(event->type, type);
	assert_string_equal(event->container, container);
	assert_int_equal(event->pid, pid);
	assert_int_equal(event->vpid, vpid);
	return event;
}

static void expect_nothing(void)
{
	struct pollfd wait = { .fd = dre_app_events_fd(events), .events = POLLIN };
	const dre_app_event *event;

	do {
		assert_done(dre_app_events_next(events, &event));
		assert_null(event);
	} while (poll(&wait, 1, 100) == 1);	/* a change of no interest wakes us up, too */
}

static long long wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static long long event_ns(const dre_app_event *event)
{
	return event->time.tv_sec * 1000000000LL + event->time.tv_nsec;
}

/* What does not belong to an event's type is 0. */
static void assert_only(const dre_app_event *event, int by, int status, int signal, int lost)
{
	assert_int_equal(event->by, by);
	assert_int_equal(event->status, status);
	assert_int_equal(event->signal, signal);
	assert_int_equal(event->lost, lost);
	if (event->type != DRE_APP_EVENT_BOUND && event->type != DRE_APP_EVENT_UNBOUND)
		assert_null(event->group);
}

static void of_registrations(void **state)
{
	const dre_app_event *event;
	long long before, after;
	struct agent agent;

	(void)state;
	follow("here");
	expect_nothing();
	before = wall_ns();
	box_agent(here, &agent, "-n 'a) (b\\\n' -s 10");
	event = expect(DRE_APP_EVENT_REGISTERED, "here", agent.pid, agent.vpid);
	assert_only(event, DRE_APP_BY_ITSELF, 0, 0, 0);
	assert_string_equal(event->comm, "a) (b\\\\\\n");
	after = wall_ns();
	assert_in_range(event_ns(event) - before, 0, after - before);

	assert_done(dre_app_register_pid(here, agent.pid));
	event = expect(DRE_APP_EVENT_REGISTERED, "here", agent.pid, agent.vpid);
	assert_only(event, DRE_APP_BY_MANAGER, 0, 0, 0);
	assert_done(dre_app_unregister_vpid(here, agent.vpid));
	event = expect(DRE_APP_EVENT_UNREGISTERED, "here", agent.pid, agent.vpid);
	assert_only(event, DRE_APP_BY_ITSELF | DRE_APP_BY_MANAGER, 0, 0, 0);
	expect_nothing();
}

static void of_exits(void **state)
{
	const dre_app_event *event;
	struct agent agent;
	pid_t pid;

	(void)state;
	follow("here");
	box_agent(here, &agent, "-s 10");
	expect(DRE_APP_EVENT_REGISTERED, "here", agent.pid, agent.vpid);
	kill(agent.pid, SIGKILL);
	event = expect(DRE_APP_EVENT_EXITED, "here", agent.pid, agent.vpid);
	assert_only(event, 0, SIGKILL, 0, 0);

	/* One of the host, whose parent does not reap it: it still has a name. */
	pid = fork_waiting();
	assert_done(dre_app_register_pid(here, pid));
	expect(DRE_APP_EVENT_REGISTERED, "here", pid, 0);
	kill(pid, SIGTERM);
	event = expect(DRE_APP_EVENT_EXITED, "here", pid, 0);
	assert_only(event, 0, SIGTERM, 0, 0);
	assert_string_equal(event->comm, "events");
	end_child();

	box_agent(here, &agent, "-n code -s 10 -m exit");
	assert_done(dre_app_register_pid(here, agent.pid));
	expect(DRE_APP_EVENT_REGISTERED, "here", agent.pid, agent.vpid);
	expect(DRE_APP_EVENT_REGISTERED, "here", agent.pid, agent.vpid);
	kill(agent.pid, 10);
	/* libdaware takes its registration back when the program exits. */
	event = expect(DRE_APP_EVENT_UNREGISTERED, "here", agent.pid, agent.vpid);
	assert_only(event, DRE_APP_BY_ITSELF, 0, 0, 0);
	event = expect(DRE_APP_EVENT_EXITED, "here", agent.pid, agent.vpid);
	assert_true(WIFEXITED(event->status));
	expect_nothing();
}

static void of_refusals(void **state)
{
	const dre_app_event *event;
	struct agent agent;

	(void)state;
	box_agent(here, &agent, "-s 10 -m refuse");
	follow("here");
	kill(agent.pid, 10);
	event = expect(DRE_APP_EVENT_REFUSED, "here", agent.pid, agent.vpid);
	assert_only(event, 0, 0, 10, 0);
	expect_nothing();
}

/* The name of a program is not that of another one, which has its number now. */
static void of_one_whose_number_came_back(void **state)
{
	const dre_app_event *event;
	struct agent agent;
	char last[16];
	FILE *f;

	(void)state;
	follow("here");
	host_agent(&agent, "");
	assert_done(dre_app_register_pid(here, agent.pid));
	kill(agent.pid, SIGKILL);
	assert_true(eventually(kill(agent.pid, 0) != 0));
	usleep(50000);		/* ticks of the clock that starts are noted by */
	do {
		f = fopen("/proc/sys/kernel/ns_last_pid", "we");
		assert_non_null(f);
		snprintf(last, sizeof(last), "%d", agent.pid - 1);
		fputs(last, f);
		fclose(f);
		end_child();
	} while (fork_waiting() != agent.pid);
	event = expect(DRE_APP_EVENT_REGISTERED, "here", agent.pid, 0);
	assert_null(event->comm);
	event = expect(DRE_APP_EVENT_EXITED, "here", agent.pid, 0);
	assert_null(event->comm);
}

static void of_bindings(void **state)
{
	const dre_app_event *event;
	struct agent agent;

	(void)state;
	follow("here");
	assert_done(dre_app_create_cgroup(here, "workers"));
	box_agent(here, &agent, "");
	assert_done(dre_app_bind_pid(here, "workers", agent.pid));
	event = expect(DRE_APP_EVENT_BOUND, "here", agent.pid, agent.vpid);
	assert_string_equal(event->group, "workers");
	assert_string_equal(event->comm, "agent");
	assert_only(event, 0, 0, 0, 0);
	assert_done(dre_app_unbind_pid(here, "workers", agent.pid));
	event = expect(DRE_APP_EVENT_UNBOUND, "here", agent.pid, agent.vpid);
	assert_string_equal(event->group, "workers");
	/* It is known by its name still when it is gone. */
	assert_done(dre_app_bind_pid(here, "workers", agent.pid));
	kill(agent.pid, SIGKILL);
	assert_true(eventually(is_gone(agent.pid)));
	assert_true(eventually(rmdir(GROUP) == 0));
	event = expect(DRE_APP_EVENT_BOUND, "here", agent.pid, agent.vpid);
	assert_string_equal(event->group, "workers");
	event = expect(DRE_APP_EVENT_UNBOUND, "here", agent.pid, agent.vpid);
	assert_string_equal(event->group, "workers");
	expect_nothing();
}

/* Made and removed before we look. */
static void of_a_group_that_was_never_seen(void **state)
{
	const dre_app_event *event;
	struct agent agent;

	(void)state;
	follow("here");
	assert_done(dre_app_create_cgroup(here, "workers"));
	box_agent(here, &agent, "");
	assert_done(dre_app_bind_pid(here, "workers", agent.pid));
	assert_done(dre_app_unbind_pid(here, "workers", agent.pid));
	assert_done(dre_app_destroy_cgroup(here, "workers"));
	event = expect(DRE_APP_EVENT_BOUND, "here", agent.pid, agent.vpid);
	assert_null(event->group);
	event = expect(DRE_APP_EVENT_UNBOUND, "here", agent.pid, agent.vpid);
	assert_null(event->group);
	expect_nothing();
}

/* More than whoever follows keeps in mind. */
#define MANY_GROUPS	300

static void bind_to_new_groups(const struct agent *agent)
{
	const dre_app_event *event;

	for (int i = 0; i < MANY_GROUPS; i++) {
		assert_done(dre_app_create_cgroup(here, "workers"));
		assert_done(dre_app_bind_pid(here, "workers", agent->pid));
		event = expect(DRE_APP_EVENT_BOUND, "here", agent->pid, agent->vpid);
		assert_string_equal(event->group, "workers");
		assert_done(dre_app_unbind_pid(here, "workers", agent->pid));
		assert_done(dre_app_destroy_cgroup(here, "workers"));
		event = expect(DRE_APP_EVENT_UNBOUND, "here", agent->pid, agent->vpid);
		assert_string_equal(event->group, "workers");
	}
}

/* Who follows for months does not get larger by each group that there ever was. */
static void of_groups_without_end(void **state)
{
	struct agent agent;
	size_t before;

	(void)state;
	follow("here");
	box_agent(here, &agent, "");
	bind_to_new_groups(&agent);
	before = mallinfo2().uordblks;
	bind_to_new_groups(&agent);
	assert_in_range(mallinfo2().uordblks, 0, before + 8192);
	expect_nothing();
}

static void of_containers_that_start_and_end(void **state)
{
	const dre_app_event *event;
	struct agent agent;
	pid_t init;

	(void)state;
	follow(NULL);
	expect_nothing();
	/* A second time: it has left, and comes back. */
	for (int i = 0; i < 2; i++) {
		assert_done(dre_app_start(later));
		init = box_init(later);
		event = expect(DRE_APP_EVENT_STARTED, "later", init, 1);
		assert_only(event, 0, 0, 0, 0);
		assert_null(event->comm);
		box_agent(later, &agent, "-s 10");
		expect(DRE_APP_EVENT_REGISTERED, "later", agent.pid, agent.vpid);
		kill(init, SIGKILL);
		event = expect(DRE_APP_EVENT_EXITED, "later", agent.pid, agent.vpid);
		assert_only(event, 0, SIGKILL, 0, 0);
		event = expect(DRE_APP_EVENT_ENDED, "later", init, 1);
		assert_only(event, 0, SIGKILL, 0, 0);
		assert_true(eventually(dre_app_status(later) == DRE_APP_CONTAINER_STATUS_STOP));
		expect_nothing();
	}
}

/* A child of the caller's has all open that the caller had then. */
static void of_one_that_ends_after_a_fork(void **state)
{
	pid_t init;

	(void)state;
	assert_done(dre_app_start(later));
	init = box_init(later);
	follow("later");
	fork_waiting();
	assert_done(dre_app_stop(later));
	expect(DRE_APP_EVENT_ENDED, "later", init, 1);
	expect_nothing();
}

/* It ended and started again before we look. */
static void of_a_container_that_is_restarted_meanwhile(void **state)
{
	pid_t init[2];

	(void)state;
	assert_done(dre_app_start(later));
	init[0] = box_init(later);
	follow("later");
	assert_done(dre_app_stop(later));
	assert_done(dre_app_start(later));
	init[1] = box_init(later);
	assert_done(dre_app_register_vpid(later, 1));
	expect(DRE_APP_EVENT_ENDED, "later", init[0], 1);
	expect(DRE_APP_EVENT_STARTED, "later", init[1], 1);
	assert_done(dre_app_unregister_vpid(later, 1));
	expect(DRE_APP_EVENT_UNREGISTERED, "later", init[1], 1);
	assert_done(dre_app_stop(later));
	expect(DRE_APP_EVENT_ENDED, "later", init[1], 1);
	expect_nothing();
}

/* Only of those that are named, also of one that is not running yet. */
static void of_the_named(void **state)
{
	struct agent agent;
	pid_t init;

	(void)state;
	follow("later");
	box_agent(here, &agent, "-s 10");
	expect_nothing();
	assert_done(dre_app_start(later));
	init = box_init(later);
	expect(DRE_APP_EVENT_STARTED, "later", init, 1);
	kill(agent.pid, SIGKILL);
	assert_true(eventually(nothing_registered()));
	expect_nothing();
	assert_done(dre_app_stop(later));
	expect(DRE_APP_EVENT_ENDED, "later", init, 1);
}

/* In the order of their times, whichever container they are of. */
static void of_several_containers(void **state)
{
	const dre_app_event *event;
	long long last = 0;
	pid_t there_init = box_init(there);

	(void)state;
	follow(NULL);
	for (int i = 0; i < 20; i++) {
		assert_done(dre_app_register_vpid(here, 1));
		assert_done(dre_app_register_vpid(there, 1));
	}
	for (int i = 0; i < 20; i++) {
		event = expect(DRE_APP_EVENT_REGISTERED, "here", here_init, 1);
		assert_true(event_ns(event) >= last);
		last = event_ns(event);
		event = expect(DRE_APP_EVENT_REGISTERED, "there", there_init, 1);
		assert_true(event_ns(event) >= last);
		last = event_ns(event);
	}
	assert_done(dre_app_unregister_vpid(here, 1));
	assert_done(dre_app_unregister_vpid(there, 1));
}

/* Registers init of "here" again and again: quicker than dre_app_register_vpid() does. */
static void register_often(int times)
{
	struct dre_container_open open_here = {
		.size = sizeof(open_here), .type = DRE_CONTAINER_APP, .name = "here",
	};
	struct dre_process process = {
		.size = sizeof(process), .flags = DRE_REGISTER_BY_VPID, .pid = 1,
	};
	int dre = open("/dev/dre", O_RDWR | O_CLOEXEC);

	assert_true(dre >= 0);
	assert_int_equal(ioctl(dre, DRE_IOC_CONTAINER_OPEN, &open_here), 0);
	close(dre);
	while (times--)
		assert_int_equal(ioctl(open_here.fd, DRE_IOC_PROCESS_REGISTER, &process), 0);
	close(open_here.fd);
}

static void of_more_than_have_room(void **state)
{
	const dre_app_event *event;
	unsigned int seen = 0;

	(void)state;
	follow("here");
	register_often(1000);
	while ((event = next_event())->type == DRE_APP_EVENT_REGISTERED)
		seen++;
	assert_int_equal(event->type, DRE_APP_EVENT_LOST);
	assert_only(event, 0, 0, 0, 1000 - seen);
	assert_int_equal(event->pid, 0);
	assert_true(seen > 100);
	assert_done(dre_app_unregister_vpid(here, 1));
	expect(DRE_APP_EVENT_UNREGISTERED, "here", here_init, 1);
}

static void keeps_the_module(void **state)
{
	(void)state;
	follow("later");
	assert_int_not_equal(system("rmmod dre 2>/dev/null"), 0);
	assert_done(dre_app_events_close(events));
	events = NULL;
	unload_module();
	load_module();
	/* The new one is told of the containers that run. */
	follow(NULL);
	assert_true(module_knows("here"));
	assert_true(module_knows("there"));
	expect_nothing();
	assert_done(dre_app_register_vpid(here, 1));
	expect(DRE_APP_EVENT_REGISTERED, "here", here_init, 1);
	assert_done(dre_app_unregister_vpid(here, 1));
}

static void that_cannot_be_followed(void **state)
{
	char *absent[] = { "here", "absent", NULL }, *name[] = { NULL, NULL };
	dre_app_events *none = NULL;
	const dre_app_event *event = NULL;
	int status;
	pid_t pid;

	(void)state;
	world_mark();
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_events_open(NULL, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_events_next(NULL, &event));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_events_fd(NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_events_close(NULL));
	assert_refused(DRE_ERR_CONTAINER_NONEXISTENCE, dre_app_events_open(absent, &none));
	for (const struct bad_name *bad = bad_names; bad->code; bad++) {
		name[0] = (char *)bad->name;
		if (bad->name)
			assert_refused(bad->code, dre_app_events_open(name, &none));
	}
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(setuid(65534) ||
		      dre_app_events_open(NULL, &none) != DRE_ERR_PERMISSION_DENIED);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	unload_module();
	world_mark();
	assert_refused(DRE_ERR_DAWARE_MOD_NONEXISTENCE, dre_app_events_open(NULL, &none));
	assert_refused(DRE_ERR_DAWARE_MOD_NONEXISTENCE, dre_app_events_open(absent, &none));
	load_module();
	assert_null(none);
	follow("here");
	assert_int_equal(dre_app_events_next(events, NULL), DRE_ERR_NULL_POINTER);
}

/* Nothing is left open, and whoever has lost its privilege is told so. */
static void closes_what_it_opened(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	world_mark();
	follow(NULL);
	expect_nothing();
	assert_done(dre_app_events_close(events));
	events = NULL;
	assert_true(world_is_as_marked());

	follow(NULL);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		const dre_app_event *event;

		_exit(setuid(65534) || dre_app_events_next(events, &event) !=
					       DRE_ERR_PERMISSION_DENIED);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(of_registrations, clean_up),
		cmocka_unit_test_teardown(of_exits, clean_up),
		cmocka_unit_test_teardown(of_refusals, clean_up),
		cmocka_unit_test_teardown(of_one_whose_number_came_back, clean_up),
		cmocka_unit_test_teardown(of_bindings, clean_up),
		cmocka_unit_test_teardown(of_a_group_that_was_never_seen, clean_up),
		cmocka_unit_test_teardown(of_groups_without_end, clean_up),
		cmocka_unit_test_teardown(of_containers_that_start_and_end, clean_up),
		cmocka_unit_test_teardown(of_one_that_ends_after_a_fork, clean_up),
		cmocka_unit_test_teardown(of_a_container_that_is_restarted_meanwhile, clean_up),
		cmocka_unit_test_teardown(of_the_named, clean_up),
		cmocka_unit_test_teardown(of_several_containers, clean_up),
		cmocka_unit_test_teardown(of_more_than_have_room, clean_up),
		cmocka_unit_test_teardown(closes_what_it_opened, clean_up),
		cmocka_unit_test_teardown(keeps_the_module, clean_up),
		cmocka_unit_test_teardown(that_cannot_be_followed, clean_up),
	};

	return BOX_MAIN(tests, setup);
}
