// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is configured for one container: properties, limits as a whole, volumes,
 * the port of the host's network; and stop and reboot with options.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "box.h"

#define HOST	"/var/tmp/volumes"	/* on a disk: tmpfs has no idmapped mounts everywhere */

static int set(const dre_app_handle *h, const char *key, const char *value)
{
	return dre_app_set_property(h, key, value);
}

static void assert_property(const dre_app_handle *h, const char *key, const char *expected)
{
	char *value = NULL;

	assert_done(dre_app_get_property(h, key, &value));
	if (!expected) {
		assert_null(value);
		return;
	}
	assert_non_null(value);
	assert_string_equal(value, expected);
	assert_done(dre_app_release_property(value));
}

static const dre_app_property good[] = {
	{ .key = "address", .value = "192.0.2.7/24,2001:db8::7/64,10.0.0.1/32" },
	{ .key = "apparmor", .value = "unconfined" },
	{ .key = "autostart", .value = "yes" },
	{ .key = "autostart_delay", .value = "3600" },
	{ .key = "autostart_order", .value = "1000000" },
	{ .key = "cores", .value = "0-1" },
	{ .key = "cpu", .value = "150%" },
	{ .key = "gateway", .value = "192.0.2.1,2001:db8::1" },
	{ .key = "halt_timeout", .value = "0" },
	{ .key = "mac", .value = "02:00:5E:10:20:3f" },
	{ .key = "memory", .value = "64M" },
	{ .key = "memsw", .value = "1g" },
	{ .key = "network", .value = "bridge:br0" },
	{ .key = "pids", .value = "4194304" },
	{ .key = "port", .value = "65535" },
	{ .key = "stop_timeout", .value = "86400" },
	{ .key = "volumes", .value = "/a b:/c,/d/..e:/f.:ro,/g:/h:noidmap:ro:rw" },
	{ }
};

#define NR_GOOD	(sizeof(good) / sizeof(*good) - 1)

static void set_listed_and_unset(void **state)
{
	dre_app_handle *h = box_create("c");
	dre_app_property *list, none[NR_GOOD + 1];

	(void)state;
	world_mark();
	assert_done(dre_app_get_property_list(h, &list));
	for (size_t i = 0; i < NR_GOOD; i++) {
		assert_string_equal(list[i].key, good[i].key);
		assert_null(list[i].value);
	}
	assert_null(list[NR_GOOD].key);
	assert_string_equal(list[2].fallback, "no");
	assert_string_equal(list[8].fallback, "10");
	assert_int_equal(strlen(list[9].fallback), strlen("02:00:5e:10:20:3f"));
	assert_null(list[11].fallback);
	assert_string_equal(list[12].fallback, "empty");
	assert_done(dre_app_release_property_list(list));
	assert_true(world_is_as_marked());

	assert_done(dre_app_set_properties(h, good));
	assert_done(dre_app_get_property_list(h, &list));
	for (size_t i = 0; i < NR_GOOD; i++) {
		assert_string_equal(list[i].value, good[i].value);
		assert_property(h, good[i].key, good[i].value);
		none[i] = (dre_app_property){ .key = good[i].key };
	}
	assert_done(dre_app_release_property_list(list));
	none[NR_GOOD] = (dre_app_property){};
	assert_done(dre_app_set_properties(h, none));
	for (size_t i = 0; i < NR_GOOD; i++)
		assert_property(h, good[i].key, NULL);
	assert_done(set(h, "port", NULL));	/* again */
	use_conf("cpu = 50\nmemory = 1M\nnetwork = host\n");
	assert_done(dre_app_get_property_list(h, &list));
	assert_string_equal(list[6].fallback, "50");
	assert_string_equal(list[10].fallback, "1048576");
	assert_string_equal(list[12].fallback, "host");
	assert_done(dre_app_release_property_list(list));
}

