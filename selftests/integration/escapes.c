// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container's root wants to get out of it (see fugitive.c), and it lays traps for whoever works in its files from
 * outside. That is about containers with a user namespace, the default: a privileged one is no prison.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <linux/capability.h>
#include <linux/keyctl.h>

#include "box.h"

/* How many attempts fugitive makes. */
#define ATTEMPTS	49

static int count(const char *text, const char *what)
{
	int nr = 0;

	while ((text = strstr(text, what))) {
		text++;
		nr++;
	}
	return nr;
}

/* What is kept from it by not being there says "absent": "read PATH: absent" is of something that the host has. */
static bool host_has(const char *line)
{
	char path[128];

	return sscanf(line, "read %127[^:]", path) != 1 || !access(path, F_OK);
}

/*
 * "ENOENT" was no attempt: a name may be wrong, or what is to be made ready for it not be there. Other kernels than
 * Debian's 6.1 lack more: there it is shown.
 */
static bool is_refused(const char *line)
{
	struct utsname kernel;

	if (strstr(line, ": absent"))
		return host_has(line);
	if (!strstr(line, ": ENOENT"))
		return !strstr(line, ": DONE");
	printf("# not tried: %s\n", line);
	return !uname(&kernel) && strncmp(kernel.release, "6.1.0-", 6);
}

static void assert_no_way_out(const dre_app_handle *h, const char *command)
{
	const char *text;
	char *copy, *rest, *line;
	int nr, bad = 0;

	assert_int_equal(box_ask(h, &text, command), 0);
	nr = count(text, ": ");
	rest = copy = strdup(text);
	while ((line = strsep(&rest, "\n"))) {
		if (is_refused(line))
			continue;
		printf("# %s: %s\n", command, line);
		bad++;
	}
	free(copy);
	if (bad || nr != ATTEMPTS)
		printf("# %d attempts:\n%s\n", nr, text);
	assert_int_equal(bad, 0);
	assert_non_null(strstr(text, "all tried"));
	assert_int_equal(nr, ATTEMPTS);
}

/* What there is to be had by whoever gets out, see fugitive.c. */
#define OUTSIDE		"/var/lib/dre-outside"
#define INTERPRETERS	"/proc/sys/fs/binfmt_misc"
#define HIERARCHY	"/run/dre-hierarchy"

static dre_app_handle *create_with_volume(const char *name, int privileged)
{
	dre_app_handle *h = box_create_with(name, BASE, privileged);

	assert_int_equal(system("mkdir -p " OUTSIDE), 0);
	assert_done(dre_app_set_property(h, "volumes", OUTSIDE ":/outside"));
	return h;
}

/* Some kernels have no binfmt_misc. */
static void lay_out(void)
{
	assert_int_equal(system("mkdir -p " HIERARCHY " && mount -t cgroup -o none,name=dre-host none " HIERARCHY), 0);
	assert_int_equal(system("modprobe -q binfmt_misc; ! mount -t binfmt_misc none " INTERPRETERS " 2>/dev/null || "
				"echo ':dre-host:M::never::/bin/false:' >" INTERPRETERS "/register"), 0);
}

