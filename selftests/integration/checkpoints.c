// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checkpoints of running containers, and restarts from them.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include "box.h"

/* A process that counts in a file, each time that it is told to. */
#define COUNTER	"echo 0 >/count; setsid sh -c 'i=0; while :; do [ ! -e /go ] || { i=$((i+1)); echo $i >/count; rm /go; }; " \
		"sleep 0.1; done' </dev/null >/dev/null 2>&1 &"

/* What it says then: nothing of that depends on time. */
static int count(const dre_app_handle *h)
{
	char *text;
	int n;

	assert_int_equal(box_run(h, "touch /go; timeout 180 sh -c 'while [ -e /go ]; do sleep 0.1; done'"), 0);
	text = box_read(h, "/count");
	assert_non_null(text);
	n = atoi(text);
	free(text);
	return n;
}

static void assert_checkpoints(const dre_app_handle *h, const char *first, const char *second)
{
	dre_list_t list;

	assert_done(dre_app_get_checkpoint_list(h, &list));
	if (first)
		assert_string_equal(list[0], first);
	if (second)
		assert_string_equal(list[1], second);
	assert_null(list[!!first + !!second]);
	assert_done(dre_app_release_checkpoint_list(list));
}

/* Does root of a container have its control groups for itself only? CRIU mounts them, too. */
static bool groups_are_delegated(void)
{
	char *mounts = read_file("/proc/self/mountinfo");
	bool delegated = strstr(mounts, ",nsdelegate");

	free(mounts);
	return delegated;
}

/* For the container as a whole. NULL: none, any more. */
static void configure(const dre_app_handle *h, const char *memory, const char *memsw, const char *pids)
{
	const dre_app_property list[] = { { .key = "memory", .value = memory }, { .key = "memsw", .value = memsw },
					  { .key = "pids", .value = pids }, { } };

	assert_done(dre_app_set_properties(h, list));
}

static void assert_file(const char *path, const char *text)
{
	char *is = read_file(path);

	assert_non_null(is);
	assert_string_equal(is, text);
	free(is);
}

static void assert_configured(const char *memory, const char *swap, const char *pids)
{
	assert_file(CGROUPS "/dre/app/c/memory.max", memory);
	assert_file(CGROUPS "/dre/app/c/memory.swap.max", swap);
	assert_file(CGROUPS "/dre/app/c/pids.max", pids);
}

/*
 * Running, stopped, of a dead init, twice from the same, and from one of a restarted one. What limits are configured
 * since, larger ones, smaller ones and none, are those that it has.
 */
static void goes_back(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_int_equal(box_run(h, COUNTER " echo old >/file"), 0);
	assert_checkpoints(h, NULL, NULL);
	assert_int_equal(count(h), 1);
	configure(h, "64M", "96M", "300");
	assert_done(dre_app_checkpoint(h, "a"));
	assert_checkpoints(h, "a", NULL);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(count(h), 2);
	assert_int_equal(count(h), 3);
	assert_int_equal(box_run(h, "echo new >/file; echo x >/another"), 0);

	configure(h, "128M", "256M", "400");
	assert_done(dre_app_restart(h, "a"));
	assert_configured("134217728\n", "134217728\n", "400\n");
	assert_int_equal(count(h), 2);
	assert_int_equal(box_run(h, "[ $(cat /file) = old ] && [ ! -e /another ]"), 0);

	assert_int_equal(count(h), 3);
	assert_done(dre_app_checkpoint(h, "b"));
	assert_checkpoints(h, "a", "b");
	assert_done(dre_app_stop(h));
	configure(h, "32M", "48M", "200");
	assert_done(dre_app_restart(h, "a"));
	assert_configured("33554432\n", "16777216\n", "200\n");
	assert_int_equal(count(h), 2);
	configure(h, NULL, NULL, NULL);
	box_kill(h);
	assert_done(dre_app_restart(h, "b"));
	assert_configured("max\n", "max\n", "max\n");
	assert_int_equal(count(h), 4);

	assert_done(dre_app_remove_checkpoint(h, "a"));
	assert_checkpoints(h, "b", NULL);
	box_destroy(h);
	assert_true(groups_are_delegated());
}

