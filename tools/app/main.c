// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app: application containers.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "app.h"

static const struct command commands[] = {
	{ "create", "[--base BASE] [--port PORT] [--privileged | --unprivileged] NAME",
	  "create a container",
	  "  -b, --base BASE     made from this base image (default: dre.conf's)\n"
	  "  -p, --port PORT     port of its SSH server\n"
	  "      --privileged    without a user namespace: its root is the host's\n"
	  "      --unprivileged  with one (default: dre.conf's choice, which is this)\n",
	  cmd_create },
	{ "start", "NAME...", "start containers", NULL, cmd_start },
	{ "stop", "NAME...", "stop containers in good order",
	  "Their D-Aware processes terminate first, then init halts. What is not gone after the times\n"
	  "in dre.conf (stop_timeout, halt_timeout) is killed.\n", cmd_stop },
	{ "suspend", "NAME...", "freeze all processes of containers", NULL, cmd_suspend },
	{ "resume", "NAME...", "thaw suspended containers", NULL, cmd_resume },
	{ "destroy", "NAME...", "remove stopped containers for good", NULL, cmd_destroy },
	{ "status", "NAME", "print the state of a container",
	  "It is stopped, running, suspended or busy.\n", cmd_status },
	{ "list", "[--json]", "list the containers",
	  "  -j, --json  as JSON\n", cmd_list },
	{ "ps", "[--json] [NAME]", "list the registered processes, of all or of one container",
	  "  -j, --json  as JSON\n\n"
	  "PID is the process' number here, VPID that in the container, SIGNALS those that it\n"
	  "terminates on.\n", cmd_ps },
	{ "register", "[--vpid] NAME PID", "put a process under D-RE's control for a container",
	  "  -v, --vpid  PID is the process' number in the container\n", cmd_register },
	{ "unregister", "[--vpid] NAME PID", "take a process out of D-RE's control",
	  "  -v, --vpid  PID is the process' number in the container\n", cmd_unregister },
	{ "exec", "NAME [--] COMMAND [ARGUMENT]...", "run a command in a running container",
	  "The exit status is the command's, 128 + N if signal N ended it, 127 if it is not there.\n",
	  cmd_exec },
	{ "base import", "NAME SOURCE", "make a base image from a directory or a tar archive",
	  "The archive may be compressed by gzip, xz or zstd.\n", cmd_base_import },
	{ "base list", "[--json]", "list the base images",
	  "  -j, --json  as JSON\n", cmd_base_list },
	{ }
};

static const char *hint(const char *command, dre_return_t err)
{
	switch (err) {
	case DRE_ERR_PERMISSION_DENIED:
		return geteuid() ? "run it as root" : NULL;
	case DRE_ERR_CONTAINER_NONEXISTENCE:
		return "'dre-app list' shows those there are";
	case DRE_ERR_CONTAINER_EXISTENCE:
		return "choose another name, or 'dre-app destroy %s' first";
	case DRE_ERR_CONTAINER_RUNNING:
		return !strcmp(command, "destroy") ? "'dre-app stop %s' stops it" : NULL;
	case DRE_ERR_CONTAINER_STOPPED:
		return strcmp(command, "stop") != 0 ? "'dre-app start %s' starts it" : NULL;
	case DRE_ERR_CONTAINER_SUSPENDED:
		return !strcmp(command, "destroy") ? "'dre-app stop %s' stops it" :
		       strcmp(command, "suspend") != 0 ? "'dre-app resume %s' resumes it" : NULL;
	case DRE_ERR_CONTAINER_BUSY:
		return "try again";
	case DRE_ERR_BASE_NONEXISTENCE:
		return "'dre-app base list' shows those there are";
	case DRE_ERR_BASE_EXISTENCE:
		return "choose another name";
	}
	return NULL;
}

int no_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ }
	};

	while (command_getopt(argc, argv, "", options) >= 0)
		;
	return optind;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "dre-app",
		.purpose = "Application containers of the D-RE runtime environment.",
		.commands = commands,
		.hint = hint,
	};

	return command_main(&program, argc, argv);
}
