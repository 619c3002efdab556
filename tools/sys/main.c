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
	{ "create", "[--base BASE | --rootfs DEVICE] [--memory MIB] [--set KEY=VALUE]... [--start] NAME",
	  "create a container",
	  "  -b, --base BASE      made from this base image (default: dre.conf's)\n"
	  "  -r, --rootfs DEVICE  made from this partition of the host, which dre.conf's kernel boots\n"
	  "  -m, --memory MIB     memory of its machine (default: dre.conf's)\n"
	  "  -s, --set KEY=VALUE  a property, see 'dre-sys set --help'\n"
	  "      --start          and switch it on\n", cmd_create },
	{ "start", "[--all | NAME...]", "switch containers on",
	  "  -a, --all  all that are stopped, in the order of autostart\n", cmd_start },
	{ "stop", "[--timeout SECONDS | --kill] [--all | NAME...]", "stop containers in good order",
	  "  -a, --all              all that run or are suspended, against the order of autostart\n"
	  "  -k, --kill             switch them off at once\n"
	  "  -t, --timeout SECONDS  switch off what is not off after that; 0 is --kill\n\n"
	  "Their power button is pressed. What is not off after its time (halt_timeout) is switched off.\n"
	  "Several are stopped at the same time; with --all, those of one autostart_order.\n", cmd_stop },
	{ "reboot", "[--timeout SECONDS | --kill] NAME...", "stop containers, and start them again",
	  "  -k, --kill             switch them off at once\n"
	  "  -t, --timeout SECONDS  switch off what is not off after that; 0 is --kill\n", cmd_reboot },
	{ "autostart", "", "start the containers that are to be started with the host",
	  "Those that have autostart=yes, by autostart_order, and those of one order by name.\n"
	  "What runs already stays as it is.\n", cmd_autostart },
	{ "suspend", "NAME...", "stop the processors of containers", NULL, cmd_suspend },
	{ "resume", "NAME...", "let suspended containers go on", NULL, cmd_resume },
	{ "destroy", "[--force] NAME...", "remove stopped containers for good",
	  "  -f, --force  also those that run or are suspended: they are killed\n", cmd_destroy },
	{ "wait", "[--state STATE] [--timeout SECONDS] NAME", "wait until a container is stopped",
	  "  -s, --state STATE      until it is running, suspended or stopped (default)\n"
	  "  -t, --timeout SECONDS  no longer than that; the exit status is 124 then\n", cmd_wait },
	{ "inspect", "[--json] NAME...", "show all that there is to know of containers, as JSON", NULL,
	  cmd_inspect },
	{ "status", "[--json] NAME", "print the state of a container",
	  "  -j, --json  as JSON\n\nIt is stopped, running, suspended or busy.\n", cmd_status },
	{ "list", "[--json] [--long] [--quiet] [--state STATE]", "list the containers",
	  "  -j, --json         as JSON\n"
	  "  -l, --long         also the memory of those that run, in bytes, and the hosts that shared ones belong to\n"
	  "  -q, --quiet        nothing but their names\n"
	  "  -s, --state STATE  those that are stopped, running, suspended, busy, remote or unknown\n\n"
	  "What another host has of the shared store is remote.\n", cmd_sys_list },
	{ "top", "[--groups] [--interval SECONDS] [--count N] [--json]", "show what containers use, again and again",
	  "  -g, --groups            what each of their control groups uses; \".\" is a container as a whole\n"
	  "  -i, --interval SECONDS  between two looks (default 2)\n"
	  "  -n, --count N           only N times\n"
	  "  -j, --json              as JSON, an object each time\n\n"
	  "Until it is interrupted, or, on a terminal, q is typed. CPU% is of one CPU; memory is in bytes;\n"
	  "LIMIT is that of memory. Processes that are bound to control groups count, too.\n", cmd_top },
	{ "events", "[--json] [--count N] [NAME]...", "follow what happens to containers, or to all",
	  "  -j, --json     as JSON, an object a line\n"
	  "  -n, --count N  only the next N events\n\n"
	  "Until it is interrupted. Containers are started, and end; processes are bound to a control group,\n"
	  "and unbound.\n", cmd_events },
	{ "cgroup create", "NAME CGROUP", "make a control group for processes of the host", NULL,
	  cmd_cgroup_create },
	{ "cgroup destroy", "NAME CGROUP", "remove a control group", NULL, cmd_cgroup_destroy },
	{ "cgroup list", "[--json] NAME", "list the control groups of a container",
	  "  -j, --json  as JSON\n\n"
	  "BOUND are the processes that are bound to it.\n", cmd_cgroup_list },
	{ "bind", "NAME CGROUP PID", "bind a process of the host to a control group", NULL, cmd_bind },
	{ "unbind", "NAME CGROUP PID", "put a bound process back where it was", NULL, cmd_unbind },
	{ "resource set", "NAME CGROUP RESOURCE LIMIT", "limit a control group",
	  "RESOURCE and LIMIT are one of\n"
	  "  cpu PERCENT   of one CPU: 200 are two CPUs\n"
	  "  cores LIST    of CPUs, as 0-3,5\n"
	  "  memory SIZE   bytes, or with K, M, G, T\n"
	  "  memsw SIZE    memory and swap together; needs a limit of memory\n"
	  "CGROUP . is the container as a whole, with its machine. A limit holds at once, and from each\n"
	  "start on.\n", cmd_resource_set },
	{ "resource unset", "NAME CGROUP RESOURCE", "take a limit away",
	  "RESOURCE is cpu, cores, memory or memsw. CGROUP . is the container as a whole.\n",
	  cmd_resource_unset },
	{ "resource get", "[--json] NAME [PID]", "show what a container, or a process of it, uses",
	  "  -j, --json  as JSON\n\n"
	  "CPU% is of one CPU, during 100 ms; CORES are those that it may run on; MEMORY and\n"
	  "MEMSW are in bytes.\n", cmd_resource_get },
	{ "console", "[--escape CHAR] NAME", "come to the serial console of a running container",
	  "  -e, --escape CHAR  Ctrl-CHAR and then q leaves it: ^a (default), another letter, or none\n\n"
	  "It shows what is printed from now on: 'dre-sys logs' shows what was printed before.\n",
	  cmd_console },
	{ "logs", "[--follow | --previous] [--lines N] [--raw] [--json] NAME",
	  "show what a container has printed on its console",
	  "  -f, --follow    and what it prints, until it ends\n"
	  "  -p, --previous  what it printed in the run before its last start\n"
	  "  -n, --lines N   only the last N lines\n"
	  "  -r, --raw       control characters as they are, not as ^X\n"
	  "  -j, --json      as JSON, an object a line\n", cmd_logs },
	{ "set", "NAME KEY=VALUE...", "set properties of a container",
	  "  cpus=N               processors\n"
	  "  memory=MIB           or with M, G, T\n"
	  "  disk=SIZE            bytes, or with K, M, G, T: it is at least so large, and never smaller\n"
	  "  network=NETWORK      none, network:NAME (of libvirt) or bridge:NAME\n"
	  "  mac=ADDRESS          of its network device\n"
	  "  autostart=yes|no     start it with the host\n"
	  "  autostart_order=N    lower ones first\n"
	  "  autostart_delay=SECONDS\n"
	  "                       before the next one is started\n"
	  "  halt_timeout=SECONDS\n\n"
	  "All of them, or none if one cannot be set. The disk grows at once; cpus, memory, network\n"
	  "and mac hold when the container is started again.\n", cmd_set },
	{ "unset", "NAME KEY...", "unset properties of a container",
	  "What dre.conf says holds for it then.\n", cmd_unset },
	{ "get", "[--json] NAME [KEY]", "show the properties of a container, or the value of one",
	  "  -j, --json  as JSON\n\n"
	  "SET is no where the value is that of dre.conf.\n", cmd_get },
	{ "save", "NAME SNAPSHOT", "save what is on the disk of a stopped container", NULL, cmd_save },
	{ "load", "NAME SNAPSHOT", "put back what was saved",
	  "What was written since is lost, unless it was saved.\n", cmd_load },
	{ "commit", "NAME SNAPSHOT BASE", "make a base image of a snapshot", NULL, cmd_commit },
	{ "copy", "[--snapshot SNAPSHOT] [--set KEY=VALUE]... NAME COPY",
	  "make another container of what is on the disk of one",
	  "  -s, --snapshot SNAPSHOT  of what was saved; NAME need not be stopped then\n"
	  "      --set KEY=VALUE      a property that the copy has in place of NAME's\n\n"
	  "Nothing is copied: what was written is shared, and does not change any more.\n", cmd_copy },
	{ "rename", "NAME NEW", "give a stopped container without checkpoints another name", NULL, cmd_rename },
	{ "export", "[--compress HOW] NAME FILE", "write a stopped container's disk to a disk image",
	  "  -c, --compress HOW  none (default), zlib or zstd\n\n"
	  "A qcow2 image that stands alone. FILE is there as a whole, or not at all.\n", cmd_export },
	{ "share", "NAME...", "move stopped containers to the shared store",
	  "It is on the NFS server of dre.conf (nfs_server), and hosts that have it see what is there.\n",
	  cmd_share },
	{ "unshare", "NAME...", "move stopped containers back from the shared store", NULL, cmd_unshare },
	{ "takeover", "--force NAME", "own a shared container whose host is gone",
	  "  -f, --force  nobody asks that host: it must not run the container, nor come back with it\n",
	  cmd_takeover },
	{ "immigrate", "[--wait [--timeout SECONDS]] [--cancel] NAME [PORT]",
	  "wait for a running container of another host",
	  "  -w, --wait             until it runs here; else it is only made sure that it can come\n"
	  "  -t, --timeout SECONDS  no longer than that (default: as long as the port is reserved); the\n"
	  "                         exit status is 124 then\n"
	  "  -c, --cancel           it is not to come any more\n\n"
	  "The port is reserved for it for a while (immigration_timeout of dre.conf). 'dre-sys migrate' on the\n"
	  "host that it runs on sends it.\n", cmd_immigrate },
	{ "migrate", "[--json] [--cancel] NAME [HOST PORT]", "move a running container to another host",
	  "  -j, --json    how it went, as JSON\n"
	  "  -c, --cancel  it is on its way, and is to stay here\n\n"
	  "It is a shared one, and that host waits for it at that port: 'dre-sys immigrate NAME PORT'. The guest\n"
	  "goes on, and stands still for a moment at the end. An interrupt cancels, too.\n", cmd_migrate },
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
	{ "base build", "[--suite SUITE] [--packages LIST] [--mirror URL] [--size SIZE] [--verbose] NAME",
	  "make a base image of a small Debian that boots",
	  "  -s, --suite SUITE    bookworm, or a later one (default: stable)\n"
	  "  -p, --packages LIST  beside those of a small machine, with commas\n"
	  "  -m, --mirror URL     where from (default: where this host has it from)\n"
	  "  -S, --size SIZE      of the disk, in bytes, or with K, M, G, T (default: 4G)\n"
	  "  -v, --verbose        shows what mmdebstrap says, which must be installed\n", cmd_base_build },
	{ "base export", "[--compress HOW] BASE FILE", "write a base image to a disk image",
	  "  -c, --compress HOW  none (default), zlib or zstd\n\n"
	  "A qcow2 image that stands alone. FILE is there as a whole, or not at all.\n", cmd_base_export },
	{ "base list", "[--json]", "list the base images",
	  "  -j, --json  as JSON\n", cmd_base_list },
	{ "base inspect", "[--json] BASE...", "show all that there is to know of base images, as JSON", NULL,
	  cmd_base_inspect },
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
	case DRE_ERR_NO_VT:
		return "'emulation = yes' in section [sys] of dre.conf runs it slowly";
	case DRE_ERR_NFS_MOUNT_FAILED:
		return "see nfs_server in dre.conf(5)";
	}
	return container_hint(command, err);
}

CONTAINER_API(dre_sys, DRE_SYS_CONTAINER_TYPE_KVM, "dre-sys", .get_bound_pids = sys_get_bound_pids,
	      .events_next = sys_events_next);

const struct container_extras container_extras = {
	.info_value = sys_info_value,
	.is_remote = sys_is_remote,
	.check_list = sys_check_list,
	.exported = "a disk image",
};

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
