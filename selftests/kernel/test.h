/* SPDX-License-Identifier: GPL-2.0-only */
/* What every test program includes: the kselftest harness and what we add to it. */
#ifndef TEST_H
#define TEST_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kselftest_harness.h>

/* The harness' 30 seconds are not enough for a kernel that looks after itself, emulated on a busy host. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

#include "request.h"

#define APP		DRE_CONTAINER_APP
#define SYS		DRE_CONTAINER_SYS
#define SELF		DRE_PROCESS_SELF
#define MANAGED		DRE_PROCESS_MANAGED

#define KTHREADD	2

/* For EXPECT_STREQ: a text that free(3) can take is leaked, the test ends soon. */
#define OR_NOTHING(text)	((text) ?: "(nothing)")

/*
 * The call gives @error and has changed nothing: neither what the module tells,
 * nor by an event on @watch, nor by a file that is left open.
 */
#define EXPECT_REFUSED(_dre, _watch, _error, _call) do {		\
	int _device = (_dre), _queue = (_watch), _files = open_files();	\
	int _readable = readable(_queue);				\
	char *_before = snapshot(_device), *_after;			\
									\
	EXPECT_EQ(-(_error), _call);					\
	_after = snapshot(_device);					\
	EXPECT_STREQ(_before, _after);					\
	EXPECT_EQ(_readable, readable(_queue));				\
	EXPECT_EQ(_files, open_files());				\
	free(_before);							\
	free(_after);							\
} while (0)

/* The next event is this one. */
#define EXPECT_EVENT(_fd, _type, _pid, _vpid, _value) do {		\
	struct dre_event _event = {};					\
									\
	ASSERT_EQ(1, next_event(_fd, &_event));				\
	EXPECT_EQ(_type, _event.type);					\
	EXPECT_EQ(_pid, _event.pid);					\
	EXPECT_EQ(_vpid, _event.vpid);					\
	EXPECT_EQ((__u32)(_value), _event.value);			\
} while (0)

#define EXPECT_NO_EVENT(_fd)	EXPECT_EQ(0, readable(_fd))

#define EXPECT_EOF(_fd) do {						\
	struct dre_event _event;					\
									\
	EXPECT_EQ(0, next_event(_fd, &_event));				\
} while (0)

/* The process is in the list of the container, with these flags and signals. */
#define EXPECT_LISTED(_fd, _pid, _vpid, _flags, _signals) do {		\
	const __u8 *_wanted = (_signals);				\
	struct dre_process_info _info;					\
	__u32 _i;							\
									\
	EXPECT_EQ(0, process_find(_fd, _pid, &_info));			\
	EXPECT_EQ(_vpid, _info.vpid);					\
	EXPECT_EQ((_flags), _info.flags);				\
	EXPECT_EQ(strlen((const char *)_wanted), _info.nr_signals);	\
	for (_i = 0; _i < DRE_SIGNALS_MAX; _i++)			\
		EXPECT_EQ(_i < _info.nr_signals ? _wanted[_i] : 0, _info.signals[_i]); \
} while (0)

#define EXPECT_NOT_LISTED(_fd, _pid) do {				\
	struct dre_process_info _info;					\
									\
	EXPECT_EQ(-ENOENT, process_find(_fd, _pid, &_info));		\
} while (0)

/* Its line in /proc/daware, as the test sees it. */
#define EXPECT_DAWARE(_pid, _line) do {					\
	char *_text = read_daware();					\
									\
	EXPECT_STREQ(_line, OR_NOTHING(daware_line(_text, _pid)));	\
	free(_text);							\
} while (0)

#define EXPECT_NOT_DAWARE(_pid)	EXPECT_DAWARE(_pid, "(nothing)")

/*
 * A container "c1" that the module knows, and one more process in it. It leaves
 * nothing: tests end what else they make, or it ends with the container.
 */
FIXTURE(container) {
	int dre;
	char *before;
	struct container c;
	struct agent inside;
};

static void __maybe_unused
setup_container(struct __test_metadata *_metadata, FIXTURE_DATA(container) *self)
{
	self->dre = dre_open();
	/* A test before this one may have been killed. */
	ASSERT_TRUE(eventually(container_count(self->dre) == 0));
	self->before = snapshot(self->dre);
	ASSERT_STREQ("0 containers\n" DAWARE_HEADER, self->before);
	container_start(&self->c, WITH_USERS);
	agent_start(&self->inside, &self->c.init, 0);
	self->c.fd = container_create(self->dre, APP, self->c.init.pid, "c1");
	ASSERT_LE(0, self->c.fd);
}

static void __maybe_unused
teardown_container(struct __test_metadata *_metadata, FIXTURE_DATA(container) *self)
{
	char *after;

	container_kill(&self->c);
	after = snapshot(self->dre);
	EXPECT_STREQ(self->before, after);
}

FIXTURE_SETUP(container)
{
	setup_container(_metadata, self);
}

FIXTURE_TEARDOWN(container)
{
	teardown_container(_metadata, self);
}

#endif /* TEST_H */
