// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From creation to destruction, by way of everything that can start or end a
 * container.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "box.h"

#define IDMAP_BASE	1879048192u	/* dre.conf's default */
#define IDMAP_SIZE	65536u

#define LXC(command, name) "lxc-" command " -P " STORE "/lxc -n " name

static bool is_mounted(const char *name)
{
	char path[256], *mounts = read_file("/proc/self/mountinfo");
	bool is;

	snprintf(path, sizeof(path), " " STORE "/lxc/%s/rootfs ", name);
	is = strstr(mounts, path);
	free(mounts);
	return is;
}

static bool has_cgroup(const char *kind, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), CGROUPS "/dre/%s/%s", kind, name);
	return access(path, F_OK) == 0;
}

/* A container that is not running has nothing but its place in the store. */
static bool is_clean(const char *name)
{
	return !is_mounted(name) && !has_cgroup("app", name) && !has_cgroup("monitor", name) &&
	       !module_knows(name);
}

static void assert_running(const dre_app_handle *h)
{
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_true(is_mounted(h->name));
	assert_true(module_knows(h->name));
	assert_int_equal(box_run(h, "true"), 0);
}

static void assert_stopped(const dre_app_handle *h)
{
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
	assert_true(is_clean(h->name));
}

static bool in_list(dre_return_t (*get)(dre_list_t *), dre_return_t (*release)(dre_list_t),
		    const char *name)
{
	bool found = false;
	dre_list_t list;

	assert_done(get(&list));
	for (dre_list_t entry = list; *entry; entry++)
		found |= !strcmp(*entry, name);
	assert_done(release(list));
	return found;
}

static bool is_container(const char *name)
{
	return in_list(dre_app_get_container_list, dre_app_release_container_list, name);
}

static bool is_base(const char *name)
{
	return in_list(dre_app_get_base_list, dre_app_release_base_list, name);
}

struct ids {
	unsigned int inside, first, count;
};

static struct ids id_map(pid_t init)
{
	struct ids ids = {};
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", init);
	text = read_file(path);
	assert_non_null(text);
	assert_int_equal(sscanf(text, "%u %u %u", &ids.inside, &ids.first, &ids.count), 3);
	free(text);
	return ids;
}

static uid_t owner(const char *path)
{
	struct stat st;

	assert_return_code(lstat(path, &st), errno);
	assert_int_equal(st.st_uid, st.st_gid);
	return st.st_uid;
}

static uid_t process_owner(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return owner(path);
}

/* Nothing is set up: what dre.conf says as it is shipped. */
static void default_base(void **state)
{
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_handle *h;

	(void)state;
	unsetenv("DRE_CONF");
	assert_done(dre_app_create_container("plain", &data));
	assert_true(is_base("busybox"));
	assert_true(is_container("plain"));
	h = dre_app_open("plain");
	assert_non_null(h);
	assert_int_equal(h->type, DRE_APP_CONTAINER_TYPE_LXC);
	assert_string_equal(h->name, "plain");
	assert_stopped(h);
	assert_done(dre_app_start(h));
	assert_running(h);
	assert_done(dre_app_close(h));
}

/* The whole of a life leaves nothing. (The first one leaves the groups that all have in common.) */
static void life(void **state)
{
	dre_app_handle *h;
	int pid;

	(void)state;
	world_mark();
	h = box_create("c");
	assert_true(is_container("c"));
	assert_stopped(h);

	assert_done(dre_app_start(h));
	assert_running(h);
	assert_done(dre_app_get_pid(h, &pid));
	assert_int_equal(host_pid(pid, 1), pid);

	assert_done(dre_app_suspend(h));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_SUSPENDED);
	assert_true(module_knows("c"));
	assert_done(dre_app_resume(h));
	assert_running(h);
	assert_int_equal(box_init(h), pid);

	assert_done(dre_app_stop(h));
	assert_true(is_gone(pid));
	assert_stopped(h);

	assert_done(dre_app_destroy_container("c"));
	assert_false(is_container("c"));
	assert_int_equal(dre_app_status(h), DRE_ERR_CONTAINER_NONEXISTENCE);
	assert_done(dre_app_close(h));
	assert_true(world_is_as_marked());
}

