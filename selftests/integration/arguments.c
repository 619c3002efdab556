// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What no caller should give: every function survives it, says so with its
 * code, and changes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "box.h"
#include "calls.h"

static dre_app_handle *running;

static int setup(void **state)
{
	(void)state;
	running = box_start("running");
	/* Attaching makes a control group, once; and init has written what it writes. */
	assert_int_equal(box_run(running, "true"), 0);
	return 0;
}

static int mark(void **state)
{
	(void)state;
	use_conf("");
	world_mark();
	return 0;
}

static void names(void **state)
{
	(void)state;
	for (int function = 0; function < NR_CALLS; function++) {
		for (const struct bad_name *bad = bad_names; bad->code; bad++) {
			int code = function == OPEN ? -1 : bad->code;
			int got = call_function(function, bad->name);

			if (got != code)
				printf("# %s, name %.20s\n", call_names[function], bad->name);
			assert_int_equal(got, code);
			assert_true(*dre_last_error() && !strchr(dre_last_error(), '\n'));
		}
	}
	assert_true(world_is_as_marked());
}

/* What dre_app_open() has no code for is in its text. */
static void open_says_why(void **state)
{
	static char longest[65];

	(void)state;
	memset(longest, 'x', 64);
	assert_null(dre_app_open(longest));
	assert_non_null(strstr(dre_last_error(), "63"));
	assert_null(dre_app_open("a/b"));
	assert_non_null(strstr(dre_last_error(), "a/b"));
	assert_null(dre_app_open("absent"));
	assert_non_null(strstr(dre_last_error(), "absent"));
	assert_true(world_is_as_marked());
}

static void null_pointers(void **state)
{
	const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	const dre_app_create_options options = { .size = sizeof(options) };
	const dre_app_build_options build = { .size = sizeof(build) };
	const dre_app_exec_options exec = { .size = sizeof(exec) };
	char *const argv[] = { "true", NULL };
	dre_app_resource_value_t limit = { .type = DRE_APP_CONTAINER_RESOURCE_CPU };
	dre_usage usage = { .size = sizeof(usage) };
	dre_app_pid_list_t pids;
	dre_list_t info;
	int number;

	(void)state;
	for (int function = 0; function < NR_CALLS; function++)
		assert_refused(function == OPEN ? -1 : DRE_ERR_NULL_POINTER,
			       call_with_null(function));
#define NULL_POINTER(call) assert_refused(DRE_ERR_NULL_POINTER, call)
	NULL_POINTER(dre_app_create_container("c", NULL));
	NULL_POINTER(dre_app_create_container_with("c", NULL, &options));
	NULL_POINTER(dre_app_create_container_with("c", &data, NULL));
	NULL_POINTER(dre_app_create_container_with(NULL, &data, &options));
	NULL_POINTER(dre_app_close(NULL));
	NULL_POINTER(dre_app_get_pid(running, NULL));
	NULL_POINTER(dre_app_get_pid(NULL, &number));
	NULL_POINTER(dre_app_get_registered_pid_list(running, NULL));
	NULL_POINTER(dre_app_get_registered_pid_list(NULL, &pids));
	NULL_POINTER(dre_app_open_console(NULL, &number));
	NULL_POINTER(dre_app_open_console(running, NULL));
	NULL_POINTER(dre_app_log_open(running, 0, NULL));
	NULL_POINTER(dre_app_log_fd(NULL));
	NULL_POINTER(dre_app_log_close(NULL));
	NULL_POINTER(dre_app_get_info(running, NULL));
	NULL_POINTER(dre_app_get_base_info("it", NULL));
	NULL_POINTER(dre_app_get_base_info(NULL, &info));
	NULL_POINTER(dre_app_release_info(NULL));
	NULL_POINTER(dre_app_get_limit(running, NULL, &limit));
	NULL_POINTER(dre_app_get_limit(running, ".", NULL));
	NULL_POINTER(dre_app_get_usage(NULL, ".", &usage));
	NULL_POINTER(dre_app_get_usage(running, NULL, &usage));
	NULL_POINTER(dre_app_get_usage(running, ".", NULL));
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE, dre_app_get_usage(running, "absent", &usage));
	usage.size--;
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_get_usage(running, ".", &usage));
	NULL_POINTER(dre_app_exec(running, NULL, &number));
	NULL_POINTER(dre_app_exec(running, argv, NULL));
	NULL_POINTER(dre_app_exec(NULL, argv, &number));
	NULL_POINTER(dre_app_exec_with(running, argv, NULL, &number));
	NULL_POINTER(dre_app_exec_with(running, NULL, &exec, &number));
	NULL_POINTER(dre_app_exec_with(running, argv, &exec, NULL));
	NULL_POINTER(dre_app_exec_with(NULL, argv, &exec, &number));
	NULL_POINTER(dre_app_get_container_list(NULL));
	NULL_POINTER(dre_app_get_base_list(NULL));
	NULL_POINTER(dre_app_import_base(NULL, "/run/base", NULL, NULL));
	NULL_POINTER(dre_app_import_base("new", NULL, NULL, NULL));
	NULL_POINTER(dre_app_copy(running, NULL, NULL));
	NULL_POINTER(dre_app_copy_with(running, NULL, "new", NULL));
	NULL_POINTER(dre_app_build_base("new", NULL, NULL, NULL));
	NULL_POINTER(dre_app_build_base(NULL, &build, NULL, NULL));
	NULL_POINTER(dre_app_build_base("new", &build, NULL, NULL));
	NULL_POINTER(dre_app_rename(running, NULL));
	NULL_POINTER(dre_app_copy_in(running, NULL, "/", NULL, NULL));
	NULL_POINTER(dre_app_copy_in(running, "/etc/passwd", NULL, NULL, NULL));
	NULL_POINTER(dre_app_copy_out(running, NULL, "/tmp", NULL, NULL));
	NULL_POINTER(dre_app_copy_out(running, "/etc/passwd", NULL, NULL, NULL));
	NULL_POINTER(dre_app_fsck(0, NULL, NULL));
	NULL_POINTER(dre_app_export_base(NULL, STDOUT_FILENO, NULL, NULL, NULL));
	NULL_POINTER(dre_app_release_base_list(NULL));
	NULL_POINTER(dre_app_release_checkpoint_list(NULL));
	NULL_POINTER(dre_app_release_container_list(NULL));
	NULL_POINTER(dre_app_release_registered_pid_list(NULL));
	NULL_POINTER(dre_app_release_snapshot_list(NULL));
	/* NULL comes before all else that is wrong. */
	NULL_POINTER(dre_app_create_container("", NULL));
	NULL_POINTER(dre_app_import_base("..", NULL, NULL, NULL));
}

