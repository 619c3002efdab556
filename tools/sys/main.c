// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-sys: system containers.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <dre_sys.h>

#include "sys.h"

static const struct command commands[] = {
	{ "create", "[--base BASE] [--memory MIB] NAME", "create a container",
	  "  -b, --base BASE   made from this base image (default: dre.conf's)\n"
	  "  -m, --memory MIB  memory of its machine, in MiB (default: 512)\n", cmd_create },
	{ "start", "NAME...", "switch containers on", NULL, cmd_start },
	{ "stop", "NAME...", "stop containers in good order",
	  "Their power button is pressed. What is not off after the time in dre.conf (halt_timeout)\n"
	  "is switched off.\n", cmd_stop },
	{ "suspend", "NAME...", "stop the processors of containers", NULL, cmd_suspend },
	{ "resume", "NAME...", "let suspended containers go on", NULL, cmd_resume },
	{ "destroy", "NAME...", "remove stopped containers for good", NULL, cmd_destroy },
	{ "status", "[--json] NAME", "print the state of a container",
	  "  -j, --json  as JSON\n\nIt is stopped, running, suspended or busy.\n", cmd_status },
	{ "list", "[--json]", "list the containers",
	  "  -j, --json  as JSON\n", cmd_list },
	{ "save", "NAME SNAPSHOT", "save what is on the disk of a stopped container", NULL, cmd_save },
	{ "load", "NAME SNAPSHOT", "put back what was saved",
	  "What was written since is lost, unless it was saved.\n", cmd_load },
	{ "commit", "NAME SNAPSHOT BASE", "make a base image of a snapshot", NULL, cmd_commit },
	{ "copy", "[--snapshot SNAPSHOT] NAME COPY", "make another container of what is on the disk of one",
	  "  -s, --snapshot SNAPSHOT  of what was saved; NAME need not be stopped then\n\n"
	  "Nothing is copied: what was written is shared, and does not change any more.\n", cmd_copy },
	{ "rename", "NAME NEW", "give a stopped container without checkpoints another name", NULL, cmd_rename },
	{ "export", "[--compress HOW] NAME FILE", "write a stopped container's disk to a disk image",
	  "  -c, --compress HOW  none (default), zlib or zstd\n\n"
	  "A qcow2 image that stands alone. FILE is there as a whole, or not at all.\n", cmd_export },
	{ "snapshot list", "[--json] NAME", "list the snapshots of a container",
	  "  -j, --json  as JSON\n", cmd_snapshot_list },
	{ "snapshot remove", "NAME SNAPSHOT", "remove a snapshot", NULL, cmd_snapshot_remove },
	{ "checkpoint list", "[--json] NAME", "list the checkpoints of a container",
	  "  -j, --json  as JSON\n", cmd_checkpoint_list },
	{ "checkpoint remove", "NAME CHECKPOINT", "remove a checkpoint", NULL,
	  cmd_checkpoint_remove },
	{ "checkpoint", "NAME CHECKPOINT", "save memory and disk of a machine, which runs on", NULL,
	  cmd_checkpoint },
	{ "restart", "NAME CHECKPOINT", "go back to a checkpoint, running",
	  "A machine that runs is switched off. What was written since the checkpoint is lost,\n"
	  "unless it was saved.\n", cmd_restart },
	{ "base import", "NAME SOURCE", "make a base image from a disk",
	  "SOURCE is a qcow2 image, or the raw content of a disk, in a file or a block device.\n",
	  cmd_base_import },
	{ "base export", "[--compress HOW] BASE FILE", "write a base image to a disk image",
	  "  -c, --compress HOW  none (default), zlib or zstd\n\n"
	  "A qcow2 image that stands alone. FILE is there as a whole, or not at all.\n", cmd_base_export },
	{ "base list", "[--json]", "list the base images",
	  "  -j, --json  as JSON\n", cmd_base_list },
	{ "base remove", "BASE", "remove a base image that nothing was made from", NULL,
	  cmd_base_remove },
	{ "gc", "", "remove what nothing names any more",
	  "Commands that change something do it themselves. This finds all.\n", cmd_gc },
	{ "fsck", "[--json] [--repair] [--set-aside]", "look at the whole store, and repair it",
	  "  -j, --json       as JSON\n"
	  "  -r, --repair     mend what can be mended without losing anything\n"
	  "      --set-aside  move manifests that cannot be understood to lost/ in the store, with all\n"
	  "                   that may be theirs\n\n"
	  "Exits with 1 if there is something wrong that was not repaired.\n", cmd_fsck },
	{ }
};

static const char *hint(const char *command, dre_return_t err)
{
	switch (err) {
	case DRE_ERR_PERMISSION_DENIED:
		return geteuid() ? "run it as root" : NULL;
	case DRE_ERR_NO_VT:
		return "'emulation = yes' in section [sys] of dre.conf runs it slowly";
	case DRE_ERR_CONTAINER_NONEXISTENCE:
		return "'dre-sys list' shows those there are";
	case DRE_ERR_CONTAINER_EXISTENCE:
		return "choose another name, or 'dre-sys destroy %s' first";
	case DRE_ERR_CONTAINER_RUNNING:
		return strcmp(command, "start") != 0 && strcmp(command, "resume") != 0 ?
		       "'dre-sys stop %s' stops it" : NULL;
	case DRE_ERR_CONTAINER_STOPPED:
		return strcmp(command, "stop") != 0 ? "'dre-sys start %s' starts it" : NULL;
	case DRE_ERR_CONTAINER_SUSPENDED:
		return !strcmp(command, "start") ? "'dre-sys resume %s' resumes it" :
		       strcmp(command, "suspend") != 0 ? "'dre-sys stop %s' stops it" : NULL;
	case DRE_ERR_CONTAINER_BUSY:
		return "try again";
	case DRE_ERR_BASE_NONEXISTENCE:
		return "'dre-sys base list' shows those there are";
	case DRE_ERR_BASE_EXISTENCE:
		return "choose another name";
	}
	return NULL;
}

CONTAINER_API(dre_sys, DRE_SYS_CONTAINER_TYPE_KVM);

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "dre-sys",
		.purpose = "System containers of the D-RE runtime environment.",
		.commands = commands,
		.hint = hint,
		.complete = complete_kind,
	};

	return command_main(&program, argc, argv);
}
