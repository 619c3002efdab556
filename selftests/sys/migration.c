// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Containers that go from host to host while they run: two libvirts, a real NFS server, a guest with a network. The
 * other host is in namespaces of this machine, see ./second-host. So both have one kernel, and its D-RE module knows a container
 * once, by its name: it is told of the machine that has arrived as soon as that which has left is gone.
 */
#include <arpa/inet.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include "host.h"
#include "integration/steps.h"
#include "nfs.h"

#define HERE	"10.98.0.1"
#define THERE	"10.98.0.2"
#define PORT	24300

#define SECOND_HOST	"/tests/sys/second-host"
#define ON_B		SECOND_HOST " run "

/* For the shell: waits for what is to become true. */
#define UNTIL(command)	"timeout 300 sh -c 'until " command "; do sleep 0.2; done'"

#define SHARED_STORE	"nfs_server = " HERE "\nnfs_export = " EXPORT "\nnetwork = bridge:br0\n" \
			"nfs_options = vers=4.2,softerr,timeo=50,retrans=2\n"
#define NO_LIBVIRT	"libvirt = qemu+unix:///system?socket=/run/nobody-listens\n"
#define PLAIN		"migration_uri = qemu+tcp://%s/system\nmigration_tls = no\n"

/* This host's libvirt listens, too, and knows what it is in for. */
static void restart_libvirt(const char *listen)
{
	assert_int_equal(shell("SECOND_HOST_LISTEN=%s " SECOND_HOST " restart-first >>/run/second-host.log 2>&1", listen), 0);
}

static void configure_plain(const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", SHARED_STORE PLAIN, more);
	configure(text);
}

static int setup(void **state)
{
	dre_sys_handle h = handle("m");

	assert_int_equal(shell(SECOND_HOST " start >/run/second-host.log 2>&1"), 0);
	set_up_host(state);
	make_nfs_server("10.98.0.0/24");
	restart_libvirt("tcp");
	configure_plain("");
	assert_success(create("m", "it"));
	assert_success(create("other", "it"));
	assert_success(dre_sys_share(&h));
	return 0;
}

static void in_shared(const char *name, char line[256], const char *key)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), SHARED "/containers/%s/manifest", name);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, 256, f) && strncmp(line, key, strlen(key)) != 0)
		*line = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
}

static void assert_owner(const char *host)
{
	char line[256], wanted[100];

	in_shared("m", line, "owner ");
	snprintf(wanted, sizeof(wanted), "owner %s", host);
	assert_string_equal(line, wanted);
	in_shared("m", line, "migrating ");
	assert_string_equal(line, "");
}

static bool runs_here(void)
{
	return shell("virsh -q list --state-running --name | grep -qx dre-m") == 0;
}

static bool runs_there(void)
{
	return shell(ON_B "virsh -q list --state-running --name | grep -qx dre-m") == 0;
}

/* The last one that it has said, on whichever host: as the server has it. */
static int ticks(void)
{
	glob_t files = {};
	char line[256], end;
	int tick = -1, n;

	glob(EXPORT "/containers/m/console.log*", 0, NULL, &files);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *f = fopen(files.gl_pathv[i], "re");

		/* Not the first digits of one that is just being written. */
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "guest: tick %d%c", &n, &end) == 2 && end == '\r' && n > tick)
				tick = n;
		if (f)
			fclose(f);
	}
	globfree(&files);
	return tick;
}

/* Does its processor do something, and is it told of what its clock and its console are done with? */
static void tell_what_it_does(void)
{
	for (int i = 0; i < 3; i++)
		shell("for on in '' '" ON_B "'; do for what in registers lapic irq; do $on virsh -q qemu-monitor-command dre-m --hmp "
		      "info $what; done; done 2>&1 | grep -E 'RIP=|HLT=|LVTT|Timer|ISR|IRR|^ *4:|^IRQ' | sed 's/^/# /'; sleep 1");
}

/* It may have ticked all the time, and its log is not where it is looked for. */
static void tell_where_its_log_ends(void)
{
	shell("for on in '' '" ON_B "'; do $on sh -c 'hostname; cd " SHARED "/containers/m && stat -c \"%%n %%s\" console.log* && "
	      "ls -l /proc/$(cat /run/libvirt/virtlogd.pid 2>/dev/null || cat /run/virtlogd.pid)/fd; "
	      "tail -n 3 /var/log/libvirt/virtlogd.log'; done 2>&1 | sed 's/^/# /'; "
	      "tail -n 2 " EXPORT "/containers/m/console.log* | sed 's/^/# /'");
}

static void assert_goes_on(void)
{
	int before = ticks(), now = before;

	for (int i = 0; i < 1800 && now <= before; i++) {
		usleep(100000);
		now = ticks();
	}
	if (now > before)
		return;
	tell_what_it_does();
	shell("for on in '' '" ON_B "'; do $on virsh domstate --reason dre-m; done 2>&1 | sed 's/^/# /'; "
	      "dmesg | grep -i nfs | tail -n 5 | sed 's/^/# /'");
	tell_where_its_log_ends();
	fail_msg("it has not ticked since %d", before);
}

/*
 * Whatever it has said, on whichever host, is in its log once, and in its order: it counts its ticks. Who has it from the
 * host that it left may still be writing the last of it.
 */
static void assert_log_is_whole(const char *on)
{
	assert_int_equal(shell("for i in $(seq 60); do %s dre-sys logs m | sed '$d' | awk '/^guest: tick/ { "
			       "if (n && $3 != n + 1) { print n \" then \" $0; bad = 1 } n = $3 } "
			       "END { exit bad || n < 1 }' >/run/dre-test-out && exit; sleep 0.5; done; "
			       "sed 's/^/# /' /run/dre-test-out; exit 1", on), 0);
}