static void configurations_of_containers(void **state)
{
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_create_options options = { .size = sizeof(options) };

	(void)state;
#define CREATE_FAILS(code) \
	assert_refused(DRE_ERR_##code, dre_app_create_container_with("c", &data, &options))
	data.type = 0;
	CREATE_FAILS(INVALID_ARGUMENT);
	data.type = 2;
	CREATE_FAILS(INVALID_ARGUMENT);
	data.type = DRE_APP_CONTAINER_TYPE_LXC;

	data.udata.lxc.port = -1;
	CREATE_FAILS(INVALID_ARGUMENT);
	data.udata.lxc.port = 65536;
	CREATE_FAILS(INVALID_ARGUMENT);
	data.udata.lxc.port = INT_MIN;
	CREATE_FAILS(INVALID_ARGUMENT);
	data.udata.lxc.port = 0;

	options.size = 0;
	CREATE_FAILS(INVALID_ARGUMENT);
	options.size = sizeof(options) + 1;
	CREATE_FAILS(INVALID_ARGUMENT);
	options.size = sizeof(options);
	options.privileged = 2;
	CREATE_FAILS(INVALID_ARGUMENT);
	options.privileged = -2;
	CREATE_FAILS(INVALID_ARGUMENT);
	options.privileged = 0;

	data.udata.lxc.base = "absent";
	CREATE_FAILS(BASE_NONEXISTENCE);
	for (const struct bad_name *bad = bad_names + 1; bad->code; bad++) {
		data.udata.lxc.base = (char *)bad->name;
		assert_refused(bad->code, dre_app_create_container("c", &data));
	}
	/* Whatever the base: the name is taken. */
	data.udata.lxc.base = NULL;
	assert_refused(DRE_ERR_CONTAINER_EXISTENCE, dre_app_create_container("running", &data));
}

static void options_of_commands(void **state)
{
	static char *const no_value[] = { "A=1", "A", NULL }, *const no_name[] = { "=1", NULL };
	static char *const argv[] = { "true", NULL };
	int status = -42;

	(void)state;
#define EXEC_FAILS(member, value)								\
	do {											\
		dre_app_exec_options other = { .size = sizeof(other) };				\
												\
		other.member = (value);								\
		assert_refused(DRE_ERR_INVALID_ARGUMENT,					\
			       dre_app_exec_with(running, argv, &other, &status));		\
		assert_int_equal(status, -42);							\
	} while (0)
	EXEC_FAILS(size, 0);
	EXEC_FAILS(size, sizeof(dre_app_exec_options) + 1);
	EXEC_FAILS(tty, 2);
	EXEC_FAILS(tty, -2);
	EXEC_FAILS(cwd, "");
	EXEC_FAILS(user, "");
	EXEC_FAILS(user, ":");
	EXEC_FAILS(user, "0:");
	EXEC_FAILS(user, ":0");
	EXEC_FAILS(user, "0:0:0");
	EXEC_FAILS(env, no_value);
	EXEC_FAILS(env, no_name);
	/* These are found out in the container. */
	EXEC_FAILS(user, "absent");
	EXEC_FAILS(user, "a\nb");
	EXEC_FAILS(user, "0:absent");
	EXEC_FAILS(user, "4294967295");
	EXEC_FAILS(cwd, "/absent");
}

static void commands(void **state)
{
	char *const nothing[] = { NULL }, *const absent[] = { "/absent", NULL };
	int status = -42;

	(void)state;
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_exec(running, nothing, &status));
	assert_int_equal(status, -42);
	assert_done(dre_app_exec(running, absent, &status));
	assert_int_equal(status, 127 << 8);
}

