// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config.h"
#include "fixture.h"

/* The argument of the copy that runs by itself. */
#define LOAD	"load"

static char path[] = "/tmp/dre-conf-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	return setenv("DRE_CONF", path, 1);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int load(struct dre_config *cfg, const char *text)
{
	write_file(path, text);
	return dre_config_load(cfg);
}

static void assert_defaults(const struct dre_config *cfg)
{
	assert_string_equal(cfg->base, "busybox");
	assert_string_equal(cfg->store, "/var/lib/dre/app");
	assert_false(cfg->privileged);
	assert_int_equal(cfg->stop_timeout, 10);
	assert_int_equal(cfg->halt_timeout, 10);
	assert_int_equal(cfg->network, DRE_NETWORK_EMPTY);
	assert_string_equal(cfg->bridge, "");
	assert_string_equal(cfg->apparmor, "dre-container");
	assert_string_equal(cfg->seccomp, "/usr/share/lxc/config/common.seccomp");
	assert_int_equal(cfg->idmap_base, 1879048192);
	assert_int_equal(cfg->idmap_size, 65536);
	assert_int_equal(cfg->limits.cpu, 0);
	assert_string_equal(cfg->limits.cores, "");
	assert_int_equal(cfg->limits.memory, 0);
	assert_int_equal(cfg->limits.memsw, 0);
	assert_int_equal(cfg->limits.pids, 0);
	assert_string_equal(cfg->sys.base, "");
	assert_string_equal(cfg->sys.store, "/var/lib/dre/sys");
	assert_string_equal(cfg->sys.libvirt, "qemu:///system");
	assert_false(cfg->sys.emulation);
	assert_int_equal(cfg->sys.cpus, 1);
	assert_int_equal(cfg->sys.memory, 512);
	assert_int_equal(cfg->sys.disk, 0);
	assert_int_equal(cfg->sys.network, DRE_SYS_NETWORK_NONE);
	assert_string_equal(cfg->sys.network_name, "");
	assert_int_equal(cfg->sys.halt_timeout, 60);
	assert_string_equal(cfg->sys.kernel, "");
	assert_string_equal(cfg->sys.initrd, "");
	assert_string_equal(cfg->sys.cmdline, "");
	assert_string_equal(cfg->sys.nfs.server, "");
	assert_string_equal(cfg->sys.nfs.export, "");
	assert_string_equal(cfg->sys.nfs.mount, "/var/lib/dre/shared");
	assert_string_equal(cfg->sys.nfs.options, "vers=4.2,softerr,timeo=50,retrans=2");
	assert_string_equal(cfg->sys.migration_uri, "qemu+tls://%s/system");
	assert_true(cfg->sys.migration_tls);
	assert_int_equal(cfg->sys.immigration_timeout, 600);
}

static void missing_file(void **state)
{
	struct dre_config cfg;

	(void)state;
	setenv("DRE_CONF", "/nonexistent/dre.conf", 1);
	assert_fails(dre_config_load(&cfg), DRE_ERR_INVALID_ARGUMENT, "/nonexistent/dre.conf");
	setenv("DRE_CONF", "/", 1);
	assert_fails(dre_config_load(&cfg), DRE_ERR_DEVICE_BUSY, "Is a directory");
	setenv("DRE_CONF", path, 1);
}

static void empty_files(void **state)
{
	static const char *const texts[] = {
		"", "\n", "[app]\n", "[app]", "# x\n; y\n[app]\n\n# z\n", "   \n\t\n",
	};
	struct dre_config cfg;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		memset(&cfg, 0xff, sizeof(cfg));
		assert_success(load(&cfg, texts[i]));
		assert_defaults(&cfg);
	}
}

/* The file as it is shipped, as it is and with its comments taken away, shows the defaults. */
static void shipped_file(void **state)
{
	char text[8192], line[1024], *end = text;
	struct dre_config cfg;
	unsigned int keys = 0;
	FILE *f;

	(void)state;
	setenv("DRE_CONF", SOURCE_DIR "/libdre/common/dre.conf", 1);
	assert_success(dre_config_load(&cfg));
	assert_defaults(&cfg);
	f = fopen(SOURCE_DIR "/libdre/common/dre.conf", "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		bool key = *line == '#' && line[1] != ' ' && strstr(line, " = ");

		keys += key;
		end = stpcpy(end, key ? line + 1 : line);
	}
	fclose(f);
	setenv("DRE_CONF", path, 1);
	assert_int_equal(keys, 27);
	memset(&cfg, 0xff, sizeof(cfg));
	assert_success(load(&cfg, text));
	assert_defaults(&cfg);
}

