// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading logs of several files, while somebody writes them.
 */
#include <dre.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log_reader.h"
#include "fixture.h"

static const char *const names[] = { "log", "log.0", "log.1", NULL };

static char dir[] = "/tmp/dre-log-reader-XXXXXX";

static void put(const char *name, const char *text, int flags)
{
	char path[sizeof(dir) + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void move(const char *from, const char *to)
{
	char a[sizeof(dir) + 16], b[sizeof(dir) + 16];

	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	assert_int_equal(rename(a, b), 0);
}

static struct log_reader *open_log(struct log_reader_how how)
{
	struct log_reader *log;

	how.dir = dir;
	how.names = names;
	assert_int_equal(log_reader_open(&log, &how), 0);
	return log;
}

/* All that there is now, by pieces of @size. */
static void assert_reads(struct log_reader *log, size_t size, const char *wanted)
{
	char got[256] = "", piece[256];
	size_t len, all = 0;

	do {
		assert_int_equal(log_reader_read(log, piece, size, &len), 0);
		assert_true(all + len < sizeof(got));
		memcpy(got + all, piece, len);
		all += len;
	} while (len);
	got[all] = '\0';
	assert_string_equal(got, wanted);
}

static int clear(void **state)
{
	char path[sizeof(dir) + 16];

	(void)state;
	for (size_t i = 0; names[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return 0;
}

static void older_parts_first(void **state)
{
	(void)state;
	put("log.1", "one\n", 0);
	put("log.0", "two\n", 0);
	put("log", "three\n", 0);
	for (size_t size = 1; size < 20; size++) {
		struct log_reader *log = open_log((struct log_reader_how){ .ended = true });

		assert_reads(log, size, "one\ntwo\nthree\n");
		assert_reads(log, size, "");
		log_reader_close(log);
	}
}

static void nothing_there_yet(void **state)
{
	struct log_reader *log = open_log((struct log_reader_how){});

	(void)state;
	assert_reads(log, 64, "");
	put("log", "first\n", 0);
	assert_reads(log, 64, "first\n");
	log_reader_close(log);
}

static void follows_into_the_next(void **state)
{
	struct log_reader *log;

	(void)state;
	put("log", "a\n", 0);
	log = open_log((struct log_reader_how){});
	assert_reads(log, 64, "a\n");
	put("log", "b\n", O_APPEND);
	move("log", "log.0");
	put("log", "c\n", 0);
	assert_reads(log, 64, "b\nc\n");
	assert_reads(log, 64, "");
	log_reader_close(log);
}

static void from_its_end(void **state)
{
	struct log_reader *log;

	(void)state;
	put("log.0", "old\n", 0);
	put("log", "before\n", 0);
	log = open_log((struct log_reader_how){ .at_end = true });
	assert_reads(log, 64, "");
	put("log", "after\n", O_APPEND);
	assert_reads(log, 64, "after\n");
	log_reader_close(log);
}

static void newlines(void **state)
{
	(void)state;
	put("log.0", "a\r\nb\r\r\nc\rd\r", 0);
	put("log", "\ne\r\r\rf\n\r", 0);
	for (size_t size = 1; size < 32; size++) {
		struct log_reader *log = open_log((struct log_reader_how){ .newlines = true, .ended = true });

		/* The last one may be the beginning of an end. */
		assert_reads(log, size, "a\nb\nc\rd\ne\r\r\rf\n");
		log_reader_close(log);
	}
}

static void tells_of_more(void **state)
{
	struct log_reader *log;
	struct pollfd fd;

	(void)state;
	put("log", "a\n", 0);
	log = open_log((struct log_reader_how){});
	assert_reads(log, 64, "a\n");
	fd = (struct pollfd){ .fd = log_reader_fd(log), .events = POLLIN };
	assert_int_equal(poll(&fd, 1, 0), 0);
	put("log", "b\n", O_APPEND);
	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_reads(log, 64, "b\n");
	assert_int_equal(poll(&fd, 1, 0), 0);
	log_reader_close(log);
}

static void no_directory(void **state)
{
	struct log_reader_how how = { .dir = "/nonexistent", .names = names };
	struct log_reader *log = NULL;

	(void)state;
	assert_int_equal(log_reader_open(&log, &how), DRE_ERR_DEVICE_BUSY);
	assert_null(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(older_parts_first, clear),
		cmocka_unit_test_teardown(nothing_there_yet, clear),
		cmocka_unit_test_teardown(follows_into_the_next, clear),
		cmocka_unit_test_teardown(from_its_end, clear),
		cmocka_unit_test_teardown(newlines, clear),
		cmocka_unit_test_teardown(tells_of_more, clear),
		cmocka_unit_test(no_directory),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