static void values_that_are_refused(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{ "unknown", "1" }, { "", "" }, { "base", "it" }, { "idmap", "0 1" },
		{ "halt_signal", "SIGPWR" }, { "Port", "1" }, { "port", "" }, { "port", "0" },
		{ "port", "65536" }, { "port", "22 " }, { "port", "+1" },
		{ "port", "4294967318" }, { "network", "bridge" }, { "network", "bridge:a b" },
		{ "network", "nat" }, { "address", "" }, { "address", "192.0.2.7" },
		{ "address", "192.0.2.7/33" }, { "address", "192.0.2.7/24," },
		{ "address", "192.0.2.7/24\nlxc.x = y" }, { "address", "2001:db8::7/129" },
		{ "address", "host/24" }, { "gateway", "192.0.2.1/24" },
		{ "gateway", "192.0.2.1,192.0.2.2" }, { "gateway", "x" },
		{ "apparmor", "" }, { "apparmor", "a b" }, { "apparmor", ":ns:a" }, { "apparmor", "a\nlxc.x = y" },
		{ "mac", "" }, { "mac", "02:00:5e:10:20" }, { "mac", "02:00:5e:10:20:3g" },
		{ "mac", "02:00:5e:10:20:3f:" }, { "mac", "02-00-5e-10-20-3f" }, { "mac", "xx:xx:xx:xx:xx:xx" },
		{ "mac", "03:00:5e:10:20:3f" }, { "mac", "ff:ff:ff:ff:ff:ff" },
		{ "mac", "00:00:00:00:00:00" }, { "mac", "02:00:5e:10:20:3\n" }, { "cpu", "0" },
		{ "cpu", "-1" }, { "cpu", "50%%" }, { "cores", "" }, { "cores", "3-1" },
		{ "memory", "0" }, { "memory", "1KB" }, { "memsw", "x" },
		{ "pids", "0" }, { "pids", "4194305" }, { "pids", "1K" },
		{ "autostart", "maybe" }, { "autostart_order", "-1" },
		{ "autostart_order", "1000001" }, { "autostart_delay", "3601" },
		{ "stop_timeout", "86401" }, { "halt_timeout", "" }, { "volumes", "" },
		{ "volumes", "/a" }, { "volumes", "/a:" }, { "volumes", ":/a" },
		{ "volumes", "a:/b" }, { "volumes", "/a:b" }, { "volumes", "/a:/" },
		{ "volumes", "/:/a" }, { "volumes", "/a/../b:/c" }, { "volumes", "/a:/b/.." },
		{ "volumes", "/a:/./b" }, { "volumes", "/a//b:/c" }, { "volumes", "/a/:/c" },
		{ "volumes", "/a:/b:" }, { "volumes", "/a:/b:xx" }, { "volumes", "/a:/b," },
		{ "volumes", ",/a:/b" }, { "volumes", "/a:/b\n" }, { "volumes", "/a:/dev" },
		{ "volumes", "/a:/proc/sys" }, { "volumes", "/a:/sys/x" },
		{ "volumes", "/a:/b,/c:/b" },
	};
	const dre_app_property one_bad[] = { { .key = "port", .value = "7" },
					     { .key = "cpu", .value = "x" }, { } };
	dre_app_handle *h = box_create("c");
	char *value = NULL;

	(void)state;
	world_mark();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int err = set(h, bad[i].key, bad[i].value);

		if (err != DRE_ERR_INVALID_ARGUMENT)
			printf("# %s = %s: %d\n", bad[i].key, bad[i].value, err);
		assert_int_equal(err, DRE_ERR_INVALID_ARGUMENT);
		assert_true(*dre_last_error() && !strchr(dre_last_error(), '\n'));
	}
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_set_properties(h, one_bad));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_get_property(h, "unknown", &value));
	assert_refused(DRE_ERR_INVALID_ARGUMENT, set(h, "unknown", NULL));
	assert_refused(DRE_ERR_NULL_POINTER, set(h, NULL, "1"));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_set_properties(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_property(h, NULL, &value));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_property(h, "port", NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_get_property_list(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_release_property(NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_release_property_list(NULL));
	assert_null(value);
	/* Limits that contradict each other. */
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set(h, "memsw", "64M"));
	assert_done(set(h, "memory", "64M"));
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set(h, "memsw", "32M"));
	assert_done(set(h, "memsw", "96M"));
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set(h, "memory", "128M"));
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set(h, "memory", NULL));
	assert_property(h, "memory", "64M");
}

/* Old programs have fewer options. */
static void given_to_create(void **state)
{
	const dre_app_property list[] = { { .key = "cpu", .value = "50" },
					  { .key = "port", .value = "2222" }, { } };
	const dre_app_property bad[] = { { .key = "cpu", .value = "x" }, { } };
	dre_app_create_options options = { .size = sizeof(options), .properties = list };
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_handle *h;

	(void)state;
	data.udata.lxc.port = 22;
	assert_done(dre_app_create_container_with("new", &data, &options));
	h = dre_app_open("new");
	assert_property(h, "cpu", "50");
	assert_property(h, "port", "2222");
	box_destroy(h);
	world_mark();
	options.properties = bad;
	assert_refused(DRE_ERR_INVALID_ARGUMENT,
		       dre_app_create_container_with("bad", &data, &options));
	options.size = offsetof(dre_app_create_options, properties);
	assert_done(dre_app_create_container_with("old", &data, &options));
	h = dre_app_open("old");
	assert_property(h, "cpu", NULL);
	assert_property(h, "port", "22");
	options.size++;
	world_mark();
	assert_refused(DRE_ERR_INVALID_ARGUMENT,
		       dre_app_create_container_with("odd", &data, &options));
}

