// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libvirt's XML of checkpoints. What is saved comes back from a file, so that it may be anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sys/memory.h"

#define DISK(target, source) "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>" source \
	"<target dev='" target "' bus='virtio'/></disk>"
#define DOMAIN(disks) "<domain type='kvm'><name>dre-web</name><devices>" disks "</devices></domain>"
#define SOURCE "<source file='/s/layers/aaaaaaaa' index='1'/>"
#define BELOW "<backingStore type='file'><format type='qcow2'/><source file='/s/layers/bbbbbbbb'/>" \
	"<backingStore/></backingStore>"

static void snapshot(void **state)
{
	char *xml;

	(void)state;
	assert_int_equal(sys_snapshot_xml("web", "/s/a b'\"<&>/memory", "/s/layers/\xc3\xbc", &xml), 0);
	assert_non_null(strstr(xml, "<memory snapshot=\"external\" file=\"/s/a b'&quot;&lt;&amp;&gt;/memory\"/>"));
	assert_non_null(strstr(xml, "<disk name=\"vda\" snapshot=\"external\" type=\"file\">"));
	assert_non_null(strstr(xml, "<driver type=\"qcow2\"/>"));
	assert_non_null(strstr(xml, "<source file=\"/s/layers/\xc3\xbc\"/>"));
	free(xml);
}

static const struct sys_location location = { .disk = "/s/layers/<c>", .log = "/s/&/console.log" };

/* Only the disk of the machine, and nothing of what is below it. */
static void disk_is_replaced(void **state)
{
	static const char saved[] = DOMAIN(DISK("vdb", "<source file='/other'/>" BELOW)
					   DISK("vda", "<driver type='qcow2'/>" SOURCE BELOW));
	const char *other;
	char *xml, *disk;

	(void)state;
	assert_int_equal(sys_relocate("web", saved, &location, &xml), 0);
	assert_non_null(strstr(xml, "<source file=\"/s/layers/&lt;c&gt;\""));
	assert_null(strstr(xml, "aaaaaaaa"));
	assert_non_null(strstr(xml, "<name>dre-web</name>"));
	other = strstr(xml, "<source file=\"/other\"/>");
	assert_non_null(other);
	assert_non_null(strstr(other, "bbbbbbbb"));
	assert_null(strstr(strstr(other, "<target"), "bbbbbbbb"));
	assert_int_equal(sys_read_disk("web", xml, &disk), 0);
	assert_string_equal(disk, "/s/layers/<c>");
	free(disk);
	free(xml);
}

/* It goes to the other store, and back. */
static void store_is_replaced(void **state)
{
	static const char saved[] = DOMAIN(
		DISK("vda", "<driver name='qemu' type='qcow2' discard='unmap'/>" SOURCE)
		"<serial type='pty'><log file='/old/console.log' append='on'/></serial>"
		"<console type='pty'><log file='/old/console.log' append='on'/></console>");
	static const char driver[] = "<driver name=\"qemu\" type=\"qcow2\" discard=\"unmap\"";
	static const char remote[] = " error_policy=\"stop\" rerror_policy=\"stop\" cache=\"none\"/>";
	struct sys_location to = location;
	char *there, *back;

	(void)state;
	to.remote = true;
	assert_int_equal(sys_relocate("web", saved, &to, &there), 0);
	assert_null(strstr(there, "/old/"));
	assert_non_null(strstr(there, "<serial type=\"pty\"><log file=\"/s/&amp;/console.log\" append=\"on\"/>"));
	assert_non_null(strstr(there, "<console type=\"pty\"><log file=\"/s/&amp;/console.log\" append=\"on\"/>"));
	assert_non_null(strstr(there, driver));
	assert_non_null(strstr(there, remote));
	to.remote = false;
	assert_int_equal(sys_relocate("web", there, &to, &back), 0);
	assert_non_null(strstr(back, driver));
	assert_null(strstr(back, "policy"));
	assert_null(strstr(back, "cache"));
	free(there);
	free(back);
}

/* The other host writes to another part of it. */
static void log_is_replaced(void **state)
{
	static const char described[] = DOMAIN(
		"<interface type='bridge'/>"
		"<serial type='pty'><log file='/s/&amp;/console.log' append='on'/></serial>"
		"<console type='pty'><log file='/s/&amp;/console.log' append='on'/></console>");
	char *log, *there;

	(void)state;
	assert_int_equal(sys_read_log("web", described, &log), 0);
	assert_string_equal(log, "/s/&/console.log");
	free(log);
	assert_int_equal(sys_replace_log("web", described, "/s/&/console.log-2", &there), 0);
	assert_null(strstr(there, "console.log\""));
	assert_int_equal(sys_read_log("web", there, &log), 0);
	assert_string_equal(log, "/s/&/console.log-2");
	free(log);
	free(there);
	assert_int_equal(sys_read_log("web", DOMAIN("<serial type='pty'/>"), &log), DRE_ERR_DEVICE_BUSY);
	assert_null(log);
	assert_non_null(strstr(dre_last_error(), "'web': libvirt describes no log"));
	assert_int_equal(sys_read_log("web", "<domain", &log), DRE_ERR_DEVICE_BUSY);
	assert_int_equal(sys_replace_log("web", "<domain/>", "/l", &there), DRE_ERR_DEVICE_BUSY);
}

static void what_is_no_machine(void **state)
{
	static const char *const texts[] = {
		"", "no xml", "<domain>", "<domain/>", "<domain><devices/></domain>", DOMAIN(""),
		DOMAIN(DISK("vdb", SOURCE)), DOMAIN(DISK("vda", "")),
		"<domain><disk><target dev='vda'/><source file='/a'/></disk></domain>",
	};
	char *text = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(sys_relocate("web", texts[i], &location, &text), DRE_ERR_LOAD_SNAPSHOT_FAILED);
		assert_non_null(strstr(dre_last_error(), "web"));
		assert_int_equal(sys_read_disk("web", texts[i], &text), DRE_ERR_CONTAINER_UNKNOWN_STATUS);
		assert_null(text);
	}
}

/* No file is read because an image names it. */
static void entities_are_not_loaded(void **state)
{
	static const char saved[] = "<!DOCTYPE domain [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>"
		"<domain><title>&e;</title><devices>" DISK("vda", "<driver/>" SOURCE) "</devices></domain>";
	char *xml;

	(void)state;
	assert_int_equal(sys_relocate("web", saved, &location, &xml), 0);
	assert_null(strstr(xml, "root:"));
	free(xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot),
		cmocka_unit_test(disk_is_replaced),
		cmocka_unit_test(store_is_replaced),
		cmocka_unit_test(log_is_replaced),
		cmocka_unit_test(what_is_no_machine),
		cmocka_unit_test(entities_are_not_loaded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
