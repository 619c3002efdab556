// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libFuzzer on what reads libvirt's descriptions of machines, which come with the memory of a checkpoint from a file.
 * The name of the parser, DRE_PARSER, is "xml".
 */
#include <libxml/xmlerror.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/memory.h"

#define REQUIRE(condition) do { if (!(condition)) abort(); } while (0)

/* What libFuzzer calls; it has no header. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A machine that can be restored has the disk of its container, whatever it was saved with. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sys_location location = { .disk = "/s/layers/aaaaaaaa", .log = "/s/log", .remote = size % 2 };
	char *text = strndup((const char *)data, size), *xml = NULL, *disk = NULL;
	int err = sys_relocate("web", text, &location, &xml);

	REQUIRE(!err == !!xml);
	REQUIRE(!err || (*dre_last_error() && !strchr(dre_last_error(), '\n')));
	if (!err) {
		REQUIRE(!sys_read_disk("web", xml, &disk) && !strcmp(disk, location.disk));
		free(disk);
		disk = NULL;
	}
	REQUIRE(!sys_read_disk("web", text, &disk) == !!disk);
	free(disk);
	free(xml);
	free(text);
	return 0;
}