static void files_persist(void **state)
{
	dre_app_handle *h = box_start("c");
	const char *text;

	(void)state;
	assert_int_equal(box_run(h, "echo kept >/file; rm /etc/hosts; mv /usr /usr2"), 0);
	assert_done(dre_app_stop(h));
	assert_done(dre_app_start(h));
	assert_int_equal(box_ask(h, &text, "cat /file; ls /etc/hosts /usr; ls -d /usr2/bin"), 0);
	assert_string_equal(text, "kept\n/usr2/bin");
	box_destroy(h);
	/* A new one of that name has none of it. */
	h = box_start("c");
	assert_int_equal(box_ask(h, &text, "ls -d /file /etc/hosts /usr2"), 1);
	assert_string_equal(text, "/etc/hosts");
}

static void has_a_user_namespace(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t init = box_init(h);
	struct ids ids = id_map(init);
	const char *text;

	(void)state;
	assert_int_equal(ids.inside, 0);
	assert_in_range(ids.first, IDMAP_BASE, IDMAP_BASE + 100 * IDMAP_SIZE);
	assert_int_equal(ids.count, IDMAP_SIZE);
	assert_int_equal(process_owner(init), ids.first);
	/* On the disk files have the numbers that they have inside. */
	assert_int_equal(box_run(h, "touch /root-s /user-s && chown 1000:1000 /user-s"), 0);
	assert_int_equal(owner(box_layer_path(h, "/root-s")), 0);
	assert_int_equal(owner(box_layer_path(h, "/user-s")), 1000);
	assert_int_equal(box_ask(h, &text, "stat -c '%u %a' / /bin/busybox /root-s /user-s"), 0);
	assert_string_equal(text, "0 755\n0 755\n0 644\n1000 644");
}

static void ranges_are_distinct(void **state)
{
	dre_app_handle *a = box_start("a"), *b = box_start("b"), *c = box_create("c");
	struct ids of_a = id_map(box_init(a)), of_b = id_map(box_init(b));

	(void)state;
	assert_int_equal(of_a.first, IDMAP_BASE);
	assert_int_equal(of_b.first, IDMAP_BASE + IDMAP_SIZE);
	/* The range of one that is destroyed is free again. */
	box_destroy(a);
	a = box_start("d");
	assert_done(dre_app_start(c));
	assert_int_equal(id_map(box_init(a)).first, IDMAP_BASE);
	assert_int_equal(id_map(box_init(c)).first, IDMAP_BASE + 2 * IDMAP_SIZE);
}

static void privileged(void **state)
{
	dre_app_handle *h = box_create_with("c", NULL, 1);
	struct ids ids;
	pid_t init;

	(void)state;
	assert_done(dre_app_start(h));
	assert_running(h);
	init = box_init(h);
	ids = id_map(init);
	assert_int_equal(ids.first, 0);
	assert_int_equal(ids.count, UINT32_MAX);
	assert_int_equal(process_owner(init), 0);
	assert_int_equal(box_run(h, "touch /root-s && test -c /dev/dre"), 0);
	assert_int_equal(owner(box_layer_path(h, "/root-s")), 0);
	assert_done(dre_app_stop(h));
	assert_stopped(h);
}

static void privileged_by_configuration(void **state)
{
	dre_app_handle *h, *other;

	(void)state;
	use_conf("privileged = yes\n");
	h = box_start("c");
	assert_int_equal(process_owner(box_init(h)), 0);
	/* The choice at creation wins. */
	other = box_create_with("d", NULL, -1);
	assert_done(dre_app_start(other));
	assert_int_equal(process_owner(box_init(other)), IDMAP_BASE);
}

