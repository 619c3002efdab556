// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What libvirt is told of a machine: libvirt itself reads it, by its driver for tests, which needs no
 * daemon, and is asked what it has understood.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sys/sys.h"

#define UUID "0d4d7a7e-25e5-4b6a-9d4b-3a9f0e0c1f11"

static const struct sys_machine plain = {
	.type = "test",
	.name = "dre-web",
	.uuid = UUID,
	.partition = "/dre/sys/dre-web.partition",
	.memory = 96,
	.network = "",
	.bridge = "",
	.mac = "52:54:00:0c:1f:11",
	.cpus = 3,
	.disk = "/var/lib/dre/sys/layers/0k3v9d2m",
	.log = "/var/lib/dre/sys/containers/web/console.log",
	.kernel = "",
	.initrd = "",
	.cmdline = "",
};

static virConnectPtr libvirt;

static int connect_libvirt(void **state)
{
	(void)state;
	libvirt = virConnectOpen("test:///default");
	return libvirt ? 0 : -1;
}

static int disconnect(void **state)
{
	(void)state;
	return virConnectClose(libvirt);
}

/* Defines it, gives libvirt's own description of it, and takes it away. */
static char *understood(const struct sys_machine *machine)
{
	virDomainPtr domain;
	virDomainInfo info;
	char *xml, *got;

	assert_int_equal(sys_machine_xml(machine, &xml), 0);
	domain = virDomainDefineXMLFlags(libvirt, xml, VIR_DOMAIN_DEFINE_VALIDATE);
	if (!domain)
		fail_msg("%s: %s", virGetLastErrorMessage(), xml);
	free(xml);
	assert_string_equal(virDomainGetName(domain), machine->name);
	assert_int_equal(virDomainGetInfo(domain, &info), 0);
	assert_int_equal(info.maxMem, machine->memory * 1024ul);
	assert_int_equal(info.nrVirtCpu, machine->cpus);
	got = virDomainGetXMLDesc(domain, 0);
	assert_non_null(got);
	assert_int_equal(virDomainUndefine(domain), 0);
	virDomainFree(domain);
	return got;
}

/* How often a text is there. */
static unsigned int count(const char *xml, const char *text)
{
	unsigned int nr = 0;

	while ((xml = strstr(xml, text))) {
		nr++;
		xml += strlen(text);
	}
	return nr;
}

static void is_understood(void **state)
{
	char *xml = understood(&plain);

	(void)state;
	assert_int_equal(count(xml, "<uuid>" UUID "</uuid>"), 1);
	assert_int_equal(count(xml, "<source file='/var/lib/dre/sys/layers/0k3v9d2m'/>"), 1);
	assert_int_equal(count(xml, "<partition>/dre/sys/dre-web.partition</partition>"), 1);
	assert_int_equal(count(xml, "<disk "), 1);
	assert_int_equal(count(xml, "type='qcow2'"), 1);
	assert_int_equal(count(xml, "<acpi/>"), 1);
	assert_int_equal(count(xml, "<dre:container "), 1);
	assert_int_equal(count(xml, "<on_crash>destroy</on_crash>"), 1);
	assert_int_equal(count(xml, "<kernel>"), 0);
	assert_int_equal(count(xml, "<cmdline>"), 0);
	assert_int_equal(count(xml, "<interface"), 0);
	free(xml);
}

static void has_a_network(void **state)
{
	struct sys_machine machine = plain;
	char *xml;

	(void)state;
	machine.network = "it'<net>";
	xml = understood(&machine);
	assert_int_equal(count(xml, "<interface type='network'>"), 1);
	assert_int_equal(count(xml, "<source network='it&apos;&lt;net&gt;'/>"), 1);
	assert_int_equal(count(xml, "<mac address='52:54:00:0c:1f:11'/>"), 1);
	assert_int_equal(count(xml, "<model type='virtio'/>"), 1);
	free(xml);
	machine.network = "";
	machine.bridge = "br0";
	xml = understood(&machine);
	assert_int_equal(count(xml, "<interface type='bridge'>"), 1);
	assert_int_equal(count(xml, "<source bridge='br0'/>"), 1);
	free(xml);
}

static void boots_a_kernel(void **state)
{
	struct sys_machine machine = plain;
	char *xml;

	(void)state;
	machine.kernel = "/boot/vmlinuz";
	machine.initrd = "/boot/initrd";
	machine.cmdline = "root=/dev/vda quiet";
	xml = understood(&machine);
	assert_int_equal(count(xml, "<kernel>/boot/vmlinuz</kernel>"), 1);
	assert_int_equal(count(xml, "<initrd>/boot/initrd</initrd>"), 1);
	assert_int_equal(count(xml, "<cmdline>root=/dev/vda quiet</cmdline>"), 1);
	free(xml);
}

/* What dre.conf may say is text, whatever it looks like. */
static void markup_is_text(void **state)
{
	struct sys_machine machine = plain;
	char *xml;

	(void)state;
	machine.disk = "/srv/a'/><source file='/etc/shadow'/>\"&lt;<!--/layers/0k3v9d2m";
	machine.log = "/srv/]]>&#10;&amp;\"'/console.log";
	machine.network = "a'/><model type=\"e1000\"/></interface><hostdev/>&amp;";
	machine.partition = "/dre/</partition></resource><os>&'\"";
	machine.kernel = "/boot/</kernel></os><devices><hostdev/>";
	machine.initrd = "/boot/\xc3\xbc<initrd>";
	machine.cmdline = "a=\"b c\" d='<e>' &f; \xe2\x82\xac";
	xml = understood(&machine);
	assert_int_equal(count(xml, "<disk "), 1);
	assert_int_equal(count(xml, "<hostdev"), 0);
	assert_int_equal(count(xml, "<source file='/srv/a&apos;/&gt;&lt;source file=&apos;/etc/shadow"), 1);
	assert_int_equal(count(xml, "<kernel>/boot/&lt;/kernel&gt;&lt;/os&gt;"), 1);
	assert_int_equal(count(xml, "/boot/\xc3\xbc&lt;initrd&gt;"), 1);
	assert_int_equal(count(xml, "<interface "), 1);
	assert_int_equal(count(xml, "<model type='virtio'/>"), 1);
	assert_int_equal(count(xml, "network='a&apos;/&gt;&lt;model type=&quot;e1000&quot;/&gt;"), 1);
	assert_int_equal(count(xml, "<partition>/dre/&lt;/partition&gt;&lt;/resource&gt;&lt;os&gt;&amp;"), 1);
	assert_int_equal(count(xml, "&amp;f; \xe2\x82\xac</cmdline>"), 1);
	free(xml);
}

static void what_xml_cannot_say(void **state)
{
	static const char *const texts[] = { "/a\001b", "/a\x1b[1m", "/a\xff", "/a\xc3", "/a\nb" };
	struct sys_machine machine;
	char *xml = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		machine = plain;
		machine.disk = texts[i];
		assert_int_equal(sys_machine_xml(&machine, &xml), DRE_ERR_INVALID_ARGUMENT);
		machine = plain;
		machine.cmdline = texts[i];
		assert_int_equal(sys_machine_xml(&machine, &xml), DRE_ERR_INVALID_ARGUMENT);
		assert_non_null(strstr(dre_last_error(), "UTF-8"));
		assert_null(xml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_understood),
		cmocka_unit_test(has_a_network),
		cmocka_unit_test(boots_a_kernel),
		cmocka_unit_test(markup_is_text),
		cmocka_unit_test(what_xml_cannot_say),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, connect_libvirt, disconnect);
}