/* Nodes of the host's disk in the container's own files and in its volume, as somebody else may have left them there. */
static void bring_disk(const dre_app_handle *h)
{
	const char *own = box_layer_path(h, "/disk");
	char node[64];
	struct stat st;

	assert_int_equal(stat(STORE, &st), 0);
	snprintf(node, sizeof(node), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	assert_int_equal(access(node, F_OK), 0);
	unlink(OUTSIDE "/disk");
	assert_int_equal(mknod(own, S_IFBLK, st.st_dev) || mknod(OUTSIDE "/disk", S_IFBLK, st.st_dev), 0);
	assert_int_equal(chmod(own, 0666) || chmod(OUTSIDE "/disk", 0666), 0);
}

static void clear_away(void)
{
	assert_int_equal(unlink(OUTSIDE "/disk"), 0);
	assert_int_equal(system("[ -z \"$(cat " HIERARCHY "/release_agent)\" ] && "
				"umount " HIERARCHY " && rmdir " HIERARCHY), 0);
	assert_int_equal(system("[ ! -e " INTERPRETERS "/dre-host ] || "
				"{ echo -1 >" INTERPRETERS "/dre-host && umount " INTERPRETERS "; }"), 0);
}

/* The namespaces and the filter are to keep it without the second line, too. */
static void try_to_get_out(const char *apparmor)
{
	dre_app_handle *h = create_with_volume("jail", 0);

	assert_done(dre_app_set_property(h, "apparmor", apparmor));
	bring_disk(h);
	assert_done(dre_app_start(h));
	lay_out();
	/* Where it mounts what it can. */
	assert_int_equal(box_run(h, "mkdir /tmp/mount"), 0);
	assert_true(syscall(SYS_add_key, "user", "dre-secret", "secret", 6L, KEY_SPEC_SESSION_KEYRING) > 0);
	world_mark();
	assert_no_way_out(h, "fugitive");
	assert_no_way_out(h, "su nobody -c fugitive");
	assert_true(world_is_as_marked());
	clear_away();
	box_kill(h);
	box_destroy(h);
}

static void root_inside(void **state)
{
	(void)state;
	try_to_get_out(NULL);
	try_to_get_out("unconfined");
}

static void come_in(const dre_app_handle *h, const char *user)
{
	char *argv[] = { "true", NULL };
	const dre_app_exec_options options = { .size = sizeof(options), .user = user, .tty = -1 };
	int status;

	assert_done(dre_app_exec_with(h, argv, &options, &status));
	assert_int_equal(status, 0);
}

/* Whoever comes in from outside brings something, until he has become one of the container. */
static void ambushed(void **state)
{
	dre_app_handle *h = box_start("jail");
	const char *text;

	(void)state;
	assert_int_equal(system("mkdir -p /run/visit && echo precious >/run/visit/file"), 0);
	assert_int_equal(box_run(h, "ambush </dev/null >/ambushed 2>&1 & until grep -q ready /ambushed; do sleep 1; done"), 0);
	for (int i = 0; i < 40; i++) {
		come_in(h, i % 2 ? "nobody" : NULL);
		if (i % 4)
			continue;
		assert_done(dre_app_copy_in(h, "/run/visit", "/tmp", NULL, NULL));
		assert_done(dre_app_copy_out(h, "/tmp/visit", "/run", NULL, NULL));
	}
	assert_int_equal(box_run(h, "touch /stop; until grep -q came /ambushed; do sleep 1; done"), 0);
	assert_int_equal(box_ask(h, &text, "cat /ambushed"), 0);
	printf("# ambush: %s\n", text);
	assert_null(strstr(text, "DONE"));
	/* Else it would not have been one. */
	assert_true(atoi(text + strlen("ready\n")) > 0);
	assert_int_equal(system("[ \"$(cat /run/visit/file)\" = precious ] && rm -r /run/visit"), 0);
}

/* sys_module, sys_rawio, sys_time, mac_override, mac_admin: see capabilities(7) */
#define DROPPED	(1ULL << 16 | 1ULL << 17 | 1ULL << 25 | 1ULL << 32 | 1ULL << 33)

/* What whoever starts containers hands down to all that he runs (CVE-2022-29162). */
static void hand_down(bool all)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = all ? data[i].permitted : 0;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void assert_filtered(const dre_app_handle *h)
{
	static const char *const who[] = { "1", "self" };	/* init, and what is run beside it */
	const char *text;
	char script[128];

	for (size_t i = 0; i < sizeof(who) / sizeof(*who); i++) {
		snprintf(script, sizeof(script), "sed -n 's/^Seccomp:[^0-9]*//p' /proc/%s/status", who[i]);
		assert_int_equal(box_ask(h, &text, script), 0);
		assert_string_equal(text, "2");
		snprintf(script, sizeof(script), "sed -n 's/^CapBnd:[^0-9a-f]*//p' /proc/%s/status", who[i]);
		assert_int_equal(box_ask(h, &text, script), 0);
		assert_int_equal(strtoull(text, NULL, 16) & DROPPED, 0);
		assert_true(strtoull(text, NULL, 16) & 1);
		snprintf(script, sizeof(script), "sed -n 's/^Cap\\(Inh\\|Amb\\)://p' /proc/%s/status | tr -dc 1-9a-f", who[i]);
		assert_int_equal(box_ask(h, &text, script), 0);
		assert_string_equal(text, "");
	}
}

/* The second line, also where there is no user namespace as the first one. */
static void system_calls_and_capabilities(void **state)
{
	dre_app_handle *h = box_create_with("free", BASE, 1);

	(void)state;
	hand_down(true);
	assert_filtered(box_start("jail"));
	assert_done(dre_app_start(h));
	assert_filtered(h);
	hand_down(false);
}

/* Root that is root may open files by their handles: whatever is on the file system, not only what is mounted. */
static void handles(void **state)
{
	static const struct {
		const char *conf, *answer;
	} filters[] = {
		{ "", "open_by_handle_at: EPERM" },
		{ "seccomp = unconfined\n", "open_by_handle_at: DONE" },	/* else it would not be the filter */
	};
	dre_app_handle *h = create_with_volume("free", 1);
	const char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		use_conf(filters[i].conf);
		assert_done(dre_app_start(h));
		assert_int_equal(box_ask(h, &text, "fugitive handle"), 0);
		assert_string_equal(text, filters[i].answer);
		box_kill(h);
	}
}