static void refused(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	world_mark();
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_checkpoint(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_restart(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_remove_checkpoint(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_checkpoint_list(h, NULL));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_checkpoint(h, "../a"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_restart(h, ""));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_remove_checkpoint(h, "a/b"));
	assert_refused(DRE_ERR_CONTAINER_STOPPED, dre_app_checkpoint(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_restart(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_remove_checkpoint(h, "a"));
	/* Snapshots are something else. */
	assert_done(dre_app_save_snapshot(h, "a"));
	world_mark();
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_restart(h, "a"));
	assert_done(dre_app_start(h));
	assert_done(dre_app_checkpoint(h, "a"));
	world_mark();
	assert_refused(DRE_ERR_SNAPSHOT_EXISTENCE, dre_app_checkpoint(h, "a"));
	assert_refused(DRE_ERR_SNAPSHOT_NONEXISTENCE, dre_app_restart(h, "b"));
	/* What the machine cannot do. */
	make_read_only(STORE "/containers/c/checkpoints");
	world_mark();
	assert_refused(DRE_ERR_REMOVE_SNAPSHOT_FAILED, dre_app_remove_checkpoint(h, "a"));
	assert_int_equal(umount(STORE "/containers/c/checkpoints"), 0);
	assert_done(dre_app_remove_checkpoint(h, "a"));
	box_destroy(h);
}

/* Its PID in the container. */
static int start_payload(const dre_app_handle *h, int megabytes)
{
	char command[64];
	const char *pid;

	snprintf(command, sizeof(command), "payload %d", megabytes);
	assert_int_equal(box_run(h, command), 0);
	assert_true(eventually(box_says(h, "payload is ready")));
	assert_int_equal(box_ask(h, &pid, "sed -n 's/payload is ready //p' " JOURNAL), 0);
	return atoi(pid);
}

static bool file_says(const char *path, const char *text)
{
	char *is = read_file(path);
	bool says = is && strstr(is, text);

	free(is);
	return says;
}

/* It has used all that it has, for the @nth time. */
static void assert_journal_says_holds(const char *path, int nth)
{
	char wanted[64], *journal;

	snprintf(wanted, sizeof(wanted), "payload holds %d\n", nth);
	if (eventually(file_says(path, wanted) || file_says(path, "payload lost")) && file_says(path, wanted))
		return;
	journal = read_file(path);
	fail_msg("%s", journal);
}

static void assert_payload_holds(const dre_app_handle *h, int pid, int nth)
{
	char command[64];

	snprintf(command, sizeof(command), "kill -USR1 %d", pid);
	assert_int_equal(box_run(h, command), 0);
	assert_journal_says_holds(box_layer_path(h, JOURNAL), nth);
}

static void payload_goes_on(void **state)
{
	dre_app_handle *h = box_start("c");
	int pid = start_payload(h, 0);

	(void)state;
	assert_payload_holds(h, pid, 1);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_payload_holds(h, pid, 2);
	assert_done(dre_app_restart(h, "a"));
	assert_payload_holds(h, pid, 2);
	assert_payload_holds(h, pid, 3);
	assert_done(dre_app_checkpoint(h, "b"));
	assert_done(dre_app_restart(h, "b"));
	assert_payload_holds(h, pid, 4);
	box_destroy(h);
}

#define HOST_JOURNAL	"/run/journal"

static void run_criu(const char *action, const char *arguments)
{
	char command[512];

	snprintf(command, sizeof(command), "criu %s -D /run/images -o %s.log --tcp-established --file-locks "
		 "--network-lock nftables %s || ! grep Error /run/images/%s.log", action, action, arguments, action);
	assert_int_equal(system(command), 0);
}

/*
 * What a checkpoint is measured by: what CRIU restores on the same kernel. For System V memory that takes a namespace
 * of its own.
 */
static void payload_goes_on_by_criu_alone(void **state)
{
	char arguments[64], *journal;
	int pid;

	(void)state;
	assert_int_equal(system("rm -rf /run/images " HOST_JOURNAL " && mkdir /run/images && "
				"unshare --ipc /tests/integration/payload 0 " HOST_JOURNAL), 0);
	assert_true(eventually(file_says(HOST_JOURNAL, "payload is ready")));
	journal = read_file(HOST_JOURNAL);
	assert_int_equal(sscanf(journal, "payload is ready %d", &pid), 1);
	free(journal);
	kill(pid, SIGUSR1);
	assert_journal_says_holds(HOST_JOURNAL, 1);
	snprintf(arguments, sizeof(arguments), "-t %d --link-remap", pid);
	run_criu("dump", arguments);
	assert_true(eventually(is_gone(pid)));
	run_criu("restore", "-d");
	kill(pid, SIGUSR1);
	assert_journal_says_holds(HOST_JOURNAL, 2);
	kill(pid, SIGKILL);
	assert_true(eventually(is_gone(pid)));
	assert_int_equal(system("umount /memory && rm -r /run/images /memory /watched* /dev/shm/payload"), 0);
}

#define PARENT	STORE "/containers/c/checkpoints/a/images/parent"

/* Where there is much of it, while the container runs; what changes since is dumped once more. */
static void memory_is_dumped_early(void **state)
{
	dre_app_handle *h = box_start("c");
	int pid = start_payload(h, 24);

	(void)state;
	assert_payload_holds(h, pid, 1);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_int_equal(access(PARENT "/inventory.img", F_OK), 0);
	assert_payload_holds(h, pid, 2);
	assert_done(dre_app_restart(h, "a"));
	assert_payload_holds(h, pid, 2);
	/* What was dumped early is no reason for the next one to do without. */
	assert_done(dre_app_remove_checkpoint(h, "a"));
	assert_done(dre_app_checkpoint(h, "a"));
	assert_done(dre_app_restart(h, "a"));
	assert_payload_holds(h, pid, 3);
	box_destroy(h);
}

#define CHECKPOINTS	STORE "/containers/c/checkpoints"

/* In a directory that has room for so much. */
static int checkpoint_in(const dre_app_handle *h, int kilobytes)
{
	char command[128];
	int ret;

	snprintf(command, sizeof(command), "mount -t tmpfs -o size=%dk room " CHECKPOINTS, kilobytes);
	assert_int_equal(system(command), 0);
	ret = dre_app_checkpoint(h, "a");
	printf("# %d KiB: %s\n", kilobytes, ret ? dre_last_error() : "fits");
	assert_int_equal(system("[ -z \"$(ls -A " CHECKPOINTS ")\" ]") != 0, !ret);
	assert_int_equal(umount(CHECKPOINTS), 0);
	return ret;
}

/* Wherever CRIU is when there is no room any more: all runs on, and nothing is left. */
static void no_room(void **state)
{
	dre_app_handle *h = box_start("c");
	int pid = start_payload(h, 24), held = 0;

	(void)state;
	for (int room = 16; ; room *= 8) {
		assert_true(room < 1024 * 1024);
		world_mark();
		if (!checkpoint_in(h, room))
			break;
		assert_non_null(strstr(dre_last_error(), "No space left"));
		assert_true(world_becomes_as_marked());
		assert_payload_holds(h, pid, ++held);
	}
	assert_true(held >= 3);
	assert_payload_holds(h, pid, ++held);
	box_destroy(h);
}

static void assert_bound(const dre_app_handle *h, const char *cgroup, int vpid, int other)
{
	dre_app_pid_list_t list;

	assert_done(dre_app_get_bound_pid_list(h, cgroup, &list));
	assert_non_null(list[0]);
	assert_int_equal(list[0]->vpid, vpid);
	if (other) {
		assert_non_null(list[1]);
		assert_int_equal(list[1]->pid, other);
	}
	assert_null(list[1 + !!other]);
	dre_app_release_registered_pid_list(list);
}

static void limit(const dre_app_handle *h, const char *cgroup, dre_app_resource_t type, int value)
{
	dre_app_resource_value_t r = { .type = type };

	if (type == DRE_APP_CONTAINER_RESOURCE_CPU)
		r.udata.cpu.percent = value;
	else if (type == DRE_APP_CONTAINER_RESOURCE_PIDS)
		r.udata.pids = value;
	else
		r.udata.mem.usage_in_bytes = value;
	assert_done(dre_app_set_resource(h, cgroup, &r));
}

static void assert_limits(void)
{
	assert_file(CGROUPS "/dre/app/c/cpu.max", "150000 100000\n");
	assert_file(CGROUPS "/dre/app/c/pids.max", "400\n");
	assert_file(CGROUPS "/dre/app/c/blue/memory.max", "67108864\n");
	assert_file(CGROUPS "/dre/app/c/blue/memory.swap.max", "max\n");
	assert_file(CGROUPS "/dre/app/c/red/cpu.max", "50000 100000\n");
}

/* What /proc/daware says in the container: VPIDs are the same on both sides of a restart. */
static char *daware_inside(const dre_app_handle *h)
{
	return read_daware(box_init(h));
}

/*
 * Registrations, control groups, limits, bindings, what a bound process has
 * forked; a host process stays bound; and the callbacks work.
 */
static void daware_goes_on(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent, host;
	const char *text;
	char *before, *after;
	int managed;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	assert_done(dre_app_create_cgroup(h, "red"));
	limit(h, ".", DRE_APP_CONTAINER_RESOURCE_CPU, 150);
	limit(h, ".", DRE_APP_CONTAINER_RESOURCE_PIDS, 400);
	limit(h, "blue", DRE_APP_CONTAINER_RESOURCE_MEMORY, 64 << 20);
	limit(h, "red", DRE_APP_CONTAINER_RESOURCE_CPU, 50);
	box_agent(h, &agent, "-s 10,12 -m exit");
	host_agent(&host, "-s 15");
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	assert_done(dre_app_bind_pid(h, "blue", host.pid));
	/* A shell that is bound forks a child, and is bound elsewhere then. No name hides it. */
	assert_int_equal(box_ask(h, &text, "sh -c 'printf \"a\\nb\" >/proc/self/comm; until [ -e /go ]; do usleep 100000; done; sleep 1000 & "
				 "wait' </dev/null >/dev/null 2>&1 & echo $!"), 0);
	managed = atoi(text);
	assert_done(dre_app_bind_vpid(h, "blue", managed));
	assert_int_equal(box_run(h, "touch /go; until pidof sleep; do usleep 100000; done"), 0);
	assert_done(dre_app_bind_vpid(h, "red", managed));
	assert_done(dre_app_register_vpid(h, managed));
	before = daware_inside(h);
	assert_file(CGROUPS "/dre/app/c/cgroup.freeze", "0\n");

	assert_done(dre_app_checkpoint(h, "a"));
	after = daware_inside(h);
	assert_string_equal(after, before);
	free(after);
	assert_bound(h, "blue", agent.vpid, host.pid);
	assert_bound(h, "red", managed, 0);
	assert_limits();
	assert_int_equal(box_run(h, "grep -q /../blue /proc/$(pidof sleep)/cgroup"), 0);

	assert_done(dre_app_restart(h, "a"));
	after = daware_inside(h);
	assert_string_equal(after, before);
	free(after);
	assert_bound(h, "blue", agent.vpid, 0);
	assert_bound(h, "red", managed, 0);
	assert_limits();
	assert_int_equal(box_run(h, "grep -q /../blue /proc/$(pidof sleep)/cgroup"), 0);
	assert_false(is_gone(host.pid));
	kill(host.pid, SIGKILL);

	assert_done(dre_app_stop(h));
	assert_true(box_says(h, "agent terminates 10"));
	free(before);
	box_destroy(h);
}

/* A container, and in its group "blue" a process of its own and one of the host. */
static dre_app_handle *start_bound(struct agent *agent, struct agent *host)
{
	dre_app_handle *h = box_start("c");

	assert_done(dre_app_create_cgroup(h, "blue"));
	box_agent(h, agent, "-s 10 -m exit");
	host_agent(host, "-s 15");
	assert_done(dre_app_bind_vpid(h, "blue", agent->vpid));
	assert_done(dre_app_bind_pid(h, "blue", host->pid));
	return h;
}

/* What CRIU cannot dump: then all is as it was, and it is said why. */
static void cannot_be_taken(void **state)
{
	struct agent agent, host;
	dre_app_handle *h = start_bound(&agent, &host);

	(void)state;
	assert_int_equal(box_run(h, "sleep 1000 3</dev/dre >/dev/null 2>&1 & echo $! >/pid"), 0);
	world_mark();
	assert_refused(DRE_ERR_SAVE_SNAPSHOT_FAILED, dre_app_checkpoint(h, "a"));
	if (!strstr(dre_last_error(), "container 'c': CRIU: Can't dump file"))
		fail_msg("%s", dre_last_error());
	assert_bound(h, "blue", agent.vpid, host.pid);
	assert_int_equal(box_run(h, "kill $(cat /pid)"), 0);
	assert_done(dre_app_checkpoint(h, "a"));
	kill(host.pid, SIGKILL);
	box_destroy(h);
}

/* Who is bound would stand still with the container, and nobody would let it go on. */
static void caller_is_bound(void **state)
{
	dre_app_handle *h = box_start("c");
	int status;
	pid_t pid;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dre_app_bind_pid(h, "blue", getpid()) ||
		      dre_app_checkpoint(h, "a") != DRE_ERR_INVALID_ARGUMENT ||
		      dre_app_status(h) != DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_true(eventually(waitpid(pid, &status, WNOHANG) == pid));
	assert_int_equal(status, 0);
	assert_checkpoints(h, NULL, NULL);
	box_destroy(h);
}

/* Files go in and out, and the device of a module that is loaded again arrives. */
static void assert_is_reached(const dre_app_handle *h)
{
	struct agent agent;

	assert_int_equal(system("echo in >/run/in; rm -f /run/out"), 0);
	assert_done(dre_app_copy_in(h, "/run/in", "/in", NULL, NULL));
	assert_int_equal(box_run(h, "[ $(cat /in) = in ]"), 0);
	assert_done(dre_app_copy_out(h, "/in", "/run/out", NULL, NULL));
	assert_int_equal(system("[ $(cat /run/out) = in ] && rm /run/in /run/out"), 0);
	unload_module();
	load_module();
	assert_done(dre_app_register_vpid(h, 1));
	box_agent(h, &agent, "-s 10 -m exit");
}

/* It is there to be stopped, suspended, asked, watched, and to end by itself, like one that was started. */
static void is_like_a_started_one(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_done(dre_app_checkpoint(h, "a"));
	assert_done(dre_app_restart(h, "a"));
	assert_true(module_knows("c"));
	assert_int_equal(box_run(h, "exit 7"), 7);
	assert_int_equal(box_run(h, "! mknod /x b 8 0 2>/dev/null"), 0);
	assert_is_reached(h);
	assert_done(dre_app_suspend(h));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_SUSPENDED);
	assert_done(dre_app_resume(h));
	assert_done(dre_app_stop(h));
	assert_true(box_says(h, "init halts"));

	/* The power is off: nobody has it locked. */
	assert_done(dre_app_restart(h, "a"));
	box_run(h, "kill -PWR 1");	/* it may end before its shell does */
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP));
	assert_false(module_knows("c"));
	assert_done(dre_app_start(h));
	box_destroy(h);
}