/*
 * Limits of the container as a whole.
 */

static void assert_limit(const char *file, const char *expected)
{
	char path[PATH_MAX], *text;

	snprintf(path, sizeof(path), CGROUPS "/dre/app/c/%s", file);
	text = read_file(path);
	assert_non_null(text);
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, expected);
	free(text);
}

/* Its init ends, and comes again, and then it has all that it starts with. */
static void reboots(const dre_app_handle *h)
{
	pid_t init = box_init(h);

	/* The shell may be gone with the container before it has ended by itself. */
	box_run(h, ">" JOURNAL "; kill -INT 1");
	assert_true(eventually(is_gone(init) && box_says(h, "init starts")));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
}

static void limits_from_the_start(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	use_conf("cpu = 50\nmemory = 128M\ncores = 0\npids = 300\n");
	assert_done(set(h, "memory", "96M"));
	assert_done(set(h, "cores", "max"));
	assert_done(set(h, "memsw", "100M"));
	assert_done(dre_app_start(h));
	assert_limit("cpu.max", "50000 100000");
	assert_limit("memory.max", "100663296");
	assert_limit("memory.swap.max", "4194304");
	assert_limit("cpuset.cpus", "");
	assert_limit("pids.max", "300");
	/* Also when it reboots by itself. */
	reboots(h);
	assert_limit("cpu.max", "50000 100000");
	assert_limit("memory.max", "100663296");
	assert_limit("pids.max", "300");
}

static void limits_that_hold(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(set(h, "cpu", "40"));
	assert_done(set(h, "memory", "24M"));
	assert_done(dre_app_start(h));
	assert_int_equal(box_run(h, "for i in 1 2; do yes </dev/null >/dev/null 2>&1 & done"), 0);
	assert_true(group_gets_its_share(CGROUPS "/dre/app/c", 40));
	assert_int_equal(box_run(h, "killall yes"), 0);
	/* What follows need not be slow. */
	assert_done(set(h, "cpu", NULL));
	/* What takes too much is killed, and only that. tail keeps what has no line's end. */
	assert_int_not_equal(box_run(h, "head -c 64000000 /dev/zero | tail >/dev/null"), 0);
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_equal(box_run(h, "true"), 0);
	(void)!system("dmesg -C");	/* that the kernel said so is as it should be */
}

#define FORK	"i=0; while [ $i -lt 60 ]; do sleep 1000 </dev/null >/dev/null 2>&1 & i=$((i + 1)); done"

static unsigned long long nr_tasks(const dre_app_handle *h)
{
	dre_usage usage = { .size = sizeof(usage) };

	assert_done(dre_app_get_usage(h, ".", &usage));
	return usage.tasks;
}

/* What is there stays, and there is no more of it. */
static void no_more_processes_than_that(void **state)
{
	dre_app_handle *h = box_start("c");
	unsigned long long before;
	char text[32];

	(void)state;
	assert_int_equal(box_run(h, "true"), 0);
	before = nr_tasks(h);
	snprintf(text, sizeof(text), "%llu", before + 20);
	assert_done(set(h, "pids", text));
	assert_limit("pids.max", text);
	assert_int_not_equal(box_run(h, FORK), 0);
	assert_in_range(nr_tasks(h), before + 1, before + 20);
	assert_done(set(h, "pids", "1"));	/* fewer than there are */
	assert_limit("pids.max", "1");
	assert_true(nr_tasks(h) > 1);
	assert_done(set(h, "pids", "max"));
	assert_int_equal(box_run(h, FORK), 0);
	assert_true(nr_tasks(h) > before + 20);
	(void)!system("dmesg -C");	/* that the kernel said so is as it should be */
}