static void stands_still_while_suspended(void **state)
{
	dre_app_handle *h = box_start("c");
	off_t before;
	struct stat st;

	(void)state;
	assert_int_equal(box_run(h, "while :; do echo >>/count; sleep 0.02; done >/dev/null &"), 0);
	assert_true(eventually(stat(box_layer_path(h, "/count"), &st) == 0 && st.st_size > 5));
	assert_done(dre_app_suspend(h));
	stat(box_layer_path(h, "/count"), &st);
	before = st.st_size;
	usleep(500000);
	stat(box_layer_path(h, "/count"), &st);
	assert_int_equal(st.st_size, before);
	assert_done(dre_app_resume(h));
	assert_true(eventually(stat(box_layer_path(h, "/count"), &st) == 0 &&
			       st.st_size > before));
}

static bool runs_anew(const dre_app_handle *h, pid_t old)
{
	int pid;

	return dre_app_status(h) == DRE_APP_CONTAINER_STATUS_RUNNING &&
	       dre_app_get_pid(h, &pid) == 0 && pid != old && module_knows(h->name);
}

static void reboots(dre_app_handle *h, const char *how)
{
	pid_t init = box_init(h);

	box_run(h, how);
	assert_true(eventually(runs_anew(h, init)));
	assert_running(h);
	assert_true(is_gone(init));
	assert_done(dre_app_register_pid(h, box_init(h)));
}

static void powers_off(dre_app_handle *h, const char *how)
{
	box_run(h, how);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP &&
			       is_clean(h->name)));
	assert_done(dre_app_start(h));
	assert_running(h);
}

static void ends_from_inside(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_int_equal(box_run(h, "echo kept >/file"), 0);
	reboots(h, "kill -INT 1");
	reboots(h, "kill -INT 1");
	powers_off(h, "kill -PWR 1");
	assert_int_equal(box_run(h, "grep kept /file"), 0);
}

/* The same with an init that others wrote. */
static void busybox_ends_from_inside(void **state)
{
	dre_app_handle *h = box_create_with("c", "busybox", 0);

	(void)state;
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "echo kept >/file"), 0);
	reboots(h, "reboot");
	powers_off(h, "poweroff");
	assert_int_equal(box_run(h, "grep kept /file"), 0);
	assert_done(dre_app_stop(h));
	assert_stopped(h);
}

static pid_t monitor_of(pid_t init)
{
	char path[64], *text;
	int monitor = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", init);
	text = read_file(path);
	assert_int_equal(sscanf(strstr(text, "\nPPid:"), "\nPPid: %d", &monitor), 1);
	free(text);
	assert_true(monitor > 1);
	return monitor;
}

static char process_state(pid_t pid)
{
	char path[32], state, *text;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_file(path);
	assert_int_equal(sscanf(strrchr(text, ')'), ") %c", &state), 1);
	free(text);
	return state;
}

static bool is_in_system_call(pid_t pid, long nr)
{
	char path[32], *text;
	bool is;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	text = read_file(path);
	is = text && strtol(text, NULL, 10) == nr;
	free(text);
	return is;
}

/* liblxc's monitor accepts the question, then it sees that init is dead, and goes on with the next. */
static void is_asked_while_it_reboots(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t init = box_init(h), monitor = monitor_of(init), asks;
	bool asked, ended;
	int status;

	(void)state;
	kill(monitor, SIGSTOP);
	fflush(stdout);
	asks = fork();
	if (!asks)
		_exit(dre_app_copy_out(h, "/etc/hosts", "/run/hosts", NULL, NULL) != 0);
	asked = eventually(is_in_system_call(asks, SYS_recvmsg));
	kill(init, SIGINT);
	ended = eventually(process_state(init) == 'Z');
	kill(monitor, SIGCONT);
	assert_true(asked && ended);
	assert_true(eventually(waitpid(asks, &status, WNOHANG) == asks));
	unlink("/run/hosts");
	assert_true(eventually(runs_anew(h, init)));
	assert_running(h);
}

/* Who looks at all containers does not wait for one whose monitor does not answer. */
static void monitor_does_not_answer(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t monitor = monitor_of(box_init(h));
	int status;

	(void)state;
	kill(monitor, SIGSTOP);
	status = system("for what in list 'status c' 'ps c' 'cgroup list c'; do "
			"timeout 30 dre-app $what >/dev/null || exit; done");
	kill(monitor, SIGCONT);
	assert_int_equal(status, 0);
}