/* A reboot from inside starts it anew, from its files: not from the checkpoint. */
static void reboots(void **state)
{
	dre_app_handle *h = box_start("c");
	int init;

	(void)state;
	assert_done(dre_app_checkpoint(h, "a"));
	assert_done(dre_app_restart(h, "a"));
	init = box_init(h);
	assert_int_equal(box_run(h, "echo kept >/kept"), 0);
	box_run(h, "kill -INT 1");
	assert_true(eventually(is_gone(init)));
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_RUNNING));
	assert_true(box_init(h) != init);
	assert_int_equal(box_run(h, "[ $(cat /kept) = kept ]"), 0);
	assert_true(module_knows("c"));
	assert_done(dre_app_stop(h));
	box_destroy(h);
}

/* It has the manifest that it had, and is stopped. */
static void assert_not_restored(const dre_app_handle *h, const char *tag)
{
	char *before = read_file(STORE "/containers/c/manifest"), *after;

	assert_int_equal(dre_app_restart(h, tag), DRE_ERR_LOAD_SNAPSHOT_FAILED);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
	after = read_file(STORE "/containers/c/manifest");
	assert_string_equal(after, before);
	free(before);
	free(after);
}

/* A restart that fails does not cost the container, and says why. */
static void cannot_be_restored(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_done(dre_app_checkpoint(h, "a"));
	assert_done(dre_app_checkpoint(h, "b"));
	assert_int_equal(box_run(h, "echo since >/since"), 0);
	assert_done(dre_app_stop(h));
	assert_int_equal(system("echo >" STORE "/containers/c/checkpoints/a/images/pstree.img"), 0);
	/* A restart that was killed has left why it was about to fail. */
	assert_int_equal(system("echo old >" STORE "/containers/c/checkpoints/a/failure"), 0);
	assert_not_restored(h, "a");
	if (!strstr(dre_last_error(), "container 'c': CRIU: "))
		fail_msg("%s", dre_last_error());
	/* The same when it was running; and when what was restored cannot be what it was. */
	assert_done(dre_app_start(h));
	assert_not_restored(h, "a");
	assert_int_equal(system("sed -i '$d' " STORE "/containers/c/checkpoints/b/record"), 0);
	assert_not_restored(h, "b");
	assert_int_equal(system("sed -i '$d' " STORE "/containers/c/checkpoints/b/manifest"), 0);
	world_mark();
	assert_refused(DRE_ERR_LOAD_SNAPSHOT_FAILED, dre_app_restart(h, "b"));
	assert_done(dre_app_remove_checkpoint(h, "b"));
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "[ $(cat /since) = since ]"), 0);
	box_destroy(h);
}

