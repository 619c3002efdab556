// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SIGPIPE, while it is held back.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/sigpipe.h"

static volatile sig_atomic_t seen;

static void see(int signo)
{
	(void)signo;
	seen++;
}

/* What libvirt does. */
static void write_to_nobody(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(write(fds[1], "", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[1]);
}

static bool is_pending(void)
{
	sigset_t set;

	assert_int_equal(sigpending(&set), 0);
	return sigismember(&set, SIGPIPE);
}

static void change_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	assert_int_equal(pthread_sigmask(how, &set, NULL), 0);
}

static bool is_blocked(void)
{
	sigset_t set;

	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &set), 0);
	return sigismember(&set, SIGPIPE);
}

static void held(void **state)
{
	struct sigpipe s = {}, inner = {};

	(void)state;
	sigpipe_release(&s);
	sigpipe_hold(&s);
	sigpipe_hold(&s);
	write_to_nobody();
	assert_int_equal(seen, 0);
	sigpipe_hold(&inner);
	write_to_nobody();
	sigpipe_release(&inner);
	assert_true(is_blocked());
	sigpipe_release(&s);
	assert_int_equal(seen, 0);
	assert_false(is_blocked());
	assert_false(is_pending());
	write_to_nobody();
	assert_int_equal(seen, 1);
	seen = 0;
}

/* The application blocks it: what is pending is its own. */
static void blocked(void **state)
{
	struct sigpipe s = {};

	(void)state;
	change_mask(SIG_BLOCK);
	sigpipe_hold(&s);
	write_to_nobody();
	sigpipe_release(&s);
	assert_true(is_blocked());
	assert_false(is_pending());
	write_to_nobody();
	sigpipe_hold(&s);
	write_to_nobody();
	sigpipe_release(&s);
	assert_true(is_pending());
	change_mask(SIG_UNBLOCK);
	assert_int_equal(seen, 1);
	seen = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held),
		cmocka_unit_test(blocked),
	};

	signal(SIGPIPE, see);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
