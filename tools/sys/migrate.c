// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * migrate, immigrate.
 */
#include <json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <dre_sys.h>

#include "common/container_commands.h"
#include "common/progress.h"
#include "sys.h"

/* How often it is looked whether it has come. Microseconds. */
#define LOOK_INTERVAL	500000

static int number(const char *what, const char *text)
{
	return command_number(what, text, 1, 65535);
}

static void print_json(const dre_sys_migration_result *result)
{
	struct json_object *o = command_memory(json_object_new_object());

	json_object_object_add(o, "time_ms", json_object_new_int64((int64_t)result->time));
	json_object_object_add(o, "downtime_ms", json_object_new_int64((int64_t)result->downtime));
	json_object_object_add(o, "passes", json_object_new_int64((int64_t)result->passes));
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)result->bytes));
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY));
	json_object_put(o);
}

/* The next one ends the command, and libvirt goes on. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

static void catch_interrupts(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_RESETHAND | SA_RESTART }, old;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

struct migration {
	dre_sys_handle h;
	struct progress progress;
};

static void follow(void *arg, unsigned long long done, unsigned long long total)
{
	struct migration *mi = arg;

	if (interrupted) {
		interrupted = 0;
		dre_sys_migration_cancel(&mi->h);
	}
	progress_show(&mi->progress, done, total);
}

static int migrate(char *name, const char *host, int port, bool json)
{
	struct migration mi = { .h = { .type = DRE_SYS_CONTAINER_TYPE_KVM, .name = name } };
	dre_sys_migration_result result = { .size = sizeof(result) };
	int err;

	catch_interrupts();
	progress_begin(&mi.progress, "migrate");
	err = dre_sys_migration_start_with(&mi.h, host, port, follow, &mi, &result);
	progress_end(&mi.progress);
	if (err)
		return command_fail(err, name);
	if (json)
		print_json(&result);
	else if (isatty(STDERR_FILENO))
		command_note("%s runs on %s: %.1f MB in %.1f s; it stood still for %llu ms", name, host, result.bytes / 1e6,
			     result.time / 1e3, result.downtime);
	return EXIT_SUCCESS;
}

static int cancel_migration(char *name)
{
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, name };
	int err = dre_sys_migration_cancel(&h);

	return err ? command_fail(err, name) : EXIT_SUCCESS;
}

int cmd_migrate(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "cancel", no_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ }
	};
	bool cancel = false, json = false;
	int c;

	while ((c = command_getopt(argc, argv, "cj", options)) >= 0) {
		cancel |= c == 'c';
		json |= c == 'j';
	}
	if (argc - optind != (cancel ? 1 : 3))
		command_usage(cancel ? "one name is wanted" : "a name, a host and a port are wanted");
	argv += optind;
	return cancel ? cancel_migration(argv[0]) : migrate(argv[0], argv[1], number("port", argv[2]), json);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* What a container's manifest says of this host. */
struct prospect {
	enum { NOT_EXPECTED, TOO_LATE, EXPECTED, COMING, HERE } it_is;
	long long left;		/* seconds until it is too late */
};

/* Does a setting of it begin with this host's name? What comes then is in @rest. */
static bool names_this_host(const dre_list_t info, const char *key, const char **rest)
{
	const char *value = info_get(info, key);
	struct utsname uts;
	size_t len;

	if (!value || uname(&uts))
		return false;
	len = strcspn(value, " ");
	*rest = value + len;
	return len == strlen(uts.nodename) && !strncmp(value, uts.nodename, len);
}

static int look(const char *name, struct prospect *prospect)
{
	const char *rest;
	long long until;
	dre_list_t info;
	int err = container_api.get_info(name, &info);

	*prospect = (struct prospect){};
	if (err)
		return err;
	if (names_this_host(info, "setting.immigration", &rest) && sscanf(rest, "%*d %lld", &until) == 1) {
		prospect->left = until - time(NULL);
		prospect->it_is = prospect->left > 0 ? EXPECTED : TOO_LATE;
	}
	if (names_this_host(info, "setting.migrating", &rest))
		prospect->it_is = COMING;
	if (names_this_host(info, "owner", &rest))
		prospect->it_is = HERE;
	dre_sys_release_info(info);
	return 0;
}

/* The status of the command: it has not come, and that is what dre_sys_status() said last. */
static int fail_to_come(const char *name, const struct prospect *prospect, int ret)
{
	if (ret < 0)
		command_fail(ret, name);
	if (ret < 0 && (ret != DRE_ERR_CONTAINER_UNKNOWN_STATUS || prospect->it_is == HERE))
		return EXIT_FAILURE;
	if (ret == DRE_SYS_CONTAINER_STATUS_STOP)
		return command_error("%s: it has come, and is stopped", name);
	if (prospect->it_is == NOT_EXPECTED)
		return command_error("%s: this host does not wait for it any longer", name);
	command_error("%s: it has not come", name);
	return EXIT_TIMEOUT;
}

/* As long as it is not here the status says whose it is, or that it is busy: on its way. */
static bool is_settled(const struct prospect *prospect, int ret)
{
	if (ret == DRE_SYS_CONTAINER_STATUS_BUSY)
		return false;
	return ret != DRE_ERR_CONTAINER_UNKNOWN_STATUS || prospect->it_is == HERE || prospect->it_is <= TOO_LATE;
}

/* @timeout < 0: as long as this host waits for it. */
static int wait_for(const char *name, long long timeout)
{
	const dre_sys_handle h = { DRE_SYS_CONTAINER_TYPE_KVM, (char *)name };
	struct prospect prospect;
	struct progress progress;
	time_t begin = now();
	int ret;

	progress_begin_time(&progress, "waiting");
	for (;; usleep(LOOK_INTERVAL)) {
		/* First: where it has come in between, it is not expected any more. */
		ret = look(name, &prospect);
		if (!ret)
			ret = dre_sys_status(&h);
		if (timeout < 0)
			timeout = prospect.left > 0 ? prospect.left : 0;
		if (is_settled(&prospect, ret) || now() - begin >= timeout)
			break;
	}
	progress_end(&progress);
	if (ret == DRE_SYS_CONTAINER_STATUS_RUNNING || ret == DRE_SYS_CONTAINER_STATUS_SUSPENDED)
		return EXIT_SUCCESS;
	return fail_to_come(name, &prospect, ret);
}

int cmd_immigrate(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "cancel", no_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "wait", no_argument, NULL, 'w' },
		{ }
	};
	bool cancel = false, wait = false;
	int c, err, timeout = -1;
	const char *name;

	while ((c = command_getopt(argc, argv, "ct:w", options)) >= 0) {
		cancel |= c == 'c';
		wait |= c == 'w';
		if (c == 't')
			timeout = command_number("timeout", optarg, 0, 86400);
	}
	if (argc - optind != (cancel ? 1 : 2))
		command_usage(cancel ? "one name is wanted" : "a name and a port are wanted");
	if (cancel && wait)
		command_usage("--cancel has nothing to wait for");
	if (timeout >= 0 && !wait)
		command_usage("--timeout is for --wait");
	name = argv[optind];
	err = cancel ? dre_sys_immigration_cancel(name) :
		       dre_sys_immigration_start(name, number("port", argv[optind + 1]));
	if (err)
		return command_fail(err, name);
	return wait ? wait_for(name, timeout) : EXIT_SUCCESS;
}