/*
 * What a reboot of the host leaves: the store. The control groups are gone, nothing is mounted, and
 * the module is another one.
 */
static void survives_the_host(void **state)
{
	dre_app_handle *h = box_create_with("c", BASE, 1);
	int pid;

	(void)state;
	assert_done(dre_app_start(h));
	pid = start_payload(h, 0);
	assert_done(dre_app_checkpoint(h, "a"));
	box_kill(h);
	assert_int_equal(system("rmdir " CGROUPS "/dre/*/ " CGROUPS "/dre; rm -rf " STORE "/lxc/c; "
				"rm -f /run/criu.kdat; sync; echo 3 >/proc/sys/vm/drop_caches"), 0);
	unload_module();
	load_module();
	assert_done(dre_app_restart(h, "a"));
	assert_payload_holds(h, pid, 1);
	assert_int_equal(box_run(h, "! mknod /x b 254 0 2>/dev/null || ! cat /x 2>/dev/null"), 0);
	box_destroy(h);
}

static bool is_frozen(void)
{
	char *freeze = read_file(CGROUPS "/dre/app/c/cgroup.freeze");
	bool frozen = freeze && *freeze == '1';

	free(freeze);
	return frozen;
}

/* The first one, or 0. */
static pid_t child_of(pid_t pid)
{
	char path[64], *text;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	text = read_file(path);
	child = text ? atoi(text) : 0;
	free(text);
	return child;
}

/*
 * Takes one in a process of its own, and returns it at the moment at which @bound is out of its group for that. Its
 * @helper is stopped then: CRIU may come to its end, and the container is as that leaves it.
 */