static void all_keys(void **state)
{
	struct dre_config cfg;

	(void)state;
	assert_success(load(&cfg,
		"[app]\n"
		"base = debian-12.5\n"
		"store=/srv/my store/app\n"
		"privileged = yes\n"
		"stop_timeout=0\n"
		"halt_timeout: 86400\n"
		"network = bridge:br-lan.7\n"
		"seccomp = /srv/my filter\n"
		"idmap_base = 65536\n"
		"idmap_size = 1\n"
		"[sys]\n"
		"base = debian\n"
		"store = /srv/machines\n"
		"libvirt = qemu+unix:///system?socket=/run/a b\n"
		"emulation = yes\n"
		"cpus = 4096\n"
		"disk = 20G\n"
		"halt_timeout = 0\n"
		"kernel = /boot/vmlinuz\n"
		"initrd = /boot/initrd\n"
		"cmdline = root=/dev/vda1 quiet\n"
		"nfs_server = server.example\n"
		"nfs_export = /srv/dre\n"
		"nfs_mount = /mnt/dre\n"
		"nfs_options = vers=4.1\n"
		"migration_uri = qemu+ssh://%s:2222/system\n"
		"migration_tls = no\n"
		"immigration_timeout = 86400\n"));
	assert_string_equal(cfg.base, "debian-12.5");
	assert_string_equal(cfg.store, "/srv/my store/app");
	assert_true(cfg.privileged);
	assert_int_equal(cfg.stop_timeout, 0);
	assert_int_equal(cfg.halt_timeout, 86400);
	assert_int_equal(cfg.network, DRE_NETWORK_BRIDGE);
	assert_string_equal(cfg.bridge, "br-lan.7");
	assert_string_equal(cfg.seccomp, "/srv/my filter");
	assert_int_equal(cfg.idmap_base, 65536);
	assert_int_equal(cfg.idmap_size, 1);
	assert_string_equal(cfg.sys.base, "debian");
	assert_string_equal(cfg.sys.store, "/srv/machines");
	assert_string_equal(cfg.sys.libvirt, "qemu+unix:///system?socket=/run/a b");
	assert_true(cfg.sys.emulation);
	assert_int_equal(cfg.sys.cpus, 4096);
	assert_int_equal(cfg.sys.disk, 20ULL << 30);
	assert_int_equal(cfg.sys.halt_timeout, 0);
	assert_string_equal(cfg.sys.kernel, "/boot/vmlinuz");
	assert_string_equal(cfg.sys.initrd, "/boot/initrd");
	assert_string_equal(cfg.sys.cmdline, "root=/dev/vda1 quiet");
	assert_string_equal(cfg.sys.nfs.server, "server.example");
	assert_string_equal(cfg.sys.nfs.export, "/srv/dre");
	assert_string_equal(cfg.sys.nfs.mount, "/mnt/dre");
	assert_string_equal(cfg.sys.nfs.options, "vers=4.1");
	assert_string_equal(cfg.sys.migration_uri, "qemu+ssh://%s:2222/system");
	assert_false(cfg.sys.migration_tls);
	assert_int_equal(cfg.sys.immigration_timeout, 86400);
	assert_success(load(&cfg, "[app]\nnetwork = none\nprivileged = no\nseccomp = unconfined\n"));
	assert_string_equal(cfg.seccomp, "unconfined");
	assert_int_equal(cfg.network, DRE_NETWORK_NONE);
	assert_string_equal(cfg.bridge, "");
	assert_success(load(&cfg, "[app]\nnetwork = host\n"));
	assert_int_equal(cfg.network, DRE_NETWORK_HOST);
	assert_success(load(&cfg, "[app]\ncpu = 150\ncores = 0-1,3\nmemory = 512M\nmemsw = 1g\n"
		"pids = 4194304\n"));
	assert_int_equal(cfg.limits.cpu, 150);
	assert_string_equal(cfg.limits.cores, "0-1,3");
	assert_int_equal(cfg.limits.memory, 512 << 20);
	assert_int_equal(cfg.limits.memsw, 1 << 30);
	assert_int_equal(cfg.limits.pids, 4194304);
}

