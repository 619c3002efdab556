// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The module, control groups and limits of system containers. Most of it needs a machine, but not what is
 * in it: that boots meanwhile, and is waited for where it is to power off.
 */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "host.h"
#include "module.h"

#define ROOT	"/sys/fs/cgroup/"
#define OUTER	ROOT "dre.partition/sys.partition/dre-cg.partition/"

#define CPU	DRE_SYS_CONTAINER_RESOURCE_CPU
#define CORES	DRE_SYS_CONTAINER_RESOURCE_CPU_CORE
#define MEMORY	DRE_SYS_CONTAINER_RESOURCE_MEMORY
#define MEMSW	DRE_SYS_CONTAINER_RESOURCE_MEMSW
#define MEMORY64 DRE_SYS_CONTAINER_RESOURCE_MEMORY_64
#define MEMSW64	DRE_SYS_CONTAINER_RESOURCE_MEMSW_64

static dre_sys_handle cg = { DRE_SYS_CONTAINER_TYPE_KVM, "cg" };

/*
 * What is there
 */

static bool has_file(const char *path)
{
	return access(path, F_OK) == 0;
}

static void read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	*line = '\0';
	if (f && fgets(line, size, f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void assert_file_at(const char *file, const char *expected, int line)
{
	char path[PATH_MAX], text[4096];

	snprintf(path, sizeof(path), OUTER "%s", file);
	read_line(path, text, sizeof(text));
	if (strcmp(text, expected))
		print_error("line %d: %s is \"%s\"\n", line, file, text);
	_assert_string_equal(text, expected, __FILE__, line);
}

#define assert_file(file, expected) assert_file_at(file, expected, __LINE__)

/* As /proc has it: "/dre.partition/..." */
static const char *cgroup_of(pid_t pid)
{
	static char line[PATH_MAX];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	read_line(path, line, sizeof(line));
	return strncmp(line, "0::", 3) ? line : line + 3;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && !strcmp(text + len - tail, end);
}

#define eventually(condition) ({					\
	bool is_true = false;						\
									\
	for (int tries = 0; !is_true && tries < 600; tries++) {		\
		is_true = (condition);					\
		if (!is_true)						\
			usleep(100000);					\
	}								\
	is_true;							\
})

/* The process that the module has as the init of container "cg", or 0. */
static int known_pid(void)
{
	struct dre_container_info *info;
	int dre = dre_module_open(), pid = 0;
	size_t nr;

	assert_true(dre >= 0);
	assert_int_equal(dre_module_container_list(dre, &info, &nr), 0);
	for (size_t i = 0; i < nr; i++)
		if (info[i].type == DRE_CONTAINER_SYS && !strcmp(info[i].name, "cg"))
			pid = info[i].pid;
	free(info);
	close(dre);
	return pid;
}

static int machine_pid(void)
{
	int pid = 0;

	assert_success(dre_sys_get_pid(&cg, &pid));
	return pid;
}

static void assert_bound(const char *cgroup, pid_t pid)
{
	char group[128];
	int *list;

	snprintf(group, sizeof(group), "/dre-cg.partition/%s", cgroup);
	assert_true(ends_with(cgroup_of(pid), group));
	assert_success(dre_sys_get_bound_pid_list(&cg, cgroup, &list));
	assert_int_equal(list[0], pid);
	assert_int_equal(list[1], 0);
	assert_success(dre_sys_release_bound_pid_list(list));
}

/* Its names, as "ui,db". */
static void assert_groups_at(const char *expected, int line)
{
	char text[256] = "";
	dre_list_t list;

	assert_success_at(dre_sys_get_cgroup_list(&cg, &list), "dre_sys_get_cgroup_list", line);
	for (size_t i = 0; list[i]; i++) {
		strcat(text, i ? "," : "");
		strcat(text, list[i]);
	}
	assert_success(dre_sys_release_cgroup_list(list));
	_assert_string_equal(text, expected, __FILE__, line);
}

#define assert_groups(expected) assert_groups_at(expected, __LINE__)

/*
 * Processes of the host
 */

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void spin(void)
{
	for (;;)
		;
}