static pid_t begin_checkpoint(const dre_app_handle *h, pid_t bound, pid_t *helper)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dre_app_checkpoint(h, "a") ? 1 : 0);
	assert_true(eventually(is_frozen() && !strstr(cgroup_of(bound), "/blue")));
	*helper = child_of(pid);
	assert_true(*helper > 0);
	assert_return_code(kill(*helper, SIGSTOP), errno);
	return pid;
}

/*
 * The caller is killed half way: the helper brings it to an end, and a change after that collects. One
 * before it leaves the helper what it needs.
 */
static void caller_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;
	pid_t pid, helper;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	box_agent(h, &agent, "-s 10 -m exit");
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	pid = begin_checkpoint(h, agent.pid, &helper);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(dre_app_gc(), DRE_ERR_DEVICE_BUSY);
	assert_return_code(kill(helper, SIGCONT), errno);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_RUNNING));
	assert_bound(h, "blue", agent.vpid, 0);
	assert_checkpoints(h, NULL, NULL);
	assert_done(dre_app_checkpoint(h, "b"));
	assert_int_equal(system("[ $(ls -A " STORE "/containers/c/checkpoints) = b ]"), 0);
	box_destroy(h);
}

/* What CRIU has begun it ends; then the container runs on as it did. */
static void helper_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;
	int status;
	pid_t pid, helper;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	box_agent(h, &agent, "-s 10 -m exit");
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	pid = begin_checkpoint(h, agent.pid, &helper);
	assert_return_code(kill(helper, SIGKILL), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_bound(h, "blue", agent.vpid, 0);
	assert_checkpoints(h, NULL, NULL);
	assert_done(dre_app_checkpoint(h, "b"));
	assert_done(dre_app_restart(h, "b"));
	assert_bound(h, "blue", agent.vpid, 0);
	box_destroy(h);
}

#define STUCK_CRIU	"/usr/local/sbin/criu"	/* comes before any other */
#define STUCK_PID	"/run/criu.pid"
#define ACTION_PID	"/run/action.pid"

/*
 * In place of CRIU: runs the action before the dump as it does, without our files. The action freezes the container, and
 * comes to where it is to write the record, and no further, for that is a FIFO that nobody reads.
 */
static void install_stuck_criu(void)
{
	static const char script[] =
		"#!/bin/sh\n"
		"[ \"$1\" = dump ] || exit 1\n"
		"for word; do\n"
		"	case $last in -D) images=$word ;; --action-script) action=$word ;; esac\n"
		"	last=$word\n"
		"done\n"
		"mkfifo \"$images/../record\"\n"
		"export CRTOOLS_SCRIPT_ACTION=pre-dump CRTOOLS_IMAGE_DIR=/proc/$$/fd/0\n"
		"\"$action\" 3>&- 4>&- 5>&- 6>&- &\n"
		"echo $! >" ACTION_PID "\n"
		"echo $$ >" STUCK_PID "\n"
		"wait\n";
	FILE *f;

	assert_int_equal(access(STUCK_CRIU, F_OK), -1);
	assert_int_equal(system("mkdir -p $(dirname " STUCK_CRIU "); rm -f " STUCK_PID " " ACTION_PID), 0);
	f = fopen(STUCK_CRIU, "we");
	assert_non_null(f);
	assert_return_code(fchmod(fileno(f), 0755), errno);
	fputs(script, f);
	assert_int_equal(fclose(f), 0);
}

static int remove_stuck_criu(void **state)
{
	unlink(STUCK_CRIU);
	return box_destroy_all(state);
}

static pid_t pid_in(const char *path)
{
	char *text = read_file(path);
	pid_t pid = text ? atoi(text) : 0;

	free(text);
	return pid;
}

struct stuck {
	pid_t caller, helper, criu, action;
};

/* Takes one in a process of its own, and returns when the container stands still. */
static void begin_stuck_checkpoint(const dre_app_handle *h, struct stuck *s)
{
	install_stuck_criu();
	fflush(stdout);
	s->caller = fork();
	if (!s->caller)
		_exit(dre_app_checkpoint(h, "a") ? 1 : 0);
	assert_true(eventually(is_frozen() && (s->criu = pid_in(STUCK_PID))));
	s->action = pid_in(ACTION_PID);
	s->helper = child_of(s->caller);
	assert_true(s->action > 0 && s->helper > 0);
	assert_return_code(unlink(STUCK_CRIU), errno);
}

/* Its action is not at work any more when the container is said to run on. */
static void criu_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;
	struct stuck s;
	int status;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	box_agent(h, &agent, "-s 10 -m exit");
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	begin_stuck_checkpoint(h, &s);
	assert_return_code(kill(s.criu, SIGKILL), errno);
	assert_int_equal(waitpid(s.caller, &status, 0), s.caller);
	assert_true(is_gone(s.action));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_bound(h, "blue", agent.vpid, 0);
	assert_checkpoints(h, NULL, NULL);
	box_destroy(h);
}

/* It stands still, and nothing is written of it yet: the next one lets it run on. */
static void all_are_killed_early(void **state)
{
	dre_app_handle *h = box_start("c");
	struct stuck s;

	(void)state;
	begin_stuck_checkpoint(h, &s);
	kill(s.caller, SIGKILL);
	assert_int_equal(waitpid(s.caller, NULL, 0), s.caller);
	assert_return_code(kill(s.helper, SIGKILL), errno);
	assert_true(eventually(is_gone(s.helper)));
	assert_return_code(kill(s.criu, SIGKILL), errno);
	assert_true(eventually(is_gone(s.action)));
	assert_true(is_frozen());
	assert_done(dre_app_checkpoint(h, "a"));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	box_destroy(h);
}

static bool has_former(void)
{
	return !system("grep -q ^former " STORE "/containers/c/manifest");
}