static void init_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	int status;
	pid_t pid;

	(void)state;
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(box_run(h, "touch /there; sleep 1000"));
	assert_true(eventually(access(box_layer_path(h, "/there"), F_OK) == 0));
	kill(box_init(h), SIGKILL);
	/* A command that ran inside is gone with it. */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 254);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP &&
			       is_clean("c")));
	assert_done(dre_app_start(h));
	assert_running(h);
	/* Also while it is suspended. */
	pid = box_init(h);
	assert_done(dre_app_suspend(h));
	kill(pid, SIGKILL);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP &&
			       is_clean("c")));
}

/* Nobody watches the container any more. Whoever changes it next makes an end of it. */
static void kill_monitor(const dre_app_handle *h, pid_t init)
{
	kill(monitor_of(init), SIGKILL);
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP));
}

static void monitor_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t init = box_init(h);
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10");
	kill_monitor(h, init);
	assert_done(dre_app_start(h));
	assert_running(h);
	assert_true(is_gone(init));
	assert_true(is_gone(agent.pid));
	assert_true(nothing_registered());

	init = box_init(h);
	kill_monitor(h, init);
	assert_int_equal(dre_app_stop(h), DRE_ERR_CONTAINER_STOPPED);
	assert_true(is_gone(init));
	assert_stopped(h);
	assert_done(dre_app_start(h));

	init = box_init(h);
	kill_monitor(h, init);
	assert_done(dre_app_destroy_container("c"));
	assert_true(is_gone(init));
	assert_true(is_clean("c"));
}

/* Init is among processes of the host then, which outlive it. Its own do not, bound or not. */
static void monitor_of_bound_init_is_killed(void **state)
{
	dre_app_handle *h = box_start("c");
	struct agent agent, bound, host;
	pid_t init = box_init(h);
	char origin[128];

	(void)state;
	assert_done(dre_app_create_cgroup(h, "blue"));
	box_agent(h, &agent, "-s 10");
	box_agent(h, &bound, "-s 10");
	host_agent(&host, "-s 10");
	snprintf(origin, sizeof(origin), "%s", cgroup_of(host.pid));
	assert_done(dre_app_bind_pid(h, "blue", host.pid));
	assert_done(dre_app_bind_vpid(h, "blue", bound.vpid));
	assert_done(dre_app_bind_vpid(h, "blue", 1));
	assert_string_equal(cgroup_of(init), "/dre/app/c/blue");
	assert_string_equal(cgroup_of(host.pid), "/dre/app/c/blue");
	kill_monitor(h, init);
	assert_done(dre_app_start(h));
	assert_running(h);
	assert_true(is_gone(init));
	assert_true(is_gone(agent.pid));
	assert_true(is_gone(bound.pid));
	assert_false(is_gone(host.pid));
	assert_string_equal(cgroup_of(host.pid), origin);
	kill(host.pid, SIGKILL);
}