static pid_t host_process(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn();
		_exit(0);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/*
 * Limits
 */

static dre_sys_resource_value_t number(dre_sys_resource_t type, long long value)
{
	dre_sys_resource_value_t r = { .type = type };

	if (type == MEMORY64 || type == MEMSW64)
		r.udata.mem.bytes = value;
	else
		r.udata.cpu.percent = value;
	return r;
}

static int set(const char *cgroup, dre_sys_resource_t type, long long value)
{
	dre_sys_resource_value_t r = number(type, value);

	return dre_sys_set_resource(&cg, cgroup, &r);
}

static int set_cores(const char *cgroup, char *cores)
{
	dre_sys_resource_value_t r = { .type = CORES, .udata.cpu.cores = cores };

	return dre_sys_set_resource(&cg, cgroup, &r);
}

static int unset(const char *cgroup, dre_sys_resource_t type)
{
	dre_sys_resource_value_t r = { .type = type };

	return dre_sys_unset_resource(&cg, cgroup, &r);
}

static long long limit(const char *cgroup, dre_sys_resource_t type)
{
	dre_sys_resource_value_t r = number(type, -1);

	assert_success(dre_sys_get_limit(&cg, cgroup, &r));
	return type == MEMORY64 || type == MEMSW64 ? (long long)r.udata.mem.bytes : r.udata.cpu.percent;
}

static void assert_cores(const char *cgroup, const char *expected)
{
	dre_sys_resource_value_t r = { .type = CORES };

	assert_success(dre_sys_get_limit(&cg, cgroup, &r));
	if (expected)
		assert_string_equal(r.udata.cpu.cores, expected);
	else
		assert_null(r.udata.cpu.cores);
	assert_success(dre_sys_release_resource(&r));
	assert_null(r.udata.cpu.cores);
}

static int used(pid_t pid, dre_sys_resource_t type)
{
	dre_sys_resource_value_t r = { .type = type };

	assert_success(dre_sys_get_resource(&cg, pid, &r));
	return r.udata.cpu.percent;
}

/*
 * Without a machine
 */

static void arguments(void **state)
{
	static const char *const reserved[] = { "cpu.max", "cgroup.procs", "memory.x", "qemu-1", "machine-qemu" };
	dre_sys_handle absent = handle("absent");
	dre_sys_resource_value_t r = number(MEMORY64, 7);
	char long_name[65] = "";
	int *pids = NULL;
	dre_list_t list;

	(void)state;
	memset(long_name, 'a', 64);
	assert_fails(dre_sys_create_cgroup(NULL, "ui"), DRE_ERR_NULL_POINTER, "handle");
	assert_fails(dre_sys_create_cgroup(&cg, NULL), DRE_ERR_NULL_POINTER, "control group");
	assert_fails(dre_sys_create_cgroup(&cg, long_name), DRE_ERR_REQUEST_TOO_LONG, "");
	assert_fails(dre_sys_create_cgroup(&cg, "a/b"), DRE_ERR_INVALID_ARGUMENT, "");
	assert_fails(dre_sys_create_cgroup(&cg, "."), DRE_ERR_INVALID_ARGUMENT, "");
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		assert_fails(dre_sys_create_cgroup(&cg, reserved[i]), DRE_ERR_INVALID_ARGUMENT, reserved[i]);
	assert_fails(dre_sys_create_cgroup(&absent, "ui"), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_destroy_cgroup(&cg, NULL), DRE_ERR_NULL_POINTER, "control group");
	assert_fails(dre_sys_destroy_cgroup(&cg, "."), DRE_ERR_INVALID_ARGUMENT, "");
	assert_fails(dre_sys_destroy_cgroup(&cg, "ui"), DRE_ERR_CGROUP_NONEXISTENCE, "ui");
	assert_fails(dre_sys_bind_pid(NULL, "ui", 1), DRE_ERR_NULL_POINTER, "handle");
	assert_fails(dre_sys_bind_pid(&cg, NULL, 1), DRE_ERR_NULL_POINTER, "control group");
	assert_fails(dre_sys_bind_pid(&cg, "ui", 0), DRE_ERR_INVALID_ARGUMENT, "positive");
	assert_fails(dre_sys_unbind_pid(&cg, "ui", -1), DRE_ERR_INVALID_ARGUMENT, "positive");
	assert_fails(dre_sys_bind_pid(&cg, ".", 1), DRE_ERR_INVALID_ARGUMENT, "");
	assert_fails(dre_sys_get_cgroup_list(&cg, NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_cgroup_list(&absent, &list), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_release_cgroup_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_bound_pid_list(&cg, "ui", NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_bound_pid_list(&cg, "ui", &pids), DRE_ERR_CGROUP_NONEXISTENCE, "ui");
	assert_fails(dre_sys_release_bound_pid_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_null(pids);

	assert_fails(dre_sys_set_resource(&cg, ".", NULL), DRE_ERR_NULL_POINTER, "resource");
	assert_fails(dre_sys_set_resource(&cg, NULL, &r), DRE_ERR_NULL_POINTER, "control group");
	assert_fails(dre_sys_unset_resource(NULL, ".", &r), DRE_ERR_NULL_POINTER, "handle");
	assert_fails(dre_sys_get_limit(&cg, ".", NULL), DRE_ERR_NULL_POINTER, "resource");
	assert_fails(dre_sys_get_resource(&cg, 0, NULL), DRE_ERR_NULL_POINTER, "resource");
	assert_fails(dre_sys_get_resource(&cg, -1, &r), DRE_ERR_INVALID_ARGUMENT, "negative");
	assert_fails(dre_sys_release_resource(NULL), DRE_ERR_NULL_POINTER, "resource");
	assert_fails(set(".", 5, 1), DRE_ERR_INVALID_ARGUMENT, "type");
	assert_fails(set(".", 103, 1), DRE_ERR_INVALID_ARGUMENT, "type");	/* application containers' */
	assert_fails(unset(".", 0), DRE_ERR_INVALID_ARGUMENT, "type");
	assert_fails(set(".", CPU, 0), DRE_ERR_INVALID_ARGUMENT, "below 1");
	assert_fails(set(".", MEMORY, -1), DRE_ERR_INVALID_ARGUMENT, "below 1");
	assert_fails(set_cores(".", NULL), DRE_ERR_NULL_POINTER, "cores");
	assert_fails(set_cores(".", "3-1"), DRE_ERR_INVALID_ARGUMENT, "cores");
	assert_fails(set("ui", CPU, 5), DRE_ERR_CGROUP_NONEXISTENCE, "ui");
	r.type = 77;
	assert_fails(dre_sys_get_limit(&cg, ".", &r), DRE_ERR_INVALID_ARGUMENT, "type");
	assert_int_equal(r.udata.mem.bytes, 7);
	assert_groups("");
}

/* In the order in which they were made, and their limits with them. */
static void kept_while_stopped(void **state)
{
	(void)state;
	assert_success(dre_sys_create_cgroup(&cg, "ui"));
	assert_success(dre_sys_create_cgroup(&cg, "tmp"));
	assert_success(dre_sys_create_cgroup(&cg, "db"));
	assert_fails(dre_sys_create_cgroup(&cg, "ui"), DRE_ERR_CGROUP_EXISTENCE, "ui");
	assert_success(dre_sys_destroy_cgroup(&cg, "tmp"));
	assert_groups("ui,db");
	assert_false(has_file(OUTER "ui"));

	assert_success(set("ui", CPU, 25));
	assert_success(set_cores("ui", "1"));
	assert_success(set("db", MEMORY64, 1LL << 35));
	assert_success(set("db", MEMSW64, 1LL << 36));
	assert_success(set(".", CPU, 150));
	assert_groups("ui,db");
	assert_int_equal(limit("ui", CPU), 25);
	assert_cores("ui", "1");
	assert_cores("db", NULL);
	assert_int_equal(limit("ui", MEMORY), 0);
	assert_int_equal(limit("db", MEMORY64), 1LL << 35);
	assert_int_equal(limit("db", MEMORY), INT_MAX);
	assert_int_equal(limit("db", MEMSW64), 1LL << 36);
	assert_int_equal(limit(".", CPU), 150);

	assert_fails(unset("db", MEMORY), DRE_ERR_UNSET_LIMIT_FAILED, "swap first");
	assert_fails(set("ui", MEMSW, 1 << 20), DRE_ERR_SET_LIMIT_FAILED, "memory");
	assert_fails(set("ui", MEMORY, 100), DRE_ERR_SET_LIMIT_FAILED, "page");
	assert_fails(set("db", MEMORY64, 1LL << 37), DRE_ERR_SET_LIMIT_FAILED, "less than");
	assert_fails(set("db", MEMSW64, 1LL << 34), DRE_ERR_SET_LIMIT_FAILED, "less than");
	assert_fails(set_cores("ui", "0-7000"), DRE_ERR_SET_LIMIT_FAILED, "core 2");
	assert_cores("ui", "1");
	assert_int_equal(limit("db", MEMORY64), 1LL << 35);
	assert_success(unset("db", MEMSW));
	assert_success(unset("db", MEMORY));
	assert_success(unset("db", MEMORY));
	assert_success(set("db", MEMORY, 64 << 20));
}

static void damaged_manifest(void **state)
{
	dre_list_t list;

	(void)state;
	assert_int_equal(shell("cp " STORE "/containers/cg/manifest /run/manifest && "
			       "sed -i 's/cpu=25/cpu=x/' " STORE "/containers/cg/manifest"), 0);
	assert_fails(dre_sys_get_cgroup_list(&cg, &list), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "cpu=x");
	assert_fails(set("ui", CPU, 30), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "cpu=x");
	assert_fails(dre_sys_start(&cg), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "cpu=x");
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_false(has_file(OUTER "ui"));
	assert_int_equal(shell("cp /run/manifest " STORE "/containers/cg/manifest"), 0);
}

static void without_the_module(void **state)
{
	(void)state;
	assert_int_equal(shell("rmmod dre"), 0);
	assert_fails(dre_sys_start(&cg), DRE_ERR_DAWARE_MOD_NONEXISTENCE, "modprobe");
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(dre_sys_create_cgroup(&cg, "tmp"));
	assert_success(dre_sys_destroy_cgroup(&cg, "tmp"));
	assert_int_equal(shell("modprobe dre"), 0);
}

/* With hardly any memory there is no machine, and its guest has not run. */
static void limits_without_room(void **state)
{
	(void)state;
	assert_success(set(".", MEMORY, 1 << 20));
	assert_fails(dre_sys_start(&cg), DRE_ERR_SET_LIMIT_FAILED, "");
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_int_equal(known_pid(), 0);
	assert_false(has_file(OUTER "ui"));
	assert_int_equal(count_said("cg", "guest:"), 0);
	assert_success(unset(".", MEMORY));
	shell("dmesg -C");	/* that the kernel said so is as it should be */
}

/*
 * What each function says in each state; 0: it would do it, which is tested elsewhere.
 */

static int bind_self(const dre_sys_handle *h)
{
	return dre_sys_bind_pid(h, "ui", getpid());
}

static int unbind_self(const dre_sys_handle *h)
{
	return dre_sys_unbind_pid(h, "ui", getpid());
}

static int get_usage(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = { .type = MEMORY };

	return dre_sys_get_resource(h, 0, &r);
}

/* Success in all states. */
static int list_groups(const dre_sys_handle *h)
{
	dre_list_t list;
	int err = dre_sys_get_cgroup_list(h, &list);

	return err ? err : dre_sys_release_cgroup_list(list);
}

static int list_bound(const dre_sys_handle *h)
{
	int *list, err = dre_sys_get_bound_pid_list(h, "ui", &list);

	return err ? err : dre_sys_release_bound_pid_list(list);
}

static int make_and_remove(const dre_sys_handle *h)
{
	int err = dre_sys_create_cgroup(h, "tmp");

	return err ? err : dre_sys_destroy_cgroup(h, "tmp");
}

static int set_and_unset(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = number(CPU, 30);
	int err = dre_sys_set_resource(h, "db", &r);

	return err ? err : dre_sys_unset_resource(h, "db", &r);
}

static int get_limit(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = { .type = CPU };

	return dre_sys_get_limit(h, ".", &r);
}

enum { STOPPED, RUNNING, SUSPENDED };

#define ELSEWHERE 1

static const struct {
	const char *name;
	int (*call)(const dre_sys_handle *h);
	int wanted[3];
} matrix[] = {
#define S	DRE_ERR_CONTAINER_STOPPED
#define U	DRE_ERR_CONTAINER_SUSPENDED
	{ "bind_pid", bind_self, { S, ELSEWHERE, U } },
	{ "unbind_pid", unbind_self, { S, ELSEWHERE, U } },
	{ "get_resource", get_usage, { S, 0, U } },
	{ "get_cgroup_list", list_groups, { 0, 0, 0 } },
	{ "get_bound_pid_list", list_bound, { 0, 0, 0 } },
	{ "create_cgroup, destroy_cgroup", make_and_remove, { 0, 0, 0 } },
	{ "set_resource, unset_resource", set_and_unset, { 0, 0, 0 } },
	{ "get_limit", get_limit, { 0, 0, 0 } },
#undef S
#undef U
};

static void assert_matrix(int state)
{
	for (size_t i = 0; i < sizeof(matrix) / sizeof(*matrix); i++)
		if (matrix[i].wanted[state] != ELSEWHERE &&
		    matrix[i].call(&cg) != matrix[i].wanted[state])
			fail_msg("%s in state %d: %s", matrix[i].name, state, dre_last_error());
	assert_groups("ui,db");
}

static void busy(void **state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
	int fd = open(STORE "/containers/cg/lock", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_fails(dre_sys_create_cgroup(&cg, "tmp"), DRE_ERR_CONTAINER_BUSY, "cg");
	assert_fails(dre_sys_destroy_cgroup(&cg, "ui"), DRE_ERR_CONTAINER_BUSY, "cg");
	assert_fails(bind_self(&cg), DRE_ERR_CONTAINER_BUSY, "cg");
	assert_fails(unbind_self(&cg), DRE_ERR_CONTAINER_BUSY, "cg");
	assert_fails(set(".", CPU, 5), DRE_ERR_CONTAINER_BUSY, "cg");
	assert_fails(unset(".", CPU), DRE_ERR_CONTAINER_BUSY, "cg");
	assert_fails(get_usage(&cg), DRE_ERR_CONTAINER_BUSY, "cg");
	close(fd);
	assert_groups("ui,db");
}

/*
 * The command
 */

/* The shell's line succeeds. */
#define assert_shell(...) assert_true(!shell(__VA_ARGS__) || complain(__VA_ARGS__))

static bool complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool complain(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	print_error("fails: %s\n", line);
	return false;
}

/* dre-sys with these arguments exits with that, and says on one line of stderr what is wrong. */
static void assert_refused(const char *arguments, int status, const char *part)
{
	assert_int_equal(shell("dre-sys %s >/run/out 2>/run/err", arguments), status);
	if (shell("grep -qF -e \"%s\" /run/err", part))
		shell("sed 's/^/# /' /run/err");
	assert_shell("grep -qF -e \"%s\" /run/err", part);
	assert_int_equal(shell("test -s /run/out"), 1);
}

/* What dre-sys inspect prints has a part like that, a basic regular expression, but for its blanks. */
static void assert_inspected(const char *part)
{
	assert_shell("dre-sys inspect cg | tr -d '[:space:]' >/run/out && grep -q '%s' /run/out", part);
}

static void command_while_stopped(void **state)
{
	(void)state;
	assert_shell("dre-sys cgroup create cg batch && dre-sys resource set cg batch cpu 10%% && "
		     "dre-sys resource set cg batch memory 32M && dre-sys resource set cg batch cores 0");
	assert_int_equal(limit("batch", CPU), 10);
	assert_int_equal(limit("batch", MEMORY), 32 << 20);
	assert_cores("batch", "0");
	assert_shell("dre-sys resource unset cg batch cores");
	assert_cores("batch", NULL);
	assert_shell("dre-sys cgroup list cg | tail -1 | grep -q '^batch *-$'");
	assert_shell("dre-sys cgroup list --json cg | grep -q '\"cgroup\": *\"batch\"'");
	assert_shell("dre-sys top -n 1 --json | tr -d '[:space:]' | grep -qF '{\"containers\":[]}'");
	assert_inspected("\"name\":\"cg\",\"state\":\"stopped\",\"pid\":null,");
	assert_inspected("\"limits\":{\"cpu\":150,\"cores\":null,\"memory\":null,\"memsw\":null},\"usage\":null,");
	assert_inspected("{\"name\":\"ui\",\"limits\":{\"cpu\":25,\"cores\":\"1\",\"memory\":null,\"memsw\":null},"
			 "\"usage\":null,\"bound\":\\[\\]}");
	assert_refused("cgroup create cg batch", 1, "already");
	assert_refused("cgroup destroy cg none", 1, "dre-sys cgroup list cg");
	assert_refused("cgroup create cg", 2, "control group");
	assert_refused("bind cg batch 1", 1, "dre-sys start cg");
	assert_refused("bind --vpid cg batch 1", 2, "vpid");
	assert_refused("bind cg batch x", 2, "PID");
	assert_refused("resource get cg", 1, "stopped");
	assert_refused("resource set cg batch disk 1", 2, "disk");
	assert_refused("resource set cg batch pids 1", 2, "pids");
	assert_refused("resource set cg batch memory 1X", 2, "1X");
	assert_refused("resource set cg batch memsw 1M", 1, "memory");
	assert_refused("events absent", 1, "absent");
	assert_shell("dre-sys __complete bind cg '' | grep -qx batch");
	assert_shell("[ \"$(dre-sys __complete resource set cg batch c | xargs)\" = 'cpu cores' ]");
	assert_shell("dre-sys cgroup destroy cg batch");
	assert_groups("ui,db");
}

/* @host is bound, and unbound again. */
static void command_while_running(void)
{
	pid_t host = host_process(sleep_for_ever);

	/* It follows the container once that and /proc/daware are in its epoll(7). */
	assert_shell("dre-sys events -n 2 cg >/run/events & p=$!\n"
		     "for i in $(seq 300); do\n"
		     "	[ \"$(cat /proc/$p/fdinfo/* 2>/dev/null | grep -c tfd:)\" = 2 ] && break; sleep 0.1\n"
		     "done\n"
		     "dre-sys bind cg ui %d && dre-sys cgroup list cg | grep -q '^ui *%d$' && "
		     "dre-sys unbind cg ui %d || { kill $p; exit 1; }\n"
		     "wait $p && grep -q ' cg bound pid=%d group=ui comm=cgroups$' /run/events && "
		     "grep -q ' cg unbound pid=%d group=ui comm=cgroups$' /run/events", host, host, host, host,
		     host);
	assert_shell("dre-sys resource get cg | tail -1 | grep -q ' 0-1 '");
	assert_shell("dre-sys resource get --json cg %d | grep -q '\"memory\": *[1-9]'", machine_pid());
	assert_inspected("\"limits\":{\"cpu\":150,\"cores\":null,\"memory\":null,\"memsw\":null}");
	assert_inspected("\"usage\":{\"cpu_time\":[1-9][0-9]*,\"memory\":[1-9][0-9]*,\"memsw\":[1-9][0-9]*,"
			 "\"tasks\":[1-9][0-9]*,\"cpu\":[0-9]*,\"cores\":\"0-1\"}");
	assert_shell("dre-sys bind cg ui %d && dre-sys inspect cg | tr -d '[:space:]' >/run/out && "
		     "grep -q '\"tasks\":1},\"bound\":\\[{\"pid\":%d}\\]' /run/out && dre-sys unbind cg ui %d", host, host, host);
	assert_shell("dre-sys top -n 1 | grep -q '^NAME *STATE *CPU%% *MEMORY *MEMSW *LIMIT$'");
	assert_shell("dre-sys top -n 1 | grep -q '^cg *running *[0-9]* *[1-9][0-9]* *[1-9][0-9]* *$'");
	assert_shell("dre-sys bind cg ui %d && dre-sys top -g -n 1 | grep -q '^cg *ui *[0-9]* .* 1$' && "
		     "dre-sys top -g -n 1 | grep -q '^cg *[.] *[0-9]* *[1-9]' && dre-sys unbind cg ui %d", host, host);
	end(host);
}

/*
 * With a machine
 */

static void assert_made(void)
{
	assert_file("ui/cpu.max", "25000 100000");
	assert_file("ui/cpuset.cpus.effective", "1");
	assert_file("db/memory.max", "67108864");
	assert_file("cpu.max", "150000 100000");
	assert_file("memory.max", "max");
	assert_int_equal(known_pid(), machine_pid());
}

static void started(void **state)
{
	(void)state;
	assert_matrix(STOPPED);
	assert_success(dre_sys_start(&cg));
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_made();
	assert_matrix(RUNNING);
	command_while_running();
	/* libvirt finds its own cgroups, and may change them. */
	assert_int_equal(shell("virsh -q schedinfo dre-cg --live --set vcpu_quota=90000 >/dev/null"), 0);
	assert_int_equal(shell("virsh -q schedinfo dre-cg | grep -q '^vcpu_quota *: 90000'"), 0);
	assert_int_equal(shell("virsh -q schedinfo dre-cg --live --set vcpu_quota=-1 >/dev/null"), 0);
	assert_int_equal(shell("virsh -q vcpupin dre-cg 0 0-1 --live && virsh -q emulatorpin dre-cg 0-1 --live"), 0);
	assert_int_equal(shell("virsh -q cpu-stats dre-cg --total | grep -q cpu_time"), 0);
	assert_made();
}

static int second_thread(const char *tasks)
{
	char line[256];
	int thread = 0;
	FILE *f = popen(tasks, "r");

	while (f && fgets(line, sizeof(line), f))
		thread = atoi(line);
	pclose(f);
	return thread;
}

static void bound_and_put_back(void **state)
{
	pid_t host = host_process(sleep_for_ever), dead = host_process(sleep_for_ever);
	int machine = machine_pid(), thread;
	char origin[PATH_MAX], tasks[64];

	(void)state;
	end(dead);
	snprintf(origin, sizeof(origin), "%s", cgroup_of(host));
	assert_success(dre_sys_bind_pid(&cg, "ui", host));
	assert_bound("ui", host);
	assert_success(dre_sys_bind_pid(&cg, "ui", host));
	assert_success(dre_sys_bind_pid(&cg, "db", host));
	assert_bound("db", host);
	assert_fails(dre_sys_unbind_pid(&cg, "ui", host), DRE_ERR_PID_NONEXISTENCE, "not bound");
	assert_fails(dre_sys_destroy_cgroup(&cg, "db"), DRE_ERR_DESTROY_CGROUP_FAILED, "still has");
	assert_groups("ui,db");
	assert_success(dre_sys_unbind_pid(&cg, "db", host));
	assert_string_equal(cgroup_of(host), origin);
	assert_fails(dre_sys_unbind_pid(&cg, "db", host), DRE_ERR_PID_NONEXISTENCE, "not bound");

	assert_fails(dre_sys_bind_pid(&cg, "none", host), DRE_ERR_CGROUP_NONEXISTENCE, "none");
	assert_fails(dre_sys_unbind_pid(&cg, "none", host), DRE_ERR_CGROUP_NONEXISTENCE, "none");
	assert_fails(dre_sys_bind_pid(&cg, "ui", dead), DRE_ERR_PID_NONEXISTENCE, "no process");
	assert_fails(dre_sys_bind_pid(&cg, "ui", 2), DRE_ERR_INVALID_ARGUMENT, "kernel");
	assert_fails(dre_sys_bind_pid(&cg, "ui", machine), DRE_ERR_BIND_FAILED, "control group '.'");
	snprintf(tasks, sizeof(tasks), "ls /proc/%d/task", machine);
	thread = second_thread(tasks);
	assert_true(thread && thread != machine);
	assert_fails(dre_sys_bind_pid(&cg, "ui", thread), DRE_ERR_BIND_FAILED, "control group '.'");
	assert_null(strstr(cgroup_of(machine), "/ui"));
	end(host);
}

static void limits_that_change(void **state)
{
	pid_t hog = host_process(sleep_for_ever);
	cpu_set_t cores;

	(void)state;
	assert_success(dre_sys_bind_pid(&cg, "ui", hog));
	assert_success(set("ui", MEMORY, 16 << 20));
	assert_file("ui/memory.max", "16777216");
	assert_success(set("ui", MEMSW, 24 << 20));
	assert_file("ui/memory.swap.max", "8388608");
	assert_success(set("ui", MEMORY64, 20 << 20));	/* the sum stays */
	assert_file("ui/memory.swap.max", "4194304");
	assert_int_equal(limit("ui", MEMSW64), 24 << 20);
	assert_fails(set("ui", MEMORY, 32 << 20), DRE_ERR_SET_LIMIT_FAILED, "more than");
	assert_fails(set("ui", MEMSW, 8 << 20), DRE_ERR_SET_LIMIT_FAILED, "less than");
	assert_fails(unset("ui", MEMORY), DRE_ERR_UNSET_LIMIT_FAILED, "swap first");
	assert_file("ui/memory.max", "20971520");
	assert_int_equal(limit("ui", MEMORY), 20 << 20);
	assert_success(unset("ui", MEMSW));
	assert_success(unset("ui", MEMORY));
	assert_file("ui/memory.max", "max");

	for (int core = 0; core < 2; core++) {
		assert_success(set_cores("ui", core ? "1" : "0"));
		assert_int_equal(sched_getaffinity(hog, sizeof(cores), &cores), 0);
		assert_true(CPU_COUNT(&cores) == 1 && CPU_ISSET(core, &cores));
	}
	assert_fails(set_cores("ui", "0-7000"), DRE_ERR_SET_LIMIT_FAILED, "core 2");
	assert_fails(set_cores(".", "1,5"), DRE_ERR_SET_LIMIT_FAILED, "core 5");
	assert_cores(".", NULL);
	assert_file("cpu.max", "150000 100000");
	assert_int_equal(limit(".", CPU), 150);
	assert_cores("ui", "1");
	end(hog);
	assert_made();
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static long long cpu_used_us(const char *file)
{
	char path[PATH_MAX], text[128];
	long long us = -1;

	snprintf(path, sizeof(path), OUTER "%s", file);
	read_line(path, text, sizeof(text));
	sscanf(text, "usage_usec %lld", &us);
	return us;
}

/* Percent that a group got of a CPU in 4 seconds, from the second on: the first may have a rest of before. */
static double share_of(const char *file)
{
	long long used_before, begin;

	sleep(1);
	begin = now_ms();
	used_before = cpu_used_us(file);
	sleep(4);
	return (cpu_used_us(file) - used_before) / 10.0 / (now_ms() - begin);
}

#define LOOKS	5

/*
 * A processor that is emulated on a busy host may be taken away while a hog has it, and the kernel counts that as the
 * hog's: not each look counts, but a limit that does not hold is never seen to hold.
 */
static void assert_share(const char *file, const char *what, double least, double most)
{
	double share = 0;

	for (int i = 0; i < LOOKS && !(share > least && share < most); i++) {
		share = share_of(file);
		printf("# %s got %.1f %%\n", what, share);
	}
	assert_true(share > least && share < most);
}

/* 100 ms are one period of the limit. */
static void assert_uses(pid_t pid, int least, int most)
{
	int percent = most;

	for (int i = 0; i < LOOKS && (percent <= least || percent >= most); i++)
		percent = used(pid, CPU);
	assert_true(percent > least && percent < most);
}

static void hogs_get_their_share(void **state)
{
	pid_t hog = host_process(spin), other;

	(void)state;
	assert_success(dre_sys_bind_pid(&cg, "ui", hog));
	assert_share("ui/cpu.stat", "a hog limited to 25 %", 5, 28);
	assert_uses(hog, 5, 60);
	/* The machine and all beside it have one limit together. */
	other = host_process(spin);
	assert_success(dre_sys_bind_pid(&cg, "db", other));
	assert_success(set(".", CPU, 40));
	assert_share("cpu.stat", "a container limited to 40 %, with two hogs and a guest that boots,", 10, 43);
	assert_success(set(".", CPU, 150));
	end(other);
	end(hog);
}

/* Takes memory when told to, and ends. */
static void eat(void)
{
	const size_t size = 64 << 20;
	volatile char *memory = malloc(size);

	raise(SIGSTOP);
	for (size_t at = 0; memory && at < size; at += 4096)
		memory[at] = 1;
}

/* What takes more memory than its group may have is killed, and the machine beside it is not. */
static void memory_holds(void **state)
{
	pid_t hog = host_process(eat), other = host_process(sleep_for_ever);
	int machine = machine_pid(), ended;

	(void)state;
	assert_success(set("ui", MEMORY, 16 << 20));
	assert_int_equal(waitpid(hog, &ended, WUNTRACED), hog);
	assert_success(dre_sys_bind_pid(&cg, "ui", hog));
	assert_success(dre_sys_bind_pid(&cg, "db", other));
	assert_int_equal(kill(hog, SIGCONT), 0);
	assert_int_equal(waitpid(hog, &ended, 0), hog);
	assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(machine_pid(), machine);
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_success(unset("ui", MEMORY));
	end(other);
}

static void what_is_used(void **state)
{
	dre_sys_resource_value_t r = { .type = CORES };
	pid_t host = host_process(sleep_for_ever);
	int machine = machine_pid();

	(void)state;
	assert_true(used(machine, MEMORY) > 8 << 20);
	assert_true(used(0, MEMORY) > 8 << 20);
	assert_true(used(machine, MEMSW) >= used(machine, MEMORY) / 2);
	assert_in_range(used(machine, CPU), 0, 250);
	assert_in_range(used(0, CPU), 0, 250);
	assert_success(dre_sys_get_resource(&cg, 0, &r));
	assert_string_equal(r.udata.cpu.cores, "0-1");
	assert_success(dre_sys_release_resource(&r));
	r = number(MEMORY64, 7);
	assert_fails(dre_sys_get_resource(&cg, host, &r), DRE_ERR_PID_NONEXISTENCE, "no process");
	assert_fails(dre_sys_get_resource(&cg, 4000000, &r), DRE_ERR_PID_NONEXISTENCE, "no process");
	assert_int_equal(r.udata.mem.bytes, 7);
	assert_success(dre_sys_bind_pid(&cg, "db", host));
	assert_success(dre_sys_get_resource(&cg, host, &r));
	assert_true(r.udata.mem.bytes > 0 && r.udata.mem.bytes < 64 << 20);
	assert_success(dre_sys_unbind_pid(&cg, "db", host));
	end(host);
}

static void suspended(void **state)
{
	(void)state;
	assert_success(dre_sys_suspend(&cg));
	assert_matrix(SUSPENDED);
	assert_success(dre_sys_create_cgroup(&cg, "tmp"));
	assert_true(has_file(OUTER "tmp"));
	assert_success(set("tmp", CPU, 50));
	assert_file("tmp/cpu.max", "50000 100000");
	assert_inspected("\"state\":\"suspended\",\"pid\":null,");
	assert_inspected("\"usage\":{\"cpu_time\":[1-9][0-9]*,\"memory\":[1-9][0-9]*,.*\"cpu\":null,\"cores\":null}");
	assert_success(dre_sys_destroy_cgroup(&cg, "tmp"));
	assert_false(has_file(OUTER "tmp"));
	assert_success(dre_sys_resume(&cg));
	assert_made();
}

static void module_loaded_again(void **state)
{
	pid_t host = host_process(sleep_for_ever);

	(void)state;
	assert_success(dre_sys_bind_pid(&cg, "ui", host));
	assert_int_equal(shell("rmmod dre"), 0);
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_fails(bind_self(&cg), DRE_ERR_DAWARE_MOD_NONEXISTENCE, "modprobe");
	assert_fails(dre_sys_create_cgroup(&cg, "tmp"), DRE_ERR_DAWARE_MOD_NONEXISTENCE, "modprobe");
	assert_fails(dre_sys_destroy_cgroup(&cg, "ui"), DRE_ERR_DAWARE_MOD_NONEXISTENCE, "modprobe");
	assert_fails(list_bound(&cg), DRE_ERR_DAWARE_MOD_NONEXISTENCE, "modprobe");
	assert_groups("ui,db");
	assert_success(set_and_unset(&cg));
	assert_int_equal(shell("modprobe dre"), 0);
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_made();
	assert_bound("ui", host);
	assert_success(dre_sys_unbind_pid(&cg, "ui", host));
	end(host);
}

/* What is in its groups comes back, and they go. */
static void the_end_puts_back(int (*stop)(void))
{
	pid_t host = host_process(sleep_for_ever);
	char origin[PATH_MAX];

	snprintf(origin, sizeof(origin), "%s", cgroup_of(host));
	assert_success(dre_sys_bind_pid(&cg, "ui", host));
	assert_int_equal(stop(), 0);
	assert_true(eventually(dre_sys_status(&cg) == DRE_SYS_CONTAINER_STATUS_STOP));
	assert_true(eventually(!has_file(OUTER "ui")));
	assert_string_equal(cgroup_of(host), origin);
	assert_int_equal(kill(host, 0), 0);
	assert_false(has_file(OUTER "db"));
	assert_int_equal(known_pid(), 0);
	assert_groups("ui,db");
	end(host);
}

static int stop(void)
{
	return dre_sys_stop(&cg);
}

static void stop_puts_back(void **state)
{
	(void)state;
	assert_says("cg", "guest: tick", 1);
	the_end_puts_back(stop);
}

static int virsh_destroy(void)
{
	return shell("virsh -q destroy dre-cg");
}

static int kill_machine(void)
{
	return kill(machine_pid(), SIGKILL);
}

/* Also where its partition is not there, as after a reboot of the host; and where the guest ends it. */
static void started_and_stopped_by_virsh(void **state)
{
	(void)state;
	assert_int_equal(shell("rmdir " OUTER), 0);
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_int_equal(shell("virsh -q start dre-cg"), 0);
	assert_int_equal(dre_sys_status(&cg), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_made();
	the_end_puts_back(virsh_destroy);
}

/* Another machine's process is not bound either, nor is what belongs to another container. */
static void killed(void **state)
{
	dre_sys_handle other = handle("other");
	pid_t host = host_process(sleep_for_ever);
	char origin[PATH_MAX];
	int pid;

	(void)state;
	snprintf(origin, sizeof(origin), "%s", cgroup_of(host));
	assert_success(create("other", "it"));
	assert_success(dre_sys_create_cgroup(&other, "ui"));
	assert_success(dre_sys_start(&other));
	assert_success(dre_sys_start(&cg));
	assert_success(dre_sys_get_pid(&other, &pid));
	assert_fails(dre_sys_bind_pid(&cg, "ui", pid), DRE_ERR_BIND_FAILED, "another machine");
	assert_success(dre_sys_bind_pid(&other, "ui", host));
	assert_fails(dre_sys_bind_pid(&cg, "ui", host), DRE_ERR_BIND_FAILED, "another container");
	the_end_puts_back(kill_machine);
	/* Starting is a look as well. */
	assert_true(ends_with(cgroup_of(host), "/dre-other.partition/ui"));
	assert_int_equal(shell("virsh -q destroy dre-other"), 0);
	assert_success(dre_sys_destroy_container("other"));
	assert_string_equal(cgroup_of(host), origin);
	assert_false(has_file(ROOT "dre.partition/sys.partition/dre-other.partition"));
	end(host);
}

/*
 * Events
 */

static const dre_sys_event *next_event(dre_sys_events *events, dre_sys_event_type_t type)
{
	const dre_sys_event *event = NULL;
	bool found = eventually(!dre_sys_events_next(events, &event) && event);

	if (!found || event->type != type)
		print_error("event %d in place of %d\n", found ? (int)event->type : 0, type);
	assert_true(found);
	assert_int_equal(event->type, type);
	assert_string_equal(event->container, "cg");
	return event;
}

static void events(void **state)
{
	char *const names[] = { "cg", NULL }, *const absent[] = { "absent", NULL };
	pid_t host = host_process(sleep_for_ever);
	dre_sys_events *events = NULL;
	const dre_sys_event *event;
	int machine;

	(void)state;
	assert_fails(dre_sys_events_open(names, NULL), DRE_ERR_NULL_POINTER, "events");
	assert_fails(dre_sys_events_fd(NULL), DRE_ERR_NULL_POINTER, "events");
	assert_fails(dre_sys_events_next(NULL, &event), DRE_ERR_NULL_POINTER, "events");
	assert_fails(dre_sys_events_close(NULL), DRE_ERR_NULL_POINTER, "events");
	assert_fails(dre_sys_events_open(absent, &events), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_null(events);
	assert_success(dre_sys_events_open(names, &events));
	assert_true(dre_sys_events_fd(events) >= 0);
	assert_success(dre_sys_events_next(events, &event));
	assert_null(event);
	assert_fails(dre_sys_events_next(events, NULL), DRE_ERR_NULL_POINTER, "event");

	assert_success(dre_sys_start(&cg));
	machine = machine_pid();
	assert_int_equal(next_event(events, DRE_SYS_EVENT_STARTED)->pid, machine);
	assert_success(dre_sys_bind_pid(&cg, "ui", host));
	event = next_event(events, DRE_SYS_EVENT_BOUND);
	assert_int_equal(event->pid, host);
	assert_string_equal(event->group, "ui");
	assert_string_equal(event->comm, "cgroups");
	assert_success(dre_sys_unbind_pid(&cg, "ui", host));
	assert_string_equal(next_event(events, DRE_SYS_EVENT_UNBOUND)->group, "ui");
	kill(machine, SIGKILL);
	event = next_event(events, DRE_SYS_EVENT_ENDED);
	assert_int_equal(event->pid, machine);
	assert_true(WIFSIGNALED(event->status) && WTERMSIG(event->status) == SIGKILL);
	assert_success(dre_sys_events_close(events));
	assert_true(eventually(dre_sys_status(&cg) == DRE_SYS_CONTAINER_STATUS_STOP));
	end(host);
}

static void nothing_is_left(void **state)
{
	(void)state;
	assert_success(dre_sys_destroy_container("cg"));
	assert_false(has_file(OUTER));
	assert_success(dre_sys_remove_base("it"));
	assert_int_equal(shell("[ -z \"$(ls " STORE "/layers " STORE "/containers | grep -v :)\" ]"), 0);
	assert_int_equal(shell("[ -z \"$(virsh -q list --all --name | grep dre-)\" ]"), 0);
}

static int setup(void **state)
{
	set_up_host(state);
	assert_success(create("cg", "it"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(kept_while_stopped),
		cmocka_unit_test(command_while_stopped),
		cmocka_unit_test(damaged_manifest),
		cmocka_unit_test(without_the_module),
		cmocka_unit_test(busy),
		cmocka_unit_test(limits_without_room),
		cmocka_unit_test(started),
		cmocka_unit_test(bound_and_put_back),
		cmocka_unit_test(limits_that_change),
		cmocka_unit_test(hogs_get_their_share),
		cmocka_unit_test(memory_holds),
		cmocka_unit_test(what_is_used),
		cmocka_unit_test(suspended),
		cmocka_unit_test(module_loaded_again),
		cmocka_unit_test(stop_puts_back),
		cmocka_unit_test(started_and_stopped_by_virsh),
		cmocka_unit_test(killed),
		cmocka_unit_test(events),
		cmocka_unit_test(nothing_is_left),
	};

	return HOST_MAIN(tests, setup, NULL);
}