/* Restarts it in a process of its own, and kills that and its helper as soon as @when. */
static void kill_restart(const dre_app_handle *h, bool (*when)(void))
{
	time_t end = time(NULL) + 60;
	pid_t pid = fork();
	char command[64];

	if (!pid)
		_exit(dre_app_restart(h, "a") ? 1 : 0);
	while (!when() && time(NULL) < end)
		;
	assert_return_code(kill(pid, SIGSTOP), errno);
	snprintf(command, sizeof(command), "pkill -KILL -P %d", pid);
	(void)!system(command);
	assert_return_code(kill(pid, SIGKILL), errno);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/*
 * It has the checkpoint's files by then, but not what ran on them: it gets its own back, whoever changes the store
 * meanwhile. What stands still and has no limits yet is not what anybody could resume.
 */
static void restart_is_killed(void **state)
{
	static bool (*const moments[])(void) = { has_former, is_frozen };
	dre_app_handle *h = box_start("c");
	int ret;

	(void)state;
	assert_int_equal(box_run(h, "echo one >/note"), 0);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_int_equal(box_run(h, "echo two >/note"), 0);
	for (size_t i = 0; i < sizeof(moments) / sizeof(*moments); i++) {
		kill_restart(h, moments[i]);
		box_destroy(box_create("d"));
		assert_true(eventually((ret = dre_app_resume(h)) != DRE_ERR_CONTAINER_BUSY));
		assert_true(ret == DRE_ERR_CONTAINER_STOPPED || ret == DRE_ERR_CONTAINER_RUNNING);
		if (ret == DRE_ERR_CONTAINER_STOPPED)
			assert_done(dre_app_start(h));
		/* The one that was killed later may have come to its end. */
		assert_int_equal(box_run(h, ret == DRE_ERR_CONTAINER_STOPPED || !i ? "grep two /note" : "grep one /note"), 0);
	}
	box_destroy(h);
}

/* Nobody is left but CRIU, which comes to its end: the container stands still, and @bound is out of its group. */
static void abandon_checkpoint(const dre_app_handle *h, pid_t bound)
{
	pid_t helper, pid = begin_checkpoint(h, bound, &helper);

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_return_code(kill(helper, SIGKILL), errno);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_SUSPENDED));
	assert_null(strstr(cgroup_of(bound), "/blue"));
}

#define AWAY	STORE "/lxc/c/away"

/*
 * The next command about the container does what was left to be done, also after somebody has collected, and without
 * the module.
 */
static void caller_and_helper_are_killed(void **state)
{
	struct agent agent, host;
	dre_app_handle *h = start_bound(&agent, &host);

	(void)state;
	abandon_checkpoint(h, agent.pid);
	assert_done(dre_app_gc());
	assert_int_equal(system("[ -z \"$(ls -A " STORE "/containers/c/checkpoints)\" ]"), 0);
	assert_done(dre_app_resume(h));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_bound(h, "blue", agent.vpid, host.pid);
	world_mark();
	assert_refused(DRE_ERR_CONTAINER_RUNNING, dre_app_resume(h));
	kill(host.pid, SIGKILL);

	abandon_checkpoint(h, agent.pid);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_bound(h, "blue", agent.vpid, 0);

	assert_done(dre_app_remove_checkpoint(h, "a"));
	abandon_checkpoint(h, agent.pid);
	unload_module();
	assert_done(dre_app_resume(h));
	assert_string_equal(cgroup_of(agent.pid), "/dre/app/c/blue");
	load_module();
	assert_bound(h, "blue", agent.vpid, 0);

	abandon_checkpoint(h, agent.pid);
	assert_int_equal(access(AWAY, F_OK), 0);
	box_kill(h);
	assert_int_equal(access(AWAY, F_OK), -1);
	box_destroy(h);
}

static bool is_criu(pid_t pid)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	len = readlink(link, path, sizeof(path) - 1);
	path[len < 0 ? 0 : len] = '\0';
	return len > 0 && !strcmp(basename(path), "criu");
}

static bool enters_network(pid_t pid)
{
	struct ptrace_syscall_info info;

	assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) > 0);
	return info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_setns && info.entry.args[1] == CLONE_NEWNET;
}

/* CRIU goes to the container's network namespace to cut it off, once the container stands still; just before it is back. */
static void kill_in_network(pid_t criu)
{
	int status, nr = 0;

	assert_return_code(ptrace(PTRACE_SEIZE, criu, NULL, PTRACE_O_TRACESYSGOOD), errno);
	assert_return_code(ptrace(PTRACE_INTERRUPT, criu, NULL, NULL), errno);
	for (;;) {
		bool call;

		assert_int_equal(waitpid(criu, &status, __WALL), criu);
		assert_true(WIFSTOPPED(status));
		call = WSTOPSIG(status) == (SIGTRAP | 0x80);
		if (call && enters_network(criu) && !access(AWAY, F_OK) && ++nr == 2)
			break;
		assert_return_code(ptrace(PTRACE_SYSCALL, criu, NULL,
					  call || status >> 16 ? 0L : (long)WSTOPSIG(status)), errno);
	}
	assert_return_code(kill(criu, SIGKILL), errno);
	assert_int_equal(waitpid(criu, &status, __WALL), criu);
}

/* The container runs on with its network, as the error says that it does. */
static void criu_is_killed_with_the_network_cut(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t pid, criu = 0;
	int status;

	(void)state;
	assert_int_equal(box_run(h, "ping -c 1 127.0.0.1 >/dev/null"), 0);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dre_app_checkpoint(h, "a") ? 1 : 0);
	assert_true(eventually((criu = child_of(child_of(pid))) > 0 && is_criu(criu)));
	kill_in_network(criu);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(box_run(h, "ping -c 1 127.0.0.1 >/dev/null"), 0);
	assert_done(dre_app_checkpoint(h, "b"));
	box_destroy(h);
}

