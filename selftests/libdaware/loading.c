// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The shared library as programs find it: loaded and unloaded while in use, in
 * a program with more thread-local storage than the dispatcher's stack holds.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include "daware.h"
#include "sandbox.h"

static _Thread_local char thread_local_storage[1024 * 1024];
static atomic_int nr_calls;

static int count(int signo, void *arg)
{
	(void)arg;
	memset(thread_local_storage, 1, sizeof(thread_local_storage));
	nr_calls += thread_local_storage[signo];
	return 0;
}

static void callbacks_survive_dlclose(void **state)
{
	DTermination *(*add)(int, int (*)(int, void *), void *);
	void (*remove)(DTermination *);
	DTermination *handle;
	struct sigaction now;
	void *library;

	(void)state;
	library = dlopen("libdaware.so.1", RTLD_NOW);
	if (!library)
		fail_msg("%s", dlerror());
	*(void **)&add = dlsym(library, "daware_termination_register_callback");
	*(void **)&remove = dlsym(library, "daware_termination_unregister_callback");
	assert_true(add && remove);
	handle = add(SIGTERM, count, NULL);
	assert_non_null(handle);
	assert_int_equal(errno, ENODEV);

	assert_int_equal(dlclose(library), 0);
	assert_return_code(kill(getpid(), SIGTERM), errno);
	wait_until(nr_calls == 1);
	remove(handle);
	assert_return_code(sigaction(SIGTERM, NULL, &now), errno);
	assert_ptr_equal(now.sa_handler, SIG_DFL);
	wait_until(count_threads() == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callbacks_survive_dlclose),
	};

	sandbox_enter();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
