/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers for the tests, and D-Aware processes in them. What goes wrong in
 * here fails the test.
 */
#ifndef SELFTESTS_INTEGRATION_BOX_H
#define SELFTESTS_INTEGRATION_BOX_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <dre_app.h>

#include "world.h"

/* Made by ./run: busybox, agent and intruder, with init.c as init, which halts at once. */
#define BASE		"it"

/* Where the base's init and the agents say what they do. */
#define JOURNAL		"/var/log/journal"

/* dre.conf for this program: BASE is the default base, and the lines of @text. */
void use_conf(const char *text);

dre_app_handle *box_create(const char *name);
dre_app_handle *box_create_with(const char *name, const char *base, int privileged);
dre_app_handle *box_start(const char *name);

/* In whatever state it is: it is killed, destroyed and closed. NULL is fine. */
void box_destroy(dre_app_handle *h);
/* Destroys all that there are, and sets the configuration back. For teardowns. */
int box_destroy_all(void **state);

/* The number of init on the host. */
pid_t box_init(const dre_app_handle *h);

/* Kills init, and waits until the container is stopped and cleaned up. */
void box_kill(dre_app_handle *h);

/* Runs a script of sh inside; returns its exit status, or -1 if a signal ended it. */
int box_run(const dre_app_handle *h, const char *script);
/* The same, and stores what it printed, without the last newline; valid until the next call. */
int box_ask(const dre_app_handle *h, const char **output, const char *script);

/* A file of the container, running or not; NULL if there is none. The caller frees it. */
char *box_read(const dre_app_handle *h, const char *path);

/* A file in the container's writable layer, as a path of the host; valid until the next call. */
const char *box_layer_path(const dre_app_handle *h, const char *path);

/* What "agent ARGUMENTS" in agent.c says of itself once it is registered: VPIDs. */
struct agent {
	pid_t vpid;
	pid_t thread;	/* of its second thread, or 0 */
	pid_t zombie;	/* of its dead child, or 0 */
	pid_t pid;	/* vpid's number on the host, by the way of /proc */
};

void box_agent(const dre_app_handle *h, struct agent *agent, const char *arguments);
/* The same on the host itself, by /tests/integration/agent. */
void host_agent(struct agent *agent, const char *arguments);

/* The number on the host of the process that is @vpid in the pid namespace of @init; or 0. */
pid_t host_pid(pid_t init, pid_t vpid);

/* Process @pid does not exist, or is dead. */
bool is_gone(pid_t pid);

/* The cgroup that a process is in, "/dre/app/here/payload"; valid until the next call. */
const char *cgroup_of(pid_t pid);

/* /proc/daware as it is seen by process @pid. The caller frees it. */
char *read_daware(pid_t pid);

/* Is the registry empty? */
bool nothing_registered(void);

/* The file at @path of the container gets (or has) this text in it. */
bool box_says(const dre_app_handle *h, const char *text);

/* Nothing in the directory can be changed, by a mount that the caller takes away. */
void make_read_only(const char *directory);

/* Loads and unloads dre.ko. */
void load_module(void);
void unload_module(void);

/* Does the module know an application container of this name? */
bool module_knows(const char *name);

/*
 * Runs the tests, or those whose names are like DRE_TESTS in the environment ("*" and "?" stand for
 * others); the program has use_conf("") and destroys all containers at its end.
 */
int box_main(const struct CMUnitTest *tests, size_t nr, CMFixtureFunction setup);
#define BOX_MAIN(tests, setup)	box_main((tests), sizeof(tests) / sizeof((tests)[0]), (setup))

#endif /* SELFTESTS_INTEGRATION_BOX_H */