/* Nobody knows init any more: it is not one of those that processes of the host are in namespaces of their own. */
static void module_has_forgotten_bound_init(void **state)
{
	dre_app_handle *h = box_start("c");
	pid_t init = box_init(h), other;
	char origin[128];

	(void)state;
	fflush(stdout);
	other = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	while (!other)
		pause();
	assert_true(other > 0);
	snprintf(origin, sizeof(origin), "%s", cgroup_of(other));
	assert_done(dre_app_create_cgroup(h, "blue"));
	assert_done(dre_app_bind_pid(h, "blue", other));
	assert_done(dre_app_bind_vpid(h, "blue", 1));
	kill_monitor(h, init);
	assert_false(is_gone(init));
	unload_module();
	load_module();
	assert_done(dre_app_start(h));
	assert_running(h);
	assert_true(is_gone(init));
	assert_false(is_gone(other));
	assert_string_equal(cgroup_of(other), origin);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

#define SUB_IDS "root:1879048192:268435456"

/* As Documentation/operations.md has it for hosts with newuidmap, which liblxc then calls. */
static int reserve_ids(void **state)
{
	(void)state;
	return system("echo " SUB_IDS " | tee -a /etc/subuid >>/etc/subgid");
}

static int release_ids(void **state)
{
	(void)!system("sed -i '/^" SUB_IDS "$/d' /etc/subuid /etc/subgid");
	return box_destroy_all(state);
}

/* liblxc's own commands. */
static void plain_liblxc(void **state)
{
	dre_app_handle *h = box_create("c");
	char expected[64], line[128] = "";
	FILE *f;

	(void)state;
	assert_int_equal(system(LXC("start", "c")), 0);
	assert_running(h);
	assert_done(dre_app_register_vpid(h, 1));

	snprintf(expected, sizeof(expected), "%d\n", box_init(h));
	f = popen(LXC("info -pH", "c"), "re");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(pclose(f), 0);
	assert_string_equal(line, expected);
	f = popen("lxc-ls -P " STORE "/lxc --running -1", "re");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(pclose(f), 0);
	assert_int_equal(strncmp(line, "c", 1), 0);
	assert_int_equal(system(LXC("attach", "c") " -- true"), 0);

	assert_int_equal(system(LXC("freeze", "c")), 0);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_SUSPENDED);
	assert_int_equal(system(LXC("unfreeze", "c")), 0);
	assert_done(dre_app_stop(h));
	assert_stopped(h);

	assert_int_equal(system(LXC("start", "c")), 0);
	assert_running(h);
	assert_int_equal(system(LXC("stop", "c")), 0);
	assert_true(eventually(is_clean("c")));
	assert_done(dre_app_start(h));
	assert_int_equal(system(LXC("stop -k", "c")), 0);
	assert_true(eventually(is_clean("c")));
	assert_done(dre_app_start(h));
	assert_running(h);
}

/* It may take away what is liblxc's, but nothing of ours. */
static void lxc_destroy(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_int_equal(box_run(h, "echo kept >/file"), 0);
	assert_done(dre_app_stop(h));
	(void)!system(LXC("destroy", "c") " >/dev/null 2>&1");
	assert_stopped(h);
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "grep kept /file"), 0);
}

/* Who refuses to start is refused whole. */
static void start_that_fails(void **state)
{
	dre_app_handle *h;

	(void)state;
	assert_int_equal(system("rm -rf /run/bad && mkdir -p /run/bad && cd /run/bad && "
				"mkdir dev proc sbin sys && echo nothing >sbin/init && "
				"chmod 755 sbin/init"), 0);
	if (!is_base("bad"))
		assert_done(dre_app_import_base("bad", "/run/bad", NULL, NULL));
	h = box_create_with("c", "bad", 0);
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(h));
	assert_stopped(h);
	use_conf("network = bridge:absent\n");
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(h));
}

/* What executes it is ours, and would come back to itself without an end. @make: an init in this directory. */
static void assert_goes_round(const char *base, const char *make)
{
	char command[512];
	dre_app_handle *h;

	snprintf(command, sizeof(command), "rm -rf /run/bad && mkdir -p /run/bad && cd /run/bad && "
		 "mkdir -p dev proc/self sbin sys && cp /bin/busybox proc/self/exe && %s", make);
	assert_int_equal(system(command), 0);
	if (!is_base(base))
		assert_done(dre_app_import_base(base, "/run/bad", NULL, NULL));
	h = box_create_with("c", base, 0);
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(h));
	assert_non_null(strstr(dre_last_error(), "Too many levels of symbolic links"));
	assert_stopped(h);
	box_destroy(h);
	assert_done(dre_app_remove_base(base));
}

static void init_that_is_ours(void **state)
{
	(void)state;
	assert_goes_round("link", "ln -s /proc/self/exe sbin/init");
	assert_goes_round("script", "printf '#!/proc/self/exe\n' >sbin/init && chmod 755 sbin/init");
}

/* What the caller has open is nobody else's. */
static void leaks_no_files(void **state)
{
	dre_app_handle *h = box_create("c");
	int low = open("/etc/passwd", O_RDONLY), high = dup2(low, 200);
	const char *text;

	(void)state;
	assert_int_equal(high, 200);
	assert_done(dre_app_start(h));
	assert_int_equal(box_ask(h, &text, "ls /proc/1/fd; echo; ls /proc/self/fd"), 0);
	/* 3 is the directory that ls itself has open. */
	assert_string_equal(text, "0\n1\n2\n\n0\n1\n2\n3");
	close(low);
	close(high);
}