static void limits_while_it_runs(void **state)
{
	const dre_app_property both[] = { { .key = "memory", .value = "128M" },
					  { .key = "memsw", .value = "256M" }, { } };
	const dre_app_property three[] = { { .key = "cpu", .value = "30" },
					   { .key = "memory", .value = "256M" },
					   { .key = "pids", .value = "200" },
					   { .key = "cores", .value = "7000" }, { } };
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_CPU };
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_done(set(h, "cpu", "25"));
	assert_limit("cpu.max", "25000 100000");
	assert_done(set(h, "cores", "1"));
	assert_limit("cpuset.cpus.effective", "1");
	assert_done(set(h, "pids", "100"));
	assert_limit("pids.max", "100");
	assert_done(set(h, "memory", "64M"));
	assert_done(set(h, "memsw", "96M"));
	assert_limit("memory.swap.max", "33554432");
	assert_done(dre_app_set_properties(h, both));
	assert_limit("memory.max", "134217728");
	assert_limit("memory.swap.max", "134217728");
	/* One of them is refused: none is set, neither here nor there. */
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, dre_app_set_properties(h, three));
	assert_limit("cpu.max", "25000 100000");
	assert_limit("memory.max", "134217728");
	assert_limit("memory.swap.max", "134217728");
	assert_limit("cpuset.cpus", "1");
	assert_limit("pids.max", "100");
	assert_property(h, "cpu", "25");
	assert_property(h, "pids", "100");
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, set(h, "memory", "512M"));
	/* What was set otherwise stays. */
	r.udata.cpu.percent = 60;
	assert_done(dre_app_set_resource(h, ".", &r));
	assert_done(set(h, "memsw", NULL));
	assert_limit("memory.swap.max", "max");
	assert_done(set(h, "memory", NULL));
	assert_limit("memory.max", "max");
	assert_done(set(h, "pids", NULL));
	assert_limit("pids.max", "max");
	assert_limit("cpu.max", "60000 100000");
	assert_done(set(h, "cores", NULL));
	assert_limit("cpuset.cpus.effective", "0-1");
	assert_done(dre_app_suspend(h));
	assert_done(set(h, "cpu", "35"));
	assert_limit("cpu.max", "35000 100000");
	assert_done(dre_app_resume(h));
	assert_done(dre_app_stop(h));
	assert_done(set(h, "cores", "0-7000"));
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, dre_app_start(h));
	assert_non_null(strstr(dre_last_error(), "core "));
}

static void limits_of_conf_that_contradict(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	use_conf("memsw = 64M\n");
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, dre_app_start(h));
	/* They do not keep anybody from something else. */
	assert_done(set(h, "port", "7"));
	assert_done(set(h, "memory", "32M"));
	assert_done(dre_app_start(h));
	assert_limit("memory.swap.max", "33554432");
}

static void too_little_memory_to_start(void **state)
{
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_done(dre_app_stop(h));
	assert_done(set(h, "memory", "64K"));
	world_mark();
	assert_refused(DRE_ERR_SET_LIMIT_FAILED, dre_app_start(h));
	assert_non_null(strstr(dre_last_error(), "65536 bytes"));
	assert_done(set(h, "memory", "64M"));
	assert_done(dre_app_start(h));
	(void)!system("dmesg -C");	/* that the kernel said so is as it should be */
}

/*
 * Volumes.
 */

static int make_volumes(void **state)
{
	(void)state;
	assert_int_equal(system("rm -rf " HOST " && mkdir -p " HOST "/dir/sub " HOST "/ro && cd "
				HOST " && mkdir 'b c' && echo blank >'b c/f' && echo file >file && echo in >dir/in && echo ro >ro/f && "
				"chown 7:8 dir/in && mknod dir/null c 1 3 && chmod 666 dir/null"),
			 0);
	return 0;
}

static int remove_volumes(void **state)
{
	int ret = box_destroy_all(state);

	assert_int_equal(system("rm -rf " HOST), 0);
	return ret;
}

#define VOLUMES	HOST "/dir:/data," HOST "/ro:/mnt/deep/ro:ro," HOST "/file:/etc/file," \
		HOST "/dir/sub:/data/below," HOST "/b c:/x y"

static void assert_inside(const dre_app_handle *h, const char *script)
{
	if (box_run(h, script))
		fail_msg("%s", script);
}

static void no_mount_is_left(void)
{
	char *mounts = read_file("/proc/self/mountinfo");

	assert_null(strstr(mounts, STORE "/lxc/"));
	free(mounts);
}

