// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control groups of a container: who is bound, where they go back to, limits
 * that hold, and what is used. One container, "here", serves most tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "box.h"

#define GROUPS	CGROUPS "/dre/app/"

static dre_app_handle *here;

static int setup(void **state)
{
	(void)state;
	here = box_start("here");
	return 0;
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static volatile unsigned int *counter;

/* A process of the host that does that. */
static pid_t host_process(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		fn();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A process inside, by its number on the host. */
static pid_t inner_process(const dre_app_handle *h, pid_t *vpid)
{
	const char *output;

	assert_int_equal(box_ask(h, &output, "sleep 1000 >/dev/null 2>&1 & echo $!"), 0);
	*vpid = atoi(output);
	return host_pid(box_init(h), *vpid);
}

static void assert_bound(const dre_app_handle *h, const char *cgroup, pid_t a, pid_t b)
{
	dre_app_pid_list_t list;

	assert_done(dre_app_get_bound_pid_list(h, cgroup, &list));
	assert_int_equal(list[0] ? list[0]->pid : 0, a);
	if (a)
		assert_int_equal(list[1] ? list[1]->pid : 0, b);
	assert_done(dre_app_release_registered_pid_list(list));
}

static void groups_come_and_go(void **state)
{
	dre_list_t list;

	(void)state;
	world_mark();
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(dre_app_create_cgroup(here, "a..b"));
	assert_refused(DRE_ERR_CGROUP_EXISTENCE, (world_mark(), dre_app_create_cgroup(here, "ui")));
	assert_done(dre_app_get_cgroup_list(here, &list));
	assert_string_equal(list[0], "ui");
	assert_string_equal(list[1], "a..b");
	assert_null(list[2]);
	assert_done(dre_app_release_cgroup_list(list));
	assert_int_equal(access(GROUPS "here/ui/cgroup.procs", F_OK), 0);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
	assert_done(dre_app_destroy_cgroup(here, "a..b"));
	assert_int_equal(access(GROUPS "here/ui", F_OK), -1);
	world_mark();
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE, dre_app_destroy_cgroup(here, "ui"));
}

static void names_that_are_reserved(void **state)
{
	static const char *const names[] = { "payload", "payload2", "cgroup.procs", "memory.max",
					     "cpu.x", "cpuset.y", "io.z", "pids.max" };

	(void)state;
	world_mark();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_create_cgroup(here, names[i]));
		assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_bind_vpid(here, names[i], 1));
	}
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_create_cgroup(here, "."));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_create_cgroup(here, "a/b"));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_create_cgroup(here, NULL));
}

static void bound_and_put_back(void **state)
{
	pid_t host = host_process(sleep_for_ever), vpid, inner = inner_process(here, &vpid);
	char origin[PATH_MAX], payload[PATH_MAX];

	(void)state;
	snprintf(origin, sizeof(origin), "%s", cgroup_of(host));
	snprintf(payload, sizeof(payload), "%s", cgroup_of(inner));
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(dre_app_create_cgroup(here, "db"));
	assert_done(dre_app_bind_pid(here, "ui", host));
	assert_done(dre_app_bind_vpid(here, "ui", vpid));
	assert_string_equal(cgroup_of(host), "/dre/app/here/ui");
	assert_string_equal(cgroup_of(inner), "/dre/app/here/ui");
	assert_bound(here, "ui", host < inner ? host : inner, host < inner ? inner : host);
	assert_done(dre_app_bind_pid(here, "ui", host));	/* again */
	assert_done(dre_app_bind_pid(here, "db", host));
	assert_string_equal(cgroup_of(host), "/dre/app/here/db");
	assert_bound(here, "db", host, 0);
	world_mark();
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_unbind_pid(here, "ui", host));
	assert_refused(DRE_ERR_DESTROY_CGROUP_FAILED, dre_app_destroy_cgroup(here, "db"));
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE, dre_app_unbind_pid(here, "none", host));
	assert_done(dre_app_unbind_pid(here, "db", host));
	assert_done(dre_app_unbind_vpid(here, "ui", vpid));
	assert_string_equal(cgroup_of(host), origin);
	assert_string_equal(cgroup_of(inner), payload);
	assert_bound(here, "ui", 0, 0);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
	assert_done(dre_app_destroy_cgroup(here, "db"));
	end(host);
	assert_int_equal(kill(inner, SIGKILL), 0);
}

