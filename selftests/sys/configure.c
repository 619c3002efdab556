// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a system container can be configured to be, its console and its log, and containers made from
 * partitions; with libvirt and machines that are real. Two of them boot; of the others it is enough that
 * there is a QEMU.
 *
 * The environment says what to boot: DRE_TEST_KERNEL, DRE_TEST_INITRD, DRE_TEST_CMDLINE.
 */
#include <poll.h>

#include "host.h"

#define MIB	(1024LL * 1024)
#define BRIDGE	"dretestbr"
#define NETWORK	"dre-test"

static int set(const char *name, const char *key, const char *value)
{
	dre_sys_handle h = handle(name);

	return dre_sys_set_property(&h, key, value);
}

static int start(const char *name)
{
	dre_sys_handle h = handle(name);

	return dre_sys_start(&h);
}

static int stop(const char *name, int kill, int timeout)
{
	dre_sys_stop_options options = { .size = sizeof(options), .kill = kill, .timeout = timeout };
	dre_sys_handle h = handle(name);

	return dre_sys_stop_with(&h, &options);
}

static int create_with(const char *name, const dre_sys_property *properties)
{
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	dre_sys_create_options options = { .size = sizeof(options), .properties = properties };

	data.udata.kvm.base = (char *)"it";
	return dre_sys_create_container_with(name, &data, &options);
}

/* What get_property_list() says of one; the text is good until the next call. */
static const dre_sys_property *get(const char *name, const char *key)
{
	static dre_sys_property *list;
	dre_sys_handle h = handle(name);

	if (list)
		assert_success(dre_sys_release_property_list(list));
	assert_success(dre_sys_get_property_list(&h, &list));
	for (const dre_sys_property *p = list; p->key; p++)
		if (!strcmp(p->key, key))
			return p;
	fail_msg("no property %s", key);
	return NULL;
}

#define assert_set(name, key, text) assert_string_equal(get(name, key)->value, text)
#define assert_not_set(name, key) assert_null(get(name, key)->value)

/* One value of get_info(). */
static void get_info(const char *name, const char *key, char value[256])
{
	dre_sys_handle h = handle(name);
	size_t len = strlen(key);
	dre_list_t list;

	*value = '\0';
	assert_success(dre_sys_get_info(&h, &list));
	for (size_t i = 0; list[i]; i++)
		if (!strncmp(list[i], key, len) && list[i][len] == '=')
			snprintf(value, 256, "%s", list[i] + len + 1);
	assert_success(dre_sys_release_info(list));
}

static void assert_disk(const char *name, long long size)
{
	char text[256], layer[16];

	get_info(name, "disk_size", text);
	assert_int_equal(atoll(text), size);
	read_layer(name, layer);
	assert_int_equal(shell("qemu-img info -U --output=json " STORE "/layers/%s | "
			       "grep -q '\"virtual-size\": %lld,'", layer, size), 0);
}

/* Of the machine as it is, or would be if it is off. */
#define assert_machine(name, text) \
	assert_int_equal(shell("virsh -q dumpxml dre-%s | grep -q \"%s\"", name, text), 0)

/*
 * Properties.
 */

