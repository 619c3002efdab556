// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A machine in libvirt's XML. libxml2 writes it, so that no text is ever taken for markup.
 */
#include <errno.h>
#include <libxml/xmlstring.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* XML 1.0 has no way to say control characters, and libvirt takes UTF-8. */
static int check(const struct sys_machine *m, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	struct printable p;

	while (*c >= ' ' || *c == '\t')
		c++;
	if (!*c && xmlCheckUTF8((const xmlChar *)text))
		return 0;
	return dre_fail(DRE_ERR_INVALID_ARGUMENT,
			"domain '%s': libvirt cannot be told of what is not printable UTF-8: %s",
			m->name, dre_printable(&p, text));
}

static int check_all(const struct sys_machine *m)
{
	const char *const texts[] = {
		m->type, m->name, m->uuid, m->partition, m->disk, m->network, m->bridge, m->mac, m->log,
		m->kernel, m->initrd, m->cmdline,
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(texts) / sizeof(*texts); i++)
		ret = check(m, texts[i]);
	return ret;
}

static void begin(xmlTextWriterPtr w, const char *name, const char *const attributes[])
{
	xmlTextWriterStartElement(w, (const xmlChar *)name);
	for (; *attributes; attributes += 2)
		xmlTextWriterWriteAttribute(w, (const xmlChar *)attributes[0],
					    (const xmlChar *)attributes[1]);
}

static void end(xmlTextWriterPtr w)
{
	xmlTextWriterEndElement(w);
}

/* Attributes are pairs of a name and a value, and a NULL. What is in it follows BEGIN(), then end(). */
#define BEGIN(w, name, ...)	begin(w, name, (const char *const[]){ __VA_ARGS__ })
#define EMPTY(w, ...)		(BEGIN(w, __VA_ARGS__), end(w))

static void element(xmlTextWriterPtr w, const char *name, const char *text)
{
	if (*text)
		xmlTextWriterWriteElement(w, (const xmlChar *)name, (const xmlChar *)text);
}

/* So that people who look at libvirt's domains see what it is. */
static void write_metadata(xmlTextWriterPtr w, const struct sys_machine *m)
{
	element(w, "title", "D-RE system container");
	BEGIN(w, "metadata", NULL);
	EMPTY(w, "dre:container", "xmlns:dre", SYS_NAMESPACE, NULL);
	end(w);
	element(w, "uuid", m->uuid);
	BEGIN(w, "resource", NULL);
	element(w, "partition", m->partition);
	end(w);
}

static void write_os(xmlTextWriterPtr w, const struct sys_machine *m)
{
	BEGIN(w, "os", NULL);
	element(w, "type", "hvm");
	EMPTY(w, "boot", "dev", "hd", NULL);
	element(w, "kernel", m->kernel);
	element(w, "initrd", m->initrd);
	element(w, "cmdline", m->cmdline);
	end(w);

	BEGIN(w, "features", NULL);
	EMPTY(w, "acpi", NULL);
	EMPTY(w, "apic", NULL);
	end(w);
	/* A guest that sleeps by itself would be in a state that containers do not have. */
	BEGIN(w, "pm", NULL);
	EMPTY(w, "suspend-to-mem", "enabled", "no", NULL);
	EMPTY(w, "suspend-to-disk", "enabled", "no", NULL);
	end(w);
	element(w, "on_poweroff", "destroy");
	element(w, "on_reboot", "restart");
	element(w, "on_crash", "destroy");
}

static void write_resources(xmlTextWriterPtr w, const struct sys_machine *m)
{
	BEGIN(w, "memory", "unit", "MiB", NULL);
	xmlTextWriterWriteFormatString(w, "%u", m->memory);
	end(w);
	xmlTextWriterWriteFormatElement(w, (const xmlChar *)"vcpu", "%u", m->cpus);
	/* All that the host has, or the emulator. */
	EMPTY(w, "cpu", "mode", strcmp(m->type, "kvm") ? "maximum" : "host-passthrough", NULL);
}

/* It boots from its disk, and so needs no program of the host's for the other way. */
static void write_network(xmlTextWriterPtr w, const struct sys_machine *m)
{
	bool bridge = *m->bridge;

	if (!bridge && !*m->network)
		return;
	BEGIN(w, "interface", "type", bridge ? "bridge" : "network", NULL);
	EMPTY(w, "mac", "address", m->mac, NULL);
	EMPTY(w, "source", bridge ? "bridge" : "network", bridge ? m->bridge : m->network, NULL);
	EMPTY(w, "model", "type", "virtio", NULL);
	EMPTY(w, "rom", "enabled", "no", NULL);
	end(w);
}

static void write_devices(xmlTextWriterPtr w, const struct sys_machine *m)
{
	BEGIN(w, "devices", NULL);
	BEGIN(w, "disk", "type", "file", "device", "disk", NULL);
	/* Of a remote one this host remembers nothing: another host may be the next to write to it. */
	EMPTY(w, "driver", "name", "qemu", "type", "qcow2", "discard", "unmap",
	      m->remote_disk ? "error_policy" : NULL, "stop", "rerror_policy", "stop", "cache", "none", NULL);
	EMPTY(w, "source", "file", m->disk, NULL);
	EMPTY(w, "target", "dev", SYS_DISK, "bus", "virtio", NULL);
	end(w);
	write_network(w, m);
	EMPTY(w, "controller", "type", "usb", "model", "none", NULL);
	BEGIN(w, "serial", "type", "pty", NULL);
	EMPTY(w, "log", "file", m->log, "append", "on", NULL);
	EMPTY(w, "target", "port", "0", NULL);
	end(w);
	BEGIN(w, "rng", "model", "virtio", NULL);
	BEGIN(w, "backend", "model", "random", NULL);
	xmlTextWriterWriteString(w, (const xmlChar *)"/dev/urandom");
	end(w);
	end(w);
	end(w);
}

/* What an element could not get for want of memory makes the document incomplete: its end tells. */
static int write_all(xmlBufferPtr buffer, const struct sys_machine *m)
{
	xmlTextWriterPtr w = xmlNewTextWriterMemory(buffer, 0);
	int len;

	if (!w)
		return -ENOMEM;
	xmlTextWriterStartDocument(w, NULL, "UTF-8", NULL);
	BEGIN(w, "domain", "type", m->type, NULL);
	element(w, "name", m->name);
	write_metadata(w, m);
	write_resources(w, m);
	write_os(w, m);
	write_devices(w, m);
	end(w);
	len = xmlTextWriterEndDocument(w);
	xmlFreeTextWriter(w);
	return len < 0 ? -ENOMEM : 0;
}

int sys_machine_xml(const struct sys_machine *m, char **xml)
{
	xmlBufferPtr buffer;
	int ret = check_all(m);

	if (ret)
		return ret;
	*xml = NULL;
	buffer = xmlBufferCreate();
	ret = buffer ? write_all(buffer, m) : -ENOMEM;
	if (!ret)
		*xml = strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	return *xml ? 0 : dre_fail_errno(ENOMEM, "domain '%s'", m->name);
}