/* One value at a time, and in the words of the file again. */
static void single_values(void **state)
{
	static const struct {
		const char *section, *key, *value, *text;
	} cases[] = {
		{ "app", "network", "bridge:br0", "bridge:br0" }, { "app", "network", "host", "host" },
		{ "app", "network", "none", "none" }, { "app", "network", "empty", "empty" },
		{ "app", "apparmor", "unconfined", "unconfined" }, { "app", "apparmor", "/usr/bin/a", "/usr/bin/a" },
		{ "app", "cpu", "50%", "50" }, { "app", "cpu", "200", "200" }, { "app", "cpu", "max", NULL },
		{ "app", "cores", "0-3,5", "0-3,5" }, { "app", "cores", "max", NULL },
		{ "app", "memory", "1", "1" }, { "app", "memory", "2k", "2048" },
		{ "app", "memory", "16777215T", "18446742974197923840" }, { "app", "memory", "max", NULL },
		{ "app", "memsw", "3M", "3145728" }, { "app", "pids", "1", "1" },
		{ "app", "pids", "max", NULL }, { "app", "stop_timeout", "7", "7" },
		{ "app", "halt_timeout", "0", "0" },
		{ "sys", "network", "network:default", "network:default" },
		{ "sys", "network", "bridge:br0", "bridge:br0" }, { "sys", "network", "none", "none" },
		{ "sys", "cpus", "4", "4" }, { "sys", "memory", "512", "512" },
		{ "sys", "memory", "96m", "96" }, { "sys", "memory", "2G", "2048" },
		{ "sys", "halt_timeout", "9", "9" }, { "sys", "disk", "512", "512" },
		{ "sys", "disk", "64T", "70368744177664" },
	};
	struct dre_config cfg;
	char text[DRE_VALUE_SIZE];

	(void)state;
	assert_success(load(&cfg, ""));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got;

		assert_null(dre_config_set(&cfg, cases[i].section, cases[i].key, cases[i].value));
		got = dre_config_get(&cfg, cases[i].section, cases[i].key, text);
		if (cases[i].text)
			assert_string_equal(got, cases[i].text);
		else
			assert_null(got);
	}
	assert_null(dre_config_get(&cfg, "app", "store", text));
	assert_non_null(dre_config_set(&cfg, "app", "unknown", ""));
	assert_null(dre_config_get(&cfg, "sys", "store", text));
	assert_non_null(dre_config_set(&cfg, "sys", "cores", "1"));
	assert_true(dre_config_has("app", "memsw"));
	assert_false(dre_config_has("sys", "memsw"));
	assert_true(dre_config_has("app", "pids"));
	assert_false(dre_config_has("sys", "pids"));
	assert_false(dre_config_has("app", "port"));
}