#define IMPORT_FAILS(source) \
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_import_base("new", source, NULL, NULL))

static void sources_of_bases(void **state)
{
	static char longest[10001];

	(void)state;
	memset(longest, '/', 10000);
	for (const struct bad_name *bad = bad_names; bad->code; bad++)
		assert_refused(bad->code, dre_app_import_base(bad->name, "/run/base", NULL, NULL));
	assert_refused(DRE_ERR_BASE_EXISTENCE, dre_app_import_base(BASE, "/run/base", NULL, NULL));
	IMPORT_FAILS("");
	IMPORT_FAILS("/absent");
	IMPORT_FAILS("/etc/passwd/x");
	IMPORT_FAILS(longest);
	IMPORT_FAILS("/dev/null");
	IMPORT_FAILS("/etc/passwd");
	/* No /sbin/init. */
	IMPORT_FAILS("/proc/self/task");
	/* The first bytes of an archive, and one that reaches out of itself. */
	assert_int_equal(system("cd /run && tar -cf bad.tar base && head -c 100000 bad.tar "
				">cut.tar && tar -cPf bad.tar --transform 's,^base,../base,' base"),
			 0);
	IMPORT_FAILS("/run/cut.tar");
	IMPORT_FAILS("/run/bad.tar");
	assert_true(access("/run/base/sbin/init", F_OK) == 0);
}

static void targets_of_exports(void **state)
{
	dre_app_handle absent = { DRE_APP_CONTAINER_TYPE_LXC, "absent" };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), reading = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	world_mark();
	for (const struct bad_name *bad = bad_names; bad->code; bad++)
		assert_refused(bad->code, dre_app_export_base(bad->name, null, NULL, NULL, NULL));
#define EXPORT_FAILS(fd, compression)								\
	do {											\
		assert_refused(DRE_ERR_INVALID_ARGUMENT,					\
			       dre_app_export_base(BASE, fd, compression, NULL, NULL));		\
		assert_refused(DRE_ERR_INVALID_ARGUMENT,					\
			       dre_app_export(&absent, fd, compression, NULL, NULL));		\
	} while (0)
	EXPORT_FAILS(-1, NULL);
	EXPORT_FAILS(9999, NULL);
	EXPORT_FAILS(reading, NULL);
	EXPORT_FAILS(null, "");
	EXPORT_FAILS(null, "bzip2");
	assert_refused(DRE_ERR_BASE_NONEXISTENCE,
		       dre_app_export_base("absent", null, NULL, NULL, NULL));
	close(null);
	close(reading);
}