/* Root of the container is root of the files, in a user namespace or not. */
static void check_volumes(int privileged)
{
	dre_app_handle *h = box_create_with("c", BASE, privileged);
	char *text;

	assert_done(set(h, "volumes", VOLUMES));
	assert_done(dre_app_start(h));
	assert_inside(h, "[ $(cat /data/in) = in ] && [ $(cat /etc/file) = file ]");
	assert_inside(h, "[ $(stat -c %u:%g /data/in) = 7:8 ] && [ $(stat -c %u /data) = 0 ]");
	assert_inside(h, "echo new >/data/new && chown 5:6 /data/new && echo x >/etc/file");
	assert_inside(h, "echo sub >/data/below/f && [ $(stat -c %u:%a /mnt/deep) = 0:755 ]");
	assert_inside(h, "[ $(cat /mnt/deep/ro/f) = ro ] && ! echo x >/mnt/deep/ro/f");
	assert_inside(h, "! cat /data/null");	/* no devices */
	assert_inside(h, "[ $(cat '/x y/f') = blank ]");
	if (privileged < 0) {
		assert_inside(h, "! mount -o remount,bind,rw /mnt/deep/ro");
		assert_inside(h, "! mount -o remount,bind,dev /data");
		assert_inside(h, "! umount /data");
		assert_inside(h, "! echo x >/mnt/deep/ro/f");
	}
	assert_int_equal(system("cd " HOST " && [ $(cat dir/new) = new ] && [ $(cat file) = x ] && "
				"[ $(stat -c %u:%g dir/new) = 5:6 ] && [ $(cat dir/sub/f) = sub ]"),
			 0);
	/* The container's own tree has where they are mounted, and nothing of what is in them. */
	assert_done(dre_app_stop(h));
	no_mount_is_left();
	assert_int_equal(access(box_layer_path(h, "/data/in"), F_OK), -1);
	assert_int_equal(access(box_layer_path(h, "/data"), F_OK), 0);
	text = box_read(h, "/etc/file");
	assert_string_equal(text, "");
	free(text);
	/* load leaves them alone. */
	assert_done(dre_app_save_snapshot(h, "s"));
	assert_done(dre_app_start(h));
	assert_inside(h, "echo later >/data/later");
	assert_done(dre_app_stop(h));
	assert_done(dre_app_load_snapshot(h, "s"));
	assert_property(h, "volumes", VOLUMES);
	assert_done(dre_app_start(h));
	assert_inside(h, "[ $(cat /data/later) = later ]");
	box_kill(h);
	no_mount_is_left();
	assert_done(dre_app_destroy_container(h->name));
	assert_int_equal(access(HOST "/dir/later", F_OK), 0);
	assert_done(dre_app_close(h));
}

static void volumes_in_a_user_namespace(void **state)
{
	(void)state;
	check_volumes(-1);
}

static void volumes_of_a_privileged_container(void **state)
{
	(void)state;
	check_volumes(1);
}

static void volumes_without_mapped_ids(void **state)
{
	dre_app_handle *h = box_create_with("c", BASE, -1);

	(void)state;
	assert_done(set(h, "volumes", HOST "/dir:/data:noidmap"));
	assert_done(dre_app_start(h));
	assert_inside(h, "[ $(stat -c %u:%g /data/in) = 65534:65534 ] && ! echo x >/data/in");
}

/* What CRIU restores has the host's files as they are now, with the same ids and as little of a right. */
static void volumes_of_a_restarted_container(void **state)
{
	dre_app_handle *h = box_create_with("c", BASE, -1);
	struct agent agent;

	(void)state;
	assert_done(set(h, "volumes", HOST "/dir:/data," HOST "/ro:/ro:ro"));
	assert_done(set(h, "cpu", "80"));
	assert_done(dre_app_start(h));
	box_agent(h, &agent, "-s 10 -l /data/journal");
	assert_inside(h, "echo before >/data/f");
	assert_done(dre_app_checkpoint(h, "one"));
	assert_inside(h, "echo after >/data/f");
	assert_done(dre_app_restart(h, "one"));
	assert_inside(h, "[ $(cat /data/f) = after ] && [ $(stat -c %u:%g /data/in) = 7:8 ]");
	assert_inside(h, "echo x >/data/g && [ $(stat -c %u /data/g) = 0 ]");
	assert_inside(h, "! echo x >/ro/f && ! mount -o remount,bind,rw /ro && ! echo x >/ro/f");
	assert_limit("cpu.max", "80000 100000");
	assert_done(dre_app_stop(h));
	no_mount_is_left();
}