static void wait_said(const char *text)
{
	assert_int_equal(shell("for i in $(seq 1800); do grep -q '%s' " SHARED "/containers/m/console.log 2>/dev/null && exit 0; "
			       "sleep 0.1; done; cat " SHARED "/containers/m/console.log; exit 1", text), 0);
}

/* Runs here, with a guest that is up. */
static void boot(void)
{
	dre_sys_handle h = handle("m");

	assert_success(dre_sys_start(&h));
	wait_said("guest: network");
	wait_said("guest: tick");
}

static void immigrate(void)
{
	assert_int_equal(shell(ON_B "dre-sys immigrate m %d", PORT), 0);
}

static int migrate(const char *target, int port)
{
	dre_sys_handle h = handle("m");

	return dre_sys_migration_start(&h, target, port);
}

static void arguments(void **state)
{
	dre_sys_handle h = handle("m"), other = handle("other"), absent = handle("absent");
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_fails(dre_sys_migration_cancel(NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_migration_cancel(&absent), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_migration_cancel(&h), DRE_ERR_INVALID_ARGUMENT, "not on its way from this host");
	assert_fails(dre_sys_immigration_start(NULL, PORT), DRE_ERR_NULL_POINTER, "name");
	assert_fails(dre_sys_immigration_start("-m", PORT), DRE_ERR_INVALID_ARGUMENT, "-m");
	assert_fails(dre_sys_immigration_start("m", 0), DRE_ERR_INVALID_ARGUMENT, "port 0");
	assert_fails(dre_sys_immigration_start("m", 65536), DRE_ERR_INVALID_ARGUMENT, "65536");
	assert_fails(dre_sys_immigration_start("absent", PORT), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_immigration_start("other", PORT), DRE_ERR_CONTAINER_EXISTENCE, "not a shared one");
	assert_fails(dre_sys_immigration_start("m", PORT), DRE_ERR_CONTAINER_EXISTENCE, "this host's already");
	assert_fails(dre_sys_immigration_cancel("m"), DRE_ERR_NO_SOCKET_AVAILABLE, "does not wait");
	assert_fails(dre_sys_migration_start(NULL, THERE, PORT), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_migration_start(&h, NULL, PORT), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_migration_start(&h, longest, PORT), DRE_ERR_REQUEST_TOO_LONG, "255");
	assert_fails(dre_sys_migration_start(&h, "a b", PORT), DRE_ERR_INVALID_HOSTNAME, "a b");
	assert_fails(dre_sys_migration_start(&h, "", PORT), DRE_ERR_INVALID_HOSTNAME, "''");
	assert_fails(dre_sys_migration_start(&h, THERE, 0), DRE_ERR_INVALID_ARGUMENT, "port 0");
	assert_fails(dre_sys_migration_start(&absent, THERE, PORT), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_migration_start(&h, THERE, PORT), DRE_ERR_CONTAINER_STOPPED, "stopped");
	assert_success(dre_sys_start(&other));
	assert_fails(dre_sys_migration_start(&other, THERE, PORT), DRE_ERR_CONTAINER_NONEXISTENCE, "share it first");
	assert_int_equal(shell("dre-sys stop --kill other && dre-sys destroy other"), 0);
	configure("");
	assert_fails(dre_sys_immigration_start("m", PORT), DRE_ERR_NFS_MOUNT_FAILED, "nfs_server");
	configure_plain("");
}

#define PARTITIONS	"/sys/fs/cgroup/dre.partition/sys.partition"
#define GROUPS_DIR	PARTITIONS "/dre-m.partition"

/* Two at once: one of them gets it, and the other one leaves nothing. */
static void one_port(void)
{
	dre_sys_handle h = handle("n");

	assert_success(create("n", "it"));
	assert_success(dre_sys_share(&h));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(shell(ON_B "sh -c 'dre-sys immigrate m %d & dre-sys immigrate n %d; a=$?; wait $!; "
				       "[ $((a + $?)) = 1 ]' 2>/dev/null", PORT, PORT), 0);
		assert_int_equal(shell("[ $(cat " SHARED "/containers/[mn]/manifest | "
				       "grep -c ^immigration) = 1 ]"), 0);
		assert_int_equal(shell(ON_B "sh -c 'dre-sys immigrate --cancel m || "
				       "dre-sys immigrate --cancel n' 2>/dev/null"), 0);
		assert_int_equal(shell(ON_B "sh -c 'ls -d " PARTITIONS "/dre-[mn]*' 2>/dev/null"), 2);
	}
	assert_success(dre_sys_destroy_container("n"));
}

/* Somebody else listens there. */
static void take_port(void)
{
	assert_int_equal(shell(ON_B "busybox nc -l -p %d & for i in $(seq 600); do " ON_B "grep -qE ':%04X 0+:0000 0A' "
			       "/proc/net/tcp /proc/net/tcp6 && exit 0; sleep 0.1; done; exit 1", PORT, PORT), 0);
}

static void give_port_back(void)
{
	assert_int_equal(shell("kill $(pgrep -x busybox)"), 0);
}

/* A machine that has the name of its machine, and is none of D-RE's. */
static void define_stranger(void)
{
	assert_int_equal(shell("echo '<domain type=\"qemu\"><name>dre-m</name><memory>65536</memory>"
			       "<os><type>hvm</type></os></domain>' >/run/dre-test.xml && "
			       ON_B "virsh -q define /run/dre-test.xml"), 0);
}