/* What of the host links lead to. */
#define VICTIM		"/run/victim"

static void make_victim(void)
{
	assert_int_equal(system("rm -rf " VICTIM " && mkdir -p " VICTIM "/in && echo precious >" VICTIM "/file"), 0);
}

/* @mounts are there anyway. */
static void assert_victim_is_spared(int mounts)
{
	char command[64];

	snprintf(command, sizeof(command), "[ $(grep -c ' " VICTIM "' /proc/mounts) = %d ]", mounts);
	assert_int_equal(system(command), 0);
	assert_int_equal(system("[ \"$(find " VICTIM " | sort | xargs)\" = '" VICTIM " " VICTIM "/file " VICTIM "/in' ] && "
				"[ \"$(cat " VICTIM "/file)\" = precious ]"), 0);
}

/* Of a process, in its directory of /proc. */
#define IS_HELD		"grep -q '^Seccomp:[^0-9]*2' status && " \
			"{ [ ! -e /sys/kernel/security/apparmor ] || grep -q '^dre-container (enforce)' attr/current; }"

/*
 * Nothing is mounted but below these, what belongs there is on top, what is masked is masked, and init is in the profile
 * and the filter: whoever has another /proc for it may have kept them from it.
 */
static void assert_in_place(const dre_app_handle *h)
{
	char command[1024];

	snprintf(command, sizeof(command), "cd /proc/%d && " IS_HELD " && awk '"
		 "{ type = $0; sub(/.* - /, \"\", type); on[$5] = type }"
		 "$5 !~ \"^/$|^/(dev|proc|sys)(/|$)\" { print; bad = 1 }"
		 "END { exit bad || on[\"/proc\"] !~ /^proc / || on[\"/sys\"] !~ /^sysfs / || on[\"/dev\"] !~ /^tmpfs / || "
		 "!(\"/proc/sys\" in on) || !(\"/proc/sysrq-trigger\" in on) }' mountinfo || ! sed 's/^/# /' mountinfo",
		 box_init(h));
	assert_int_equal(system(command), 0);
}

static void assert_refused_for_a_link(const dre_app_handle *h)
{
	const char *why = dre_last_error();

	printf("# %s\n", why);
	assert_true(strstr(why, "symbolic link") || strstr(why, "Not a directory"));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
}

