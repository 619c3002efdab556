// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints, events/dre: the events that container fds tell. Traced in an
 * instance of its own, which others do not see.
 */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "group.h"

#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCE	TRACEFS "/instances/dre-test"

static const char *const names[] = {
	[DRE_EVENT_REGISTERED] = "dre_registered",
	[DRE_EVENT_UNREGISTERED] = "dre_unregistered",
	[DRE_EVENT_EXITED] = "dre_exited",
	[DRE_EVENT_REFUSED] = "dre_refused",
	[DRE_EVENT_ENDED] = "dre_ended",
	[DRE_EVENT_BOUND] = "dre_bound",
	[DRE_EVENT_UNBOUND] = "dre_unbound",
};

struct traced {
	char name[32];
	int pid;
	int vpid;
	unsigned int value;
	char container[DRE_NAME_SIZE];
};

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

static bool have_tracefs(void)
{
	if (access(TRACEFS "/events", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	return !access(TRACEFS "/events", F_OK);
}

static FILE *start_tracing(struct __test_metadata *_metadata)
{
	FILE *trace;

	rmdir(INSTANCE);
	ASSERT_EQ(0, mkdir(INSTANCE, 0700));
	ASSERT_EQ(0, write_file(INSTANCE "/events/dre/enable", "1"));
	/* What was read is gone from it. */
	trace = fdopen(open(INSTANCE "/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC), "r");
	ASSERT_NE(NULL, trace);
	return trace;
}

static void stop_tracing(struct __test_metadata *_metadata, FILE *trace)
{
	fclose(trace);
	EXPECT_EQ(0, write_file(INSTANCE "/events/dre/enable", "0"));
	EXPECT_EQ(0, rmdir(INSTANCE));
}

/* The next line: false if there is none. */
static bool next_traced(FILE *trace, struct traced *t)
{
	char line[512], *text;

	clearerr(trace);
	do {
		if (!fgets(line, sizeof(line), trace))
			return false;
		text = strstr(line, ": dre_");
	} while (!text);
	*t = (struct traced){};
	return sscanf(text + 2, "%31[^:]: pid=%d vpid=%d value=%u container=%63s", t->name, &t->pid,
		      &t->vpid, &t->value, t->container) == 5;
}

/* The next event of the fd, which is the next one of the trace, too. */
#define EXPECT_SAME(_fd, _trace, _type, _name) do {			\
	struct dre_event _event = {};					\
	struct traced _traced = {};					\
									\
	ASSERT_EQ(1, next_event(_fd, &_event));				\
	ASSERT_EQ(_type, _event.type);					\
	ASSERT_TRUE(eventually(next_traced(_trace, &_traced)));		\
	EXPECT_STREQ(names[_type], _traced.name);			\
	EXPECT_EQ(_event.pid, _traced.pid);				\
	EXPECT_EQ(_event.vpid, _traced.vpid);				\
	EXPECT_EQ(_event.value, _traced.value);				\
	EXPECT_STREQ(_name, _traced.container);				\
} while (0)

#define EXPECT_TRACED(_trace, _name, _pid, _vpid, _value, _container) do { \
	struct traced _traced = {};					\
									\
	ASSERT_TRUE(eventually(next_traced(_trace, &_traced)));		\
	EXPECT_STREQ(_name, _traced.name);				\
	EXPECT_EQ(_pid, _traced.pid);					\
	EXPECT_EQ(_vpid, _traced.vpid);					\
	EXPECT_EQ((unsigned int)(_value), _traced.value);		\
	EXPECT_STREQ(_container, _traced.container);			\
} while (0)

#define EXPECT_NOTHING_TRACED(_trace) do {				\
	struct traced _traced;						\
									\
	EXPECT_FALSE(next_traced(_trace, &_traced));			\
} while (0)

/* Every kind of event, in its order. */
TEST_F(group, agrees_with_the_events)
{
	FILE *trace;

	if (!have_tracefs())
		SKIP(return, "the kernel has no tracefs");
	trace = start_tracing(_metadata);
	ASSERT_EQ(0, self_register(self->inside, SIGNALS(SIGTERM)));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_REGISTERED, "c1");
	ASSERT_EQ(0, self_refuse(self->inside, SIGTERM));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_REFUSED, "c1");
	ASSERT_EQ(0, process_register(self->fd, self->host.pid, 0, NO_SIGNALS));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_REGISTERED, "c1");
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_BOUND, "c1");
	ASSERT_EQ(0, process_bind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_UNBOUND, "c1");
	EXPECT_SAME(self->fd, trace, DRE_EVENT_BOUND, "c1");
	ASSERT_EQ(0, process_unregister(self->fd, self->host.pid, 0));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_UNREGISTERED, "c1");
	ASSERT_EQ(0, self_unregister(self->inside));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_UNREGISTERED, "c1");
	ASSERT_EQ(0, self_register(self->inside, SIGNALS(SIGTERM)));
	EXPECT_SAME(self->fd, trace, DRE_EVENT_REGISTERED, "c1");
	EXPECT_NO_EVENT(self->fd);
	EXPECT_NOTHING_TRACED(trace);

	container_kill(&self->base.c);
	EXPECT_SAME(self->fd, trace, DRE_EVENT_EXITED, "c1");
	EXPECT_SAME(self->fd, trace, DRE_EVENT_ENDED, "c1");
	EXPECT_EOF(self->fd);
	/* No fd tells any more; who is put back is traced all the same. */
	EXPECT_EQ(0, process_unbind(self->fd, self->host.pid, 0, "g2"));
	EXPECT_TRACED(trace, "dre_unbound", self->host.pid, 0, self->g2, "c1");
	EXPECT_NOTHING_TRACED(trace);
	stop_tracing(_metadata, trace);
	container_start(&self->base.c, 0);
}

