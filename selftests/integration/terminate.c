// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stopping in good order: the D-Aware processes first, each by the signal that
 * it asked for; then init; then the rest. The journal tells.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "box.h"

/* Each far from the other, and from the time that a stop takes by itself. */
#define STOP_TIMEOUT	100
#define HALT_TIMEOUT	100
#define SHORT		10

static int reset(void **state)
{
	use_conf("stop_timeout = 100\nhalt_timeout = 100\n");
	return box_destroy_all(state);
}

/* Stops it, and returns how long that took, in milliseconds. */
static long long stop(const dre_app_handle *h)
{
	long long start = now_ms();

	assert_done(dre_app_stop(h));
	start = now_ms() - start;
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
	assert_true(nothing_registered());
	return start;
}

/* What stands in the journal, without the times and what went before; the caller frees it. */
static char *journal_of_end(const dre_app_handle *h)
{
	char *text = box_read(h, JOURNAL), *from = strstr(text, "init starts\n"), *to = text;

	assert_non_null(from);
	from += strlen("init starts\n");
	while (*from) {
		from += strcspn(from, " ") + 1;
		while (*from && (*to++ = *from++) != '\n')
			;
	}
	*to = '\0';
	return text;
}

static void assert_journal(const dre_app_handle *h, const char *expected)
{
	char *text = journal_of_end(h);

	assert_string_equal(text, expected);
	free(text);
}

/* When something was written in the journal, in milliseconds. */
static long long time_of(const dre_app_handle *h, const char *what)
{
	char *text = box_read(h, JOURNAL), *at = strstr(text, what);
	double seconds;

	assert_non_null(at);
	while (at > text && at[-1] != '\n')
		at--;
	assert_int_equal(sscanf(at, "%lf", &seconds), 1);
	free(text);
	return seconds * 1000;
}

/* Not SIGTERM, which halting would send anyway. */
static void by_the_registered_signal(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10");
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000);
	assert_journal(h, "agent terminates 10\nagent ends 0\ninit halts\n");
}

static void by_the_first_of_several(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 12,15,10,34");
	stop(h);
	assert_journal(h, "agent terminates 12\nagent ends 0\ninit halts\n");
}

static void as_another_user(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-u 65534 -s 10");
	stop(h);
	assert_journal(h, "agent terminates 10\nagent ends 0\ninit halts\n");
}

/* All of them, wherever they live in it; what is not registered meets init's end. */
static void all_of_them(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;
	long long halts;

	(void)state;
	box_agent(h, &agent, "-n one -s 10");
	box_agent(h, &agent, "-n two -s 12 -w 2");
	box_agent(h, &agent, "-n nested -p -s 34");
	box_agent(h, &agent, "-n other");
	stop(h);
	halts = time_of(h, "init halts");
	assert_in_range(time_of(h, "one ends"), 1, halts);
	assert_in_range(time_of(h, "two ends"), 1, halts);
	assert_in_range(time_of(h, "nested ends"), 1, halts);
	assert_false(box_says(h, "other"));
	/* The slow one was waited for, and the others did not have to wait for it. */
	assert_in_range(time_of(h, "two ends") - time_of(h, "one ends"), 1000, 30000);
}

static void a_refusal_is_not_waited_for(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10 -m refuse");
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000 - 1);
	assert_true(is_gone(agent.pid));
	assert_journal(h, "agent refuses 10\ninit halts\n");
}

static void who_ignores_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent, other;

	(void)state;
	use_conf("stop_timeout = 10\nhalt_timeout = 100\n");
	box_agent(h, &agent, "-s 10 -m ignore");
	box_agent(h, &other, "-n other -s 10");
	assert_in_range(stop(h), SHORT * 1000, HALT_TIMEOUT * 1000 - 1);
	assert_true(is_gone(agent.pid));
	assert_in_range(time_of(h, "init halts") - time_of(h, "agent ignores"),
			SHORT * 500, HALT_TIMEOUT * 1000 - 1);
	assert_true(box_says(h, "other ends"));
}

/* It registered nothing: nobody waits for it. */
static void registered_by_the_manager(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "");
	assert_done(dre_app_register_pid(h, agent.pid));
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000 - 1);
	assert_journal(h, "init halts\n");
}

/* A process of the host that was put under the container's control goes with it, in good order. */
static void a_process_of_the_host(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent, silent;
	char *journal;

	(void)state;
	unlink("/run/journal");
	host_agent(&agent, "-s 10");
	host_agent(&silent, "-n silent");
	assert_done(dre_app_register_pid(h, agent.pid));
	assert_done(dre_app_register_pid(h, silent.pid));
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000 - 1);
	assert_true(eventually(is_gone(agent.pid)));
	journal = read_file("/run/journal");
	assert_non_null(strstr(journal, "agent terminates 10\n"));
	free(journal);
	/* It never said that it terminates: it is none of the container's. */
	assert_false(is_gone(silent.pid));
	kill(silent.pid, SIGKILL);
}

