/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Agents: processes that do what a test tells them, over a socket, and fake
 * containers made of them. An agent is a copy of the test program, so it is
 * told what to do by the address of a function; the programs are linked at a
 * fixed address for it to hold after execve(2) too.
 *
 * What goes wrong in here says nothing about the module: it ends the test.
 */
#ifndef AGENT_H
#define AGENT_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __noreturn	__attribute__((noreturn))
#define __maybe_unused	__attribute__((unused))

/* Seconds to wait for what must happen; never the time that it takes. */
#define DEADLINE	120

/* What the leader of agent_thread() ends with, if it does. */
#define LEADER_CODE	7

#define AGENT_ARG_MAX	(48 * 1024)

/**
 * struct agent - a process that obeys
 * @parent: the agent that made it, and reaps it; NULL: the test itself
 * @pid: its number where the test is
 * @vpid: its number where it is itself
 * @child: its number where its parent is
 * @sock: the test's end
 *
 * An agent blocks all signals, has no file of the test open, and dies with its
 * parent.
 */
struct agent {
	struct agent *parent;
	pid_t pid;
	pid_t vpid;
	pid_t child;
	int sock;
};

/*
 * Runs in an agent. @arg is a copy that goes back to the caller; @fd is the
 * file that came with it, or -1, and is closed afterwards. Returns what the
 * caller gets: by convention 0 or more, or -errno.
 */
typedef int (*agent_fn)(int fd, void *arg);

/* A user without any privilege, in every namespace of the tests. */
#define NOBODY	65534

int become_nobody(int fd, void *arg);

void die(const char *fmt, ...) __noreturn __printf(1, 2);

void agent_start(struct agent *a, struct agent *parent, int clone_flags);
void agent_start_as(struct agent *a, int clone_flags, const pid_t *numbers, size_t levels);

void agent_map_users(struct agent *a, const char *map);

int agent_call(struct agent *a, agent_fn fn, void *arg, size_t len);
int agent_call_fd(struct agent *a, int fd, agent_fn fn, void *arg, size_t len);
void agent_send(struct agent *a, int fd, agent_fn fn, const void *arg, size_t len);
int agent_receive(struct agent *a, void *arg, size_t len);

/* All of these return the status that wait(2) gave, and leave no process. */
int agent_wait(struct agent *a);
int agent_kill(struct agent *a, int sig);
int agent_exit(struct agent *a, int code);

/* Wait until it has ended and leave the zombie. */
void agent_kill_only(struct agent *a, int sig);

void agent_exec(struct agent *a);
char process_state(pid_t pid);
pid_t agent_thread(struct agent *a, bool leader_exits);
int agent_signal(struct agent *a, siginfo_t *info);

/**
 * struct container - a fake one
 * @init: process 1 of its pid namespace
 * @fd: its container fd, where a test has one
 */
struct container {
	struct agent init;
	int fd;
};

/* What a container has of its own beside its pid namespace. */
#define WITH_USERS	CLONE_NEWUSER
#define WITH_PROC	CLONE_NEWNS

void container_start(struct container *c, int with);
void container_start_below(struct container *c, struct agent *parent, int with);
void container_kill(struct container *c);

#endif /* AGENT_H */