/* Also of who lives in no container, and of those that nobody holds an fd of. */
TEST_F(group, of_all)
{
	struct container second;
	FILE *trace;

	if (!have_tracefs())
		SKIP(return, "the kernel has no tracefs");
	container_start(&second, 0);
	second.fd = container_create(self->dre, APP, second.init.pid, "c2.a-b_c");
	ASSERT_LE(0, second.fd);
	close(second.fd);
	trace = start_tracing(_metadata);
	ASSERT_EQ(0, self_register(&self->host, SIGNALS(SIGTERM)));
	EXPECT_TRACED(trace, "dre_registered", self->host.pid, 0, SELF, "-");
	ASSERT_EQ(0, self_unregister(&self->host));
	EXPECT_TRACED(trace, "dre_unregistered", self->host.pid, 0, SELF, "-");
	ASSERT_EQ(0, self_register(&second.init, SIGNALS(SIGTERM)));
	EXPECT_TRACED(trace, "dre_registered", second.init.pid, 1, SELF, "c2.a-b_c");
	agent_exit(&second.init, 3);
	EXPECT_TRACED(trace, "dre_exited", second.init.pid, 1, 3 << 8, "c2.a-b_c");
	EXPECT_TRACED(trace, "dre_ended", second.init.pid, 1, 3 << 8, "c2.a-b_c");
	EXPECT_NO_EVENT(self->fd);
	/* What fails is no event. */
	EXPECT_EQ(-ENOENT, self_unregister(&self->host));
	EXPECT_EQ(-ENOENT, process_bind(self->fd, self->host.pid, 0, "none"));
	EXPECT_EQ(-ENOENT, process_unbind(self->fd, self->host.pid, 0, "g1"));
	EXPECT_NOTHING_TRACED(trace);
	stop_tracing(_metadata, trace);
}

/* Numbers are the host's, whoever asks. */
TEST_F(group, numbers_are_of_the_host)
{
	struct dre_process reg = { .size = sizeof(reg), .pid = 1 };
	FILE *trace;

	if (!have_tracefs())
		SKIP(return, "the kernel has no tracefs");
	trace = start_tracing(_metadata);
	ASSERT_EQ(0, agent_request(self->inside, self->fd, DRE_IOC_PROCESS_REGISTER, &reg,
				   sizeof(reg)));
	EXPECT_TRACED(trace, "dre_registered", self->init->pid, 1, MANAGED, "c1");
	EXPECT_NOTHING_TRACED(trace);
	stop_tracing(_metadata, trace);
}

TEST_HARNESS_MAIN