static void bad_lines(void **state)
{
	static const struct {
		const char *text;
		const char *part;	/* of the error text, behind the path */
	} cases[] = {
		{ "base = x\n", ":1: base is not a known key" },
		{ "[system]\nbase = x\n", ":2: base is not a known key" },
		{ "[app]\nbass = x\n", ":2: bass is not a known key" },
		{ "[app]\n\nBase = x\n", ":3: Base is not a known key" },
		{ "[app]\nbase\n", ":2: " },
		{ "[app\n", ":1: " },
		{ "[app]\nbase = \n", ":2: base is not the name" },
		{ "[app]\nbase = a/b\n", ":2: base is not the name" },
		{ "[app]\nstore = srv\n", ":2: store is not an absolute path" },
		{ "[app]\nstore =\n", ":2: store is not an absolute path" },
		{ "[app]\nprivileged = maybe\n", ":2: privileged is neither" },
		{ "[app]\nprivileged = YES\n", ":2: privileged is neither" },
		{ "[app]\nstop_timeout = -1\n", ":2: stop_timeout is not a number" },
		{ "[app]\nstop_timeout = 1s\n", ":2: stop_timeout is not a number" },
		{ "[app]\nstop_timeout = 0x1\n", ":2: stop_timeout is not a number" },
		{ "[app]\nstop_timeout =\n", ":2: stop_timeout is not a number" },
		{ "[app]\nstop_timeout = 86401\n", ":2: stop_timeout is out of range" },
		{ "[app]\nhalt_timeout = 99999999999999999999999\n",
		  ":2: halt_timeout is out of range" },
		{ "[app]\nnetwork = nat\n", ":2: network is none of" },
		{ "[app]\nnetwork = bridge:\n", ":2: network does not name a bridge" },
		{ "[app]\nnetwork = bridge:a/b\n", ":2: network does not name a bridge" },
		{ "[app]\nnetwork = bridge:..\n", ":2: network does not name a bridge" },
		{ "[app]\nnetwork = bridge:a b\n", ":2: network does not name a bridge" },
		{ "[app]\nnetwork = bridge:a234567890123456\n",
		  ":2: network does not name a bridge" },
		{ "[app]\napparmor =\n", ":2: apparmor is empty" },
		{ "[app]\napparmor = a b\n", ":2: apparmor is not the name of a profile" },
		{ "[app]\nseccomp =\n", ":2: seccomp is not an absolute path" },
		{ "[app]\nseccomp = common.seccomp\n", ":2: seccomp is not an absolute path" },
		{ "[app]\ncpu = 0\n", ":2: cpu is out of range" },
		{ "[app]\ncpu = %\n", ":2: cpu is not a number" },
		{ "[app]\ncpu = 00000000000000000000\n", ":2: cpu is out of range" },
		{ "[app]\ncpu = 2147483648\n", ":2: cpu is out of range" },
		{ "[app]\ncores = 1-\n", ":2: cores is not a list" },
		{ "[app]\nmemory = 0\n", ":2: memory is out of range" },
		{ "[app]\nmemory = -1\n", ":2: memory is not a size" },
		{ "[app]\nmemory = 1X\n", ":2: memory is not a size" },
		{ "[app]\nmemory = 1MB\n", ":2: memory is not a size" },
		{ "[app]\nmemsw = 16777216T\n", ":2: memsw is out of range" },
		{ "[app]\nmemsw = 99999999999999999999999\n", ":2: memsw is out of range" },
		{ "[app]\npids = 0\n", ":2: pids is out of range" },
		{ "[app]\npids = 4194305\n", ":2: pids is out of range" },
		{ "[app]\npids = 1K\n", ":2: pids is not a number" },
		{ "[app]\npids =\n", ":2: pids is not a number" },
		{ "[app]\nidmap_base = 65535\n", ":2: idmap_base is out of range" },
		{ "[app]\nidmap_base = 4294967295\n", ":2: idmap_base is out of range" },
		{ "[app]\nidmap_size = 0\n", ":2: idmap_size is out of range" },
		{ "[app]\nidmap_base = 4294960000\nidmap_size = 65536\n", "no room" },
		{ "[sys]\nbase = a/b\n", ":2: base is not the name" },
		{ "[sys]\nstore = srv\n", ":2: store is not an absolute path" },
		{ "[sys]\nlibvirt =\n", ":2: libvirt is empty" },
		{ "[sys]\nemulation = 1\n", ":2: emulation is neither" },
		{ "[sys]\ncpus = 0\n", ":2: cpus is out of range" },
		{ "[sys]\ncpus = two\n", ":2: cpus is not a number" },
		{ "[sys]\nhalt_timeout = 86401\n", ":2: halt_timeout is out of range" },
		{ "[sys]\nmemory = 0\n", ":2: memory is out of range" },
		{ "[sys]\nmemory = 2048T\n", ":2: memory is out of range" },
		{ "[sys]\nmemory = 1K\n", ":2: memory is not a size in MiB" },
		{ "[sys]\nmemory = 1GB\n", ":2: memory is not a size in MiB" },
		{ "[sys]\ndisk = max\n", ":2: disk is not a size" },
		{ "[sys]\ndisk = 1000\n", ":2: disk is not a multiple of 512" },
		{ "[sys]\ndisk = 65T\n", ":2: disk is out of range" },
		{ "[sys]\nnetwork = host\n", ":2: network is none of none" },
		{ "[sys]\nnetwork = network:\n", ":2: network does not name a network" },
		{ "[sys]\nnetwork = network:-a\n", ":2: network does not name a network" },
		{ "[sys]\nnetwork = bridge:a/b\n", ":2: network does not name a bridge" },
		{ "[sys]\nkernel = vmlinuz\n", ":2: kernel is not an absolute path" },
		{ "[sys]\ninitrd = /i\n", "an initrd without a kernel" },
		{ "[sys]\ncmdline = quiet\n", "a cmdline without a kernel" },
		{ "[sys]\nnfs_server = server\n", "belong together" },
		{ "[sys]\nnfs_export = /srv\n", "belong together" },
		{ "[sys]\nnfs_server = -o\n", ":2: nfs_server is empty, or begins with -" },
		{ "[sys]\nnfs_options = vers=4 ro\n", ":2: nfs_options has a character" },
		{ "[sys]\nnfs_mount = mnt\n", ":2: nfs_mount is not an absolute path" },
		{ "[sys]\nprivileged = yes\n", ":2: privileged is not a known key" },
		{ "[app]\nbase = a\nbase = b\n", ":3: base is given twice" },
		{ "[app]\nbase = a\n  b\n", ":3: the line begins with a blank" },
		{ "[app]\nba\033[1mse = a\n", ":2: ba?[1mse is not a known key" },
	};
	struct dre_config cfg;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_fails(load(&cfg, cases[i].text), DRE_ERR_INVALID_ARGUMENT, cases[i].part);
		assert_memory_equal(dre_last_error(), path, strlen(path));
	}
}

