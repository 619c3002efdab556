// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module client where there is no module. With it, it is tested by those
 * who stand on it, on a kernel that has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "module.h"
#include "sandbox.h"

static const uint8_t signals[DRE_SIGNALS_MAX + 1] = { SIGTERM };

static int remove_node(void **state)
{
	(void)state;
	unlink("/dev/dre");
	return 0;
}

static void expect_self_requests(int ret)
{
	assert_int_equal(dre_module_self_register(signals, 1), ret);
	assert_int_equal(dre_module_self_unregister(), ret);
	assert_int_equal(dre_module_self_refuse(SIGTERM), ret);
}

static void no_node(void **state)
{
	(void)state;
	assert_int_equal(dre_module_open(), -ENODEV);
	expect_self_requests(-ENODEV);
}

static void node_without_module(void **state)
{
	/* Opening a socket fails as opening a node fails whose driver is gone. */
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/dre" };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	assert_return_code(bind(fd, (const struct sockaddr *)&address, sizeof(address)), errno);
	assert_int_equal(open("/dev/dre", O_RDWR), -1);
	assert_int_equal(errno, ENXIO);
	assert_int_equal(dre_module_open(), -ENODEV);
	expect_self_requests(-ENODEV);
	close(fd);
}

static void node_of_another_kind(void **state)
{
	int fd = open("/dev/dre", O_CREAT | O_WRONLY | O_EXCL, 0600), lowest;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	expect_self_requests(-ENOTTY);
	/* Nothing is left open. */
	lowest = open("/dev/null", O_RDONLY);
	assert_int_equal(lowest, fd);
	close(lowest);
}

static void node_is_a_loop(void **state)
{
	(void)state;
	assert_return_code(symlink("dre", "/dev/dre"), errno);
	assert_int_equal(dre_module_open(), -ELOOP);
	expect_self_requests(-ELOOP);
}

static void node_is_close_on_exec(void **state)
{
	int fd = open("/dev/dre", O_CREAT | O_WRONLY | O_EXCL, 0600);

	(void)state;
	close(fd);
	fd = dre_module_open();
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

static void impossible_arguments(void **state)
{
	char name[DRE_NAME_SIZE + 1];
	int null = open("/dev/null", O_RDWR);

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(dre_module_self_register(signals, DRE_SIGNALS_MAX + 1), -EINVAL);
	assert_int_equal(dre_module_self_refuse(0), -EINVAL);
	assert_int_equal(dre_module_self_refuse(DRE_SIGNALS_MAX + 1), -EINVAL);
	assert_int_equal(dre_module_self_refuse(-1), -EINVAL);
	assert_int_equal(dre_module_container_create(null, DRE_CONTAINER_APP, name, 1), -EINVAL);
	assert_int_equal(dre_module_container_open(null, DRE_CONTAINER_APP, name, 0), -EINVAL);
	assert_int_equal(dre_module_process_register(null, 1, 0, signals, DRE_SIGNALS_MAX + 1),
			 -EINVAL);
	close(null);
}

static void expect_requests(int fd, int ret)
{
	struct dre_process_info *list = (void *)&list;
	uint32_t signalled = 7, silent = 8;
	size_t nr = 9;

	assert_int_equal(dre_module_container_create(fd, DRE_CONTAINER_APP, "web", 1), ret);
	assert_int_equal(dre_module_container_open(fd, DRE_CONTAINER_APP, "web", 0), ret);
	assert_int_equal(dre_module_process_register(fd, 1, 0, NULL, 0), ret);
	assert_int_equal(dre_module_process_unregister(fd, 1, 0), ret);
	assert_int_equal(dre_module_pid_to_vpid(fd, 1), ret);
	assert_int_equal(dre_module_vpid_to_pid(fd, 1), ret);
	assert_int_equal(dre_module_process_list(fd, &list, &nr), ret);
	assert_ptr_equal(list, &list);
	assert_int_equal(nr, 9);
	assert_int_equal(dre_module_terminate(fd, &signalled, &silent), ret);
	assert_int_equal(signalled, 7);
	assert_int_equal(silent, 8);
}

static void files_that_are_not_the_modules(void **state)
{
	int null = open("/dev/null", O_RDWR);

	(void)state;
	expect_requests(-1, -EBADF);
	expect_requests(null, -ENOTTY);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_node),
		cmocka_unit_test_teardown(node_without_module, remove_node),
		cmocka_unit_test_teardown(node_of_another_kind, remove_node),
		cmocka_unit_test_teardown(node_is_a_loop, remove_node),
		cmocka_unit_test_teardown(node_is_close_on_exec, remove_node),
		cmocka_unit_test(impossible_arguments),
		cmocka_unit_test(files_that_are_not_the_modules),
	};

	sandbox_enter();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
