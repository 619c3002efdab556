// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A container's root wants to get out of it (see fugitive.c), and it lays traps for whoever works in its files from
 * outside. That is about containers with a user namespace, the default: a privileged one is no prison.
 */
#include <errno.h>
#include <fcntl.h>
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
		snprintf(command, sizeof(command), "rm -rf /run/victim && mkdir /run/victim && echo precious >/run/victim/file && "
			 "mkdir -p $(dirname %1$s) && rm -rf %1$s && ln -s /run/victim %1$s", box_layer_path(h, places[i]));
		assert_int_equal(system(command), 0);
		dre_app_start(h);	/* or it is refused */
		assert_int_equal(system("[ \"$(find /run/victim | sort | xargs)\" = '/run/victim /run/victim/file' ] && "
					"[ \"$(cat /run/victim/file)\" = precious ] && ! grep -q /run/victim /proc/mounts"), 0);
		box_destroy(h);
		h = box_create("trap");
	}
	box_destroy(h);
	assert_int_equal(system("rm -r /run/victim"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(root_inside, box_destroy_all),
		cmocka_unit_test_teardown(ambushed, box_destroy_all),
		cmocka_unit_test_teardown(links_to_the_host, box_destroy_all),
		cmocka_unit_test_teardown(system_calls_and_capabilities, box_destroy_all),
		cmocka_unit_test_teardown(handles, box_destroy_all),
	};

	return BOX_MAIN(tests, NULL);
}
