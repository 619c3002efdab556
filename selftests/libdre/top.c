// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * top of many containers: one moment is waited for all of them, and each is measured over its own.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <dre_app.h>

#include "common/container_commands.h"
#include "common/top.h"
#include "fixture.h"

#define MANY	100

/* All of them at once take a tenth of a second; one after the other, a hundred times that. */
#define LONG	5

/* Those that are not like the others. */
enum { LIMITED = 1, STOPPED = 3, SUSPENDED = 5, RESTARTED = 7 };

static char names[MANY][16];
static char *list[MANY + 1];
static unsigned int looks[MANY];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static dre_return_t get_container_list(dre_list_t *to)
{
	*to = list;
	return 0;
}

static dre_return_t release_list(dre_list_t released)
{
	assert_ptr_equal(released, list);
	return 0;
}

static dre_return_t status(const char *name)
{
	switch (atoi(name + 1)) {
	case STOPPED:
		return DRE_APP_CONTAINER_STATUS_STOP;
	case SUSPENDED:
		return DRE_APP_CONTAINER_STATUS_SUSPENDED;
	}
	return DRE_APP_CONTAINER_STATUS_RUNNING;
}

/* Each of them is busy all the time. */
static dre_return_t get_usage(const char *name, const char *cgroup, dre_usage *usage)
{
	int i = atoi(name + 1);

	assert_string_equal(cgroup, ".");
	if (i == STOPPED)
		return DRE_ERR_CONTAINER_STOPPED;
	usage->cpu_time = i == RESTARTED && looks[i] ? 0 : now() * 1e9;
	usage->memory = 1000 + i;
	usage->memsw = 2000 + i;
	looks[i]++;
	return 0;
}

/* It measures by itself, and takes its time for that. */
static dre_return_t get_resource(const char *name, int pid, struct container_resource *resource)
{
	(void)name;
	(void)pid;
	resource->bytes = 0;
	usleep(100000);
	return 0;
}

static dre_return_t get_limit(const char *name, const char *cgroup, struct container_resource *resource)
{
	(void)cgroup;
	assert_int_equal(resource->type, RESOURCE_MEMORY);
	resource->bytes = atoi(name + 1) == LIMITED ? 4096 : 0;
	return 0;
}

const struct container_api container_api = {
	.get_container_list = get_container_list,
	.release_list = release_list,
	.status = status,
	.get_usage = get_usage,
	.get_resource = get_resource,
	.get_limit = get_limit,
};

/* What is called of the program. */

const char *status_name(dre_return_t state)
{
	return state == DRE_APP_CONTAINER_STATUS_SUSPENDED ? "suspended" : "running";
}

bool is_stopped(dre_return_t state)
{
	return state == DRE_APP_CONTAINER_STATUS_STOP;
}

void *command_memory(void *p)
{
	assert_non_null(p);
	return p;
}

/* What it prints, a table for people; returns how long it took. */
static double print(char *text, size_t size)
{
	int out = dup(STDOUT_FILENO), file = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	double begin = now(), took;
	ssize_t n;

	assert_true(out >= 0 && file >= 0);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	assert_int_equal(top_containers(false), 0);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	took = now() - begin;
	n = pread(file, text, size - 1, 0);
	assert_true(n > 0);
	text[n] = '\0';
	close(out);
	close(file);
	return took;
}

/* The machine may let us wait between two looks at the clock: what they use is only about a CPU. */
static void check_row(int i, const char *row)
{
	int percent = -1, memory = -1, memsw = -1, limit = -1;

	if (i == SUSPENDED) {
		assert_int_equal(sscanf(row, "%*s suspended %d", &percent), EOF);	/* and nothing else */
		return;
	}
	assert_true(sscanf(row, "%*s running %d %d %d%*[ ]%d", &percent, &memory, &memsw, &limit) >= 3);
	assert_true(i == RESTARTED ? percent == 0 : percent > 10 && percent < 1000);
	assert_int_equal(memory, 1000 + i);
	assert_int_equal(memsw, 2000 + i);
	assert_int_equal(limit, i == LIMITED ? 4096 : -1);
}

static void many_at_once(void **state)
{
	char text[16 * 1024], *line, *rest = text;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "c%d", i);
		list[i] = names[i];
	}
	assert_true(print(text, sizeof(text)) < LONG);
	line = strsep(&rest, "\n");
	assert_memory_equal(line, "NAME", 4);
	for (int i = 0; i < MANY; i++) {
		if (i == STOPPED)
			continue;
		line = strsep(&rest, "\n");
		assert_non_null(rest);
		assert_int_equal(atoi(line + 1), i);
		check_row(i, line);
	}
	assert_string_equal(rest, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_at_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
