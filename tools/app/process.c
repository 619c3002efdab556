// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * register, unregister, exec.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <dre_app.h>

#include "app.h"

/* [--vpid] NAME PID; @by_pid or @by_vpid does it. */
static int change(int argc, char **argv, dre_return_t (*by_pid)(const dre_app_handle *, int),
		  dre_return_t (*by_vpid)(const dre_app_handle *, int))
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "vpid", no_argument, NULL, 'v' },
		{ }
	};
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_return_t (*fn)(const dre_app_handle *, int) = by_pid;
	int pid, err;

	while (command_getopt(argc, argv, "v", options) >= 0)
		fn = by_vpid;
	if (argc - optind != 2)
		command_usage("a name and a number are wanted");
	h.name = argv[optind];
	pid = command_number(fn == by_pid ? "PID" : "VPID", argv[optind + 1], 1, INT_MAX);
	err = fn(&h, pid);
	return err ? command_fail(err, h.name) : EXIT_SUCCESS;
}

int cmd_register(int argc, char **argv)
{
	return change(argc, argv, dre_app_register_pid, dre_app_register_vpid);
}

int cmd_unregister(int argc, char **argv)
{
	return change(argc, argv, dre_app_unregister_pid, dre_app_unregister_vpid);
}

/* @env has room for all of them, and a NULL. The name is at optind. */
static void read_exec_options(int argc, char **argv, dre_app_exec_options *exec, char **env)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "env", required_argument, NULL, 'e' },
		{ "user", required_argument, NULL, 'u' },
		{ "cwd", required_argument, NULL, 'w' },
		{ "tty", no_argument, NULL, 't' },
		{ "no-tty", no_argument, NULL, 'T' },
		{ }
	};
	int c;

	while ((c = command_getopt(argc, argv, "e:u:w:tT", options)) >= 0) {
		switch (c) {
		case 'e':
			if (*optarg == '=' || !strchr(optarg, '='))
				command_usage("'%s' is not of the form KEY=VALUE", optarg);
			*env++ = optarg;
			break;
		case 'u':
			exec->user = optarg;
			break;
		case 'w':
			exec->cwd = optarg;
			break;
		case 't':
			exec->tty = 1;
			break;
		case 'T':
			exec->tty = -1;
			break;
		}
	}
}

int cmd_exec(int argc, char **argv)
{
	char **env = command_memory(calloc(argc + 1, sizeof(*env)));
	dre_app_exec_options options = { .size = sizeof(options), .env = env };
	dre_app_handle h = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	char *shell[] = { "/bin/sh", NULL };
	int i, status, err;

	read_exec_options(argc, argv, &options, env);
	i = optind;
	if (i == argc)
		command_usage("a name is missing");
	h.name = argv[i++];
	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	/* Ctrl-C is the command's business. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	err = dre_app_exec_with(&h, i < argc ? argv + i : shell, &options, &status);
	free(env);
	if (err)
		return command_fail(err, h.name);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