/* Not cut in two, and not cut off. */
static void long_lines(void **state)
{
	struct dre_config cfg;
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "[app]\nstore = /", 15);
	strcpy(text + sizeof(text) - 2, "\n");
	assert_fails(load(&cfg, text), DRE_ERR_INVALID_ARGUMENT, ":2: the line is too long");
	memcpy(text, "[app]\n#########", 15);
	assert_fails(load(&cfg, text), DRE_ERR_INVALID_ARGUMENT, ":2: the line is too long");
}

static void binary_file(void **state)
{
	FILE *f = fopen(path, "we");
	struct dre_config cfg;

	(void)state;
	assert_non_null(f);
	fwrite("[app]\n\0base = x\n", 1, 16, f);
	fclose(f);
	assert_fails(dre_config_load(&cfg), DRE_ERR_INVALID_ARGUMENT, ":2: the line is");
}

#define NOBODY		65534
#define NOT_SET_USER_ID	2

/* In a copy of this program that is set-user-ID: whoever runs it does not say what it reads. */
static int load_with_privilege(void)
{
	struct dre_config cfg;

	if (geteuid() != 0 || getuid() != NOBODY)
		return NOT_SET_USER_ID;
	return dre_config_load(&cfg) != 0;
}

static int run_as_nobody(const char *program)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		setenv("DRE_CONF", "/nonexistent/dre.conf", 1);
		if (!setresgid(NOBODY, NOBODY, NOBODY) && !setresuid(NOBODY, NOBODY, NOBODY))
			execl(program, program, LOAD, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void set_user_id(void **state)
{
	char program[] = "/tmp/dre-conf-suid-XXXXXX";
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = mkostemp(program, O_CLOEXEC), ret;
	struct stat st;

	(void)state;
	assert_true(from >= 0 && to >= 0);
	assert_int_equal(fstat(from, &st), 0);
	while (sendfile(to, from, NULL, st.st_size) > 0)
		;
	assert_int_equal(fchmod(to, 04755), 0);
	close(from);
	close(to);
	ret = run_as_nobody(program);
	unlink(program);
	if (ret == NOT_SET_USER_ID)
		skip();		/* where file systems are mounted "nosuid" */
	assert_int_equal(ret, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_file),
		cmocka_unit_test(empty_files),
		cmocka_unit_test(shipped_file),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(single_values),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(binary_file),
		cmocka_unit_test(set_user_id),
	};

	if (argc == 2 && !strcmp(argv[1], LOAD))
		_exit(load_with_privilege());
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