static void a_suspended_container(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10");
	assert_done(dre_app_suspend(h));
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000 - 1);
	assert_journal(h, "agent terminates 10\nagent ends 0\ninit halts\n");
}

/* The processes go by themselves just then. */
static void who_is_gone_is_not_waited_for(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10 -w 300");
	assert_int_equal(box_run(h, "(sleep 2; killall -9 agent) >/dev/null 2>&1 &"), 0);
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000 - 1);
	assert_journal(h, "init halts\n");
}

/* Init itself is the only one that is asked. */
static void without_the_module(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10");
	unload_module();
	assert_done(dre_app_stop(h));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
	load_module();
	assert_true(is_gone(agent.pid));
	assert_journal(h, "init halts\n");
}

/* An init that does not know the signal. */
static void init_that_does_not_halt(void **state)
{
	struct stat st;
	dre_app_handle *h;
	pid_t init;
	int nr = 0;

	(void)state;
	assert_int_equal(system("cd /run && rm -rf stubborn && cp -a base stubborn && "
				"printf '#!/bin/sh\\nwhile :; do sleep 1; done\\n' "
				">stubborn/sbin/init"), 0);
	assert_return_code(stat("/run/stubborn/sbin/init", &st), errno);
	/* The base stays: it may be there from the last run. */
	nr = dre_app_import_base("stubborn", "/run/stubborn", NULL, NULL);
	assert_true(nr == 0 || nr == DRE_ERR_BASE_EXISTENCE);
	h = box_create_with("c", "stubborn", 0);
	assert_done(dre_app_start(h));
	init = box_init(h);
	use_conf("stop_timeout = 100\nhalt_timeout = 10\n");
	assert_in_range(stop(h), SHORT * 1000, STOP_TIMEOUT * 1000 - 1);
	assert_true(is_gone(init));

	/* It need not even be asked. */
	assert_done(dre_app_start(h));
	use_conf("stop_timeout = 100\nhalt_timeout = 0\n");
	assert_in_range(stop(h), 0, STOP_TIMEOUT * 1000 - 1);
}

/* What is dead but stays, as a process does that hangs in the kernel: nobody but us can take it away. */
static pid_t hold(pid_t pid)
{
	pid_t holder;
	int fds[2];
	char byte;

	fflush(stdout);
	assert_int_equal(pipe(fds), 0);
	holder = fork();
	if (!holder) {
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) || write(fds[1], "", 1) != 1)
			_exit(1);
		sleep(STOP_TIMEOUT);
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return holder;
}

static void init_that_does_not_end(void **state)
{
	const dre_app_stop_options now = { .size = sizeof(now), .kill = true };
	dre_app_handle *h = box_start("c");
	pid_t holder = hold(box_init(h));

	(void)state;
	assert_int_equal(dre_app_stop_with(h, &now), DRE_ERR_DEVICE_BUSY);
	if (!strstr(dre_last_error(), "container 'c' is killed, but does not end"))
		fail_msg("%s", dre_last_error());
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP));
	assert_done(dre_app_start(h));
	assert_done(dre_app_stop(h));
}

/* The wait may be switched off, too. */
static void no_time_at_all(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10 -m ignore");
	use_conf("stop_timeout = 0\nhalt_timeout = 100\n");
	assert_in_range(stop(h), 0, HALT_TIMEOUT * 1000 - 1);
	assert_true(box_says(h, "init halts\n"));
}

static int setup(void **state)
{
	return reset(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(by_the_registered_signal, reset),
		cmocka_unit_test_teardown(by_the_first_of_several, reset),
		cmocka_unit_test_teardown(as_another_user, reset),
		cmocka_unit_test_teardown(all_of_them, reset),
		cmocka_unit_test_teardown(a_refusal_is_not_waited_for, reset),
		cmocka_unit_test_teardown(who_ignores_is_killed, reset),
		cmocka_unit_test_teardown(registered_by_the_manager, reset),
		cmocka_unit_test_teardown(a_process_of_the_host, reset),
		cmocka_unit_test_teardown(a_suspended_container, reset),
		cmocka_unit_test_teardown(who_is_gone_is_not_waited_for, reset),
		cmocka_unit_test_teardown(without_the_module, reset),
		cmocka_unit_test_teardown(init_that_does_not_halt, reset),
		cmocka_unit_test_teardown(init_that_does_not_end, reset),
		cmocka_unit_test_teardown(no_time_at_all, reset),
	};

	return BOX_MAIN(tests, setup);
}
