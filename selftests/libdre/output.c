// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a command writes to is what was there when it looked, also where somebody else may put a link in its place.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/command.h"
#include "common/output.h"
#include "fixture.h"

static const struct fixture *f;

/* Where the next link that is put in the place of "out" leads, just before that is opened. */
static const char *link_to;

/* Called in place of the C library's. */
int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	if (link_to) {
		unlink(path);
		assert_int_equal(symlink(link_to, path), 0);
		link_to = NULL;
	}
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static char complaint[256];

int command_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(complaint, sizeof(complaint), fmt, args);
	va_end(args);
	return EXIT_FAILURE;
}

static int setup(void **state)
{
	int ret = fixture_setup(state);

	f = *state;
	*complaint = '\0';
	return ret;
}

static void assert_refused(const char *link)
{
	struct output o;

	unlink(at(f, "out"));
	assert_int_equal(mkfifo(at(f, "out"), 0600), 0);
	link_to = link;
	assert_int_equal(open_output(&o, at(f, "out"), "an archive"), EXIT_FAILURE);
	assert_null(link_to);
	assert_non_null(strstr(complaint, "out"));
}

static void fifo_that_becomes_a_link(void **state)
{
	(void)state;
	write_file(at(f, "precious"), "precious");
	assert_refused("precious");
	assert_refused("/dev/null");
}

/* It is the archive, as a whole; before that it has no name. */
static void file_that_becomes_a_link(void **state)
{
	unsigned int entries;
	struct output o;
	struct stat st;

	(void)state;
	write_file(at(f, "precious"), "precious");
	write_file(at(f, "out"), "old");
	entries = count_entries(f->dir);
	assert_int_equal(open_output(&o, at(f, "out"), "an archive"), EXIT_SUCCESS);
	assert_int_equal(write(o.fd, "new", 3), 3);
	assert_int_equal(count_entries(f->dir), entries);
	unlink(at(f, "out"));
	assert_int_equal(symlink("precious", at(f, "out")), 0);
	assert_int_equal(finish_output(&o, 0), EXIT_SUCCESS);
	close(o.fd);
	assert_int_equal(count_entries(f->dir), entries);
	assert_int_equal(lstat(at(f, "out"), &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_size == 3 && (st.st_mode & 0777) == 0600);
	assert_int_equal(stat(at(f, "precious"), &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void what_is_no_file(void **state)
{
	struct output o;
	int reader;

	(void)state;
	assert_int_equal(open_output(&o, "/dev/null", "an archive"), EXIT_SUCCESS);
	assert_int_equal(finish_output(&o, 0), EXIT_SUCCESS);
	close(o.fd);
	assert_int_equal(mkfifo(at(f, "out"), 0600), 0);
	assert_int_equal(symlink("out", at(f, "link")), 0);
	reader = open(at(f, "out"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(open_output(&o, at(f, "link"), "an archive"), EXIT_SUCCESS);
	assert_int_equal(write(o.fd, "new", 3), 3);
	close(o.fd);
	close(reader);
}

/* /dev/stdout is a link; what it leads to may be a file, and is written to where others have come to in it. */
static void what_is_open_already(void **state)
{
	static const char *const dirs[] = { "/dev/fd/", "/proc/self/fd/" };
	char path[64], text[8] = "";
	struct output o;
	int fd;

	(void)state;
	fd = open(at(f, "out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "old", 3), 3);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s%d", dirs[i], fd);
		assert_int_equal(open_output(&o, path, "an archive"), EXIT_SUCCESS);
		assert_int_equal(o.fd, fd);
		assert_int_equal(write(o.fd, "new", 3), 3);
		assert_int_equal(finish_output(&o, 1), EXIT_SUCCESS);
	}
	assert_int_equal(pread(fd, text, sizeof(text), 0), 8);
	assert_memory_equal(text, "oldnewne", 8);
	close(fd);
	/* These are no numbers of any. */
	assert_int_equal(open_output(&o, "/dev/fd/1x", "an archive"), EXIT_FAILURE);
	assert_int_equal(open_output(&o, "/dev/fd/-1", "an archive"), EXIT_FAILURE);
	assert_int_equal(open_output(&o, "/dev/fd/4294967297", "an archive"), EXIT_FAILURE);
}

static void standard_output(void **state)
{
	static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1" };
	int fd = open(at(f, "out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600), saved;
	struct output o;

	(void)state;
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		fd = open_output(&o, names[i], "an archive") == EXIT_SUCCESS ? o.fd : -1;
		if (fd != STDOUT_FILENO)
			break;
	}
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	assert_int_equal(fd, STDOUT_FILENO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fifo_that_becomes_a_link, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(file_that_becomes_a_link, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_open_already, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(standard_output, setup, fixture_teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