static void arguments(void **state)
{
	static const dre_sys_property none[] = { { } };
	dre_sys_create_options options = { .size = 1 };
	dre_sys_stop_options stop_options = { .size = 1 };
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	dre_sys_handle h = handle("absent");
	dre_sys_property *list = NULL;
	char *value = NULL;
	dre_list_t info;

	(void)state;
	assert_fails(dre_sys_set_properties(NULL, none), DRE_ERR_NULL_POINTER, "handle");
	assert_fails(dre_sys_set_properties(&h, NULL), DRE_ERR_NULL_POINTER, "properties");
	assert_fails(dre_sys_set_property(&h, NULL, "1"), DRE_ERR_NULL_POINTER, "key");
	assert_fails(dre_sys_set_properties(&h, none), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_get_property(&h, "cpus", NULL), DRE_ERR_NULL_POINTER, "value");
	assert_fails(dre_sys_get_property(&h, NULL, &value), DRE_ERR_NULL_POINTER, "key");
	assert_fails(dre_sys_get_property(&h, "nothing", &value), DRE_ERR_INVALID_ARGUMENT, "nothing");
	assert_fails(dre_sys_get_property(&h, "cpus", &value), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_get_property_list(&h, NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_property_list(&h, &list), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_release_property(NULL), DRE_ERR_NULL_POINTER, "value");
	assert_fails(dre_sys_release_property_list(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_info(&h, NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_info(&h, &info), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_get_base_info(NULL, &info), DRE_ERR_NULL_POINTER, "name");
	assert_fails(dre_sys_get_base_info("it", NULL), DRE_ERR_NULL_POINTER, "list");
	assert_fails(dre_sys_get_base_info("absent", &info), DRE_ERR_BASE_NONEXISTENCE, "absent");
	assert_fails(dre_sys_release_info(NULL), DRE_ERR_NULL_POINTER, "list");
	assert_null(list);
	assert_null(value);
	assert_fails(dre_sys_create_container_with("a", &data, NULL), DRE_ERR_NULL_POINTER, "options");
	assert_fails(dre_sys_create_container_with("a", &data, &options), DRE_ERR_INVALID_ARGUMENT, "options");
	options.size = sizeof(options);
	data.udata.kvm.memory_size = -1;
	assert_fails(dre_sys_create_container_with("a", &data, &options), DRE_ERR_INVALID_ARGUMENT, "memory");
	h = handle("it1");
	assert_fails(dre_sys_stop_with(&h, NULL), DRE_ERR_NULL_POINTER, "options");
	assert_fails(dre_sys_stop_with(&h, &stop_options), DRE_ERR_INVALID_ARGUMENT, "options");
	assert_fails(stop("it1", 2, 0), DRE_ERR_INVALID_ARGUMENT, "options");
	assert_fails(stop("it1", 0, 86401), DRE_ERR_INVALID_ARGUMENT, "86401");
	assert_fails(stop("it1", 0, 0), DRE_ERR_CONTAINER_STOPPED, "it1");
	assert_fails(dre_sys_reboot(&h, NULL), DRE_ERR_NULL_POINTER, "options");
	stop_options.size = sizeof(stop_options);
	assert_fails(dre_sys_reboot(&h, &stop_options), DRE_ERR_CONTAINER_STOPPED, "it1");
}

static void bad_values(void **state)
{
	static const struct {
		const char *key, *value, *part;
	} cases[] = {
		{ "cores", "1", "no property" }, { "cpus", "0", "out of range" },
		{ "cpus", "", "not a number" }, { "cpus", "4097", "out of range" },
		{ "memory", "0", "out of range" }, { "memory", "1K", "not a size" },
		{ "disk", "0", "out of range" }, { "disk", "1000", "512" }, { "disk", "65T", "out of range" },
		{ "disk", "big", "not a size" }, { "disk", "32M", "cannot become smaller" },
		{ "network", "host", "none of" }, { "network", "network:", "network" },
		{ "network", "bridge:a/b", "bridge" }, { "network", "network:a\nb", "control character" },
		{ "mac", "52:54:00:12:34", "form" }, { "mac", "52:54:00:12:34:5g", "form" },
		{ "mac", "52-54-00-12-34-56", "form" }, { "mac", "53:54:00:12:34:56", "multicast" },
		{ "mac", "00:00:00:00:00:00", "no address" },
		{ "autostart", "1", "neither yes nor no" }, { "autostart_order", "1000001", "out of range" },
		{ "autostart_delay", "3601", "out of range" }, { "halt_timeout", "-1", "not a number" },
	};
	dre_sys_handle h = handle("it1");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const dre_sys_property list[] = {
			{ .key = "autostart_order", .value = "7" },
			{ .key = cases[i].key, .value = cases[i].value }, { }
		};

		assert_fails(dre_sys_set_properties(&h, list), DRE_ERR_INVALID_ARGUMENT, cases[i].part);
		assert_not_set("it1", "autostart_order");
	}
	assert_not_set("it1", "disk");
	assert_disk("it1", 64 * MIB);
}

static void values(void **state)
{
	dre_sys_handle h = handle("it1");
	char *value;

	(void)state;
	assert_set("it1", "memory", "96");
	assert_not_set("it1", "cpus");
	assert_string_equal(get("it1", "cpus")->fallback, "1");
	assert_int_equal(get("it1", "cpus")->at_start, 1);
	assert_string_equal(get("it1", "network")->fallback, "none");
	assert_string_equal(get("it1", "autostart")->fallback, "no");
	configure("cpus = 3\nmemory = 100\nnetwork = bridge:" BRIDGE "\n");
	assert_string_equal(get("it1", "cpus")->fallback, "3");
	assert_string_equal(get("it1", "network")->fallback, "bridge:" BRIDGE);
	assert_success(set("it1", "cpus", "2"));
	assert_machine("it1", "<vcpu[^>]*>2<");
	assert_success(set("it1", "memory", NULL));
	assert_string_equal(get("it1", "memory")->fallback, "100");
	assert_machine("it1", "<memory[^>]*>102400<");
	configure("");
	assert_success(set("it1", "memory", "96M"));
	assert_machine("it1", "<memory[^>]*>98304<");
	assert_success(dre_sys_get_property(&h, "cpus", &value));
	assert_string_equal(value, "2");
	assert_success(dre_sys_release_property(value));
	assert_success(set("it1", "cpus", NULL));
	assert_success(dre_sys_get_property(&h, "cpus", &value));
	assert_null(value);
	assert_machine("it1", "<vcpu[^>]*>1<");
}

static void mac_stays(void **state)
{
	char first[32], second[32];

	(void)state;
	snprintf(first, sizeof(first), "%s", get("it1", "mac")->fallback);
	assert_memory_equal(first, "52:54:00:", 9);
	assert_success(create("it2", "it"));
	snprintf(second, sizeof(second), "%s", get("it2", "mac")->fallback);
	assert_string_not_equal(first, second);
	assert_success(dre_sys_destroy_container("it2"));
	assert_success(set("it1", "network", "bridge:" BRIDGE));
	assert_int_equal(shell("virsh -q dumpxml dre-it1 | grep -q \"<mac address='%s'\"", first), 0);
	assert_int_equal(shell("virsh -q undefine dre-it1"), 0);
	assert_string_equal(get("it1", "mac")->fallback, first);
	assert_success(set("it1", "mac", "52:54:00:AB:cd:ef"));
	assert_success(set("it1", "network", NULL));
	assert_success(set("it1", "mac", NULL));
	assert_string_equal(get("it1", "mac")->fallback, first);
}

static void created_with(void **state)
{
	static const dre_sys_property good[] = {
		{ .key = "disk", .value = "80M" }, { .key = "cpus", .value = "2" },
		{ .key = "autostart", .value = "yes" }, { }
	};
	static const dre_sys_property small[] = { { .key = "disk", .value = "63M" }, { } };
	static const dre_sys_property unknown[] = { { .key = "port", .value = "22" }, { } };

	(void)state;
	configure("memory = 90\ndisk = 72M\n");
	assert_success(create_with("it2", good));
	assert_disk("it2", 80 * MIB);
	assert_not_set("it2", "memory");
	assert_machine("it2", "<memory[^>]*>92160<");
	assert_set("it2", "autostart", "yes");
	assert_success(dre_sys_destroy_container("it2"));
	assert_fails(create_with("it2", small), DRE_ERR_INVALID_ARGUMENT, "cannot become smaller");
	assert_fails(status("it2"), DRE_ERR_CONTAINER_NONEXISTENCE, "it2");
	assert_success(create("it2", "it"));
	assert_disk("it2", 72 * MIB);
	assert_not_set("it2", "disk");
	assert_string_equal(get("it2", "disk")->fallback, "75497472");
	/* Nothing becomes smaller, and what dre.conf says is no property that cannot be so small. */
	configure("disk = 32M\n");
	assert_success(set("it2", "autostart", "yes"));
	assert_success(set("it2", "disk", NULL));
	assert_disk("it2", 72 * MIB);
	configure("disk = 76M\n");
	assert_success(set("it2", "disk", NULL));
	assert_disk("it2", 76 * MIB);
	assert_success(dre_sys_destroy_container("it2"));
	assert_fails(create_with("it2", unknown), DRE_ERR_INVALID_ARGUMENT, "port");
	assert_fails(status("it2"), DRE_ERR_CONTAINER_NONEXISTENCE, "it2");
	assert_int_not_equal(shell("virsh -q dominfo dre-it2 >/dev/null 2>&1"), 0);
	configure("");
}

/*
 * What a start fails with.
 */

static void assert_no_start(int code, const char *part)
{
	assert_fails(start("it1"), code, part);
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_STOP);
}

static void no_network(void **state)
{
	(void)state;
	assert_success(set("it1", "network", "bridge:no-such-bridge"));
	assert_no_start(DRE_ERR_NO_TAP_AVAILABLE, "no-such-bridge");
	assert_success(set("it1", "network", "bridge:lo"));	/* which is there, and none */
	assert_no_start(DRE_ERR_NO_TAP_AVAILABLE, "lo");
	assert_success(set("it1", "network", "bridge:" BRIDGE));
	assert_int_equal(rename("/dev/net/tun", "/dev/net/tun.away"), 0);
	assert_no_start(DRE_ERR_NO_TAP_AVAILABLE, "/dev/net/tun");
	assert_int_equal(rename("/dev/net/tun.away", "/dev/net/tun"), 0);
	assert_success(set("it1", "network", "network:no-such-network"));
	assert_no_start(DRE_ERR_DEVICE_BUSY, "no-such-network");
	assert_success(set("it1", "network", "network:" NETWORK));
	assert_no_start(DRE_ERR_DEVICE_BUSY, "not active");
	assert_success(set("it1", "network", NULL));
}

static void no_memory(void **state)
{
	(void)state;
	assert_success(set("it1", "memory", "256G"));
	assert_no_start(DRE_ERR_DEVICE_BUSY, "libvirt: ");
	assert_success(set("it1", "memory", "96"));
}

/* Somebody has written to its manifest what is no value. */
static void bad_manifest(void **state)
{
	dre_sys_handle h = handle("it1");

	(void)state;
	assert_success(set("it1", "cpus", "2"));
	assert_int_equal(shell("sed -i 's/^cpus 2$/cpus two/' " STORE "/containers/it1/manifest"), 0);
	assert_fails(start("it1"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "cpus 'two'");
	assert_int_equal(shell("sed -i 's/^cpus two$/cpus 2/' " STORE "/containers/it1/manifest"), 0);
	assert_success(dre_sys_set_property(&h, "cpus", NULL));
}

/*
 * Machines that need not boot.
 */

/* It has what it was told to have, and gets the rest at the next start. */
static void hardware(void **state)
{
	dre_sys_stop_options kill = { .size = sizeof(kill), .kill = 1 };
	dre_sys_handle h = handle("it1");
	int pid, other;

	(void)state;
	assert_success(set("it1", "network", "bridge:" BRIDGE));
	assert_success(set("it1", "mac", "52:54:00:ab:cd:ef"));
	assert_success(set("it1", "cpus", "2"));
	assert_success(set("it1", "disk", "72M"));
	assert_disk("it1", 72 * MIB);
	assert_success(dre_sys_start(&h));
	assert_machine("it1", "<vcpu[^>]*>2<");
	assert_machine("it1", "<mac address='52:54:00:ab:cd:ef'");
	assert_int_equal(shell("[ \"$(ls /sys/class/net/" BRIDGE "/brif | wc -l)\" = 1 ]"), 0);
	assert_success(set("it1", "cpus", "1"));
	assert_machine("it1", "<vcpu[^>]*>2<");
	assert_success(set("it1", "disk", "80M"));
	assert_int_equal(shell("virsh -q domblkinfo dre-it1 vda | grep -q 'Capacity: *83886080'"), 0);
	assert_disk("it1", 80 * MIB);
	assert_fails(set("it1", "disk", "72M"), DRE_ERR_INVALID_ARGUMENT, "smaller");
	assert_set("it1", "disk", "80M");
	assert_success(dre_sys_suspend(&h));
	assert_success(set("it1", "network", "network:" NETWORK));
	assert_fails(dre_sys_reboot(&h, &kill), DRE_ERR_DEVICE_BUSY, "not active");
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_int_equal(shell("virsh -q net-start " NETWORK), 0);
	assert_success(dre_sys_resume(&h));
	assert_success(dre_sys_get_pid(&h, &pid));
	assert_success(dre_sys_reboot(&h, &kill));
	assert_success(dre_sys_get_pid(&h, &other));
	assert_int_not_equal(pid, other);
	assert_machine("it1", "<vcpu[^>]*>1<");
	assert_int_equal(shell("[ \"$(ls /sys/class/net/" BRIDGE "/brif | wc -l)\" = 1 ]"), 0);
	assert_success(stop("it1", 1, 0));
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(set("it1", "network", NULL));
	assert_success(set("it1", "mac", NULL));
}

/* A snapshot has the disk as it was; the container's property makes it larger again. */
static void disk_of_snapshot(void **state)
{
	dre_sys_handle h = handle("it1");

	(void)state;
	assert_success(dre_sys_save_snapshot(&h, "small"));
	assert_success(set("it1", "disk", "96M"));
	assert_success(dre_sys_load_snapshot(&h, "small"));
	assert_disk("it1", 80 * MIB);
	assert_success(dre_sys_start(&h));
	assert_disk("it1", 96 * MIB);
	assert_success(stop("it1", 1, 0));
	assert_int_equal(shell("dre-sys fsck"), 0);
	assert_success(dre_sys_remove_snapshot(&h, "small"));
	assert_success(set("it1", "disk", NULL));
	assert_disk("it1", 96 * MIB);
}

/*
 * The commands, as far as nothing boots.
 */

static void commands(void **state)
{
	(void)state;
	assert_int_equal(shell("dre-sys create --base it --memory 97 --set autostart=yes "
			       "--set autostart_order=2 it2"), 0);
	assert_int_equal(shell("dre-sys create --base it --set memory=98 --set autostart=yes "
			       "--set autostart_order=1 it3"), 0);
	assert_int_equal(shell("[ \"$(dre-sys get it2 memory)$(dre-sys get it3 memory)\" = 9798 ]"), 0);
	assert_int_equal(shell("dre-sys get it2 memsw 2>/dev/null"), 1);
	assert_int_equal(shell("dre-sys set it2 cpus 2>/dev/null"), 2);
	assert_int_equal(shell("dre-sys set it2 cpus=2 && dre-sys unset it2 cpus && "
			       "[ \"$(dre-sys get it2 cpus)\" = 1 ]"), 0);
	assert_int_equal(shell("dre-sys create --rootfs /dev/loop0 --base it it4 2>&1 | grep -q rootfs"), 0);
	assert_int_equal(shell("dre-sys autostart"), 0);
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_int_equal(status("it2"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(status("it3"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	/* The one of the lower order was started first. */
	assert_int_equal(shell("[ /run/libvirt/qemu/dre-it3.pid -ot /run/libvirt/qemu/dre-it2.pid ]"), 0);
	assert_int_equal(shell("dre-sys autostart"), 0);
	assert_int_equal(shell("dre-sys set it2 cpus=3 2>&1 | grep -q 'dre-sys reboot it2'"), 0);
	assert_int_equal(shell("dre-sys status --json it2 | grep -q '\"running\"'"), 0);
	assert_int_equal(shell("dre-sys list --json | grep -q '\"it3\"'"), 0);
	assert_int_equal(shell("dre-sys wait --timeout 1 it2"), 124);
	assert_int_equal(shell("dre-sys wait --state running it2"), 0);
	assert_int_equal(shell("dre-sys reboot --kill it2"), 0);
	assert_machine("it2", "<vcpu[^>]*>3<");
	assert_int_equal(shell("(until virsh -q destroy dre-it3; do sleep 0.1; done) & dre-sys wait it3"), 0);
	assert_int_equal(shell("dre-sys stop --timeout 1 --all"), 0);
	assert_int_equal(status("it2"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_int_equal(shell("dre-sys stop it2 2>/dev/null"), 1);
	assert_int_equal(shell("dre-sys wait it2"), 0);
	assert_int_equal(shell("dre-sys inspect it2 >/run/dre-test-json"), 0);
	assert_int_equal(shell("grep -q '\"disk_size\": *67108864' /run/dre-test-json && "
			       "grep -q '\"domain\": *\"dre-it2\"' /run/dre-test-json && "
			       "grep -q '\"cpus\": *\"3\"' /run/dre-test-json"), 0);
	assert_int_equal(shell("tr -d '[:space:]' </run/dre-test-json >/run/dre-test-out && "
			       "grep -qF '\"cpus\":{\"value\":\"3\",\"set\":true,\"at_start\":true}' /run/dre-test-out && "
			       "grep -qF '\"autostart_delay\":{\"value\":\"0\",\"set\":false,\"at_start\":false}' /run/dre-test-out && "
			       "grep -qF '\"snapshots\":[],\"checkpoints\":[],\"limits\":{\"cpu\":null,' /run/dre-test-out && "
			       "grep -qF '\"usage\":null,\"cgroups\":[]}' /run/dre-test-out"), 0);
	assert_int_equal(shell("dre-sys __complete set it2 au | grep -qx 'autostart_order='"), 0);
	assert_int_equal(shell("dre-sys __complete create --set d | grep -qx 'disk='"), 0);
	assert_int_equal(shell("dre-sys __complete wait --state r | grep -qx running"), 0);
	assert_int_equal(shell("dre-sys console it2 2>&1 | grep -q stopped"), 0);
	assert_int_equal(shell("dre-sys start --all && dre-sys suspend it3"), 0);
	assert_int_equal(shell("dre-sys destroy it2 2>/dev/null"), 1);
	assert_int_equal(status("it2"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(shell("dre-sys destroy --force it2 it3"), 0);
	assert_fails(status("it2"), DRE_ERR_CONTAINER_NONEXISTENCE, "it2");
	assert_fails(status("it3"), DRE_ERR_CONTAINER_NONEXISTENCE, "it3");
	assert_int_equal(shell("dre-sys destroy --force it2 2>/dev/null"), 1);
	assert_int_equal(shell("dre-sys stop --kill --all"), 0);
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_STOP);
}

/*
 * Consoles and logs.
 */

static void type(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Reads until @text has come. False when the console has ended, or it did not come in time. */
static bool read_until(int fd, const char *text)
{
	static char seen[65536];
	time_t end = time(NULL) + BOOT_TIME;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	while (time(NULL) < end && len < sizeof(seen) - 1) {
		if (poll(&poll_fd, 1, 1000) < 1)
			continue;
		n = read(fd, seen + len, sizeof(seen) - 1 - len);
		if (n <= 0)
			return false;
		len += n;
		seen[len] = '\0';
		if (memmem(seen, len, text, strlen(text)))
			return true;
	}
	return false;
}

/* What remains of it is read, to its end. */
static bool ends(int fd)
{
	return !read_until(fd, "\001 what no guest says") &&
	       read(fd, &(char){ 0 }, 1) == 0;
}

static size_t read_log(const char *name, int previous, char *buf, size_t size)
{
	dre_sys_handle h = handle(name);
	size_t len = 0, n;
	dre_sys_log *log;

	assert_success(dre_sys_log_open(&h, previous, &log));
	do {
		assert_success(dre_sys_log_read(log, buf + len, size - 1 - len, &n));
		len += n;
	} while (n && len < size - 1);
	buf[len] = '\0';
	assert_success(dre_sys_log_close(log));
	return len;
}

static void log_arguments(void **state)
{
	dre_sys_handle h = handle("absent");
	char buf[4096];
	dre_sys_log *log = NULL;
	size_t len = 7;
	int fd = -7;

	(void)state;
	assert_fails(dre_sys_open_console(&h, NULL), DRE_ERR_NULL_POINTER, "file");
	assert_fails(dre_sys_open_console(&h, &fd), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_log_open(&h, 0, NULL), DRE_ERR_NULL_POINTER, "log");
	assert_fails(dre_sys_log_open(&h, 0, &log), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_log_fd(NULL), DRE_ERR_NULL_POINTER, "log");
	assert_fails(dre_sys_log_close(NULL), DRE_ERR_NULL_POINTER, "log");
	assert_null(log);
	h = handle("it1");
	assert_fails(dre_sys_open_console(&h, &fd), DRE_ERR_CONTAINER_STOPPED, "it1");
	assert_int_equal(fd, -7);
	assert_success(dre_sys_log_open(&h, 0, &log));
	assert_fails(dre_sys_log_read(log, NULL, 1, &len), DRE_ERR_NULL_POINTER, "buffer");
	assert_fails(dre_sys_log_read(log, buf, 0, &len), DRE_ERR_INVALID_ARGUMENT, "bytes");
	assert_int_equal(len, 7);
	assert_success(dre_sys_log_close(log));
}

/* What comes next, until it is as long as @wanted. */
static void assert_follows(dre_sys_log *log, const char *wanted)
{
	char buf[64], all[64] = "";
	size_t len;

	for (int i = 0; i < 1000 && strlen(all) < strlen(wanted); i++) {
		assert_success(dre_sys_log_read(log, buf, sizeof(buf) - strlen(all) - 1, &len));
		strncat(all, buf, len);
	}
	assert_string_equal(all, wanted);
}

/* Older parts come first, and ends of lines are newlines, wherever a piece ends. */
static void log_of_parts(void **state)
{
	static const char wanted[] = "one\ntwo\n\rthree\nfour\n";
	dre_sys_handle h = handle("it2");
	char buf[64], all[64] = "";
	dre_sys_log *log;
	size_t len;

	(void)state;
	assert_success(create("it2", "it"));
	assert_int_equal(shell("cd " STORE "/containers/it2 && printf 'one\\r\\n' >console.log.1 && "
			       "printf 'two\\r\\r\\n\\rthree\\r' >console.log.0 && "
			       "printf '\\nfour\\r\\n' >console.log"), 0);
	assert_int_equal(read_log("it2", 0, buf, sizeof(buf)), strlen(wanted));
	assert_string_equal(buf, wanted);
	assert_success(dre_sys_log_open(&h, 0, &log));
	do {
		assert_success(dre_sys_log_read(log, buf, 1, &len));
		strncat(all, buf, len);
	} while (len);
	assert_string_equal(all, wanted);
	/* It is followed into the file that takes the place of the newest one. */
	assert_int_equal(shell("cd " STORE "/containers/it2 && printf 'five\\n' >>console.log && "
			       "mv console.log console.log.0 && printf 'six\\n' >console.log"), 0);
	assert_follows(log, "five\nsix\n");
	/* And into the part of the next host, when that has written to it. */
	assert_int_equal(shell("cd " STORE "/containers/it2 && : >console.log-2"), 0);
	assert_success(dre_sys_log_read(log, buf, sizeof(buf), &len));
	assert_int_equal(len, 0);
	assert_int_equal(shell("cd " STORE "/containers/it2 && printf 'seven\n' >>console.log && "
			       "printf 'eight\n' >>console.log-2"), 0);
	assert_follows(log, "seven\neight\n");
	assert_success(dre_sys_log_close(log));
	assert_success(dre_sys_destroy_container("it2"));
}

/* As hosts leave it that it came to while it ran: the last four are read, in the order of their numbers. */
static void log_of_hosts(void **state)
{
	char buf[64];

	(void)state;
	assert_success(create("it2", "it"));
	assert_int_equal(shell("cd " STORE "/containers/it2 && echo one >console.log && "
			       "for i in 2 7 8 10; do echo $i.0 >console.log-$i.0; echo $i >console.log-$i; done; "
			       ": >console.log-11; for i in -0 -x -+12 -9x -99999999999 9; do echo no >console.log$i; done"), 0);
	assert_int_equal(read_log("it2", 0, buf, sizeof(buf)), strlen("7.0\n7\n8.0\n8\n10.0\n10\n"));
	assert_string_equal(buf, "7.0\n7\n8.0\n8\n10.0\n10\n");
	assert_int_equal(shell("dre-sys inspect it2 | grep -q '/it2/console.log-10\\b'"), 0);
	/* All of it is that of the run before, when the next begins. */
	assert_int_equal(shell("echo old >" STORE "/containers/it2/console.previous-12 && dre-sys start it2"), 0);
	assert_int_equal(read_log("it2", 1, buf, sizeof(buf)), strlen("7.0\n7\n8.0\n8\n10.0\n10\n"));
	assert_int_equal(shell("dre-sys stop --kill it2 && dre-sys destroy it2"), 0);
}

/* virtlogd with so little room for each part that a test can fill it. */
static void restart_virtlogd(const char *options)
{
	assert_int_equal(shell("kill $(cat /run/virtlogd.pid) && "
			       "while [ -e /run/virtlogd.pid ]; do sleep 0.1; done; "
			       "printf '%s' >/run/dre-test-virtlogd.conf && "
			       "virtlogd -d -f /run/dre-test-virtlogd.conf", options), 0);
}

/*
 * With a boot: two at the console see the same, what is typed arrives, and it ends with the machine. The
 * log is bounded, and that of a run is the previous one when the next begins.
 */
static void console(void **state)
{
	static char log[65536];
	char line[256];
	int first, second;
	dre_sys_handle h = handle("it1");

	(void)state;
	restart_virtlogd("max_size = 1024\nmax_backups = 3\n");
	assert_success(dre_sys_start(&h));
	assert_success(dre_sys_open_console(&h, &first));
	assert_success(dre_sys_open_console(&h, &second));
	assert_true(read_until(first, "guest: tick"));
	assert_true(read_until(second, "guest: tick"));
	type(first, "hello\r");
	assert_true(read_until(first, "guest: typed hello\r\n"));
	assert_true(read_until(second, "guest: typed hello\r\n"));
	close(second);
	for (int i = 0; i < 24; i++) {
		snprintf(line, sizeof(line), "%02d %0180d\r", i, 0);
		type(first, line);
		snprintf(line, sizeof(line), "typed %02d ", i);
		assert_true(read_until(first, line));
	}
	assert_int_equal(shell("cd " STORE "/containers/it1 && [ -e console.log.2 ] && [ ! -e console.log.3 ] && "
			       "[ -z \"$(find . -name 'console.log*' -size +2k)\" ]"), 0);
	assert_true(read_log("it1", 0, log, sizeof(log)) > 1024);
	assert_non_null(strstr(log, "typed 23 "));
	assert_null(strstr(log, "\r"));
	assert_null(strstr(log, "guest: boot"));
	assert_int_equal(shell("dre-sys logs --lines 3 --json it1 | grep -q '\"container\":\"it1\"'"), 0);
	assert_int_equal(shell("(sleep 1; printf '\\001q') | dre-sys console it1"), 0);
	assert_int_equal(shell("dre-sys logs --follow it1 >/run/dre-test-log & dre-sys stop it1 && wait $! && "
			       "grep -q 'guest: power button' /run/dre-test-log"), 0);
	assert_true(ends(first));
	close(first);
	assert_int_equal(status("it1"), DRE_SYS_CONTAINER_STATUS_STOP);
	restart_virtlogd("");
	assert_success(dre_sys_start(&h));
	read_log("it1", 1, log, sizeof(log));
	assert_non_null(strstr(log, "typed 23 "));
	read_log("it1", 0, log, sizeof(log));
	assert_null(strstr(log, "typed 23 "));
	assert_success(stop("it1", 1, 0));
}

/*
 * Partitions.
 */

static int create_on(const char *name, const char *rootfs)
{
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };

	data.udata.kvm.memory_size = 96;
	data.udata.kvm.rootfs = (char *)rootfs;
	return dre_sys_create_container(name, &data);
}

static char loop[64];

static void partition_errors(void **state)
{
	FILE *f;
	int fd;

	(void)state;
	assert_int_equal(shell("truncate -s 64M /run/dre-test-partition && "
			       "losetup --find --show /run/dre-test-partition >/run/dre-test-loop"), 0);
	f = fopen("/run/dre-test-loop", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%63s", loop), 1);
	fclose(f);
	assert_fails(create_on("it2", "dev/loop0"), DRE_ERR_INVALID_ARGUMENT, "absolute");
	assert_fails(create_on("it2", "/dev/no-such-partition"), DRE_ERR_INVALID_ARGUMENT, "no-such-partition");
	assert_fails(create_on("it2", "/dev/null"), DRE_ERR_INVALID_ARGUMENT, "block device");
	assert_fails(create_on("it2", "/run/dre-test-partition"), DRE_ERR_INVALID_ARGUMENT, "block device");
	assert_fails(create_on("it2", "/dev/a\nb"), DRE_ERR_INVALID_ARGUMENT, "not printable");
	fd = open(CONFIG, O_WRONLY | O_TRUNC | O_CLOEXEC);	/* no kernel */
	close(fd);
	assert_fails(create_on("it2", loop), DRE_ERR_INVALID_ARGUMENT, "kernel");
	configure("");
	assert_int_equal(shell("mkswap -q %s 2>/dev/null || mkswap %s >/dev/null; swapon %s", loop, loop, loop), 0);
	assert_fails(create_on("it2", loop), DRE_ERR_DEVICE_BUSY, loop);
	assert_int_equal(shell("swapoff %s", loop), 0);
	assert_fails(status("it2"), DRE_ERR_CONTAINER_NONEXISTENCE, "it2");
}

/* The one that the host has its root file system on. */
static void mounted_partition(void **state)
{
	char device[64] = "";
	FILE *f = popen("findmnt -n -o SOURCE /", "re");

	(void)state;
	assert_int_equal(fscanf(f, "%63s", device), 1);
	pclose(f);
	if (strncmp(device, "/dev/", 5))
		skip();
	assert_fails(create_on("it2", device), DRE_ERR_DEVICE_BUSY, "mounted");
	assert_fails(status("it2"), DRE_ERR_CONTAINER_NONEXISTENCE, "it2");
}

static void assert_untouched(void)
{
	assert_int_equal(shell("sync; blockdev --flushbufs %s; sha256sum -c --quiet /run/dre-test-sum", loop), 0);
}

/* An operating system that is on a partition, as a file system with an init, and runs from there. */
static void system_on_partition(void **state)
{
	dre_sys_handle h = handle("it2");

	(void)state;
	assert_int_equal(shell("mkdir -p /run/dre-test-os/dev /run/dre-test-os/sbin /run/dre-test-os/etc && "
			       "cp /tests/sys/guest /run/dre-test-os/sbin/init && touch /run/dre-test-os/etc/os && "
			       "mke2fs -q -F -t ext4 -d /run/dre-test-os %s && rm -r /run/dre-test-os && sync && "
			       "sha256sum %s >/run/dre-test-sum", loop, loop), 0);
	assert_int_equal(shell("sed -i -e 's/panic=-1/panic=-1 disk/' -e \"s,^initrd = .*,initrd = $DRE_TEST_INITRD_DISK,\" "
			       CONFIG), 0);
	assert_success(create_on("it2", loop));
	assert_success(dre_sys_start(&h));
	assert_says("it2", "guest: runs from the disk", 1);
	assert_says("it2", "guest: boot 1", 1);
	assert_says("it2", "guest: tick", 1);
	assert_success(dre_sys_stop(&h));
	assert_untouched();
	assert_success(dre_sys_destroy_container("it2"));
	configure("");
}

/* With a boot: it writes to its disk, and nothing of that to the partition; snapshots, and a base of it. */
static void partition(void **state)
{
	dre_sys_handle h = handle("it2"), of_base = handle("it3");
	char text[256];

	(void)state;
	assert_int_equal(shell("dd if=/dev/zero of=%s bs=1M count=64 status=none && printf 41 >%s && sync && "
			       "sha256sum %s >/run/dre-test-sum", loop, loop, loop), 0);
	assert_success(create_on("it2", loop));
	get_info("it2", "rootfs", text);
	assert_string_equal(text, loop);
	assert_disk("it2", 64 * MIB);
	assert_success(dre_sys_save_snapshot(&h, "fresh"));
	assert_success(dre_sys_commit_snapshot(&h, "fresh", "of-partition"));
	assert_success(dre_sys_start(&h));
	assert_says("it2", "guest: boot 42", 1);
	assert_says("it2", "guest: tick", 1);
	assert_success(dre_sys_stop(&h));
	assert_untouched();

	/* Claimed by somebody else: nothing is started, and nothing of a base of it either. */
	assert_int_equal(shell("mkswap %s >/run/dre-test-null && swapon %s", loop, loop), 0);
	assert_fails(dre_sys_start(&h), DRE_ERR_DEVICE_BUSY, loop);
	assert_success(create("it3", "of-partition"));
	assert_fails(dre_sys_start(&of_base), DRE_ERR_DEVICE_BUSY, loop);
	assert_int_equal(shell("swapoff %s", loop), 0);
	assert_success(dre_sys_load_snapshot(&h, "fresh"));
	assert_success(dre_sys_start(&of_base));
	assert_success(stop("it3", 1, 0));
	assert_int_equal(shell("dre-sys fsck"), 0);
	assert_int_equal(shell("losetup -d %s", loop), 0);
	assert_fails(dre_sys_start(&h), DRE_ERR_DEVICE_BUSY, loop);
	assert_success(dre_sys_destroy_container("it3"));
	assert_success(dre_sys_destroy_container("it2"));
	assert_success(dre_sys_remove_base("of-partition"));
}

static int setup(void **state)
{
	set_up_host(state);
	assert_int_equal(shell("modprobe -a bridge tun loop && ip link add " BRIDGE " type bridge && "
			       "ip link set " BRIDGE " up && "
			       "echo '<network><name>" NETWORK "</name><forward mode=\"bridge\"/><bridge name=\"" BRIDGE "\"/></network>' "
			       ">/run/dre-test-net.xml && virsh -q net-define /run/dre-test-net.xml"), 0);
	assert_success(create("it1", "it"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_success(dre_sys_destroy_container("it1"));
	assert_success(dre_sys_remove_base("it"));
	assert_int_equal(shell("virsh -q net-destroy " NETWORK "; virsh -q net-undefine " NETWORK " && "
			       "ip link del " BRIDGE), 0);
	assert_int_equal(shell("[ -z \"$(ls " STORE "/layers " STORE "/containers | grep -v :)\" ]"), 0);
	assert_int_equal(shell("[ -z \"$(virsh -q list --all --name | grep dre-)\" ]"), 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(values),
		cmocka_unit_test(mac_stays),
		cmocka_unit_test(created_with),
		cmocka_unit_test(no_network),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(bad_manifest),
		cmocka_unit_test(hardware),
		cmocka_unit_test(disk_of_snapshot),
		cmocka_unit_test(commands),
		cmocka_unit_test(log_arguments),
		cmocka_unit_test(log_of_parts),
		cmocka_unit_test(log_of_hosts),
		cmocka_unit_test(partition_errors),
		cmocka_unit_test(mounted_partition),
		cmocka_unit_test(console),
		cmocka_unit_test(system_on_partition),
		cmocka_unit_test(partition),
	};

	return HOST_MAIN(tests, setup, teardown);
}