/* Here as they were when it started; after it has rebooted as they are now. */
static void volumes_when_it_reboots(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(set(h, "volumes", HOST "/dir:/data"));
	assert_done(dre_app_start(h));
	assert_done(set(h, "volumes", HOST "/ro:/data"));
	assert_inside(h, "[ -e /data/in ]");
	reboots(h);
	assert_inside(h, "[ -e /data/f ] && [ ! -e /data/in ]");
	assert_done(dre_app_stop(h));
	no_mount_is_left();
}

static void volumes_that_cannot_be(void **state)
{
	dre_app_handle *h = box_create_with("c", BASE, -1);

	(void)state;
	assert_done(set(h, "volumes", HOST "/dir:/data," HOST "/absent:/x"));
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(h));
	assert_non_null(strstr(dre_last_error(), HOST "/absent"));
	/* A directory is no file, and a file no directory. */
	assert_done(set(h, "volumes", HOST "/dir:/etc/passwd"));
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(h));
	assert_non_null(strstr(dre_last_error(), "/etc/passwd"));
	assert_done(set(h, "volumes", HOST "/file:/etc"));
	assert_int_equal(dre_app_start(h), DRE_ERR_DEVICE_BUSY);
	assert_non_null(strstr(dre_last_error(), "/etc"));
	no_mount_is_left();
	/* Where the kernel has no idmapped mounts of it, the text says what can be done. */
	assert_int_equal(mkdir("/proc/self/x", 0700), -1);
	assert_done(set(h, "volumes", "/proc/sys:/data"));
	assert_int_equal(dre_app_start(h), DRE_ERR_DEVICE_BUSY);
	assert_non_null(strstr(dre_last_error(), "noidmap"));
	no_mount_is_left();
}

/* Links that a hostile image has there lead nowhere but to places of its own. */
static void links_out_of_the_container(void **state)
{
	dre_app_handle *h = box_create_with("c", BASE, 1);

	(void)state;
	assert_int_equal(system("rm -rf /run/outside && mkdir /run/outside"), 0);
	assert_done(dre_app_start(h));
	assert_inside(h, "ln -s /run/outside /a && ln -s ../../../run/outside /b && "
		      "ln -s / /root/c && mkdir /run/outside && ln -s /proc/1/root /d");
	assert_done(dre_app_stop(h));
	assert_done(set(h, "volumes", HOST "/dir:/a/x," HOST "/file:/b/y"));
	assert_done(dre_app_start(h));
	assert_inside(h, "[ $(cat /run/outside/x/in) = in ] && [ $(cat /run/outside/y) = file ]");
	assert_int_equal(rmdir("/run/outside"), 0);	/* empty still */
	assert_done(dre_app_stop(h));
	assert_done(set(h, "volumes", HOST "/dir:/root/c"));
	assert_int_equal(dre_app_start(h), DRE_ERR_DEVICE_BUSY);
	assert_done(set(h, "volumes", HOST "/dir:/d/x"));
	assert_int_equal(dre_app_start(h), DRE_ERR_DEVICE_BUSY);
	no_mount_is_left();
}

/* What shares a directory with its own volume, or another's, leads nobody out of it. */
static void links_in_a_source(void **state)
{
	dre_app_handle *h = box_create_with("c", BASE, -1), *other = box_create_with("other", BASE, -1);

	(void)state;
	assert_int_equal(system("rm -rf /run/outside && mkdir /run/outside && echo secret >/run/outside/f"), 0);
	assert_done(set(h, "volumes", HOST "/dir:/data," HOST "/dir/sub:/data/below"));
	assert_done(set(other, "volumes", HOST "/dir/sub:/below"));
	assert_done(dre_app_start(h));
	assert_inside(h, "cd /data && mv sub old && ln -s /run/outside sub");
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(other));
	assert_non_null(strstr(dre_last_error(), HOST "/dir/sub: a part of the path is a symbolic link"));
	/* Nor when it starts itself again. */
	box_run(h, "kill -INT 1");
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP));
	assert_int_equal(system("grep -q 'sub: a part of the path is a symbolic link' " STORE "/lxc/c/lxc.log"), 0);
	/* A link further up is none to be followed either. */
	assert_int_equal(system("ln -s " HOST "/dir /run/outside/link"), 0);
	assert_done(set(other, "volumes", "/run/outside/link/old:/below"));
	assert_int_equal(dre_app_start(other), DRE_ERR_DEVICE_BUSY);
	no_mount_is_left();
	assert_int_equal(system("rm -r /run/outside"), 0);
}