static void undefine_stranger(void)
{
	assert_int_equal(shell(ON_B "virsh -q undefine dre-m"), 0);
}

/* What its machine needs is not there. */
static void host_is_not_fit(void)
{
	assert_int_equal(shell("rmmod dre && " ON_B "dre-sys immigrate m %d 2>&1 | grep -q 'modprobe dre'; r=$?; modprobe dre; exit $r",
			       PORT), 0);
	assert_int_equal(shell(ON_B "unshare -m sh -c 'mount --bind /dev/null /dev/kvm && dre-sys immigrate m %d' 2>&1 | "
			       "grep -q '/dev/kvm cannot run machines'", PORT), 0);
	assert_int_equal(shell("sed 's,^initrd = .*,initrd = /nowhere,' " CONFIG " >/run/dre-test-nowhere.conf && "
			       "DRE_CONF=/run/dre-test-nowhere.conf " ON_B "dre-sys immigrate m %d 2>&1 | grep -q ': /nowhere: No such'",
			       PORT), 0);
	assert_int_equal(shell("grep -q ^immigration " SHARED "/containers/m/manifest"), 1);
	assert_int_equal(shell(ON_B "[ -e " GROUPS_DIR " ]"), 1);
}

/* Each reason for which it could not come there is told there, before it is on its way. */
static void cannot_come(void **state)
{
	(void)state;
	take_port();
	assert_int_equal(shell(ON_B "dre-sys immigrate m %d 2>&1 | grep -q 'no socket is available'", PORT), 0);
	give_port_back();
	define_stranger();
	assert_int_equal(shell(ON_B "dre-sys immigrate m %d 2>&1 | grep -q 'somebody else'", PORT), 0);
	undefine_stranger();
	assert_int_equal(shell("dre-sys set m memory=100G && " ON_B "dre-sys immigrate m %d 2>&1 | grep -q 'MiB, and this host has'",
			       PORT), 0);
	assert_int_equal(shell("dre-sys set m memory=96"), 0);
	assert_int_equal(shell("dre-sys set m network=bridge:br7 && " ON_B "dre-sys immigrate m %d 2>&1 | grep -q br7", PORT), 0);
	assert_int_equal(shell("dre-sys unset m network"), 0);
	host_is_not_fit();
	/* Another host waits already; and then it does not any more. */
	assert_int_equal(shell(ON_B "unshare -u sh -c 'hostname hostc; dre-sys immigrate m %d'", PORT), 0);
	assert_int_equal(shell(ON_B "dre-sys immigrate m %d 2>&1 | grep -q hostc", PORT), 0);
	assert_int_equal(shell(ON_B "dre-sys immigrate --cancel m 2>&1 | grep -q 'does not wait'"), 0);
	assert_int_equal(shell(ON_B "unshare -u sh -c 'hostname hostc; dre-sys immigrate --cancel m'"), 0);
	immigrate();
	assert_int_equal(shell(ON_B "[ -e " GROUPS_DIR " ]"), 0);
	/* What cannot be taken away yet can be later: it is as if it was not cancelled. */
	assert_int_equal(shell(ON_B "sh -c 'mkdir " GROUPS_DIR "/x; sleep 1000 & "
			       "echo $! >" GROUPS_DIR "/x/cgroup.procs && ! dre-sys immigrate --cancel m 2>/dev/null; "
			       "r=$?; kill $!; wait; exit $r'"), 0);
	assert_int_equal(shell("grep -q '^immigration hostb' " SHARED "/containers/m/manifest"), 0);
	assert_int_equal(shell(ON_B "dre-sys immigrate --cancel m"), 0);
	assert_int_equal(shell(ON_B "[ -e " GROUPS_DIR " ]"), 1);
	immigrate();
	configure_plain(NO_LIBVIRT);
	assert_int_equal(shell(ON_B "dre-sys immigrate m %d 2>&1 | grep -q nobody-listens", PORT), 0);
	assert_int_equal(shell(ON_B "dre-sys immigrate --cancel m"), 0);
	configure_plain("");
	one_port();
	assert_int_equal(shell(ON_B "dre-sys immigrate --wait --timeout 1 m %d 2>/dev/null", PORT), 124);
	assert_int_equal(shell(ON_B "dre-sys immigrate --cancel m"), 0);
	/* Who waits for it waits as long as the host does. */
	assert_int_equal(shell(ON_B "dre-sys immigrate --wait m %d 2>/run/dre-test-err & "
			       UNTIL("grep -q ^immigration " SHARED "/containers/m/manifest") "; "
			       "for i in $(seq 50); do " ON_B "dre-sys immigrate --cancel m 2>/dev/null && break; sleep 0.2; done; "
			       "wait $!; [ $? = 1 ]", PORT), 0);
	assert_int_equal(shell("grep -q 'does not wait for it any longer' /run/dre-test-err"), 0);
	configure_plain("immigration_timeout = 2\n");
	assert_int_equal(shell(ON_B "dre-sys immigrate --wait m %d 2>/run/dre-test-err", PORT), 124);
	assert_int_equal(shell("grep -q 'it has not come' /run/dre-test-err"), 0);
	assert_int_equal(shell(ON_B "dre-sys immigrate --wait --timeout 300 m %d 2>/dev/null", PORT), 124);
	assert_int_equal(shell(ON_B "dre-sys immigrate --cancel m"), 0);
	configure_plain("");
}