static void processes_that_cannot_be_bound(void **state)
{
	dre_app_handle *there = box_start("there");
	pid_t dead = host_process(sleep_for_ever);

	(void)state;
	end(dead);
	assert_done(dre_app_create_cgroup(here, "ui"));
	/* As it is for a moment while somebody makes it: the module does not know of it. */
	assert_return_code(mkdir(CGROUPS "/dre/app/here/late", 0755), errno);
	world_mark();
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE, dre_app_bind_pid(here, "late", getpid()));
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_bind_pid(here, "ui", dead));
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_bind_vpid(here, "ui", 4000000));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_bind_pid(here, "ui", 2));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_bind_pid(here, "ui", 0));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_bind_pid(here, "ui", -1));
	assert_refused(DRE_ERR_BIND_FAILED, dre_app_bind_pid(here, "ui", box_init(there)));
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE, dre_app_bind_pid(here, "none", getpid()));
	assert_return_code(rmdir(CGROUPS "/dre/app/here/late"), errno);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
	box_destroy(there);
}

/* Has a child when it is told to. */
static void fork_once(void)
{
	pid_t child;

	raise(SIGSTOP);
	child = fork();
	*counter = child ? child : getpid();
	sleep_for_ever();
}

/* Where the container goes, the host's processes stay, and are where they were. */
static void the_end_puts_back(void **state, void (*stop)(dre_app_handle *h))
{
	dre_app_handle *h = box_start("ends");
	pid_t host, vpid, inner, child;
	char origin[PATH_MAX];
	int status;

	(void)state;
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal((void *)counter, MAP_FAILED);
	host = host_process(fork_once);
	inner = inner_process(h, &vpid);
	snprintf(origin, sizeof(origin), "%s", cgroup_of(host));
	assert_done(dre_app_create_cgroup(h, "ui"));
	assert_done(dre_app_bind_pid(h, "ui", host));
	assert_done(dre_app_bind_vpid(h, "ui", vpid));
	assert_int_equal(waitpid(host, &status, WUNTRACED), host);
	kill(host, SIGCONT);
	assert_true(eventually(*counter));
	child = *counter;
	stop(h);
	assert_true(eventually(!strcmp(cgroup_of(host), origin)));
	assert_string_equal(cgroup_of(child), origin);
	kill(child, SIGKILL);
	assert_true(is_gone(inner));
	assert_true(eventually(access(GROUPS "ends", F_OK) < 0));
	end(host);
	assert_done(dre_app_start(h));
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE,
		       (world_mark(), dre_app_destroy_cgroup(h, "ui")));
	box_destroy(h);
}

static void by_stop(dre_app_handle *h)
{
	assert_done(dre_app_stop(h));
}

static void stop_puts_back(void **state)
{
	the_end_puts_back(state, by_stop);
}

static void death_of_init_puts_back(void **state)
{
	the_end_puts_back(state, box_kill);
}

static void module_loaded_again(void **state)
{
	pid_t host = host_process(sleep_for_ever);

	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(dre_app_bind_pid(here, "ui", host));
	unload_module();
	load_module();
	assert_bound(here, "ui", host, 0);
	assert_done(dre_app_unbind_pid(here, "ui", host));
	assert_string_equal(cgroup_of(host), "/");
	assert_done(dre_app_destroy_cgroup(here, "ui"));
	end(host);
}

static void count(void)
{
	for (;;) {
		++*counter;
		usleep(1000);
	}
}