/*
 * Stop and reboot.
 */

static dre_app_stop_options stop_options(int kill, int timeout)
{
	return (dre_app_stop_options){ .size = sizeof(dre_app_stop_options), .kill = kill,
				       .timeout = timeout };
}

static void stopped_at_once(void **state)
{
	dre_app_stop_options options = stop_options(1, 0);
	dre_app_handle *h = box_start("c");
	struct agent agent;

	(void)state;
	box_agent(h, &agent, "-s 10 -n agent");
	assert_done(dre_app_stop_with(h, &options));
	assert_false(box_says(h, "agent signal"));
	assert_false(box_says(h, "init halts"));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_STOP);
}

/* Who does not answer has half of the time. */
static void stopped_in_time(void **state)
{
	dre_app_stop_options options = stop_options(0, 20);
	dre_app_handle *h = box_start("c");
	struct agent agent;
	long long begin;

	(void)state;
	use_conf("stop_timeout = 100\nhalt_timeout = 100\n");
	box_agent(h, &agent, "-s 10 -m ignore");
	begin = now_ms();
	assert_done(dre_app_stop_with(h, &options));
	assert_in_range(now_ms() - begin, 10000, 90000);
	assert_true(box_says(h, "init halts"));
}

static void stopped_by_its_own_timeouts(void **state)
{
	dre_app_handle *h = box_create("c");
	struct agent agent;
	long long begin;

	(void)state;
	use_conf("stop_timeout = 100\n");
	assert_done(dre_app_start(h));
	assert_done(set(h, "stop_timeout", "1"));
	box_agent(h, &agent, "-s 10 -m ignore");
	begin = now_ms();
	assert_done(dre_app_stop(h));
	assert_in_range(now_ms() - begin, 1000, 90000);
}

static void options_that_are_refused(void **state)
{
	dre_app_stop_options options = stop_options(0, 0);
	dre_app_handle *h = box_start("c");

	(void)state;
	assert_int_equal(box_run(h, "true"), 0);
	world_mark();
#define REFUSED(err)							\
	do {								\
		assert_refused(err, dre_app_stop_with(h, &options));	\
		assert_refused(err, dre_app_reboot(h, &options));	\
	} while (0)
	options.kill = 2;
	REFUSED(DRE_ERR_INVALID_ARGUMENT);
	options = stop_options(0, -1);
	REFUSED(DRE_ERR_INVALID_ARGUMENT);
	options = stop_options(0, 86401);
	REFUSED(DRE_ERR_INVALID_ARGUMENT);
	options = stop_options(0, 0);
	options.size--;
	REFUSED(DRE_ERR_INVALID_ARGUMENT);
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_stop_with(h, NULL));
	assert_refused(DRE_ERR_NULL_POINTER, dre_app_reboot(h, NULL));
}

static void rebooted(void **state)
{
	dre_app_stop_options options = stop_options(0, 0);
	dre_app_handle *h = box_start("c");
	struct agent agent;
	pid_t init = box_init(h);

	(void)state;
	box_agent(h, &agent, "-s 10 -n agent");
	assert_done(dre_app_reboot(h, &options));
	assert_int_equal(dre_app_status(h), DRE_APP_CONTAINER_STATUS_RUNNING);
	assert_int_not_equal(box_init(h), init);
	assert_true(box_says(h, "agent "));
	assert_true(box_says(h, "init halts"));
	assert_true(module_knows("c"));
	init = box_init(h);
	assert_done(dre_app_suspend(h));
	assert_done(dre_app_reboot(h, &options));
	assert_int_not_equal(box_init(h), init);
	/* What cannot be started again goes on. */
	init = box_init(h);
	assert_done(set(h, "volumes", "/absent:/x"));
	assert_int_equal(box_run(h, "true"), 0);
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_reboot(h, &options));
	assert_int_equal(box_init(h), init);
}

/*
 * The network.
 */