/* Something takes the connection, and says nothing, as a libvirtd that hangs. Who asks again is told at once. */
static void hangs(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(24301) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	time_t begin = time(NULL);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 8), 0);
	configure(SHARED_STORE "migration_uri = qemu+tcp://%s:24301/system\nmigration_tls = no\n");
	assert_fails(migrate(HERE, PORT), DRE_ERR_DEVICE_BUSY, "does not answer");
	assert_true(time(NULL) - begin < 60);
	begin = time(NULL);
	assert_fails(migrate(HERE, PORT), DRE_ERR_DEVICE_BUSY, "does not answer");
	assert_true(time(NULL) - begin < 20);
	close(fd);
	configure_plain("");
}

/* Each reason for which it does not go, while it runs. */
static void cannot_go(void **state)
{
	(void)state;
	boot();
	assert_fails(migrate(THERE, PORT), DRE_ERR_NO_SOCKET_AVAILABLE, "no host waits");
	configure_plain("immigration_timeout = 1\n");
	immigrate();
	sleep(2);
	assert_fails(migrate(THERE, PORT), DRE_ERR_NO_SOCKET_AVAILABLE, "any longer");
	configure_plain("");
	immigrate();
	assert_fails(migrate(THERE, PORT + 1), DRE_ERR_NO_SOCKET_AVAILABLE, "at port 24300");
	assert_fails(migrate("no.such.host.invalid", PORT), DRE_ERR_INVALID_HOSTNAME, "no.such.host.invalid");
	assert_fails(migrate(HERE, PORT), DRE_ERR_INVALID_HOSTNAME, "'hostb' waits for it");
	assert_fails(migrate("10.98.0.77", PORT), DRE_ERR_DEVICE_BUSY, "does not answer");
	hangs();
	/* Without certificates there is no encryption, and without that nothing goes over. */
	configure(SHARED_STORE);
	assert_fails(migrate(THERE, PORT), DRE_ERR_DEVICE_BUSY, "16514");
	configure(SHARED_STORE "migration_uri = qemu+tcp://%s/system\n");
	assert_fails(migrate(THERE, PORT), DRE_ERR_DEVICE_BUSY, "credentials");
	configure_plain("");
	assert_owner("dre");
	assert_goes_on();
	assert_true(runs_here());
	assert_false(runs_there());
}

