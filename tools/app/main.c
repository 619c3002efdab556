// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app: application containers.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <dre_app.h>

#include "app.h"

static const struct command commands[] = {
	{ "create", "[--base BASE] [--port PORT] [--set KEY=VALUE]... [--privileged | --unprivileged] [--start] NAME",
	  "create a container",
	  "  -b, --base BASE     made from this base image (default: dre.conf's)\n"
	  "  -p, --port PORT     port of its SSH server\n"
	  "  -s, --set KEY=VALUE a property, see 'dre-app set --help'\n"
	  "      --privileged    without a user namespace: its root is the host's\n"
	  "      --unprivileged  with one (default: dre.conf's choice, which is this)\n"
	  "      --start         and start it\n",
	  cmd_create },
	{ "start", "[--all | NAME...]", "start containers",
	  "  -a, --all  all that are stopped, in the order of autostart\n", cmd_start },
	{ "stop", "[--timeout SECONDS | --kill] [--all | NAME...]", "stop containers in good order",
	  "  -a, --all              all that run or are suspended, against the order of autostart\n"
	  "  -k, --kill             kill them at once\n"
	  "  -t, --timeout SECONDS  kill what is left after that; 0 is --kill\n\n"
	  "Their D-Aware processes terminate first, then init halts. What is not gone after their times\n"
	  "(stop_timeout, halt_timeout) is killed. Several are stopped at the same time; with --all, those\n"
	  "of one autostart_order.\n", cmd_stop },
	{ "reboot", "[--timeout SECONDS | --kill] NAME...", "stop containers, and start them again",
	  "  -k, --kill             kill them at once\n"
	  "  -t, --timeout SECONDS  kill what is left after that; 0 is --kill\n", cmd_reboot },
	{ "autostart", "", "start the containers that are to be started with the host",
	  "Those that have autostart=yes, by autostart_order, and those of one order by name.\n"
	  "What runs already stays as it is.\n", cmd_autostart },
	{ "suspend", "NAME...", "freeze all processes of containers", NULL, cmd_suspend },
	{ "resume", "NAME...", "thaw suspended containers", NULL, cmd_resume },
	{ "destroy", "[--force] NAME...", "remove stopped containers for good",
	  "  -f, --force  also those that run or are suspended: they are killed\n", cmd_destroy },
	{ "top", "[--groups] [--interval SECONDS] [--count N] [--json]", "show what containers use, again and again",
	  "  -g, --groups            what each of their control groups uses; \".\" is a container as a whole\n"
	  "  -i, --interval SECONDS  between two looks (default 2)\n"
	  "  -n, --count N           only N times\n"
	  "  -j, --json              as JSON, an object each time\n\n"
	  "Until it is interrupted, or, on a terminal, q is typed. CPU% is of one CPU; memory is in bytes;\n"
	  "LIMIT is that of memory; REGISTERED is the number of registered processes.\n", cmd_top },
	{ "wait", "[--state STATE] [--timeout SECONDS] NAME", "wait until a container is stopped",
	  "  -s, --state STATE      until it is running, suspended or stopped (default)\n"
	  "  -t, --timeout SECONDS  no longer than that; the exit status is 124 then\n", cmd_wait },
	{ "inspect", "[--json] NAME...", "show all that there is to know of containers, as JSON", NULL,
	  cmd_inspect },
	{ "status", "[--json] NAME", "print the state of a container",
	  "  -j, --json  as JSON\n\n"
	  "It is stopped, running, suspended or busy.\n", cmd_status },
	{ "list", "[--json] [--long] [--quiet] [--state STATE]", "list the containers",
	  "  -j, --json         as JSON\n"
	  "  -l, --long         with what they use of memory, in bytes, and their addresses\n"
	  "  -q, --quiet        nothing but their names\n"
	  "  -s, --state STATE  those that are stopped, running, suspended, busy or unknown\n", cmd_app_list },
	{ "ps", "[--json] [NAME]", "list the registered processes, of all or of one container",
	  "  -j, --json  as JSON\n\n"
	  "PID is the process' number here, VPID that in the container, SIGNALS those that it\n"
	  "terminates on.\n", cmd_ps },
	{ "events", "[--json] [--count N] [NAME]...", "follow what happens in containers, or in all",
	  "  -j, --json     as JSON, an object a line\n"
	  "  -n, --count N  only the next N events\n\n"
	  "Until it is interrupted. Processes are registered, unregistered, bound to a control group,\n"
	  "unbound, refuse to terminate, and exit; containers are started, and end.\n", cmd_events },
	{ "register", "[--vpid] NAME PID", "put a process under D-RE's control for a container",
	  "  -v, --vpid  PID is the process' number in the container\n", cmd_register },
	{ "unregister", "[--vpid] NAME PID", "take a process out of D-RE's control",
	  "  -v, --vpid  PID is the process' number in the container\n", cmd_unregister },
	{ "exec", "[--env KEY=VALUE]... [--user USER[:GROUP]] [--cwd PATH] [--tty | --no-tty] NAME [[--] COMMAND [ARGUMENT]...]",
	  "run a command in a running container",
	  "  -e, --env KEY=VALUE      a variable of its environment\n"
	  "  -u, --user USER[:GROUP]  whom it runs as: names or numbers of the container (default: its root)\n"
	  "  -w, --cwd PATH           where it begins, in the container (default: its root directory)\n"
	  "  -t, --tty                on a terminal, also where there is none here\n"
	  "  -T, --no-tty             on none, also where there is one here\n\n"
	  "Without COMMAND it is a shell, /bin/sh.\n"
	  "The exit status is the command's, 128 + N if signal N ended it, 127 if it is not there.\n",
	  cmd_exec },
	{ "console", "[--escape CHAR] NAME", "come to the console of a running container",
	  "  -e, --escape CHAR  Ctrl-CHAR and then q leaves it: ^a (default), another letter, or none\n\n"
	  "It shows what is printed from now on: 'dre-app logs' shows what was printed before.\n",
	  cmd_console },
	{ "logs", "[--follow | --previous] [--lines N] [--raw] [--json] NAME",
	  "show what a container has printed on its console",
	  "  -f, --follow    and what it prints, until it ends\n"
	  "  -p, --previous  what it printed in the run before its last start\n"
	  "  -n, --lines N   only the last N lines\n"
	  "  -r, --raw       control characters as they are, not as ^X\n"
	  "  -j, --json      as JSON, an object a line\n", cmd_logs },
	{ "save", "NAME SNAPSHOT", "save what is in a stopped container", NULL, cmd_save },
	{ "load", "NAME SNAPSHOT", "put back what was saved",
	  "What was written since is lost, unless it was saved.\n", cmd_load },
	{ "commit", "NAME SNAPSHOT BASE", "make a base image of a snapshot", NULL, cmd_commit },
	{ "copy", "[--snapshot SNAPSHOT] [--set KEY=VALUE]... NAME COPY", "make another container of what is in one",
	  "  -s, --snapshot SNAPSHOT  of what was saved; NAME need not be stopped then\n"
	  "      --set KEY=VALUE      a property that the copy has in place of NAME's\n\n"
	  "Nothing is copied: what was written is shared, and does not change any more.\n", cmd_copy },
	{ "cp", "SOURCE NAME:PATH | NAME:PATH TARGET", "copy files into a container, or out of it",
	  "In whatever state it is; with all that is in a directory. Into PATH or TARGET if that is a\n"
	  "directory, else by that name. SOURCE/. is what is in it. ./A:B is no container's.\n", cmd_cp },
	{ "rename", "NAME NEW", "give a stopped container another name", NULL, cmd_rename },
	{ "export", "[--compress HOW] NAME FILE", "write a stopped container's files to a tar archive",
	  "  -c, --compress HOW  none, gzip, xz or zstd (default: by FILE's suffix, .gz, .tgz, .xz, .txz,\n"
	  "                      .zst, .tzst)\n\n"
	  "- is standard output. FILE is there as a whole, or not at all.\n", cmd_export },
	{ "snapshot list", "[--json] NAME", "list the snapshots of a container",
	  "  -j, --json  as JSON\n", cmd_snapshot_list },
	{ "snapshot remove", "NAME SNAPSHOT", "remove a snapshot", NULL, cmd_snapshot_remove },
	{ "checkpoint list", "[--json] NAME", "list the checkpoints of a container",
	  "  -j, --json  as JSON\n", cmd_checkpoint_list },
	{ "checkpoint remove", "NAME CHECKPOINT", "remove a checkpoint", NULL,
	  cmd_checkpoint_remove },
	{ "checkpoint", "NAME CHECKPOINT", "save what runs in a container, which goes on",
	  "Its processes with all that is theirs, its files, registrations, control groups, limits and\n"
	  "bindings. Needs CRIU.\n", cmd_checkpoint },
	{ "restart", "NAME CHECKPOINT", "go back to a checkpoint, running",
	  "A container that runs is stopped first. What was written since the checkpoint is lost,\n"
	  "unless it was saved.\n", cmd_restart },
	{ "set", "NAME KEY=VALUE...", "set properties of a container",
	  "  port=PORT            of its SSH server\n"
	  "  network=NETWORK      empty, none, host or bridge:NAME\n"
	  "  apparmor=PROFILE     that it runs in; or unconfined\n"
	  "  address=ADDRESS/BITS in the bridge, several with commas\n"
	  "  gateway=ADDRESS      in the bridge\n"
	  "  mac=ADDRESS          of its network device there\n"
	  "  cpu=PERCENT          of one CPU, for the container as a whole; max is no limit\n"
	  "  cores=LIST           of CPUs, as 0-3,5\n"
	  "  memory=SIZE          bytes, or with K, M, G, T\n"
	  "  memsw=SIZE           memory and swap together\n"
	  "  pids=NUMBER          processes and threads\n"
	  "  volumes=SOURCE:TARGET[:ro][:noidmap]\n"
	  "                       directories or files of the host, several with commas\n"
	  "  autostart=yes|no     start it with the host\n"
	  "  autostart_order=N    lower ones first\n"
	  "  autostart_delay=SECONDS\n"
	  "                       before the next one is started\n"
	  "  stop_timeout=SECONDS, halt_timeout=SECONDS\n\n"
	  "All of them, or none if one cannot be set. Limits hold at once; port, network, apparmor,\n"
	  "address, gateway, mac and volumes when the container is started again.\n", cmd_set },
	{ "unset", "NAME KEY...", "unset properties of a container",
	  "What dre.conf says holds for it then.\n", cmd_unset },
	{ "get", "[--json] NAME [KEY]", "show the properties of a container, or the value of one",
	  "  -j, --json  as JSON\n\n"
	  "SET is no where the value is that of dre.conf.\n", cmd_get },
	{ "cgroup create", "NAME CGROUP", "make a control group in a running container", NULL,
	  cmd_cgroup_create },
	{ "cgroup destroy", "NAME CGROUP", "remove a control group", NULL, cmd_cgroup_destroy },
	{ "cgroup list", "[--json] NAME", "list the control groups of a container",
	  "  -j, --json  as JSON\n\n"
	  "BOUND are the processes that are bound to it, by their numbers here.\n", cmd_cgroup_list },
	{ "bind", "[--vpid] NAME CGROUP PID", "bind a process to a control group",
	  "  -v, --vpid  PID is the process' number in the container\n", cmd_bind },
	{ "unbind", "[--vpid] NAME CGROUP PID", "put a bound process back where it was",
	  "  -v, --vpid  PID is the process' number in the container\n", cmd_unbind },
	{ "resource set", "NAME CGROUP RESOURCE LIMIT", "limit a control group",
	  "RESOURCE and LIMIT are one of\n"
	  "  cpu PERCENT   of one CPU: 200 are two CPUs\n"
	  "  cores LIST    of CPUs, as 0-3,5\n"
	  "  memory SIZE   bytes, or with K, M, G, T\n"
	  "  memsw SIZE    memory and swap together; needs a limit of memory\n"
	  "  pids NUMBER   processes and threads\n"
	  "CGROUP . is the container as a whole. Limits end when the container stops.\n",
	  cmd_resource_set },
	{ "resource unset", "NAME CGROUP RESOURCE", "take a limit away",
	  "RESOURCE is cpu, cores, memory, memsw or pids. CGROUP . is the container as a whole.\n",
	  cmd_resource_unset },
	{ "resource get", "[--json] NAME [PID]", "show what a container, or a process of it, uses",
	  "  -j, --json  as JSON\n\n"
	  "CPU% is of one CPU, during 100 ms; CORES are those that it may run on; MEMORY and\n"
	  "MEMSW are in bytes; PIDS are processes and threads.\n", cmd_resource_get },
	{ "base import", "NAME SOURCE", "make a base image from a directory or a tar archive",
	  "The archive may be compressed by gzip, xz or zstd. - is standard input, a file or a pipe.\n",
	  cmd_base_import },
	{ "base build", "[--suite SUITE] [--packages LIST] [--mirror URL] [--verbose] NAME",
	  "make a base image of a small Debian",
	  "  -s, --suite SUITE    bookworm, ... (default: stable)\n"
	  "  -p, --packages LIST  beside the essential ones and an init, with commas\n"
	  "  -m, --mirror URL     where from (default: where this host has it from)\n"
	  "  -v, --verbose        shows what mmdebstrap says, which must be installed\n", cmd_base_build },
	{ "base export", "[--compress HOW] BASE FILE", "write a base image to a tar archive",
	  "  -c, --compress HOW  none, gzip, xz or zstd (default: by FILE's suffix, .gz, .tgz, .xz, .txz,\n"
	  "                      .zst, .tzst)\n\n"
	  "- is standard output. FILE is there as a whole, or not at all.\n", cmd_base_export },
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

CONTAINER_API(dre_app, DRE_APP_CONTAINER_TYPE_LXC, "dre-app", .bind_vpid = app_bind_vpid,
	      .unbind_vpid = app_unbind_vpid, .get_bound_pids = app_get_bound_pids,
	      .count_registered = app_count_registered, .events_next = app_events_next);

static dre_return_t resize_console(const char *name, int rows, int columns)
{
	return dre_app_resize_console(&(dre_app_handle){ DRE_APP_CONTAINER_TYPE_LXC, (char *)name },
				      rows, columns);
}

const struct container_extras container_extras = {
	.resize_console = resize_console,
	.inspect = inspect_app,
	.info_value = app_info_value,
	.exported = "an archive",
	.compression_of = app_compression_of,
	.pids = true,
};

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "dre-app",
		.purpose = "Application containers of the D-RE runtime environment.",
		.commands = commands,
		.hint = container_hint,
		.complete = complete_kind,
	};

	return command_main(&program, argc, argv);
}