static void words_of_network(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(set(h, "network", "none"));
	assert_done(dre_app_start(h));
	assert_inside(h, "[ $(ls /sys/class/net) = lo ] && ! ifconfig | grep -q UP");
	assert_done(dre_app_stop(h));
	assert_done(set(h, "network", "empty"));
	assert_done(dre_app_start(h));
	assert_inside(h, "[ $(ls /sys/class/net) = lo ] && ifconfig lo | grep -q UP");
	assert_done(dre_app_stop(h));
	assert_done(set(h, "network", "host"));
	assert_done(dre_app_start(h));
	assert_inside(h, "[ -e /sys/class/net/lo ]");
	{
		char mine[64] = "", its[64] = "", path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/net", box_init(h));
		assert_true(readlink("/proc/self/ns/net", mine, sizeof(mine) - 1) > 0);
		assert_true(readlink(path, its, sizeof(its) - 1) > 0);
		assert_string_equal(mine, its);
	}
	assert_done(dre_app_stop(h));
	assert_done(set(h, "address", "192.0.2.7/24"));
	world_mark();
	assert_refused(DRE_ERR_INVALID_ARGUMENT, dre_app_start(h));
}

static int listen_on(int family, unsigned short port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port),
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_return_code(fd, errno);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_return_code(bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
				family == AF_INET ? sizeof(v4) : sizeof(v6)), errno);
	assert_return_code(listen(fd, 1), errno);
	return fd;
}

static void ports_of_the_host(void **state)
{
	dre_app_handle *a = box_create("a"), *b = box_create("b");
	int fd;

	(void)state;
	use_conf("network = host\n");
	assert_done(set(a, "port", "2022"));
	assert_done(set(b, "port", "2022"));
	assert_done(dre_app_start(a));
	assert_int_equal(box_run(a, "true"), 0);
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(b));
	assert_non_null(strstr(dre_last_error(), "'a'"));
	assert_non_null(strstr(dre_last_error(), "'b'"));
	assert_non_null(strstr(dre_last_error(), "2022"));
	/* What it was started with counts, not what it is to have at its next start. */
	assert_done(set(a, "port", "2024"));
	world_mark();
	assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(b));
	assert_non_null(strstr(dre_last_error(), "'a'"));
	assert_done(set(b, "port", "2024"));
	assert_done(dre_app_start(b));
	assert_done(dre_app_stop(b));
	assert_done(set(a, "port", "2022"));
	assert_done(set(b, "port", "2022"));
	/* It is the network's, not the number's. */
	assert_done(set(b, "network", "empty"));
	assert_done(dre_app_start(b));
	assert_done(dre_app_stop(b));
	assert_done(set(b, "network", NULL));
	assert_done(set(b, "port", "2023"));
	assert_done(dre_app_start(b));
	assert_done(dre_app_stop(b));
	assert_done(dre_app_stop(a));
	for (int family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0) {
		fd = listen_on(family, 2022);
		world_mark();
		assert_refused(DRE_ERR_DEVICE_BUSY, dre_app_start(a));
		assert_non_null(strstr(dre_last_error(), "2022"));
		close(fd);
	}
	assert_done(dre_app_start(a));
}

static void environment_of_init(void **state)
{
	dre_app_handle *h = box_create("c");

	(void)state;
	assert_done(set(h, "port", "2022"));
	assert_done(dre_app_start(h));
	assert_inside(h, "tr '\\0' '\\n' </proc/1/environ | grep -qx DRE_SSH_PORT=2022");
	assert_done(dre_app_stop(h));
	assert_done(set(h, "port", NULL));
	assert_done(dre_app_start(h));
	assert_inside(h, "! grep -q DRE_SSH_PORT /proc/1/environ");
}

#define TEST(test)	cmocka_unit_test_teardown(test, box_destroy_all)
#define VOLUME(test)	cmocka_unit_test_setup_teardown(test, make_volumes, remove_volumes)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(set_listed_and_unset),
		TEST(values_that_are_refused),
		TEST(given_to_create),
		TEST(limits_from_the_start),
		TEST(limits_that_hold),
		TEST(no_more_processes_than_that),
		TEST(limits_while_it_runs),
		TEST(limits_of_conf_that_contradict),
		TEST(too_little_memory_to_start),
		VOLUME(volumes_in_a_user_namespace),
		VOLUME(volumes_of_a_privileged_container),
		VOLUME(volumes_without_mapped_ids),
		VOLUME(volumes_of_a_restarted_container),
		VOLUME(volumes_when_it_reboots),
		VOLUME(volumes_that_cannot_be),
		VOLUME(links_out_of_the_container),
		VOLUME(links_in_a_source),
		TEST(stopped_at_once),
		TEST(stopped_in_time),
		TEST(stopped_by_its_own_timeouts),
		TEST(options_that_are_refused),
		TEST(rebooted),
		TEST(words_of_network),
		TEST(ports_of_the_host),
		TEST(environment_of_init),
	};

	return BOX_MAIN(tests, NULL);
}