static void suspended_with_the_rest(void **state)
{
	unsigned int before;
	pid_t host, pid;
	int status;

	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal((void *)counter, MAP_FAILED);
	host = host_process(count);
	assert_done(dre_app_bind_pid(here, "ui", host));
	assert_done(dre_app_suspend(here));
	before = *counter;
	usleep(200000);
	assert_int_equal(*counter, before);
	assert_done(dre_app_resume(here));
	assert_true(eventually(*counter != before));
	end(host);
	/* A caller that is bound there could not resume it. */
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(dre_app_bind_pid(here, "ui", getpid()) ||
		      dre_app_suspend(here) != DRE_ERR_INVALID_ARGUMENT ||
		      dre_app_status(here) != DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
}

/*
 * Limits.
 */

static dre_return_t set(const char *cgroup, dre_app_resource_t type, long long value)
{
	dre_app_resource_value_t r = { .type = type };

	if (type == DRE_APP_CONTAINER_RESOURCE_MEMORY_64 ||
	    type == DRE_APP_CONTAINER_RESOURCE_MEMSW_64)
		r.udata.mem.bytes = value;
	else
		r.udata.cpu.percent = value;
	return dre_app_set_resource(here, cgroup, &r);
}

static dre_return_t set_cores(const char *cgroup, char *cores)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_CPU_CORE,
				       .udata.cpu.cores = cores };

	return dre_app_set_resource(here, cgroup, &r);
}

static dre_return_t unset(const char *cgroup, dre_app_resource_t type)
{
	dre_app_resource_value_t r = { .type = type };

	return dre_app_unset_resource(here, cgroup, &r);
}

static int usage(pid_t pid, dre_app_resource_t type)
{
	dre_app_resource_value_t r = { .type = type };

	assert_done(dre_app_get_resource(here, pid, &r));
	return r.udata.cpu.percent;
}

static void assert_file(const char *file, const char *expected)
{
	char path[PATH_MAX], *text;

	snprintf(path, sizeof(path), GROUPS "here/%s", file);
	text = read_file(path);
	assert_non_null(text);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, expected);
	free(text);
}

#define CPU	DRE_APP_CONTAINER_RESOURCE_CPU
#define CORES	DRE_APP_CONTAINER_RESOURCE_CPU_CORE
#define MEMORY	DRE_APP_CONTAINER_RESOURCE_MEMORY
#define MEMSW	DRE_APP_CONTAINER_RESOURCE_MEMSW
#define MEMORY64 DRE_APP_CONTAINER_RESOURCE_MEMORY_64
#define MEMSW64	DRE_APP_CONTAINER_RESOURCE_MEMSW_64
#define PIDS	DRE_APP_CONTAINER_RESOURCE_PIDS

static void limits_are_set_and_unset(void **state)
{
	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(set("ui", CPU, 25));
	assert_file("ui/cpu.max", "25000 100000");
	assert_done(set(".", CPU, 150));
	assert_file("cpu.max", "150000 100000");
	assert_done(set_cores("ui", "0"));
	assert_file("ui/cpuset.cpus.effective", "0");
	assert_done(set("ui", MEMORY, 16 << 20));
	assert_file("ui/memory.max", "16777216");
	assert_done(set("ui", MEMSW, 24 << 20));
	assert_file("ui/memory.swap.max", "8388608");
	assert_done(set("ui", MEMORY64, 20 << 20));	/* the sum stays */
	assert_file("ui/memory.swap.max", "4194304");
	assert_done(set("ui", MEMSW64, 1LL << 40));
	assert_done(set("ui", MEMORY64, 1LL << 35));
	assert_file("ui/memory.max", "34359738368");
	assert_done(set("ui", PIDS, 5));
	assert_file("ui/pids.max", "5");

	assert_refused(DRE_ERR_UNSET_LIMIT_FAILED, (world_mark(), unset("ui", MEMORY)));
	assert_done(unset("ui", MEMSW));
	assert_done(unset("ui", MEMORY));
	assert_done(unset("ui", MEMORY));	/* again */
	assert_done(unset("ui", CPU));
	assert_done(unset("ui", CORES));
	assert_done(unset(".", CPU));
	assert_done(unset("ui", PIDS));
	assert_file("ui/pids.max", "max");
	assert_file("ui/memory.max", "max");
	assert_file("ui/memory.swap.max", "max");
	assert_file("ui/cpu.max", "max 100000");
	assert_file("ui/cpuset.cpus", "");
	assert_done(dre_app_destroy_cgroup(here, "ui"));
}