/* How many there are, forks included, and the one that has a fork. */
static int find_criu(pid_t *criu)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int nr = 0;

	assert_non_null(proc);
	while ((entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || !is_criu(pid))
			continue;
		nr++;
		if (is_criu(child_of(pid)))
			*criu = pid;
	}
	closedir(proc);
	return nr;
}

/* It has two forks, of which one is to be the container's init and waits for CRIU: they end, and the restart is undone. */
static void criu_is_killed_in_a_restart(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t pid, criu = 0;
	int status;

	(void)state;
	assert_int_equal(box_run(h, "echo one >/note"), 0);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_int_equal(box_run(h, "echo two >/note"), 0);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dre_app_restart(h, "a") == DRE_ERR_LOAD_SNAPSHOT_FAILED ? 1 : 0);
	assert_true(eventually(find_criu(&criu) >= 3 && criu));
	assert_return_code(kill(criu, SIGKILL), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
	assert_false(has_former());
	assert_int_equal(find_criu(&criu), 0);
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "grep two /note"), 0);
	assert_done(dre_app_restart(h, "a"));
	assert_int_equal(box_run(h, "grep one /note"), 0);
	box_destroy(h);
}

static void assert_not_bound(const dre_app_handle *h, pid_t pid, const char *why)
{
	world_mark();
	assert_refused(DRE_ERR_BIND_FAILED, dre_app_bind_pid(h, "blue", pid));
	if (!strstr(dre_last_error(), why))
		fail_msg("%s", dre_last_error());
}

/* It is not put back, which costs neither the others nor the checkpoint. */
static void process_is_bound_elsewhere_meanwhile(void **state)
{
	dre_app_handle *h = box_start("c"), *other = box_start("d");
	struct agent agent, host;
	int status;
	pid_t pid, helper;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	assert_done(dre_app_create_cgroup(other, "red"));
	host_agent(&host, "-s 15");
	box_agent(h, &agent, "-s 10 -m exit");
	assert_true(host.pid < agent.pid);	/* the order in which they are put back */
	assert_done(dre_app_bind_pid(h, "blue", host.pid));
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	pid = begin_checkpoint(h, agent.pid, &helper);
	assert_done(dre_app_bind_pid(other, "red", host.pid));
	assert_return_code(kill(helper, SIGCONT), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_bound(h, "blue", agent.vpid, 0);
	assert_string_equal(cgroup_of(host.pid), "/dre/app/d/red");
	assert_checkpoints(h, "a", NULL);
	assert_not_bound(h, host.pid, "it is bound for another container");
	kill(host.pid, SIGKILL);
	box_destroy(other);
	box_destroy(h);
}

/* Nor is one that the kernel does not let back in: that is an error. */
static void group_is_closed_meanwhile(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent;
	int status;
	pid_t pid, helper;

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	limit(h, "blue", DRE_APP_CONTAINER_RESOURCE_MEMORY, 64 << 20);
	box_agent(h, &agent, "-s 10 -m exit");
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	pid = begin_checkpoint(h, agent.pid, &helper);
	assert_int_equal(system("echo +memory >" CGROUPS "/dre/app/c/blue/cgroup.subtree_control"), 0);
	assert_return_code(kill(helper, SIGCONT), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_checkpoints(h, NULL, NULL);
	assert_not_bound(h, agent.pid, "that gives controllers to those in it");
	assert_int_equal(system("echo -memory >" CGROUPS "/dre/app/c/blue/cgroup.subtree_control"), 0);
	assert_done(dre_app_bind_vpid(h, "blue", agent.vpid));
	assert_done(dre_app_checkpoint(h, "a"));
	assert_bound(h, "blue", agent.vpid, 0);
	box_destroy(h);
}

/* A volume is the host's: it is not in the checkpoint, and there again. */
static void volumes_stay(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_int_equal(system("mkdir -p /run/volume/in /run/inner && echo one | tee /run/volume/f >/run/inner/f && "
				"dre-app set c volumes=/run/volume:/mnt:noidmap,/run/inner:/mnt/in:ro:noidmap,"
				"/run/inner/f:/file:noidmap >/dev/null"), 0);
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "[ $(cat /mnt/f /mnt/in/f /file | tr -d '\n') = oneoneone ]"), 0);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_int_equal(system("echo two | tee /run/volume/f >/run/inner/f"), 0);
	assert_done(dre_app_restart(h, "a"));
	assert_int_equal(box_run(h, "[ $(cat /mnt/f /mnt/in/f /file | tr -d '\n') = twotwotwo ] && "
				 "grep -q ' /mnt/in ro,' /proc/self/mountinfo"), 0);
	assert_done(dre_app_stop(h));
	box_destroy(h);
	assert_int_equal(system("rm -r /run/volume /run/inner"), 0);
}

/* What leads to a volume in another one may be of any container that shares that: not a way out of it for CRIU. */
static void volume_behind_a_link(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_int_equal(system("mkdir -p /run/shared/c/in /run/inner /var/hosts/in && "
				"dre-app set c volumes=/run/shared:/mnt:noidmap,/run/inner:/mnt/c/in:noidmap "
				">/dev/null"), 0);
	assert_done(dre_app_start(h));
	/* It leads to a place in the container, too: that is where the volume is mounted. */
	assert_int_equal(box_run(h, "mkdir /var/hosts"), 0);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_int_equal(system("mv /run/shared/c /run/shared/d && ln -s /var/hosts /run/shared/c"), 0);
	assert_not_restored(h, "a");
	if (!strstr(dre_last_error(), "container 'c': the volume that was at /mnt/c/in is not there"))
		fail_msg("%s", dre_last_error());
	box_destroy(h);
	assert_int_equal(system("rm -r /run/shared /run/inner /var/hosts"), 0);
}

/* The file that says the port is a mount, too, and goes with it. */
static void port_is_taken_away(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_int_equal(box_run(h, "mkdir -p /etc/ssh/sshd_config.d"), 0);
	assert_done(dre_app_stop(h));
	assert_done(dre_app_set_property(h, "port", "2222"));
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "grep -qx 'Port 2222' /etc/ssh/sshd_config.d/dre.conf"), 0);
	assert_done(dre_app_checkpoint(h, "a"));
	assert_done(dre_app_set_property(h, "port", NULL));
	assert_done(dre_app_restart(h, "a"));
	assert_int_equal(box_run(h, "true"), 0);
	box_destroy(h);
}