/* A user who listens where the monitor of container "c" would; with @full to nobody any more. */
static pid_t take_address(bool full)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1 +
			sprintf(addr.sun_path + 1, STORE "/lxc/c/command");
	int ready[2], fd;
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		if (setresuid(65534, 65534, 65534) || (fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0 ||
		    bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 0) ||
		    (full && connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&addr, len)) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_user(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* He can be in the way of a start, which says so; and keeps nobody waiting, also when nobody can connect to him. */
static void address_is_taken(void **state)
{
	dre_app_handle *h = box_create("c");
	pid_t pid;

	(void)state;
	for (int full = 0; full < 2; full++) {
		pid = take_address(full);
		assert_stopped(h);
		world_mark();
		assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(h));
		assert_non_null(strstr(dre_last_error(), "@" STORE "/lxc/c/command"));
		assert_done(dre_app_save_snapshot(h, full ? "two" : "one"));
		end_user(pid);
		assert_done(dre_app_start(h));
		assert_running(h);
		assert_done(dre_app_stop(h));
	}
	pid = take_address(false);
	box_destroy(h);
	end_user(pid);
}

static void imports(const char *base, const char *source)
{
	dre_app_handle *h;

	assert_done(dre_app_import_base(base, source, NULL, NULL));
	assert_true(is_base(base));
	world_mark();
	assert_refused(DRE_ERR_BASE_EXISTENCE, dre_app_import_base(base, source, NULL, NULL));
	h = box_create_with("c", base, 0);
	assert_done(dre_app_start(h));
	assert_running(h);
	box_destroy(h);
}

static void imported_bases(void **state)
{
	(void)state;
	imports("from-directory", "/run/base");
	assert_int_equal(system("tar -C /run/base -cf /run/base.tar ."), 0);
	imports("from-tar", "/run/base.tar");
	assert_int_equal(system("gzip -1 -k /run/base.tar"), 0);
	imports("from-gzip", "/run/base.tar.gz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(default_base, box_destroy_all),
		cmocka_unit_test_teardown(life, box_destroy_all),
		cmocka_unit_test_teardown(files_persist, box_destroy_all),
		cmocka_unit_test_teardown(has_a_user_namespace, box_destroy_all),
		cmocka_unit_test_teardown(ranges_are_distinct, box_destroy_all),
		cmocka_unit_test_teardown(privileged, box_destroy_all),
		cmocka_unit_test_teardown(privileged_by_configuration, box_destroy_all),
		cmocka_unit_test_teardown(stands_still_while_suspended, box_destroy_all),
		cmocka_unit_test_teardown(ends_from_inside, box_destroy_all),
		cmocka_unit_test_teardown(busybox_ends_from_inside, box_destroy_all),
		cmocka_unit_test_teardown(is_asked_while_it_reboots, box_destroy_all),
		cmocka_unit_test_teardown(monitor_does_not_answer, box_destroy_all),
		cmocka_unit_test_teardown(init_is_killed, box_destroy_all),
		cmocka_unit_test_teardown(monitor_is_killed, box_destroy_all),
		cmocka_unit_test_teardown(monitor_of_bound_init_is_killed, box_destroy_all),
		cmocka_unit_test_teardown(module_has_forgotten_bound_init, box_destroy_all),
		cmocka_unit_test_teardown(address_is_taken, box_destroy_all),
		cmocka_unit_test_setup_teardown(plain_liblxc, reserve_ids, release_ids),
		cmocka_unit_test_teardown(lxc_destroy, box_destroy_all),
		cmocka_unit_test_teardown(start_that_fails, box_destroy_all),
		cmocka_unit_test_teardown(init_that_is_ours, box_destroy_all),
		cmocka_unit_test_teardown(leaks_no_files, box_destroy_all),
		cmocka_unit_test_teardown(imported_bases, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