/* What of the container is a directory to whoever starts it may be a link to the host. */
static void links_to_the_host(void **state)
{
	static const char *const places[] = { "/dev", "/proc", "/sys", "/var/log", "/etc" };
	dre_app_handle *h = box_create("trap");
	char command[512];

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		assert_done(dre_app_start(h));
		snprintf(command, sizeof(command), "mkdir -p /kept && mv %s /kept/ 2>/dev/null; true", places[i]);
		box_run(h, command);
		box_kill(h);
		/* As if it had done it itself: it is root of its files. */
		make_victim();
		snprintf(command, sizeof(command), "mkdir -p $(dirname %1$s) && rm -rf %1$s && ln -s " VICTIM " %1$s",
			 box_layer_path(h, places[i]));
		assert_int_equal(system(command), 0);
		if (dre_app_start(h))
			assert_refused_for_a_link(h);
		else
			assert_in_place(h);
		assert_victim_is_spared(0);
		box_destroy(h);
		h = box_create("trap");
	}
	box_destroy(h);
	assert_int_equal(system("rm -r " VICTIM), 0);
}

/* A volume by way of a link gets to be below /proc and /sys, not over them (CVE-2019-16884). */
static void volumes_in_the_place_of_proc(void **state)
{
	dre_app_handle *h = create_with_volume("trap", 0);

	(void)state;
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "ln -s proc /one && ln -s sys /two"), 0);
	box_kill(h);
	assert_done(dre_app_set_property(h, "volumes", OUTSIDE ":/one," OUTSIDE ":/two/kernel"));
	assert_done(dre_app_start(h));
	assert_in_place(h);
}

/* liblxc takes a configuration that it cannot read for an empty one, by which nobody who comes in is held. */
static void configuration_that_cannot_be_read(void **state)
{
	dre_app_handle *h = box_start("jail");
	int status;

	(void)state;
	assert_int_equal(system("cd " STORE "/lxc/jail && mv config /run/kept && mkdir config"), 0);
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_exec(h, (char *[]){ "true", NULL }, &status));
	assert_non_null(strstr(dre_last_error(), "cannot read its configuration"));
	assert_int_equal(system("cd " STORE "/lxc/jail && rmdir config && mv /run/kept config"), 0);
	assert_int_equal(box_run(h, "true"), 0);
}

/* Who comes in is to be held as all others are, by whatever /proc there is (CVE-2015-1334). */
static void false_proc(void **state)
{
	dre_app_handle *h = box_start("jail");

	(void)state;
	assert_int_equal(box_run(h, "mount -t tmpfs none /proc && for i in self thread-self 1; do "
				 "mkdir -p /proc/$i/attr/apparmor /proc/$i/fd /proc/$i/ns && "
				 "touch /proc/$i/attr/current /proc/$i/attr/exec /proc/$i/attr/apparmor/exec; done"), 0);
	assert_int_equal(box_run(h, "sleep 1000 </dev/null >/dev/null 2>&1 &"), 0);
	assert_int_equal(system("for i in $(find " CGROUPS "/dre/app/jail -name cgroup.procs -exec cat {} +); do "
				"cd /proc/$i && [ \"$(cat comm)\" = sleep ] || continue; "
				IS_HELD " && ! grep -q '^Uid:[^0-9]*0[^0-9]' status; exit; done; exit 1"), 0);
}

/*
 * Two containers have a volume in common. In there one of them exchanges the directory that leads to further volumes of
 * the other one and links to the host, while that is started and restarted (CVE-2021-30465, CVE-2024-45310).
 */
#define SHARED		"/var/lib/dre-shared"
#define FURTHER		"/var/lib/dre-further"
#define STARTS		16
#define RESTARTS	4

/* What is taken for a volume at a restart has to be a mount. */
static void make_shared(void)
{
	make_victim();
	assert_int_equal(system("mount -t tmpfs none " VICTIM "/in"), 0);
	assert_int_equal(system("rm -rf " SHARED " " FURTHER " && mkdir -p " SHARED "/place/in " FURTHER "/dir && "
				"echo file >" FURTHER "/file && ln -s " VICTIM " " SHARED "/link && "
				"ln -s ../../../../../../../../.." VICTIM " " SHARED "/climb"), 0);
}