static void limits_that_are_refused(void **state)
{
	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(set("ui", CPU, 25));
	assert_done(set_cores("ui", "1"));
	assert_done(set("ui", PIDS, 5));
	world_mark();
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", CPU, 0));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", CPU, -1));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", MEMORY, 0));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", MEMORY64, 0));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", PIDS, 0));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", 5, 1));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set("ui", 0, 1));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, unset("ui", 99));
	assert_refused(DRE_ERR_NULL_POINTER, set_cores("ui", NULL));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set_cores("ui", ""));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set_cores("ui", "0-"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set_cores("ui", "3-1"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set_cores("ui", "0,,1"));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set_cores("ui", "0;1"));
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set_cores("ui", "0-7000"));
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set("ui", MEMSW, 1 << 20));	/* no MEMORY */
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set("ui", MEMORY, 100));	/* under a page */
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set("ui", PIDS, INT_MAX));	/* over the kernel's own */
	assert_refused(DRE_ERR_CGROUP_NONEXISTENCE, set("none", CPU, 25));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_set_resource(here, "ui", NULL));
	assert_file("ui/cpu.max", "25000 100000");
	assert_file("ui/cpuset.cpus", "1");
	assert_file("ui/pids.max", "5");
	assert_done(set("ui", MEMORY, 16 << 20));
	assert_done(set("ui", MEMSW, 24 << 20));
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set("ui", MEMORY, 32 << 20));	/* over MEMSW */
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set("ui", MEMSW, 8 << 20));
	assert_file("ui/memory.max", "16777216");
	assert_file("ui/memory.swap.max", "8388608");
	assert_done(dre_app_destroy_cgroup(here, "ui"));
}

static void spin(void)
{
	for (;;)
		;
}

static void a_hog_gets_its_share(void **state)
{
	pid_t hog = host_process(spin);
	int below = 0;

	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(set("ui", CPU, 25));
	assert_done(dre_app_bind_pid(here, "ui", hog));
	assert_true(group_gets_its_share(GROUPS "here/ui", 25));
	/*
	 * 100 ms are one period of the limit. An emulated processor that stands still for a moment is charged
	 * for it, so that one look may see more; most do not.
	 */
	for (int i = 0; i < 20; i++)
		below += usage(hog, CPU) < 60;
	assert_in_range(below, 11, 20);
	end(hog);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
}

/* Takes memory when told to, and says so by another stop. */
static void eat_megabytes(size_t mb)
{
	raise(SIGSTOP);
	for (; mb; mb--) {
		char *area = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(area, 1, 1 << 20);
	}
	raise(SIGSTOP);
}

static void eat_64(void)
{
	eat_megabytes(64);
}

static void eat_24(void)
{
	eat_megabytes(24);
}

/* Binds it while it is stopped, lets it eat, and returns what became of it. */
static int eaten(pid_t hog, const char *cgroup)
{
	int status;

	assert_int_equal(waitpid(hog, &status, WUNTRACED), hog);
	assert_done(dre_app_bind_pid(here, cgroup, hog));
	kill(hog, SIGCONT);
	assert_int_equal(waitpid(hog, &status, WUNTRACED), hog);
	return status;
}

static void a_hog_is_killed_and_only_it(void **state)
{
	pid_t hog = host_process(eat_64), other = host_process(sleep_for_ever);
	int status;

	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(dre_app_create_cgroup(here, "db"));
	assert_done(set("ui", MEMORY, 16 << 20));
	assert_done(dre_app_bind_pid(here, "db", other));
	status = eaten(hog, "ui");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(dre_app_status(here), DRE_APP_CONTAINER_STATUS_RUNNING);
	end(other);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
	assert_done(dre_app_destroy_cgroup(here, "db"));
	(void)!system("dmesg -C");	/* that the kernel said so is as it should be */
}

#define SWAP_FILE "/var/cache/swap"

static int swap_on(void **state)
{
	(void)state;
	return system("dd if=/dev/zero of=" SWAP_FILE " bs=1M count=96 status=none && "
		      "chmod 600 " SWAP_FILE " && mkswap -q " SWAP_FILE " && swapon " SWAP_FILE);
}