static void builds_of_bases(void **state)
{
	dre_app_build_options build = { .size = sizeof(build), .suite = "bookworm" };

	(void)state;
	for (const struct bad_name *bad = bad_names; bad->code; bad++)
		assert_refused(bad->code, dre_app_build_base(bad->name, &build, NULL, NULL));
#define BUILD_FAILS(member, value)								\
	do {											\
		dre_app_build_options other = build;						\
												\
		other.member = (value);								\
		assert_refused(DRE_ERR_INVALID_ARGUMENT,					\
			       dre_app_build_base("new", &other, NULL, NULL));			\
	} while (0)
	BUILD_FAILS(size, 0);
	BUILD_FAILS(size, sizeof(build) + 1);
	BUILD_FAILS(verbose, 2);
	BUILD_FAILS(suite, "");
	BUILD_FAILS(suite, "a b");
	BUILD_FAILS(suite, "--help");
	BUILD_FAILS(packages, "a b");
	BUILD_FAILS(packages, "");
	BUILD_FAILS(mirror, "-");
	BUILD_FAILS(mirror, "x\ny");
	assert_refused(DRE_ERR_BASE_EXISTENCE, dre_app_build_base(BASE, &build, NULL, NULL));
}

static void no_problem(void *arg, const dre_app_problem *problem)
{
	(void)arg;
	fail_msg("%s: %s", problem->path, problem->what);
}

static void flags_of_fsck(void **state)
{
	(void)state;
	assert_done(dre_app_fsck(0, no_problem, NULL));
	assert_done(dre_app_fsck(DRE_APP_FSCK_REPAIR | DRE_APP_FSCK_SET_ASIDE, no_problem, NULL));
	world_mark();
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_fsck(4, no_problem, NULL));
	assert_done(dre_app_gc());
}

static void configurations_of_the_host(void **state)
{
	static const char *const bad[] = {
		"unknown = 1\n", "stop_timeout = x\n", "stop_timeout = -1\n", "privileged = maybe\n",
		"network = bridge:\n", "base = other\n", "[sys\n", "idmap_size = 0\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		use_conf(bad[i]);
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_status(running));
		assert_refused(DRE_ERR_INVALID_ARGUMENT, call_function(CREATE, "c"));
		/* The file and the line. */
		assert_non_null(strstr(dre_last_error(), ".conf"));
		assert_non_null(strstr(dre_last_error(), "3"));
	}
	setenv("DRE_CONF", "/absent", 1);
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_status(running));
	use_conf("");
	assert_int_equal(dre_app_status(running), DRE_APP_CONTAINER_STATUS_RUNNING);
}

/* The longest name, and one of each character that a name may have. */
static void names_that_are_good(void **state)
{
	static const char *const good[] = {
		"0", "a.b-c_d..e--f", "Z9",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		dre_app_handle *h = box_create(good[i]);

		assert_string_equal(h->name, good[i]);
		assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
		if (strlen(good[i]) == 63) {
			assert_done(dre_app_start(h));
			assert_int_equal(box_run(h, "true"), 0);
			assert_done(dre_app_register_vpid(h, 1));
			assert_done(dre_app_stop(h));
		}
		assert_done(dre_app_destroy_container(h->name));
		assert_done(dre_app_close(h));
	}
	assert_true(world_is_as_marked());
}

/* Texts for people: one line for each code, and for what is none. */
static void texts(void **state)
{
	static const int codes[] = { 0, -101, -102, -103, -104, -111, -112, -113, -114, -115, -116,
				     -117, -121, -122, -123, -131, -132, -133, -134, -135, -136,
				     -141, -142, -143, -144, -145, -146, -151, -152, -153, -154,
				     -155, -156, -201, -202, 1, -1, INT_MIN, INT_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		assert_non_null(dre_strerror(codes[i]));
		assert_true(*dre_strerror(codes[i]));
		assert_null(strchr(dre_strerror(codes[i]), '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names, mark),
		cmocka_unit_test_setup(open_says_why, mark),
		cmocka_unit_test_setup(null_pointers, mark),
		cmocka_unit_test_setup(configurations_of_containers, mark),
		cmocka_unit_test_setup(options_of_commands, mark),
		cmocka_unit_test_setup(commands, mark),
		cmocka_unit_test_setup(sources_of_bases, mark),
		cmocka_unit_test_setup(targets_of_exports, mark),
		cmocka_unit_test_setup(builds_of_bases, mark),
		cmocka_unit_test_setup(flags_of_fsck, mark),
		cmocka_unit_test_setup(configurations_of_the_host, mark),
		cmocka_unit_test_setup(names_that_are_good, mark),
		cmocka_unit_test(texts),
	};

	return BOX_MAIN(tests, setup);
}
