// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host.h"

void assert_fails(int ret, int code, const char *part)
{
	if (ret != code || !strstr(dre_last_error(), part))
		print_error("%d, \"%s\" in place of %d, \"%s\"\n", ret, dre_last_error(), code, part);
	assert_int_equal(ret, code);
	assert_non_null(strstr(dre_last_error(), part));
	assert_null(strchr(dre_last_error(), '\n'));
}

void assert_success_at(int ret, const char *call, int line)
{
	if (ret)
		print_error("%s returned %d: %s\n", call, ret, dre_last_error());
	_assert_int_equal(ret, 0, __FILE__, line);
}

int shell(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int status;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void kill_libvirt(void)
{
	assert_int_equal(shell("p=$(cat /run/libvirtd.pid) && kill -9 $p && "
			       "while [ -e /proc/$p/exe ]; do sleep 0.1; done"), 0);
}

void configure(const char *more)
{
	FILE *f = fopen(CONFIG, "we");

	assert_non_null(f);
	fprintf(f, "[sys]\nhalt_timeout = %d\nkernel = %s\ninitrd = %s\n"
		"cmdline = %s\n%s", HALT_TIMEOUT, getenv("DRE_TEST_KERNEL"), getenv("DRE_TEST_INITRD"),
		getenv("DRE_TEST_CMDLINE"), more);
	assert_int_equal(fclose(f), 0);
}

dre_sys_handle handle(const char *name)
{
	return (dre_sys_handle){ DRE_SYS_CONTAINER_TYPE_KVM, (char *)name };
}

int create(const char *name, const char *base)
{
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };

	data.udata.kvm.memory_size = 96;
	data.udata.kvm.base = (char *)base;
	return dre_sys_create_container(name, &data);
}

int status(const char *name)
{
	dre_sys_handle h = handle(name);

	return dre_sys_status(&h);
}

static FILE *open_log(const char *name)
{
	static const char *const stores[] = { STORE, SHARED };
	char path[256];
	FILE *f = NULL;

	for (size_t i = 0; i < sizeof(stores) / sizeof(*stores) && !f; i++) {
		snprintf(path, sizeof(path), "%s/containers/%s/console.log", stores[i], name);
		f = fopen(path, "re");
	}
	return f;
}

int count_said(const char *name, const char *text)
{
	FILE *f = open_log(name);
	char line[256];
	int count = 0;

	while (f && fgets(line, sizeof(line), f))
		count += strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return count;
}

static bool says(const char *name, const char *text, int times)
{
	for (int i = 0; i < BOOT_TIME * 10; i++) {
		if (count_said(name, text) >= times)
			return true;
		usleep(100000);
	}
	return false;
}

void assert_says_at(const char *name, const char *text, int times, int line)
{
	if (!says(name, text, times)) {
		shell("tail -n 20 /var/lib/dre/*/containers/%s/console.log | sed 's/^/# /'", name);
		print_error("%s: does not say \"%s\"\n", name, text);
	}
	_assert_true(count_said(name, text) >= times, text, __FILE__, line);
}

void read_layer(const char *name, char layer[16])
{
	char line[128], path[256];
	FILE *f;

	snprintf(path, sizeof(path), STORE "/containers/%s/manifest", name);
	f = fopen(path, "re");
	assert_non_null(f);
	*layer = '\0';
	while (fgets(line, sizeof(line), f))
		sscanf(line, "writable %15s", layer);
	fclose(f);
	assert_int_equal(strlen(layer), 8);
}

void assert_defined(const char *name)
{
	char layer[16];

	read_layer(name, layer);
	assert_int_equal(shell("virsh -q dumpxml --inactive dre-%s | grep -q 'layers/%s'", name, layer), 0);
}

void assert_private(const char *directory)
{
	assert_int_equal(shell("find %s -type f | grep -q . && "
			       "! setpriv --reuid=65534 --regid=65534 --clear-groups find %s "
			       "-type f -readable -o ! -type l -writable 2>/dev/null | sed 's/^/# open: /' | grep .",
			       directory, directory), 0);
}

int set_up_host(void **state)
{
	(void)state;
	if (!getenv("DRE_TEST_KERNEL") || !getenv("DRE_TEST_INITRD") || !getenv("DRE_TEST_CMDLINE"))
		fail_msg("DRE_TEST_KERNEL, DRE_TEST_INITRD and DRE_TEST_CMDLINE say what to boot");
	setenv("DRE_CONF", CONFIG, 1);
	configure("");
	assert_int_equal(shell("rm -f " DISK " && truncate -s 64M " DISK), 0);
	assert_success(dre_sys_import_base("it", DISK, NULL, NULL));
	return 0;
}

int host_main(const struct CMUnitTest *tests, size_t nr, CMFixtureFunction setup, CMFixtureFunction teardown)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (getenv("DRE_TESTS"))
		cmocka_set_test_filter(getenv("DRE_TESTS"));
	return _cmocka_run_group_tests("", tests, nr, setup, teardown);
}