static int swap_off(void **state)
{
	(void)state;
	return system("swapoff " SWAP_FILE "; rm " SWAP_FILE);
}

/* With swap, MEMORY makes it slow, and MEMSW ends it. */
static void memory_and_swap_hold(void **state)
{
	pid_t modest = host_process(eat_24), hog = host_process(eat_64);
	int status;

	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(set("ui", MEMORY, 16 << 20));
	assert_done(set("ui", MEMSW, 40 << 20));
	status = eaten(modest, "ui");
	assert_true(WIFSTOPPED(status));
	/* The group does not count its program, which the host has in memory already. */
	assert_true(usage(modest, MEMORY) < 22 << 20);
	assert_true(usage(modest, MEMSW) >= 24 << 20);
	end(modest);
	status = eaten(hog, "ui");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(dre_app_status(here), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
	(void)!system("dmesg -C");
}

static void cores_as_given(void **state)
{
	pid_t hog = host_process(spin);
	cpu_set_t cores;

	(void)state;
	assert_done(dre_app_create_cgroup(here, "ui"));
	assert_done(dre_app_bind_pid(here, "ui", hog));
	for (int core = 0; core < 2; core++) {
		assert_done(set_cores("ui", core ? "1" : "0"));
		assert_int_equal(sched_getaffinity(hog, sizeof(cores), &cores), 0);
		assert_true(CPU_COUNT(&cores) == 1 && CPU_ISSET(core, &cores));
	}
	assert_done(unset("ui", CORES));
	assert_int_equal(sched_getaffinity(hog, sizeof(cores), &cores), 0);
	assert_int_equal(CPU_COUNT(&cores), 2);
	end(hog);
	assert_done(dre_app_destroy_cgroup(here, "ui"));
}

static void what_is_used(void **state)
{
	dre_app_resource_value_t r = { .type = CORES };
	pid_t init = box_init(here);

	(void)state;
	assert_true(usage(init, MEMORY) > 0);
	assert_true(usage(0, MEMORY) > 4096);
	assert_true(usage(init, MEMSW) >= usage(init, MEMORY));
	assert_int_equal(usage(init, PIDS), 1);
	assert_true(usage(0, PIDS) >= 1);
	assert_in_range(usage(init, CPU), 0, 200);
	assert_in_range(usage(0, CPU), 0, 200);
	assert_done(dre_app_get_resource(here, init, &r));
	assert_string_equal(r.udata.cpu.cores, "0-1");
	assert_done(dre_app_release_resource(&r));
	assert_null(r.udata.cpu.cores);
	assert_done(dre_app_get_resource(here, 0, &r));
	assert_string_equal(r.udata.cpu.cores, "0-1");
	assert_done(dre_app_release_resource(&r));
	r = (dre_app_resource_value_t){ .type = MEMORY64, .udata.mem.bytes = 7 };
	world_mark();
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_get_resource(here, getpid(), &r));
	assert_refused(DRE_ERR_PID_NONEXISTENCE, dre_app_get_resource(here, 4000000, &r));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_get_resource(here, -1, &r));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_resource(here, 0, NULL));
	assert_int_equal(r.udata.mem.bytes, 7);
	r.type = 77;
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_get_resource(here, 0, &r));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_release_resource(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_come_and_go),
		cmocka_unit_test(names_that_are_reserved),
		cmocka_unit_test(bound_and_put_back),
		cmocka_unit_test(processes_that_cannot_be_bound),
		cmocka_unit_test(stop_puts_back),
		cmocka_unit_test(death_of_init_puts_back),
		cmocka_unit_test(module_loaded_again),
		cmocka_unit_test(suspended_with_the_rest),
		cmocka_unit_test(limits_are_set_and_unset),
		cmocka_unit_test(limits_that_are_refused),
		cmocka_unit_test(a_hog_gets_its_share),
		cmocka_unit_test(a_hog_is_killed_and_only_it),
		cmocka_unit_test_setup_teardown(memory_and_swap_hold, swap_on, swap_off),
		cmocka_unit_test(cores_as_given),
		cmocka_unit_test(what_is_used),
	};

	return BOX_MAIN(tests, setup);
}
