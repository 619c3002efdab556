// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libvirt's XML of snapshots, and of machines that it knows. libxml2 reads and writes it.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define X(text)	((const xmlChar *)(text))

static int fail_memory(const char *name)
{
	return dre_fail_errno(ENOMEM, "container '%s'", name);
}

static int print(const char *name, xmlDocPtr doc, char **xml)
{
	xmlChar *text = NULL;
	int len;

	xmlDocDumpMemoryEnc(doc, &text, &len, "UTF-8");
	*xml = text ? strdup((char *)text) : NULL;
	xmlFree(text);
	return *xml ? 0 : fail_memory(name);
}

/* NULL if there is no memory, here or for @parent. */
static xmlNodePtr add(xmlNodePtr parent, const char *name)
{
	return parent ? xmlNewChild(parent, NULL, X(name), NULL) : NULL;
}

static bool set(xmlNodePtr node, const char *name, const char *value)
{
	return node && xmlSetProp(node, X(name), X(value));
}

static bool describe_snapshot(xmlNodePtr root, const char *file, const char *layer)
{
	xmlNodePtr memory = add(root, "memory"), disk = add(add(root, "disks"), "disk");

	return set(memory, "snapshot", "external") && set(memory, "file", file) &&
	       set(disk, "name", SYS_DISK) && set(disk, "snapshot", "external") &&
	       set(disk, "type", "file") && set(add(disk, "driver"), "type", "qcow2") &&
	       set(add(disk, "source"), "file", layer);
}

int sys_snapshot_xml(const char *name, const char *file, const char *disk, char **xml)
{
	xmlDocPtr doc = xmlNewDoc(X("1.0"));
	xmlNodePtr root = doc ? xmlNewDocNode(doc, NULL, X("domainsnapshot"), NULL) : NULL;
	int err;

	if (root)
		xmlDocSetRootElement(doc, root);
	err = root && describe_snapshot(root, file, disk) ? print(name, doc, xml) : fail_memory(name);
	xmlFreeDoc(doc);
	return err;
}

static xmlNodePtr find(xmlNodePtr parent, const char *name)
{
	xmlNodePtr node = parent ? parent->children : NULL;

	while (node && (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0))
		node = node->next;
	return node;
}

static bool has(xmlNodePtr node, const char *name, const char *value)
{
	xmlChar *text = node ? xmlGetProp(node, X(name)) : NULL;
	bool same = text && !strcmp((const char *)text, value);

	xmlFree(text);
	return same;
}

static xmlNodePtr find_disk(xmlDocPtr doc)
{
	xmlNodePtr devices = find(xmlDocGetRootElement(doc), "devices");
	xmlNodePtr node = devices ? devices->children : NULL;

	while (node && (node->type != XML_ELEMENT_NODE ||
			strcmp((const char *)node->name, "disk") != 0 ||
			!has(find(node, "target"), "dev", SYS_DISK)))
		node = node->next;
	return node;
}

/* It comes from a file: nothing that is named in it is loaded. */
static xmlDocPtr parse(const char *xml)
{
	return xmlReadMemory(xml, strlen(xml), NULL, NULL,
			     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static int fail_disk(const char *name, int code)
{
	return dre_fail(code, "container '%s': libvirt describes no disk of its machine", name);
}

static int fail_log(const char *name)
{
	return dre_fail(DRE_ERR_DEVICE_BUSY, "container '%s': libvirt describes no log of its machine's console", name);
}

/* What libvirt knew of the layers below is not so any more. */
static bool replace_layer(xmlNodePtr disk, const char *layer)
{
	xmlNodePtr below;

	while ((below = find(disk, "backingStore"))) {
		xmlUnlinkNode(below);
		xmlFreeNode(below);
	}
	return set(find(disk, "source"), "file", layer);
}

/* It is what it would have been made as: see write_devices() in machine.c. */
static bool replace_policy(xmlNodePtr driver, bool remote)
{
	static const char *const policy[][2] = {
		{ "error_policy", "stop" }, { "rerror_policy", "stop" }, { "cache", "none" },
	};
	bool good = driver;

	for (size_t i = 0; good && i < sizeof(policy) / sizeof(policy[0]); i++)
		if (remote)
			good = set(driver, policy[i][0], policy[i][1]);
		else
			xmlUnsetProp(driver, X(policy[i][0]));
	return good;
}

/* libvirt describes the serial port twice, as a console, too. */
static bool replace_log(xmlNodePtr devices, const char *log)
{
	bool good = true;

	for (xmlNodePtr node = devices->children; node && good; node = node->next) {
		xmlNodePtr its = find(node, "log");

		if (its)
			good = set(its, "file", log);
	}
	return good;
}

int sys_relocate(const char *name, const char *saved, const struct sys_location *to, char **xml)
{
	xmlDocPtr doc = parse(saved);
	xmlNodePtr disk = doc ? find_disk(doc) : NULL;
	int err;

	err = disk && replace_layer(disk, to->disk) && replace_policy(find(disk, "driver"), to->remote) &&
	      replace_log(disk->parent, to->log) ? print(name, doc, xml) :
	      fail_disk(name, DRE_ERR_LOAD_SNAPSHOT_FAILED);
	xmlFreeDoc(doc);
	return err;
}

/* Of the first device that has one. */
static xmlChar *log_of(xmlNodePtr devices)
{
	xmlNodePtr node = devices ? devices->children : NULL, log = NULL;

	for (; node && !log; node = node->next)
		log = find(node, "log");
	return log ? xmlGetProp(log, X("file")) : NULL;
}

int sys_read_log(const char *name, const char *xml, char **path)
{
	xmlDocPtr doc = parse(xml);
	xmlChar *text = doc ? log_of(find(xmlDocGetRootElement(doc), "devices")) : NULL;

	*path = text ? strdup((char *)text) : NULL;
	xmlFree(text);
	xmlFreeDoc(doc);
	return *path ? 0 : fail_log(name);
}

int sys_replace_log(const char *name, const char *described, const char *log, char **xml)
{
	xmlDocPtr doc = parse(described);
	xmlNodePtr devices = doc ? find(xmlDocGetRootElement(doc), "devices") : NULL;
	int err = devices && replace_log(devices, log) ? print(name, doc, xml) : fail_log(name);

	xmlFreeDoc(doc);
	return err;
}

int sys_read_disk(const char *name, const char *xml, char **path)
{
	xmlDocPtr doc = parse(xml);
	xmlNodePtr source = doc ? find(find_disk(doc), "source") : NULL;
	xmlChar *text = source ? xmlGetProp(source, X("file")) : NULL;

	*path = text ? strdup((char *)text) : NULL;
	xmlFree(text);
	xmlFreeDoc(doc);
	return *path ? 0 : fail_disk(name, DRE_ERR_CONTAINER_UNKNOWN_STATUS);
}