/* It runs here again, whatever has become of it. */
static void bring_home(void)
{
	char line[256];

	in_shared("m", line, "owner ");
	if (strcmp(line, "owner dre") != 0) {
		shell(ON_B "dre-sys stop --kill m 2>/dev/null");
		shell(ON_B "virsh -q undefine dre-m 2>/dev/null");
		assert_int_equal(shell("dre-sys takeover --force m"), 0);
	}
	if (status("m") == DRE_SYS_CONTAINER_STATUS_STOP)
		boot();
	assert_int_equal(status("m"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	shell(ON_B "dre-sys immigrate --cancel m 2>/dev/null");
	shell(ON_B "virsh -q destroy dre-m 2>/dev/null");
}

static int connect_guest(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7),
				       .sin_addr.s_addr = inet_addr("10.98.0.9") };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void assert_answers(int fd, const char *text)
{
	char buffer[64] = "";
	struct timeval patience = { .tv_sec = 60 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(recv(fd, buffer, strlen(text), MSG_WAITALL), strlen(text));
	assert_string_equal(buffer, text);
}

/* From there, slowly enough that it is shown how far it is. */
static void goes_on_a_terminal(const char *target)
{
	assert_int_equal(shell(ON_B "virsh -q migrate-setspeed dre-m 8 && " ON_B "script -qec 'stty columns 100; dre-sys migrate m %s %d' "
			       "/dev/null >/run/dre-test-out </dev/null", target, PORT), 0);
	assert_int_equal(shell("tr '\\r' '\\n' </run/dre-test-out | grep -o -m 1 'migrate \\[[#-]*\\] .*%% .* of .*/s .* left'"), 0);
	assert_int_equal(shell("grep -o 'm runs on %s: .*MB in .* s; it stood still for [0-9]* ms' /run/dre-test-out", target), 0);
}

/* With groups, limits and a bound process; a guest that counts, and answers. There, and back. */
static void migrates(void **state)
{
	dre_sys_handle h = handle("m");
	int fd, before;
	pid_t bound;

	(void)state;
	bring_home();
	fd = connect_guest();
	bound = fork();
	if (!bound) {
		pause();
		_exit(0);
	}
	assert_answers(fd, "before");
	assert_success(dre_sys_create_cgroup(&h, "ui"));
	assert_int_equal(shell("dre-sys resource set m ui cpu 25 && dre-sys resource set m . memory 500M"), 0);
	assert_success(dre_sys_bind_pid(&h, "ui", bound));
	before = ticks();
	shell(ON_B "dre-sys immigrate --cancel m 2>/dev/null");
	assert_int_equal(shell(ON_B "dre-sys immigrate --wait --timeout 200 m %d & "
			       UNTIL("grep -q ^immigration " SHARED "/containers/m/manifest") " && "
			       UNTIL(ON_B "grep -qx %llu " GROUPS_DIR "/memory.max") " && "
			       "dre-sys migrate --json m " THERE " %d >/run/dre-test-out && wait $!",
			       PORT, 500ULL << 20, PORT), 0);
	shell("sed 's/^/# /' /run/dre-test-out");
	assert_int_equal(shell("grep -q '\"downtime_ms\": *[1-9]' /run/dre-test-out"), 0);
	/* It is there, all of it, and nothing is here. */
	assert_false(runs_here());
	assert_true(runs_there());
	assert_owner("hostb");
	assert_answers(fd, "after");
	assert_goes_on();
	assert_true(ticks() > before && count_said("m", "boot") <= 1);
	assert_log_is_whole(ON_B);
	assert_int_equal(shell("dre-sys list | grep -q '^m *remote'"), 0);
	assert_int_equal(shell(ON_B "dre-sys list | grep -q '^m *running'"), 0);
	assert_int_equal(shell("virsh -q list --all --name | grep -qx dre-m"), 1);
	assert_int_equal(shell("[ -e " GROUPS_DIR " ]"), 1);
	assert_int_equal(shell("grep -q dre.partition /proc/%d/cgroup", bound), 1);
	assert_int_equal(shell(ON_B "dre-sys cgroup list m | grep -q '^ui'"), 0);
	assert_int_equal(shell(ON_B "grep -q '^25000 100000' " GROUPS_DIR "/ui/cpu.max"), 0);
	assert_int_equal(shell(ON_B "grep -qx %llu " GROUPS_DIR "/memory.max", 500ULL << 20), 0);
	/* Its groups can be used there: the module knows it. */
	assert_int_equal(shell(ON_B "sh -c 'sleep 100 & dre-sys bind m ui $! && dre-sys unbind m ui $!; r=$?; kill $!; exit $r'"), 0);
	assert_fails(status("m"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'hostb'");
	/* And back. */
	assert_success(dre_sys_immigration_start("m", PORT));
	goes_on_a_terminal(HERE);
	assert_owner("dre");
	assert_int_equal(status("m"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_answers(fd, "home");
	assert_int_equal(shell("grep -q '^25000 100000' " GROUPS_DIR "/ui/cpu.max"), 0);
	assert_success(dre_sys_bind_pid(&h, "ui", bound));
	kill(bound, SIGKILL);
	waitpid(bound, NULL, 0);
	close(fd);
}

struct interruption {
	const char *command;	/* NULL: kill this process */
	bool done;
};

static void interrupt(void *arg, unsigned long long done, unsigned long long total)
{
	struct interruption *i = arg;

	if (i->done || done * 100 < total * 30)
		return;
	i->done = true;
	if (!i->command)
		kill(getpid(), SIGKILL);
	shell("%s", i->command);
}

/* It runs on one of both, and that is its owner; or it is stopped, and one of both is. Returns true if it runs. */
static bool assert_one_side(void)
{
	int here = -1, there = -1;

	for (int i = 0; i < 120; i++) {
		here = shell("dre-sys status m >/run/dre-test-status 2>&1");
		there = shell(ON_B "dre-sys status m >/dev/null 2>&1");
		/* Not while it is on its way: it might have arrived between the two. */
		if (!here != !there && shell("grep -q busy /run/dre-test-status"))
			break;
		sleep(1);
	}
	shell("dre-sys status m 2>&1 | sed 's/^/# here: /'; " ON_B "dre-sys status m 2>&1 | sed 's/^/# there: /'");
	assert_true(!here != !there);
	assert_owner(here ? "hostb" : "dre");
	assert_false(runs_here() && runs_there());
	if (!here)
		assert_false(runs_there());
	else
		assert_false(runs_here());
	return runs_here() || runs_there();
}

/* What was free when the other host began to wait is not any more when it comes. It runs on here, and can go later. */
static void cannot_arrive(void **state)
{
	(void)state;
	immigrate();
	take_port();
	assert_fails(migrate(THERE, PORT), DRE_ERR_DEVICE_BUSY, "in use");
	give_port_back();
	assert_true(assert_one_side());
	assert_owner("dre");
	define_stranger();
	assert_fails(migrate(THERE, PORT), DRE_ERR_DEVICE_BUSY, "already exists");
	undefine_stranger();
	assert_true(assert_one_side());
	assert_owner("dre");
	/* No room for its memory. */
	assert_int_equal(shell(ON_B "sh -c 'echo 16M >" GROUPS_DIR "/memory.max'"), 0);
	assert_fails(migrate(THERE, PORT), DRE_ERR_DEVICE_BUSY, "");
	assert_true(assert_one_side());
	assert_owner("dre");
	assert_goes_on();
	assert_int_equal(shell(ON_B "sh -c 'echo max >" GROUPS_DIR "/memory.max'"), 0);
	assert_success(migrate(THERE, PORT));
	assert_owner("hostb");
	assert_goes_on();
}

/* Whoever moves it was killed before anything was sent. Who asks there meanwhile does not take its limits away. */
static void not_there_yet(void **state)
{
	dre_sys_handle h = handle("m");

	(void)state;
	bring_home();
	assert_int_equal(shell("dre-sys resource set m . memory 500M"), 0);
	immigrate();
	assert_int_equal(shell("sed -i 's/^end$/migrating hostb " THERE "\\nend/' " SHARED "/containers/m/manifest"), 0);
	assert_int_equal(shell(ON_B "dre-sys start m 2>&1 | grep -q \"belongs to host 'dre'\""), 0);
	assert_int_equal(shell(ON_B "grep -qx %llu " GROUPS_DIR "/memory.max", 500ULL << 20), 0);
	configure_plain(NO_LIBVIRT);
	assert_fails(dre_sys_migration_cancel(&h), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "nobody-listens");
	assert_fails(dre_sys_take_over(&h), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "nobody-listens");
	configure_plain("");
	assert_int_equal(status("m"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_owner("dre");
	assert_int_equal(shell("dre-sys resource unset m . memory"), 0);
}

/* Slow enough that there is a middle. */
static void break_it(const char *command, const char *repair, bool runs)
{
	struct interruption i = { .command = command };
	dre_sys_handle h = handle("m");
	int err;

	immigrate();
	assert_int_equal(shell("virsh -q migrate-setspeed dre-m 4"), 0);
	err = dre_sys_migration_start_with(&h, THERE, PORT, interrupt, &i, NULL);
	print_message("# returned %d: %s\n", err, err ? dre_last_error() : "moved");
	assert_true(i.done);
	if (repair)
		assert_int_equal(shell("%s", repair), 0);
	assert_int_equal(assert_one_side(), runs);
	if (runs)
		assert_goes_on();
}

/* Once all has been sent that there was in the beginning, or nearly: a guest on a slow host writes slowly, too. */
static void slow_down(void *arg, unsigned long long done, unsigned long long total)
{
	bool *slow = arg;

	if (*slow || total - done > 4 << 20)
		return;
	*slow = true;
	assert_int_equal(shell("virsh -q migrate-setspeed dre-m 1"), 0);
}

/* A guest that writes to its memory faster than that is sent stands still for the end of it, and goes on there. */
static void never_quiet(void **state)
{
	dre_sys_migration_result result = { .size = sizeof(result) };
	dre_sys_handle h = handle("m");
	bool slow = false;

	(void)state;
	shell("dre-sys stop --kill m 2>/dev/null");
	assert_int_equal(shell("sed -i 's/panic=-1/panic=-1 dirty=2/' " CONFIG), 0);
	boot();
	immigrate();
	assert_int_equal(shell("virsh -q migrate-setspeed dre-m 3"), 0);
	assert_success(dre_sys_migration_start_with(&h, THERE, PORT, slow_down, &slow, &result));
	print_message("# %.1f MB in %llu ms and %llu passes; it stood still for %llu ms\n", result.bytes / 1e6, result.time,
		      result.passes, result.downtime);
	/* As often as it is tried, and it would have been for ever. */
	assert_true(result.passes > 8);
	assert_true(result.downtime < 60000);
	assert_owner("hostb");
	assert_true(runs_there());
	assert_goes_on();
	assert_log_is_whole(ON_B);
}

/* By another manager, and by whoever waits for it. */
static void cancelled(void **state)
{
	(void)state;
	break_it("dre-sys migrate --cancel m", NULL, true);
	assert_int_equal(shell("dre-sys migrate --cancel m 2>&1 | grep -q 'is not on its way from this host'"), 0);
	/* The other host waits for it as before. */
	assert_int_equal(shell("timeout --foreground --preserve-status -s INT 3 dre-sys migrate m " THERE " %d 2>/run/dre-test-err",
			       PORT), 1);
	assert_int_equal(shell("grep -q 'cancel' /run/dre-test-err"), 0);
	assert_true(assert_one_side());
	assert_owner("dre");
	assert_goes_on();
}

static void network_cut(void **state)
{
	(void)state;
	break_it("ip link set veth-a down", "ip link set veth-a up", true);
}

static void target_machine_killed(void **state)
{
	(void)state;
	break_it("kill -9 $(cat /run/second-host/run/libvirt/qemu/dre-m.pid)", NULL, true);
}

static void target_libvirt_killed(void **state)
{
	(void)state;
	break_it(SECOND_HOST " kill-libvirt", SECOND_HOST " restart-libvirt", true);
}

static void source_libvirt_killed(void **state)
{
	(void)state;
	break_it("kill -9 $(cat /run/libvirtd.pid)", SECOND_HOST " restart-first", true);
}

/* The machine is lost, as if its host had lost its power; the container is this host's, and stopped. */
static void source_machine_killed(void **state)
{
	(void)state;
	break_it("kill -9 $(cat /run/libvirt/qemu/dre-m.pid)", NULL, false);
}

/* libvirt goes on, and whoever looks afterwards finds it there. */
static void manager_killed(void **state)
{
	struct interruption i = { .command = NULL };
	dre_sys_handle h = handle("m");
	int ended;
	pid_t pid;

	(void)state;
	immigrate();
	assert_int_equal(shell("virsh -q migrate-setspeed dre-m 4"), 0);
	pid = fork();
	if (!pid) {
		dre_sys_migration_start_with(&h, THERE, PORT, interrupt, &i, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFSIGNALED(ended));
	assert_int_equal(status("m"), DRE_SYS_CONTAINER_STATUS_BUSY);
	assert_true(assert_one_side());
	assert_owner("hostb");
	assert_goes_on();
}

/*
 * The same at any of its system calls, see steps.h; or the call fails. It arrives then, or the next manager brings it
 * there.
 */

#define WORLD	"/run/dre-test-world"

/* Of a host, where @on runs commands: machines, mounts, listeners, and the files that its daemons have open, see @pids. */
static void describe_host(const char *on, const char *pids, const char *file)
{
	assert_int_equal(shell("{ %s virsh -q list --all --name; %s cat /proc/self/mountinfo; "
			       "%s cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" { print \"listens\", $2 }' | sort; "
			       "for pid in %s; do find /proc/$(cat $pid)/fd -lname '/*' -printf 'open %%l\\n'; done | sort; } >>%s",
			       on, on, on, pids, file), 0);
}

/* Each time that it is started libvirt gives its machine another number. Whose process it is its network says. */
static void describe(const char *file)
{
	assert_int_equal(shell("{ { find " STORE " " SHARED "; find /sys/fs/cgroup -type d -path '*dre.partition*'; } | "
			       "sed 's/qemu-[0-9]*-/qemu-/' | sort; ls /proc/%d/fd; "
			       "ps -eo netns,comm | grep -E ' (qemu|dre-)' | sort; } >%s", getpid(), file), 0);
	describe_host("", "/run/libvirtd.pid /run/virtlogd.pid", file);
	describe_host(ON_B, "/run/second-host/run/libvirt/libvirtd.pid /run/second-host/run/libvirt/virtlogd.pid", file);
}

static void mark(void)
{
	describe(WORLD);
}

static void assert_nothing_wrong(void)
{
	assert_int_equal(shell("dre-sys gc && dre-sys fsck"), 0);
	assert_int_equal(shell(ON_B "sh -c 'dre-sys gc && dre-sys fsck'"), 0);
}

static void assert_as_marked(void)
{
	int differs = 1;

	for (int i = 0; i < 60 && differs; i++) {
		describe(WORLD ".now");
		differs = shell("diff " WORLD " " WORLD ".now >/run/dre-test-diff");
		if (differs)
			sleep(1);
	}
	shell("sed 's/^/# /' /run/dre-test-diff");
	assert_int_equal(differs, 0);
}

static int do_migrate(void)
{
	return migrate(THERE, PORT);
}

static void arrives_and_comes_home(void)
{
	assert_true(assert_one_side());
	assert_owner("hostb");
	assert_goes_on();
	bring_home();
}

static void killed_anywhere(void **state)
{
	const struct steps_world world = { mark, assert_nothing_wrong, assert_as_marked };

	(void)state;
	bring_home();
	steps_try(&(struct steps_operation){
		"migrate", immigrate, do_migrate, DRE_ERR_CONTAINER_UNKNOWN_STATUS, NULL, arrives_and_comes_home,
	}, &world, 1);
}

/*
 * The machine has been sent, and its sender is killed before the other host has said that it runs there: libvirt, when
 * it is there again, lets it stand still. The other host, and its machine, do not answer any more.
 */
static void lose_target(void)
{
	struct interruption i = { .command =
		"kill -STOP $(cat /run/second-host/run/libvirt/libvirtd.pid); virsh -q migrate-setspeed dre-m 8000; "
		"for i in $(seq 300); do virsh -q domstate --reason dre-m | grep -q '^paused (migrat' && break; "
		"sleep 0.1; done; sleep 2; kill -9 $(cat /run/libvirtd.pid); ip link set veth-a down" };
	dre_sys_handle h = handle("m");

	bring_home();
	assert_int_equal(shell("SECOND_HOST_PATIENCE=100 " SECOND_HOST " restart-first"), 0);
	immigrate();
	assert_int_equal(shell("virsh -q migrate-setspeed dre-m 4"), 0);
	assert_fails(dre_sys_migration_start_with(&h, THERE, PORT, interrupt, &i, NULL),
		     DRE_ERR_CONTAINER_UNKNOWN_STATUS, "");
	assert_true(i.done);
	assert_int_equal(shell("kill -9 $(cat /run/second-host/run/libvirt/libvirtd.pid) "
			       "$(cat /run/second-host/run/libvirt/qemu/dre-m.pid)"), 0);
	restart_libvirt("tcp");
	assert_int_equal(shell("virsh -q domstate --reason dre-m | grep -q '^paused (migrat'"), 0);
}

static void find_target(void)
{
	assert_int_equal(shell("ip link set veth-a up && " SECOND_HOST " restart-libvirt"), 0);
}

/* Somebody says that it is gone for good. */
static void target_gone(void **state)
{
	dre_sys_handle h = handle("m");

	(void)state;
	lose_target();
	assert_fails(status("m"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "may run there");
	assert_fails(dre_sys_start(&h), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "takeover --force");
	assert_int_equal(shell("dre-sys takeover --force m"), 0);
	assert_int_equal(status("m"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_owner("dre");
	find_target();
}

/*
 * The other one has it, whichever way. What stands still here would do so for ever, and be in the way of its return: it
 * goes, and what was bound is free.
 */
static void target_settled(void **state)
{
	dre_sys_handle h = handle("m");
	pid_t bound;

	(void)state;
	bring_home();
	bound = fork();
	if (!bound) {
		pause();
		_exit(0);
	}
	assert_success(dre_sys_create_cgroup(&h, "left"));
	assert_success(dre_sys_bind_pid(&h, "left", bound));
	lose_target();
	find_target();
	assert_int_equal(shell(ON_B "dre-sys takeover --force m"), 0);
	assert_int_equal(shell("virsh -q domstate --reason dre-m | grep -q '^paused (migrat' && "
			       "grep -q dre.partition /proc/%d/cgroup", bound), 0);
	assert_fails(status("m"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'hostb'");
	assert_int_equal(shell("virsh -q list --all --name | grep -qx dre-m"), 1);
	assert_int_equal(shell("grep -q dre.partition /proc/%d/cgroup || [ -e " GROUPS_DIR " ]", bound), 1);
	kill(bound, SIGKILL);
	waitpid(bound, NULL, 0);
	assert_int_equal(shell(ON_B "dre-sys cgroup destroy m left"), 0);
}

/* It is back, and has the machine, which is off: that may have run, and what stands still here must not go on. */
static void target_stopped(void **state)
{
	(void)state;
	lose_target();
	assert_int_equal(shell("virsh -q dumpxml --migratable dre-m >/run/dre-test.xml"), 0);
	find_target();
	assert_int_equal(shell(ON_B "virsh -q define /run/dre-test.xml"), 0);
	assert_fails(status("m"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'hostb'");
	assert_int_equal(shell("virsh -q list --all --name | grep -qx dre-m"), 1);
	assert_owner("hostb");
	assert_int_equal(shell(ON_B "dre-sys list | grep -q '^m *stopped'"), 0);
}

#define PID_THERE	"/run/second-host/run/libvirt/qemu/dre-m.pid"

/* It is there, and is about to run, and whoever looks does not end it. Here it is off. */
static void target_begins(void **state)
{
	(void)state;
	bring_home();
	immigrate();
	assert_int_equal(shell("virsh -q dumpxml --migratable dre-m >/run/dre-test.xml && virsh -q destroy dre-m"), 0);
	assert_int_equal(shell("sed -i 's/^end$/migrating hostb " THERE "\\nend/' " SHARED "/containers/m/manifest"), 0);
	assert_int_equal(shell("rm -f " PID_THERE "; " ON_B "virsh -q define /run/dre-test.xml && "
			       "{ " ON_B "virsh -q start dre-m >/dev/null 2>&1 & } && "
			       "timeout 300 sh -c 'until p=$(cat " PID_THERE " 2>/dev/null) && "
			       "grep -aqs guest=dre-m /proc/$p/cmdline && kill -STOP $p; do :; done'"), 0);
	assert_int_equal(shell(ON_B "virsh -q domstate --reason dre-m | grep -q '^paused (starting up)'"), 0);
	assert_int_equal(status("m"), DRE_SYS_CONTAINER_STATUS_BUSY);
	assert_int_equal(shell("kill -CONT $(cat " PID_THERE ") && "
			       UNTIL(ON_B "virsh -q list --state-running --name | grep -qx dre-m")), 0);
	assert_fails(status("m"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'hostb'");
	assert_owner("hostb");
	assert_true(runs_there());
}

/* Asks libvirt there with the key and certificate that are made for @whose. */
static int client_as(const char *whose)
{
	return shell("cd /run/dre-test-pki && rm -rf client && mkdir client && cat *-ca-cert.pem >client/cacert.pem && "
		     "cp dre/%s-key.pem client/clientkey.pem && cp dre/%s-cert.pem client/clientcert.pem && "
		     "virsh -q -c 'qemu+tls://" THERE "/system?pkipath=/run/dre-test-pki/client' list 2>&1 | sed 's/^/# /' && "
		     "virsh -q -c 'qemu+tls://" THERE "/system?pkipath=/run/dre-test-pki/client' list >/dev/null 2>&1",
		     whose, whose);
}

/* As dre.conf has it by default: both ways are encrypted, and each host shows who it is. */
static void encrypted(void **state)
{
	(void)state;
	assert_int_equal(shell("rm -rf /run/dre-test-pki && cp -r /tests/sys/pki /run/dre-test-pki && "
			       "dre-sys-certs install /run/dre-test-pki/dre && "
			       ON_B "dre-sys-certs install /run/dre-test-pki/hostb"), 0);
	restart_libvirt("tls");
	assert_int_equal(shell("SECOND_HOST_LISTEN=tls " SECOND_HOST " restart-libvirt"), 0);
	configure(SHARED_STORE);
	immigrate();
	/* A name that its certificate has not got. */
	assert_int_equal(shell("echo '" THERE " elsewhere' >>/etc/hosts"), 0);
	assert_int_equal(shell("dre-sys migrate m elsewhere %d 2>/run/dre-test-err", PORT), 1);
	assert_int_equal(shell("sed 's/^/# /' /run/dre-test-err; grep -qi certificate /run/dre-test-err"), 0);
	assert_int_equal(shell("sed -i '/ elsewhere$/d' /etc/hosts"), 0);
	assert_true(runs_here());
	assert_success(migrate(THERE, PORT));
	assert_owner("hostb");
	assert_true(runs_there());
	assert_goes_on();
	/* Who has the certificate of another authority is not let in, as a guest that has become its QEMU. */
	assert_int_equal(client_as("libvirt"), 0);
	assert_int_equal(client_as("qemu"), 1);
	assert_int_equal(shell(ON_B "dre-sys stop --kill m"), 0);
	/* As it is for the others. */
	restart_libvirt("tcp");
	assert_int_equal(shell(SECOND_HOST " restart-libvirt"), 0);
}

/* The next test finds it here, whatever this one has come to. */
static int go_home(void **state)
{
	(void)state;
	configure_plain("");
	bring_home();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(shell("dre-sys stop --kill m && dre-sys destroy m"), 0);
	shell("dre-sys destroy --force other 2>/dev/null");	/* where not all tests ran */
	assert_success(dre_sys_remove_base("it"));
	shell(ON_B "umount " SHARED);
	shell("umount " SHARED);
	shell(SECOND_HOST " stop");
	remove_nfs_server();
	shell("rm -rf /etc/pki/CA /etc/pki/libvirt /etc/pki/qemu");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(cannot_come),
		cmocka_unit_test_teardown(cannot_go, go_home),
		cmocka_unit_test_teardown(migrates, go_home),
		cmocka_unit_test_teardown(cannot_arrive, go_home),
		cmocka_unit_test_teardown(not_there_yet, go_home),
		cmocka_unit_test_teardown(manager_killed, go_home),
		cmocka_unit_test_teardown(cancelled, go_home),
		cmocka_unit_test_teardown(never_quiet, go_home),
		cmocka_unit_test_teardown(network_cut, go_home),
		cmocka_unit_test_teardown(target_machine_killed, go_home),
		cmocka_unit_test_teardown(target_libvirt_killed, go_home),
		cmocka_unit_test_teardown(source_libvirt_killed, go_home),
		cmocka_unit_test_teardown(source_machine_killed, go_home),
		cmocka_unit_test_teardown(encrypted, go_home),
		cmocka_unit_test_teardown(target_gone, go_home),
		cmocka_unit_test_teardown(target_settled, go_home),
		cmocka_unit_test_teardown(target_stopped, go_home),
		cmocka_unit_test_teardown(target_begins, go_home),
		cmocka_unit_test_teardown(killed_anywhere, go_home),
	};

	return HOST_MAIN(tests, setup, teardown);
}