#define TARGETS		SHARED ":/shared," FURTHER "/dir:/shared/place/in"

/* Some files are there on both ways, and some have to be made. */
static void set_targets(const dre_app_handle *h, int nr)
{
	char volumes[256];

	snprintf(volumes, sizeof(volumes), TARGETS "," FURTHER "/file:/shared/place/file%d", nr / 4);
	assert_done(dre_app_set_property(h, "volumes", volumes));
}

/* @nr are in its root, on one of the ways, or it was refused, and none is anywhere else. */
static bool is_well(const dre_app_handle *h, int err, int nr)
{
	char command[512];

	assert_victim_is_spared(1);
	assert_int_equal(system("! grep -F ' " FURTHER "/' /proc/self/mountinfo | grep -vF ' " STORE "/lxc/trap/rootfs/'"), 0);
	if (err) {
		if (!strstr(dre_last_error(), "volume"))
			printf("# %s\n", dre_last_error());
		return false;
	}
	snprintf(command, sizeof(command), "cd /proc/%d && [ $(grep -cF ' " FURTHER "/' mountinfo) = %d ] && "
		 "! grep -F ' " FURTHER "/' mountinfo | grep -vE ' (/shared|" VICTIM ")/' || ! sed 's/^/# /' mountinfo",
		 box_init(h), nr);
	assert_int_equal(system(command), 0);
	return true;
}

static void exchanged_while_it_starts(void **state)
{
	dre_app_handle *accomplice = box_create("accomplice"), *h = box_create("trap");
	int started = 0, restarted = 0;
	char command[PATH_MAX + 32];
	const char *text;

	(void)state;
	make_shared();
	assert_done(dre_app_set_property(h, "volumes", TARGETS));
	assert_done(dre_app_set_property(accomplice, "volumes", SHARED ":/shared"));
	/* There is one of this name in its own root, too. */
	snprintf(command, sizeof(command), "mkdir -p %s/in", box_layer_path(h, VICTIM));
	assert_int_equal(system(command), 0);
	assert_done(dre_app_start(h));
	assert_done(dre_app_checkpoint(h, "one"));
	box_kill(h);
	assert_done(dre_app_start(accomplice));
	assert_int_equal(box_run(accomplice, "ambush /shared </dev/null >/exchanged 2>&1 &"), 0);
	for (int i = 0; i < STARTS; i++) {
		set_targets(h, i);
		started += is_well(h, dre_app_start(h), 2);
		box_kill(h);
	}
	assert_done(dre_app_set_property(h, "volumes", TARGETS));
	for (int i = 0; i < RESTARTS; i++) {
		restarted += is_well(h, dre_app_restart(h, "one"), 1);
		box_kill(h);
	}
	assert_int_equal(box_run(accomplice, "touch /stop; until grep -q times /exchanged; do sleep 1; done"), 0);
	assert_int_equal(box_ask(accomplice, &text, "cat /exchanged"), 0);
	printf("# exchanged %s; %d of %d started, %d of %d restarted\n", text, started, STARTS, restarted, RESTARTS);
	/* Else nothing of it would have been a start. */
	assert_true(atoi(text) > STARTS && started > 0);
	box_destroy(h);
	box_destroy(accomplice);
	assert_int_equal(system("umount " VICTIM "/in && rm -r " SHARED " " FURTHER " " VICTIM), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(root_inside, box_destroy_all),
		cmocka_unit_test_teardown(ambushed, box_destroy_all),
		cmocka_unit_test_teardown(links_to_the_host, box_destroy_all),
		cmocka_unit_test_teardown(volumes_in_the_place_of_proc, box_destroy_all),
		cmocka_unit_test_teardown(exchanged_while_it_starts, box_destroy_all),
		cmocka_unit_test_teardown(configuration_that_cannot_be_read, box_destroy_all),
		cmocka_unit_test_teardown(false_proc, box_destroy_all),
		cmocka_unit_test_teardown(system_calls_and_capabilities, box_destroy_all),
		cmocka_unit_test_teardown(handles, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