/* What somebody else than root has to pass through. */
static const struct {
	const char *path;
	mode_t mode;
} open_to_others[] = {
	{ STORE, 0711 }, { STORE "/lxc", 0711 }, { STORE "/lxc/c", 0710 }, { STORE "/lxc/c/rootfs", 0711 },
	/* The container's root reads what is restored. */
	{ STORE "/containers/c/checkpoints/*", 0750 }, { STORE "/containers/c/checkpoints/*/images", 0750 },
	{ STORE "/containers/c/checkpoints/*/early", 0750 },
	{ STORE "/containers/c/checkpoints/*/*/*", 0644 },	/* as CRIU makes them */
};

static int files_looked_at, files_open;

static int look_at_mode(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	mode_t may = 0700;

	(void)type;
	/* What is in the layers is the containers', and nobody else gets there. */
	if (ftw->level == 2 && (!fnmatch(STORE "/layers/*", path, 0) || !fnmatch(STORE "/work/*", path, 0)))
		return FTW_SKIP_SUBTREE;
	for (size_t i = 0; i < sizeof(open_to_others) / sizeof(*open_to_others); i++)
		if (!fnmatch(open_to_others[i].path, path, FNM_PATHNAME))
			may = open_to_others[i].mode;
	if (st->st_mode & 07777 & ~may && !S_ISLNK(st->st_mode)) {
		printf("# %s: mode %o\n", path, st->st_mode);
		files_open++;
	}
	files_looked_at++;
	return FTW_CONTINUE;
}

/* With all that a start and a checkpoint write, whatever the umask of who calls. */
static void others_get_at_nothing(void **state)
{
	dre_app_handle *h = box_create("c");
	mode_t before = umask(0);

	(void)state;
	assert_done(dre_app_set_property(h, "port", "2222"));
	assert_done(dre_app_save_snapshot(h, "s"));
	assert_done(dre_app_start(h));
	assert_done(dre_app_checkpoint(h, "a"));
	umask(before);
	assert_int_equal(access(STORE "/lxc/c/sshd.conf", F_OK) | access(STORE "/lxc/c/console.socket", F_OK) |
			 access(STORE "/lxc/c/lxc.log", F_OK) | access(STORE "/lxc/c/config", F_OK), 0);
	nftw(STORE, look_at_mode, 32, FTW_PHYS | FTW_MOUNT | FTW_ACTIONRETVAL);
	assert_true(files_looked_at > 30);
	assert_int_equal(files_open, 0);
}

/* Where the volume is its root has a say in, and so in what CRIU would be told. */
static void volume_with_a_name_of_the_containers(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_int_equal(box_run(h, "mkdir /a:b && ln -s /a:b /v"), 0);
	assert_done(dre_app_stop(h));
	assert_int_equal(system("mkdir -p /run/volume && dre-app set c volumes=/run/volume:/v/x:noidmap >/dev/null"), 0);
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "grep -q ' /a:b/x ' /proc/self/mountinfo"), 0);
	world_mark();
	assert_refused(DRE_ERR_SAVE_SNAPSHOT_FAILED, dre_app_checkpoint(h, "a"));
	if (!strstr(dre_last_error(), "container 'c': CRIU cannot be told of a volume at /a:b/x"))
		fail_msg("%s", dre_last_error());
	box_destroy(h);
	assert_int_equal(system("rm -r /run/volume"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(goes_back, box_destroy_all),
		cmocka_unit_test_teardown(refused, box_destroy_all),
		cmocka_unit_test_teardown(payload_goes_on, box_destroy_all),
		cmocka_unit_test(payload_goes_on_by_criu_alone),
		cmocka_unit_test_teardown(memory_is_dumped_early, box_destroy_all),
		cmocka_unit_test_teardown(no_room, box_destroy_all),
		cmocka_unit_test_teardown(daware_goes_on, box_destroy_all),
		cmocka_unit_test_teardown(cannot_be_taken, box_destroy_all),
		cmocka_unit_test_teardown(caller_is_bound, box_destroy_all),
		cmocka_unit_test_teardown(cannot_be_restored, box_destroy_all),
		cmocka_unit_test_teardown(is_like_a_started_one, box_destroy_all),
		cmocka_unit_test_teardown(reboots, box_destroy_all),
		cmocka_unit_test_teardown(survives_the_host, box_destroy_all),
		cmocka_unit_test_teardown(caller_is_killed, box_destroy_all),
		cmocka_unit_test_teardown(helper_is_killed, box_destroy_all),
		cmocka_unit_test_teardown(criu_is_killed, remove_stuck_criu),
		cmocka_unit_test_teardown(all_are_killed_early, remove_stuck_criu),
		cmocka_unit_test_teardown(restart_is_killed, box_destroy_all),
		cmocka_unit_test_teardown(caller_and_helper_are_killed, box_destroy_all),
		cmocka_unit_test_teardown(criu_is_killed_with_the_network_cut, box_destroy_all),
		cmocka_unit_test_teardown(criu_is_killed_in_a_restart, box_destroy_all),
		cmocka_unit_test_teardown(process_is_bound_elsewhere_meanwhile, box_destroy_all),
		cmocka_unit_test_teardown(group_is_closed_meanwhile, box_destroy_all),
		cmocka_unit_test_teardown(volumes_stay, box_destroy_all),
		cmocka_unit_test_teardown(volume_behind_a_link, box_destroy_all),
		cmocka_unit_test_teardown(port_is_taken_away, box_destroy_all),
		cmocka_unit_test_teardown(others_get_at_nothing, box_destroy_all),
		cmocka_unit_test_teardown(volume_with_a_name_of_the_containers, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
